"""Runs a built client and reads what it reports."""

import enum
import functools
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lockfree.modelcheck.build import MANY_THREADS, THREADS, BuildError, Sources, build
from lockfree.modelcheck.trace import Trace

MODES = ("auto", "exhaustive", "bounded", "pct", "random")
BOUNDS = {"executions": (0, 10**15), "seconds": (0.001, 1e7), "seed": (0, 2**64 - 1)}
BOUNDS |= {"preemptions": (0, 10**6), "depth": (1, 8), "steps": (1, 3000)}
Tick = Callable[[str, str, float], object]
"""What is called several times a second: with the client, the mode, and the seconds that have passed."""
STILL = 30.0
"""Seconds without CPU time after which a program hangs in the kernel."""


class Verdict(enum.Enum):
    """What a check found; the value is the exit status of `lockfree model`."""

    OK = 0
    VIOLATION = 1
    UNKNOWN = 2
    UNUSABLE = 3


@dataclass(frozen=True)
class Settings:
    """What to explore. Raises `ValueError` for a number out of bounds (seconds: 0.001 to 1e7).

    mode: `auto` (exhaustive, and if that does not end, PCT and random), `exhaustive` (every execution
    graph), `bounded` (every schedule with at most `preemptions` preemptions), `pct`, `random`.
    executions and seconds (on the CPU) bound each client's search; 0 executions: no bound.
    threads_stop: also stop each thread for ever before each of its steps; the others must finish.
    steps: a thread that makes more is not followed (with threads_stop: a violation).
    c20: release sequences as C++20 and C23 have them, without the thread's own later stores.
    outcomes: report what the client observes. positions: report the source lines of all steps.
    """

    mode: str = "auto"
    executions: int = 0
    seconds: float = 10.0
    seed: int = 1
    preemptions: int = 2
    depth: int = 3
    steps: int = 1000
    threads_stop: bool = False
    c20: bool = False
    outcomes: bool = False
    positions: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode is {self.mode!r}; there are {', '.join(MODES)}")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not least <= value <= most:
                raise ValueError(f"{name} is {value}; it must be {least:g} to {most:g}")

    def arguments(self) -> list[str]:
        named = {
            "mode": self.mode,
            "executions": self.executions,
            "seconds": self.seconds,
            "seed": self.seed,
            "preemptions": self.preemptions,
            "depth": self.depth,
            "steps": self.steps,
        }
        flags = {
            "threads-stop": self.threads_stop,
            "c20": self.c20,
            "outcomes": self.outcomes,
            "positions": self.positions,
        }
        return [
            *(part for name, value in named.items() for part in (f"--{name}", str(value))),
            *(f"--{name}" for name, on in flags.items() if on),
        ]


@dataclass
class Report:
    """The verdict on one client, with its bounds.

    complete: the search of `mode` went through all it is to go through. cut: executions given up as
    unfair or explored elsewhere; beyond_steps: executions in which a thread reached the step bound.
    too_many_threads: for the runtime that it was built with.
    token: replays the failing execution. outcomes, positions ("file:line"): if asked for. printed: what the
    client printed, of a replay.
    """

    client: str
    mode: str
    verdict: Verdict
    executions: int = 0
    cut: int = 0
    beyond_steps: int = 0
    complete: bool = False
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    token: str = ""
    notes: list[str] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)
    trace: Trace | None = None
    printed: str = ""
    too_many_threads: bool = False

    def bounds(self) -> str:
        """What was explored, in words."""
        words = {
            "exhaustive": "every execution" if self.complete else "part of all executions",
            "bounded": "every schedule within the preemption bound" if self.complete else "part of the schedules",
            "pct": "schedules with random priorities",
            "random": "random schedules",
            "replay": "one execution",
        }
        text = f"{words[self.mode]}: {self.executions} in {self.seconds:.2f} s"
        if self.beyond_steps:
            text += f", {self.beyond_steps} more cut at the step bound"
        return "; ".join([text, *self.notes])


