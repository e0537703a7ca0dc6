"""What an object costs: create and close, attach by name, descriptors."""

import multiprocessing
import os
from functools import partial
from multiprocessing import shared_memory

from frame.columns import Column, Entry, Sample
from frame.names import fresh
from frame.peers import package
from locks import lazily

import lockfree

KINDS = {
    "MPMCRing(1024, 64)": partial(lockfree.MPMCRing, 1024, 64),
    "SPSCRing(1024, 64)": partial(lockfree.SPSCRing, 1024, 64),
    "Mutex": lockfree.Mutex,
    "Semaphore": lockfree.Semaphore,
    "AtomicU64": lockfree.AtomicU64,
}


def memory():
    made = shared_memory.SharedMemory(create=True, size=4096)
    made.close()
    made.unlink()


def posix_semaphore():
    module = package("posix_ipc")

    def once():
        made = module.Semaphore("/" + fresh(), module.O_CREX)
        made.unlink()
        made.close()

    once()
    return once


def held(make):
    """Descriptors that one open object holds."""

    def sample(_seconds):
        before = len(os.listdir("/proc/self/fd"))
        objects = [make() for _ in range(20)]
        used = (len(os.listdir("/proc/self/fd")) - before) / len(objects)
        for made in objects:
            getattr(made, "close", int)()
        return Sample(used)

    return sample


def named(kind):
    """A name of its own, attached and closed again and again."""
    made = kind(name=fresh())
    attach, name = type(made).attach, made.name

    def once(kept=made):
        attach(name).close()
        return kept

    return once


def columns():
    fork = multiprocessing.get_context("fork")
    create = [Entry(name, micro(lambda k=kind: lambda: k().close()), ours=True) for name, kind in KINDS.items()]
    create += [
        Entry("multiprocessing.Queue", micro(lambda: lambda: fork.Queue(1024).close())),
        Entry("multiprocessing.Lock", micro(lambda: fork.Lock)),
        Entry("SharedMemory of a page", micro(lambda: memory)),
        Entry("posix_ipc.Semaphore", micro(posix_semaphore)),
    ]
    attach = [Entry(name, micro(partial(named, kind)), ours=True) for name, kind in KINDS.items()]
    descriptors = [Entry(name, held(kind), ours=True) for name, kind in KINDS.items()]
    descriptors += [
        Entry("multiprocessing.Queue", held(lambda: fork.Queue(1024))),
        Entry("multiprocessing.Lock", held(fork.Lock)),
    ]
    return [
        Column("object_create", "Create and close", "µs", create, seconds=0.05, compares=False),
        Column("object_attach", "Attach by name and close", "µs", attach, seconds=0.05, compares=False),
        Column("object_descriptors", "Descriptors of an open object", "each", descriptors, compares=False),
    ]


def micro(make):
    timed = lazily(make, "once()", "once")

    def sample(seconds):
        return Sample(timed(seconds).value / 1e3)

    return sample
