# ruff: noqa: ARG002 - a scenario takes what it needs
"""SPSCRing: FIFO with exact EMPTY and exact FULL. Clients pass the two roles on to each other."""

import queue
import random
from types import MappingProxyType
from typing import Any, Literal

from lockfree._errors import RoleTaken
from lockfree._native.stress import lib
from lockfree._segment import starting_at
from lockfree.spsc_ring import SPSCRing
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.ring_actor import RingActor
from lockfree.stress.ring_scenario import CAPACITIES, RECORD_SIZES, after_kills
from lockfree.stress.scenario import Claim, Round, Scenario

STARTS = (0, 0, 2**32 - 9, 2**64 - 11)
#          try_put try_get put get many many reserve peek
PRODUCER = (30, 0, 12, 0, 8, 0, 8, 0)
CONSUMER = (0, 30, 0, 12, 0, 8, 0, 8)
BOTH = (30, 30, 8, 8, 4, 4, 4, 4)
MIXES = {
    "roles": (PRODUCER, CONSUMER),
    "both": (BOTH,),
    "blocking": ((0, 0, 1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0, 0, 0)),
}


class Actor(RingActor):
    """One client that uses the Python class. A call that finds the role taken is not recorded."""

    def __init__(self, ring: SPSCRing[bytes], client: Client, batch: int, burst: int) -> None:
        self.ring, self.client, self.batch, self.burst, self.rng = ring, client, batch, burst, client.random
        self.roles: set[Literal["producer", "consumer"]] = set()

    def turn(self, role: Literal["producer", "consumer"], opened: int, call: Any) -> Any:
        """The call's answer in a tuple; None if another client has the role: then the call is not recorded."""
        try:
            answer = call()
        except RoleTaken:
            lib.lf_stress_pause(self.client.raw)
            self.client.forget(opened)
            return None
        self.roles.add(role)
        return (answer,)

    def hand_over(self) -> None:
        if self.rng.randrange(self.burst) == 0:
            for role in self.roles:
                self.ring.release_role(role)
            self.roles.clear()

    def put_by(self, how: Any) -> None:
        self.hand_over()
        value = self.client.value()
        record = pack(value, self.rng.randint(8, self.ring.record_size))
        timeout = self.client.some_timeout()
        self.client.open(PUT, value)
        done = self.turn("producer", 1, lambda: how(record, timeout))
        if done:
            self.client.close_try(done[0])

    def get_by(self, how: Any) -> None:
        self.hand_over()
        timeout = self.client.some_timeout()
        self.client.open(GET)
        found = self.turn("consumer", 1, lambda: how(timeout))
        if found:
            self.client.close(None if found[0] is None else unpack(found[0]))

    def put_many(self) -> None:
        self.hand_over()
        values = [self.client.value() for _ in range(self.rng.randint(1, self.batch))]
        records = [pack(value, self.rng.randint(8, self.ring.record_size)) for value in values]
        self.client.open_many(PUT, values, None, len(values))
        done = self.turn("producer", len(values), lambda: self.ring.put_many(records))
        if done:
            self.client.close_puts(len(values), done[0])

    def get_many(self) -> None:
        self.hand_over()
        count = self.rng.randint(1, self.batch)
        self.client.open_many(GET, None, None, count)
        found = self.turn("consumer", count, lambda: self.ring.get_many(count))
        if found:
            self.client.close_gets(count, [unpack(record) for record in found[0]], None, empty=not found[0])

    def reserve(self) -> None:
        def in_place(record: bytes, timeout: float) -> bool:
            view = self.ring.reserve(True, timeout)
            if view is not None:
                view[: len(record)] = record
                self.ring.commit(len(record))
            return view is not None

        self.put_by(in_place)

    def peek(self) -> None:
        def in_place(timeout: float) -> Any:
            view = self.ring.peek(True, timeout)
            if view is None:
                return None
            record = bytes(view)
            self.ring.release()
            return record

        def leased(timeout: float) -> Any:
            try:
                with self.ring.lease(True, timeout) as record:
                    return record
            except queue.Empty:
                return None

        self.get_by(in_place if self.rng.random() < 0.5 else leased)

    def actions(self) -> list[Any]:
        return [
            self.try_put, self.try_get, self.put, self.get, self.put_many, self.get_many, self.reserve, self.peek,
        ]  # fmt: skip


class SPSCRingScenario(Scenario):
    name = "spsc_ring"
    refusals = MappingProxyType(
        {
            "put": ("FULL", "as many records as the capacity were inside at one instant of the call"),
            "get": ("EMPTY", "nothing was inside at one instant of the call"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {
            "capacity": rng.choice(CAPACITIES),
            "record_size": rng.choice(RECORD_SIZES),
            "start": rng.choice(STARTS),
            "mix": rng.choice(("roles", "roles", "roles", "both", "blocking")),
            "burst": rng.choice((5, 50, 500, 5000)),
        }

    def create(self, about: Round) -> SPSCRing[bytes]:
        s = about.settings
        return starting_at(s["start"], SPSCRing, s["capacity"], s["record_size"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        mixes = MIXES[about.settings["mix"]]
        return {"weights": list(mixes[number % len(mixes)]), "role_burst": about.settings["burst"]}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_spsc_ring(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, about.batch, about.settings["burst"])
        client.run(actor.actions(), list(client.raw.plan.weights)[:8])

    def drain(self, shared: Any, client: Client, about: Round) -> None:
        shared.recover_dead()
        actor = Actor(shared, client, 1, 1 << 30)
        for _ in range(shared.capacity + 1):
            actor.try_get()

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        if about.kills:
            return [after_kills(arena, f"bounded-queue:{about.settings['capacity']}", "queue")]
        exact, history = f"bounded-queue:{about.settings['capacity']}", arena.history()
        return [Claim(exact, history, weaker=lambda: Claim(f"{exact},full=in-hand", history))]


SCENARIO = SPSCRingScenario()
