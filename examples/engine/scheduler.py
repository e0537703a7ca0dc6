"""The scheduler: continuous batching over a paged cache.

Each step holds the next token of every running sequence, and a piece of the prompts that are not through yet. A
sequence that has its answer leaves at once, and the next request takes its place (Orca, Yu et al. 2022). Blocks come
from a `BlockPool`. Prompts that begin alike share blocks; blocks that the window has left are freed; when blocks run
out, the sequence that can wait longest gives its own back, and begins again later.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import messages
import numpy as np
from messages import CANCELLED, COMPLETE, GOES_ON, Order, Part
from model import BLOCK, END, WINDOW, Span, blocks_for

if TYPE_CHECKING:
    from board import Board

    import lockfree

RUNNING = 32
"""Sequences in one step, at most."""
STEP_TOKENS = 256
"""Tokens in one step, at most: a long prompt takes several, so that others do not wait for it."""
SPARE = 8
"""Blocks that must be free, or only remembered, before another sequence begins."""
OUTBOX = 20_000
"""Tokens for front ends that do not take them: above, nobody is admitted."""


@dataclass(eq=False)
class Sequence:
    order: Order
    arrival: int
    tokens: list[int]
    """The prompt, and the answer so far."""
    rank: int = 0
    computed: int = 0
    """Tokens whose keys and values are in the cache."""
    table: list[int] = field(default_factory=list)
    chain: list[int] = field(default_factory=list)
    """A hash for each full block of the prompt, of its tokens and all before them."""

    @property
    def urgency(self) -> tuple[int, int]:
        return self.order.level, self.arrival

    @property
    def answer(self) -> list[int]:
        return self.tokens[len(self.order.prompt) :]


class PrefixCache:
    """Which block holds the keys and values of a prompt's beginning. It has a reference to each of its blocks."""

    def __init__(self, pool: lockfree.BlockPool) -> None:
        self.pool, self.blocks, self.hits = pool, OrderedDict[int, int](), 0

    @staticmethod
    def chain(prompt: Any) -> list[int]:
        found, before = [], 0
        for at in range(0, len(prompt) // BLOCK * BLOCK, BLOCK):
            before = hash((before, prompt[at : at + BLOCK].tobytes()))
            found.append(before)
        return found

    def share(self, sequence: Sequence) -> None:
        """Gives a new sequence the blocks that are there. At least one token is left to compute."""
        found: list[int] = []
        for key in sequence.chain[: (len(sequence.tokens) - 1) // BLOCK]:
            if key not in self.blocks:
                break
            self.blocks.move_to_end(key)
            found.append(self.blocks[key])
        if found:
            self.pool.retain(found)
            self.hits += len(found)
            sequence.table, sequence.computed = found, len(found) * BLOCK

    def keep(self, sequence: Sequence, before: int) -> None:
        """Remembers the blocks of the prompt that became full since `before` tokens were computed."""
        for number in range(before // BLOCK, min(sequence.computed // BLOCK, len(sequence.chain))):
            key, block = sequence.chain[number], sequence.table[number]
            if key not in self.blocks and block >= 0:
                self.pool.retain([block])
                self.blocks[key] = block

    def give_up_one(self) -> bool:
        if not self.blocks:
            return False
        self.pool.free([self.blocks.popitem(last=False)[1]])
        return True

    def clear(self) -> None:
        while self.give_up_one():
            pass


class Scheduler:
    def __init__(self, transport: Any, pool: lockfree.BlockPool, workers: int, board: Board) -> None:
        self.transport, self.pool, self.workers, self.board = transport, pool, workers, board
        self.cache = PrefixCache(pool)
        self.live: dict[int, Sequence] = {}
        self.running: list[Sequence] = []
        self.waiting: list[tuple[tuple[int, int], Sequence]] = []  # preempted ones: a heap
        self.early = set[int]()
        """Cancelled before the request came out of the queue."""
        self.outbox: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
        self.arrivals = self.step_number = 0

    def run(self) -> None:
        while not self.transport.ended():
            self._take_cancels()
            self._admit()
            parts = self._plan()
            if parts:
                self._do(parts)
            self._send()
            self.board.set(running=len(self.running), preempted=len(self.waiting), free=self.pool.available)
            self.board.set(shared=self.cache.hits)
        for sequence in self.live.values():  # asked again by a front end that was told of a cancellation meanwhile
            self._free(sequence)
        self.cache.clear()

    # ---- in ----

    def _take_cancels(self) -> None:
        for number in self.transport.cancelled():
            sequence = self.live.get(number)
            if sequence is None:
                self.early.add(number)
            else:
                self._leave(sequence, CANCELLED)

    def _admit(self) -> None:
        while len(self.running) < RUNNING and sum(map(len, self.outbox.values())) < OUTBOX:
            needed = blocks_for(len(self.waiting[0][1].tokens)) if self.waiting else SPARE
            if self.running and self.pool.available + len(self.cache.blocks) < needed:
                return
            if self.waiting:
                self._start(heapq.heappop(self.waiting)[1])
                continue
            data = self.transport.next_request(0 if self.running else 0.02)
            if data is None:
                return
            order = messages.unpack_request(data)
            if order.number in self.early:
                self.early.remove(order.number)
                self.outbox[order.frontend].append((order.number, 0, -1, CANCELLED))
            elif order.number in self.live:  # its front end was replaced, and asks again
                answer = self.live[order.number].answer
                self.outbox[order.frontend] += [(order.number, i, t, GOES_ON) for i, t in enumerate(answer)]
            else:
                sequence = Sequence(order, self.arrivals, order.prompt.tolist(), chain=PrefixCache.chain(order.prompt))
                self.arrivals += 1
                self.live[order.number] = sequence
                self._start(sequence)

    def _start(self, sequence: Sequence) -> None:
        load = [sum(s.rank == rank for s in self.running) for rank in range(self.workers)]
        sequence.rank = load.index(min(load))
        self.cache.share(sequence)
        self.running.append(sequence)

    # ---- a step ----

    def _plan(self) -> list[Part]:
        """The most urgent first. What finds no block gives way to what is more urgent, and waits."""
        parts, budget = [], STEP_TOKENS
        for sequence in sorted(self.running, key=lambda s: s.urgency):
            count = min(budget, len(sequence.tokens) - sequence.computed)
            if count == 0 or sequence not in self.running or not self._make_room(sequence, count):
                continue
            budget -= count
            begin, end = sequence.computed, sequence.computed + count
            span = Span(np.array(sequence.tokens[begin:end]), begin, np.array(sequence.table))
            order, wanted = sequence.order, end == len(sequence.tokens)
            parts.append(Part(order.number, sequence.rank, wanted, order.seed, order.temperature, span))
        return parts

    def _make_room(self, sequence: Sequence, count: int) -> bool:
        missing = blocks_for(sequence.computed + count) - len(sequence.table)
        while missing > 0:
            blocks = self.pool.alloc(missing)
            if blocks is not None:
                sequence.table += blocks.tolist()
                break
            if not self.cache.give_up_one() and not self._preempt_for(sequence):
                return False
        return True

    def _preempt_for(self, sequence: Sequence) -> bool:
        """Takes the blocks of the least urgent request that was not planned yet; of itself, if that is this one."""
        victim = max(self.running, key=lambda s: s.urgency)
        self.running.remove(victim)
        self._free(victim)
        heapq.heappush(self.waiting, (victim.urgency, victim))
        self.board.add(preemptions=1)
        return victim is not sequence

    def _do(self, parts: list[Part]) -> None:
        """Has the step done by the workers. One that is replaced meanwhile gets the step again."""
        self.step_number += 1
        data = messages.pack_step(self.step_number, parts)
        self.transport.broadcast(data, sorted({p.rank for p in parts}))
        missing = {p.sequence: p for p in parts}
        while missing:
            for outcome in self.transport.results(0.5):
                if outcome["kind"] == messages.HELLO:
                    rank = int(outcome["rank"])
                    if any(p.rank == rank for p in missing.values()):
                        self.transport.broadcast(data, [rank])
                elif outcome["step"] == self.step_number:
                    part = missing.pop(int(outcome["sequence"]), None)
                    if part is not None:
                        self._advance(part, int(outcome["token"]))
            if self.transport.ended():
                return
        self.board.add(steps=1)

    def _advance(self, part: Part, token: int) -> None:
        sequence = self.live[part.sequence]
        before, order = sequence.computed, sequence.order
        sequence.computed += len(part.span.tokens)
        self.cache.keep(sequence, before)
        self._free_what_the_window_left(sequence)
        if not part.wanted:
            return
        sequence.tokens.append(token)
        index = len(sequence.tokens) - len(order.prompt) - 1
        complete = token == END or index + 1 == order.most
        self.outbox[order.frontend].append((order.number, index, token, COMPLETE if complete else GOES_ON))
        self.board.add(tokens=1)
        if complete:
            self._leave(sequence, COMPLETE)

    def _free_what_the_window_left(self, sequence: Sequence) -> None:
        left = max(0, sequence.computed - WINDOW + 1) // BLOCK
        for number in range(left - 1, -1, -1):
            if sequence.table[number] < 0:
                break
            self.pool.free([sequence.table[number]])
            sequence.table[number] = -1

    # ---- out ----

    def _leave(self, sequence: Sequence, how: int) -> None:
        del self.live[sequence.order.number]
        if sequence in self.running:
            self.running.remove(sequence)
        self.waiting = [entry for entry in self.waiting if entry[1] is not sequence]
        heapq.heapify(self.waiting)
        self._free(sequence)
        if how == CANCELLED:
            self.outbox[sequence.order.frontend].append((sequence.order.number, len(sequence.answer), -1, CANCELLED))
        self.board.add(answered=1)

    def _free(self, sequence: Sequence) -> None:
        self.pool.free([block for block in sequence.table if block >= 0])
        sequence.table, sequence.computed = [], 0

    def _send(self) -> None:
        """What does not fit into a front end's stream waits for the next step: the scheduler waits for nobody."""
        for frontend, rows in self.outbox.items():
            if rows:
                del rows[: self.transport.stream(frontend, np.array(rows, messages.TOKEN))]
