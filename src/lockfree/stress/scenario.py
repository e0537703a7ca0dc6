# ruff: noqa: ARG002 - a scenario takes what it needs
"""What a scenario is. Every module in `scenarios/` defines one."""

import importlib
import pkgutil
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lockfree.linearizability import History
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import Client


@dataclass(frozen=True)
class Round:
    """The settings of one round. They all follow from the seed, the scenario and the number."""

    scenario: str
    number: int
    seed: int
    driver: str
    """c or python."""
    threads: tuple[int, ...]
    """Clients in each process."""
    seconds: float
    operations: int
    """The most records of a client."""
    kills: int = 0
    max_wait: float = 0.002
    """Longest time-out of a blocking call, in seconds."""
    align_every: int = 0
    pause_every: int = 0
    batch: int = 8
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def clients(self) -> int:
        return sum(self.threads)

    def __str__(self) -> str:
        own = " ".join(f"{k}={v}" for k, v in self.settings.items())
        return (
            f"round {self.number}: {self.driver} driver, {len(self.threads)} processes, {self.clients} clients"
            + (f", {self.kills} kills" if self.kills else "")
            + (f", {own}" if own else "")
        )


@dataclass(frozen=True)
class Claim:
    """Something that must hold for a round: a history and the specification that it must satisfy."""

    spec: str
    history: History
    what: str = ""
    weaker: Callable[[], "Claim"] | None = None
    """What must hold at least, if the claim cannot be decided within its limits."""
    others: tuple[Callable[[], History], ...] = ()
    """Other histories that are possible. It is enough if one of them satisfies the specification."""


class Scenario:
    """Base of the scenarios. A subclass sets `name` and says how its clients behave."""

    name = ""
    operations = 40_000
    """Records per client in a long round."""
    operations_with_kills = 8_000
    """The same for rounds with kills: calls that never returned make the check harder."""
    weight = 1.0
    """Its share of the time."""
    refusals: Mapping[str, tuple[str, str]] = MappingProxyType({})
    """For each call that may be refused: a word for the refusal, and what it means."""

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        """The scenario's own settings of a round, such as the capacity."""
        raise NotImplementedError

    def create(self, about: Round) -> Any:
        """The object under stress."""
        raise NotImplementedError

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        """Fields of `struct lf_stress_plan` for one client that do not follow from the round."""
        raise NotImplementedError

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        """Runs the loop in C; returns its last status."""
        raise NotImplementedError

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        """Runs the loop through the Python class."""
        raise NotImplementedError

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        """What must hold for what was recorded."""
        raise NotImplementedError

    def drain(self, shared: Any, client: Client, about: Round) -> None:
        """Takes out what is left after the round, alone. The calls are recorded like all others."""

    def contradiction(self, about: Round, arena: Arena) -> str:
        """Says what is wrong with the record, apart from the order of the calls; "" if nothing is."""
        return ""


def load() -> dict[str, Scenario]:
    """All scenarios, by name."""
    from lockfree.stress import scenarios

    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(scenarios.__path__)):
        scenario: Scenario = importlib.import_module(f"{scenarios.__name__}.{module}").SCENARIO
        found[scenario.name] = scenario
    return found


def client_plan(scenario: Scenario, about: Round, number: int) -> dict[str, Any]:
    """The whole `struct lf_stress_plan` of one client."""
    plan: dict[str, Any] = {
        "seed": about.seed,
        "max_wait_ns": int(about.max_wait * 1e9),
        "operations": about.operations,
        "clients": about.clients,
        "align_every": about.align_every,
        "pause_every": about.pause_every,
        "batch": about.batch,
    }
    return plan | scenario.plan(about, number)
