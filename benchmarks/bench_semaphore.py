import multiprocessing
import threading

import pytest
from lock_suites import lock_and_unlock
from transfer import measure

import lockfree


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "semaphore: acquire+release alone"

    def test_ours(self, many):
        with lockfree.Semaphore(4) as semaphore:
            many("s.acquire(); s.release()", s=semaphore)

    def test_threading(self, many):
        many("s.acquire(); s.release()", s=threading.Semaphore(4))

    def test_multiprocessing(self, many):
        many("s.acquire(); s.release()", s=multiprocessing.Semaphore(4))


class Section:
    """A semaphore as a context manager, as multiprocessing's is."""

    def __init__(self, semaphore):
        self.semaphore = semaphore
        self.close = semaphore.close

    def __enter__(self):
        self.semaphore.acquire()

    def __exit__(self, *_error):
        self.semaphore.release()


@pytest.mark.parametrize("processes", [2, 8], ids=["2", "8"])
class TestContended:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, processes):
        benchmark.group = f"semaphore: {processes} processes, 2 permits"

    def run(self, benchmark, make_semaphore, processes, total):
        def make():
            semaphore = make_semaphore()
            return [(lock_and_unlock, (semaphore, total // processes))] * processes, [], getattr(semaphore, "close", int)

        measure(benchmark, total, make)

    def test_ours(self, benchmark, processes):
        self.run(benchmark, lambda: Section(lockfree.Semaphore(2)), processes, 100_000)

    def test_multiprocessing(self, benchmark, processes):
        self.run(benchmark, lambda: multiprocessing.get_context("fork").Semaphore(2), processes, 80_000)
