"""What replaces the primitives of `_thread`, `time` and `queue` while a program is explored.

Everything else of `threading` (Condition, Event, Semaphore, Barrier, Timer, Thread) is the standard library's own
code, which stands on these.
"""

import collections
import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lockfree._native.tracer import untraced
from lockfree.modelcheck.python.scheduler import Controlled, Scheduler, caller, join, start_thread, tick

if TYPE_CHECKING:
    from types import FrameType

NO_TIMEOUT = -1
_WAITS = threading.Condition.wait.__code__
_IS_OWNED = threading.Condition._is_owned.__code__  # type: ignore[attr-defined]
_STARTS = {threading.Thread.__init__.__code__, threading.Thread.start.__code__}


class World:
    """The scheduler of the execution that runs now."""

    scheduler: Scheduler | None = None


def current() -> tuple[Scheduler, Controlled] | None:
    """The scheduler and the calling thread; None if the thread is not explored."""
    scheduler = World.scheduler
    me = scheduler.me() if scheduler is not None else None
    return None if scheduler is None or me is None else (scheduler, me)


def _timeout_of(blocking: object, timeout: float) -> float | None:
    if timeout != NO_TIMEOUT and not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != NO_TIMEOUT:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return None if timeout == NO_TIMEOUT else timeout


class _Owned:
    """What `Lock` and `RLock` share: the holder, and what happened before it was free.

    The names of what a real lock does not have begin with `_lf_`: an answer of the practice mode may not say them.
    """

    _lf_kind = "lock"

    def __init__(self, *, hidden: bool = False) -> None:
        self._lf_owner: Controlled | None = None
        self._lf_held = 0
        self._lf_clock: list[int] = []
        self._lf_hidden = hidden or _is_of_a_start()
        self._lf_waits = sys._getframe(2).f_code is _WAITS
        self._lf_fresh = True
        self._lf_tried = False
        self._lf_past = 0
        scheduler = World.scheduler
        self._lf_made_at = caller() if scheduler is not None and scheduler.rows is not None else ("", 0)

    def _lf_describe(self) -> str:
        if self._lf_waits:
            return "a notification" + (f" since line {self._lf_made_at[1]}" if self._lf_made_at[1] else "")
        by = f", which {self._lf_owner.name} has" if self._lf_held and self._lf_owner is not None else ""
        return self._name() + by

    def _name(self) -> str:
        return f"the {self._lf_kind}" + (f" of line {self._lf_made_at[1]}" if self._lf_made_at[1] else "")

    def _take(self, scheduler: Scheduler, me: Controlled) -> None:
        first, self._lf_fresh = self._lf_fresh, False
        self._lf_owner, self._lf_held = me, 1
        if not self._lf_hidden:
            join(me.clock, self._lf_clock)
            self._met(me, "acquire")
        if scheduler.rows is None:
            return
        if not self._lf_waits:
            self._record(scheduler, f"acquires {self._name()}")
        elif not first:
            self._record(scheduler, "has been notified")

    def _met(self, me: Controlled, what: str) -> None:
        """Thread and lock have seen each other's past."""
        me.past = self._lf_past = hash((me.past, self._lf_past, what))

    def _record(self, scheduler: Scheduler, text: str) -> None:
        if not self._lf_hidden:
            scheduler.record(text)

    def _acquire(self, blocking: object, timeout: float) -> bool:
        seconds = _timeout_of(blocking, timeout)
        found = current()
        if found is None:  # before or after the exploration
            if self._lf_held and blocking:
                raise RuntimeError(f"{self._lf_describe()}: nobody is there to release it")
            taken = not self._lf_held
            self._lf_held = 1
            return taken
        scheduler, me = found
        if scheduler.aborting:
            if self._lf_held and blocking:
                scheduler.wait(self._free, self._lf_describe, seconds)
            return True
        looks = sys._getframe(2).f_code is _IS_OWNED
        if not (self._lf_hidden or looks or (self._lf_waits and self._lf_fresh)):
            scheduler.point()
        if looks:
            self._lf_held = self._lf_held or 2
            return self._lf_held == 2
        if not self._lf_held:
            self._take(scheduler, me)
            return True
        self._lf_tried = self._lf_tried or not blocking or seconds is not None
        if not blocking:
            self._met(me, "busy")
            self._record(scheduler, f"does not get {self._name()}")
            return False
        self._record(scheduler, "waits to be notified" if self._lf_waits else f"waits for {self._name()}")
        if not scheduler.wait(self._free, self._lf_describe, seconds):
            self._met(me, "time-out")
            self._record(scheduler, "time-out" if self._lf_waits else f"time-out: does not get {self._name()}")
            return False
        self._take(scheduler, me)
        return True

    def _release_matters(self) -> bool:
        """Whether it makes a difference who comes before a release: to those who do not wait for it without end."""
        return self._lf_tried and not (self._lf_hidden or self._lf_waits)

    def _free(self) -> bool:
        return not self._lf_held

    def _give(self) -> None:
        looked, self._lf_held = self._lf_held == 2, 0
        found = current()
        if found is not None and not looked:
            scheduler, me = found
            if not self._lf_hidden:
                self._lf_clock = list(me.clock)
                tick(me)
                self._met(me, "release")
            if scheduler.rows is not None:
                by = self._lf_owner.name if self._lf_owner is not None else "a thread"
                self._record(scheduler, f"notifies {by}" if self._lf_waits else f"releases {self._name()}")
        self._lf_owner = None

    @untraced
    def _at_fork_reinit(self) -> None:
        """As if it were new."""
        self._lf_owner, self._lf_held, self._lf_past, self._lf_clock = None, 0, 0, []

    def acquire(self, blocking: bool = True, timeout: float = NO_TIMEOUT) -> bool:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError

    @untraced
    def __enter__(self) -> bool:
        return self.acquire()

    @untraced
    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{'locked' if self._lf_held else 'unlocked'} {self._lf_kind} of the scheduler>"


