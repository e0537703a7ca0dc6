import heapq
import queue
import threading

import pytest
from transfer import measure

import lockfree

RECORD = b"x" * 64


class HeapUnderLock:
    """What people write by hand."""

    def __init__(self):
        self.heap, self.lock, self.count = [], threading.Lock(), 0

    def put(self, record, priority):
        with self.lock:
            self.count += 1
            heapq.heappush(self.heap, (priority, self.count, record))

    def get(self):
        with self.lock:
            return heapq.heappop(self.heap)


class TestAlone:
    """A push and a pop of 64 bytes at one of 16 levels, 100 records inside."""

    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "priority_queue: push+pop alone"

    def test_priority_queue(self, many):
        with lockfree.PriorityQueue(1024, 64) as made:
            for i in range(100):
                made.put(RECORD, i % 16)
            many("q.try_put(record, 7); q.try_get()", q=made, record=RECORD)

    def test_heapq_under_a_lock(self, many):
        made = HeapUnderLock()
        for i in range(100):
            made.put(RECORD, i % 16)
        many("q.put(record, 7); q.get()", q=made, record=RECORD)

    def test_queue_priority_queue(self, many):
        made = queue.PriorityQueue()
        for i in range(100):
            made.put((i % 16, i, RECORD))
        many("q.put((7, 1, record)); q.get()", q=made, record=RECORD)


def push(made, count):
    for i in range(count):
        made.put(RECORD, i % 16)


def pop(made, count):
    for _ in range(count):
        made.get()


@pytest.mark.parametrize("pairs", [1, 4], ids=["1p1c", "4p4c"])
def test_between_processes(benchmark, pairs):
    benchmark.group = "priority_queue: processes"
    total = 200_000

    def make():
        made = lockfree.PriorityQueue(1024, 64)
        return [(push, (made, total // pairs))] * pairs, [(pop, (made, total // pairs))] * pairs, made.close

    measure(benchmark, total, make)
