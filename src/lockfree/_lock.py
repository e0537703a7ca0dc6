"""What Mutex and SpinLock have in common: they differ in how long they spin before they sleep."""

from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from lockfree._binding import bind, unbind
from lockfree._errors import INTERRUPTED, OK, TIMEDOUT, raise_status
from lockfree._native import NULL, blocking, lib
from lockfree._segment import Shared, check_name
from lockfree._waiting import lock_deadline


class Lock(Shared):
    """Base of the locks. A subclass names its C functions by prefix: `lf_<prefix>_acquire` and so on."""

    _prefix: ClassVar[str]
    _c_try_acquire: ClassVar[Any]
    _c_release: ClassVar[Any]
    _c_recover: ClassVar[Any]
    _c_locked: ClassVar[Any]
    _b_create: ClassVar[Any]
    _b_acquire: ClassVar[Any]

    def __init_subclass__(cls, prefix: str | None = None) -> None:
        if prefix is None:
            return  # a user's class
        cls._prefix = prefix
        cls._struct = f"struct lf_{prefix}"
        for name in ("try_acquire", "release", "recover", "locked"):
            setattr(cls, f"_c_{name}", getattr(lib, f"lf_{prefix}_{name}"))
        cls._close = getattr(lib, f"lf_{prefix}_close")
        cls._b_create = getattr(blocking, f"lf_{prefix}_create")
        cls._b_acquire = getattr(blocking, f"lf_{prefix}_acquire")
        cls._attach = getattr(blocking, f"lf_{prefix}_attach")
        cls._attach_fd = getattr(blocking, f"lf_{prefix}_attach_fd")

    def __init__(self, *, name: str | None = None) -> None:
        name = check_name(name)
        handle = self._new_handle()
        self._created(handle, self._b_create(handle, NULL if name is None else name.encode()), name)

    def _attached(self) -> None:
        bind(self, Lock, self._prefix, self._acquire, self._try_acquire, self._release)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Takes the lock, waiting at most `timeout` seconds (-1: for ever); False if it was held by another all along.

        Raises `OwnerDied` *with the lock held* if its last holder died with it: put right what it guards, then call
        `recover()`. Raises RuntimeError instead of waiting for ever for the very thread that calls, and
        `NotRecoverable` if somebody released it after `OwnerDied` without `recover()`.
        """
        return self._acquire(self._h, blocking, timeout)

    def try_acquire(self) -> bool:
        """`acquire` that never waits: `acquire(blocking=False)`."""
        return self._try_acquire(self._h)

    def release(self) -> None:
        """Gives the lock back. RuntimeError if the calling thread does not hold it.

        After `OwnerDied` without `recover()` it makes the lock unusable for good: `NotRecoverable` for everybody.
        """
        self._release(self._h)

    @classmethod
    def _acquire(cls, handle: Any, blocking: bool = True, timeout: float = -1) -> bool:
        until = lock_deadline(blocking, timeout)
        status = cls._c_try_acquire(handle)
        if status == TIMEDOUT and until:
            status = INTERRUPTED
            while status == INTERRUPTED:  # between two calls Python serves its signals
                status = cls._b_acquire(handle, until)
        return cls._taken(status)

    @classmethod
    def _try_acquire(cls, handle: Any) -> bool:
        return cls._taken(cls._c_try_acquire(handle))

    @classmethod
    def _taken(cls, status: int) -> bool:
        if status == OK:
            return True
        if status == TIMEDOUT:
            return False
        cls._refused(status)

    @classmethod
    def _release(cls, handle: Any) -> None:
        status = cls._c_release(handle)
        if status:
            cls._refused(status)

    def recover(self) -> None:
        """After `OwnerDied`: what the lock guards is in order again. Does nothing if nobody died.

        RuntimeError if the calling thread does not hold the lock.
        """
        status = self._c_recover(self._h)
        if status:
            self._refused(status)

    def locked(self) -> bool:
        """Whether somebody holds the lock."""
        held = self._c_locked(self._h)
        if held < 0:
            self._refused(held)
        return bool(held)

    def close(self) -> None:
        super().close()
        unbind(self)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @classmethod
    def _refused(cls, status: int) -> NoReturn:
        raise_status(status, cls.__name__)

    def _describe(self) -> str:
        return " locked" if self.locked() else " unlocked"