def _is_of_a_start() -> bool:
    """Whether `Thread.start` makes the lock for itself."""
    frame: FrameType | None = sys._getframe(3)
    for _ in range(5):
        if frame is None:
            return False
        if frame.f_code in _STARTS:
            return True
        frame = frame.f_back
    return False


class Lock(_Owned):
    """`threading.Lock`, under the scheduler."""

    @untraced
    def acquire(self, blocking: bool = True, timeout: float = NO_TIMEOUT) -> bool:
        return self._acquire(blocking, timeout)

    @untraced
    def release(self) -> None:
        if not self._lf_held:
            found = current()
            if found is not None and found[0].aborting:
                return
            raise RuntimeError("release unlocked lock")
        found = current()
        if found is not None and not (found[0].aborting or self._lf_held == 2) and self._release_matters():
            found[0].point()
        self._give()

    @untraced
    def locked(self) -> bool:
        if (found := current()) is not None and not self._lf_hidden:
            self._lf_tried = True
            found[0].point()
            self._met(found[1], f"locked: {self._lf_held}")
        return bool(self._lf_held)

    acquire_lock, release_lock, locked_lock = acquire, release, locked


class RLock(_Owned):
    """`threading.RLock`, under the scheduler."""

    _lf_kind = "reentrant lock"

    @untraced
    def acquire(self, blocking: bool = True, timeout: float = NO_TIMEOUT) -> bool:
        found = current()
        if self._lf_held and found is not None and self._lf_owner is found[1]:
            _timeout_of(blocking, timeout)
            self._lf_held += 1
            return True
        return self._acquire(blocking, timeout)

    @untraced
    def release(self) -> None:
        found = current()
        if found is not None and found[0].aborting:
            self._lf_held = max(0, self._lf_held - 1)
            return
        if not self._lf_held or (found is not None and self._lf_owner is not found[1]):
            raise RuntimeError("cannot release un-acquired lock")
        if self._lf_held > 1:
            self._lf_held -= 1
            return
        if found is not None and self._release_matters():
            found[0].point()
        self._give()

    @untraced
    def _is_owned(self) -> bool:
        found = current()
        return bool(self._lf_held) and found is not None and self._lf_owner is found[1]

    def _recursion_count(self) -> int:
        return self._lf_held if self._is_owned() else 0

    @untraced
    def _release_save(self) -> int:
        held = self._lf_held
        if not held:
            raise RuntimeError("cannot release un-acquired lock")
        self._give()
        return held

    @untraced
    def _acquire_restore(self, held: int) -> None:
        self._acquire(True, NO_TIMEOUT)
        self._lf_held = held

    @untraced
    def locked(self) -> bool:
        return bool(self._lf_held)


@untraced
def allocate_lock() -> Lock:
    """`_thread.allocate_lock`."""
    return Lock()


@untraced
def reentrant_lock() -> RLock:
    """`threading.RLock`."""
    return RLock()


@untraced
def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> int:
    """`_thread.start_new_thread`."""
    found = current()
    if found is None:
        return start_thread(function, args, kwargs or {})
    scheduler = found[0]

    def run() -> None:
        me = scheduler.me()
        if me is not None and not isinstance(getattr(function, "__self__", None), threading.Thread):
            scheduler.begin(me)
        function(*args, **(kwargs or {}))

    return begin(scheduler, run, _name_of(function), daemon=_is_daemon(function)).ident


def _name_of(function: Callable[..., object]) -> str:
    thread = getattr(function, "__self__", None)
    return thread.name if isinstance(thread, threading.Thread) else ""


def _is_daemon(function: Callable[..., object]) -> bool:
    thread = getattr(function, "__self__", None)
    return thread.daemon if isinstance(thread, threading.Thread) else True


def begin(scheduler: Scheduler, function: Callable[[], object], name: str, *, daemon: bool) -> Controlled:
    """Starts a thread of the program."""
    thread = scheduler.spawn(function, name, daemon=daemon)
    scheduler.record(f"starts {thread.name}")
    return thread


