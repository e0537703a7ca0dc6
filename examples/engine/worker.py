"""A worker: gets every step, does its own parts of it, and reports the tokens that it drew.

A step that a dead worker left half done is done again by the one that replaces it. That changes nothing: a step writes
the same keys and values to the same places.
"""

from __future__ import annotations

from typing import Any

import messages
import numpy as np
from messages import DONE, HELLO, OUTCOME
from model import MODELS, sample


def outcomes(step: int, parts: list[messages.Part], model: Any, cache: Any) -> Any:
    """Computes the parts of a step; an array of OUTCOME."""
    logits = model.step(cache, [p.span for p in parts])
    seeds = np.array([p.seed for p in parts])
    positions = np.array([p.span.start + len(p.span.tokens) for p in parts])
    tokens = sample(logits, seeds, positions, np.array([p.temperature for p in parts]))
    return np.array(
        [(step, p.sequence, t if p.wanted else -1, p.rank, DONE) for p, t in zip(parts, tokens, strict=True)], OUTCOME
    )


def work(transport: Any, rank: int, cache: Any, model: str = "decoder") -> None:
    computes, last = MODELS[model](), 0
    transport.join(rank)
    transport.report(np.array([(0, 0, -1, rank, HELLO)], OUTCOME))
    while not transport.ended():
        data = transport.next_step(rank, 0.2)
        if data is None:
            continue
        step, parts = messages.unpack_step(data, rank)
        if step > last:  # a replaced worker may get a step twice; the second time its blocks may be somebody else's
            last = step
            transport.report(outcomes(step, parts, computes, cache))
