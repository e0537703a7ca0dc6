"""Awaited calls: nothing is lost by a cancellation, one thread for all waits of a loop; and `lockfree.wait`."""

import asyncio
import multiprocessing
import os
import queue
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types

import pytest
from patience import STUCK
from sync_behaviour import wakes_and_cpu

import lockfree
from lockfree import _sleeping
from lockfree._native import ffi, lib

FORK = multiprocessing.get_context("fork")
CONTAINERS = {
    "MPMCRing": (lambda: lockfree.MPMCRing(4, 8), b"12345678"),
    "SPSCRing": (lambda: lockfree.SPSCRing(4, 8), b"12345678"),
    "MessageRing": (lambda: lockfree.MessageRing(1024, max_messages=4), b"a message"),
    "Queue": (lambda: lockfree.Queue(4), {"an": "object"}),
}
each_container = pytest.mark.parametrize("kind", CONTAINERS)


def waits():
    """Threads that sleep for event loops."""
    return [t for t in threading.enumerate() if t.name == "lockfree-waits"]


def run(main):
    return asyncio.run(asyncio.wait_for(main, 120))


async def till(condition):
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come")


@each_container
def test_a_task_gets_what_another_one_puts(kind):
    make, record = CONTAINERS[kind]

    async def main():
        ring = make()
        getters = [asyncio.create_task(ring.aget()) for _ in range(3)]
        await asyncio.sleep(0.02)
        for _ in range(3):
            await ring.aput(record)
        assert await asyncio.gather(*getters) == [record] * 3

    run(main())


@each_container
def test_a_task_waits_for_room(kind):
    make, record = CONTAINERS[kind]

    async def main():
        ring = make()
        for _ in range(4):
            await ring.aput(record)
        with pytest.raises(queue.Full):
            await ring.aput(record, timeout=0.01)
        putter = asyncio.create_task(ring.aput(record))
        await asyncio.sleep(0.02)
        assert not putter.done()
        assert await ring.aget() == record
        await putter
        assert ring.qsize() == 4

    run(main())


@each_container
def test_time_outs_and_ends(kind):
    make, record = CONTAINERS[kind]

    async def main():
        ring = make()
        for timeout in (0, 0.01):
            with pytest.raises(queue.Empty):
                await ring.aget(timeout=timeout)
        with pytest.raises(ValueError, match="timeout"):
            await ring.aget(timeout=-1)
        getters = [asyncio.create_task(ring.aget()) for _ in range(3)]
        await asyncio.sleep(0.02)
        if hasattr(ring, "shutdown"):
            ring.shutdown()
        else:
            ring.close()
        for answer in await asyncio.gather(*getters, return_exceptions=True):
            assert isinstance(answer, lockfree.Closed)

    run(main())


def test_close_by_another_thread_ends_the_waits_and_detaches():
    async def main():
        ring = lockfree.MessageRing(1024)
        getters = [asyncio.create_task(ring.aget()) for _ in range(3)]
        await asyncio.sleep(0.05)
        await asyncio.get_running_loop().run_in_executor(None, ring.close)
        answers = await asyncio.gather(*getters, return_exceptions=True)
        assert [type(a) for a in answers] == [lockfree.Closed] * 3
        return ring

    ring = run(main())
    for _ in range(1000):
        if not ring._h.h.segment:
            break
        time.sleep(0.01)
    assert ring._h.h.segment == lockfree._native.NULL or lockfree._native.PURE


def put_some(ring, count, pause):
    for n in range(count):
        ring.put(b"%d" % n)
        if pause:
            time.sleep(pause)


def test_another_process_wakes_a_task():
    async def main():
        ring = lockfree.MessageRing(4096)
        child = FORK.Process(target=put_some, args=(ring, 50, 0.002))
        child.start()
        got = [await ring.aget(timeout=60) for _ in range(50)]
        assert got == [b"%d" % n for n in range(50)]
        await asyncio.get_running_loop().run_in_executor(None, child.join)

    run(main())


def test_the_last_producer_dies():
    def puts_and_lives(ring):
        ring.put(b"x")
        time.sleep(60)

    async def main():
        ring = lockfree.MessageRing(1024)
        ring.peer_death = "raise"
        child = FORK.Process(target=puts_and_lives, args=(ring,))
        child.start()
        assert await ring.aget(timeout=60) == b"x"
        task = asyncio.create_task(ring.aget(timeout=60))
        await asyncio.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(lockfree.PeerDied, match="the last producer"):
            await task
        child.join()

    run(main())


