"""RWLock: a read alone, and readers of several processes, beside a mutex."""

import multiprocessing

import pytest
from lock_suites import lock_and_unlock
from transfer import measure

import lockfree


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "rwlock: acquire+release alone"

    def test_read(self, many):
        many("l.acquire_read(); l.release_read()", l=lockfree.RWLock())

    def test_write(self, many):
        many("l.acquire_write(); l.release_write()", l=lockfree.RWLock())

    def test_mutex(self, many):
        many("l.acquire(); l.release()", l=lockfree.Mutex())


def read(lock, count):
    for _ in range(count):
        lock.acquire_read()
        lock.release_read()


@pytest.mark.parametrize("processes", [2, 8], ids=["2", "8"])
class TestReaders:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, processes):
        benchmark.group = f"rwlock: {processes} processes that read"

    def run(self, benchmark, work, make_lock, processes, total):
        def make():
            lock = make_lock()
            return [(work, (lock, total // processes))] * processes, [], getattr(lock, "close", int)

        measure(benchmark, total, make)

    def test_ours(self, benchmark, processes):
        self.run(benchmark, read, lockfree.RWLock, processes, 200_000)

    def test_multiprocessing_lock(self, benchmark, processes):
        self.run(benchmark, lock_and_unlock, multiprocessing.get_context("fork").Lock, processes, 80_000)
