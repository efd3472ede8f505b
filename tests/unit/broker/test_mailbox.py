"""The bounded queue of one subscription."""

from __future__ import annotations

import logging

import pytest

from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.mailbox import Mailbox
from django_gqlws.counters import counters
from django_gqlws.serialization import pack


def event(name: str = "", *, size: int = 1) -> Event:
    return Event(Envelope(Kind.EVENT, name, "me", 1, 0, b"x" * size))


def filled(limit: int, *events: Event, max_bytes: int = 1_000) -> Mailbox:
    mailbox = Mailbox(limit, max_bytes, "The operation")
    for one in events:
        mailbox.put(one)
    return mailbox


def taken(mailbox: Mailbox) -> list[Event]:
    return [mailbox.take() for _ in range(len(mailbox))]


def test_what_fits() -> None:
    """It comes out as it went in."""
    events = [event() for _ in range(3)]

    mailbox = filled(3, *events)

    assert taken(mailbox) == events


def test_too_many_events(caplog: pytest.LogCaptureFixture) -> None:
    """The oldest are dropped: counted each time, logged once, with the operation's name."""
    dropped = counters.dropped
    events = [event() for _ in range(5)]

    mailbox = filled(2, *events)

    assert taken(mailbox) == events[3:]
    assert counters.dropped - dropped == 3
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The operation is too slow")


def test_a_limit_of_one(caplog: pytest.LogCaptureFixture) -> None:
    """Only the newest is kept, and nothing is logged."""
    events = [event() for _ in range(5)]

    mailbox = filled(1, *events)

    assert taken(mailbox) == events[4:]
    assert caplog.records == []


def test_too_many_bytes() -> None:
    """The oldest make room, as many as it takes."""
    oldest, older, newest = event(size=4), event(size=4), event(size=9)
    mailbox = filled(100, oldest, older, max_bytes=10)

    dropped = mailbox.put(newest)

    assert dropped == 2
    assert taken(mailbox) == [newest]


def test_an_event_larger_than_all_bytes() -> None:
    """It is kept while it is alone."""
    large, small = event(size=50), event(size=1)

    assert taken(filled(100, large, max_bytes=10)) == [large]
    assert taken(filled(100, large, small, max_bytes=10)) == [small]


def test_how_many_made_room() -> None:
    """The caller is told."""
    mailbox = filled(1)

    assert mailbox.put(event()) == 0
    assert mailbox.put(event()) == 1


def test_what_was_taken_makes_room() -> None:
    """In number and in bytes."""
    mailbox = filled(1, event(size=10), max_bytes=10)
    mailbox.take()

    assert mailbox.put(event(size=10)) == 0


def test_a_group_that_is_left() -> None:
    """Its events are dropped, and counted by nobody: nobody wants them."""
    dropped = counters.dropped
    events = [event(name, size=5) for name in "abab"]
    mailbox = filled(5, *events, max_bytes=20)

    mailbox.drop({"b"})
    mailbox.put(event("c", size=10))

    assert [one.group for one in taken(mailbox)] == ["a", "a", "c"]
    assert counters.dropped == dropped


def batch(*values: object) -> Event:
    return Event(Envelope(Kind.BATCH, "room", "me", 1, 0, pack(["common", list(values)])))


def test_a_batch() -> None:
    """It counts as one event, and comes out value by value, the same parts for all who took it in."""
    several = batch("a", "b", "c")
    last = event()
    mailboxes = [filled(2, several, last) for _ in range(2)]

    first, second = (taken_all(mailbox) for mailbox in mailboxes)

    assert first == second
    assert [part.unpack().value for part in first[:-1]] == ["a", "b", "c"]
    assert {part.kind for part in first} == {Kind.EVENT}


def test_a_batch_that_is_dropped_with_its_group() -> None:
    """The rest of it goes as well."""
    mailbox = filled(2, batch("a", "b"))
    mailbox.take()

    mailbox.drop(["room"])

    assert len(mailbox) == 0


def test_a_batch_that_makes_room() -> None:
    """It is dropped as a whole."""
    mailbox = filled(1, batch("a", "b"))

    dropped = mailbox.put(event("new"))

    assert dropped == 1
    assert len(mailbox) == 1


def taken_all(mailbox: Mailbox) -> list[Event]:
    events = []
    while len(mailbox):
        events.append(mailbox.take())
    return events
