"""Requests as a day of traffic has them, from a seed: any process can make request number n again.

Prompts and answers have lognormal lengths, and requests arrive in bursts (gamma-distributed gaps), as published traces
of inference services show: the Azure traces (Patel et al., Splitwise, ISCA 2024: conversations of about 1,000 tokens,
with answers of about 130) and BurstGPT (Wang et al. 2024). Lengths are divided by 16, so that NumPy can follow.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from model import LONGEST, VOCABULARY

LEVELS = 8
LONGEST_PROMPT, LONGEST_ANSWER = 400, 120
PREFIXES = 4
"""System prompts that many requests begin with; their blocks are shared."""


class Request(NamedTuple):
    number: int
    frontend: int
    prompt: Any
    most: int
    """Tokens of the answer, at most."""
    seed: int
    temperature: float
    patience: float
    """Seconds within which the client wants the first token."""
    gap: float
    """Seconds after the request before it, at a rate of one request a second."""
    cancel_after: int
    """Tokens after which the client turns away; -1: it stays."""

    @property
    def level(self) -> int:
        return level_of(self.patience)


def level_of(patience: float) -> int:
    """A deadline as a level of the priority queue: each level has twice the patience of the one before it."""
    return min(LEVELS - 1, max(0, math.floor(math.log2(max(patience, 1e-9) / 0.25))))


def prefix(number: int) -> Any:
    return np.random.default_rng([77, number]).integers(1, VOCABULARY, 48)


def request(seed: int, number: int, frontends: int, short: int = 1) -> Request:
    """Request `number`. `short`: prompts and answers have so many times fewer tokens."""
    rng = np.random.default_rng([seed, number])
    length = int(np.clip(rng.lognormal(math.log(64 / short), 0.8), 4, LONGEST_PROMPT))
    most = int(np.clip(rng.lognormal(math.log(8 / short), 0.9), 1, LONGEST_ANSWER))
    prompt = rng.integers(1, VOCABULARY, length)
    if rng.random() < (0.6 if short == 1 else 0):
        shared = prefix(int(rng.integers(PREFIXES)))
        prompt = np.concatenate([shared, prompt])[: max(length, len(shared) + 4)]
    patience = float(rng.choice([0.3, 1.0, 4.0, 30.0], p=[0.1, 0.3, 0.4, 0.2]))
    temperature = float(rng.choice([0.0, 0.7, 1.0]))
    gap = float(rng.gamma(0.5, 2.0))  # the mean is 1, the coefficient of variation 1.4
    cancel_after = int(rng.integers(0, most + 1)) if rng.random() < 0.03 else -1
    assert len(prompt) + most <= LONGEST
    return Request(
        number, number % frontends, prompt, most, int(rng.integers(2**31)), temperature, patience, gap, cancel_after
    )
