# ruff: noqa: ARG002 - a scenario takes what it needs
"""BroadcastRing: to each reader a queue of its own, with exact EMPTY, into which every put goes.

With `slow="overwrite"` a reader may miss messages: then what it gets is in order, whole, and nothing comes twice.
"""

import contextlib
import random
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from lockfree._errors import RoleTaken
from lockfree._native.stress import ffi, lib
from lockfree._segment import starting_at
from lockfree.broadcast_ring import BroadcastRing
from lockfree.linearizability import History
from lockfree.stress.arena import PENDING, RECORD_BYTES, Arena
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.ring_actor import MessageActor
from lockfree.stress.scenario import Claim, Round, Scenario

SIZES = (64 * 8, 1024, 4096, 65536)
STARTS = (0, 0, 2**32 - 64, 2**64 - 4096)
LONGEST = (8, 24, 60, 200)
#         try_put put put_many write try_get get read
WRITER = (30, 12, 8, 8, 0, 0, 0)
READER = (0, 0, 0, 0, 30, 12, 8)
FAILED = 1
MIXES = {"mixed": (WRITER, READER), "blocking": ((0, 1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 1, 0))}


class Actor(MessageActor):
    """One client that uses the Python class. A call that finds the role taken is not recorded."""

    def __init__(self, ring: BroadcastRing, client: Client, longest: int, burst: int) -> None:
        self.ring, self.client, self.longest, self.burst, self.rng = ring, client, longest, burst, client.random

    def put_by(self, how: Any) -> None:
        if self.rng.randrange(self.burst) == 0 and self.ring.writer:
            with contextlib.suppress(RuntimeError):  # it is another client's
                self.ring.release_role()
        value = self.client.value()
        record, timeout = pack(value, self.rng.randint(8, self.longest)), self.client.some_timeout()
        self.client.open(PUT, value)
        try:
            self.client.close_try(how(record, timeout))
        except RoleTaken:
            lib.lf_stress_pause(self.client.raw)
            self.client.forget(1)

    def put_many(self) -> None:
        self.put_by(lambda record, _: self.ring.put_many([record]) == 1)

    def write(self) -> None:
        def in_place(record: bytes, timeout: float) -> bool:
            view = self.ring.reserve(self.longest, True, timeout)
            if view is None:
                return False
            view[: len(record)] = record
            self.ring.commit(len(record))
            return True

        self.put_by(in_place)

    def get_by(self, how: Any) -> None:
        if self.ring.reader is None:
            self.ring.join()
        timeout = self.client.some_timeout()
        self.client.open(GET)
        record = how(timeout)
        self.client.close(None if record is None else unpack(record))

    def actions(self) -> list[Any]:
        return [self.try_put, self.put, self.put_many, self.write, self.try_get, self.get, self.read]


class BroadcastRingScenario(Scenario):
    name = "broadcast_ring"
    operations = 20_000
    refusals = MappingProxyType(
        {
            "put": ("FULL", "a reader had so much to read that there was no room"),
            "get": ("EMPTY", "the reader had read everything at one instant of the call"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {
            "size_bytes": rng.choice(SIZES),
            "longest": rng.choice(LONGEST),
            "slow": rng.choice(("wait", "wait", "wait", "overwrite")),
            "start": rng.choice(STARTS),
            "mix": rng.choice(("mixed", "mixed", "blocking")),
            "burst": rng.choice((50, 500, 5000)),
        }

    def create(self, about: Round) -> BroadcastRing:
        s = about.settings
        return starting_at(s["start"], BroadcastRing, s["size_bytes"], 64, slow=s["slow"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        writer, reader = MIXES[about.settings["mix"]]
        return {
            "weights": list(writer if number % 3 == 0 else reader),
            "kind": about.settings["longest"],
            "role_burst": about.settings["burst"],
            "forget_full": 1,
        }

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_broadcast_ring(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, about.settings["longest"], about.settings["burst"])
        client.run(actor.actions(), list(client.raw.plan.weights)[:7])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        if about.settings["slow"] == "overwrite":
            return []
        return [Claim("queue", history, f"reader {client}") for client, history in readers(arena)]

    def contradiction(self, about: Round, arena: Arena) -> str:
        return disorder(arena)


def operations(arena: Arena) -> Iterator[Any]:
    """What was recorded: struct lf_history_op, without the refused puts and the gets that never returned."""
    for memory in arena.records():
        records = ffi.cast("struct lf_history_op *", ffi.from_buffer(memory))
        for i in range(len(memory) // RECORD_BYTES):
            op = records[i]
            if not (op.flags & FAILED and op.op == PUT) and not (op.op == GET and op.ret == PENDING):
                yield op


def readers(arena: Arena) -> Iterator[tuple[int, History]]:
    """For each client that has read: what it got, and the puts since it joined, as a history of a queue.

    A client joins at its first get. A put that was called before this returned may have come too early for it, but
    not one that was called when a put whose message it got had returned.
    """
    puts: list[Any] = []
    gets: dict[int, list[Any]] = {}
    for op in operations(arena):
        if op.op == PUT:
            puts.append(op)
        else:
            gets.setdefault(op.client, []).append(op)
    for client, own in gets.items():
        got = {op.result for op in own if not op.flags & FAILED}
        joined = min(op.ret for op in own)
        since = min([joined, *(op.ret for op in puts if op.arg in got)])
        kept = [op for op in puts if op.arg in got or (op.call > since and op.ret != PENDING)]
        kept += own
        memory = ffi.new("struct lf_history_op[]", len(kept))
        for i, op in enumerate(kept):
            memory[i] = op
        yield client, History.from_buffer(ffi.buffer(memory))


def disorder(arena: Arena) -> str:
    """Says which reader got a message twice, in another order than its writer's, or one that nobody put; "" if none."""
    writers: dict[int, int] = {}
    gets: list[tuple[int, int, int]] = []
    for op in operations(arena):
        if op.op == PUT:
            writers[op.arg] = op.client
        elif not op.flags & FAILED:
            gets.append((op.call, op.client, op.result))
    last: dict[tuple[int, int], int] = {}
    for _, client, value in sorted(gets):
        if value not in writers:
            return f"reader {client} got {value}, which nobody put"
        key = client, writers[value]
        if last.get(key, -1) >= value:
            return f"reader {client} got {value} after {last[key]}, which its writer put later"
        last[key] = value
    return ""


SCENARIO = BroadcastRingScenario()
