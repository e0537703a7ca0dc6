"""`lockfree stress --kill-everywhere`: kills a process after every single instruction of every operation.

The C programs in `c/kill` do the work. There is one for each primitive, compiled when it is first needed: see
kill_programs.py. This module gives each processor operations to run, and prints a table of what they report. For a
breach it prints the place where the victim was killed, and the command that kills it there again.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue

from lockfree._command import UsageError, try_directory
from lockfree._compiler import need_compiler
from lockfree.stress.kill_programs import LOAD, KillError, build, operations, primitives

MODES = ("go-on", "wait", "new", "stopped")
ASLEEP = -2
OK, BREACH, UNKNOWN, USAGE, INTERRUPTED = 0, 1, 2, 3, 130
WATCHDOG = 10.0
OPTIONS = ("--slice", "--operation", "--mode", "--at")
"""Options that have an effect with --kill-everywhere only."""
LONG_ONES = ("attach", "detach", "reap", "waiting", "acquire")


@dataclass(frozen=True)
class Slice:
    """Part n of m of all kill points. Every part has points in every operation."""

    nth: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Slice":
        nth, _, of = text.partition("/")
        try:
            found = cls(int(nth), int(of or 1))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"a slice is N/M, not {text!r}") from error
        if not 1 <= found.nth <= found.of:
            raise argparse.ArgumentTypeError(f"a slice is N/M with 1 <= N <= M, not {text!r}")
        return found

    def first(self, seed: int, operation: str) -> int:
        return (self.nth - 1 + zlib.crc32(f"{seed}/{operation}".encode())) % self.of


@dataclass(frozen=True)
class Breach:
    """One kill after which the contract did not hold."""

    primitive: str
    operation: str
    mode: str
    k: int
    """The number of instructions that the victim had executed; -2: it was killed in its sleep."""
    place: str
    expected: str
    seen: str
    command: str

    def __str__(self) -> str:
        when = "asleep in the kernel" if self.k == ASLEEP else f"after instruction {self.k}, before {self.place}"
        how = "stopped, then killed" if self.mode == "stopped" else "killed"
        return (
            f"BREACH: {self.primitive}, {self.operation}, {how} {when} ({self.mode})\n"
            f"  expected: {self.expected}\n  seen:     {self.seen}\n  again:    {self.command}"
        )


@dataclass(frozen=True)
class Tally:
    """One operation in one mode."""

    operation: str
    mode: str
    instructions: int
    distinct: int
    """How many different instructions these were."""
    points: int
    """Processes killed."""
    diverged: int
    """How many of them had left the recorded path, and died at another instruction."""
    breaches: int
    seconds: float


@dataclass
class Result:
    """One operation of one primitive."""

    primitive: str
    operation: str
    tallies: list[Tally] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    problem: str = ""
    """Why there is no result, if the program itself failed."""

    @property
    def points(self) -> int:
        return sum(tally.points for tally in self.tallies)


def _place(program: Path, event: dict[str, object]) -> str:
    """The place of an instruction as text: a source line of ours, or else object, symbol and offset."""
    address = int(str(event["address"]))
    if address == 0:
        return "the operation began"
    name = os.path.basename(str(event["object"])) or "the kernel's code"
    if name.startswith(program.name):
        command = ["addr2line", "-e", str(program), "-f", "-i", "-p", "-s", hex(address)]
        try:
            found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        except FileNotFoundError:
            found = ""
        if found:
            return f"{address:#x} in {' '.join(found.split())}"
        name = program.name
    return f"{address:#x} in {name} {event['symbol']}+{int(str(event['offset'])):#x}"


@dataclass(frozen=True)
class Load:
    """The result of killing at random moments while several processes work."""

    primitive: str
    rounds: int
    killed: int
    operations: int
    seconds: float
    wrong: str
    """What did not hold; empty: everything held."""
    seed: int
    """The seed of the first round, or of the round that failed. With races, a second run may not fail again."""


def kill_under_load(primitive: str, rounds: int, seed: int = 0) -> Load:
    """Random kills, in C. Each round has a new object and four processes; one to four are killed and replaced."""
    words = [str(build(LOAD[0])), primitive, str(rounds), str(seed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise KillError(f"{shlex.join(words)} ended with status {done.returncode}: {done.stderr.strip()}")
    return Load(**json.loads(done.stdout))


@dataclass(frozen=True)
class Choice:
    """What is to be killed, and when."""

    slice: Slice = Slice()
    seed: int = 0
    modes: tuple[str, ...] = MODES
    at: int | None = None
    watchdog: float = WATCHDOG

    def command(self, primitive: str, operation: str, mode: str, k: int) -> str:
        words = ["lockfree", "stress", primitive, "--kill-everywhere", "--operation", operation, "--mode", mode]
        return shlex.join([*words, "--at", str(k), "--seed", str(self.seed)])


def _events(program: Path, operation: str, mode: str, choice: Choice, cpu: int) -> Iterator[dict[str, object]]:
    at = -1 if choice.at is None else choice.at
    numbers = [choice.slice.first(choice.seed, operation), choice.slice.of, at, choice.seed]
    words = [str(program), "run", operation, mode, *map(str, numbers), str(int(choice.watchdog * 1000)), str(cpu)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode not in (0, 1):
        raise KillError(f"{shlex.join(words)} ended with status {process.returncode}")


def kill_operation(primitive: str, program: Path, operation: str, choice: Choice, cpu: int = -1) -> Result:
    """Runs one operation through all its kill points."""
    result = Result(primitive, operation)
    try:
        for mode in ("all",) if choice.modes == MODES else choice.modes:
            for event in _events(program, operation, mode, choice, cpu):
                if event.pop("event") == "summary":
                    result.tallies.append(Tally(**event))  # type: ignore[arg-type]
                    continue
                where, k = str(event["mode"]), int(str(event["k"]))
                again = choice.command(primitive, operation, where, k)
                place, expected, seen = _place(program, event), str(event["expected"]), str(event["seen"])
                result.breaches.append(Breach(primitive, operation, where, k, place, expected, seen, again))
    except KillError as error:
        result.problem = str(error)
    return result


def _jobs(wanted: Sequence[str], chosen: Sequence[str], instead: Path | None) -> list[tuple[str, Path, str]]:
    """(primitive, program, operation), the longest first, so that no processor works alone on a long one at the end."""
    with ThreadPoolExecutor() as pool:
        programs = list(pool.map(lambda primitive: build(primitive, instead), wanted))
    there = {primitive: operations(program) for primitive, program in zip(wanted, programs, strict=True)}
    if unknown := [name for name in chosen if not any(name in names for names in there.values())]:
        listed = "; ".join(f"{primitive}: {', '.join(names)}" for primitive, names in there.items())
        raise UsageError(f"no operation {', '.join(unknown)}; there are, for {listed}")
    idle = [primitive for primitive, names in there.items() if chosen and not set(chosen) & set(names)]
    if idle and set(wanted) != set(primitives()):
        raise UsageError(f"{', '.join(idle)} has none of these operations: {', '.join(chosen)}")
    jobs = [
        (primitive, program, operation)
        for primitive, program in zip(wanted, programs, strict=True)
        for operation in there[primitive]
        if not chosen or operation in chosen
    ]
    return sorted(jobs, key=lambda job: not any(word in job[2] for word in LONG_ONES))


def campaign(
    wanted: Sequence[str],
    choice: Choice,
    *,
    chosen: Sequence[str] = (),
    jobs: int | None = None,
    instead: Path | None = None,
    progress: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Runs all operations of these primitives (or those `chosen`), `jobs` at a time; calls `progress` after each."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise KillError("killing at every instruction needs Linux on x86-64")
    work = _jobs(wanted, chosen, instead)
    cpus: SimpleQueue[int] = SimpleQueue()
    allowed = sorted(os.sched_getaffinity(0))
    at_once = jobs or len(allowed)
    for i in range(at_once):
        cpus.put(allowed[i % len(allowed)])

    def one(job: tuple[str, Path, str]) -> Result:
        cpu = cpus.get()
        try:
            result = kill_operation(*job, choice, cpu)
        finally:
            cpus.put(cpu)
        if progress is not None:
            progress(result)
        return result

    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(one, work))
        except BaseException:  # Ctrl-C: jobs that have not begun are dropped
            pool.shutdown(wait=False, cancel_futures=True)
            raise


COLUMNS = "{:<16}{:<26}{:>12}{:>10}{:>9}{:>9}{:>10}"
HEADER = COLUMNS.format("PRIMITIVE", "OPERATION", "INSTRUCTIONS", "DISTINCT", "KILLED", "STOPPED", "BREACHES")


def row(result: Result) -> str:
    """A line of the table: the kill points of one operation."""
    stopped = sum(tally.points for tally in result.tallies if tally.mode == "stopped")
    longest = max((tally.instructions for tally in result.tallies), default=0)
    distinct = max((tally.distinct for tally in result.tallies), default=0)
    killed = result.points - stopped
    breaches = len(result.breaches)
    return COLUMNS.format(result.primitive, result.operation, longest, distinct, killed, stopped, breaches)


def _why_nobody(result: Result, choice: Choice) -> str:
    """Why nobody was killed in an operation."""
    if not result.tallies:
        return f"nobody was killed: this operation has no mode {' or '.join(choice.modes)}"
    if choice.at == ASLEEP:
        return "nobody was killed: this operation never sleeps"
    longest = max(tally.instructions for tally in result.tallies)
    return f"nobody was killed: the operation ends after {longest} instructions, before --at {choice.at}"


def run(
    wanted: Sequence[str] = (),
    slice: Slice = Slice(),  # noqa: A002 - the option's name; frozen
    out: Path | None = None,
    *,
    seed: int = 0,
    operation: Sequence[str] = (),
    mode: Sequence[str] = MODES,
    at: int | None = None,
    jobs: int | None = None,
    watchdog: float = WATCHDOG,
) -> int:
    """Runs the command: kills, prints the table and the breaches, writes `out`/kill-everywhere.json.

    Returns 0 if every contract was kept, 1 for a breach, 2 if it could not run. Raises UsageError for a primitive or an
    operation that does not exist, and if nothing can be written to `out`.
    """
    there = primitives()
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise UsageError(f"no primitive {', '.join(unknown)}; there are {', '.join(there)}")
    need_compiler()
    if out is not None:
        try_directory("--out", out)
    choice = Choice(slice, seed, tuple(mode), at, watchdog)
    start = time.monotonic()
    heading = iter([HEADER])  # once it is known that the work can begin

    def show(result: Result) -> None:
        for line in heading:
            print(line)
        print(row(result), flush=True)
        for breach in result.breaches:
            print(breach, flush=True)
        if why := result.problem or (_why_nobody(result, choice) if not result.points else ""):
            print(f"{result.primitive}, {result.operation}: {why}", flush=True)

    try:
        results = campaign(list(dict.fromkeys(wanted)) or there, choice, chosen=operation, jobs=jobs, progress=show)
    except KillError as error:
        print(f"lockfree stress --kill-everywhere: {error}")
        return UNKNOWN
    except KeyboardInterrupt:
        print("interrupted")
        return INTERRUPTED
    breaches, points = sum(len(r.breaches) for r in results), sum(r.points for r in results)
    seconds = time.monotonic() - start
    print(f"{points:,} processes killed in {len(results)} operations, {breaches} breaches, {seconds:.0f} s")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        report = {"seed": seed, "slice": asdict(slice), "seconds": seconds, "results": [asdict(r) for r in results]}
        (out / "kill-everywhere.json").write_text(json.dumps(report, indent=1))
    if breaches:
        return BREACH
    return UNKNOWN if any(r.problem or not r.points for r in results) else OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --kill-everywhere and its options."""
    group = parser.add_argument_group("killed at every instruction")
    group.add_argument("--kill-everywhere", action="store_true", help="kill a process after each instruction in turn")
    group.add_argument("--slice", type=Slice.parse, metavar="N/M", help="only a part of the instructions, such as 3/20")
    group.add_argument(
        "--operation", action="append", default=[], metavar="NAME", help="only this operation (may be repeated)"
    )
    group.add_argument(
        "--mode", action="append", choices=MODES, help="only this way to continue after the kill (may be repeated)"
    )
    group.add_argument("--at", type=_point, metavar="K", help="kill only after K instructions (-2: while it sleeps)")


def _point(text: str) -> int:
    if not text.isdecimal() and text != str(ASLEEP):
        raise argparse.ArgumentTypeError(f"a point is a number of instructions, or {ASLEEP} for asleep, not {text}")
    return int(text)


def run_arguments(args: argparse.Namespace) -> int:
    """Runs what the command line says."""
    part, modes, seed = args.slice or Slice(), tuple(args.mode or MODES), args.seed or 0
    return run(args.primitives, part, args.out, seed=seed, operation=args.operation, mode=modes, at=args.at)
