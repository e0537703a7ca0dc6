"""record(): which operations a call becomes, for the objects of the standard library, of this package and of users."""

import array
import asyncio
import collections
import multiprocessing
import pickle
import queue
import threading
import time

import pytest

import lockfree
from lockfree.linearizability import Operation, UnknownCall, check, record

NONE = {"value": None}


def ops(proxy):
    """(operation, argument, result) of what was recorded; a fourth for keys, "open" for what never returned."""
    return [
        (o.op, o.arg, o.result, *(() if o.key is None else (o.key,)), *(("open",) if o.return_ is None else ()))
        for o in proxy.history()
    ]


def test_none_is_a_value_where_empty_is_an_exception():
    q = record(queue.Queue())
    q.put(None)
    assert q.get() is None
    with pytest.raises(queue.Empty):
        q.get(False)
    assert ops(q) == [("put", NONE, True), ("get", None, NONE), ("get", None, None)]
    assert check(q.history(), "queue").ok


class Box:
    """A queue of a user: None says EMPTY, or what it was told."""

    def __init__(self, empty=None):
        self.items, self.empty = [], empty

    def put(self, item):
        self.items.append(item)

    def get(self):
        return self.items.pop(0) if self.items else self.empty


def test_none_as_a_value_is_refused_where_it_says_empty():
    q = record(Box())
    with pytest.raises(UnknownCall, match="empty="):
        q.put(None)
    assert (q.get(), len(q._obj.items)) == (None, 0)
    q = record(Box("nothing"), empty="nothing")
    q.put(None)
    assert (q.get(), q.get()) == (None, "nothing")
    assert ops(q) == [("put", NONE, True), ("get", None, NONE), ("get", None, None)]


def test_an_object_that_raises_may_hold_none():
    class Raises(Box):
        def get(self):
            if not self.items:
                raise queue.Empty
            return self.items.pop(0)

    q = record(Raises(), empty=object())
    q.put(None), q.get()
    with pytest.raises(queue.Empty):
        q.get()
    assert ops(q) == [("put", NONE, True), ("get", None, NONE), ("get", None, None)]


def test_arguments_by_position_and_by_name():
    q = record(queue.Queue(1))
    q.put(block=False, item=7)
    with pytest.raises(queue.Full):
        q.put(8, False)
    with pytest.raises(queue.Full):
        q.put(9, True, 0.001)
    assert ops(q) == [("put", 7, True), ("put", 8, False), ("put", 9, False)]
    assert check(q.history(), "bounded-queue:1").ok


class Permits:
    def __init__(self):
        self.n = 5

    def acquire(self, n=1, blocking=True):
        if self.n < n:
            return False
        self.n -= n
        return True

    def release(self, permits=1):
        self.n += permits


def test_permits_by_position():
    s = record(Permits())
    s.acquire(3), s.acquire(3), s.release(2), s.acquire(n=4), s.acquire()
    counts = [
        ("acquire", 3, True),
        ("acquire", 3, False),
        ("release", 2, True),
        ("acquire", 4, True),
        ("acquire", 1, False),
    ]
    assert ops(s) == counts
    assert check(s.history(), "semaphore:5").ok
    s = record(threading.Semaphore(5))
    s.acquire(False), s.release(2), s.acquire(blocking=False)
    assert ops(s) == [("acquire", 1, True), ("release", 2, True), ("acquire", 1, True)]
    s = record(lockfree.Semaphore(5))
    s.acquire(True, None, 3), s.try_acquire(3), s.release(n=2), s.acquire(n=2)
    assert ops(s) == [("acquire", 3, True), ("acquire", 3, False), ("release", 2, True), ("acquire", 2, True)]
    assert check(s.history(), "semaphore:5").ok


@pytest.mark.parametrize("make", [threading.Lock, lockfree.Mutex, lockfree.SpinLock])
def test_with_takes_a_lock(make):
    lock = record(make())
    with lock:
        assert lock.acquire(False) is False
    with pytest.raises(ZeroDivisionError), lock:
        1 / 0  # noqa: B018
    assert ops(lock) == [
        ("acquire", 1, True), ("acquire", 1, False), ("release", 1, True), ("acquire", 1, True), ("release", 1, True),
    ]  # fmt: skip
    assert check(lock.history(), "mutex").ok


def test_with_opens_what_is_no_lock():
    with record(lockfree.MPMCRing(4, 8)) as ring:
        ring.put(b"a")
        assert len(ring) == 1
    assert ops(ring) == [("put", "b'a'", True)]


