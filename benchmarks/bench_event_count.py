"""EventCount: a notify that nobody waits for, and turns through a shared word, beside Condition of the library."""

import multiprocessing
import threading

from frame.columns import Column, Entry
from locks import lazily
from turns import rounds

import lockfree

FORK = multiprocessing.get_context("fork")


def ours():
    count, word = lockfree.EventCount(), lockfree.AtomicU64()

    def turn(_mine, at):
        count.wait_until(lambda: word.load() == at)
        word.fetch_add(1)
        count.notify_all()

    return turn


def condition():
    made, word = FORK.Condition(), FORK.Value("q", lock=False)

    def turn(_mine, at):
        with made:
            made.wait_for(lambda: word.value == at)
            word.value += 1
            made.notify_all()

    return turn


def columns():
    single = [
        Entry("EventCount", lazily(lockfree.EventCount, "e.notify()", "e"), ours=True),
        Entry("threading.Condition", lazily(threading.Condition, "\n        with e: e.notify()", "e")),
        Entry("multiprocessing.Condition", lazily(FORK.Condition, "\n        with e: e.notify()", "e")),
    ]
    turns = [Entry("EventCount", rounds(ours), ours=True), Entry("multiprocessing.Condition", rounds(condition))]
    return [
        Column("event_count_alone", "EventCount: notify, nobody waits", "ns", single, seconds=0.05),
        Column("event_count_round_trip", "EventCount: turns of two processes", "µs", turns),
    ]
