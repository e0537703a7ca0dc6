# ruff: noqa: ARG002 - a scenario takes what it needs
"""Condition: a monitor of permits in a plain word. It is a semaphore, if no notify is lost and the lock excludes."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._errors import OwnerDied
from lockfree._native.stress import lib
from lockfree.condition import Condition
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import ACQUIRE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#                  try timed give give-two
WEIGHTS = {
    "mixed": (3, 6, 5, 2),
    "waiting": (0, 8, 3, 1),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, condition: Condition, client: Client) -> None:
        self.condition, self.client, self.raw = condition, client, client.raw

    def enter(self) -> None:
        try:
            self.condition.acquire()
        except OwnerDied:
            self.condition.recover()

    def take(self, timeout: float) -> None:
        self.client.open(ACQUIRE, 1)
        self.enter()
        try:
            taken = self.condition.wait_for(lambda: lib.lf_stress_word_take(self.raw), timeout)
        except OwnerDied:
            self.condition.recover()
            taken = lib.lf_stress_word_take(self.raw)
        self.condition.release()
        self.client.close_try(bool(taken))

    def give_some(self, n: int) -> None:
        self.client.open(RELEASE, n)
        self.enter()
        for _ in range(n):
            lib.lf_stress_word_give(self.raw)
        self.condition.notify(n)
        self.condition.release()
        self.client.close_try(True)

    def try_(self) -> None:
        self.take(0)

    def timed(self) -> None:
        self.take(self.client.some_timeout())

    def give(self) -> None:
        self.give_some(1)

    def give_two(self) -> None:
        self.give_some(2)

    def actions(self) -> list[Any]:
        return [self.try_, self.timed, self.give, self.give_two]


class ConditionScenario(Scenario):
    name = "condition"
    refusals = MappingProxyType({"acquire": ("no permit", "none was there at the last look, under the lock")})

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> Condition:
        return Condition()

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        weights = list(WEIGHTS[about.settings["mix"]])
        if about.kills and about.driver == "python":
            weights[3] = 0  # two permits are two steps there: a process that dies in between has given one
        return {"weights": weights, "kind": int(about.kills > 0)}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_condition(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:4])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("semaphore:0", arena.history())]


SCENARIO = ConditionScenario()
