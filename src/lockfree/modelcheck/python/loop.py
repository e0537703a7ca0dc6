"""An event loop whose next step is the scheduler's decision, and whose time is virtual.

Steps of one task stay in their order, and so do the callbacks that belong to no task. Which task comes next is free:
in a real loop, what arrives from outside decides.
"""

import asyncio
import asyncio.base_events
import heapq
from collections.abc import Callable
from typing import Any

from lockfree.modelcheck.python import locks
from lockfree.modelcheck.python.scheduler import Controlled, Scheduler

_SMALLEST = 1e-9


class Task(asyncio.Task[Any]):
    """A task with a hash that is the same in each run: `asyncio` and programs go over sets of tasks."""

    def __init__(self, coro: Any, number: int, **options: Any) -> None:
        self._lf_number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._lf_number


class _Step:
    """A step of a task, among which the scheduler chooses. number: of the tasks, in the order of their making."""

    def __init__(self, group: object, handle: asyncio.Handle) -> None:
        self.group = group
        self.handle = handle
        self.number = group._lf_number if isinstance(group, Task) else -1
        self.name = group.get_name() if isinstance(group, asyncio.Task) else "loop"


class Loop(asyncio.base_events.BaseEventLoop):
    """`asyncio`'s event loop without a selector. It has no sockets, pipes or subprocesses: NotImplementedError."""

    _ready: Any
    _scheduled: Any
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self.set_exception_handler(_report)
        self._made: list[asyncio.Task[Any]] = []
        self._woken = False

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        if options.get("name") is None:
            options["name"] = f"Task-{len(self._made) + 1}"
        self._check_closed()  # type: ignore[attr-defined]
        if self.get_task_factory() is None:
            task: asyncio.Task[Any] = Task(coro, len(self._made), loop=self, **options)
        else:
            task = super().create_task(coro, **options)
        self._made.append(task)
        return task

    def close(self) -> None:
        """Also reports the exceptions of tasks that nobody has asked for."""
        for task in self._made:
            if task.done() and not task.cancelled() and task._log_traceback and (error := task.exception()):
                _report(self, {"exception": error, "message": f"nobody has asked {task.get_name()} for its exception"})
        self._made.clear()
        super().close()

    def time(self) -> float:
        return locks.monotonic()

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        """`call_soon_threadsafe` has added to `_ready`. What another thread adds otherwise wakes no loop that waits."""
        self._woken = True

    def _run_once(self) -> None:
        """One step of one task, or of the loop itself; waits if there is none."""
        found = locks.current()
        if found is None:
            raise RuntimeError("the event loop runs in a thread that the scheduler does not know")
        scheduler, me = found
        scheduler.alive()
        self._drop_cancelled()
        if not self._ready and not self._stopping:
            timeout = max(0.0, self._scheduled[0]._when - scheduler.now) if self._scheduled else None
            self._woken = False
            scheduler.wait(lambda: self._woken, self._says_what_waits, timeout)
            self._drop_cancelled()
        self._ring(scheduler.now)
        if scheduler.early and self._scheduled and self._ready:
            self._maybe_early(scheduler)
        if not self._ready:
            return
        if len(scheduler.threads) > 1:
            scheduler.point()
        chosen = self._choose(scheduler, me)
        if chosen.handle._cancelled:
            return
        before, me.column = me.column, chosen.name if chosen.name != "loop" else me.name
        scheduler.step(me)
        try:
            chosen.handle._run()
        finally:
            me.column = before

    def _choose(self, scheduler: Scheduler, me: Controlled) -> _Step:
        heads: dict[int, _Step] = {}
        for handle in self._ready:
            group = _group(handle)
            if id(group) not in heads:
                heads[id(group)] = _Step(group, handle)
        options = list(heads.values())
        at = scheduler.decide(options)
        chosen = options[at]
        me.past = hash((me.past, at, len(options)))
        self._ready.remove(chosen.handle)
        return chosen

    def _maybe_early(self, scheduler: Scheduler) -> None:
        """Lets a time-out come before a step that is ready."""
        when = self._scheduled[0]._when
        if scheduler.decide([scheduler.now, when]) == 1:
            scheduler.now = max(scheduler.now, when)
            self._ring(scheduler.now)

    def _drop_cancelled(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)._scheduled = False

    def _ring(self, now: float) -> None:
        """Moves the timers whose time has come to the steps that are ready."""
        while self._scheduled and self._scheduled[0]._when <= now + _SMALLEST:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            if not handle._cancelled:
                self._ready.append(handle)

    def _says_what_waits(self) -> str:
        found = locks.current()
        follows = found[0].follows if found is not None else lambda _file: True
        waiting = [task.get_name() + _where(task.get_coro(), follows) for task in asyncio.all_tasks(self)]
        return f"an event ({', '.join(sorted(waiting)) or 'no task is left'})"


def _where(awaited: object, follows: Callable[[str], bool]) -> str:
    """The innermost line of the program at which a coroutine waits."""
    where = ""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None and follows(frame.f_code.co_filename):
            where = f" at line {frame.f_lineno} of {frame.f_code.co_name}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return where


def _group(handle: asyncio.Handle) -> object:
    """The task that a step belongs to; the loop for everything else."""
    owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    return owner if isinstance(owner, asyncio.Task) else "loop"


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception that nobody waits for is a finding."""
    found = locks.current()
    error = context.get("exception")
    if found is not None and not found[0].aborting and isinstance(error, BaseException):
        found[0].raised(error, context.get("message", ""))
