"""Processes that work without end, and a parent that reads their counters.

A worker counts what it did in a word of shared memory. The parent takes the counters at both ends of a window: so
neither the start nor the end of a process is part of a figure, and a worker that hangs or dies cannot hang the parent.
One call in EVERY is timed.
"""

import mmap
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVERY = 64
"""One call of so many is timed."""
SLOW = 50_000
"""After a call that took so many ns, the next one is timed, too: so that slow calls are counted one by one."""
ROOM = 20_000
"""Times that are kept of each worker; later ones replace the oldest."""
WORDS = 16
"""Words of a worker's own lines: calls done, times taken, whether it is there, what it used of a processor."""
DONE, TAKEN, THERE, USED = range(4)
PATIENCE = 10.0
"""Seconds until a worker must be there, and until it must have ended."""


class Tally:
    """What a worker writes while it runs, and what tells it to stop."""

    def __init__(self, words: memoryview, times: memoryview, stop: memoryview) -> None:
        self.words, self.times, self.stop = words, times, stop

    def run(self, call: Callable[[], object], each: int = 1) -> None:
        """Repeats the call until told to stop. It counts as `each` operations."""
        words, times, stop, clock = self.words, self.times, self.stop, time.perf_counter_ns
        turns, repeats = range(EVERY - 1), EVERY * each
        done = taken = 0
        try:
            while not stop[0]:
                began = clock()
                call()
                times[taken % ROOM] = took = clock() - began
                taken += 1
                if took > SLOW:
                    done += each
                else:
                    for _ in turns:
                        call()
                    done += repeats
                words[DONE], words[TAKEN] = done, taken
        finally:
            words[TAKEN] = taken

    def one_by_one(self, call: Callable[[], object]) -> None:
        """The same, with every call timed: for calls that take long."""
        words, times, stop, clock = self.words, self.times, self.stop, time.perf_counter_ns
        done = 0
        while not stop[0]:
            began = clock()
            call()
            times[done % ROOM] = clock() - began
            done += 1
            words[DONE], words[TAKEN] = done, done


@dataclass
class Worker:
    """`work` does its job with the tally until told to stop. `counts`: whether its operations are in the rate."""

    role: str
    work: Callable[[Tally], object]
    counts: bool = True


@dataclass
class Load:
    """Workers on one object. `end` makes calls return that wait; `close` frees the object."""

    workers: Sequence[Worker]
    end: Callable[[], object] = int
    close: Callable[[], object] = int
    grace: float = 1.0
    """Seconds in which the workers may end by themselves, before they are killed."""


@dataclass(frozen=True)
class Span:
    """So many windows of so many seconds, after `warm` seconds."""

    windows: int
    seconds: float
    warm: float = 0.1


@dataclass
class Measured:
    """Operations per second of each window; the times of each role in ns; the shares of the workers that count."""

    rates: list[float] = field(default_factory=list)
    times: dict[str, list[int]] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    """Seconds on a processor of each role, in all, within `seconds`."""


class LoadError(RuntimeError):
    """A worker did not come, or ended too soon."""


def _cpu_seconds(pid: int) -> float:
    """What the threads of a process had of a processor: in ns where the kernel says so, else in its ticks."""
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        if found := [int(thread.read_text().split()[0]) for thread in threads]:
            return sum(found) / 1e9
    except OSError:  # a thread that ended meanwhile
        pass
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _child(worker: Worker, tally: Tally, cpu: int | None) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    tally.words[THERE] = 1
    try:
        worker.work(tally)
    except Exception:
        if not tally.stop[0]:  # what ends it in the end is no matter: the object is closed under it
            tally.words[THERE] = 2
            raise


def run(load: Load, cpus: Sequence[int | None], span: Span) -> Measured:
    """Runs the load: worker i on processor cpus[i % len(cpus)]. LoadError if a worker cannot work."""
    workers = load.workers
    context = multiprocessing.get_context("fork")
    words = memoryview(mmap.mmap(-1, 8 * WORDS * (len(workers) + 1))).cast("Q")
    times = memoryview(mmap.mmap(-1, 8 * ROOM * len(workers))).cast("Q")
    stop = words[WORDS * len(workers) :]
    own = [words[WORDS * i : WORDS * (i + 1)] for i in range(len(workers))]
    tallies = [Tally(own[i], times[ROOM * i : ROOM * (i + 1)], stop) for i in range(len(workers))]
    processes = [
        context.Process(target=_child, args=(worker, tallies[i], cpus[i % len(cpus)]), daemon=True)
        for i, worker in enumerate(workers)
    ]
    try:
        for process in processes:
            process.start()
        _wait_for(processes, own)
        time.sleep(span.warm)
        return _windows(load, processes, tallies, span)
    finally:
        stop[0] = 1
        load.end()
        _end(processes, load.grace)
        load.close()


def _wait_for(processes: Sequence[Any], own: Sequence[memoryview]) -> None:
    limit = time.monotonic() + PATIENCE
    while not all(words[THERE] for words in own):
        if time.monotonic() > limit or any(process.exitcode is not None for process in processes):
            raise LoadError("a worker did not come to its work")
        time.sleep(0.002)


def _windows(load: Load, processes: Sequence[Any], tallies: Sequence[Tally], span: Span) -> Measured:
    found, own = Measured(), [tally.words for tally in tallies]
    counted = [i for i, worker in enumerate(load.workers) if worker.counts]
    cpu = [_cpu_seconds(process.pid) for process in processes]
    first = before = [words[DONE] for words in own]
    began = at = time.perf_counter()
    skipped = [words[TAKEN] for words in own]
    for _ in range(span.windows):
        time.sleep(span.seconds)
        now, after = time.perf_counter(), [words[DONE] for words in own]
        found.rates.append(sum(after[i] - before[i] for i in counted) / (now - at))
        at, before = now, after
    found.seconds = at - began
    for i, (worker, process) in enumerate(zip(load.workers, processes, strict=True)):
        if own[i][THERE] == 2 or process.exitcode is not None:
            raise LoadError(f"a worker ({worker.role}) ended too soon")
        found.cpu[worker.role] = found.cpu.get(worker.role, 0.0) + _cpu_seconds(process.pid) - cpu[i]
        taken = own[i][TAKEN]
        fresh = range(max(skipped[i], taken - ROOM), taken)
        found.times.setdefault(worker.role, []).extend(tallies[i].times[k % ROOM] for k in fresh)
    found.done = [before[i] - first[i] for i in counted]
    return found


def _end(processes: Sequence[Any], grace: float) -> None:
    limit = time.monotonic() + grace
    for process in processes:
        if process.pid is None:
            continue
        process.join(max(0.0, limit - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
