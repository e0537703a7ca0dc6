"""Condition: a notify that nobody waits for, and turns taken by two processes, beside those of the standard library."""

import multiprocessing
import threading

import pytest
from transfer import measure

import lockfree


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "condition: lock, notify, unlock alone"

    def test_ours(self, many):
        many("with c: c.notify()", c=lockfree.Condition())

    def test_threading(self, many):
        many("with c: c.notify()", c=threading.Condition())

    def test_multiprocessing(self, many):
        many("with c: c.notify()", c=multiprocessing.Condition())


def turns(condition, word, mine, rounds):
    for i in range(mine, 2 * rounds, 2):
        with condition:
            condition.wait_for(lambda at=i: word.value == at)
            word.value += 1
            condition.notify_all()


class TestTurns:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "condition: turns of two processes"

    def run(self, benchmark, make_condition, total):
        context = multiprocessing.get_context("fork")

        def make():
            both = make_condition(), context.Value("q", lock=False)
            return [(turns, (*both, mine, total)) for mine in (0, 1)], [], int

        measure(benchmark, total, make)

    def test_ours(self, benchmark):
        self.run(benchmark, lockfree.Condition, 5_000)

    def test_multiprocessing(self, benchmark):
        self.run(benchmark, multiprocessing.get_context("fork").Condition, 2_000)
