"""What would keep a project from delivering, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured

from ..broker.layer import get_layer, new_channel, reaches_other_processes
from ..broker.process import take_census_from_thread
from ..client.client import GraphqlWsClient
from ..conf import get_settings, load_schema, settings_of
from ..exceptions import BroadcastError, ClientError, LayerError
from .loop import run
from .routes import graphql_routes, load_application

TIMEOUT = 5.0
"""Seconds that a part may take to show that it works."""

ANOTHER_LAYER = (
    'Write CHANNEL_LAYERS = {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}} for the processes of one'
    " host, or channels_redis.pubsub.RedisPubSubChannelLayer."
)


class Verdict(StrEnum):
    """What came of looking at one part."""

    OK = "ok"
    NOTE = "note"
    """It works, and may surprise."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a project, and what is to be said about it."""

    part: str
    verdict: Verdict
    message: str
    fix: str | None = None


def inspect(url: str | None) -> Iterator[Finding]:
    """Looks at all parts, from the settings to a running server at this address, one after the other."""
    for look in (_settings, _layer, _application, _origin):
        yield from look()
    if url is not None:
        yield from _server(url)


def _settings() -> Iterator[Finding]:
    found = [message for message in run_checks(databases=list(settings.DATABASES)) if _is_ours(message)]
    for message in found:
        verdict = Verdict.PROBLEM if message.level >= ERROR else Verdict.NOTE
        yield Finding("settings", verdict, f"{message.id}: {message.msg}", message.hint)
    if not found:
        yield Finding("settings", Verdict.OK, "The system checks of django_gqlws found nothing.")


def _is_ours(message: CheckMessage) -> bool:
    return (message.id or "").startswith("gqlws.") and not message.is_silenced()


def _layer() -> Iterator[Finding]:
    try:
        kind = type(get_channel_layer()).__name__
        run(_round_trip())
    except (ImproperlyConfigured, LayerError) as error:  # Which say what to do.
        yield Finding("layer", Verdict.PROBLEM, str(error))
        return
    except TimeoutError:
        yield Finding("layer", Verdict.PROBLEM, f"{kind}: a message did not come back within {TIMEOUT:g} seconds.")
        return
    except Exception as error:
        yield Finding(
            "layer",
            Verdict.PROBLEM,
            f"The channel layer does not work: {type(error).__name__}: {error}",
            "Look at CHANNEL_LAYERS: is the address right, and does the server run?",
        )
        return
    if reaches_other_processes():
        yield Finding("layer", Verdict.OK, f"{kind}: a message went through it and came back.")
    else:
        yield Finding(
            "layer",
            Verdict.NOTE,
            f"{kind} reaches no other process: commands, workers and further server processes broadcast to nobody.",
            ANOTHER_LAYER,
        )


async def _round_trip() -> None:
    layer = get_layer()
    async with asyncio.timeout(TIMEOUT):
        channel = await new_channel(layer, "gqlws.check")
        await layer.send(channel, {"type": "gqlws.check"})
        await layer.receive(channel)


def _application() -> Iterator[Finding]:
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        yield from _without_application()
        return
    try:
        routes = list(graphql_routes(load_application()))
    except ImproperlyConfigured as error:
        yield Finding("application", Verdict.PROBLEM, str(error), "It is the dotted path of the object in asgi.py.")
        return
    if not routes:
        yield Finding(
            "application",
            Verdict.PROBLEM,
            f"No GraphqlWsConsumer was found behind the WebSocket part of {path}.",
            'Write ProtocolTypeRouter({"websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), ...}) with'
            " websocket_urlpatterns of django_gqlws.routing.",
        )
    schemas: dict[Any, list[str]] = {}
    for route, consumer in routes:
        name = f"{consumer.__module__}.{consumer.__qualname__}"
        yield Finding("application", Verdict.OK, f"/{route} is served by {name}.")
        try:
            schemas.setdefault(load_schema(settings_of(consumer).schema), []).append(f"/{route}")
        except ImproperlyConfigured as error:
            yield Finding("schema", Verdict.PROBLEM, f"/{route}: {error}")
    for schema, paths in schemas.items():
        yield _schema(schema, ", ".join(paths))


