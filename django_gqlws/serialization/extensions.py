"""Which types travel, under which code, in which parts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgpack import ExtType

from .models import build_model, evaluate, model_parts


@dataclass(frozen=True, slots=True)
class Extension:
    """A type that msgpack lacks."""

    code: int
    """Its number on the wire. Processes of an older version read it too: never use one again."""

    type: str
    """Where its class lives. A name, so that only who uses Django's types imports them."""

    parts: Callable[[Any], Iterable[object]]
    """Takes a value apart; parts may be anything that can be packed."""

    build: Callable[..., Any]
    """Puts the parts together."""


def integer_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def integer(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def clock_parts(value: datetime | time) -> tuple[str, str | int | None, int]:
    zone, offset = value.tzinfo, value.utcoffset()
    text = value.replace(tzinfo=None).isoformat()
    if isinstance(zone, ZoneInfo) and zone.key:
        return text, zone.key, value.fold
    # Other time zones travel as their offset at that moment.
    return text, None if offset is None else offset // timedelta(microseconds=1), value.fold


def build_datetime(text: str, zone: str | int | None, fold: int) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=_time_zone(zone), fold=fold)


def build_time(text: str, zone: str | int | None, fold: int) -> time:
    return time.fromisoformat(text).replace(tzinfo=_time_zone(zone), fold=fold)


def _time_zone(zone: str | int | None) -> tzinfo | None:
    if isinstance(zone, int):
        return timezone(timedelta(microseconds=zone))
    return None if zone is None else ZoneInfo(zone)


def find_enum(module: str, qualname: str) -> type[Enum]:
    """The enum class of that name. Imports nothing and runs no code of the module, whatever the name is."""
    found: object = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    if not (isinstance(found, type) and issubclass(found, Enum)):
        raise LookupError(
            f"no enum {qualname} in an imported module {module}; define it at the top of a module or class "
            "that both sides import"
        )
    return found


def enum_parts(member: Enum) -> tuple[str, str, object]:
    cls = type(member)
    if find_enum(cls.__module__, cls.__qualname__) is not cls:
        raise LookupError(f"another enum has taken the name {cls.__module__}.{cls.__qualname__}")
    # A combination of flags has no name of its own.
    return cls.__module__, cls.__qualname__, member.name if member.name in cls.__members__ else member.value


def build_enum(module: str, qualname: str, name: str | int) -> Enum:
    cls = find_enum(module, qualname)
    return cls[name] if isinstance(name, str) else cls(name)


@lru_cache(maxsize=512)
def is_known(cls: type) -> bool:
    """Whether values of the class come back as values of that same class."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    return cls in (NoneType, bool) or issubclass(cls, Enum) or name in BY_TYPE or name in PLAIN


EXTENSIONS = (
    Extension(1, "builtins.int", lambda value: (integer_bytes(value),), integer),
    Extension(2, "builtins.tuple", lambda value: value, lambda *items: items),
    Extension(3, "builtins.set", lambda value: value, lambda *items: set(items)),
    Extension(4, "builtins.frozenset", lambda value: value, lambda *items: frozenset(items)),
    Extension(5, "datetime.datetime", clock_parts, build_datetime),
    Extension(6, "datetime.date", lambda value: (value.isoformat(),), date.fromisoformat),
    Extension(7, "datetime.time", clock_parts, build_time),
    Extension(8, "datetime.timedelta", lambda value: (value.days, value.seconds, value.microseconds), timedelta),
    Extension(9, "decimal.Decimal", lambda value: (str(value),), Decimal),
    Extension(10, "uuid.UUID", lambda value: (value.bytes,), lambda data: UUID(bytes=data)),
    Extension(11, "enum.Enum", enum_parts, build_enum),
    Extension(12, "django.db.models.base.Model", lambda value: model_parts(value, is_known), build_model),
    # Such as request.user, which arrives as the user.
    Extension(13, "django.utils.functional.LazyObject", lambda value: (evaluate(value),), lambda value: value),
)

PLAIN: dict[str, Callable[[Any], object]] = {
    # msgpack has these types but refuses their subclasses.
    "builtins.str": str.__str__,
    "builtins.float": float.__float__,
    "builtins.bytes": bytes.__bytes__,
    "builtins.bytearray": bytes,
    "builtins.list": list,
    "builtins.dict": dict,
    "django.utils.functional.Promise": lambda value: str.__str__(str(value)),
    "django.db.models.query.QuerySet": list,
    "django.db.models.query.RawQuerySet": list,
}

BY_CODE = {extension.code: extension for extension in EXTENSIONS}
BY_TYPE = {extension.type: extension for extension in EXTENSIONS}


@lru_cache(maxsize=512)
def encoder_for(cls: type) -> Callable[[Any], object] | None:
    """Turns values of a class that msgpack refuses into something it takes; None if there is no way."""
    # An IntEnum is an int as well, and first.
    for base in (Enum, *cls.__mro__) if issubclass(cls, Enum) else cls.__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        if extension := BY_TYPE.get(name):
            tag, parts = ExtType(extension.code, b""), extension.parts
            return lambda value: [tag, *parts(value)]
        if plain := PLAIN.get(name):
            return plain
    return None
