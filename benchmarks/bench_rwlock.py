"""RWLock: reads, alone and by several processes, beside a mutex."""

import multiprocessing
from functools import partial

from frame.columns import Column, Entry, everybody, rate
from locks import fought, lazily

import lockfree


def read(lock):
    lock.acquire_read()
    lock.release_read()


def readers(processes):
    def load():
        lock = lockfree.RWLock()
        return everybody("read", partial(read, lock), processes, lock.close)

    return rate(load)


def columns():
    single = [
        Entry("RWLock, read", lazily(lockfree.RWLock, "lock.acquire_read(); lock.release_read()"), ours=True),
        Entry("RWLock, write", lazily(lockfree.RWLock, "lock.acquire_write(); lock.release_write()"), ours=True),
        Entry("multiprocessing.Lock", lazily(multiprocessing.Lock, "lock.acquire(); lock.release()")),
    ]
    made = [Column("rwlock_alone", "RWLock: acquire and release alone", "ns", single, seconds=0.05)]
    for count in (2, 8):
        entries = [
            Entry("RWLock, read", readers(count), ours=True),
            Entry("multiprocessing.Lock", fought(multiprocessing.get_context("fork").Lock, count)),
        ]
        made.append(Column(f"rwlock_{count}", f"RWLock: {count} processes that read", "M/s", entries, more=True))
    return made
