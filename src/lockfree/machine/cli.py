"""`lockfree machine`."""

import argparse
import os
from typing import Any

from lockfree._command import UsageError, named_path, need_page, try_files
from lockfree.machine import results

SECONDS = 40.0
SCHEMA = "lockfree-machine/1"


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the `machine` command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "machine",
        help="measure what this machine costs: cache lines, atomic operations, fences, wakes, memory, and its order",
        description="Measures, in about a minute: how long a cache line takes between each two processors; atomic"
        " operations alone and contended; false sharing; fences; the wake of a sleeper; memory by size; and litmus"
        " tests, whose outcomes show how the hardware orders memory. Exit status: 0; 1 if the hardware showed an"
        " outcome that its model or C11 forbids; 3 for wrong usage.",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help=f"seconds for measuring (default {SECONDS:g})")
    parser.add_argument(
        "--cpus", metavar="LIST", help="which processors, such as 0-3,8 (default: all that may be used)"
    )
    parser.add_argument(
        "--only", metavar="LIST", help="some of: transfer, operations, contention, sharing, wake, memory, litmus"
    )
    parser.add_argument("--html", type=named_path, metavar="FILE", help="write a page with the charts")
    parser.add_argument("--json", type=named_path, metavar="FILE", help="write everything that was measured")
    parser.set_defaults(run=run)
    return parser


def cpu_list(text: str, allowed: set[int]) -> list[int]:
    """The processors of "0-3,8". UsageError if it is no such list, or names one that may not be used."""
    found: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()) or (dash and int(high) < int(low)):
            raise UsageError(f"--cpus is {text!r}: it must be numbers and ranges, such as 0-3,8")
        found |= set(range(int(low), int(high or low) + 1)) if int(high or low) - int(low) < 1 << 16 else {1 << 16}
    if missing := sorted(found - allowed):
        usable = ",".join(map(str, sorted(allowed)))
        raise UsageError(f"--cpus is {text!r}: this process may not use {missing[0]}, only {usable}")
    return sorted(found)


def run(args: argparse.Namespace) -> int:
    from lockfree.machine import measure

    seconds = SECONDS if args.seconds is None else args.seconds
    if not 0.1 <= seconds <= 3600:
        raise UsageError(f"--seconds is {seconds:g}: it must be 0.1 to 3600")
    names = list(measure.SECTIONS)
    if args.only is not None:
        chosen = args.only.split(",")
        if unknown := [name for name in chosen if name not in names]:
            raise UsageError(f"--only is {args.only!r}: there is no {unknown[0]!r}, there are {', '.join(names)}")
        names = [name for name in names if name in chosen]
    allowed = os.sched_getaffinity(0)
    cpus = sorted(allowed) if args.cpus is None else cpu_list(args.cpus, allowed)
    if args.html is not None:
        need_page("--html")
    try_files({"--html": args.html, "--json": args.json}, [])
    return _measure(args, measure.place(cpus, seconds), names)


def _measure(args: argparse.Namespace, place: Any, names: list[str]) -> int:
    from lockfree.machine import measure, page, terminal

    sections: dict[str, Any] = {}
    seconds, interrupted = results.gather(measure.measure(place, names, sections))
    found = {"cpus": place.cpus, "pinned": place.pinned, "sections": sections}
    results.put_out(args, (SCHEMA, seconds, interrupted), found, place.notes, show=terminal.show_all, page=page.page)
    if interrupted:
        return results.INTERRUPTED
    return int(any(test["forbidden_but_seen"] for test in sections.get("litmus", {}).get("tests", [])))
