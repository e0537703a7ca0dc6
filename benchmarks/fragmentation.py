"""Hours of traffic through an Arena, and through three other ways to hand out memory: what fragmentation does to each.

    python benchmarks/fragmentation.py [--hours 8] [--seed 1] [--plot docs/guides/pictures/fragmentation]

Requests come and go as in the conversation trace of Azure's LLM inference service (AzureLLMInferenceTrace_conv, 19,366
requests within an hour of November 2023; Patel et al., "Splitwise", ISCA 2024). Its prompts have exp(N(6.633, 0.985))
tokens, its answers exp(N(5.019, 0.859)); both are cut off where the trace ends. A request takes a block for its prompt,
2 KiB a token, and keeps it while its answer is made, 30 ms a token. One request in twenty leaves a small block behind for ten
minutes, as a session does. All allocators see the same requests. Time is simulated; what an alloc costs is measured.

A compacted heap is what all free bytes would make in one piece. `largest` is the largest block that an allocator could give,
as a part of that. `refused`: requests for which a compacted heap had room and the allocator had not.
"""

import argparse
import bisect
import heapq
import random
import statistics
import time
from dataclasses import dataclass, field

import lockfree

TOKEN = 2048
PER_SECOND = 19366 / 3502
SECONDS_A_TOKEN = 0.030
ROOM = 104 << 20
"""Bytes: the blocks of the requests need 88 MiB on average."""


class ArenaHeap:
    name = "Arena"

    def __init__(self, room: int) -> None:
        self.arena = lockfree.Arena(room)
        self.blocks: dict[int, lockfree.Block] = {}

    def alloc(self, key: int, size: int) -> bool:
        block = self.arena.alloc(size)
        if block is not None:
            self.blocks[key] = block
        return block is not None

    def free(self, key: int) -> None:
        del self.blocks[key]

    def largest(self) -> int:
        return self.arena.stats()["largest"]

    def longest_run(self) -> int:
        return self.arena.stats()["longest_run"]

    def close(self) -> None:
        self.blocks.clear()
        self.arena.close()


