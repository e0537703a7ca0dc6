"""Which rounds there are: long and short ones, through C and through Python, with pauses and with line-ups."""

import random
from dataclasses import dataclass

from lockfree.stress.scenario import Round, Scenario

TINY = 60
"""Calls per client of the smallest rounds, at most."""
KINDS = ("long", "long", "long", "short", "short", "short", "tiny", "tiny", "tiny")
HUNT = 1_000_000
"""From this number on all rounds are of that kind: once something is wrong, they look for a short history of it."""


@dataclass(frozen=True)
class Limits:
    """What the command line says of every round."""

    procs: int = 4
    seed: int = 0
    kill: bool = False
    driver: str | None = None
    stretch: float = 1.0
    """Factor on the length of rounds, where starting processes is slow."""


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
