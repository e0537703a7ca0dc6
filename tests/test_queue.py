"""Queue, JoinableQueue and SimpleQueue: what they promise beyond MessageRing; and CPython's own tests of queues."""

import array
import asyncio
import contextlib
import copy
import copyreg
import functools
import mmap
import multiprocessing
import os
import pickle
import queue
import signal
import socket
import threading
import time
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

import lockfree
from lockfree import _pickles
from lockfree._segment import starting_at
from lockfree._sweep import segments

FORK = multiprocessing.get_context("fork")


class Money:
    """Has another pickle for a caller that asks as multiprocessing does."""

    def __init__(self, amount):
        self.amount = amount

    def __eq__(self, other):
        return type(other) is Money and self.amount == other.amount

    __hash__ = None


class Arrays:
    """What a NumPy array does, without NumPy: its memory is a buffer beside the pickle."""

    def __init__(self, *buffers):
        self.buffers = buffers

    def __reduce_ex__(self, protocol):
        return Arrays, tuple(pickle.PickleBuffer(b) for b in self.buffers)


@pytest.mark.parametrize(
    "obj",
    [0, -(2**80), "é" * 50, b"x" * 5000, 1.5, None, True, [1, (2, {3: {4}})], Money(3), range(4), bytearray(70_000)],
    ids=lambda obj: repr(obj)[:12].split(" object")[0],
)
@pytest.mark.parametrize("make", [lockfree.Queue, lockfree.JoinableQueue, lockfree.SimpleQueue])
def test_an_object_comes_out_as_it_went_in(make, obj):
    q = make()
    for _ in range(3):
        q.put(obj)
    assert [q.get() for _ in range(3)] == [obj] * 3
    assert q.empty()


def nested(depth):
    return [nested(depth - 1), {depth: (depth,)}] if depth else "end"


@pytest.mark.parametrize(
    "obj",
    [
        nested(3),
        nested(40),
        nested(300),
        list(range(63)),
        list(range(64)),
        list(range(5000)),
        {i: (i, [i]) for i in range(50)},
    ],
    ids=["nested 3", "nested 40", "nested 300", "63", "64", "5000", "dict"],
)
def test_what_is_pickled_at_once_and_what_is_not_come_out_alike(obj):
    q = lockfree.Queue()
    q.put(obj)
    q.put([Money(2), obj])
    assert q.get() == obj
    assert q.get() == [Money(2), obj]


def test_a_list_within_itself():
    q, endless = lockfree.Queue(), [1]
    endless.append(endless)
    q.put(endless)
    got = q.get()
    assert got[1] is got


def test_one_plain_object_twice_is_one_object_again():
    q, inner = lockfree.Queue(), [1, 2]
    q.put((inner, inner))
    first, second = q.get()
    assert first is second


@pytest.mark.parametrize("maxsize", [1, 2, 3, 7])
@pytest.mark.parametrize("start", [0, 2**42 - 3, 2**50 - 3])
def test_maxsize_counts_items(maxsize, start):
    q = starting_at(start, lockfree.Queue, maxsize)
    assert q.maxsize == maxsize
    for round_ in range(5):
        for i in range(maxsize):
            assert not q.full()
            q.put((round_, i))
        assert q.full()
        assert q.qsize() == maxsize
        with pytest.raises(queue.Full):
            q.put_nowait("one more")
        with pytest.raises(queue.Full):
            q.put("one more", timeout=0.001)
        assert [q.get() for _ in range(maxsize)] == [(round_, i) for i in range(maxsize)]
        with pytest.raises(queue.Empty):
            q.get_nowait()


@pytest.mark.parametrize("maxsize", [0, -1, -(2**40)])
def test_no_maxsize(maxsize):
    q = lockfree.Queue(maxsize)
    assert q.maxsize == 0
    for i in range(10_000):
        q.put_nowait(i)
    assert [q.get_nowait() for _ in range(10_000)] == list(range(10_000))


def test_a_put_waits_for_an_item_to_go():
    q = lockfree.Queue(1)
    q.put("first")
    putter = threading.Thread(target=q.put, args=("second",))
    putter.start()
    time.sleep(0.05)
    assert putter.is_alive()
    assert q.get() == "first"
    putter.join(30)
    assert q.get() == "second"


