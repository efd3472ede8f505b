"""What clients wrote, as it may be kept and shown: short, printable, without what is secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Self

from django.views.debug import SafeExceptionReporterFilter

from ..conf import get_settings

HIDDEN = "***"
CUT = "…"

MAX_DOCUMENT = 10_000
"""Characters of a document that are kept."""

MAX_TEXT = 1_000
"""Characters of one text among the variables."""

MAX_VALUES = 200
"""Values of the variables, at all depths together."""

MAX_DEPTH = 10

IGNORED = "#,\ufeff"
"""What tokens begin with that mean nothing, besides white space."""

_TOKEN = re.compile(
    r'"""(?:\\"""|(?!""").)*(?:"""|\Z)'  # A text that was cut off ends where the document does.
    r'|"(?:[^"\\\n]|\\.)*(?:"|\n|\Z)'
    r"|#[^\n\r]*"
    r"|[A-Za-z_]\w*"
    r"|-?\d[\w.+-]*"
    r"|\s+|.",
    re.DOTALL,
)


def clean(text: object, length: int) -> str:
    """A text that every database takes: of at most this length, without NUL and halves of surrogate pairs."""
    taken = str(text)[: length + 1].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return taken if len(taken) <= length else f"{taken[: length - 1]}{CUT}"


def hidden_names() -> re.Pattern[str]:
    """What the names of variables and arguments look like whose values are hidden."""
    pattern = get_settings().hidden_variables
    return SafeExceptionReporterFilter.hidden_settings if pattern is None else _compiled(pattern)


@lru_cache(maxsize=8)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Of an empty pattern every name would be one.
    return re.compile(pattern or r"(?!)", re.IGNORECASE)


def redact(document: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A document and its variables as they may be kept.

    Hidden are the values of variables, arguments and input fields whose names look secret, and variables that are given
    to such arguments, with their defaults. Nobody knows how the variables of a document that is too long are used: all
    are hidden.
    """
    names = hidden_names()
    text, used = _redact_document(document[: MAX_DOCUMENT + 1], names)
    if len(document) > MAX_DOCUMENT:
        return clean(text, MAX_DOCUMENT), {clean(name, MAX_TEXT): HIDDEN for name in islice(variables, MAX_VALUES)}
    shown = {name: HIDDEN if name in used else value for name, value in islice(variables.items(), MAX_VALUES)}
    return clean(text, MAX_DOCUMENT), _Values(names).redact(shown)


@lru_cache(maxsize=128)
def _redact_document(document: str, names: re.Pattern[str]) -> tuple[str, frozenset[str]]:
    tokens = _TOKEN.findall(document)
    # How a variable is used is known behind its default only.
    used = frozenset(_Scanner(names, frozenset()).read(tokens).variables)
    return "".join(_Scanner(names, used).read(tokens).kept), used


class _Scanner:
    """Reads tokens, and keeps all but the values that are hidden.

    A name within parentheses that is followed by a colon is that of an argument or of an input field; outside of them
    it is an alias. A variable's default follows its type and an equals sign.
    """

    def __init__(self, names: re.Pattern[str], secret: frozenset[str]) -> None:
        self.kept: list[str] = []
        self.variables: set[str] = set()
        """Those that are given to secret arguments."""
        self._names = names
        self._secret = secret
        self._sign = ""
        self._depth = 0
        self._last = ""
        self._declared = ""
        # Closing brackets that a hidden value still needs; None: nothing is being hidden.
        self._open: int | None = None

    def read(self, tokens: Iterable[str]) -> Self:
        for token in tokens:
            if token.isspace() or token[0] in IGNORED:
                if not self._open:
                    self.kept.append("" if token.startswith("#") else token)
            elif token == "$":
                # What is ignored may stand between it and the name.
                self._sign = token
            else:
                self._take(self._sign + token)
                self._sign = ""
        return self

    def _take(self, token: str) -> None:
        if self._open is None:
            self._keep(token)
        else:
            self._hide(token)

    def _keep(self, token: str) -> None:
        self.kept.append(token)
        self._depth += (token == "(") - (token == ")")
        if self._depth and token == ":":
            self._declared = self._last if self._last.startswith("$") else ""
            self._open = 0 if not self._declared and self._names.search(self._last) else None
        elif self._depth and token == "=" and self._declared:
            is_secret = self._declared[1:] in self._secret or self._names.search(self._declared)
            self._open = 0 if is_secret else None
        self._last = token

    def _hide(self, token: str) -> None:
        assert self._open is not None
        if not self._open:
            if token.startswith("$"):
                self.variables.add(token[1:])
                self.kept.append(token)
            else:
                self.kept.append(HIDDEN)
        elif token.startswith("$"):
            self.variables.add(token[1:])
        self._open += (token in "[{") - (token in "]}")
        if self._open <= 0:
            self._open = None


class _Values:
    """Copies values of variables, up to a number of them."""

    def __init__(self, names: re.Pattern[str]) -> None:
        self._names = names
        self._left = MAX_VALUES

    def redact(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return clean(value, MAX_TEXT)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            # A number that JSON, or the database, does not know would spoil all that is written with it.
            return value if abs(value) < 2**63 else clean(value, MAX_TEXT)
        if depth == MAX_DEPTH or self._left <= 0:
            return CUT
        if isinstance(value, Mapping):
            return {
                clean(name, MAX_TEXT): HIDDEN if self._names.search(str(name)) else self.redact(item, depth + 1)
                for name, item in islice(value.items(), max(self._left, 0))
            }
        return [self.redact(item, depth + 1) for item in islice(value, max(self._left, 0))]
