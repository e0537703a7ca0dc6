"""`explore`: every schedule of a Python function's threads and tasks, within bounds."""

import asyncio
import contextlib
import gc
import inspect
import itertools
import logging
import math
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from lockfree.modelcheck.python import locks
from lockfree.modelcheck.python.accesses import Accesses, Codes, Entered, Places
from lockfree.modelcheck.python.patches import installed
from lockfree.modelcheck.python.scheduler import (
    PATIENCE,
    TOO_MANY,
    Aborted,
    Chooser,
    Decision,
    Failure,
    Position,
    Row,
    Scheduler,
    Stuck,
)
from lockfree.modelcheck.python.search import (
    Anything,
    ByDeviations,
    Deviations,
    Listed,
    Priorities,
    deviations_of,
    fewer,
    read_token,
    token_of,
)
from lockfree.modelcheck.python.trace import render
from lockfree.modelcheck.runner import Verdict

LIMITS: dict[str, tuple[float, float]]
LIMITS = {"deviations": (0, 1000), "executions": (0, 10**12), "seconds": (0.001, 10**7), "steps": (10, 10**9)}
LIMITS |= {"seed": (0, 2**63), "depth": (1, 16), "threads": (1, 10_000), "longest": (0, math.inf)}
_clock = time.process_time
_elapsed = time.monotonic
AS_LONG = 30
"""So many times as long may a search take as it may use the processor: a busy machine must not change a verdict."""
EARLY = 100
"""Executions after which random schedules are tried for a moment: some faults need many deviations."""
KEPT = 200
"""Objects of executions that are kept before they are destroyed, all in one more execution."""
_TRIES = 200
"""Runs that are spent on making a failing schedule shorter."""
_LONGEST = 2.0
"""Seconds that they may take: an execution without an end is long."""
_Tick = Callable[[int, float, str], object]
_Make = Callable[[], Callable[[], object]]


@dataclass(frozen=True)
class PythonSettings:
    """What to explore. Raises `ValueError` for a number out of bounds.

    deviations: the most deviations of a schedule from the default one; None: as many as the time allows.
    executions (0: no bound) and seconds (of CPU time) bound it. steps: an execution with more makes no progress.
    threads: an execution that starts more, be they alive or not, is not followed: UNUSABLE.
    early: time may pass while threads can run, so that each time-out may come early.
    longest: a time-out of more seconds never comes. So a wake that is lost is no delay of years.
    follow: files of libraries that are to be interrupted within, too (such as `queue.__file__`).
    """

    deviations: int | None = None
    executions: int = 0
    seconds: float = 10.0
    steps: int = 20_000
    threads: int = 1_000
    seed: int = 1
    depth: int = 3
    early: bool = False
    longest: float = math.inf
    follow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} is {value}: it must be {least:,} to {most:,}")


@dataclass
class PythonReport:
    """The verdict on one function, with its bounds.

    verdict: OK, VIOLATION, UNKNOWN (the time was up; `executions` schedules were run) or UNUSABLE (`message` says why).
    complete: every schedule was run, or every one within the bound on deviations that the settings name.
    out_of_time: the time ended the search, not the count of executions.
    level: all schedules with at most so many deviations were run. kind: `exception`, `deadlock` or `no progress`.
    token: replays the failing execution. trace: its steps, one column a thread.
    """

    client: str
    verdict: Verdict
    executions: int = 0
    sampled: int = 0
    complete: bool = False
    out_of_time: bool = False
    level: int = -1
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    token: str = ""
    rows: list[Row] = field(default_factory=list)

    @property
    def trace(self) -> str:
        return render(self.rows, self.message)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {**asdict(self), "verdict": self.verdict.name}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Self:
        """The report that `as_dict` told of."""
        rows = [Row(**row) for row in told["rows"]]
        return cls(**{**told, "verdict": Verdict[told["verdict"]], "rows": rows})

    def bounds(self) -> str:
        """What was run, in words."""
        if self.complete and self.level < 0:
            return f"every schedule: {self.executions:,} in {self.seconds:.2f} s"
        level = f"every schedule with at most {self.level} deviations" if self.level >= 0 else "part of the schedules"
        if self.complete:
            return f"{level}: {self.executions:,} in {self.seconds:.2f} s"
        return f"sampled: {level}, {self.sampled:,} random ones; {self.executions:,} in {self.seconds:.2f} s"

    def __str__(self) -> str:
        if self.verdict in {Verdict.OK, Verdict.UNKNOWN}:
            return f"OK         {self.client}  ({self.bounds()})"
        if self.verdict is Verdict.UNUSABLE:
            return f"UNUSABLE   {self.client}  {self.message}"
        found = f"found after {self.executions:,} executions in {self.seconds:.2f} s"
        return f"VIOLATION  {self.client}  {self.kind}: {self.message}\n\n{self.trace}\n\n  {found}"


