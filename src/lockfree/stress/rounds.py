"""The settings of rounds: long or short, in C or in Python, with pauses, with common starts."""

import random
from dataclasses import dataclass

from lockfree.stress.scenario import Round, Scenario

TINY = 60
"""The most calls of a client in a tiny round."""
KINDS = ("long", "long", "long", "short", "short", "short", "tiny", "tiny", "tiny")
HUNT = 1_000_000
"""Rounds with this number or a higher one are tiny. They look for a short history after something went wrong."""


@dataclass(frozen=True)
class Limits:
    """What the command line says about every round."""

    procs: int = 4
    seed: int = 0
    kill: bool = False
    driver: str | None = None
    stretch: float = 1.0
    """A factor on the length of rounds, for start methods that are slow."""


def make_round(scenario: Scenario, number: int, limits: Limits) -> Round:
    """Round `number` of a scenario: the same for the same limits."""
    rng = random.Random(f"{limits.seed}/{scenario.name}/{number}")
    driver = rng.choice(("c", "c", "python"))
    driver = limits.driver or driver
    kind = rng.choice(KINDS) if number < HUNT else "tiny"
    seconds, operations = {
        "long": (0.4, scenario.operations),
        "short": (0.25, scenario.operations // 4),
        "tiny": (0.1, rng.randint(10, TINY)),
    }[kind]
    threads = tuple(rng.choice((1, 1, 1, 2, 3)) if rng.random() < 0.5 else 1 for _ in range(limits.procs))
    while sum(threads) > limits.procs + 4:
        threads = tuple(max(1, t - 1) for t in threads)
    kills = rng.randint(1, 4) if limits.kill and kind != "tiny" else 0
    if kills:
        operations = min(operations, scenario.operations_with_kills)
    return Round(
        scenario=scenario.name,
        number=number,
        seed=rng.getrandbits(62),
        driver=driver,
        threads=threads,
        seconds=seconds * limits.stretch,
        operations=operations,
        kills=kills,
        max_wait=rng.choice((0.0002, 0.002, 0.02)),
        align_every=0 if kind == "long" else rng.choice((1, 2, 5, 13, 40)),
        pause_every=rng.choice((0, 10, 50, 300)),
        batch=rng.choice((2, 8, 16, 32)),
        settings=scenario.settings(rng, sum(threads), driver),
    )
