"""Finds the columns, measures their entries in turn, and writes one JSON."""

import datetime as dt
import importlib
import json
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from frame.columns import Column, Entry, Skip
from frame.names import sweep
from lockfree._command import write_whole
from lockfree._native.machine import ffi, lib
from lockfree.machine import describe
from lockfree.machine.figures import spread

HERE = Path(__file__).parent.parent
SCHEMA = "lockfree-comparison/1"
LIMIT = 30
"""Seconds until a sample that does not end is given up."""


def columns(words: list[str]) -> list[Column]:
    """Of every bench_X.py that has a function `columns`: those whose key has one of the words in it, or all."""
    found: list[Column] = []
    for path in sorted(HERE.glob("bench_*.py")):
        module = importlib.import_module(path.stem)
        if hasattr(module, "columns"):
            found += module.columns()
    keys = [column.key for column in found]
    assert len(set(keys)) == len(keys), sorted(key for key in keys if keys.count(key) > 1)
    return [column for column in found if not words or any(word in column.key for word in words)]


def line_ns() -> float | None:
    """How long a cache line takes between the first two processors, one way, now. None: there are not two, or no pinning."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return None
    out = ffi.new("double[]", 1000)
    count = lib.lf_machine_transfer(cpus[0], cpus[1], 3_000_000, out, 1000)
    return statistics.median(ffi.unpack(out, count)) if count > 0 else None


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError(f"it did not end in {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again, if it came where Python ignores exceptions
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        for left in multiprocessing.active_children():  # where the end was cut short, too
            left.kill()
            left.join()


def _sample(entry: Entry, seconds: float, record: dict[str, Any]) -> None:
    line = line_ns()
    try:
        with limited(LIMIT):
            sample = entry.sample(seconds)
    except Skip as why:
        record["skipped"] = str(why)
    except Exception as error:  # noqa: BLE001 - whatever a peer does, the others are measured
        record["failures"].append(f"{type(error).__name__}: {error}"[:200])
    else:
        record["samples"].append(sample.value)
        record["line_ns"].append(line)
        for name, figure in sample.extra.items():
            record["extra"].setdefault(name, []).append(figure)


def _column(column: Column, samples: int, scale: float) -> dict[str, Any]:
    records = {
        entry.name: {"ours": entry.ours, "note": entry.note, "skipped": None, "failures": [], "samples": [],
                     "line_ns": [], "extra": {}}
        for entry in column.entries
    }  # fmt: skip
    column.prepare()
    try:
        for turn in range(min(samples, column.most_samples)):
            shift = turn % len(column.entries)
            for entry in [*column.entries[shift:], *column.entries[:shift]]:
                record = records[entry.name]
                if record["skipped"] is None and len(record["failures"]) < 2:
                    _sample(entry, max(0.02, column.seconds * scale), record)
    finally:
        sweep()
    for record in records.values():
        record["figure"] = spread(record["samples"])
        record["extra"] = {name: spread(found) for name, found in record["extra"].items()}
        lines = [line for line in record["line_ns"] if line is not None]
        record["line_ns"] = spread(lines)
    return {
        "title": column.title, "unit": column.unit, "more": column.more, "compares": column.compares, "entries": records,
        **_ratio(column, records),
    }  # fmt: skip


def _ratio(column: Column, records: dict[str, Any]) -> dict[str, Any]:
    """Our best entry over the best peer: more than 1 where we are better. Peers that lose messages do not count."""
    best = {}
    for ours in (True, False):
        known = [
            (record["figure"]["median"], name)
            for name, record in records.items()
            if record["ours"] == ours
            and record["figure"]
            and record["figure"]["median"] > 0
            and "loses" not in record["note"]
        ]
        best[ours] = (max if column.more else min)(known, default=None)
    found: dict[str, Any] = {
        "our_best": best[True] and best[True][1],
        "best_peer": best[False] and best[False][1],
        "ratio": None,
    }
    if column.compares and best[True] and best[False]:
        ours, theirs = best[True][0], best[False][0]
        found["ratio"] = ours / theirs if column.more else theirs / ours
    return found


def measure(chosen: list[Column], samples: int, scale: float) -> dict[str, Any]:
    """Measures all of them; the results as they stand in the JSON."""
    began, load = time.monotonic(), os.getloadavg()[0]
    found, notes = {}, []
    try:
        for number, column in enumerate(chosen):
            at = time.monotonic() - began
            print(f"{at:5.0f} s  {number + 1:3} of {len(chosen)}  {column.key}", flush=True)
            found[column.key] = _column(column, samples, scale)
    except KeyboardInterrupt:
        notes.append("it was interrupted: the later columns are not measured")
    if load > 0.5:
        notes.append(
            f"a load of {load:.1f} on {os.cpu_count()} processors when it began: trust the ratios, not the figures"
        )
    return {
        "schema": SCHEMA,
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began),
        "samples": samples,
        "notes": notes,
        "machine": describe.describe(),
        "columns": found,
    }


def save(results: dict[str, Any], path: Path) -> None:
    rounded = json.loads(json.dumps(results), parse_float=lambda text: float(f"{float(text):.4g}"))
    write_whole(path, json.dumps(rounded, indent=1) + "\n")


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())
