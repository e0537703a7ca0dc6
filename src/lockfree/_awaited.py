"""The awaited calls of the primitives: as the blocking ones, and other tasks of the event loop go on meanwhile.

A task that is cancelled in one of them has taken nothing, and holds nothing. How they wait: _tasks.py, which is loaded
with the first one that has to: no signal handler awaits. What a handler may call is loaded before, since it may come in
the middle of a load.
"""

import errno
import queue
from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol, TypeVar

from lockfree import _polling
from lockfree._errors import EMPTY, FULL, OK, TIMEDOUT, raise_status
from lockfree._native import blocking, ffi, lib
from lockfree._segment import Shared, check_call, check_int
from lockfree._sleeping import TO_GET, TO_PUT
from lockfree._waiting import lock_patience, patience, remaining

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Gives(Protocol[T_co]):
    def get(self, block: bool = ..., timeout: float | None = ...) -> T_co: ...


NOT_YET: Final = object()
"""An attempt was refused."""


async def until_done(
    shared: Any, side: int, attempt: Callable[[Any], Any], timeout: float | None, place: str = "Place"
) -> Any:
    from lockfree import _tasks

    return await _tasks.until_done(shared, side, attempt, timeout, getattr(_tasks, place))


def _is_ready(shared: Any) -> bool:
    handle = shared._h
    return bool(handle.h.closed) or bool(lib.lf_py_is_ready(ffi.addressof(handle, "h")))


class Pollable(Shared):
    """An object with a descriptor, for programs that poll."""

    _descriptors: dict[int, _polling.Descriptor]
    """Of this process, by its id; also of the parent in a forked child, until it polls. Made with the first one."""
    _depends_on_thread: ClassVar[bool] = False

    def fileno(self) -> int:
        """A descriptor to poll (select, epoll, `add_reader`): readable when `get`, `wait` or `acquire` would not wait.

        It stays readable until `arm()`: take with calls that do not wait until there is nothing left, then arm, then
        poll. It may be readable without reason. It belongs to this object in this process; a forked child gets another
        one. After `close()` it is readable, and open as long as the object exists. Do not read from it.

        One thread in each process sleeps for all armed objects, which live until close().
        """
        found = self._polled()
        if found.fresh:
            found.fresh = False
            found.arm(self)
        return found.fd

    def arm(self) -> bool:
        """True: the descriptor will be readable when the object is ready. False: both are so already."""
        found = self._polled()
        found.fresh = False
        return found.arm(self)

    def _polled(self) -> _polling.Descriptor:
        self._require_open()
        found = _polling.descriptor_of(self)
        if not found.is_here():
            raise OSError(errno.EBADF, "the program closed this object's descriptor for polling", self._title())
        return found


