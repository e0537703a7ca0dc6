"""A column is one piece of work; an entry is one who does it. The entries of a column are measured in turn."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from lockfree.bench import engine
from lockfree.bench.engine import Load, Span, Worker
from lockfree.machine.figures import percentiles

SIZE = 48
"""Bytes of a message where nothing else is said: the most, in a round number, that every peer carries."""
RECORD = b"x" * SIZE


class Skip(Exception):
    """Why an entry is not measured here: a package or a header that is not there, and the like."""


@dataclass
class Sample:
    """One figure, in the unit of its column; `extra`: further figures, such as {"p99 µs": 12.0}."""

    value: float
    extra: dict[str, float] = field(default_factory=dict)


@dataclass
class Entry:
    """`sample` measures once, for about so many seconds."""

    name: str
    sample: Callable[[float], Sample]
    ours: bool = False
    note: str = ""


@dataclass
class Column:
    """`more`: whether more is better. `seconds`: of one sample. `compares`: whether a ratio means something."""

    key: str
    title: str
    unit: str
    entries: Sequence[Entry]
    more: bool = False
    seconds: float = 0.15
    compares: bool = True
    most_samples: int = 100
    """Fewer than asked for, of what takes long."""
    prepare: Callable[[], object] = int
    """Called before the first sample, without a limit of time: to compile, for example."""


def cpus() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def alone(statement: str, calls: int = 200, **names: object) -> Callable[[float], Sample]:
    """Nanoseconds of a statement in one thread, in time on a processor; in a compiled loop."""
    scope = dict(names)
    exec(f"def loop():\n    for _ in range({calls}):\n        {statement}", scope)
    loop = scope["loop"]

    def sample(seconds: float) -> Sample:
        loop()
        found, end = [], time.monotonic() + seconds
        while not found or time.monotonic() < end:
            began = time.thread_time_ns()
            loop()
            found.append((time.thread_time_ns() - began) / calls)
        return Sample(statistics.median(found))

    return sample


def rate(make: Callable[[], Load], per: float = 1e6) -> Callable[[float], Sample]:
    """Operations per second in units of `per`, of the workers that count."""

    def sample(seconds: float) -> Sample:
        done = engine.run(make(), cpus(), Span(1, seconds, 0.08))
        return Sample(done.rates[0] / per)

    return sample


def median_time(make: Callable[[], Load], role: str, unit: float = 1e3) -> Callable[[float], Sample]:
    """The median time of a call of one role, in `unit` ns, with the 99th percentile."""

    def sample(seconds: float) -> Sample:
        done = engine.run(make(), cpus(), Span(1, seconds, 0.05))
        found = percentiles(done.times.get(role, []))
        if found is None:
            raise RuntimeError("no call returned")
        return Sample(found["p50"] / unit, {"p99": found["p99"] / unit})

    return sample


def used(make: Callable[[], Load], role: str) -> Callable[[float], Sample]:
    """What the workers of one role use of a processor together, in percent, 0.3 s after they began to wait."""

    def sample(seconds: float) -> Sample:
        done = engine.run(make(), [None], Span(1, seconds, 0.3))
        return Sample(100 * done.cpu[role] / done.seconds)

    return sample


def stream(
    peer: Callable[..., object], producers: int, consumers: int, *, capacity: int = 4096, size: int = SIZE
) -> Callable[[], Load]:
    """Messages of `size` bytes from producers to consumers, one by one, waiting as the peer waits."""

    def make() -> Load:
        made, record = peer(capacity, size), b"x" * size
        workers = [Worker("put", lambda tally: tally.run(partial(made.producer(), record)), counts=False)] * producers
        workers += [Worker("get", lambda tally: tally.run(made.consumer()))] * consumers
        return Load(workers, made.end, made.close, made.grace)

    return make


def batched(
    peer: Callable[..., object], batch: int = 64, *, capacity: int = 4096, size: int = SIZE
) -> Callable[[], Load]:
    """The same in batches from one to one, as lists of bytes. The peer has `producer_many` and `consumer_many`."""

    def make() -> Load:
        made, records = peer(capacity, size), [b"x" * size] * batch

        def put(tally: engine.Tally) -> None:
            put_many = made.producer_many()

            def once() -> None:
                left = records
                while left := left[put_many(left) :]:
                    pass

            tally.run(once, batch)

        def get(tally: engine.Tally) -> None:
            get_many, words, stop, done = made.consumer_many(), tally.words, tally.stop, 0
            while not stop[0]:
                done += len(get_many(batch))
                words[engine.DONE] = done

        return Load([Worker("put", put, counts=False), Worker("get", get)], made.end, made.close, made.grace)

    return make


def round_trip(peer: Callable[..., object], *, pause: float = 0.0, size: int = SIZE) -> Callable[[], Load]:
    """A message to another process and back. With a pause the other one sleeps when it comes."""

    def make() -> Load:
        there, back = peer(64, size), peer(64, size)
        record = b"x" * size

        def ask(tally: engine.Tally) -> None:
            put, get, clock = there.producer(), back.consumer(), time.perf_counter_ns
            taken = 0
            while not tally.stop[0]:
                if pause:
                    time.sleep(pause)
                began = clock()
                put(record)
                get()
                tally.times[taken % engine.ROOM] = clock() - began
                taken += 1
                tally.words[engine.DONE] = tally.words[engine.TAKEN] = taken

        def answer(_tally: engine.Tally) -> None:
            get, put = there.consumer(), back.producer()
            while True:
                put(get())

        def end() -> None:
            there.end()
            back.end()

        def close() -> None:
            there.close()
            back.close()

        return Load([Worker("round trip", ask), Worker("answer", answer, counts=False)], end, close, there.grace)

    return make


def everybody(role: str, call: Callable[[], object], processes: int, close: Callable[[], object] = int) -> Load:
    """The same call by each process."""
    return Load([Worker(role, lambda tally: tally.run(call))] * processes, close=close)
