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
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from patience import STUCK

import lockfree
from lockfree._segment import starting_at

LARGEST = 2**31 - 1


def use_the_pool(semaphore, inside, permits, rounds):
    """Counts the permits that are certainly out: never more than there are."""
    for i in range(rounds):
        n = i % permits + 1
        assert semaphore.acquire(n=n)
        assert inside.fetch_add(n) + n <= permits
        if i % 20 == 0:
            time.sleep(0)
        inside.fetch_sub(n)
        semaphore.release(n)


def consume(semaphore, rounds):
    for _ in range(rounds):
        assert semaphore.acquire(timeout=60)


def hold_for_ever(semaphore, n, ready):
    semaphore.acquire(n=n)
    ready.set()
    time.sleep(600)


def wait_for_ever(semaphore, n, ready):
    ready.set()
    semaphore.acquire(n=n)
    time.sleep(600)


def take_and_leave(semaphore, n):
    semaphore.acquire(n=n)


@pytest.fixture
def semaphore():
    with contextlib.closing(lockfree.Semaphore(3, 5)) as made:
        yield made


# ---- one thread ----


def test_a_new_one(semaphore):
    assert (semaphore.value, semaphore.max_value) == (3, 5)
    with contextlib.closing(lockfree.Semaphore()) as plain:
        assert (plain.value, plain.max_value) == (1, LARGEST)


def test_all_or_nothing(semaphore):
    assert semaphore.acquire(n=2) is True
    assert semaphore.acquire(False, n=2) is False
    assert semaphore.try_acquire(2) is False
    assert semaphore.acquire(timeout=0.02, n=2) is False
    assert semaphore.value == 1
    assert semaphore.try_acquire() is True
    assert semaphore.acquire(blocking=False) is False
    semaphore.release(3)
    assert semaphore.value == 3


def test_above_max_value_nothing_changes(semaphore):
    with pytest.raises(ValueError, match="release of 3 at a value of 3: above max_value 5"):
        semaphore.release(3)
    assert semaphore.value == 3
    semaphore.release(2)
    with pytest.raises(ValueError, match="above max_value"):
        semaphore.release()
    assert semaphore.value == 5


@pytest.mark.parametrize("n", [0, -1, 6, 2**64, -(2**70)])
def test_n_out_of_bounds(semaphore, n):
    for call in (semaphore.release, semaphore.try_acquire, lambda n: semaphore.acquire(n=n)):
        with pytest.raises(ValueError, match=f"n is {n}: it must be between 1 and 5"):
            call(n)
    assert semaphore.value == 3


@pytest.mark.parametrize("n", [1.5, "1", None], ids=str)
def test_n_of_the_wrong_type(semaphore, n):
    for call in (semaphore.release, semaphore.try_acquire, lambda n: semaphore.acquire(n=n)):
        with pytest.raises(TypeError, match="n is"):
            call(n)
    assert semaphore.value == 3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((-1,), ValueError),
        ((2**31,), ValueError),
        ((3, 2), ValueError),
        ((0, 0), ValueError),
        ((0, -5), ValueError),
        ((1, 2**31), ValueError),
        ((1.5,), TypeError),
        ((1, "2"), TypeError),
    ],
    ids=str,
)
def test_bad_arguments_of_the_constructor(arguments, error):
    with pytest.raises(error):
        lockfree.Semaphore(*arguments)


def test_bad_timeouts(semaphore):
    with pytest.raises(ValueError, match="timeout"):
        semaphore.acquire(timeout=math.nan)
    with pytest.raises(ValueError, match="non-blocking"):
        semaphore.acquire(False, 1)
    assert semaphore.value == 3


def test_a_timeout_is_kept():
    with contextlib.closing(lockfree.Semaphore(0)) as semaphore:
        start = time.monotonic()
        assert semaphore.acquire(timeout=0.15) is False
        assert 0.15 <= time.monotonic() - start < 5


def test_as_a_context_manager(semaphore):
    with semaphore as entered:
        assert entered is semaphore
        assert semaphore.value == 2
    assert semaphore.value == 3


def test_largest_values():
    with contextlib.closing(lockfree.Semaphore(LARGEST)) as semaphore:
        with pytest.raises(ValueError, match="above max_value"):
            semaphore.release()
        assert semaphore.acquire(n=LARGEST)
        assert semaphore.value == 0
        semaphore.release(LARGEST)
        assert semaphore.value == LARGEST


def test_the_operation_counters_may_wrap():
    with contextlib.closing(starting_at(2**32 - 5, lockfree.Semaphore, 2)) as semaphore:
        for _ in range(20):
            assert semaphore.acquire(n=2)
            assert not semaphore.try_acquire()
            semaphore.release(2)
        assert semaphore.value == 2


