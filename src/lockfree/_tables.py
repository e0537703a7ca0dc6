"""What the commands show on a terminal: tables and progress, with rich or as plain lines."""

import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

PLAIN_EVERY = 5.0


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
    """A table on standard output. `left`: the columns of words; the others are numbers.

    Nothing is left out: what is wider than the terminal is shown as plain lines.
    """
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    if sys.stdout.isatty() and sum(widths) + 3 * len(widths) + 1 <= shutil.get_terminal_size().columns:
        try:
            from rich import box
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass
        else:
            table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
            for i, name in enumerate(head):
                table.add_column(name, justify="left" if i in left else "right")
            for row in rows:
                table.add_row(*row)
            Console().print(table)
            return
    print(f"\n{title}")
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print(f"  {'  '.join(cells)}".rstrip())


class Progress:
    """A bar on a terminal, else a line every few seconds, both on standard error."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PLAIN_EVERY
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
                from rich.progress import Progress as Bar
            except ImportError:
                return
            columns = (TextColumn("[bold]{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
            self._bar = Bar(
                *columns, TimeRemainingColumn(), console=Console(stderr=True), auto_refresh=False, transient=True
            )
            self._task = self._bar.add_task("", total=1.0)
            self._bar.start()

    def __call__(self, part: float, what: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=part, description=what[:44].ljust(44))
            self._bar.refresh()
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_EVERY
            print(f"{part:4.0%}  {what}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
