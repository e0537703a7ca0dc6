"""Barrier: threads and processes wait for each other, again and again."""

import atexit
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any, Literal, Self

from lockfree._awaited import AwaitedBarrier
from lockfree._errors import OK, TIMEDOUT, raise_status
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import check_call, check_int, check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Chosen, Spin, chosen
from lockfree._waiting import FOREVER, patience, remaining, until

__all__ = ["Barrier"]

MOST = 65535

_open: "dict[int, weakref.ref[Barrier]]" = {}
"""By id(), and without callbacks: an exception out of a signal handler would be lost in one."""


def _leave() -> None:
    for reference in list(_open.values()):
        barrier = reference()
        if barrier is not None:
            barrier.close()


class _End:
    """Leaves the barriers at the ordinary end of this process. Children of multiprocessing end without `atexit`."""

    crowd = 64
    process = 0
    finalizer: Any = None

    def watch(self) -> None:
        util = sys.modules.get("multiprocessing.util")
        if self.process == os.getpid() and (util is None or (self.finalizer and self.finalizer.still_active())):
            return
        if self.process == 0:
            atexit.register(_leave)
        self.process = os.getpid()
        if util is not None:
            self.finalizer = util.Finalize(None, _leave, exitpriority=0)
            util.register_after_fork(self, _End.watch)  # a child forgets the finalizers when it begins


_end = _End()


def _leave_at_exit(barrier: "Barrier") -> None:
    """An ordinary end of this process is no death."""
    known = _open.get(id(barrier))
    if known is None or known() is not barrier:
        _open[id(barrier)] = weakref.ref(barrier)
        if len(_open) > _end.crowd:
            for number, reference in list(_open.items()):
                if reference() is None:
                    _open.pop(number, None)
            _end.crowd = max(64, 2 * len(_open))
    _end.watch()


class Calls(AwaitedBarrier, Waiter):
    """What a barrier can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_barrier"
    _attach = blocking.lf_barrier_attach
    _attach_fd = blocking.lf_barrier_attach_fd
    _close = lib.lf_barrier_close

    _action: Callable[[], object] | None = None
    _timeout: float | None = None
    parties = Chosen[int]()

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        check_spin(spin)
        parties, name = check_int("parties", parties, 1, MOST), check_name(name)
        patience(True, timeout)
        check_call("action", action, ", or None")
        handle = self._begin(name)
        self._action, self._timeout = action, timeout
        encoded = NULL if name is None else name.encode()
        self._created(handle, blocking.lf_barrier_create(handle, encoded, parties), spin)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {"parties": given["parties"]}

    def _attached(self) -> None:
        chosen(self, parties=self._h.parties)

    def wait(self, timeout: float | None = None) -> int:
        """Waits until all parties have called it; the place in which this one came, 0 to `parties` - 1.

        The last one runs `action` before the others go on. `BrokenBarrierError` if the barrier is broken, or breaks
        meanwhile. A wait of more than `timeout` seconds breaks it (None: the barrier's own time-out).
        """
        handle = self._h
        limit = until(remaining(self._timeout if timeout is None else timeout))
        box = ffi.new("uint64_t *")
        while (place := int(lib.lf_barrier_arrive(handle, self._action is not None, box))) == lib.LF_BUSY:
            self._sleep(handle, box[0], FOREVER)  # an action runs
        if place < 0:
            raise_status(place, self._title(), handle)
        status, done = OK, False
        try:
            if place + 1 < self.parties:
                status = self._sleep(handle, box[0], limit)
            elif self._action is not None:
                self._action()
                status = lib.lf_barrier_open(handle, box[0])
            done = status in {OK, lib.LF_BROKEN}
        finally:
            ended = OK if done else lib.lf_barrier_give_up(handle, box[0])
        return self._passed(handle, place, status, ended)

    def _passed(self, handle: Any, place: int, status: int, ended: int) -> int:
        """The end of a wait: its place, or what broke it. `ended`: what giving the wait up said."""
        if status == TIMEDOUT or (status == lib.LF_CLOSED and ended == OK):
            status = ended
        if status != OK:
            raise_status(status, self._title(), handle)
        return place

    def _sleep(self, handle: Any, round_: int, limit: int) -> int:
        return self._until_done(blocking.lf_barrier_sleep, handle, round_, limit)

    def abort(self) -> None:
        """Breaks the barrier: all that wait, and all that come, get `BrokenBarrierError`."""
        handle = self._h
        self._checked(handle, lib.lf_barrier_abort(handle))

    def reset(self) -> None:
        """Makes the barrier new. All that wait get `BrokenBarrierError`."""
        handle = self._h
        self._checked(handle, lib.lf_barrier_reset(handle))

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""
        handle = self._h
        return self._checked(handle, lib.lf_barrier_broken(handle)) == 1

    @property
    def n_waiting(self) -> int:
        """How many wait."""
        handle = self._h
        return self._checked(handle, lib.lf_barrier_waiting(handle))

    def _checked(self, handle: Any, status: int) -> int:
        if status < OK:
            raise_status(status, self._title(), handle)
        return int(status)


class Barrier(Native[Literal["barrier"]], Calls):
    """`parties` threads of any processes wait for each other, with the methods of `threading.Barrier`.

    `action` belongs to this object and is not shared: the last party runs its own. It travels if it can be pickled.

    Progress: `wait` sleeps in the kernel. `abort` and `reset` are lock-free.

    Death: if a process that uses the barrier is killed, crashes, or ends by `os._exit`, the barrier breaks, since the
    others may wait for it. A process that ends in the ordinary way, or closes the object, breaks it only while one of
    its threads waits.

    Source: docs/primitives/barrier.md.
    """

    def _attached(self) -> None:
        super()._attached()
        _leave_at_exit(self)

    def wait(self, timeout: float | None = None) -> int:
        _leave_at_exit(self)  # in a forked child, too
        return super().wait(timeout)

    async def await_(self, timeout: float | None = None) -> int:
        _leave_at_exit(self)
        return await super().await_(timeout)

    def abort(self) -> None:
        _leave_at_exit(self)
        super().abort()

    def reset(self) -> None:
        _leave_at_exit(self)
        super().reset()

    wait.__doc__, await_.__doc__ = Calls.wait.__doc__, Calls.await_.__doc__
    abort.__doc__, reset.__doc__ = Calls.abort.__doc__, Calls.reset.__doc__

    def __repr__(self) -> str:
        name = f" name={self.name!r}" if self.name else ""
        return f"<lockfree.{type(self).__name__} at {id(self):#x}{name}:{self._look_of_it()}>"

    def _describe(self) -> str:
        return " broken" if self.broken else f" waiters={self.n_waiting}/{self.parties}"

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments = super().__reduce__()
        return _rebuild, (rebuild, arguments, self._action, self._timeout)

    @classmethod
    def attach(
        cls,
        name: str,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        spin: Spin = "adaptive",
    ) -> Self:
        """The object that another program created with `name=`; action, time-out and `spin` are this one's own.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        patience(True, timeout)
        self = super().attach(name, spin=spin)
        self._action, self._timeout = action, timeout
        return self


def _rebuild(rebuild: Any, arguments: tuple[Any, ...], action: Any, timeout: Any) -> Barrier:
    made: Barrier = rebuild(*arguments)
    made._action, made._timeout = action, timeout
    return made
