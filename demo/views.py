from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from demo import login_tokens


@require_GET
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
