"""``manage.py gqlws_listen 'subscription { onMessage { text } }'``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...broker.layer import reaches_other_processes
from ...client.client import GraphqlWsClient
from ...client.reconnect import Reconnect
from ...client.transport import GraphqlWsTransport
from ...consumers import GraphqlWsConsumer
from ...exceptions import ClientError, ConnectionClosedError, GraphqlWsResponseError
from ...testing.transport import GraphqlWsTransport as InProcessTransport
from ..login import find_user, session_cookie
from ..loop import require_thread, run
from ..output import printable, while_read, write_json


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (colon and name.strip()):
        raise ArgumentTypeError(f'{text!r} is not in the form "Name: value"')
    return name.strip(), value.strip()


class Command(BaseCommand):
    """Prints the events of a subscription as they come."""

    help = (
        "Print the results of a subscription, one JSON object a line, until Ctrl-C. Without --url it listens in this"
        " process, with GraphqlWsConsumer and the settings of the project. Exit codes: 0 the subscription ended; 1 it"
        " was refused or the connection was lost, and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("document", help="The GraphQL document: 'subscription { onMessage { text } }'.")
        parser.add_argument(
            "--url", help="The server: ws://localhost:8000/graphql/. It connects again when it is lost."
        )
        parser.add_argument("--user", metavar="NAME", help="Listen as this user of the project.")
        parser.add_argument(
            "--header", metavar="'NAME: VALUE'", type=_header, action="append", default=[], help="A header to send."
        )

    def handle(self, document: str, url: str | None, **options: Any) -> None:
        require_thread()
        headers = dict(options["header"])
        user = find_user(options["user"]) if options["user"] else None
        with ExitStack() as stack, while_read(self.stdout):
            if url is None:
                transport = _here(user, headers)
            else:
                cookies = stack.enter_context(session_cookie(user)) if user else {}
                transport = _there(url, cookies, headers)
            try:
                run(self._listen(GraphqlWsClient(transport, reconnect=Reconnect() if url else None), document))
            except KeyboardInterrupt:
                pass
            except (GraphqlWsResponseError, ConnectionClosedError) as error:
                raise CommandError(printable(str(error))) from error
            except (ClientError, TimeoutError) as error:
                raise CommandError(f"No connection: {error or 'the server does not answer'}") from error

    async def _listen(self, client: GraphqlWsClient, document: str) -> None:
        async with client:
            self.stderr.write("Listening. Ctrl-C ends it.")
            stream, reconnects = client.stream(document), 0
            async for result in stream:
                if stream.reconnects > reconnects:
                    reconnects = stream.reconnects
                    self.stderr.write("The connection was lost and is back: events may be missing.")
                write_json(self.stdout, result)


def _here(user: Any, headers: Mapping[str, str]) -> GraphqlWsTransport:
    if not reaches_other_processes():
        raise CommandError(
            "The in-memory channel layer reaches no other process, so nothing would ever be heard: give the --url of"
            " a server, or use a layer that reaches them (SqliteChannelLayer, Redis)."
        )
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    transport = InProcessTransport(GraphqlWsConsumer.as_asgi(), "/", {"headers": raw})
    transport.scope["user"] = user or AnonymousUser()
    return transport


def _there(url: str, cookies: Mapping[str, str], headers: Mapping[str, str]) -> GraphqlWsTransport:
    try:
        from ...client.aiohttp import GraphqlWsTransportAiohttp
    except ImportError as error:
        raise CommandError("--url needs aiohttp: pip install django-gqlws[client]") from error
    return GraphqlWsTransportAiohttp(url, cookies=cookies, headers=headers)
