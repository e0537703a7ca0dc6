"""Views, leases and batches of the containers: what is kept, what a generator or a handler does meanwhile, and no memory."""

import array
import contextlib
import inspect
import itertools
import mmap
import os
import queue
import resource
import signal
import subprocess
import sys
import sysconfig
import threading
import time

import numpy as np
import pytest
from patience import STUCK

import lockfree
from lockfree._native import PURE

POINT = np.dtype([("a", "u4"), ("b", "u4")])
native = pytest.mark.skipif(PURE, reason="methods in Python have windows: this is what the C types are for")


class Kind:
    """One kind of container, spoken to alike."""

    def __init__(self, name):
        self.make = getattr(lockfree, name)
        self.is_queue = name == "PriorityQueue"
        self.in_place = name == "SPSCRing"
        self.more = (0,) if self.is_queue else ()

    def record(self, found):
        return found[1] if self.is_queue and found is not None else found

    def put(self, ring, record, **named):
        ring.put(record, *self.more, **named)

    def put_many(self, ring, records, **named):
        return ring.put_many(records, *self.more, **named)

    def commit(self, ring, *length):
        ring.commit(*self.more, *length)

    def get(self, ring, **named):
        return self.record(ring.get(**named))

    def peek(self, ring):
        return self.record(ring.peek())

    def everything(self, ring):
        return [self.record(found) for found in ring.get_many(99)]


@pytest.fixture(params=["SPSCRing", "MPMCRing", "PriorityQueue"])
def kind(request):
    return Kind(request.param)


# ---- views ----


@pytest.mark.parametrize("size", [8, 100_000])
@pytest.mark.parametrize("end", ["commit", "cancel"])
def test_a_reservation_that_is_kept_changes_nothing(kind, size, end):
    with kind.make(2, size) as ring:
        view = ring.reserve()
        arrays = [np.frombuffer(view, "u1"), np.frombuffer(view[2:6], "u1"), np.asarray(memoryview(view).cast("B"))]
        view[:4] = b"good"
        kind.commit(ring, 4) if end == "commit" else ring.cancel()
        with pytest.raises(ValueError, match="released"):
            view[0] = 1
        for kept in arrays:
            kept[:] = 7
        if end == "commit":
            assert kind.get(ring) == b"good"
        for _ in range(3):
            again = ring.reserve()
            for kept in arrays:
                kept[:] = 9
            again[:3] = b"new"
            kind.commit(ring, 3)
            assert kind.get(ring) == b"new"


@pytest.mark.parametrize("size", [8, 100_000])
def test_a_peeked_view_that_is_kept_shows_its_own_record_and_changes_nothing(kind, size):
    with kind.make(2, size) as ring:
        kind.put(ring, b"first123")
        view = kind.peek(ring)
        kept = np.frombuffer(view, "u1")
        ring.release()
        with pytest.raises(ValueError, match="released"):
            bytes(view)
        for _ in range(3):
            kind.put(ring, b"second12")
            assert kept.tobytes() == b"first123"
            kept[0] = 0x66
            assert bytes(kind.peek(ring)) == b"second12"
            ring.release()


def test_arrays_of_a_dtype_that_are_kept(kind):
    with kind.make(4, dtype=POINT) as ring:
        view = ring.reserve()
        field = view["a"]
        view["a"] = 1
        kind.commit(ring)
        view["a"] = field[...] = 99
        peeked = kind.peek(ring)
        assert peeked["a"] == 1
        ring.release()
        for i in range(4):
            kind.put(ring, (i, i))
        assert peeked["a"] == 1
        peeked["a"] = 1234
        assert [int(record["a"]) for record in kind.everything(ring)] == [0, 1, 2, 3]


def test_a_record_of_a_dtype_is_the_callers_own(kind):
    with kind.make(4, dtype="(2,)i4") as ring:
        kind.put_many(ring, np.array([[1, 2], [3, 4]], "i4"))
        first = kind.get(ring)
        second = kind.get(ring)
        second[:] = 9
        assert first.tolist() == [1, 2]


def test_views_survive_the_object_and_its_memory(kind):
    ring = kind.make(2, 8)
    kind.put(ring, b"peeked..")
    peeked, reserved = memoryview(kind.peek(ring)), memoryview(ring.reserve())
    ring.close()
    del ring
    reserved[:] = b"anything"
    assert bytes(peeked) == b"peeked.."


def test_a_put_between_reserve_and_commit_is_not_written_over(kind):
    with kind.make(2, 8) as ring:
        view = ring.reserve()
        view[:] = b"reserved"
        kind.put(ring, b"put")
        if kind.in_place:
            with pytest.raises(RuntimeError, match="none to give back"):
                kind.commit(ring)
        else:
            kind.commit(ring)
        assert kind.everything(ring) == ([b"put"] if kind.in_place else [b"put", b"reserved"])


