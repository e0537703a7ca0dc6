"""record(): finds the bug of a racy queue, passes the standard library's, from threads and processes."""

import multiprocessing
import os
import queue
import threading
import time

import pytest

from lockfree.linearizability import check, record


class RacyQueue:
    """Looks at the list, then takes from it: two threads can take the same item."""

    def __init__(self):
        self.items = []

    def put(self, item):
        self.items = [*self.items, item]

    def get(self):
        if not self.items:
            return None
        item = self.items[0]
        time.sleep(0)
        self.items = self.items[1:]
        return item


def hammer(q, *, threads=4, calls=60, seconds=None):
    deadline = None if seconds is None else time.monotonic() + seconds

    def work(me):
        for i in range(calls):
            q.put(me * 1_000_000 + i)
            try:
                q.get(timeout=0.001) if hasattr(q._obj, "get_nowait") else q.get()
            except queue.Empty:
                pass
            if deadline and time.monotonic() > deadline:
                break

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def test_a_racy_queue_is_found_within_ten_seconds():
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        q = record(RacyQueue())
        hammer(q, calls=200)
        verdict = check(q.history(), "queue")
        if verdict.status == "VIOLATION":
            assert verdict.operations
            return
    pytest.fail("not found")


@pytest.mark.parametrize("make", [queue.Queue, queue.SimpleQueue])
def test_the_standard_queues_pass(make):
    q = record(make())
    hammer(q)
    history = q.history()
    assert len(history) == 480
    assert check(history, "queue").status == "OK"


def _produces(q, count):
    for i in range(count):
        q.put(i)


def _consumes(q, count):
    for _ in range(count):
        q.get()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_queue_passes(method):
    # one producer: several have a feeder thread each, and between them no order is kept (the checker says so)
    context = multiprocessing.get_context(method)
    q = record(context.Queue())
    children = [context.Process(target=_produces, args=(q, 90))]
    children += [context.Process(target=_consumes, args=(q, 30)) for _ in range(3)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    history = q.history()
    assert len(history) == 180
    assert check(history, "queue").status == "OK"


def _dies(q):
    q.put(1)
    os._exit(1)


def test_a_process_that_takes_its_log_along_is_missed():
    context = multiprocessing.get_context("fork")
    q = record(context.Queue())
    child = context.Process(target=_dies, args=(q,))
    child.start()
    child.join()
    with pytest.raises(RuntimeError, match="never delivered"):
        q.history()


def test_a_call_that_never_returns_is_pending():
    q = record(queue.Queue())
    threading.Thread(target=q.get, daemon=True).start()
    time.sleep(0.05)
    assert [o.return_ for o in q.history()] == [None]
    q.put(1)
