"""Adds up arrays of several processes, checks the sums bit by bit, and shows what it costs."""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import queue
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from ring import Reducer, make_rings

import lockfree

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 300
"""Seconds for all rounds."""


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


def measured(rank: int, ready: lockfree.Barrier, elements: int, rounds: int, all_reduce: Callable[[Any], None]) -> Any:
    """The last sum, and the seconds of each round. All begin a round together, with arrays that are there already."""
    spans = []
    for _ in range(rounds + 1):  # the first one touches memory and makes connections
        array = own_array(rank, elements)
        ready.wait()
        begin = time.perf_counter()
        all_reduce(array)
        spans.append(time.perf_counter() - begin)
    return array, spans[1:]


def work(rank: int, ready: lockfree.Barrier, size: tuple[int, int], rings: Any, answers: Any) -> None:
    elements, rounds = size
    array, spans = measured(rank, ready, elements, rounds, Reducer(rank, rings).all_reduce)
    expected = ring_sum([own_array(i, elements) for i in range(len(rings))])
    answers.put((rank, bool(np.array_equal(array, expected)), spans))


def work_with_gloo(rank: int, ready: lockfree.Barrier, size: tuple[int, int], place: Any, answers: Any) -> None:
    """The same through torch.distributed. Its order of adding is its own, so sums may differ in their last bits."""
    import torch
    from torch import distributed

    (elements, rounds), (folder, world) = size, place
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/gloo", rank=rank, world_size=world)
    array, spans = measured(
        rank, ready, elements, rounds, lambda array: distributed.all_reduce(torch.from_numpy(array))
    )
    expected = ring_sum([own_array(i, elements) for i in range(world)])
    answers.put((rank, bool(np.allclose(array, expected, rtol=1e-4, atol=1e-4)), spans))
    ready.wait()  # nobody leaves while another one is in the last round
    distributed.destroy_process_group()


def answers_of(running: list[Any], answers: Any) -> list[Any]:
    """The answer of each process. RuntimeError as soon as one fails: the others would wait for it."""
    found: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < len(running):
        try:
            found.append(answers.get(timeout=0.2))
        except queue.Empty:
            for rank, process in enumerate(running):
                if process.exitcode:
                    raise RuntimeError(f"process {rank} ended with status {process.exitcode}") from None
            if time.monotonic() > deadline:
                raise
    return found


def in_processes(target: Any, processes: int, elements: int, rounds: int, place: Any) -> tuple[bool, float]:
    """Whether every process has the sum, and the seconds until the slowest had it: the median of the rounds."""
    context = multiprocessing.get_context("spawn")
    answers, ready = context.Queue(), lockfree.Barrier(processes)
    running = [
        context.Process(target=target, args=(rank, ready, (elements, rounds), place, answers))
        for rank in range(processes)
    ]
    for process in running:
        process.start()
    try:
        found = answers_of(running, answers)
        for process in running:
            process.join(5)
    finally:
        for process in running:
            process.kill()
    slowest = [max(spans) for spans in zip(*(spans for *_, spans in found), strict=True)]
    return all(equal for _, equal, _ in found), statistics.median(slowest)


def has_gloo() -> bool:
    return importlib.util.find_spec("torch") is not None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="at least 1 (default: 4)")
    parser.add_argument(
        "--elements", type=int, nargs="+", default=[1_000_003], help="of 4 bytes each (default: 1,000,003)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many is shown (default: 5)")
    parser.add_argument("--beside", choices=["gloo"], help="measure torch.distributed, too; needs torch")
    args = parser.parse_args()
    if min(args.processes, args.rounds, *args.elements) < 1:
        parser.error("--processes, --elements and --rounds must be at least 1")
    if args.beside and not has_gloo():
        parser.error("--beside gloo needs torch: pip install torch")
    status = 0
    for elements in args.elements:
        took = {}
        took["lockfree"] = in_processes(work, args.processes, elements, args.rounds, make_rings(args.processes))
        if args.beside:
            with tempfile.TemporaryDirectory() as folder:
                place = folder, args.processes
                took["gloo"] = in_processes(work_with_gloo, args.processes, elements, args.rounds, place)
        moved = 2 * (args.processes - 1) / args.processes * elements * 4
        verdict = "equal to the direct sum" if took["lockfree"][0] else "WRONG"
        print(f"{args.processes} processes, {elements:,} floats each: {verdict}")
        for name, (right, seconds) in took.items():
            print(f"  {name}: {seconds * 1e3:.3f} ms, {moved / seconds / 1e9:.2f} GB/s sent by each process")
            status |= not right
        if args.beside:
            print(
                f"  gloo takes {took['gloo'][1] / took['lockfree'][1]:.1f} times as long"
                + " and is WRONG" * (not took["gloo"][0])
            )
    return status


if __name__ == "__main__":
    raise SystemExit(main())
