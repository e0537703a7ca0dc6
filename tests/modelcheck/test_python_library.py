"""How the classes of `threading`, `queue`, `concurrent.futures` and `asyncio` are used wrongly, and rightly.

The explorer finds each wrong use within 400 schedules. No class of the library is accused for what it does.
"""

import asyncio
import collections
import concurrent.futures
import gc
import queue
import threading
import time
import weakref

import pytest
from python_programs import together

from lockfree.modelcheck import PythonSettings, Verdict, explore

WRONG, RIGHT = {}, []


def wrong(kind):
    """Registers a program that must end so."""

    def register(function):
        WRONG[function] = kind
        return function

    return register


def right(function):
    RIGHT.append(function)
    return function


@wrong("exception")
def made_twice():
    made, lock, cell = [], threading.Lock(), [None]

    def get():
        if cell[0] is None:
            with lock:  # and does not look again
                made.append(1)
                cell[0] = object()

    together(get, get)
    assert len(made) == 1


@wrong("deadlock")
def two_readers_upgrade():
    changed, readers = threading.Condition(), [0]

    def upgrade():
        with changed:
            readers[0] += 1
        with changed:
            changed.wait_for(lambda: readers[0] == 1)
            readers[0] = 0

    together(upgrade, upgrade)


@wrong("deadlock")
def event_cleared_after_the_look():
    work, there, got = [], threading.Event(), []

    def producer():
        for item in range(2):
            work.append(item)
            there.set()

    def consumer():
        while len(got) < 2:
            there.wait()
            got.extend(work)
            del work[:]
            there.clear()

    together(producer, consumer)


@wrong("deadlock")
def barrier_for_fewer():
    barrier = threading.Barrier(2)
    together(barrier.wait, barrier.wait, barrier.wait)


@wrong("exception")
def released_by_who_has_none():
    gate, inside = threading.Semaphore(1), []

    def use():
        try:
            if gate.acquire(timeout=1):
                inside.append(1)
                assert len(inside) < 2
                time.sleep(2)
                inside.pop()
        finally:
            gate.release()

    together(use, use, use)


@wrong("deadlock")
def looks_whether_it_is_empty_then_gets():
    tasks = queue.Queue()
    tasks.put(1)

    def take():
        if not tasks.empty():
            tasks.get()

    together(take, take)


@wrong("deadlock")
def task_done_is_skipped():
    tasks = queue.Queue()

    def worker():
        for _ in range(2):
            try:
                1 // tasks.get()
            except ZeroDivisionError:
                continue
            tasks.task_done()

    tasks.put(0)
    tasks.put(1)
    threading.Thread(target=worker, daemon=True).start()
    tasks.join()


@wrong("exception")
def timer_that_cannot_be_cancelled_any_more():
    said = []
    timer = threading.Timer(1, said.append, ("late",))
    timer.start()
    time.sleep(1)
    if not said:
        timer.cancel()
        said.append("stopped")
    timer.join()
    assert len(said) == 1


@wrong("exception")
def looks_whether_it_is_closed_then_submits():
    pool, closed = concurrent.futures.ThreadPoolExecutor(1), []

    def ask():
        if not closed:
            pool.submit(int).result()

    def close():
        closed.append(1)
        pool.shutdown()

    together(ask, close)


@wrong("exception")
async def item_is_lost_with_the_time_out():
    items, got = asyncio.Queue(), []

    async def consumer():
        while not got:
            task = asyncio.create_task(items.get())
            done, _ = await asyncio.wait({task}, timeout=1)
            if done:
                got.append(task.result())
            else:
                await asyncio.sleep(0)
                task.cancel()  # it may have the item by now

    async def producer():
        await asyncio.sleep(1)
        await items.put("item")

    await asyncio.gather(asyncio.wait_for(consumer(), 10), producer())


@wrong("exception")
async def cancellation_is_swallowed():
    async def child():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(5)

    task = asyncio.create_task(child())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@right
def condition():
    changed, items, got = threading.Condition(), [], []

    def producer():
        for item in range(2):
            with changed:
                items.append(item)
                changed.notify()

    def consumer():
        for _ in range(2):
            with changed:
                changed.wait_for(lambda: items)
                got.append(items.pop(0))

    together(producer, consumer)
    assert got == [0, 1]


