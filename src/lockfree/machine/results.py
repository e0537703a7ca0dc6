"""What `lockfree machine` and `lockfree bench` do alike: measure under a progress bar, put the results out."""

import argparse
import datetime as dt
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from lockfree._command import write_whole

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a process that SIGINT ended."""


def gather(steps: Iterable[tuple[float, str]]) -> tuple[float, bool]:
    """Goes through the steps (part that is done, what comes now). Returns (seconds, whether Ctrl-C ended it)."""
    from lockfree._tables import Progress

    began, progress = time.monotonic(), Progress()
    try:
        for part, what in steps:
            progress(part, what)
    except KeyboardInterrupt:
        return time.monotonic() - began, True
    finally:
        progress.close()
    return time.monotonic() - began, False


def put_out(
    args: argparse.Namespace,
    how: tuple[str, float, bool],
    found: dict[str, Any],
    notes: list[str],
    *,
    show: Callable[[dict[str, Any]], None],
    page: Callable[[dict[str, Any]], str],
) -> None:
    """Shows the results, and writes the files that were asked for. `how`: the schema, and what `gather` returned."""
    from lockfree.machine import describe

    schema, seconds, interrupted = how
    results = {
        "schema": schema,
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["lockfree", *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        "machine": describe.describe(),
        "notes": notes + (["interrupted: what was measured until then"] if interrupted else []),
        **found,
    }
    show(results)
    if args.json is not None:
        write_whole(args.json, json.dumps(results, indent=1) + "\n")
    if args.html is not None:
        write_whole(args.html, page(results))
