"""What Mutex and SpinLock have in common: they differ in how long they spin before they sleep."""

from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from lockfree._awaited import AwaitedLock
from lockfree._errors import OK, TIMEDOUT, raise_death, raise_status
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._segment import check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Spin
from lockfree._waiting import either, lock_patience, until


class Lock(AwaitedLock, Waiter):
    """Base of the locks. A subclass names its C functions by prefix: `lf_<prefix>_acquire` and so on."""

    _prefix: ClassVar[str]
    _c_try_acquire: ClassVar[Any]
    _c_release: ClassVar[Any]
    _c_recover: ClassVar[Any]
    _c_locked: ClassVar[Any]
    _c_holder: ClassVar[Any]
    _c_died: ClassVar[Any]
    _b_create: ClassVar[Any]
    _b_acquire: ClassVar[Any]

    def __init_subclass__(cls, prefix: str | None = None) -> None:
        if prefix is None:
            return  # a user's class
        cls._prefix = prefix
        cls._struct = f"struct lf_{prefix}"
        for name in ("try_acquire", "release", "recover", "locked"):
            setattr(cls, f"_c_{name}", getattr(lib, f"lf_{prefix}_{name}"))
        cls._c_holder = getattr(lib, f"lf_py_{prefix}_holder")
        cls._c_died = getattr(lib, f"lf_py_{prefix}_died")
        cls._close = getattr(lib, f"lf_{prefix}_close")
        cls._b_create = getattr(blocking, f"lf_{prefix}_create")
        cls._b_acquire = getattr(blocking, f"lf_{prefix}_acquire_awhile")
        cls._attach = getattr(blocking, f"lf_{prefix}_attach")
        cls._attach_fd = getattr(blocking, f"lf_{prefix}_attach_fd")

    def __init__(self, *, name: str | None = None, spin: Spin = "adaptive") -> None:
        check_spin(spin)
        name = check_name(name)
        handle = self._begin(name)
        self._created(handle, self._b_create(handle, NULL if name is None else name.encode()), spin)

    def acquire(self, blocking: bool = True, timeout: float | None = -1, *, block: bool | None = None) -> bool:
        """Takes the lock, waiting at most `timeout` seconds (-1: for ever). False: another thread held it all the time.

        `block` is `blocking` by the name that it has in `multiprocessing`. Give one of the two.

        Raises `OwnerDied` *with the lock held* if the last holder died with it: repair what the lock guards, then call
        `recover()`. Raises RuntimeError if the calling thread holds the lock itself and would wait for ever. Raises
        `NotRecoverable` if somebody released it after `OwnerDied` without `recover()`.
        """
        handle, wait = self._h, lock_patience(either(blocking, block), timeout)
        status = self._c_try_acquire(handle)
        if status == TIMEDOUT and wait:
            status = self._until_done(self._b_acquire, handle, until(wait))
        return self._taken(handle, status)

    def try_acquire(self) -> bool:
        """`acquire(blocking=False)`: never waits."""
        handle = self._h
        return self._taken(handle, self._c_try_acquire(handle))

    def release(self) -> None:
        """Gives the lock back. RuntimeError if the calling thread does not hold it.

        After `OwnerDied` without `recover()` the lock stays unusable: every later `acquire` raises `NotRecoverable`.
        """
        handle = self._h
        status = self._c_release(handle)
        if status:
            self._refused(handle, status, "release")

    def _taken(self, handle: Any, status: int) -> bool:
        if status == OK:
            return True
        if status == TIMEDOUT:
            return False
        self._refused(handle, status)

    def recover(self) -> None:
        """Says, after `OwnerDied`, that what the lock guards is in order again. Does nothing if nobody died.

        RuntimeError if the calling thread does not hold the lock.
        """
        handle = self._h
        status = self._c_recover(handle)
        if status:
            self._refused(handle, status, "recover")

    def locked(self) -> bool:
        """Whether somebody holds the lock."""
        handle = self._h
        held = self._c_locked(handle)
        if held < 0:
            self._refused(handle, held)
        return bool(held)

    def __enter__(self) -> Self:
        """`acquire()`; the lock itself."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """`release()`."""
        self.release()

    def _refused(self, handle: Any, status: int, call: str = "") -> NoReturn:
        if status == lib.LF_NOT_OWNER:
            thread = ffi.new("uint32_t *")
            pid = self._c_holder(handle, thread)
            holder = f"thread {thread[0]} of process {pid} holds it" if pid else "nobody holds it"
            if pid and not thread[0]:
                holder = f"process {pid} died with it"
            raise RuntimeError(f"{self._title()}: {call}() by a thread that does not hold it: {holder}")
        if status == lib.LF_OWNER_DIED and (pid := self._c_died(handle)):
            raise_death(status, self._title(), pid)
        raise_status(status, self._title(), handle)

    def _describe(self) -> str:
        return " locked" if self.locked() else " unlocked"
