# ruff: noqa: ARG002 - a scenario takes what it needs
"""MessageRing: FIFO with exact EMPTY. Where every message takes one block, FULL counts them, as in MPMCRing. A bound on
messages makes FULL exact: what is in the hands of running calls is not inside.
"""

import random
from types import MappingProxyType
from typing import Any

from lockfree._native.stress import lib
from lockfree._segment import starting_at
from lockfree.message_ring import MessageRing
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.ring_actor import MessageActor
from lockfree.stress.ring_scenario import after_kills
from lockfree.stress.scenario import Claim, Round, Scenario

BLOCKS = (4, 5, 8, 16, 33, 100, 1000)
LOST = -4
ROOM = 48  # for payload in a block of 64 bytes
LONGEST = (8, ROOM, 100, 190)
STARTS = (0, 0, 2**42 - 9, 2**50 - 9)
#       try_put try_get put get put_many reserve read lease
MIXED = (20, 20, 8, 8, 4, 5, 5, 3)
PUTTING = (30, 3, 12, 1, 8, 8, 1, 1)
GETTING = (3, 30, 1, 12, 1, 1, 8, 3)
BOUNDS = (0, 0, 1, 2, 3, 8, 33)
MIXES = {"mixed": (MIXED,), "roles": (PUTTING, GETTING), "blocking": ((0, 0, 10, 10, 0, 0, 0, 0),)}


class Actor(MessageActor):
    """One client that uses the Python class."""

    def __init__(self, ring: MessageRing, client: Client, longest: int, batch: int) -> None:
        self.ring, self.client, self.longest, self.batch, self.rng = ring, client, longest, batch, client.random
        client.keep_tickets()

    def record(self) -> tuple[int, bytes]:
        value = self.client.value()
        return value, pack(value, self.rng.randint(8, self.longest))

    def put_by(self, how: Any) -> None:
        value, record = self.record()
        timeout = self.client.some_timeout()
        self.client.open(PUT, value)
        self.client.close_try(how(record, timeout))

    def put_many(self) -> None:
        records = [self.record() for _ in range(self.rng.randint(1, self.batch))]
        self.client.open_many(PUT, [value for value, _ in records], None, len(records))
        self.client.close_puts(len(records), self.ring.put_many([record for _, record in records]))

    def get_by(self, how: Any) -> None:
        timeout = self.client.some_timeout()
        self.client.open(GET)
        record = how(timeout)
        self.client.close(None if record is None else unpack(record))

    def actions(self) -> list[Any]:
        return [
            self.try_put, self.try_get, self.put, self.get, self.put_many, self.try_put, self.read, self.read,
        ]  # fmt: skip


class MessageRingScenario(Scenario):
    name = "message_ring"
    refusals = MappingProxyType(
        {
            "put": ("FULL", "fewer blocks were free than the message needs, or `max_messages` were inside"),
            "get": ("EMPTY", "nothing was inside at one instant of the call"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        most = rng.choice(BOUNDS)
        return {
            "blocks": 1000 if most else rng.choice(BLOCKS),  # a put is refused by the bound, and not for want of blocks
            "most": most,
            "longest": rng.choice(LONGEST),
            "start": rng.choice(STARTS),
            "mix": rng.choice(("mixed", "mixed", "roles", "roles", "blocking")),
        }

    def create(self, about: Round) -> MessageRing:
        s = about.settings
        return starting_at(s["start"], MessageRing, s["blocks"] * (ROOM + 16), ROOM + 16, s["most"] or None)

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        mixes = MIXES[about.settings["mix"]]
        weights = list(mixes[number % len(mixes)])
        if about.kills:
            weights[7] = 0  # the leased message of a dead client comes back at the tail: not FIFO
        if about.settings["most"]:
            weights[5] = 0  # a commit is not refused
        return {"weights": weights, "kind": about.settings["longest"], "forget_full": not self._counts(about)}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_message_ring(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, about.settings["longest"], about.batch)
        client.run(actor.actions(), list(client.raw.plan.weights)[:8])

    def drain(self, shared: Any, client: Client, about: Round) -> None:
        shared.recover_dead()
        actor = Actor(shared, client, 8, 1)
        for _ in range(about.settings["blocks"] + 1):
            actor.try_get()
        if shared.free() != shared.size_bytes:  # blocks are lost: no order of the calls may explain that
            client.open(GET)
            client.close(LOST)

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        blocks = about.settings["blocks"]
        most = about.settings["most"]
        if most:  # recovery may bring one message above the bound for each that died
            spec = "queue" if about.kills else f"bounded-queue:{most}"
        else:
            spec = f"bounded-queue:{blocks},full=in-hand" if self._counts(about) else "queue"
        if about.kills:
            return [after_kills(arena, spec, "queue", blocks if self._counts(about) else 0)]
        return [Claim(spec, arena.history(), weaker=lambda: Claim("queue", arena.history_without_full()))]

    @staticmethod
    def _counts(about: Round) -> bool:
        """Whether FULL follows from how many messages there are."""
        if about.settings["most"]:
            return not about.kills
        return bool(about.settings["longest"] <= ROOM)


SCENARIO = MessageRingScenario()
