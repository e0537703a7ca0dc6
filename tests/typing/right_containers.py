"""Uses of the containers that a type checker accepts, and what it says of their results."""

from typing import Any, assert_type

import numpy as np

import lockfree


def rings_of_bytes(ring: lockfree.MPMCRing[bytes]) -> None:
    made = lockfree.MPMCRing(8, 16)
    assert_type(made, lockfree.MPMCRing[bytes])
    assert_type(lockfree.SPSCRing(8, 16, name="x"), lockfree.SPSCRing[bytes])
    attached: lockfree.MPMCRing[bytes] = lockfree.MPMCRing.attach("x")
    for one in (ring, made, attached):
        one.put(b"text")
        one.put(bytearray(b"text"), timeout=1)
        one.put(memoryview(b"text"), False)
        assert_type(one.try_put(b"text"), bool)
        assert_type(one.get(), bytes)
        assert_type(one.get(timeout=1.5), bytes)
        assert_type(one.try_get(), bytes | None)
        assert_type(one.get_nowait(), bytes)
        assert_type(one.put_many([b"a", b"b"]), int)
        assert_type(one.put_many(iter([b"a"]), block=True, timeout=1), int)
        assert_type(one.get_many(5), list[bytes])
        assert_type(one.get_into(bytearray(64)), int)
        assert_type(one.reserve(), memoryview | None)
        assert_type(one.peek(), memoryview | None)
        assert_type(one.qsize(), int)
        assert_type(len(one), int)
        assert_type(one.capacity, int)
        assert_type(one.record_size, int)
        with one.lease() as record:
            assert_type(record, bytes)
        one.shutdown()
        one.shutdown(immediate=True)


def rings_of_a_dtype() -> None:
    ring = lockfree.MPMCRing(8, dtype="f8")
    ring.put(1.5)
    ring.put(np.float64(2))
    shaped = lockfree.MPMCRing(8, dtype=np.dtype(("f4", (3,))))
    shaped.put([1, 2, 3])
    shaped.put(np.zeros(3))
    record: np.ndarray[Any, np.dtype[Any]] = shaped.get()
    print(record.sum(), ring.get() + 1)
    ring.put_many([1.0, 2.0])


def roles() -> None:
    ring = lockfree.SPSCRing(8, 16)
    ring.release_role("producer")
    ring.release_role("consumer")


def priority_queue() -> None:
    queue = lockfree.PriorityQueue(8, 16, levels=4, fronts=True)
    assert_type(queue.requeue(b"text", 1, front=True, timeout=1), int)
    assert_type(queue.fronts, bool)
    assert_type(queue, lockfree.PriorityQueue[bytes])
    queue.put(b"text", 1)
    assert_type(queue.get(), tuple[int, bytes])
    assert_type(queue.try_get(), tuple[int, bytes] | None)
    assert_type(queue.get_many(3), list[tuple[int, bytes]])
    queue.put_many([b"a", b"b"], 0)
    queue.put_many([b"a", b"b"], [0, 1])
    with queue.lease() as (priority, record):
        assert_type(priority, int)
        assert_type(record, bytes)