def test_a_lock_that_is_not_held_answers_its_release():
    lock = record(threading.Lock())
    with pytest.raises(RuntimeError):
        lock.release()
    assert ops(lock) == [("release", 1, False)]
    with pytest.raises(TypeError, match="again"):
        record(threading.RLock())


def test_a_dictionary_has_keys():
    d = record({})
    d["a"] = 1
    assert d["a"] == 1
    assert ("a" in d, "b" in d, len(d)) == (True, False, 1)
    with pytest.raises(KeyError):
        d["b"]
    with pytest.raises(KeyError):
        del d["b"]
    del d["a"]
    assert (d.get("a"), d.get("a", 5)) == (None, 5)
    d.update({"x": None}, y=2)
    assert (d.get("x", 5), d.pop("y"), d.pop("y", 9), sorted(d)) == (None, 2, 9, ["x"])
    assert ops(d) == [
        ("put", 1, True, "a"), ("get", None, 1, "a"), ("contains", None, True, "a"), ("contains", None, False, "b"),
        ("get", None, None, "b"), ("remove", None, False, "b"), ("remove", None, True, "a"), ("get", None, None, "a"),
        ("get", None, None, "a"), ("put", None, True, "x"), ("put", 2, True, "y"), ("get", None, None, "x"),
        ("get", None, 2, "y"), ("remove", None, True, "y"), ("remove", None, False, "y"),
    ]  # fmt: skip
    assert check(d.history(), "map").ok
    for change in (lambda: d.clear(), lambda: d.setdefault("q", 1), lambda: d.popitem()):
        with pytest.raises(UnknownCall, match="methods="):
            change()
    assert sorted(d) == ["x"]


class Store:
    """A client of some server."""

    def __init__(self):
        self.data = {}

    def set(self, key, value):
        self.data[key] = value

    def get(self, key):
        return self.data.get(key)

    def delete(self, key):
        self.data.pop(key, None)

    def hset(self, name, value):
        self.data[name] = value

    def expire_all(self):
        self.data.clear()

    def is_up(self):
        return True


def test_a_first_parameter_called_key_is_one():
    s = record(Store(), methods={"hset": ("put", ["key", "value"])})
    s.set("a", 1), s.get("a"), s.delete("a"), s.get(key="a"), s.hset("b", 2), s.get("b")
    assert ops(s) == [
        ("put", 1, True, "a"), ("get", None, 1, "a"), ("delete", None, True, "a"), ("get", None, None, "a"),
        ("put", 2, True, "b"), ("get", None, 2, "b"),
    ]  # fmt: skip
    assert check(s.history(), "map").ok
    assert s.is_up()


def test_a_change_that_nobody_explained_is_refused_before_it_happens():
    s = record(Store())
    s.set("a", 1)
    with pytest.raises(UnknownCall, match=r"expire_all\(\).*methods="):
        s.expire_all()
    with pytest.raises(UnknownCall, match="setting data"):
        s.data = {}
    assert s.get("a") == 1
    record(Store(), methods={"expire_all": None}).expire_all()
    with pytest.raises(TypeError, match="'kez' is none of"):
        record(Store(), methods={"hset": ("put", ["kez"])})
    with pytest.raises(TypeError, match="hset"):
        record(Store(), methods={"hset": "put"})


class Cell:
    def __init__(self):
        self.value = None

    def get(self):
        return self.value

    def set(self, value):
        self.value = value


def test_get_and_set_are_a_register():
    c = record(Cell())
    c.get(), c.set(3), c.get()
    assert ops(c) == [("read", None, None), ("write", 3, True), ("read", None, 3)]
    assert check(c.history(), "register").ok


def test_cells_of_an_array():
    a = record(array.array("i", [0, 0]))
    a[1] = 5
    assert (a[0], a[1], len(a)) == (0, 5, 2)
    assert ops(a) == [("write", 5, True, 1), ("read", None, 0, 0), ("read", None, 5, 1)]
    assert check(a.history(), "register,initial=0").ok
    with pytest.raises(UnknownCall, match="one by one"):
        a[0:1]


def test_sets_say_what_they_found_or_not():
    s = record({1})
    s.add(1), s.add(2), s.discard(9), s.remove(1), 2 in s
    with pytest.raises(KeyError):
        s.remove(1)
    assert s.pop() == 2
    assert ops(s) == [
        ("insert", 1, True), ("insert", 2, True), ("delete", 9, True), ("remove", 1, True), ("contains", 2, True),
        ("remove", 1, False), ("remove", 2, True),
    ]  # fmt: skip
    assert check(s.history(), "set").ok


