"""What a client reads of an error, and what only the log has."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from graphql import GraphQLError

from django_gqlws.conf import Settings
from django_gqlws.execution.errors import format_errors, masks_errors, refusal
from tests.support.tables import situations

MASKED = {"message": "Internal server error"}
OURS = GraphQLError("not for you", extensions={"code": "REFUSED"})
SECRET = ValueError("a secret")
LOCATED = GraphQLError("a secret", path=["a"], original_error=SECRET)
RELOCATED = GraphQLError("not for you", path=["a"], original_error=OURS, extensions={"code": "REFUSED"})

ERRORS: dict[str, tuple[Exception, dict[str, Any], dict[str, Any]]] = {
    "a GraphQLError": (
        OURS,
        {"message": "not for you", "extensions": {"code": "REFUSED"}},
        {"message": "not for you", "extensions": {"code": "REFUSED"}},
    ),
    "a GraphQLError of a resolver": (
        RELOCATED,
        {"message": "not for you", "path": ["a"], "extensions": {"code": "REFUSED"}},
        {"message": "not for you", "path": ["a"], "extensions": {"code": "REFUSED"}},
    ),
    "an exception of a resolver": (
        LOCATED,
        {**MASKED, "path": ["a"]},
        {"message": "a secret", "path": ["a"]},
    ),
    "another exception": (
        SECRET,
        MASKED,
        {"message": "ValueError: a secret", "extensions": {"code": "ValueError"}},
    ),
    "an exception that brings extensions": (
        GraphQLError("a secret", path=["a"], original_error=SECRET, extensions={"code": "SECRET"}),
        {**MASKED, "path": ["a"]},
        {"message": "a secret", "path": ["a"], "extensions": {"code": "SECRET"}},
    ),
    "a GraphQLError with its own text about an exception": (
        GraphQLError("The room is full.", original_error=SECRET),
        {"message": "The room is full."},
        {"message": "The room is full."},
    ),
}


@pytest.mark.parametrize(("error", "masked", "open_"), situations(ERRORS))
def test_an_error(error: Exception, masked: dict[str, Any], open_: dict[str, Any]) -> None:
    """Masked, only what was meant for the client passes."""
    assert format_errors([error], True, "The operation") == [masked]
    assert format_errors([error], False, "The operation") == [open_]


def test_an_unexpected_exception_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback and with where it came from."""
    format_errors([LOCATED, OURS], True, "The operation 'Q'")

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "The operation 'Q' failed: ValueError: a secret"
    assert record.exc_info is not None
    assert record.exc_info[1] is SECRET


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("mask", [True, False, None])
def test_whether_errors_are_masked(debug: bool, mask: bool | None) -> None:
    """As the setting says; without it, unless DEBUG."""
    with override_settings(DEBUG=debug):
        assert masks_errors(replace(Settings(), mask_errors=mask)) is ((not debug) if mask is None else mask)


REFUSALS: dict[str, tuple[Exception, str, str]] = {
    "a GraphQLError": (GraphQLError("Send a token."), "Send a token.", "Send a token."),
    "PermissionDenied": (PermissionDenied("Not you."), "Not you.", "Not you."),
    "PermissionDenied without a text": (PermissionDenied(), "Forbidden", "Forbidden"),
    "another exception": (SECRET, "Forbidden", "ValueError: a secret"),
}


@pytest.mark.parametrize(("error", "masked", "open_"), situations(REFUSALS))
def test_why_a_client_was_refused(error: Exception, masked: str, open_: str) -> None:
    """Only what was written for it, with masking on."""
    assert refusal(error, True) == masked
    assert refusal(error, False) == open_
