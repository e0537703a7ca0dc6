"""A small inference engine of several processes, and what carries its messages: see README.md beside this file."""

from __future__ import annotations

import argparse
import importlib.util
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import traffic
from messages import CANCELLED, COMPLETE
from model import MODELS, generate
from processes import End, Plan, Supervisor
from rich.console import Console
from rich.live import Live
from rich.table import Table
from transport import TRANSPORTS

if TYPE_CHECKING:
    from board import Board

LEAST_BLOCKS = 64


def view(plan: Plan, board: Board, done: int) -> Table:
    """The live view: one run at a glance."""
    now, seconds = board.all(), max(time.monotonic() - board.began, 1e-9)
    used = plan.blocks - now["free"]
    table = Table(title=f"{plan.transport}: {done:,} of {plan.requests:,} requests answered", width=78)
    for name in ("running", "preempted", "tokens/s", "steps/s", "KV blocks", "preemptions"):
        table.add_column(name, justify="right", no_wrap=True)
    bar = "█" * round(10 * used / plan.blocks) + "░" * (10 - round(10 * used / plan.blocks))
    rates = f"{now['tokens'] / seconds:,.0f}", f"{now['steps'] / seconds:,.0f}"
    table.add_row(str(now["running"]), str(now["preempted"]), *rates, f"{used:,} {bar}", f"{now['preemptions']:,}")
    return table


def run(plan: Plan, console: Console, named: Named) -> End:
    def look(board: Board, done: int) -> None:
        named.look()
        live.update(view(plan, board, done))

    with tempfile.TemporaryDirectory() as folder, Live(console=console, refresh_per_second=5, transient=True) as live:
        supervisor = Supervisor(plan, Path(folder))
        named.look(every=0)  # what it made
        return supervisor.run(look)


_model = cache(lambda name: MODELS[name]())


def _right(work: tuple[str, tuple[int, int, int, int], list[int], int]) -> int | None:
    """The number of a request whose answer is wrong, or None."""
    model, which, tokens, how = work
    r, number = traffic.request(*which), which[1]
    most = r.most if how == COMPLETE else len(tokens)
    alone = generate(_model(model), r.prompt, most, r.seed, r.temperature) if most else []
    return None if tokens == alone else number


