"""What the system checks say about SqliteChannelLayers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from django_gqlws.checks import check_channel_layer, check_sqlite_layers
from django_gqlws.layers import checks, place

BACKEND = "django_gqlws.layers.SqliteChannelLayer"


def at(path: Path) -> dict[str, Any]:
    """The settings of a layer."""
    return {"BACKEND": BACKEND, "CONFIG": {"path": path}}


def ids(layers: dict[str, Any], debug: bool = True) -> list[str | None]:
    """The ids of what is found, each with a hint."""
    with override_settings(CHANNEL_LAYERS=layers, DEBUG=debug):
        found = check_sqlite_layers()
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_all_is_well(tmp_path: Path) -> None:
    """Nothing is said, and nothing is made on the disk."""
    folder = tmp_path / "layer"

    assert ids({"default": at(folder / "one.sqlite3"), "other": at(folder / "other.sqlite3")}) == []
    assert not folder.exists()


def test_without_debug(tmp_path: Path) -> None:
    """It says what to use beyond one host."""
    assert ids({"default": at(tmp_path / "one.sqlite3")}, debug=False) == ["gqlws.W004"]


def test_two_aliases_share_a_file(tmp_path: Path) -> None:
    """Also when it is written differently."""
    path = tmp_path / "one.sqlite3"

    assert ids({"default": at(path), "other": at(tmp_path / "x" / ".." / "one.sqlite3")}) == ["gqlws.E005"]


def test_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error before anybody sends."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert ids({"default": at(tmp_path / "one.sqlite3")}) == ["gqlws.E006"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """It is the same error."""
    (tmp_path / "file").touch()

    assert ids({"default": at(tmp_path / "file" / "one.sqlite3")}) == ["gqlws.E006"]


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    """It is the same error."""
    assert ids({"default": at(tmp_path)}) == ["gqlws.E006"]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started elsewhere would have another file."""
    monkeypatch.chdir(tmp_path)

    assert ids({"default": at(Path("channels.sqlite3"))}) == ["gqlws.W006"]


@pytest.mark.parametrize(
    "option", [{"capacity": 0}, {"capacity": "many"}, {"expiry": -1}, {"expiry": None}, {"group_expiry": 0}], ids=str
)
def test_a_number_that_is_none(option: dict[str, Any], tmp_path: Path) -> None:
    """It is an error before anybody sends."""
    layer = at(tmp_path / "one.sqlite3")

    assert ids({"default": {**layer, "CONFIG": {**layer["CONFIG"], **option}}}) == ["gqlws.E007"]


def test_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "23 22 0:2 / /srv/my\\040share rw,relatime - nfs4 server:/share rw\n"
        "24 23 0:3 / /srv/my\\040share/local rw,relatime shared:2 - xfs /dev/vdb rw\n"
    )
    monkeypatch.setattr(place, "MOUNTS", mounts)
    monkeypatch.setattr(checks, "is_writable", lambda path: True)

    assert ids({"default": at(Path("/srv/my share/one.sqlite3"))}) == ["gqlws.W003"]
    assert ids({"default": at(Path("/srv/my share/local/one.sqlite3"))}) == []
    assert ids({"default": at(Path("/srv/other/one.sqlite3"))}) == []


def test_a_machine_that_does_not_say_what_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said."""
    monkeypatch.setattr(place, "MOUNTS", tmp_path / "nowhere")

    assert ids({"default": at(tmp_path / "one.sqlite3")}) == []


def test_the_default_path(tmp_path: Path) -> None:
    """It lies in the project."""
    with override_settings(BASE_DIR=tmp_path):
        assert place.default_path() == tmp_path / ".channels" / "channels.sqlite3"


def test_there_is_no_default_path() -> None:
    """The layer cannot be made, and the check says what to write."""
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": BACKEND}}):
        found = [*check_channel_layer(), *check_sqlite_layers()]

    assert [message.id for message in found] == ["gqlws.E004"]
    assert "BASE_DIR" in found[0].msg
