"""Semaphore: a counter of permits that come back from the dead."""

from types import TracebackType
from typing import Any, NoReturn, Self

from lockfree._binding import bind, unbind
from lockfree._errors import INTERRUPTED, OK, TIMEDOUT, raise_status
from lockfree._native import NULL, blocking, lib
from lockfree._segment import Shared, check_int, check_name
from lockfree._waiting import deadline

__all__ = ["Semaphore"]

MAX_VALUE = 2**31 - 1


class Semaphore(Shared):
    """A counter of `value` permits in shared memory, never below 0 nor above `max_value` (None: 2**31 - 1).

    Any thread may release, whoever acquired.

    Progress: `acquire(blocking=False)`, `release` and `value` are lock-free. A waiting `acquire` spins for about 10 us,
    then sleeps in the kernel.

    Fairness: waiting acquirers pass a turnstile one by one and do not overtake the one inside, so one that waits for
    many permits is not starved by those that wait for one. Non-blocking acquirers may overtake.

    Death: what a process held when it died, or closed the object, comes back by itself, exactly, if every process
    releases what it acquired. Where others release it, less may come back, never too much, and the value is never
    lifted above its initial one; so nothing comes back to a semaphore that signals (`value=0`).

    Source: docs/primitives/semaphore.md.
    """

    _struct = "struct lf_semaphore"
    _attach = blocking.lf_semaphore_attach
    _attach_fd = blocking.lf_semaphore_attach_fd
    _close = lib.lf_semaphore_close
    _c_try_acquire = lib.lf_semaphore_try_acquire
    _c_release = lib.lf_semaphore_release
    _b_acquire = blocking.lf_semaphore_acquire

    max_value: int

    def __init__(
        self, value: int = 1, max_value: int | None = None, *, name: str | None = None, _start: int = 0
    ) -> None:
        largest = MAX_VALUE if max_value is None else check_int("max_value", max_value, 1, MAX_VALUE)
        value = check_int("value", value, 0, largest)
        name = check_name(name)
        handle = self._new_handle()
        encoded = NULL if name is None else name.encode()
        status = blocking.lf_semaphore_create(handle, encoded, value, largest, _start & (2**32 - 1))
        self._created(handle, status, name)

    def _attached(self) -> None:
        self.max_value = self._h.max
        bind(self, Semaphore, "semaphore", self._acquire, self._try_acquire, self._release)

    def acquire(self, blocking: bool = True, timeout: float | None = None, n: int = 1) -> bool:
        """Takes `n` permits or none, waiting at most `timeout` seconds (None: for ever).

        False if at some instant (of a time-out: after the deadline) fewer were there. ValueError if `n` is below 1 or
        above `max_value`.
        """
        return self._acquire(self._h, blocking, timeout, n)

    def try_acquire(self, n: int = 1) -> bool:
        """`acquire` that never waits: `acquire(blocking=False, n=n)`."""
        return self._try_acquire(self._h, n)

    def release(self, n: int = 1) -> None:
        """Gives `n` permits back. ValueError, and nothing changed, if the value would exceed `max_value`."""
        self._release(self._h, n)

    @classmethod
    def _acquire(cls, handle: Any, blocking: bool = True, timeout: float | None = None, n: int = 1) -> bool:
        if not blocking and timeout is not None:
            raise ValueError("can't specify a timeout for a non-blocking call")
        until = deadline(blocking, timeout)
        if not until:
            return cls._try_acquire(handle, n)
        status = INTERRUPTED
        try:
            while status == INTERRUPTED:  # between two calls Python serves its signals
                status = cls._b_acquire(handle, n, until)
        except BaseException as error:
            lib.lf_semaphore_give_up(handle)  # its place among those that wait
            _explain(error, handle, n)
            raise
        return cls._taken(status, handle, n)

    @classmethod
    def _try_acquire(cls, handle: Any, n: int = 1) -> bool:
        try:
            status = cls._c_try_acquire(handle, n)
        except (TypeError, OverflowError) as error:
            _explain(error, handle, n)
            raise
        return cls._taken(status, handle, n)

    @classmethod
    def _taken(cls, status: int, handle: Any, n: int) -> bool:
        if status == OK:
            return True
        if status == TIMEDOUT:
            return False
        cls._refused(status, handle, n)

    @classmethod
    def _release(cls, handle: Any, n: int = 1) -> None:
        try:
            status = cls._c_release(handle, n)
        except (TypeError, OverflowError) as error:
            _explain(error, handle, n)
            raise
        if status:
            cls._refused(status, handle, n)

    @property
    def value(self) -> int:
        """How many permits could be taken at some instant of the call."""
        value = lib.lf_semaphore_value(self._h)
        if value < 0:
            self._refused(value, self._h, 1)
        return int(value)

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
    def _refused(cls, status: int, handle: Any, n: int) -> NoReturn:
        if status == lib.LF_INVALID:
            check_int("n", n, 1, handle.max)
        if status == lib.LF_OVERFLOW:
            value = lib.lf_semaphore_value(handle)
            raise ValueError(f"release of {n} at a value of {value}: above max_value {handle.max}")
        if status == lib.LF_BUSY:
            raise RuntimeError(f"{cls.__name__}: 1,024 operations are under way at once")
        raise_status(status, cls.__name__)

    def _describe(self) -> str:
        return f" value={self.value} max_value={self.max_value}"


def _explain(error: BaseException, handle: Any, n: object) -> None:
    """What cffi says of an argument that is no integer, or no 64-bit one, in the words of this package."""
    if isinstance(error, (TypeError, OverflowError)):
        check_int("n", n, 1, handle.max)
