"""The two entries: `pack` and `unpack`."""

from __future__ import annotations

from typing import Any

import msgpack

from django_gqlws.exceptions import PayloadError

from .extensions import BY_CODE, Extension, encoder_for
from .paths import find_path, type_name

SUPPORTED = (
    "None, bool, int, float, str, bytes, list, tuple, dict, set, datetime, date, time, timedelta, Decimal, "
    "UUID, an Enum, a Django model or a queryset"
)


class _Refused(Exception):
    """Carries the value that cannot be packed out of msgpack, which knows no path."""

    def __init__(self, value: object, reason: str) -> None:
        super().__init__(reason)
        self.value = value


def pack(value: object) -> bytes:
    """The value as bytes, a snapshot of this moment.

    Subclasses of the known types travel as the type itself, lazy strings in the active language, querysets
    as a list of their models. PayloadError names the type that cannot be packed and the path to it.
    """
    try:
        try:
            return _pack(value)
        except UnicodeEncodeError:
            # Only text with lone surrogates pays for the slower way of encoding.
            return _pack(value, unicode_errors="surrogatepass")
    except _Refused as refused:
        path = find_path(refused.value, value)
        raise PayloadError(f"{path}: {type_name(refused.value)} {refused}") from refused.__cause__
    except (ValueError, RecursionError) as error:
        raise PayloadError(
            f"payload: {type_name(value)} cannot be packed: {error} It contains itself, or nests too deeply: "
            "flatten it, or send primary keys."
        ) from error


def unpack(data: bytes) -> Any:
    """The value that was packed; bytes that `pack` has not made raise PayloadError and nothing else."""
    try:
        return msgpack.unpackb(
            data,
            ext_hook=_extension,
            list_hook=_build,
            strict_map_key=False,
            unicode_errors="surrogatepass",
        )
    except Exception as error:
        raise PayloadError(f"payload: cannot be unpacked: {type(error).__name__}: {error}") from error


def _pack(value: object, unicode_errors: str | None = None) -> bytes:
    packer = msgpack.Packer(default=_encode, strict_types=True, unicode_errors=unicode_errors)
    packed: bytes = packer.pack(value)
    return packed


def _encode(value: Any) -> object:
    # mypy takes the __hash__ of instances for that of the class.
    encode = encoder_for(type(value))  # type: ignore[arg-type]
    if encode is None:
        raise _Refused(value, f"cannot be packed: make it one of {SUPPORTED}.")
    try:
        return encode(value)
    except Exception as error:
        raise _Refused(value, f"cannot be packed: {type(error).__name__}: {error}") from error


def _extension(code: int, data: bytes) -> Extension:
    if data or code not in BY_CODE:
        raise ValueError(f"unknown extension {code}; was it packed by another version?")
    return BY_CODE[code]


def _build(items: list[Any]) -> Any:
    if items and type(items[0]) is Extension:
        return items[0].build(*items[1:])
    return items
