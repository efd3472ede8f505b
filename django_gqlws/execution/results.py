"""Outcomes as JSON text."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from graphql import GraphQLError

from ..protocol.codec import encode
from .errors import MASK, as_json, format_errors, refusal

logger = logging.getLogger(__name__)

to_json = DjangoJSONEncoder().default
"""What JSON lacks, as Django writes it: dates, Decimals, UUIDs, lazy strings."""


def encode_result(data: Any, errors: Collection[Exception], mask: bool, where: str) -> str:
    """The payload of a ``next``: ``errors`` only where there are some.

    What cannot be written as JSON, for whatever reason, becomes an error of the result. Never raises.
    """
    try:
        result = {"data": data}
        if errors:
            result["errors"] = format_errors(errors, mask, where)
        return encode(result, to_json)
    except Exception as error:
        return f'{{"data":null,"errors":{encode_errors([error], mask, where)}}}'


def encode_confirmation(message: Mapping[str, Any]) -> str:
    """The payload of a confirmation. Its errors are the developer's own words: neither masked nor logged."""
    result = {"data": message.get("data")}
    if errors := message.get("errors"):
        result["errors"] = [as_json(error) for error in errors]
    return encode(result, to_json)


def encode_refusal(error: Exception, mask: bool) -> str:
    """Why a client was refused: a JSON object with what it may read of the error. Never raises."""
    try:
        if not mask or isinstance(error, GraphQLError):
            return encode(as_json(error), to_json)
    except Exception as failure:
        logger.error("The extensions of a refusal cannot be written: %r", failure)
    return encode({"message": refusal(error, mask)})


def add_extensions(payload: str, **extensions: Any) -> str:
    """An encoded result with what this package has to say about it."""
    return f'{payload[:-1]},"extensions":{{"gqlws":{encode(extensions)}}}}}'


def encode_errors(errors: Collection[Exception], mask: bool, where: str) -> str:
    """The payload of an ``error``: a JSON array. Never raises."""
    try:
        return encode(format_errors(errors, mask, where), to_json)
    except Exception as error:
        logger.error("%s failed, and so did writing its errors: %r", where or "An operation", error, exc_info=error)
        return encode([{"message": MASK}])
