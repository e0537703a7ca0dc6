# ruff: noqa: ARG002 - a scenario takes what it needs
"""MPMCRing: FIFO with exact EMPTY; FULL counts the records in the hands of running operations."""

import queue
from typing import Any

from lockfree._native.stress import lib
from lockfree._segment import starting_at
from lockfree.mpmc_ring import MPMCRing
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.ring_scenario import RecordScenario
from lockfree.stress.scenario import Round


class Actor:
    """One client that uses the Python class."""

    def __init__(self, ring: MPMCRing[bytes], client: Client, batch: int) -> None:
        self.ring, self.client, self.batch = ring, client, batch
        client.keep_tickets()

    def record(self) -> tuple[int, bytes]:
        value = self.client.value()
        return value, pack(value, self.client.random.randint(8, self.ring.record_size))

    def put_with(self, style: int) -> None:
        value, record = self.record()
        timeout = self.client.some_timeout()
        self.client.open(PUT, value)
        try:
            if style == 0:
                done = self.ring.try_put(record)
            else:
                done = True
                if style == 1:
                    self.ring.put_nowait(record)
                elif style == 2:
                    self.ring.put(record, timeout=timeout)
                else:
                    self.ring.put(record, False)
        except queue.Full:
            done = False
        self.client.close_try(done)

    def get_with(self, style: int) -> None:
        timeout = self.client.some_timeout()
        self.client.open(GET)
        record = None
        try:
            if style == 0:
                record = self.ring.try_get()
            elif style == 1:
                record = self.ring.get_nowait()
            elif style == 2:
                record = self.ring.get(timeout=timeout)
            else:
                record = self.ring.get(False)
        except queue.Empty:
            pass
        self.client.close(None if record is None else unpack(record))

    def try_put(self) -> None:
        self.put_with(self.client.random.choice((0, 1, 3)))

    def try_get(self) -> None:
        self.get_with(self.client.random.choice((0, 1, 3)))

    def put(self) -> None:
        self.put_with(2)

    def get(self) -> None:
        self.get_with(2)

    def put_many(self) -> None:
        count = self.client.random.randint(1, self.batch)
        records = [self.record() for _ in range(count)]
        if self.client.random.random() < 0.5:  # a two-dimensional buffer: rows of one length
            length = self.client.random.randint(8, self.ring.record_size)
            block = b"".join(pack(value, length) for value, _ in records)
            batch: Any = memoryview(block).cast("B", (count, length))
        else:
            batch = [record for _, record in records]
        self.client.open_many(PUT, [value for value, _ in records], None, count)
        self.client.close_puts(count, self.ring.put_many(batch))

    def get_many(self) -> None:
        count = self.client.random.randint(1, self.batch)
        if self.client.random.random() < 0.5:
            size = self.ring.record_size
            block = bytearray(count * size)
            self.client.open_many(GET, None, None, count)
            done = self.ring.get_into(block)
            values = [unpack(block[i * size : i * size + size], padded=True) for i in range(done)]
            self.client.close_gets(count, values, None, empty=True)
        else:
            self.client.open_many(GET, None, None, count)
            values = [unpack(record) for record in self.ring.get_many(count)]
            self.client.close_gets(count, values, None, empty=not values)

    def reserve(self) -> None:
        value, record = self.record()
        block, timeout = self.client.random.random() < 0.3, self.client.some_timeout()
        self.client.open(PUT, value)
        view = self.ring.reserve(block, timeout)
        if view is not None:
            view[: len(record)] = record
            self.ring.commit(len(record))
        self.client.close_try(view is not None)

    def cancel(self) -> None:
        if self.ring.reserve() is not None:
            self.ring.cancel()

    def peek(self) -> None:
        block, timeout = self.client.random.random() < 0.3, self.client.some_timeout()
        self.client.open(GET)
        view = self.ring.peek(block, timeout)
        value = None
        if view is not None:
            value = unpack(view)
            self.ring.release()
        self.client.close(value)

    def lease(self) -> None:
        block, timeout = self.client.random.random() < 0.3, self.client.some_timeout()
        self.client.open(GET)
        value = None
        try:
            with self.ring.lease(block, timeout) as record:
                value = unpack(record)
        except queue.Empty:
            pass
        self.client.close(value)

    def actions(self) -> list[Any]:
        return [
            self.try_put, self.try_get, self.put, self.get, self.put_many, self.get_many,
            self.reserve, self.peek, self.lease, self.lease, self.cancel,
        ]  # fmt: skip


class MPMCRingScenario(RecordScenario):
    name = "mpmc_ring"
    starts = (0, 0, 2**32 - 9, 2**46 - 5, 2**52 - 7, 2**64 - 11)

    def create(self, about: Round) -> MPMCRing[bytes]:
        s = about.settings
        return starting_at(s["start"], MPMCRing, s["capacity"], s["record_size"])

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_mpmc_ring(shared._h, client.raw))

    def actions(self, shared: Any, client: Client, about: Round) -> list[Any]:
        return Actor(shared, client, about.batch).actions()

    def drain(self, shared: Any, client: Client, about: Round) -> None:
        shared.recover_dead()
        actor = Actor(shared, client, 1)
        for _ in range(shared.capacity + 1):
            actor.get_with(0)

    def specs(self, about: Round) -> tuple[str, str]:
        return "queue", f"bounded-queue:{about.settings['capacity']},full=in-hand"


SCENARIO = MPMCRingScenario()
