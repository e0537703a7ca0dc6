"""`lockfree check HISTORY --spec SPEC`: exit status 0 OK, 1 VIOLATION, 2 UNKNOWN, 3 unusable input."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from lockfree._command import complete, named_path, refuse, try_files
from lockfree.linearizability.checker import Verdict, check
from lockfree.linearizability.history import History
from lockfree.linearizability.importers import load
from lockfree.linearizability.report import render
from lockfree.linearizability.specs import NAMES, parse_spec

OK, VIOLATION, UNKNOWN, UNUSABLE = 0, 1, 2, 3
_STATUS = {"OK": OK, "VIOLATION": VIOLATION, "UNKNOWN": UNKNOWN}
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _bytes(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    try:
        number = float(text[:-1] if unit > 1 else text) * unit
    except ValueError:
        number = 0
    if not 1 <= number < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes such as 500000, 300M or 2G")
    return int(number)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds `check` to the subparsers of the command line and returns its parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "check",
        help="decide whether a recorded history is linearizable",
        description="Decide whether a recorded history is linearizable. Exit status: 0 OK, 1 VIOLATION, 2 UNKNOWN, "
        "3 unusable input.",
    )
    parser.add_argument(
        "history", help="JSON lines, the binary form, or a history of Jepsen or Porcupine; - reads standard input"
    )
    spec = parser.add_argument(
        "--spec",
        required=True,
        help="queue, bounded-queue:K[,full=in-hand], stack, priority-queue[:K], unordered-queue, register, counter, "
        "semaphore:N, mutex, rwlock, set, map, multi-register, block-pool[:N], log",
    )
    complete(spec, lambda: NAMES)
    parser.add_argument(
        "--timeout",
        type=float,
        default=None,
        metavar="SECONDS",
        help="the longest time that a check may take; then the verdict is UNKNOWN",
    )
    parser.add_argument(
        "--memory",
        type=_bytes,
        default=4 << 30,
        metavar="BYTES",
        help="how much memory the check may use, as in 2G (default: 4G)",
    )
    parser.add_argument(
        "--method",
        choices=["auto", "near-linear", "search"],
        default="auto",
        help="which algorithm (auto: a near-linear one if there is one, else the search)",
    )
    parser.add_argument(
        "--format",
        choices=["auto", "jepsen", "jepsen-keyed", "porcupine"],
        default="auto",
        help="how the file is written (auto: found out from its first characters)",
    )
    parser.add_argument(
        "--fail",
        choices=["absent", "answer"],
        help="Jepsen: :fail did not happen (absent, the default), or is the answer false, EMPTY or FULL",
    )
    parser.add_argument(
        "--nil", choices=["any", "value"], help="Jepsen: a read of nil says nothing (any, the default), or it is null"
    )
    parser.add_argument(
        "--html", type=named_path, metavar="FILE", help="write the history as a timeline, open at the break"
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print nothing, only the exit status")
    parser.set_defaults(run=run)
    return parser


def _as_json(verdict: Verdict, history: History, loading: float) -> str:
    return json.dumps(
        {
            "status": verdict.status,
            "spec": verdict.spec,
            "reason": verdict.reason,
            "rule": verdict.rule,
            "checked": verdict.checked,
            "method": verdict.method,
            "loading_seconds": loading,
            "checking_seconds": verdict.seconds,
            "peak_bytes": verdict.peak_bytes,
            "start": verdict.start,
            "minimal": verdict.minimal,
            "operations": [o.to_json() for o in verdict.operations],
            "lines": [history.line(i) for i in verdict.indices],
        }
    )


def _need_operations(history: History) -> None:
    """An empty file is more often the wrong file than a program that did nothing."""
    if len(history) == 0:
        raise ValueError("no operation in it, or none that happened: nothing was checked")


def run(args: argparse.Namespace) -> int:
    """The verdict on standard output; 0, 1, 2 or 3. UsageError and OSError come before any work."""
    if args.quiet:
        refuse(args, ["--json"], "with --quiet, which prints nothing")
    try_files({"--html": args.html}, [] if args.history == "-" else [Path(args.history)])
    try:
        spec = parse_spec(args.spec)
        started = time.monotonic()
        source = sys.stdin.buffer.read() if args.history == "-" else Path(args.history)
        history, spec = load(source, spec, form=args.format, fail=args.fail or "", nil=args.nil or "")
        _need_operations(history)
        loading = time.monotonic() - started
        progress = _progress if sys.stderr.isatty() and not args.quiet else None
        verdict = check(history, spec, timeout=args.timeout, memory=args.memory, method=args.method, progress=progress)
    except RecursionError:
        print(f"lockfree check: {args.history}: values are nested too deeply", file=sys.stderr)
        return UNUSABLE
    except (ValueError, OSError) as error:
        print(f"lockfree check: {args.history}: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("lockfree check: interrupted, no verdict", file=sys.stderr)
        return UNKNOWN
    status = _STATUS[verdict.status]
    if args.json:
        print(_as_json(verdict, history, loading))
    elif not args.quiet:
        print(render(verdict))
    if args.html:
        from lockfree.linearizability.timeline import write_html

        try:
            write_html(verdict, spec, args.html, history)
        except OSError as error:  # such as a full disk; the verdict must not be lost
            print(f"lockfree check: {args.html}: {error}", file=sys.stderr)
            return status or UNUSABLE
        if not args.json and not args.quiet:
            print(f"\ntimeline: {os.fspath(args.html)}")
    return status


def _progress(settled: int, total: int) -> None:
    print(f"\r  {settled:,} of {total:,} operations", end="", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lockfree")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(argv)
    return int(args.run(args))
