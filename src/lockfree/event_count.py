"""EventCount: waiting for a condition over shared words, without a lock and without a lost wake."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from lockfree._awaited import AwaitedEventCount
from lockfree._errors import INTERRUPTED, OK, TIMEDOUT, raise_status
from lockfree._long import Wait
from lockfree._native import NULL, Native, blocking, lib
from lockfree._segment import check_call, check_int, check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Spin
from lockfree._waiting import NOW, remaining, until

__all__ = ["EventCount"]

T = TypeVar("T")


class Calls(AwaitedEventCount, Waiter):
    """What an event count can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_event_count"
    _attach = blocking.lf_event_count_attach
    _attach_fd = blocking.lf_event_count_attach_fd
    _close = lib.lf_event_count_close

    def __init__(self, *, name: str | None = None, spin: Spin = "adaptive") -> None:
        check_spin(spin)
        name = check_name(name)
        handle = self._begin(name)
        self._created(handle, blocking.lf_event_count_create(handle, NULL if name is None else name.encode()), spin)

    def prepare(self) -> int:
        """Announces a waiter, and returns its ticket. Look at the condition after that; then `wait` or `retract`."""
        handle = self._h
        return self._checked(handle, lib.lf_event_count_prepare(handle))

    def retract(self, ticket: int, /) -> None:
        """Takes an announcement back, because the condition is true or nobody is going to wait."""
        ticket = check_int("ticket", ticket, 0, 2**63 - 1)
        lib.lf_event_count_retract(self._opened(), ticket)

    def wait(self, ticket: int, timeout: float | None = None) -> bool:
        """Waits until somebody notifies, at most `timeout` seconds (None: for ever).

        True if somebody has notified since `prepare` gave the ticket: look at the condition again. False after the
        time-out or a `cancel`. The ticket is used up.
        """
        handle, ticket = self._h, check_int("ticket", ticket, 0, 2**63 - 1)
        limit = until(remaining(timeout))
        try:
            status = self._until_done(blocking.lf_event_count_wait, handle, ticket, limit)
        except BaseException:
            lib.lf_event_count_retract(handle, ticket)
            raise
        if status in {TIMEDOUT, lib.LF_CANCELLED}:
            return False
        self._checked(handle, status)
        return True

    def wait_until(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Waits until `predicate()` is true, at most `timeout` seconds (None: for ever); what it returned last.

        It is called before each sleep, after each wake, every 100 ms, and once more after the time-out or a `cancel`.
        """
        handle, limit = self._h, until(remaining(timeout))
        check_call("predicate", predicate)
        first, last_look, wait = None, limit == NOW, Wait(self)
        while True:
            ticket, used_up = self.prepare(), False
            try:
                first = ticket >> 32 if first is None else first
                said = predicate()
                if said or last_look or ticket >> 32 != first:
                    return said
                status = blocking.lf_event_count_wait(handle, ticket, limit)
                used_up = status != INTERRUPTED
            finally:
                if not used_up:
                    lib.lf_event_count_retract(handle, ticket)
            if status == INTERRUPTED:
                wait.between()
            last_look = status in {TIMEDOUT, lib.LF_CANCELLED}
            if status not in {OK, INTERRUPTED} and not last_look:
                self._checked(handle, status)

    def notify(self, n: int = 1) -> None:
        """Wakes `n` waiters, or all if there are fewer. Call it after the change that they wait for."""
        handle, n = self._h, check_int("n", n, 0, 2**63 - 1)
        self._checked(handle, lib.lf_event_count_notify(handle, min(n, 2**32 - 1)))

    def notify_all(self) -> None:
        """Wakes all waiters."""
        self.notify(2**32 - 1)

    def cancel(self) -> None:
        """Ends every wait of this object in this process, from any thread or signal handler: `wait` returns False,
        `wait_until` what its predicate says then. Other participants go on.
        """
        handle = self._h
        self._checked(handle, lib.lf_event_count_cancel(handle))

    def _checked(self, handle: Any, status: int) -> int:
        if status < OK:
            raise_status(status, self._title(), handle)
        return status


class EventCount(Native[Literal["event_count"]], Calls):
    """Where threads and processes wait for a condition over shared words, such as atomics.

    A thread that changes the words notifies afterwards. A waiter looks at the words between its announcement and its
    sleep. So no wake is lost, and a notify costs next to nothing while nobody waits.

    Progress: all but `wait` and `wait_until` is lock-free, and may be called from a signal handler. Those two spin
    for about 10 us, then sleep in the kernel.

    Death: nothing is held. If somebody is killed between a change and its notify, `wait_until` sees the change within
    100 ms.

    Source: event counts, Reed and Kanodia 1979; docs/primitives/event_count.md.
    """
