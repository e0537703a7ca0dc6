# ruff: noqa: ARG002 - a scenario takes what it needs
"""PriorityQueue: strict minimum, FIFO within a level, exact EMPTY; FULL counts the records in hand."""

import queue
import random
from typing import Any

from lockfree._native.stress import lib
from lockfree._segment import starting_at
from lockfree.priority_queue import PriorityQueue
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.ring_scenario import RecordScenario
from lockfree.stress.scenario import Round

FRONT = 1 << 55
"""In the value of a record that is put in front: `LF_STRESS_FRONT`. Histories tell of lines: see `plan.fronts`."""


class Actor:
    """One client that uses the Python class."""

    def __init__(self, pq: PriorityQueue[bytes], client: Client, batch: int, levels: int) -> None:
        self.pq, self.client, self.batch, self.levels, self.rng = pq, client, batch, levels, client.random
        self.fronts = bool(client.raw.plan.fronts)

    def line(self, value: int, level: int) -> int:
        return 2 * level + (value & FRONT == 0) if self.fronts else level

    def record(self, *, front: bool = False) -> tuple[int, int, bytes]:
        value = self.client.value() | (FRONT if front else 0)
        return value, self.rng.randrange(self.levels), pack(value, self.rng.randint(8, self.pq.record_size))

    def put_with(self, style: int) -> None:
        front = self.fronts and self.rng.randrange(4) == 0
        value, level, record = self.record(front=front)
        timeout = self.client.some_timeout()
        self.client.open(PUT, value, self.line(value, level))
        try:
            if front:
                self.pq.requeue(record, level, block=style == 2, timeout=timeout if style == 2 else None)
                done = True
            elif style == 0:
                done = self.pq.try_put(record, level)
            else:
                done = True
                if style == 1:
                    self.pq.put_nowait(record, level)
                elif style == 2:
                    self.pq.put(record, level, timeout=timeout)
                else:
                    self.pq.put(record, level, False)
        except queue.Full:
            done = False
        self.client.close_try(done)

    def get_with(self, style: int) -> None:
        timeout = self.client.some_timeout()
        self.client.open(GET)
        found = None
        try:
            if style == 0:
                found = self.pq.try_get()
            elif style == 1:
                found = self.pq.get_nowait()
            elif style == 2:
                found = self.pq.get(timeout=timeout)
            else:
                found = self.pq.get(False)
        except queue.Empty:
            pass
        self.end_get(found)

    def end_get(self, found: Any) -> None:
        if found is None:
            self.client.close(None)
        else:
            value = unpack(found[1])
            self.client.close(value, self.line(value, found[0]))

    def try_put(self) -> None:
        self.put_with(self.rng.choice((0, 1, 3)))

    def try_get(self) -> None:
        self.get_with(self.rng.choice((0, 1, 3)))

    def put(self) -> None:
        self.put_with(2)

    def get(self) -> None:
        self.get_with(2)

    def put_many(self) -> None:
        records = [self.record() for _ in range(self.rng.randint(1, self.batch))]
        levels = [level for _, level, _ in records]
        lines = [self.line(value, level) for value, level, _ in records]
        self.client.open_many(PUT, [value for value, _, _ in records], lines, len(records))
        self.client.close_puts(len(records), self.pq.put_many([record for _, _, record in records], levels))

    def get_many(self) -> None:
        count = self.rng.randint(1, self.batch)
        self.client.open_many(GET, None, None, count)
        found = self.pq.get_many(count)
        values = [unpack(r) for _, r in found]
        lines = [self.line(value, level) for value, (level, _) in zip(values, found, strict=True)]
        self.client.close_gets(count, values, lines, empty=not found)

    def reserve(self) -> None:
        value, level, record = self.record()
        block, timeout = self.rng.random() < 0.3, self.client.some_timeout()
        self.client.open(PUT, value, self.line(value, level))
        view = self.pq.reserve(block, timeout)
        if view is not None:
            view[: len(record)] = record
            self.pq.commit(level, len(record))
        self.client.close_try(view is not None)

    def cancel(self) -> None:
        if self.pq.reserve() is not None:
            self.pq.cancel()

    def peek(self) -> None:
        block, timeout = self.rng.random() < 0.3, self.client.some_timeout()
        self.client.open(GET)
        found = self.pq.peek(block, timeout)
        if found is None:
            self.end_get(None)
            return
        copied = (found[0], bytes(found[1]))
        self.pq.release()
        self.end_get(copied)

    def lease(self) -> None:
        block, timeout = self.rng.random() < 0.3, self.client.some_timeout()
        self.client.open(GET)
        found = None
        try:
            with self.pq.lease(block, timeout) as leased:
                found = leased
        except queue.Empty:
            pass
        self.end_get(found)

    def actions(self) -> list[Any]:
        return [
            self.try_put, self.try_get, self.put, self.get, self.put_many, self.get_many,
            self.reserve, self.peek, self.lease, self.lease, self.cancel,
        ]  # fmt: skip


class PriorityQueueScenario(RecordScenario):
    name = "priority_queue"
    starts = (0, 0, 2**31 - 3, 2**32 - 9, 2**36 - 5, 2**64 - 11)

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        levels = rng.choice((1, 2, 3, 8, 16, 16, 17, 40, 127, 128))
        fronts = levels < 128 and rng.random() < 0.5
        return super().settings(rng, clients, driver) | {"levels": levels, "fronts": fronts}

    def create(self, about: Round) -> PriorityQueue[bytes]:
        s = about.settings
        made = s["capacity"], s["record_size"], s["levels"]
        return starting_at(s["start"], PriorityQueue, *made, fronts=s["fronts"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        again = self._comes_back(about)
        levels, fronts = (1, False) if again else (about.settings["levels"], about.settings["fronts"])
        return super().plan(about, number) | {"levels": levels, "fronts": fronts}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_priority_queue(shared._h, client.raw))

    def actions(self, shared: Any, client: Client, about: Round) -> list[Any]:
        return Actor(shared, client, about.batch, client.raw.plan.levels).actions()

    def drain(self, shared: Any, client: Client, about: Round) -> None:
        shared.recover_dead()
        actor = Actor(shared, client, 1, shared.levels)
        for _ in range(shared.capacity + 1):
            actor.get_with(0)

    def specs(self, about: Round) -> tuple[str, str]:
        return "priority-queue", f"priority-queue:{about.settings['capacity']},full=in-hand"


SCENARIO = PriorityQueueScenario()
