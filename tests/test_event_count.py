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


def take_all(count, permits, taken):
    """Takes permits until it finds a negative number of them."""

    def take():
        n = permits.load()
        while n > 0:
            done, n = permits.compare_exchange(n, n - 1)
            if done:
                taken.fetch_add(1)
                return True
        return n < 0

    while permits.load() >= 0:
        count.wait_until(take)


def change_and_die(count, word):
    count.notify()  # this process uses the object
    word.store(1)
    os.kill(os.getpid(), signal.SIGKILL)


class TestEventCount(Behaviour):
    Kind = lockfree.EventCount
    calls = {
        "prepare": lambda e: e.prepare(),
        "retract": lambda e: e.retract(0),
        "wait": lambda e: e.wait(0),
        "wait_until": lambda e: e.wait_until(lambda: False),
        "notify": lambda e: e.notify(),
        "notify_all": lambda e: e.notify_all(),
        "cancel": lambda e: e.cancel(),
    }

    def wait(self, shared, timeout=None):
        return shared.wait(shared.prepare(), timeout)

    def test_tickets(self, shared):
        ticket = shared.prepare()
        shared.notify()
        assert shared.wait(ticket) is True
        assert shared.wait(shared.prepare(), 0) is False
        assert shared.wait(shared.prepare(), timeout=0.15) is False
        ticket = shared.prepare()
        shared.cancel()
        assert shared.wait(ticket) is False
        shared.retract(shared.prepare())
        for bad in (-1, 2**63, "1", None):
            with pytest.raises((ValueError, TypeError), match="ticket is"):
                shared.wait(bad)
            with pytest.raises((ValueError, TypeError), match="ticket is"):
                shared.retract(bad)

    def test_wait_until_returns_what_the_predicate_said(self, shared):
        answers = iter([0, [], "yes"])
        woken = started(lambda: shared.wait_until(lambda: next(answers), 30))
        assert woken() == "yes"  # it is asked again after 100 ms at the latest
        assert shared.wait_until(lambda: 0, 0) == 0
        assert shared.wait_until(list, 0.01) == []
        with pytest.raises(ZeroDivisionError):
            shared.wait_until(lambda: 1 / 0)
        with pytest.raises(TypeError):
            shared.wait_until(None)

    def test_a_predicate_is_asked_once_more_after_the_deadline(self, shared):
        start = time.monotonic()
        assert shared.wait_until(lambda: time.monotonic() > start + 0.05, 0.05) is True

    @pytest.mark.parametrize("n", [-1, 2**63, 1.5, "1"], ids=str)
    def test_n_out_of_bounds(self, shared, n):
        with pytest.raises((ValueError, TypeError), match="n is"):
            shared.notify(n)
        shared.notify(n=0)
        shared.notify(2**32)  # more than there can be: all

    def test_cancel_ends_the_waits_of_this_object_alone(self, shared):
        ours, theirs = multiprocessing.Pipe()
        ours.send(shared)
        other = theirs.recv()
        word = lockfree.AtomicU64()
        here = [started(lambda: shared.wait_until(word.load)) for _ in range(2)]
        there = started(lambda: other.wait_until(word.load, 60))
        time.sleep(0.05)
        shared.cancel()
        assert [join() for join in here] == [0, 0]
        word.store(7)
        shared.notify_all()
        assert there() == 7
        other.close()
        word.close()

    def test_a_signal_handler_notifies_the_thread_that_it_interrupts(self, shared):
        with lockfree.AtomicU64() as word:
            signal.signal(signal.SIGUSR1, lambda *_: (word.store(1), shared.notify()))
            try:
                timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
                timer.start()
                ticket = shared.prepare()
                assert shared.wait(ticket, 30) is True
                assert word.load() == 1
                timer.join()
            finally:
                signal.signal(signal.SIGUSR1, signal.SIG_DFL)

    def test_processes_take_every_permit(self, shared, context):
        with lockfree.AtomicI64() as permits, lockfree.AtomicI64() as taken:
            children = [context.Process(target=take_all, args=(shared, permits, taken)) for _ in range(2)]
            for child in children:
                child.start()
            for _ in range(300):
                permits.fetch_add(1)
                shared.notify()
            shared.wait_until(lambda: taken.load() == 300, 0.2)
            deadline = time.monotonic() + 60
            while taken.load() < 300 and time.monotonic() < deadline:
                time.sleep(0.01)
            permits.store(-1)
            shared.notify_all()
            for child in children:
                child.join(60)
                assert child.exitcode == 0
            assert taken.load() == 300

    def test_a_change_whose_notifier_was_killed_is_seen(self, shared):
        with lockfree.AtomicU64() as word:
            sleeper = started(lambda: shared.wait_until(word.load, 60))
            time.sleep(0.05)
            context = multiprocessing.get_context("fork")
            child = context.Process(target=change_and_die, args=(shared, word))
            child.start()
            child.join(30)
            assert sleeper() == 1

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Tickets against a list of those that a notify, or a cancel of their handle, has ended."""

            @initialize()
            def create(self):
                self.first = lockfree.EventCount()
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.tickets = []  # [handle, ticket, notified, cancelled]

            @rule(who=st.integers(0, 1))
            def prepare(self, who):
                self.tickets.append([who, self.handles[who].prepare(), False, False])

            @rule(who=st.integers(0, 1))
            def notify_all(self, who):
                self.handles[who].notify_all()
                for ticket in self.tickets:
                    ticket[2] = True

            @rule(who=st.integers(0, 1))
            def cancel(self, who):
                self.handles[who].cancel()
                for ticket in self.tickets:
                    ticket[2] = True  # a wait of another handle may end
                    ticket[3] |= ticket[0] == who

            @rule(retract=st.booleans())
            def use_up(self, retract):
                if not self.tickets:
                    return
                who, ticket, notified, cancelled = self.tickets.pop(0)
                if retract:
                    self.handles[who].retract(ticket)
                else:
                    assert self.handles[who].wait(ticket, 0) is (notified and not cancelled)

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
