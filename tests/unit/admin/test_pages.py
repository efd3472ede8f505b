"""What the pages show, and what their actions do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from django_gqlws import monitoring
from django_gqlws.admin import actions
from django_gqlws.exceptions import BroadcastError
from tests.support.registry import (
    TOPIC,
    write_connection,
    write_many,
    write_process,
    write_sample,
    write_subscription,
)
from tests.support.tables import situations

HOSTILE = "<script>alert(1)</script>"
MOST_QUERIES = 14


def address(name: str, *arguments: Any, site: str = "admin") -> str:
    """Of a page."""
    return reverse(f"admin:django_gqlws_{name}", args=arguments, current_app=site)


def shown(client: Client, model: str, **parameters: str) -> list[str]:
    """What the rows of a list show first."""
    response = client.get(address(f"{model}_changelist"), parameters)
    assert response.status_code == 200
    return [str(row) for row in response.context["cl"].result_list]


class TestLists:
    @pytest.fixture
    def rows(self) -> dict[str, monitoring.Subscription]:
        """Two people with a subscription each, in two processes."""
        first, second = write_process(), write_process(pid=2)
        ann = write_connection(first, "ann", address="10.0.0.1")
        bob = write_connection(second, "bob", address="10.0.0.2", protocol="graphql-ws")
        return {
            "ann": write_subscription(ann, "lobby", operation_name="Ann", field="onMessage"),
            "bob": write_subscription(bob, "garden", operation_name="Bob", field="onTick", dropped=3),
        }

    @pytest.mark.parametrize(
        ("model", "parameters", "found"),
        situations(
            {
                "all": ("subscription", {}, {"Ann", "Bob"}),
                "by field": ("subscription", {"field": "onTick"}, {"Bob"}),
                "by user": ("subscription", {"user": "ann"}, {"Ann"}),
                "by group": ("subscription", {"group": f"{TOPIC}:garden"}, {"Bob"}),
                "by a group that nobody has": ("subscription", {"group": f"{TOPIC}:cellar"}, set()),
                "by trouble": ("subscription", {"trouble": "dropped"}, {"Bob"}),
                "by protocol": ("subscription", {"connection__protocol": "graphql-ws"}, {"Bob"}),
                "by search": ("subscription", {"q": "10.0.0.1"}, {"Ann"}),
                "by two filters": ("subscription", {"user": "ann", "field": "onTick"}, set()),
                "connections by protocol": ("connection", {"protocol": "graphql-ws"}, {"bob @ 10.0.0.2"}),
                "connections by user": ("connection", {"user": "ann"}, {"ann @ 10.0.0.1"}),
                "connections by search": ("connection", {"q": "bob"}, {"bob @ 10.0.0.2"}),
            }
        ),
    )
    def test_search_and_filters(
        self,
        model: str,
        parameters: dict[str, str],
        found: set[str],
        rows: dict[str, monitoring.Subscription],
        staff: Client,
    ) -> None:
        """They find what they say."""
        assert set(shown(staff, model, **parameters)) == found

    def test_one_process(self, rows: dict[str, monitoring.Subscription], staff: Client) -> None:
        """The rows of one can be looked at alone."""
        parameters = {"process__id__exact": str(rows["ann"].process_id)}

        assert shown(staff, "subscription", **parameters) == ["Ann"]
        assert shown(staff, "connection", **parameters) == ["ann @ 10.0.0.1"]

    def test_a_process_that_was_killed(self, rows: dict[str, monitoring.Subscription], staff: Client) -> None:
        """Its rows are out of sight when its lease has run out."""
        with override_settings(GQLWS={"SCHEMA": "tests.project.schema.schema", "MONITORING_LEASE": 1e-9}):
            assert shown(staff, "subscription") == []
            assert shown(staff, "process") == []

    def test_thousands_of_rows(self, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        """The first page takes few queries, whatever the number of rows; so do the groups."""
        write_many(5_000, 10_000)

        for name in ("subscription_changelist", "connection_changelist", "membership_changelist"):
            with django_assert_max_num_queries(MOST_QUERIES):
                assert staff.get(address(name)).status_code == 200


class TestHostileText:
    def test_everywhere(self, staff: Client) -> None:
        """Names, documents and groups are text, wherever they appear."""
        process = write_process(host=HOSTILE, name=HOSTILE)
        connection = write_connection(process, HOSTILE, origin=HOSTILE, user_agent=HOSTILE, address=HOSTILE)
        subscription = write_subscription(
            connection, HOSTILE, operation_name=HOSTILE, document=f"{{ a }} {HOSTILE}", variables={"room": HOSTILE}
        )
        blocked = monitoring.block(HOSTILE, minutes=5, reason=HOSTILE, by=HOSTILE, label=HOSTILE)
        pages = [
            *(address(f"{model}_changelist") for model in ("connection", "subscription", "membership", "process")),
            address("blockeduser_changelist"),
            address("connection_change", connection.pk),
            address("subscription_change", subscription.pk),
            address("process_change", process.pk),
            reverse("admin:django_gqlws_blockeduser_change", args=[blocked.pk.replace("<", "_3C").replace("/", "_2F")]),
        ]

        for page in pages:
            text = staff.get(page).text
            assert "&lt;script&gt;alert(1)" in text, page
            assert HOSTILE not in text, page

    def test_a_confirmation_and_a_preview(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where it comes back from a form."""
        connection = write_connection(write_process(), HOSTILE)
        form = {"action": "block", "_selected_action": str(connection.pk)}
        monkeypatch.setattr(monitoring, "addressed", lambda *_: monitoring.Addressed(1, 1, 2))
        broadcast = {"topic": TOPIC, "group": HOSTILE, "payload": json.dumps(HOSTILE), "preview": "yes"}

        for response in (
            staff.post(address("connection_changelist"), form),
            staff.post(address("membership_broadcast"), broadcast),
        ):
            assert "&lt;script&gt;alert(1)" in response.text
            assert HOSTILE not in response.text