def _cpu_time(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _execute(command: Sequence[str], tick: Callable[[float], object]) -> subprocess.CompletedProcess[str]:
    """Runs a built program; one that stops using the CPU is ended."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    used, since = -1, time.monotonic()
    try:
        while True:
            try:
                out, err = process.communicate(timeout=0.2)
                return subprocess.CompletedProcess(command, process.returncode, out, err)
            except subprocess.TimeoutExpired:
                tick(time.monotonic() - began)
                now = _cpu_time(process.pid)
                if now != used:
                    used, since = now, time.monotonic()
                elif time.monotonic() - since > STILL:
                    reason = f"unusable\tit blocks in the kernel: no progress for {STILL:.0f} s\n"
                    return subprocess.CompletedProcess(command, 3, reason, "")
    finally:
        process.kill()
        process.wait()


def clients_of(program: str | os.PathLike[str]) -> list[str]:
    """The names of the clients in a built program. Raises `BuildError` if a constructor of the program fails."""
    done = subprocess.run([str(program), "--list"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = Trace(str(program)).explain(done.stdout.partition("unusable\t")[2].strip())
        raise BuildError(said or f"it ends before its main, with status {done.returncode}")
    return [line.split("\t")[1] for line in done.stdout.splitlines() if line.startswith("client\t")]


def _parse(client: str, mode: str, program: str, done: subprocess.CompletedProcess[str]) -> Report:
    report = Report(client, mode, Verdict.UNUSABLE, message=done.stderr.strip())
    trace = Trace(program)
    steps: set[int] = set()
    loops: dict[int, set[int]] = {}
    for line in done.stdout.splitlines():
        what, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if what == "summary":
            verdict, executions, cut, beyond, complete, seconds = fields
            report.verdict = Verdict[verdict.upper()]
            report.executions, report.cut, report.beyond_steps = int(executions), int(cut), int(beyond)
            report.complete, report.seconds = complete == "1", float(seconds)
        elif what == "failure":
            report.kind, report.message = fields[0], trace.explain(fields[1])
            report.trace, trace.failure = trace, fields[0]
        elif what == "token":
            report.token = f"{client}:{fields[0]}"
        elif what == "note":
            report.notes.append(fields[0])
        elif what == "room":
            report.too_many_threads = fields[0] == "threads"
        elif what == "unusable":
            report.message = trace.explain(fields[0])
        elif what == "position":
            steps.add(int(fields[0], 16))
        elif what == "loop":
            loops.setdefault(int(fields[1]), set()).add(int(fields[0], 16))
        elif what == "outcome":
            report.outcomes.add(" ".join(sorted(fields[0].split(" "))))  # in whatever order they were observed
        else:
            trace.add(what, fields)
    for reads, pcs in sorted(loops.items()):
        places = ", ".join(sorted({trace.position(pc).split(" ")[0] for pc in trace.look_up(pcs)}))
        report.notes.append(
            f"loops that wait for ever, as far as {reads:,} reads show: {places}" if reads else
            f"waiting loops that give up, followed for a few useless turns and to their end: {places}"
        )  # fmt: skip
    report.positions = {trace.position(pc).split(" ")[0] for pc in trace.look_up(steps)}
    if not report.message and report.verdict is Verdict.UNUSABLE:
        report.message = f"the program ended with status {done.returncode} and without a verdict"
    return report


def _silent(_client: str, _mode: str, _seconds: float) -> None:
    pass


def run(program: str | os.PathLike[str], client: str, settings: Settings, tick: Tick = _silent) -> Report:
    """Explores one client of a built program in one mode (not `auto`)."""
    command = [str(program), "--client", client, *settings.arguments()]
    done = _execute(command, lambda seconds: tick(client, settings.mode, seconds))
    return _parse(client, settings.mode, str(program), done)


def run_auto(program: str | os.PathLike[str], client: str, settings: Settings, tick: Tick = _silent) -> Report:
    """Exhaustive for half of the time; if it does not end, PCT and random for the rest."""
    if settings.mode != "auto":
        return run(program, client, settings, tick)
    share = settings.seconds / 4
    first = run(program, client, replace(settings, mode="exhaustive", seconds=2 * share), tick)
    if first.verdict is not Verdict.UNKNOWN:
        return first
    note = f"all executions were too many ({first.executions} of them in {first.seconds:.1f} s)"
    if first.complete:
        note = f"in {first.beyond_steps} of all executions a thread makes more than {settings.steps} steps"
    total = first.executions
    for mode in ("pct", "random"):
        report = run(program, client, replace(settings, mode=mode, seconds=share), tick)
        total += report.executions
        report.outcomes |= first.outcomes
        report.notes.append(note)
        if report.verdict is not Verdict.OK:
            return report
        note = f"{note}, nothing in {report.executions} with {'random priorities' if mode == 'pct' else mode}"
    report.notes[-1:] = [note]
    report.executions = total
    return report


def _named(source: Sources) -> str:
    return ", ".join(map(str, [source] if isinstance(source, str | os.PathLike) else source))


def checks(
    source: Sources,
    *,
    clients: Sequence[str] = (),
    settings: Settings | None = None,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    warn: Callable[[str], object] | None = None,
    tick: Tick = _silent,
) -> Iterator[Report]:
    """As `check`, one report after another as they come."""
    with tempfile.TemporaryDirectory(prefix="lockfree-model-") as scratch:
        make = functools.partial(build, source, include=include, define=define, flags=flags)
        program = make(Path(scratch) / "client", warn=warn)
        there = clients_of(program)
        if not there:
            raise ValueError(f"{_named(source)} has no LF_MODEL_CLIENT and no main")
        unknown = [name for name in clients if name not in there]
        if unknown:
            raise ValueError(f"no client {', '.join(unknown)} in {_named(source)}; it has: {', '.join(there)}")
        for name in clients or there:
            report = run_auto(program, name, settings or Settings(), tick)
            if report.too_many_threads:
                roomy = Path(scratch) / "roomy"
                if not roomy.exists():
                    make(roomy, threads=MANY_THREADS)
                report = run_auto(roomy, name, settings or Settings(), tick)
            if report.trace is not None:
                report.trace.locate()
            yield report


def check(
    source: Sources,
    *,
    clients: Sequence[str] = (),
    settings: Settings | None = None,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> list[Report]:
    """Builds `source` (one file, or the files of one program) and checks its clients (all, or those named).

    One report each.

    Raises `BuildError` if it does not compile, `FileNotFoundError` if it is not there, `ValueError` for a
    client that it does not have. A client that the checker cannot run is a report with `UNUSABLE`.
    """
    return list(checks(source, clients=clients, settings=settings, include=include, define=define, flags=flags))


def replay(
    source: Sources,
    token: str,
    *,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    warn: Callable[[str], object] | None = None,
) -> Report:
    """Runs the one execution that `token` (from a report) describes. Raises as `check` does."""
    client, _, rest = token.partition(":")
    with tempfile.TemporaryDirectory(prefix="lockfree-model-") as scratch:
        threads = MANY_THREADS if rest[:1] in ("G", "R") else THREADS
        program = build(
            source, Path(scratch) / "client", include=include, define=define, flags=flags, warn=warn, threads=threads
        )
        if not rest:
            raise ValueError(f"this is not a token: {token!r} (CLIENT:CHOICES)")
        if client not in clients_of(program):
            raise ValueError(f"no client {client} in {_named(source)}")
        command = [str(program), "--client", client, "--replay", rest]
        done = _execute(command, lambda _seconds: None)
        report = _parse(client, "replay", str(program), done)
        report.printed = done.stderr
        report.token = token
        if report.trace is not None:
            report.trace.locate()
        return report
