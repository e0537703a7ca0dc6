"""The measurements that every ring goes through; a bench file subclasses them with its ring and its peers."""

import multiprocessing
import queue

import pytest
from ring_bodies import get_in_batches, get_singly, put_in_batches, put_singly, queue_get, queue_put
from transfer import measure

from lockfree._native import ffi, lib

RECORD = b"x" * 64


class OneThread:
    """A put and a get of 64 bytes, nobody else there."""

    ring_type: type
    prefix: str

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = f"{self.prefix}: put+get alone"

    @pytest.fixture
    def ring(self):
        with self.ring_type(1024, 64) as made:
            yield made

    def test_try_put_try_get(self, many, ring):
        many("ring.try_put(record); ring.try_get()", ring=ring, record=RECORD)

    def test_put_get(self, many, ring):
        many("ring.put(record); ring.get()", ring=ring, record=RECORD)

    def test_bare_cffi_calls_with_the_same_arguments(self, many, ring):
        put, get = getattr(lib, f"lf_{self.prefix}_try_put"), getattr(lib, f"lf_{self.prefix}_try_get")
        many("put(h, record, 64); get(h, room)", put=put, get=get, h=ring._h, record=RECORD, room=ffi.new("char[64]"))

    def test_queue_simple_queue(self, many):
        many("q.put(record); q.get()", q=queue.SimpleQueue(), record=RECORD)

    def test_queue_queue(self, many):
        many("q.put(record); q.get()", q=queue.Queue(), record=RECORD)

    def test_multiprocessing_simple_queue(self, many):
        many("q.put(record); q.get()", calls=100, q=multiprocessing.SimpleQueue(), record=RECORD)


class Batches:
    """64 records of 64 bytes in and out in one thread; the figure is per batch."""

    ring_type: type
    prefix: str

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = f"{self.prefix}: batch of 64 alone"

    @pytest.fixture
    def ring(self):
        with self.ring_type(1024, 64) as made:
            yield made

    def test_rows(self, many, ring):
        rows = memoryview(bytearray(64 * 64)).cast("B", (64, 64))
        many("ring.put_many(rows); ring.get_into(rows)", calls=100, ring=ring, rows=rows)

    def test_lists(self, many, ring):
        many("ring.put_many(rows); ring.get_many(64)", calls=100, ring=ring, rows=[RECORD] * 64)


class Processes:
    """Records of 64 bytes from producers to consumers, each process pinned to a CPU in turn."""

    ring_type: type
    prefix: str
    batched = 1_600_000
    single = 320_000

    @pytest.fixture(autouse=True)
    def group(self, benchmark, producers, consumers):
        benchmark.group = f"{self.prefix}: {producers}p{consumers}c processes"

    def shares(self, producers, consumers, put, get, made, total, cleanup):
        return (
            [(put, (made, total // producers))] * producers,
            [(get, (made, total // consumers))] * consumers,
            cleanup,
        )

    def test_batches_of_64(self, benchmark, producers, consumers):
        def make():
            ring = self.ring_type(4096, 64)
            return self.shares(producers, consumers, put_in_batches, get_in_batches, ring, self.batched, ring.close)

        measure(benchmark, self.batched, make)

    def test_single(self, benchmark, producers, consumers):
        def make():
            ring = self.ring_type(1024, 64)
            return self.shares(producers, consumers, put_singly, get_singly, ring, self.single, ring.close)

        measure(benchmark, self.single, make)

    def test_multiprocessing_queue(self, benchmark, producers, consumers):
        def make():
            made = multiprocessing.get_context("fork").Queue(1024)
            return self.shares(producers, consumers, queue_put, queue_get, made, 16_000, made.close)

        measure(benchmark, 16_000, make, rounds=3)

    def test_faster_fifo(self, benchmark, producers, consumers):
        faster_fifo = pytest.importorskip("faster_fifo")

        def make():
            made = faster_fifo.Queue(4 << 20)
            return self.shares(producers, consumers, queue_put, queue_get, made, 32_000, made.close)

        measure(benchmark, 32_000, make, rounds=3)