def test_repr(semaphore):
    assert repr(semaphore) == "<lockfree.Semaphore value=3 max_value=5>"
    semaphore.close()
    assert repr(semaphore) == "<lockfree.Semaphore closed>"


# ---- life ----


def test_use_after_close(semaphore):
    semaphore.close()
    semaphore.close()
    for call in (semaphore.acquire, semaphore.try_acquire, semaphore.release, lambda: semaphore.value):
        with pytest.raises(lockfree.Closed):
            call()


def test_use_of_a_bound_call_after_close(semaphore):
    calls = semaphore.acquire, semaphore.try_acquire, semaphore.release
    semaphore.close()
    for call in calls:
        with pytest.raises(lockfree.Closed):
            call()


def test_close_wakes_sleepers():
    semaphore = lockfree.Semaphore(0)
    caught = []

    def sleep_on_it():
        try:
            semaphore.acquire()
        except lockfree.Closed as closed:
            caught.append(closed)

    threads = [threading.Thread(target=sleep_on_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    semaphore.close()
    for thread in threads:
        thread.join(10)
    assert len(caught) == 3


def test_by_name(shm_name):
    semaphore = lockfree.Semaphore(2, 7, name=shm_name)
    other = lockfree.Semaphore.attach(shm_name)
    assert (other.value, other.max_value) == (2, 7)
    other.acquire()
    assert semaphore.value == 1
    with pytest.raises(FileExistsError):
        lockfree.Semaphore(name=shm_name)
    other.close()
    assert semaphore.value == 2  # what it held came back
    semaphore.unlink()
    with pytest.raises(FileNotFoundError):
        lockfree.Semaphore.attach(shm_name)


def test_an_unrelated_program_attaches(shm_name):
    semaphore = lockfree.Semaphore(0, name=shm_name)
    program = "import sys, lockfree; lockfree.Semaphore.attach(sys.argv[1]).release(3)"
    flags = subprocess._args_from_interpreter_flags()
    subprocess.run([sys.executable, *flags, "-c", program, shm_name], check=True, timeout=STUCK)
    assert semaphore.acquire(n=3, timeout=10)


def test_it_travels_through_a_connection(semaphore):
    ours, theirs = multiprocessing.Pipe()
    ours.send(semaphore)
    received = theirs.recv()
    received.acquire(n=3)
    assert semaphore.value == 0
    received.release(3)
    received.close()
    assert semaphore.value == 3


# ---- contention ----


def test_never_more_than_the_permits_are_out(context):
    permits, rounds = 3, 300
    with contextlib.closing(lockfree.Semaphore(permits, permits)) as semaphore, lockfree.AtomicI64() as inside:
        arguments = (semaphore, inside, permits, rounds)
        children = [context.Process(target=use_the_pool, args=arguments) for _ in range(2)]
        threads = [threading.Thread(target=use_the_pool, args=arguments) for _ in range(2)]
        for worker in children + threads:
            worker.start()
        for worker in children + threads:
            worker.join(60)
        assert [child.exitcode for child in children] == [0, 0]
        assert (semaphore.value, inside.value) == (permits, 0)


def test_signals_reach_other_processes(context):
    with contextlib.closing(lockfree.Semaphore(0)) as semaphore:
        children = [context.Process(target=consume, args=(semaphore, 300)) for _ in range(2)]
        for child in children:
            child.start()
        for _ in range(600):
            semaphore.release()
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0, 0]
        assert semaphore.value == 0


def test_one_for_many_permits_is_not_starved():
    stop = threading.Event()
    with contextlib.closing(lockfree.Semaphore(3, 3)) as semaphore:

        def churn():
            while not stop.is_set():
                with semaphore:
                    time.sleep(0.0005)

        threads = [threading.Thread(target=churn) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                assert semaphore.acquire(timeout=20, n=3)
                semaphore.release(3)
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)


def test_ctrl_c_ends_a_wait_and_gives_the_place_up(alarm):
    with contextlib.closing(lockfree.Semaphore(1)) as semaphore:
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt), alarm(0.15):
            semaphore.acquire(n=2)
        assert time.monotonic() - start < 5
        with contextlib.closing(lockfree.Semaphore(0)) as done:
            thread = threading.Thread(target=lambda: done.release() if semaphore.acquire(timeout=10) else None)
            thread.start()
            assert done.acquire(timeout=10)
            thread.join(10)
        semaphore.release()


def test_a_sleeper_uses_no_cpu():
    with contextlib.closing(lockfree.Semaphore(0)) as semaphore:
        before = time.thread_time()
        assert not semaphore.acquire(timeout=0.5)
        assert time.thread_time() - before < 0.05


# ---- death ----


