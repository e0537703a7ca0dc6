"""Uses of the later classes that a type checker accepts, and the types of what they return."""

import asyncio
import multiprocessing
import threading
from typing import Any, assert_type

import lockfree


def queues() -> None:
    queue = lockfree.Queue(8, size_bytes=1 << 20, name="jobs", spin="never")
    queue.put({"any": "object"}, timeout=1)
    assert_type(queue.get(), Any)
    assert_type(queue.get_many(3, True, 0.5), list[Any])
    assert_type(queue.put_many([1, "two"]), int)
    assert_type(queue.put_many(iter([1]), block=True, timeout=1), int)
    assert_type(queue.qsize(), int)
    assert_type(queue.full(), bool)
    assert_type(queue.maxsize, int)
    joinable = lockfree.JoinableQueue()
    joinable.task_done()
    assert_type(joinable.join(1), bool)
    lockfree.SimpleQueue(name="results").put(None)
    numbers = lockfree.Queue[int](4)
    numbers.put(3)
    assert_type(numbers.get(), int)
    assert_type(numbers.get_many(2), list[int])
    assert_type(numbers.try_get(), int | None)
    assert_type(numbers.try_get("none"), int | str)
    texts: lockfree.JoinableQueue[str] = lockfree.JoinableQueue()
    assert_type(texts.get_nowait(), str)


def messages(ring: lockfree.MessageRing, cast: lockfree.BroadcastRing) -> None:
    assert_type(ring.put_many([b"a", bytearray(b"b")], block=True, timeout=1), int)
    assert_type(ring.free(), int)
    assert_type(ring.max_messages, int | None)
    assert_type(ring.peek(), memoryview | None)
    ring.release()
    ring.shutdown(immediate=True)
    assert_type(cast.put_many(iter([b"a"]), to=[0, 1]), int)
    assert_type(cast.reader, int | None)
    assert_type(cast.writer, int | None)
    assert_type(cast.joined, tuple[int, ...])
    assert_type(cast.missed, int)
    assert_type(cast.reserve(10), memoryview | None)
    cast.commit(5, to=1)
    assert_type(cast.wait_for_readers([0, 1], timeout=1), bool)


def locks(lock: lockfree.RLock, other: lockfree.Mutex) -> None:
    lockfree.Condition(threading.Lock())
    lockfree.Condition(multiprocessing.Lock())
    with lock, lockfree.Condition(other) as condition:
        assert_type(condition.wait(1), bool)
        assert_type(condition.wait_for(lambda: 3, timeout=1), int)
        condition.notify(2)
        condition.notify_all()


def blocks(pool: lockfree.BlockPool) -> None:
    found = pool.alloc(3, block=True, timeout=1)
    if found is not None:
        assert_type(pool.references(found), list[int])
        assert_type(pool.seal(found), int)
        pool.free([1, 2], generations=[0, 0])
        pool.free((found[0], 2), generations=found)
        pool.retain(3)
    assert_type(pool.lease, int)
    assert_type(pool.available, int)
    assert_type(pool.reclaim(3), int)


async def awaited(ring: lockfree.MPMCRing[bytes], queue: lockfree.Queue, lock: lockfree.Mutex) -> None:
    assert_type(await lockfree.SimpleQueue[int]().aget(), int)
    assert_type(await ring.aget(), bytes)
    assert_type(await ring.aget(timeout=1), bytes)
    await ring.aput(b"x")
    assert_type(await queue.aget(), Any)
    await queue.aput({"any": "object"}, timeout=1)
    assert_type(await lock.aacquire(), bool)
    assert_type(await lockfree.PriorityQueue(8, 8).aget(), tuple[int, bytes])
    await lockfree.PriorityQueue(8, 8).aput(b"x", 3, timeout=1)
    assert_type(await lockfree.BroadcastRing(64, 2).aget(), bytes)
    await lockfree.BroadcastRing(64, 2).aput(b"x", to=[0])
    await lockfree.MPMCRing(8, dtype="f8").aput(1.5)
    assert_type(await lockfree.EventCount().await_until(lambda: 3), int)


def everybodys(ring: lockfree.MessageRing) -> None:
    ring.spin = 100
    ring.peer_death = "raise"
    ring.watch(lambda shared, seconds, peers: print(shared, seconds, len(peers)), slow_after=0.5)
    ring.watch(None)
    assert_type(ring.stats(), dict[str, int])
    assert_type(ring.peers()[0].pid, int)
    assert_type(lockfree.MessageRing.open("name", 64, if_dead="replace"), lockfree.MessageRing)
    assert_type(lockfree.MessageRing.attach("name", spin="never"), lockfree.MessageRing)
    asyncio.run(awaited(lockfree.MPMCRing(8, 8), lockfree.Queue(), lockfree.Mutex()))
