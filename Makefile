# make demo    the demo on http://127.0.0.1:8000 (PORT=...)
# make test    everything that has to pass: lint, types, unit, integration and acceptance tests
# make check   lint and types alone
# make bench   the benchmarks, about an hour and a half; five minutes: make bench ARGS=--quick
#
# The virtual environment is made when it is missing, and filled when requirements/*.txt have changed.

VENV ?= .venv
PORT ?= 8000
# The first Python that is new enough; another one: make PYTHON=/path/to/python3.13
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
RUN = $(VENV)/bin/python
BENCH_RESULTS := benchmarks/results/$(shell date +%Y-%m-%d-%H%M%S)

.PHONY: demo test test-fast test-acceptance services frontend check format bench lock clean

demo: $(VENV)/.installed-demo frontend
	@$(RUN) manage.py demo_setup --port $(PORT)
	@exec $(RUN) -m uvicorn demo.asgi:application --port $(PORT) --ws websockets-sansio \
		--reload --reload-dir demo --reload-dir django_gqlws

# From the quick to the slow, so that the quick ones speak first; with -j side by side.
test: check test-fast test-acceptance

# All that CI runs on the other versions of Python.
test-fast: $(VENV)/.installed-test frontend services
	$(RUN) -m pytest tests/test_architecture.py tests/unit tests/integration

test-acceptance: $(VENV)/.installed-test frontend services
	$(RUN) -m pytest tests/acceptance

# A browser, a Redis and a PostgreSQL, where this machine has none.
services: $(VENV)/.installed-test
	$(RUN) -m tests.support.install_services

check: $(VENV)/.installed-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(VENV)/.installed-test
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(VENV)/.installed-test
	$(RUN) -m benchmarks compare --results $(BENCH_RESULTS) $(ARGS)
	@for workload in fan-out personal queries; do \
		$(RUN) -m benchmarks profile $$workload --results $(BENCH_RESULTS) || exit 1; \
	done
	@echo "Everything is in $(BENCH_RESULTS)"

# The static files of GraphiQL, when they are missing or older than their sources.
frontend: | $(VENV)/bin/python
	@$(RUN) frontend/build.py --install-node

# Pins the newest versions that pyproject.toml allows. Give it the oldest supported Python.
lock: frontend
	requirements/lock.sh $(PYTHON)

clean:
	rm -rf .venv* frontend/node_modules tests/acceptance/javascript/node_modules django_gqlws/static/django_gqlws/graphiql .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed-%: requirements/%.txt | $(VENV)/bin/python
	@echo "Installing $< into $(VENV) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Without ensurepip (Debian: python3-venv) half an environment is left behind; it must not pass for one.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
