"""subscribe: who may, ids, errors of every kind, and operations side by side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer
from tests.support.tables import situations

MASKED = "Internal server error"

RECORD = "mutation ($key: String!) { record(key: $key) }"
SLOW = "query ($key: String!) { slowValue(key: $key) }"
BLOCKING = "query ($key: String!) { blockingValue(key: $key) }"

RUNNING = {
    "a slow query": SLOW,
    "a query that blocks a thread": BLOCKING,
    "a slow mutation": "mutation ($key: String!) { slowRecord(key: $key) }",
    "a native stream": "subscription ($key: String!) { silent(key: $key) }",
    "a subscription": 'subscription ($key: String!) { onMessage(group: "room", key: $key) { text } }',
    "a subscription that is preparing": "subscription ($key: String!) { onSlowMessage(key: $key) { text } }",
}

IDS = {
    "a word": "operation",
    "a name from JavaScript": "__proto__",
    "a method from JavaScript": "constructor",
    "a space": " ",
    "10,000 characters": "x" * 10_000,
    "an emoji": "😀",
    "a newline": "\n",
    "a quote and a backslash": '"\\',
    "a NUL": "\x00",
    "a JSON text": '{"id": "1"}',
}

INVALID = {
    # situation: (payload, what each error's message mentions)
    "a syntax error": ({"query": "{ value"}, ["Syntax Error"]),
    "no GraphQL at all": ({"query": "hello {{{"}, ["Syntax Error"]),
    "an unknown field": ({"query": "{ nope }"}, ["'nope'"]),
    "two unknown fields": ({"query": "{ nope alsoNope }"}, ["'nope'", "'alsoNope'"]),
    "an unknown argument": ({"query": "{ echoInt(nope: 1) }"}, ["'nope'"]),
    "a literal of a wrong type": ({"query": '{ echoInt(number: "one") }'}, ["Int"]),
    "an undefined variable": ({"query": "{ echoInt(number: $nope) }"}, ["'$nope'"]),
    "an unknown subscription": ({"query": "subscription { nope }"}, ["'nope'"]),
    "a subscription of two fields": ({"query": "subscription { countTo(n: 1) failsAfter(n: 1) }"}, ["one"]),
    "an unknown operationName": ({"query": "query A { value }", "operationName": "B"}, ["'B'"]),
    "an operationName missing": ({"query": "query A { value } query B { value }"}, ["operation name"]),
    "an empty query": ({"query": ""}, ["Syntax Error"]),
    "only white space": ({"query": " \n\t"}, ["Syntax Error"]),
    "only a comment": ({"query": "# nothing"}, ["Syntax Error"]),
    "only a fragment": ({"query": "fragment Value on Query { value }"}, ["Value"]),
}

VARIABLE_ERRORS = {
    "a wrong type": ("query ($number: Int) { echoInt(number: $number) }", {"number": "one"}),
    "a required one missing": ("query ($number: Int!) { echoInt(number: $number) }", {}),
    "a required one null": ("query ($number: Int!) { echoInt(number: $number) }", {"number": None}),
    "an integer out of range": ("query ($number: Int!) { echoInt(number: $number) }", {"number": 2**31}),
    "a text with a lone surrogate for a number": (
        "query ($number: Int!) { echoInt(number: $number) }",
        {"number": "\ud800"},
    ),
    "of a mutation": ("mutation ($key: String!) { record(key: $key) }", {"key": 5}),
    "of a native stream": ("subscription ($n: Int!) { countTo(n: $n) }", {"n": "many"}),
    "of a subscription": (
        "subscription ($group: String!) { onMessage(group: $group) { text } }",
        {"group": None},
    ),
}


class TestBeforeTheAcknowledgement:
    async def test_it_closes_with_4401_and_is_not_executed(
        self, project: ProjectServer, newcomer: Client, inside: Inside, key: str
    ) -> None:
        """Nothing runs for a client that has not been let in."""
        await newcomer.subscribe("1", RECORD, {"key": key})

        await newcomer.expect_close(4401, project.reason("Unauthorized"))
        assert await inside.count("EXECUTED", key) == 0


class TestResults:
    @pytest.mark.parametrize(
        ("document", "data"),
        [
            ("{ value }", {"value": "value"}),
            ("{ syncValue }", {"syncValue": "sync value"}),
            (
                "{ value syncValue other: value }",
                {"value": "value", "syncValue": "sync value", "other": "value"},
            ),
            ("query { __typename }", {"__typename": "Query"}),
            ('{ echoText(text: "é😀") }', {"echoText": "é😀"}),
        ],
    )
    async def test_a_query(self, client: Client, document: str, data: Any) -> None:
        """`next` with the data and nothing else, then `complete`."""
        assert await client.execute("1", document) == {"data": data}
        assert await client.barrier() == []

    @pytest.mark.parametrize("field", ["record", "syncRecord"])
    async def test_a_mutation(self, client: Client, inside: Inside, key: str, field: str) -> None:
        """It is executed once, and answered like a query."""
        result = await client.execute("1", f"mutation ($key: String!) {{ {field}(key: $key) }}", {"key": key})

        assert result == {"data": {field: 1}}
        assert await inside.count("EXECUTED", key) == 1

    async def test_the_fields_of_a_mutation_run_one_after_the_other(self, client: Client, key: str) -> None:
        """In the order of the document, sync and async ones alike."""
        document = "mutation ($key: String!) { a: record(key: $key) b: syncRecord(key: $key) c: record(key: $key) }"

        assert await client.execute("1", document, {"key": key}) == {"data": {"a": 1, "b": 2, "c": 3}}

    async def test_the_operation_name_chooses(self, client: Client) -> None:
        """Of several operations in a document the named one runs."""
        document = "query A { a: value } query B { b: value }"

        await client.subscribe("1", document, operation_name="B")

        assert (await client.receive())["payload"] == {"data": {"b": "value"}}


class TestIds:
    @pytest.mark.parametrize("id", situations(IDS))
    async def test_any_non_empty_text_is_an_id(self, client: Client, inside: Inside, key: str, id: str) -> None:
        """For a query, for a stream, and for the complete that ends one."""
        assert await client.execute(id, "{ value }") == {"data": {"value": "value"}}

        await client.subscribe(id, "subscription { countTo(n: 1) }")
        assert await client.receive() == {"id": id, "type": "next", "payload": {"data": {"countTo": 1}}}
        assert await client.receive() == {"id": id, "type": "complete"}

        await client.subscribe(id, "subscription ($key: String!) { silent(key: $key) }", {"key": key})
        await inside.reached("STARTED", key)
        await client.complete(id)
        await inside.reached("RELEASED", key)

        await client.subscribe(id, "{ nope }")
        message = await client.receive()
        assert (message["id"], message["type"]) == (id, "error")

    async def test_ids_are_compared_exactly(self, client: Client, inside: Inside, key: str) -> None:
        """Case, spaces and Unicode composition make different ids."""
        ids = ["a", "A", "a ", " a", "é", "e\u0301", "1", "01", "1.0"]
        for id in ids:
            await client.subscribe(id, SLOW, {"key": key})
        await inside.reached("STARTED", key, len(ids))

        await inside.open(key)

        messages = [await client.receive() for _ in range(2 * len(ids))]
        assert sorted(message["id"] for message in messages if message["type"] == "next") == sorted(ids)

    @pytest.mark.parametrize("document", ["{ value }", "{ nope }", "{ value"])
    @pytest.mark.parametrize("running", situations(RUNNING))
    async def test_one_in_use_closes_with_4409(
        self, project: ProjectServer, client: Client, inside: Inside, key: str, running: str, document: str
    ) -> None:
        """Whatever runs under the id, and even if the new document is invalid."""
        await client.subscribe("the id", running, {"key": key})
        await inside.reached("STARTED", key)

        await client.subscribe("the id", document)

        await client.expect_close(4409, project.reason("Subscriber for the id already exists"))
        await inside.open(key)

    async def test_one_is_in_use_as_soon_as_its_subscribe_is_read(
        self, project: ProjectServer, client: Client, key: str
    ) -> None:
        """Two in one packet: the second finds the id taken although the first has hardly begun."""
        message = {"id": "1", "type": "subscribe", "payload": {"query": SLOW, "variables": {"key": key}}}
        await client.send_together(message, message)

        await client.expect_close(4409, project.reason("Subscriber for 1 already exists"))

    @pytest.mark.parametrize("id", ["x" * 10_000, "😀" * 100], ids=["10,000 characters", "100 emojis"])
    async def test_the_reason_of_4409_is_cut(
        self, project: ProjectServer, client: Client, inside: Inside, key: str, id: str
    ) -> None:
        """A long id does not break the close frame."""
        await client.subscribe(id, SLOW, {"key": key})
        await inside.reached("STARTED", key)

        await client.subscribe(id, "{ value }")

        closed = await client.closed()
        assert closed.code == 4409
        assert closed.reason.startswith(project.reason("Subscriber for " + id[:20]))
        assert len(closed.reason.encode()) <= 123

    async def test_the_same_one_on_another_socket_is_another(
        self, project: ProjectServer, client: Client, inside: Inside, key: str
    ) -> None:
        """Ids belong to a connection."""
        await client.subscribe("1", SLOW, {"key": key})
        await inside.reached("STARTED", key)

        async with connect(project.url()) as other:
            await other.init()
            assert await other.execute("1", "{ value }") == {"data": {"value": "value"}}

        await inside.open(key)
        assert (await client.receive())["payload"] == {"data": {"slowValue": key}}


class TestInvalidDocuments:
    @pytest.mark.parametrize(("payload", "mentioned"), situations(INVALID))
    async def test_one_error_with_all_errors_and_nothing_else(
        self, client: Client, payload: dict[str, Any], mentioned: list[str]
    ) -> None:
        """No `complete` follows, the id is free at once, the socket stays."""
        await client.send(id="1", type="subscribe", payload=payload)

        message = await client.receive()
        assert (message["id"], message["type"]) == ("1", "error")
        assert len(message["payload"]) == len(mentioned)
        for error, word in zip(message["payload"], mentioned, strict=True):
            assert word in error["message"]
        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_syntax_errors_have_locations(self, client: Client) -> None:
        """An editor can show where."""
        await client.subscribe("1", "{ value }\n}")

        (error,) = (await client.receive())["payload"]
        assert error["locations"] == [{"line": 2, "column": 1}]

    async def test_the_same_document_fails_again(self, client: Client) -> None:
        """A document that is known to be invalid gets the same answer, on each socket anew."""
        await client.subscribe("1", "{ nope }")
        first = await client.receive()

        await client.subscribe("1", "{ nope }")

        assert await client.receive() == first


class TestVariableErrors:
    @pytest.mark.parametrize(("document", "variables"), situations(VARIABLE_ERRORS))
    async def test_next_with_errors_then_complete(
        self, client: Client, document: str, variables: dict[str, Any]
    ) -> None:
        """The document is valid: execution has begun, so it is not an `error`."""
        result = await client.execute("1", document, variables)

        assert result["data"] is None
        assert "$" in result["errors"][0]["message"]
        assert await client.barrier() == []

    async def test_unknown_variables_are_ignored(self, client: Client) -> None:
        """As GraphQL has it."""
        assert await client.execute("1", "{ value }", {"nobody": "asked"}) == {"data": {"value": "value"}}


class TestResolverErrors:
    async def test_next_with_data_and_errors_then_complete(self, client: Client) -> None:
        """What could be resolved is there beside what could not."""
        result = await client.execute("1", "{ value failing }")

        assert result == {
            "data": {"value": "value", "failing": None},
            "errors": [{"message": MASKED, "locations": [{"line": 1, "column": 9}], "path": ["failing"]}],
        }

    async def test_a_plain_function_fails_in_the_same_way(self, client: Client) -> None:
        """A worker thread makes no difference."""
        result = await client.execute("1", "{ value syncFailing }")

        assert result["data"] == {"value": "value", "syncFailing": None}
        assert [(error["message"], error["path"]) for error in result["errors"]] == [(MASKED, ["syncFailing"])]

    async def test_a_required_field_takes_the_data_with_it(self, client: Client) -> None:
        """Still `next`, never `error`."""
        result = await client.execute("1", "{ value failingRequired }")

        assert result["data"] is None
        assert [(error["message"], error["path"]) for error in result["errors"]] == [(MASKED, ["failingRequired"])]

    async def test_every_error_is_there(self, client: Client) -> None:
        """One for each field that failed."""
        result = await client.execute("1", "{ a: failing b: refused c: syncFailing }")

        assert sorted(error["path"] for error in result["errors"]) == [["a"], ["b"], ["c"]]

    async def test_an_error_meant_for_the_client_keeps_its_words(self, client: Client) -> None:
        """A GraphQLError passes as it is, with its extensions."""
        result = await client.execute("1", "{ refused }")

        assert result["data"] == {"refused": None}
        (error,) = result["errors"]
        assert error["message"] == "not for you"
        assert error["extensions"] == {"code": "REFUSED"}


class TestMaskedErrors:
    @pytest.mark.parametrize(
        ("path", "message"),
        [("graphql/", MASKED), ("discreet/", MASKED), ("frank/", "a secret of the server")],
    )
    @pytest.mark.parametrize("field", ["failing", "failingRequired", "syncFailing"])
    async def test_of_a_resolver(self, project: ProjectServer, path: str, message: str, field: str) -> None:
        """Outside DEBUG, and where the setting says so, the text of an unforeseen exception stays inside."""
        async with connect(project.url(path)) as client:
            await client.init()

            (error,) = (await client.execute("1", f"{{ {field} }}"))["errors"]

        assert error == {"message": message, "locations": [{"line": 1, "column": 3}], "path": [field]}

    @pytest.mark.parametrize(("path", "message"), [("discreet/", MASKED), ("frank/", "a secret of the server")])
    async def test_of_a_subscribe(self, project: ProjectServer, path: str, message: str) -> None:
        """The same for what `subscribe` raises."""
        async with connect(project.url(path)) as client:
            await client.init()
            await client.subscribe("1", "subscription { onBrokenMessage { text } }")

            (error,) = (await client.receive())["payload"]

        assert error["message"] == message

    async def test_validation_errors_are_never_masked(self, project: ProjectServer) -> None:
        """They speak of the client's document, not of the server."""
        async with connect(project.url("discreet/")) as client:
            await client.init()
            await client.subscribe("1", "{ nope }")

            (error,) = (await client.receive())["payload"]

        assert "'nope'" in error["message"]


