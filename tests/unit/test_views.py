"""GraphiQL's page, as the server makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.urls import include, path, set_script_prefix

from django_gqlws import views
from django_gqlws.checks import check_graphiql
from django_gqlws.views import GraphiQLView
from tests.support.tables import situations

urlpatterns = [path("api/", include("django_gqlws.urls"))]


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the files had been built."""
    monkeypatch.setattr(views, "is_built", lambda: True)


@pytest.fixture
def sub_path() -> Iterator[str]:
    """The project is served below this path."""
    # Within it, because the storage of static files remembers the path.
    with override_settings(STATIC_URL="static/"):
        set_script_prefix("/shop/")
        yield "/shop/"
        set_script_prefix("/")


def request(user: Any = None) -> HttpRequest:
    """A request for the page by somebody, with DEBUG off."""
    asked = RequestFactory().get("/graphiql/")
    asked.user = user or User(username="staff", is_staff=True)
    return asked


def page(**attributes: Any) -> str:
    """The page's HTML."""
    response = GraphiQLView.as_view(**attributes)(request())
    return response.render().content.decode()  # type: ignore[attr-defined, no-any-return]


def config(**attributes: Any) -> dict[str, Any]:
    """What the page tells its script."""
    found = re.search(r'<script id="gqlws-graphiql-config" type="application/json">(.*?)</script>', page(**attributes))
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


class TestWhoMaySeeIt:
    @pytest.mark.parametrize("user", [AnonymousUser(), User(username="bob"), User(is_staff=True, is_active=False)])
    def test_others_than_staff(self, user: Any) -> None:
        """They are refused, with DEBUG off."""
        with pytest.raises(PermissionDenied, match="members of staff"):
            GraphiQLView.as_view()(request(user))

    def test_anybody_with_debug(self) -> None:
        """While a project is developed nobody logs in for it."""
        with override_settings(DEBUG=True):
            assert GraphiQLView.as_view()(request(AnonymousUser())).status_code == 200

    def test_a_rule_of_the_project(self) -> None:
        """It decides alone."""
        view = GraphiQLView.as_view(permission=lambda asked: asked.user.username == "bob")

        assert view(request(User(username="bob"))).status_code == 200
        with pytest.raises(PermissionDenied):
            view(request())

    def test_a_project_without_users(self) -> None:
        """Nobody is staff."""
        with pytest.raises(PermissionDenied):
            GraphiQLView.as_view()(RequestFactory().get("/graphiql/"))


class TestEndpoint:
    def test_by_default(self) -> None:
        """It is where `websocket_urlpatterns` has it."""
        assert config()["endpoint"] == "/graphql/"

    def test_below_a_path(self, sub_path: str) -> None:
        """It is below the project's own path, and so are the workers."""
        told = config()

        assert told["endpoint"] == "/shop/graphql/"
        assert told["workers"]["json"] == "/shop/static/django_gqlws/graphiql/json.worker.js"

    @pytest.mark.parametrize("endpoint", ["/ws/", "wss://example.com/graphql/"])
    def test_another_one(self, sub_path: str, endpoint: str) -> None:
        """A path of the host and a URL are taken as they are."""
        assert config(endpoint=endpoint)["endpoint"] == endpoint


class TestPage:
    def test_no_script_is_inline(self) -> None:
        """What is not JSON has an address: a strict Content-Security-Policy lets it pass."""
        tags = re.findall(r"<script[^>]*>", page(connection_params={"token": "</script>"}))

        assert tags == [
            '<script id="gqlws-graphiql-config" type="application/json">',
            '<script defer src="/static/django_gqlws/graphiql/graphiql.js">',
        ]

    def test_without_an_editor_of_connection_params(self) -> None:
        """The script is told so."""
        assert config(connection_params=None)["connectionParams"] is None

    def test_files_that_are_not_built(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page says what to run, and loads nothing."""
        monkeypatch.setattr(views, "is_built", lambda: False)

        shown = page()

        assert "python frontend/build.py" in shown
        assert "<script" not in shown

    def test_static_files_of_another_host(self) -> None:
        """The page says that workers cannot be loaded from there."""
        with override_settings(STATIC_URL="https://cdn.example.com/"):
            assert "cdn.example.com" in page()

    def test_static_files_that_were_not_collected(self) -> None:
        """The page says what to run."""
        storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
        with override_settings(
            STORAGES=storages, STATIC_ROOT="/nonexistent", INSTALLED_APPS=["django.contrib.staticfiles", "django_gqlws"]
        ):
            assert "collectstatic" in page()


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the defaults": ({}, []),
    "an endpoint of another scheme": ({"endpoint": "ftp://example.com/"}, ["gqlws.E010"]),
    "an endpoint that is no text": ({"endpoint": 5}, ["gqlws.E010"]),
    "a query that is no text": ({"default_query": None}, ["gqlws.E010"]),
    "params that are no JSON": ({"connection_params": {"key": object()}}, ["gqlws.E010"]),
    "params that are a list": ({"connection_params": []}, ["gqlws.E010"]),
    "no params": ({"connection_params": None}, []),
    "a permission that cannot be asked": ({"permission": True}, ["gqlws.E010"]),
}


@pytest.mark.parametrize(("attributes", "ids"), situations(WRONG))
def test_the_check_of_attributes(attributes: dict[str, Any], ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wrong one is found where the view has its address, and the hint says what it must be."""
    monkeypatch.setitem(globals(), "urlpatterns", [path("", GraphiQLView.as_view(**attributes))])
    with override_settings(ROOT_URLCONF=__name__):
        found = check_graphiql()

    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


def test_the_check_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are missing are a warning, in a project that has the page."""
    monkeypatch.setattr(views, "is_built", lambda: False)
    with override_settings(ROOT_URLCONF=__name__):
        assert [message.id for message in check_graphiql()] == ["gqlws.W010"]

    assert check_graphiql() == []
