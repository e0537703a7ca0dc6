import statistics
import time
from multiprocessing import heap, shared_memory

import array_peers
import numpy as np
from frame.columns import Column, Entry, Sample, everybody, rate
from locks import lazily

import lockfree
from lockfree.bench.engine import Load, Worker

ROOM = 1 << 26


class Heap:
    """The heap behind multiprocessing.Array: blocks in shared memory for a process and its children."""

    def alloc(self, size):
        return heap.BufferWrapper(size).create_memoryview()


class Segments:
    """One file for each block."""

    def alloc(self, size):
        made = shared_memory.SharedMemory(create=True, size=size)
        made.close()
        made.unlink()


class Handed:
    def __init__(self):
        self.arena = lockfree.Arena(ROOM)
        self.block = self.arena.alloc(1 << 20)

    def hand(self):
        self.arena.open_block(self.block.handle()).array("u1")


def together(size):
    def load():
        arena = lockfree.Arena(ROOM)
        return everybody("alloc, release", lambda: arena.alloc(size), 2, arena.close)

    return rate(load)


def arrays(peer, fill, use):
    """One producer and one consumer; what counts is received."""

    def load():
        made = peer()
        workers = [
            Worker("put", lambda tally: tally.run(made.producer(fill)), counts=False),
            Worker("get", lambda tally: tally.run(made.consumer(use))),
        ]
        return Load(workers, made.end, made.close, made.grace)

    return rate(load, 1e3)


def in_one_process(peer, fill, use, calls=50):
    """Microseconds of processor time, of all threads, for an array that is made, sent, received and read. Says what the way
    costs where two processes would take turns on a busy machine."""
    pair = []

    def sample(seconds):
        if not pair:
            made = peer()
            pair.extend([made.producer(fill), made.consumer(use), made])
        put, get, _ = pair
        found, end = [], time.monotonic() + seconds
        while len(found) < 3 or time.monotonic() < end:
            began = time.process_time_ns()
            for _ in range(calls):
                put()
                get()
            found.append((time.process_time_ns() - began) / calls / 1000)
        return Sample(statistics.median(found))

    return sample


SOURCE = np.arange(array_peers.ITEMS, dtype=array_peers.KIND)


def touch(array):
    array[0] = 1


def look(array):
    return array[0]


def fill(array):
    array[:] = SOURCE


def add_up(array):
    return array.sum()


def columns():
    made = []
    for key, title, make, use in (
        ("touched", "one item written and read", touch, look),
        ("filled", "all written and added up", fill, add_up),
    ):
        entries = [Entry(p.name, arrays(p, make, use), p.ours, p.note) for p in array_peers.PEERS]
        alone = [Entry(p.name, in_one_process(p, make, use), p.ours, p.note) for p in array_peers.PEERS]
        made.append(Column(f"arrays_{key}_alone", f"Arena: NumPy arrays of 1 MiB, {title}, one process", "µs", alone))
        made.append(Column(f"arrays_{key}", f"Arena: NumPy arrays of 1 MiB, {title}", "thousand/s", entries, more=True))
    for size, shown in ((64, "64 B"), (4096, "4 KiB"), (1 << 20, "1 MiB")):
        statement = f"p.alloc({size})"
        single = [
            Entry("Arena", lazily(lambda: lockfree.Arena(ROOM), statement, "p"), ours=True),
            Entry("multiprocessing.heap", lazily(Heap, statement, "p")),
            Entry("SharedMemory", lazily(Segments, statement, "p")),
        ]
        made.append(Column(f"arena_{size}", f"Arena: alloc and release of {shown}", "ns", single, seconds=0.05))
    both = [Entry("Arena", together(4096), ours=True)]
    made.append(Column("arena_2", "Arena: alloc and release of 4 KiB, 2 processes", "M/s", both, more=True))
    made.append(
        Column(
            "arena_handle", "Arena: a handle made and opened as an array", "ns",
            [Entry("Arena", lazily(Handed, "p.hand()", "p"), ours=True)],
            seconds=0.05, compares=False,
        )
    )  # fmt: skip
    return made
