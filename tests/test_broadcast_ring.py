import contextlib
import gc
import multiprocessing
import os
import queue
import signal
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from patience import STUCK
from threads import started

import lockfree
from lockfree import BroadcastRing
from lockfree._native import PURE
from lockfree._segment import starting_at

SLOW = ["wait", "raise", "drop", "overwrite"]


@pytest.fixture
def ring():
    with BroadcastRing(4096, 3) as ring:
        yield ring


def second(ring):
    """Another participant in this process."""
    ours, theirs = multiprocessing.Pipe()
    ours.send(ring)
    return theirs.recv()


def read_to_the_end(ring, number, ready, said):
    ring.join(number)
    ready.set()
    messages = []
    with contextlib.suppress(lockfree.Closed):
        while True:
            messages.append(ring.get(timeout=60))
    said.put((number, messages))


def stand_still(ring, ready):
    ring.join()
    ready.set()
    time.sleep(600)


def write_and_stand_still(ring, ready):
    ring.put(b"first")
    ready.set()
    time.sleep(600)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_each_reader_process_gets_every_message_in_order(method):
    context = multiprocessing.get_context(method)
    ring, said = BroadcastRing(2048, 2), context.Queue()
    ready = [context.Event() for _ in range(2)]
    children = [context.Process(target=read_to_the_end, args=(ring, k, ready[k], said)) for k in range(2)]
    for child in children:
        child.start()
    assert ring.wait_for_readers(timeout=60)
    sent = [b"%d" % i * (i % 50) for i in range(500)]
    for message in sent:
        ring.put(message, timeout=60)
    ring.shutdown()
    assert dict(said.get(timeout=60) for _ in children) == {0: sent, 1: sent}
    for child in children:
        child.join(60)
        assert child.exitcode == 0


def test_any_bytes_like_object_is_a_message(ring):
    ring.join()
    for message in (b"", b"x", bytearray(b"yy"), memoryview(b"zzz"), memoryview(b"abcdef")[::2]):
        ring.put(message)
        assert ring.get() == bytes(message)
    for wrong in ("text", None, 3, [b"x"]):
        with pytest.raises(TypeError, match="bytes-like"):
            ring.put(wrong)
    assert ring.try_get() is None


def test_too_long_a_message_is_refused_with_the_bound(ring):
    ring.join()
    ring.put(b"x" * ring.max_message)
    assert len(ring.get()) == ring.max_message == 4096 // 2 - 16
    for call in (ring.put, ring.try_put, lambda m: ring.put_many([b"short", m])):
        with pytest.raises(ValueError, match=r"2033 bytes: the ring takes at most 2032"):
            call(b"x" * 2033)
    with pytest.raises(ValueError, match=r"length is 2033: it must be between 0 and 2032"):
        ring.reserve(2033)
    assert ring.try_get() is None


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((63, 1), ValueError, "size_bytes is 63: it must be between 64"),
        ((64, 0), ValueError, "readers is 0: it must be between 1 and 64"),
        ((64, 65), ValueError, "readers is 65"),
        ((64.0, 1), TypeError, "size_bytes is 64.0: it must be an integer"),
        ((64, 1, "fast"), ValueError, "slow is 'fast': it must be one of 'wait', 'raise', 'drop', 'overwrite'"),
    ],
)
def test_bad_geometry_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        BroadcastRing(*arguments[:2], **({"slow": arguments[2]} if arguments[2:] else {}))


def test_messages_for_some(ring):
    other = second(ring)
    assert [ring.join(0), other.join(2)] == [0, 2]
    ring.put(b"all")
    ring.put(b"first", to=0)
    ring.put(b"third", to=[2])
    ring.put(b"none", to=[])
    ring.put(b"both", to={0, 2})
    assert ring.get_many() == [b"all", b"first", b"both"]
    assert other.get_many() == [b"all", b"third", b"both"]
    for wrong in (3, -1, [0, 3]):
        with pytest.raises(ValueError, match="to is .* it must be between 0 and 2"):
            ring.put(b"x", to=wrong)
    with pytest.raises(TypeError):
        ring.put(b"x", to=1.5)
    other.close()


