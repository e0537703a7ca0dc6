"""One execution of a Python program: its threads are real, and one of them runs at a time.

A thread gives the turn to another one only here: before a visible operation (`point`), where it has to wait (`wait`),
and when it has gone round a loop for long (`step`). Which thread comes next is a numbered decision. So the list of
the decisions that were not the default one is the whole schedule.

Time is virtual: it stands still while a thread can run, and then it jumps to the next time-out.
"""

import _thread
import contextlib
import linecache
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

from lockfree import _running

if TYPE_CHECKING:
    from types import FrameType

LOOP = 200
"""Lines that a thread may run without a wait before another thread gets a turn."""
PATIENCE = 10.0
"""Seconds without a step after which a thread hangs where the scheduler cannot reach it."""
ABORTED_WAITS = 1_000
"""Waits of a thread that is to end before it is left behind."""
ABORTED_LINES = 1_000
"""Lines of its last words. In a thread that makes more, each further line raises `Aborted`: it catches everything."""

MOST_SAID = 4_000
"""Characters of an exception's text."""
TOO_MANY = "too many threads"
"""The kind of failure that is none of the program: the scheduler cannot follow so many."""

_allocate = _thread.allocate_lock
start_thread = _thread.start_new_thread

Position = tuple[int, int]
"""An instruction: the identity of its code and the offset in it."""


def _forget_dummy() -> None:
    """Removes what `threading` knows of a thread that it did not start, as long as the scheduler knows the thread.

    From Python 3.13 on the end of the thread does that, under a lock of the module.
    """
    info = getattr(threading, "_thread_local_info", None)
    if info is not None:
        vars(info).pop("_track_dummy_thread_ref", None)


class Aborted(BaseException):
    """Ends a thread when the execution is over. Programs have no reason to catch it.

    One that keeps it, and raises it in another execution, ends no execution with it: it is an exception there.
    """


@dataclass
class Failure:
    """What went wrong in an execution. kind: `exception`, `deadlock`, `no progress`, or `TOO_MANY`."""

    kind: str
    message: str


@dataclass(frozen=True)
class Decision:
    """A place in the schedule with several ways to go on. chosen: 0 is the default one. state: of the program."""

    alternatives: int
    chosen: int
    state: int


@dataclass(frozen=True)
class Row:
    """One line of a trace: what a thread (or a task, `name`) did at `file`:`line`."""

    column: str
    text: str
    file: str
    line: int


class Chooser(Protocol):
    """Decides how an execution goes on."""

    def choose(self, number: int, options: Sequence[object]) -> int:
        """The option of decision `number`; 0 is the default one."""


@dataclass(eq=False)
class Controlled:
    """A thread of the program under test."""

    index: int
    name: str
    daemon: bool = False
    baton: _thread.LockType = field(default_factory=_allocate)
    ready: Callable[[], bool] | None = None
    waits_for: Callable[[], str] | None = None
    deadline: float | None = None
    done: bool = False
    lines: int = 0
    clock: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    aborted_waits: int = 0
    aborted_lines: int = 0
    column: str = ""
    past: int = 0  # stands for all that the thread has seen of the others
    ident: int = 0
    begun: bool = False  # it has come to the program's own code

    def enabled(self, now: float) -> bool:
        if self.done:
            return False
        if self.ready is None or self.ready():
            return True
        return self.deadline is not None and self.deadline <= now


