# ruff: noqa: ARG002 - a scenario takes what it needs
"""RWLock: a plain counter that readers read and writers add to is a linearizable counter, still within a section."""

import random
from typing import Any

from lockfree._errors import OwnerDied
from lockfree._native.stress import lib
from lockfree.rwlock import RWLock
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import FETCH_ADD, LOAD, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#           read write try-read try-write
WEIGHTS = {
    "mixed": (5, 3, 3, 2),
    "reading": (12, 1, 3, 0),
    "writing": (2, 6, 1, 2),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, lock: RWLock, client: Client) -> None:
        self.lock, self.client, self.raw = lock, client, client.raw

    def read_within(self, blocks: bool, timeout: float | None) -> None:
        try:
            if not self.lock.acquire_read(blocks, timeout):
                return
        except OwnerDied:
            return
        self.client.open(LOAD, 0)
        seen = int(lib.lf_stress_enter(self.raw))
        self.client.close(seen if seen == lib.lf_stress_enter(self.raw) else -1)
        self.lock.release_read()

    def write_within(self, blocks: bool, timeout: float | None) -> None:
        try:
            if not self.lock.acquire_write(blocks, timeout):
                return
        except OwnerDied:
            self.lock.recover()
        self.client.open(FETCH_ADD, 1)
        seen = int(lib.lf_stress_enter(self.raw))
        lib.lf_stress_set(self.raw, seen + 1)
        self.client.close(seen)
        self.lock.release_write()

    def read(self) -> None:
        self.read_within(True, self.client.some_timeout())

    def write(self) -> None:
        self.write_within(True, self.client.some_timeout())

    def try_read(self) -> None:
        self.read_within(False, None)

    def try_write(self) -> None:
        self.write_within(False, None)

    def actions(self) -> list[Any]:
        return [self.read, self.write, self.try_read, self.try_write]


class RWLockScenario(Scenario):
    name = "rwlock"

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> RWLock:
        return RWLock()

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["mix"]]), "kind": int(about.kills > 0)}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_rwlock(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:4])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("counter", arena.history(), "the plain counter that the lock guards")]


SCENARIO = RWLockScenario()
