"""Uses of the later classes that a type checker refuses: each line that ends in `# wrong`, and no other."""

import lockfree


def queues(queue: lockfree.Queue, ring: lockfree.MessageRing, cast: lockfree.BroadcastRing) -> None:
    lockfree.Queue("8")  # wrong
    lockfree.Queue(8, dumps=3)  # wrong
    lockfree.Queue(8, start=5)  # wrong
    lockfree.SimpleQueue(8)  # wrong
    lockfree.LatestValue(8, casting="safe")  # wrong
    lockfree.PriorityQueue(4, 8, 2, casting="safe")  # wrong
    lockfree.MPMCRing(4, 8, casting="safe")  # wrong
    queue.put(1, timeout="1")  # wrong
    queue.put_many(5)  # wrong
    queue.get_many("3")  # wrong
    numbers = lockfree.Queue[int](4)
    numbers.put("text")  # wrong
    numbers.put_many(["text"])  # wrong
    numbers.get().upper()  # wrong
    ring.put("text")  # wrong
    ring.put(5)  # wrong
    ring.put_many("text", "yes", 1, 2)  # wrong
    ring.put_many([1, 2])  # wrong
    ring.join("soon")  # wrong
    lockfree.MessageRing("1 MB")  # wrong
    lockfree.MessageRing(64, max_messages="3")  # wrong
    message: str = ring.get()  # wrong
    lockfree.BroadcastRing(64)  # wrong
    lockfree.BroadcastRing(64, 2, slow="skip")  # wrong
    cast.put(b"x", to="all")  # wrong
    cast.put("text")  # wrong
    cast.join("first")  # wrong
    cast.write("long")  # wrong
    late: list[int] = cast.late()  # wrong
    cast.slow = "fast"  # wrong
    cast.reader = 3  # wrong
    print(message, late)


def locks(lock: lockfree.RWLock, condition: lockfree.Condition, barrier: lockfree.Barrier) -> None:
    lock.acquire()  # wrong
    lock.acquire_read(timeout="1")  # wrong
    lock.readers = 3  # wrong
    lockfree.Condition(3)  # wrong
    condition.wait("1")  # wrong
    condition.wait_for(3)  # wrong
    condition.notify("all")  # wrong
    lockfree.Barrier()  # wrong
    lockfree.Barrier("3")  # wrong
    lockfree.Barrier(3, action=3)  # wrong
    barrier.wait("1")  # wrong
    barrier.broken = True  # wrong
    barrier.parties = 3  # wrong
    lockfree.RLock().acquire(blocks=True)  # wrong
    lockfree.RLock().recover(1)  # wrong


def waits(event: lockfree.Event, count: lockfree.EventCount) -> None:
    event.wait("1")  # wrong
    event.set(True)  # wrong
    lockfree.Event(True)  # wrong
    count.wait()  # wrong
    count.wait("3")  # wrong
    count.wait_until(True)  # wrong
    count.notify("all")  # wrong
    number: str = count.prepare()  # wrong
    print(number)


def blocks(pool: lockfree.BlockPool) -> None:
    lockfree.BlockPool("8")  # wrong
    pool.alloc("3")  # wrong
    pool.alloc(3, timeout="1")  # wrong
    pool.adopt("1")  # wrong
    pool.free()  # wrong
    pool.retain("1")  # wrong
    pool.free([1.5])  # wrong
    pool.lease = 3  # wrong
    pool.blocks = 3  # wrong
    ticket: str = pool.seal([1, 2])  # wrong
    numbers: str = pool.references([1])  # wrong
    print(ticket, numbers)


async def awaited(
    ring: lockfree.MPMCRing[bytes], levels: lockfree.PriorityQueue[bytes], cast: lockfree.BroadcastRing
) -> None:
    await ring.aput("text")  # wrong
    await ring.aput(b"x", 1)  # wrong
    await levels.aput(b"x")  # wrong
    await cast.aput(b"x", to="all")  # wrong
    text: str = await ring.aget()  # wrong
    number: int = await levels.aget()  # wrong
    await ring.aget("soon")  # wrong
    print(text, number)


def everybodys(ring: lockfree.MessageRing) -> None:
    ring.spin = 1.5  # wrong
    ring.peer_death = "ignore"  # wrong
    ring.watch(3)  # wrong
    lockfree.MessageRing.open("name")  # right: what is missing is found when it runs
    lockfree.MessageRing.open(3, 64)  # wrong
    lockfree.MessageRing.open("name", 64, if_dead="remove")  # wrong
    lockfree.MessageRing.attach()  # wrong
    lockfree.MessageRing.attach(3)  # wrong
