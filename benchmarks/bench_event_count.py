"""EventCount: a notify that nobody waits for, and a round trip through two words, beside Condition of the library."""

import multiprocessing
import threading

import pytest
from transfer import measure

import lockfree


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "event count: notify without waiters"

    def test_ours(self, many):
        many("e.notify()", e=lockfree.EventCount())

    def test_threading_condition(self, many):
        many("with c: c.notify()", c=threading.Condition())

    def test_multiprocessing_condition(self, many):
        many("with c: c.notify()", c=multiprocessing.Condition())


def ours(count, word, mine, rounds):
    for i in range(mine, 2 * rounds, 2):
        count.wait_until(lambda at=i: word.load() == at)
        word.fetch_add(1)
        count.notify_all()


def theirs(condition, word, mine, rounds):
    for i in range(mine, 2 * rounds, 2):
        with condition:
            condition.wait_for(lambda at=i: word.value == at)
            word.value += 1
            condition.notify_all()


class TestRoundTrip:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "event count: round trip between two processes"

    def test_ours(self, benchmark):
        def make():
            both = lockfree.EventCount(), lockfree.AtomicU64()
            return [(ours, (*both, mine, 20_000)) for mine in (0, 1)], [], int

        measure(benchmark, 20_000, make)

    def test_multiprocessing_condition(self, benchmark):
        context = multiprocessing.get_context("fork")

        def make():
            both = context.Condition(), context.Value("q", lock=False)
            return [(theirs, (*both, mine, 2_000)) for mine in (0, 1)], [], int

        measure(benchmark, 2_000, make)
