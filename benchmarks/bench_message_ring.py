"""MessageRing beside multiprocessing.Queue, faster-fifo and a pipe: one producer and one consumer process, by length."""

import multiprocessing

import pytest
from transfer import measure

import lockfree

LENGTHS = {"64 B": (64, 50_000), "1 KiB": (1024, 30_000), "64 KiB": (65_536, 3_000)}


class Ours:
    def __init__(self, length):
        self.ring = lockfree.MessageRing(1 << 22, 128 if length <= 64 else 1024 + 16 if length <= 1024 else 16_400)

    def put(self, message, count):
        for _ in range(count):
            self.ring.put(message)

    def get(self, count):
        for _ in range(count):
            self.ring.get()


class Standard:
    def __init__(self, _length):
        self.queue = multiprocessing.get_context("fork").Queue(1000)

    def put(self, message, count):
        for _ in range(count):
            self.queue.put(message)

    def get(self, count):
        for _ in range(count):
            self.queue.get()


class Pipe:
    def __init__(self, _length):
        self.reader, self.writer = multiprocessing.get_context("fork").Pipe(duplex=False)

    def put(self, message, count):
        for _ in range(count):
            self.writer.send_bytes(message)

    def get(self, count):
        for _ in range(count):
            self.reader.recv_bytes()


class FasterFifo:
    def __init__(self, _length):
        self.queue = pytest.importorskip("faster_fifo").Queue(max_size_bytes=1 << 22, loads=bytes, dumps=bytes)

    def put(self, message, count):
        for _ in range(count):
            self.queue.put(message, timeout=60)

    def get(self, count):
        left = count
        while left:
            left -= len(self.queue.get_many(timeout=60, max_messages_to_get=left))


@pytest.mark.parametrize("peer", [Ours, Standard, Pipe, FasterFifo], ids=lambda p: p.__name__)
@pytest.mark.parametrize("kind", LENGTHS)
def test_rate(benchmark, peer, kind):
    length, count = LENGTHS[kind]
    benchmark.group = f"messages: {kind}, 1 producer, 1 consumer"

    def make():
        made = peer(length)
        return [(made.put, (b"x" * length, count))], [(made.get, (count,))], int

    measure(benchmark, count, make, rounds=5)


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "messages: put+get alone, 64 B"

    def test_ours(self, many):
        many("r.try_put(m); r.try_get()", r=lockfree.MessageRing(1 << 16), m=b"x" * 64)
