"""What Mutex and SpinLock promise alike; test_mutex.py and test_spinlock.py run it, each for its own class."""

import contextlib
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from patience import STUCK
from threads import in_thread

import lockfree


def increment(lock, counter, rounds):
    """Adds to a counter that only the lock protects: a load, a pause, a store."""
    for i in range(rounds):
        with lock:
            value = counter.load("relaxed")
            if i % 50 == 0:
                time.sleep(0)
            counter.store(value + 1, "relaxed")


def hold_for_ever(lock, ready):
    lock.acquire()
    ready.set()
    time.sleep(600)


def try_from_a_child(lock, answers):
    answers.put((lock.locked(), lock.acquire(blocking=False), lock.acquire(timeout=0.02)))
    try:
        lock.release()
    except RuntimeError as refused:
        answers.put(str(refused))


class Behaviour:
    Lock: type

    @pytest.fixture
    def lock(self):
        with contextlib.closing(self.Lock()) as made:
            yield made

    # ---- one thread ----

    def test_acquire_and_release(self, lock):
        assert not lock.locked()
        assert lock.acquire() is True
        assert lock.locked()
        lock.release()
        assert not lock.locked()
        assert lock.try_acquire() is True
        lock.release()

    def test_as_a_context_manager(self, lock):
        with lock as entered:
            assert entered is lock
            assert lock.locked()
        assert not lock.locked()
        with pytest.raises(ZeroDivisionError), lock:
            raise ZeroDivisionError
        assert not lock.locked()

    def test_refusals(self, lock):
        lock.acquire()
        assert lock.acquire(blocking=False) is False
        assert lock.acquire(False) is False
        assert lock.try_acquire() is False
        assert lock.acquire(timeout=0) is False
        start = time.monotonic()
        assert lock.acquire(timeout=0.05) is False
        assert 0.05 <= time.monotonic() - start < 5

    def test_waiting_for_oneself_for_ever_is_an_error(self, lock):
        lock.acquire()
        with pytest.raises(RuntimeError, match="wait for itself"):
            lock.acquire()
        lock.release()

    def test_release_by_somebody_else_is_an_error(self, lock):
        with pytest.raises(RuntimeError, match="does not hold it"):
            lock.release()
        lock.acquire()
        assert isinstance(in_thread(lock.release), RuntimeError)
        assert isinstance(in_thread(lock.recover), RuntimeError)
        assert in_thread(lock.try_acquire) is False
        lock.release()
        with pytest.raises(RuntimeError):
            lock.release()

    def test_recover_without_a_death_does_nothing(self, lock):
        with lock:
            lock.recover()
        assert lock.acquire()
        lock.release()

    @pytest.mark.parametrize("timeout", [-2, -0.5, math.nan, "soon", None], ids=str)
    def test_bad_timeouts(self, lock, timeout):
        if timeout is None:
            assert lock.acquire(timeout=timeout)
            return
        with pytest.raises((ValueError, TypeError)):
            lock.acquire(timeout=timeout)
        assert not lock.locked()

    def test_a_timeout_needs_blocking(self, lock):
        with pytest.raises(ValueError, match="non-blocking"):
            lock.acquire(False, 1)
        assert not lock.locked()

    def test_repr(self, lock):
        assert "unlocked" in repr(lock)
        assert type(lock).__name__ in repr(lock)
        with lock:
            assert " locked" in repr(lock)
        lock.close()
        assert "closed" in repr(lock)

    # ---- life ----

    def test_use_after_close(self, lock):
        lock.close()
        lock.close()
        for call in (lock.acquire, lock.try_acquire, lock.release, lock.recover, lock.locked, lock.__enter__):
            with pytest.raises(lockfree.Closed):
                call()

    def test_use_of_a_bound_call_after_close(self, lock):
        calls = lock.acquire, lock.try_acquire, lock.release
        lock.close()
        for call in calls:
            with pytest.raises(lockfree.Closed):
                call()

    def test_a_subclass_may_override_the_calls(self):
        class Counting(self.Lock):
            acquired = 0

            def acquire(self, *args, **named):
                self.acquired += 1
                return super().acquire(*args, **named)

        with contextlib.closing(Counting()) as lock:
            assert lock.acquire()
            lock.release()
            with lock:
                pass
            assert lock.acquired == 2

    def test_close_wakes_sleepers(self, lock):
        lock.acquire()
        caught = []

        def sleep_on_it():
            try:
                lock.acquire()
            except lockfree.Closed as closed:
                caught.append(closed)

        threads = [threading.Thread(target=sleep_on_it) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        lock.close()
        for thread in threads:
            thread.join(10)
        assert len(caught) == 3

    def test_by_name(self, shm_name):
        lock = self.Lock(name=shm_name)
        other = self.Lock.attach(shm_name)
        with lock:
            assert other.locked()
            assert other.try_acquire() is False
        with pytest.raises(FileExistsError):
            self.Lock(name=shm_name)
        lock.unlink()
        with pytest.raises(FileNotFoundError):
            self.Lock.attach(shm_name)

    def test_attach_to_another_kind(self, shm_name):
        with lockfree.AtomicU64(name=shm_name), pytest.raises(lockfree.SegmentError, match="kind"):
            self.Lock.attach(shm_name)

    def test_an_unrelated_program_attaches(self, shm_name):
        lock = self.Lock(name=shm_name)
        lock.acquire()
        program = (
            f"import sys, lockfree; lock = lockfree.{self.Lock.__name__}.attach(sys.argv[1])\n"
            "print(lock.locked(), lock.try_acquire(), flush=True)\n"
            "sys.stdin.readline()\n"
            "with lock: print('mine', flush=True)\n"
        )
        flags = subprocess._args_from_interpreter_flags()
        child = subprocess.Popen(
            [sys.executable, *flags, "-c", program, shm_name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "True False\n"
        child.stdin.write("\n")
        child.stdin.flush()
        lock.release()
        assert child.stdout.readline() == "mine\n"
        assert child.wait(30) == 0

    # ---- contention ----

    def test_threads_exclude_each_other(self, lock):
        with lockfree.AtomicU64() as counter:
            threads = [threading.Thread(target=increment, args=(lock, counter, 400)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert counter.value == 1600

    def test_processes_exclude_each_other(self, lock, context):
        with lockfree.AtomicU64() as counter:
            children = [context.Process(target=increment, args=(lock, counter, 400)) for _ in range(3)]
            for child in children:
                child.start()
            increment(lock, counter, 400)
            for child in children:
                child.join(60)
            assert [child.exitcode for child in children] == [0, 0, 0]
            assert counter.value == 1600

    def test_a_child_is_not_the_holder(self, lock, context):
        answers = context.Queue()
        with lock:
            child = context.Process(target=try_from_a_child, args=(lock, answers))
            child.start()
            assert answers.get(timeout=60) == (True, False, False)
            assert "does not hold it" in answers.get(timeout=60)
            child.join(60)
        assert child.exitcode == 0

    def test_it_travels_through_a_connection(self, lock):
        ours, theirs = multiprocessing.Pipe()
        ours.send(lock)
        received = theirs.recv()
        with lock:
            assert received.locked()
            assert received.try_acquire() is False
        received.close()

    def test_a_sleeper_uses_no_cpu(self, lock):
        lock.acquire()
        used = []

        def sleep_on_it():
            before = time.thread_time()
            lock.acquire(timeout=0.5)
            used.append(time.thread_time() - before)

        thread = threading.Thread(target=sleep_on_it)
        thread.start()
        thread.join(10)
        assert used[0] < 0.05

    def test_ctrl_c_ends_a_wait(self, lock, alarm):
        lock_held = threading.Event()
        done = threading.Event()

        def hold():
            with lock:
                lock_held.set()
                done.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        lock_held.wait(10)
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt), alarm(0.1):
            lock.acquire(timeout=20)
        assert time.monotonic() - start < 5
        done.set()
        holder.join(10)
        assert lock.acquire(timeout=5)
        lock.release()

    # ---- death ----

    def killed_holder(self, lock, context):
        ready = context.Event()
        child = context.Process(target=hold_for_ever, args=(lock, ready))
        child.start()
        assert ready.wait(STUCK)
        return child

    def test_the_next_holder_is_told_of_a_death(self, lock, context):
        child = self.killed_holder(lock, context)
        assert lock.locked()
        assert lock.acquire(timeout=0.02) is False
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        start = time.monotonic()
        with pytest.raises(lockfree.OwnerDied, match="recover"):
            lock.acquire()
        assert time.monotonic() - start < 2
        assert lock.locked()
        assert in_thread(lock.try_acquire) is False
        lock.recover()
        lock.release()
        with lock:
            pass

    def test_a_sleeper_is_told_of_a_death(self, lock):
        child = self.killed_holder(lock, multiprocessing.get_context("fork"))
        results = []

        def sleep_on_it():
            try:
                lock.acquire()
            except lockfree.OwnerDied:
                results.append("told")
                lock.recover()
            else:
                results.append("normal")
            lock.release()

        threads = [threading.Thread(target=sleep_on_it) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(20)
        child.join(30)
        assert sorted(results) == ["normal", "normal", "told"]

    def test_released_without_recover_it_is_unusable(self, lock):
        child = self.killed_holder(lock, multiprocessing.get_context("fork"))
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        with pytest.raises(lockfree.OwnerDied):
            lock.acquire()
        lock.release()
        with pytest.raises(lockfree.NotRecoverable):
            lock.acquire()
        with pytest.raises(lockfree.NotRecoverable):
            lock.try_acquire()
        assert not lock.locked()

    def test_closing_with_the_lock_held_is_a_death(self, lock, shm_name):
        with contextlib.closing(self.Lock(name=shm_name)) as first:
            second = self.Lock.attach(shm_name)
            first.acquire()
            first.close()
            with pytest.raises(lockfree.OwnerDied):
                second.acquire(timeout=10)
            second.recover()
            second.release()

    # ---- against the sequential specification ----

    def test_state_machine(self):
        lock_type = self.Lock

        class Machine(RuleBasedStateMachine):
            """Two handles on one lock, as two processes have them, operated by one thread."""

            @initialize()
            def create(self):
                self.first = lock_type()
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.holder = None

            @rule(who=st.integers(0, 1), how=st.sampled_from(["try", "nonblocking", "zero", "short"]))
            def acquire(self, who, how):
                lock = self.handles[who]
                taken = {
                    "try": lock.try_acquire,
                    "nonblocking": lambda: lock.acquire(False),
                    "zero": lambda: lock.acquire(timeout=0),
                    "short": lambda: lock.acquire(timeout=1e-4),
                }[how]()
                assert taken is (self.holder is None)
                if taken:
                    self.holder = who

            @rule(who=st.integers(0, 1))
            def release(self, who):
                if self.holder == who:
                    self.handles[who].release()
                    self.holder = None
                else:
                    with pytest.raises(RuntimeError):
                        self.handles[who].release()

            @rule(who=st.integers(0, 1))
            def locked(self, who):
                assert self.handles[who].locked() is (self.holder is not None)

            @precondition(lambda self: self.holder is None)
            @rule(who=st.integers(0, 1))
            def section(self, who):
                with self.handles[who]:
                    assert self.handles[1 - who].locked()

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))