def test_the_ends_of_a_deque():
    q, s, both = (record(collections.deque()) for _ in range(3))
    q.append(1), q.extend([2, 3]), q.popleft()
    assert [o[:2] for o in ops(q)] == [("put", 1), ("put", 2), ("put", 3), ("get", None)]
    assert check(q.history(), "queue").ok
    s.append(1), s.append(2), s.pop(), s.pop()
    with pytest.raises(IndexError):
        s.pop()
    assert [o[:1] + o[2:] for o in ops(s)] == [("push", True), ("push", True), ("pop", 2), ("pop", 1), ("pop", None)]
    assert check(s.history(), "stack").ok
    both.append(1), both.appendleft(2)
    with pytest.raises(UnknownCall, match="both ends"):
        both.history()
    with pytest.raises(UnknownCall, match="rotate"):
        both.rotate(1)


def test_a_list_is_a_stack_or_a_queue():
    s, q = record([]), record([])
    s.append(1), s.append(2), s.pop(), q.append(1), q.append(2), q.pop(0)
    assert ops(s)[2] == ("pop", None, 2)
    assert ops(q)[2] == ("get", None, 1)
    with pytest.raises(UnknownCall, match="middle"):
        q.pop(5)


def test_queues_of_the_standard_library():
    lifo, order, simple = record(queue.LifoQueue()), record(queue.PriorityQueue()), record(queue.SimpleQueue())
    lifo.put(1), lifo.put(2), lifo.get()
    assert check(lifo.history(), "stack").ok
    order.put((2, "b")), order.put((1, "a")), order.get()
    assert ops(order) == [("put", [2, "b"], True), ("put", [1, "a"], True), ("get", None, [1, "a"])]
    assert check(order.history(), "priority-queue,ties=any").ok
    with pytest.raises(UnknownCall, match="priority"):
        order.put("x")
    simple.put("x"), simple.get()
    assert ops(simple) == [("put", "x", True), ("get", None, "x")]


def test_what_raised_may_have_happened():
    class Client:
        def __init__(self):
            self.items = []

        def put(self, item):
            self.items.append(item)
            if item == 2:
                raise ConnectionError("lost")
            if item == 3:
                self.items.pop()
                raise PermissionError("never")

        def get(self):
            if not self.items:
                raise TimeoutError
            return self.items.pop(0)

    q = record(Client(), refused=(PermissionError,))
    q.put(1)
    for item in (2, 3):
        with pytest.raises(OSError):
            q.put(item)
    assert (q.get(), q.get()) == (1, 2)
    with pytest.raises(TimeoutError):
        q.get()
    assert ops(q) == [
        ("put", 1, True), ("put", 2, None, "open"), ("get", None, 1), ("get", None, 2), ("get", None, None, "open"),
    ]  # fmt: skip
    assert check(q.history(), "queue").ok
    assert len({o.client for o in q.history()}) == 2  # after an open call a client goes on under another number


def test_an_answer_may_be_told_by_the_name_of_the_exception():
    class WouldBlock(Exception):
        pass

    class Channel:
        def send_nowait(self, value):
            raise WouldBlock

        def receive_nowait(self):
            raise WouldBlock

    c = record(Channel())
    for call in (lambda: c.send_nowait(1), c.receive_nowait):
        with pytest.raises(WouldBlock):
            call()
    assert ops(c) == [("put", 1, False), ("get", None, None)]


def test_batches_of_a_ring():
    ring = record(lockfree.MPMCRing(4, 8))
    assert ring.put_many([b"a", b"b", b"c", b"d", b"e", b"f"]) < 6
    n = len(ring)
    assert ring.get_many(9) == [b"a", b"b", b"c", b"d", b"e", b"f"][:n]
    assert ring.get_many(2) == []
    assert [o[0] for o in ops(ring)] == ["put"] * n + ["get"] * n + ["get"]
    assert ops(ring)[-1] == ("get", None, None)
    history = list(ring.history())
    assert len({o.batch for o in history}) == 3
    assert check(history, "queue").ok
    assert not check([o._replace(result="b'b'") if i == n else o for i, o in enumerate(history)], "queue")


