"""``info.context``: one object per operation, shaped like Django's request as far as a socket has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NoReturn, Protocol
from uuid import UUID

from django.http import HttpHeaders, parse_cookie

from ..exceptions import NotSubscribedError
from .loaders import NO_LOADERS, Loaders

_DERIVED = ("user", "session", "headers", "COOKIES", "META", "loaders")
"""What is made when it is asked for."""

_OF_THE_CONNECTION = ("user", "session")


class Membership(Protocol):
    """The groups of a live subscription."""

    def join(self, groups: Sequence[Any]) -> Awaitable[None] | None: ...
    def leave(self, groups: Sequence[Any]) -> Awaitable[None] | None: ...


class _Loaders:
    """``OperationContext.loaders``, as long as the application puts nothing else there."""

    def __get__(self, context: OperationContext | None, owner: type) -> Any:
        return self if context is None else context.declared_loaders()


class _NeedsOwnChannel:
    """Answers for ``channel_name`` as long as the object has no such attribute of its own."""

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(NO_CHANNEL)


NO_CHANNEL = (
    "This connection has no channel of its own: write own_channel = True in the consumer class, or"
    ' "OWN_CHANNEL": True in GQLWS. (A process has one channel for all of its connections, which costs much less.)'
)


class OperationContext:
    """What resolvers get as ``info.context``: attribute and item access, also to what the application puts there.

    ``channels_scope`` is the connection's live ASGI scope: what is written to it lasts for the connection.
    ``user``, ``session``, ``headers``, ``COOKIES`` and ``META`` read like an ``HttpRequest``'s, so that a
    schema written for HTTP runs unchanged; a new ``user`` or ``session`` lasts for the connection.

    ``loaders`` are the data loaders that ``GQLWS["LOADERS"]`` declares, new ones for each execution: of a query, of a
    mutation, for a notification. To use them is not to look at the context: the result may still be shared.
    """

    __slots__ = ("__dict__", "__weakref__", "_loaders", "_membership")

    channel_name = _NeedsOwnChannel()
    loaders = _Loaders()

    def __init__(
        self,
        channels_scope: MutableMapping[str, Any],
        operation_id: str,
        operation_name: str | None,
        loaders: Loaders = NO_LOADERS,
    ) -> None:
        self.channels_scope = channels_scope
        self.graphql_operation_id = operation_id
        self.graphql_operation_name = operation_name
        self._loaders = loaders
        self._membership: Membership | None = None

    # Groups

    def join(self, *groups: str | int | UUID) -> Awaitable[None] | None:
        """Has this subscription listen to more groups of its class.

        On the event loop: await it, and no later broadcast to them is missed. In a worker thread it has happened when
        the call returns. It does nothing when the subscription is over.

        Raises NotSubscribedError if the operation is none, TypeError for what names no group, BroadcastError if the
        channel layer fails.
        """
        return self._groups().join(groups)

    def leave(self, *groups: str | int | UUID) -> Awaitable[None] | None:
        """Has this subscription listen to these groups no more, whoever joined them.

        Nothing that they have sent is delivered from then on, but what the ``publish`` that calls it returns. It is
        called, and raises, as `join`.
        """
        return self._groups().leave(groups)

    def take_membership(self, membership: Membership) -> None:
        """The subscription lives: from now on it can join and leave groups."""
        self._membership = membership

    def _groups(self) -> Membership:
        if self._membership is None:
            raise NotSubscribedError(" ".join((NotSubscribedError.__doc__ or "").split()))
        return self._membership

    def declared_loaders(self) -> Loaders:
        """The loaders of the execution that is running."""
        return self._loaders

    def renew_loaders(self) -> None:
        """An execution begins or ends: whoever asks from here on gets new ones."""
        self._loaders = self._loaders.fresh()

    @property
    def user(self) -> Any:
        """The connection's user. Needs channels' ``AuthMiddlewareStack``."""
        return self._from_scope("user", "AuthMiddlewareStack")

    @user.setter
    def user(self, user: Any) -> None:
        self._keep("user", user)

    @property
    def session(self) -> Any:
        """The connection's session. Needs channels' ``SessionMiddlewareStack``."""
        return self._from_scope("session", "SessionMiddlewareStack")

    @session.setter
    def session(self, session: Any) -> None:
        self._keep("session", session)

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

    def __delitem__(self, key: str) -> None:
        try:
            delattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def update(self, entries: Mapping[str, Any]) -> None:
        """Sets an attribute for each entry: of this operation alone, a ``user`` or a ``session`` included."""
        for name, value in entries.items():
            if name in _OF_THE_CONNECTION:
                self.__dict__[name] = value
            else:
                setattr(self, name, value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._asdict())

    def _asdict(self) -> dict[str, Any]:
        """Everything that can be read here, by its name."""
        return {**{name: getattr(self, name) for name in _DERIVED if name in self}, **self.__dict__}

    def _keep(self, key: str, value: Any) -> None:
        # What `get_context` has put here is of this operation alone, and so is what replaces it.
        (self.__dict__ if key in self.__dict__ else self.channels_scope)[key] = value

    def _from_scope(self, key: str, stack: str) -> Any:
        if key in self.__dict__:
            return self.__dict__[key]
        try:
            return self.channels_scope[key]
        except KeyError:
            raise AttributeError(
                f"info.context.{key} needs channels' {stack} around the URLRouter in asgi.py"
            ) from None


class ContextView:
    """The context of an execution whose result may still be shared: its loaders can be had, all else is a touch.

    It stands for the context until that is touched; it is equal to it, but another object.
    """

    __slots__ = ("__context", "__touch", "__weakref__")

    def __init__(self, context: OperationContext, touch: Callable[[], Any]) -> None:
        object.__setattr__(self, "_ContextView__context", context)
        object.__setattr__(self, "_ContextView__touch", touch)

    @property
    def loaders(self) -> Any:
        if "loaders" in self.__context.__dict__:  # The application's own: who knows what they look at.
            return self.__touch().loaders
        return self.__context.declared_loaders()

    @property  # type: ignore[misc]  # isinstance() asks for it.
    def __class__(self) -> Any:
        return type(self.__touch())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__touch(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__touch(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__touch(), name)

    def __getitem__(self, key: str) -> Any:
        return self.__touch()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.__touch()[key] = value

    def __delitem__(self, key: str) -> None:
        del self.__touch()[key]

    def __contains__(self, key: object) -> bool:
        return key in self.__touch()

    def __iter__(self) -> Iterator[str]:
        return iter(self.__touch())

    def __eq__(self, other: object) -> bool:
        return bool(self.__touch() == other)

    def __hash__(self) -> int:
        return hash(self.__touch())

    def __repr__(self) -> str:
        return repr(self.__touch())

    def __dir__(self) -> Any:
        return dir(self.__touch())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__touch().__reduce_ex__(protocol)

    def __getstate__(self) -> Any:
        return self.__touch().__getstate__()
