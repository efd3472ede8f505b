"""The ``GQLWS`` settings dict as one frozen, typed object, with every default in one place.

Hot code keeps a snapshot: reading an attribute of `Settings` costs nothing, reading Django's settings does.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from typing import Any, cast
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

Rule = Callable[[Any], str | None]
"""Returns what a value must be when it is not that, else None."""


def _number(value: Any) -> bool:
    # Nor an infinite one: a clock cannot be set to it.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def seconds_or_none(value: Any) -> str | None:
    if value is None or (_number(value) and value >= 0):
        return None
    return "a number of seconds (0 or None: off)"


def positive_integer(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return None
    return "a whole number above 0"


def boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def boolean_or_none(value: Any) -> str | None:
    return None if value is None or isinstance(value, bool) else "True, False or None"


def group_prefix(value: Any) -> str | None:
    # Channel layers take ASCII letters, digits, hyphens, underscores and periods; the hash needs the rest.
    legal = isinstance(value, str) and value.isascii() and 0 < len(value) <= 50
    if legal and all(character.isalnum() or character in "-_." for character in value):
        return None
    return "1 to 50 ASCII letters, digits, hyphens, underscores or periods"


def origins_or_none(value: Any) -> str | None:
    if value is None or (isinstance(value, (list, tuple)) and all(map(_is_origin, value))):
        return None
    return 'None, ["*"], or a list of origins such as ["https://example.com", "https://*.example.com"]'


def _is_origin(value: Any) -> bool:
    try:
        parsed = urlsplit(value)
        host = (parsed.hostname or "").removeprefix("*.")
        return value == "*" or bool(parsed.scheme and host and "*" not in host and (parsed.port is None or parsed.port))
    except (AttributeError, TypeError, ValueError):
        return False


def names(value: Any) -> str | None:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return None
    return "a list of names"


def database_alias(value: Any) -> str | None:
    if isinstance(value, str) and value in django_settings.DATABASES:
        return None
    return f"an alias of DATABASES: {', '.join(sorted(django_settings.DATABASES)) or 'there is none'}"


def positive_seconds(value: Any) -> str | None:
    return None if _number(value) and value > 0 else "a number of seconds above 0"


def pattern_or_none(value: Any) -> str | None:
    try:
        re.compile(value or "")
    except (re.error, TypeError) as error:
        return f'None, or a regular expression such as "TOKEN|PASS": {error}'
    return None


def networks(value: Any) -> str | None:
    expected = 'a list of networks or addresses such as ["10.0.0.0/8", "192.0.2.1"]'
    if not isinstance(value, (list, tuple)):
        return expected
    try:
        for network in value:
            ipaddress.ip_network(network)
    except ValueError as error:
        return f"{expected}: {error}"
    return None


SUBPROTOCOLS = ("graphql-transport-ws", "graphql-ws")
"""What can be enabled."""


def subprotocols(value: Any) -> str | None:
    if isinstance(value, (list, tuple)) and value and all(name in SUBPROTOCOLS for name in value):
        return None
    return f"a list with one or both of {SUBPROTOCOLS[0]!r} and {SUBPROTOCOLS[1]!r} (the legacy one)"


def result_payload(value: Any) -> str | None:
    if isinstance(value, Mapping) and set(value) <= {"data", "errors"}:
        return None
    return 'a dict with "data" and "errors"'


def schema_or_path(value: Any) -> str | None:
    try:
        load_schema(value)
    except ImproperlyConfigured as error:
        return f"a graphene.Schema, or the dotted path of one that can be imported. {error}"
    return None


def middleware_or_none(value: Any) -> str | None:
    try:
        load_middleware(value)
    except ImproperlyConfigured:
        return "None, a graphql MiddlewareManager, or a list of callables or of dotted paths that can be imported"
    return None


def field_labels(value: Any) -> str | None:
    expected = 'a list of fields such as ["shop.Customer.iban"]'
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, str) and item.count(".") == 2 for item in value
    ):
        return expected
    try:
        # Before the models are loaded nobody can know more.
        for label in value if apps.models_ready else ():
            find_field(label)
    except ImproperlyConfigured as error:
        return f"{expected}. {error}"
    return None


def loaders_or_none(value: Any) -> str | None:
    try:
        load_loaders(value)
    except ImproperlyConfigured as error:
        return f'None, or a dict such as {{"users": "app.loaders.UserLoader"}}. {error}'
    return None


MODEL_OPTIONS = {"groups", "fields", "events", "payload", "raw", "source"}
"""What can be said about a model in ``MODELS``."""

ROW_EVENTS = {"created", "updated", "deleted"}

ROW_SOURCES = {"signals", "triggers"}


def bridged_models(value: Any) -> str | None:
    # What is named in here is looked up when the models are loaded, by checks of their own.
    if isinstance(value, Mapping) and all(isinstance(label, str) for label in value):
        wrong = next(filter(None, map(_wrong_option, value.values())), None)
        return wrong and f"a dict whose entries have {wrong}"
    return 'a dict such as {"chat.Message": {"groups": ["all", "room-{room_id}"]}}'


def _wrong_option(options: Any) -> str | None:
    if not isinstance(options, Mapping) or not set(options) <= MODEL_OPTIONS:
        return f"no other keys than {', '.join(sorted(MODEL_OPTIONS))}"
    if "fields" in options and names(options["fields"]):
        return f'{names(options["fields"])} as "fields"'
    if names(events := options.get("events", ())) or not set(events) <= ROW_EVENTS:
        return f'a list with some of {", ".join(sorted(ROW_EVENTS))} as "events"'
    if not isinstance(options.get("groups", ""), (str, list, tuple)) and not callable(options["groups"]):
        return 'a list of templates, or a function, as "groups"'
    if not isinstance(options.get("payload", ""), str) and not callable(options["payload"]):
        return 'a function, or its dotted path, as "payload"'
    if not isinstance(options.get("raw", False), bool):
        return 'True or False as "raw"'
    if not isinstance(source := options.get("source", "signals"), str) or source not in ROW_SOURCES:
        return f'one of {", ".join(sorted(ROW_SOURCES))} as "source"'
    return None


def _setting(default: Any, rule: Rule) -> Any:
    return field(default_factory=lambda: default, metadata={"rule": rule})


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be configured. Each field is the key of ``GQLWS`` in capitals, and an attribute of the consumer."""

    schema: Any = _setting(None, schema_or_path)
    """The graphene (or graphql-core) schema, or its dotted path. Default: ``GRAPHENE["SCHEMA"]``."""

    middleware: Any = _setting(None, middleware_or_none)
    """Callables around each resolver, sync or async; the first is the closest to the resolver."""

    loaders: Mapping[str, Any] | None = _setting(None, loaders_or_none)
    """What makes ``info.context.loaders``: names, and callables without arguments or their dotted paths."""

    subprotocols: Sequence[str] = _setting([SUBPROTOCOLS[0]], subprotocols)
    """The dialects that are spoken; ``graphql-transport-ws`` is chosen where a client offers both."""

    connection_init_wait_timeout: float | None = _setting(10, seconds_or_none)
    """Seconds until a client without ``connection_init`` is closed with 4408 (not in the legacy dialect)."""

    send_ping_every: float | None = _setting(None, seconds_or_none)
    """Seconds between the server's own pings."""

    echo_complete: bool = _setting(False, boolean)
    """Answer a client's ``complete`` with one, as older servers do."""

    strict_ordering: bool = _setting(False, boolean)
    """Run the operations and notifications of a connection one at a time, in the order in which they came."""

    confirm_subscriptions: bool = _setting(False, boolean)
    """Send one extra result when a subscription can no longer miss a broadcast."""

    subscription_confirmation_message: Mapping[str, Any] = _setting({"data": None, "errors": None}, result_payload)
    """The payload of that result; ``errors`` are exceptions."""

    warn_operation_timeout: float | None = _setting(1, seconds_or_none)
    """Seconds after which a query or mutation is logged as slow."""

    subscription_notification_queue_limit: int = _setting(1024, positive_integer)
    """Notifications that may wait for one subscription; beyond, the oldest is dropped."""

    subscription_notification_queue_bytes: int = _setting(8 * 1024 * 1024, positive_integer)
    """Bytes of payloads that may wait for one subscription; beyond, the oldest is dropped."""

    notification_timeout: float | None = _setting(30, seconds_or_none)
    """Seconds after which an execution for a notification is cut."""

    tracing_variables: Sequence[str] = _setting((), names)
    """Names of context variables that no resolver reads; they may differ between subscriptions that share results."""

    group_name_prefix: str = _setting("GQLWS", group_prefix)
    """Prefix of the groups in the channel layer. (What an attribute of a consumer counts for: ``prefixes.py``.)"""

    sensitive_fields: Sequence[str] = _setting((), field_labels)
    """Fields of models, ``"app.Model.field"``, that never travel in a payload. The password of a user never does."""

    allowed_origins: Sequence[str] | None = _setting(None, origins_or_none)
    """Origins that may connect. None: the request's own host, ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS; ``["*"]``: all."""

    mask_errors: bool | None = _setting(None, boolean_or_none)
    """Hide the text of unexpected exceptions from clients. None: unless DEBUG."""

    max_message_bytes: int = _setting(1024 * 1024, positive_integer)
    """Bytes of one incoming message; a larger one closes the socket with 4400."""

    max_operations: int = _setting(2000, positive_integer)
    """Running operations of one connection; beyond, a new one gets an ``error``."""

    own_channel: bool = _setting(False, boolean)
    """Open a channel of its own in the layer for each connection, so that ``channel_name`` is real."""

    sync_threads: int = _setting(16, positive_integer)
    """Worker threads of this process for sync resolvers."""

    models: Mapping[str, Mapping[str, Any]] = _setting({}, bridged_models)
    """The models whose changes are told to the subscribers of a ``ModelSubscription``, and how."""

    model_rows_per_broadcast: int = _setting(100, positive_integer)
    """Rows of one transaction and group that travel together; more are split."""

    monitoring: bool = _setting(True, boolean)
    """Keep the live connections and subscriptions of this process in the database, for the admin and the commands."""

    monitoring_database: str = _setting("default", database_alias)
    """The alias of the database for that; another one than "default" needs the router `MonitoringRouter`."""

    monitoring_interval: float = _setting(5, positive_seconds)
    """Seconds between two writes of what has changed."""

    monitoring_lease: float = _setting(30, positive_seconds)
    """Seconds after which what a process does not renew is taken for gone."""

    hidden_variables: str | None = _setting(None, pattern_or_none)
    """A regular expression, in any case: variables and arguments with such names are shown as ``***``. None: Django's
    own for settings that an error page hides."""

    trusted_proxies: Sequence[str] = _setting((), networks)
    """Networks of the proxies whose X-Forwarded-For is believed. Without one a client has the address of its socket."""


