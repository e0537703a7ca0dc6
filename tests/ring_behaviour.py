"""What SPSCRing and MPMCRing promise alike; test_spsc_ring.py and test_mpmc_ring.py run it, each for its own class."""

import array
import contextlib
import gc
import math
import multiprocessing
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from patience import STUCK
from threads import in_thread

import lockfree
from lockfree._segment import starting_at

STARTS = [0, 2**32 - 3, 2**46 - 3, 2**52 - 3, 2**64 - 3]
POINT = np.dtype([("x", "f4"), ("y", "i4", (2,))])


def echo(requests, answers):
    while (record := requests.get()) != b"stop":
        answers.put(record.upper())


def sit_in(ring, call, ready):
    if call == "put":
        while ring.try_put(b"filled"):
            pass
    elif call == "get":
        while ring.try_get() is not None:
            pass
    elif call == "reserve":
        ring.reserve()[:4] = b"half"
    elif call == "between":
        ring.put(b"done")
    ready.set()
    if call == "put":
        ring.put(b"never")
    elif call == "get":
        ring.get()
    time.sleep(600)


@contextlib.contextmanager
def killed_child(ring, call):
    """The ring after a child was killed that sat in `call`."""
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=sit_in, args=(ring, call, ready))
    child.start()
    assert ready.wait(STUCK)
    time.sleep(0.03)
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)
    yield ring


