"""Tests with pytest-django and pytest-asyncio, and the fixtures of the package."""

import pytest
from asgiref.sync import async_to_sync
from chat.asgi import application
from chat.models import Room
from django.contrib.auth.models import User
from django.db import connection, transaction

from django_gqlws import GraphqlWsConsumer
from django_gqlws.testing import GraphqlWsClient, GraphqlWsTransport

ADD = "mutation ($name: String!, $fail: Boolean) { addRoom(name: $name, fail: $fail) { ok } }"


@pytest.fixture
def lobby(db):
    return Room.objects.create(name="lobby")


@pytest.mark.django_db
async def test_queries_see_the_rows_of_the_open_transaction(lobby, gqlws_client):
    await Room.objects.acreate(name="garden")

    async with gqlws_client() as ann:
        result = await ann.execute("{ rooms roomsAsync roomsThroughTheLoop }")

    names = ["lobby", "garden"]
    assert result == {"data": {"rooms": names, "roomsAsync": names, "roomsThroughTheLoop": names}}


@pytest.mark.django_db
async def test_what_a_mutation_writes_can_be_seen_by_the_test(lobby, gqlws_client):
    async with gqlws_client() as ann:
        await ann.execute(ADD, {"name": "garden"})
        await ann.execute('mutation { addRoomAsync(name: "cellar") { ok } }')

    assert [room.name async for room in Room.objects.order_by("pk")] == ["lobby", "garden", "cellar"]


@pytest.mark.django_db
async def test_the_rows_of_other_tests_are_gone(gqlws_client):
    async with gqlws_client() as ann:
        assert await ann.execute("{ rooms roomsAsync }") == {"data": {"rooms": [], "roomsAsync": []}}


@pytest.mark.django_db
async def test_a_transport_without_the_fixture(lobby):
    async with GraphqlWsClient(GraphqlWsTransport(application, "/graphql/")) as ann:
        async with GraphqlWsClient(GraphqlWsTransport(application, "/graphql/")) as bob:
            await bob.execute(ADD, {"name": "garden"})

        assert (await ann.execute("{ rooms roomsAsync }"))["data"]["roomsAsync"] == ["lobby", "garden"]


@pytest.mark.django_db
async def test_broadcasts_after_a_commit_that_never_comes(gqlws_client, gqlws_broadcasts):
    async with gqlws_client() as ann:
        id = await ann.subscribe("subscription { onRoom { name count } }")

        await ann.execute(ADD, {"name": "garden"})
        with pytest.raises(Exception, match="rolled back"):
            await ann.execute(ADD, {"name": "never", "fail": True})
        await ann.execute(ADD, {"name": "cellar"})

        assert await ann.receive_next(id) == {"data": {"onRoom": {"name": "garden", "count": 1}}}
        assert await ann.receive_next(id) == {"data": {"onRoom": {"name": "cellar", "count": 2}}}


@pytest.mark.django_db
async def test_without_the_fixture_nothing_is_sent(gqlws_client):
    async with gqlws_client() as ann:
        await ann.subscribe("subscription { onRoom { name } }")

        await ann.execute(ADD, {"name": "garden"})

        await ann.assert_no_messages(attempts=1)


@pytest.mark.django_db(transaction=True)
async def test_with_real_transactions(gqlws_client):
    async with gqlws_client() as ann:
        id = await ann.subscribe("subscription { onRoom { name count } }")

        await ann.execute(ADD, {"name": "garden"})

        assert await ann.receive_next(id) == {"data": {"onRoom": {"name": "garden", "count": 1}}}
        assert (await ann.execute("{ rooms roomsAsync }"))["data"]["roomsAsync"] == ["garden"]


@pytest.mark.django_db
async def test_a_user(gqlws_client):
    async with gqlws_client(user=await User.objects.acreate(username="ann")) as ann:
        assert (await ann.execute("{ user }"))["data"] == {"user": "ann"}


@pytest.mark.django_db
def test_a_sync_test(lobby, gqlws_client):
    async def ask():
        async with gqlws_client() as ann:
            return await ann.execute("{ rooms roomsAsync }")

    assert async_to_sync(ask)() == {"data": {"rooms": ["lobby"], "roomsAsync": ["lobby"]}}


@pytest.mark.django_db
def test_the_tests_own_connection_is_as_it_was(lobby, gqlws_client):
    assert connection.in_atomic_block
    with transaction.atomic():
        assert Room.objects.count() == 1


async def test_an_application_of_the_tests_own_without_a_database(gqlws_client):
    async with gqlws_client(application=GraphqlWsConsumer.as_asgi(), path="/") as ann:
        with pytest.raises(Exception, match="Database access not allowed"):
            await ann.execute("{ rooms }")
        assert await ann.execute("{ thread }")
