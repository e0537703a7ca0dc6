"""Space: what an object costs in it, beside one with a segment of its own and those of the standard library."""

import multiprocessing
from functools import partial

from frame.columns import Column, Entry
from locks import lazily

import lockfree

FORK = multiprocessing.get_context("fork")


class Roomy:
    """Spaces of a thousand locks, one after the other."""

    def __init__(self):
        self.space, self.left = None, 0

    def mutex(self):
        if self.left == 0:
            self.space, self.left = lockfree.Space(2**18), 1024
        self.left -= 1
        return self.space.mutex()


def filled(count):
    space = lockfree.Space(2**20)
    for n in range(count):
        space.mutex(f"lock {n}")
    return space


def columns():
    made = [
        Entry("Space.mutex", lazily(Roomy, "s.mutex()", "s"), ours=True),
        Entry("Mutex", lazily(lambda: lockfree.Mutex, "s()", "s"), ours=True),
        Entry("multiprocessing.Lock", lazily(lambda: FORK.Lock, "s()", "s")),
    ]
    used = [
        Entry("Space.mutex", lazily(lambda: lockfree.Space(4096).mutex(), "\n        with s: pass", "s"), ours=True),
        Entry("multiprocessing.Lock", lazily(FORK.Lock, "\n        with s: pass", "s")),
    ]
    found = [
        Entry("Space.mutex by its name, of 100", lazily(partial(filled, 100), "s.mutex('lock 50')", "s"), ours=True),
        Entry("Mutex.attach", lazily(named, "s()", "s")),
    ]
    return [
        Column("space_make", "Space: make a lock", "ns", made, seconds=0.05),
        Column("space_use", "Space: lock and unlock", "ns", used, seconds=0.05),
        Column("space_find", "Space: find a lock by its name", "ns", found, seconds=0.05),
    ]


def named():
    """A call that attaches to a mutex that has a segment of its own."""
    from frame.names import fresh

    name = fresh()
    kept = lockfree.Mutex(name=name)

    def attach():
        other = lockfree.Mutex.attach(name)
        other.close()

    attach.kept = kept
    return attach
