"""The columns of a lock: alone, and fought over by 2 and by 8 processes, beside those of the standard library and posix_ipc."""

import multiprocessing
import threading
from functools import partial

from frame.columns import Column, Entry, alone, everybody, rate
from frame.names import fresh
from frame.peers import package


def section(lock):
    with lock:
        pass


def posix_semaphore(value=1):
    module = package("posix_ipc")
    made = module.Semaphore("/" + fresh(), module.O_CREX, initial_value=value)
    made.unlink()  # the name is not needed any more
    return made


def fought(make, processes):
    def load():
        lock = make()
        return everybody("section", partial(section, lock), processes, getattr(lock, "close", int))

    return rate(load)


def lazily(make, statement, name="lock"):
    """`alone`, with the object made at the first sample: so that a package that is not there is a Skip then."""
    found = []

    def sample(seconds):
        if not found:
            found.append(alone(statement, **{name: make()}))
        return found[0](seconds)

    return sample


def columns(kind, key):
    name = kind.__name__
    single = Column(
        f"{key}_alone", f"{name}: `with lock` alone", "ns",
        [
            Entry(name, lazily(kind, "\n        with lock: pass"), ours=True),
            Entry("threading.Lock", lazily(threading.Lock, "\n        with lock: pass")),
            Entry("multiprocessing.Lock", lazily(multiprocessing.Lock, "\n        with lock: pass")),
            Entry("posix_ipc.Semaphore", lazily(posix_semaphore, "\n        with lock: pass")),
        ],
        seconds=0.05,
    )  # fmt: skip
    timed = Column(
        f"{key}_timeout", f"{name}: acquire with a time-out, release", "ns",
        [
            Entry(name, lazily(kind, "lock.acquire(timeout=1); lock.release()"), ours=True),
            Entry("threading.Lock", lazily(threading.Lock, "lock.acquire(timeout=1); lock.release()")),
            Entry("multiprocessing.Lock", lazily(multiprocessing.Lock, "lock.acquire(timeout=1); lock.release()")),
        ],
        seconds=0.05,
    )  # fmt: skip
    contended = [
        Column(
            f"{key}_{count}", f"{name}: {count} processes", "M/s",
            [
                Entry(name, fought(kind, count), ours=True),
                Entry("multiprocessing.Lock", fought(multiprocessing.get_context("fork").Lock, count)),
                Entry("posix_ipc.Semaphore", fought(posix_semaphore, count)),
            ],
            more=True,
        )
        for count in (2, 8)
    ]  # fmt: skip
    return [single, timed, *contended]
