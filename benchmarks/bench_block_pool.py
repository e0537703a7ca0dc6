import multiprocessing

import pytest
from transfer import measure

import lockfree


class LockedList:
    """What is written by hand: a list of free blocks in shared memory, behind a lock. For threads and processes."""

    def __init__(self, blocks):
        context = multiprocessing.get_context("fork")
        self.lock = context.Lock()
        self.free_blocks = context.RawArray("I", range(blocks))
        self.count = context.RawValue("I", blocks)

    def alloc(self, n):
        with self.lock:
            if self.count.value < n:
                return None
            self.count.value -= n
            return self.free_blocks[self.count.value : self.count.value + n]

    def free(self, blocks):
        with self.lock:
            self.free_blocks[self.count.value : self.count.value + len(blocks)] = blocks
            self.count.value += len(blocks)

    def close(self):
        pass


def take_and_give(pool, rounds, n):
    for _ in range(rounds):
        pool.free(pool.alloc(n))


@pytest.mark.parametrize("n", [1, 16, 256])
class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, n):
        benchmark.group = f"block pool: alloc+free of {n} alone"

    def test_ours(self, many, n):
        with lockfree.BlockPool(4096) as pool:
            many("p.free(p.alloc(n))", p=pool, n=n)

    def test_locked_list(self, many, n):
        many("p.free(p.alloc(n))", p=LockedList(4096), n=n)


@pytest.mark.parametrize("n", [1, 16, 256])
class TestTwoProcesses:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, n):
        benchmark.group = f"block pool: alloc+free of {n}, 2 processes"

    def run(self, benchmark, make_pool, n, total):
        def make():
            pool = make_pool()
            return [(take_and_give, (pool, total // 2, n))] * 2, [], pool.close

        measure(benchmark, total, make)

    def test_ours(self, benchmark, n):
        self.run(benchmark, lambda: lockfree.BlockPool(4096), n, 100_000)

    def test_locked_list(self, benchmark, n):
        self.run(benchmark, lambda: LockedList(4096), n, 40_000)
