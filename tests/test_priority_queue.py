"""PriorityQueue from Python: behaviour against a heap, across threads and processes, deaths, wrong arguments."""

import array
import contextlib
import heapq
import math
import os
import pickle
import queue
import signal
import threading
import time
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from patience import STUCK

import lockfree
from lockfree import PriorityQueue
from lockfree._segment import starting_at

STARTS = [0, 2**32 - 3, 2**36 - 3, 2**46 - 3, 2**52 - 3, 2**64 - 3]


@pytest.fixture
def q():
    with PriorityQueue(4, 8, levels=3) as made:
        yield made


# ---- one after the other ----


def test_the_most_urgent_comes_first_and_a_level_keeps_its_order(q):
    for record, priority in [(b"low", 2), (b"first", 1), (b"second", 1), (b"urgent", 0)]:
        q.put(record, priority)
    assert [q.get() for _ in range(4)] == [(0, b"urgent"), (1, b"first"), (1, b"second"), (2, b"low")]


def test_try_calls_refuse_without_raising(q):
    assert q.try_get() is None
    assert all(q.try_put(b"x", 0) for _ in range(4))
    assert q.try_put(b"x", 0) is False


def test_a_ticket_takes_its_record_out_once_wherever_it_stands(q):
    tickets = [q.put_ticket(bytes([i]), i % 2) for i in range(4)]
    assert q.cancel(tickets[2])
    assert [q.cancel(tickets[2]), q.qsize()] == [False, 3]
    assert q.try_put(b"room", 2)  # the slot is free at once
    assert [q.get()[1] for _ in range(4)] == [b"\0", b"\1", b"\3", b"room"]
    assert [q.cancel(ticket) for ticket in tickets] == [False] * 4
    assert q.try_get() is None


