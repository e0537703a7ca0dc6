import asyncio
import multiprocessing
import os
import queue
import signal
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import STUCK
from threads import started

import lockfree
from lockfree import MessageRing
from lockfree._segment import starting_at


@pytest.fixture
def ring():
    with MessageRing(4096) as ring:
        yield ring


def second(ring):
    """Another participant in this process."""
    ours, theirs = multiprocessing.Pipe()
    ours.send(ring)
    return theirs.recv()


def produce(ring, number, count):
    for i in range(count):
        ring.put(b"%d:%d:" % (number, i) + b"x" * (i % 700), timeout=60)


def hold_and_stand_still(ring, ready):
    ring.peek()
    ready.set()
    time.sleep(600)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_put_and_get(method):
    context = multiprocessing.get_context(method)
    with MessageRing(4096) as ring:
        children = [context.Process(target=produce, args=(ring, k, 200)) for k in range(2)]
        for child in children:
            child.start()
        got = [ring.get(timeout=60).split(b":") for _ in range(400)]
        for number in (b"0", b"1"):
            assert [int(i) for n, i, _ in got if n == number] == list(range(200))
        assert all(len(rest) == int(i) % 700 for _, i, rest in got)
        for child in children:
            child.join(60)
            assert child.exitcode == 0


def test_messages_of_any_length_up_to_all_blocks(ring):
    for length in (0, 1, 239, 240, 241, 1000, ring.max_message):
        ring.put(bytes(range(256)) * 16 if length == 4096 else b"m" * length)
        assert len(ring.get()) == length
    assert ring.max_message == 16 * 240
    assert ring.free() == 4096
    for message in (bytearray(b"yy"), memoryview(b"zzz"), memoryview(b"abcdef")[::2]):
        ring.put(message)
        assert ring.get() == bytes(message)


def test_bad_messages_are_refused(ring):
    for call in (ring.put, ring.try_put, lambda m: ring.put_many([b"short", m])):
        with pytest.raises(ValueError, match=r"3841 bytes: the ring takes at most 3840"):
            call(b"x" * 3841)
    for wrong in ("text", None, 3):
        with pytest.raises(TypeError, match="bytes-like"):
            ring.put(wrong)
    assert ring.qsize() == 0
    assert ring.free() == 4096


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((63,), ValueError, "size_bytes is 63: it must be between 64"),
        ((64, 16), ValueError, "block_bytes is 16: it must be between 32"),
        ((2**40, 32), ValueError, "block_bytes is 32: .* at most"),
        (("big",), TypeError, "size_bytes is 'big': it must be an integer"),
    ],
)
def test_bad_geometry_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        MessageRing(*arguments)


def test_geometry_is_rounded_up_and_found_again():
    name = f"test-message-{os.getpid()}"
    with MessageRing(1000, 100, name=name) as ring:
        assert (ring.block_bytes, ring.size_bytes, ring.max_message) == (112, 1008, 9 * 96)
        with MessageRing.attach(name) as other:
            assert (other.block_bytes, other.size_bytes) == (112, 1008)
            ring.put(b"hello")
            assert other.get() == b"hello"
        with pytest.raises(lockfree.SegmentError):
            lockfree.BroadcastRing.attach(name)
        ring.unlink()
    assert MessageRing(64).block_bytes == 64


def test_blocks_follow_the_budget_if_nobody_chooses_them():
    """About 1,024 of them, each for a power of two bytes: a message of 1 KiB takes one block of a ring of 1 MiB, not five."""
    for size, expected in ((1 << 10, 256), (1 << 18, 256 + 16), (1 << 20, 1040), (1 << 22, 4112), (1 << 30, 4112)):
        with MessageRing(size) as ring:
            assert ring.block_bytes == expected
            ring.put(b"x" * (expected - 16))
            assert ring.free() == ring.size_bytes - expected
            assert size <= ring.size_bytes < size + expected


def test_a_full_ring_takes_what_fits(ring):
    count = 0
    while ring.try_put(b"x" * 700):
        count += 1
    assert (count, ring.free()) == (5, 256)
    with pytest.raises(queue.Full):
        ring.put(b"x" * 700, timeout=0.01)
    assert ring.try_put(b"x" * 240)
    assert not ring.try_put(b"")
    putting = started(lambda: ring.put(b"y" * 700, timeout=60))
    time.sleep(0.02)
    assert len(ring.get()) == 700
    assert putting() is None
    assert [len(m) for m in ring.get_many()] == [700] * 4 + [240, 700]


def test_batches(ring):
    assert ring.put_many([b"a", b"b" * 1000, b"c"]) == 3
    assert len(ring) == 3
    assert ring.get_many(2) == [b"a", b"b" * 1000]
    assert ring.put_many([b"x" * 2000] * 3, block=True, timeout=1) == 1
    assert ring.get_many() == [b"c", b"x" * 2000]
    assert ring.get_many() == []
    with pytest.raises(queue.Empty):
        ring.get_many(block=True, timeout=0.01)


@pytest.mark.parametrize("length", [0, 5, 240, 1000])
def test_read(ring, length):
    ring.put(b"a" * length)
    with ring.read() as view:
        assert bytes(view) == b"a" * length
        assert ring.qsize() == 0
        assert ring.free() < 4096
    with pytest.raises(ValueError, match="released"):
        bytes(view)
    assert ring.free() == 4096
    ring.put(b"b")
    with pytest.raises(ZeroDivisionError), ring.read() as view:
        1 / len(view[:0])
    assert ring.free() == 4096
    with pytest.raises(queue.Empty), ring.read(timeout=0.01):
        pass


