"""Waits that take long: what function is told, what ends them. For all calls of an object, or for those in a block."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeVar, cast

from lockfree import _native
from lockfree._errors import INTERRUPTED
from lockfree._gevent import refuse_greenlets
from lockfree._native import blocking, exporter
from lockfree._segment import Shared, check_call
from lockfree._waiting import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockfree._survey import Peer

    OnSlow = Callable[[Any, float, list[Peer]], object]

LEAST: Final = 0.001
"""Seconds, of `slow_after`."""
AS_THE_OBJECT, WAITS, RAISES = 0, 1, 2
"""What a wait does when nobody is left (lf_tell_here of peers.h)."""


class Scope(NamedTuple):
    """What `waiting` says of the waits of one object in a block. The C types read it by position (waits.h)."""

    shared: Any
    told: int
    """AS_THE_OBJECT: the scope around it, or the object, says so."""
    after: int
    """ns; 0: the scope around it, or the object, says whom to call."""
    on_slow: "OnSlow | None"
    outer: "Scope | None"


scopes: Final[ContextVar[Scope | None]] = ContextVar("lockfree.waiting", default=None)
_Block: Final[Any] = exporter("scope")
T = TypeVar("T")


def _block(make: "Callable[[Scope | None], Scope | None]", given: T) -> AbstractContextManager[T]:
    """A block that gets `given`, in which `scopes` is what make(outer) returns. Nothing of it outlives the block."""
    _native.use_scopes(scopes)
    return cast("AbstractContextManager[T]", _Block(scopes, make, given))


def told_here(objects: "list[Any]", told: int) -> AbstractContextManager[None]:
    """A block in which waits of these objects end as `told` says, if nobody is left."""

    def around(outer: Scope | None) -> Scope | None:
        for shared in objects:
            outer = Scope(shared, told, 0, None, outer)
        return outer

    return _block(around, None)


def check_slow(on_slow: object, slow_after: object) -> int:
    """`slow_after` in nanoseconds, 0 without `on_slow`. TypeError, ValueError or OverflowError."""
    check_call("on_slow", on_slow, ", or None")
    after = span("slow_after", slow_after, LEAST)
    return after if on_slow is not None else 0


class Wait:
    """One wait of an object, from now on: what is wanted of it, and how long it has taken."""

    __slots__ = ("after", "began", "due", "looked", "shared", "told")

    def __init__(self, shared: "Patient") -> None:
        self.shared = shared
        self.told, self.after = shared._wanted_here()
        self.began = time.monotonic_ns()
        self.due = self.began + self.after
        self.looked = False

    def between(self) -> None:
        """Between two slices of the wait. What `on_slow` raises ends it."""
        if not self.looked:
            self.looked = True
            self.shared._refuse_greenlets()
        if self.after and (now := time.monotonic_ns()) >= self.due:
            self.due = now + self.after
            self.shared._slow((now - self.began) / 1e9)


class Patient(Shared):
    """An object with calls that wait."""

    _on_slow: "OnSlow | None" = None
    _slow_after: int = 0

    def watch(self, on_slow: "OnSlow | None", slow_after: float = 1.0) -> None:
        """Calls `on_slow(self, seconds, peers)` when a call of this object has waited `slow_after` seconds here, and
        again each time as long has passed. None: no more.

        It runs in the thread that waits, which holds nothing of the object then. So it may ask who is late: `peers` is
        what `peers()` says. What it raises ends the wait; nothing was taken. It is called up to 0.1 s late. It belongs
        to this object and does not travel. `waiting` says it for single calls.
        """
        after = check_slow(on_slow, slow_after)
        self._require_open()
        self._on_slow, self._slow_after = on_slow, after
        tell = getattr(self, "_tell_slow", None)  # of the C types
        if tell is not None:
            tell(after)

    def waiting(self, *, on_slow: "OnSlow | None" = None, slow_after: float = 1.0) -> AbstractContextManager[Self]:
        """`with lock.waiting(on_slow=late, slow_after=2):` as `watch`, for the calls in the block alone.

        It holds for the calling thread, or the calling task of asyncio, and comes before what `watch` said. Also for
        calls without arguments, such as `with lock`.
        """
        return self._scope(AS_THE_OBJECT, on_slow, slow_after)

    def _scope(self, told: int, on_slow: "OnSlow | None", slow_after: float) -> AbstractContextManager[Self]:
        after = check_slow(on_slow, slow_after)
        self._require_open()

        def around(outer: Scope | None) -> Scope | None:
            for shared in self._waits_for():
                outer = Scope(shared, told, after, on_slow, outer)
            return outer

        return _block(around, self)

    def _waits_for(self) -> "tuple[Patient, ...]":
        """The objects in which calls of this one wait."""
        return (self,)

    def _scopes(self) -> Iterator[Scope]:
        """Those of this object around the caller, the innermost first."""
        scope = scopes.get()
        while scope is not None:
            if scope.shared is self:
                yield scope
            scope = scope.outer

    def _wanted_here(self) -> tuple[int, int]:
        """(told, after) of the waits of this object that begin here and now."""
        told = after = 0
        for scope in self._scopes():
            told, after = told or scope.told, after or scope.after
        return told, after or self._slow_after

    def _refuse_greenlets(self) -> None:
        refuse_greenlets(self._title())

    def _slow(self, seconds: float) -> None:
        """A wait has become long: by the C types, too."""
        on_slow = next((scope.on_slow for scope in self._scopes() if scope.after), self._on_slow)
        if on_slow is not None:
            on_slow(self, seconds, self.peers())

    def _until_done(self, call: Any, *arguments: Any) -> int:
        """What `call`, which waits, says when it is done. Between two slices of it Python serves its signals."""
        wait, status = Wait(self), INTERRUPTED
        while status == INTERRUPTED:
            blocking.lf_tell_here(wait.told)
            status = call(*arguments)
            if status == INTERRUPTED:
                wait.between()
        return int(status)