def test_a_ticket_holds_in_other_processes_and_after_many_rounds():
    for start in STARTS:
        with starting_at(start, PriorityQueue, 16, 8, 3) as made:
            old = made.put_ticket(b"old", 1)
            for i in range(100):
                made.put(b"x", 1)
                assert made.cancel(made.put_ticket(bytes([i]), 1))
                assert made.get()[1] in {b"old", b"x"}
            assert not made.cancel(old)
            ticket = made.put_ticket(b"mine", 2)
            if (child := os.fork()) == 0:
                os._exit(0 if made.cancel(ticket) and not made.cancel(ticket) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert not made.cancel(ticket)
            assert made.get() == (1, b"x")


def put_and_cancel(made, times):
    for _ in range(times):
        assert made.cancel(made.put_ticket(b"x", 1, block=False))


def test_cancelled_records_behind_one_that_waits_give_their_slots_back():
    for capacity in (3, 16, 17):
        with PriorityQueue(capacity, 8, levels=2) as made:
            made.put(b"first", 1)
            put_and_cancel(made, 16)
            with pytest.raises(queue.Full):
                put_and_cancel(made, 200)
            assert len(made) == 1
            assert made.get() == (1, b"first")
            assert made.try_get() is None  # all of them, when a get comes by
            assert all(made.try_put(b"y", 1) for _ in range(capacity))
            assert not made.try_put(b"y", 1)


def test_a_ticket_that_is_none_is_refused(q):
    for wrong, error in [(-1, ValueError), (2**64, ValueError), ("1", TypeError), (200 << 56, ValueError)]:
        with pytest.raises(error, match="ticket"):
            q.cancel(wrong)
    assert q.cancel(0) is False  # of a level of this queue, and nothing stands there
    with pytest.raises(ValueError, match="priority"):
        q.put_ticket(b"x", 3)
    with pytest.raises(ValueError, match="record"):
        q.put_ticket(b"x" * 9, 0)
    for _ in range(4):
        q.put(b"x", 0)
    with pytest.raises(queue.Full):
        q.put_ticket(b"x", 0, timeout=0.01)
    with pytest.raises(RuntimeError, match="reserve"):
        q.cancel()


# ---- to the front ----


@pytest.fixture
def fronts():
    with PriorityQueue(6, 8, levels=3, fronts=True) as made:
        yield made


def test_requeued_records_come_first_in_their_level_in_the_order_of_their_requeueing(fronts):
    fronts.put(b"waits", 1)
    fronts.put(b"urgent", 0)
    fronts.requeue(b"one", 1)
    fronts.requeue(b"two", 1)
    fronts.requeue(b"last", 2)
    fronts.requeue(b"tail", 1, front=False)
    assert [fronts.get() for _ in range(6)] == [
        (0, b"urgent"), (1, b"one"), (1, b"two"), (1, b"waits"), (1, b"tail"), (2, b"last"),
    ]  # fmt: skip
    assert fronts.try_get() is None


def test_a_requeued_record_can_be_cancelled(fronts):
    ticket, other = fronts.requeue(b"gone", 2), fronts.requeue(b"here", 2)
    assert fronts.cancel(ticket)
    assert not fronts.cancel(ticket)
    assert fronts.get() == (2, b"here")
    assert not fronts.cancel(other)


def test_a_requeue_needs_room_as_a_put_does(fronts):
    for i in range(6):
        fronts.put(b"%d" % i, 2)
    with pytest.raises(queue.Full):
        fronts.requeue(b"x", 0, block=False)
    with pytest.raises(queue.Full):
        fronts.requeue(b"x", 0, timeout=0.01)
    waiting = threading.Thread(target=fronts.requeue, args=(b"front", 2))
    waiting.start()
    assert fronts.get() == (2, b"0")
    waiting.join()
    assert fronts.get() == (2, b"front")


@pytest.mark.parametrize(
    ("puts", "first"),
    [
        (lambda q: q.put(b"late", 1), b"old"),
        (lambda q: q.put_ticket(b"late", 1), b"old"),
        (lambda q: q.put_many(iter([b"late"]), 1, block=True), b"old"),
        (lambda q: q.requeue(b"late", 1, front=False), b"old"),
        (lambda q: q.requeue(b"late", 1), b"late"),
    ],
    ids=["put", "put_ticket", "put_many", "requeue-tail", "requeue"],
)
def test_a_record_that_waited_for_room_stands_in_the_same_line(fronts, puts, first):
    fronts.put(b"old", 1)
    for _ in range(5):
        fronts.put(b"urgent", 0)
    waiting = threading.Thread(target=puts, args=(fronts,))
    waiting.start()
    time.sleep(0.05)
    assert fronts.get() == (0, b"urgent")
    waiting.join()
    assert [fronts.get() for _ in range(4)] == [(0, b"urgent")] * 4
    assert fronts.get() == (1, first)
    assert [level for level, _ in fronts.get_many(2)] == [1]


def test_a_leased_record_goes_back_to_the_line_that_it_came_from(fronts):
    def fail():
        with pytest.raises(KeyError), fronts.lease() as (_, record):
            raise KeyError
        return record

    fronts.put(b"waits", 1)
    fronts.requeue(b"front", 1)
    assert [fail(), fail()] == [b"front", b"front"]
    assert [fronts.get(), fail()] == [(1, b"front"), b"waits"]
    fronts.requeue(b"held", 1)
    child = os.fork()
    if child == 0:
        fronts.lease().__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    assert fronts.recover_dead() == 1
    assert [fronts.get() for _ in range(2)] == [(1, b"held"), (1, b"waits")]


def test_who_has_fronts_says_so_and_who_has_none_is_told(q):
    assert not q.fronts
    with pytest.raises(ValueError, match="fronts=True"):
        q.requeue(b"x", 0)
    assert q.cancel(q.requeue(b"x", 0, front=False))
    with pytest.raises(ValueError, match="levels is 128: it must be between 1 and 127"):
        PriorityQueue(4, 8, levels=128, fronts=True)
    with PriorityQueue(4, dtype="i8", levels=127, fronts=True, name="lf-test-fronts") as made:
        made.put(1, 126)
        made.requeue(2, 126)
        with PriorityQueue.attach("lf-test-fronts") as other:
            assert other.fronts
            assert [other.levels, other.get(), other.get()] == [127, (126, 2), (126, 1)]
            assert other.put_many([3, 4], [126, 0]) == 2
            assert made.get_many(2) == [(0, 4), (126, 3)]
        with pytest.raises(lockfree.SegmentError, match="fronts: found True, asked for False"):
            PriorityQueue.open("lf-test-fronts", 4, dtype="i8", levels=127)
        made.unlink()
    with pytest.raises(ValueError, match="priority"):
        PriorityQueue(4, 8, levels=3, fronts=True).requeue(b"x", 3)


def test_each_record_is_got_or_cancelled_never_both_and_never_lost():
    """Threads of two processes put, get and cancel; every record ends in one place."""
    with PriorityQueue(32, 8, levels=4) as made:
        got, cancelled, puts, over = set(), set(), 4000, threading.Event()

        def take():
            while not (over.is_set() and made.empty()):
                if (found := made.try_get()) is not None:
                    got.add(int.from_bytes(found[1], "little"))

        def give(first):
            tickets = []
            for number in range(first, puts, 2):
                tickets.append((number, made.put_ticket(number.to_bytes(8, "little"), number % 4)))
                if number % 3 == 0:
                    which, ticket = tickets.pop(0)
                    if made.cancel(ticket):
                        cancelled.add(which)

        givers = [threading.Thread(target=give, args=(first,)) for first in range(2)]
        takers = [threading.Thread(target=take) for _ in range(2)]
        for thread in givers + takers:
            thread.start()
        for thread in givers:
            thread.join()
        over.set()
        for thread in takers:
            thread.join()
        assert got | cancelled == set(range(puts))
        assert not got & cancelled
        assert all(made.try_put(b"x", 0) for _ in range(32))


def test_nowait_calls_raise_like_the_standard_library(q):
    with pytest.raises(queue.Empty):
        q.get_nowait()
    for _ in range(4):
        q.put_nowait(b"x", 1)
    with pytest.raises(queue.Full):
        q.put_nowait(b"x", 1)
    assert q.get_nowait() == (1, b"x")


def test_timeouts_raise_after_their_time(q):
    before = time.monotonic()
    with pytest.raises(queue.Empty):
        q.get(timeout=0.02)
    for _ in range(4):
        q.put(b"x", 0)
    with pytest.raises(queue.Full):
        q.put(b"x", 0, timeout=0.02)
    assert time.monotonic() - before >= 0.04


def test_keyword_arguments_work_everywhere(q):
    q.put(record=b"a", priority=2, block=False)
    assert q.try_put(record=b"b", priority=1)
    assert q.try_put(b"c", priority=0)
    assert q.get_many(max=5) == [(0, b"c"), (1, b"b"), (2, b"a")]


def test_records_keep_their_exact_length(q):
    for record in (b"", b"12345678", b"\0\0"):
        q.put(record, 0)
        assert q.get() == (0, record)


def test_sizes(q):
    assert (q.capacity, q.record_size, q.levels, q.dtype) == (4, 8, 3, None)
    assert q.empty()
    assert not q.full()
    assert len(q) == 0
    assert bool(q)
    q.put_many([b"x"] * 4, 2)
    assert q.full()
    assert q.qsize() == 4
    assert repr(q) == "<lockfree.PriorityQueue capacity=4 record_size=8 levels=3 qsize=4>"


@pytest.mark.parametrize("levels", [1, 2, 15, 16, 17, 128])
def test_every_level_is_served_in_order(levels):
    with PriorityQueue(levels, 2, levels) as q:
        assert q.put_many([bytes([p]) for p in reversed(range(levels))], list(reversed(range(levels)))) == levels
        assert q.get_many(levels) == [(p, bytes([p])) for p in range(levels)]


@pytest.mark.parametrize("capacity", [1, 2, 16, 100])
@pytest.mark.parametrize("start", STARTS)
def test_counters_wrap(capacity, start):
    with starting_at(start, PriorityQueue, capacity, 8, 5) as q:
        for i in range(60):
            q.put(str(i).encode(), i % 5)
            assert q.get() == (i % 5, str(i).encode())
            assert q.try_get() is None


# ---- batches ----


def test_put_many_stops_at_full(q):
    assert q.put_many([b"a", b"b", b"c", b"d", b"e"], [2, 2, 1, 0, 0]) == 4
    assert q.get_many(10) == [(0, b"d"), (1, b"c"), (2, b"a"), (2, b"b")]
    assert q.get_many(10) == []


@pytest.mark.parametrize("priorities", [1, np.int64(1), [1, 1], (1, 1), np.array([1, 1]), array.array("I", [1, 1])])
def test_put_many_takes_one_priority_or_many(q, priorities):
    assert q.put_many([b"a", b"b"], priorities) == 2
    assert q.get_many(2) == [(1, b"a"), (1, b"b")]


def test_put_many_of_rows(q):
    assert q.put_many(np.arange(3, dtype="u8"), [2, 1, 0]) == 3
    assert [int.from_bytes(record, "little") for _, record in q.get_many(3)] == [2, 1, 0]
    assert q.put_many(memoryview(bytes(range(12))).cast("B", (3, 4)), 0) == 3
    assert q.get() == (0, bytes(range(4)))


def test_get_many_waits_for_the_first(q):
    with pytest.raises(queue.Empty):
        q.get_many(3, block=True, timeout=0.01)
    threading.Timer(0.02, q.put, (b"x", 2)).start()
    assert q.get_many(3, block=True, timeout=5) == [(2, b"x")]


def test_get_into_fills_rows_and_priorities(q):
    q.put_many([b"abc", b"12345678"], [2, 0])
    rows, priorities = np.full((4, 8), 255, dtype=np.uint8), np.full(4, 9, dtype=np.uint32)
    assert q.get_into(rows, priorities) == 2
    assert bytes(rows[0]) == b"12345678"
    assert bytes(rows[1]) == b"abc" + bytes(5)
    assert rows[2, 0] == 255
    assert priorities.tolist() == [0, 2, 9, 9]
    q.put(b"x", 1)
    assert q.get_into(bytearray(8)) == 1


# ---- zero copy ----


def test_reserve_and_commit(q):
    view = q.reserve()
    view[:3] = b"abc"
    assert q.try_get() is None
    q.commit(2, 3)
    q.put(b"first", 1)
    assert q.get_many(2) == [(1, b"first"), (2, b"abc")]


def test_a_wrong_priority_leaves_the_reservation_in_hand(q):
    q.reserve()
    with pytest.raises(ValueError, match="priority is 3"):
        q.commit(3)
    q.cancel()
    with pytest.raises(RuntimeError):
        q.commit(0)
    assert q.put_many([b"x"] * 5, 0) == 4


def test_peek_takes_the_record_out_and_release_frees_its_slot():
    with PriorityQueue(1, 4, 2) as q:
        assert q.peek() is None
        q.put(b"abcd", 1)
        priority, view = q.peek()
        assert (priority, bytes(view)) == (1, b"abcd")
        assert q.try_get() is None
        assert q.try_put(b"x", 0) is False
        q.release()
        assert q.try_put(b"x", 0)


def test_a_lease_is_acknowledged_at_the_end_of_the_block(q):
    q.put(b"x", 1)
    with q.lease() as (priority, record):
        assert (priority, record) == (1, b"x")
        assert q.try_get() is None
    assert q.try_get() is None
    with pytest.raises(queue.Empty), q.lease(block=False):
        pass


def test_a_lease_that_fails_goes_to_the_tail_of_its_level(q):
    q.put_many([b"a", b"b"], 1)
    with pytest.raises(ZeroDivisionError), q.lease():
        1 / 0  # noqa: B018
    assert q.get_many(3) == [(1, b"b"), (1, b"a")]


def test_a_child_does_not_end_its_parents_lease(q):
    q.put(b"x", 1)
    with q.lease():
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                raise SystemExit
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert q.get_many(9) == []
    assert q.put_many([b"x"] * 9, 0) == 4


def test_dtype_records():
    with PriorityQueue(4, dtype=[("x", "f4"), ("y", "i4", (2,))], levels=2) as q:
        q.put((1.5, [1, 2]), 1)
        q.put((2.5, [3, 4]), 0)
        priority, record = q.get()
        assert priority == 0
        assert record["x"] == 2.5
        assert record["y"].tolist() == [3, 4]
        view = q.reserve()
        view["x"] = 7
        q.commit(0)
        assert q.peek()[1]["x"] == 7


# ---- against a model ----


class AgainstAHeap(RuleBasedStateMachine):
    @initialize(
        capacity=st.sampled_from([1, 2, 3, 16]),
        levels=st.sampled_from([1, 2, 16, 17, 100]),
        start=st.sampled_from(STARTS),
        fronts=st.booleans(),
    )
    def create(self, capacity, levels, start, fronts):
        self.q = starting_at(start, PriorityQueue, capacity, 4, levels, fronts=fronts)
        self.heap, self.order, self.reserved, self.peeked = [], 0, [], []

    def room(self):
        return self.q.capacity - len(self.heap) - len(self.reserved) - len(self.peeked)

    def push(self, record, priority, behind=True):
        heapq.heappush(self.heap, (priority, behind, self.order, record))
        self.order += 1

    def pop(self):
        priority, self.behind, _, record = heapq.heappop(self.heap)
        return priority, record

    @rule(record=st.binary(max_size=4), priority=st.integers(0, 127))
    def put(self, record, priority):
        priority %= self.q.levels
        room = self.room()
        assert self.q.try_put(record, priority) is (room > 0)
        if room > 0:
            self.push(record, priority)

    @rule(record=st.binary(max_size=4), priority=st.integers(0, 127))
    def requeue(self, record, priority):
        priority %= self.q.levels
        if not self.q.fronts:
            with pytest.raises(ValueError, match="fronts"):
                self.q.requeue(record, priority)
        elif self.room() > 0:
            self.q.requeue(record, priority)
            self.push(record, priority, behind=False)
        else:
            with pytest.raises(queue.Full):
                self.q.requeue(record, priority, block=False)

    @rule()
    def get(self):
        assert self.q.try_get() == (self.pop() if self.heap else None)

    @rule(batch=st.lists(st.tuples(st.binary(max_size=4), st.integers(0, 127)), max_size=6))
    def put_many(self, batch):
        room = self.room()
        priorities = [priority % self.q.levels for _, priority in batch]
        assert self.q.put_many([record for record, _ in batch], priorities) == min(room, len(batch))
        for (record, _), priority in list(zip(batch, priorities, strict=True))[:room]:
            self.push(record, priority)

    @rule(wanted=st.integers(0, 6))
    def get_many(self, wanted):
        expected = [self.pop() for _ in range(min(wanted, len(self.heap)))]
        assert self.q.get_many(wanted) == expected

    @rule()
    def reserve(self):
        room = self.room()
        view = self.q.reserve()
        assert (view is None) == (room <= 0)
        if view is not None:
            self.reserved.append(view)
            self.last = view

    @precondition(lambda self: self.reserved)
    @rule(priority=st.one_of(st.none(), st.integers(0, 127)), which=st.integers(0, 9), named=st.booleans())
    def commit_or_cancel(self, priority, which, named):
        view = self.reserved.pop(which % len(self.reserved) if named else -1)
        given = {"view": view} if named or view is not self.last else {}
        if priority is None:
            self.q.cancel(**given)
            return
        view[:] = b"data"
        self.q.commit(priority % self.q.levels, **given)
        self.push(b"data", priority % self.q.levels)

    @rule()
    def peek(self):
        found = self.q.peek()
        assert (found is None) == (not self.heap)
        if found is not None:
            self.peeked.append(found[1])
            assert (found[0], bytes(found[1])) == self.pop()

    @precondition(lambda self: self.peeked)
    @rule(which=st.integers(0, 9), how=st.sampled_from(["release", "collect"]))
    def release(self, which, how):
        view = self.peeked.pop(which % len(self.peeked))
        if how == "release":
            self.q.release(view)

    @rule(fails=st.booleans())
    def lease(self, fails):
        if not self.heap:
            return
        expected = self.pop()
        try:
            with self.q.lease() as found:
                assert found == expected
                if fails:
                    raise KeyError
        except KeyError:
            self.push(expected[1], expected[0], self.behind)

    @invariant()
    def size(self):
        if hasattr(self, "q"):
            assert self.q.qsize() == len(self.heap)

    def teardown(self):
        if hasattr(self, "q"):
            self.q.close()


AgainstAHeap.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstAHeap = AgainstAHeap.TestCase


# ---- many at once ----


def test_threads_get_everything_once_and_levels_in_order():
    with PriorityQueue(5, 8, 4) as q:
        got = [[] for _ in range(3)]

        def produce(number):
            for i in range(400):
                q.put(f"{number}.{i}".encode(), i % 4)

        def consume(into):
            while (found := q.get())[1] != b"stop":
                into.append(found)

        producers = [threading.Thread(target=produce, args=(n,)) for n in range(3)]
        consumers = [threading.Thread(target=consume, args=(into,)) for into in got]
        for thread in producers + consumers:
            thread.start()
        for thread in producers:
            thread.join()
        for _ in consumers:
            q.put(b"stop", 3)
        for thread in consumers:
            thread.join()
        everything = [found for into in got for found in into]
        assert sorted(everything) == sorted((i % 4, f"{n}.{i}".encode()) for n in range(3) for i in range(400))
        for into in got:
            for n in range(3):
                for level in range(4):
                    mine = [int(r[2:]) for p, r in into if p == level and r.startswith(f"{n}.".encode())]
                    assert mine == sorted(mine)


def _worker(q, answers):
    while True:
        priority, record = q.get()
        if record == b"stop":
            return
        answers.put(record.upper(), priority)


def test_processes_however_they_start(context):
    with PriorityQueue(4, 8, 3) as q, PriorityQueue(64, 8, 3) as answers:
        children = [context.Process(target=_worker, args=(q, answers)) for _ in range(2)]
        for child in children:
            child.start()
        for i in range(60):
            q.put(f"r{i}".encode(), i % 3)
        found = [answers.get(timeout=30) for _ in range(60)]
        for _ in children:
            q.put(b"stop", 2)
        for child in children:
            child.join(30)
            assert child.exitcode == 0
        assert sorted(found) == sorted((i % 3, f"R{i}".encode()) for i in range(60))


def test_attach_by_name(shm_name):
    with PriorityQueue(2, dtype="(2,)i2", levels=7, name=shm_name) as q:
        q.put([1, 2], 6)
        with PriorityQueue.attach(shm_name) as other:
            assert (other.capacity, other.levels, other.dtype) == (2, 7, np.dtype("(2,)i2"))
            assert other.get()[1].tolist() == [1, 2]
        with pytest.raises(lockfree.SegmentError, match="kind: found PriorityQueue, expected MPMCRing"):
            lockfree.MPMCRing.attach(shm_name)
        q.unlink()
        with pytest.raises(FileNotFoundError):
            PriorityQueue.attach(shm_name)


def test_a_pickled_queue_is_the_same_queue(q):
    with pickle.loads(ForkingPickler.dumps(q)) as again:
        again.put(b"x", 1)
        assert q.get() == (1, b"x")


# ---- death ----


def _hammer(q, ready):
    ready.set()
    while True:
        q.put_many([b"x", b"y", b"z"], [2, 0, 1])
        q.get_many(2)
        q.try_put(b"w", 1)
        with q.lease():
            pass


def test_killed_processes_block_nobody_and_leak_nothing(context):
    with PriorityQueue(5, 8, 3) as q:
        for round_ in range(3):
            ready = context.Event()
            children = [context.Process(target=_hammer, args=(q, ready)) for _ in range(2)]
            for child in children:
                child.start()
            try:
                assert ready.wait(STUCK)
                time.sleep(0.02 + 0.01 * round_)
            finally:
                for child in children:
                    os.kill(child.pid, signal.SIGKILL)
                    child.join()
            q.recover_dead()
            while q.try_get() is not None:
                pass
            for i in range(5):
                q.put(bytes([i]), 2 - i % 3, timeout=5)
            assert q.full()
            assert q.get_many(9) == [(0, b"\2"), (1, b"\1"), (1, b"\4"), (2, b"\0"), (2, b"\3")]


def _die_with_a_lease(q):
    with q.lease():
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_lease_of_the_dead_is_delivered_again(context):
    with PriorityQueue(1, 8, 2) as q:
        q.put(b"kept", 1)
        child = context.Process(target=_die_with_a_lease, args=(q,))
        child.start()
        child.join()
        assert q.get(timeout=5) == (1, b"kept")
        assert q.try_get() is None
        assert q.try_put(b"x", 0)


# ---- closing, interrupting ----


def test_close_wakes_sleepers_and_is_idempotent(q):
    caught = []

    def sleep():
        try:
            q.get()
        except lockfree.Closed as error:
            caught.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    time.sleep(0.05)
    q.close()
    q.close()
    thread.join(5)
    assert caught
    assert q.closed
    for call in (q.try_get, q.get, q.qsize, q.peek, q.reserve, q.release, lambda: q.try_put(b"x", 0),
                 lambda: q.put_many([b"x"], 0), lambda: q.get_many(1), lambda: q.commit(0), q.shutdown):  # fmt: skip
        with pytest.raises(lockfree.Closed):
            call()


def test_shutdown_ends_it_for_everybody(shm_name):
    with PriorityQueue(1, 8, 2, name=shm_name) as q, PriorityQueue.attach(shm_name) as other:
        other.shutdown()
        with pytest.raises(lockfree.Closed):
            q.put(b"x", 0)
        q.unlink()


def test_ctrl_c_interrupts_a_wait(q, alarm):
    with pytest.raises(KeyboardInterrupt), alarm(0.1):
        q.get()


def test_a_view_outlives_its_queue():
    q = PriorityQueue(1, 4, 1)
    q.put(b"abcd", 0)
    _, view = q.peek()
    array_of_it = np.frombuffer(view, dtype=np.uint8)
    q.close()
    assert bytes(array_of_it) == b"abcd"


# ---- wrong arguments ----


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((0, 8), ValueError, "capacity is 0"),
        ((2**30 + 1, 8), ValueError, "capacity is"),
        ((1, 0), ValueError, "record_size is 0"),
        ((1, 8, 0), ValueError, "levels is 0: it must be between 1 and 128"),
        ((1, 8, 129), ValueError, "levels is 129"),
        ((1, 8, 1.5), TypeError, "levels is 1.5: it must be an integer"),
        ((1,), TypeError, "record_size or dtype"),
        ((2**30, 2**31), (ValueError, OSError), None),
    ],
)
def test_constructor_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        PriorityQueue(*arguments)


