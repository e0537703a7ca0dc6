# ruff: noqa: ARG002 - a scenario takes what it needs
"""Event: a register that holds 0 or 1. A wait that ends reads 1, one that is timed out reads 0."""

import random
from typing import Any

from lockfree._native.stress import lib
from lockfree.event import Event
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import READ, WRITE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#                  set clear is_set wait
WEIGHTS = {
    "mixed": (3, 3, 3, 3),
    "waiting": (1, 2, 1, 6),
    "changing": (5, 5, 3, 1),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, event: Event, client: Client) -> None:
        self.event, self.client = event, client

    def set(self) -> None:
        self.client.open(WRITE, 1)
        self.event.set()
        self.client.close_try(True)

    def clear(self) -> None:
        self.client.open(WRITE, 0)
        self.event.clear()
        self.client.close_try(True)

    def is_set(self) -> None:
        self.client.open(READ)
        self.client.close(int(self.event.is_set()))

    def wait(self) -> None:
        timeout = self.client.some_timeout()
        self.client.open(READ)
        self.client.close(int(self.event.wait(timeout)))

    def actions(self) -> list[Any]:
        return [self.set, self.clear, self.is_set, self.wait]


class EventScenario(Scenario):
    name = "event"

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> Event:
        return Event()

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["mix"]])}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_event(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:4])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("register,initial=0", arena.history())]


SCENARIO = EventScenario()
