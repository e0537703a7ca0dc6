# ruff: noqa: ARG002 - a scenario takes what it needs
"""Arena: no page, and no place of a slab, in two hands; a refusal only when fewer pages were free than were wanted."""

import random
from types import MappingProxyType
from typing import Any

from lockfree import arena as arenas
from lockfree._native.stress import ffi, lib
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import Client
from lockfree.stress.scenario import Claim, Round, Scenario
from lockfree.stress.scenarios.block_pool import FREE, after_kills

PAGES = (1, 2, 5, 8, 16, 33, 64, 100, 700)
#         try timed release share hand
WEIGHTS = (8, 3, 9, 1, 1)
_kept: list[Any] = []
"""What clients kept at the end of a round: the garbage collector would release it, and no record would say so."""


class Actor:
    """One client that uses the Python class."""

    def __init__(self, shared: arenas.Arena, client: Client, batch: int, most: int, small: bool) -> None:
        self.arena, self.client, self.batch, self.most, self.small = shared, client, batch, most, small
        self.kept: list[tuple[arenas.Block, list[int], int]] = []

    def units(self, block: arenas.Block) -> list[int]:
        found, hold = ffi.new("int64_t[32]"), ffi.cast("struct lf_arena_hold *", block._memory.hold)
        count = lib.lf_stress_arena_units(self.arena._h, hold, found, self.small)
        return list(found[0:count])

    def alloc(self, waiting: bool) -> None:
        rng = self.client.random
        n = 1 if self.small else rng.randint(1, min(self.batch, self.arena.size_bytes // self.arena.page_bytes))
        size = rng.randint(1, 1000) if self.small else n * self.arena.page_bytes - rng.randrange(100)
        if sum(len(units) for _, units, _ in self.kept) + n > self.most:
            self.release()
            return
        timeout = self.client.some_timeout()
        lib.lf_stress_open_allocs(self.client.raw, n)
        block = self.arena.alloc(size, block=waiting, timeout=timeout)
        if block is None and self.small:
            self.client.forget(n)
            return
        units = [] if block is None else self.units(block)
        self.client.close_gets(n, units, None, empty=block is None)
        if block is not None:
            mark = rng.randrange(256)
            block.array()[:] = mark
            self.kept.append((block, units, mark))

    def try_alloc(self) -> None:
        self.alloc(False)

    def timed(self) -> None:
        self.alloc(True)

    def release(self) -> None:
        if self.kept:
            block, units, mark = self.kept.pop()
            assert (block.array() == mark).all(), "somebody else wrote into the block"
            self.client.open_many(FREE, units, None, len(units))
            assert block.release()
            self.client.close_puts(len(units), len(units))

    def share(self) -> None:
        if self.kept:
            block, _, mark = self.kept[-1]
            assert self.arena.open_block(block.handle(0)).view[-1] == mark

    def hand(self) -> None:
        if self.kept:
            block, units, mark = self.kept.pop()
            handle = block.handle()
            block.release()
            self.kept.append((self.arena.open_block(handle), units, mark))

    def actions(self) -> list[Any]:
        return [self.try_alloc, self.timed, self.release, self.share, self.hand]


class ArenaScenario(Scenario):
    name = "arena"
    refusals = MappingProxyType({"alloc": ("too few pages", "at one instant of the call fewer were free than wanted")})

    def settings(self, rng: random.Random, clients: int, driver: str) -> dict[str, Any]:
        return {"pages": rng.choice(PAGES), "most": rng.choice((4, 16, 64)), "small": rng.random() < 0.3}

    def create(self, about: Round) -> arenas.Arena:
        page = arenas._page_bytes()
        return arenas.Arena(about.settings["pages"] * page, max_blocks=2048)

    def plan(self, about: Round, number: int) -> dict[str, Any]:
        weights = list(WEIGHTS)
        if about.kills:
            weights[4] = 0  # what the dead had promised stays out for ever
        batch = min(about.batch, about.settings["pages"], about.settings["most"])
        small = int(about.settings["small"])
        return {"weights": weights, "kind": about.settings["most"], "batch": batch, "levels": small}

    def drive_c(self, shared: Any, client: Client, about: Round) -> int:
        return int(lib.lf_stress_drive_arena(shared._h, client.raw))

    def drive_python(self, shared: Any, client: Client, about: Round) -> None:
        actor = Actor(shared, client, client.raw.plan.batch, about.settings["most"], about.settings["small"])
        _kept.append(actor.kept)
        client.run(actor.actions(), list(client.raw.plan.weights)[: len(WEIGHTS)])

    def claims(self, about: Round, arena: Arena) -> list[Claim]:
        spec = "block-pool" if about.settings["small"] else f"block-pool:{about.settings['pages']}"
        if about.kills:
            return [Claim(spec, after_kills(arena), "no page in two hands")]
        return [Claim(spec, arena.history())]


SCENARIO = ArenaScenario()
