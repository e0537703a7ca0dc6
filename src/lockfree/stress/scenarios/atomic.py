# ruff: noqa: ARG002 - a scenario takes what it needs
"""Atomics: a counter, a register, and bits used as locks; each with every type that allows it."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._native.stress import lib
from lockfree.atomic import AtomicF64, AtomicFlag, AtomicI64, AtomicU32, AtomicU64
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import ACQUIRE, CAS, FETCH_ADD, LOAD, NONE, READ, RELEASE, WRITE, Client
from lockfree.stress.scenario import Claim, Round, Scenario

TYPES: dict[str, Any] = {cls.__name__: cls for cls in (AtomicU32, AtomicU64, AtomicI64, AtomicF64, AtomicFlag)}
#           add load store read cas exchange bit
WEIGHTS = {
    "counter": (6, 2, 0, 0, 0, 0, 0),
    "register": (0, 0, 3, 3, 4, 2, 0),
    "bits": (0, 0, 0, 0, 0, 0, 1),
}
SPECS = {"counter": "counter,initial=1000", "register": "register,initial=1000", "bits": "mutex"}
ORDERS = ("relaxed", "acq_rel", "seq_cst")
LOAD_ORDERS = ("relaxed", "acquire", "seq_cst")
STORE_ORDERS = ("relaxed", "release", "seq_cst")


class Actor:
    """One client that uses the Python class."""

    def __init__(self, atomic: Any, client: Client) -> None:
        self.atomic, self.client, self.rng = atomic, client, client.random
        self.held: set[int] = set()

    def value(self) -> int:
        value = self.client.value()
        return (value & 0xFFFFFF) << 7 | (self.client.number & 0x7F)  # fits every type

    def add(self) -> None:
        delta, order, take = self.rng.randint(1, 9), self.rng.choice(ORDERS), self.rng.random() < 0.2
        self.client.open(FETCH_ADD, delta)
        before = self.atomic.fetch_sub(-delta, order) if take else self.atomic.fetch_add(delta, order)
        self.client.close(int(before))

    def load(self) -> None:
        self.client.open(LOAD, 0)
        self.client.close(int(self.atomic.load(self.rng.choice(LOAD_ORDERS))))

    def store(self) -> None:
        value, order = self.value(), self.rng.choice(STORE_ORDERS)
        self.client.open(WRITE, value)
        self.atomic.store(value, order)
        self.client.close_try(True)

    def read(self) -> None:
        self.client.open(READ)
        self.client.close(int(self.atomic.load(self.rng.choice(LOAD_ORDERS))))

    def cas(self) -> None:
        expected, desired, order = int(self.atomic.load()), self.value(), self.rng.choice(ORDERS)
        self.client.open(CAS, expected, desired)
        done, observed = self.atomic.compare_exchange(expected, desired, order)
        if done:
            self.client.close_try(True)
        else:
            self.client.close_as(READ, NONE, 0, int(observed))

    def exchange(self) -> None:
        value, order = self.value(), self.rng.choice(ORDERS)
        self.client.open(WRITE, value)
        before = self.atomic.exchange(value, order)
        self.client.close_as(CAS, int(before), value, NONE)

    def bit(self) -> None:
        if isinstance(self.atomic, AtomicFlag):
            self.flag()
            return
        bit = self.rng.randrange(6)
        mask = 1 << bit
        if bit in self.held:
            self.client.open(RELEASE, 1)
            self.client.key(bit)
            everything = 2**31 - 1  # fits all integer types; only six bits are used
            before = (
                self.atomic.fetch_and(everything ^ mask) if self.rng.random() < 0.5 else self.atomic.fetch_xor(mask)
            )
            self.client.close_try(bool(before & mask))
            self.held.discard(bit)
        else:
            self.client.open(ACQUIRE, 1)
            self.client.key(bit)
            taken = not self.atomic.fetch_or(mask) & mask
            self.client.close_try(taken)
            if taken:
                self.held.add(bit)

    def flag(self) -> None:
        if self.held:
            self.client.open(RELEASE, 1)
            self.atomic.clear("release")
            self.client.close_try(True)
            self.held.clear()
        else:
            self.client.open(ACQUIRE, 1)
            taken = not self.atomic.test_and_set("acq_rel")
            self.client.close_try(taken)
            if taken:
                self.held.add(0)

    def actions(self) -> list[Any]:
        return [self.add, self.load, self.store, self.read, self.cas, self.exchange, self.bit]


class AtomicScenario(Scenario):
    name = "atomic"
    refusals = MappingProxyType(
        {
            "acquire": ("already set", "fetch_or or test_and_set found the bit set, so another client has it"),
            "release": ("not set", "fetch_and or fetch_xor found the bit clear"),
            "cas": ("other value", "compare_exchange found another value than the expected one"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        use = rng.choice(("counter", "counter", "register", "register", "bits"))
        types = ["AtomicU32", "AtomicU64", "AtomicI64"]
        if driver == "python":
            types += {"bits": ["AtomicFlag"]}.get(use, ["AtomicF64"])
        return {"type": rng.choice(types), "use": use}

    def create(self, about: Round) -> Any:
        return TYPES[about.settings["type"]](0 if about.settings["use"] == "bits" else 1000)

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        return {"weights": list(WEIGHTS[about.settings["use"]])}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_atomic(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(Actor(shared, client).actions(), list(client.raw.plan.weights)[:7])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        return [Claim(SPECS[about.settings["use"]], arena.history())]


SCENARIO = AtomicScenario()
