"""Uses that a type checker refuses: each line that ends in `# wrong`, and no other."""

import lockfree


def locks() -> None:
    mutex = lockfree.Mutex()
    lockfree.Mutex(3)  # wrong
    lockfree.Mutex(name=3)  # wrong
    mutex.acquire(timeout="1")  # wrong
    mutex.acquire(wait=True)  # wrong
    mutex.lock()  # wrong
    number: int = mutex.name  # wrong
    with mutex as entered:
        entered.fetch_add(1)  # wrong
    print(number)


def semaphore() -> None:
    permits = lockfree.Semaphore()
    lockfree.Semaphore("3")  # wrong
    permits.acquire(n="2")  # wrong
    permits.release(1, 2)  # wrong
    permits.value = 3  # wrong


def atomics() -> None:
    number = lockfree.AtomicU64()
    lockfree.AtomicU64(1.5)  # wrong
    number.fetch_add("1")  # wrong
    number.fetch_add(1.5)  # wrong
    number.load("release")  # wrong
    number.store(1, "acquire")  # wrong
    number.store(1, order="sequential")  # wrong
    number.value = "1"  # wrong
    text: str = number.load()  # wrong
    lockfree.AtomicF64().fetch_and(1)  # wrong
    lockfree.AtomicFlag().fetch_add(1)  # wrong
    lockfree.AtomicFlag().fetch_sub(1)  # wrong
    lockfree.AtomicFlag(5)  # wrong
    lockfree.AtomicU64().test_and_set()  # wrong
    print(text)


def views(buffer: bytearray) -> None:
    lockfree.atomic_view(buffer, 0, "u16")  # wrong
    lockfree.atomic_view(buffer, kind="u16")  # wrong
    lockfree.atomic_view(buffer, "0")  # wrong
    lockfree.atomic_view(buffer).test_and_set()  # wrong
    lockfree.atomic_view(buffer, 0, "flag").fetch_add(1)  # wrong
    name: str = lockfree.atomic_view(buffer).load()  # wrong
    print(name)


def package() -> None:
    lockfree.Mutecks()  # wrong


def messages(shared: lockfree.MessageRing) -> None:
    shared.put(5)  # wrong
    shared.put_many([1, 2])  # wrong
    shared.put_many(b"abc")  # wrong
    text: str = shared.get()  # wrong
    broadcast = lockfree.BroadcastRing(1024, 2, slow="never")  # wrong
    broadcast.put("text")  # wrong
    broadcast.put(b"x", to="one")  # wrong
    print(text)


def waits(table: lockfree.RWLock, count: lockfree.EventCount, pool: lockfree.BlockPool) -> None:
    table.acquire_read(timeout="soon")  # wrong
    table.reading(1)  # wrong
    count.wait("ticket")  # wrong
    lockfree.Event().wait("1")  # wrong
    lockfree.Barrier("two")  # wrong
    lockfree.Condition().notify("1")  # wrong
    pool.alloc("one")  # wrong
    pool.adopt("x")  # wrong
    lockfree.LatestValue("long")  # wrong
    lockfree.Space(4096).mutex(5)  # wrong
    lockfree.Space(4096).atomic("u16")  # wrong
    lockfree.LatestValue(8).set("text")  # wrong
    lockfree.LatestValue(8).wait("new")  # wrong
