"""``manage.py gqlws_broadcast room-1 --payload '{"text": "Hello"}'``."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ...broker.census import Answer
from ...broker.layer import reaches_other_processes
from ...broker.process import serves_subscribers, take_census_from_thread
from ...exceptions import BroadcastError, PayloadError
from ...subscription import Subscription
from ..database import database
from ..known import find_subscription, known_subscriptions
from ..loop import require_thread
from ..output import add_format, write_rows


def _model(text: str) -> tuple[str, str]:
    label, colon, pk = text.partition(":")
    if not (label.count(".") == 1 and colon and pk):
        raise ArgumentTypeError(f"{text!r} is not in the form app.Model:pk, such as chat.Message:7")
    return label, pk


class Command(BaseCommand):
    """Broadcasts to the subscribers of a group, wherever they are connected."""

    help = (
        "Broadcast to the subscribers of a group, in all processes. Exit codes: 0 sent; 1 refused or failed, and why;"
        " 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        to = parser.add_argument_group("to whom")
        to.add_argument("group", nargs="?", metavar="GROUP", help="The group, as `subscribe` names it.")
        to.add_argument("--all", action="store_true", help="All subscribers of the class, whatever their groups.")
        to.add_argument("--subscription", metavar="PATH", help="The subscription class: app.schema.OnEvent.")
        to.add_argument("--all-classes", action="store_true", help="The group of each subscription class.")
        what = parser.add_argument_group("what (default: null)").add_mutually_exclusive_group()
        what.add_argument("--payload", metavar="JSON", help="The payload as JSON.")
        what.add_argument("--payload-file", metavar="FILE", help="A file with the payload as JSON; -: standard input.")
        what.add_argument(
            "--model", metavar="APP.MODEL:PK", type=_model, help="A saved instance, such as chat.Message:7."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say who would get it, and send nothing.")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        require_thread()
        subscriptions = self._choose(**options)
        payload = self._payload(**options)
        group = None if options["all"] else options["group"]
        names = {subscription: subscription._group_name(group) for subscription in subscriptions.values()}
        try:
            answers = self._ask(list(names.values()))
            if not options["dry_run"]:
                for subscription in names:
                    subscription.broadcast_sync(group=group, payload=payload)
        except (BroadcastError, PayloadError, ImproperlyConfigured) as error:
            raise CommandError(f"Nothing more was sent. {error}") from error
        rows = [
            {"subscription": path, "group": group, **_addressed(answers, names[subscription])}
            for path, subscription in subscriptions.items()
        ]
        write_rows(self.stdout, options["format"], rows)
        self.stderr.write(_outcome(options["dry_run"]))

    def _choose(self, **options: Any) -> dict[str, type[Subscription]]:
        if options["all"] == (options["group"] is not None):
            raise CommandError("Name a GROUP, or say --all for all subscribers of a class.", returncode=2)
        if options["subscription"]:
            if options["all_classes"]:
                raise CommandError("Say --subscription or --all-classes, not both.", returncode=2)
            return {options["subscription"]: find_subscription(options["subscription"])}
        known = known_subscriptions()
        if len(known) > 1 and not options["all_classes"]:
            raise CommandError(
                "There are several subscription classes. Name one with --subscription, or say --all-classes:\n  "
                + "\n  ".join(known),
                returncode=2,
            )
        return known

    def _payload(self, **options: Any) -> Any:
        if options["model"]:
            return _load(*options["model"])
        if options["payload_file"]:
            source, text = options["payload_file"], _read(options["payload_file"])
        else:
            source, text = "--payload", "null" if options["payload"] is None else options["payload"]
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CommandError(f"The payload ({source}) is not JSON: {error}", returncode=2) from error

    def _ask(self, groups: list[str]) -> list[Answer]:
        """Who listens. Raises CommandError if that cannot be, or is nobody."""
        if not reaches_other_processes() and not serves_subscribers():
            raise CommandError(
                "Nothing was sent: the in-memory channel layer reaches no other process. Write CHANNEL_LAYERS ="
                ' {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}} for the processes of one host, or'
                " channels_redis.pubsub.RedisPubSubChannelLayer."
            )
        answers = take_census_from_thread(groups)
        if not answers:
            raise CommandError(
                "Nothing was sent: no server listens. A server listens from its first WebSocket connection on; it must"
                " use the same CHANNEL_LAYERS and the same GQLWS['GROUP_NAME_PREFIX'] as this command."
            )
        return answers


def _outcome(is_dry_run: bool) -> str:
    if is_dry_run:
        return "Nothing was sent: this is a dry run."
    if transaction.get_connection().in_atomic_block:  # By call_command.
        return "It will be sent when the transaction is committed."
    return "Sent."


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The payload cannot be read: {error}", returncode=2) from error


def _load(label: str, pk: str) -> Any:
    try:
        model = apps.get_model(label)
    except LookupError as error:
        raise CommandError(f"There is no model {label}: {error}", returncode=2) from error
    try:
        with database():
            return model._default_manager.get(pk=pk)
    except (ValueError, ValidationError) as error:
        raise CommandError(f"{pk!r} is no primary key of {label}: {error}", returncode=2) from error
    except model.DoesNotExist as error:
        raise CommandError(f"There is no {label} with the primary key {pk}.", returncode=2) from error


def _addressed(answers: list[Answer], group: str) -> dict[str, int]:
    counts = [answer.subscriptions.get(group, 0) for answer in answers]
    return {"subscriptions": sum(counts), "processes": sum(map(bool, counts))}
