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

Broken = threading.BrokenBarrierError


def pass_often(barrier, counter, rounds):
    for i in range(rounds):
        counter.fetch_add(1)
        barrier.wait()
        assert counter.load() >= barrier.parties * (i + 1)
        barrier.wait()


def wait_and_say(barrier, said):
    try:
        barrier.wait()
        said.put("through")
    except Broken:
        said.put("broken")


def look_and_sleep(barrier, ready):
    assert not barrier.broken
    ready.set()
    time.sleep(600)


def wait_until_there_are(barrier, n):
    deadline = time.monotonic() + 60
    while barrier.n_waiting < n:
        assert time.monotonic() < deadline
        time.sleep(0.001)


class TestBarrier(Behaviour):
    Kind = lockfree.Barrier
    calls = {
        "wait": lambda b: b.wait(),
        "abort": lambda b: b.abort(),
        "reset": lambda b: b.reset(),
        "broken": lambda b: b.broken,
        "n_waiting": lambda b: b.n_waiting,
    }

    def make(self, **named):
        return lockfree.Barrier(100, **named)

    def wait(self, shared, timeout=None):
        return shared.wait(timeout)

    # repr has the address of the object, as that of threading has

    def test_by_name(self, shm_name):
        with contextlib.closing(lockfree.Barrier(3, timeout=5, name=shm_name)) as barrier:
            with contextlib.closing(lockfree.Barrier.attach(shm_name, timeout=7)) as other:
                assert (other.parties, other._timeout) == (3, 7)
            assert not barrier.broken  # it has left
            barrier.unlink()
            with pytest.raises(FileNotFoundError):
                lockfree.Barrier.attach(shm_name)

    def test_an_unrelated_program_attaches(self):
        pass  # test_by_name

    def test_it_travels_through_a_connection(self):
        with contextlib.closing(lockfree.Barrier(2, print, 4)) as barrier:
            ours, theirs = multiprocessing.Pipe()
            ours.send(barrier)
            received = theirs.recv()
            assert (received.parties, received._action, received._timeout) == (2, print, 4)
            received.close()
            assert not barrier.broken

    @pytest.fixture
    def two(self):
        with contextlib.closing(lockfree.Barrier(2)) as made:
            yield made

    def test_rounds(self):
        with contextlib.closing(lockfree.Barrier(3)) as barrier, lockfree.AtomicU64() as counter:
            joins = [started(lambda: pass_often(barrier, counter, 50)) for _ in range(3)]
            assert [join() for join in joins] == [None] * 3
            places = [started(barrier.wait) for _ in range(3)]
            assert sorted(join() for join in places) == [0, 1, 2]
            assert (barrier.n_waiting, barrier.broken, barrier.parties) == (0, False, 3)
            assert "waiters=0/3" in repr(barrier)

    @pytest.mark.parametrize("arguments", [(0,), (65536,), ("2",), (2, 7), (2, None, -1), (2, None, "soon")], ids=str)
    def test_bad_arguments(self, arguments):
        with pytest.raises((ValueError, TypeError)):
            lockfree.Barrier(*arguments)

    def test_the_action_runs_once_a_round_before_anybody_goes_on(self):
        done = []
        with contextlib.closing(lockfree.Barrier(3, lambda: (time.sleep(0.05), done.append(1)))) as barrier:
            for round_ in range(1, 4):
                timeout = 0.02 if round_ == 3 else None
                joins = [started(lambda t=timeout: (barrier.wait(t), len(done))) for _ in range(2)]
                wait_until_there_are(barrier, 2)
                barrier.wait()
                assert [join()[1] for join in joins] == [round_] * 2  # not even a time-out ends the wait meanwhile

    def test_an_action_that_raises_breaks_it(self):
        with contextlib.closing(lockfree.Barrier(2, lambda: 1 / 0)) as barrier:
            join = started(barrier.wait)
            wait_until_there_are(barrier, 1)
            with pytest.raises(ZeroDivisionError):
                barrier.wait()
            assert isinstance(join(), Broken)

    def test_a_time_out_breaks_it_and_reset_makes_it_new(self, two):
        with pytest.raises(Broken, match="reset"):
            two.wait(0.02)
        assert two.broken
        assert "broken" in repr(two)
        with pytest.raises(Broken):
            two.wait()
        two.reset()
        join = started(two.wait)
        two.wait()
        join()
        with contextlib.closing(lockfree.Barrier(2, timeout=0.02)) as impatient, pytest.raises(Broken):
            impatient.wait()

    @pytest.mark.parametrize("end", ["abort", "reset"])
    def test_abort_and_reset_end_waits(self, two, end):
        join = started(two.wait)
        wait_until_there_are(two, 1)
        getattr(two, end)()
        assert isinstance(join(), Broken)
        assert two.broken is (end == "abort")

    def test_an_exception_out_of_a_signal_handler_breaks_it(self, two, alarm):
        with contextlib.closing(lockfree.Barrier(3)) as barrier:
            join = started(barrier.wait)
            wait_until_there_are(barrier, 1)
            with pytest.raises(KeyboardInterrupt), alarm(0.1):
                barrier.wait(30)
            assert isinstance(join(), Broken)

    def test_processes(self, two, context):
        """They end in the ordinary way, which is no death."""
        with lockfree.AtomicU64() as counter:
            child = context.Process(target=pass_often, args=(two, counter, 20))
            child.start()
            pass_often(two, counter, 20)
            child.join(60)
            assert child.exitcode == 0
            two.recover_dead()
            assert not two.broken

    @pytest.mark.parametrize("waits", [False, True], ids=["before it came", "while it waits"])
    def test_a_party_that_is_killed_breaks_it(self, waits):
        context = multiprocessing.get_context("fork")
        with contextlib.closing(lockfree.Barrier(3)) as barrier:
            ready, said = context.Event(), context.Queue()
            victim = context.Process(
                target=wait_and_say if waits else look_and_sleep, args=(barrier, said if waits else ready)
            )
            victim.start()
            if waits:
                wait_until_there_are(barrier, 1)
            else:
                assert ready.wait(STUCK)
            join = started(barrier.wait)
            wait_until_there_are(barrier, 1 + waits)
            os.kill(victim.pid, signal.SIGKILL)
            victim.join(30)
            assert isinstance(join(), Broken)
            barrier.reset()
            assert not barrier.broken

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Arrivals at a barrier of three, from two handles, against counts."""

            @initialize()
            def create(self):
                from lockfree._native import ffi, lib

                self.lib, self.ffi = lib, ffi
                self.first = lockfree.Barrier(3)
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.waiting, self.over, self.broken = [], [], False

            def round_of(self, who):
                box = self.ffi.new("uint64_t *")
                return self.lib.lf_barrier_arrive(self.handles[who]._h, 0, box), box[0]

            @rule(who=st.integers(0, 1))
            def arrive(self, who):
                place, round_ = self.round_of(who)
                if self.broken:
                    assert place == self.lib.LF_BROKEN
                    return
                assert place == len(self.waiting)
                self.waiting.append(round_)
                if place == 2:
                    self.over += [(r, self.lib.LF_OK) for r in self.waiting]
                    self.waiting = []

            @rule(who=st.integers(0, 1))
            def abort(self, who):
                self.handles[who].abort()
                self.over += [(r, self.lib.LF_BROKEN) for r in self.waiting]
                self.waiting, self.broken = [], True

            @rule(who=st.integers(0, 1))
            def reset(self, who):
                self.handles[who].reset()
                self.over += [(r, self.lib.LF_BROKEN) for r in self.waiting]
                self.waiting, self.broken = [], False

            @rule(who=st.integers(0, 1))
            def look(self, who):
                barrier = self.handles[who]
                assert (barrier.n_waiting, barrier.broken) == (len(self.waiting), self.broken)
                for round_, ended in self.over[-6:]:
                    assert self.lib.lf_barrier_give_up(barrier._h, round_) == ended

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))


def test_more_arrivals_than_parties_are_no_state_of_a_barrier():
    import mmap

    from lockfree._native import ffi

    with contextlib.closing(lockfree.Barrier(2)) as barrier:
        handle = barrier._h.h
        at = int(ffi.cast("uintptr_t", handle.body)) - int(ffi.cast("uintptr_t", handle.segment))
        with mmap.mmap(handle.fd, 0) as memory:
            memory[at] = 3
            with pytest.raises(lockfree.SegmentError, match="what this library cannot have written"):
                barrier.wait(timeout=1)
            memory[at] = 0