class AwaitedContainer(Pollable):
    """Of containers."""

    def _would_not_wait(self: Any) -> bool:
        return _is_ready(self) or self._is_deserted()

    def _is_deserted(self: Any) -> bool:
        """Whether a `get` would raise PeerDied instead of waiting, if nothing is inside."""
        handle = self._h  # kept here, also if another thread closes the object meanwhile
        if handle.h.closed:  # also if a signal handler closed it just now
            return False
        return bool(self._raises_here()) and bool(lib.lf_py_are_gone(ffi.addressof(handle, "h"), EMPTY))

    def _require_peers(self: Any) -> None:
        """PeerDied if that is why a `get` would not wait."""
        handle = self._h
        if not handle.h.closed and self._is_deserted() and not _is_ready(self):
            handle.h.error = 1
            raise_status(lib.LF_PEER_DIED, self._title(), handle)

    async def aget(self: _Gives[T], timeout: float | None = None) -> T:
        """`await ring.aget()`: as `get`, and other tasks of the event loop go on meanwhile.

        Raises what `get` raises; queue.Empty after `timeout` seconds (None: never). A task that is cancelled here has
        taken nothing. Waiting tasks of one loop are served in turn.
        """
        container: Any = self
        patience(True, timeout)  # whether it has to wait or not

        def attempt(place: Any) -> Any:
            try:
                return container.get(False)
            except queue.Empty:
                return NOT_YET if place is None else container._nobody_left(EMPTY, lambda: container.get(False))

        answer: Any = attempt(None)
        if answer is NOT_YET:
            answer = await until_done(container, TO_GET, attempt, timeout)
        if answer is NOT_YET:
            raise queue.Empty(container._title())
        found: T = answer
        return found

    async def _aput(self: Any, put: Callable[[], object], timeout: float | None) -> None:
        """The `aput` of each container: calls `put`, which never waits, until there is room."""
        patience(True, timeout)

        def attempt(place: Any) -> Any:
            try:
                put()
            except queue.Full:
                return NOT_YET if place is None else self._nobody_left(FULL, put)
            return None

        answer = attempt(None)
        if answer is NOT_YET:
            answer = await until_done(self, TO_PUT, attempt, timeout)
        if answer is NOT_YET:
            raise queue.Full(self._title())

    def _nobody_left(self: Any, refused: int, call: Callable[[], Any]) -> Any:
        """NOT_YET; or PeerDied, where that is wanted, if the call is refused once more after the last one has gone."""
        handle = self._h
        pointer = ffi.addressof(handle, "h")
        if not self._raises_here() or not lib.lf_py_are_gone(pointer, refused):
            return NOT_YET
        try:
            return call()
        except (queue.Empty, queue.Full):
            handle.h.error = 1 if refused == EMPTY else 2
            raise_status(lib.LF_PEER_DIED, self._title(), handle)


class AwaitedLock(Pollable):
    """Of locks. The holder is a thread, so all tasks of an event loop are one holder; a task that waits for another
    one's lock is woken by that one's `release`.
    """

    _would_not_wait = _is_ready

    async def aacquire(self: Any, timeout: float = -1) -> bool:
        """`await lock.aacquire()`: as `acquire`, and other tasks of the event loop go on meanwhile.

        False after `timeout` seconds (-1: never). A task that is cancelled here does not hold the lock.
        """

        def attempt(place: Any) -> Any:
            status = lib.lf_py_watch_lock(place.pointer, place.watch)
            return NOT_YET if status == TIMEDOUT else self._taken(place.handle, status)

        lock_patience(True, timeout)
        if self.try_acquire():
            return True
        answer = await until_done(self, TO_GET, attempt, None if timeout == -1 else timeout, "PlaceOfLock")
        return bool(answer is True)


class AwaitedSemaphore(Pollable):
    """Of the semaphore."""

    _would_not_wait = _is_ready

    async def aacquire(self: Any, n: int = 1, timeout: float | None = None) -> bool:
        """`await semaphore.aacquire()`: as `acquire`, and other tasks of the event loop go on meanwhile.

        False after `timeout` seconds (None: never). A task that is cancelled here has no permit. It does not pass the
        turnstile: a call for many permits may be overtaken by calls for few.
        """
        remaining(timeout)
        if self.try_acquire(n):
            return True
        answer = await until_done(self, TO_GET, lambda _: self.try_acquire(n) or NOT_YET, timeout)
        return bool(answer is True)


class AwaitedEvent(Pollable):
    """Of the event."""

    _would_not_wait = _is_ready

    async def await_(self: Any, timeout: float | None = None) -> bool:
        """`await event.await_()`: as `wait`, and other tasks of the event loop go on meanwhile."""
        remaining(timeout)
        handle = self._h
        first = lib.lf_event_now(handle)

        def attempt(_: Any) -> Any:
            status = blocking.lf_event_wait_since(handle, first, 0)
            if status == TIMEDOUT:
                return NOT_YET
            if status != OK:
                raise_status(status, self._title(), handle)
            return True

        if self.is_set():
            return True
        return bool(await until_done(self, TO_GET, attempt, timeout) is True)


