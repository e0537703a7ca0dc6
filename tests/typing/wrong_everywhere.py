"""Uses of every public class that a type checker refuses: each line that ends in `# wrong`, and no other."""

import numpy as np
import numpy.typing as npt

import lockfree


def rings(ring: lockfree.MPMCRing[bytes], spsc: lockfree.SPSCRing[bytes]) -> None:
    x: list[str] = ring.get_many(3)  # wrong
    y: int = ring.try_get()  # wrong
    z: bytes = ring.try_get()  # wrong
    ring.reserve().append(1)  # wrong
    ring.put_many("ab")  # wrong
    ring.put_many(5)  # wrong
    ring.get_into(b"abc", 1)  # wrong
    ring.commit("1")  # wrong
    ring.peer_death = "never"  # wrong
    ring.spin = "always"  # wrong
    ring.watch(3)  # wrong
    ring.watch(lambda: None)  # wrong
    ring.waiting(peer_death="no")  # wrong
    spsc.release_role("writer")  # wrong
    spsc.release_role(1)  # wrong
    ring.get(True, "1")  # wrong
    ring.put(b"a", timeout=[1])  # wrong
    ring.closed = True  # wrong
    lockfree.MPMCRing(8, dtype="f8", casting="lossy")  # wrong
    lockfree.MPMCRing(8, 8, name=b"x")  # wrong
    lockfree.MPMCRing.attach(5)  # wrong
    lockfree.MPMCRing(8, 8, spin="fast")  # wrong
    print(x, y, z)


def ring_of_a_dtype(ring: lockfree.MPMCRing[npt.NDArray[np.float64]]) -> None:
    v: bytes = ring.get()  # wrong
    print(v)


async def tasks(m: lockfree.Mutex, s: lockfree.Semaphore, r: lockfree.MPMCRing[bytes], q: lockfree.Queue[int]) -> None:
    n: str = await r.aget()  # wrong
    await r.aput("text")  # wrong
    await r.aput(b"x", 5)  # wrong
    await q.aput("s")  # wrong
    t: str = await q.aget()  # wrong
    await m.aacquire("1")  # wrong
    await s.aacquire(n="1")  # wrong
    print(n, t)


def atomics() -> None:
    lockfree.AtomicI64(2.5)  # wrong
    lockfree.AtomicF64("1")  # wrong
    lockfree.AtomicU32().compare_exchange(1)  # wrong
    lockfree.AtomicU32().compare_exchange("a", 1)  # wrong
    lockfree.AtomicFlag().fetch_or(1)  # wrong
    lockfree.AtomicF64().fetch_xor(1)  # wrong
    lockfree.AtomicFlag().exchange(3)  # wrong
    lockfree.AtomicI64().exchange(1, "relax")  # wrong
    lockfree.AtomicU64().clear()  # wrong
    f: str = lockfree.AtomicF64().value  # wrong
    g: str = lockfree.AtomicFlag().load()  # wrong
    print(lockfree.AtomicU64().spin)  # wrong
    print(f, g)


def locks(
    rw: lockfree.RWLock, c: lockfree.Condition, b: lockfree.Barrier, ev: lockfree.Event, ec: lockfree.EventCount
) -> None:
    rw.acquire()  # wrong
    rw.acquire_read("yes", "no")  # wrong
    rw.release_read(1)  # wrong
    c.wait("1")  # wrong
    c.wait_for(5)  # wrong
    c.notify_all(1)  # wrong
    lockfree.Condition(5)  # wrong
    lockfree.Barrier()  # wrong
    lockfree.Barrier(2, 5)  # wrong
    x: str = b.wait()  # wrong
    ev.set(1)  # wrong
    y: str = ev.is_set()  # wrong
    ec.wait_until(3)  # wrong
    ec.notify("1")  # wrong
    ec.retract()  # wrong
    lockfree.RLock(1)  # wrong
    lockfree.SpinLock().acquire(True, "2")  # wrong
    print(x, y)