def _without_application() -> Iterator[Finding]:
    package = getattr(settings, "ROOT_URLCONF", "").rpartition(".")[0] or "project"
    yield Finding(
        "application",
        Verdict.NOTE,
        "There is no ASGI_APPLICATION: the routes are not looked at.",
        f'Write ASGI_APPLICATION = "{package}.asgi.application".',
    )
    try:
        yield _schema(load_schema(get_settings().schema), "GQLWS['SCHEMA']")
    except ImproperlyConfigured as error:
        yield Finding("schema", Verdict.PROBLEM, str(error))


def _schema(schema: Any, paths: str) -> Finding:
    if schema.subscription_type is None:
        return Finding(
            "schema",
            Verdict.NOTE,
            f"{paths}: the schema has no subscription type.",
            "Write graphene.Schema(query=..., subscription=Subscriptions).",
        )
    fields = ", ".join(schema.subscription_type.fields)
    return Finding("schema", Verdict.OK, f"{paths}: the schema has the subscriptions {fields}.")


def _origin() -> Iterator[Finding]:
    try:
        allowed = get_settings().allowed_origins
    except ImproperlyConfigured:
        return  # Said already, by the system checks.
    if allowed is not None and "*" in allowed:
        yield Finding(
            "origin",
            Verdict.NOTE,
            "Pages of every origin may connect, with the cookies of their visitors.",
            "List yours in GQLWS['ALLOWED_ORIGINS'].",
        )
    elif allowed is None and not settings.DEBUG and not settings.ALLOWED_HOSTS:
        yield Finding(
            "origin", Verdict.PROBLEM, "ALLOWED_HOSTS is empty: every browser is refused.", "List your hosts there."
        )
    else:
        names = allowed if allowed is not None else [*settings.ALLOWED_HOSTS, *settings.CSRF_TRUSTED_ORIGINS]
        yield Finding("origin", Verdict.OK, f"Pages of these may connect: {', '.join(names) or 'localhost (DEBUG)'}.")


def _server(url: str) -> Iterator[Finding]:
    try:
        from ..client.aiohttp import GraphqlWsTransportAiohttp
    except ImportError as error:
        yield Finding("server", Verdict.PROBLEM, str(error), "pip install django-gqlws[client]")
        return
    parts = urlsplit(url)
    origin = f"{'https' if parts.scheme in ('wss', 'https') else 'http'}://{parts.netloc}"
    try:
        kind = run(_ask(GraphqlWsClient(GraphqlWsTransportAiohttp(url, headers={"Origin": origin}))))
    except (ClientError, TimeoutError, ValueError) as error:
        yield Finding(
            "server",
            Verdict.PROBLEM,
            f"{url} does not serve GraphQL: {error or 'it does not answer'}",
            "Is it running? Is it an ASGI server (uvicorn, daphne), and the path that of the URLRouter? Plain runserver"
            ' is WSGI: put "daphne" first in INSTALLED_APPS.',
        )
        return
    yield Finding("server", Verdict.OK, f"{url} answered a query of the type {kind} to a page of {origin}.")
    if reaches_other_processes():
        yield _census()


async def _ask(client: GraphqlWsClient) -> str:
    async with asyncio.timeout(TIMEOUT), client:
        return str((await client.execute("{ __typename }"))["data"]["__typename"])


def _census() -> Finding:
    try:
        # Our connection may be the server's first: it only begins to listen, and may have missed the question.
        answers = take_census_from_thread([]) or take_census_from_thread([])
    except BroadcastError as error:
        return Finding("server", Verdict.PROBLEM, str(error))
    if answers:
        processes = ", ".join(f"{answer.pid} on {answer.host}" for answer in answers)
        return Finding("server", Verdict.OK, f"Broadcasts of this process arrive in: {processes}.")
    return Finding(
        "server",
        Verdict.PROBLEM,
        "The server does not hear what this process broadcasts.",
        "Both need the same CHANNEL_LAYERS and the same GQLWS['GROUP_NAME_PREFIX'].",
    )
