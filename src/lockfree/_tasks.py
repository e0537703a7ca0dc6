"""The waits of asyncio's tasks, which have no thread of their own.

Each event loop has one thread at most. It sleeps for all waits of the loop at once (blocks/watching.h), and ends when
it had nothing to do for a second. A waiting task holds nothing: what it waits for is taken in the loop's thread, and
the task goes on in the same step. So a task that is cancelled has either returned or taken nothing. If it had been
woken, the next waiting task, or another process, is woken in its place.
"""

import asyncio
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from lockfree._awaited import NOT_YET, TO_GET, TO_PUT
from lockfree._errors import OK, raise_status
from lockfree._long import Wait
from lockfree._native import blocking, ffi, lib
from lockfree._waiting import FOREVER, patience, until

IDLE: Final = 1_000_000_000
"""ns: after so long without a wait the thread of a loop ends."""


def refuse_gevent(what: str) -> None:
    """Its threads are none: the one that sleeps for a loop would stop everything."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        raise RuntimeError(
            f"{what}: gevent has replaced threads, and an awaited call needs a real one; "
            "call the method that blocks in gevent.get_hub().threadpool"
        )


class _Turn:
    """A waiting task's."""

    future: "asyncio.Future[None] | None" = None


class Place:
    """One object and one side of it, in one event loop: its waiting tasks, oldest first, and its announcement."""

    def __init__(self, hub: "_Hub", shared: Any, side: int) -> None:
        shared._enter()
        self.hub, self.shared, self.side = hub, shared, side
        self.handle = shared._h  # kept as long as the place is
        self.pointer = ffi.addressof(self.handle, "h")
        self.watch = ffi.new("struct lf_watch *")
        self.turns: OrderedDict[_Turn, None] = OrderedDict()
        self.users = 0
        self.announced = False
        self.owes = False  # somebody was woken, and has not tried since

    def announce(self) -> None:
        """Before an attempt: whoever makes it possible afterwards sees that somebody waits."""
        if not self.hub.watches(self):
            self.retract()
            self.count()
            self.announced = True
            self.hub.add(self)

    def count(self) -> None:
        status = lib.lf_py_watch(self.pointer, self.side, self.watch)
        if status != OK:
            raise_status(status, self.shared._title(), self.handle)

    def refused(self) -> None:
        """After an attempt."""

    def may_try(self, _turn: "_Turn") -> bool:
        """Whether a task may overtake those that wait already."""
        return True

    def waits_anew(self) -> bool:
        """Whether what was announced is no longer what the attempt that was refused waits for."""
        return False

    def retract(self) -> None:
        if self.announced:
            self.hub.remove(self)
            lib.lf_watch_end(self.watch)
            self.announced = False

    def woken(self) -> None:
        self.owes = True
        self.next()

    def next(self) -> None:
        """Lets the oldest waiting task try; without one, nobody is woken for this loop any more."""
        for turn in self.turns:  # the first one alone: whoever comes later in turn tries when this one has left
            if turn.future is not None:
                _set(turn.future)
            return
        if self.users == 0:
            self.retract()
            if self.owes:
                lib.lf_watch_pass_on(self.watch)
        self.owes = self.owes and self.users > 0


class PlaceOfLock(Place):
    """A lock's: the attempt itself announces."""

    def announce(self) -> None: ...

    def refused(self) -> None:
        self.announced = True
        self.hub.add(self)


class PlaceOfWriter(Place):
    """A writer's: it waits for the writer before it, or, with the lock, for the readers. One task at a time tries."""

    drains = False
    """It has the lock, and waits for the readers."""
    counted = TO_GET

    def count(self) -> None:
        self.counted = TO_PUT if self.drains else TO_GET
        lib.lf_py_watch(self.pointer, self.counted, self.watch)

    def may_try(self, turn: _Turn) -> bool:
        return not self.turns or next(iter(self.turns)) is turn

    def waits_anew(self) -> bool:
        if self.counted == (TO_PUT if self.drains else TO_GET):
            return False
        self.retract()
        return True


class PlaceOfWaiter(Place):
    """One waiter's in a condition."""

    def count(self) -> None:
        lib.lf_py_watch_place(self.handle, self.side, self.watch)


