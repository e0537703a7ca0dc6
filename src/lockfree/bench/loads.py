"""What the processes do to each primitive."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import lockfree
from lockfree.bench.engine import Load, Tally, Worker


@dataclass(frozen=True)
class Settings:
    """`batch`: records of a call, or blocks of an `alloc`."""

    capacity: int = 1024
    record: int = 64
    batch: int = 1


@dataclass(frozen=True)
class Primitive:
    """`make` makes a load of so many processes. `uses`: the settings that it looks at. `least`, `most`: processes."""

    what: str
    make: Callable[[int, Settings], Load]
    uses: tuple[str, ...] = ()
    least: int = 1
    most: int = 64
    needs: str | None = None
    """A module that must be there."""


def _halves(processes: int) -> tuple[int, int]:
    """Producers and consumers."""
    return (processes + 1) // 2, max(1, processes // 2)


def _passing(made: Any, put: Any, get: Any, processes: int, each: int) -> Load:
    producers, consumers = _halves(processes)
    workers = [Worker("put", lambda tally: tally.run(put, each), counts=False)] * producers
    workers += [Worker("get", lambda tally: tally.run(get, each))] * consumers
    return Load(workers, made.shutdown, made.close)


def _ring(kind: Any, processes: int, settings: Settings) -> Load:
    ring, record, batch = kind(settings.capacity, settings.record), b"x" * settings.record, settings.batch
    if batch == 1:
        return _passing(ring, partial(ring.put, record), ring.get, processes, 1)
    records = [record] * batch
    return _passing(ring, partial(_put_all, ring, records), partial(_get_all, ring, batch), processes, batch)


def _put_all(ring: Any, records: list[bytes]) -> None:
    left = records
    while left := left[ring.put_many(left, block=True) :]:
        pass


def _get_all(ring: Any, count: int) -> None:
    while count:
        count -= len(ring.get_many(count, block=True))


def _priority_queue(processes: int, settings: Settings) -> Load:
    made, record = lockfree.PriorityQueue(settings.capacity, settings.record), b"x" * settings.record
    priorities = itertools.cycle(range(16))
    return _passing(made, lambda: made.put(record, next(priorities)), made.get, processes, 1)


def _message_ring(processes: int, settings: Settings) -> Load:
    ring, message = lockfree.MessageRing(settings.capacity * (settings.record + 16)), b"x" * settings.record
    return _passing(ring, partial(ring.put, message), ring.get, processes, 1)


def _broadcast_ring(processes: int, settings: Settings) -> Load:
    ring = lockfree.BroadcastRing(settings.capacity * (settings.record + 16), processes - 1)
    message = b"x" * settings.record

    def write(tally: Tally) -> None:
        ring.wait_for_readers()
        tally.run(partial(ring.put, message))

    def read(tally: Tally) -> None:
        ring.join()
        tally.run(ring.get)

    readers = [Worker("get", read, counts=False)] * (processes - 1)
    return Load([Worker("put", write), *readers], ring.shutdown, ring.close)


def _section(lock: Any) -> None:
    with lock:
        pass


def _lock(kind: Any, processes: int, _settings: Settings) -> Load:
    lock = kind()
    return Load(
        [Worker("lock, unlock", lambda tally: tally.run(partial(_section, lock)))] * processes, close=lock.close
    )


def _pair(take: Callable[[], object], give: Callable[[], object]) -> None:
    take()
    give()


def _everybody(made: Any, role: str, call: Callable[[], object], processes: int) -> Load:
    return Load([Worker(role, lambda tally: tally.run(call))] * processes, close=made.close)


def _rwlock(processes: int, _settings: Settings) -> Load:
    lock = lockfree.RWLock()
    return _everybody(lock, "read", partial(_pair, lock.acquire_read, lock.release_read), processes)


def _semaphore(processes: int, _settings: Settings) -> Load:
    made = lockfree.Semaphore(max(1, processes // 2))
    return _everybody(made, "acquire, release", partial(_pair, made.acquire, made.release), processes)


def _atomic(processes: int, _settings: Settings) -> Load:
    made = lockfree.AtomicU64()
    return _everybody(made, "fetch_add", partial(made.fetch_add, 1), processes)


def _event(processes: int, _settings: Settings) -> Load:
    made = lockfree.Event()
    return _everybody(made, "set, clear", partial(_pair, made.set, made.clear), processes)


def _event_count(processes: int, _settings: Settings) -> Load:
    made = lockfree.EventCount()
    return _everybody(made, "notify", made.notify, processes)


def _latest_value(processes: int, settings: Settings) -> Load:
    made, value = lockfree.LatestValue(settings.record), b"x" * settings.record
    writer = Worker("set", lambda tally: tally.run(partial(made.set, value)), counts=False)
    return Load([writer, *[Worker("get", lambda tally: tally.run(made.get))] * (processes - 1)], made.close)


def _space(processes: int, _settings: Settings) -> Load:
    made = lockfree.Space(4096)

    def find_and_lock() -> None:
        with made.mutex("cache"):
            pass

    return _everybody(made, "find, lock, unlock", find_and_lock, processes)


def _notify(condition: Any) -> None:
    with condition:
        condition.notify()


def _condition(processes: int, _settings: Settings) -> Load:
    made = lockfree.Condition()
    return _everybody(made, "lock, notify, unlock", partial(_notify, made), processes)


def _barrier(processes: int, _settings: Settings) -> Load:
    made = lockfree.Barrier(processes)
    workers = [Worker("wait", lambda tally: tally.one_by_one(made.wait))] * processes
    return Load(workers, made.abort, made.close)


def _block_pool(processes: int, settings: Settings) -> Load:
    pool, batch = lockfree.BlockPool(settings.capacity), settings.batch

    def take_and_give() -> None:
        blocks = pool.alloc(batch)
        if blocks is not None:
            pool.free(blocks)

    return _everybody(pool, "alloc, free", take_and_give, processes)


RECORDS = ("--capacity", "--record")
PRIMITIVES: dict[str, Primitive] = {
    "atomic": Primitive("fetch_add of one AtomicU64", _atomic),
    "barrier": Primitive("rounds of all processes", _barrier, least=2),
    "block_pool": Primitive("alloc and free of --batch blocks", _block_pool, ("--capacity", "--batch"), needs="numpy"),
    "broadcast_ring": Primitive("messages of 1 writer to all others", _broadcast_ring, RECORDS, least=2),
    "condition": Primitive("lock, notify, unlock", _condition),
    "event": Primitive("set and clear", _event),
    "event_count": Primitive("notify, nobody waits", _event_count),
    "latest_value": Primitive("reads of all others while 1 writes", _latest_value, ("--record",), least=2),
    "message_ring": Primitive("messages from one half to the other", _message_ring, RECORDS, least=2),
    "mpmc_ring": Primitive("records from one half to the other", partial(_ring, lockfree.MPMCRing),
                           (*RECORDS, "--batch"), least=2),
    "mutex": Primitive("lock and unlock", partial(_lock, lockfree.Mutex)),
    "priority_queue": Primitive("records from one half to the other, 16 levels", _priority_queue, RECORDS, least=2),
    "rlock": Primitive("lock and unlock", partial(_lock, lockfree.RLock)),
    "rwlock": Primitive("reads", _rwlock),
    "semaphore": Primitive("acquire and release, a permit for every second process", _semaphore),
    "space": Primitive("find a lock by its name, lock and unlock", _space),
    "spinlock": Primitive("lock and unlock", partial(_lock, lockfree.SpinLock)),
    "spsc_ring": Primitive("records from one process to another", partial(_ring, lockfree.SPSCRing),
                           (*RECORDS, "--batch"), least=2, most=2),
}  # fmt: skip


def round_trip(kind: Any, settings: Settings) -> Load:
    """A record to another process and back, one at a time."""
    there, back = kind(settings.capacity, settings.record), kind(settings.capacity, settings.record)
    record = b"x" * settings.record

    def ask(tally: Tally) -> None:
        tally.one_by_one(partial(_pair, partial(there.put, record), back.get))

    def answer(_tally: Tally) -> None:
        while True:
            back.put(there.get())

    def end() -> None:
        there.shutdown()
        back.shutdown()

    def close() -> None:
        there.close()
        back.close()

    return Load([Worker("round trip", ask), Worker("answer", answer, counts=False)], end, close)


ROUND_TRIPS: dict[str, Any] = {"mpmc_ring": lockfree.MPMCRing, "spsc_ring": lockfree.SPSCRing}
