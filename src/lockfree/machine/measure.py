"""Measures the machine, section by section; each one is a list of short jobs, so that all can be shown and stopped."""

import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lockfree._native.machine import ffi, lib
from lockfree.machine import litmus, topology
from lockfree.machine.figures import percentiles, short, spread

SAMPLES = 5
MOST_IN_MATRIX = 64
NOT_PINNED = -1
SIZES = [1 << power for power in range(14, 28)]
NAPS = (20_000, 2_000_000)
"""How long the sleeper has slept, in ns: too short for a deep sleep of the processor, and long enough for one."""

OPERATIONS = {
    "load": ("load, relaxed", lib.LF_MACHINE_LOAD),
    "store": ("store, relaxed", lib.LF_MACHINE_STORE),
    "store_seq_cst": ("store, seq_cst", lib.LF_MACHINE_STORE_SEQ_CST),
    "increment": ("load and store: the counter of one thread", lib.LF_MACHINE_INCREMENT),
    "fetch_add": ("fetch_add", lib.LF_MACHINE_FETCH_ADD),
    "exchange": ("exchange", lib.LF_MACHINE_EXCHANGE),
    "cas": ("load and compare-and-swap", lib.LF_MACHINE_CAS),
    "fence_acquire": ("fence, acquire", lib.LF_MACHINE_FENCE_ACQUIRE),
    "fence_release": ("fence, release", lib.LF_MACHINE_FENCE_RELEASE),
    "fence_seq_cst": ("fence, seq_cst", lib.LF_MACHINE_FENCE_SEQ_CST),
    "store_fence": ("store and fence, seq_cst", lib.LF_MACHINE_STORE_FENCE),
    "membarrier": ("membarrier, the processors of one process", lib.LF_MACHINE_MEMBARRIER),
    "pause": ("pause of a spinning loop", lib.LF_MACHINE_PAUSE),
    "clock": ("reading the clock", lib.LF_MACHINE_CLOCK),
    "syscall": ("the cheapest system call", lib.LF_MACHINE_SYSCALL),
    "yield": ("sched_yield, nobody else there", lib.LF_MACHINE_YIELD),
    "futex_wake": ("futex wake, nobody asleep", lib.LF_MACHINE_FUTEX_WAKE),
}
CONTENDED = ("load", "increment", "fetch_add", "exchange", "cas")
LAYOUTS = {"one word": 0, "one line": 8, "own line (64 B)": 64, "own pair of lines (128 B)": 128}
TRAFFIC = {"read": lib.LF_MACHINE_READ, "write": lib.LF_MACHINE_WRITE, "copy": lib.LF_MACHINE_COPY}


@dataclass
class Place:
    """Where and how long it is measured."""

    cpus: list[int]
    """Processors, those of different cores first."""
    pinned: bool
    seconds: float
    notes: list[str] = field(default_factory=list)

    def seats(self, count: int) -> list[int]:
        return self.cpus[:count] if self.pinned else [NOT_PINNED] * count

    def counts(self) -> list[int]:
        """1, 2, 4, ... threads, and as many as there are processors."""
        whole = len(self.cpus)
        return sorted({1 << power for power in range(whole.bit_length()) if 1 << power <= whole} | {whole})


def _checked(status: int, what: str) -> int:
    if status < 0:
        raise OSError(-status, f"{what}: {os.strerror(-status)}")
    return status


@dataclass(frozen=True)
class Share:
    """What one thread did: operations, bytes or loads; in how many ns, of which it had a processor for `cpu_ns`."""

    done: int
    ns: int
    cpu_ns: int
    refused: int


def _shares(raw: Any) -> list[Share]:
    return [Share(int(s.done), max(1, int(s.ns)), max(1, int(s.cpu_ns)), int(s.refused)) for s in raw]


Job = tuple[str, Callable[[int], None]]
"""What is measured, for people, and the measurement; it is given its time in ns."""


