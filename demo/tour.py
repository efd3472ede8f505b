"""What the landing page tells about: the commands to try, as one would type them on this machine."""

import os
import sys
from typing import NamedTuple

from django.core.management import get_commands


class Command(NamedTuple):
    """A line for a second terminal."""

    line: str
    explanation: str


COMMANDS = {
    "gqlws_broadcast": (
        """lobby --subscription demo.schema.live.OnNotice --payload '"Tea is ready"'""",
        "Says something to all who are in the lobby: it appears in every chat window that shows it.",
    ),
    "gqlws_listen": (
        "'subscription {{ onMessageChange {{ event row {{ text }} }} }}'",
        "Prints what becomes of messages, one line of JSON for each, until Ctrl-C.",
    ),
    "gqlws_groups": ("", "Lists the groups that somebody listens to, and how many do."),
    "gqlws_connections": ("", "Lists who is connected: user, address, since when."),
    "gqlws_subscriptions": ("", "Lists the running subscriptions, and how they are doing."),
    "gqlws_kick": (
        "--user bob --disconnect --may-reconnect",
        "Disconnects Bob, after asking: watch his window come back by itself.",
    ),
    "gqlws_check": ("--url {socket}", "Looks for what would keep the project from delivering, and names the fix."),
    "shell_plus": (
        "",
        "A Python prompt with the models: what Message.objects.last().delete() does is seen in the chat.",
    ),
}


def commands(socket):
    """The commands that this installation has, in a sensible order; `socket` is the URL of the GraphQL endpoint."""
    installed = get_commands()
    for name, (arguments, explanation) in COMMANDS.items():
        if name in installed:
            line = f"{_python()} manage.py {name} {arguments.format(socket=socket)}"
            yield Command(line.rstrip(), explanation)


def _python():
    """The Python that serves this page: below the current folder where `make demo` has put it."""
    here = os.path.relpath(sys.executable)
    return "python" if here.startswith("..") else here
