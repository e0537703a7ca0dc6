"""The measurements of the two locks: alone, and fought over by 2 and by 8 processes."""

import multiprocessing
import threading

import pytest
from transfer import measure


def lock_and_unlock(lock, count):
    for _ in range(count):
        with lock:
            pass


class Alone:
    lock_type: type

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = f"{self.lock_type.__name__}: lock+unlock alone"

    def test_acquire_release(self, many):
        lock = self.lock_type()
        many("lock.acquire(); lock.release()", lock=lock)
        lock.close()

    def test_threading_lock(self, many):
        many("lock.acquire(); lock.release()", lock=threading.Lock())

    def test_multiprocessing_lock(self, many):
        many("lock.acquire(); lock.release()", lock=multiprocessing.Lock())


class Contended:
    lock_type: type

    @pytest.fixture(autouse=True)
    def group(self, benchmark, processes):
        benchmark.group = f"{self.lock_type.__name__}: {processes} processes"

    def run(self, benchmark, make_lock, processes, total):
        def make():
            lock = make_lock()
            return [(lock_and_unlock, (lock, total // processes))] * processes, [], getattr(lock, "close", int)

        measure(benchmark, total, make)

    def test_ours(self, benchmark, processes):
        self.run(benchmark, self.lock_type, processes, 200_000)

    def test_multiprocessing_lock(self, benchmark, processes):
        self.run(benchmark, multiprocessing.get_context("fork").Lock, processes, 80_000)