def test_waiting_tasks_are_served_in_turn():
    async def main():
        ring, served = lockfree.MPMCRing(8, 8), []

        async def one(number):
            await ring.aget()
            served.append(number)

        tasks = []
        for number in range(20):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(0)
        for _ in range(20):
            await ring.aput(b"x" * 8)
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
        assert served == list(range(20))

    run(main())


@pytest.mark.parametrize("objects", [1, 20, 300])
def test_a_thousand_tasks_use_one_thread(objects):
    """300 objects are more than the kernel sleeps on together."""

    async def main():
        await till(lambda: not waits())  # those of the tests before
        events = [lockfree.Event() for _ in range(objects)]
        tasks = [asyncio.create_task(events[n % objects].await_()) for n in range(1000)]
        await till(lambda: len(waits()) == 1)
        await asyncio.sleep(0.1)
        assert len(waits()) == 1
        for event in events:
            event.set()
        assert await asyncio.gather(*tasks) == [True] * 1000

    run(main())


def test_the_thread_ends():
    async def main():
        ring = lockfree.MessageRing(1024)
        with pytest.raises(queue.Empty):
            await ring.aget(timeout=0.01)
        await till(lambda: not waits())
        with pytest.raises(queue.Empty):
            await ring.aget(timeout=0.01)

    for _ in range(600):
        if not waits():
            break
        time.sleep(0.01)
    run(main())


def feed(ring, count):
    for n in range(count):
        ring.put(n)


async def takes(q):
    return await q.aget()


async def takes_and_waits(q):
    """Wrong: a cancellation between taking and returning loses what was taken."""
    item = await q.aget()
    await asyncio.sleep(0)
    return item


def cancelled_gets(cancels, records, how=takes, workers=8):
    """So many cancelled `aget` while another process puts: (what came, in any order; how many were cancelled)."""

    async def main():
        q, got, cancelled = lockfree.Queue(16), [], 0
        rng = random.Random(5)
        child = FORK.Process(target=feed, args=(q, records))
        child.start()

        async def one():
            got.append(await how(q))

        tasks = set()
        while cancelled < cancels or (child.is_alive() or not q.empty()):
            while len(tasks) < workers:
                tasks.add(asyncio.create_task(one()))
            await asyncio.sleep(0 if rng.random() < 0.9 else 0.001)
            if cancelled < cancels:
                for victim in rng.sample(sorted(tasks, key=id), min(4, len(tasks))):
                    if victim.cancel():
                        cancelled += 1
            tasks = {task for task in tasks if not task.done()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, child.join)
        got.extend(q.get_many())
        return got, cancelled

    return run(main())


@pytest.mark.parametrize(("cancels", "records"), [(2000, 500), pytest.param(10_000, 5000, marks=pytest.mark.soak)])
def test_cancelled_gets_lose_nothing(cancels, records):
    got, cancelled = cancelled_gets(cancels, records)
    assert cancelled >= cancels
    assert sorted(got) == list(range(records))


def test_the_check_sees_what_is_lost():
    got, _ = cancelled_gets(2000, 500, takes_and_waits)
    assert len(got) < 500


def test_cancelled_puts_put_nothing_or_all():
    async def main():
        q, rng, done = lockfree.Queue(1), random.Random(1), []

        async def one(n):
            await q.aput(n)
            done.append(n)

        got, tasks = [], set()
        for n in range(400):
            task = asyncio.create_task(one(n))
            tasks.add(task)
            await asyncio.sleep(0)
            if rng.random() < 0.5:
                task.cancel()
            if rng.random() < 0.7 and (item := q.try_get()) is not None:
                got.append(item)
            await asyncio.sleep(0)
            tasks = {task for task in tasks if not task.done()}
            if len(tasks) > 20:
                while (item := q.try_get()) is not None:
                    got.append(item)
                    await asyncio.sleep(0.001)
        while tasks:
            got += q.get_many()
            await asyncio.sleep(0.001)
            tasks = {task for task in tasks if not task.done()}
        got += q.get_many()
        assert sorted(got) == sorted(done)

    run(main())


