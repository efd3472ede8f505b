"""A login over the socket that lasts: the token, the cookie, and what the page makes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import signing
from playwright.async_api import expect

from demo import login_tokens
from demo.login_tokens import LIFETIME_SECONDS, LoginTokenError
from tests.acceptance.demo.conftest import Visitor
from tests.conftest import one_loop
from tests.support.client import connect
from tests.support.demo import DemoServer, Relay, log_in


@pytest.fixture
def user(db: None) -> User:
    """Somebody who has never logged in."""
    return User.objects.create_user("carol")


class TestToken:
    def test_it_names_the_user(self, user: User) -> None:
        """Redeemed, it gives the user it was issued for, and notes the login."""
        token = login_tokens.issue(user)

        redeemed = login_tokens.redeem(token)

        assert redeemed == user
        assert redeemed.last_login is not None

    def test_the_second_use_is_refused(self, user: User) -> None:
        """A token that was overheard is worth nothing once it was used."""
        token = login_tokens.issue(user)
        login_tokens.redeem(token)

        with pytest.raises(LoginTokenError, match="log in again"):
            login_tokens.redeem(token)

    def test_the_next_login_gets_a_token_that_works(self, user: User) -> None:
        """Tokens are single-use, users are not."""
        login_tokens.redeem(login_tokens.issue(user))
        user.refresh_from_db()

        assert login_tokens.redeem(login_tokens.issue(user)) == user

    def test_another_login_voids_it(self, user: User) -> None:
        """Of two tokens on their way, the first that arrives wins."""
        first, second = login_tokens.issue(user), login_tokens.issue(user)
        login_tokens.redeem(second)

        with pytest.raises(LoginTokenError):
            login_tokens.redeem(first)

    def test_after_its_lifetime_it_is_refused(self, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """A minute later it has expired."""
        token = login_tokens.issue(user)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + LIFETIME_SECONDS + 1)

        with pytest.raises(LoginTokenError):
            login_tokens.redeem(token)

    @pytest.mark.parametrize("change", [str.swapcase, lambda token: token[:-1], lambda token: ""])
    def test_a_changed_one_is_refused(self, user: User, change: Callable[[str], str]) -> None:
        """Nobody but the server writes tokens."""
        token = login_tokens.issue(user)

        with pytest.raises(LoginTokenError):
            login_tokens.redeem(change(token))

    def test_one_signed_for_another_purpose_is_refused(self, user: User) -> None:
        """The signature counts for logins alone."""
        token = signing.dumps({"user": user.pk, "previous_login": None}, salt="something else")

        with pytest.raises(LoginTokenError):
            login_tokens.redeem(token)

    def test_of_a_user_who_was_deactivated_it_is_refused(self, user: User) -> None:
        """Who has been locked out meanwhile stays out."""
        token = login_tokens.issue(user)
        User.objects.update(is_active=False)

        with pytest.raises(LoginTokenError):
            login_tokens.redeem(token)


def post_token(server: DemoServer, token: str, *, with_csrf_token: bool = True) -> tuple[int, str]:
    """Post a login token as a fresh browser would; the status and the names of the cookies it is given."""
    connection = HTTPConnection(urlsplit(server.http_url).netloc)
    try:
        connection.request("GET", "/chat/")
        page = connection.getresponse()
        page.read()
        cookie = page.getheader("Set-Cookie", "").partition(";")[0]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        if with_csrf_token:
            headers["X-CSRFToken"] = cookie.removeprefix("csrftoken=")
        connection.request("POST", "/login/", urlencode({"token": token}), headers)
        answer = connection.getresponse()
        answer.read()
        cookies = answer.msg.get_all("Set-Cookie") or []
        return answer.status, " ".join(sorted(cookie.partition("=")[0] for cookie in cookies))
    finally:
        connection.close()


class TestLoginView:
    async def test_the_token_is_exchanged_for_a_session(self, demo: DemoServer) -> None:
        """The answer sets the cookie of a session."""
        async with connect(demo.ws_url) as client:
            await client.init()
            token = await log_in(client, "alice")

        assert await asyncio.to_thread(post_token, demo, token) == (204, "csrftoken sessionid")

    async def test_without_a_csrf_token_it_is_refused(self, demo: DemoServer) -> None:
        """Another site cannot log anybody in."""
        async with connect(demo.ws_url) as client:
            await client.init()
            token = await log_in(client, "alice")

        assert await asyncio.to_thread(post_token, demo, token, with_csrf_token=False) == (403, "")

    async def test_of_many_posts_to_two_processes_one_succeeds(self, demo_data: Path) -> None:
        """A token is used once, however many try at the same moment."""
        with DemoServer(demo_data) as one, DemoServer(demo_data) as other:
            async with connect(one.ws_url) as client:
                await client.init()
                token = await log_in(client, "alice")

            answers = await asyncio.gather(
                *(asyncio.to_thread(post_token, server, token) for server in (one, other) * 4)
            )

        assert sorted(answers) == [(204, "csrftoken sessionid")] + [(403, "")] * 7


@one_loop
class TestPage:
    async def test_a_login_survives_a_reload_and_a_cut_connection(
        self, demo: DemoServer, visitor: Visitor, key: str
    ) -> None:
        """The cookie says who one is, on every new connection."""
        async with Relay(demo.port) as relay:
            alice = await visitor(relay.http_url, "alice")

            await alice.page.reload()
            await alice.is_logged_in_as("alice")

            await relay.cut()
            await alice.sees_state("connection lost, trying again")
            await relay.mend()
            await alice.sees_state("connected")
            await alice.is_logged_in_as("alice")
            await alice.write(key)
            await alice.sees(key)

    async def test_a_logout_lasts_too(self, demo: DemoServer, visitor: Visitor) -> None:
        """After a reload one is still nobody."""
        alice = await visitor(demo.http_url, "alice")

        async with alice.page.expect_response("**/logout/") as response:
            await alice.page.get_by_role("button", name="Log out").click()
        assert (await response.value).status == 204
        await alice.is_anonymous()

        await alice.page.reload()
        await alice.sees_state("connected")
        await alice.is_anonymous()

    async def test_a_wrong_password_is_explained(self, demo: DemoServer, visitor: Visitor) -> None:
        """The page shows the server's words and stays where it is."""
        page = await visitor(demo.http_url)

        await page.page.get_by_label("User name").fill("alice")
        await page.page.get_by_label("Password").fill("guess")
        await page.page.get_by_role("button", name="Log in").click()

        await expect(page.problem).to_contain_text("do not match")
        await page.is_anonymous()
