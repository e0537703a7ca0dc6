"""Barrier: rounds of two processes, beside that of the standard library."""

import multiprocessing

import pytest
from transfer import measure

import lockfree


def rounds(barrier, count):
    for _ in range(count):
        barrier.wait()


@pytest.mark.parametrize("parties", [2, 4], ids=["2", "4"])
class TestRounds:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, parties):
        benchmark.group = f"barrier: rounds of {parties} processes"

    def run(self, benchmark, make_barrier, parties, total):
        def make():
            barrier = make_barrier(parties)
            return [(rounds, (barrier, total))] * parties, [], int

        measure(benchmark, total, make)

    def test_ours(self, benchmark, parties):
        self.run(benchmark, lockfree.Barrier, parties, 5_000)

    def test_multiprocessing(self, benchmark, parties):
        self.run(benchmark, multiprocessing.get_context("fork").Barrier, parties, 1_000)
