"""Short-lived, single-use tokens that turn a login over the socket into a cookie.

A WebSocket cannot set a cookie. So the login mutation answers with a token, and the page posts it over HTTP
to the view that starts the session. The token names the user's previous login: redeeming it moves
`last_login` on with one conditional UPDATE, so that of several attempts, in any number of processes, one
succeeds.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.core import signing
from django.utils import timezone
from django.utils.dateparse import parse_datetime

LIFETIME_SECONDS = 60
_SALT = "demo.login"


class LoginTokenError(Exception):
    """The login token has expired, was used or is not ours: log in again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def issue(user: Any) -> str:
    """A token that logs `user` in once within the next minute; another login of the user voids it."""
    previous = user.last_login and user.last_login.isoformat()
    return signing.dumps({"user": user.pk, "previous_login": previous}, salt=_SALT)


def redeem(token: str) -> Any:
    """The user whom `token` logs in; LoginTokenError at the second use."""
    try:
        claim = signing.loads(token, salt=_SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature as error:
        raise LoginTokenError from error
    previous = claim["previous_login"] and parse_datetime(claim["previous_login"])
    user = get_user_model()._default_manager.filter(pk=claim["user"], is_active=True)
    if not user.filter(last_login=previous).update(last_login=timezone.now()):
        raise LoginTokenError
    return user.get()
