# ruff: noqa: ARG002 - a scenario takes what it needs
"""Semaphore: a linearizable counter of permits, never below 0 nor above its largest value."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._native.stress import lib
from lockfree._segment import starting_at
from lockfree.semaphore import Semaphore
from lockfree.stress.arena import Arena
from lockfree.stress.lock_scenario import given_back
from lockfree.stress.recorder import ACQUIRE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#          try timed release too many
WEIGHTS = (6, 4, 9, 1)
STARTS = (0, 0, 2**23 - 5, 2**32 - 9)


class Actor:
    """One client that uses the Python class."""

    def __init__(self, semaphore: Semaphore, client: Client, most: int) -> None:
        self.semaphore, self.client, self.rng, self.most = semaphore, client, client.random, most
        self.held = 0

    def acquire(self, waiting: bool) -> None:
        n, timeout = self.rng.randint(1, self.most), self.client.some_timeout()
        self.client.open(ACQUIRE, n)
        taken = self.semaphore.acquire(timeout=timeout, n=n) if waiting else self.semaphore.acquire(False, n=n)
        self.client.close_try(taken)
        self.held += n * taken

    def release_some(self, n: int) -> None:
        self.client.open(RELEASE, n)
        try:
            self.semaphore.release(n)
            done = True
        except ValueError:
            done = False
        self.client.close_try(done)
        self.held -= n * done

    def try_acquire(self) -> None:
        self.acquire(False)

    def timed(self) -> None:
        self.acquire(True)

    def release(self) -> None:
        if self.held > 0:
            self.release_some(min(self.held, self.rng.randint(1, self.most)))

    def too_many(self) -> None:
        self.release_some(self.rng.randint(1, self.most))

    def actions(self) -> list[Any]:
        return [self.try_acquire, self.timed, self.release, self.too_many]


class SemaphoreScenario(Scenario):
    name = "semaphore"
    refusals = MappingProxyType(
        {
            "acquire": ("too few permits", "a try says so at once, a timed call when its time is over"),
            "release": ("over the maximum", "with these permits there would have been more than max: ValueError"),
        }
    )
    operations = 20_000

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        largest = rng.choice((1, 1, 2, 3, 5, 20))
        most = rng.randint(1, min(largest, 4))
        return {"value": rng.randint(0, largest), "max": largest, "most": most, "start": rng.choice(STARTS)}

    def create(self, about: Round) -> Semaphore:
        s = about.settings
        return starting_at(s["start"], Semaphore, s["max"] if about.kills else s["value"], s["max"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        weights = list(WEIGHTS)
        if about.kills:
            weights[3] = 0  # permits of the dead come back exactly only if everybody releases their own
        return {"weights": weights, "kind": about.settings["most"]}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_semaphore(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actions = Actor(shared, client, about.settings["most"]).actions()
        client.run(actions, list(client.raw.plan.weights)[:4])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        largest = about.settings["max"]
        value = largest if about.kills else about.settings["value"]
        return [Claim(f"semaphore:{value},max={largest}", arena.history(given_back(arena)))]


SCENARIO = SemaphoreScenario()