class Scheduler:
    """The threads, the clock and the decisions of one execution."""

    def __init__(
        self,
        chooser: Chooser,
        *,
        steps: int,
        most_threads: int = 1_000,
        early: bool = False,
        longest: float = math.inf,
        trace: Callable[[], object] | None = None,
        recorder: "list[Row] | None" = None,
    ) -> None:
        self.chooser = chooser
        self.most_steps = steps
        self.most_threads = most_threads
        self.early = early
        self.longest = longest
        self.trace = trace
        self.rows = recorder
        self.threads: list[Controlled] = []
        self.by_ident: dict[int, Controlled] = {}
        self.current: Controlled | None = None
        self.now = 0.0
        self.nap = 0.001
        self.steps = 0
        self.decisions: list[Decision] = []
        self.failure: Failure | None = None
        self.aborting = False
        self.finished = _allocate()
        self.finished.acquire()
        self.follows: Callable[[str], bool] = lambda _file: True
        self.goes_on: Callable[[], object] = lambda: None  # told now and then while an execution takes long

    # --- what a thread calls -------------------------------------------------------------------------------------

    def me(self) -> Controlled | None:
        """The calling thread, if it is one of the program's."""
        return self.by_ident.get(_thread.get_ident())

    def point(self) -> None:
        """A place where another thread may come first."""
        me = self.me()
        if me is None or self.aborting:
            return
        self._count()
        if len(self.threads) > 1 or self.early:
            self._turn(me)

    def begin(self, me: Controlled) -> None:
        """A thread comes to the program's code: the thread that started it may run on first, and so may the others."""
        me.begun = True
        self.point()

    def wait(self, ready: Callable[[], bool], what: Callable[[], str], timeout: float | None = None) -> bool:
        """Waits until `ready()`; False if `timeout` seconds of virtual time passed first. The others come first."""
        me = self.me()
        if me is None:
            raise RuntimeError("a thread that the scheduler does not know waits for a lock of the explored program")
        if self.aborting:
            self._give_up(me)
        self._count()
        me.ready, me.waits_for = ready, what
        if timeout is not None and timeout > self.longest:
            said = f" (a time-out of {timeout:,.0f} s counts as none)"
            me.waits_for, timeout = lambda: what() + said, None
        me.deadline = None if timeout is None else self.now + timeout
        self._turn(me)
        me.ready = me.waits_for = me.deadline = None
        return ready()

    def alive(self) -> None:
        """Ends the calling thread if the execution is over."""
        me = self.me()
        if me is not None and self.aborting:
            self._give_up(me)

    def step(self, me: Controlled) -> None:
        """One more line of the program. A loop that goes on for long lets the others have a turn."""
        if self.aborting:
            me.aborted_lines += 1
            if me.aborted_lines > ABORTED_LINES:
                raise Aborted
            return
        self._count()
        me.lines += 1
        if me.lines > LOOP:
            self._yield(me)

    def _yield(self, me: Controlled) -> None:
        others = [other for other in self._after(me) if other.enabled(self.now)]
        if others:
            self._hand_over(me, others[0])
        elif deadlines := self._deadlines():
            self.now = min(deadlines)
        else:
            self.now += self.nap
            self.nap *= 2
        me.lines = 0
        me.past = hash((me.past, "yield"))

    def _count(self) -> None:
        self.steps += 1
        if self.steps > self.most_steps:
            self._fail(Failure("no progress", f"no end within {self.most_steps:,} steps{self._after_main()}"))
            self._end()

    # --- whose turn it is ----------------------------------------------------------------------------------------

    def _after(self, me: Controlled) -> list[Controlled]:
        return self.threads[me.index + 1 :] + self.threads[: me.index]

    def _deadlines(self) -> list[float]:
        """When those who wait with a time-out give up."""
        return [thread.deadline for thread in self.threads if thread.deadline is not None and not thread.done]

    def _enabled(self, turns: Sequence[Controlled]) -> list[object]:
        """Those who can run; if nobody can, time passes until somebody can. Ends the execution if that never comes."""
        options: list[object] = [thread for thread in turns if thread.enabled(self.now)]
        if not options and (deadlines := self._deadlines()):
            self.now = max(self.now, min(deadlines))
            options = [thread for thread in turns if thread.enabled(self.now)]
        if not options:
            self._deadlock()
        return options

    def _turn(self, me: Controlled) -> None:
        """Decides who runs now. Returns when it is `me` again."""
        options = self._enabled((*self._after(me), me) if me.waits_for is not None else (me, *self._after(me)))
        if self.early and (later := [deadline for deadline in self._deadlines() if deadline > self.now]):
            options.append(min(later))
        chosen = options[self.decide(options)]
        if isinstance(chosen, float):
            self.now = chosen
            self._turn(me)
            return
        if isinstance(chosen, Controlled) and chosen is not me:
            self._hand_over(me, chosen)

    def decide(self, options: Sequence[object]) -> int:
        """The way on, out of several; a decision of the schedule if there are two or more."""
        if len(options) < 2:
            return 0
        chosen = self.chooser.choose(len(self.decisions), options)
        chosen = chosen if 0 <= chosen < len(options) else 0
        self.decisions.append(Decision(len(options), chosen, self.state()))
        return chosen

    def state(self) -> int:
        """Stands for the program's state: equal if all threads have seen the same, in whatever order of the rest."""
        me = self.current
        who = (-1, False) if me is None else (me.index, me.waits_for is None)
        return hash((self.now, who, *((t.past, t.done) for t in self.threads)))

    def _hand_over(self, me: Controlled, other: Controlled) -> None:
        me.lines = other.lines = 0
        self.nap = 0.001
        self.current = other
        other.baton.release()
        me.baton.acquire()
        if self.aborting:
            self._give_up(me)

    def _deadlock(self) -> None:
        waiting = [thread for thread in self.threads if not thread.done and thread.waits_for is not None]
        says = "; ".join(f"{thread.name} waits for {thread.waits_for()}" for thread in waiting if thread.waits_for)
        self._fail(Failure("deadlock", f"nobody can go on: {says}{self._after_main()}"))
        self._end()

    def _after_main(self) -> str:
        return " (main has ended; a program waits for its threads that are no daemons)" if self.threads[0].done else ""

    # --- beginning and end ---------------------------------------------------------------------------------------

    def _fail(self, failure: Failure) -> None:
        if self.failure is None:
            self.failure = failure

    def raised(self, error: BaseException, why: str = "") -> None:
        """An exception that the program did not catch: the execution is over."""
        me = self.me()
        if not self.aborting:
            said = f"{why}: {described(error, self.follows)}" if why else described(error, self.follows)
            self._fail(Failure("exception", f"{said}, in {me.column}" if me else said))
            self.aborting = True

    def _end(self) -> NoReturn:
        """Ends the execution, in the middle of whatever this thread does."""
        self.aborting = True
        raise Aborted

    def _give_up(self, me: Controlled) -> None:
        me.aborted_waits += 1
        if me.aborted_waits > ABORTED_WAITS:  # it catches everything: it stays behind, asleep
            self._leave(me)
            _allocate_and_sleep()
        raise Aborted

    def spawn(self, function: Callable[[], object], name: str = "", *, daemon: bool = False) -> Controlled:
        """Adds a thread, which is not run before somebody gives it the turn."""
        if len(self.threads) >= self.most_threads and not self.aborting:
            self._fail(Failure(TOO_MANY, f"it starts more than {self.most_threads - 1:,} threads in one execution"))
            self._end()
        thread = Controlled(len(self.threads), name or f"T{len(self.threads)}", daemon)
        thread.name = thread.column = self._unlike(thread.name)
        thread.baton.acquire()
        parent = self.me()
        if parent is not None:
            thread.clock = list(parent.clock)
            tick(parent)
            thread.past = parent.past = hash((parent.past, "start"))
        thread.clock += [0] * (thread.index + 1 - len(thread.clock))
        thread.clock[thread.index] = 1
        self.threads.append(thread)
        thread.ident = start_thread(self._run, (thread, function))
        return thread

    def _unlike(self, name: str) -> str:
        """A name that no other thread has, so that each has a column of its own."""
        there = {thread.name for thread in self.threads}
        names = (name if number == 1 else f"{name} ({number})" for number in range(1, len(there) + 2))
        return next(one for one in names if one not in there)

    def _run(self, me: Controlled, function: Callable[[], object]) -> None:
        self.by_ident[_thread.get_ident()] = me
        me.baton.acquire()
        try:
            if not self.aborting:
                if self.trace is not None:
                    self.trace()
                function()
        except SystemExit:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it raises is the finding, also another's `Aborted`
            sys.settrace(None)
            self.raised(error)
        finally:
            sys.settrace(None)
            _forget_dummy()
            self._leave(me)

    def _leave(self, me: Controlled) -> None:
        """The thread is done: somebody else has the turn."""
        me.done = True
        me.ended = list(me.clock)
        self.by_ident.pop(_thread.get_ident(), None)
        following = None
        if not self.aborting:
            with contextlib.suppress(Aborted):
                following = self._following(me)
        if self.aborting:
            following = next((thread for thread in self.threads if not thread.done), None)
        if following is None:
            self.finished.release()
        else:
            self.current = following
            following.lines = 0
            following.baton.release()  # and nothing after it: the other one runs now

    def _following(self, me: Controlled) -> Controlled | None:
        """The thread that has the turn when another one has ended; None at the end of the program."""
        if all(thread.done or (thread.daemon and thread is not self.threads[0]) for thread in self.threads):
            self.aborting = True  # only daemons are left: the program has ended
            return None
        options = self._enabled(self._after(me))
        chosen = options[self.decide(options)]
        assert isinstance(chosen, Controlled)
        return chosen

    def run(self, function: Callable[[], object]) -> None:
        """Runs `function` as the first thread until all threads have ended. From outside, once."""
        main = self.spawn(function, "main")
        self.current = main
        main.baton.release()
        seen, spent = -1, 0.0
        while not self.finished.acquire(timeout=PATIENCE):
            now = time.process_time()
            if self.steps != seen:
                seen, spent = self.steps, now
                self.goes_on()
            elif now - spent >= PATIENCE / 2 or not _running.ready(os.getpid(), but=threading.get_native_id()):
                raise Stuck(self._where_it_hangs())

    def _where_it_hangs(self) -> str:
        frames = sys._current_frames()
        for ident, thread in self.by_ident.items():
            if thread is self.current and ident in frames:
                frame = frames[ident]
                return f"{thread.name} at {frame.f_code.co_filename}:{frame.f_lineno}"
        return "a thread"

    def record(self, text: str, at: tuple[str, int] | None = None) -> None:
        """Adds a row to the trace, if one is kept."""
        if self.rows is None or self.aborting:
            return
        me = self.me()
        if me is not None:
            file, line = at or caller()
            self.rows.append(Row(me.column, text, file, line))