def get_one(ring, got):
    got.put(ring.get(timeout=60))


def test_a_cancelled_task_passes_its_wake_on():
    """The task is woken, and cancelled before it runs: another process's sleeper is woken in its place."""

    async def main():
        for _ in range(10):
            ring, got = lockfree.MessageRing(1024), lockfree.Queue()
            task = asyncio.create_task(ring.aget())
            await asyncio.sleep(0.01)
            child = FORK.Process(target=get_one, args=(ring, got))
            child.start()
            await asyncio.sleep(0.02)
            ring.put(b"x")
            task.cancel()
            try:
                assert await task == b"x"
                ring.put(b"x")
            except asyncio.CancelledError:
                pass
            assert await got.aget(timeout=60) == b"x"
            await asyncio.get_running_loop().run_in_executor(None, child.join)

    run(main())


class TestLocks:
    @pytest.mark.parametrize("kind", ["Mutex", "SpinLock"])
    def test_tasks_exclude_each_other(self, kind):
        async def main():
            lock, inside, most = getattr(lockfree, kind)(), 0, 0

            async def one():
                nonlocal inside, most
                for _ in range(5):
                    assert await lock.aacquire()
                    inside += 1
                    most = max(most, inside)
                    await asyncio.sleep(0)
                    inside -= 1
                    lock.release()
                    await asyncio.sleep(0)

            await asyncio.gather(*(one() for _ in range(10)))
            assert most == 1
            assert not lock.locked()

        run(main())

    def test_time_out_and_cancel_leave_it(self):
        async def main():
            lock = lockfree.Mutex()
            lock.acquire()
            assert await lock.aacquire(timeout=0.01) is False
            task = asyncio.create_task(lock.aacquire())
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            lock.release()
            assert not lock.locked()
            assert await lock.aacquire(timeout=0)

        run(main())

    def test_a_dead_holder(self):
        def holds(lock, held):
            lock.acquire()
            held.set()
            time.sleep(60)

        async def main():
            lock, held = lockfree.Mutex(), lockfree.Event()
            child = FORK.Process(target=holds, args=(lock, held))
            child.start()
            assert await held.await_(timeout=60)
            task = asyncio.create_task(lock.aacquire())
            await asyncio.sleep(0.05)
            os.kill(child.pid, signal.SIGKILL)
            with pytest.raises(lockfree.OwnerDied):
                await task
            lock.recover()
            lock.release()
            child.join()

        run(main())

    def test_a_thread_and_a_task(self):
        async def main():
            lock = lockfree.Mutex()
            held, go = threading.Event(), threading.Event()

            def holds():
                with lock:
                    held.set()
                    go.wait(60)

            thread = threading.Thread(target=holds)
            thread.start()
            held.wait(60)
            task = asyncio.create_task(lock.aacquire())
            await asyncio.sleep(0.02)
            assert not task.done()
            go.set()
            assert await task
            lock.release()
            thread.join()

        run(main())

    def test_what_has_a_holder_that_may_enter_again_is_refused(self):
        async def main():
            for lock in (lockfree.RLock(), lockfree.Condition()):
                with pytest.raises(TypeError, match="one thread"):
                    await lock.aacquire()

        run(main())
        lock = lockfree.RLock()
        for call in (lock.fileno, lock.arm):
            with pytest.raises(TypeError, match="depends on the thread: poll a Mutex"):
                call()
        with pytest.raises(TypeError, match=r"objects\[0\] is <lockfree.RLock.*: it must be a ring"):
            lockfree.wait([lock], 0)


def test_semaphore():
    async def main():
        permits = lockfree.Semaphore(2, 3)
        assert await permits.aacquire()
        assert await permits.aacquire()
        assert await permits.aacquire(timeout=0.01) is False
        cancelled, gets = (asyncio.create_task(permits.aacquire()) for _ in range(2))
        await asyncio.sleep(0.02)
        cancelled.cancel()
        permits.release()
        assert await gets
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert permits.value == 0
        both = asyncio.create_task(permits.aacquire(2))
        await asyncio.sleep(0.01)
        permits.release()
        await asyncio.sleep(0.01)
        permits.release()
        assert await both

    run(main())


