"""Django's own tests: `manage.py test --pattern tests_with_django.py`."""

import threading

from chat.asgi import application
from chat.models import Room
from django.contrib.auth.models import User
from django.db import transaction
from django.test import TestCase, TransactionTestCase

from django_gqlws.testing import GraphqlWsClient, GraphqlWsTransport, deliver_broadcasts

ADD = "mutation ($name: String!, $fail: Boolean) { addRoom(name: $name, fail: $fail) { ok } }"


def client(**scope):
    transport = GraphqlWsTransport(application, "/graphql/")
    transport.scope.update(scope)
    return GraphqlWsClient(transport)


class RoomTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        Room.objects.create(name="lobby")

    async def test_queries_see_the_rows_of_the_open_transaction(self):
        await Room.objects.acreate(name="garden")

        async with client() as ann:
            result = await ann.execute("{ rooms roomsAsync roomsThroughTheLoop thread }")

        self.assertEqual(result["data"]["rooms"], ["lobby", "garden"])
        self.assertEqual(result["data"]["roomsAsync"], ["lobby", "garden"])
        self.assertEqual(result["data"]["roomsThroughTheLoop"], ["lobby", "garden"])
        self.assertEqual(result["data"]["thread"], threading.main_thread().name)

    async def test_what_a_mutation_writes_can_be_seen_by_the_test(self):
        async with client() as ann:
            await ann.execute(ADD, {"name": "garden"})
            await ann.execute('mutation { addRoomAsync(name: "cellar") { ok } }')

        self.assertEqual([room.name async for room in Room.objects.order_by("pk")], ["lobby", "garden", "cellar"])

    async def test_the_rows_of_other_tests_are_gone(self):
        async with client() as ann:
            self.assertEqual((await ann.execute("{ rooms }"))["data"], {"rooms": ["lobby"]})

    async def test_broadcasts_after_a_commit_that_never_comes(self):
        async with client() as ann:
            id = await ann.subscribe("subscription { onRoom { name count } }")
            await ann.execute(ADD, {"name": "never announced"})
            with deliver_broadcasts():
                await ann.execute(ADD, {"name": "garden"})
                with self.assertRaises(Exception):  # noqa: B017
                    await ann.execute(ADD, {"name": "rolled back", "fail": True})

            # What waited for a commit before comes first.
            self.assertEqual((await ann.receive_next(id))["data"]["onRoom"]["name"], "never announced")
            self.assertEqual(await ann.receive_next(id), {"data": {"onRoom": {"name": "garden", "count": 3}}})
            await ann.assert_no_messages(attempts=1)

    async def test_a_user(self):
        async with client(user=await User.objects.acreate(username="ann")) as ann:
            self.assertEqual((await ann.execute("{ user }"))["data"], {"user": "ann"})


class CommitTests(TestCase):
    """The callbacks of on_commit, in plain sync tests."""

    def setUp(self):
        self.done = []
        self.enterContext(deliver_broadcasts())

    def test_outside_of_atomic(self):
        transaction.on_commit(lambda: self.done.append(1))

        self.assertEqual(self.done, [1])

    def test_the_outermost_block(self):
        with transaction.atomic():
            with transaction.atomic():
                transaction.on_commit(lambda: self.done.append(1))
            self.assertEqual(self.done, [])

        self.assertEqual(self.done, [1])

    def test_a_rollback(self):
        with self.assertRaises(ValueError), transaction.atomic():
            transaction.on_commit(lambda: self.done.append(1))
            raise ValueError

        self.assertEqual(self.done, [])

    def test_a_callback_that_writes(self):
        with transaction.atomic():
            transaction.on_commit(lambda: Room.objects.create(name="garden"))
            transaction.on_commit(lambda: transaction.on_commit(lambda: self.done.append(1)))

        self.assertEqual(self.done, [1])
        self.assertTrue(Room.objects.filter(name="garden").exists())

    def test_a_callback_that_fails(self):
        def fail():
            raise ValueError

        with self.assertLogs("django_gqlws"):
            transaction.on_commit(fail, robust=True)
        with self.assertRaises(ValueError):
            transaction.on_commit(fail)


class WithoutTransactionTests(TransactionTestCase):
    async def test_broadcasts_arrive_by_themselves(self):
        async with client() as ann:
            id = await ann.subscribe("subscription { onRoom { name } }")

            await ann.execute(ADD, {"name": "garden"})

            self.assertEqual(await ann.receive_next(id), {"data": {"onRoom": {"name": "garden"}}})
