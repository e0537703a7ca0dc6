# ruff: noqa: ARG002 - a scenario takes what it needs
"""Space: mutexes that are found by their names for each call, and added by the first client that asks for them."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._errors import OwnerDied
from lockfree._native.stress import lib
from lockfree.space import Space
from lockfree.stress.arena import Arena
from lockfree.stress.lock_scenario import given_back
from lockfree.stress.recorder import ACQUIRE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

LOCKS = 6
WEIGHTS = {"tries": (1, 0), "timed": (0, 1), "mixed": (1, 1)}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, space: Space, client: Client, one: bool) -> None:
        self.space, self.client, self.rng, self.one = space, client, client.random, one
        self.held: set[int] = set()

    def turn(self, timeout: float) -> None:
        which = 0 if self.one else self.rng.randrange(LOCKS)
        lock = self.space.mutex(f"m{which}")
        if which in self.held:
            self.client.open(RELEASE, 1)
            self.key(which)
            lock.release()
            self.client.close_try(True)
            self.held.discard(which)
            return
        self.client.open(ACQUIRE, 1)
        self.key(which)
        try:
            taken = lock.acquire(timeout > 0, timeout if timeout > 0 else -1)
        except OwnerDied:
            lock.recover()
            taken = True
        self.client.close_try(taken)
        if taken:
            self.held.add(which)

    def key(self, which: int) -> None:
        if not self.one:
            self.client.key(which)

    def try_(self) -> None:
        self.turn(0)

    def timed(self) -> None:
        self.turn(self.client.some_timeout())

    def actions(self) -> list[Any]:
        return [self.try_, self.timed]


class SpaceScenario(Scenario):
    name = "space"
    refusals = MappingProxyType(
        {
            "acquire": ("held", "somebody held the lock of this name at one instant of the call"),
            "release": ("not held", "the caller did not hold the lock"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> Space:
        return Space(4096)

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["mix"]]), "kind": int(about.kills > 0)}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_space(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client, about.kills > 0).actions(), list(client.raw.plan.weights)[:2])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        if about.kills:  # of one lock alone
            return [Claim("semaphore:1,max=1", arena.history(given_back(arena)))]
        return [Claim("mutex", arena.history())]


SCENARIO = SpaceScenario()
