"""The ``info`` that resolvers get: graphql-core's, but it notices when the context is looked at.

An execution that never touched ``info.context`` gave a result that depends on nothing but the document, the
variables and the root value: it may be shared by everybody who sent the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from graphql import GraphQLResolveInfo

from .context import ContextView

_FIELDS = GraphQLResolveInfo._fields
_CONTEXT = _FIELDS.index("context")


class Watch:
    """What one execution did: it stands where the context stands in the tuple, and gives it out when asked.

    Code that reads the tuple behind our back gets the watch itself, which passes everything on and notices that, too.
    """

    __slots__ = ("_context", "_has_loaders", "_on_touch", "_origin", "skipped", "touched")

    def __init__(self, context: Any, on_touch: Callable[[], None] | None = None, has_loaders: bool = False) -> None:
        self._context = context
        self._on_touch = on_touch
        self._has_loaders = has_loaders
        self._origin: Watch | None = None
        self.touched = False
        self.skipped = False

    def touch(self) -> Any:
        """The context; from now on the result belongs to this operation alone."""
        if not self.touched:
            self.touched = True
            if self._on_touch is not None:
                self._on_touch()
        return self._context

    def look(self) -> Any:
        """What ``info.context`` gives: while the result may still be shared, a view that lets loaders be read."""
        if self._has_loaders and self._on_touch is not None and not self.touched:
            return ContextView(self._context, self.touch)
        return self.touch()

    def renew_loaders(self) -> None:
        """Gives the context new loaders."""
        if self._has_loaders:
            self._context.renew_loaders()

    def skip(self) -> None:
        """There is nothing to send."""
        self.skipped = True
        if self._origin is not None:
            self._origin.skip()

    def with_context(self, context: Any) -> Watch:
        """A watch over somebody's own context, who knows what went into it: that counts as a touch."""
        self.touch()
        watch = Watch(context)
        watch._origin = self
        return watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.touch(), name)

    def __getitem__(self, key: Any) -> Any:
        return self.touch()[key]

    def __contains__(self, key: Any) -> bool:
        return key in self.touch()


class ResolveInfo(GraphQLResolveInfo):
    """A ``GraphQLResolveInfo`` whose every way to the context leads over the watch."""

    @property
    def context(self) -> Any:
        return watch_of(self).look()

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index] if _reaches_context(index) else tuple.__getitem__(self, index)

    def __iter__(self) -> Iterator[Any]:
        for index, value in enumerate(tuple.__iter__(self)):
            yield watch_of(self).touch() if index == _CONTEXT else value

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(_FIELDS, self, strict=True))

    def _replace(self, **changes: Any) -> GraphQLResolveInfo:  # type: ignore[override]
        if "context" in changes:
            changes["context"] = watch_of(self).with_context(changes["context"])
        kept = dict(zip(_FIELDS, tuple.__iter__(self), strict=True))  # The watch with the rest.
        return ResolveInfo(**{**kept, **changes})

    __replace__ = _replace

    def __copy__(self) -> ResolveInfo:
        return self


make_info = partial(tuple.__new__, ResolveInfo)
"""A `ResolveInfo` of the values of its fields; a named tuple's own constructor takes twice as long."""


def watch_of(info: ResolveInfo) -> Watch:
    """The watch of the execution that an ``info`` belongs to."""
    watch = tuple.__getitem__(info, _CONTEXT)
    # Somebody may have built an info from the parts of another one, and touched the context then.
    return watch if isinstance(watch, Watch) else Watch(watch)


def skip_result(info: GraphQLResolveInfo) -> None:
    """Tells the execution that its result is not for the client (``publish`` returned None)."""
    if isinstance(info, ResolveInfo):
        watch_of(info).skip()


def _reaches_context(index: Any) -> bool:
    if isinstance(index, slice):
        return _CONTEXT in range(*index.indices(len(_FIELDS)))
    return bool(index in (_CONTEXT, _CONTEXT - len(_FIELDS)))
