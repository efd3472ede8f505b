"""What arrives of what was broadcast."""

import datetime
import decimal
import enum
import uuid
from typing import Any

import pytest
from application.diary import diary
from application.models import Auction, Author, Notice
from application.subscriptions import OnPayload
from django.utils.translation import gettext_lazy

from .conftest import Connect
from .lines import line

UTC = datetime.timezone.utc  # noqa: UP017 - the old library's Pythons do not have datetime.UTC
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)


async def travel(connect: Connect, payload: Any) -> Any:
    """What `publish` gets."""
    client = await connect()
    id = await client.subscribe("subscription { onPayload { ok } }")
    await OnPayload.broadcast(payload=payload)
    assert (await client.receive_next(id))["data"] == {"onPayload": {"ok": True}}
    ((_, arrived),) = diary.notes
    return arrived


@line("payload.types")
@pytest.mark.parametrize(
    "payload",
    [
        None,
        True,
        -(2**63),
        1.5,
        "text \N{SNOWMAN} \0",
        b"\x00\xff",
        [1, [2, {}]],
        {"a": {"b": []}},
        MOMENT,
        MOMENT.replace(tzinfo=UTC),
        MOMENT.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=45))),
        MOMENT.date(),
        MOMENT.time(),
        {"deep": [{"er": MOMENT}]},
    ],
    ids=repr,
)
async def test_a_value(connect: Connect, payload: Any) -> None:
    """It comes back as it was, and of the same type."""
    arrived = await travel(connect, payload)

    assert arrived == payload
    assert type(arrived) is type(payload)


class Colour(enum.Enum):
    RED = "red"


@line("payload.more_types")
@pytest.mark.ours("msgpack's own types, and datetimes, are all it knows")
@pytest.mark.parametrize(
    "payload",
    [
        2**200,
        "\ud800",
        (1, (2,)),
        {1, 2},
        {1: "one", "1": "text"},
        datetime.timedelta(days=-1, microseconds=1),
        decimal.Decimal("1.10"),
        uuid.UUID(int=1),
        Colour.RED,
    ],
    ids=repr,
)
async def test_another_value(connect: Connect, payload: Any) -> None:
    """It comes back as it was, and of the same type."""
    arrived = await travel(connect, payload)

    assert arrived == payload
    assert type(arrived) is type(payload)


@line("payload.more_types")
@pytest.mark.ours("msgpack's own types, and datetimes, are all it knows")
async def test_a_lazy_string(connect: Connect) -> None:
    """It arrives as text."""
    assert await travel(connect, gettext_lazy("Monday")) == "Monday"


@line("payload.more_types")
@pytest.mark.ours("msgpack's own types, and datetimes, are all it knows")
@pytest.mark.django_db(transaction=True)
async def test_a_queryset(connect: Connect) -> None:
    """It arrives as a list of models."""
    author = await Author.objects.acreate(name="Ann")
    authors = Author.objects.all()
    assert [author async for author in authors] == [author]

    assert await travel(connect, authors) == [author]


@line("payload.models")
@pytest.mark.django_db(transaction=True)
async def test_a_model(connect: Connect) -> None:
    """It is a usable instance: it has its key and its fields, and can be saved."""
    author = await Author.objects.acreate(name="Ann")
    # Django's serializer, which the old library uses, cuts microseconds.
    posted = MOMENT.replace(tzinfo=UTC, microsecond=0)
    notice = await Notice.objects.acreate(title="Lost cat", author=author, posted=posted)

    ((arrived,),) = (await travel(connect, {"notices": [notice]})).values()

    assert arrived == notice
    assert (arrived.title, arrived.author_id, arrived.posted) == (notice.title, author.pk, notice.posted)
    arrived.title = "Found cat"
    await arrived.asave()
    assert (await Notice.objects.aget(pk=notice.pk)).title == "Found cat"


@line("payload.models.whole")
@pytest.mark.ours("Django's serializer leaves the parents out")
@pytest.mark.django_db(transaction=True)
async def test_a_child_model(connect: Connect) -> None:
    """It has the fields of its parents, and knows its database."""
    auction = await Auction.objects.acreate(title="A painting", bid=100)

    arrived = await travel(connect, auction)

    assert (arrived.title, arrived.bid, arrived._state.db) == ("A painting", 100, "default")


@line("payload.unpackable")
async def test_what_cannot_be_packed(connect: Connect) -> None:
    """The one who broadcasts gets the error."""
    await connect()

    with pytest.raises(Exception, match="object"):
        await OnPayload.broadcast_async(payload=object())
