import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import STUCK
from sync_behaviour import Behaviour
from threads import in_thread, started

import lockfree

np = pytest.importorskip("numpy")
FORK = multiprocessing.get_context("fork")


def set_for_ever(latest, size):
    for n in range(2**40):
        latest.set(bytes([(n + 1) % 251]) * size)


@contextlib.contextmanager
def child(target, *arguments):
    process = FORK.Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(30)


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "no progress"
        time.sleep(0.001)


class TestLatestValue(Behaviour):
    Kind = lockfree.LatestValue
    calls = {
        "set": lambda v: v.set(b"x"),
        "get": lambda v: v.get(),
        "get_versioned": lambda v: v.get_versioned(),
        "get_into": lambda v: v.get_into(bytearray(16)),
        "version": lambda v: v.version,
        "wait": lambda v: v.wait(0),
        "wait for the next": lambda v: v.wait(),
        "release_role": lambda v: v.release_role(),
    }

    def make(self, **named):
        return lockfree.LatestValue(16, **named)

    def wait(self, shared, timeout=None):
        return shared.wait(0, timeout)

    def test_values_and_versions(self, shared):
        assert shared.get() is None
        assert shared.get_versioned() == (0, None)
        assert shared.version == 0
        for n, value in enumerate([b"", b"a", bytes(range(16)), bytearray(b"bc"), memoryview(b"defghijkl")], 1):
            assert shared.set(value) == n
            assert shared.get() == bytes(value)
            assert shared.get_versioned() == (n, bytes(value))
            assert shared.version == n

    def test_what_it_refuses(self, shared):
        with pytest.raises(ValueError, match="record has 17 bytes: the value takes at most 16"):
            shared.set(b"x" * 17)
        with pytest.raises(TypeError, match="str"):
            shared.set("text")
        with pytest.raises(TypeError, match="int"):
            shared.set(5)
        with pytest.raises(ValueError, match="buffer has 15 bytes: it must have at least 16"):
            shared.get_into(bytearray(15))
        with pytest.raises(ValueError, match="buffer is read-only"):
            shared.get_into(bytes(16))
        with pytest.raises(TypeError):
            shared.get_into("text")
        with pytest.raises(ValueError, match="newer_than is -1: it must be between 0"):
            shared.wait(-1)
        with pytest.raises(TypeError, match="newer_than is 'x'"):
            shared.wait("x")
        assert shared.version == 0

    @pytest.mark.parametrize(
        ("named", "error", "words"),
        [
            ({"record_size": 0}, ValueError, "record_size is 0"),
            ({"record_size": 2**31 + 1}, ValueError, "record_size is"),
            ({"record_size": 8, "copies": 1}, ValueError, "copies is 1: it must be between 2 and 64"),
            ({"record_size": 8, "copies": 65}, ValueError, "copies is 65"),
            ({}, TypeError, "record_size or dtype is needed"),
            ({"record_size": 4, "dtype": "f8"}, ValueError, "dtype float64 has 8 bytes"),
            ({"record_size": 8, "spin": "often"}, ValueError, "spin is"),
        ],
    )
    def test_bad_arguments(self, named, error, words):
        with pytest.raises(error, match=words):
            lockfree.LatestValue(**named)

    def test_get_into(self, shared):
        buffer = bytearray(b"#" * 20)
        assert shared.get_into(buffer) == 0
        assert buffer == b"#" * 20
        shared.set(b"abc")
        assert shared.get_into(buffer) == 1
        assert buffer == b"abc" + bytes(13) + b"####"

    def test_wait(self, shared):
        assert shared.wait(timeout=0) is False
        assert shared.wait(0, 0.05) is False
        shared.set(b"a")
        assert shared.wait(0) is True
        assert shared.wait(newer_than=1, timeout=0.05) is False
        waiting = [started(shared.wait) for _ in range(3)]
        until(lambda: shared.peers()[0].waiting == 3)
        shared.set(b"b")
        assert [join() for join in waiting] == [True] * 3

    def test_one_writer_at_a_time(self, shared):
        shared.set(b"a")
        refused = in_thread(lambda: shared.set(b"b"))
        assert isinstance(refused, lockfree.RoleTaken)
        assert f"the writer is thread {threading.get_native_id()} of process {os.getpid()}" in str(refused)
        assert isinstance(in_thread(shared.release_role), RuntimeError)
        shared.release_role()
        assert in_thread(lambda: shared.set(b"b")) == 2
        assert shared.set(b"c") == 3  # that thread has ended
        assert shared.peers()[0].holds == 1

    def test_it_pickles_by_name(self, shm_name):
        with contextlib.closing(lockfree.LatestValue(8, name=shm_name)) as latest:
            latest.set(b"x")
            with contextlib.closing(pickle.loads(pickle.dumps(latest))) as other:
                assert other.get_versioned() == (1, b"x")
                assert other.copies == latest.copies == 4
            latest.unlink()

    def test_a_killed_writer(self):
        for _ in range(5):
            with contextlib.closing(lockfree.LatestValue(5000, copies=2)) as latest:
                with child(set_for_ever, latest, 5000) as writer:
                    until(lambda: latest.version > 50)
                    os.kill(writer.pid, signal.SIGKILL)
                    writer.join(30)
                version, value = latest.get_versioned()
                assert version == latest.version
                assert value == bytes([version % 251]) * 5000
                assert latest.set(b"next") == version + 1
                assert latest.get() == b"next"
                assert latest.stats()["recoveries"] == 1

    def test_values_are_whole(self):
        """A reader beside a fast writer. Copies of 100,000 bytes give the GIL up."""
        for size in (100, 100_000):
            with contextlib.closing(lockfree.LatestValue(size, copies=3)) as latest, child(set_for_ever, latest, size):
                last, into = 0, bytearray(size)
                end = time.monotonic() + 0.3
                while time.monotonic() < end or last < 20:
                    version = latest.get_into(into) if last % 2 else 0
                    value = bytes(into) if version else None
                    if not version:
                        version, value = latest.get_versioned()
                    assert version >= last
                    assert version == 0 or value == bytes([version % 251]) * size
                    last = version

    def test_the_last_writer_is_gone(self, shared):
        shared.peer_death = "raise"
        with child(shared.set, b"x") as writer:
            assert shared.wait(0, 30) is True
            writer.join(30)
        with pytest.raises(lockfree.PeerDied, match=r"the last writer, process \d+, has died"):
            shared.wait(1, 30)
        assert shared.get() == b"x"

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Two participants, operated by one thread, against a list of all values."""

            @initialize(copies=st.integers(2, 5))
            def create(self, copies):
                first = lockfree.LatestValue(24, copies=copies)
                ours, theirs = multiprocessing.Pipe()
                ours.send(first)
                self.handles = [first, theirs.recv()]
                self.values, self.writer = [None], None

            @rule(who=st.integers(0, 1), value=st.binary(max_size=25))
            def set(self, who, value):
                latest = self.handles[who]
                if len(value) > 24:
                    with pytest.raises(ValueError, match="record has 25 bytes"):
                        latest.set(value)
                elif self.writer not in {None, who}:
                    with pytest.raises(lockfree.RoleTaken):
                        latest.set(value)
                else:
                    assert latest.set(value) == len(self.values)
                    self.values.append(value)
                    self.writer = who

            @rule(who=st.integers(0, 1))
            def release(self, who):
                if self.writer == who:
                    self.handles[who].release_role()
                    self.writer = None
                else:
                    with pytest.raises(RuntimeError, match="does not hold"):
                        self.handles[who].release_role()

            @rule(who=st.integers(0, 1), newer_than=st.integers(0, 20))
            def look(self, who, newer_than):
                latest, newest = self.handles[who], len(self.values) - 1
                assert latest.get_versioned() == (newest, self.values[-1])
                assert latest.get() == self.values[-1]
                assert latest.version == newest
                assert latest.wait(newer_than, 0) is (newest > newer_than)

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))


DTYPES = ["f8", "i2", (("f4", (3,))), [("x", "f8"), ("flag", "?")], ("u1", (2, 2))]
VALUES = [1.5, -7, [1, 2, 3], (2.5, True), [[1, 2], [3, 4]]]


@pytest.mark.parametrize(("dtype", "value"), list(zip(DTYPES, VALUES, strict=True)), ids=map(str, range(5)))
def test_dtypes(dtype, value, shm_name):
    dtype = np.dtype(dtype)
    with contextlib.closing(lockfree.LatestValue(dtype=dtype, name=shm_name)) as latest:
        assert latest.get_versioned() == (0, None)
        latest.set(value)
        wanted = np.array(value, dtype.base)
        with contextlib.closing(lockfree.LatestValue.attach(shm_name)) as other:
            assert other.dtype == dtype
            found = other.get()
            assert np.array_equal(found, wanted)
            assert getattr(found, "dtype", None) == dtype.base
            into = np.zeros((), dtype.base) if dtype.shape == () else np.zeros(dtype.shape, dtype.base)
            assert other.get_into(into) == 1
            assert np.array_equal(into, wanted)
            latest.set(value)
            assert np.array_equal(found, wanted), "what was got is the caller's"
        latest.unlink()


def test_a_value_that_a_dtype_does_not_take():
    with contextlib.closing(lockfree.LatestValue(dtype="i2")) as latest:
        with pytest.raises(ValueError, match="cannot hold it"):
            latest.set(70_000)
        assert latest.version == 0


def test_it_may_be_the_first_object_of_a_program():
    program = "import lockfree; latest = lockfree.LatestValue(dtype='f8'); latest.set(1.5); print(latest.get())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=STUCK, check=False)
    assert done.stdout == "1.5\n", done.stderr