def test_records_in_place():
    ring = record(lockfree.MPMCRing(4, 2))
    view = ring.reserve()
    view[:] = b"ab"
    ring.put(b"zz")  # its thread may do something else in between
    ring.commit()
    ring.reserve()
    ring.cancel()
    assert bytes(ring.peek()) in (b"ab", b"zz")
    ring.release()
    with ring.lease():
        pass
    assert ring.peek() is None
    ring.put(b"yy")
    with pytest.raises(ZeroDivisionError), ring.lease():
        1 / 0  # noqa: B018
    assert ring.get() == b"yy"
    with pytest.raises(UnknownCall, match="get_many"):
        ring.get_into(bytearray(8))
    assert sorted(o[0] for o in ops(ring)) == ["get"] * 5 + ["put"] * 4
    assert check(ring.history(), "queue").ok


def test_requeued_records():
    order = record(lockfree.PriorityQueue(8, 8, levels=4, fronts=True))
    order.put(b"a", 1), order.requeue(b"b", 1), order.requeue(b"c", 1), order.requeue(b"d", 1, front=False)
    assert [order.get()[1] for _ in range(4)] == [b"b", b"c", b"a", b"d"]
    assert [o[0] for o in ops(order)][:4] == ["put", "put_front", "put_front", "put"]
    assert check(order.history(), "priority-queue,front=fifo").ok
    swapped = {"b'b'": "b'c'", "b'c'": "b'b'"}
    wrong = [
        o._replace(result=[o.result[0], swapped.get(o.result[1], o.result[1])]) if o.op == "get" else o
        for o in order.history()
    ]
    assert not check(wrong, "priority-queue,front=fifo")
    with pytest.raises(UnknownCall, match="fronts"):
        order.lease()


@pytest.mark.parametrize(("dtype", "values"), [("i8", [3, -4]), ([("a", "i4"), ("b", "f4")], [(1, 0.1), (2, 7)])])
def test_records_of_a_dtype(dtype, values):
    ring, order = record(lockfree.MPMCRing(4, dtype=dtype)), record(lockfree.PriorityQueue(4, dtype=dtype))
    ring.put(values[0]), ring.put_many(values[1:]), ring.get(), ring.get_many(1)
    assert check(ring.history(), "queue").ok
    assert not check([o._replace(result=9) if o.op == "get" else o for o in ring.history()], "queue")
    order.put(values[0], 5), order.put_many(values[1:], 3), order.get(), order.get_many(2)
    assert check(order.history(), "priority-queue").ok
    assert [o[2][0] for o in ops(order)[2:]] == [3, 5]


def test_atomics_are_registers_or_counters():
    counter = record(lockfree.AtomicI64(0))
    counter.fetch_add(2), counter.fetch_sub(1), counter.load()
    assert ops(counter) == [("fetch_add", 2, 0), ("fetch_add", -1, 2), ("load", None, 1)]
    assert check(counter.history(), "counter").ok
    word = record(lockfree.AtomicU64(0))
    word.store(4), word.fetch_add(2), word.exchange(12), word.compare_exchange(12, 5), word.compare_exchange(12, 5)
    word.fetch_or(8), word.fetch_and(9), word.fetch_xor(1), word.load()
    assert ops(word) == [
        ("write", 4, True), ("cas", [4, 6], True), ("cas", [6, 12], True), ("cas", [12, 5], True),
        ("cas", [12, 5], False), ("cas", [5, 13], True), ("cas", [13, 9], True), ("cas", [9, 8], True), ("read", None, 8),
    ]  # fmt: skip
    assert check(word.history(), "register,initial=0").ok
    flag = record(lockfree.AtomicFlag())
    flag.test_and_set(), flag.test_and_set(), flag.clear(), flag.load(), flag.exchange(True)
    assert check(flag.history(), "register,initial=0").ok


def test_an_increment_says_before_or_after():
    class Counter:
        def __init__(self, *, answers):
            self.n, self.answers = 0, answers

        def increment(self):
            self.n += 1
            return self.n if self.answers else None

        def load(self):
            return self.n

    quiet = record(Counter(answers=False))
    quiet.increment(), quiet.load()
    assert ops(quiet) == [("fetch_add", 1, None), ("load", None, 1)]
    with pytest.raises(UnknownCall, match="before"):
        record(Counter(answers=True)).increment()
    told = record(Counter(answers=True), methods={"increment": ("add_fetch", False)})
    told.increment(), told.load()
    assert ops(told) == [("fetch_add", 1, 0), ("load", None, 1)]
    assert check(told.history(), "counter").ok