_OF_THE_PROCESS = {
    "sensitive_fields",
    "sync_threads",
    "models",
    "model_rows_per_broadcast",
    "monitoring",
    "monitoring_database",
    "monitoring_interval",
    "monitoring_lease",
    "hidden_variables",
    "trusted_proxies",
}
"""Those that cannot differ between consumers."""

RULES: dict[str, Rule] = {item.name: item.metadata["rule"] for item in dataclasses.fields(Settings)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings, and what to write instead."""

    name: str
    unknown: bool
    message: str
    hint: str


def problems(values: Mapping[Any, Any]) -> Iterator[Problem]:
    """Yields what is wrong with a settings dict."""
    for key, value in values.items():
        name = str(key).lower()
        if name not in RULES or key != name.upper():
            near = difflib.get_close_matches(name, RULES, n=1)
            hint = f'Did you mean "{near[0].upper()}"?' if near else f"Known keys: {', '.join(sorted(RULES)).upper()}."
            yield Problem(name, True, f"GQLWS has an unknown key {_quoted(key)}.", hint)
        elif (expected := RULES[name](value)) is not None:
            yield Problem(name, False, f'GQLWS["{key}"] is {value!r}.', f"It must be {expected}.")


def _quoted(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else repr(key)


def declared() -> dict[Any, Any]:
    """The project's own values by key, graphene-django's schema setting included."""
    raw = getattr(django_settings, "GQLWS", {})
    if not isinstance(raw, Mapping):
        raise ImproperlyConfigured(f'GQLWS must be a dict, such as {{"SCHEMA": "app.schema.schema"}}, not {raw!r}.')
    values = dict(raw)
    if "SCHEMA" not in values and (fallback := (getattr(django_settings, "GRAPHENE", None) or {}).get("SCHEMA")):
        values["SCHEMA"] = fallback
    return values


def build(values: Mapping[Any, Any]) -> Settings:
    """The settings for a settings dict; the first problem raises ImproperlyConfigured."""
    for problem in problems(values):
        raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
    return Settings(**{key.lower(): value for key, value in values.items()})


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The project's settings; read once, and again after ``override_settings``."""
    return build(declared())


def get_setting(name: str) -> Any:
    """One of the project's settings alone: the others may name the module that is being imported, a schema's, say.

    Raises ImproperlyConfigured if it is wrong.
    """
    values = {key: value for key, value in declared().items() if key == name.upper()}
    return getattr(build(values), name)


def settings_of(consumer: type) -> Settings:
    """The project's settings with the class attributes of a consumer above them."""
    settings = get_settings()
    # Each connection asks, and most classes have nothing to say: to ask for each name takes three times as long.
    if all(RULES.keys().isdisjoint(vars(base)) for base in consumer.__mro__):
        return settings
    own = {name: getattr(consumer, name) for name in RULES if hasattr(consumer, name)}
    for name in _OF_THE_PROCESS & own.keys():
        raise ImproperlyConfigured(
            f"{consumer.__qualname__}.{name} has no effect: it is for the whole process. Write GQLWS["
            f'"{name.upper()}"] in the settings.'
        )
    for problem in problems({name.upper(): value for name, value in own.items()}):
        where = f"{consumer.__module__}.{consumer.__qualname__}.{problem.name}"
        raise ImproperlyConfigured(f"{where} is {own[problem.name]!r}. {problem.hint}")
    return dataclasses.replace(settings, **own)


def load_schema(value: Any) -> Any:
    """The schema that a setting names, or ImproperlyConfigured."""
    if isinstance(value, str):
        try:
            value = import_string(value)
        except Exception as error:
            raise ImproperlyConfigured(
                f"The schema {value!r} cannot be imported: {type(error).__name__}: {error}"
            ) from error
    schema = getattr(value, "graphql_schema", value)
    if not hasattr(schema, "subscription_type"):
        raise ImproperlyConfigured(
            'There is no GraphQL schema: write GQLWS = {"SCHEMA": "app.schema.schema"} in the settings,'
            " or `schema = ...` in the consumer class."
        )
    return schema


def load_middleware(value: Any) -> Any:
    """The callables that a setting names (or the MiddlewareManager that it is), or ImproperlyConfigured."""
    if value is None or hasattr(value, "get_field_resolver"):
        return value
    if not isinstance(value, (list, tuple)):
        raise ImproperlyConfigured("GraphQL middleware must be a list.")
    try:
        loaded = [import_string(item) if isinstance(item, str) else item for item in value]
    except ImportError as error:
        raise ImproperlyConfigured(f"GraphQL middleware cannot be imported: {error}") from error
    if not all(callable(item) or hasattr(item, "resolve") for item in loaded):
        raise ImproperlyConfigured("GraphQL middleware must be callable.")
    return loaded


def find_field(label: str) -> Any:
    """The column that ``"app.Model.field"`` names, or ImproperlyConfigured."""
    model, _, name = label.rpartition(".")
    try:
        return apps.get_model(model)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist) as error:
        raise ImproperlyConfigured(f"There is no field {label!r}: {error}") from error


def load_loaders(value: Any) -> dict[str, Callable[[], Any]]:
    """The factories that a setting names, or ImproperlyConfigured."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured("Loaders are declared in a dict.")
    return {name: _load_factory(name, factory) for name, factory in value.items()}


def _load_factory(name: Any, factory: Any) -> Callable[[], Any]:
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        raise ImproperlyConfigured(f"{name!r} names no loader: write an attribute's name, such as 'users'.")
    try:
        factory = import_string(factory) if isinstance(factory, str) else factory
        signature(factory).bind()
    except ImportError as error:
        raise ImproperlyConfigured(f"The loader {name!r} cannot be imported: {error}") from error
    except TypeError as error:
        raise ImproperlyConfigured(
            f"The loader {name!r} is made without arguments, and {factory!r} cannot be called so: {error}."
        ) from error
    except ValueError:  # A callable that hides what it takes.
        pass
    return cast(Callable[[], Any], factory)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in {"GQLWS", "GRAPHENE"}:
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_gqlws.conf")