@dataclass
class _Result:
    failure: Failure | None
    decisions: list[Decision]
    found: set[Position]
    rows: list[Row]


class _Explorer:
    """Runs a function under schedules."""

    def __init__(
        self, make: _Make, client: str, settings: PythonSettings, wanted: Places = (), entered: Entered | None = None
    ) -> None:
        self.make = make
        self.client = client
        self.settings = settings
        self.codes = Codes(settings.follow, wanted, entered)
        self.executions = 0
        self.sampled = 0
        self.left: list[object] = []
        self.goes_on: Callable[[], object] = lambda: None
        self.fresh: Callable[[], None] = lambda: None
        self.recorded: Callable[[list[Row]], object] = lambda _rows: None
        self.began = _clock()
        self.started = _elapsed()

    def run(self, chooser: Chooser, *, learn: bool = True, record: bool = False) -> _Result:
        """One execution."""
        rows: list[Row] = []
        random.seed(self.settings.seed)
        self.recorded(rows)
        self.fresh()
        self.executions += 1
        scheduler, accesses = self._execute(self._main, chooser, learn=learn, rows=rows if record else None)
        result = _Result(scheduler.failure, scheduler.decisions, accesses.found, rows)
        self.left += [scheduler, accesses]
        del scheduler, accesses
        if len(self.left) >= KEPT:
            self._execute(self.left.clear, Listed(()))
        return result

    def _execute(
        self, main: Callable[[], object], chooser: Chooser, *, learn: bool = False, rows: list[Row] | None = None
    ) -> tuple[Scheduler, Accesses]:
        settings = self.settings
        scheduler = Scheduler(
            chooser, steps=settings.steps, most_threads=settings.threads + 1, early=settings.early,
            longest=settings.longest, recorder=rows,
        )  # fmt: skip
        accesses = Accesses(scheduler, self.codes, learn=learn)
        scheduler.trace, scheduler.follows = self.codes.tracer.start, self.codes.follows
        scheduler.goes_on = self.goes_on
        locks.World.scheduler = scheduler
        self.codes.tracer.hear(accesses.enter)
        try:
            with _alone():
                scheduler.run(main)
        finally:
            self.codes.tracer.hear(None)
            locks.World.scheduler = None
            pools: Any = sys.modules.get("concurrent.futures.thread")
            if pools is not None:
                pools._shutdown = False
        return scheduler, accesses

    def tidy(self) -> None:
        """Destroys what the executions left behind, in an execution of its own.

        Destructors, and coroutines and generators that did not end, run code of the program. It may not come to an
        end, and it must not run in the caller's thread.
        """

        def destroy() -> None:
            self.left.clear()
            gc.collect()

        with contextlib.suppress(Stuck):  # what is in an endless loop now was judged before
            self._execute(destroy, Listed(()))

    def _main(self) -> None:
        me: Any = threading.current_thread()
        me.__class__ = locks.MainThread
        threading._main_thread = me  # type: ignore[attr-defined]
        me.name = "main"
        me._daemonic = False  # threads that it starts inherit this
        if hasattr(threading, "_counter"):
            threading._counter = itertools.count(1).__next__
        if (pools := sys.modules.get("concurrent.futures.thread")) is not None:
            pools.ThreadPoolExecutor._counter = itertools.count().__next__
        try:
            function = self.make()
            found = function()
            if inspect.iscoroutine(found):
                asyncio.run(watched(found))
            _end_pools()
        finally:
            active = getattr(threading, "_active", {})
            active.pop(threading.get_ident(), None)

    def search(self, tick: _Tick) -> PythonReport:
        """All schedules by their deviations, then random ones, until a failure or the end."""
        self.goes_on = lambda: tick(self.executions, _clock() - self.began, "in a long one")
        settings = self.settings
        until = self.began + settings.seconds
        half = self.began + settings.seconds / 2
        level, complete = -1, False
        while True:
            order = ByDeviations(settings.deviations)
            outcome = self._by_deviations(order, until if settings.deviations is not None else half, tick)
            if isinstance(outcome, PythonReport):
                return outcome
            if outcome != "more places":
                complete = outcome == "done"
                level = order.level if complete else order.level - 1
                break
        report = self.report(Verdict.OK if complete else Verdict.UNKNOWN)
        report.complete, report.level = complete, level
        if complete and not order.skipped:
            report.level = -1
        if not complete:
            failed = self._sample(until, tick)
            if failed is not None:
                return failed
            report.sampled, report.executions = self.sampled, self.executions
            report.out_of_time = self._late(until)
            report.seconds = _clock() - self.began
        return report

    def _spent(self, until: float, executions: int) -> bool:
        return self._late(until) or 0 < executions <= self.executions

    def _late(self, until: float) -> bool:
        return _clock() >= until or _elapsed() - self.started >= AS_LONG * self.settings.seconds

    def _by_deviations(self, order: ByDeviations, until: float, tick: _Tick) -> "str | PythonReport":
        most = self.settings.executions
        if self.settings.deviations is None:
            most = (most + 1) // 2  # the rest are random ones
        for deviations in order:
            if self.executions and self._spent(until, most):
                return "time"
            if self.executions >= EARLY and not self.sampled:
                failed = self._sample(min(until, _clock() + self.settings.seconds / 20), tick)
                if failed is not None:
                    return failed
            result = self.run(Listed(deviations))
            tick(self.executions, _clock() - self.began, f"{order.level} deviations")
            if result.failure is not None:
                return self._failed(result)
            if result.found:
                self.codes.visible |= result.found
                return "more places"
            order.ran(deviations, result.decisions)
        return "done"

    def _sample(self, until: float, tick: _Tick) -> PythonReport | None:
        decisions = 50
        for number in range(10**12):
            if self._spent(until, self.settings.executions):
                return None
            seed = self.settings.seed * 1_000_003 + number
            chooser = Anything(seed) if number % 4 == 3 else Priorities(seed, decisions, self.settings.depth)
            result = self.run(chooser)
            self.sampled += 1
            decisions = max(decisions, len(result.decisions))
            tick(self.executions, _clock() - self.began, "random ones")
            if result.failure is not None:
                return self._failed(result)
            self.codes.visible |= result.found
        return None

    def _failed(self, result: _Result) -> PythonReport:
        """Makes the schedule shorter, and runs it once more for the trace."""
        report = self.report(Verdict.VIOLATION)
        assert result.failure is not None
        kind = result.failure.kind
        if kind == TOO_MANY:
            report.verdict, report.message = Verdict.UNUSABLE, result.failure.message
            return report
        best = self._shortened(deviations_of(result.decisions), kind)
        shown = self.run(Listed(best), learn=False, record=True)
        if shown.failure is None:
            report.verdict = Verdict.UNUSABLE
            report.message = (
                f"the same schedule fails once ({kind}: {result.failure.message}) and passes once: the function "
                "depends on something besides the order of its threads, such as what an earlier call left behind"
            )
            return report
        report.kind, report.message = shown.failure.kind, shown.failure.message
        report.rows = shown.rows
        report.token = token_of(self.client, best, self.codes.places(), self.settings.early)
        return report

    def _shortened(self, best: Deviations, kind: str) -> Deviations:
        """A schedule that fails in the same way, and needs each of its deviations as far as the tries show."""
        candidates = fewer(best)
        until = _clock() + _LONGEST
        for _ in range(_TRIES):
            candidate = next(candidates, None)
            if candidate is None or _clock() >= until:
                break
            again = self.run(Listed(candidate), learn=False)
            if again.failure is not None and again.failure.kind == kind:
                best = deviations_of(again.decisions)
                candidates = fewer(best)
        return best

    def report(self, verdict: Verdict) -> PythonReport:
        report = PythonReport(self.client, verdict, self.executions, self.sampled)
        report.seconds = _clock() - self.began
        return report


