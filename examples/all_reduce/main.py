"""Adds up arrays of several processes, checks the sums bit by bit, and shows what it costs."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from typing import Any

import numpy as np
from ring import Reducer, make_rings


def own_array(rank: int, elements: int) -> Any:
    """What process `rank` brings along: the same in every run."""
    return np.random.default_rng(rank).standard_normal(elements).astype(np.float32)


def ring_sum(arrays: list[Any]) -> Any:
    """The direct sum, each part in the order in which the ring adds it: floats are equal bit by bit, too."""
    world, elements = len(arrays), len(arrays[0])
    whole = np.empty_like(arrays[0])
    for part in range(world):
        at = slice(elements * part // world, elements * (part + 1) // world)
        total = arrays[part][at].copy()
        for step in range(1, world):
            total = arrays[(part + step) % world][at] + total
        whole[at] = total
    return whole


def work(rank: int, rings: Any, elements: int, rounds: int, answers: Any) -> None:
    reducer, spans = Reducer(rank, rings), []
    for _ in range(rounds):
        array = own_array(rank, elements)
        begin = time.perf_counter()
        reducer.all_reduce(array)
        spans.append(time.perf_counter() - begin)
    expected = ring_sum([own_array(i, elements) for i in range(len(rings))])
    answers.put((rank, bool(np.array_equal(array, expected)), statistics.median(spans)))


def in_processes(target: Any, processes: int, arguments: Any) -> list[tuple[int, bool, float]]:
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    running = [context.Process(target=target, args=(*arguments(rank), answers)) for rank in range(processes)]
    for process in running:
        process.start()
    found = [answers.get() for _ in running]
    for process in running:
        process.join()
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="at least 1 (default: 4)")
    parser.add_argument("--elements", type=int, default=1_000_003, help="of 4 bytes each (default: 1,000,003)")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many is shown (default: 5)")
    args = parser.parse_args()
    if min(args.processes, args.elements, args.rounds) < 1:
        parser.error("--processes, --elements and --rounds must be at least 1")
    rings = make_rings(args.processes)
    found = in_processes(work, args.processes, lambda rank: (rank, rings, args.elements, args.rounds))
    right = all(equal for _, equal, _ in found)
    slowest = max(seconds for *_, seconds in found)
    moved = 2 * (args.processes - 1) / args.processes * args.elements * 4
    verdict = "equal to the direct sum" if right else "WRONG"
    print(f"{args.processes} processes, {args.elements:,} floats each: {verdict}")
    print(f"{slowest * 1e3:.2f} ms, {moved / slowest / 1e9:.2f} GB/s sent by each process")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
