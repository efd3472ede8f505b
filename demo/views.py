from functools import wraps

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from demo import login_tokens, tour
from demo.sample_data import PASSWORDS

# All that the pages of the demo need. Nothing comes from elsewhere, nothing is inline.
POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " + "; ".join(
    f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")
)


def strict_policy(view):
    """A decorator for views: the browser runs and shows only what comes from this host's own files."""

    @wraps(view)
    def respond(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return respond


@require_GET
@strict_policy
def landing(request: HttpRequest) -> HttpResponse:
    """What there is to see and to try."""
    address = request.build_absolute_uri("/graphql/").replace("http", "ws", 1)
    # The passwords of demo_setup are well known; without DEBUG it makes no users.
    users = PASSWORDS if settings.DEBUG else {}
    return render(request, "demo/landing.html", {"users": users, "commands": tour.commands(address)})


@require_GET
@strict_policy
@ensure_csrf_cookie
def chat(request: HttpRequest) -> HttpResponse:
    """The page; everything on it comes over the socket."""
    return render(request, "demo/chat.html")


@require_POST
def login_with_token(request: HttpRequest) -> HttpResponse:
    """Set the session cookie for whoever has just logged in over the socket."""
    try:
        user = login_tokens.redeem(request.POST.get("token", ""))
    except login_tokens.LoginTokenError as error:
        return HttpResponse(str(error), status=403, content_type="text/plain")
    auth.login(request, user)
    return HttpResponse(status=204)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session of the cookie."""
    auth.logout(request)
    return HttpResponse(status=204)