class AwaitedLatestValue(Shared):
    """Of the newest value."""

    async def await_(self: Any, newer_than: int | None = None, timeout: float | None = None) -> bool:
        """`await latest.await_()`: as `wait`, and other tasks of the event loop go on meanwhile."""
        seen = self.version if newer_than is None else check_int("newer_than", newer_than, 0, 2**63 - 1)
        remaining(timeout)

        def attempt(_: Any) -> Any:
            if self.version > seen:
                return True
            handle = self._h
            pointer = ffi.addressof(handle, "h")
            if not self._raises_here() or not lib.lf_py_are_gone(pointer, EMPTY) or self.version > seen:
                return NOT_YET if self.version <= seen else True
            handle.h.error = 1
            raise_status(lib.LF_PEER_DIED, self._title(), handle)

        if self.version > seen:
            return True
        return bool(await until_done(self, TO_GET, attempt, timeout) is True)


class AwaitedRWLock(Shared):
    """Of the readers-writer lock."""

    async def aacquire_read(self: Any, timeout: float | None = None) -> bool:
        """`await lock.aacquire_read()`: as `acquire_read`, and other tasks of the event loop go on meanwhile."""
        attempt = lambda _: self.acquire_read(False) or NOT_YET  # noqa: E731
        return bool(await until_done(self, TO_GET, attempt, timeout) is True)

    async def aacquire_write(self: Any, timeout: float | None = None) -> bool:
        """The same for writing. While a task waits for readers to leave it holds new ones off, as a thread does.

        All tasks of an event loop are one holder. One of them waits for the readers; the others follow in turn.
        """
        handle, waits = self._h, False

        def attempt(place: Any) -> Any:
            nonlocal waits
            status = lib.lf_rwlock_begin_write(handle)
            waits = place.drains = status == lib.LF_BUSY
            if waits or status == TIMEDOUT:
                return NOT_YET
            self._checked(handle, status)
            return True

        try:
            return bool(await until_done(self, TO_PUT, attempt, timeout, "PlaceOfWriter") is True)
        finally:
            if waits:
                lib.lf_rwlock_end_wait(handle)


class AwaitedEventCount(Shared):
    """Of the event count."""

    async def await_until(self: Any, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """`await counts.await_until(predicate)`: as `wait_until`, and other tasks of the event loop go on meanwhile.

        What `predicate` returned last. `cancel` of the event count does not end it: cancel the task.
        """
        said: Any = None
        check_call("predicate", predicate)

        def attempt(_: Any) -> Any:
            nonlocal said
            said = predicate()
            return True if said else NOT_YET

        await until_done(self, TO_GET, attempt, timeout)
        last: T = said
        return last


class AwaitedBarrier(Shared):
    """Of the barrier."""

    async def await_(self: Any, timeout: float | None = None) -> int:
        """`await barrier.await_()`: as `wait`, and other tasks of the event loop go on meanwhile.

        A task that is cancelled here breaks the barrier, as a time-out does.
        """
        handle, timeout = self._h, self._timeout if timeout is None else timeout
        remaining(timeout)
        box = ffi.new("uint64_t *")

        def attempt(_: Any) -> Any:
            status = blocking.lf_barrier_sleep(handle, box[0], 0)
            return NOT_YET if status == TIMEDOUT else status

        while (place := int(lib.lf_barrier_arrive(handle, self._action is not None, box))) == lib.LF_BUSY:
            await until_done(self, TO_GET, attempt, None)  # an action runs
        if place < 0:
            raise_status(place, self._title(), handle)
        status, done = OK, False
        try:
            if place + 1 < self.parties:
                answer = await until_done(self, TO_GET, attempt, timeout)
                status = TIMEDOUT if answer is NOT_YET else answer
            elif self._action is not None:
                self._action()
                status = lib.lf_barrier_open(handle, box[0])
            done = status in {OK, lib.LF_BROKEN}
        finally:
            ended = OK if done else lib.lf_barrier_give_up(handle, box[0])
        return int(self._passed(handle, place, status, ended))