class Sentinel(Lock):
    """What `_thread._set_sentinel` returns: a lock that is free again when its thread has ended."""

    _lf_kind = "end of a thread"

    def __init__(self) -> None:
        super().__init__(hidden=True)
        found = current()
        self._lf_thread = found[1] if found is not None else None

    def _lf_describe(self) -> str:
        return f"the end of {self._lf_thread.name if self._lf_thread else 'a thread'}"

    @untraced
    def acquire(self, blocking: bool = True, timeout: float = NO_TIMEOUT) -> bool:
        found = current()
        if found is None or self._lf_thread is found[1]:
            return True
        return ended(found, self._lf_thread, blocking, _timeout_of(blocking, timeout))

    @untraced
    def release(self) -> None:
        pass

    @untraced
    def locked(self) -> bool:
        return self._lf_thread is not None and not self._lf_thread.done


def ended(
    found: tuple[Scheduler, Controlled], thread: Controlled | None, blocking: object, timeout: float | None
) -> bool:
    """Waits for the end of a thread; False if it has not ended."""
    scheduler, me = found
    if thread is None:
        return True
    if not blocking or timeout is not None:
        scheduler.point()
    if not thread.done:
        if not blocking:
            me.past = hash((me.past, "not ended"))
            return False
        scheduler.record(f"waits for the end of {thread.name}")
        if not scheduler.wait(lambda: thread.done, lambda: f"the end of {thread.name}", timeout):
            me.past = hash((me.past, "not ended"))
            return False
    me.past = hash((me.past, thread.past, "join"))
    join(me.clock, thread.ended)
    scheduler.record(f"has joined {thread.name}")
    return True


class MainThread(threading._DummyThread):
    """What `threading` knows of the first thread, which it did not start: others can wait for its end."""

    @untraced
    def is_alive(self) -> bool:
        found = current()
        return found is None or not found[0].threads[0].done

    @untraced
    def join(self, timeout: float | None = None) -> None:
        found = current()
        if found is None:
            return
        if found[1] is found[0].threads[0]:
            raise RuntimeError("cannot join current thread")
        ended(found, found[0].threads[0], True, None if timeout is None else max(timeout, 0))


class Handle:
    """`_thread._ThreadHandle` of Python 3.13 and later."""

    def __init__(self) -> None:
        self._lf_thread: Controlled | None = None
        self._lf_set_done = False

    @property
    def ident(self) -> int | None:
        return None if self._lf_thread is None else self._lf_thread.ident

    def is_done(self) -> bool:
        return self._lf_set_done or (self._lf_thread is not None and self._lf_thread.done)

    def _set_done(self) -> None:
        self._lf_set_done = True

    def join(self, timeout: float | None = None) -> None:
        found = current()
        if found is not None and not self._lf_set_done:
            ended(found, self._lf_thread, True, timeout if timeout is None or timeout >= 0 else None)


@untraced
def start_joinable_thread(function: Callable[[], object], handle: Handle | None = None, daemon: bool = True) -> Handle:
    """`_thread.start_joinable_thread` of Python 3.13 and later."""
    handle = handle or Handle()
    found = current()
    if found is None:
        raise RuntimeError("a thread was started by one that the scheduler does not know")
    handle._lf_thread = begin(found[0], function, _name_of(function), daemon=daemon)
    return handle


EPOCH = 1_700_000_000.0
"""Where the virtual wall clock begins."""


@untraced
def monotonic() -> float:
    """The virtual clock."""
    if World.scheduler is None:
        return 0.0
    me = World.scheduler.me()
    if me is not None:
        me.past = hash((me.past, World.scheduler.now))
    return World.scheduler.now


@untraced
def monotonic_ns() -> int:
    return round(monotonic() * 1e9)


@untraced
def wall() -> float:
    return EPOCH + monotonic()


@untraced
def wall_ns() -> int:
    return round(EPOCH * 1e9) + monotonic_ns()


@untraced
def sleep(seconds: float) -> None:
    """Virtual time passes; the others have their turn."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    found = current()
    if found is None:
        return
    scheduler, _ = found
    scheduler.record(f"sleeps for {seconds:g} s")
    scheduler.wait(lambda: False, lambda: f"the end of its sleep of {seconds:g} s", seconds)


class SimpleQueue:
    """`queue.SimpleQueue`, under the scheduler."""

    def __init__(self) -> None:
        self._items: collections.deque[Any] = collections.deque()
        self._changed = threading.Condition()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002 - as in `queue`
        with self._changed:
            self._items.append(item)
            if self._changed._is_owned():  # type: ignore[attr-defined]  # when an execution ends all locks are open
                self._changed.notify()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        with self._changed:
            if not self._changed.wait_for(lambda: self._items, timeout if block else 0):
                raise queue.Empty
            return self._items.popleft()

    def put_nowait(self, item: Any) -> None:
        self.put(item)

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self.qsize()

    def qsize(self) -> int:
        with self._changed:
            return len(self._items)
