"""Queue beside multiprocessing.Queue and faster-fifo: Python objects, one producer and one consumer process."""

import queue
from functools import partial

from frame.columns import Column, Entry, rate
from frame.peers import MpQueue, Peer, package
from locks import lazily

import lockfree
from lockfree.bench.engine import Load, Worker

OBJECTS = {
    "int": (7, "an int"),
    "tuple": ((12, "job", 3.5), "a tuple"),
    "dict": ({"id": 12, "name": "job", "shape": [1, 2, 3]}, "a dict"),
    "kib": (b"x" * 1024, "1 KiB of bytes"),
    "mib": (bytearray(1 << 20), "1 MiB of bytearray"),
}


class Ours(Peer):
    name, ours, grace = "Queue", True, 1.0

    def __init__(self, large):
        self.queue = lockfree.Queue(
            1000, size_bytes=1 << 25 if large else 1 << 22, block_bytes=1 << 16 if large else None
        )

    def producer(self):
        return self.queue.put

    def consumer(self):
        return self.queue.get

    def end(self):
        self.queue.shutdown(immediate=True)

    def close(self):
        self.queue.close()


class Standard(MpQueue):
    def __init__(self, _large):
        super().__init__(1000, 0)


class FasterFifo(Peer):
    name = "faster-fifo"

    def __init__(self, large):
        self.queue = package("faster_fifo").Queue(max_size_bytes=1 << 25 if large else 1 << 22)

    def producer(self):
        return partial(self.queue.put, timeout=60)

    def consumer(self):
        return partial(self.queue.get, timeout=60)

    def close(self):
        self.queue.close()


def passing(peer, obj, large):
    def make():
        made = peer(large)
        put = Worker("put", lambda tally: tally.run(partial(made.producer(), obj)), counts=False)
        return Load([put, Worker("get", lambda tally: tally.run(made.consumer()))], made.end, made.close, made.grace)

    return rate(make, 1e3)


def alone(make):
    return lazily(lambda: (make(), OBJECTS["tuple"][0]), "q[0].put(q[1]); q[0].get()", "q")


def columns():
    single = [
        Entry("Queue", alone(lambda: lockfree.Queue(10)), ours=True),
        Entry("queue.Queue", alone(queue.Queue), note="threads alone"),
    ]
    made = [Column("queue_alone", "Queue: put and get of a tuple in one thread", "ns", single, seconds=0.05)]
    for key, (obj, what) in OBJECTS.items():
        entries = [Entry(p.name, passing(p, obj, key == "mib"), p.ours) for p in (Ours, Standard, FasterFifo)]
        made.append(Column(f"queue_{key}", f"Queue: {what}, 1 producer, 1 consumer", "k/s", entries, more=True))
    return made
