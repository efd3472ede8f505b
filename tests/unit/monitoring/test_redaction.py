"""What is kept of documents and variables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import override_settings

from django_gqlws.monitoring.redaction import CUT, HIDDEN, MAX_DOCUMENT, clean, redact

DOCUMENTS = {
    "an argument": ('{ a(password: "x", room: "y") }', '{ a(password: ***, room: "y") }'),
    "an input field": ('{ a(in: {apiKey: "x", b: 1}) }', "{ a(in: {apiKey: ***, b: 1}) }"),
    "a whole object": ('{ a(auth: {user: "x", more: [{b: 1}]}, c: 2) }', "{ a(auth: ***, c: 2) }"),
    "a list": ('{ a(tokens: ["x", "y"]) { b } }', "{ a(tokens: ***) { b } }"),
    "a number": ("{ a(passcode: 1234 b: 2) }", "{ a(passcode: *** b: 2) }"),
    "a block text": ('{ a(secret: """x " \\""" y""") { b } }', "{ a(secret: ***) { b } }"),
    "a block text with backslashes": (r'{ a(secret: """x\\""" y """, b: 1) }', "{ a(secret: ***, b: 1) }"),
    "escaped quotes": (r'{ a(secret: "x\"y", b: 1) }', "{ a(secret: ***, b: 1) }"),
    "a variable": ("query($t: String) { a(token: $t) }", "query($t: String) { a(token: $t) }"),
    "a default": ('query($token: String! = "x", $b: Int = 1) { a }', "query($token: String! = ***, $b: Int = 1) { a }"),
    "a default of one that is used so": (
        'query($t: String = "x", $b: Int = 1) { a(b: $b, token: $t) }',
        "query($t: String = ***, $b: Int = 1) { a(b: $b, token: $t) }",
    ),
    "a sign that stands alone": ('query($ token: String = "x") { a }', "query( $token: String = ***) { a }"),
    "a mark that means nothing": ('{ a(token\ufeff: "x") }', "{ a(token\ufeff: ***) }"),
    "a directive": ('{ a @with(token: "x") }', "{ a @with(token: ***) }"),
    "an alias": ("{ password: a(b: 1) { tokens: c } }", "{ password: a(b: 1) { tokens: c } }"),
    "a comment": ('{ a(b: 1) # password: "x"\n}', "{ a(b: 1) \n}"),
    "a text that looks like an argument": ('{ a(b: "password: 1") }', '{ a(b: "password: 1") }'),
    "a text without an end": ('{ a(secret: "x', "{ a(secret: ***"),
    "brackets in a text": ('{ a(auth: {b: "}"}, c: 2) }', "{ a(auth: ***, c: 2) }"),
}


@pytest.mark.parametrize(("document", "kept"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document(document: str, kept: str) -> None:
    """Literals whose names look secret are hidden, wherever they stand."""
    assert redact(document, {})[0] == kept


@pytest.mark.parametrize(
    ("document", "variables", "kept"),
    [
        ("{ a }", {"password": "x", "room": "y"}, {"password": HIDDEN, "room": "y"}),
        ("{ a }", {"in": {"API_KEY": 1, "b": [{"Secret": 2}]}}, {"in": {"API_KEY": HIDDEN, "b": [{"Secret": HIDDEN}]}}),
        ("query($p: String) { a(password: $p) }", {"p": "x", "q": 1}, {"p": HIDDEN, "q": 1}),
        ("query($p: String) { a(auth: {b: [$p]}) }", {"p": "x"}, {"p": HIDDEN}),
        ("query($p: String) { a(password: $ p) }", {"p": "x"}, {"p": HIDDEN}),
        ("# It begins.\rquery($p: String) { a(password: $p) }", {"p": "x"}, {"p": HIDDEN}),
        (
            "{ a }",
            {"n": float("inf"), "x": float("nan"), "m": 10**400, "b": True, "f": 1.5},
            {"n": "inf", "x": "nan", "m": str(10**400), "b": True, "f": 1.5},
        ),
    ],
)
def test_variables(document: str, variables: dict[str, Any], kept: dict[str, Any]) -> None:
    """The same; and a variable that is given to a secret argument is secret, whatever its own name."""
    assert redact(document, variables)[1] == kept


def test_the_setting_says_what_is_secret() -> None:
    """It replaces Django's pattern; nothing is hidden by an empty one."""
    with override_settings(GQLWS={"HIDDEN_VARIABLES": "iban"}):
        assert redact('{ a(IBAN: "x", password: "y") }', {})[0] == '{ a(IBAN: ***, password: "y") }'
    with override_settings(GQLWS={"HIDDEN_VARIABLES": ""}):
        assert redact("{ a }", {"password": "y"})[1] == {"password": "y"}


def test_what_is_long_is_cut() -> None:
    """Nobody knows how the variables of a document that was cut are used: they are hidden."""
    document, variables = redact("{ a }" + " " * MAX_DOCUMENT + '{ b(password: "x") }', {"p": "x"})

    assert (len(document), document[-1], variables) == (MAX_DOCUMENT, CUT, {"p": HIDDEN})
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    kept = redact("{ a }", {"deep": deep, "wide": ["y" * 10_000] * 100_000})[1]
    assert len(json.dumps(kept)) < 500_000


def test_a_text_is_made_storable() -> None:
    """No database takes a NUL or half of a surrogate pair."""
    assert clean("a\0b\ud800c", 10) == "a\N{REPLACEMENT CHARACTER}b?c"
    assert clean("abcdef", 4) == "abc…"