def test_tasks_are_clients():
    async def main():
        q, lock = record(asyncio.Queue(2)), record(asyncio.Lock())

        async def work(me):
            for i in range(20):
                await q.put(100 * me + i)
                async with lock:
                    await asyncio.sleep(0)
                await q.get()

        await asyncio.gather(*(work(n) for n in range(3)))
        with pytest.raises(asyncio.QueueEmpty):
            q.get_nowait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(q.get(), 0.01)
        return q.history(), lock.history()

    calls, holds = asyncio.run(main())
    assert len(calls) == 122
    assert [o.return_ for o in calls].count(None) == 1
    assert check(calls, "bounded-queue:2").ok
    assert check(holds, "mutex").ok
    assert len({o.client for o in holds}) == 3


def test_iterators_that_take_what_they_give():
    class Channel:
        def __init__(self):
            self.items = [1, 2]

        def put(self, value):
            self.items.append(value)

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.items:
                raise StopAsyncIteration
            return self.items.pop(0)

        def __iter__(self):
            while self.items:
                yield self.items.pop(0)

    async def main():
        c = record(Channel())
        assert [x async for x in c] == [1, 2]
        c.put(3), c.put(4)
        assert list(c) == [3, 4]
        return ops(c)

    taken = [("get", None, 1), ("get", None, 2), ("put", 3, True), ("put", 4, True), ("get", None, 3), ("get", None, 4)]
    assert asyncio.run(main()) == taken
    assert list(record([1, 2])) == [1, 2]


def test_a_function_may_explain_the_calls():
    q = record(Box(), methods=lambda name, args, _: (name, *args) if name in ("put", "get") else None)
    q.put(1), q.get(), q.get()
    assert ops(q) == [("put", 1, True), ("get", None, 1), ("get", None, None)]


class Opaque:
    pass


def _puts_opaque(q):
    q.put(Opaque())
    q.recorder.flush()


def test_copies_that_cannot_be_compared_are_refused():
    q = record(multiprocessing.get_context("fork").Queue())
    child = multiprocessing.get_context("fork").Process(target=_puts_opaque, args=(q,))
    child.start()
    child.join()
    with pytest.raises(TypeError, match="__repr__"):
        q.history()


def test_a_proxy_travels():
    d = record({"a": 1})
    again = pickle.loads(pickle.dumps(d))
    assert again["a"] == 1
    assert ops(again) == [("get", None, 1, "a")]


class Racy:
    """One instruction between looking and taking: without jitter hardly ever seen."""

    def __init__(self):
        self.items = []
        self.n = 0

    def put(self, item):
        self.items.append(item)

    def get(self):
        items = self.items
        if not items:
            return None
        self.items = items[1:]
        return items[0]

    def fetch_add(self, value):
        before = self.n
        self.n = before + value
        return before


