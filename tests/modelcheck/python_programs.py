"""Small Python programs for the schedules' explorer: wrong ones, each with what must be found, and right ones."""

import _thread
import asyncio
import collections
import functools
import heapq
import operator
import queue
import threading
import time
from _thread import start_new_thread
from concurrent.futures import ThreadPoolExecutor

import pytest


def together(*functions):
    threads = [threading.Thread(target=function, name=f"t{number}") for number, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Buffer:
    """A bounded queue; waiting is what the wrong ones do wrongly."""

    def __init__(self, room):
        self.items = collections.deque()
        self.room = room
        self.lock = threading.Lock()
        self.not_empty = threading.Condition(self.lock)
        self.not_full = threading.Condition(self.lock)

    def put(self, item):
        with self.lock:
            while len(self.items) >= self.room:
                self.not_full.wait()
            self.items.append(item)
            self.not_empty.notify()

    def get(self):
        with self.lock:
            while not self.items:
                self.not_empty.wait()
            item = self.items.popleft()
            self.not_full.notify()
            return item


class IfForWhile(Buffer):
    def get(self):
        with self.lock:
            if not self.items:
                self.not_empty.wait()
            item = self.items.popleft()
            self.not_full.notify()
            return item


def use(buffer):
    """Two producers, two consumers, four items."""
    got = []
    together(
        *(lambda number=number: [buffer.put((number, item)) for item in range(2)] for number in range(2)),
        *(lambda: got.extend([buffer.get() for _ in range(2)]) for _ in range(2)),
    )
    assert sorted(got) == [(number, item) for number in range(2) for item in range(2)]


def wrong_check_then_act():
    cache, made = {}, []

    def get():
        if "key" not in cache:
            made.append(1)
            cache["key"] = object()
        return cache["key"]

    together(get, get)
    assert len(made) == 1


def wrong_counter():
    class Counter:
        value = 0

    counter = Counter()

    def add():
        counter.value += 1

    together(add, add)
    assert counter.value == 2


def wrong_order_of_targets_in_c():
    order = []
    together(functools.partial(order.append, "a"), functools.partial(order.append, "b"))
    assert order == ["a", "b"]


def wrong_starter_comes_first():
    """What the code changes, nobody can read from it: only who runs first is left to decide."""
    order = []
    add = functools.partial(operator.iadd, order)
    thread = threading.Thread(target=lambda: add(["thread"]))
    thread.start()
    add(["starter"])
    thread.join()
    assert order == ["thread", "starter"]


def wrong_order_without_threading():
    order, ended = [], threading.Semaphore(0)
    for name in "ab":
        start_new_thread(lambda name: (operator.iadd(order, [name]), ended.release()), (name,))
    for _ in "ab":
        ended.acquire()
    assert order == ["a", "b"]


def by_the_module(function, lock):
    """Starts a thread by `_thread` itself; returns a lock that is free when the thread has ended."""
    ended = lock()
    ended.acquire()
    _thread.start_new_thread(lambda: (function(), ended.release()), ())
    return ended


def wrong_counter_of_the_module():
    counts = {"all": 0}

    def add():
        counts["all"] += 1

    for ended in [by_the_module(add, _thread.allocate_lock) for _ in "ab"]:
        ended.acquire()
    assert counts["all"] == 2


def wrong_two_locks_of_the_module():
    one, other = _thread.allocate_lock(), _thread.allocate_lock()

    def cross(first, second):
        with first, second:
            pass

    ended = by_the_module(lambda: cross(other, one), _thread.allocate_lock)
    cross(one, other)
    ended.acquire()


def wrong_if_for_while():
    use(IfForWhile(1))


def wrong_notify_before_wait():
    changed = threading.Condition()

    def wait():
        with changed:
            changed.wait()

    def tell():
        with changed:
            changed.notify()

    together(wait, tell)


class Box:
    """An object with two attributes."""

    def __init__(self, **values):
        self.heap = []
        self.table = {}
        vars(self).update(values)


def wrong_pop_of_an_empty_heap():
    box = Box(heap=[1])

    def take():
        if box.heap:
            heapq.heappop(box.heap)

    together(take, take)


def wrong_loop_over_a_table_that_changes():
    box = Box(table={"a": 1, "b": 2})

    def look():
        for name, value in box.table.items():
            assert box.table.get(name) == value

    def change():
        box.table["c"] = 3

    together(look, change)


def wrong_generator_over_a_table_that_changes():
    box = Box(table={"a": 1, "b": 2})
    together(lambda: max(value for value in box.table.values()), lambda: box.table.pop("a"))


def wrong_sum_of_two_changes():
    box, seen = Box(table={"a": 1, "b": 0}), []

    def move():
        box.table["a"] -= 1
        box.table["b"] += 1

    together(lambda: seen.append(sum(box.table.values())), move)
    assert seen == [1]


def wrong_attributes_by_name():
    box = Box(number=0)

    def add():
        setattr(box, "number", getattr(box, "number") + 1)  # noqa: B009, B010 - what is to be seen

    together(add, add)
    assert box.number == 2


def wrong_two_locks():
    one, other = threading.Lock(), threading.Lock()

    def first():
        with one, other:
            pass

    def second():
        with other, one:
            pass

    together(first, second)


def wrong_nonlocal():
    total = 0

    def add():
        nonlocal total
        total += 1

    together(add, add)
    assert total == 2


def wrong_pool_waits_for_itself():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: pool.submit(int).result()).result()


