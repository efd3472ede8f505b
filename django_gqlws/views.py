"""GraphiQL over the WebSocket: a page to write queries, mutations and subscriptions on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.views.generic import TemplateView

FOLDER = "django_gqlws/graphiql/"
WORKERS = ("editor", "graphql", "json")
BUILD = "python frontend/build.py"
"""What makes the page's files, in a clone of the repository. The wheel and the sdist have them."""

DEFAULT_QUERY = """\
# Queries, mutations and subscriptions run over one WebSocket.
# Ctrl-Enter (Cmd-Enter) runs what the cursor is in.

{
  __typename
}
"""


def debug_or_staff(request: HttpRequest) -> bool:
    """Whether DEBUG is on, or a member of staff is logged in."""
    user = getattr(request, "user", None)
    return settings.DEBUG or bool(user is not None and user.is_active and user.is_staff)


def is_built() -> bool:
    """Whether the page's files are there."""
    return (Path(__file__).parent / "static" / FOLDER / "graphiql.js").exists()


class GraphiQLView(TemplateView):
    """A page with GraphiQL. Each attribute can be given to `as_view`.

    path("graphiql/", GraphiQLView.as_view(endpoint="/api/graphql/"))
    """

    template_name = "django_gqlws/graphiql.html"
    http_method_names = ["get", "head", "options"]

    title: str = "GraphiQL"
    """What the page is called."""

    endpoint: str = "graphql/"
    """Where the consumer is: below the path that the project is served at; ``/...``: a path of the host; or a URL."""

    default_query: str = DEFAULT_QUERY
    """What a new tab begins with."""

    connection_params: Mapping[str, Any] | None = {}
    """The payload of ``connection_init`` that the editor of connection params begins with. None: there is no editor."""

    permission: Callable[[HttpRequest], bool] = staticmethod(debug_or_staff)
    """Who may see the page; others get a 403."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, or PermissionDenied."""
        if not self.permission(request):
            raise PermissionDenied("GraphiQL is for members of staff here: log in as one, or change `permission`.")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Of the template: ``title``, ``folder``, and either ``config`` or ``problem``."""
        problem = files_problem(self.request)
        config = None if problem else self.get_config()
        return super().get_context_data(title=self.title, folder=FOLDER, problem=problem, config=config, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """What the page's script is told; JSON."""
        return {
            "title": self.title,
            "endpoint": urljoin(get_script_prefix(), self.endpoint),
            "defaultQuery": self.default_query,
            "connectionParams": self.connection_params,
            "workers": {name: static(f"{FOLDER}{name}.worker.js") for name in WORKERS},
        }


def files_problem(request: HttpRequest | None = None) -> str | None:
    """Why the page's files cannot be used, and what to do; None if they can, as far as one sees."""
    if not is_built():
        return f"The files of GraphiQL are not built. Run `{BUILD}` in the clone of django_gqlws (it needs Node.js)."
    try:
        host = urlsplit(static(f"{FOLDER}graphiql.js")).netloc
    except ValueError:
        return "The static files do not contain GraphiQL. Run `python manage.py collectstatic`."
    if host and (request is None or host != request.get_host()):
        return (
            f"STATIC_URL is on another host ({host}), and a browser starts workers from the page's own host only."
            " Serve django_gqlws/graphiql/ below a STATIC_URL of this host."
        )
    return None


def attribute_problems(view: GraphiQLView) -> Iterator[tuple[str, str]]:
    """Yields the attributes of a view that are wrong, with what they must be."""
    if not _is_address(view.endpoint):
        yield "endpoint", "a path such as 'graphql/', or a URL such as 'wss://example.com/graphql/'"
    for name in ("title", "default_query"):
        if not isinstance(getattr(view, name), str):
            yield name, "a text"
    if view.connection_params is not None and not _is_json_object(view.connection_params):
        yield "connection_params", "None, or a dict that can be written as JSON"
    if not _is_callable(view.permission):
        yield "permission", "a callable that takes the request, such as `lambda request: request.user.is_staff`"


def _is_callable(value: Any) -> bool:
    return callable(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("", "ws", "wss", "http", "https")


def _is_json_object(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, Mapping)
