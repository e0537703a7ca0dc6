"""The waits of asyncio's tasks, which have no thread of their own.

Each event loop has one thread at most. It sleeps for all waits of the loop at once (blocks/watching.h), and ends when
it had nothing to do for a second. A waiting task holds nothing: what it waits for is taken in the loop's thread, and
the task goes on in the same step. So a task that is cancelled has either returned or taken nothing. If it had been
woken, the next waiting task, or another process, is woken in its place.
"""

import asyncio
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from lockfree._awaited import NOT_YET
from lockfree._long import Wait
from lockfree._native import lib
from lockfree._segment import Shared
from lockfree._sleeping import TO_GET, TO_PUT, Sleeper, Waiting
from lockfree._waiting import FOREVER, remaining, until


class _Turn:
    """A waiting task's."""

    future: "asyncio.Future[None] | None" = None


class Place(Waiting):
    """One object and one side of it, in one event loop: its waiting tasks, oldest first."""

    def __init__(self, sleeper: "_Hub", shared: Any, side: int) -> None:
        super().__init__(sleeper, shared, side)
        self.turns: OrderedDict[_Turn, None] = OrderedDict()
        self.users = 0
        self.owes = False  # somebody was woken, and has not tried since

    def refused(self) -> None:
        """After an attempt."""

    def is_worth_a_try(self) -> bool:
        knows = type(self.shared)._would_not_wait is not Shared._would_not_wait
        return self.side != TO_GET or not knows or self.is_ready_to_get()

    def may_try(self, _turn: "_Turn") -> bool:
        """Whether a task may overtake those that wait already."""
        return True

    def waits_anew(self) -> bool:
        """Whether what was announced is no longer what the attempt that was refused waits for."""
        return False

    def woken(self) -> None:
        self.owes = True
        self.next()

    def next(self) -> None:
        """Lets the oldest waiting task try; without one, nobody is woken for this loop any more."""
        for turn in self.turns:  # the first one alone: a later one in turn tries when this one has left
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
        self.sleeper.add(self)


class PlaceOfWriter(Place):
    """A writer's: it waits for the writer before it, or, with the lock, for the readers. One task at a time tries."""

    def is_worth_a_try(self) -> bool:
        return True

    drains = False
    """It has the lock, and waits for the readers."""
    counted = TO_GET

    def count(self) -> None:
        self.counted = TO_PUT if self.drains else TO_GET
        self.watch_count(self.counted)

    def may_try(self, turn: _Turn) -> bool:
        return not self.turns or next(iter(self.turns)) is turn

    def waits_anew(self) -> bool:
        if self.counted == (TO_PUT if self.drains else TO_GET):
            return False
        self.retract()
        return True


class PlaceOfWaiter(Place):
    """One waiter's in a condition."""

    def is_worth_a_try(self) -> bool:
        return True

    def count(self) -> None:
        lib.lf_py_watch_place(self.handle, self.side, self.watch)


class _Hub(Sleeper):
    """The waits of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = weakref.ref(loop)
        self.places: dict[tuple[int, int], Place] = {}

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
            self.let_go(place)

    def _tell(self, hit: list[Place]) -> bool:
        """False: the loop is closed, and its waits are over."""
        loop = self.loop()
        try:
            if loop is not None:
                loop.call_soon_threadsafe(_wake, hit)
                return True
        except RuntimeError:
            pass
        self._end()
        return False

    def _leave(self, over: list[Any]) -> None:
        """Behind those that the loop is told of already: they may be the same, and pass a wake on."""
        loop = self.loop()
        try:
            if loop is not None and over:
                loop.call_soon_threadsafe(super()._leave, over)
                return
        except RuntimeError:  # it is closed
            pass
        super()._leave(over)


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
    limit = until(remaining(timeout))
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
