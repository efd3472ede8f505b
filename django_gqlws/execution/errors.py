"""Errors as clients may see them: GraphQL errors as they are, unexpected exceptions masked and logged."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from graphql import GraphQLError

from ..conf import Settings

logger = logging.getLogger(__name__)

MASK = "Internal server error"


def masks_errors(options: Settings) -> bool:
    """Whether the text of unexpected exceptions stays on the server."""
    return not settings.DEBUG if options.mask_errors is None else options.mask_errors


def unexpected(error: BaseException) -> BaseException | None:
    """The exception behind an error that nobody wrote for clients; None for a GraphQLError."""
    if not isinstance(error, GraphQLError):
        return error
    # Only what graphql-core located in the result wraps an exception that was not meant for clients: a GraphQLError of
    # the user's, or of the validation, may have an original error, but has its own text.
    cause = error.original_error
    return None if error.path is None or isinstance(cause, GraphQLError) else cause


def log_refusal(error: Exception) -> None:
    """Logs why a client was refused: with its traceback, if nobody meant it."""
    meant = isinstance(error, PermissionDenied) or unexpected(error) is None
    level, trace = (logging.INFO, None) if meant else (logging.ERROR, error)
    logger.log(level, "A client was refused: %s: %s", type(error).__name__, error, exc_info=trace)


def format_errors(errors: Iterable[Exception], mask: bool, where: str) -> list[dict[str, Any]]:
    """The errors as JSON-like dicts; unexpected exceptions are logged with ``where`` they came from."""
    return [_format(error, mask, where) for error in errors]


def _format(error: Exception, mask: bool, where: str) -> dict[str, Any]:
    cause = unexpected(error)
    if cause is not None:
        logger.error("%s failed: %s: %s", where, type(cause).__name__, cause, exc_info=cause)
    formatted = as_json(error)
    if cause is not None and mask:
        formatted["message"] = MASK
        formatted.pop("extensions", None)
    return formatted


def as_json(error: BaseException) -> dict[str, Any]:
    """An error as it is: a GraphQLError as GraphQL prescribes, another exception with its name as the code."""
    if isinstance(error, GraphQLError):
        return {**error.formatted}
    name = type(error).__name__
    return {"message": f"{name}: {error}", "extensions": {"code": name}}


def refusal(error: BaseException, mask: bool) -> str:
    """Why a client was refused, in the words that it may read."""
    if isinstance(error, GraphQLError):
        return error.message or "Forbidden"
    if isinstance(error, PermissionDenied):
        return str(error) or "Forbidden"
    return "Forbidden" if mask else f"{type(error).__name__}: {error}"
