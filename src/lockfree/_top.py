"""`lockfree top`: the objects of this machine, or of one process, with their fill, rates, waiters, holders and deaths.

It reads each segment through a mapping of its own, joins nothing and changes nothing.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from lockfree._command import UsageError, printable, quoted, refuse
from lockfree._errors import SegmentError
from lockfree._handover import DIRECTORY, PREFIX
from lockfree._names import class_of
from lockfree._native import NULL, ffi, lib
from lockfree._survey import Survey

EVERY = 1.0
SHORTEST, LONGEST = 0.01, 86400.0
STATES = ("open", "draining", "ended")
HEAD = ("OBJECT", "KIND", "FILL", "IN/S", "OUT/S", "SLEEPS/S", "WAIT", "HOLD", "USERS", "DEATHS", "STATE")
WORDS = (0, 1, 10)
SPARED = ("SLEEPS/S", "USERS", "KIND", "OUT/S", "IN/S", "DEATHS", "FILL", "HOLD", "WAIT")
"""Columns that a terminal does not show if it is too narrow for all, the first one first."""
SHORTEST_NAME = 16
LONGEST_LISTS = (20, 13)
"""Of processes, and of words about damage."""
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
Row = dict[str, Any]


def _named() -> Iterator[tuple[str, str]]:
    """(name, path) of every named segment."""
    for path in sorted(Path(DIRECTORY).glob(PREFIX + "*")):
        yield path.name.removeprefix(PREFIX), str(path)


def _of_process(pid: int) -> Iterator[tuple[str, str]]:
    """The same of the segments that a process has mapped; those without a name are called by their inode."""
    mapped: dict[int, str] = {}
    for line in Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape").splitlines():
        fields = line.split(maxsplit=5)
        file = fields[5].removesuffix(" (deleted)") if len(fields) == 6 else ""
        if file == "/memfd:lockfree":
            mapped[int(fields[4])] = f"anonymous:{fields[4]}"
        elif file.startswith(f"{DIRECTORY}/"):
            mapped[int(fields[4])] = Path(file).name.removeprefix(PREFIX)
    names = {path.stat().st_ino: path.name.removeprefix(PREFIX) for path in Path(DIRECTORY).glob(PREFIX + "*")}
    for descriptor in sorted(Path(f"/proc/{pid}/fd").iterdir(), key=lambda path: int(path.name)):
        with contextlib.suppress(OSError):
            inode = descriptor.stat().st_ino
            if inode in mapped:
                yield names.get(inode, mapped.pop(inode)), str(descriptor)
                mapped.pop(inode, None)


def look(name: str, path: str) -> Row:
    """One object: what `--json` prints. `problem` says why it could not be read."""
    row: Row = {"name": name, "time": time.time(), "kind": "?", "state": "", "stats": {}, "peers": [], "problem": ""}
    try:
        fd = os.open(path, _FLAGS & ~(os.O_NOFOLLOW if path.startswith("/proc/") else 0))
        try:
            identity = ffi.new("struct lf_identity *")
            os.preadv(fd, [ffi.buffer(identity)], 0)
            note = os.pread(fd, min(identity.note_bytes, lib.LF_NOTE), ffi.offsetof("struct lf_segment", "note"))
        except OSError:
            os.close(fd)
            raise
        primitive = lib.lf_py_kind_name(identity.kind)
        known = identity.magic == lib.LF_MAGIC and primitive != NULL
        survey = Survey(ffi.string(primitive).decode() if known else "mutex", fd, name)  # which says what is wrong
    except (OSError, SegmentError) as error:
        row["problem"] = str(error)
        return row
    row["kind"] = class_of(ffi.string(primitive).decode(), note)
    row["state"] = STATES[min(survey.ending, 2)]
    row["stats"] = survey.stats()
    row["peers"] = [peer._asdict() for peer in survey.peers()]
    return row


def sample(pid: int | None) -> list[Row]:
    rows = [look(*found) for found in (_named() if pid is None else _of_process(pid))]
    return [row for row in rows if "No such file" not in row["problem"]]  # removed while we looked


def _rate(row: Row, before: Row | None, name: str) -> str:
    if before is None or name not in row["stats"] or name not in before["stats"]:
        return ""
    seconds = max(row["time"] - before["time"], 1e-9)
    return f"{(row['stats'][name] - before['stats'][name]) / seconds:,.0f}"


def _cells(row: Row, before: Row | None) -> tuple[str, ...]:
    if row["problem"]:
        return (quoted(row["name"]), row["kind"], *[""] * 8, printable(row["problem"]))
    stats, peers = row["stats"], row["peers"]
    fill = "/".join(f"{stats[key]:,}" for key in ("inside", "room") if key in stats)
    holders = [f"{peer['pid']}:{peer['holds']}" for peer in peers if peer["holds"]]
    dead = [str(peer["pid"]) for peer in peers if not peer["alive"]]
    users = len({peer["pid"] for peer in peers if peer["alive"]})
    return (
        quoted(row["name"]),
        row["kind"],
        fill,
        _rate(row, before, "puts"),
        _rate(row, before, "gets"),
        _rate(row, before, "sleeps"),
        str(sum(peer["waiting"] for peer in peers)),
        ",".join(holders[:3]) + (",…" if len(holders) > 3 else ""),
        str(users),
        f"{stats['recoveries']}" + (f" +{','.join(dead[:3])}" if dead else "") + (",…" if len(dead) > 3 else ""),
        row["state"],
    )


def _columns(cells: list[tuple[str, ...]], width: int) -> dict[int, int]:
    """The columns that fit into a terminal so wide, each with its own width. A line is for one object."""
    from rich.cells import cell_len

    wanted = [max(cell_len(text) for text in column) for column in zip(HEAD, *cells, strict=True)]
    widths: dict[int, int] = {}

    def left() -> int:  # for the names
        return width - 2 - sum(w + 2 for i, w in widths.items() if i)

    for longest in LONGEST_LISTS:
        widths = {i: min(w, longest) for i, w in enumerate(wanted)}
        if left() >= min(wanted[0], SHORTEST_NAME):
            break
    for name in SPARED:
        if left() >= min(wanted[0], SHORTEST_NAME):
            break
        del widths[HEAD.index(name)]
    return widths | {0: max(min(wanted[0], left()), 1)}


def _quiet(row: Row, before: Row | None) -> tuple[float, ...]:
    """How little happens in an object: the order in which objects are shown if there is no room for all."""
    counts = ("puts", "gets", "sleeps", "recoveries")
    then = row["stats"] if before is None else before["stats"]
    happened = sum(row["stats"].get(name, 0) - then.get(name, 0) for name in counts)
    peers = row["peers"]
    waiting = sum(peer["waiting"] for peer in peers)
    held = sum(bool(peer["holds"]) for peer in peers)
    return -sum(not peer["alive"] for peer in peers), -happened, -waiting, -held, -len(peers)


def _print(cells: list[tuple[str, ...]]) -> None:
    from lockfree._tables import show

    if cells:
        show("lockfree top", HEAD, cells, WORDS)
    else:
        print("no objects")


def _live(pid: int | None, interval: float) -> int:
    try:
        from rich.console import Console
        from rich.live import Live
        from rich.table import Table
    except ImportError:
        raise UsageError("the live table needs rich: pip install 'lockfree[tools]', or use --once or --json") from None

    def table(rows: list[Row], before: dict[str, Row]) -> Table:
        room = console.height - 2 if screen else len(rows)
        title = f"{len(rows)} objects"
        if len(rows) > room:
            rows = sorted(rows, key=lambda row: _quiet(row, before.get(row["name"])))[: max(room, 0)]
            title += f", the {len(rows)} where most happens"
        drawn = Table(box=None, title=title, title_justify="left")
        cells = [_cells(row, before.get(row["name"])) for row in rows]
        columns = _columns(cells, console.width)
        for i, width in columns.items():
            justify: Literal["left", "right"] = "left" if i in WORDS else "right"
            drawn.add_column(HEAD[i], justify=justify, no_wrap=True, overflow="ellipsis", width=width)
        for line in cells:
            drawn.add_row(*(line[i] for i in columns))
        return drawn

    console, rows = Console(), sample(pid)
    screen = console.is_terminal
    with Live(table(rows, {}), console=console, auto_refresh=False, screen=screen) as live:
        while True:
            time.sleep(interval)
            before, rows = {row["name"]: row for row in rows}, sample(pid)
            live.update(table(rows, before), refresh=True)


def run(args: argparse.Namespace) -> int:
    """The command: 0, also after Ctrl-C, which is how it ends."""
    if args.once and args.json:
        refuse(args, ["--interval"], "with --once --json, which look once")
    args.interval = EVERY if args.interval is None else args.interval
    if not SHORTEST <= args.interval <= LONGEST:
        raise UsageError(f"--interval is {args.interval:g}: it must be {SHORTEST:g} to {LONGEST:g} seconds")
    if args.pid is not None and not Path(f"/proc/{args.pid}/maps").exists():
        raise UsageError(f"--pid is {args.pid}: no process has this number")
    with contextlib.suppress(KeyboardInterrupt):
        if not args.json and not args.once and sys.stdout.isatty():
            return _live(args.pid, args.interval)
        before: dict[str, Row] = {}
        if not args.json:  # rates need two looks
            before = {row["name"]: row for row in sample(args.pid)}
            time.sleep(args.interval)
        while True:
            rows = sample(args.pid)
            if args.json:
                for row in rows:
                    print(json.dumps(row), flush=True)
            else:
                _print([_cells(row, before.get(row["name"])) for row in rows])
                before = {row["name"]: row for row in rows}
                sys.stdout.flush()
            if args.once:
                return 0
            time.sleep(args.interval)
    return 0


def add_parser(commands: Any) -> None:
    """Adds `top` to the commands of `lockfree`."""
    top = commands.add_parser(
        "top",
        help="watch objects: fill, rates, and which processes wait, hold something, or died",
        description="A live table of the named objects of this machine. It changes nothing in them."
        " FILL: inside/room. HOLD: process:how much. DEATHS: recovered, and pids of those that are not yet.",
    )
    top.add_argument(
        "--pid", type=int, metavar="PID", help="show the objects of this process, also those without a name"
    )
    top.add_argument("--once", action="store_true", help="print one table, after one interval, and end")
    top.add_argument("--json", action="store_true", help="print one JSON object for each object, with all its peers")
    top.add_argument("--interval", type=float, metavar="S", help=f"seconds between two looks (default {EVERY:g})")
    top.set_defaults(run=run)