def test_what_is_kept_of_a_view_is_memory_of_its_own():
    numpy = pytest.importorskip("numpy")
    with MessageRing(1 << 20, 1 << 17) as ring:
        kept = []
        for round_ in range(20):
            ring.put(bytes([round_]) * 50_000)
            with ring.read() as view:
                kept.append(numpy.frombuffer(view, numpy.uint8))
        assert [(int(a.min()), int(a.max()), len(a)) for a in kept] == [(i, i, 50_000) for i in range(20)]
    assert int(kept[3].max()) == 3


def test_hands(ring):
    assert ring.peek() is None
    with pytest.raises(RuntimeError, match=r"nothing in hand: call peek\(\) first"):
        ring.release()
    ring.put_many([b"one", b"two"])
    view = ring.peek()
    with pytest.raises(RuntimeError, match="a message in hand already"):
        ring.peek()
    assert started(lambda: bytes(ring.peek()))() == b"two"  # a hand for each thread
    ring.close()
    with pytest.raises(ValueError, match="released"):
        bytes(view)
    for call in (ring.try_get, ring.peek, ring.qsize, ring.free, ring.shutdown, ring.release, lambda: ring.put(b"x")):
        with pytest.raises(lockfree.Closed):
            call()


def test_what_a_dead_process_had_in_hand_is_free_again(ring):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    ring.put(b"x" * 3000)
    child = context.Process(target=hold_and_stand_still, args=(ring, ready))
    child.start()
    assert ready.wait(STUCK)
    assert not ring.try_put(b"y" * 3000)
    threading.Timer(0.05, os.kill, (child.pid, signal.SIGKILL)).start()
    ring.put(b"y" * 3000, timeout=60)
    child.join(60)
    assert ring.get() == b"y" * 3000
    assert ring.free() == 4096


def test_a_forked_child_has_nothing_in_hand(ring):
    ring.put_many([b"x", b"y"])
    view = ring.peek()
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if bytes(view) == b"x" and ring.get() == b"y" and ring.try_get() is None else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    ring.release()
    assert ring.free() == 4096


def test_shutdown_and_close(ring):
    ring.put(b"last")
    sleeper = second(ring)
    ring.shutdown()
    with pytest.raises(lockfree.Closed, match="shut down"):
        ring.put(b"x")
    assert sleeper.get() == b"last"
    with pytest.raises(lockfree.Closed):
        sleeper.get()
    with MessageRing(64) as other:
        waiting = started(other.get)
        time.sleep(0.02)
        other.close()
        assert isinstance(waiting(), lockfree.Closed)


def test_state_machine():
    class Machine(RuleBasedStateMachine):
        """Two participants of one ring, operated by one thread, against a list."""

        @initialize(start=st.sampled_from([0, 2**42 - 3, 2**50 - 3]))
        def create(self, start):
            self.first = starting_at(start, MessageRing, 8 * 64, 64)
            self.handles = [self.first, second(self.first)]
            self.inside, self.hands, self.count = [], [None, None], 0

        def free(self):
            return 8 - sum(max(1, -(-len(m) // 48)) for m in [*self.inside, *(m for m in self.hands if m is not None)])

        @rule(who=st.integers(0, 1), length=st.integers(0, 384))
        def put(self, who, length):
            self.count += 1
            message = (b"%d" % self.count).ljust(length, b"x")[:length]
            fits = max(1, -(-length // 48)) <= self.free()
            assert self.handles[who].try_put(message) is fits
            if fits:
                self.inside.append(message)

        @rule(who=st.integers(0, 1))
        def get(self, who):
            assert self.handles[who].try_get() == (self.inside.pop(0) if self.inside else None)

        @rule(who=st.integers(0, 1))
        def look(self, who):
            if self.hands[who] is None:
                view = self.handles[who].peek()
                self.hands[who] = self.inside.pop(0) if self.inside else None
                assert (None if view is None else bytes(view)) == self.hands[who]
            else:
                self.handles[who].release()
                self.hands[who] = None

        @rule(who=st.integers(0, 1))
        def count_all(self, who):
            assert self.handles[who].qsize() == len(self.inside)
            assert self.handles[who].free() == 64 * self.free()

        def teardown(self):
            for handle in getattr(self, "handles", ()):
                handle.close()

    run_state_machine_as_test(Machine, settings=settings(max_examples=30, stateful_step_count=40, deadline=None))


@pytest.mark.parametrize(
    "wait",
    [
        lambda ring: ring.put(b"y" * 600, timeout=0.5),
        lambda ring: ring.put_many(iter([b"y" * 600]), True, 0.5),
        lambda ring: asyncio.run(ring.aput(b"y" * 600, timeout=0.5)),
    ],
    ids=["put", "put_many", "aput"],
)
@pytest.mark.parametrize("waiters", [1, 8])
def test_a_put_for_which_some_blocks_are_free_sleeps(wait, waiters):
    """It takes no block before there are enough: to give it back would wake all that wait for blocks, and itself. A put that
    polls looks a million times a second."""
    with lockfree.MessageRing(8 * 256, block_bytes=256) as ring:
        ring.put(b"x" * 240 * 6)

        sleepers = [started(lambda: wait(ring)) for _ in range(waiters)]
        assert all(isinstance(join(), queue.Full) for join in sleepers)
        assert ring.stats()["refusals"] < 1000 * waiters
        assert ring.stats()["sleeps"] < 100 * waiters
        assert ring.free() == 2 * 256
