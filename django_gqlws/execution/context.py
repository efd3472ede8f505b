"""``info.context``: one object per operation, shaped like Django's request as far as a socket has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from django.http import HttpHeaders, parse_cookie


class OperationContext:
    """What resolvers get as ``info.context``: attribute and item access, also to what the application puts there.

    ``channels_scope`` is the connection's live ASGI scope: what is written to it lasts for the connection.
    ``user``, ``session``, ``headers``, ``COOKIES`` and ``META`` read like an ``HttpRequest``'s, so that a
    schema written for HTTP runs unchanged.
    """

    def __init__(self, channels_scope: MutableMapping[str, Any], operation_id: str, operation_name: str | None) -> None:
        self.channels_scope = channels_scope
        self.graphql_operation_id = operation_id
        self.graphql_operation_name = operation_name

    @property
    def user(self) -> Any:
        """The connection's user. Needs channels' ``AuthMiddlewareStack``."""
        return self._from_scope("user", "AuthMiddlewareStack")

    @property
    def session(self) -> Any:
        """The connection's session. Needs channels' ``SessionMiddlewareStack``."""
        return self._from_scope("session", "SessionMiddlewareStack")

    @property
    def META(self) -> dict[str, str]:  # noqa: N802 - Django's name
        """Headers and addresses under the names that WSGI gives them."""
        meta: dict[str, str] = {}
        for raw_name, raw_value in self.channels_scope.get("headers", ()):
            name = raw_name.decode("latin-1").upper().replace("-", "_")
            key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
            value = raw_value.decode("latin-1")
            meta[key] = f"{meta[key]},{value}" if key in meta else value
        meta["PATH_INFO"] = self.channels_scope.get("path", "")
        meta["QUERY_STRING"] = self.channels_scope.get("query_string", b"").decode("latin-1")
        for prefix, address in (("REMOTE", "client"), ("SERVER", "server")):
            if pair := self.channels_scope.get(address):
                meta["REMOTE_ADDR" if prefix == "REMOTE" else "SERVER_NAME"] = str(pair[0])
                meta[f"{prefix}_PORT"] = str(pair[1])
        return meta

    @property
    def headers(self) -> HttpHeaders:
        """The headers of the handshake, case-insensitive."""
        return HttpHeaders(self.META)

    @property
    def COOKIES(self) -> dict[str, str]:  # noqa: N802 - Django's name
        """The cookies of the handshake."""
        cookies = self.channels_scope.get("cookies")
        return parse_cookie(self.META.get("HTTP_COOKIE", "")) if cookies is None else cookies

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def _asdict(self) -> Mapping[str, Any]:
        return dict(self.__dict__)

    def _from_scope(self, key: str, stack: str) -> Any:
        try:
            return self.channels_scope[key]
        except KeyError:
            raise AttributeError(
                f"info.context.{key} needs channels' {stack} around the URLRouter in asgi.py"
            ) from None