def test_more_items_than_blocks_by_default():
    q = lockfree.Queue(100_000)
    for i in range(100_000):
        q.put_nowait(i)
    with pytest.raises(queue.Full):
        q.put_nowait(0)


class TestWhatAFailureLeaves:
    def test_a_put_that_cannot_pickle_leaves_nothing(self):
        q = lockfree.Queue(1)
        for _ in range(3):
            with pytest.raises((pickle.PicklingError, AttributeError)):
                q.put(lambda: None)
            with pytest.raises(TypeError):
                q.put([1, threading.Lock()])
        assert q.empty()
        assert q.free() == q.size_bytes
        q.put_nowait([1, [2]])
        assert q.get() == [1, [2]]

    @pytest.mark.parametrize("kind", [lockfree.Queue, lockfree.JoinableQueue, lockfree.SimpleQueue])
    def test_its_type_can_name_that_of_the_objects(self, kind):
        with contextlib.closing(kind[int]()) as q:
            q.put(3)
            with contextlib.closing(copy.copy(q)) as other:
                assert other.get() == 3
                assert type(other) is kind

    def test_a_batch_that_cannot_pickle_leaves_nothing(self):
        q = lockfree.Queue()
        with pytest.raises((pickle.PicklingError, AttributeError)):
            q.put_many([1, 2, lambda: None])
        assert q.empty()

    def test_an_object_without_room_is_refused_by_its_size(self):
        q = lockfree.Queue(size_bytes=4096)
        with pytest.raises(ValueError, match=r"dumps\(obj\) has \d+ bytes: the queue takes at most \d+"):
            q.put(bytes(8192))
        with pytest.raises(ValueError, match=r"dumps\(obj\) has \d+ bytes: the queue takes at most \d+"):
            q.put(Arrays(bytearray(20_000)))
        assert q.free() == q.size_bytes
        q.put(bytes(2000))
        assert q.get() == bytes(2000)

    def test_what_cannot_be_unpickled_is_taken(self):
        q = lockfree.Queue()
        q.put(Fails())
        q.put("next")
        with pytest.raises(ZeroDivisionError):
            q.get()
        assert q.get() == "next"

    @pytest.mark.parametrize("own", [False, True])
    def test_what_has_no_memory_to_be_unpickled_is_inside_again(self, own):
        means = {"dumps": pickle.dumps, "loads": pickle.loads} if own else {}
        q = lockfree.JoinableQueue(3, **means)
        q.put([Scarce(7), bytes(10_000)])
        q.put(8)
        with needing_memory(2):
            with pytest.raises(MemoryError):
                q.get()
            assert (q.qsize(), q.unfinished()) == (2, 2)
            assert q.get() == 8  # the other one is the last one now
            with pytest.raises(MemoryError):
                asyncio.run(q.aget())
        assert q.get()[0] == 7
        assert q.free() == q.size_bytes
        q.task_done()
        q.task_done()
        assert q.join(0)

    @pytest.mark.parametrize("own", [False, True])
    def test_what_ctrl_c_interrupts_while_it_is_unpickled_is_inside_again(self, own):
        means = {"dumps": pickle.dumps, "loads": pickle.loads} if own else {}
        q = lockfree.Queue(3, **means)
        q.put(Scarce(7))
        with needing_memory(1, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            q.get()
        assert q.get_many() == [7]
        assert q.free() == q.size_bytes

    @pytest.mark.parametrize("handler", [
        lambda signum, frame: 1 / 0, lambda *_: 1 / 0, lambda *a, **k: 1 / 0, functools.partial(lambda _, *rest: 1 / 0, 0),
    ], ids=["two", "any", "named", "partial"])  # fmt: skip
    @pytest.mark.parametrize("way", ["plain", "own", "arena"])
    def test_what_a_handlers_exception_interrupts_while_it_is_unpickled_is_inside_again(self, way, handler):
        with contextlib.closing(lockfree.Arena(1 << 16)) as arena:
            means = {"own": {"dumps": pickle.dumps, "loads": pickle.loads}, "arena": {"arena": arena, "arena_from": 1}}
            q = lockfree.Queue(3, **means.get(way, {}))
            q.put([bytearray(100), Signals()])
            previous = signal.signal(signal.SIGUSR1, handler)
            try:
                with pytest.raises(ZeroDivisionError):
                    q.get()
            finally:
                signal.signal(signal.SIGUSR1, previous)
            assert q.qsize() == 1
            previous = signal.signal(signal.SIGUSR1, lambda *_: None)
            try:
                assert q.get()[0] == bytearray(100)
            finally:
                signal.signal(signal.SIGUSR1, previous)
            assert q.free() == q.size_bytes
            assert arena.available == arena.size_bytes

    def test_the_batch_before_what_had_no_memory_is_in_the_exception(self):
        q = lockfree.Queue()
        q.put_many([1, Scarce(2), 3])
        with needing_memory(1), pytest.raises(MemoryError) as caught:
            q.get_many()
        assert caught.value.taken == [1]
        assert q.get_many() == [3, 2]

    def test_what_loads_raises_says_nothing_of_the_queue(self):
        def loads(data):
            raise lockfree.Closed("something else")

        with contextlib.closing(lockfree.Queue(dumps=pickle.dumps, loads=loads)) as q:
            q.put(1)
            q.shutdown()
            with pytest.raises(lockfree.Closed, match="something else") as caught:
                q.get()
            assert type(caught.value) is lockfree.Closed
            with pytest.raises(lockfree.ShutDown):
                q.get()

    def test_a_queue_that_unpickling_closes(self):
        q = lockfree.Queue()
        with contextlib.closing(copy.copy(q)) as other:
            _named["q"] = q
            q.put(Closes())
            other.put("next")
            assert q.get() is None
            assert q.closed
            assert other.get() == "next"
            assert other.free() == other.size_bytes

    def test_a_child_that_unpickling_forks_frees_nothing(self):
        q = lockfree.Queue(size_bytes=4096)
        q.put(Forks())
        pid = q.get()
        if pid == 0:
            q.put("from the child")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert q.get() == "from the child"
        assert q.free() == q.size_bytes

    def test_a_batch_hands_over_what_it_took_before(self):
        q = lockfree.Queue()
        q.put_many([1, 2, Fails(), 3])
        with pytest.raises(ZeroDivisionError) as caught:
            q.get_many()
        assert caught.value.taken == [1, 2]
        assert q.get_many() == [3]

    def test_an_unpicklable_object_within_another_put(self):
        """A reducer that puts, fails and pickles itself: the pickler of the thread is not shared between them."""
        q = lockfree.Queue()
        q.put(Nested(q))
        assert q.get() == "inner"
        assert q.get() == "outer"
        q.put([Money(1), Nested(q), Money(2)])
        assert q.get() == "inner"
        assert q.get() == [Money(1), "outer", Money(2)]


_named = {}


def _close_it():
    _named.pop("q").close()


class Closes:
    def __reduce__(self):
        return _close_it, ()


class Forks:
    def __reduce__(self):
        return os.fork, ()


class Scarce:
    """An int on the other side, if there is memory."""

    left, error = 0, MemoryError

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return _scarce, (self.number,)


def _scarce(number):
    if Scarce.left:
        Scarce.left -= 1
        raise Scarce.error
    return number


@contextlib.contextmanager
def needing_memory(times, error=MemoryError):
    Scarce.left, Scarce.error = times, error
    yield
    assert Scarce.left == 0


class Signals:
    """Its unpickling is interrupted by a signal."""

    def __reduce__(self):
        return _be_interrupted, ()


def _be_interrupted():
    signal.raise_signal(signal.SIGUSR1)


class Fails:
    def __reduce__(self):
        return divmod, (1, 0)


class Nested:
    def __init__(self, q):
        self.q = q

    def __reduce__(self):
        with pytest.raises(TypeError):
            self.q.put([threading.Lock()])
        self.q.put("inner")
        return str, ("outer",)


class TestBuffers:
    def test_they_come_out_writable_and_whole(self):
        q = lockfree.Queue()
        large, small = array.array("d", range(10_000)), array.array("i", range(10))
        q.put(Arrays(large, small, bytes(range(256)) * 100))
        one, two, three = q.get().buffers
        assert memoryview(one).cast("B").cast("d").tolist() == large.tolist()
        assert bytes(two) == small.tobytes()
        assert bytes(three) == bytes(range(256)) * 100
        assert not memoryview(one).readonly
        assert memoryview(three).readonly
        memoryview(one)[0] = 1

    def test_they_do_not_travel_in_the_pickle(self):
        pieces = _pickles.dumps(Arrays(bytearray(_pickles.LARGE), bytearray(_pickles.LARGE - 1)))
        assert [len(p) for p in pieces if isinstance(p, memoryview)] == [_pickles.LARGE]

    def test_they_are_aligned(self):
        for sizes in ((20_000, 20_001, 17_003), (_pickles.LARGE,), (40_001, 16_385)):
            at = 0
            for piece in _pickles.dumps(Arrays(*map(bytearray, sizes))):
                assert at % 16 == 0 or not isinstance(piece, memoryview)
                at += len(piece)

    def test_numpy_arrays(self):
        np = pytest.importorskip("numpy")
        q = lockfree.Queue()
        made = {
            "a": np.arange(50_000.0).reshape(50, 1000),
            "b": np.arange(6)[::2],
            "c": np.asfortranarray(np.ones((200, 300))),
        }
        q.put(made)
        got = q.get()
        assert all((got[k] == made[k]).all() for k in made)
        got["a"][0] = 7
        assert got["c"].flags.f_contiguous

    @pytest.mark.parametrize("cut", [1, 8, 20, 30, 60, -1])
    def test_a_message_that_is_cut_off_is_refused(self, cut):
        whole = b"".join(_pickles.dumps(Arrays(bytearray(20_000))))
        with pytest.raises(pickle.UnpicklingError):
            _pickles.loads(whole[:cut])

    def test_lengths_that_cannot_be_are_refused(self):
        whole = bytearray(b"".join(_pickles.dumps(Arrays(bytearray(20_000)))))
        for at in (8, 16, 24):
            for value in (0, 2**32, 2**63 - 1, 2**64 - 1):
                bad = whole.copy()
                bad[at : at + 8] = value.to_bytes(8, "little")
                with pytest.raises(pickle.UnpicklingError):
                    _pickles.loads(bad)


class TestReducers:
    def test_those_of_multiprocessing_are_used(self):
        q = lockfree.Queue()
        left, right = socket.socketpair()
        with left, right:
            q.put(left)
            with q.get() as again:
                again.sendall(b"hello")
            assert right.recv(5) == b"hello"

    def test_one_that_is_registered_later_is_used(self):
        q = lockfree.Queue()
        q.put(Money(1))
        assert q.get() == Money(1)
        ForkingPickler.register(Money, lambda money: (Money, (money.amount + 1000,)))
        try:
            q.put([Money(1)])
            assert q.get() == [Money(1001)]
        finally:
            del ForkingPickler._extra_reducers[Money]
        q.put(Money(1))
        assert q.get() == Money(1)
        copyreg.pickle(Money, lambda money: (Money, (money.amount + 2000,)))
        try:
            q.put(Money(1))
            assert q.get() == Money(2001)
        finally:
            del copyreg.dispatch_table[Money]

    @pytest.mark.parametrize(
        ("register", "table"),
        [(copyreg.pickle, copyreg.dispatch_table), (ForkingPickler.register, ForkingPickler._extra_reducers)],
    )
    def test_one_that_takes_the_place_of_another_is_used(self, register, table):
        q = lockfree.Queue()
        for more in (1000, 2000):
            register(Money, lambda money, more=more: (Money, (money.amount + more,)))
            q.put([Money(1)])
            assert q.get() == [Money(1 + more)]
        register(Fails, Fails.__reduce__)  # as many as before
        del table[Money]
        try:
            q.put([Money(1)])
            assert q.get() == [Money(1)]
        finally:
            del table[Fails]

    def test_own_ones(self):
        q = lockfree.Queue(2, dumps=str.encode, loads=bytes.decode)
        q.put("text")
        assert q.get() == "text"
        assert q.put_many(["a", "b", "c"]) == 2
        assert q.get_many() == ["a", "b"]
        with pytest.raises(TypeError):
            q.put(1)
        raw = lockfree.Queue(dumps=bytes, loads=bytes)
        raw.put(b"x" * 10_000)
        assert raw.get() == b"x" * 10_000

    @pytest.mark.parametrize("calls", [{"dumps": 1, "loads": bytes}, {"dumps": bytes, "loads": "x"}])
    def test_what_cannot_be_called_is_refused(self, calls):
        with pytest.raises(TypeError, match="callable"):
            lockfree.Queue(**calls)

    def test_one_alone_is_refused(self):
        with pytest.raises(ValueError, match="come together"):
            lockfree.Queue(dumps=bytes)


class TestTasks:
    def test_join_waits_for_what_was_taken(self):
        q = lockfree.JoinableQueue()
        assert q.join(timeout=0) is True
        q.put("a")
        assert q.join(timeout=0.001) is False
        assert q.get() == "a"
        assert q.unfinished() == 1
        assert q.join(timeout=0.001) is False
        q.task_done()
        assert q.join() is True

    def test_too_many(self):
        q = lockfree.JoinableQueue()
        q.put(1)
        q.task_done()
        with pytest.raises(ValueError, match="task_done"):
            q.task_done()

    def test_a_sleeper_wakes(self):
        q = lockfree.JoinableQueue()
        q.put(1)
        joined = threading.Event()
        sleeper = threading.Thread(target=lambda: (q.join(), joined.set()))
        sleeper.start()
        time.sleep(0.05)
        assert not joined.is_set()
        q.get()
        q.task_done()
        sleeper.join(30)
        assert joined.is_set()

    def test_an_immediate_shutdown_ends_a_join(self):
        q = lockfree.JoinableQueue()
        q.put_many([1, 2, 3])
        q.get()
        sleeper = threading.Thread(target=q.join)
        sleeper.start()
        q.shutdown(immediate=True)
        assert sleeper.is_alive()
        q.task_done()
        sleeper.join(30)
        assert not sleeper.is_alive()

    def test_close_ends_a_join(self):
        q = lockfree.JoinableQueue()
        q.put(1)
        raised = []

        def joins():
            try:
                q.join()
            except lockfree.Closed as error:
                raised.append(error)

        sleeper = threading.Thread(target=joins)
        sleeper.start()
        time.sleep(0.02)
        q.close()
        sleeper.join(30)
        assert raised


class TestEnds:
    def test_shutdown_lets_what_is_inside_out(self):
        q = lockfree.Queue()
        q.put(1)
        q.shutdown()
        for put in (q.put, q.put_nowait, q.try_put, lambda x: q.put_many([x])):
            with pytest.raises(lockfree.ShutDown):
                put(2)
        assert q.get() == 1
        for get in (q.get, q.get_nowait, q.try_get, q.get_many, lambda: q.get(timeout=1)):
            with pytest.raises(lockfree.ShutDown):
                get()

    def test_shutdown_is_that_of_the_library_where_it_has_one(self):
        assert issubclass(lockfree.ShutDown, getattr(queue, "ShutDown", Exception))

    @pytest.mark.parametrize("immediate", [False, True])
    def test_a_shutdown_by_another_process_is_seen(self, immediate):
        q = lockfree.Queue()
        assert q.is_shutdown is False
        child = multiprocessing.get_context("fork").Process(target=q.shutdown, args=(immediate,))
        child.start()
        child.join()
        assert q.is_shutdown is True
        q.close()
        for error in (lockfree.Closed, ValueError, OSError):
            with pytest.raises(error, match="Queue: the object is closed"):
                _ = q.is_shutdown

    def test_an_immediate_shutdown(self):
        q = lockfree.Queue()
        q.put(1)
        q.shutdown(immediate=True)
        with pytest.raises(lockfree.ShutDown):
            q.get()

    @pytest.mark.parametrize("ends", ["shutdown", "close"])
    def test_sleepers_wake(self, ends):
        full, empty, raised = lockfree.Queue(1), lockfree.Queue(), []
        full.put(1)

        def sleeps(call, *arguments):
            try:
                call(*arguments)
            except Exception as error:
                raised.append(error)

        sleepers = [threading.Thread(target=sleeps, args=a) for a in ((full.put, 2), (empty.get,))]
        for sleeper in sleepers:
            sleeper.start()
        time.sleep(0.05)
        for q in (full, empty):
            getattr(q, ends)()
        for sleeper in sleepers:
            sleeper.join(30)
        kind = lockfree.ShutDown if ends == "shutdown" else ValueError
        assert [type(e) for e in raised if not isinstance(e, kind)] == []
        assert len(raised) == 2

    def test_what_multiprocessing_has_around_close(self):
        q = lockfree.Queue()
        q.cancel_join_thread()
        q.close()
        q.close()
        q.join_thread()

    @pytest.mark.parametrize(
        "call", [lambda q: q.put(1), lambda q: q.get(), lambda q: q.put_many([1]), lambda q: q.qsize()]
    )
    def test_after_close(self, call):
        q = lockfree.Queue()
        q.close()
        with pytest.raises(ValueError, match="is closed"):
            call(q)
        with pytest.raises(lockfree.Closed):
            call(q)

    def test_in_place(self):
        q = lockfree.Queue()
        for call in (q.peek, q.read):
            with pytest.raises(TypeError, match=r"use get\(\)"):
                call()


def work(tasks, results):
    for n in iter(tasks.get, None):
        results.put((n, n * n))
        tasks.task_done()
    tasks.task_done()


@pytest.mark.parametrize("method", ["fork", "spawn", pytest.param("forkserver", marks=pytest.mark.soak)])
def test_between_processes(method):
    context = multiprocessing.get_context(method)
    tasks, results = lockfree.JoinableQueue(5), lockfree.Queue()
    workers = [context.Process(target=work, args=(tasks, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in range(100):
        tasks.put(n)
    for _ in workers:
        tasks.put(None)
    tasks.join()
    for worker in workers:
        worker.join()
    assert sorted(results.get_many()) == [(n, n * n) for n in range(100)]


def test_by_name():
    name = f"test-queue-{os.getpid()}"
    with lockfree.Queue(3, name=name) as q:
        other = lockfree.Queue.attach(name)
        assert other.maxsize == 3
        other.put({"x": 1})
        assert q.get() == {"x": 1}
        own = lockfree.Queue.attach(name, dumps=str.encode, loads=bytes.decode)
        own.put("text")
        assert own.get() == "text"
        q.unlink()


def test_a_queue_is_no_message_ring(shm_name):
    """Neither opens the other, so no ring hands out pickles and no queue unpickles what somebody else's bytes are."""
    for one, other in ((lockfree.Queue, lockfree.MessageRing), (lockfree.MessageRing, lockfree.Queue)):
        with one.open(shm_name, 4096) as made:
            words = f"class: found {one.__name__}, expected {other.__name__}"
            for call in (lambda: other.attach(shm_name), lambda: other.open(shm_name, 4096)):  # noqa: B023
                with pytest.raises(lockfree.SegmentError, match=words):
                    call()
            assert sum(peer.alive for peer in made.peers()) == 1, "what was refused is no participant any more"
            assert {s.name: s.kind for s in segments()}[shm_name] == one.__name__
        with other.open(shm_name, 4096, if_dead="replace") as replaced:
            replaced.unlink()
    with lockfree.Queue(name=shm_name) as made:
        made.put(1)
        for kind in (lockfree.JoinableQueue, lockfree.SimpleQueue, lockfree.Queue):
            with kind.attach(shm_name) as same:
                assert same.qsize() == 1
        made.unlink()


def test_a_handle_keeps_its_calls(request):
    q = lockfree.Queue(2, dumps=repr_bytes, loads=eval_bytes)
    done = lockfree.Event()
    child = multiprocessing.get_context("spawn").Process(target=put_one, args=(q, done))
    child.start()
    assert q.get(timeout=60) == [1, 2]
    child.join()


def repr_bytes(obj):
    return repr(obj).encode()


def eval_bytes(data):
    return list(map(int, bytes(data).decode().strip("[]").split(",")))


def put_one(q, done):
    assert (q.maxsize, q._dumps) == (2, repr_bytes)
    q.put([1, 2])
    done.set()


def die_in(q, getting, payload):
    while True:
        if getting:
            q.get()
        else:
            q.put(payload)


@pytest.mark.parametrize("getting", [False, True], ids=["in put", "in get"])
def test_who_dies_loses_no_place_and_blocks_nobody(getting):
    """Killed at random moments under load: the others go on, and all places come back."""
    q = lockfree.Queue(4, size_bytes=4096)
    payload = b"x" * 300
    for _ in range(15):
        victim = FORK.Process(target=die_in, args=(q, getting, payload))
        victim.start()
        moved = 0
        while moved < 30:
            if getting:
                q.put(payload, timeout=30)
            else:
                assert q.get(timeout=30) == payload
            moved += 1
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
    q.recover_dead()
    q.get_many()
    assert q.free() == q.size_bytes
    for i in range(4):
        q.put_nowait(i)
    with pytest.raises(queue.Full):
        q.put_nowait(4)
    assert q.get_many() == [0, 1, 2, 3]


def test_no_thread_and_no_child():
    q = lockfree.Queue()
    before = threading.active_count(), len(os.listdir("/proc/self/task"))
    q.put("x" * 100_000)
    assert (threading.active_count(), len(os.listdir("/proc/self/task"))) == before
    assert q.get() == "x" * 100_000


def test_a_child_that_only_puts_ends_without_waiting():
    q = lockfree.Queue()
    child = FORK.Process(target=q.put, args=("x" * 1_000_000,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert q.get() == "x" * 1_000_000


def test_threads():
    q, total, lock = lockfree.Queue(3), [], threading.Lock()

    def gets():
        for n in iter(q.get, None):
            with lock:
                total.append(n)

    getters = [threading.Thread(target=gets) for _ in range(3)]
    putters = [threading.Thread(target=lambda k=k: [q.put(k * 200 + i) for i in range(200)]) for k in range(3)]
    for thread in getters + putters:
        thread.start()
    for putter in putters:
        putter.join(60)
    for _ in getters:
        q.put(None)
    for getter in getters:
        getter.join(60)
    assert sorted(total) == list(range(600))
    assert q.empty()


def test_the_tasks_that_are_not_done_are_counted():
    """As `queue.Queue` counts them; the tests of Python 3.13 look at it."""
    ours, theirs = lockfree.Queue(), queue.Queue()
    with ours:
        for q in (ours, theirs):
            q.put(1)
            q.put(2)
            q.get()
            q.task_done()
        assert ours.unfinished_tasks == theirs.unfinished_tasks == 1


@pytest.mark.parametrize("immediate", [False, True])
def test_what_a_shutdown_leaves_inside(immediate):
    """As `queue.Queue` of Python 3.13 does: nothing, if it is immediate."""
    with lockfree.Queue(3) as q:
        for number in range(3):
            q.put(number)
        q.shutdown(immediate)
        assert (q.qsize(), q.empty(), q.full()) == ((0, True, False) if immediate else (3, False, True))
        assert q.unfinished_tasks == q.qsize()


def test_put_many_of_an_iterator_leaves_what_has_no_room():
    with lockfree.Queue(4) as q:
        objects = iter(range(10))
        assert q.put_many(objects) == 4
        assert q.put_many(objects) == 0
        assert q.get_many() == [0, 1, 2, 3]
        assert q.put_many(objects, True, 1) == 4
        assert list(objects) == [8, 9]
        for call in (lambda: q.put_many(objects, True, 0.01), lambda: q.put_many(iter([5]), True, 0.01)):
            with pytest.raises(queue.Full):
                call()


@pytest.mark.parametrize(("wrong", "kind"), [(lambda: None, Exception), ("x" * 4000, ValueError)])
def test_an_object_of_an_iterator_that_cannot_be_put_is_in_the_exception(wrong, kind):
    with lockfree.Queue(size_bytes=1024) as q:
        objects = iter([None, wrong, 3])
        with pytest.raises(kind) as caught:
            q.put_many(objects)
        assert (caught.value.put, caught.value.record) == (1, wrong)
        assert q.get_many() == [None]
        assert list(objects) == [3]


ONE = [
    "text",
    b"abc",
    bytearray(b"ab"),
    memoryview(b"a"),
    array.array("B", b"abc"),
    mmap.mmap(-1, 8),
    np.zeros(3, "u1"),
]


@pytest.mark.parametrize("one", ONE, ids=lambda one: type(one).__name__)
def test_what_is_one_object_is_no_batch(one):
    with lockfree.Queue(size_bytes=4096) as q:
        with pytest.raises(TypeError, match=r"objs is one .*: it must be an iterable of objects; put\(\) takes one"):
            q.put_many(one)
        assert q.qsize() == 0
        assert q.put_many(np.array([True, False])) == 2  # numbers of one byte are no bytes
        assert q.get_many() == [True, False]