def _end_pools() -> None:
    """Ends the workers of pools that nobody has shut down, as the interpreter does before it waits for threads."""
    pools: Any = sys.modules.get("concurrent.futures.thread")
    found = locks.current()
    if pools is None or found is None:
        return
    idle = [tasks for thread, tasks in list(pools._threads_queues.items()) if thread.ident in found[0].by_ident]
    pools._shutdown = bool(idle)
    for tasks in idle:
        tasks.put(None)


async def watched(client: Coroutine[object, object, object]) -> None:
    """An exception of the client ends the execution at once: tasks that refuse to end must not hide it."""
    try:
        await client
    except Exception as error:
        if locks.World.scheduler is not None:
            locks.World.scheduler.raised(error)
        raise


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """`threading` knows no thread but those of the execution; `_main` says which one is the main thread."""
    active: Any = getattr(threading, "_active", {})
    others, real = dict(active), threading.main_thread()
    active.clear()
    try:
        yield
    finally:
        active |= others
        threading._main_thread = real  # type: ignore[attr-defined]


def _is_no_end(record: logging.LogRecord) -> bool:
    """Whether a log is about something else than a thread that was ended with its execution."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, Aborted) and not isinstance(getattr(error, "__context__", None), Aborted)


@contextlib.contextmanager
def _quiet() -> Iterator[Callable[[], None]]:
    """No garbage collection in the middle, no warnings and logs about what an ended execution leaves behind."""
    collecting = gc.isenabled()
    pools = logging.getLogger("concurrent.futures")
    pools.addFilter(_is_no_end)
    state = random.getstate()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            with installed() as fresh:
                yield fresh
    finally:
        pools.removeFilter(_is_no_end)
        random.setstate(state)
        if collecting:
            gc.enable()


def _silent(_executions: int, _seconds: float, _what: str) -> None:
    pass


def explore(
    function: Callable[[], object], *, settings: PythonSettings | None = None, tick: _Tick = _silent
) -> PythonReport:
    """Runs `function` under every schedule of its threads and tasks, within the bounds of `settings`.

    function: a function or coroutine function without arguments. It makes all of its state again at each call, starts
    threads (`threading`, `concurrent.futures`) or tasks (`asyncio`), and asserts what must hold. The standard
    library's classes are used as they are; time is virtual. A violation is an exception that nobody catches, in any
    thread; a deadlock; or no end within `settings.steps`.

    Code of the program is interrupted before each operation on a lock, each start and end of a thread, and each
    access to data that two threads use without a lock in common. Code in C and of libraries is one step, unless
    `settings.follow` names its file. Sockets, files and processes are not under the scheduler's control.

    Only one exploration runs at a time, and the calling thread waits for it; other threads of the process must not
    use `threading` meanwhile. Raises RuntimeError if another one runs.

    A call of code in C that keeps the GIL for ever (`sum(itertools.count())`) keeps the whole process: this call does
    not return, `settings.seconds` does not end it, and Ctrl-C neither. `lockfree model FILE.py` runs the function in a
    process of its own, and says UNUSABLE after 30 s of CPU time without a step.
    """
    name = getattr(function, "__name__", type(function).__name__)
    return explore_made(lambda: function, name, settings, tick)


_running = threading.Lock()


def _run(explorer: _Explorer, what: Callable[[], PythonReport]) -> PythonReport:
    if not _running.acquire(blocking=False):
        raise RuntimeError("another exploration runs in this process")
    try:
        with _quiet() as explorer.fresh:
            report = what()
            explorer.tidy()
            return report
    except Stuck as stuck:
        report = PythonReport(explorer.client, Verdict.UNUSABLE, explorer.executions)
        report.message = (
            f"{stuck} makes no step for {PATIENCE:g} s: it waits for something that the scheduler does not control "
            "(a lock made before the exploration, a socket, a process), or is in an endless loop of a library"
        )
        return report
    finally:
        _running.release()


def replay(function: Callable[[], object], token: str, *, settings: PythonSettings | None = None) -> PythonReport:
    """Runs the one execution that `token` (from a report) describes. Raises ValueError for anything else."""
    return replay_made(lambda: function, token, settings)


def replay_made(
    make: _Make, token: str, settings: PythonSettings | None = None, entered: Entered | None = None
) -> PythonReport:
    """As `replay`, of the function that `make` makes again."""
    client, deviations, places, early = read_token(token)
    explorer = _Explorer(make, client, replace(settings or PythonSettings(), early=early), places, entered)

    def once() -> PythonReport:
        result = explorer.run(Listed(deviations), learn=False, record=True)
        report = explorer.report(Verdict.OK if result.failure is None else Verdict.VIOLATION)
        report.rows, report.token = result.rows, token
        if result.failure is not None:
            report.kind, report.message = result.failure.kind, result.failure.message
        return report

    return _run(explorer, once)


def explore_made(
    make: _Make, client: str, settings: PythonSettings | None = None, tick: _Tick = _silent,
    entered: Entered | None = None,
) -> PythonReport:  # fmt: skip
    """As `explore`, of the function that `make` makes again for each execution. entered: called as `Entered` says."""
    explorer = _Explorer(make, client, settings or PythonSettings(), entered=entered)
    return _run(explorer, lambda: explorer.search(tick))
