"""System checks: what is wrong with the settings, before a client finds out.

========================  ============================================================================
``gqlws.E001``            an unknown key in ``GQLWS``
``gqlws.E002``            a value of the wrong type, or a dotted path that cannot be imported
``gqlws.E003``            ``GQLWS`` is not a dict
``gqlws.E004``            no default channel layer
``gqlws.E005``            two channel layers with the same file
``gqlws.E006``            a channel layer's file that cannot be written
``gqlws.E007``            a channel layer's number that is none
``gqlws.E010``            a value of `GraphiQLView` of the wrong type
``gqlws.W001``            channels-redis' core layer with redis-py 8 and its default ``socket_timeout``
``gqlws.W002``            no schema in the settings
``gqlws.W003``            a channel layer's file on a network file system
``gqlws.W004``            SqliteChannelLayer without DEBUG: it reaches one host
``gqlws.W005``            a ``group_name_prefix`` that not every process may know
``gqlws.W006``            a channel layer's file with a relative path
``gqlws.W010``            the files of GraphiQL cannot be used
========================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from channels.layers import channel_layers, get_channel_layer
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver

from .conf import declared, problems
from .layers import SqliteChannelLayer
from .layers import checks as sqlite_checks
from .prefixes import consumers_with_prefix
from .views import GraphiQLView, attribute_problems, files_problem


@register()
def check_settings(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks ``GQLWS``."""
    try:
        values = declared()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint='Write GQLWS = {"SCHEMA": "app.schema.schema"}.', id="gqlws.E003")]
    found: list[CheckMessage] = [
        Error(problem.message, hint=problem.hint, id="gqlws.E001" if problem.unknown else "gqlws.E002")
        for problem in problems(values)
    ]
    if "SCHEMA" not in values:
        found.append(
            Warning(
                "There is no GraphQL schema in the settings.",
                hint='Write GQLWS = {"SCHEMA": "app.schema.schema"}. If each consumer class of yours has a'
                ' `schema`, write SILENCED_SYSTEM_CHECKS = ["gqlws.W002"].',
                id="gqlws.W002",
            )
        )
    return found


@register()
def check_group_name_prefixes(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks the prefixes of consumer classes, as far as they are imported."""
    return [
        Warning(
            f"{consumer.__module__}.{consumer.__qualname__} has a group_name_prefix of its own.",
            hint="A process that broadcasts without having imported this class reaches none of its subscribers:"
            ' write GQLWS["GROUP_NAME_PREFIX"], which every process reads.',
            id="gqlws.W005",
        )
        for consumer in consumers_with_prefix()
    ]


@register()
def check_channel_layer(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks the default channel layer."""
    return list(_layer_problems())


@register()
def check_sqlite_layers(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks each `SqliteChannelLayer`, whatever its alias."""
    return list(sqlite_checks.problems(dict(_sqlite_layers())))


@register()
def check_graphiql(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks each `GraphiQLView` that has an address."""
    views = list(_graphiql_views(get_resolver().url_patterns)) if getattr(settings, "ROOT_URLCONF", None) else []
    found: list[CheckMessage] = [
        Error(
            f"{type(view).__name__}.{name} is {getattr(view, name)!r}.", hint=f"It must be {expected}.", id="gqlws.E010"
        )
        for view in views
        for name, expected in attribute_problems(view)
    ]
    if views and (problem := files_problem()) is not None:
        found.append(Warning("GraphiQL has an address, but its page cannot be shown.", hint=problem, id="gqlws.W010"))
    return found


def _graphiql_views(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[GraphiQLView]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _graphiql_views(pattern.url_patterns)
            continue
        view_class = getattr(pattern.callback, "view_class", None)
        if isinstance(view_class, type) and issubclass(view_class, GraphiQLView):
            yield view_class(**getattr(pattern.callback, "view_initkwargs", {}))


def _sqlite_layers() -> Iterator[tuple[str, SqliteChannelLayer]]:
    for alias in channel_layers.configs:
        # What cannot be made is another check's affair.
        with suppress(Exception):
            layer = channel_layers[alias]
            if isinstance(layer, SqliteChannelLayer):
                yield alias, layer


def _layer_problems() -> Iterator[CheckMessage]:
    hint = (
        'Write CHANNEL_LAYERS = {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}}, or'
        " channels_redis.pubsub.RedisPubSubChannelLayer beyond one host."
    )
    try:
        layer = get_channel_layer()
    except Exception as error:
        yield Error(f"The channel layer cannot be made: {error}", hint=hint, id="gqlws.E004")
        return
    if layer is None:
        yield Error("There is no default channel layer.", hint=hint, id="gqlws.E004")
        return
    config = settings.CHANNEL_LAYERS["default"]
    if config["BACKEND"] == "channels_redis.core.RedisChannelLayer" and _redis_major() >= 8:
        hosts = config.get("CONFIG", {}).get("hosts", [{}])
        if not all(isinstance(host, dict) and "socket_timeout" in host for host in hosts):
            yield Warning(
                "channels-redis' core layer loses its connection every 5 seconds with redis-py 8.",
                hint='Write {"address": url, "socket_timeout": None} for each of its hosts,'
                " or use channels_redis.pubsub.RedisPubSubChannelLayer.",
                id="gqlws.W001",
            )


def _redis_major() -> int:
    try:
        return int(version("redis").split(".")[0])
    except PackageNotFoundError:
        return 0
