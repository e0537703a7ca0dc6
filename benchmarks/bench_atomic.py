import multiprocessing
import threading

from frame.columns import Column, Entry
from frame.names import fresh
from frame.peers import package
from locks import lazily

import lockfree


def atomics():
    module = package("atomics")
    return module.atomic(width=8, atype=module.UINT)


def atomicshm():
    module = package("atomicshm")
    return module.AtomicU64(module.AtomicView(bytearray(64)), 0)


def subetha():
    import pathlib

    path = pathlib.Path("/dev/shm") / fresh()
    made = package("subetha").Atomic(str(path), 0)
    path.unlink()
    return made


def column(key, title, ours, others):
    entries = [Entry("AtomicU64", lazily(lockfree.AtomicU64, ours, "a"), ours=True)]
    entries += [Entry(name, lazily(make, statement, "a")) for name, make, statement in others]
    return Column(f"atomic_{key}", title, "ns", entries, seconds=0.05)


def columns():
    lock = threading.Lock
    return [
        column("fetch_add", "AtomicU64: fetch_add", "a.fetch_add(1)", [
            ("atomics", atomics, "a.fetch_inc()"),
            ("atomicshm", atomicshm, "a.fetch_add(1)"),
            ("subetha Atomic", subetha, "a.fetch_add(1)"),
            ("int under threading.Lock", lambda: (lock(), [0]), "\n        with a[0]: a[1][0] += 1"),
            ("multiprocessing.Value", lambda: multiprocessing.Value("Q"), "\n        with a.get_lock(): a.value += 1"),
        ]),
        column("load", "AtomicU64: load", "a.load()", [
            ("atomics", atomics, "a.load()"), ("atomicshm", atomicshm, "a.load()"), ("subetha Atomic", subetha, "a.load()"),
        ]),
        column("store", "AtomicU64: store", "a.store(7)", [
            ("atomics", atomics, "a.store(7)"), ("atomicshm", atomicshm, "a.store(7)"),
            ("subetha Atomic", subetha, "a.store(7)"),
        ]),
        column("cas", "AtomicU64: compare-and-swap", "a.compare_exchange(0, 0)", [
            ("atomicshm", atomicshm, "a.cas(0, 0)"), ("subetha Atomic", subetha, "a.compare_exchange(0, 0)"),
        ]),
    ]  # fmt: skip
