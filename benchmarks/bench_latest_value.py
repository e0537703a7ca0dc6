"""LatestValue: set and get alone, and reads beside a writer, beside what people write by hand: a lock around a buffer."""

import multiprocessing
from functools import partial

from frame.columns import Column, Entry, rate
from locks import lazily

import lockfree
from lockfree.bench.engine import Load, Worker

FORK = multiprocessing.get_context("fork")


class Locked:
    """A buffer and a lock of multiprocessing."""

    def __init__(self, size, copies=None):
        self.array, self.size = FORK.Array("c", size), size
        self.memory = memoryview(self.array.get_obj()).cast("B")

    def set(self, value):
        with self.array.get_lock():
            self.memory[: len(value)] = value

    def get(self):
        with self.array.get_lock():
            return bytes(self.memory)

    def close(self): ...


def reads(make, size, readers):
    def load():
        made, value = make(size), b"x" * size
        made.set(value)
        getattr(made, "release_role", int)()
        writer = Worker("set", lambda tally: tally.run(partial(made.set, value)), counts=False)
        return Load([writer, *[Worker("get", lambda tally: tally.run(made.get))] * readers], made.close)

    return rate(load)


def columns():
    found = []
    for size in (64, 4096):
        for call in ("set", "get"):
            statement = f"v.set({b'x' * size!r})" if call == "set" else "v.get()"
            entries = [
                Entry("LatestValue", lazily(partial(filled, lockfree.LatestValue, size), statement, "v"), ours=True),
                Entry("multiprocessing.Array and its lock", lazily(partial(filled, Locked, size), statement, "v")),
            ]
            found.append(
                Column(
                    f"latest_value_{call}_{size}", f"LatestValue: {call} of {size} B alone", "ns", entries, seconds=0.05
                )
            )
    for readers in (1, 3):
        entries = [
            Entry("LatestValue", reads(lockfree.LatestValue, 64, readers), ours=True),
            Entry("multiprocessing.Array and its lock", reads(Locked, 64, readers)),
        ]
        title = f"LatestValue: {readers} reader{'s' * (readers > 1)} of 64 B beside a writer"
        found.append(Column(f"latest_value_{readers}_readers", title, "M/s", entries, more=True))
    return found


def filled(kind, size):
    made = kind(size)
    made.set(b"x" * size)
    return made