class Stuck(Exception):
    """A thread blocks or loops where the scheduler cannot reach it."""


def caller() -> tuple[str, int]:
    """The nearest line of the program, seen from inside the scheduler or the standard library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_trace is not None:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "", 0


def described(error: BaseException, follows: Callable[[str], bool]) -> str:
    """`ValueError: text`, and the innermost line of the program that raised it."""
    text, where, trace = _said_by(error), "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if follows(file):
            where = f" ({file.rpartition('/')[2]}:{trace.tb_lineno})"
            if not text and isinstance(error, AssertionError):
                text = linecache.getline(file, trace.tb_lineno).strip()
        trace = trace.tb_next
    return (f"{type(error).__name__}: {text}" if text else type(error).__name__) + where


def _said_by(error: BaseException) -> str:
    """The text of an exception, which code of the program may make: it may be long, raise, or be no text."""
    try:
        return str(error)[:MOST_SAID]
    except BaseException as other:  # noqa: BLE001 - else the failure itself would be lost
        return f"its text cannot be had ({type(other).__name__})"


def tick(thread: Controlled) -> None:
    """The thread's next event."""
    thread.clock[thread.index] += 1


def join(into: list[int], other: Sequence[int]) -> None:
    """The event of `into` comes after the one of `other`."""
    if len(into) < len(other):
        into += [0] * (len(other) - len(into))
    for index, value in enumerate(other):
        into[index] = max(into[index], value)


def _allocate_and_sleep() -> None:
    """Sleeps for ever."""
    lock = _allocate()
    lock.acquire()
    lock.acquire()
