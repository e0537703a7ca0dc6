"""Condition: threads and processes wait, under a lock, until they are notified."""

from collections.abc import Callable
from typing import Any, Literal, Self, TypeVar, cast

from lockfree._errors import INTERRUPTED, OK, TIMEDOUT, SegmentError, raise_status, shown
from lockfree._lock import Lock
from lockfree._long import Patient
from lockfree._native import NULL, PURE, Native, blocking, lib
from lockfree._segment import check_call, check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import AnyLock, Spin
from lockfree._waiting import FOREVER, NOW, remaining, until

__all__ = ["Condition"]

T = TypeVar("T")


def check_lock(lock: object) -> None:
    """TypeError for what is no lock."""
    if lock is not None and not all(callable(getattr(lock, name, None)) for name in ("acquire", "release")):
        raise TypeError(f"lock is {shown(lock)}: it must have acquire() and release(), or be None")


class Calls(Lock, prefix="condition"):
    """What a condition can do. The C type stands before it and does the same without cffi."""

    _lock: Any = None  # the caller's, if the condition has none of its own

    def __init__(self, lock: AnyLock | None = None, *, name: str | None = None, spin: Spin = "adaptive") -> None:
        check_spin(spin)
        check_lock(lock)
        name = check_name(name)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        self._lock = lock
        self._created(handle, blocking.lf_condition_create(handle, encoded, int(lock is not None)), spin)

    def wait(self, timeout: float | None = None) -> bool:
        """Gives the lock back, waits until it is notified, and takes the lock again. It waits at most `timeout` seconds
        (None: for ever). True if it was notified, False after the time-out.

        RuntimeError if the calling thread does not hold the lock. Raises `OwnerDied` *with the lock held* if the last
        holder died with it.
        """
        return self._wait_over(timeout)

    def _place(self, handle: Any) -> int:
        """A place among those that wait."""
        place = int(lib.lf_condition_begin(handle))
        if place == lib.LF_BUSY:
            raise RuntimeError(f"{self._title()}: all {handle.places} places for waiting threads are taken")
        if place < 0:
            raise_status(place, self._title(), handle)
        return place

    def _wait_over(self, timeout: float | None) -> bool:
        handle, limit = self._h, until(remaining(timeout))
        self._require_owned("wait")
        place = self._place(handle)
        saved = self._release_save()
        status, gave_up = INTERRUPTED, True
        try:
            status = self._until_done(blocking.lf_condition_sleep, handle, place, limit)
            gave_up = status not in {OK, TIMEDOUT}
        finally:
            try:
                self._acquire_restore(saved)
            finally:
                if gave_up:
                    lib.lf_condition_pass_on(handle, place)
                elif lib.lf_condition_end(handle, place):
                    status = OK
        if gave_up:
            raise_status(status, self._title(), handle)
        return bool(status == OK)

    def notify(self, n: int = 1) -> None:
        """Notifies the `n` that have waited longest, or all if there are fewer.

        RuntimeError if the calling thread does not hold the lock.
        """
        n = check_int("n", n, 0, 2**63 - 1)
        self._require_owned("notify")
        self._notify_over(min(n, 2**32 - 1))

    def notify_all(self) -> None:
        """Notifies all that wait, as `notify` does."""
        self._require_owned("notify_all")
        self._notify_over(2**32 - 1)

    def _notify_over(self, n: int) -> None:
        handle = self._h
        status = lib.lf_condition_notify_unlocked(handle, n)
        if status < 0:
            raise_status(status, self._title(), handle)

    def _require_owned(self, call: str) -> None:
        handle = self._h
        owned = lib.lf_condition_is_owned(handle)
        if owned != 1:
            self._refused(handle, owned or lib.LF_NOT_OWNER, call)

    def _release_save(self) -> Any:
        return int(lib.lf_condition_release_all(self._h))

    def _acquire_restore(self, saved: Any) -> None:
        handle = self._h
        self._taken(handle, self._until_done(blocking.lf_condition_acquire_again, handle, saved))