@pytest.mark.parametrize("priority", [-1, 3, 2**32, -(2**70), 2**70])
def test_a_priority_that_is_no_level(q, priority):
    for call in (
        lambda: q.try_put(b"x", priority),
        lambda: q.put(b"x", priority),
        lambda: q.put_nowait(b"x", priority),
        lambda: q.put_many([b"x"], priority),
        lambda: q.put_many([b"x", b"x"], [0, priority]),
        lambda: PriorityQueue.try_put(q, b"x", priority),
    ):
        with pytest.raises(ValueError, match=rf"priority is {priority}|priorities\[1\] is {priority}"):
            call()
    assert q.qsize() == 0


@pytest.mark.parametrize("priority", [None, 1.0, "1", b"1"])
def test_a_priority_of_the_wrong_type(q, priority):
    for call in (
        lambda: q.try_put(b"x", priority),
        lambda: q.put(b"x", priority),
        lambda: q.put_many([b"x", b"x"], [0, priority]),
    ):
        with pytest.raises(TypeError):
            call()
    assert q.qsize() == 0


def test_wrong_records(q):
    for call in (lambda r: q.put(r, 0), lambda r: q.try_put(r, 0), lambda r: q.put_many([b"x", r], 0)):
        with pytest.raises(ValueError, match="has 9 bytes: the queue takes at most 8"):
            call(b"123456789")
        with pytest.raises(TypeError):
            call("text")
    with pytest.raises(ValueError, match="rows of 9 bytes: the queue takes at most 8"):
        q.put_many(np.zeros((2, 9), np.uint8), 0)
    assert q.qsize() == 0