class TestDetails:
    def test_a_document(self, staff: Client) -> None:
        """It is formatted, and what is hidden stays so."""
        row = write_subscription(
            write_connection(write_process()),
            document="subscription($token:String){onMessage(token:$token){text}}",
            variables={"token": "***"},
        )

        text = staff.get(address("subscription_change", row.pk)).text

        assert "subscription ($token: String) {\n  onMessage(token: $token) {\n    text" in text
        assert "&quot;token&quot;: &quot;***&quot;" in text

    @pytest.mark.parametrize("document", ["{", "{" * 30_000, "x" * 1_000_000])
    def test_a_document_that_cannot_be_formatted(self, document: str, staff: Client) -> None:
        """It is shown as it is."""
        row = write_subscription(write_connection(write_process()), document=document)

        assert document in staff.get(address("subscription_change", row.pk)).text

    def test_a_row_that_has_gone(self, staff: Client) -> None:
        """Django says so, on another page: the refresh ends there."""
        row = write_connection(write_process())
        url = address("connection_change", row.pk)
        row.delete()

        assert staff.get(url).status_code == 302


class TestActions:
    def test_the_whole_list_across_pages(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is meant is what the filters find, and the log has an entry for each."""
        connection = write_connection(write_process(), "ann")
        mine = {str(write_subscription(connection, field="mine").pk) for _ in range(3)}
        write_subscription(connection, field="other")
        ended: list[str] = []
        monkeypatch.setattr(monitoring, "end", lambda ids: ended.extend(map(str, ids)))
        form = {"action": "end", "_selected_action": min(mine), "select_across": "1"}
        url = f"{address('subscription_changelist')}?field=mine"

        assert "End 3 subscriptions?" in staff.post(url, form).text
        response = staff.post(url, {**form, "confirmed": "yes", "count": "3"})

        assert response["Location"] == url
        assert set(ended) == mine
        assert set(LogEntry.objects.values_list("object_id", flat=True)) == mine

    @pytest.mark.parametrize("count", ["1", "", "many"])
    def test_a_list_that_has_grown(self, count: str, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody has confirmed what came since: the page asks again, and keeps the answers."""
        rows = [write_connection(write_process()) for _ in range(2)]
        monkeypatch.setattr(monitoring, "disconnect", lambda *_: pytest.fail("nothing is closed"))
        form = {"action": "disconnect", "_selected_action": str(rows[0].pk), "select_across": "1", "reason": "Because"}
        url = address("connection_changelist")

        response = staff.post(url, {**form, "may_reconnect": "yes", "confirmed": "yes", "count": count})

        assert "There are more now." in response.text
        assert "Close 2 connections" in response.text
        assert '<input type="hidden" name="count" value="2">' in response.text
        assert 'value="Because"' in response.text

    def test_more_rows_than_one_action_takes(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is done, and the page says what to change."""
        connection = write_connection(write_process())
        rows = [write_subscription(connection) for _ in range(2)]
        monkeypatch.setattr(actions, "MOST", 1)
        monkeypatch.setattr(monitoring, "end", lambda ids: pytest.fail("nothing ends"))
        form = {"action": "end", "_selected_action": [str(row.pk) for row in rows], "confirmed": "yes"}

        response = staff.post(address("subscription_changelist"), form, follow=True)

        assert "choose fewer" in response.text

    def test_a_channel_layer_that_fails(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page says so, and the log has no entry."""
        row = write_connection(write_process())

        def fail(*_: object) -> None:
            raise BroadcastError("the layer is down")

        monkeypatch.setattr(monitoring, "disconnect", fail)
        form = {"action": "disconnect", "_selected_action": str(row.pk), "may_reconnect": "yes", "confirmed": "yes"}

        response = staff.post(address("connection_changelist"), form, follow=True)

        assert "the layer is down" in response.text
        assert not LogEntry.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_block_while_the_channel_layer_fails(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """All users are blocked, the log says so, and the page says when it takes effect; so it is with unblocking."""

        def fail(*_: object, **__: object) -> None:
            raise BroadcastError("the layer is down")

        monkeypatch.setattr("django_gqlws.monitoring.actions.give", fail)
        process = write_process()
        rows = [str(write_connection(process, user).pk) for user in ("ann", "bob")]
        form = {"action": "block", "_selected_action": rows, "minutes": "5", "confirmed": "yes"}

        said = staff.post(address("connection_changelist"), form, follow=True).text
        assert "they follow with their next beat: the layer is down" in said
        assert set(monitoring.BlockedUser.objects.values_list("pk", flat=True)) == {"ann", "bob"}
        assert LogEntry.objects.count() == 2

        form = {"action": "unblock", "_selected_action": ["ann", "bob"], "confirmed": "yes"}
        assert "next beat" in staff.post(address("blockeduser_changelist"), form, follow=True).text
        assert not monitoring.BlockedUser.objects.exists()
        assert LogEntry.objects.count() == 4

    @pytest.mark.parametrize("minutes", ["0", "-5", "soon", ""])
    def test_a_block_for_no_time(self, minutes: str, staff: Client) -> None:
        """The page asks again."""
        row = write_connection(write_process(), "ann")
        form = {"action": "block", "_selected_action": str(row.pk), "minutes": minutes, "confirmed": "yes"}

        response = staff.post(address("connection_changelist"), form)

        assert "errorlist" in response.text
        assert not monitoring.BlockedUser.objects.exists()

    def test_a_block_of_several_connections(self, staff: Client) -> None:
        """Each user is blocked once, and who is not logged in is not."""
        process = write_process()
        rows = [write_connection(process, user) for user in ("ann", "ann", "")]
        form = {"action": "block", "_selected_action": [str(row.pk) for row in rows], "minutes": "5"}

        staff.post(address("connection_changelist"), {**form, "reason": "Flooding", "confirmed": "yes"})

        blocked = monitoring.BlockedUser.objects.get()
        assert (blocked.user, blocked.reason, blocked.blocked_by) == ("ann", "Flooding", "root")
        assert LogEntry.objects.get().change_message == "Blocked. Minutes: 5. Flooding"


class TestBroadcast:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What was sent, to two subscriptions."""
        messages: list[Any] = []
        monkeypatch.setattr(monitoring, "addressed", lambda *_: monitoring.Addressed(1, 1, 2))
        monkeypatch.setattr(monitoring, "broadcast", lambda *given: messages.append(given))
        return messages

    def test_a_preview(self, staff: Client, sent: list[Any]) -> None:
        """It says what goes to whom, and sends nothing."""
        form = {"topic": TOPIC, "group": "lobby", "payload": '{"a":1}', "preview": "yes"}

        text = staff.post(address("membership_broadcast"), form).text

        assert "2 live subscriptions get it now." in text
        assert "{\n  &quot;a&quot;: 1\n}" in text
        assert sent == []

    @pytest.mark.parametrize(("group", "named"), [("lobby", "lobby"), ("", None), (" lobby ", " lobby ")])
    def test_it_is_sent(self, group: str, named: str | None, staff: Client, sent: list[Any]) -> None:
        """To the group, or to the whole class; the log says what."""
        form = {"topic": TOPIC, "group": group, "payload": '{"a":1}', "send": "yes"}

        response = staff.post(address("membership_broadcast"), form)

        assert response.status_code == 302
        assert sent == [(TOPIC, named, {"a": 1})]
        assert LogEntry.objects.get().change_message == f'Broadcast to {TOPIC}: {{"a": 1}}'

    @pytest.mark.parametrize("payload", ["", "{", "[" * 100_000])
    def test_a_payload_that_is_no_json(self, payload: str, staff: Client, sent: list[Any]) -> None:
        """The form says what is wrong, and nothing is sent."""
        response = staff.post(address("membership_broadcast"), {"topic": TOPIC, "payload": payload, "send": "yes"})

        assert "errorlist" in response.text
        assert sent == []

    def test_a_payload_that_is_no_text(self, staff: Client, sent: list[Any]) -> None:
        """Half of a surrogate pair is shown, and logged, as it was written."""
        form = {"topic": TOPIC, "group": "lobby", "payload": r'"\ud800 ü"'}

        preview = staff.post(address("membership_broadcast"), {**form, "preview": "yes"})
        staff.post(address("membership_broadcast"), {**form, "send": "yes"})

        assert r"&quot;\ud800 ü&quot;" in preview.text
        assert sent == [(TOPIC, "lobby", "\ud800 ü")]
        assert LogEntry.objects.get().change_message == rf'Broadcast to {TOPIC}: "\ud800 ü"'


class TestOverview:
    def test_the_series(self, staff: Client) -> None:
        """They are numbers of the last minutes, in the page itself: a refresh brings new ones."""
        process = write_process()
        for seconds in (60, 0):  # The newest step is left out: not all processes have said what they did.
            write_sample(process, seconds, deliveries=50)

        text = staff.get(address("sample_changelist")).text

        found = re.search(r'<script id="gqlws-series" type="application/json">(.*?)</script>', text)
        assert found is not None
        data = json.loads(found[1])
        assert data["series"]["deliveries"] == [10]
        assert data["series"]["p95"] == [20]
        assert data["from"] < data["times"][0] < data["to"]


class TestSites:
    def test_one_of_a_projects_own(self, staff: Client) -> None:
        """Its links stay on it."""
        row = write_connection(write_process(), "ann")

        for page in ("connection_changelist", "membership_changelist", "membership_broadcast", "sample_changelist"):
            text = staff.get(address(page, site="own")).text
            assert 'href="/own/django_gqlws/' in text
            assert 'href="/admin/' not in text
        assert staff.get(address("connection_change", row.pk, site="own")).status_code == 200

    @pytest.mark.parametrize("model", ["sample", "connection", "subscription", "membership", "process", "blockeduser"])
    def test_one_that_has_a_single_page(self, model: str, staff: Client) -> None:
        """The page has no links to those that are not there."""
        connection = write_connection(write_process(), "ann")
        rows = {"connection": connection, "subscription": write_subscription(connection, "lobby")}

        pages = [address(f"{model}_changelist", site=f"only-{model}")]
        if model in rows:
            pages.append(address(f"{model}_change", rows[model].pk, site=f"only-{model}"))

        for page in pages:
            response = staff.get(page)
            assert response.status_code == 200
            links = set(re.findall(rf'href="/only-{model}/django_gqlws/(\w+)/', response.text))
            assert links <= {model}

    def test_an_action_of_the_project(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is offered in the lists. The page of a row has buttons for our own."""
        row = write_connection(write_process(), "ann")
        monkeypatch.setitem(admin.site._actions, "export", lambda *_: None)  # As `add_action` does, for ever.

        listed = staff.get(address("connection_changelist"))
        page = staff.get(address("connection_change", row.pk))

        assert 'value="export"' in listed.text
        assert [name for name, _ in page.context["gqlws_actions"]] == ["disconnect", "block"]

    @pytest.mark.parametrize("is_on", [True, False])
    def test_a_registry_that_is_switched_off(self, is_on: bool, staff: Client) -> None:
        """Each page says so."""
        row = write_connection(write_process())
        pages = [address("sample_changelist"), address("process_changelist"), address("connection_change", row.pk)]

        with override_settings(GQLWS={"SCHEMA": "tests.project.schema.schema", "MONITORING": is_on}):
            for page in pages:
                assert ("is False." in staff.get(page).text) is not is_on

    def test_tables_that_are_missing(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each page says what to run, for the database that is meant."""
        introspection = connections["default"].introspection
        monkeypatch.setattr(type(introspection), "table_names", lambda *_: [])

        for page in ("sample", "connection", "subscription", "membership", "process", "blockeduser"):
            assert "python manage.py migrate django_gqlws" in staff.get(address(f"{page}_changelist")).text
        assert "migrate" in staff.get(address("membership_broadcast")).text
        assert "migrate" in staff.get(address("connection_change", "x")).text

    def test_no_script_and_no_style_is_inline(self, staff: Client) -> None:
        """A strict Content-Security-Policy lets the pages pass."""
        row = write_subscription(write_connection(write_process(), "ann"), "lobby")

        for page in (
            address("sample_changelist"),
            address("subscription_changelist"),
            address("subscription_change", row.pk),
            address("membership_changelist"),
            address("membership_broadcast"),
        ):
            text = staff.get(page).text
            assert re.findall(r"<script(?![^>]* src=)(?![^>]*application/json)", text) == []
            assert "<style" not in text
            assert " style=" not in text
            assert not re.search(r"\son\w+=", text)
