"""``info.context.loaders``: data loaders that live as long as one execution.

A loader belongs to the event loop: what it keeps (a queue, a cache) knows no locks, and its batches run there. Plain
functions run in worker threads. So there a loader is a stand-in whose method calls are made on the loop, when the
thread is done with its job: all loads of a job, and of jobs beside it, go into one batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import isawaitable
from typing import Any

from . import workers

Factories = Mapping[str, Callable[[], Any]]
"""What makes the loaders, by name. Factories get no context: what a loader gives depends on its keys alone."""


class Loaders:
    """The loaders of one execution, by attribute or item; each is made when it is first asked for."""

    __slots__ = ("_factories", "_loop", "_made")

    def __init__(self, factories: Factories) -> None:
        self._factories = factories
        self._loop = asyncio.get_running_loop() if factories else None
        self._made: dict[str, Any] = {}

    def fresh(self) -> Loaders:
        """Loaders of the same kinds that have not loaded anything."""
        return Loaders(self._factories) if self._made else self

    def __getitem__(self, name: str) -> Any:
        if name not in self._factories:
            known = f" There are: {', '.join(self._factories)}." if self._factories else ""
            raise KeyError(f'There is no loader {name!r}: declare it in GQLWS["LOADERS"].{known}')
        return self._find(name) if self._is_on_loop() else _Elsewhere(self, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __contains__(self, name: object) -> bool:
        return name in self._factories

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def _is_on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def _find(self, name: str) -> Any:
        loader = self._made.get(name)
        if loader is None:
            loader = self._made[name] = self._factories[name]()
        return loader

    def _call(self, name: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a loader's method where loaders live; elsewhere the answer is a future."""
        if self._is_on_loop():
            return getattr(self._find(name), method)(*args, **kwargs)
        assert self._loop is not None
        answer: asyncio.Future[Any] = self._loop.create_future()
        call = partial(self._answer, answer, name, method, *args, **kwargs)
        if workers.in_worker():
            # Behind the job: nothing of an operation runs in two threads at once.
            asyncio.get_event_loop().call_soon(call)
        else:
            self._loop.call_soon_threadsafe(call)
        return answer

    def _answer(self, answer: asyncio.Future[Any], *called: Any, **kwargs: Any) -> None:
        try:
            result = self._call(*called, **kwargs)
        except Exception as error:
            result = asyncio.get_running_loop().create_future()
            result.set_exception(error)
        if isawaitable(result):
            asyncio.ensure_future(result).add_done_callback(partial(_pass_on, answer))
        elif not answer.done():
            answer.set_result(result)


NO_LOADERS = Loaders({})


class _Elsewhere:
    """A loader outside of its event loop: every method gives an awaitable."""

    __slots__ = ("_loaders", "_name")

    def __init__(self, loaders: Loaders, name: str) -> None:
        self._loaders = loaders
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._loaders._call, self._name, method)


def _pass_on(answer: asyncio.Future[Any], loaded: asyncio.Future[Any]) -> None:
    if answer.done():
        return
    if loaded.cancelled():
        answer.cancel()
    elif (error := loaded.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(loaded.result())
