import multiprocessing
import threading
from functools import partial

from frame import natives
from frame.columns import Column, Entry
from locks import fought, lazily, posix_semaphore

import lockfree

PAIR = "lock.acquire(); lock.release()"
NATIVE = {
    "semaphore_alone": ("C: a semaphore alone", "ns"),
    "semaphore_2": ("C: a semaphore of 2 permits, 2 threads", "M/s"),
    "semaphore_4": ("C: a semaphore of 2 permits, 4 threads", "M/s"),
}


def columns():
    fork = multiprocessing.get_context("fork")
    single = [
        Entry("Semaphore", lazily(lambda: lockfree.Semaphore(4), PAIR), ours=True),
        Entry("threading.Semaphore", lazily(lambda: threading.Semaphore(4), PAIR)),
        Entry("multiprocessing.Semaphore", lazily(lambda: fork.Semaphore(4), PAIR)),
        Entry("posix_ipc.Semaphore", lazily(lambda: posix_semaphore(4), PAIR)),
    ]
    made = [Column("semaphore_alone", "Semaphore: acquire and release alone", "ns", single, seconds=0.05)]
    for count in (2, 8):
        entries = [
            Entry("Semaphore", fought(partial(lockfree.Semaphore, 2), count), ours=True),
            Entry("multiprocessing.Semaphore", fought(lambda: fork.Semaphore(2), count)),
            Entry("posix_ipc.Semaphore", fought(lambda: posix_semaphore(2), count)),
        ]
        made.append(Column(f"semaphore_{count}", f"Semaphore: 2 permits, {count} processes", "M/s", entries, more=True))
    return made + [natives.column("locks", work, *what, natives.SEMAPHORES) for work, what in NATIVE.items()]
