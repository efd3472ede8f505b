"""A login over the socket: who is logged in on the connection, what is in the session, what a browser sees of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import channels.auth
import django.contrib.auth
import graphene
import pytest
from asgiref.sync import async_to_sync
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.urls import path

from django_gqlws import GraphqlWsConsumer
from tests.integration.serving import serving
from tests.integration.threads import in_thread
from tests.support.client import Client, connect
from tests.support.tables import situations


class Me(graphene.Mutation):
    """Changes who is logged in, or what the session has."""

    class Arguments:
        save = graphene.Boolean(default_value=True)

    key = graphene.String()

    class Meta:
        abstract = True


class LoginAsync(Me):
    """By Channels."""

    @staticmethod
    async def mutate(root: Any, info: Any, save: bool) -> LoginAsync:
        await channels.auth.login(info.context.channels_scope, await User.objects.aget())
        if save:
            await info.context.session.asave()
        return LoginAsync(key=info.context.session.session_key)


class LoginAsyncAsOverHttp(Me):
    """By Django, as in an async view."""

    @staticmethod
    async def mutate(root: Any, info: Any, save: bool) -> LoginAsyncAsOverHttp:
        await django.contrib.auth.alogin(info.context, await User.objects.aget())
        if save:
            await info.context.session.asave()
        return LoginAsyncAsOverHttp(key=info.context.session.session_key)


class LoginSync(Me):
    """By Channels, in sync code."""

    @staticmethod
    def mutate(root: Any, info: Any, save: bool) -> LoginSync:
        async_to_sync(channels.auth.login)(info.context.channels_scope, User.objects.get())
        if save:
            info.context.session.save()
        return LoginSync(key=info.context.session.session_key)


class LoginAsOverHttp(Me):
    """By Django, as in a view."""

    @staticmethod
    def mutate(root: Any, info: Any, save: bool) -> LoginAsOverHttp:
        django.contrib.auth.login(info.context, User.objects.get())
        if save:
            info.context.session.save()
        return LoginAsOverHttp(key=info.context.session.session_key)


class Remember(Me):
    """Writes into the session."""

    @staticmethod
    def mutate(root: Any, info: Any, save: bool) -> Remember:
        info.context.session["cart"] = ["pen"]
        if save:
            info.context.session.save()
        return Remember(key=info.context.session.session_key)


class Logout(Me):
    @staticmethod
    def mutate(root: Any, info: Any, save: bool) -> Logout:
        django.contrib.auth.logout(info.context)
        return Logout()


class Query(graphene.ObjectType):
    me = graphene.String()

    @staticmethod
    def resolve_me(root: Any, info: Any) -> str:
        return str(info.context.user.get_username())


class Mutation(graphene.ObjectType):
    login_async = LoginAsync.Field()
    login_async_as_over_http = LoginAsyncAsOverHttp.Field()
    login_sync = LoginSync.Field()
    login_as_over_http = LoginAsOverHttp.Field()
    remember = Remember.Field()
    logout = Logout.Field()


class Consumer(GraphqlWsConsumer):
    schema = graphene.Schema(query=Query, mutation=Mutation)
    mask_errors = False


APPLICATION = AuthMiddlewareStack(URLRouter([path("", Consumer.as_asgi())]))
LOGINS = {
    "Channels' login": "loginAsync",
    "Channels' login in sync code": "loginSync",
    "Django's login": "loginAsOverHttp",
    "Django's async login": "loginAsyncAsOverHttp",
}


@pytest.fixture
def session(transactional_db: None) -> SessionStore:
    """The session of a visitor who has not logged in, with something in it."""
    User.objects.create_user("ada")
    session = SessionStore()
    session["theme"] = "dark"
    session.create()
    return session


@pytest.fixture
async def client(session: SessionStore) -> AsyncIterator[Client]:
    """An acknowledged socket of that visitor."""
    async with (
        serving(APPLICATION) as url,
        connect(url(""), headers={"Cookie": f"sessionid={session.session_key}"}) as client,
    ):
        await client.init()
        yield client


async def stored(key: str | None) -> dict[str, Any]:
    """What the database has under a key."""
    return await in_thread(lambda: SessionStore(key).load())


def over_http(key: str) -> str:
    """Whom Django sees in a browser with that cookie."""
    browser = Browser()
    browser.cookies["sessionid"] = key
    return str(django.contrib.auth.get_user(browser).get_username())


async def ask(client: Client, id: str, query: str) -> Any:
    result = await client.execute(id, query)
    assert "errors" not in result, result
    return result["data"]


@pytest.mark.parametrize("login", situations(LOGINS))
async def test_a_login_that_is_saved(client: Client, session: SessionStore, login: str) -> None:
    """The connection knows the user from then on; the session has a new key, and the browser's cookie is dead."""
    assert await ask(client, "1", "{ me }") == {"me": ""}

    key = (await ask(client, "2", f"mutation {{ {login} {{ key }} }}"))[login]["key"]

    assert await ask(client, "3", "{ me }") == {"me": "ada"}
    saved = await stored(key)
    assert (saved["theme"], saved["_auth_user_id"]) == ("dark", str((await User.objects.aget()).pk))
    assert await in_thread(over_http, key) == "ada"
    assert await in_thread(over_http, session.session_key) == ""


@pytest.mark.parametrize("login", situations(LOGINS))
async def test_a_login_that_is_not_saved(client: Client, login: str) -> None:
    """It lasts as long as the connection, and nobody saves the session by itself."""
    key = (await ask(client, "1", f"mutation {{ {login}(save: false) {{ key }} }}"))[login]["key"]

    assert await ask(client, "2", "{ me }") == {"me": "ada"}
    assert "_auth_user_id" not in await stored(key)


async def test_a_logout(client: Client) -> None:
    """Nobody is logged in on the connection, and the session is deleted."""
    key = (await ask(client, "1", "mutation { loginAsOverHttp { key } }"))["loginAsOverHttp"]["key"]

    await ask(client, "2", "mutation { logout { key } }")

    assert await ask(client, "3", "{ me }") == {"me": ""}
    assert not await Session.objects.filter(pk=key).aexists()


@pytest.mark.parametrize("save", ["true", "false"])
async def test_something_else_in_the_session(client: Client, session: SessionStore, save: str) -> None:
    """The key stays as it is: HTTP sees what was saved."""
    await ask(client, "1", f"mutation {{ remember(save: {save}) {{ key }} }}")

    saved = {"theme": "dark", "cart": ["pen"]} if save == "true" else {"theme": "dark"}
    assert await stored(session.session_key) == saved


async def test_a_session_that_was_deleted_meanwhile(client: Client, session: SessionStore) -> None:
    """To save it is an error: a logout elsewhere is not undone."""
    await ask(client, "1", "{ me }")
    await ask(client, "2", "mutation { remember(save: false) { key } }")
    await Session.objects.all().adelete()

    result = await client.execute("3", "mutation { remember { key } }")

    assert result["data"] == {"remember": None}
    assert len(result["errors"]) == 1
    assert not await Session.objects.aexists()