def wrong_thread_dies():
    def fail():
        raise LookupError("in a thread")

    together(fail)


class _Mute(Exception):
    def __str__(self):
        raise SystemExit(0)


def wrong_exception_without_a_text():
    raise _Mute


def wrong_never_ends():
    def poll():
        while True:
            time.sleep(1)

    together(poll)


async def wrong_await_between():
    balance = {"a": 100}

    async def take(amount):
        if balance["a"] >= amount:
            await asyncio.sleep(0)
            balance["a"] -= amount

    await asyncio.gather(take(80), take(80))
    assert balance["a"] >= 0


async def wrong_lost_cancellation():
    async def work():
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

    task = asyncio.create_task(work())
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.done(), "the cancellation is lost"


async def wrong_lock_kept():
    lock = asyncio.Lock()

    async def work():
        await lock.acquire()
        await asyncio.sleep(1)
        lock.release()

    task = asyncio.create_task(work())
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await lock.acquire()


class Crawler:
    """Workers over a queue of pages. done_when: how a worker finds out that it may stop."""

    LINKS = {"a": ["b", "c"], "b": ["c", "d"], "c": [], "d": ["a"]}

    def __init__(self):
        self.pages = queue.Queue()
        self.lock = threading.Lock()
        self.seen = {"a"}
        self.pages.put("a")

    def visit(self, page):
        for link in self.LINKS[page]:
            with self.lock:
                if link in self.seen:
                    continue
                self.seen.add(link)
            self.pages.put(link)

    def check(self):
        assert self.seen == set(self.LINKS)
        assert self.pages.empty()


def wrong_crawler_ends_early():
    crawler = Crawler()
    finished = []

    def work():
        while True:
            try:
                page = crawler.pages.get_nowait()
            except queue.Empty:
                finished.append(len(crawler.seen))
                return  # another worker may be about to add some
            crawler.visit(page)

    together(work, work)
    assert finished[0] == len(Crawler.LINKS), "a worker went home while there was work to come"


def wrong_crawler_never_ends():
    crawler = Crawler()

    def work():
        while True:
            crawler.visit(crawler.pages.get())

    together(work, work)


def right_buffer():
    use(Buffer(1))


def right_standard_queue():
    use(queue.Queue(1))


def right_simple_queue():
    use(queue.SimpleQueue())


def right_semaphore():
    room, inside, most = threading.Semaphore(2), [], []

    def enter():
        with room:
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    together(enter, enter, enter)
    assert max(most) <= 2


def right_crawler():
    crawler = Crawler()

    def work():
        while (page := crawler.pages.get()) is not None:
            crawler.visit(page)
            crawler.pages.task_done()

    def stop():
        crawler.pages.join()
        for _ in range(2):
            crawler.pages.put(None)

    together(work, work, stop)
    crawler.check()


def right_time():
    began = time.monotonic()
    changed = threading.Condition()
    with changed:
        assert not changed.wait(500)
    assert 500 <= time.monotonic() - began < 501
    rung = threading.Event()
    threading.Timer(3000, rung.set).start()
    assert rung.wait(4000)


