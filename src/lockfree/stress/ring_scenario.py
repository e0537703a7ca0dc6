# ruff: noqa: ARG002 - a scenario takes what it needs
"""What the scenarios of MPMCRing and PriorityQueue share: mixes of calls, and what must hold when processes die."""

import random
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from lockfree.linearizability import History
from lockfree.stress.aftermath import Aftermath
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import Client
from lockfree.stress.scenario import Claim, Round, Scenario

CAPACITIES = (1, 1, 2, 2, 3, 4, 5, 7, 8, 16, 33, 64, 100, 257, 1000)
RECORD_SIZES = (8, 16, 24, 63, 64, 200)
#         try_put get put get many many reserve peek lease requeue cancel
BALANCED = (20, 20, 8, 8, 4, 4, 5, 5, 3, 2, 0)
PUTTING = (30, 3, 12, 1, 8, 1, 8, 1, 1, 1, 0)
GETTING = (3, 30, 1, 12, 1, 8, 1, 8, 3, 1, 0)
CANCELLING = (20, 20, 8, 8, 4, 4, 5, 5, 3, 2, 6)
BLOCKING = (0, 0, 10, 10, 0, 0, 0, 0, 0, 0, 0)
LEASING = (20, 0, 8, 0, 4, 0, 5, 0, 30, 0, 0)
MIXES = {
    "balanced": (BALANCED,),
    "roles": (PUTTING, GETTING),
    "cancelling": (CANCELLING,),
    "blocking": (BLOCKING,),
    "leasing": (LEASING,),
}
LEASES = (8, 9)


class RecordScenario(Scenario):
    """Base: a container of records with try_put, put, batches, zero copy and leases."""

    starts: tuple[int, ...] = (0,)
    refusals = MappingProxyType(
        {
            "put": ("FULL", "the records inside and those in the hands of running calls were as many as the capacity"),
            "get": ("EMPTY", "nothing was inside at one instant of the call"),
        }
    )

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {
            "capacity": rng.choice(CAPACITIES),
            "record_size": rng.choice(RECORD_SIZES),
            "start": rng.choice(self.starts),
            "mix": rng.choice(("balanced", "balanced", "roles", "roles", "cancelling", "blocking", "leasing")),
        }

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        mix = about.settings["mix"]
        weights = list(MIXES[mix][number % len(MIXES[mix])])
        if about.kills and mix != "leasing":
            for which in LEASES:  # the leased record of a dead client comes back at the tail: not FIFO, see `leasing`
                weights[which] = 0
        return {"weights": weights, "forget_full": mix == "cancelling", "forget_empty": self._comes_back(about)}

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        client.run(self.actions(shared, client, about), list(client.raw.plan.weights)[: len(BALANCED)])

    def actions(self, shared: Any, client: Client, about: Round) -> list[Callable[[], object]]:
        """The calls that the weights are about."""
        raise NotImplementedError

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        if self._comes_back(about):
            return [Claim("priority-queue,ties=any", arena.history_without_full(), "in whatever order")]
        # The engine first finds a wrong FULL, and more records inside than there is room. It may leave undecided
        # whether one order suits every batch at every instant. Then a weaker claim must hold: the order alone, with the
        # gets of a batch from several levels in any order.
        kind, bounded = self.specs(about)
        if about.kills:
            return [after_kills(arena, bounded, kind, about.settings["capacity"])]
        return [Claim(bounded, arena.history(), weaker=lambda: Claim(kind, arena.history_without_full()))]

    def specs(self, about: Round) -> tuple[str, str]:
        """The specification without and with the capacity."""
        raise NotImplementedError

    def contradiction(self, about: Round, arena: Arena) -> str:
        return lost(arena.history()) if self._comes_back(about) else ""

    @staticmethod
    def _comes_back(about: Round) -> bool:
        return bool(about.kills) and about.settings["mix"] == "leasing"


def after_kills(arena: Arena, spec: str, weaker: str, in_hand: int = 0) -> Claim:
    """The claim for a round with kills: the missing records explain the open calls of the dead.

    `in_hand`: the capacity, if FULL counts what the dead had in hand.
    """
    aftermath = Aftermath(arena, in_hand)
    first, *others = aftermath.ways()

    def at_least() -> Claim:
        loose, *more = aftermath.ways(loose=True)
        return Claim(weaker, loose(), others=tuple(more))

    return Claim(spec, first(), others=tuple(others), weaker=at_least)


def lost(history: History) -> str:
    """Says which records were put and never received, although the container was emptied; "" if there is none.

    A killed client's open get excuses one record: it may have acknowledged it just before.
    """
    there: set[int] = set()
    excused = 0
    for op in history:
        if op.op == "put" and op.result is True:
            there.add(_value(op.arg))
        elif op.op == "get" and op.return_ is None:
            excused += 1
    for op in history:
        if op.op == "get" and op.result is not None:
            there.discard(_value(op.result))
    if len(there) <= excused:
        return ""
    return f"{len(there)} records are lost ({excused} killed gets explain at most {excused}): {sorted(there)[:10]}"


def _value(record: Any) -> int:
    return int(record[1] if isinstance(record, list | tuple) else record)
