# ruff: noqa: ARG002 - a scenario takes what it needs
"""LatestValue: a register of whole records. Clients pass the writer's role on to each other."""

import random
from typing import Any

from lockfree._errors import RoleTaken
from lockfree._native.stress import lib
from lockfree.latest_value import LatestValue
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import READ, WRITE, Client, pack, unpack
from lockfree.stress.scenario import Claim, Round, Scenario

RECORD_SIZES = (8, 9, 24, 63, 200)
#         set get wait
WRITER = (6, 1, 0)
READER = (0, 6, 2)
BOTH = (3, 6, 1)
MIXES = {"one": (WRITER, READER, READER), "all": (BOTH,), "waits": ((1, 0, 0), (0, 0, 1))}


class Actor:
    """One client that uses the Python class. A set that finds the role taken is not recorded."""

    def __init__(self, latest: LatestValue[bytes], client: Client, burst: int) -> None:
        self.latest, self.client, self.burst, self.rng = latest, client, burst, client.random
        self.seen, self.writes = 0, False

    def hand_over(self) -> None:
        if self.writes and self.rng.randrange(self.burst) == 0:
            self.latest.release_role()
            self.writes = False

    def set(self) -> None:
        self.hand_over()
        value = self.client.value()
        record = pack(value, self.rng.randint(8, self.latest.record_size))
        self.client.open(WRITE, value)
        try:
            self.latest.set(record)
        except RoleTaken:
            lib.lf_stress_pause(self.client.raw)
            self.client.forget(1)
            return
        self.writes = True
        self.client.close_try(True)

    def get(self, at_least: int = 0) -> None:
        self.hand_over()
        into = bytearray(self.latest.record_size) if self.latest.record_size == 8 and self.rng.random() < 0.3 else None
        self.client.open(READ)
        version, value = (0, None) if into is not None else self.latest.get_versioned()
        if into is not None:
            version = self.latest.get_into(into)
            value = bytes(into) if version else None
        self.client.close(0 if value is None else unpack(value))
        if version < max(at_least, self.seen):
            raise AssertionError(f"version {version} after {self.seen}, at least {at_least} was promised")
        self.seen = version

    def wait(self) -> None:
        seen = self.seen
        self.get(seen + 1 if self.latest.wait(seen, self.client.some_timeout()) else 0)

    def actions(self) -> list[Any]:
        return [self.set, self.get, self.wait]


class LatestValueScenario(Scenario):
    name = "latest_value"

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {
            "record_size": rng.choice(RECORD_SIZES),
            "copies": rng.choice((2, 2, 3, 4, 7)),
            "mix": rng.choice(("one", "one", "all", "waits")),
            "burst": rng.choice((5, 50, 500, 5000)),
        }

    def create(self, about: Round) -> LatestValue[bytes]:
        return LatestValue(about.settings["record_size"], copies=about.settings["copies"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        mixes = MIXES[about.settings["mix"]]
        return {"weights": list(mixes[number % len(mixes)]), "role_burst": about.settings["burst"]}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_latest_value(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, about.settings["burst"])
        client.run(actor.actions(), list(client.raw.plan.weights)[:3])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("register,initial=0", arena.history())]


SCENARIO = LatestValueScenario()