def test_event_and_event_count():
    async def main():
        event, counts, words = lockfree.Event(), lockfree.EventCount(), lockfree.AtomicU64(0)
        assert await event.await_(timeout=0.01) is False
        waiting = [asyncio.create_task(event.await_()) for _ in range(3)]
        until = asyncio.create_task(counts.await_until(lambda: words.load() == 3))
        await asyncio.sleep(0.02)
        event.set()
        event.clear()
        assert await asyncio.gather(*waiting) == [True] * 3
        for _ in range(3):
            assert not until.done()
            words.fetch_add(1)
            counts.notify()
            await asyncio.sleep(0.01)
        assert await until is True
        assert await counts.await_until(lambda: 0, timeout=0.01) == 0

    run(main())


def test_latest_value():
    async def main():
        latest = lockfree.LatestValue(8)
        assert await latest.await_(timeout=0.01) is False
        waiting = [asyncio.create_task(latest.await_(0)) for _ in range(3)]
        newer = asyncio.create_task(latest.await_(1))
        await asyncio.sleep(0.02)
        latest.set(b"a")
        assert await asyncio.gather(*waiting) == [True] * 3
        assert not newer.done()
        latest.set(b"b")
        assert await newer is True
        assert await latest.await_(1) is True
        newer = asyncio.create_task(latest.await_())
        await asyncio.sleep(0.02)
        newer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await newer

    run(main())


def test_barrier():
    async def main():
        barrier = lockfree.Barrier(3)
        assert sorted(await asyncio.gather(*(barrier.await_() for _ in range(3)))) == [0, 1, 2]
        task = asyncio.create_task(barrier.await_())
        other = asyncio.create_task(barrier.await_())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(threading.BrokenBarrierError):
            await other
        assert barrier.broken
        barrier.reset()
        with pytest.raises(threading.BrokenBarrierError):
            await barrier.await_(timeout=0.01)

    run(main())


def test_condition():
    async def main():
        lock = lockfree.Mutex()
        condition, woken = lockfree.Condition(lock), []

        async def one(number):
            await condition.aacquire()
            assert await condition.await_()
            woken.append(number)
            condition.release()

        tasks = []
        for number in range(4):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(0.01)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        lock.release()  # a task that is cancelled in await_ has it again
        for expected in ([0], [0, 2], [0, 2, 3]):
            await condition.aacquire()
            condition.notify()
            condition.release()
            await till(lambda expected=expected: len(woken) == len(expected))
            assert woken == expected
        await condition.aacquire()
        assert await condition.await_(timeout=0.01) is False
        condition.release()

    run(main())


def test_more_tasks_than_places_wait_for_a_condition():
    """The one without a place is told how many there are, and the others go on."""
    lock = lockfree.Mutex()
    condition = lockfree.Condition(lock)
    places, begun, all_wait = condition._h.places, [], asyncio.Event()

    async def wait():
        await lock.aacquire()
        begun.append(1)
        if len(begun) == places:
            all_wait.set()
        try:
            return await condition.await_(STUCK)
        finally:
            lock.release()

    async def scenario():
        tasks = [asyncio.create_task(wait()) for _ in range(places)]
        await all_wait.wait()
        with pytest.raises(RuntimeError, match=f"Condition: all {places} places for waiting threads are taken"):
            await wait()
        with lock:
            condition.notify_all()
        return await asyncio.gather(*tasks)

    assert asyncio.run(scenario()) == [True] * places
    assert not lock.locked()


def test_rwlock():
    async def main():
        lock = lockfree.RWLock()
        assert await lock.aacquire_read()
        writer = asyncio.create_task(lock.aacquire_write())
        await asyncio.sleep(0.02)
        assert not writer.done()
        lock.release_read()
        assert await writer
        reader = asyncio.create_task(lock.aacquire_read())
        assert await lock.aacquire_write(timeout=0.01) is False
        lock.release_write()
        assert await reader
        lock.release_read()

    run(main())


