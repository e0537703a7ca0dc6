"""One thread that sleeps for waits which have no thread of their own: a Sleeper.

Of each event loop of asyncio: _tasks.py. Of the process, for descriptors: _polling.py.
"""

import os
import threading
from typing import Any, Final, cast

from lockfree._errors import raise_status
from lockfree._gevent import refuse_patched_threads
from lockfree._native import blocking, ffi, lib

TO_GET: Final = 0
TO_PUT: Final = 1
IDLE: Final = 1_000_000_000
"""ns: after so long without a wait the thread of a loop ends."""
MANY: Final = 256
THOROUGH: Final = 4
"""Of so many waits on, only each fourth time without news all are told. The other times the thread looks by itself."""


class Waiting:
    """One side of one object, for which a Sleeper sleeps; and its announcement."""

    def __init__(self, sleeper: "Sleeper", shared: Any, side: int) -> None:
        self.handle = shared._h  # kept as long as this is; before the visit: close() may put another one there
        self.visit = shared._enter()
        self.sleeper, self.shared, self.side = sleeper, shared, side
        self.pointer = ffi.addressof(self.handle, "h")
        self.watch = ffi.new("struct lf_watch *")
        self.announced = False

    def announce(self) -> None:
        """Before an attempt: a thread that makes it possible afterwards sees that somebody waits."""
        if not self.sleeper.watches(self):
            self.retract()
            self.count()
            self.announced = True
            self.sleeper.add(self)

    def count(self) -> None:
        self.watch_count(self.side)

    def watch_count(self, side: int) -> None:
        status = lib.lf_py_watch(self.pointer, side, self.watch)
        if status != lib.LF_OK:
            raise_status(status, self.shared._title(), self.handle)

    def is_ready_to_get(self) -> bool:
        """True also where the thread that calls decides: of a reader of a BroadcastRing."""
        return bool(self.handle.h.closed) or self.shared._depends_on_thread or self.shared._would_not_wait()

    def is_worth_a_try(self) -> bool:
        """False only if the thread can see that an attempt would be refused."""
        return True

    def retract(self) -> None:
        if self.announced:
            self.sleeper.remove(self)
            lib.lf_watch_end(self.watch)
            self.announced = False


class Sleeper:
    """The thread, and what it sleeps for. It ends when it had nothing to do for a second."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.control = ffi.new("uint32_t *")
        self.sleeping: dict[Waiting, None] = {}  # what the thread sleeps for
        self.over: list[Waiting] = []  # the thread lets go of them when it is awake
        self.thread: threading.Thread | None = None
        self.began = 0  # the process in which that thread runs; 0: it has not begun
        self.looks = 0

    def watches(self, waiting: Waiting) -> bool:
        with self.lock:
            return waiting in self.sleeping

    def add(self, waiting: Waiting) -> None:
        refuse_patched_threads(waiting.shared._title())
        with self.lock:
            self.sleeping[waiting] = None
            if not self._has_thread():
                self.began = 0
                self.thread = threading.Thread(target=self._run, name="lockfree-waits", daemon=True)
                self._start(waiting.shared)
            else:
                lib.lf_py_turn(self.control)

    def _start(self, shared: Any) -> None:
        try:
            cast("threading.Thread", self.thread).start()
        except RuntimeError as error:
            raise RuntimeError(
                f"{shared._title()}: {error}: it sleeps for what is awaited or polled. A limit forbids it ("
                f"`ulimit -u`, RLIMIT_NPROC, or pids.max of the control group): raise it, or use calls that block"
            ) from None

    def remove(self, waiting: Waiting) -> None:
        with self.lock:
            self.sleeping.pop(waiting, None)

    def _has_thread(self) -> bool:
        """With the lock. One that has begun says itself when it ends: after an exception of a signal handler within it,
        `is_alive` may take a thread that runs for dead (Python 3.11), and two threads would let go of what the other
        one looks at. One that has not begun may never do so: an exception came within `Thread.start`.
        """
        return self.thread is not None and (self.began == os.getpid() or self.thread.is_alive())

    def let_go(self, waiting: Waiting) -> None:
        """Its object may be detached, as soon as the thread does not look at it."""
        with self.lock:
            if self._has_thread():
                self.over.append(waiting)
                lib.lf_py_turn(self.control)
                return
        self._leave([waiting])

    def _leave(self, over: list[Waiting]) -> None:
        """The end of their visits."""
        while over:
            over.pop().visit.leave()

    def _run(self) -> None:
        with self.lock:
            if self.thread is not threading.current_thread():  # taken for dead before it has begun
                return
            self.began = os.getpid()
        try:
            while (hit := self._sleep()) is not None:
                if hit and not self._tell(hit):
                    return
                del hit  # else it lives while the thread sleeps
        except BaseException:
            self._end()
            raise

    def _sleep(self) -> list[Any] | None:
        """Sleeps once: those that are to be tried again. None: there was nothing to do, and the thread ends."""
        with self.lock:
            over, self.over = self.over, []
            places = list(self.sleeping)
            expected = self.control[0]
        self._leave(over)
        watches = ffi.new("struct lf_watch[]", max(len(places), 1))
        for at, place in enumerate(places):
            watches[at] = place.watch[0]
        due = blocking.lf_watch_sleep(watches, len(places), self.control, expected, 60 * IDLE if places else IDLE)
        told = [at for at in range(len(places)) if watches[at].due] if due else []
        if len(told) >= MANY and watches[0].due == lib.LF_WATCH_LOOK:
            self.looks += 1
            if self.looks % THOROUGH:
                told = [at for at in told if places[at].is_worth_a_try()]
        with self.lock:
            hit = [places[at] for at in told if places[at] in self.sleeping]
            given_up = [at for at in told if places[at] not in self.sleeping]
            for each in hit:
                del self.sleeping[each]
            if not places and not self.sleeping and not self.over and self.control[0] == expected:
                self.thread = None
                return None
        for at in given_up:  # the wake came to this thread, which nobody wants any more: others need it
            lib.lf_watch_pass_on(watches + at)
        return hit

    def _tell(self, hit: list[Any]) -> bool:
        """Those of whose words something is to be said. False: the thread is over, and `_end` was called."""
        raise NotImplementedError

    def _end(self) -> None:
        with self.lock:
            self.thread = None
            over, self.over = self.over, []
        self._leave(over)