def test_who_joins_gets_what_comes_from_then_on(ring):
    ring.put(b"before")
    ring.join()
    ring.put(b"after")
    assert ring.get_many() == [b"after"]
    ring.put(b"skipped")
    ring.join()
    assert ring.try_get() is None


def test_a_number_has_one_holder(ring):
    other, third = second(ring), second(ring)
    assert ring.reader is None
    assert [ring.join(1), other.join(), third.join()] == [1, 0, 2]
    assert ring.joined == (0, 1, 2)
    fourth = second(ring)
    with pytest.raises(lockfree.RoleTaken, match="all 3 readers' numbers are taken"):
        fourth.join()
    with pytest.raises(lockfree.RoleTaken, match=f"reader 1 is a thread of process {os.getpid()}"):
        fourth.join(1)
    with pytest.raises(RuntimeError, match=r"this thread is reader 1 already: leave\(\) first"):
        ring.join(2)
    third.leave()
    assert fourth.join(2) == 2
    with pytest.raises(RuntimeError, match=r"this thread is not a reader: call join\(\) first"):
        third.get()
    for call in (third.try_get, third.leave, lambda: third.missed, third.peek, third.get_many):
        with pytest.raises(RuntimeError, match="not a reader"):
            call()
    other.close()  # which gives its number back
    assert third.join() == 0


def test_there_is_one_writer_at_a_time(ring):
    other = second(ring)
    ring.put(b"x")
    assert ring.writer == os.getpid()
    with pytest.raises(lockfree.RoleTaken, match=f"the writer is thread {threading.get_native_id()} of process"):
        other.put(b"y")
    with pytest.raises(RuntimeError, match="not the writer"):
        other.release_role()
    ring.release_role()
    assert ring.writer is None
    other.put(b"y")
    other.close()
    ring.put(b"z")


def test_shared_roles_are_the_object_s(ring):
    other = second(ring)
    ring.share_roles()
    ring.join(1)
    for number in range(3):
        assert started(lambda: ring.put(b"%d" % number))() is None  # noqa: B023
        assert started(ring.get)() == b"%d" % number
    with pytest.raises(lockfree.RoleTaken):
        other.put(b"x")
    with pytest.raises(lockfree.RoleTaken):
        other.join(1)
    ring.close()
    other.put(b"x")
    assert other.join(1) == 1


class TestSlowReaders:
    def test_wait_says_who_is_late(self, ring):
        other = second(ring)
        ring.join(0)
        other.join(2)
        while ring.try_put(b"x" * 1000):
            pass
        ring.get_many()
        with pytest.raises(queue.Full, match=rf"reader 2 \(process {os.getpid()}\) has not read 3072 of 4096 bytes"):
            ring.put(b"x" * 1000, timeout=0.02)
        assert ring.late() == [(2, os.getpid(), 3072), (0, os.getpid(), 0)]
        reading = started(lambda: (time.sleep(0.05), other.leave)[0])
        reading()
        other.leave()
        ring.put(b"x" * 1000, timeout=10)

    def test_put_waits_until_the_last_reader_has_read(self, ring):
        ring.join()
        while ring.try_put(b"x" * 1000):
            pass
        other = second(ring)
        ring.release_role()
        putting = started(lambda: other.put(b"last", timeout=60))
        time.sleep(0.02)
        assert [len(m) for m in ring.get_many(3)] == [1000] * 3
        putting()
        assert ring.get(timeout=10) == b"last"

    def test_raise_does_not_wait(self):
        with BroadcastRing(4096, 1, slow="raise") as ring:
            ring.join()
            while ring.try_put(b"x" * 1000):
                pass
            with pytest.raises(queue.Full, match="reader 0"):
                ring.put(b"x" * 1000)

    def test_overwrite_counts_what_was_missed(self):
        with BroadcastRing(1024, 2, slow="overwrite") as ring:
            ring.join()
            assert ring.missed == 0
            for i in range(1000):
                ring.put(b"%d" % i)
            got = ring.get_many()
            assert got == [b"%d" % i for i in range(1000 - len(got), 1000)]
            assert ring.missed == 1000 - len(got) > 900

    def test_drop_tells_the_reader(self):
        with BroadcastRing(1024, 2, slow="drop") as ring:
            ring.join()
            for i in range(1000):
                ring.put(b"%d" % i)
            for call in (ring.get, ring.try_get, ring.peek):
                with pytest.raises(lockfree.Dropped, match="fell too far behind"):
                    call()
            ring.join()
            ring.put(b"new")
            assert ring.get() == b"new"


