"""The demo under a strict Content-Security-Policy."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tests.acceptance.demo.settings import *  # noqa: F403

POLICY = (
    "default-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " style-src 'self' 'unsafe-inline'"
)


def strict_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Sends the policy with each page."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return respond


MIDDLEWARE = ["tests.acceptance.graphiql.settings.strict_policy", *MIDDLEWARE]  # noqa: F405
ROOT_URLCONF = "tests.acceptance.graphiql.urls"
