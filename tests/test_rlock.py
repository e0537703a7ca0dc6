import contextlib
import multiprocessing
import os
import signal
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import STUCK
from sync_behaviour import Behaviour
from threads import started

import lockfree


def increment(lock, counter, rounds):
    for _ in range(rounds):
        with lock:
            value = counter.load("relaxed")
            with lock:
                counter.store(value + 1, "relaxed")


def hold_twice_for_ever(lock, ready):
    lock.acquire()
    lock.acquire()
    ready.set()
    signal.pause()


class TestRLock(Behaviour):
    Kind = lockfree.RLock
    calls = {
        "acquire": lambda r: r.acquire(),
        "try_acquire": lambda r: r.try_acquire(),
        "release": lambda r: r.release(),
        "recover": lambda r: r.recover(),
        "locked": lambda r: r.locked(),
        "with": lambda r: r.__enter__(),
    }

    def prepare(self, shared):
        holder = started(shared.acquire)
        assert holder() is True

    def wait(self, shared, timeout=None):
        return shared.acquire(timeout=-1 if timeout is None else timeout)

    def test_levels(self, shared):
        for _ in range(3):
            assert shared.acquire() is True
        assert shared.try_acquire() is True
        with shared as entered:
            assert entered is shared
        for _ in range(4):
            assert shared.locked()
            assert started(shared.try_acquire)() is False
            assert isinstance(started(shared.release)(), RuntimeError)
            shared.release()
        assert not shared.locked()
        with pytest.raises(RuntimeError, match="does not hold it: nobody"):
            shared.release()
        assert "unlocked" in repr(shared)

    def test_a_holder_waits_for_nothing(self, shared):
        with shared:
            assert shared.acquire(False) is True
            assert shared.acquire(timeout=0) is True
            shared.release()
            shared.release()
            with pytest.raises(ValueError, match="non-blocking"):
                shared.acquire(False, 1)

    def test_it_serves_as_the_lock_of_a_condition_of_the_library(self, shared):
        condition, seen = threading.Condition(shared), []

        def wait():
            with condition, condition:
                seen.append(condition.wait(30))
                seen.append(shared._recursion_count())

        waiter = started(wait)
        while not seen:
            with condition:
                condition.notify()
        waiter()
        assert seen == [True, 2]
        assert not shared._is_owned()
        with pytest.raises(RuntimeError, match="does not hold it"):
            shared._release_save()

    def test_processes_exclude_each_other(self, shared, context):
        with lockfree.AtomicU64() as counter:
            children = [context.Process(target=increment, args=(shared, counter, 200)) for _ in range(2)]
            for child in children:
                child.start()
            increment(shared, counter, 200)
            for child in children:
                child.join(60)
            assert [child.exitcode for child in children] == [0, 0]
            assert counter.value == 600

    def test_the_next_holder_is_told_of_a_death_and_has_it_once(self, shared):
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        child = context.Process(target=hold_twice_for_ever, args=(shared, ready))
        child.start()
        assert ready.wait(STUCK)
        assert shared.acquire(timeout=0.02) is False
        sleeper = started(shared.acquire)
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        assert isinstance(sleeper(), lockfree.OwnerDied)
        assert isinstance(started(shared.recover)(), RuntimeError)
        shared.recover_dead()
        assert shared.locked()  # by a thread that has ended, of this process

    def test_recovered_it_goes_on(self, shared, shm_name):
        with contextlib.closing(lockfree.RLock(name=shm_name)) as first:
            second = lockfree.RLock.attach(shm_name)
            first.acquire()
            first.acquire()
            first.close()
            with pytest.raises(lockfree.OwnerDied, match="recover"):
                second.acquire(timeout=10)
            second.recover()
            second.release()
            assert not second.locked()
            second.unlink()
            second.close()

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Two participants of one lock, operated by one thread, against a holder and a depth."""

            @initialize()
            def create(self):
                self.first = lockfree.RLock()
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.holder, self.depth = None, 0

            @rule(who=st.integers(0, 1), how=st.sampled_from(["try", "nonblocking", "short"]))
            def acquire(self, who, how):
                lock = self.handles[who]
                call = {"try": lock.try_acquire, "nonblocking": lambda: lock.acquire(False)}
                taken = call.get(how, lambda: lock.acquire(timeout=1e-4))()
                assert taken is (self.holder in {None, who})
                if taken:
                    self.holder, self.depth = who, self.depth + 1

            @rule(who=st.integers(0, 1))
            def release(self, who):
                if self.holder == who:
                    self.handles[who].release()
                    self.depth -= 1
                    self.holder = who if self.depth else None
                else:
                    with pytest.raises(RuntimeError):
                        self.handles[who].release()

            @rule(who=st.integers(0, 1))
            def look(self, who):
                assert self.handles[who].locked() is (self.holder is not None)
                assert self.handles[who]._recursion_count() == (self.depth if self.holder == who else 0)

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