class Section:
    """Some measurements that belong together. `result` is what stands in the JSON."""

    title = ""
    share = 0.0
    """Of the whole time."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.result: dict[str, Any] = {"problem": None}

    def jobs(self) -> list[Job]:
        raise NotImplementedError


class Transfer(Section):
    """How long a cache line takes from one processor to another."""

    title = "core to core"
    share = 0.2

    def jobs(self) -> list[Job]:
        place, cpus = self.place, sorted(self.place.cpus)
        if len(cpus) > MOST_IN_MATRIX:
            step = len(cpus) / MOST_IN_MATRIX
            cpus = [cpus[int(i * step)] for i in range(MOST_IN_MATRIX)]
            place.notes.append(f"core to core: {MOST_IN_MATRIX} of {len(place.cpus)} processors, evenly spread")
        self.result |= {"unit": "ns, one way", "cpus": cpus, "pairs": []}
        if not place.pinned:
            self.result["problem"] = "threads cannot be pinned to processors here, so no pair is known"
        elif len(cpus) < 2:
            self.result["problem"] = "it needs 2 processors"
        else:
            pairs = [(a, b) for i, a in enumerate(cpus) for b in cpus[i + 1 :]]
            return [(f"{a} ↔ {b}", partial(self._measure, a, b)) for a, b in pairs]
        return []

    def _measure(self, a: int, b: int, ns: int) -> None:
        room = 100_000
        out = ffi.new("double[]", room)
        count = _checked(lib.lf_machine_transfer(a, b, ns, out, room), f"processors {a} and {b}")
        found = sorted(ffi.unpack(out, count)) if count else []
        figures = {}
        if found:  # a tenth is left out: threads that lost their processor
            picked = {"low": len(found) // 20, "median": len(found) // 2, "high": -1 - len(found) // 20}
            figures = {key: short(found[at]) for key, at in picked.items()}
        self.result["pairs"].append({"a": a, "b": b, **figures, "samples": count})


def operate(name: str, stride: int, seats: list[int], ns: int) -> list[Share]:
    """What each thread did."""
    shares = ffi.new("struct lf_machine_share[]", len(seats))
    status = lib.lf_machine_operate(OPERATIONS[name][1], stride, seats, len(seats), ns, shares)
    _checked(status, f"{name} by {len(seats)} threads")
    return _shares(shares)


class Operations(Section):
    """What instructions and calls cost a thread that is alone: in time that it had a processor."""

    title = "alone"
    share = 0.12

    def jobs(self) -> list[Job]:
        self.result |= {"unit": "ns", "rows": []}
        return [(name, partial(self._measure, name)) for name in OPERATIONS]

    def _measure(self, name: str, ns: int) -> None:
        row: dict[str, Any] = {"name": name, "what": OPERATIONS[name][0], "ns": None, "problem": None}
        self.result["rows"].append(row)
        try:
            found = [operate(name, 0, self.place.seats(1), ns // SAMPLES)[0] for _ in range(SAMPLES)]
        except OSError as error:  # such as membarrier in a sandbox
            row["problem"] = f"refused: {os.strerror(error.errno or 0)}"
        else:
            row["ns"] = spread([share.cpu_ns / share.done for share in found if share.done])
            if row["ns"] is None:
                row["problem"] = f"nothing was done in {ns / 1e6:.3g} ms: give more --seconds"


class Contention(Section):
    """One word, 1 to all processors."""

    title = "contended"
    share = 0.14

    def jobs(self) -> list[Job]:
        self.result |= {"unit": "million operations per second, all threads together", "rows": []}
        return [
            (f"{name}, {count} threads", partial(self._measure, name, count))
            for name in CONTENDED
            for count in self.place.counts()
        ]

    def _measure(self, name: str, threads: int, ns: int) -> None:
        rates, fair, refused = [], [], []
        for _ in range(SAMPLES):
            found = operate(name, 0, self.place.seats(threads), ns // SAMPLES)
            done = [share.done for share in found]
            rates.append(sum(share.done * 1e3 / share.ns for share in found))
            fair.append(min(done) / max(1, *done))
            refused.append(sum(share.refused for share in found) / max(1, sum(done)))
        row = {"name": name, "threads": threads, "rate": spread(rates)}
        row["least_to_most"] = short(statistics.median(fair))
        if name == "cas":
            row["refused_per_success"] = short(statistics.median(refused))
        self.result["rows"].append(row)


class Sharing(Section):
    """Counters of one thread each, at different distances."""

    title = "false sharing"
    share = 0.08

    def jobs(self) -> list[Job]:
        self.result |= {"unit": "ns per operation of a thread", "threads": len(self.place.cpus), "rows": []}
        if len(self.place.cpus) < 2:
            self.result["problem"] = "it needs 2 processors"
            return []
        return [
            (f"{name}, {layout}", partial(self._measure, name, layout))
            for name in ("increment", "fetch_add")
            for layout in LAYOUTS
        ]

    def _measure(self, name: str, layout: str, ns: int) -> None:
        seats, samples = self.place.seats(len(self.place.cpus)), []
        for _ in range(SAMPLES):
            found = operate(name, LAYOUTS[layout], seats, ns // SAMPLES)
            samples.append(statistics.mean(share.ns / max(1, share.done) for share in found))
        self.result["rows"].append({"name": name, "layout": layout, "ns": spread(samples)})


class Wake(Section):
    """A thread that sleeps on a futex is woken."""

    title = "futex wake"
    share = 0.1

    def jobs(self) -> list[Job]:
        self.result |= {"unit": "ns", "rows": []}
        first, second = (self.place.seats(2) * 2)[:2] if len(self.place.cpus) > 1 else (self.place.seats(1) * 2)
        cases = [("on the same processor", first, first)] if self.place.pinned else []
        if len(self.place.cpus) > 1:
            cases.append(("on another processor", first, second))
        return [
            (f"{where}, {nap / 1000:g} µs", partial(self._measure, where, a, b, nap))
            for where, a, b in cases
            for nap in NAPS
        ]

    def _measure(self, where: str, waker: int, sleeper: int, nap: int, ns: int) -> None:
        room = 10_000
        wake, call = ffi.new("double[]", room), ffi.new("double[]", room)
        count = _checked(lib.lf_machine_wake(waker, sleeper, nap, ns, wake, call, room), "a sleeper")
        row = {"where": where, "nap_ns": nap, "wake": percentiles(ffi.unpack(wake, count) if count else [])}
        row["call"] = percentiles(ffi.unpack(call, count) if count else [])
        self.result["rows"].append(row)


class Memory(Section):
    """Bandwidth, and the time of loads that wait for each other, by size."""

    title = "memory"
    share = 0.2

    def jobs(self) -> list[Job]:
        room = int(lib.lf_machine_memory()) // 8
        sizes = [size for size in SIZES if size <= room and (size <= 1 << 20 or self.place.seconds >= 5)]
        self.result |= {"unit": "GB/s; ns per load", "sizes": sizes, "bandwidth": [], "latency": []}
        if self.place.seconds < 5:
            self.place.notes.append("memory: sizes up to 1 MiB, since a larger one takes long to fill (--seconds 5)")
        elif len(sizes) < len(SIZES):
            self.place.notes.append(f"memory: sizes up to an eighth of what is free, {room >> 20} MiB")
        everybody = len(self.place.cpus)
        jobs: list[Job] = []
        for size in sizes:
            jobs.append((f"latency, {size >> 10} KiB", partial(self._chase, size)))
            for threads in sorted({1, everybody}):
                if size // threads >= 4096:
                    jobs += [
                        (f"{name}, {size >> 10} KiB, {threads} threads", partial(self._stream, name, size, threads))
                        for name in TRAFFIC
                    ]
        return jobs

    def _samples(self, traffic: int, size: int, threads: int, ns: int) -> list[list[Share]]:
        repeats = 3 if size <= 16 << 20 else 1  # to fill large ones takes long
        samples = []
        for _ in range(repeats):
            shares = ffi.new("struct lf_machine_share[]", threads)
            seats = self.place.seats(threads)
            status = lib.lf_machine_stream(traffic, size, seats, threads, ns // repeats, shares)
            _checked(status, f"{size} bytes")
            samples.append(_shares(shares))
        return samples

    def _stream(self, name: str, size: int, threads: int, ns: int) -> None:
        samples = self._samples(TRAFFIC[name], size, threads, ns)
        rate = spread([sum(share.done / share.ns for share in shares) for shares in samples])
        self.result["bandwidth"].append({"traffic": name, "bytes": size, "threads": threads, "rate": rate})

    def _chase(self, size: int, ns: int) -> None:
        samples = self._samples(lib.LF_MACHINE_CHASE, size, 1, ns)
        found = spread([share.cpu_ns / share.done for [share] in samples if share.done])
        self.result["latency"].append({"bytes": size, "ns": found})


class LitmusTests(Section):
    """What order the hardware shows."""

    title = "litmus tests"
    share = 0.16

    def jobs(self) -> list[Job]:
        self.result |= {"model": litmus.MODELS.get(platform.machine()), "tests": []}
        if not self.place.pinned:
            self.place.notes.append("litmus tests: the threads are not pinned, so weak outcomes may be rarer")
        return [(test.name, partial(self._measure, number)) for number, test in enumerate(litmus.TESTS)]

    def _measure(self, number: int, ns: int) -> None:
        test, have = litmus.TESTS[number], len(self.place.cpus)
        row = litmus.judged(test, {})
        if have < len(test.threads):
            row["problem"] = f"it needs {len(test.threads)} processors, and {have} may be used"
        else:
            row = litmus.judged(test, litmus.run(number, self.place.seats(len(test.threads)), ns))
        self.result["tests"].append(row)


SECTIONS: dict[str, type[Section]] = {
    "transfer": Transfer,
    "operations": Operations,
    "contention": Contention,
    "sharing": Sharing,
    "wake": Wake,
    "memory": Memory,
    "litmus": LitmusTests,
}


def place(cpus: list[int], seconds: float) -> Place:
    """Finds out whether threads can be pinned here, and what else makes figures worse than the machine is."""
    cores: dict[Any, list[int]] = {}
    for cpu in topology.cpus(allowed=set(cpus)):
        cores.setdefault((cpu.socket, cpu.siblings or cpu.number), []).append(cpu.number)
    order = [core[turn] for turn in range(max(map(len, cores.values()))) for core in cores.values() if turn < len(core)]
    refused = [cpu for cpu in order if lib.lf_machine_can_pin(cpu) < 0]
    found = Place(order, not refused, seconds)
    if refused:
        which = ", ".join(map(str, refused))
        found.notes.append(f"threads cannot be pinned to processors here ({which}): the system places them")
    share = topology.quota()
    if share is not None and share < len(order):
        found.notes.append(
            f"the container may use {share:g} processors' worth of time: figures with more threads are low"
        )
    load = os.getloadavg()[0]
    if load > 0.5:
        found.notes.append(
            f"others were at work: a load of {load:.1f} on {os.cpu_count()} processors when it began."
            " Trust low figures and ratios more than medians"
        )
    return found


def measure(where: Place, names: Sequence[str], sections: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """(how much is done, what is next), before each job and at the end. Fills `sections`."""
    whole = sum(SECTIONS[name].share for name in names)
    done = 0.0
    for name in names:
        section = SECTIONS[name](where)
        jobs = section.jobs()
        sections[name] = section.result
        runnable = max(1, len(jobs))
        ns = int(where.seconds * 1e9 * section.share / whole / runnable)
        for i, (label, job) in enumerate(jobs):
            yield (done + section.share * i / runnable) / whole, f"{section.title}: {label}"
            job(ns)
        done += section.share
    yield 1.0, ""
