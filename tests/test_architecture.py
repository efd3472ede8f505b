"""The package's layers: imports point down, neighbours in a row are strangers, nothing goes in circles.

Every import counts, wherever it stands: at the top, inside a function, under TYPE_CHECKING. A module that
needs a type from above has its seam at the wrong place; a small Protocol next to the code that needs it is
the way out.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "django_gqlws"
ROOT = Path(__file__).resolve().parents[1]

ROWS: list[set[str]] = [
    {"apps", "models"},
    {"admin", "checks", "urls", "routing", "management"},
    {"views", "testing", "bridge"},
    {"consumers"},
    {"monitoring"},
    {"connection"},
    {"subscription"},
    {"signals"},
    {"execution", "broker", "client"},
    {"prefixes", "security"},
    {"protocol", "serialization", "layers"},
    {"conf", "counters", "deadlines", "latency", "tasks", "turns"},
    {"exceptions"},
]
"""The top-level modules and packages of django_gqlws, from the top down.

A part may import from the rows below its own, and within itself.
"""

BANNED = {
    # Without I/O: the same rules serve every server, and every test without an event loop.
    "protocol": {"asyncio", "asgiref", "channels", "django", "graphene"},
    # Works in a plain script.
    "client": {"channels", "django", "graphene"},
    # Knows its user's hooks, not who calls them.
    "connection": {"channels"},
    "execution": {"channels"},
    "exceptions": {PACKAGE},
}
"""What a part must not import, beyond what the rows and the next set forbid."""

BANNED_EVERYWHERE = {"graphene_django", "tests", "demo", "benchmarks"}
"""graphene-django is an extra: its next release forbids a Django that we support."""

ROW_OF = {part: number for number, row in enumerate(ROWS) for part in row}


@dataclass(frozen=True)
class Import:
    """`source` imports `target`; both are dotted names of modules."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def part_of(module: str) -> str:
    """`django_gqlws.protocol.messages` -> `protocol`; of the root itself the empty text."""
    return module.partition(".")[2].partition(".")[0]


def is_one_of(module: str, banned: set[str]) -> bool:
    """Whether a module is one of these or lies in one of these packages."""
    return any(module == name or module.startswith(f"{name}.") for name in banned)


def find_modules() -> dict[str, Path]:
    """All modules of the package by dotted name."""
    modules = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


MODULES = find_modules()


def imports_of(source: str, path: Path) -> Iterator[Import]:
    """Every import statement in a file, with our own modules named as exactly as possible."""
    # What relative imports start from: a package is its own first parent.
    package = source.split(".") if path.name == "__init__.py" else source.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(source, name.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for name in node.names:
                submodule = f"{origin}.{name.name}"
                yield Import(source, submodule if submodule in MODULES else origin, node.lineno)


IMPORTS = [found for source, path in MODULES.items() for found in imports_of(source, path)]
OURS = [found for found in IMPORTS if is_one_of(found.target, {PACKAGE})]


def test_every_part_has_a_place_in_the_table() -> None:
    """A new top-level module is placed in a row before it is used."""
    strangers = sorted({part_of(module) for module in MODULES} - ROW_OF.keys() - {"", "migrations"})

    assert not strangers, f"place {strangers} in a row of ROWS (and in docs/architecture.md)"


def test_imports_point_down() -> None:
    """A part imports from lower rows and from itself, never from above or beside."""
    upward = [
        str(found)
        for found in OURS
        if part_of(found.source) != part_of(found.target)
        # The root only names, lazily, what it exports.
        and part_of(found.source) in ROW_OF
        and ROW_OF.get(part_of(found.target), -1) <= ROW_OF[part_of(found.source)]
    ]

    assert not upward, "\n".join(upward)


def test_no_module_imports_itself_in_a_circle() -> None:
    """Within a package, too, there is an order in which the modules can be read."""
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in OURS:
        graph[found.source].add(found.target)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize("part", sorted(BANNED))
def test_a_part_knows_nothing_of(part: str) -> None:
    """What a part must not know, it does not import."""
    found = [str(found) for found in IMPORTS if part_of(found.source) == part and is_one_of(found.target, BANNED[part])]

    assert not found, "\n".join(found)


def test_the_package_imports_no_extra_and_nothing_of_the_repository() -> None:
    """It can be installed alone."""
    found = [str(found) for found in IMPORTS if is_one_of(found.target, BANNED_EVERYWHERE)]

    assert not found, "\n".join(found)


def test_the_layers_stand_alone() -> None:
    """Any Channels project can use them without the rest of the package."""
    found = [
        str(found)
        for found in OURS
        if part_of(found.source) == "layers" and part_of(found.target) not in ("layers", "exceptions")
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", ["protocol", "exceptions"])
def test_a_part_without_io_loads_neither_an_event_loop_nor_django(part: str) -> None:
    """Not even through the modules that it imports."""
    modules = ", ".join(module for module in MODULES if part_of(module) == part)
    program = f"import sys, {modules}; print(sys.modules.keys() & {{'asyncio', 'django', 'graphene'}})"

    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"
