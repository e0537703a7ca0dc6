"""What travels between the processes, as bytes of a fixed layout: nothing is pickled."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from model import Span

if TYPE_CHECKING:
    from traffic import Request

ORDER = struct.Struct("<IHHHHIff")
ORDER_BYTES = ORDER.size + 2 * 512
STEP = struct.Struct("<QI")
PART = struct.Struct("<QHHIIIIf")

OUTCOME = np.dtype(
    [("step", "<u8"), ("sequence", "<u8"), ("token", "<i4"), ("rank", "<u2"), ("kind", "<u2")], align=True
)
"""From a worker to the scheduler. token: -1 if the span did not reach the end of its sequence."""
DONE, HELLO = 0, 1

TOKEN = np.dtype([("request", "<u4"), ("index", "<u4"), ("token", "<i4"), ("last", "<u4")], align=True)
"""From the scheduler to a front end. last: 0, or how the answer ended."""
GOES_ON, COMPLETE, CANCELLED = 0, 1, 2


def pack_request(r: Request) -> bytes:
    head = ORDER.pack(r.number, r.frontend, len(r.prompt), r.most, r.level, r.seed, r.temperature, r.patience)
    return head + r.prompt.astype("<u2").tobytes()


class Order(NamedTuple):
    """A request as the scheduler gets it."""

    number: int
    frontend: int
    most: int
    level: int
    seed: int
    temperature: float
    prompt: Any


def unpack_request(data: bytes) -> Order:
    number, frontend, length, most, level, seed, temperature, _ = ORDER.unpack_from(data)
    prompt = np.frombuffer(data, "<u2", length, ORDER.size)
    return Order(number, frontend, most, level, seed, temperature, prompt)


class Part(NamedTuple):
    """What one step does for one sequence."""

    sequence: int
    rank: int
    """The worker that does it."""
    wanted: bool
    """Whether its last token is drawn."""
    seed: int
    temperature: float
    span: Span


def pack_step(step: int, parts: list[Part]) -> bytes:
    pieces = [STEP.pack(step, len(parts))]
    for p in parts:
        tokens, start, table = p.span
        head = (p.sequence, p.rank, p.wanted, start, len(tokens), len(table), p.seed, p.temperature)
        pieces += [PART.pack(*head), np.asarray(tokens, "<u2").tobytes(), np.asarray(table, "<i4").tobytes()]
    return b"".join(pieces)


def unpack_step(data: bytes, rank: int) -> tuple[int, list[Part]]:
    """The step's number, and the parts of one worker."""
    step, count = STEP.unpack_from(data)
    at, parts = STEP.size, list[Part]()
    for _ in range(count):
        sequence, whose, wanted, start, tokens, blocks, seed, temperature = PART.unpack_from(data, at)
        at += PART.size
        if whose == rank:
            row = np.frombuffer(data, "<u2", tokens, at)
            table = np.frombuffer(data, "<i4", blocks, at + 2 * tokens)
            parts.append(Part(sequence, whose, bool(wanted), seed, temperature, Span(row, start, table)))
        at += 2 * tokens + 4 * blocks
    return step, parts