class Condition(Native[Literal["condition"]], Calls):
    """A condition variable between threads and processes, with the methods of `threading.Condition`.

    It has a lock of its own, which the holder may take again. Or it uses `lock`, such as a `Mutex` or an `RLock`, which
    travels with it: everybody who uses the condition must use that lock.

    A notify reaches exactly those that have waited longest. It is not lost: a waiter that was notified and dies, or
    ends with an exception, passes it on to another one.

    Progress: `acquire` and `wait` sleep in the kernel. `notify` is lock-free for the lock's holder.

    Death: if the holder of its own lock dies, the next thread that acquires it gets `OwnerDied`. One waiter is woken
    then. If it is the next one, its `wait` raises `OwnerDied`.

    Source: docs/primitives/condition.md.
    """

    def __new__(cls, lock: AnyLock | None = None, *, name: str | None = None, spin: Spin = "adaptive") -> Self:  # noqa: ARG004
        chosen: Any = _Over if lock is not None and cls is Condition else cls
        made: Self = super().__new__(chosen)
        return made

    async def aacquire(self, timeout: float = -1) -> bool:  # noqa: ARG002
        """As `acquire`, where the lock is another object that has `aacquire`, such as a Mutex. Else TypeError: the
        tasks of an event loop are one thread, which may take the condition's own lock again.
        """
        raise TypeError(f"{self._title()}: the tasks of an event loop are one thread: use Condition(Mutex())")

    async def await_(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        """As `wait`, and other tasks of the event loop go on meanwhile. Where the lock is another object.

        A task that is cancelled here has the lock again, and a notify that had reached it goes to another waiter.
        """
        raise TypeError(f"{self._title()}: the tasks of an event loop are one thread: use Condition(Mutex())")

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """`wait` until `predicate()` is true, at most `timeout` seconds in all; what it returned last.

        If it is false at first, the lock is given back once, however short the time-out is.
        """
        wait = remaining(timeout)
        said = check_call("predicate", predicate)()
        limit = until(wait)
        while not said:
            self.wait(None if wait == FOREVER else wait / 1e9)
            said = predicate()
            wait = wait if wait == FOREVER else max(0, limit - until(1) + 1)
            if wait == NOW:
                break
        return said

    @classmethod
    def attach(cls, name: str, lock: AnyLock | None = None, *, spin: Spin = "adaptive") -> Self:
        """The object that another program created with `name=`; with the same lock, if it has none of its own.

        `spin` as in the constructor.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        if lock is None or cls is not Condition:
            return super().attach(name, spin=spin)
        check_lock(lock)
        over: Any = _Over
        found = over.attach(name, spin=spin)
        found._lock = lock
        return cast("Self", found)

    def _check(self, handle: Any) -> None:
        if handle.foreign != isinstance(self, _Over):
            own = "another object, which attach() must be given" if handle.foreign else "in the condition itself"
            raise SegmentError(f"{self._title()}: its lock is {own}")


class _Over(Condition):
    """A condition whose lock is another object. What that one does not tell is found out by trying."""

    wait, notify, notify_all = Calls.wait, Calls.notify, Calls.notify_all

    async def aacquire(self, timeout: float = -1) -> bool:
        return bool(await self._lock.aacquire(timeout))

    async def await_(self, timeout: float | None = None) -> bool:
        from lockfree._awaited import NOT_YET, until_done

        handle = self._h
        remaining(timeout)
        self._require_owned("await_")
        place = self._place(handle)

        def attempt(_: Any) -> Any:
            status = blocking.lf_condition_sleep(handle, place, NOW)
            return NOT_YET if status == TIMEDOUT else status

        status = INTERRUPTED
        self._lock.release()
        try:
            answer = await until_done(self, place, attempt, timeout, "PlaceOfWaiter")
            status = TIMEDOUT if answer is NOT_YET else answer
        finally:
            try:
                await _again(self._lock)
            finally:
                if status not in {OK, TIMEDOUT}:
                    lib.lf_condition_pass_on(handle, place)
                elif lib.lf_condition_end(handle, place):
                    status = OK
        if status not in {OK, TIMEDOUT}:
            raise_status(status, self._title(), handle)
        return bool(status == OK)

    def _waits_for(self) -> tuple[Patient, ...]:
        return (self, self._lock) if isinstance(self._lock, Patient) else (self,)

    def acquire(self, *args: Any, **named: Any) -> bool:
        return bool(self._lock.acquire(*args, **named))

    def try_acquire(self) -> bool:
        return bool(self._lock.acquire(False))

    def release(self) -> None:
        self._lock.release()

    def recover(self) -> None:
        self._lock.recover()

    def locked(self) -> bool:
        return bool(self._lock.locked())

    if PURE:

        def __enter__(self) -> Self:
            self._lock.__enter__()
            return self

        def __exit__(self, *error: object) -> None:
            self._lock.__exit__(*error)

    else:
        __enter__, __exit__ = Condition._enter_over, Condition._exit_over  # type: ignore[attr-defined]

    def _is_owned(self) -> bool:
        if hasattr(self._lock, "_is_owned"):
            return bool(self._lock._is_owned())
        if self._lock.acquire(False):
            self._lock.release()
            return False
        return True

    def _require_owned(self, call: str) -> None:
        self._require_open()
        if not self._is_owned():
            raise RuntimeError(f"{self._title()}: {call}() by a thread that does not hold its lock")

    def _release_save(self) -> Any:
        if hasattr(self._lock, "_release_save"):
            return self._lock._release_save()
        self._lock.release()
        return None

    def _acquire_restore(self, saved: Any) -> None:
        if hasattr(self._lock, "_acquire_restore"):
            self._lock._acquire_restore(saved)
        else:
            self._lock.acquire()

    def _describe(self) -> str:
        return f" lock={self._lock!r}"

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments = super().__reduce__()
        return _rebuild_over, (rebuild, arguments, self._lock)


_Over.__name__ = "Condition"  # as messages name it


async def _again(lock: Any) -> None:
    """Takes the lock, however often the task is cancelled; then it is cancelled."""
    import asyncio

    cancelled = None
    while True:
        try:
            await lock.aacquire()
            break
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _rebuild_over(rebuild: Any, arguments: tuple[Any, ...], lock: Any) -> Condition:
    made: Condition = rebuild(*arguments)
    made._lock = lock
    return made
