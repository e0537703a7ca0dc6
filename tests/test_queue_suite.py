"""CPython's own tests of the queue module. They are a file of their own, since some systems leave them out of Python."""

import queue
import unittest

import pytest

import lockfree

test_queue = pytest.importorskip("test.test_queue", reason="this Python has no test package")

LEFT_OUT = {
    "TestOfQueue": {"test_shrinking_queue": "maxsize is the same for all processes, for good"},
    "TestOfSimpleQueue": {
        "test_references": "it puts an object of a local class; what is put here is a pickle, and holds no object",
    },
}


class OurQueue:
    """The module `queue` with ours in it."""

    Full, Empty, ShutDown = queue.Full, queue.Empty, lockfree.ShutDown


class TestOfQueue(test_queue.BaseQueueTestMixin, unittest.TestCase):
    type2test = lockfree.Queue  # some tests ask for the name of its class
    queue = OurQueue


class TestOfSimpleQueue(test_queue.BaseSimpleQueueTest, unittest.TestCase):
    type2test = lockfree.SimpleQueue
    queue = OurQueue


for name, tests in LEFT_OUT.items():
    for test, reason in tests.items():
        if hasattr(globals()[name], test):  # other versions of Python have other tests
            setattr(globals()[name], test, unittest.skip(reason)(getattr(globals()[name], test)))


def test_what_is_left_out_is_in_the_suite():
    known = {test for suite in vars(test_queue).values() if isinstance(suite, type) for test in dir(suite)}
    assert {test for tests in LEFT_OUT.values() for test in tests} <= known
