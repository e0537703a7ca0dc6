"""The columns that every ring of records has: one thread, batches, one to one."""

import multiprocessing
import queue

from frame import peers
from frame.columns import RECORD, SIZE, Column, Entry, batched, median_time, rate, round_trip, stream
from locks import lazily


def entries(found, sampler):
    return [Entry(peer.name, sampler(peer), peer.ours, peer.note) for peer in found]


def one_thread(kind, key):
    def single(make, put, get):
        def bound():
            made = make()
            return getattr(made, put), getattr(made, get), RECORD

        return lazily(bound, "q[0](q[2]); q[1]()", "q")

    def ours():
        return kind(1024, SIZE)

    found = [
        Entry(f"{kind.__name__}, put and get", single(ours, "put", "get"), ours=True),
        Entry(f"{kind.__name__}, try_put and try_get", single(ours, "try_put", "try_get"), ours=True),
        Entry("queue.SimpleQueue", single(queue.SimpleQueue, "put", "get"), note="threads alone"),
        Entry("queue.Queue", single(queue.Queue, "put", "get"), note="threads alone"),
        Entry("subetha SpscRing", single(lambda: peers.SubethaSpsc(1024, SIZE).made, "push", "pop")),
        Entry("membridge spsc", single(lambda: peers.Membridge(1024, SIZE).ring, "push", "pop")),
        Entry("multiprocessing.SimpleQueue", single(multiprocessing.SimpleQueue, "put", "get")),
    ]
    return Column(
        f"{key}_alone", f"{kind.__name__}: put and get of {SIZE} bytes in one thread", "ns", found, seconds=0.05
    )


def batches(kind, others, key):
    found = entries([kind, *others], lambda peer: rate(batched(peer)))
    return Column(f"{key}_batches", f"{kind.name}: batches of 64, 1 producer, 1 consumer", "M/s", found, more=True)


def streams(kind, others, key, producers, consumers):
    found = entries([kind, *others], lambda peer: rate(stream(peer, producers, consumers)))
    title = f"{kind.name}: put and get, {producers} producer{'s' * (producers > 1)}, {consumers} consumer{'s' * (consumers > 1)}"
    return Column(key, title, "M/s", found, more=True, seconds=0.2)


def trips(kind, others, key):
    found = entries([kind, *others], lambda peer: median_time(round_trip(peer), "round trip"))
    return Column(f"{key}_round_trip", f"{kind.name}: a message there and back", "µs", found)
