# ruff: noqa: ARG002 - a scenario takes what it needs
"""BlockPool: no block in two hands, and a refusal only when fewer were free than were wanted."""

import random
from types import MappingProxyType
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree._segment import starting_at
from lockfree.block_pool import BlockPool
from lockfree.linearizability import History
from lockfree.stress.arena import NOBODY, PENDING, Arena
from lockfree.stress.recorder import Client
from lockfree.stress.scenario import Claim, Round, Scenario

ALLOC, FREE = 19, 20
FAILED = 1
BLOCKS = (1, 2, 3, 5, 8, 16, 33, 64, 100, 1000)
STARTS = (0, 0, 2**26 - 30, 2**31 - 9, 2**32 - 9)
#         try timed free share hand
WEIGHTS = (8, 3, 9, 1, 1)


class Actor:
    """One client that uses the Python class."""

    def __init__(self, pool: BlockPool, client: Client, batch: int, most: int) -> None:
        self.pool, self.client, self.batch, self.most = pool, client, batch, most
        self.kept: list[int] = []

    def some(self, most: int) -> int:
        steady: int = self.client.raw.plan.levels
        return min(steady, most) if steady else self.client.random.randint(1, min(self.batch, most))

    def alloc(self, waiting: bool) -> None:
        n = self.some(min(self.pool.blocks, self.batch))
        if len(self.kept) + n > self.most:
            self.free()
            return
        timeout = self.client.some_timeout()
        lib.lf_stress_open_allocs(self.client.raw, n)
        found = self.pool.alloc(n, waiting, timeout)
        blocks = [] if found is None else found.tolist()
        self.client.close_gets(n, blocks, None, empty=found is None)
        self.kept += blocks

    def try_alloc(self) -> None:
        self.alloc(False)

    def timed(self) -> None:
        self.alloc(True)

    def free(self) -> None:
        if self.kept:
            n = self.some(len(self.kept))
            blocks, self.kept = self.kept[-n:], self.kept[:-n]
            self.client.open_many(FREE, blocks, None, n)
            self.pool.free(blocks)
            self.client.close_puts(n, n)

    def share(self) -> None:
        if self.kept:
            self.pool.retain(self.kept[-1:])
            self.pool.free(self.kept[-1:])

    def hand(self) -> None:
        if self.kept:
            blocks = self.kept[-self.some(len(self.kept)) :]
            assert sorted(blocks) == self.pool.adopt(self.pool.seal(blocks)).tolist()

    def actions(self) -> list[Any]:
        return [self.try_alloc, self.timed, self.free, self.share, self.hand]


class BlockPoolScenario(Scenario):
    name = "block_pool"
    refusals = MappingProxyType({"alloc": ("too few blocks", "at one instant of the call fewer were free than wanted")})

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {
            "blocks": rng.choice(BLOCKS),
            "most": rng.choice((1, 4, 16, 64)),
            "start": rng.choice(STARTS),
            "order": rng.choice(("fifo", "lifo", "lifo")),
            "steady": rng.choice((0, 2, 3, 4)),
        }

    def create(self, about: Round) -> BlockPool:
        settings = about.settings
        return starting_at(settings["start"], BlockPool, settings["blocks"], order=settings["order"])

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        weights = list(WEIGHTS)
        if about.kills:
            weights[4] = 0  # what is sealed by the dead stays out for ever
        batch = min(about.batch, about.settings["blocks"], about.settings["most"])
        steady = batch if number % 4 < about.settings["steady"] else 0  # such a client makes bundles
        return {"weights": weights, "kind": about.settings["most"], "batch": batch, "levels": steady}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_block_pool(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, client.raw.plan.batch, about.settings["most"])
        client.run(actor.actions(), list(client.raw.plan.weights)[: len(WEIGHTS)])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        blocks = about.settings["blocks"]
        if about.kills:
            return [Claim(f"block-pool:{blocks}", after_kills(arena), "no block in two hands")]
        return [Claim(f"block-pool:{blocks}", arena.history())]


def after_kills(arena: Arena) -> History:
    """What was recorded, with a free for each block that a killed client had: some time after its last call, and before
    the next alloc of the block returned. Calls that were cut off, and refusals, are left out: nobody knows what the
    dead had taken then.
    """
    allocs: dict[int, list[int]] = {}
    kept: list[Any] = []
    owed: list[tuple[int, int]] = []
    for i, memory in enumerate(arena.records()):
        records = ffi.cast("struct lf_history_op *", ffi.from_buffer(memory)) if len(memory) else []
        held: dict[int, int] = {}
        last = 0
        for r in (records[k] for k in range(int(arena.log(i).count))):
            last = max(last, int(r.call))
            if r.ret == PENDING or r.flags & FAILED:
                continue
            kept.append(r)
            if r.op == ALLOC:
                allocs.setdefault(int(r.result), []).append(int(r.ret))
                held[int(r.result)] = int(r.ret)
            elif r.op == FREE:
                held.pop(int(r.arg), None)
        if arena.log(i).killed:
            owed += [(block, last) for block in held]
    end = max((int(r.ret) for r in kept), default=0) + 1
    ops = ffi.new("struct lf_history_op[]", len(kept) + len(owed) + 1)
    for k, r in enumerate(kept):
        ops[k] = r
    for k, (block, call) in enumerate(owed):
        back = min((ret for ret in allocs[block] if ret > call), default=end + 1)
        values = {"call": call, "ret": back, "arg": block, "result": -(1 << 63), "client": NOBODY + k, "op": FREE}
        ops[len(kept) + k] = values
    return History.from_buffer(ffi.buffer(ops)[: (len(kept) + len(owed)) * ffi.sizeof("struct lf_history_op")])


SCENARIO = BlockPoolScenario()
