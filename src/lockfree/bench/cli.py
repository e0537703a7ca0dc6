"""`lockfree bench`."""

import argparse
import os
from typing import Any

from lockfree._command import UsageError, complete, named_path, need_page, refuse, try_files
from lockfree.machine import results

SCHEMA = "lockfree-bench/1"
DEFAULTS = {"capacity": 1024, "record": 64, "batch": 1, "seconds": 1.0, "samples": 5}
BOUNDS = {"capacity": (1, 1 << 24), "record": (1, 1 << 24), "batch": (1, 1 << 16), "samples": (1, 1000)}
PINS = ("spread", "compact", "none")
MOST = 64


def _primitives() -> list[str]:
    from lockfree.bench import loads

    return list(loads.PRIMITIVES)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the `bench` command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "bench",
        help="measure the primitives on this machine: throughput and latency by number of processes",
        description="Processes use one object as fast as they can. Shown are operations per second, and percentiles of"
        " the time of a call, against the number of processes. Exit status: 0; 3 for wrong usage.",
    )
    which = parser.add_argument("primitives", nargs="*", metavar="PRIMITIVE", help="which primitives (default: all)")
    complete(which, _primitives)
    parser.add_argument(
        "--procs",
        metavar="LIST",
        help="numbers of processes, such as 1,2,4 (default: up to twice the number of processors)",
    )
    parser.add_argument(
        "--pin", choices=PINS, help="how processes are pinned: different cores first (the default), by number, or not"
    )
    parser.add_argument(
        "--capacity", type=int, metavar="N", help=f"how many records a ring has (default {DEFAULTS['capacity']})"
    )
    parser.add_argument(
        "--record", type=int, metavar="BYTES", help=f"how many bytes a record has (default {DEFAULTS['record']})"
    )
    parser.add_argument(
        "--batch", type=int, metavar="N", help="how many records a call has, or blocks an alloc (default 1)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="seconds for each number of processes (default 1)")
    parser.add_argument(
        "--samples", type=int, metavar="N", help="how many windows the seconds are cut into (default 5)"
    )
    parser.add_argument("--html", type=named_path, metavar="FILE", help="write a page with the charts")
    parser.add_argument("--json", type=named_path, metavar="FILE", help="write everything that was measured")
    parser.set_defaults(run=run)
    return parser


def _counts(text: str) -> list[int]:
    """UsageError if it is no list of numbers of processes."""
    parts = text.split(",")
    if not all(part.isdecimal() and 1 <= int(part) <= MOST for part in parts):
        raise UsageError(f"--procs is {text!r}: it must be numbers from 1 to {MOST}, such as 1,2,4")
    return sorted(set(map(int, parts)))


def _check(args: argparse.Namespace) -> None:
    for option, (low, high) in BOUNDS.items():
        value = getattr(args, option)
        if value is not None and not low <= value <= high:
            raise UsageError(f"--{option} is {value}: it must be {low} to {high}")
    if args.seconds is not None and not 0.01 <= args.seconds <= 3600:
        raise UsageError(f"--seconds is {args.seconds:g}: it must be 0.01 to 3600")


def usual_counts(cpus: int) -> list[int]:
    """1, 2, 4, ... up to the processors, the processors, and twice as many processes."""
    counts = {1 << power for power in range(cpus.bit_length()) if 1 << power <= cpus} | {cpus, 2 * cpus}
    return sorted(count for count in counts if count <= MOST)


def run(args: argparse.Namespace) -> int:
    from lockfree.bench import loads, points
    from lockfree.machine import measure

    if unknown := [name for name in args.primitives if name not in loads.PRIMITIVES]:
        raise UsageError(f"no primitive {', '.join(unknown)}; there are {', '.join(loads.PRIMITIVES)}")
    names = [name for name in loads.PRIMITIVES if name in args.primitives or not args.primitives]
    _check(args)
    counts = None if args.procs is None else _counts(args.procs)
    for option in ("--capacity", "--record", "--batch"):
        if not any(option in loads.PRIMITIVES[name].uses for name in names):
            refuse(args, [option], f"on {', '.join(names)}")
    for name in names:
        kind = loads.PRIMITIVES[name]
        if counts and args.primitives and not any(kind.least <= count <= kind.most for count in counts):
            room = f"{kind.least}" if kind.least == kind.most else f"{kind.least} to {kind.most}"
            raise UsageError(f"--procs is {args.procs}: {name} needs {room} processes")
    if args.html is not None:
        need_page("--html")
    try_files({"--html": args.html, "--json": args.json}, [])
    chosen = {key: getattr(args, key) if getattr(args, key) is not None else value for key, value in DEFAULTS.items()}
    place = measure.place(sorted(os.sched_getaffinity(0)), chosen["seconds"])
    pin = args.pin or PINS[0]
    seats: list[int | None] = list(place.cpus if pin == "spread" else sorted(place.cpus))
    if pin == "none" or not place.pinned:
        seats = [None]
    chosen |= {"pin": pin if place.pinned else "none", "processors": len(place.cpus)}
    plan = points.Plan(names, counts or usual_counts(len(place.cpus)), chosen, seats)
    return _measure(args, plan, place.notes)


def _measure(args: argparse.Namespace, plan: Any, notes: list[str]) -> int:
    from lockfree.bench import page, points, terminal

    primitives: dict[str, Any] = {}
    seconds, interrupted = results.gather(points.measure(plan, primitives))
    found = {"settings": plan.chosen, "primitives": primitives}
    results.put_out(args, (SCHEMA, seconds, interrupted), found, notes, show=terminal.show_all, page=page.page)
    return results.INTERRUPTED if interrupted else 0
