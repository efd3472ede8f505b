"""The demo under a Content-Security-Policy as strict as Django's own admin bears, with quick beats of the registry."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tests.acceptance.demo.settings import *  # noqa: F403

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def strict_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Sends the policy with each page."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return respond


MIDDLEWARE = ["tests.acceptance.admin.settings.strict_policy", *MIDDLEWARE]  # noqa: F405
GQLWS = {**GQLWS, "MONITORING_INTERVAL": 1}  # noqa: F405
