import heapq
import queue
import threading
from functools import partial

from frame.columns import RECORD, SIZE, Column, Entry, rate
from locks import lazily

import lockfree
from lockfree.bench.engine import Load, Worker


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


def ours():
    made = lockfree.PriorityQueue(1024, SIZE)
    for i in range(100):
        made.put(RECORD, i % 16)
    return made, RECORD


def by_hand():
    made = HeapUnderLock()
    for i in range(100):
        made.put(RECORD, i % 16)
    return made, RECORD


def standard():
    made = queue.PriorityQueue()
    for i in range(100):
        made.put((i % 16, i, RECORD))
    return made, RECORD


def between(pairs):
    def load():
        made = lockfree.PriorityQueue(1024, SIZE)
        put = [
            Worker("put", lambda tally, level=i % 16: tally.run(partial(made.put, RECORD, level)), counts=False)
            for i in range(pairs)
        ]
        return Load([*put, *[Worker("get", lambda tally: tally.run(made.get))] * pairs], made.shutdown, made.close)

    return rate(load)


def columns():
    single = [
        Entry("PriorityQueue", lazily(ours, "q[0].put(q[1], 7); q[0].get()", "q"), ours=True),
        Entry(
            "heapq under threading.Lock", lazily(by_hand, "q[0].put(q[1], 7); q[0].get()", "q"), note="threads alone"
        ),
        Entry("queue.PriorityQueue", lazily(standard, "q[0].put((7, 1, q[1])); q[0].get()", "q"), note="threads alone"),
    ]
    made = [Column("priority_queue_alone", "PriorityQueue: put and get, 100 inside", "ns", single, seconds=0.05)]
    for pairs in (1, 4):
        entries = [Entry("PriorityQueue", between(pairs), ours=True)]
        title = f"PriorityQueue: {pairs} producers, {pairs} consumers"
        made.append(Column(f"priority_queue_{pairs}p{pairs}c", title, "M/s", entries, more=True))
    return made