class HoleHeap:
    """Holes in order of their addresses; neighbours are joined. 16 bytes of each block are its header, as in malloc."""

    def __init__(self, room: int) -> None:
        self.starts, self.sizes = [0], [room]
        self.blocks: dict[int, tuple[int, int]] = {}

    def choose(self, size: int) -> int:
        """The number of a hole, or -1."""
        raise NotImplementedError

    def alloc(self, key: int, size: int) -> bool:
        size = -(-(size + 16) // 16) * 16
        i = self.choose(size)
        if i < 0:
            return False
        self.blocks[key] = (self.starts[i], size)
        if self.sizes[i] == size:
            del self.starts[i], self.sizes[i]
        else:
            self.starts[i] += size
            self.sizes[i] -= size
        return True

    def free(self, key: int) -> None:
        start, size = self.blocks.pop(key)
        i = bisect.bisect(self.starts, start)
        if i < len(self.starts) and start + size == self.starts[i]:
            size += self.sizes[i]
            del self.starts[i], self.sizes[i]
        if i > 0 and self.starts[i - 1] + self.sizes[i - 1] == start:
            self.sizes[i - 1] += size
        else:
            self.starts.insert(i, start)
            self.sizes.insert(i, size)

    def largest(self) -> int:
        return max(self.sizes, default=0)

    longest_run = largest

    def close(self) -> None:
        pass


class FirstFit(HoleHeap):
    name = "first fit"

    def choose(self, size: int) -> int:
        return next((i for i, room in enumerate(self.sizes) if room >= size), -1)


class BestFit(HoleHeap):
    """What malloc does with blocks of this size."""

    name = "best fit (malloc)"

    def choose(self, size: int) -> int:
        best = min(((room, i) for i, room in enumerate(self.sizes) if room >= size), default=(0, -1))
        return best[1]


class Buddy:
    """Powers of two, from 64 bytes on. The room is the sum of a few."""

    name = "buddy"

    def __init__(self, room: int) -> None:
        self.free_at: dict[int, set[int]] = {}
        self.blocks: dict[int, tuple[int, int]] = {}
        self.tops: dict[int, int] = {}
        start = 0
        while room - start >= 64:
            order = (room - start).bit_length() - 1
            self.free_at.setdefault(order, set()).add(start)
            self.tops[start] = order
            start += 1 << order

    def alloc(self, key: int, size: int) -> bool:
        wanted = max(6, (size - 1).bit_length())
        order = min((o for o, places in self.free_at.items() if places and o >= wanted), default=-1)
        if order < 0:
            return False
        start = min(self.free_at[order])
        self.free_at[order].remove(start)
        while order > wanted:
            order -= 1
            self.free_at.setdefault(order, set()).add(start + (1 << order))
        self.blocks[key] = (start, order)
        return True

    def free(self, key: int) -> None:
        start, order = self.blocks.pop(key)
        while self.tops.get(start) != order and (start ^ 1 << order) in self.free_at.get(order, ()):
            self.free_at[order].remove(start ^ 1 << order)
            start &= ~(1 << order)
            order += 1
        self.free_at.setdefault(order, set()).add(start)

    def largest(self) -> int:
        return max((1 << order for order, places in self.free_at.items() if places), default=0)

    longest_run = largest

    def close(self) -> None:
        pass


HEAPS = (ArenaHeap, BestFit, FirstFit, Buddy)


@dataclass
class Course:
    """What became of one allocator. Of each bucket of simulated time: a median."""

    name: str
    hours: list[float] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    longest_run: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    """Microseconds of an alloc."""
    load: list[float] = field(default_factory=list)
    allocs: int = 0
    refused: int = 0
    full: int = 0
    """Requests for which a compacted heap had no room, either."""
    end: float = 0.0
    """`largest` at the end."""


def requests(hours: float, seed: int):
    """(arrival, end, size), in order of arrival."""
    chance, now, number = random.Random(seed), 0.0, 0
    while (now := now + chance.expovariate(PER_SECOND)) < hours * 3600:
        tokens = min(14050, max(2, chance.lognormvariate(6.633, 0.985)))
        answer = min(1000, max(1, chance.lognormvariate(5.019, 0.859)))
        yield now, now + 0.5 + answer * SECONDS_A_TOKEN, int(tokens * TOKEN)
        number += 1
        if number % 20 == 0:
            yield now, now + 600, chance.randrange(200, 3000)


def run(heap, hours: float, seed: int, room: int = ROOM, bucket: float = 600.0) -> Course:
    course, ends, used = Course(heap.name), [], 0
    seen: dict[str, list[float]] = {"largest": [], "longest_run": [], "cost": [], "load": []}
    due = bucket

    def note() -> None:
        course.hours.append(due / 3600)
        for name, values in seen.items():
            getattr(course, name).append(statistics.median(values) if values else float("nan"))
            values.clear()

    for key, (now, end, size) in enumerate(requests(hours, seed)):
        while ends and ends[0][0] <= now:
            _, old, gone = heapq.heappop(ends)
            heap.free(old)
            used -= gone
        while now > due:
            note()
            due += bucket
        began = time.perf_counter_ns()
        done = heap.alloc(key, size)
        seen["cost"].append((time.perf_counter_ns() - began) / 1000)
        if done:
            heapq.heappush(ends, (end, key, size))
            used += size
            course.allocs += 1
        elif used + size <= room:
            course.refused += 1
        else:
            course.full += 1
        if key % 16 == 0:
            seen["largest"].append(heap.largest() / max(1, room - used))
            seen["longest_run"].append(heap.longest_run() / max(1, room - used))
            seen["load"].append(used / room)
    note()
    course.end = heap.largest() / max(1, room - used)
    return course


def simulate(hours: float, seed: int, room: int = ROOM, bucket: float = 600.0) -> list[Course]:
    courses = []
    for kind in HEAPS:
        heap = kind(room)
        courses.append(run(heap, hours, seed, room, bucket))
        heap.close()
    return courses


def thirds(values: list[float]) -> tuple[float, float]:
    """Medians of the first and of the last third."""
    third = max(1, len(values) // 3)
    return statistics.median(values[:third]), statistics.median(values[-third:])


def table(courses: list[Course]) -> str:
    rows = [
        "| | largest block, % of a compacted heap: median, end | longest run, % | refused | alloc, µs: first third, last third |",
        "|---|---|---|---|---|",
    ]
    for c in courses:
        first, last = thirds(c.cost)
        middle, run_ = statistics.median(c.largest) * 100, statistics.median(c.longest_run) * 100
        rows.append(
            f"| {c.name} | {middle:.1f}, {c.end * 100:.1f} | {run_:.1f} | {c.refused:,} of {c.allocs + c.refused:,}"
            f" | {first:.1f}, {last:.1f} |"
        )
    return "\n".join(rows)


def plot(courses: list[Course], where: str) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "lockfree", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False,
                         "axes.spines.right": False, "figure.constrained_layout.use": True})  # fmt: skip
    colors = ["#2563d8", "#c0398a", "#9aa3af", "#b7791f"]
    figure = Figure(figsize=(9, 6.6))
    above, below = figure.subplots(2, 1, sharex=True)
    for course, color in zip(courses, colors, strict=True):
        width = 2.2 if course.name == "Arena" else 1.3
        above.plot(course.hours, [v * 100 for v in course.largest], color=color, linewidth=width, label=course.name)
        below.plot(course.hours, [v / course.cost[0] for v in course.cost], color=color, linewidth=width)
    runs = [v * 100 for v in courses[0].longest_run]
    above.plot(
        courses[0].hours, runs, color=colors[0], linewidth=1.1, linestyle=":", label="Arena: longest run of pages"
    )
    above.set_ylim(0, 105)
    above.set_ylabel("largest block,\n% of a compacted heap")
    above.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    below.set_ylim(bottom=0)
    below.set_ylabel("cost of an alloc,\ntimes that of the first ten minutes")
    below.set_xlabel("hours of traffic")
    for kind in ("svg", "png"):
        figure.savefig(f"{where}.{kind}", metadata={"Date": None} if kind == "svg" else {}, dpi=90)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", metavar="PATH", help="writes PATH.svg and PATH.png; needs matplotlib")
    arguments = parser.parse_args(argv)
    courses = simulate(arguments.hours, arguments.seed)
    loads = [value for value in courses[0].load if value == value]
    print(
        f"{arguments.hours:g} hours, seed {arguments.seed}: {statistics.median(loads) * 100:.0f}% of {ROOM >> 20} MiB in use\n"
    )
    print(table(courses))
    if arguments.plot:
        plot(courses, arguments.plot)


if __name__ == "__main__":
    main()