# ---- iterators ----


def test_what_does_not_fit_stays_in_the_iterator(kind):
    with kind.make(3, 8) as ring:
        numbers = (b"%d" % n for n in itertools.count())
        assert kind.put_many(ring, numbers) == 3
        assert kind.put_many(ring, numbers) == 0
        assert next(numbers) == b"3"
        assert kind.everything(ring) == [b"0", b"1", b"2"]
        assert kind.put_many(ring, iter([b"x"])) == 1
        assert kind.put_many(ring, iter(())) == 0
        assert kind.put_many(ring, {b"y": 1}) == 1
        assert kind.everything(ring) == [b"x", b"y"]


def test_an_iterator_that_raises_leaves_no_slot_behind(kind):
    def numbers(wrong):
        yield b"1"
        if isinstance(wrong, BaseException):
            raise wrong
        yield wrong

    with kind.make(3, 8) as ring:
        for wrong, error, match in (
            (KeyError("mine"), KeyError, "mine"),
            (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
            ("text", TypeError, "bytes-like"),
            (b"123456789", ValueError, r"records\[1\] has 9 bytes"),
        ):
            with pytest.raises(error, match=match):
                kind.put_many(ring, numbers(wrong))
            assert kind.everything(ring) == [b"1"]
        assert kind.put_many(ring, [b"x"] * 9) == 3


def test_a_generator_may_use_the_ring_itself(kind):
    with kind.make(4, 8) as ring:

        def items():
            yield b"outer"
            kind.put(ring, b"inner", block=False)
            yield b"last"

        assert kind.put_many(ring, items()) == 2
        assert sorted(kind.everything(ring)) == [b"inner", b"last", b"outer"]
        assert kind.put_many(ring, [b"x"] * 9) == 4


def test_a_generator_may_close_the_ring(kind):
    ring = kind.make(4, 8)

    def items():
        yield b"1"
        ring.close()
        yield b"2"

    with pytest.raises(lockfree.Closed):
        kind.put_many(ring, items())


def count_of(kind, ring, items):
    """How many went in: an item that was taken and refused is in the exception, with the count."""
    try:
        return kind.put_many(ring, items)
    except lockfree.Closed as closed:
        return getattr(closed, "put", 0)


def test_a_generator_may_shut_the_ring_down(kind):
    ring = kind.make(4, 8)

    def items():
        yield b"1"
        yield b"2"
        ring.shutdown()
        yield b"3"

    with ring:
        accepted = count_of(kind, ring, items())
        with pytest.raises(lockfree.Closed):
            kind.put_many(ring, iter([b"4"]))
        assert accepted == len(kind.everything(ring))


def test_a_shutdown_between_two_items_of_an_iterator(kind):
    """What went in before it is the answer, so that nobody counts fewer records than consumers get."""
    for _ in range(20):
        with kind.make(64, 8) as ring:
            accepted = []
            begun = threading.Event()

            def produce(ring=ring, accepted=accepted, begun=begun):
                def items():
                    for n in range(64):
                        begun.set()
                        yield b"%d" % n
                        time.sleep(0)

                accepted.append(count_of(kind, ring, items()))

            producer = threading.Thread(target=produce)
            producer.start()
            begun.wait()
            ring.shutdown()
            producer.join()
            assert sum(accepted) == ring.qsize()


def test_priorities_of_an_iterator():
    with lockfree.PriorityQueue(4, 8, 3) as q:
        records = iter([b"a", b"b", b"c"])
        assert q.put_many(records, [2, 1]) == 2
        assert next(records) == b"c"
        with pytest.raises(ValueError, match=r"priorities\[1\] is 3"):
            q.put_many(iter([b"d", b"e"]), [0, 3])
        assert q.get_many(9) == [(0, b"d"), (1, b"b"), (2, b"a")]
        assert q.put_many([b"x"] * 9, 0) == 4


def test_a_list_that_changes_while_it_is_walked(kind):
    class Nasty:
        def __init__(self, records):
            self.records = records

        def __buffer__(self, _flags):
            self.records.clear()
            return memoryview(b"nasty")

    records = []
    records += [bytearray(b"1"), bytearray(b"2"), Nasty(records) if sys.version_info >= (3, 12) else b"nasty", b"3"]
    with kind.make(8, 8) as ring:
        assert kind.put_many(ring, records) == 4
        assert kind.everything(ring) == [b"1", b"2", b"nasty", b"3"]


def test_a_list_that_another_thread_changes(kind):
    records, stop = [b"a"] * 100, threading.Event()

    def mutate():
        for i in itertools.count():
            if stop.is_set():
                return
            records[:] = [b"%d" % i] * (100 + i % 50) if i % 2 else [bytearray(4000)] * 50

    with kind.make(256, 4000) as ring:
        thread = threading.Thread(target=mutate)
        thread.start()
        try:
            for _ in range(100):
                kind.put_many(ring, records)
                kind.everything(ring)
                kind.everything(ring)
                kind.everything(ring)
        finally:
            stop.set()
            thread.join()


ONE = [b"abc", bytearray(b"abc"), memoryview(b"abc"), array.array("B", b"abc"), "text", mmap.mmap(-1, 8)]


@pytest.mark.parametrize("records", ONE, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("record", [{"record_size": 8}, {"dtype": "u1"}, {"dtype": "f8"}], ids=str)
def test_one_bytes_like_object_is_no_batch(kind, records, record):
    with kind.make(9, **record) as ring:
        with pytest.raises(TypeError, match="it must be a sequence of records or a 2-D buffer"):
            kind.put_many(ring, records)
        assert ring.qsize() == 0


@pytest.mark.parametrize("records", [7, None, 1.5, object()])
def test_what_is_no_batch_at_all(kind, records):
    with kind.make(9, 8) as ring, pytest.raises(TypeError, match="it must be a sequence of records or a 2-D buffer"):
        kind.put_many(ring, records)


# ---- waiting with batches, arrays ----


@pytest.mark.parametrize("batch", [lambda: [b"a", b"b"], lambda: iter([b"a", b"b"]), lambda: np.full((2, 1), 97, "u1")])
def test_put_many_can_wait(kind, batch):
    with kind.make(1, 8) as ring:
        assert kind.put_many(ring, batch(), block=True, timeout=1) == 1
        with pytest.raises(queue.Full):
            kind.put_many(ring, batch(), block=True, timeout=0.01)
        with pytest.raises(ValueError, match="timeout is -1"):
            kind.put_many(ring, batch(), block=True, timeout=-1)
        got = []
        timer = threading.Timer(0.03, lambda: got.append(kind.get(ring)))
        timer.start()
        assert kind.put_many(ring, batch(), block=True, timeout=30) == 1
        timer.join()
        assert got == [b"a"]


def test_get_many_as_an_array(kind):
    with kind.make(8, dtype=POINT) as ring:
        rows = np.zeros(5, POINT)
        rows["a"] = np.arange(5)
        kind.put_many(ring, rows)
        got = ring.get_many(3, as_array=True)
        if kind.is_queue:
            ranks, got = got
            assert ranks.dtype == np.uint32
            assert ranks.tolist() == [0, 0, 0]
        assert (got.dtype, got["a"].tolist()) == (POINT, [0, 1, 2])
        got = ring.get_many(9, True, 1, True)
        assert (got[1] if kind.is_queue else got)["a"].tolist() == [3, 4]
        got = ring.get_many(9, as_array=True)
        assert (got[1] if kind.is_queue else got).shape == (0,)
    with kind.make(8, 8) as ring, pytest.raises(TypeError, match="has no dtype"):
        ring.get_many(3, as_array=True)


# ---- leases, forks, threads ----


def test_a_lease_that_is_dropped_comes_again(kind):
    with kind.make(2, 8) as ring:
        kind.put(ring, b"x")
        lease = ring.lease()
        assert ring.qsize() == 1  # nothing is taken before the block begins
        assert kind.record(lease.__enter__()) == b"x"
        with pytest.raises(RuntimeError, match="this lease has a record already"):
            lease.__enter__()
        del lease
        assert kind.everything(ring) == [b"x"]


def test_a_lease_whose_ring_is_closed_says_so(kind):
    ring = kind.make(2, 8)
    kind.put(ring, b"x")
    with pytest.raises(lockfree.Closed), ring.lease():
        ring.close()
    ring = kind.make(2, 8)
    kind.put(ring, b"x")
    with pytest.raises(ZeroDivisionError), ring.lease():  # noqa: PT012
        ring.close()
        1 / 0  # noqa: B018


def test_a_child_writes_into_nothing_of_its_parents(kind):
    with kind.make(4, 8) as ring:
        view = ring.reserve()
        view[:6] = b"parent"
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                view[:6] = b"child!"
                for call in (lambda: kind.commit(ring), ring.cancel):
                    try:
                        call()
                    except RuntimeError as error:
                        code = 0 if "nothing in hand" in str(error) else 2
                    else:
                        code = 3
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        kind.commit(ring, 6)
        assert kind.everything(ring) == [b"parent"]


def test_many_threads_with_something_in_hand():
    with lockfree.MPMCRing(8, 8) as ring:
        for _ in range(50):
            threads = [threading.Thread(target=lambda: (ring.reserve(), ring.commit(1))) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(ring.get_many(9)) == 4
        assert ring.put_many([b"x"] * 9) == 8


# ---- no memory ----

NO_MEMORY = """
import resource, sys, lockfree
kind, size = sys.argv[1], 64 << 20
more = (0,) if kind == "PriorityQueue" else ()
ring = getattr(lockfree, kind)(2, size)
ring.put(b"first", *more); ring.put(bytes(size), *more); ring.get()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), resource.RLIM_INFINITY))
for call in (ring.get, ring.try_get, ring.get_nowait, lambda: ring.get_many(3), ring.peek, lambda: ring.lease().__enter__()):
    try:
        call()
    except MemoryError:
        pass
    else:
        raise SystemExit("no MemoryError")
    assert ring.qsize() == 1, ring
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
found = ring.get(False)
assert len(found[1] if more else found) == size
assert ring.put_many([b"x"] * 9, *more) == 2
"""


def test_without_memory_no_record_is_lost(kind):
    if resource.getrlimit(resource.RLIMIT_AS)[1] != resource.RLIM_INFINITY:
        pytest.skip("the address space is limited already")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("the allocator of free-threaded builds keeps address space in reserve: a limit does not reach it")
    name = kind.make.__name__
    done = subprocess.run([sys.executable, "-c", NO_MEMORY, name], capture_output=True, text=True, timeout=STUCK)
    if "OSError: [Errno 28]" in done.stderr or "OSError: [Errno 12]" in done.stderr:
        pytest.skip("the machine has no 128 MiB to spare")
    assert done.returncode == 0, done.stderr


# ---- signals ----

STORM = """
import os, random, signal, sys, threading, time, lockfree
kind = sys.argv[1]
more = (0,) if kind == "PriorityQueue" else ()
ring = getattr(lockfree, kind)(16, 8)
class Stop(Exception): pass
def handler(*_): raise Stop
signal.signal(signal.SIGUSR1, handler)
def loop():
    while True:
        view = ring.reserve()
        view[:1] = b"x"
        ring.commit(*more, 1)
        ring.put_many(iter([b"y"]), *more)
        ring.put_many([b"z"], *more)
        ring.peek()
        ring.release()
        with ring.lease():
            pass
        ring.get_many(1)
def hands_off():
    for back in (ring.cancel, ring.release):
        try: back()
        except RuntimeError: pass
    while ring.try_get() is not None: pass
stopped, ended = 0, False
def shoot():
    main = threading.main_thread().ident
    while not ended:
        time.sleep(random.uniform(1e-4, 1e-3))
        signal.pthread_kill(main, signal.SIGUSR1)
thread = threading.Thread(target=shoot, daemon=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
thread.start()
for _ in range(int(sys.argv[2])):
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        loop()
    except Stop:
        stopped += 1
    while True:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            break
        except Stop:
            pass
    hands_off()
    full = ring.put_many([b"x"] * 99, *more)
    assert full == 16, f"{16 - full} slots are lost"
    hands_off()
ended = True
print(stopped)
"""


@native
def test_a_storm_of_signals_loses_no_slot(kind):
    done = subprocess.run(
        [sys.executable, "-c", STORM, kind.make.__name__, "150"], capture_output=True, text=True, timeout=STUCK
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 100


def test_a_handler_that_uses_the_ring_in_a_wait(kind):
    with kind.make(2, 8) as ring:

        def handler(*_):
            kind.put(ring, b"woken")

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            timer = threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1))
            timer.start()
            assert kind.get(ring, timeout=30) == b"woken"
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, before)


# ---- the face ----


def test_public_signatures_have_no_hooks_for_tests():
    for name in lockfree.__all__:
        thing = getattr(lockfree, name)
        if isinstance(thing, type) and not issubclass(thing, Exception):
            parameters = inspect.signature(thing.__init__).parameters
            assert not [p for p in parameters if p.startswith("_") or p == "start"], name


@native
def test_methods_are_found_on_the_type_and_named_in_errors(kind):
    with kind.make(2, 8) as ring:
        assert ring.try_put.__qualname__ == f"{kind.make.__name__}.try_put"
        assert "record" in inspect.signature(ring.try_put).parameters
        with pytest.raises(TypeError, match=rf"{kind.make.__name__}\.put\(\)"):
            ring.put()
        with pytest.raises(TypeError, match=rf"{kind.make.__name__}\.get\(\) got an unexpected keyword argument 'now'"):
            ring.get(now=True)