def test_wrong_batches(q):
    with pytest.raises(ValueError, match="priorities has 1 entries for 2 records"):
        q.put_many([b"x", b"y"], [0])
    with pytest.raises(TypeError):
        q.put_many(b"xy", 0)
    with pytest.raises(ValueError, match="max is -1"):
        q.get_many(-1)
    with pytest.raises(ValueError, match="read-only"):
        q.get_into(bytes(8))
    with pytest.raises(ValueError, match="rows of 7 bytes"):
        q.get_into(np.zeros((2, 7), np.uint8))
    with pytest.raises(ValueError, match="unsigned 32-bit"):
        q.get_into(np.zeros((2, 8), np.uint8), np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="priorities has 1 entries: the buffer has 2 rows"):
        q.get_into(np.zeros((2, 8), np.uint8), np.zeros(1, np.uint32))


@pytest.mark.parametrize("timeout", [-1, math.nan, "soon", []])
def test_wrong_timeouts(q, timeout):
    with pytest.raises((ValueError, TypeError), match="timeout is"):
        q.get(timeout=timeout)
    with pytest.raises((ValueError, TypeError), match="timeout is"):
        q.put(b"x", 0, timeout=timeout)
    assert q.qsize() == 0


def test_nothing_in_hand(q):
    with pytest.raises(RuntimeError):
        q.release()
    with pytest.raises(RuntimeError):
        q.commit(0)
