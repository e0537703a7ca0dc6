"""Which schedules of a program are run, and in which order.

A schedule is the list of its deviations: decisions at which not the default thread goes on, but one of the next in
turn. All schedules without a deviation are run, then all with one, with two, and so on (Emmi, Qadeer and Rakamaric,
Delay-bounded scheduling, POPL 2011). Most faults need one or two. When the time is up before that ends, random
priorities sample the rest (Burckhardt and others, PCT, ASPLOS 2010).
"""

import base64
import heapq
import itertools
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockfree.modelcheck.python.accesses import Places
from lockfree.modelcheck.python.scheduler import Controlled, Decision

Deviations = tuple[tuple[int, int], ...]
"""Pairs of a decision's number and the option that was taken, in order."""


@dataclass(frozen=True)
class Listed:
    """Takes the deviations of a list, and the default everywhere else."""

    deviations: Deviations

    def choose(self, number: int, options: Sequence[object]) -> int:
        for at, option in self.deviations:
            if at == number:
                return min(option, len(options) - 1)
        return 0


class Priorities:
    """PCT: the thread of the highest priority runs; at some decisions it loses its place."""

    def __init__(self, seed: int, decisions: int, depth: int) -> None:
        self._random = random.Random(seed)
        self._changes = {self._random.randrange(max(1, decisions)) for _ in range(depth - 1)}
        self._priority: dict[tuple[str, int], float] = {}

    def choose(self, number: int, options: Sequence[object]) -> int:
        names = [_name(option) for option in options]
        for name in names:
            self._priority.setdefault(name, 1 + self._random.random())
        best = max(range(len(names)), key=lambda at: self._priority[names[at]])
        if number in self._changes:
            self._priority[names[best]] = -self._random.random()
            best = max(range(len(names)), key=lambda at: self._priority[names[at]])
        return best


class Anything:
    """Each decision at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def choose(self, _number: int, options: Sequence[object]) -> int:
        return self._random.randrange(len(options))


def _name(option: object) -> tuple[str, int]:
    """What an option is, in the same way at each decision and in each run."""
    if isinstance(option, Controlled):
        return "thread", option.index
    return ("time", 0) if isinstance(option, float) else ("task", getattr(option, "number", -1))


def deviations_of(decisions: Sequence[Decision]) -> Deviations:
    return tuple((number, decision.chosen) for number, decision in enumerate(decisions) if decision.chosen)


class ByDeviations:
    """All schedules by their number of deviations: the fewest first, and of these the earliest first.

    A schedule that comes to a state that an earlier one has gone on from needs no more deviations from there.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.level = 0
        self.skipped = False
        self._seen: set[tuple[int, int]] = set()
        self._order = itertools.count()
        self._queue: list[tuple[int, int, Deviations]] = [(0, next(self._order), ())]

    def __iter__(self) -> Iterator[Deviations]:
        while self._queue:
            self.level, _, deviations = heapq.heappop(self._queue)
            yield deviations

    def ran(self, deviations: Deviations, decisions: Sequence[Decision]) -> None:
        """Adds the schedules that deviate once more, later."""
        after = deviations[-1][0] if deviations else -1
        cost = sum(option for _, option in deviations)
        for number in range(after + 1, len(decisions)):
            state = decisions[number].state, decisions[number].alternatives
            if state in self._seen:
                continue
            self._seen.add(state)
            for option in range(1, decisions[number].alternatives):
                if self.most is not None and cost + option > self.most:
                    self.skipped = True
                    break
                heapq.heappush(self._queue, (cost + option, next(self._order), (*deviations, (number, option))))


def token_of(client: str, deviations: Deviations, places: Places, early: bool) -> str:
    """A schedule as a word: what `replay` needs to run it again."""
    text = json.dumps([deviations, places, early], separators=(",", ":"))
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    return f"{client}:P{packed}"


def read_token(token: str) -> tuple[str, Deviations, Places, bool]:
    """The parts of a token. ValueError if it is none."""
    client, _, rest = token.rpartition(":")
    try:
        packed = zlib.decompress(base64.urlsafe_b64decode(rest.removeprefix("P") + "=" * (-(len(rest) - 1) % 4)))
        deviations, places, early = json.loads(packed)
        pairs = tuple((int(number), int(option)) for number, option in deviations)
        named = [(str(file), int(line), str(name), int(offset)) for file, line, name, offset in places]
        return client, pairs, named, bool(early)
    except (ValueError, TypeError, zlib.error):
        raise ValueError(f"this is not a token of a Python program: {token!r} (CLIENT:P…)") from None


def fewer(deviations: Deviations) -> Iterator[Deviations]:
    """The list without each one of its elements, the last first."""
    for at in reversed(range(len(deviations))):
        yield deviations[:at] + deviations[at + 1 :]
