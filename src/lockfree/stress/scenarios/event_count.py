# ruff: noqa: ARG002 - a scenario takes what it needs
"""EventCount: with a word of the round's it makes a semaphore. Waiters take permits; one that adds some notifies."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._native.stress import lib
from lockfree.event_count import EventCount
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import ACQUIRE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#                  try timed by-hand give cancel
WEIGHTS = {
    "mixed": (3, 3, 3, 8, 1),
    "waiting": (0, 6, 6, 5, 1),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, count: EventCount, client: Client) -> None:
        self.count, self.client, self.raw = count, client, client.raw

    def take(self) -> bool:
        return bool(lib.lf_stress_word_take(self.raw))

    def wait(self, timeout: float) -> None:
        self.client.open(ACQUIRE, 1)
        self.client.close_try(self.count.wait_until(self.take, timeout))

    def try_(self) -> None:
        self.wait(0)

    def timed(self) -> None:
        self.wait(self.client.some_timeout())

    def by_hand(self) -> None:
        timeout, taken, notified = self.client.some_timeout(), False, True
        self.client.open(ACQUIRE, 1)
        while notified and not taken:
            ticket = self.count.prepare()
            taken = self.take()
            if taken:
                self.count.retract(ticket)
            else:
                notified = self.count.wait(ticket, timeout)
        self.client.close_try(taken or self.take())

    def give(self) -> None:
        self.client.open(RELEASE, 1)
        lib.lf_stress_word_give(self.raw)
        self.client.close_try(True)
        self.count.notify(self.client.random.randint(1, 2))

    def cancel(self) -> None:
        self.count.cancel()

    def actions(self) -> list[Any]:
        return [self.try_, self.timed, self.by_hand, self.give, self.cancel]


class EventCountScenario(Scenario):
    name = "event_count"
    refusals = MappingProxyType({"acquire": ("no permit", "the condition was false at the last look")})

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> EventCount:
        return EventCount()

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["mix"]])}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_event_count(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:5])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("semaphore:0", arena.history())]


SCENARIO = EventCountScenario()
