"""`lockfree.wait`: waiting for several objects at once."""

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from lockfree._awaited import AwaitedContainer
from lockfree._errors import Closed, shown
from lockfree._gevent import refuse_greenlets
from lockfree._long import check_slow, told_here
from lockfree._native import blocking, ffi, lib
from lockfree._peers import Conveyor, told_by
from lockfree._segment import Shared
from lockfree._sleeping import TO_GET
from lockfree._types import PeerDeath
from lockfree._waiting import FOREVER, NOW, remaining, until

if TYPE_CHECKING:
    from lockfree._long import OnSlow

__all__ = ["wait"]

S = TypeVar("S", bound=Shared)
SLICE, LONGEST, UNSERVED = 100_000_000, 1_000_000_000, 2_000_000_000
"""ns: after so long Python serves signals that came before. Among many objects. In threads that serve none."""


def wait(
    objects: Iterable[S],
    timeout: float | None = None,
    *,
    peer_death: PeerDeath | None = None,
    on_slow: "OnSlow | None" = None,
    slow_after: float = 1.0,
) -> list[S]:
    """Those of `objects` whose `get`, `wait` or `acquire` would not wait now; at most `timeout` seconds are waited
    (None: for ever) until there is one. [] after the time-out.

    For rings and queues (something is inside, or it has ended), Event (set), Semaphore (a permit is there), Mutex,
    SpinLock and Condition (nobody holds it). Nothing is taken: somebody else may be faster. A closed object is ready.
    So is a container whose `get` would raise `PeerDied`, by its own `peer_death`. With `peer_death="raise"` the call
    raises that itself. `on_slow(object, seconds, peers)` is called for each object whenever another `slow_after`
    seconds have passed; what it raises ends the wait.

    Progress: sleeps in the kernel, for all at once (futex_waitv). Raises TypeError for other objects.
    """
    limit = until(remaining(timeout))
    try:
        watched = list(objects)
    except TypeError:
        raise TypeError(f"objects is of type {type(objects).__name__}: it must be an iterable of objects") from None
    for position, shared in enumerate(watched):
        if not isinstance(shared, Shared) or type(shared)._would_not_wait is Shared._would_not_wait:
            kinds = "a ring, a queue, an Event, a Semaphore, a Mutex, a SpinLock or a Condition"
            raise TypeError(f"objects[{position}] is {shown(shared)}: it must be {kinds} of this package")
    after = check_slow(on_slow, slow_after)
    told = told_by(peer_death)
    with told_here([shared for shared in watched if told and isinstance(shared, Conveyor)], told):
        ready = _until_ready(watched, limit, after, on_slow)
        if peer_death == "raise":
            for shared in ready:
                if isinstance(shared, AwaitedContainer):
                    shared._require_peers()
    return ready


def _until_ready(watched: list[S], limit: int, after: int, on_slow: "OnSlow | None") -> list[S]:
    control, piece = ffi.new("uint32_t *"), ffi.new("uint64_t *")
    watches = ffi.new("struct lf_watch[]", max(len(watched), 1))
    began = time.monotonic_ns()
    due = began + after if after else FOREVER
    slept = False
    while True:
        ready = [shared for shared in watched if _is_ready(shared)]
        if ready or limit == NOW or (not watched and limit == FOREVER):
            return ready
        if slept:
            refuse_greenlets("lockfree.wait")
        now = time.monotonic_ns() if after else NOW
        if on_slow is not None and now >= due:
            due = now + after
            for shared in watched:
                on_slow(shared, (now - began) / 1e9, shared.peers())
        serves = not slept or threading.current_thread() is threading.main_thread()
        most = min(SLICE * (1 + len(watched) // 8), LONGEST) if serves else UNSERVED
        last_look = _sleep(watched, watches, most, min(limit, due), slept, control, piece)
        slept = True
        if last_look and limit <= due:
            return [shared for shared in watched if _is_ready(shared)]


def _is_ready(shared: Shared) -> bool:
    """Without the GIL another thread may close it meanwhile, so it is entered."""
    try:
        with shared._enter():
            return shared._would_not_wait()
    except Closed:
        return True


def _sleep(watched: list[Any], watches: Any, most: int, limit: int, goes_on: bool, *words: Any) -> bool:
    """`most` nanoseconds, or until one of them is worth a look. Whether the time-out has passed.

    `goes_on`: not only so long, but until then, in longer and longer pieces. Between two of them Python serves signals;
    one that this thread itself gets ends a piece at once.
    """
    inside: list[Any] = []
    at, size = int(ffi.cast("uintptr_t", watches)), ffi.sizeof("struct lf_watch")
    try:
        for shared in watched:
            try:
                visit = shared._enter()
            except Closed:  # the caller's next look says so
                return False
            inside.append(visit)
            visit.watch(TO_GET, at + (len(inside) - 1) * size, watches)
        if any(shared._would_not_wait() for shared in watched):
            return False
        end, now = time.monotonic_ns() + most, 0
        while now < limit:
            left = max(min(end, limit) - time.monotonic_ns(), 0)
            blocking.lf_watch_sleep_on(watches, len(inside), words[0], 0, left, words[1])
            due = [watches[at].due for at in range(len(inside))]
            for at, shared in enumerate(watched):
                if due[at] and not shared._would_not_wait():
                    lib.lf_watch_found_nothing(watches + at)
                elif due[at]:
                    return False
            now = time.monotonic_ns()
            looked = lib.LF_WATCH_LOOK in due  # at all of them, although nothing was seen
            if not looked and (any(due) or not goes_on):
                break  # what was announced is used up
            if not looked:  # a wake may be lost with a process that was killed: so here, too
                if any(shared._would_not_wait() for shared in watched):
                    return False
                most = min(2 * most, LONGEST)
                end = now + most
        return limit != FOREVER and time.monotonic_ns() >= limit
    finally:
        for visit in inside:  # an exception of a signal handler leaves the rest to the end of the visits
            visit.leave()
