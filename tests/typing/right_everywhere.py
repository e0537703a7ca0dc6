"""Uses of every public class that a type checker accepts, and what it says of their results."""

import threading
from typing import assert_type

import numpy as np

import lockfree


def rings() -> None:
    r = lockfree.MPMCRing(8, 8)
    assert_type(r, lockfree.MPMCRing[bytes])
    assert_type(r.get(), bytes)
    assert_type(r.try_get(), bytes | None)
    assert_type(r.get_many(3), list[bytes])
    with r.lease() as rec:
        assert_type(rec, bytes)
    for one in iter(r.get, None):
        assert_type(one, bytes)
    r.put(bytearray(b"x"))
    r.put(memoryview(b"x"))
    r.put_many(x for x in [b"a"])
    r.put_many(np.zeros((3, 8), "u1"))
    r.get_into(bytearray(80))
    r.get_into(np.zeros((3, 8), "u1"))
    v = r.reserve()
    if v is not None:
        v[:2] = b"ab"
        r.commit(2)
    d = lockfree.MPMCRing(8, dtype="f8")
    d.put(3.5)
    d.put_many([1.0, 2.0])
    d.put_many(np.zeros(3))
    d.get_many(3, as_array=True).sum()
    with d.waiting(peer_death="raise", on_slow=lambda o, s, p: None, slow_after=2) as dd:
        dd.get()
    s = lockfree.SPSCRing(8, 8, spin=50)
    s.release_role("producer")
    s.release_role("consumer")
    pq = lockfree.PriorityQueue(8, 8, levels=3)
    assert_type(pq.get(), tuple[int, bytes])
    t = pq.put_ticket(b"x", 1)
    pq.cancel(t)
    pq.put_many([b"x"], 1)
    pq.put_many([b"x"], [1])
    pq.requeue(b"x", 1, front=True)
    m = lockfree.MessageRing(1024)
    assert_type(m.get(), bytes)
    m.put_many([b"x", bytearray(b"y")])
    with m.read() as view:
        bytes(view)
    m.put(np.zeros(3))
    d.get_into(np.zeros(3))
    b = lockfree.BroadcastRing(1024, 3, slow="drop")
    b.put(np.zeros(3, "u1"))
    b.put_many([np.zeros(3)])
    b.put(b"x", to=[1, 2])
    b.put(b"", to=0)
    with b.write(3) as w:
        w[:] = b"abc"


def queues() -> None:
    x = lockfree.Queue[int](8)
    x.put(1)
    assert_type(x.get(), int)
    assert_type(x.get_many(), list[int])
    x.put_many(range(3))
    y: lockfree.JoinableQueue[dict[str, int]] = lockfree.JoinableQueue()
    y.put({"a": 1})
    y.task_done()
    y.join()
    z: lockfree.Queue[object] = lockfree.Queue(8, arena=lockfree.Arena(1 << 20), dumps=lambda o: b"", loads=lambda b: 1)
    lockfree.SimpleQueue[str]().put("x")
    z.put(object())


def atomics(buf: bytearray) -> None:
    assert_type(lockfree.AtomicU64().fetch_add(1), int)
    assert_type(lockfree.AtomicF64().load(), float)
    assert_type(lockfree.AtomicFlag().test_and_set(), bool)
    assert_type(lockfree.AtomicU32().value, int)
    assert_type(lockfree.AtomicF64(1).value, float)
    assert_type(lockfree.AtomicI64(-1).compare_exchange(1, 2), tuple[bool, int])
    assert_type(lockfree.atomic_view(buf).fetch_add(1, "relaxed"), int)
    assert_type(lockfree.atomic_view(buf, 0, "flag").load("acquire"), bool)
    assert_type(lockfree.atomic_view(buf, kind="f64").load(), float)
    sp = lockfree.Space(4096)
    assert_type(sp.atomic("u64", 3).load(), int)
    assert_type(sp.atomic("flag").load(), bool)
    assert_type(sp.mutex(), lockfree.Mutex)
    with sp.semaphore(2):
        ...


def locks_and_memory() -> None:
    with lockfree.Mutex() as m:
        m.locked()
    c = lockfree.Condition(threading.Lock())
    c2 = lockfree.Condition(lockfree.Mutex())
    with c:
        c.wait(1.0)
        assert_type(c.wait_for(lambda: 3, 1), int)
        c.notify(2)
    rw = lockfree.RWLock()
    with rw.reading():
        ...
    with rw.writing():
        ...
    b = lockfree.Barrier(2, print, 3.0)
    assert_type(b.wait(), int)
    e = lockfree.Event()
    assert_type(e.wait(1), bool)
    ec = lockfree.EventCount()
    assert_type(ec.wait_until(lambda: "x"), str)
    t = ec.prepare()
    ec.wait(t, 1.0)
    ec.retract(t)
    lv = lockfree.LatestValue(8)
    assert_type(lv.get(), bytes | None)
    lv.set(b"x")
    n: int = lv.version
    lv.get_into(bytearray(8))
    lv.get_into(np.zeros(8, "u1"))
    lvd = lockfree.LatestValue(dtype="f8")
    lvd.set(3.0)
    lvd.get_versioned()
    p = lockfree.BlockPool(8, order="lifo", persistent=False)
    bl = p.alloc(3)
    if bl is not None:
        p.free(bl)
        p.seal(bl.tolist())
        p.retain([1, 2])
    ar = lockfree.Arena(1 << 20)
    blk = ar.alloc(100)
    if blk is not None:
        arr = blk.array("f4", (5, 5))
        arr.sum()
        h = blk.handle(2)
        ar.open_block(h).release()
        blk.release_when(lambda: True)
    lockfree.wait([m_ := lockfree.Mutex(), e], 1.0)
    o = lockfree.Mutex.open("x", if_dead="replace")
    assert_type(o, lockfree.Mutex)
    lockfree.MPMCRing.open("y", 8, 8)
    assert_type(lockfree.get_include(), str)
    print(c2, n, m_)
    peer = o.peers()[0]
    assert_type(peer.pid, int)
    assert_type(o.stats(), dict[str, int])


async def tasks() -> None:
    r = lockfree.MPMCRing(8, 8)
    assert_type(await r.aget(), bytes)
    await r.aput(b"x", timeout=1)
    m = lockfree.Mutex()
    assert_type(await m.aacquire(), bool)
    q = lockfree.Queue[int](3)
    assert_type(await q.aget(), int)
    await q.aput(3)
    pq = lockfree.PriorityQueue(8, 8)
    await pq.aput(b"x", 3)
    assert_type(await pq.aget(), tuple[int, bytes])
    await lockfree.Event().await_(1)
    await lockfree.Barrier(1).await_()
    await lockfree.EventCount().await_until(lambda: 1)
