"""The processes of an engine, and the watch over them: a worker or a front end that dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any, NamedTuple

import frontend
import numpy as np
import worker
from board import Board
from model import cache_shape
from scheduler import Scheduler
from transport import TRANSPORTS

import lockfree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPAWN = multiprocessing.get_context("spawn")


class Plan(NamedTuple):
    """What a run is to do."""

    transport: str
    requests: int
    frontends: int
    workers: int
    blocks: int
    rate: float
    """Requests a second and front end; 0: all at once."""
    seed: int
    kill: tuple[str, ...]
    """The process that is killed in the middle: "worker", "frontend"."""
    model: str
    short: int
    """How many times shorter requests are than those of the traces."""


class Pages:
    """The KV cache in shared memory, for all workers alike."""

    def __init__(self, blocks: int) -> None:
        self.shape = cache_shape(blocks)
        self.memory = SharedMemory(create=True, size=4 * int(np.prod(self.shape)))

    @property
    def array(self) -> Any:
        return np.ndarray(self.shape, np.float32, self.memory.buf)


class End(NamedTuple):
    """How a run ended."""

    answers: dict[int, dict[str, Any]]
    seconds: float
    cpu: float
    """Seconds of processor time of all processes, those that were killed included."""
    replaced: list[str]
    board: dict[str, int]
    free: int
    """Blocks of the cache that are free at the end."""


def _end_with_parent() -> None:
    """Where the supervisor is killed, nobody else ends its processes."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _scheduler(transport: Any, pool: lockfree.BlockPool, workers: int, board: Board) -> None:
    _end_with_parent()
    Scheduler(transport, pool, workers, board).run()


def _worker(transport: Any, rank: int, pages: Pages, model: str) -> None:
    _end_with_parent()
    worker.work(transport, rank, pages.array, model)


def _frontend(transport: Any, share: frontend.Share, file: Path) -> None:
    _end_with_parent()
    frontend.run(transport, share, file)


class Supervisor:
    """Starts the processes of a run, replaces those that die, kills those that are to die, and stops them all."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.board, self.pages = plan, Board(), Pages(plan.blocks)
        self.pool = lockfree.BlockPool(plan.blocks)
        self.board.set(free=plan.blocks)
        self.transport = TRANSPORTS[plan.transport](plan.frontends, plan.workers)
        self.files = [folder / f"answers-{number}" for number in range(plan.frontends)]
        self.running: dict[str, Any] = {}
        self.finished, self.replaced, self.killed = set[str](), list[str](), set[str]()

    def run(self, look: Callable[[Board, int], None]) -> End:
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            self._start("scheduler")
            for rank in range(self.plan.workers):
                self._start(f"worker {rank}")
            for number in range(self.plan.frontends):
                self._start(f"frontend {number}")
            while len(self.finished) < self.plan.frontends:
                self._watch(0.1)
                look(self.board, self._kill())
            seconds = time.monotonic() - began
            self.transport.end()
            for process in self.running.values():
                process.join()
        finally:
            for process in self.running.values():
                process.kill()
            for memory in (self.board.memory, self.pages.memory):
                memory.unlink()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        answers = {number: answer for file in self.files for number, answer in frontend.answered(file).items()}
        return End(answers, seconds, cpu, self.replaced, self.board.all(), self.pool.available)

    def _start(self, name: str) -> None:
        kind, _, number = name.partition(" ")
        if kind == "scheduler":
            target, words = _scheduler, (self.transport, self.pool, self.plan.workers, self.board)
        elif kind == "worker":
            target, words = _worker, (self.transport, int(number), self.pages, self.plan.model)  # type: ignore[assignment]
        else:
            plan = self.plan
            share = frontend.Share(int(number), plan.requests, plan.frontends, plan.rate, plan.seed, plan.short)
            words = (self.transport, share, self.files[share.number])  # type: ignore[assignment]
            target = _frontend  # type: ignore[assignment]
        self.running[name] = SPAWN.Process(target=target, args=words, name=name)
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: Ctrl-C is for this process alone
        try:
            self.running[name].start()
        finally:
            signal.signal(signal.SIGINT, handler)

    def _watch(self, seconds: float) -> None:
        wait([process.sentinel for process in self.running.values()], seconds)
        for name, process in list(self.running.items()):
            if process.exitcode is None:
                continue
            if process.exitcode == 0 and name.startswith("frontend"):
                self.finished.add(name)
                del self.running[name]
            elif process.exitcode == -signal.SIGKILL and not name.startswith("scheduler"):
                self.replaced.append(name)
                self._start(name)
            else:
                raise RuntimeError(f"{name} ended with status {process.exitcode}")

    def _kill(self) -> int:
        """Kills a worker when a third is answered, a front end when two thirds are. Returns how many are answered."""
        done = sum(file.read_bytes().count(b"\n") for file in self.files if file.exists())
        for kind, share in (("worker", 1 / 3), ("frontend", 2 / 3)):
            process = self.running.get(f"{kind} 0")
            if kind in self.plan.kill and kind not in self.killed and process and done >= share * self.plan.requests:
                self.killed.add(kind)
                os.kill(process.pid, signal.SIGKILL)
        return done