@pytest.mark.parametrize("where", ["tasks", "process"])
def test_an_awaited_writer_is_not_kept_out_by_readers_that_follow_each_other(where):
    """Each reader leaves when the next one is inside. So there is always one, unless a writer holds new ones off."""

    async def chain(lock, after, given_up):
        assert lock.acquire_read(False)
        while not given_up.load():
            after.fetch_add(int(lock.writer))
            await asyncio.sleep(0)
            if not lock.acquire_read(False):
                break
            lock.release_read()  # the one before
        lock.release_read()

    async def main():
        lock, after, given_up = lockfree.RWLock(), lockfree.AtomicU64(), lockfree.AtomicU64()
        if where == "tasks":
            readers = [asyncio.create_task(chain(lock, after, given_up))]
        else:
            child = FORK.Process(target=lambda: asyncio.run(chain(lock, after, given_up)))
            child.start()
            readers = []
        await till(lambda: lock.readers)
        writes = await lock.aacquire_write(timeout=30)
        given_up.store(1)
        assert writes
        assert after.load() <= 1, "reads that began while a writer waited"
        assert lock.readers == 0
        lock.release_write()
        await asyncio.gather(*readers)
        if where == "process":
            child.join()

    run(main())


def test_awaited_writers_and_readers_take_turns_and_leave_nothing():
    async def main():
        lock, inside, writes = lockfree.RWLock(), {"r": 0, "w": 0}, []

        async def read(number):
            for _ in range(20):
                assert await lock.aacquire_read()
                inside["r"] += 1
                assert not inside["w"]
                await asyncio.sleep(0.0002 * (number % 3))
                inside["r"] -= 1
                lock.release_read()

        async def write(number):
            for turn in range(20):
                if not await lock.aacquire_write(timeout=0.0005 if turn % 4 == number else None):
                    continue
                inside["w"] += 1
                assert inside == {"r": 0, "w": 1}
                await asyncio.sleep(0)
                inside["w"] -= 1
                writes.append(number)
                lock.release_write()

        async def give_up():
            for _ in range(40):
                task = asyncio.create_task(lock.aacquire_write())
                await asyncio.sleep(0.0005)
                if not task.cancel():
                    lock.release_write()

        async def blocks():
            done = await asyncio.to_thread(lambda: [thread_writes(lock, inside) for _ in range(10)])
            assert all(done)

        await asyncio.gather(*map(read, range(3)), *map(write, range(3)), give_up(), blocks())
        assert {0, 1, 2} <= set(writes)
        assert (lock.readers, lock.writer) == (0, False)
        assert lock.acquire_write(False)

    run(main())


def thread_writes(lock, inside):
    with lock.writing():
        return inside == {"r": 0, "w": 0}


def test_while_a_task_waits_to_write_its_thread_does_not_write_for_it():
    async def main():
        lock = lockfree.RWLock()
        assert lock.acquire_read()
        task = asyncio.create_task(lock.aacquire_write())
        await till(lambda: lock.writer)
        assert not lock.acquire_read(False)
        assert not lock.acquire_write(False)
        for call in (lock.release_write, lock.recover):
            with pytest.raises(RuntimeError, match="by a thread that does not write"):
                call()
        with pytest.raises(RuntimeError, match="would wait for itself"):
            lock.acquire_write()
        lock.release_read()
        assert await task
        lock.release_write()

    run(main())


def test_an_awaited_writer_after_a_writer_that_died_is_told_and_may_give_up():
    async def main():
        lock = lockfree.RWLock()
        child = FORK.Process(target=lambda: (lock.acquire_write(), os._exit(0)))
        child.start()
        child.join()
        with pytest.raises(lockfree.OwnerDied):
            await lock.aacquire_write()
        lock.recover()
        lock.release_write()
        assert await lock.aacquire_write()
        lock.release_write()

    run(main())


def test_a_process_with_pending_waits_exits():
    code = """
        import asyncio, lockfree
        async def main():
            ring = lockfree.MessageRing(1024)
            tasks = [asyncio.create_task(ring.aget()) for _ in range(10)]
            await asyncio.sleep(0.05)
            print("bye", flush=True)
            HOW
        asyncio.run(main())
    """
    for how in ("pass", "raise SystemExit"):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code).replace("HOW", how)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "bye\n", "")