@right
def event():
    there, items = threading.Event(), []

    def producer():
        items.append(1)
        there.set()

    def consumer():
        assert there.wait(5)
        assert items

    together(producer, consumer, consumer)


@right
def priority_queue():
    tasks, got = queue.PriorityQueue(1), []

    def producer():
        for item in (2, 1):
            tasks.put(item, timeout=5)

    def consumer():
        for _ in range(2):
            got.append(tasks.get(timeout=5))
            tasks.task_done()

    together(producer, consumer)
    tasks.join()
    assert got == [2, 1]


@right
def executor():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(pow, 2, number) for number in range(2)]
        assert sorted(one.result() for one in concurrent.futures.as_completed(asked)) == [1, 2]
        assert list(pool.map(abs, [-1, -2])) == [1, 2]


@right
async def asyncio_semaphore():
    gate, inside = asyncio.Semaphore(2), []

    async def use():
        async with gate:
            inside.append(1)
            assert len(inside) <= 2
            await asyncio.sleep(1)
            inside.pop()

    await asyncio.gather(*(use() for _ in range(4)))


@right
async def task_group():
    async def fails():
        await asyncio.sleep(1)
        raise ValueError

    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            other = group.create_task(asyncio.sleep(100))
    except* ValueError:
        pass
    assert other.cancelled()
    assert time.monotonic() - began < 2


@right
async def asyncio_time_out():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.sleep(5)


@right
async def asyncio_condition():
    changed, items = asyncio.Condition(), []

    async def tells():
        async with changed:
            items.append(1)
            changed.notify_all()

    async def waits():
        async with changed:
            await changed.wait_for(lambda: items)

    await asyncio.gather(waits(), waits(), tells())


@wrong("exception")
def done_is_said_too_early():
    tasks, done = queue.Queue(), []

    def work():
        item = tasks.get()
        tasks.task_done()
        done.append(item)

    worker = threading.Thread(target=work)
    worker.start()
    tasks.put(1)
    tasks.join()
    assert done == [1]


@wrong("exception")
def a_weak_cache_is_filled_twice():
    class Value:
        pass

    cache, got = weakref.WeakValueDictionary(), []

    def get():
        value = cache.get("a")
        if value is None:
            value = cache["a"] = Value()
        got.append(value)

    together(get, get)
    assert got[0] is got[1]


@wrong("deadlock")
async def a_thread_sets_a_future_of_the_loop():
    """Only `call_soon_threadsafe` wakes a loop that waits."""
    future = asyncio.get_running_loop().create_future()
    threading.Thread(target=lambda: future.set_result(1)).start()
    await future


@right
async def a_thread_tells_the_loop():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, 1)).start()
    assert await future == 1


LOOKS = {
    "compared": lambda items: items == ["a"],
    "compared, on the right": lambda items: ["a"] == items,  # noqa: SIM300
    "taken apart": lambda items: [*items] == ["a"],
    "added": lambda items: len(items + []) == 1,  # noqa: RUF005
    "printed": lambda items: f"{items}" == "['a']",
    "joined": lambda items: "".join(items) == "a",
    "made a text": lambda items: str(items) == "['a']",
    "made another container": lambda items: collections.deque(items) == collections.deque("a"),
    "counted": lambda items: collections.Counter(items) == {"a": 1},
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_another_thread_may_come_before_a_look_at_all_items(look):
    def program():
        items, ready = ["a"], threading.Event()

        def adds():
            ready.set()
            items.append("b")

        def looks():
            ready.wait()
            assert not look(items)

        together(adds, looks)

    report = explore(program, settings=PythonSettings(executions=400, seconds=60))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "exception"), report


def test_a_pool_that_is_left_behind_says_nothing(capfd):
    async def program():
        await asyncio.gather(asyncio.to_thread(len, ()), asyncio.to_thread(len, ()))

    for _ in range(2):
        explore(program, settings=PythonSettings(executions=30, seconds=60))
        gc.collect()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("program", WRONG, ids=lambda program: program.__name__)
def test_a_wrong_use_is_found(program):
    report = explore(program, settings=PythonSettings(executions=400, seconds=60, steps=5_000))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, WRONG[program]), report


@pytest.mark.parametrize("program", RIGHT, ids=lambda program: program.__name__)
def test_a_right_use_is_accepted(program):
    report = explore(program, settings=PythonSettings(executions=60, seconds=60))
    assert report.verdict in {Verdict.OK, Verdict.UNKNOWN}, report
