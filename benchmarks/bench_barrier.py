"""Barrier: rounds of two and four processes, beside that of the standard library."""

import multiprocessing

from frame.columns import Column, Entry, median_time

import lockfree
from lockfree.bench.engine import Load, Worker


def rounds(make, parties):
    def load():
        barrier = make(parties)
        work = Worker("wait", lambda tally: tally.one_by_one(barrier.wait))
        return Load([work] * parties, barrier.abort)

    return median_time(load, "wait")


def columns():
    made = []
    for parties in (2, 4):
        entries = [
            Entry("Barrier", rounds(lockfree.Barrier, parties), ours=True),
            Entry("multiprocessing.Barrier", rounds(multiprocessing.get_context("fork").Barrier, parties)),
        ]
        made.append(Column(f"barrier_{parties}", f"Barrier: a round of {parties} processes", "µs", entries))
    return made
