"""`lockfree stress`."""

import argparse
import random
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from lockfree._command import UsageError, complete, named_path, need_page, refuse, try_directory
from lockfree.stress import kill_everywhere
from lockfree.stress.campaign import STRETCH, Campaign
from lockfree.stress.checking import Checked
from lockfree.stress.progress import display, print_table
from lockfree.stress.rounds import Limits
from lockfree.stress.scenario import Round, load
from lockfree.stress.window import columns

EXIT = {"OK": 0, "VIOLATION": 1, "UNKNOWN": 2}
INTERRUPTED = 130
PROCS, SECONDS, START_METHOD = 4, 60.0, "fork"
OF_ROUNDS = ("--procs", "--seconds", "--operations", "--start-method", "--kill", "--driver", "--round")
"""Options of a run in rounds. They have no effect with --kill-everywhere. `run` fills in their defaults."""
SEEDS = 1 << 63


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the `stress` command to the parsers of `lockfree`."""
    names = ", ".join(load())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "stress",
        help="load the primitives with real processes and check every answer",
        description="Real processes load each primitive. Every call is recorded, and the histories are checked for"
        " linearizability. Exit status: 0 OK, 1 violation, 2 unknown (a check ran into its limits).",
    )
    complete(
        parser.add_argument("primitives", nargs="*", metavar="PRIMITIVE", help=f"which; default all: {names}"), load
    )
    parser.add_argument("--procs", type=int, metavar="N", help=f"how many processes use each object (default {PROCS})")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help=f"seconds for all primitives together (default {SECONDS:g})"
    )
    parser.add_argument(
        "--operations", type=int, metavar="N", help="instead of --seconds: until N calls of each primitive are checked"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="the seed of everything random (default: a new one)")
    parser.add_argument(
        "--start-method", choices=tuple(STRETCH), help=f"how processes are started (default {START_METHOD})"
    )
    parser.add_argument(
        "--out",
        type=named_path,
        metavar="DIR",
        help="where to write results.json, report.html and the histories of failures",
    )
    parser.add_argument("--kill", action="store_true", help="kill -9 processes at random moments and replace them")
    parser.add_argument(
        "--driver", choices=("c", "python"), help="only the loops in C, or only the Python classes (default: both)"
    )
    parser.add_argument(
        "--round", type=int, metavar="N", help="repeat only this round, to replay a failure; needs --seed"
    )
    kill_everywhere.add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def _check(args: argparse.Namespace) -> None:
    """Raises UsageError for values that are out of bounds and for options that would have no effect."""
    if args.kill_everywhere:
        refuse(args, OF_ROUNDS, "with --kill-everywhere")
        if args.at is not None:
            refuse(args, ["--slice"], "with --at, which is one point alone")
    else:
        refuse(args, kill_everywhere.OPTIONS, "without --kill-everywhere")
    if args.procs is not None and not 1 <= args.procs <= 64:
        raise UsageError(f"--procs is {args.procs}: it must be 1 to 64")
    if args.seconds is not None and not 0 < args.seconds < 1e6:
        raise UsageError(f"--seconds is {args.seconds:g}: it must be more than 0 and less than 1,000,000")
    if args.operations is not None:
        refuse(args, ["--seconds"], "with --operations, which decides how long the run is")
        if not 1 <= args.operations <= 10**12:
            raise UsageError(f"--operations is {args.operations}: it must be 1 to {10**12:,}")
    if args.seed is not None and not 0 <= args.seed < SEEDS:
        raise UsageError(f"--seed is {args.seed}: it must be 0 to {SEEDS - 1}")
    if args.round is not None:
        if args.round < 0:
            raise UsageError(f"--round is {args.round}: it must not be negative")
        if args.seed is None:
            raise UsageError("--round has no effect without --seed: a round follows from both")


def run(args: argparse.Namespace) -> int:
    _check(args)
    if args.kill_everywhere:
        return kill_everywhere.run_arguments(args)
    scenarios = load()
    unknown = [name for name in args.primitives if name not in scenarios]
    if unknown:
        raise UsageError(f"no primitive {', '.join(unknown)}; there are {', '.join(scenarios)}")
    if args.out is not None:
        need_page("--out")
        try_directory("--out", args.out)
    args.procs, args.seconds = args.procs or PROCS, args.seconds or SECONDS
    args.start_method = args.start_method or START_METHOD
    seed = random.SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    out = args.out or Path(tempfile.gettempdir()) / f"lockfree-stress-{seed}"
    chosen = [scenarios[name] for name in dict.fromkeys(args.primitives)] or list(scenarios.values())
    limits = Limits(args.procs, seed, args.kill, args.driver, STRETCH[args.start_method])
    show = display()
    wanted = args.operations or 0
    campaign = Campaign(chosen, limits, args.seconds, args.start_method, out, args.round, wanted, show)
    try:
        campaign.run()
    finally:
        show.close()
    print_table(campaign)
    for tally in campaign.tallies.values():
        for checked in [*tally.failures[:1], *tally.unknown[:1]]:
            print("\n" + describe(checked, args, seed))
        if len(tally.failures) > 1:
            print(f"{len(tally.failures)} rounds of {tally.name} failed; this is the one with the shortest history")
    status = INTERRUPTED if campaign.interrupted else EXIT[campaign.verdict]
    if args.out is not None:
        from lockfree.stress.report import write

        try:
            print(f"\nreport: {write(campaign, args.out, _command(args, seed))}")
        except OSError as error:  # such as a full disk; the verdict must not be lost
            print(f"lockfree stress: no report: {error}", file=sys.stderr)
            return status or 3
    return status


def describe(checked: Checked, args: argparse.Namespace, seed: int) -> str:
    """A failure as text: what failed, in which round, the calls that show it, and how to run it again."""
    about = checked.about
    lines = [f"{checked.status}: {about.scenario}, {about}", checked.reason]
    if checked.window:
        lines += ["", columns(checked.window, about.threads), ""]
    if checked.history_file:
        lines.append(f"history: {checked.history_file}")
    lines.append(f"replay: {_command(args, seed, about)}")
    return "\n".join(lines)


def _command(args: argparse.Namespace, seed: int, about: Round | None = None) -> str:
    """The command line of this run, or the one that repeats one of its rounds."""
    command = ["lockfree", "stress", *([about.scenario] if about else args.primitives)]
    length = ["--operations", str(args.operations)] if args.operations else ["--seconds", f"{args.seconds:g}"]
    command += ["--procs", str(args.procs), *length, "--seed", str(seed)]
    number = about.number if about else args.round
    command += ["--round", str(number)] if number is not None else []
    command += ["--start-method", args.start_method] if args.start_method != START_METHOD else []
    command += ["--kill"] * bool(args.kill) + (["--driver", args.driver] if args.driver else [])
    command += ["--out", str(args.out)] if args.out is not None and about is None else []
    return shlex.join(command)
