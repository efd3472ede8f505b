"""What may be wrong with the `SqliteChannelLayer`s of a project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from .layer import SqliteChannelLayer
from .place import NETWORK_FILE_SYSTEMS, file_system, is_writable

REDIS = "channels_redis.pubsub.RedisPubSubChannelLayer"


def problems(layers: Mapping[str, SqliteChannelLayer]) -> Iterator[CheckMessage]:
    """What is wrong with layers, by alias."""
    aliases: defaultdict[Path, list[str]] = defaultdict(list)
    for alias, layer in layers.items():
        aliases[layer.path.resolve()].append(alias)
        yield from _problems_of_options(alias, layer)
    for path, names in aliases.items():
        if len(names) > 1:
            yield Error(
                f"The channel layers {' and '.join(map(repr, names))} have the same file {path}: their groups mix.",
                hint='Give each a "CONFIG": {"path": ...} of its own.',
                id="gqlws.E005",
            )
        yield from _problems_of_file(path)
    if layers and not settings.DEBUG:
        yield Warning(
            "SqliteChannelLayer delivers to the processes of this host only.",
            hint=f'Beyond one host use {REDIS}. If there is one host, write SILENCED_SYSTEM_CHECKS = ["gqlws.W004"].',
            id="gqlws.W004",
        )


def _problems_of_options(alias: str, layer: SqliteChannelLayer) -> Iterator[CheckMessage]:
    for name in ("expiry", "group_expiry", "capacity"):
        value = getattr(layer, name)
        if not isinstance(value, int | float) or not value > 0:
            yield Error(
                f'The channel layer {alias!r} has {value!r} as "{name}".',
                hint='It must be a number above 0; without it in "CONFIG" there is a default.',
                id="gqlws.E007",
            )
    if not layer.path.is_absolute():
        yield Warning(
            f"The path of the channel layer {alias!r} is relative: a process that is started in another folder has"
            " another file, and reaches nobody.",
            hint=f'Write "CONFIG": {{"path": BASE_DIR / {str(layer.path)!r}}}, or leave it out.',
            id="gqlws.W006",
        )


def _problems_of_file(path: Path) -> Iterator[CheckMessage]:
    if not is_writable(path):
        yield Error(
            f"The file {path} of the channel layer cannot be written by this user.",
            hint="Give it and its folder to the user of the processes, or choose another"
            ' "CONFIG": {"path": ...} in CHANNEL_LAYERS.',
            id="gqlws.E006",
        )
    if NETWORK_FILE_SYSTEMS.fullmatch(kind := file_system(path)):
        yield Warning(
            f"The file {path} of the channel layer lies on a network file system ({kind}), where SQLite's shared"
            " memory does not work.",
            hint=f'Choose a "CONFIG": {{"path": ...}} on a local disk; beyond one host use {REDIS}.',
            id="gqlws.W003",
        )