def right_pool():
    with ThreadPoolExecutor(2) as pool:
        assert [f.result() for f in [pool.submit(pow, n, 2) for n in range(3)]] == [0, 1, 4]


def right_barrier():
    barrier, arrived = threading.Barrier(2), []

    def arrive():
        arrived.append(1)
        barrier.wait()
        assert len(arrived) == 2

    together(arrive, arrive)


def right_end_of_main():
    first, ended = threading.main_thread(), []
    assert first is threading.current_thread()
    with pytest.raises(RuntimeError, match="current thread"):
        first.join()

    def wait():
        assert threading.current_thread() is not first
        first.join()
        assert ended == [True]
        assert not first.is_alive()

    threading.Thread(target=wait).start()
    assert first.is_alive()
    assert len(threading.enumerate()) <= 2
    ended.append(True)


def right_spin():
    flag = []

    def spin():
        while not flag:
            pass

    together(spin, lambda: flag.append(1))


def right_locks_of_the_module():
    mutex, numbers, counts = _thread.RLock(), [], []

    def add():
        with mutex, mutex:
            numbers.append(_thread.get_ident())
            counts.append(len(counts))

    ended = by_the_module(add, _thread.allocate)
    add()
    assert ended.acquire(timeout=1000)
    assert (counts, len(set(numbers))) == ([0, 1], 2)


async def right_asyncio_queue():
    items, got = asyncio.Queue(1), []

    async def put(number):
        for item in range(2):
            await items.put((number, item))

    async def get():
        for _ in range(2):
            got.append(await items.get())

    await asyncio.gather(put(0), put(1), get(), get())
    assert len(got) == 4


async def right_time_out():
    async def slow():
        await asyncio.sleep(1000)

    try:
        await asyncio.wait_for(slow(), 10)
    except TimeoutError:
        assert await asyncio.to_thread(lambda: 7) == 7
    else:
        raise AssertionError("no time-out")


def _last_line(function):
    return max(line for _, _, line in function.__code__.co_lines() if line)


WRONG = {
    wrong_check_then_act: ("exception", "assert len(made) == 1"),
    wrong_counter: ("exception", "assert counter.value == 2"),
    wrong_order_of_targets_in_c: ("exception", "assert order == "),
    wrong_starter_comes_first: ("exception", "assert order == "),
    wrong_order_without_threading: ("exception", "assert order == "),
    wrong_counter_of_the_module: ("exception", 'assert counts["all"] == 2'),
    wrong_two_locks_of_the_module: ("deadlock", "has; T1 waits for the lock"),
    wrong_if_for_while: ("exception", "IndexError"),
    wrong_notify_before_wait: ("deadlock", "waits for a notification"),
    wrong_pop_of_an_empty_heap: ("exception", "IndexError"),
    wrong_loop_over_a_table_that_changes: ("exception", "dictionary changed size"),
    wrong_generator_over_a_table_that_changes: ("exception", "dictionary changed size"),
    wrong_sum_of_two_changes: ("exception", "assert seen == [1]"),
    wrong_attributes_by_name: ("exception", "assert box.number == 2"),
    wrong_two_locks: ("deadlock", "which t1 has"),
    wrong_nonlocal: ("exception", "assert total == 2"),
    wrong_pool_waits_for_itself: ("deadlock", "nobody can go on"),
    wrong_thread_dies: ("exception", "LookupError: in a thread"),
    wrong_exception_without_a_text: ("exception", "_Mute: its text cannot be had (SystemExit)"),
    wrong_never_ends: ("no progress", "no end within"),
    wrong_await_between: ("exception", "assert balance"),
    wrong_lost_cancellation: ("exception", "the cancellation is lost"),
    wrong_lock_kept: ("deadlock", f"(Task-1 at line {_last_line(wrong_lock_kept)} of wrong_lock_kept)"),
    wrong_crawler_ends_early: ("exception", "a worker went home"),
    wrong_crawler_never_ends: ("deadlock", "waits for a notification"),
}
RIGHT = [
    right_buffer, right_standard_queue, right_simple_queue, right_semaphore, right_crawler, right_time, right_pool,
    right_barrier, right_end_of_main, right_spin, right_locks_of_the_module, right_asyncio_queue, right_time_out,
]  # fmt: skip