def test_idle_waits_cost_little():
    code = """
        import asyncio, lockfree, time
        async def main():
            events = [lockfree.Event() for _ in range(200)]
            tasks = [asyncio.create_task(e.await_()) for e in events]
            await asyncio.sleep(1)
            began = time.process_time()
            await asyncio.sleep(2)
            print(time.process_time() - began)
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=STUCK)
    assert float(done.stdout) < 1, "the waits spin"  # bench_awaited.py measures it


class Seen:
    """What the thread sleeps for; whether it sees that an attempt would be refused."""

    def __init__(self, is_worth_a_try):
        self.watch, self.is_worth_a_try = ffi.new("struct lf_watch *"), lambda: is_worth_a_try


def test_without_news_the_thread_looks_by_itself_and_each_fourth_time_tells_all(monkeypatch):
    """1,000 tasks that all try every four seconds cost more than all else."""

    def no_news(watches, count, *_):
        for at in range(count):
            watches[at].due = lib.LF_WATCH_LOOK
        return count

    monkeypatch.setattr(_sleeping, "blocking", types.SimpleNamespace(lf_watch_sleep=no_news))
    sleeper = _sleeping.Sleeper()
    for many, told in (_sleeping.MANY, [1, 1, 1, _sleeping.MANY] * 2), (_sleeping.MANY - 1, [_sleeping.MANY - 1] * 8):
        waits = [Seen(n == 7) for n in range(many)]
        for count in told:
            sleeper.sleeping = dict.fromkeys(waits)
            hit = sleeper._sleep()
            assert len(hit) == count
            assert waits[7] in hit
            assert len(sleeper.sleeping) == many - count  # the others are slept for as before


class TestWait:
    def test_which_are_ready(self):
        ring, event, lock = lockfree.MessageRing(1024), lockfree.Event(), lockfree.Mutex()
        permits = lockfree.Semaphore(0, 1)
        lock.acquire()
        objects = [ring, event, lock, permits]
        assert lockfree.wait(objects, 0) == []
        assert lockfree.wait(objects, 0.01) == []
        ring.put(b"x")
        assert lockfree.wait(objects) == [ring]
        assert ring.get() == b"x", "nothing is taken"
        event.set()
        lock.release()
        permits.release()
        assert lockfree.wait(objects) == [event, lock, permits]
        assert not lock.locked()
        ring.shutdown()
        assert lockfree.wait([ring]) == [ring]
        event.close()
        assert lockfree.wait([event]) == [event]
        assert lockfree.wait([], 0.01) == []

    @pytest.mark.parametrize("count", [1, 2, 200])
    def test_one_of_many_wakes(self, count):
        rings = [lockfree.Queue(size_bytes=1024, block_bytes=64) for _ in range(count)]
        for chosen in (rings[0], rings[-1], rings[count // 2]):
            timer = threading.Timer(0.03, chosen.put, (1,))
            timer.start()
            assert lockfree.wait(rings, 60) == [chosen]
            assert chosen.get() == 1
            timer.join()

    def test_a_broadcast_ring(self):
        ring = lockfree.BroadcastRing(1024, 1)
        ring.join()
        assert lockfree.wait([ring], 0) == []
        timer = threading.Timer(0.03, ring.put, (b"x",))
        timer.start()
        assert lockfree.wait([ring], 60) == [ring]
        assert ring.get() == b"x"
        timer.join()

    def test_a_wake_that_is_not_used_goes_on(self):
        """A sleeper in get, and a wait that was woken first and takes nothing."""
        ring = lockfree.MessageRing(1024)
        for _ in range(5):
            got = []
            waiter = threading.Thread(target=lockfree.wait, args=([ring], 60))
            waiter.start()
            time.sleep(0.02)
            getter = threading.Thread(target=lambda got=got: got.append(ring.get(timeout=60)))
            getter.start()
            time.sleep(0.02)
            ring.put(b"x")
            getter.join(60)
            assert got == [b"x"]
            ring.put(b"y")
            waiter.join(60)
            ring.get()

    @pytest.mark.parametrize("objects", [1, 20])
    def test_waits_that_find_nothing_do_not_wake_each_other(self, objects):
        """A wake is passed on only if there is something to take. Else these threads would wake each other 40,000 times a
        second, until one of them finds a record."""
        rings = [lockfree.Queue(size_bytes=1024, block_bytes=64) for _ in range(objects)]
        threads = [threading.Thread(target=lockfree.wait, args=(rings, 60)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        for _ in range(50):
            rings[0].put("taken")
            rings[0].try_get()
        time.sleep(0.7)  # until all have looked, although nothing was seen
        seconds = [wakes_and_cpu(1)]
        while seconds[-1][0] >= 2000 and len(seconds) < 5:
            seconds.append(wakes_and_cpu(1))
        for ring in rings:
            ring.close()
        for thread in threads:
            thread.join(60)
        assert seconds[-1][0] < 2000, seconds

    def test_a_process_that_waits_for_long_announces_once(self, monkeypatch):
        """Each time anew would cost it a system call for each object, several times a second."""
        event, entered = lockfree.Event(), []
        enter = lockfree.Event._enter
        monkeypatch.setattr(lockfree.Event, "_enter", lambda self: entered.append(1) or enter(self))
        setter = threading.Timer(2, event.set)
        setter.start()
        assert lockfree.wait([event], 60) == [event]
        setter.join()
        assert len(entered) < 10, "a look, a sleep of 0.1 s, a look, one sleep, a look"

    def test_a_dead_holder_is_found(self):
        def holds(lock, held):
            lock.acquire()
            held.set()
            time.sleep(60)

        lock, held = lockfree.Mutex(), lockfree.Event()
        child = FORK.Process(target=holds, args=(lock, held))
        child.start()
        assert lockfree.wait([held], 60)
        assert lockfree.wait([lock], 0.01) == []
        threading.Timer(0.05, os.kill, (child.pid, signal.SIGKILL)).start()
        assert lockfree.wait([lock], 60) == [lock]
        child.join()

    @pytest.mark.parametrize("wrong", [3, "ring", None, lockfree.AtomicU64])
    def test_what_cannot_be_waited_for(self, wrong):
        with pytest.raises(TypeError, match=r"objects\[1\] is .*: it must be a ring, a queue"):
            lockfree.wait([lockfree.Event(), wrong() if isinstance(wrong, type) else wrong], 0)

    def test_a_signal_interrupts(self):
        class Rings(Exception):
            pass

        def handler(*_):
            raise Rings

        old = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Rings):
                lockfree.wait([lockfree.Event()])
        finally:
            signal.signal(signal.SIGALRM, old)


def test_gevent_is_refused_with_words(monkeypatch):
    class Monkey:
        @staticmethod
        def is_module_patched(name):
            return name == "threading"

    monkeypatch.setitem(sys.modules, "gevent.monkey", Monkey)

    async def main():
        with pytest.raises(RuntimeError, match="gevent has replaced threads"):
            await lockfree.Event().await_(timeout=1)

    run(main())


def test_a_put_takes_its_arguments_by_name():
    async def main():
        with lockfree.BroadcastRing(1024, 2) as ring, lockfree.PriorityQueue(4, 8) as levels:
            ring.join(1)
            await ring.aput(b"for nobody", to=0)
            await ring.aput(b"for this one", to=[1], timeout=1)
            assert ring.try_get() == b"for this one"
            await levels.aput(b"x", priority=3)
            assert await levels.aget(timeout=1) == (3, b"x")
            with pytest.raises(TypeError):
                await levels.aput(b"x", urgency=3)

    asyncio.run(main())


@pytest.mark.parametrize("timeout", ["soon", float("nan"), 1e300])
def test_a_time_out_is_looked_at_also_where_nothing_has_to_wait(timeout):
    ring, event, latest, lock = lockfree.MPMCRing(4, 8), lockfree.Event(), lockfree.LatestValue(8), lockfree.Mutex()
    event.set()
    latest.set(b"x")
    ring.put(b"x")
    calls = [
        lambda: ring.aget(timeout), lambda: ring.aput(b"x", timeout=timeout), lambda: lock.aacquire(timeout),
        lambda: lockfree.Semaphore(1).aacquire(1, timeout), lambda: event.await_(timeout), lambda: latest.await_(0, timeout),
        lambda: lockfree.RWLock().aacquire_read(timeout), lambda: lockfree.RWLock().aacquire_write(timeout),
        lambda: lockfree.EventCount().await_until(lambda: True, timeout), lambda: lockfree.Queue().aput(1, timeout=timeout),
        lambda: lockfree.Barrier(1).await_(timeout), lambda: lockfree.PriorityQueue(2, 8).aput(b"x", 0, timeout=timeout),
        lambda: lockfree.BroadcastRing(512, 2).aput(b"x", timeout=timeout),
    ]  # fmt: skip

    async def main():
        for call in calls:
            with pytest.raises((TypeError, ValueError, OverflowError), match="timeout is"):
                await call()

    run(main())
    assert ring.qsize() == 1
    assert not lock.locked()
