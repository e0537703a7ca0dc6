"""Queue beside multiprocessing.Queue and faster-fifo: Python objects, one producer and one consumer process."""

import multiprocessing

import pytest
from transfer import measure

import lockfree

OBJECTS = {
    "int": (7, 50_000),
    "tuple": ((12, "job", 3.5), 50_000),
    "dict": ({"id": 12, "name": "job", "shape": [1, 2, 3]}, 30_000),
    "1 KiB of bytes": (b"x" * 1024, 30_000),
    "1 MiB of bytearray": (bytearray(1 << 20), 200),
}


class Ours:
    def __init__(self, large):
        self.queue = lockfree.Queue(1000, size_bytes=1 << 25 if large else 1 << 22, block_bytes=1 << 16 if large else None)

    def put(self, obj, count):
        put = self.queue.put
        for _ in range(count):
            put(obj)

    def get(self, count):
        get = self.queue.get
        for _ in range(count):
            get()


class Standard(Ours):
    def __init__(self, _large):
        self.queue = multiprocessing.get_context("fork").Queue(1000)


class FasterFifo(Ours):
    def __init__(self, large):
        self.queue = pytest.importorskip("faster_fifo").Queue(max_size_bytes=1 << 25 if large else 1 << 22)

    def put(self, obj, count):
        for _ in range(count):
            self.queue.put(obj, timeout=60)

    def get(self, count):
        left = count
        while left:
            left -= len(self.queue.get_many(timeout=60, max_messages_to_get=left))


@pytest.mark.parametrize("peer", [Ours, Standard, FasterFifo], ids=lambda p: p.__name__)
@pytest.mark.parametrize("kind", OBJECTS)
def test_rate(benchmark, peer, kind):
    obj, count = OBJECTS[kind]
    benchmark.group = f"queue: {kind}, 1 producer, 1 consumer"

    def make():
        made = peer("MiB" in kind)
        return [(made.put, (obj, count))], [(made.get, (count,))], int

    measure(benchmark, count, make, rounds=5)


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "queue: put+get alone, a tuple"

    def test_ours(self, many):
        many("q.put(o); q.get()", q=lockfree.Queue(10), o=(12, "job", 3.5))