def test_permits_of_the_killed_come_back(context):
    with contextlib.closing(lockfree.Semaphore(4, 10)) as semaphore:
        ready = context.Event()
        child = context.Process(target=hold_for_ever, args=(semaphore, 3, ready))
        child.start()
        assert ready.wait(STUCK)
        assert semaphore.value == 1
        assert not semaphore.acquire(timeout=0.02, n=4)
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        start = time.monotonic()
        assert semaphore.acquire(n=4)
        assert time.monotonic() - start < 2
        semaphore.release(4)
        assert semaphore.value == 4


def test_a_sleeper_gets_the_permits_of_the_killed():
    context = multiprocessing.get_context("fork")
    with contextlib.closing(lockfree.Semaphore(2)) as semaphore:
        ready = context.Event()
        child = context.Process(target=hold_for_ever, args=(semaphore, 2, ready))
        child.start()
        assert ready.wait(STUCK)
        got = []
        thread = threading.Thread(target=lambda: got.append(semaphore.acquire(n=2, timeout=20)))
        thread.start()
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        thread.join(30)
        child.join(30)
        assert got == [True]


def test_a_killed_waiter_holds_nobody_up():
    context = multiprocessing.get_context("fork")
    with contextlib.closing(lockfree.Semaphore(1)) as semaphore:
        ready = context.Event()
        child = context.Process(target=wait_for_ever, args=(semaphore, 2, ready))
        child.start()
        assert ready.wait(STUCK)
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        assert semaphore.acquire(timeout=10)
        assert semaphore.value == 0


def test_permits_come_back_from_a_process_that_ends(context):
    with contextlib.closing(lockfree.Semaphore(2)) as semaphore:
        child = context.Process(target=take_and_leave, args=(semaphore, 2))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert semaphore.acquire(n=2, timeout=10)


def test_nothing_comes_back_to_a_semaphore_that_signals():
    context = multiprocessing.get_context("fork")
    with contextlib.closing(lockfree.Semaphore(0)) as semaphore:
        semaphore.release(3)
        ready = context.Event()
        child = context.Process(target=hold_for_ever, args=(semaphore, 2, ready))
        child.start()
        assert ready.wait(STUCK)
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        assert semaphore.recover_dead() == 1
        assert semaphore.value == 1


# ---- against the sequential specification ----


class SemaphoreMachine(RuleBasedStateMachine):
    """Two handles on one semaphore, as two processes have them, operated by one thread; one may leave and come back."""

    @initialize(value=st.integers(0, 4), more=st.integers(0, 3), start=st.sampled_from([0, 2**23 - 3, 2**32 - 3]))
    def create(self, value, more, start):
        self.initial, self.max = value, max(1, value + more)
        self.value = value
        self.held = [0, 0]
        self.handles = [starting_at(start, lockfree.Semaphore, value, self.max)]
        self.handles.append(self.another())

    def another(self):
        ours, theirs = multiprocessing.Pipe()
        ours.send(self.handles[0])
        return theirs.recv()

    @rule(who=st.integers(0, 1), n=st.integers(1, 7), how=st.sampled_from(["try", "nonblocking", "zero", "short"]))
    def acquire(self, who, n, how):
        semaphore = self.handles[who]
        call = {
            "try": lambda: semaphore.try_acquire(n),
            "nonblocking": lambda: semaphore.acquire(False, n=n),
            "zero": lambda: semaphore.acquire(timeout=0, n=n),
            "short": lambda: semaphore.acquire(timeout=1e-4, n=n),
        }[how]
        if n > self.max:
            with pytest.raises(ValueError, match="n is"):
                call()
            return
        taken = call()
        assert taken is (self.value >= n)
        if taken:
            self.value -= n
            self.held[who] += n

    @rule(who=st.integers(0, 1), n=st.integers(1, 7))
    def release_what_it_holds(self, who, n):
        n = min(n, self.held[who])
        if n:
            self.handles[who].release(n)
            self.value += n
            self.held[who] -= n

    @rule(who=st.integers(0, 1), n=st.integers(1, 7))
    def release_too_much(self, who, n):
        if self.value + n > self.max:
            with pytest.raises(ValueError, match="n is|above max_value"):
                self.handles[who].release(n)

    @rule()
    def the_second_leaves_and_comes_back(self):
        self.handles[1].close()
        self.value += self.held[1]
        self.held[1] = 0
        self.handles[1] = self.another()

    @invariant()
    def both_see_the_value(self):
        for handle in getattr(self, "handles", ()):
            assert handle.value == self.value
            assert 0 <= handle.value <= self.max

    def teardown(self):
        for handle in getattr(self, "handles", ()):
            handle.close()


TestSemaphoreMachine = SemaphoreMachine.TestCase
TestSemaphoreMachine.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def test_get_value_is_value():
    with lockfree.Semaphore(3) as pool:
        assert pool.get_value() == pool.value == 2