class Behaviour:
    Ring: type
    in_place: bool  # reserve takes no slot and a peeked record stays inside

    @pytest.fixture
    def ring(self):
        with self.Ring(4, 8) as made:
            yield made

    # ---- one record after the other ----

    def test_first_in_first_out(self, ring):
        for record in (b"a", b"b", b"c"):
            ring.put(record)
        assert [ring.get() for _ in range(3)] == [b"a", b"b", b"c"]

    def test_get_on_empty_returns_none(self, ring):
        assert ring.try_get() is None

    def test_put_on_full_returns_false(self, ring):
        assert [ring.try_put(b"x") for _ in range(5)] == [True] * 4 + [False]
        assert ring.qsize() == 4

    def test_nowait_calls_raise_like_the_standard_library(self, ring):
        with pytest.raises(queue.Empty):
            ring.get_nowait()
        with pytest.raises(queue.Empty):
            ring.get(block=False)
        for _ in range(4):
            ring.put_nowait(b"x")
        with pytest.raises(queue.Full):
            ring.put_nowait(b"x")
        with pytest.raises(queue.Full):
            ring.put(b"x", block=False)
        assert ring.get_nowait() == b"x"

    def test_timeouts_raise_after_their_time(self, ring):
        before = time.monotonic()
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.02)
        for _ in range(4):
            ring.put(b"x", timeout=0.02)
        with pytest.raises(queue.Full):
            ring.put(b"x", timeout=0.02)
        assert time.monotonic() - before >= 0.04

    @pytest.mark.parametrize("timeout", [-1, -0.001, math.nan])
    def test_a_wrong_timeout_changes_nothing(self, ring, timeout):
        for call in (
            lambda: ring.put(b"x", timeout=timeout),
            lambda: ring.get(timeout=timeout),
            lambda: ring.reserve(True, timeout),
            lambda: ring.peek(True, timeout),
            lambda: ring.get_many(2, True, timeout),
        ):
            with pytest.raises(ValueError, match="timeout is .*: it must be None or a number of seconds >= 0"):
                call()
        with pytest.raises(TypeError, match="timeout is 'soon'"):
            ring.get(timeout="soon")
        assert ring.qsize() == 0
        assert ring.reserve() is not None

    @pytest.mark.parametrize("timeout", [math.inf, 1e300, 9223372037, 10**400])
    def test_a_timeout_of_more_than_292_years_is_an_error_as_in_threading(self, ring, timeout):
        ring.put(b"x", timeout=9223372036)
        for call in (lambda: ring.get(timeout=timeout), lambda: ring.get(False, timeout)):
            with pytest.raises(OverflowError, match="timeout is .*292 years"):
                call()
        assert ring.get(timeout=9223372036) == b"x"

    def test_records_keep_their_exact_length(self, ring):
        for record in (b"", b"1", b"12345678", b"\0\0\0"):
            ring.put(record)
            assert ring.get() == record

    def test_anything_with_bytes_is_a_record(self, ring):
        for record in (bytearray(b"abc"), memoryview(b"xabcx")[1:4], np.frombuffer(b"abc", "u1")):
            ring.put(record)
            assert ring.try_put(record)
            assert ring.get_many(2) == [b"abc"] * 2

    @pytest.mark.parametrize("record", ["text", 7, None, [1, 2]])
    def test_what_is_not_bytes_is_refused(self, ring, record):
        for call in (ring.put, ring.try_put, ring.put_nowait, lambda r: ring.put_many([b"a", r])):
            with pytest.raises(TypeError, match="must be bytes-like"):
                call(record)
        assert ring.qsize() == 0

    def test_a_record_that_is_too_long_leaves_the_ring_unchanged(self, ring):
        ring.put(b"first")
        for call in (ring.put, ring.try_put, ring.put_nowait):
            with pytest.raises(ValueError, match="record has 9 bytes: the ring takes at most 8"):
                call(b"123456789")
        with pytest.raises(ValueError, match=r"records\[1\] has 9 bytes"):
            ring.put_many([b"a", b"123456789"])
        with pytest.raises(ValueError, match="rows of 9 bytes"):
            ring.put_many(np.zeros((2, 9), "u1"))
        ring.reserve()
        with pytest.raises(ValueError, match="length is 9: it must be between 0 and 8"):
            ring.commit(9)
        ring.cancel()
        assert ring.get_many(9) == [b"first"]

    def test_keyword_arguments_work_everywhere(self, ring):
        ring.put(record=b"a", block=True, timeout=1)
        assert ring.get(block=True, timeout=1) == b"a"
        assert ring.put_many(records=[b"a"]) == 1
        assert ring.get_many(max=5, block=True, timeout=1) == [b"a"]

    def test_sizes(self, ring):
        assert (ring.capacity, ring.record_size, ring.dtype, len(ring)) == (4, 8, None, 0)
        assert ring.empty()
        assert not ring.full()
        assert bool(ring)
        ring.put_many([b"x"] * 4)
        assert ring.full()
        assert not ring.empty()
        assert ring.qsize() == len(ring) == 4
        name = self.Ring.__name__
        assert repr(ring) == f"<lockfree.{name} capacity=4 record_size=8 qsize=4>"

    @pytest.mark.parametrize("capacity", [1, 2, 3, 16, 100])
    @pytest.mark.parametrize("start", STARTS)
    def test_counters_wrap(self, capacity, start):
        with starting_at(start, self.Ring, capacity, 8) as ring:
            for i in range(3 * capacity + 20):
                assert ring.try_put(str(i).encode())
                assert ring.get() == str(i).encode()
                assert ring.try_get() is None
            assert ring.put_many([b"x"] * (capacity + 1)) == capacity
            assert not ring.try_put(b"x")

    # ---- batches ----

    def test_put_many_stops_at_full(self, ring):
        assert ring.put_many([b"a", b"", b"ccc", b"d", b"e"]) == 4
        assert ring.put_many([b"f"]) == 0
        assert ring.get_many(10) == [b"a", b"", b"ccc", b"d"]
        assert ring.get_many(10) == []
        assert ring.put_many([]) == 0

    def test_put_many_of_other_sequences(self, ring):
        assert ring.put_many((b"a", b"b")) == 2
        assert ring.put_many(bytes([c]) for c in b"cd") == 2
        assert ring.get_many(2) == [b"a", b"b"]
        assert ring.put_many([bytearray(b"e")]) == 1
        assert ring.get_many(9) == [b"c", b"d", b"e"]

    def test_put_many_of_rows(self, ring):
        assert ring.put_many(np.arange(3, dtype="u8")) == 3
        assert [int.from_bytes(record, "little") for record in ring.get_many(3)] == [0, 1, 2]
        assert ring.put_many(memoryview(bytes(range(12))).cast("B", (3, 4))) == 3
        assert ring.get_many(3) == [bytes(range(i, i + 4)) for i in (0, 4, 8)]
        assert ring.put_many(array.array("i", [1, 2])) == 2
        assert ring.put_many(np.zeros((0, 8), "u1")) == 0

    @pytest.mark.parametrize("records", [b"one record", bytearray(b"x"), "text"])
    def test_put_many_of_one_record_is_refused(self, ring, records):
        with pytest.raises(TypeError, match="it must be a sequence of records"):
            ring.put_many(records)

    def test_get_many_takes_any_size(self, ring):
        with pytest.raises(ValueError, match="max is -1"):
            ring.get_many(-1)
        with pytest.raises(TypeError, match="max is 1.5"):
            ring.get_many(1.5)
        ring.put_many([b"a", b"b"])
        assert ring.get_many(0) == []
        assert ring.get_many(2**40) == [b"a", b"b"]

    def test_get_many_waits_for_the_first(self, ring):
        with pytest.raises(queue.Empty):
            ring.get_many(3, block=True, timeout=0.01)
        threading.Timer(0.02, ring.put, (b"x",)).start()
        assert ring.get_many(3, block=True, timeout=5) == [b"x"]

    def test_get_into_fills_rows(self, ring):
        ring.put_many([b"12345678", b"abc", b""])
        rows = np.full((4, 10), 255, dtype=np.uint8)
        assert ring.get_into(rows) == 3
        assert rows[0].tobytes() == b"12345678\0\0"
        assert rows[1].tobytes() == b"abc" + bytes(7)
        assert rows[2].tobytes() == bytes(10)
        assert (rows[3] == 255).all()
        ring.put_many([b"a", b"b"])
        flat = bytearray(16)
        assert ring.get_into(flat) == 2
        assert flat == b"a" + bytes(7) + b"b" + bytes(7)
        assert ring.get_into(bytearray(0)) == 0

    @pytest.mark.parametrize("buffer", [bytes(8), bytearray(7), np.zeros((2, 7), "u1"), np.zeros((4, 8), "u1")[::2]])
    def test_get_into_a_wrong_buffer_changes_nothing(self, ring, buffer):
        ring.put(b"x")
        with pytest.raises(ValueError, match="buffer"):
            ring.get_into(buffer)
        assert ring.get() == b"x"

    # ---- zero copy ----

    def test_a_reservation_is_seen_when_it_is_committed(self, ring):
        view = ring.reserve()
        assert len(view) == 8
        view[:3] = b"abc"
        assert ring.try_get() is None
        ring.commit(3)
        assert ring.get() == b"abc"
        with pytest.raises(ValueError, match="released"):
            view[0]

    def test_a_cancelled_reservation_never_was(self, ring):
        for _ in range(10):
            ring.reserve()[:] = b"whatever"
            ring.cancel()
        assert ring.try_get() is None
        assert ring.put_many([b"x"] * 5) == 4

    def test_nothing_in_hand(self, ring):
        for call in (ring.commit, ring.cancel, ring.release):
            with pytest.raises(RuntimeError, match="this thread has nothing in hand"):
                call()

    def test_reserve_on_full_and_peek_on_empty(self, ring):
        assert ring.peek() is None
        assert ring.peek(True, 0.01) is None
        ring.put_many([b"x"] * 4)
        assert ring.reserve() is None
        assert ring.reserve(True, 0.01) is None

    def test_a_peek_shows_the_record_in_place(self, ring):
        ring.put(b"abc")
        view = ring.peek()
        assert bytes(view) == b"abc"
        assert ring.qsize() == (1 if self.in_place else 0)
        ring.release()
        assert ring.qsize() == 0
        assert ring.put_many([b"x"] * 5) == 4

    def test_views_outlive_the_ring(self):
        ring = self.Ring(2, 8)
        ring.put(b"kept")
        array_ = np.frombuffer(ring.peek(), "u1")
        ring.close()
        del ring
        gc.collect()
        assert array_.tobytes() == b"kept"

    def test_reserve_waits_and_peek_waits(self, ring):
        ring.put_many([b"x"] * 4)
        threading.Timer(0.02, ring.get).start()
        assert ring.reserve(True, 5) is not None
        ring.cancel()

    def test_a_child_has_not_in_hand_what_its_parent_has(self, ring):
        ring.put(b"x")
        views = ring.peek(), ring.reserve()
        child = os.fork()
        if child == 0:
            code = 0
            for call in (ring.commit, ring.release):
                with contextlib.suppress(RuntimeError):
                    call()
                    code = 1
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        ring.commit(2)
        ring.release()
        assert len(ring.get_many(5)) == 1
        del views

    def test_a_lease_is_acknowledged_at_the_end_of_the_block(self, ring):
        ring.put_many([b"a", b"b"])
        with ring.lease() as record:
            assert record == b"a"
        assert ring.get_many(3) == [b"b"]
        with pytest.raises(queue.Empty), ring.lease(block=False):
            pass
        with pytest.raises(queue.Empty), ring.lease(timeout=0.01):
            pass

    def test_a_lease_whose_block_raises_comes_again(self, ring):
        ring.put(b"a")
        with pytest.raises(ZeroDivisionError), ring.lease():
            1 / 0  # noqa: B018
        assert ring.get_many(3) == [b"a"]

    def test_a_child_does_not_end_its_parents_lease(self, ring):
        ring.put(b"a")
        with ring.lease() as record:
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    sys.exit()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert record == b"a"
        assert ring.get_many(9) == []
        assert ring.put_many([b"x"] * 9) == 4

    # ---- dtype ----

    @pytest.mark.parametrize("dtype", ["u1", "<f8", "S5", "(2,3)i2", POINT, np.dtype((POINT, (2,)))], ids=str)
    def test_records_of_a_dtype(self, dtype):
        with self.Ring(3, dtype=dtype) as ring:
            dtype = np.dtype(dtype)
            assert (ring.dtype, ring.record_size) == (dtype, dtype.itemsize)
            values = np.zeros(5, dtype)
            values.view("u1")[...] = np.arange(values.nbytes).reshape(values.view("u1").shape) % 50
            assert ring.put_many(values) == 3
            got = [ring.get(), ring.try_get(), ring.peek()]
            for i, value in enumerate(got):
                assert np.array_equal(value, values[i]), i
            ring.release()
            ring.put(values[4])
            rows = np.zeros(2, dtype)
            assert ring.get_into(rows) == 1
            assert np.array_equal(rows[0], values[4])

    def test_a_reservation_of_a_dtype(self):
        with self.Ring(2, dtype=POINT) as ring:
            view = ring.reserve()
            view["x"], view["y"] = 1.5, (3, 4)
            with pytest.raises(ValueError, match="a record of dtype"):
                ring.commit(4)
            ring.commit()
            record = ring.get()
            assert record["x"] == 1.5
            assert record["y"].tolist() == [3, 4]

    def test_what_is_not_of_the_dtype_is_refused(self):
        with self.Ring(2, dtype="(2,)f8") as ring:
            with pytest.raises(ValueError, match="shape"):
                ring.put([1, 2, 3])
            with pytest.raises((TypeError, ValueError)):
                ring.put(["a", "b"])
            with pytest.raises(ValueError, match="records is int64"):
                ring.put_many(np.zeros((2, 2), "i8"))
            assert ring.put_many([[1, 2], (3, 4)]) == 2
            assert [r.tolist() for r in ring.get_many(5)] == [[1, 2], [3, 4]]

    # ---- against a model ----

    def test_behaves_like_a_deque(self):
        behaviour = self

        class Machine(RuleBasedStateMachine):
            @initialize(capacity=st.sampled_from([1, 2, 3, 5, 16]), start=st.sampled_from(STARTS))
            def create(self, capacity, start):
                self.ring = starting_at(start, behaviour.Ring, capacity, 4)
                self.model, self.reserved, self.peeked = deque(), None, None

            def room(self):
                taken = 0 if behaviour.in_place else (self.reserved is not None) + (self.peeked is not None)
                return self.ring.capacity - len(self.model) - taken

            @precondition(lambda self: not (behaviour.in_place and self.reserved is not None))
            @rule(record=st.binary(max_size=4), how=st.sampled_from(["try", "put", "buffer"]))
            def put(self, record, how):
                room = self.room()
                if how == "put":
                    with pytest.raises(queue.Full) if room == 0 else contextlib.nullcontext():
                        self.ring.put(record, timeout=0)
                else:
                    assert self.ring.try_put(bytearray(record) if how == "buffer" else record) is (room > 0)
                if room:
                    self.model.append(record)

            @precondition(lambda self: not (behaviour.in_place and self.peeked is not None))
            @rule(how=st.sampled_from(["try", "get"]))
            def get(self, how):
                if how == "get" and not self.model:
                    with pytest.raises(queue.Empty):
                        self.ring.get(block=False)
                else:
                    got = self.ring.try_get() if how == "try" else self.ring.get()
                    assert got == (self.model.popleft() if self.model else None)

            @precondition(lambda self: not (behaviour.in_place and self.reserved is not None))
            @rule(records=st.lists(st.binary(max_size=4), max_size=6))
            def put_many(self, records):
                done = min(self.room(), len(records))
                assert self.ring.put_many(records) == done
                self.model.extend(records[:done])

            @precondition(lambda self: not (behaviour.in_place and self.reserved is not None))
            @rule(rows=st.integers(0, 6), width=st.integers(1, 4))
            def put_rows(self, rows, width):
                block = np.arange(rows * width, dtype="u1").reshape(rows, width)
                done = min(self.room(), rows)
                assert self.ring.put_many(block) == done
                self.model.extend(bytes(row) for row in block[:done])

            @precondition(lambda self: not (behaviour.in_place and self.peeked is not None))
            @rule(wanted=st.integers(0, 6))
            def get_many(self, wanted):
                expected = [self.model.popleft() for _ in range(min(wanted, len(self.model)))]
                assert self.ring.get_many(wanted) == expected

            @precondition(lambda self: not (behaviour.in_place and self.peeked is not None))
            @rule(rows=st.integers(0, 6), pitch=st.integers(4, 7))
            def get_into(self, rows, pitch):
                expected = [self.model.popleft() for _ in range(min(rows, len(self.model)))]
                buffer = np.full((rows, pitch), 255, "u1")
                assert self.ring.get_into(buffer) == len(expected)
                assert [bytes(row) for row in buffer[: len(expected)]] == [r.ljust(pitch, b"\0") for r in expected]
                assert (buffer[len(expected) :] == 255).all()

            @precondition(lambda self: self.reserved is None)
            @rule()
            def reserve(self):
                room = self.room()
                self.reserved = self.ring.reserve()
                assert (self.reserved is not None) == (room > 0)

            @precondition(lambda self: self.reserved is not None)
            @rule(record=st.one_of(st.none(), st.binary(max_size=4)))
            def commit_or_cancel(self, record):
                if record is None:
                    self.ring.cancel()
                else:
                    self.reserved[: len(record)] = record
                    self.ring.commit(len(record))
                    self.model.append(record)
                self.reserved = None

            @precondition(lambda self: self.peeked is None)
            @rule()
            def peek(self):
                self.peeked = self.ring.peek()
                assert (self.peeked is None) == (not self.model)
                if self.peeked is not None:
                    assert bytes(self.peeked) == self.model[0]
                    if not behaviour.in_place:
                        self.model.popleft()

            @precondition(lambda self: self.peeked is not None)
            @rule()
            def release(self):
                self.ring.release()
                self.peeked = None
                if behaviour.in_place:
                    self.model.popleft()

            @precondition(lambda self: not (behaviour.in_place and self.peeked is not None))
            @rule(fails=st.booleans())
            def lease(self, fails):
                if not self.model:
                    return
                expected = self.model.popleft()
                with contextlib.suppress(KeyError), self.ring.lease() as record:
                    assert record == expected
                    if fails:
                        raise KeyError
                if fails and behaviour.in_place:
                    self.model.appendleft(expected)
                elif fails:
                    self.model.append(expected)

            @invariant()
            def sizes(self):
                if hasattr(self, "ring"):
                    assert self.ring.qsize() == len(self.model)
                    assert self.ring.empty() == (not self.model)
                    assert self.ring.full() == (len(self.model) == self.ring.capacity)

            def teardown(self):
                if hasattr(self, "ring"):
                    self.ring.close()

        run_state_machine_as_test(
            Machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, database=None)
        )

    # ---- threads, processes, strangers ----

    def test_two_threads_keep_the_order(self, ring):
        def produce():
            for i in range(2000):
                ring.put(str(i).encode())

        producer = threading.Thread(target=produce)
        producer.start()
        got = []
        while len(got) < 2000:
            got += ring.get_many(7, block=True, timeout=30) if len(got) % 3 else [ring.get(timeout=30)]
        producer.join()
        assert got == [str(i).encode() for i in range(2000)]

    def test_processes_however_they_start(self, context):
        with self.Ring(4, 8) as requests, self.Ring(2, 8) as answers:
            child = context.Process(target=echo, args=(requests, answers))
            child.start()
            got = []
            for i in range(50):
                requests.put(f"r{i}".encode())
                if i >= 5:
                    got.append(answers.get(timeout=30))
            got += [answers.get(timeout=30) for _ in range(5)]
            requests.put(b"stop")
            child.join(30)
            assert child.exitcode == 0
            assert got == [f"R{i}".encode() for i in range(50)]

    def test_a_pickled_ring_is_the_same_ring(self, ring):
        with pickle.loads(ForkingPickler.dumps(ring)) as again:
            again.put(b"x")
            assert (again.capacity, again.record_size) == (4, 8)
            assert ring.qsize() == 1
            assert again.get() == b"x"

    def test_through_a_connection(self, ring, context):
        here, there = context.Pipe()
        here.send(ring)
        with there.recv() as again:
            again.put(b"x")
        assert ring.get() == b"x"

    def test_attach_by_name(self, shm_name):
        with self.Ring(3, dtype=POINT, name=shm_name) as ring:
            with self.Ring.attach(shm_name) as other:
                assert (other.capacity, other.dtype, other.name) == (3, POINT, shm_name)
                other.put((1, [2, 3]))
            assert ring.get()["y"].tolist() == [2, 3]
            with pytest.raises(FileExistsError):
                self.Ring(3, 8, name=shm_name)
            with pytest.raises(lockfree.SegmentError, match="kind: found"):
                lockfree.Semaphore.attach(shm_name)
            ring.unlink()
            with pytest.raises(FileNotFoundError):
                self.Ring.attach(shm_name)
            with pytest.raises(FileNotFoundError):
                ring.unlink()

    def test_a_stranger_attaches(self, shm_name):
        code = f"import lockfree; print(lockfree.{self.Ring.__name__}.attach({shm_name!r}).get(timeout=30))"
        with self.Ring(2, 8, name=shm_name) as ring:
            ring.put(b"ab")
            answer = subprocess.run(
                [sys.executable, "-c", code], check=True, timeout=STUCK, capture_output=True, text=True
            )
            assert answer.stdout == "b'ab'\n"
            assert ring.qsize() == 0
            ring.unlink()

    # ---- waiting ----

    @pytest.mark.parametrize("call", ["get", "put", "peek", "reserve", "lease", "get_many"])
    def test_ctrl_c_ends_a_wait(self, ring, alarm, call):
        if call in ("put", "reserve"):
            ring.put_many([b"x"] * 4)
        calls = {
            "get": ring.get,
            "put": lambda: ring.put(b"x"),
            "peek": lambda: ring.peek(True),
            "reserve": lambda: ring.reserve(True),
            "lease": lambda: ring.lease().__enter__(),
            "get_many": lambda: ring.get_many(3, True),
        }
        with pytest.raises(KeyboardInterrupt), alarm(0.05):
            calls[call]()
        assert ring.qsize() == (4 if call in ("put", "reserve") else 0)

    def test_a_waiting_get_uses_hardly_any_cpu(self, ring):
        before = time.process_time()
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.6)
        assert time.process_time() - before < 0.02

    @pytest.mark.parametrize("call", ["get", "put"])
    def test_close_wakes_sleepers(self, call):
        ring = self.Ring(1, 8)
        if call == "put":
            in_thread(lambda: ring.put(b"x"))
        threading.Timer(0.05, ring.close).start()
        error = in_thread(ring.get if call == "get" else lambda: ring.put(b"y"))
        assert isinstance(error, lockfree.Closed)

    def test_shutdown_wakes_sleepers_in_other_processes(self, ring):
        context = multiprocessing.get_context("fork")
        ready = context.Event()

        def wait():
            ready.set()
            try:
                ring.get()
            except lockfree.Closed:
                os._exit(7)
            os._exit(1)

        child = context.Process(target=wait)
        child.start()
        assert ready.wait(STUCK)
        time.sleep(0.02)
        ring.shutdown()
        child.join(30)
        assert child.exitcode == 7
        with pytest.raises(lockfree.Closed):
            ring.put(b"x")

    def test_every_call_on_a_closed_ring_says_so(self, ring):
        ring.close()
        ring.close()
        for call in (
            lambda: ring.put(b"x"),
            lambda: ring.try_put(b"x"),
            lambda: ring.put_nowait(b"x"),
            lambda: ring.put_many([b"x"]),
            lambda: ring.put_many(np.zeros((1, 8), "u1")),
            lambda: ring.get(timeout=1),
            ring.try_get,
            ring.get_nowait,
            lambda: ring.get_many(1),
            lambda: ring.get_into(bytearray(8)),
            ring.reserve,
            ring.commit,
            ring.cancel,
            ring.peek,
            ring.release,
            ring.qsize,
            ring.empty,
            ring.full,
            ring.shutdown,
            lambda: pickle.dumps(ring),
        ):
            with pytest.raises(lockfree.Closed):
                call()
        assert ring.closed
        assert repr(ring) == f"<lockfree.{self.Ring.__name__} closed>"

    # ---- death ----

    @pytest.mark.parametrize("call", ["put", "get", "reserve", "between"])
    def test_killed_in_a_call_the_others_go_on(self, ring, call):
        with killed_child(ring, call):
            expected = {"put": [b"filled"] * 4, "get": [], "reserve": [], "between": [b"done"]}[call]
            assert ring.get_many(9) == expected
            for i in range(20):
                ring.put(str(i).encode(), timeout=5)
                assert ring.get(timeout=5) == str(i).encode()
            assert ring.put_many([b"x"] * 9) + sum(ring.try_put(b"x") for _ in range(4)) == 4

    def test_killed_producers_leave_whole_records(self):
        context = multiprocessing.get_context("fork")
        with self.Ring(8, 64) as ring:

            def produce():
                i = 0
                while True:
                    i += 1
                    ring.put(str(i).encode() * 7)

            for _ in range(15):
                child = context.Process(target=produce)
                child.start()
                last = 0
                for _ in range(20):
                    record = ring.get(timeout=30)
                    last += 1
                    assert record == str(last).encode() * 7
                os.kill(child.pid, signal.SIGKILL)
                child.join(30)
                for record in ring.get_many(99):
                    last += 1
                    assert record == str(last).encode() * 7
                while (record := ring.try_get()) is not None:  # a put that was under way may still have arrived
                    last += 1
                    assert record == str(last).encode() * 7