class _Hub:
    """The waits of one event loop, and the thread that sleeps for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = weakref.ref(loop)
        self.lock = threading.Lock()
        self.control = ffi.new("uint32_t *")
        self.places: dict[tuple[int, int], Place] = {}
        self.sleeping: dict[Place, None] = {}  # what the thread sleeps for
        self.over: list[Place] = []  # the thread lets go of them when it is awake
        self.thread: threading.Thread | None = None

    def place(self, shared: Any, side: int, kind: type[Place]) -> Place:
        key = (id(shared), side)
        found = self.places.get(key)
        if found is None or found.handle is not shared._h:
            found = self.places[key] = kind(self, shared, side)
        found.users += 1
        return found

    def leave(self, place: Place) -> None:
        place.users -= 1
        place.next()
        if place.users == 0:
            self.places.pop((id(place.shared), place.side), None)
            with self.lock:
                if self.thread is not None:
                    self.over.append(place)
                    lib.lf_py_turn(self.control)
                    return
            place.shared._leave()

    def watches(self, place: Place) -> bool:
        with self.lock:
            return place in self.sleeping

    def add(self, place: Place) -> None:
        refuse_gevent(place.shared._title())
        with self.lock:
            self.sleeping[place] = None
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="lockfree-waits", daemon=True)
                self.thread.start()
            else:
                lib.lf_py_turn(self.control)

    def remove(self, place: Place) -> None:
        with self.lock:
            self.sleeping.pop(place, None)

    def _run(self) -> None:
        while True:
            with self.lock:
                over, self.over = self.over, []
                places = list(self.sleeping)
                expected = self.control[0]
            for place in over:
                place.shared._leave()
            over.clear()
            watches = ffi.new("struct lf_watch[]", max(len(places), 1))
            for at, place in enumerate(places):
                watches[at] = place.watch[0]
            due = blocking.lf_watch_sleep(watches, len(places), self.control, expected, 60 * IDLE if places else IDLE)
            with self.lock:
                hit = [p for at, p in enumerate(places) if watches[at].due and p in self.sleeping] if due else []
                for place in hit:
                    del self.sleeping[place]
                if not places and not self.sleeping and not self.over and self.control[0] == expected:
                    self.thread = None
                    return
            if hit and not self._tell(hit):
                return

    def _tell(self, hit: list[Place]) -> bool:
        """False: the loop is closed, and its waits are over."""
        loop = self.loop()
        try:
            if loop is not None:
                loop.call_soon_threadsafe(_wake, hit)
                return True
        except RuntimeError:
            pass
        with self.lock:
            self.thread = None
            over, self.over = self.over, []
        for place in over:
            place.shared._leave()
        return False


def _wake(places: list[Place]) -> None:
    for place in places:
        place.woken()


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Hub]" = weakref.WeakKeyDictionary()


def _hub() -> _Hub:
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = _Hub(loop)
    return hub


async def until_done(
    shared: Any, side: int, attempt: Callable[[Place], Any], timeout: float | None, kind: type[Place] = Place
) -> Any:
    """What `attempt` returns once that is not NOT_YET; NOT_YET after the time-out, after a last attempt."""
    limit = until(patience(True, timeout))
    place = (hub := _hub()).place(shared, side, kind)
    turn, loop, wait = _Turn(), asyncio.get_running_loop(), Wait(shared)
    try:
        while True:
            place.announce()
            last = limit != FOREVER and time.monotonic_ns() >= limit
            if place.may_try(turn):
                answer = attempt(place)
                place.owes = False
                if answer is not NOT_YET or last:
                    return answer
                if place.waits_anew():
                    continue
                place.refused()
            elif last:
                return NOT_YET
            wait.between()
            turn.future = loop.create_future()
            place.turns[turn] = None  # where it was, if it had its turn
            await _until(turn.future, min(limit, wait.due) if wait.after else limit)
    finally:
        place.turns.pop(turn, None)
        hub.leave(place)


async def _until(future: "asyncio.Future[None]", limit: int) -> None:
    if limit == FOREVER:
        await future
        return
    timer = future.get_loop().call_later(max(limit - time.monotonic_ns(), 0) / 1e9, _set, future)
    try:
        await future
    finally:
        timer.cancel()


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
