"""Runs one round: starts its processes, watches them, and ends them. No process and no memory is left behind."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from lockfree._native.stress import lib
from lockfree.stress.arena import Arena
from lockfree.stress.chaos import Reaper
from lockfree.stress.recorder import Client
from lockfree.stress.scenario import Round, Scenario, client_plan
from lockfree.stress.worker import main as worker_main
from lockfree.stress.worker import prepare

START_LIMIT = 30.0
"""Seconds in which all processes of a round must have started."""
STALL_LIMIT = 10.0
"""If nobody makes progress for so many seconds, and nobody waits for a processor either, the round counts as hung."""
STARVED_LIMIT = 60.0
"""The same if a thread waits for a processor, or has one."""
TICK = 0.02
ROOM = 1200
"""Room for records beyond the plan: the end of a batch, and what is taken out of a full ring at the end."""


@dataclass
class Outcome:
    """The result of a round. The receiver closes the arena."""

    arena: Arena
    began: int
    """Nanoseconds of the monotonic clock."""
    seconds: float
    killed: int = 0
    failure: str = ""
    """A failure that is not in the history: a call that failed, a crash, a hang; "" if there was none."""


class RoundRunner:
    """Runs one round. It calls `tick` several times a second."""

    def __init__(self, scenario: Scenario, about: Round, context: Any, tick: Callable[[], None]) -> None:
        self.scenario, self.about, self.context, self.tick = scenario, about, context, tick
        self.processes: dict[int, Any] = {}
        self.killed: set[int] = set()
        self.spare = about.clients
        spares = about.kills * max(about.threads)
        self.arena = Arena(about.clients + spares + 1, about.operations + ROOM)  # the last one is the runner's
        self.shared = scenario.create(about)

    def run(self) -> Outcome:
        failure = ""
        began, started = 0, time.monotonic()
        try:
            prepare(self.about)
            first = 0
            for threads in self.about.threads:
                self._start(first, threads)
                first += threads
            failure = self._await_start()
            began, started = time.monotonic_ns(), time.monotonic()
            if not failure:
                self.arena.begin(self.about.seconds)
                failure = self._watch()
            if not failure:
                self._drain()
        except BaseException:
            self._end_all()
            self.shared.close()
            self.arena.close()
            raise
        self._end_all()
        self.shared.close()
        notes = self.arena.read_notes()
        failure = "\n".join(text for text in (failure, notes) if text)
        return Outcome(self.arena, began, time.monotonic() - started, len(self.killed), failure)

    def _drain(self) -> None:
        """Takes out what the processes have left in the object. They have ended."""
        about, number = self.about, self.arena.clients - 1
        plan = client_plan(self.scenario, about, number) | {"forget_full": 0, "forget_empty": 0}
        client = Client(self.arena, number, plan)
        self.scenario.drain(self.shared, client, about)
        client.finish()

    def _start(self, first: int, threads: int) -> None:
        process = self.context.Process(
            target=worker_main, args=(self.arena, self.shared, self.about, first, threads), daemon=True
        )
        process.start()
        process.clients = range(first, first + threads)
        self.processes[process.pid] = process

    def _await_start(self) -> str:
        limit = time.monotonic() + START_LIMIT
        looks = 0
        while not all(self.arena.log(i).ready for i in range(self.about.clients)):
            if self.arena.control.stop or (dead := self._reap()):
                return "" if self.arena.control.stop else dead
            if time.monotonic() > limit:
                return f"a process did not start within {START_LIMIT:.0f} s"
            time.sleep(0.0005)
            looks += 1
            if looks % 40 == 0:
                self.tick()
        return ""

    def _watch(self) -> str:
        """Waits until every process has ended; returns what went wrong."""
        reaper = Reaper(self.about.seed, self.about.kills, self.about.seconds)
        reaper.begin()
        seen, since = -1, time.monotonic()
        while self.processes:
            wait([p.sentinel for p in self.processes.values()], timeout=min(TICK, reaper.due()))
            if crash := self._reap():
                return crash
            victim = reaper.strike(list(self.processes)) if not self.arena.control.stop else None
            if victim is not None:
                self._replace(victim)
            logs = [self.arena.log(i) for p in self.processes.values() for i in p.clients]
            if all(log.finished for log in logs):
                self.arena.stop()  # the processes end now
            recorded = self.arena.recorded() + sum(log.finished for log in logs)
            self.tick()
            if recorded != seen:
                seen, since = recorded, time.monotonic()
            elif self._hangs(time.monotonic() - since):
                return self._describe_hang()
        return ""

    def _hangs(self, seconds: float) -> bool:
        """Whether processes that made no progress for so long will make none. On a machine that has much else to do, a
        process may be that slow.
        """
        patience = self.about.max_wait
        if seconds <= STALL_LIMIT + patience:
            return False
        return seconds > STARVED_LIMIT + patience or not any(_wants_to_run(pid) for pid in self.processes)

    def _replace(self, victim: int) -> None:
        process = self.processes.pop(victim)
        process.join()
        for client in process.clients:
            self.arena.log(client).killed = lib.lf_stress_now()
        self.killed.add(victim)
        self._start(self.spare, len(process.clients))
        self.spare += len(process.clients)

    def _reap(self) -> str:
        """Joins the processes that have ended; returns how one of them crashed, if one did."""
        for pid, process in list(self.processes.items()):
            if process.exitcode is not None:
                process.join()
                del self.processes[pid]
                if process.exitcode != 0:
                    return f"process {pid} (clients {_span(process.clients)}) ended with {_code(process.exitcode)}"
        return ""

    def _describe_hang(self) -> str:
        """Names the processes that make no progress, and where each of them is."""
        lines = [f"no progress for {STALL_LIMIT:.0f} s"]
        for pid, process in self.processes.items():
            where = ""
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/wchan") as file:
                    where = file.read()
                os.kill(pid, signal.SIGUSR1)
            lines.append(f"process {pid} (clients {_span(process.clients)}) is in the kernel at {where or 'nothing'}")
            self._await_notes()  # one process at a time: a stack is written in many small pieces
        return "\n".join(lines)

    def _await_notes(self) -> None:
        """Waits until the process has written its stack."""
        before = written = self.arena.written_notes()
        for _ in range(6):
            time.sleep(0.05)
            now = self.arena.written_notes()
            if now == written > before:
                return
            written = now

    def _end_all(self) -> None:
        self.arena.stop()
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.join()
        self.processes.clear()


def _wants_to_run(pid: int) -> bool:
    """Whether a thread of the process runs, or would if there were a processor for it."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(") ")[2][:1] in {"R", "D"}:
                return True
    return False


def _span(clients: range) -> str:
    return f"{clients[0]}" if len(clients) == 1 else f"{clients[0]} to {clients[-1]}"


def _code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
