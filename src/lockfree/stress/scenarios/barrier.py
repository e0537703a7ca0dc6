# ruff: noqa: ARG002 - a scenario takes what it needs
"""Barrier of two parties: any two clients meet. The second party releases the first, as a semaphore would."""

import random
import threading
from typing import Any

from lockfree._native.stress import lib
from lockfree.barrier import Barrier
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import ACQUIRE, NONE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#            wait abort
WEIGHTS = {
    "meeting": (1, 0),
    "breaking": (20, 1),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, barrier: Barrier, client: Client) -> None:
        self.barrier, self.client = barrier, client

    def wait(self) -> None:
        timeout = self.client.some_timeout()
        self.client.open(RELEASE, 1)
        try:
            place = self.barrier.wait(timeout)
        except threading.BrokenBarrierError:
            self.client.forget()
            self.barrier.reset()
            return
        if place == 0:
            self.client.close_as(ACQUIRE, 1, 0, NONE)
        else:
            self.client.close_try(True)

    def abort(self) -> None:
        self.barrier.abort()
        self.barrier.reset()

    def actions(self) -> list[Any]:
        return [self.wait, self.abort]


class BarrierScenario(Scenario):
    name = "barrier"

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> Barrier:
        return Barrier(2)

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["mix"]])}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_barrier(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:2])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim("semaphore:0", arena.history(), "the first party was released by the second")]


SCENARIO = BarrierScenario()
