"""Event beside those of the standard library: set and clear alone, and a round trip between two processes."""

import multiprocessing
import threading

from frame.columns import Column, Entry, median_time
from locks import lazily

import lockfree
from lockfree.bench.engine import Load, Worker

FORK = multiprocessing.get_context("fork")
PAIR = "e.set(); e.clear()"


def trip(make):
    def load():
        first, second = make(), make()

        def ping():
            first.set()
            second.wait()
            second.clear()

        def pong(_tally):
            while True:
                first.wait()
                first.clear()
                second.set()

        return Load(
            [Worker("round trip", lambda tally: tally.one_by_one(ping)), Worker("answer", pong, counts=False)],
            grace=0.05,
        )

    return median_time(load, "round trip")


def columns():
    single = [
        Entry("Event", lazily(lockfree.Event, PAIR, "e"), ours=True),
        Entry("threading.Event", lazily(threading.Event, PAIR, "e")),
        Entry("multiprocessing.Event", lazily(FORK.Event, PAIR, "e")),
    ]
    trips = [Entry("Event", trip(lockfree.Event), ours=True), Entry("multiprocessing.Event", trip(FORK.Event))]
    return [
        Column("event_alone", "Event: set and clear alone", "ns", single, seconds=0.05),
        Column("event_round_trip", "Event: there and back", "µs", trips),
    ]
