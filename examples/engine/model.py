"""A small decoder in NumPy, whose keys and values lie in pages: the part of an engine that does arithmetic.

The KV cache is one array [layer, key or value, block, place in block, head, dimension]. A sequence has a block table:
the numbers of its blocks, in the order of its positions. Attention goes through the table block by block, on views,
with a running maximum and sum (online softmax, Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022; pages:
Kwon et al. 2023). Nothing is gathered or copied.

The result of a row depends on nothing but the row: not on what else is in the batch, nor on how a prompt was cut
into chunks, nor on where its blocks lie. So an engine that batches, shares and preempts gives the very tokens of a
model that runs alone. For this, sums have a fixed order: `numpy.einsum` without BLAS, and whole blocks with a mask.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

VOCABULARY, WIDTH, HEADS, LAYERS = 256, 48, 3, 2
HEAD = WIDTH // HEADS
BLOCK = 16
"""Tokens in a block of the cache."""
WINDOW = 256
"""How far back a token looks, itself included: sliding-window attention, a multiple of BLOCK."""
LONGEST = 1024
"""Tokens of a sequence, prompt and answer."""
END = 0
"""The token that ends an answer."""

Array = Any


class Span(NamedTuple):
    """Tokens of one sequence that follow each other, to be computed in one step."""

    tokens: Array
    start: int
    """The position of the first."""
    table: Array
    """The sequence's blocks; those that no token can look back to any more are negative."""


def cache_shape(blocks: int) -> tuple[int, ...]:
    return (LAYERS, 2, blocks, BLOCK, HEADS, HEAD)


