"""Runs a built client and reads what it reports."""

import contextlib
import enum
import functools
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lockfree import _running
from lockfree.modelcheck.build import ROOMS, THREADS, WATCHED, BuildError, Sources, ThreadBeforeMainError, build

if TYPE_CHECKING:
    from lockfree.modelcheck.coverage import Coverage
    from lockfree.modelcheck.trace import Trace

MODES = ("auto", "exhaustive", "bounded", "pct", "random")
BOUNDS = {"executions": (0, 10**15), "seconds": (0.001, 10**7), "seed": (0, 2**64 - 1)}
BOUNDS |= {"preemptions": (0, 10**6), "depth": (1, 8), "steps": (1, 10**6), "spins": (0, 10**6)}
BOUNDS |= {"silent": (0.1, 10**6)}
Tick = Callable[[str, str, float, "Progress"], object]
"""What is called several times a second: with the client, the mode, the seconds that have passed, and how far it is."""
Enclose = Callable[[], object]
"""Puts walls around a program that nobody trusts: is called in its process, before it becomes the program."""
PROGRAM = "main"
"""The one client of a program that has no other."""
NEARLY = 0.25
"""Of an exhaustive search: which part of it is done if its end is worth waiting for, before samples are taken."""
STILL = 30.0
"""Seconds without CPU time after which a program hangs in the kernel."""


@dataclass(frozen=True)
class Progress:
    """How far a search is. part: the estimated part of all executions that has been seen, 0 if nobody knows."""

    executions: int = 0
    cut: int = 0
    beyond_steps: int = 0
    part: float = 0.0