def latest(lv: lockfree.LatestValue[bytes]) -> None:
    x: str = lv.get()  # wrong
    lv.set(5)  # wrong
    lv.set()  # wrong
    lockfree.LatestValue(8, copies="4")  # wrong
    lockfree.LatestValue(dtype="f8", casting="x")  # wrong
    lv.version = 3  # wrong
    print(x)


def memory(p: lockfree.BlockPool, ar: lockfree.Arena, bl: lockfree.Block, sp: lockfree.Space) -> None:
    lockfree.BlockPool(8, order="filo")  # wrong
    lockfree.BlockPool(8, persistent="yes")  # wrong
    x: list[str] = p.alloc(3)  # wrong
    p.free("abc")  # wrong
    p.supersede("x")  # wrong
    p.reclaim("x")  # wrong
    lockfree.Arena("1")  # wrong
    lockfree.Arena(1, max_blocks="1")  # wrong
    ar.alloc("x")  # wrong
    ar.alloc(8, align="64")  # wrong
    ar.open_block("handle")  # wrong
    ar.drop(5)  # wrong
    bl.handle("two")  # wrong
    bl.release_when(5)  # wrong
    bl.array(shape="x")  # wrong
    bl.size = 3  # wrong
    lockfree.Space("4096")  # wrong
    lockfree.Space(4096, threads="x")  # wrong
    sp.semaphore("1")  # wrong
    sp.mutex("a").fetch_add(1)  # wrong
    sp.condition(3)  # wrong
    sp.atomic("u64", 1).test_and_set()  # wrong
    sp.atomic("flag").fetch_add(1)  # wrong
    sp.event("e").acquire()  # wrong
    print(x)


def queues(
    q: lockfree.Queue[int],
    jq: lockfree.JoinableQueue[str],
    sq: lockfree.SimpleQueue[int],
    mr: lockfree.MessageRing,
    br: lockfree.BroadcastRing,
    pq: lockfree.PriorityQueue[bytes],
) -> None:
    q.get().upper()  # wrong
    jq.put(5)  # wrong
    sq.put("s")  # wrong
    a1: str = q.qsize()  # wrong
    lockfree.Queue(maxsize="5")  # wrong
    lockfree.Queue(8, loads=5)  # wrong
    lockfree.Queue(8, arena=5)  # wrong
    mr.put_many([5])  # wrong
    mr.read().append(1)  # wrong
    b1: str = mr.get()  # wrong
    lockfree.MessageRing("4")  # wrong
    lockfree.BroadcastRing(4096)  # wrong
    lockfree.BroadcastRing(4096, 2, slow="skip")  # wrong
    br.put(b"x", to="0")  # wrong
    br.join("0")  # wrong
    br.reserve("1")  # wrong
    br.wait_for_readers("all")  # wrong
    br.put_many([1])  # wrong
    pq.put(b"x")  # wrong
    pq.put(b"x", "high")  # wrong
    pq.cancel("t")  # wrong
    pq.put_many([b"x"], ["1"])  # wrong
    c1: bytes = pq.try_get()  # wrong
    d1: tuple[str, bytes] = pq.get()  # wrong
    lockfree.PriorityQueue(8, 8, fronts="yes")  # wrong
    pq.commit()  # wrong
    print(a1, b1, c1, d1)


def the_package(m: lockfree.Mutex) -> None:
    lockfree.wait(m)  # wrong
    lockfree.wait([1, 2])  # wrong
    lockfree.wait([m], "1")  # wrong
    lockfree.atomic_view(bytearray(8), kind="int")  # wrong
    lockfree.get_include(1)  # wrong
    lockfree.Mutex.open(5)  # wrong
    lockfree.Mutex.open("n", if_dead="kill")  # wrong
    print(m.peers()[0].pids)  # wrong
    s: str = m.stats()["sleeps"]  # wrong
    m.recover(1)  # wrong
    m.unlink(True)  # wrong
    v: int = lockfree.__version__  # wrong
    print(s, v)