def blocks_for(tokens: int) -> int:
    return -(-tokens // BLOCK)


def _linear(rows: Array, weights: Array) -> Array:
    return np.einsum("rk,kn->rn", rows, weights)


def _norm(rows: Array) -> Array:
    return rows / np.sqrt((rows * rows).mean(axis=1, keepdims=True) + np.float32(1e-5))


class Model:
    """Weights, made from a seed: rotary positions, two layers of attention and a gated network."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)

        def matrix(rows: int, columns: int) -> Array:
            return (rng.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)

        self.embedding = matrix(VOCABULARY, WIDTH) * np.float32(4)
        self.layers = [
            (matrix(WIDTH, 3 * WIDTH), matrix(WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH), matrix(2 * WIDTH, WIDTH))
            for _ in range(LAYERS)
        ]
        self.head = matrix(WIDTH, VOCABULARY) * np.float32(2)
        angles = np.arange(LONGEST)[:, None] / 10_000 ** (np.arange(HEAD // 2) * 2 / HEAD)
        self.cosine, self.sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def step(self, cache: Array, spans: list[Span]) -> Array:
        """Computes all tokens, writes their keys and values, and returns the logits after the last one of each span."""
        positions = np.concatenate([np.arange(s.start, s.start + len(s.tokens)) for s in spans])
        blocks = np.concatenate([s.table[np.arange(s.start, s.start + len(s.tokens)) // BLOCK] for s in spans])
        ends = np.cumsum([len(s.tokens) for s in spans])
        rows = self.embedding[np.concatenate([s.tokens for s in spans])]
        for layer, (mix, out, up, down) in enumerate(self.layers):
            query, key, value = _linear(_norm(rows), mix).reshape(len(rows), 3, HEADS, HEAD).transpose(1, 0, 2, 3)
            cache[layer, 0][blocks, positions % BLOCK] = self._turned(key, positions)
            cache[layer, 1][blocks, positions % BLOCK] = value
            query = self._turned(query, positions)
            seen = np.concatenate(
                [
                    attention(query[end - len(s.tokens) : end], s.start, s.table, cache[layer])
                    for s, end in zip(spans, ends, strict=True)
                ]
            )
            rows = rows + _linear(seen.reshape(len(rows), WIDTH), out)
            gate, signal = np.split(_linear(_norm(rows), up), 2, axis=1)
            gate, signal = np.ascontiguousarray(gate), np.ascontiguousarray(signal)
            rows = rows + _linear(gate / (1 + np.exp(-gate)) * signal, down)
        return _linear(_norm(np.ascontiguousarray(rows[ends - 1])), self.head)

    def _turned(self, rows: Array, positions: Array) -> Array:
        """Rotary position embedding (Su et al. 2021)."""
        cosine, sine = self.cosine[positions][:, None], self.sine[positions][:, None]
        left, right = rows[..., : HEAD // 2], rows[..., HEAD // 2 :]
        return np.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=2)


class Bigram:
    """The least model there is: the next token depends on the last one alone. So messages cost more than arithmetic."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.table = rng.standard_normal((VOCABULARY, VOCABULARY)).astype(np.float32)

    def step(self, cache: Array, spans: list[Span]) -> Array:  # noqa: ARG002
        return self.table[[s.tokens[-1] for s in spans]]


MODELS: dict[str, Any] = {"decoder": Model, "bigram": Bigram}


def attention(query: Array, start: int, table: Array, layer: Array) -> Array:
    """What the tokens from position `start` on see of themselves and of those before them: [token, head, dimension]."""
    count = len(query)
    positions = np.arange(start, start + count)[:, None]
    most = np.full((count, HEADS), -np.inf, np.float32)
    total = np.zeros((count, HEADS), np.float32)
    seen = np.zeros((count, HEADS, HEAD), np.float32)
    scale = np.float32(HEAD**-0.5)
    for number in range(max(0, start - WINDOW + 1) // BLOCK, (start + count - 1) // BLOCK + 1):
        keys, values = layer[:, table[number]]
        there = np.arange(number * BLOCK, (number + 1) * BLOCK)
        visible = (there <= positions) & (there > positions - WINDOW)
        scores = np.einsum("thd,shd->ths", query, keys) * scale
        scores = np.where(visible[:, None], scores, np.float32(-np.inf))
        higher = np.maximum(most, scores.max(axis=2))
        base = np.where(np.isinf(higher), np.float32(0), higher)  # a row that has seen nothing yet
        weights, kept = np.exp(scores - base[..., None]), np.exp(most - base)
        total = total * kept + weights.sum(axis=2)
        seen = seen * kept[..., None] + np.einsum("ths,shd->thd", weights, values)
        most = higher
    return seen / total[..., None]


def sample(logits: Array, seeds: Array, positions: Array, temperatures: Array) -> Array:
    """One token a row: the largest logit at temperature 0, else drawn by the Gumbel-max trick.

    The noise is a hash of seed, position and token (SplitMix64, Steele et al. 2014), so a token can be drawn again.
    """
    with np.errstate(over="ignore"):
        state = seeds.astype(np.uint64)[:, None] * np.uint64(0x9E3779B97F4A7C15)
        state = (state + positions.astype(np.uint64)[:, None]) * np.uint64(0xBF58476D1CE4E5B9)
        state = state + np.arange(logits.shape[1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    uniform = ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    return (logits - temperatures[:, None] * np.log(-np.log(uniform))).argmax(axis=1)


def generate(model: Any, prompt: Array, most: int, seed: int, temperature: float) -> list[int]:
    """The answer of a model that runs alone, with its cache in one piece: what the engine is held to."""
    length = len(prompt) + most
    cache, table = np.zeros(cache_shape(blocks_for(length)), np.float32), np.arange(blocks_for(length))
    span, answer = Span(np.asarray(prompt), 0, table), list[int]()
    while len(answer) < most:
        logits, position = model.step(cache, [span]), span.start + len(span.tokens)
        ones = np.array([seed]), np.array([position]), np.array([temperature])
        answer.append(int(sample(logits, *ones)[0]))
        if answer[-1] == END:
            break
        span = Span(np.array(answer[-1:]), position, table)
    return answer