def _progress_in(path: Path) -> Progress:
    try:
        executions, cut, beyond, part = path.read_text().split()
    except (FileNotFoundError, ValueError):  # not begun
        return Progress()
    return Progress(int(executions), int(cut), int(beyond), float(part))


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
    spins: a loop whose turns read the same values is followed turn by turn so often, and then in one go to its
    end; 0: every turn that changes anything, a counter included, is followed.
    silent: seconds of CPU time without a step after which a thread is in an endless loop (0.1 to 1e6).
    c20: release sequences as C++20 and C23 have them, without the thread's own later stores.
    weak_failures: one weak compare-and-swap of each thread may fail for no reason (needs gcc, or g++).
    symmetry: explore threads that do the same in one order only (never where outcomes are asked for).
    coverage: report which branches of the program no execution reached (it is built for that).
    outcomes: report what the client observes. positions: report the source lines of all steps.
    """

    mode: str = "auto"
    executions: int = 0
    seconds: float = 10.0
    seed: int = 1
    preemptions: int = 2
    depth: int = 3
    steps: int = 10_000
    spins: int = 0
    silent: float = 2.0
    threads_stop: bool = False
    c20: bool = False
    weak_failures: bool = False
    outcomes: bool = False
    positions: bool = False
    coverage: bool = False
    symmetry: bool = True

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode is {self.mode!r}: there are {', '.join(MODES)}")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not least <= value <= most:
                raise ValueError(f"{name} is {value}: it must be {least:,} to {most:,}")

    def arguments(self) -> list[str]:
        named = {
            "mode": self.mode,
            "executions": self.executions,
            "seconds": self.seconds,
            "seed": self.seed,
            "preemptions": self.preemptions,
            "depth": self.depth,
            "steps": self.steps,
            "spins": self.spins,
            "silent": self.silent,
        }
        flags = {
            "threads-stop": self.threads_stop,
            "c20": self.c20,
            "weak-failures": self.weak_failures,
            "outcomes": self.outcomes,
            "positions": self.positions,
            "no-symmetry": not self.symmetry,
        }
        return [
            *(part for name, value in named.items() for part in (f"--{name}", str(value))),
            *(f"--{name}" for name, on in flags.items() if on),
        ]


@dataclass
class Report:
    """The verdict on one client, with its bounds.

    complete: the search of `mode` went through all it is to go through. cut: executions given up as unfair or explored
    elsewhere; blocked: those of them in which a thread waits for what comes in another execution; beyond_steps:
    executions in which a thread reached the step bound. sampled: nothing was found, and not everything could be seen.
    too_many_threads: for the runtime that it was built with. of_some_numbers: it asked for numbers that stand for all.
    token: replays the failing execution. outcomes, positions ("file:line"): if asked for. warnings: of memory and
    threads that are lost. reached: program positions of branches, for `coverage`. printed: what the client printed,
    of a replay.
    """

    client: str
    mode: str
    verdict: Verdict
    executions: int = 0
    cut: int = 0
    blocked: int = 0
    beyond_steps: int = 0
    complete: bool = False
    sampled: bool = False
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    token: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)
    reached: set[int] = field(default_factory=set)
    edges: set[int] = field(default_factory=set)
    together: set[int] = field(default_factory=set)
    coverage: "Coverage | None" = None
    trace: "Trace | None" = None
    printed: str = ""
    too_many_threads: bool = False
    of_some_numbers: bool = False

    def bounds(self) -> str:
        """What was explored, in words."""
        words = {
            "exhaustive": "every execution" if self.complete else "part of all executions",
            "bounded": "every schedule within the preemption bound" if self.complete else "part of the schedules",
            "pct": "schedules with random priorities",
            "random": "random schedules",
            "replay": "one execution",
        }
        what = "sampled" if self.sampled else words[self.mode]
        text = f"{what}: {self.executions} in {self.seconds:.2f} s"
        if self.blocked:
            text += f", {self.blocked} more blocked"
        if self.beyond_steps and not self.sampled:
            text += f", {self.beyond_steps} more cut at the step bound"
        return "; ".join([text, *self.notes])


@dataclass
class _Break:
    """What is done when a program has used some CPU time, while it is stopped.

    after: seconds of it. work: is told how far the search is, and returns whether the program need not go on.
    ended: whether it was ended for that. progress: where the search says how far it is.
    """

    after: float
    work: Callable[[Progress], bool]
    ended: bool = False
    progress: Path = Path(os.devnull)


def _execute(
    command: Sequence[str],
    tick: Callable[[float], object],
    enclose: Enclose | None = None,
    pause: _Break | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a built program; one that stops using the CPU is ended. Enclosed: with all that it has started."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--enclosed"] if enclose is not None else command,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        preexec_fn=enclose, start_new_session=enclose is not None,  # noqa: PLW1509 - the callers that enclose have one thread
    )  # fmt: skip
    used, since = -1.0, time.monotonic()
    try:
        while True:
            try:
                out, err = process.communicate(timeout=0.2 if pause is None else 0.05)
                return subprocess.CompletedProcess(command, process.returncode, out, err)
            except subprocess.TimeoutExpired:
                tick(time.monotonic() - began)
                now = _running.used(process.pid)
                if pause is not None and now >= pause.after:
                    signalled = process.pid if enclose is None else -process.pid
                    os.kill(signalled, signal.SIGSTOP)
                    stopped = time.monotonic()
                    pause.ended = pause.work(_progress_in(pause.progress))
                    if pause.ended:
                        return subprocess.CompletedProcess(command, 0, "", "")
                    os.kill(signalled, signal.SIGCONT)
                    began += time.monotonic() - stopped
                    since, pause = time.monotonic(), None
                if now != used:
                    used, since = now, time.monotonic()
                elif time.monotonic() - since > STILL and not _running.ready(process.pid) and process.poll() is None:
                    reason = f"unusable\tit blocks in the kernel: no progress for {STILL:.0f} s\n"
                    return subprocess.CompletedProcess(command, 3, reason, "")
    finally:
        if enclose is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def clients_of(program: str | os.PathLike[str], enclose: Enclose | None = None) -> list[str]:
    """The names of the clients in a built program.

    Raises `BuildError` if a constructor of the program fails, `ThreadBeforeMainError` if it begins a thread.
    """
    done = _execute([str(program), "--list"], lambda _seconds: None, enclose)
    if done.returncode != 0:
        what, _, rest = done.stdout.partition("unusable\t")[2].strip().partition("\t")
        said = _trace(str(program)).explain(rest or what)
        if rest:
            raise ThreadBeforeMainError(said)
        raise BuildError(said or f"it ends before its main, with status {done.returncode}")
    return [line.split("\t")[1] for line in done.stdout.splitlines() if line.startswith("client\t")]


def _trace(program: str) -> "Trace":
    from lockfree.modelcheck.trace import Trace  # seldom needed, and long to load

    return Trace(program)


def _parse(client: str, mode: str, program: str, done: subprocess.CompletedProcess[str]) -> Report:
    report = Report(client, mode, Verdict.UNUSABLE, message=done.stderr.strip())
    trace = functools.cache(lambda: _trace(program))
    steps: set[int] = set()
    loops: dict[int, set[int]] = {}
    open_loops: dict[int, set[int]] = {}
    for line in done.stdout.splitlines():
        what, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if what == "summary":
            verdict, executions, cut, blocked, beyond, complete, seconds = fields
            report.verdict = Verdict[verdict.upper()]
            report.executions, report.cut, report.beyond_steps = int(executions), int(cut), int(beyond)
            report.blocked = int(blocked)
            report.complete, report.seconds = complete == "1", float(seconds)
        elif what == "failure":
            report.kind, report.message = fields[0], trace().explain(fields[1])
            report.trace = trace()
            report.trace.failure = fields[0]
        elif what == "token":
            report.token = f"{client}:{fields[0]}"
        elif what == "note":
            report.notes.append(fields[0])
        elif what == "room":
            report.too_many_threads = fields[0] == "threads"
        elif what == "numbers":
            report.of_some_numbers = True
        elif what == "reached":
            report.reached.add(int(fields[0], 16))
        elif what == "edge":
            report.edges.add(int(fields[0], 16))
        elif what == "together":
            report.together.add(int(fields[0], 16))
        elif what == "warning":
            report.warnings.append(trace().explain(fields[0]))
        elif what == "unusable":
            report.message = trace().explain(fields[0])
        elif what == "position":
            steps.add(int(fields[0], 16))
        elif what == "loop":
            loops.setdefault(int(fields[1]), set()).add(int(fields[0], 16))
        elif what == "open":
            open_loops.setdefault(int(fields[1]), set()).add(int(fields[0], 16))
        elif what == "outcome":
            report.outcomes.add(" ".join(sorted(fields[0].split(" "))))  # in whatever order they were observed
        else:
            trace().add(what, fields)
    for reads, pcs in sorted(loops.items()):
        places = ", ".join(sorted({trace().position(pc).split(" ")[0] for pc in trace().look_up(pcs)}))
        report.notes.append(
            f"loops that wait for ever, as far as {reads:,} reads show: {places}" if reads else
            f"waiting loops that give up, followed for a few useless turns and to their end: {places}"
        )  # fmt: skip
    for turns, pcs in open_loops.items():
        places = ", ".join(sorted({trace().position(pc).split(" ")[0] for pc in trace().look_up(pcs)}))
        report.notes.append(
            f"loops that store for a moment what others read, followed for {turns} turns that nobody saw or as many as "
            f"--spins says: {places}"
        )
    if steps:
        report.positions = {trace().position(pc).split(" ")[0] for pc in trace().look_up(steps)}
    if report.of_some_numbers and report.verdict is Verdict.OK:
        report.verdict, report.sampled, report.complete = Verdict.UNKNOWN, True, False
        report.notes.append("__VERIFIER_nondet_int or its like gave some numbers, and not all")
    if not report.message and report.verdict is Verdict.UNUSABLE:
        report.message = f"the program ended with status {done.returncode} and without a verdict"
    return report


def _silent(_client: str, _mode: str, _seconds: float, _progress: Progress) -> None:
    pass


def run(
    program: str | os.PathLike[str],
    client: str,
    settings: Settings,
    tick: Tick = _silent,
    enclose: Enclose | None = None,
    *,
    pause: _Break | None = None,
) -> Report:
    """Explores one client of a built program in one mode (not `auto`). pause: once, in the middle."""
    with tempfile.TemporaryDirectory(prefix="lockfree-model-") as scratch:
        progress = Path(scratch) / "progress"
        command = [str(program), "--client", client, "--progress", str(progress), *settings.arguments()]
        if pause is not None:
            pause.progress = progress
        done = _execute(
            command, lambda seconds: tick(client, settings.mode, seconds, _progress_in(progress)), enclose, pause
        )
        if pause is not None and pause.ended:
            far = _progress_in(progress)
            report = Report(client, settings.mode, Verdict.UNKNOWN, far.executions, far.cut)
            report.beyond_steps, report.seconds = far.beyond_steps, pause.after
            return report
    return _parse(client, settings.mode, str(program), done)


def _moment(settings: Settings) -> float:
    """The CPU time in which the exhaustive search ends for most clients, and that of the samples in its break."""
    return min(0.5, settings.seconds / 16)


def _stages(settings: Settings) -> Iterator[Settings]:
    """The searches of `auto`, one after another until one knows.

    The exhaustive one for half of the time; the same with waiting loops cut short; the random ones. If the first one
    takes longer than a moment, it has a break for as long, with samples, since they often meet a failure early.
    """
    exhaustive = replace(settings, mode="exhaustive")
    yield replace(exhaustive, seconds=settings.seconds / 2)
    if settings.spins == 0:
        yield replace(exhaustive, seconds=settings.seconds / 8, spins=1)
    for mode in ("pct", "random"):
        yield replace(settings, mode=mode, seconds=settings.seconds / 8)


def _way(settings: Settings, asked: Settings) -> str:
    names = {"exhaustive": "one by one", "pct": "with random priorities", "random": "at random"}
    return names[settings.mode] if settings.spins == asked.spins else f"with --spins {settings.spins}"


def run_auto(
    program: str | os.PathLike[str],
    client: str,
    settings: Settings,
    tick: Tick = _silent,
    enclose: Enclose | None = None,
) -> Report:
    """Every execution, or, where they are too many or too long, as many of several kinds as the time allows.

    Without a violation and without a complete search the verdict is `UNKNOWN`, and the report `sampled`.
    """
    if settings.mode != "auto":
        return run(program, client, settings, tick, enclose)
    reports: list[tuple[str, Report]] = []

    def decides(stage: Settings, pause: _Break | None = None) -> bool:
        report = run(program, client, stage, tick, enclose, pause=pause)
        reports.append((_way(stage, settings), report))
        return report.verdict in {Verdict.VIOLATION, Verdict.UNUSABLE}

    def sample(far: Progress) -> bool:
        if far.part > NEARLY:
            return False
        moment = _moment(settings) / 2
        return any(decides(replace(settings, mode=mode, seconds=moment)) for mode in ("random", "pct"))

    bounds: set[int] = set()  # --spins of exhaustive searches that went through all that the step bound allows
    pause: _Break | None = _Break(_moment(settings), sample)
    for stage in _stages(settings):
        if stage.mode == "exhaustive" and stage.spins in bounds:
            continue
        decides(stage, pause)
        if pause is not None and pause.ended:
            reports.insert(0, reports.pop())  # the failure is what is reported
        pause = None
        report = reports[-1][1]
        if report.verdict in {Verdict.VIOLATION, Verdict.UNUSABLE}:
            break
        seen = report.verdict is Verdict.OK or (report.of_some_numbers and report.sampled)
        if stage.mode == "exhaustive" and seen and stage.spins == settings.spins:
            break
        if stage.mode == "exhaustive" and report.complete:
            bounds.add(stage.spins)
    report = reports[-1][1]
    sampled = _of_sample(reports, settings)
    whole = report.complete and report.mode == "exhaustive" and report.verdict is Verdict.OK
    for _, other in reports[:-1]:
        report.executions += 0 if whole else other.executions  # samples are among those of a whole search
        report.seconds += other.seconds
        report.outcomes |= other.outcomes
        report.positions |= other.positions
        report.reached |= other.reached
        report.edges |= other.edges
        report.together |= other.together
        report.warnings += [warning for warning in other.warnings if warning not in report.warnings]
    if report.verdict in {Verdict.VIOLATION, Verdict.UNUSABLE} or report.mode == "exhaustive":
        return report
    report.verdict, report.sampled, report.complete = Verdict.UNKNOWN, report.executions > 0, False
    report.beyond_steps = max(other.beyond_steps for _, other in reports)
    report.blocked = 0
    report.notes = sampled
    return report


def _of_sample(reports: list[tuple[str, Report]], settings: Settings) -> list[str]:
    """What was looked at, and why not everything."""
    seen: dict[str, int] = {}
    for name, report in reports:
        seen[name] = seen.get(name, 0) + report.executions
    notes = ["nothing found " + ", ".join(f"in {count} {name}" for name, count in seen.items())]
    beyond = max(report.beyond_steps for _, report in reports)
    if beyond:
        notes.append(
            f"in {beyond} more a thread was cut short: at {settings.steps} steps (--steps), in a loop (--spins), or "
            "where only a further time-out would end its wait"
        )
    shortened = [report for name, report in reports if name.startswith("with --spins")]
    if any(report.verdict is Verdict.OK for report in shortened):
        notes.append("with --spins 1 the search is complete")
    named = {note for name, report in reports if name == "one by one" for note in report.notes}
    notes += sorted(named | {note for report in shortened for note in report.notes})
    return notes


def _named(source: Sources) -> str:
    return ", ".join(map(str, [source] if isinstance(source, str | os.PathLike) else source))


def _made(
    make: Callable[..., Path], output: Path, warn: Callable[[str], object] | None, enclose: Enclose | None
) -> tuple[Callable[..., Path], Path, list[str]]:
    """The program, the names of its clients, and how to make it again."""
    program = make(output, warn=warn)
    try:
        return make, program, clients_of(program, enclose)
    except ThreadBeforeMainError:
        make = functools.partial(make, late=True)
        program = make(output)
        there = clients_of(program, enclose)
        if there != [PROGRAM]:  # clients have no main that could run the constructors
            raise
        return make, program, there


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
    volatile: str = "race",
    enclose: Enclose | None = None,
) -> Iterator[Report]:
    """As `check`, one report after another as they come. enclose: see `Enclose`."""
    with tempfile.TemporaryDirectory(prefix="lockfree-model-") as scratch:
        watched = list(WATCHED) if settings is not None and settings.coverage else []
        made_of = [*flags, *watched]
        make: Callable[..., Path]
        make = functools.partial(
            build, source, include=include, define=define, flags=made_of, volatile=volatile, keep=enclose is None
        )
        make, program, there = _made(make, Path(scratch) / "client", warn, enclose)
        larger = sorted(room for room in ROOMS.values() if room > THREADS)
        if not there:
            raise ValueError(f"{_named(source)} has no LF_MODEL_CLIENT and no main")
        unknown = [name for name in clients if name not in there]
        if unknown:
            raise ValueError(f"no client {', '.join(unknown)} in {_named(source)}; it has: {', '.join(there)}")
        for name in clients or there:
            report = run_auto(program, name, settings or Settings(), tick, enclose)
            while report.too_many_threads and larger:
                room = larger.pop(0)  # the clients that follow may have as many
                program = make(Path(scratch) / f"room-for-{room}", threads=room)
                report = run_auto(program, name, settings or Settings(), tick, enclose)
            if report.trace is not None:
                report.trace.locate()
            if settings is not None and settings.coverage:
                from lockfree.modelcheck.coverage import coverage_of

                report.coverage = coverage_of(program, report.reached, report.edges, report.together)
            yield report


def check(
    source: Sources,
    *,
    clients: Sequence[str] = (),
    settings: Settings | None = None,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    volatile: str = "race",
    enclose: Enclose | None = None,
) -> list[Report]:
    """Builds `source` (one file, or the files of one program) and checks its clients (all, or those named).

    One report each.

    Raises `BuildError` if it does not compile, `FileNotFoundError` if it is not there, `ValueError` for a
    client that it does not have. A client that the checker cannot run is a report with `UNUSABLE`.
    """
    one_by_one = functools.partial(
        checks, include=include, define=define, flags=flags, volatile=volatile, enclose=enclose
    )
    return list(one_by_one(source, clients=clients, settings=settings))


@dataclass(frozen=True)
class Asked:
    """What is to be chosen where a token ends. what: thread, read, place or value; events: how many come before it.

    threads: of `thread`, those that could go on; of the others there are `options`, from 0.
    """

    what: str
    events: int
    options: int
    threads: list[int]


def step_by_step(program: str | os.PathLike[str], client: str, choices: str) -> tuple[Report, Asked | None]:
    """Runs the execution of a token without its client, and says what could be chosen where it ends: None if nothing.

    The report is of the execution that goes on from there with the dull choices.
    """
    done = _execute([str(program), "--client", client, "--ask", "--replay", choices], lambda _seconds: None)
    asked = None
    for line in done.stdout.splitlines():
        if line.startswith("ask\t"):
            _, what, _, events, options, *threads = line.split("\t")
            asked = Asked(what, int(events), int(options), [int(thread) for thread in threads])
    report = _parse(client, "replay", str(program), done)
    if report.trace is None:
        report.trace = _trace(str(program))
        for line in done.stdout.splitlines():
            what, _, rest = line.partition("\t")
            report.trace.add(what, rest.split("\t"))
    report.trace.locate()
    return report, asked


def replay(
    source: Sources,
    token: str,
    *,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    warn: Callable[[str], object] | None = None,
    volatile: str = "race",
    enclose: Enclose | None = None,
) -> Report:
    """Runs the one execution that `token` (from a report) describes. Raises as `check` does."""
    client, _, rest = token.partition(":")
    with tempfile.TemporaryDirectory(prefix="lockfree-model-") as scratch:
        threads = next((room for letters, room in ROOMS.items() if rest[:1] in letters), THREADS)
        make = functools.partial(
            build, source, include=include, define=define, flags=flags, volatile=volatile, keep=enclose is None
        )
        _, program, there = _made(functools.partial(make, threads=threads), Path(scratch) / "client", warn, enclose)
        if not rest:
            raise ValueError(f"this is not a token: {token!r} (CLIENT:CHOICES)")
        if client not in there:
            raise ValueError(f"no client {client} in {_named(source)}")
        command = [str(program), "--client", client, "--replay", rest]
        done = _execute(command, lambda _seconds: None, enclose)
        report = _parse(client, "replay", str(program), done)
        report.printed = done.stderr
        report.token = token
        if report.trace is not None:
            report.trace.locate()
        return report
