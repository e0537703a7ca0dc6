import multiprocessing
import queue

import pytest
from ring_bodies import get_in_batches, get_singly, put_in_batches, put_singly, queue_get, queue_put
from transfer import measure

import lockfree
from lockfree._native import ffi, lib

RECORD = b"x" * 64


@pytest.fixture
def ring():
    with lockfree.MPMCRing(1024, 64) as made:
        yield made


class TestOneThread:
    """A put and a get of 64 bytes, nobody else there."""

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "MPMC put+get, one thread"

    def test_try_put_try_get(self, many, ring):
        many("ring.try_put(record); ring.try_get()", ring=ring, record=RECORD)

    def test_put_get(self, many, ring):
        many("ring.put(record); ring.get()", ring=ring, record=RECORD)

    def test_bare_cffi_calls_with_the_same_arguments(self, many, ring):
        put, get, room = lib.lf_mpmc_ring_try_put, lib.lf_mpmc_ring_try_get, ffi.new("char[64]")
        many("put(h, record, 64); get(h, room)", put=put, get=get, h=ring._h, record=RECORD, room=room)

    def test_queue_simple_queue(self, many):
        many("q.put(record); q.get()", q=queue.SimpleQueue(), record=RECORD)

    def test_queue_queue(self, many):
        many("q.put(record); q.get()", q=queue.Queue(), record=RECORD)

    def test_multiprocessing_simple_queue(self, many):
        many("q.put(record); q.get()", calls=100, q=multiprocessing.SimpleQueue(), record=RECORD)


class TestOneThreadInBatches:
    """64 records of 64 bytes in and out; the figure is per batch."""

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "MPMC put_many+get, batch 64"

    def test_rows(self, many, ring):
        rows = memoryview(bytearray(64 * 64)).cast("B", (64, 64))
        many("ring.put_many(rows); ring.get_into(rows)", calls=100, ring=ring, rows=rows)

    def test_lists(self, many, ring):
        many("ring.put_many(rows); ring.get_many(64)", calls=100, ring=ring, rows=[RECORD] * 64)


@pytest.mark.parametrize(("producers", "consumers"), [(1, 1), (2, 2), (4, 4)], ids=["1p1c", "2p2c", "4p4c"])
class TestBetweenProcesses:
    @pytest.fixture(autouse=True)
    def group(self, benchmark, producers, consumers):
        benchmark.group = f"MPMC between processes {producers}p{consumers}c"

    def both(self, producers, consumers, put, get, made, share, cleanup):
        return (
            [(put, (made, share // producers))] * producers,
            [(get, (made, share // consumers))] * consumers,
            cleanup,
        )

    def test_batches_of_64(self, benchmark, producers, consumers):
        total = 1_600_000

        def make():
            ring = lockfree.MPMCRing(4096, 64)
            return self.both(producers, consumers, put_in_batches, get_in_batches, ring, total, ring.close)

        measure(benchmark, total, make)

    def test_single(self, benchmark, producers, consumers):
        total = 320_000

        def make():
            ring = lockfree.MPMCRing(1024, 64)
            return self.both(producers, consumers, put_singly, get_singly, ring, total, ring.close)

        measure(benchmark, total, make)

    def test_multiprocessing_queue(self, benchmark, producers, consumers):
        total = 16_000

        def make():
            made = multiprocessing.get_context("fork").Queue(1024)
            return self.both(producers, consumers, queue_put, queue_get, made, total, made.close)

        measure(benchmark, total, make, rounds=3)
