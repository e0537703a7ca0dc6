import contextlib
import multiprocessing
import os
import signal
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sync_behaviour import Behaviour
from threads import started

import lockfree


def wait_and_say(event, said):
    said.put(event.wait(60))


def wait_for_ever(event, ready):
    ready.set()
    event.wait()


class TestEvent(Behaviour):
    Kind = lockfree.Event
    calls = {
        "set": lambda e: e.set(),
        "clear": lambda e: e.clear(),
        "is_set": lambda e: e.is_set(),
        "wait": lambda e: e.wait(),
        "wait in vain": lambda e: e.wait(0),
    }

    def wait(self, shared, timeout=None):
        return shared.wait(timeout)

    def test_set_clear_and_wait(self, shared):
        assert not shared.is_set()
        assert shared.wait(0) is False
        assert shared.wait(timeout=0.01) is False
        shared.set()
        shared.set()
        assert shared.is_set()
        assert shared.wait() is True
        assert shared.wait(0) is True
        assert "set" in repr(shared)
        shared.clear()
        shared.clear()
        assert not shared.is_set()
        assert "clear" in repr(shared)

    def test_set_wakes_all(self, shared):
        sleepers = [started(lambda: shared.wait(60)) for _ in range(8)]
        time.sleep(0.05)
        shared.set()
        assert [join() for join in sleepers] == [True] * 8

    def test_a_set_that_is_cleared_at_once_ends_every_wait(self, shared):
        """`threading` had it otherwise until gh-57711."""
        for _ in range(20):
            sleepers = [started(lambda: shared.wait(60)) for _ in range(4)]
            time.sleep(0.01)
            shared.set()
            shared.clear()
            assert [join() for join in sleepers] == [True] * 4

    def test_processes(self, shared, context):
        said = context.Queue()
        children = [context.Process(target=wait_and_say, args=(shared, said)) for _ in range(2)]
        for child in children:
            child.start()
        time.sleep(0.05)
        shared.set()
        assert [said.get(timeout=60) for _ in children] == [True, True]
        for child in children:
            child.join(60)
            assert child.exitcode == 0

    def test_a_killed_waiter_takes_no_wake_with_it(self, shared):
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        child = context.Process(target=wait_for_ever, args=(shared, ready))
        child.start()
        ready.wait(30)
        sleeper = started(lambda: shared.wait(60))
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        shared.set()
        assert sleeper() is True
        assert shared.is_set()

    def test_a_signal_handler_may_set_it(self, shared):
        signal.signal(signal.SIGUSR1, lambda *_: shared.set())
        try:
            timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
            timer.start()
            assert shared.wait(30) is True
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)

    def test_arguments(self, shared):
        with pytest.raises(TypeError):
            shared.wait(1, 2)
        with pytest.raises(TypeError, match="unexpected keyword"):
            shared.wait(time=1)
        with pytest.raises(TypeError):
            lockfree.Event(1)

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Two participants of one event, operated by one thread, against a bool."""

            @initialize()
            def create(self):
                self.first = lockfree.Event()
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.flag = False

            @rule(who=st.integers(0, 1))
            def set(self, who):
                self.handles[who].set()
                self.flag = True

            @rule(who=st.integers(0, 1))
            def clear(self, who):
                self.handles[who].clear()
                self.flag = False

            @rule(who=st.integers(0, 1), timeout=st.sampled_from([0, 1e-4]))
            def look(self, who, timeout):
                assert self.handles[who].is_set() is self.flag
                assert self.handles[who].wait(timeout) is self.flag

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))


def test_what_was_done_before_set_is_seen():
    with contextlib.closing(lockfree.Event()) as event, lockfree.AtomicU64() as number:
        for round_ in range(1, 200):
            sleeper = started(lambda: event.wait(30) and number.load("relaxed"))
            number.store(round_, "relaxed")
            event.set()
            assert sleeper() == round_
            event.clear()
