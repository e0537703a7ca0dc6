"""How busy each processor was during a run, from /proc/stat."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

EVERY = 0.5
"""Seconds between two samples: the kernel counts in hundredths of a second."""
_USER, _NICE, _SYSTEM, _IDLE, _IOWAIT, _IRQ, _SOFTIRQ, _STEAL = range(8)


def read_stat(text: str) -> dict[int, list[int]]:
    """Clock ticks of each processor since the machine started, by kind: user, nice, system, idle, and so on."""
    ticks = {}
    for line in filter(str.strip, text.splitlines()):
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and len(fields) >= 8:
            ticks[int(name[3:])] = [int(f) for f in fields[:8]]
    return ticks


def _proc_stat() -> str:
    try:
        return Path("/proc/stat").read_text()
    except OSError:
        return ""


@dataclass(frozen=True)
class CpuLoad:
    """One processor: shares of the time of the run, 0 to 1. `over_time`: (seconds since the start, busy share)."""

    cpu: int
    user: float
    system: float
    steal: float
    """What the hypervisor gave to somebody else."""
    over_time: list[tuple[float, float]]

    @property
    def busy(self) -> float:
        return self.user + self.system


def _shares(before: list[int], after: list[int]) -> tuple[float, float, float] | None:
    spent = [max(0, b - a) for a, b in zip(before, after, strict=True)]
    total = sum(spent)
    if not total:
        return None
    kernel = spent[_SYSTEM] + spent[_IRQ] + spent[_SOFTIRQ]
    return (spent[_USER] + spent[_NICE]) / total, kernel / total, spent[_STEAL] / total


def _own_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


@dataclass
class LoadSampler:
    """`sample()` may be called as often as one likes; `cpus` are the processors of interest."""

    cpus: list[int] = field(default_factory=lambda: sorted(os.sched_getaffinity(0)))
    read: Callable[[], str] = _proc_stat
    clock: Callable[[], float] = time.monotonic
    _samples: list[tuple[float, dict[int, list[int]]]] = field(default_factory=list)
    _own: list[float] = field(default_factory=list)

    def sample(self, *, now: bool = False) -> None:
        """Takes a sample if one is due, or in any case (`now`)."""
        at = self.clock()
        if now or not self._samples or at - self._samples[-1][0] >= EVERY:
            self._samples.append((at, read_stat(self.read())))
            self._own = [*self._own[:1], _own_seconds()]

    def loads(self) -> list[CpuLoad]:
        """What came of it; empty if the system does not tell."""
        found = []
        for cpu in self.cpus:
            seen = [(at, ticks[cpu]) for at, ticks in self._samples if cpu in ticks]
            whole = _shares(seen[0][1], seen[-1][1]) if len(seen) > 1 else None
            if whole is None:
                continue
            steps = []
            for (_, before), (at, after) in pairwise(seen):
                share = _shares(before, after)
                if share is not None:
                    steps.append((at - seen[0][0], share[0] + share[1]))
            found.append(CpuLoad(cpu, *whole, steps))
        return found

    def seconds(self) -> tuple[float, float]:
        """Processor time of these processors, in seconds: used by this run, and used by everybody."""
        if len(self._samples) < 2:
            return 0.0, 0.0
        span = self._samples[-1][0] - self._samples[0][0]
        return self._own[-1] - self._own[0], sum(load.busy for load in self.loads()) * span
