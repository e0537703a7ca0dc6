# PYTHON_ARGCOMPLETE_OK
"""The command line: `lockfree ls | gc | bench | check | machine | model | practice | stress`."""

import argparse
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from lockfree import __version__
from lockfree._command import UsageError, printable, quoted

if TYPE_CHECKING:
    from lockfree._sweep import Segment

HOMES = {"bench": "bench", "check": "linearizability", "machine": "machine", "model": "modelcheck"}
HOMES |= {"practice": "practice", "stress": "stress"}
"""The packages of the commands."""
SHOWN_PIDS = 8
"""Of one object in the table of `ls`; `--json` has all."""


def _tools(command: str) -> list[ModuleType]:
    """The command-line side of every instrument: the `cli` module of each subpackage that has one.

    Only that of `command`, if it has one: the others take longer to load than a small client takes to be checked.
    """
    names = sorted(cli.parent.name for cli in Path(__file__).parent.glob("*/cli.py"))
    names = [HOMES[command]] if command in HOMES else names
    return [importlib.import_module(f"lockfree.{name}.cli") for name in names]


class _Parser(argparse.ArgumentParser):
    """Wrong usage ends with status 3, because 2 means UNKNOWN."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: error: {message}\n")


def _names_of_segments(**_: object) -> list[str]:
    """What a shell may complete NAME to."""
    from lockfree._sweep import segments

    return [segment.name for segment in segments()]


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that completes a command line, and ends; returns at once in all other cases."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def _parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of all commands; without those of the other instruments, if `command` is one of an instrument."""
    parser = _Parser(
        prog="lockfree",
        description="Lock-free primitives in shared memory, and the instruments that test them.",
    )
    parser.add_argument("--version", action="version", version=f"lockfree {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    ls = commands.add_parser(
        "ls",
        help="list named segments and the live processes that hold them",
        description="Lists the named segments of this machine: kind, size, age, and the live processes that hold them.",
    )
    ls.add_argument("--json", action="store_true", help="print one JSON object for each segment, with all its holders")
    ls.set_defaults(run=_ls)
    gc = commands.add_parser(
        "gc",
        help="remove named segments that no live process holds",
        description="Removes named segments that no live process uses, such as those of programs that were killed. "
        "Exit status: 0; 3 if there is no segment with a NAME.",
    )
    names = gc.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="remove only the segments with these names (default: all that no live process uses)",
    )
    names.completer = _names_of_segments  # type: ignore[attr-defined]  # argcomplete looks there
    gc.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    gc.set_defaults(run=_gc)
    tools = _tools(command)
    if len(tools) > 1:
        from lockfree import _top

        _top.add_parser(commands)
    for tool in tools:
        tool.add_parser(commands)
    return parser


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _held_by(segment: "Segment") -> str:
    """The holders of a segment in one column: each of a few, and the number of the others."""
    if not segment.pids:
        return "in use" if segment.in_use else "nobody"
    more = len(segment.pids) - SHOWN_PIDS
    shown = ",".join(map(str, segment.pids[:SHOWN_PIDS]))
    return f"{shown} and {more:,} more" if more > 0 else shown


def _row(segment: "Segment") -> str:
    held = printable(segment.problem) or _held_by(segment)
    return f"{quoted(segment.name):<32} {segment.kind:<14} {_size(segment.size):>10} {segment.age:>9.0f}s  {held}"


def _ls(args: argparse.Namespace) -> int:
    from lockfree._sweep import segments

    found = segments()
    if args.json:
        for segment in found:
            print(json.dumps(asdict(segment)))
    elif found:
        print(f"{'NAME':<32} {'KIND':<14} {'SIZE':>10} {'AGE':>10}  HELD BY")
        for segment in found:
            print(_row(segment))
    else:
        print("no named segments")
    return 0


def _gc(args: argparse.Namespace) -> int:
    from lockfree._sweep import segments, sweep

    found = segments()
    names = {segment.name for segment in found} | {quoted(segment.name) for segment in found}  # as `ls` shows it, too
    missing = [name for name in args.names if name not in names]
    for name in missing:
        print(f"lockfree gc: no segment is called {name!r}", file=sys.stderr)
    removed = 0
    for segment in found:
        name = quoted(segment.name)
        if args.names and segment.name not in args.names and name not in args.names:
            continue
        if segment.problem:
            print(f"kept     {name}: {printable(segment.problem)}")
        elif segment.in_use:
            print(f"in use   {name}")
        elif segment.persistent and not args.names:
            print(f"kept     {name}: it is persistent; `lockfree gc {name}` removes it")
        elif args.dry_run:
            print(f"would remove {name}")
        elif sweep(segment.name):
            removed += 1
            print(f"removed  {name}")
        else:
            print(f"in use   {name}")
    if not args.dry_run:
        print(f"{removed} removed")
    return 3 if missing else 0


def _refused(command: str, error: Exception) -> int:
    print(f"lockfree {command}: {printable(str(error))}", file=sys.stderr)
    return 3


def _run(args: argparse.Namespace) -> int:
    status = int(args.run(args))
    if sys.stdout is not None:
        sys.stdout.flush()  # if nobody reads it, that is found here, and not when the interpreter ends
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status. A fault of our own is 70, so that it is never taken for a verdict."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser("" if "_ARGCOMPLETE" in os.environ else next(iter(words), ""))
    _complete(parser)
    args = parser.parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may have characters that the encoding lacks
    try:
        return _run(args)
    except BrokenPipeError:
        if sys.stdout is sys.__stdout__ and sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be written
        return 141
    except (UsageError, OSError) as error:
        return _refused(args.command, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of this program
        from lockfree._errors import LockfreeError

        if isinstance(error, LockfreeError):
            return _refused(args.command, error)
        sys.excepthook(*sys.exc_info())
        print(f"lockfree {args.command}: this is a fault of lockfree itself, not a verdict", file=sys.stderr)
        return 70


if __name__ == "__main__":
    sys.exit(main())