def check(plan: Plan, end: End, count: int) -> list[str]:
    """What is wrong with a run; nothing, if it is right. `count` answers are computed again, by a model alone."""
    wrong = [f"{plan.requests - len(end.answers)} requests have no answer"] if len(end.answers) < plan.requests else []
    if end.free != plan.blocks:
        wrong.append(f"{plan.blocks - end.free} KV blocks did not come back")
    chosen = sorted(end.answers)[:: max(1, len(end.answers) // max(count, 1))][:count]
    which = {n: (plan.seed, n, plan.frontends, plan.short) for n in chosen}
    work = [(plan.model, which[n], end.answers[n]["tokens"], end.answers[n]["how"]) for n in chosen]
    with multiprocessing.get_context("spawn").Pool(min(os.cpu_count() or 1, 8)) as pool:
        differing = [n for n in pool.imap_unordered(_right, work, chunksize=4) if n is not None]
    if differing:
        wrong.append(f"{len(differing)} of {len(chosen)} answers differ from the model's own: {sorted(differing)[:5]}")
    return wrong


class Named:
    """The files in /dev/shm that this process and its children have mapped at some time since this was made.

    Other programs have files there, too: theirs are not counted, whenever they come and go.
    """

    def __init__(self) -> None:
        self.before, self.mine, self.due = self._all(), set[str](), -math.inf

    def look(self, every: float = 1) -> None:
        """Sees what is mapped now, if the last time was so many seconds ago."""
        if time.monotonic() < self.due:
            return
        self.due = time.monotonic() + every
        for pid in os.getpid(), *(child.pid for child in multiprocessing.active_children()):
            with suppress(OSError):  # that process has ended
                for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
                    name = line.partition("/dev/shm/")[2].removesuffix(" (deleted)")  # noqa: S108
                    self.mine |= {name} - {"", *self.before}

    def left(self, patience: float = 5) -> set[str]:
        """Those that still have their names after so many seconds."""
        end = time.monotonic() + patience
        while (left := self.mine & self._all()) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    @staticmethod
    def _all() -> set[str]:
        return set(os.listdir("/dev/shm"))  # noqa: S108


def percentile(values: list[float], share: float) -> float:
    if len(values) < 2:
        return values[0] if values else math.nan
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def row(plan: Plan, end: End) -> list[str]:
    first = [a["first"] for a in end.answers.values() if a["first"] is not None]
    return [
        plan.transport,
        f"{len(end.answers):,}",
        f"{len(end.answers) / end.seconds:,.0f}",
        f"{end.board['tokens'] / end.seconds:,.0f}",
        f"{percentile(first, 0.5) * 1e3:,.0f}",
        f"{percentile(first, 0.99) * 1e3:,.0f}",
        f"{end.cpu:.1f}",
        f"{end.seconds:.1f}",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transport", choices=[*TRANSPORTS, "all"], default="lockfree", help="default: lockfree")
    parser.add_argument("--requests", type=int, default=2000, help="default: 2,000")
    parser.add_argument("--frontends", type=int, default=2, help="processes that ask (default: 2)")
    parser.add_argument("--workers", type=int, default=2, help="processes that compute (default: 2)")
    parser.add_argument("--blocks", type=int, default=256, help="KV blocks of 16 tokens (default: 256)")
    parser.add_argument("--rate", type=float, default=0, help="requests a second (default: as fast as they are taken)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", help="what is killed in the middle (default: worker,frontend); lockfree only")
    parser.add_argument("--model", choices=MODELS, default="decoder", help="bigram: hardly any arithmetic")
    parser.add_argument("--short", type=int, default=1, help="requests have so many times fewer tokens (default: 1)")
    parser.add_argument("--check", type=int, default=100, help="answers to compare with a model alone (default: 100)")
    args = parser.parse_args()
    for name, least in (
        ("requests", 1),
        ("frontends", 1),
        ("workers", 1),
        ("blocks", LEAST_BLOCKS),
        ("check", 0),
        ("short", 1),
        ("seed", 0),
    ):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}: it must be at least {least}")
    if not 0 <= args.rate < math.inf:
        parser.error(f"--rate is {args.rate:g}: it must be a number of at least 0 (0: as fast as they are taken)")
    if args.kill and args.transport != "lockfree":
        parser.error(f"--kill goes with --transport lockfree alone, not with {args.transport}")
    kill = tuple(word for word in ("worker,frontend" if args.kill is None else args.kill).split(",") if word)
    if set(kill) - {"worker", "frontend"}:
        parser.error(f"--kill is {args.kill}: it must be a list of worker, frontend")
    if args.transport in {"zmq", "all"} and importlib.util.find_spec("zmq") is None:
        parser.error(f"--transport {args.transport} needs pyzmq: pip install pyzmq")
    console, status = Console(), 0
    title = "first token: ms from question to first token; CPU: of all processes, in seconds"
    table = Table(title=title, box=None, padding=(0, 0, 0, 1), pad_edge=False)  # fits into 80 columns
    for title in ("transport", "answered", "requests/s", "tokens/s", "first p50", "first p99", "CPU", "seconds"):
        table.add_column(title, justify="left" if title == "transport" else "right", no_wrap=True)
    for transport in TRANSPORTS if args.transport == "all" else [args.transport]:
        killed = kill if transport == "lockfree" and args.transport != "all" else ()
        plan = Plan(
            transport, args.requests, args.frontends, args.workers, args.blocks,
            args.rate / args.frontends, args.seed, killed, args.model, args.short,
        )  # fmt: skip
        named = Named()
        try:
            end = run(plan, console, named)
        except KeyboardInterrupt:
            names = ", ".join(sorted(named.left())) or "nothing"
            console.print(f"{transport}: interrupted; left in /dev/shm: {names}", highlight=False)
            return 130
        wrong = check(plan, end, args.check)
        if left := named.left():
            wrong.append(f"left in /dev/shm: {', '.join(sorted(left))}")
        for text in wrong:
            console.print(f"{transport}: {text}", style="red", highlight=False)
        status |= bool(wrong)
        table.add_row(*row(plan, end))
        if not wrong:
            cancelled = sum(answer["how"] == CANCELLED for answer in end.answers.values())
            lines = [
                f"{transport}: all {plan.requests:,} answered, {cancelled:,} of them cancelled by their clients",
                f"  {min(args.check, len(end.answers)):,} answers equal the model's own",
                f"  all {plan.blocks:,} KV blocks back; shared: {end.board['shared']:,}",
                f"  preemptions: {end.board['preemptions']:,}",
                f"  nothing left in shared memory; killed and replaced: {', '.join(end.replaced) or 'nobody'}",
            ]
            console.print("\n".join(lines), highlight=False, soft_wrap=True)
    console.print(table)
    return status


if __name__ == "__main__":
    sys.exit(main())
