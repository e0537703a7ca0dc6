"""CPython's own tests of locks, conditions and barriers (`test.lock_tests`), against ours.

What is left out stands below with its reason.
"""

import contextlib
import unittest

import pytest
from threads import in_thread

import lockfree

lock_tests = pytest.importorskip("test.lock_tests", reason="this Python has no test package")

REPR = "it wants the repr of the library's class; here it names the object as all of this package do"
FORK = "it uses _at_fork_reinit or _cond, inside the library's class; here a forked child is another participant"
THREAD = "a lock of threading may be released by any thread; here the holder alone can, so that its death is found"
LEFT_OUT = {
    "TestMutex": {
        "test_repr": REPR,
        "test_locked_repr": REPR,
        "test_at_fork_reinit": FORK,
        "test_different_thread": THREAD,
        "test_reacquire": THREAD,
    },
    "TestLockThatAnyThreadReleases": {
        "test_repr": REPR,
        "test_locked_repr": REPR,
        "test_at_fork_reinit": FORK,
        "test_state_after_timeout": "it asks for locked(), which a semaphore of threading has not, either",
        "test_timeout": "it wants a negative time-out to be refused; with a semaphore of threading it is over at once",
    },
    "TestRLock": {"test_repr": REPR, "test_locked_repr": REPR},
    "TestEvent": {"test_repr": REPR, "test_at_fork_reinit": FORK},
    "TestSemaphore": {"test_repr": REPR},
    "TestBoundedSemaphore": {"test_repr": REPR},
}


class TestMutex(lock_tests.LockTests):
    locktype = staticmethod(lockfree.Mutex)


class TestLockThatAnyThreadReleases(lock_tests.LockTests):
    """What TestMutex leaves out for THREAD: a semaphore with one permit has no holder."""

    @staticmethod
    def locktype():
        return lockfree.Semaphore(1, 1)


class TestRLock(lock_tests.RLockTests):
    locktype = staticmethod(lockfree.RLock)


class TestEvent(lock_tests.EventTests):
    eventtype = staticmethod(lockfree.Event)


class TestCondition(lock_tests.ConditionTests):
    condtype = staticmethod(lockfree.Condition)


class TestConditionOfTheLibraryOverOurLock(lock_tests.ConditionTests):
    @staticmethod
    def condtype(lock=None):
        import threading

        return threading.Condition(lockfree.RLock() if lock is None else lock)


class TestSemaphore(lock_tests.SemaphoreTests):
    semtype = staticmethod(lockfree.Semaphore)


class TestBoundedSemaphore(lock_tests.BoundedSemaphoreTests):
    @staticmethod
    def semtype(value=1):
        return lockfree.Semaphore(value, max(value, 1))


class TestBarrier(lock_tests.BarrierTests):
    barriertype = staticmethod(lockfree.Barrier)


for name, tests in LEFT_OUT.items():
    for test, reason in tests.items():
        if hasattr(globals()[name], test):  # other versions of Python have other tests
            setattr(globals()[name], test, unittest.skip(reason)(getattr(globals()[name], test)))


def test_what_is_left_out_is_in_some_suite():
    known = {test for suite in vars(lock_tests).values() if isinstance(suite, type) for test in dir(suite)}
    assert {test for tests in LEFT_OUT.values() for test in tests} <= known


@pytest.mark.parametrize("kind", ["Mutex", "SpinLock", "RLock", "Condition", "Semaphore"])
def test_a_call_as_the_locks_of_multiprocessing_take_it(kind):
    """There, `blocking` is called `block`, and None waits for ever."""
    with contextlib.closing(getattr(lockfree, kind)()) as lock:
        assert lock.acquire(block=True, timeout=None) is True
        assert in_thread(lambda: lock.acquire(block=False)) is False
        assert in_thread(lambda: lock.acquire(block=True, timeout=0.001)) is False
        assert in_thread(lambda: lock.acquire(False, block=None)) is False  # what the signature shows as its default
        assert in_thread(lambda: lock.acquire(True, 0.001, block=None)) is False
        for twice in (lambda: lock.acquire(False, block=False), lambda: lock.acquire(blocking=False, block=False)):
            with pytest.raises(TypeError, match="multiple values|at most"):
                twice()
        lock.release()
        assert lock.acquire(block=None) is True
        lock.release()
