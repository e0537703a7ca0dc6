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
from patience import STUCK
from sync_behaviour import Behaviour
from threads import started

import lockfree


def wait_and_say(condition, ready, said):
    with condition:
        ready.release()
        said.put(condition.wait(60))


def wait_for_ever(condition, ready):
    with condition:
        ready.set()
        condition.wait()


def die_with_it(condition):
    condition.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def sleepers(condition, n):
    """n threads that wait, each after the one before: what each wait returns."""
    joins = []
    for _ in range(n):
        entered = threading.Event()

        def wait(entered=entered):
            with condition:
                entered.set()  # under the lock: it waits before anybody else gets that
                return condition.wait(60)

        joins.append(started(wait))
        assert entered.wait(STUCK)
    with condition:
        pass
    return joins


class TestCondition(Behaviour):
    Kind = lockfree.Condition
    calls = {
        "acquire": lambda c: c.acquire(),
        "release": lambda c: c.release(),
        "locked": lambda c: c.locked(),
        "with": lambda c: c.__enter__(),
        "wait": lambda c: c.wait(),
        "wait_for": lambda c: c.wait_for(lambda: False),
        "notify": lambda c: c.notify(),
        "notify_all": lambda c: c.notify_all(),
    }

    def wait(self, shared, timeout=None):
        with shared:
            return shared.wait(timeout)

    def test_notify_reaches_exactly_those_that_waited_longest(self, shared):
        joins = sleepers(shared, 4)
        with shared:
            shared.notify(2)
        assert [join() for join in joins[:2]] == [True, True]
        with shared:
            assert shared.wait(0.05) is False  # meanwhile nobody else is woken
            shared.notify_all()
        assert [join() for join in joins[2:]] == [True, True]

    def test_it_needs_the_lock(self, shared):
        for call in (shared.wait, shared.notify, shared.notify_all, lambda: shared.wait(0)):
            with pytest.raises(RuntimeError, match="does not hold it: nobody holds it"):
                call()
        with shared:
            assert isinstance(started(shared.notify)(), RuntimeError)
            for bad in (-1, 2**63, "1", 1.5):
                with pytest.raises((ValueError, TypeError), match="n is"):
                    shared.notify(bad)

    def test_the_lock_may_be_taken_again_and_wait_gives_it_back_whole(self, shared):
        with shared, shared:
            other = started(lambda: [shared.acquire(), shared.notify(), shared.release()])
            assert shared.wait(30) is True
            assert started(lambda: shared.acquire(False))() is False
            other()
        assert not shared.locked()

    def test_wait_for(self, shared):
        state = []
        woken = started(
            lambda: [shared.acquire(), shared.wait_for(lambda: len(state) == 3 and "full"), shared.release()]
        )
        for i in range(3):
            time.sleep(0.01)
            with shared:
                state.append(i)
                shared.notify()
        assert woken()[1] == "full"
        with shared:
            start = time.monotonic()
            assert shared.wait_for(lambda: 0, 0.05) == 0
            assert time.monotonic() - start >= 0.05
            assert shared.wait_for(list, 0) == []

    @pytest.mark.parametrize(
        "make", [threading.Lock, threading.RLock, lockfree.Mutex, lockfree.RLock, lockfree.SpinLock]
    )
    def test_with_another_lock(self, make):
        lock = make()
        with contextlib.closing(lockfree.Condition(lock)) as condition:
            with condition:
                assert started(lambda: lock.acquire(False))() is False
                assert condition.wait(0.01) is False
            with pytest.raises(RuntimeError, match="does not hold its lock"):
                condition.notify()
            joins = sleepers(condition, 3)
            with lock:
                condition.notify(2)
            assert [join() for join in joins[:2]] == [True, True]
            with condition:
                condition.notify_all()
            assert joins[2]() is True
            assert type(condition).__name__ == "Condition"
        with pytest.raises(lockfree.Closed):
            condition.wait()

    def test_its_lock_travels_with_it(self, context):
        with contextlib.closing(lockfree.Condition(lockfree.Mutex())) as condition:
            ready, said = context.Semaphore(0), context.Queue()
            child = context.Process(target=wait_and_say, args=(condition, ready, said))
            child.start()
            assert ready.acquire(timeout=60)
            with condition:
                condition.notify()
            assert said.get(timeout=60) is True
            child.join(60)
            assert child.exitcode == 0

    def test_by_name_with_another_lock(self, shm_name):
        with lockfree.Mutex() as held, contextlib.closing(lockfree.Condition(held, name=shm_name)) as condition:
            with pytest.raises(lockfree.SegmentError, match="its lock is another object"):
                lockfree.Condition.attach(shm_name)
            other = lockfree.Condition.attach(shm_name, held)
            assert other._is_owned()
            other.close()
            condition.unlink()

    def test_processes(self, shared, context):
        ready, said = context.Semaphore(0), context.Queue()
        children = [context.Process(target=wait_and_say, args=(shared, ready, said)) for _ in range(2)]
        for child in children:
            child.start()
        for _ in children:
            assert ready.acquire(timeout=60)
        with shared:
            shared.notify_all()
        assert [said.get(timeout=60) for _ in children] == [True, True]
        for child in children:
            child.join(60)
            assert child.exitcode == 0

    def test_a_notify_of_a_waiter_that_was_killed_goes_to_another(self, shared):
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        child = context.Process(target=wait_for_ever, args=(shared, ready))
        child.start()
        assert ready.wait(STUCK)
        (join,) = sleepers(shared, 1)
        os.kill(child.pid, signal.SIGSTOP)
        with shared:
            shared.notify()  # the child: it has waited longest
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        assert join() is True

    def test_a_notify_of_a_waiter_that_an_exception_ends_goes_to_another(self, shared):
        joins = []

        def notify_then(*_):
            (join,) = sleepers(shared, 1)  # it comes later than the main thread
            joins.append(join)
            with shared:
                shared.notify()
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGUSR1, notify_then)
        try:
            timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                self.wait(shared, 30)
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert joins[0]() is True
        assert not shared.locked()

    def test_who_waits_is_told_of_the_holder_that_died(self, shared):
        child = multiprocessing.get_context("fork").Process(target=die_with_it, args=(shared,))
        with shared:
            child.start()
            with pytest.raises(lockfree.OwnerDied, match="recover"):
                shared.wait(60)
            shared.recover()
        child.join(30)
        with shared:
            assert shared.wait(0) is False

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Places of waiters, in the order of their tickets, against a list."""

            @initialize()
            def create(self):
                from lockfree._native import lib

                self.lib, self.condition = lib, lockfree.Condition()
                self.waiting, self.marked = [], []

            @rule()
            def begin(self):
                self.waiting.append(self.lib.lf_condition_begin(self.condition._h))

            @rule(n=st.integers(0, 3))
            def notify(self, n):
                assert self.lib.lf_condition_notify_unlocked(self.condition._h, n) == min(n, len(self.waiting))
                self.marked += self.waiting[:n]
                self.waiting = self.waiting[n:]

            @rule(which=st.integers(0, 3), give_up=st.booleans())
            def end(self, which, give_up):
                places = self.waiting + self.marked
                if not places:
                    return
                place = places[which % len(places)]
                was_marked = place in self.marked
                (self.marked if was_marked else self.waiting).remove(place)
                if not give_up:
                    assert self.lib.lf_condition_end(self.condition._h, place) == was_marked
                    return
                self.lib.lf_condition_pass_on(self.condition._h, place)
                if was_marked and self.waiting:
                    self.marked.append(self.waiting.pop(0))

            def teardown(self):
                if hasattr(self, "condition"):
                    self.condition.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
