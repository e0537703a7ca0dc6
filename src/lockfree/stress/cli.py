"""`lockfree stress`."""

import argparse
import random
import shlex
import tempfile
from pathlib import Path
from typing import Any

from lockfree.stress import kill_everywhere
from lockfree.stress.campaign import STRETCH, Campaign
from lockfree.stress.checking import Checked
from lockfree.stress.progress import display, print_table
from lockfree.stress.rounds import Limits
from lockfree.stress.scenario import Round, load
from lockfree.stress.window import columns

EXIT = {"OK": 0, "VIOLATION": 1, "UNKNOWN": 2}
INTERRUPTED = 130


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the `stress` command to the parsers of `lockfree`."""
    names = ", ".join(load())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "stress",
        help="load the primitives with real processes and check every answer",
        description="Real processes hammer each primitive; every call is recorded, and the histories are checked for"
        " linearizability. Exit status: 0 OK, 1 violation, 2 unknown (a check ran into its limits).",
    )
    parser.add_argument("primitives", nargs="*", metavar="PRIMITIVE", help=f"which; default all: {names}")
    parser.add_argument("--procs", type=int, default=4, metavar="N", help="processes (default 4)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="for all together (default 60)")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything random (default: a new one)")
    parser.add_argument("--start-method", choices=tuple(STRETCH), default="fork", help="of processes (default fork)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="histories of failures, results.json and report.html")
    parser.add_argument("--kill", action="store_true", help="kill -9 processes at random moments and replace them")
    parser.add_argument("--driver", choices=("c", "python"), help="only this driver (default: both)")
    parser.add_argument("--round", type=int, metavar="N", help="only this round, again and again: to replay a failure")
    kill_everywhere.add_arguments(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    if args.kill_everywhere:
        return kill_everywhere.run_arguments(args)
    scenarios = load()
    unknown = [name for name in args.primitives if name not in scenarios]
    if unknown:
        print(f"lockfree stress: no primitive {', '.join(unknown)}; there are {', '.join(scenarios)}")
        return 3
    if not 1 <= args.procs <= 64 or not 0 < args.seconds < 1e6:
        print("lockfree stress: --procs must be 1 to 64 and --seconds positive")
        return 3
    seed = random.SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    out = args.out or Path(tempfile.gettempdir()) / f"lockfree-stress-{seed}"
    chosen = [scenarios[name] for name in dict.fromkeys(args.primitives)] or list(scenarios.values())
    limits = Limits(args.procs, seed, args.kill, args.driver, STRETCH[args.start_method])
    show = display()
    campaign = Campaign(chosen, limits, args.seconds, args.start_method, out, args.round, show)
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
    if args.out is not None:
        from lockfree.stress.report import write

        print(f"\nreport: {write(campaign, args.out, _command(args, seed))}")
    return INTERRUPTED if campaign.interrupted else EXIT[campaign.verdict]


def describe(checked: Checked, args: argparse.Namespace, seed: int) -> str:
    """A failure for a person: what, where, the window, and how to see it again."""
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
    command += ["--procs", str(args.procs), "--seconds", f"{args.seconds:g}", "--seed", str(seed)]
    command += ["--round", str(about.number)] if about else []
    command += ["--start-method", args.start_method] if args.start_method != "fork" else []
    command += ["--kill"] * bool(args.kill) + (["--driver", args.driver] if args.driver else [])
    return shlex.join(command)
