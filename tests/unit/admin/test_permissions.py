"""Who sees what, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from django_gqlws import monitoring
from tests.support.registry import write_connection, write_process, write_sample, write_subscription
from tests.support.tables import situations

from .conftest import LogIn

SECRET = "alice-in-the-lobby"

PAGES = {
    "the overview": ("sample_changelist", "view_sample"),
    "the connections": ("connection_changelist", "view_connection"),
    "a connection": ("connection_change", "view_connection"),
    "the subscriptions": ("subscription_changelist", "view_subscription"),
    "a subscription": ("subscription_change", "view_subscription"),
    "the groups": ("membership_changelist", "view_membership"),
    "the processes": ("process_changelist", "view_process"),
    "a process": ("process_change", "view_process"),
    "the blocked users": ("blockeduser_changelist", "view_blockeduser"),
    "a blocked user": ("blockeduser_change", "view_blockeduser"),
    "the form of a broadcast": ("membership_broadcast", "broadcast_membership"),
}
"""Each page, and the only permission that opens it."""

ACTIONS = {
    "end subscriptions": ("subscription", "end", "view_subscription", "end_subscription"),
    "disconnect": ("connection", "disconnect", "view_connection", "disconnect_connection"),
    "block": ("connection", "block", "view_connection", "block_user"),
    "unblock": ("blockeduser", "unblock", "view_blockeduser", "block_user"),
}
"""Each action with its list, and the two permissions that it takes."""

ANSWERS = {"may_reconnect": "no", "minutes": "5", "reason": "because", "confirmed": "yes"}


@pytest.fixture
def rows() -> dict[str, Any]:
    """A row of each table, by the name of its model."""
    process = write_process(connections_total=1, subscriptions_total=1)
    connection = write_connection(process, SECRET)
    subscription = write_subscription(connection, SECRET)
    write_sample(process, 30)
    blocked = monitoring.block(SECRET, minutes=5)
    return {"process": process, "connection": connection, "subscription": subscription, "blockeduser": blocked}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, as the processes would be told."""
    names: list[str] = []
    for name in ("end", "disconnect", "unblock"):
        monkeypatch.setattr(monitoring, name, lambda *_, name=name, **__: names.append(name))
    block = monitoring.block
    monkeypatch.setattr(monitoring, "block", lambda *given, **more: (names.append("block"), block(*given, **more))[1])
    return names


def address(name: str, rows: dict[str, Any]) -> str:
    """Of a page."""
    arguments = [rows[name.partition("_")[0]].pk] if name.endswith("_change") else []
    return reverse(f"admin:django_gqlws_{name}", args=arguments)


def post(client: Client, model: str, action: str, rows: dict[str, Any], **data: str) -> Any:
    """Choose an action for the row."""
    form = {"action": action, "_selected_action": str(rows[model].pk), **data}
    return client.post(address(f"{model}_changelist", rows), form)


@pytest.mark.parametrize(("page", "permission"), situations(PAGES))
class TestPages:
    def test_with_its_permission(self, page: str, permission: str, rows: dict[str, Any], log_in: LogIn) -> None:
        """It opens."""
        assert log_in(permission).get(address(page, rows)).status_code == 200

    def test_with_all_others(self, page: str, permission: str, rows: dict[str, Any], log_in: LogIn) -> None:
        """It does not, and says nothing of what is there; a refresh asks for the same address."""
        others = Permission.objects.filter(content_type__app_label="django_gqlws").exclude(codename=permission)

        response = log_in(*others.values_list("codename", flat=True)).get(address(page, rows))

        assert response.status_code == 403
        assert SECRET not in response.text

    def test_without_being_staff(self, page: str, permission: str, rows: dict[str, Any], log_in: LogIn) -> None:
        """It leads to the login."""
        response = log_in(permission, is_staff=False).get(address(page, rows))

        assert response.status_code == 302
        assert "/login/" in response["Location"]


