"""The wheel and the sdist contain the built files of GraphiQL, or are not made."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the files when they are missing or older than their sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raise if there is no way to have the files; an editable install does without, and its page says so."""
        frontend = load_build(Path(self.root))
        if version == "editable" or frontend.is_current():
            return
        try:
            frontend.build()
        except frontend.BuildError as error:
            # Its text is what a user of pip sees last.
            sys.exit(str(error))


def load_build(root: Path) -> ModuleType:
    """The module frontend/build.py, which is in no package."""
    specification = importlib.util.spec_from_file_location("frontend_build", root / "frontend" / "build.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
