"""Semaphore: a counter of permits that come back from the dead."""

from types import TracebackType
from typing import Any, Literal, Self

from lockfree._awaited import AwaitedSemaphore
from lockfree._errors import OK, TIMEDOUT, raise_status
from lockfree._native import NULL, Native, blocking, lib
from lockfree._segment import check_int, check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Chosen, Spin, chosen
from lockfree._waiting import either, semaphore_patience, until

__all__ = ["Semaphore"]

MAX_VALUE = 2**31 - 1


class Calls(AwaitedSemaphore, Waiter):
    """What a semaphore can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_semaphore"
    _attach = blocking.lf_semaphore_attach
    _attach_fd = blocking.lf_semaphore_attach_fd
    _close = lib.lf_semaphore_close
    _c_try_acquire = lib.lf_semaphore_try_acquire
    _c_release = lib.lf_semaphore_release
    _b_acquire = blocking.lf_semaphore_acquire

    max_value = Chosen[int]()
    initial_value = Chosen[int]()
    """The first value: what comes back from the dead never lifts the value above it."""

    def __init__(
        self, value: int = 1, max_value: int | None = None, *, name: str | None = None, spin: Spin = "adaptive"
    ) -> None:
        largest = MAX_VALUE if max_value is None else check_int("max_value", max_value, 1, MAX_VALUE)
        value = check_int("value", value, 0, largest)
        name = check_name(name)
        check_spin(spin)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        status = blocking.lf_semaphore_create(handle, encoded, value, largest, self._start & (2**32 - 1))
        self._created(handle, status, spin)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        largest = given["max_value"]
        return {"max_value": MAX_VALUE if largest is None else largest, "initial_value": given["value"]}

    def _attached(self) -> None:
        chosen(self, max_value=self._h.max, initial_value=self._h.initial)

    def acquire(
        self, blocking: bool = True, timeout: float | None = None, n: int = 1, *, block: bool | None = None
    ) -> bool:
        """Takes `n` permits or none, waiting at most `timeout` seconds (None: for ever).

        False if at some instant (of a time-out: after the deadline) fewer were there. ValueError if `n` is below 1 or
        above `max_value`. `block` is `blocking` by the name that it has in `multiprocessing`. Give one of the two.
        """
        wait = semaphore_patience(either(blocking, block), timeout)
        handle, n = self._h, self._permits(n)
        if not wait:
            return self._taken(handle, self._c_try_acquire(handle, n), n)
        try:
            status = self._until_done(self._b_acquire, handle, n, until(wait))
        except BaseException:
            lib.lf_semaphore_give_up(handle)  # its place among those that wait
            raise
        return self._taken(handle, status, n)

    def try_acquire(self, n: int = 1) -> bool:
        """`acquire` that never waits: `acquire(blocking=False, n=n)`."""
        handle, n = self._h, self._permits(n)
        return self._taken(handle, self._c_try_acquire(handle, n), n)

    def release(self, n: int = 1) -> None:
        """Gives `n` permits back. ValueError, and nothing changed, if the value would exceed `max_value`."""
        handle, n = self._h, self._permits(n)
        status = self._c_release(handle, n)
        if status:
            self._taken(handle, status, n)

    def _permits(self, n: Any) -> int:
        self._require_open()
        return check_int("n", n, 1, self.max_value)

    def _taken(self, handle: Any, status: int, n: int) -> bool:
        if status == OK:
            return True
        if status == TIMEDOUT:
            return False
        if status == lib.LF_OVERFLOW:
            value, most = lib.lf_semaphore_value(handle), handle.max
            raise ValueError(f"{self._title()}: release of {n} at a value of {value}: above max_value {most}")
        if status == lib.LF_BUSY:
            text = "seats are taken: by operations, and by threads that hold permits or had operations"
            raise RuntimeError(f"{self._title()}: all {handle.most} {text}")
        raise_status(status, self._title(), handle)

    @property
    def value(self) -> int:
        """How many permits could be taken at some instant of the call."""
        handle = self._h
        value = lib.lf_semaphore_value(handle)
        if value < 0:
            raise_status(value, self._title(), handle)
        return int(value)

    def get_value(self) -> int:
        """`value`, by the name that it has in `multiprocessing`."""
        return self.value

    def __enter__(self) -> Self:
        """`acquire()`; the semaphore itself."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """`release()`."""
        self.release()

    def _describe(self) -> str:
        return f" value={self.value} max_value={self.max_value}"


class Semaphore(Native[Literal["semaphore"]], Calls):
    """A counter of `value` permits in shared memory, never below 0 nor above `max_value` (None: 2**31 - 1).

    Any thread may release, also what another one acquired.

    Progress: `acquire(blocking=False)`, `release` and `value` are lock-free. A waiting `acquire` spins for about 10 us,
    then sleeps in the kernel.

    Fairness: waiting threads pass a turnstile one by one, and nobody among them overtakes the one inside. So threads
    that want one permit do not starve a thread that wants many. Calls that do not wait may overtake.

    Death: the permits that a process held when it died, or closed the object, come back by themselves. The number is
    exact if every process releases what it acquired. If other processes release it, fewer may come back, and never
    too many. The value never rises above its initial one by this. So nothing comes back to a semaphore that signals
    (`value=0`).

    Source: docs/primitives/semaphore.md.
    """
