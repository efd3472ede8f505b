"""What can be imported."""

import os
import subprocess
import sys

import channels_graphql_ws
import channels_graphql_ws.testing
import pytest

from .lines import line


@line("names.root")
@pytest.mark.parametrize(
    "name",
    [
        "GraphqlWsConsumer",
        "Subscription",
        "GraphqlWsClient",
        "GraphqlWsResponseError",
        "GraphqlWsTransportAiohttp",
        pytest.param("GraphqlWsTransport", marks=pytest.mark.ours("the root does not have it")),
    ],
)
def test_the_root_has(name: str) -> None:
    """Each name is a class."""
    assert isinstance(getattr(channels_graphql_ws, name), type)


@line("names.testing")
@pytest.mark.parametrize("name", ["GraphqlWsClient", "GraphqlWsTransport"])
def test_the_testing_module_has(name: str) -> None:
    """Each name is a class."""
    assert isinstance(getattr(channels_graphql_ws.testing, name), type)


@line("names.script")
def test_a_plain_script() -> None:
    """It imports the client without settings."""
    program = "from channels_graphql_ws import GraphqlWsClient, GraphqlWsTransportAiohttp; print(GraphqlWsClient)"

    done = subprocess.run([sys.executable, "-c", program], env=without_settings(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@line("names.script")
@pytest.mark.ours("the root imports all of Django")
def test_a_plain_script_does_not_load_django() -> None:
    """What it does not need stays away."""
    program = "import sys; from channels_graphql_ws import GraphqlWsClient; print('django' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], env=without_settings(), capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def without_settings() -> dict[str, str]:
    """The environment of a script that has nothing to do with Django."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