def _hammer(obj, work, threads=4):
    workers = [threading.Thread(target=work, args=(obj, n)) for n in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def _queue_calls(q, me):
    for i in range(30):
        q.put(1000 * me + i)
        q.get()


def _counter_calls(q, _):
    for _i in range(30):
        q.fetch_add(1)


@pytest.mark.parametrize(("work", "spec"), [(_queue_calls, "queue"), (_counter_calls, "counter")])
def test_jitter_shows_races_at_once(work, spec):
    import sys

    interval = sys.getswitchinterval()
    deadline = time.monotonic() + 60  # "no progress": each attempt takes some milliseconds
    for seed in range(1000):
        obj = record(Racy(), jitter=seed)
        _hammer(obj, work)
        verdict = check(obj.history(), spec, timeout=5)
        assert sys.getswitchinterval() == interval
        if verdict.status == "VIOLATION":
            return
        assert time.monotonic() < deadline
    pytest.fail("not found")


def test_jitter_invents_nothing():
    q = record(queue.Queue(), jitter=True)

    def work(q, me):
        for i in range(20):
            q.put(1000 * me + i)
            q.get()

    _hammer(q, work)
    assert check(q.history(), "queue").ok
    assert isinstance(q.history()[0], Operation)


def test_what_no_specification_describes_is_refused():
    for obj in (collections.defaultdict(int), collections.Counter(), collections.deque(maxlen=3)):
        with pytest.raises(TypeError, match="no specification"):
            record(obj)
    d = record(collections.defaultdict(int), methods={})  # for a specification of one's own
    assert d["a"] == 0
    assert ops(d) == [("get", None, 0, "a")]


def test_an_event_is_a_register_of_a_bit():
    event = record(threading.Event())
    event.is_set(), event.wait(0.001), event.set(), event.wait(), event.clear(), event.is_set()
    assert ops(event) == [
        ("read", None, 0), ("read", None, 0), ("write", 1, True), ("read", None, 1), ("write", 0, True), ("read", None, 0),
    ]  # fmt: skip
    assert check(event.history(), "register,initial=0").ok


def test_objects_of_a_manager():
    with multiprocessing.get_context("fork").Manager() as manager:
        d, a, q = record(manager.dict()), record(manager.list()), record(manager.Queue())
        d["k"] = 1
        d["k"], d.get("x"), d.pop("k")
        a.append(1), a.append(2), a.pop(0)
        q.put(None), q.get()
        with pytest.raises(queue.Empty):
            q.get_nowait()
        assert check(d.history(), "map").ok
        assert len(d.history()) == 5
        assert check(a.history(), "queue").ok
        assert ops(q) == [("put", NONE, True), ("get", None, NONE), ("get", None, None)]


def test_a_lock_whose_holder_died_is_taken():
    class OwnerDied(Exception):
        pass

    class Lock:
        def acquire(self):
            raise OwnerDied

        def release(self):
            pass

    lock = record(Lock())
    with pytest.raises(OwnerDied):
        lock.acquire()
    lock.release()
    assert check(lock.history(), "mutex").ok


def test_a_set_takes_many():
    s = record(set())
    s.update([1, 2])
    assert 1 in s
    assert ops(s) == [("insert", 1, True), ("insert", 2, True), ("contains", 1, True)]
    assert check(s.history(), "set").ok
    assert repr(s) == "record({1, 2})"


def test_a_counter_by_its_names():
    class Counter:
        def __init__(self):
            self.n = 0

        def add(self, amount):
            self.n += amount

        def increment(self):
            self.n += 1

        def get(self):
            return self.n

    c = record(Counter())
    c.increment(), c.add(3), c.get()
    assert ops(c) == [("fetch_add", 1, None), ("fetch_add", 3, None), ("load", None, 4)]
    assert check(c.history(), "counter").ok


def test_a_store_with_defaults_and_compare_and_set():
    class KV:
        def __init__(self):
            self.data = {}

        def put(self, key, value):
            self.data[key] = value

        def get(self, key, default=None):
            return self.data.get(key, default)

        def cas(self, key, old, new):
            if self.data.get(key) != old:
                return False
            self.data[key] = new
            return True

    kv = record(KV())
    (
        kv.put("a", 1),
        kv.cas("a", 1, 2),
        kv.cas("a", 1, 3),
        kv.get("a"),
        kv.get("b"),
        kv.get("b", 7),
        kv.get("b", default=7),
    )
    assert ops(kv) == [
        ("put", 1, True, "a"), ("cas", [1, 2], True, "a"), ("cas", [1, 3], False, "a"), ("get", None, 2, "a"),
        ("get", None, None, "b"),
    ]  # fmt: skip
    assert check(kv.history(), "map").ok


@pytest.mark.parametrize("make", [lambda: lockfree.MPMCRing(8, 16), lambda: lockfree.MessageRing(4096)])
def test_our_rings_say_in_which_order_they_took_what_was_put(make):
    q = record(make())

    def work(me):
        for i in range(100):
            q.try_put(b"%d-%d" % (me, i))
            q.try_get()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ops = list(q.history())
    place = {o.arg: o.ticket for o in ops if o.op == "put" and o.result}
    taken = {o.result: o.ticket for o in ops if o.op == "get" and o.result is not None}
    assert len(taken) > 300
    assert all(place[value] == ticket is not None for value, ticket in taken.items())
    assert all(o.ticket is None for o in ops if o.op == "get" and o.result is None)


@pytest.mark.parametrize("make", [lambda: lockfree.MPMCRing(8, 16), lambda: lockfree.MessageRing(4096)])
def test_batches_of_our_rings_have_tickets(make):
    q = record(make())

    def work(me):
        for i in range(60):
            q.put_many([b"%d-%d-%d" % (me, i, k) for k in range(3)], block=True, timeout=60)
            for _ in range(3):
                q.get_many(2)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ops = list(q.history())
    place = {o.arg: o.ticket for o in ops if o.op == "put" and o.result}
    taken = {o.result: o.ticket for o in ops if o.op == "get" and o.result is not None}
    assert len(place) == 540
    assert sorted(place.values()) == list(range(540))
    assert all(place[value] == ticket for value, ticket in taken.items())
    assert check(q.history(), "bounded-queue:8,full=in-hand" if isinstance(q._obj, lockfree.MPMCRing) else "queue").ok


def test_an_answer_of_our_queues_that_is_empty_is_no_value():
    for make in (
        lambda: lockfree.MPMCRing(8, 8), lambda: lockfree.SPSCRing(8, 8), lambda: lockfree.MessageRing(4096),
        lockfree.Queue, lockfree.JoinableQueue, lockfree.SimpleQueue,
    ):  # fmt: skip
        q = record(make())
        assert q.try_get() is None
        q.put(b"1")
        assert (q.try_get(), q.try_get()) == (b"1", None)
        assert [o.result for o in q.history() if o.op == "get"] == [None, "b'1'", None]
        assert check(q.history(), "queue").ok
    q.put(None)
    assert (q.try_get(7), q.try_get(7)) == (None, 7)
    assert [o.result for o in q.history()][-2:] == [{"value": None}, None]


def test_a_record_in_hand_has_its_ticket_and_a_pair_has_none():
    ring = record(lockfree.MPMCRing(4, 2))
    ring.reserve()[:] = b"ab"
    ring.commit()
    ring.peek()
    ring.release()
    assert [(o.op, o.ticket) for o in ring.history()] == [("put", 0), ("get", 0)]
    pairs = record(lockfree.MPMCRing(4, dtype=[("a", "i4"), ("b", "i4")]))  # in a history: a list of two
    pairs.put((1, 2)), pairs.get()
    assert [o.ticket for o in pairs.history()] == [None, None]


@pytest.mark.parametrize("make", [lockfree.MPMCRing, lockfree.PriorityQueue])
def test_several_records_in_hand(make):
    q = record(make(3, 2))
    more = (0,) if make is lockfree.PriorityQueue else ()
    first, second = q.reserve(), q.reserve()
    first[:], second[:] = b"11", b"22"
    q.commit(*more, view=first)
    thread = threading.Thread(target=lambda: q.commit(*more, view=second))
    thread.start(), thread.join()
    with pytest.raises(RuntimeError):
        q.commit(*more)
    q.reserve()[:] = b"33"
    q.reserve()  # the one before is cancelled: nobody has its view
    q.cancel()
    found = [q.peek(), q.peek()]
    views = [one[1] if more else one for one in found]
    assert not q.put_many([b"xx"] * 3, *more) > 1  # two slots are in hand
    q.get_many(9)
    q.release(views[0])
    del views[1], found
    assert q.put_many([b"44"] * 3, *more) == 3
    q.release()
    values = [(o.op, o.arg if o.op == "put" else o.result) for o in q.history()][:4]
    pairs = [[0, value] if more else value for value in ("b'11'", "b'22'")]
    assert values == [("put", pairs[0]), ("put", pairs[1]), ("get", pairs[0]), ("get", pairs[1])]
    kind = "priority-queue:3" if more else "bounded-queue:3"
    assert check(q.history(), f"{kind},full=in-hand" if not more else kind).ok


def test_our_event_and_rwlock_mean_what_they_say():
    event, lock = record(lockfree.Event()), record(lockfree.RWLock())
    event.set(), event.is_set(), event.clear(), event.wait(0)
    assert [(o[0], o[1] if o[0] == "write" else o[2]) for o in ops(event)] == [
        ("write", 1), ("read", 1), ("write", 0), ("read", 0),
    ]  # fmt: skip
    assert check(event.history(), "register,initial=0").ok
    lock.acquire_read(), lock.release_read(), lock.acquire_write(), lock.release_write()
    assert [o[0] for o in ops(lock)] == ["read_acquire", "read_release", "write_acquire", "write_release"]
    assert check(lock.history(), "rwlock").ok
    with pytest.raises(UnknownCall):
        lock.reading()


def test_a_message_that_is_read_in_place_is_taken():
    ring = record(lockfree.MessageRing(4096))
    ring.put(b"abc"), ring.put(b"d"), ring.put_many([b"e"])
    with ring.read() as view:
        assert bytes(view) == b"abc"
    with pytest.raises(ZeroDivisionError), ring.read():
        1 / 0  # noqa: B018 - a message that was read is gone, also then
    assert bytes(ring.peek()) == b"e"
    ring.release()
    with pytest.raises(queue.Empty), ring.read(False):
        pass
    assert sorted(o[2] for o in ops(ring) if o[0] == "get" and o[2]) == ["b'abc'", "b'd'", "b'e'"]
    assert check(ring.history(), "queue").ok


def test_what_our_other_objects_do_is_not_guessed():
    values = record(lockfree.Queue(8))
    values.put(None), values.put({"a": 1})
    assert (values.get(), values.get()) == (None, {"a": 1})
    assert check(values.history(), "queue").ok
    with pytest.raises(UnknownCall):
        values.peek()
    with pytest.raises(TypeError, match="take again"):
        record(lockfree.RLock())
    with pytest.raises(TypeError, match="every reader"):
        record(lockfree.BroadcastRing(4096, 2))


def test_awaited_calls_of_our_objects():
    async def run():
        ring, lock = record(lockfree.MPMCRing(4, 8)), record(lockfree.Mutex())
        await ring.aput(b"x")
        assert await ring.aget() == b"x"
        await lock.aacquire()
        lock.release()
        return check(ring.history(), "queue").ok and check(lock.history(), "mutex").ok

    assert asyncio.run(run())


class Drained:
    """Some of its methods are generators: their calls do nothing, and their steps do."""

    def __init__(self):
        self.items = []

    def put(self, item):
        self.items.append(item)

    def drain(self):
        while self.items:
            yield self.items.pop(0)

    async def follow(self):
        while self.items:
            item = self.items[0]
            await asyncio.sleep(0)
            del self.items[:1]
            yield item

    def fill(self, n):
        for i in range(n):
            self.items.append(i)
            yield i


GENERATORS = {"drain": ("get", []), "follow": ("get", []), "fill": ("put", ["value"])}


def test_each_step_of_a_generator_is_a_call():
    q = record(Drained(), methods=GENERATORS)
    q.put(1)
    q.put(2)
    assert list(q.drain()) == [1, 2]
    assert [(o.op, o.result) for o in q.history()] == [("put", True), ("put", True), ("get", 1), ("get", 2)]
    assert check(q.history(), "queue").ok
    with pytest.raises(UnknownCall, match="fill.. is a generator"):
        q.fill(2)


def test_each_step_of_an_asynchronous_generator_is_a_call():
    async def both():
        q = record(Drained(), methods=GENERATORS)
        for i in range(6):
            q.put(i)

        async def take():
            return [item async for item in q.follow()]

        await asyncio.gather(take(), take())
        return check(q.history(), "queue")

    assert asyncio.run(both()).rule == "TAKEN_TWICE"


def test_a_function_may_explain_generators_and_iterators():
    class Looked(Drained):
        def __iter__(self):
            return self.drain()

        def look(self):
            yield from list(self.items)

    q = record(Looked(), methods=lambda name, args, _: {"put": ("put", *args), "drain": ("get",)}.get(name))
    for take in (list, lambda q: list(q.drain())):
        q.put(1)
        assert list(q.look()) == [1]
        assert take(q) == [1]
    assert ops(q) == [("put", 1, True), ("get", None, 1)] * 2


def test_a_generator_that_is_a_value_stays_one():
    values = (i for i in range(3))
    q = record(queue.Queue())
    q.put(values)
    assert q.get() is values
    assert check(q.history(), "queue").ok


class _Answers:
    """A set whose answers are of some type."""

    def __init__(self, kind):
        self.items, self.kind = set(), kind

    def add(self, item):
        new = item not in self.items
        self.items.add(item)
        return self.kind(new)

    def contains(self, item):
        return self.kind(item in self.items)


def test_false_of_numpy_is_false():
    numpy = pytest.importorskip("numpy")
    proxy = record(_Answers(numpy.bool_))
    assert [bool(proxy.add(1)), bool(proxy.add(1)), bool(proxy.contains(2))] == [True, False, False]
    assert [o.result for o in proxy.history()] == [True, False, False]
    assert check(proxy.history(), "set").ok


def test_an_answer_that_may_mean_either_is_refused():
    proxy = record(_Answers(int))
    assert proxy.add(1) == 1
    with pytest.raises(UnknownCall, match="add answered 0: True or False"):
        proxy.add(1)
    assert [(o.result, o.return_ is None) for o in proxy.history()] == [(True, False), (None, True)]


def test_keys_that_are_equal_are_one_key():
    proxy = record({})
    proxy[1] = "a"
    assert (proxy[1.0], proxy[True], 1.0 in proxy) == ("a", "a", True)
    proxy[True] = "b"
    proxy.update({1.0: "c"})
    assert (proxy[1], proxy.pop(1.0)) == ("c", "c")
    proxy[1.5], proxy["1"] = "d", "e"
    assert {o.key for o in proxy.history()} == {1, 1.5, "1"}
    assert check(proxy.history(), "map").ok