@pytest.mark.parametrize(("model", "action", "view", "permission"), situations(ACTIONS))
class TestActions:
    def test_with_both_permissions(
        self, model: str, action: str, view: str, permission: str, rows: dict[str, Any], done: list[str], log_in: LogIn
    ) -> None:
        """It asks first; confirmed, it acts and leaves an entry in the log."""
        client = log_in(view, permission)

        question = post(client, model, action, rows)
        assert (question.status_code, done) == (200, [])
        assert "confirmed" in question.text
        assert SECRET in question.text

        answer = post(client, model, action, rows, **ANSWERS)
        assert (answer.status_code, done) == (302, [action])
        entry = LogEntry.objects.get()
        assert entry.user.get_username() == "ann"
        assert entry.change_message

    def test_with_the_view_alone(
        self, model: str, action: str, view: str, permission: str, rows: dict[str, Any], done: list[str], log_in: LogIn
    ) -> None:
        """It is not offered, neither in the list nor on the row's page, and not done for who asks nevertheless."""
        client = log_in(view)

        for page in (f"{model}_changelist", f"{model}_change"):
            shown = client.get(address(page, rows)).text
            assert f'value="{action}"' not in shown
            assert "_selected_action" not in shown
        post(client, model, action, rows, **ANSWERS)

        assert done == []
        assert not LogEntry.objects.exists()

    def test_without_the_view(
        self, model: str, action: str, view: str, permission: str, rows: dict[str, Any], done: list[str], log_in: LogIn
    ) -> None:
        """Who may not see the row may not touch it."""
        assert post(log_in(permission), model, action, rows, **ANSWERS).status_code == 403
        assert done == []


def test_the_tabs_are_the_pages_that_one_may_see(log_in: LogIn, rows: dict[str, Any]) -> None:
    """No link leads to a refusal."""
    shown = log_in("view_process", "broadcast_membership").get(address("process_changelist", rows))

    assert [str(tab.title) for tab in shown.context["gqlws_tabs"]] == ["Processes", "Send a broadcast"]


@pytest.mark.parametrize(
    ("page", "column", "permission"),
    [
        ("process_changelist", "column-connections_total", "view_connection"),
        ("process_change", "field-subscriptions_total", "view_subscription"),
        ("connection_changelist", "column-subscriptions", "view_subscription"),
    ],
)
def test_counts_of_another_table(page: str, column: str, permission: str, rows: dict[str, Any], log_in: LogIn) -> None:
    """They are shown to who may see that table."""
    own = PAGES[{"process_changelist": "the processes", "process_change": "a process"}.get(page, "the connections")][1]

    client = log_in(own)
    assert column not in client.get(address(page, rows)).text

    user = client.get(address(page, rows)).wsgi_request.user
    user.user_permissions.add(Permission.objects.get(content_type__app_label="django_gqlws", codename=permission))  # type: ignore[union-attr]
    assert column in client.get(address(page, rows)).text


def test_the_connection_of_a_subscription(rows: dict[str, Any], log_in: LogIn) -> None:
    """Its address is neither shown nor found, and no link leads to it, unless one may see connections."""
    monitoring.Connection.objects.update(address="192.0.2.77")
    client = log_in("view_subscription")
    page, found = address("subscription_change", rows), f"{address('subscription_changelist', rows)}?q=192.0.2.77"
    link = reverse("admin:django_gqlws_connection_change", args=[rows["connection"].pk])

    assert "192.0.2.77" not in client.get(page).text
    assert link not in client.get(page).text
    assert client.get(found).context["cl"].result_count == 0

    user: Any = client.get(page).wsgi_request.user
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label="django_gqlws", codename="view_connection")
    )
    assert "192.0.2.77" in client.get(page).text
    assert link in client.get(page).text
    assert client.get(found).context["cl"].result_count == 1


def test_nothing_is_added_changed_or_deleted(staff: Client, rows: dict[str, Any]) -> None:
    """Not even by who may do everything: the rows are the processes' own."""
    pk = rows["connection"].pk

    assert staff.get(reverse("admin:django_gqlws_connection_add")).status_code == 403
    assert staff.post(reverse("admin:django_gqlws_connection_change", args=[pk]), {"user": "x"}).status_code == 403
    assert staff.post(reverse("admin:django_gqlws_connection_delete", args=[pk]), {"post": "yes"}).status_code == 403
