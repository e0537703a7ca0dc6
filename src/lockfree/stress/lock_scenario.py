# ruff: noqa: ARG002 - a scenario takes what it needs
"""Locks: their holders, and a plain counter that only the lock guards."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._errors import OwnerDied
from lockfree._native.stress import ffi, lib
from lockfree.linearizability import History
from lockfree.stress.arena import RECORD_BYTES, Arena
from lockfree.stress.recorder import ACQUIRE, RELEASE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

#                  try timed forever foreign
WEIGHTS = {
    "mixed": (6, 4, 4, 1),
    "trying": (10, 1, 0, 1),
    "waiting": (0, 1, 6, 0),
}


class Actor:
    """One client that uses the Python class."""

    def __init__(self, lock: Any, client: Client) -> None:
        self.lock, self.client, self.rng = lock, client, client.random

    def take(self, acquire: Any) -> None:
        self.client.open(ACQUIRE, 1)
        try:
            taken = acquire() is not False
        except OwnerDied:
            self.lock.recover()
            taken = True
        self.client.close_try(taken)
        if not taken:
            return
        seen = lib.lf_stress_enter(self.client.raw)
        if self.rng.random() < 0.1:
            lib.lf_stress_pause(self.client.raw)
        lib.lf_stress_leave(self.client.raw, seen)
        self.client.open(RELEASE, 1)
        released = True
        try:
            if self.rng.random() < 0.5:
                self.lock.release()
            else:
                self.lock.__exit__(None, None, None)
        except RuntimeError:
            released = False  # no order of the history explains this
        self.client.close_try(released)

    def try_acquire(self) -> None:
        self.take(lambda: self.lock.acquire(False))

    def timed(self) -> None:
        timeout = self.client.some_timeout()
        self.take(lambda: self.lock.acquire(timeout=timeout))

    def forever(self) -> None:
        self.take(self.lock.acquire if self.rng.random() < 0.5 else self.lock.__enter__)

    def foreign(self) -> None:
        self.client.open(RELEASE, 1)
        try:
            self.lock.release()
            refused = False
        except RuntimeError:
            refused = True
        self.client.close_try(not refused)

    def actions(self) -> list[Any]:
        return [self.try_acquire, self.timed, self.forever, self.foreign]


class LockScenario(Scenario):
    """Base of the two locks: they differ in `lock` and in the loop in C."""

    lock: Any
    drive: Any
    refusals = MappingProxyType(
        {
            "acquire": (
                "not acquired",
                "somebody held the lock: a try says so at once, a timed call when its time is over",
            ),
            "release": ("not the owner", "a thread tried to release the lock without holding it"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"mix": rng.choice(tuple(WEIGHTS))}

    def create(self, about: Round) -> Any:
        return self.lock()

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        weights = list(WEIGHTS[about.settings["mix"]])
        if about.kills:
            weights[3] = 0
        return {"weights": weights, "kind": int(about.kills > 0)}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(type(self).drive(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:4])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        counter = Claim("counter", sections(arena), "the plain counter that the lock guards")
        if not about.kills:
            return [Claim("mutex", arena.history()), counter]
        # The lock of a dead holder becomes free at some time: in the history that is a release that nobody called.
        return [Claim("semaphore:1,max=1", arena.history(given_back(arena))), counter]


def sections(arena: Arena) -> History:
    """The guarded sections as a history of a counter."""
    found = []
    for i in range(arena.clients):
        log = arena.log(i)
        if log.count:
            ops = ffi.new("struct lf_history_op[]", int(log.count))
            count = int(lib.lf_stress_sections(log, ops))
            if count:
                found.append(ffi.buffer(ops, count * RECORD_BYTES))
    return History.from_buffer(*found)


def given_back(arena: Arena) -> list[tuple[int, int]]:
    """(permits, time) of releases that stand for what killed clients held, one permit each.

    A release that was cut off needs none: it never returned, so it may have taken effect at any time.
    """
    releases = []
    for i in range(arena.clients):
        log = arena.log(i)
        if not log.killed or not log.count:
            continue
        held = 0
        records = ffi.cast("struct lf_history_op *", log.records)
        for record in (records[k] for k in range(log.count)):
            if not record.flags & 1:
                held += record.arg if record.op == ACQUIRE else -record.arg
        releases += [(1, int(records[log.count - 1].call))] * max(0, held)
    return releases
