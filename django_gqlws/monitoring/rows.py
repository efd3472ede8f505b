"""Rows of the registry, made of what lives. Called in the writer's thread: users and documents may take their time."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from ..conf import get_settings
from ..connection.connection import Connection as LiveConnection
from ..security import address_of, header, origin_of
from .clock import moment
from .models import NAME_LENGTH, Process
from .redaction import clean, redact
from .registry import NewSubscription
from .statements import Row


def process_row() -> Process:
    """This process."""
    return Process(
        host=clean(socket.gethostname(), NAME_LENGTH),
        pid=os.getpid(),
        name=clean(_program(), NAME_LENGTH),
        started=timezone.now(),
    )


def _program() -> str:
    path, *arguments = sys.argv or [""]
    program = Path(path)
    # `python -m uvicorn`, `manage.py runserver`.
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *(argument for argument in arguments[:1] if not argument.startswith("-"))])


def user_of(scope: Any) -> tuple[str, str]:
    """The primary key and the name of the user of a connection, two empty texts if nobody is logged in."""
    user = scope.get("user")
    try:
        if user is None or user.pk is None:
            return "", ""
        return clean(user.pk, NAME_LENGTH), clean(user.get_username(), NAME_LENGTH)
    except Exception:
        # What a project puts there is its own affair: it may be no user at all.
        return "", ""


def connection_row(id: UUID, process: UUID, connection: LiveConnection) -> Row:
    """A connection that the database does not know yet."""
    scope = connection.scope
    user, label = user_of(scope)
    return {
        "id": id,
        "process_id": process,
        "user": user,
        "user_label": label,
        "address": clean(address_of(scope, get_settings().trusted_proxies), NAME_LENGTH),
        "origin": clean(origin_of(scope) or "", NAME_LENGTH),
        "user_agent": clean(header(scope, b"user-agent") or "", NAME_LENGTH),
        "protocol": connection.subprotocol,
        "since": moment(connection.since or 0),
    }


def subscription_row(new: NewSubscription, process: UUID) -> Row:
    """A subscription that the database does not know yet."""
    operation, tally = new.operation, new.operation.tally
    document, variables = redact(operation.request.query, operation.request.variables)
    return {
        "id": new.id,
        "process_id": process,
        "connection_id": new.connection_id,
        "topic": clean(new.topic, NAME_LENGTH),
        "field": clean(new.field, NAME_LENGTH),
        "operation_id": clean(operation.id, NAME_LENGTH),
        "operation_name": clean(operation.name or "", NAME_LENGTH),
        "document": document,
        "variables": variables,
        "since": moment(tally.since if tally is not None else 0),
        "last_event": timezone.now() if new.counts.delivered or new.counts.dropped else None,
        **new.counts._asdict(),
    }


def membership_rows(id: UUID, process: UUID, topic: str, names: list[str]) -> list[Row]:
    """The groups of a subscription."""
    topic = clean(topic, NAME_LENGTH)
    return [
        {"process_id": process, "subscription_id": id, "topic": topic, "name": clean(name, NAME_LENGTH)}
        for name in names
    ]
