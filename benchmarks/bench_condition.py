"""Condition: a notify that nobody waits for, and turns taken by two processes, beside those of the standard library."""

import multiprocessing
import threading

from frame.columns import Column, Entry
from locks import lazily
from turns import rounds

import lockfree

FORK = multiprocessing.get_context("fork")
NOTIFY = "\n        with c: c.notify()"


def turning(kind):
    def make():
        made, word = kind(), FORK.Value("q", lock=False)

        def turn(_mine, at):
            with made:
                made.wait_for(lambda: word.value == at)
                word.value += 1
                made.notify_all()

        return turn

    return rounds(make)


def columns():
    single = [
        Entry("Condition", lazily(lockfree.Condition, NOTIFY, "c"), ours=True),
        Entry("threading.Condition", lazily(threading.Condition, NOTIFY, "c")),
        Entry("multiprocessing.Condition", lazily(FORK.Condition, NOTIFY, "c")),
    ]
    both = [
        Entry("Condition", turning(lockfree.Condition), ours=True),
        Entry("multiprocessing.Condition", turning(FORK.Condition)),
    ]
    return [
        Column("condition_alone", "Condition: lock, notify, unlock alone", "ns", single, seconds=0.05),
        Column("condition_turns", "Condition: turns of two processes", "µs", both),
    ]