class TestSideBySide:
    async def test_a_quick_operation_overtakes_a_slow_one(self, client: Client, inside: Inside, key: str) -> None:
        """Answers come in the order in which they are ready."""
        await client.subscribe("slow", SLOW, {"key": key})
        await inside.reached("STARTED", key)

        assert await client.execute("quick", "{ value }") == {"data": {"value": "value"}}

        await inside.open(key)
        assert (await client.receive())["id"] == "slow"

    async def test_a_quick_operation_overtakes_one_that_blocks_a_thread(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """A plain function that is slow delays neither async nor plain ones."""
        await client.subscribe("slow", BLOCKING, {"key": key})
        await inside.reached("STARTED", key)

        assert await client.execute("quick", "{ value }") == {"data": {"value": "value"}}
        assert await client.execute("quick", "{ syncValue }") == {"data": {"syncValue": "sync value"}}

        await inside.open(key)
        assert (await client.receive())["id"] == "slow"

    @pytest.mark.parametrize(
        ("document", "n"),
        [
            pytest.param(SLOW, 20, id="queries"),
            pytest.param("mutation ($key: String!) { slowRecord(key: $key) }", 20, id="mutations"),
            pytest.param("subscription ($key: String!) { gated(key: $key) }", 20, id="streams"),
            pytest.param(BLOCKING, 16, id="queries in all threads"),
        ],
    )
    async def test_all_have_started_before_the_first_ends(
        self, client: Client, inside: Inside, key: str, document: str, n: int
    ) -> None:
        """The operations of a connection run side by side."""
        ids = [str(number) for number in range(n)]
        for id in ids:
            await client.subscribe(id, document, {"key": key})

        await inside.reached("STARTED", key, n)

        assert await client.barrier() == []
        await inside.open(key)
        messages = [await client.receive() for _ in range(2 * n)]
        assert sorted(message["id"] for message in messages if message["type"] == "next") == sorted(ids)
        assert sorted(message["id"] for message in messages if message["type"] == "complete") == sorted(ids)

    @pytest.mark.parametrize("field", ["value", "syncValue"])
    async def test_200_at_once_are_answered(self, client: Client, field: str) -> None:
        """Each with its result and its complete, in this order."""
        ids = [str(number) for number in range(200)]
        await client.send_together(
            *({"id": id, "type": "subscribe", "payload": {"query": f"{{ {field} }}"}} for id in ids)
        )

        seen: dict[str, list[str]] = {id: [] for id in ids}
        for _ in range(2 * len(ids)):
            message = await client.receive()
            seen[message["id"]].append(message["type"])
        assert seen == {id: ["next", "complete"] for id in ids}

    async def test_the_operations_of_a_mutation_and_a_query_interleave(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """A mutation in flight does not hold up a query behind it."""
        await client.subscribe("slow", "mutation ($key: String!) { slowRecord(key: $key) }", {"key": key})
        await inside.reached("STARTED", key)

        assert await client.execute("quick", "{ value }") == {"data": {"value": "value"}}

        await inside.open(key)
        assert (await client.receive())["payload"] == {"data": {"slowRecord": 1}}


class TestStrictOrdering:
    @pytest.fixture
    async def ordered(self, project: ProjectServer) -> Any:
        async with connect(project.url("ordered/")) as client:
            await client.init()
            yield client

    async def test_operations_run_one_after_the_other(self, ordered: Client, inside: Inside, key: str) -> None:
        """The second begins when the first has been answered."""
        await ordered.subscribe("first", SLOW, {"key": key})
        await ordered.subscribe("second", RECORD, {"key": key})
        await inside.reached("STARTED", key)
        assert await inside.count("EXECUTED", key) == 0

        await inside.open(key)

        messages = [await ordered.receive() for _ in range(4)]
        assert [(message["id"], message["type"]) for message in messages] == [
            ("first", "next"),
            ("first", "complete"),
            ("second", "next"),
            ("second", "complete"),
        ]

    async def test_a_ping_is_not_queued(self, ordered: Client, inside: Inside, key: str) -> None:
        """The pong comes while the first operation runs."""
        await ordered.subscribe("first", SLOW, {"key": key})
        await ordered.subscribe("second", RECORD, {"key": key})
        await inside.reached("STARTED", key)

        assert await ordered.barrier() == []
        assert await inside.count("EXECUTED", key) == 0

    async def test_a_complete_is_not_queued(self, ordered: Client, inside: Inside, key: str) -> None:
        """It ends the operation that holds up the others."""
        await ordered.subscribe("first", SLOW, {"key": key})
        await ordered.subscribe("second", RECORD, {"key": key})
        await inside.reached("STARTED", key)

        await ordered.complete("first")

        await inside.reached("CANCELLED", key)
        assert (await ordered.receive())["payload"] == {"data": {"record": 1}}

    async def test_a_complete_ends_one_that_waits(self, ordered: Client, inside: Inside, key: str) -> None:
        """It is then never executed."""
        await ordered.subscribe("first", SLOW, {"key": key})
        await ordered.subscribe("second", RECORD, {"key": key})
        await inside.reached("STARTED", key)

        await ordered.complete("second")
        await inside.open(key)

        assert (await ordered.receive())["id"] == "first"
        assert await ordered.receive() == {"id": "first", "type": "complete"}
        assert await ordered.barrier() == []
        assert await inside.count("EXECUTED", key) == 0
