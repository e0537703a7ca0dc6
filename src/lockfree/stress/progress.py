"""What the terminal shows: progress during the run and a table at the end, with rich or as plain lines."""

import sys
import time
from typing import Any, Protocol

from lockfree.stress.campaign import Campaign, Tally

PLAIN_EVERY = 5.0
HEAD = ("primitive", "processes", "operations checked", "verdict", "operations/s", "rounds", "checked in")


class Display(Protocol):
    def __call__(self, campaign: Campaign) -> None: ...
    def close(self) -> None: ...


def cells(tally: Tally) -> tuple[str, ...]:
    killed = f" ({tally.killed} killed)" if tally.killed else ""
    return (
        tally.name,
        f"{tally.procs}{killed}",
        f"{tally.operations:,}",
        tally.verdict,
        f"{tally.rate:,.0f}",
        f"{tally.rounds}",
        f"{tally.checking:.1f} s",
    )


class Plain:
    """A line every few seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PLAIN_EVERY

    def __call__(self, campaign: Campaign) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_EVERY
            print(
                f"{campaign.progress():4.0%}  {campaign.operations:>12,} operations checked  {campaign.now}", flush=True
            )

    def close(self) -> None:
        pass


class Live:
    """A progress bar. It redraws only when called: a thread for that would not survive the forks."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[checked]} operations checked"),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=1.0, checked="0")
        self._bar.start()
        self._next = 0.0

    def __call__(self, campaign: Campaign) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        what = campaign.now.split(":")[0].replace(" round ", " · round ")
        checked = f"{campaign.operations:,}"
        self._bar.update(self._task, completed=campaign.progress(), description=what.ljust(28), checked=checked)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()


def display() -> Display:
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            return Plain()
        return Live(Console())
    return Plain()


def print_table(campaign: Campaign) -> None:
    rows = [cells(t) for t in campaign.tallies.values()]
    total = sum(t.checking for t in campaign.tallies.values())
    if sys.stdout.isatty():
        try:
            _rich_table(rows)
        except ImportError:
            _plain_table(rows)
    else:
        _plain_table(rows)
    print(
        f"{campaign.operations:,} operations checked in {campaign.elapsed:.1f} s"
        f" ({sum(t.running for t in campaign.tallies.values()):.1f} s running, {total:.1f} s checking beside it),"
        f" seed {campaign.limits.seed}"
    )


def _rich_table(rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for i, head in enumerate(HEAD):
        table.add_column(head, justify="left" if i in (0, 3) else "right")
    colour = {"OK": "green", "VIOLATION": "bold red", "UNKNOWN": "yellow"}
    for row in rows:
        table.add_row(*row[:3], f"[{colour[row[3]]}]{row[3]}[/]", *row[4:])
    Console().print(table)


def _plain_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    for row in [HEAD, *rows]:
        print(
            "  ".join(
                c.ljust(w) if i in (0, 3) else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            )
        )
