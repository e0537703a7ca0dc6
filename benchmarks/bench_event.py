"""Event beside those of the standard library: set and clear alone, and a round trip between two processes."""

import multiprocessing
import threading

import pytest
from transfer import measure

import lockfree


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "event: set+clear alone"

    def test_ours(self, many):
        many("e.set(); e.clear()", e=lockfree.Event())

    def test_threading(self, many):
        many("e.set(); e.clear()", e=threading.Event())

    def test_multiprocessing(self, many):
        many("e.set(); e.clear()", e=multiprocessing.Event())


def ping(first, second, count):
    for _ in range(count):
        first.set()
        second.wait()
        second.clear()


def pong(first, second, count):
    for _ in range(count):
        first.wait()
        first.clear()
        second.set()


class TestRoundTrip:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "event: round trip between two processes"

    def run(self, benchmark, make_event, total):
        def make():
            first, second = make_event(), make_event()
            return [(ping, (first, second, total)), (pong, (first, second, total))], [], int

        measure(benchmark, total, make)

    def test_ours(self, benchmark):
        self.run(benchmark, lockfree.Event, 20_000)

    def test_multiprocessing(self, benchmark):
        self.run(benchmark, multiprocessing.get_context("fork").Event, 5_000)
