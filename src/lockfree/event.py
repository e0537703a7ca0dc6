"""Event: a flag that threads and processes set, clear and wait for."""

from typing import Any, Literal

from lockfree._awaited import AwaitedEvent
from lockfree._errors import OK, TIMEDOUT, raise_status
from lockfree._native import NULL, Native, blocking, lib
from lockfree._segment import check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Spin
from lockfree._waiting import remaining, until

__all__ = ["Event"]


class Calls(AwaitedEvent, Waiter):
    """What an event can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_event"
    _attach = blocking.lf_event_attach
    _attach_fd = blocking.lf_event_attach_fd
    _close = lib.lf_event_close

    def __init__(self, *, name: str | None = None, spin: Spin = "adaptive") -> None:
        check_spin(spin)
        name = check_name(name)
        handle = self._begin(name)
        self._created(handle, blocking.lf_event_create(handle, NULL if name is None else name.encode()), spin)

    def is_set(self) -> bool:
        """Whether the flag is set."""
        handle = self._h
        return self._checked(handle, lib.lf_event_is_set(handle)) == 1

    def set(self) -> None:
        """Sets the flag, and wakes everybody who waits for it."""
        handle = self._h
        self._checked(handle, lib.lf_event_set(handle))

    def clear(self) -> None:
        """Clears the flag."""
        handle = self._h
        self._checked(handle, lib.lf_event_clear(handle))

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the flag is set, at most `timeout` seconds (None: for ever).

        True if it was set at some instant of the call, even if it was cleared again before this thread ran. False if it
        was clear at the last look, which comes after the time-out.
        """
        handle, limit = self._h, until(remaining(timeout))
        first = lib.lf_event_now(handle)
        status = self._until_done(blocking.lf_event_wait_since, handle, first, limit)
        if status == TIMEDOUT:
            return False
        self._checked(handle, status)
        return True

    def _checked(self, handle: Any, status: int) -> int:
        if status < OK:
            raise_status(status, self._title(), handle)
        return status

    def _describe(self) -> str:
        return " set" if self.is_set() else " clear"


class Event(Native[Literal["event"]], Calls):
    """A flag in shared memory, with the methods of `threading.Event`. It is clear at first.

    What a thread did before `set` is visible to everybody who finds the flag set.

    Progress: `set` and `is_set` are wait-free, `clear` is lock-free. `wait` spins for about 10 us, then sleeps in the
    kernel.

    Death: nothing is held, so nothing is lost. A process that is killed between setting and waking leaves the flag set;
    a sleeper sees that after the slice in which it sleeps.

    Source: docs/primitives/event.md.
    """
