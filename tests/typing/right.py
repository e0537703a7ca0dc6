"""Uses that a type checker accepts, and what it says of their results."""

from typing import assert_type

import lockfree


def locks() -> None:
    mutex = lockfree.Mutex(name="door")
    assert_type(mutex, lockfree.Mutex)
    assert_type(lockfree.Mutex.attach("door"), lockfree.Mutex)
    assert_type(mutex.acquire(), bool)
    assert_type(mutex.acquire(blocking=False), bool)
    assert_type(mutex.acquire(block=True, timeout=None), bool)
    assert_type(mutex.acquire(timeout=0.5), bool)
    assert_type(mutex.acquire(timeout=1), bool)
    assert_type(mutex.try_acquire(), bool)
    assert_type(mutex.locked(), bool)
    assert_type(mutex.recover_dead(), int)
    assert_type(mutex.closed, bool)
    assert_type(mutex.name, str | None)
    with mutex as entered:
        assert_type(entered, lockfree.Mutex)
    with lockfree.RLock(name="again") as rlock:
        assert_type(rlock, lockfree.RLock)
        assert_type(rlock.acquire(timeout=1), bool)
    with lockfree.SpinLock() as spinlock:
        assert_type(spinlock, lockfree.SpinLock)
    mutex.release()
    mutex.recover()
    mutex.close()
    mutex.unlink()


def semaphore() -> None:
    permits = lockfree.Semaphore(3, max_value=5)
    assert_type(permits.acquire(n=2, timeout=None), bool)
    assert_type(permits.acquire(block=False), bool)
    assert_type(permits.try_acquire(2), bool)
    assert_type(permits.value, int)
    assert_type(permits.max_value, int)
    permits.release(n=2)
    with permits as entered:
        assert_type(entered, lockfree.Semaphore)


def waiting() -> None:
    condition = lockfree.Condition()
    assert_type(lockfree.Condition(lockfree.Mutex(), name="both"), lockfree.Condition)
    with condition as entered:
        assert_type(entered, lockfree.Condition)
        assert_type(condition.wait(), bool)
        assert_type(condition.wait(timeout=1), bool)
        assert_type(condition.wait_for(lambda: "now", 1), str)
        condition.notify(2)
        condition.notify_all()
    table = lockfree.RWLock(name="table")
    assert_type(table.acquire_read(timeout=1), bool)
    assert_type(table.acquire_write(blocking=False), bool)
    assert_type(table.readers, int)
    assert_type(table.writer, bool)
    with table.reading():
        pass
    with table.writing():
        table.recover()
    barrier = lockfree.Barrier(3, print, timeout=2.5, name="step")
    assert_type(barrier.wait(), int)
    assert_type(barrier.wait(1), int)
    assert_type(barrier.broken, bool)
    assert_type(barrier.n_waiting, int)
    assert_type(barrier.parties, int)
    barrier.abort()
    barrier.reset()
    event = lockfree.Event(name="ready")
    assert_type(event.is_set(), bool)
    assert_type(event.wait(), bool)
    assert_type(event.wait(timeout=1), bool)
    event.set()
    event.clear()
    count = lockfree.EventCount(name="changed")
    assert_type(count.prepare(), int)
    assert_type(count.wait(3), bool)
    assert_type(count.wait(3, timeout=0.5), bool)
    assert_type(count.wait_until(lambda: "now", 1), str)
    count.notify()
    count.notify(n=3)
    count.notify_all()
    count.cancel()
    count.retract(3)
    latest = lockfree.LatestValue(16, copies=2, name="pose")
    assert_type(latest, lockfree.LatestValue[bytes])
    assert_type(latest.set(bytearray(3)), int)
    assert_type(latest.get(), bytes | None)
    assert_type(latest.get_versioned(), tuple[int, bytes | None])
    assert_type(latest.get_into(bytearray(16)), int)
    assert_type(latest.wait(3, timeout=0.5), bool)
    assert_type(latest.version, int)
    latest.release_role()
    lockfree.LatestValue(dtype="f8").set(1.5)
    space = lockfree.Space(4096, name="all")
    assert_type(space.mutex("cache"), lockfree.Mutex)
    assert_type(space.spinlock(spin=5), lockfree.SpinLock)
    assert_type(space.semaphore(2, name="permits"), lockfree.Semaphore)
    assert_type(space.atomic("u64", 5), lockfree.AtomicU64)
    assert_type(space.atomic("flag", name="on"), lockfree.AtomicFlag)
    assert_type(space.left, int)


def messages() -> None:
    ring = lockfree.MessageRing(1 << 20, block_bytes=1024, name="jobs", spin="never")
    ring.put(b"x", timeout=1)
    assert_type(ring.try_put(bytearray(b"x")), bool)
    assert_type(ring.get(), bytes)
    assert_type(ring.try_get(), bytes | None)
    assert_type(ring.get_many(), list[bytes])
    with ring.read() as view:
        assert_type(view, memoryview)


def broadcast() -> None:
    ring = lockfree.BroadcastRing(1 << 20, 8, slow="overwrite", name="steps")
    assert_type(ring.join(), int)
    ring.put(b"x", to=[1, 2])
    assert_type(ring.try_put(b"x", to=3), bool)
    assert_type(ring.get(timeout=1), bytes)
    assert_type(ring.try_get(), bytes | None)
    assert_type(ring.get_many(5), list[bytes])
    with ring.read() as view, ring.write(10) as place:
        assert_type(view, memoryview)
        assert_type(place, memoryview)
    assert_type(ring.late(), list[tuple[int, int, int]])


def atomics() -> None:
    number = lockfree.AtomicU64(1, name="counter")
    assert_type(number.load(), int)
    assert_type(number.load("relaxed"), int)
    assert_type(number.fetch_add(1), int)
    assert_type(number.fetch_sub(1, "release"), int)
    assert_type(number.fetch_xor(1, order="acq_rel"), int)
    assert_type(number.exchange(2), int)
    assert_type(number.compare_exchange(1, 2), tuple[bool, int])
    assert_type(number.value, int)
    number.value = 3
    number.store(3, "release")
    assert_type(lockfree.AtomicI64.attach("counter"), lockfree.AtomicI64)
    double = lockfree.AtomicF64(1.5)
    assert_type(double.fetch_add(1), float)
    assert_type(double.value, float)
    assert_type(double.compare_exchange(1.0, 2.0), tuple[bool, float])
    flag = lockfree.AtomicFlag(True)
    assert_type(flag.test_and_set(), bool)
    assert_type(flag.load("acquire"), bool)
    assert_type(flag.value, bool)
    assert_type(bool(flag), bool)
    flag.clear("release")


def views(buffer: bytearray) -> None:
    assert_type(lockfree.atomic_view(buffer).load(), int)
    assert_type(lockfree.atomic_view(buffer, 8).fetch_add(1), int)
    assert_type(lockfree.atomic_view(buffer, 0, "u32").fetch_or(1), int)
    assert_type(lockfree.atomic_view(buffer, kind="i64").value, int)
    assert_type(lockfree.atomic_view(buffer, 0, "f64").load(), float)
    assert_type(lockfree.atomic_view(buffer, kind="flag").test_and_set(), bool)