class TestInPlace:
    @pytest.mark.parametrize("slow", SLOW)
    @pytest.mark.parametrize("length", [0, 5, 100_000])
    def test_read_and_write(self, slow, length):
        with BroadcastRing(1 << 18, 1, slow=slow) as ring:
            ring.join()
            with ring.write(length) as view:
                view[:] = b"a" * length
            assert ring.late() == [(0, os.getpid(), -(-(length + 16) // 16) * 16)]
            with ring.read() as view:
                assert bytes(view) == b"a" * length
            with pytest.raises(ValueError, match="released"):
                bytes(view)
            assert ring.try_get() is None

    def test_a_message_is_passed_even_if_the_reader_raises(self, ring):
        ring.join()
        ring.put_many([b"one", b"two"])
        with pytest.raises(ZeroDivisionError), ring.read() as view:
            1 / len(view[:0])
        assert ring.get() == b"two"

    def test_nothing_is_put_if_the_writer_raises(self, ring):
        ring.join()
        with pytest.raises(ValueError, match="different structures"), ring.write(100) as view:
            view[:] = b"x" * 99
        assert ring.try_get() is None
        ring.put(b"next")
        assert ring.get() == b"next"

    def test_what_is_kept_of_a_view_is_memory_of_its_own(self):
        numpy = pytest.importorskip("numpy")
        with BroadcastRing(1 << 18, 1) as ring:
            ring.join()
            kept = []
            for round_ in range(20):
                ring.put(bytes([round_]) * 50_000)
                with ring.read() as view:
                    kept.append(numpy.frombuffer(view, numpy.uint8))
            assert [(int(a.min()), int(a.max()), len(a)) for a in kept] == [(i, i, 50_000) for i in range(20)]
        assert int(kept[3].max()) == 3

    @pytest.mark.skipif(PURE, reason="copies the message")
    def test_a_reader_that_looks_holds_the_writer_back(self, ring):
        ring.join()
        ring.put(b"x" * 1000)
        view = ring.peek()
        while ring.try_put(b"y" * 1000):
            pass
        assert bytes(view) == b"x" * 1000
        ring.release()
        ring.put(b"y" * 1000, block=False)

    def test_hands(self, ring):
        ring.join()
        for call, text in ((ring.release, "peek"), (ring.commit, "reserve"), (ring.cancel, "reserve")):
            with pytest.raises(RuntimeError, match=rf"nothing in hand: call {text}\(\) first"):
                call()
        assert ring.peek() is None
        view = ring.reserve(10)
        with pytest.raises(RuntimeError, match="a reservation already"):
            ring.reserve(10)
        view[:3] = b"abc"
        ring.commit(3)
        assert bytes(ring.peek()) == b"abc"
        with pytest.raises(RuntimeError, match="a message in hand already"):
            ring.peek()
        ring.release()
        view = ring.reserve(10)
        ring.cancel()
        with pytest.raises(ValueError, match="released"):
            view[0] = 1

    def test_views_end_with_close(self, ring):
        ring.join()
        ring.put(b"x")
        peeked, reserved = ring.peek(), ring.reserve(5)
        ring.close()
        for view in (peeked, reserved):
            with pytest.raises(ValueError, match="released"):
                bytes(view)
        del ring
        gc.collect()

    def test_no_put_beside_a_reservation(self, ring):
        ring.join()
        view = ring.reserve(8)
        for put in (ring.put, ring.try_put, lambda m: ring.put_many([m])):
            with pytest.raises(RuntimeError, match=r"a reservation: commit\(\) or cancel\(\) it first"):
                put(b"direct")
        view[:] = b"reserved"
        ring.commit()
        ring.put(b"direct")
        assert ring.get_many() == [b"reserved", b"direct"]


class TestDeath:
    def start(self, target, *args):
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        child = context.Process(target=target, args=(*args, ready))
        child.start()
        assert ready.wait(STUCK)
        return child

    def kill(self, child):
        os.kill(child.pid, signal.SIGKILL)
        child.join(60)

    def test_a_dead_reader_holds_the_writer_back_no_longer(self, ring):
        child = self.start(stand_still, ring)
        while ring.try_put(b"x" * 1000):
            pass
        with pytest.raises(queue.Full, match=rf"process {child.pid}"):
            ring.put(b"x" * 1000, timeout=0.02)
        threading.Timer(0.05, self.kill, [child]).start()
        ring.put(b"x" * 1000, timeout=60)
        assert ring.joined == ()
        assert ring.join() == 0

    def test_the_role_of_a_dead_writer_is_taken_over(self, ring):
        ring.join()
        child = self.start(write_and_stand_still, ring)
        with pytest.raises(lockfree.RoleTaken, match=f"of process {child.pid}"):
            ring.put(b"second")
        self.kill(child)
        ring.put(b"second")
        assert ring.get_many() == [b"first", b"second"]

    def test_a_forked_child_is_no_reader(self, ring):
        ring.join()
        ring.put(b"x")
        view = ring.peek()
        pid = os.fork()
        if pid == 0:
            try:
                ok = ring.reader is None and bytes(view) == b"x" and ring.join() == 1 and ring.try_get() is None
                os._exit(0 if ok else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        ring.release()
        assert ring.try_get() is None


class TestEnd:
    def test_readers_get_what_is_inside_and_then_the_end(self, ring):
        other = second(ring)
        ring.join()
        other.join()
        ring.put_many([b"a", b"b"])
        ring.shutdown()
        with pytest.raises(lockfree.Closed, match="shut down"):
            ring.put(b"c")
        for reader in (ring, other):
            assert [reader.get(), reader.get()] == [b"a", b"b"]
            with pytest.raises(lockfree.Closed):
                reader.get()

    def test_close_wakes_sleepers(self, ring):
        def sleeps():
            ring.join()
            with pytest.raises(lockfree.Closed):
                ring.get(timeout=60)

        sleeping = started(sleeps)
        assert ring.wait_for_readers(0, timeout=60)
        time.sleep(0.02)
        ring.close()
        sleeping()
        calls = (ring.join, ring.leave, ring.try_get, ring.peek, ring.late, ring.shutdown, lambda: ring.put(b"x"),
                 lambda: ring.reserve(3), lambda: ring.joined, lambda: ring.writer, lambda: ring.wait_for_readers(timeout=0))  # fmt: skip
        for call in calls:
            with pytest.raises(lockfree.Closed):
                call()

    @pytest.mark.parametrize("immediate", [False, True])
    def test_shutdown_ends_a_wait_for_readers(self, ring, immediate):
        def waits():
            with pytest.raises(lockfree.Closed, match="shut down"):
                ring.wait_for_readers(timeout=STUCK)

        waiting = started(waits)
        time.sleep(0.02)
        second(ring).shutdown(immediate)
        waiting()

    def test_timeouts(self, ring):
        ring.join()
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.01)
        with pytest.raises(queue.Empty):
            ring.get(block=False)
        with pytest.raises(queue.Empty), ring.read(timeout=0.01):
            pass
        assert ring.get_many() == []
        with pytest.raises(queue.Empty):
            ring.get_many(block=True, timeout=0.01)
        assert ring.wait_for_readers([1, 2], timeout=0.01) is False
        with pytest.raises(ValueError, match="timeout is -1"):
            ring.get(timeout=-1)

    def test_a_waiting_get_is_interrupted(self, ring):
        ring.join()

        def handler(*_):
            raise InterruptedError

        previous = signal.signal(signal.SIGUSR1, handler)
        try:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(InterruptedError):
                ring.get(timeout=60)
        finally:
            signal.signal(signal.SIGUSR1, previous)
        ring.put(b"still works")
        assert ring.get() == b"still works"


def test_by_name():
    name = f"test-broadcast-{os.getpid()}"
    with BroadcastRing(1000, 5, slow="overwrite", name=name) as ring:
        with BroadcastRing.attach(name) as other:
            assert (other.size_bytes, other.readers, other.slow) == (1024, 5, "overwrite")
            assert "readers=0/5 slow='overwrite'" in repr(other)
            other.join()
            ring.put(b"hello")
            assert other.get() == b"hello"
        with pytest.raises(lockfree.SegmentError):
            lockfree.MPMCRing.attach(name)
        ring.unlink()


def test_state_machine():
    class Machine(RuleBasedStateMachine):
        """A writer and three readers, operated by one thread, against lists."""

        @initialize(slow=st.sampled_from(SLOW), start=st.sampled_from([0, 2**32 - 32, 2**64 - 64]))
        def create(self, slow, start):
            self.slow = slow
            self.ring = starting_at(start, BroadcastRing, 256, 3, slow=slow)
            self.handles = [second(self.ring) for _ in range(3)]
            self.left = [None] * 3  # of the messages put since it joined, those that it has not read
            self.put = 0

        @rule(length=st.integers(0, 112), to=st.sampled_from([None, 0, [1, 2], []]))
        def put_one(self, length, to):
            message = b"%d:" % self.put
            message = message.ljust(length, b"x")[: max(length, len(message))][:112]
            numbers = range(3) if to is None else [to] if isinstance(to, int) else to
            done = self.ring.try_put(message, to)
            if self.slow in {"drop", "overwrite"}:
                assert done
            if not done:
                assert any(left for left in self.left if left), "FULL although everybody has read"
                return
            self.put += 1
            for number, left in enumerate(self.left):
                if left is not None:
                    left.append(message if number in numbers else None)

        @rule(number=st.integers(0, 2))
        def join(self, number):
            assert self.handles[number].join(number) == number
            self.left[number] = []

        @precondition(lambda self: any(left is not None for left in self.left))
        @rule(number=st.integers(0, 2), in_place=st.booleans())
        def get(self, number, in_place):
            if self.left[number] is None:
                return
            handle, left = self.handles[number], self.left[number]
            before = handle.missed
            try:
                if in_place:
                    view = handle.peek()
                    message = None if view is None else bytes(view)
                    if view is not None:
                        handle.release()
                else:
                    message = handle.try_get()
            except lockfree.Dropped:
                assert self.slow == "drop"
                self.left[number] = None
                handle.leave()
                return
            missed = handle.missed - before
            assert missed == 0 or self.slow == "overwrite"
            del left[:missed]
            while left and left[0] is None:
                del left[0]
            assert message == (left.pop(0) if left else None)

        @rule(number=st.integers(0, 2))
        def leave(self, number):
            if self.left[number] is not None:
                self.handles[number].leave()
                self.left[number] = None

        def teardown(self):
            for handle in [*getattr(self, "handles", ()), getattr(self, "ring", None)]:
                if handle is not None:
                    handle.close()

    run_state_machine_as_test(Machine, settings=settings(max_examples=30, stateful_step_count=40, deadline=None))
