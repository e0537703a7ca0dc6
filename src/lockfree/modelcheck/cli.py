"""`lockfree model`: the model checker's command line."""

import argparse
import json
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lockfree._command import UsageError, given, named_path, refuse, try_files, write_whole
from lockfree.modelcheck.build import VOLATILE, BuildError
from lockfree.modelcheck.runner import MODES, Progress, Report, Settings, Verdict, checks, replay

WORST = (Verdict.OK, Verdict.UNKNOWN, Verdict.UNUSABLE, Verdict.VIOLATION)
"""The verdicts, the one that decides the exit status last."""
OF_MODES = {"--preemptions": ["bounded"], "--depth": ["auto", "pct"], "--seed": ["auto", "pct", "random"]}
"""Options that only some modes look at."""
SEARCH = (
    "--client", "--mode", "--executions", "--seconds", "--steps", "--spins", "--threads-stop", "--outcomes",
    "--c20", "--weak-failures", "--coverage", *OF_MODES,
)  # fmt: skip
"""Options of a search; their defaults are those of `Settings`."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the `model` command."""
    parser = subparsers.add_parser(
        "model",
        help="explore the interleavings of a small C, C++ or Python client",
        description="C and C++: compiles the files with instrumentation and explores the executions of its clients "
        "under the C11 memory model. Python (FILE.py): explores the schedules of the threads and asyncio tasks of its "
        "functions model_... and test_..., or main. Exit status: "
        "0 nothing found within the printed bounds, 1 a violation, 2 undecided or only sampled, 3 unusable files.",
    )
    defaults = Settings()
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="files in C or C++, with clients or a main, or one file in Python"
    )
    parser.add_argument(
        "--client", action="append", default=[], metavar="NAME", help="only this client (may be repeated)"
    )
    parser.add_argument(
        "--mode", choices=MODES,
        help=f"{defaults.mode} (the default): exhaustive, and samples if that does not end in half of the time",
    )  # fmt: skip
    numbers = (
        ("--preemptions", int, f"how many preemptions mode bounded allows (default: {defaults.preemptions})"),
        ("--depth", int, f"bug depth that mode pct aims at (default: {defaults.depth})"),
        ("--executions", int, "stop after N executions (default: 0, no such bound)"),
        ("--seconds", float, f"seconds of CPU time for each client (default: {defaults.seconds:g})"),
        ("--steps", int, f"how many steps one thread may make (default: {defaults.steps})"),
        (
            "--spins",
            int,
            "follow a loop that finds the same values for N turns, then to its end at once (default: 0, always)",
        ),
        ("--seed", int, f"seed of the modes pct and random (default: {defaults.seed})"),
        ("--deviations", int, "how many deviations from the default schedule, in Python (default: no bound)"),
    )
    for option, kind, what in numbers:
        parser.add_argument(option, type=kind, metavar="N" if kind is int else "S", help=what)
    parser.add_argument("--replay", metavar="TOKEN", help="run the one execution that a report named")
    parser.add_argument(
        "--threads-stop", action="store_true",
        help="stop each thread for ever before each of its steps: the others must finish (lock-freedom)",
    )  # fmt: skip
    parser.add_argument("--outcomes", action="store_true", help="print what the clients observe, as a set")
    parser.add_argument("--c20", action="store_true", help="release sequences as in C++20 (weaker)")
    parser.add_argument(
        "--weak-failures", action="store_true",
        help="one weak compare-and-swap of each thread may fail for no reason (with gcc)",
    )  # fmt: skip
    parser.add_argument(
        "-I", dest="include", action="append", default=[], metavar="DIR", help="a folder in which #include looks"
    )
    parser.add_argument(
        "-D", dest="define", action="append", default=[], metavar="NAME[=VALUE]", help="a macro for the compiler"
    )
    parser.add_argument(
        "--volatile", choices=VOLATILE,
        help="accesses of volatile objects are plain ones, which race (the default), or relaxed atomic ones",
    )  # fmt: skip
    parser.add_argument(
        "--cflag",
        dest="flags",
        action="append",
        default=[],
        metavar="FLAG",
        help="any other flag for the compiler, after an equals sign: --cflag=-O1",
    )
    parser.add_argument("--coverage", action="store_true", help="say which branches no explored execution reached")
    parser.add_argument(
        "--early", action="store_true", help="for Python: time-outs may come while other threads can run"
    )
    parser.add_argument(
        "--follow",
        action="append",
        default=[],
        metavar="FILE",
        help="for Python: interrupt within this library file, too",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each client, with its trace")
    parser.add_argument("--html", type=named_path, metavar="FILE", help="write a page with the graph of each violation")
    parser.add_argument("--dot", type=named_path, metavar="FILE", help="write the graph of each violation for Graphviz")
    parser.set_defaults(run=run)


def _settings(args: argparse.Namespace) -> Settings:
    """The settings that the command line names. UsageError for an option that would have no effect."""
    if args.replay is not None:
        refuse(args, SEARCH, "with --replay, whose token says it all")
    named = {name.removeprefix("--").replace("-", "_") for name in given(args, SEARCH)} - {"client"}
    settings = Settings(**{name: getattr(args, name) for name in named})
    for option, modes in OF_MODES.items():
        if settings.mode not in modes:
            refuse(args, [option], f"in mode {settings.mode}, only in {' and '.join(modes)}")
    return settings


def _again(args: argparse.Namespace, token: str) -> str:
    """The command that runs the failing execution."""
    options = [f"-I{directory}" for directory in args.include] + [f"-D{name}" for name in args.define]
    options += [f"--cflag={flag}" for flag in args.flags]
    options += [f"--volatile={args.volatile}"] if args.volatile not in (None, VOLATILE[0]) else []
    return shlex.join(["lockfree", "model", *args.files, *options, "--replay", token])


def show(report: Report, again: str) -> str:
    """A report as text. again: the command that replays it."""
    if report.verdict is Verdict.OK or report.sampled:
        return f"OK         {report.client}  ({report.bounds()})"
    if report.verdict is Verdict.UNKNOWN and report.executions == 0:
        if report.beyond_steps:
            why = f"all executions seen, {report.beyond_steps}, go beyond the bound on the steps of a thread: --steps"
            return f"UNKNOWN    {report.client}  ({why})"
        why = f"no execution came to its end: {report.cut} were dropped as unfair or assumed away"
        return f"UNKNOWN    {report.client}  ({why})"
    if report.verdict is Verdict.UNKNOWN:
        return f"UNKNOWN    {report.client}  ({report.bounds()}; raise --seconds, or use --mode pct)"
    if report.verdict is Verdict.UNUSABLE:
        return f"UNUSABLE   {report.client}  {report.message}"
    lines = [f"VIOLATION  {report.client}  {report.kind}: {report.message}", ""]
    if report.trace is not None:
        lines += [report.trace.render(), ""]
    lines.append(f"  found after {report.executions} executions in {report.seconds:.2f} s ({report.mode})")
    lines += [f"  {note}" for note in report.notes]
    if report.token:
        lines.append(f"  again: {again}")
    return "\n".join(lines)


def _as_json(report: Report) -> str:
    return json.dumps(
        {
            "client": report.client,
            "verdict": report.verdict.name,
            "mode": report.mode,
            "complete": report.complete,
            "executions": report.executions,
            "beyond_steps": report.beyond_steps,
            "seconds": report.seconds,
            "kind": report.kind,
            "message": report.message,
            "token": report.token,
            "notes": report.notes,
            "warnings": report.warnings,
            "outcomes": sorted(report.outcomes),
            "blocked": report.blocked,
            "sampled": report.sampled,
            "coverage": None if report.coverage is None else asdict(report.coverage),
            "trace": None if report.trace is None else report.trace.as_dict(),
        }
    )


class _Shown:
    """Progress: on a terminal one line that changes, elsewhere a line every ten seconds."""

    EVERY = 10.0

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.began = self.last = time.monotonic()

    def __call__(self, client: str, mode: str, seconds: float, progress: Progress) -> None:
        if not self.terminal and time.monotonic() - self.last < self.EVERY:
            return
        self.last = time.monotonic()
        text = f"  {client}: {mode}, {seconds:.0f} s, {progress.executions:,} executions"
        text += f", {progress.cut:,} dropped" if progress.cut else ""
        text += f", {progress.beyond_steps:,} beyond the step bound" if progress.beyond_steps else ""
        if 0 < progress.part < 1:
            whole = progress.executions / progress.part
            left = _span(seconds / progress.part - seconds)
            text += f", about {100 * progress.part:.2g}% of {whole:.2g}, {left} left"
        line = f"\r\033[K{text}" if self.terminal else f"{text}\n"
        print(line, end="", file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _print(report: Report, args: argparse.Namespace) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    sys.stderr.write(report.printed)
    if args.json:
        print(_as_json(report), flush=True)
        return
    print(show(report, _again(args, report.token)), flush=True)
    for warning in report.warnings:
        print(f"  warning: {warning}")
    if report.coverage is not None:
        print(f"  {report.coverage}")
    for outcome in sorted(report.outcomes):
        print(f"  {outcome}")
    if report.mode == "replay" and report.verdict is Verdict.OK and report.trace is not None:
        print(f"{report.trace.render()}\n  this execution shows no violation: is the file still the same?")


def _is_python(files: list[str]) -> bool:
    """Whether the files are a Python program. UsageError for several, or for Python among C."""
    if not any(file.endswith(".py") for file in files):
        return False
    if len(files) > 1:
        raise UsageError(f"{' '.join(files)}: a Python program is one file; it may import others")
    return True


def _run_python(args: argparse.Namespace) -> int:
    """The same for a Python file."""
    from lockfree.modelcheck.python import command as python  # asyncio and all, for this alone

    try:
        settings = python.settings_of(args)
    except ValueError as error:
        raise UsageError(str(error)) from None
    worst = Verdict.OK
    shown = _Shown()

    def tick(client: str, executions: int, seconds: float, what: str) -> None:
        shown(client, what, seconds, Progress(executions))

    try:
        for report in python.reports(args.files[0], args.client, settings, args.replay, tick):
            if sys.stderr.isatty():
                print("\r\033[K", end="", file=sys.stderr, flush=True)
            print(json.dumps(report.as_dict()) if args.json else report, flush=True)
            if report.token and not args.json and args.replay is None:
                print(f"  again: {python.again(args, report.token)}", flush=True)
            if args.replay is not None and report.verdict is Verdict.OK and not args.json:
                print(f"{report.trace}\n  this execution shows no violation: is the file still the same?")
            worst = max(worst, report.verdict, key=WORST.index)
    except (ValueError, OSError) as error:
        print(f"lockfree model: {error}", file=sys.stderr)
        return int(Verdict.UNUSABLE.value)
    except KeyboardInterrupt:
        print("lockfree model: interrupted", file=sys.stderr)
        return int(Verdict.UNKNOWN.value)
    return int(worst.value)


def run(args: argparse.Namespace) -> int:
    """Checks, prints, and returns the exit status."""
    if _is_python(args.files):
        return _run_python(args)
    refuse(args, ["--deviations", "--early", "--follow"], "on C and C++, only on Python")
    options = {"include": args.include, "define": args.define, "flags": args.flags, "warn": sys.stderr.write}
    options["volatile"] = args.volatile or VOLATILE[0]
    verdicts = set()
    seen: list[tuple[Report, str]] = []
    try:
        settings = _settings(args)
        try_files({"--html": args.html, "--dot": args.dot}, map(Path, args.files))
        if args.replay is not None:
            reports = iter([replay(args.files, args.replay, **options)])
        else:
            options["tick"] = _Shown()
            reports = checks(args.files, clients=args.client, settings=settings, **options)
        for report in reports:
            _print(report, args)
            verdicts.add(report.verdict)
            seen.append((report, show(report, _again(args, report.token))))
    except BrokenPipeError:  # no fault of the program: see `main`
        raise
    except (BuildError, OSError, ValueError) as error:
        print(f"lockfree model: {error}", file=sys.stderr)
        return int(Verdict.UNUSABLE.value)
    except KeyboardInterrupt:
        print("lockfree model: interrupted", file=sys.stderr)
        return int(Verdict.UNKNOWN.value)
    if args.html is None and args.dot is None:
        return int(max(verdicts, key=WORST.index, default=Verdict.OK).value)
    from lockfree.modelcheck import picture

    try:
        if args.html is not None:
            write_whole(args.html, picture.page(f"lockfree model {' '.join(args.files)}", seen))
        if args.dot is not None:
            write_whole(args.dot, "".join(picture.dot(report) for report, _ in seen))
    except OSError as error:  # such as a full disk; a violation must not be lost
        print(f"lockfree model: {error}", file=sys.stderr)
        verdicts.add(Verdict.UNUSABLE)
    return int(max(verdicts, key=WORST.index, default=Verdict.OK).value)
