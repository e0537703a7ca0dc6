"""The stages for C that run `check/threads.c` on the real machine: threads, sanitizers, speed, the cost of a call."""

import functools
import math
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_text import STANDARD
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import Limits, ended, finish, limited
from lockfree.practice.results import Outcome, Result
from lockfree.practice.screen import relative

ASSERTION = re.compile(r"(\S+:\d+): [^:]*: Assertion `(.*)' failed", re.DOTALL)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
RUNTIME = Path(__file__).parent / "runtime"
SANITIZERS = {
    "ThreadSanitizer": ("thread", "It does not know fences: with them, a report of a race may be false."),
    "AddressSanitizer": ("address,undefined", ""),
}
ROUNDS = 5
"""Times that each program of the stage `speed` runs, in turn; the fastest counts."""


class NotBuilt(Exception):
    """The answer does not build with the kata's clients; the text is what the compiler said."""


@functools.cache
def atomics() -> tuple[str, ...]:
    """The library for atomic operations on sixteen bytes, where the compiler has one; linked only if it is used."""
    name = "libatomic.so"
    asked = [*compiler(), f"-print-file-name={name}"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return ("-Wl,--push-state,--as-needed", "-latomic", "-Wl,--pop-state") if found not in {"", name} else ()


def built(kata: Kata, answer: Path, output: Path, *flags: str, extra: Sequence[str] = ()) -> Path:
    """`check/threads.c` with an answer, as a program. Raises `NotBuilt`."""
    sources = [str(kata.folder / "check" / "threads.c"), str(answer), *extra]
    command = [*compiler(), STANDARD, "-O2", "-pthread", *flags, f"-I{kata.folder / 'include'}", *sources]
    done = subprocess.run(
        [*command, *atomics(), "-o", str(output)], capture_output=True, text=True, errors="replace", check=False
    )  # fmt: skip
    if done.returncode:
        raise NotBuilt(relative(done.stderr, kata, answer)[:600])
    return output


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Ran:
    """How a program ended, what it said (its first 64 KiB), and the seconds that it took."""

    status: int
    said: str
    seconds: float
    still: bool


def run(program: Path, seconds: float, *, memory: int = 4 << 30, env: dict[str, str] | None = None) -> Ran:
    """Runs a program with limits; one that makes no progress is ended."""
    began = time.monotonic()
    limits = Limits(seconds=seconds, memory=memory)
    with limited([str(program)], limits, stderr=subprocess.PIPE, env=env or {}) as process:
        said, still = finish(process)
    return Ran(process.returncode, said, time.monotonic() - began, still)


def threads(kata: Kata, answer: Path, seconds: float) -> Result:
    """Real threads or processes, and what one alone shows in large sizes."""
    with scratch() as folder:
        try:
            program = built(kata, answer, folder / "threads")
        except NotBuilt as error:
            return Result("threads", Outcome.FAILED, f"it does not build with the kata's clients: {error}")
        ran = run(program, max(12.0, seconds))
    if ran.status == 0:
        return Result("threads", Outcome.PASSED, "real threads, and what one thread alone shows in large sizes")
    if ran.still:
        message = "no progress: nothing used the processor any more, and nothing ended"
        return Result(
            "threads", Outcome.FAILED, message, kata.diagnose("threads", "", "no progress", message) or "ENDS"
        )
    message = asserted(relative(ran.said, kata, answer))
    if not message:
        message = ended(ran.status)
        return Result("threads", Outcome.FAILED, message, kata.diagnose("threads", "", "ends", message) or "ENDS")
    return Result("threads", Outcome.FAILED, message, kata.diagnose("threads", "", "", message))


def asserted(said: str) -> str:
    """What the first assertion among a program's words says, with its place; empty if there is none."""
    found = ASSERTION.search(said)
    if found is None:
        return ""
    words = TEXT.findall(found[2])
    return f"this does not hold: {words[-1] if words else found[2]} ({found[1]}: {found[2]})"


def sanitizers(kata: Kata, answer: Path, seconds: float) -> Result:
    """What the compiler's sanitizers say of the same program. Advisory: it never decides."""
    lines = [_sanitized(kata, answer, name, seconds) for name in SANITIZERS]
    return Result("sanitizers", Outcome.NOTED, "advisory: what they say decides nothing", looked_at=tuple(lines))


def _sanitized(kata: Kata, answer: Path, name: str, seconds: float) -> str:
    option, caution = SANITIZERS[name]
    with scratch() as folder:
        try:
            program = built(kata, answer, folder / "sanitized", "-g", "-Wno-tsan", f"-fsanitize={option}")
        except NotBuilt:
            return f"{name}: not in this compiler"
        colour = {"TSAN_OPTIONS": "color=never:halt_on_error=1", "ASAN_OPTIONS": "color=never:detect_leaks=0"}
        ran = run(program, 10 * seconds, memory=-1, env=colour)
    said = relative(ran.said, kata, answer)
    found = re.search(r"(?:WARNING|ERROR): \w+Sanitizer: ([^\n(]+)|runtime error: ([^\n]+)", said)
    if found is None:
        return f"{name}: no report" if ran.status == 0 else f"{name}: it could not run here ({ended(ran.status)})"
    at = re.search(rf"{re.escape(answer.name)}:\d+", said)
    where = f" at {at[0]}" if at else ""
    return f"{name}: {(found[1] or found[2]).strip()}{where}. {caution}".strip()


def _reference(kata: Kata) -> Path:
    """The right solution that others are compared with: the one that the kata names, or the first."""
    named = kata.folder / "right" / kata.reference
    return named if kata.reference else next(sample.path for sample in kata.samples if sample.right)


def with_a_mutex(kata: Kata) -> Path | None:
    """One mutex around everything: a right solution, or a file of the judge's own where that is none."""
    there = (kata.folder / folder / "mutex.c" for folder in ("right", "check"))
    return next((path for path in there if path.is_file()), None)


def speed(kata: Kata, answer: Path, seconds: float) -> Result:
    """The ratio of the times that `check/threads.c` takes, all in one run. Advisory: it never decides."""
    others = {"the reference": _reference(kata)}
    if (mutex := with_a_mutex(kata)) is not None:
        others["a mutex"] = mutex
    best = dict.fromkeys(["yours", *others], math.inf)
    with scratch() as folder:
        try:
            programs = {
                name: built(kata, path, folder / f"speed-{number}")
                for number, (name, path) in enumerate({"yours": answer, **others}.items())
            }
        except NotBuilt as error:
            return Result("speed", Outcome.NOTED, f"advisory: not measured: {error}")
        for _ in range(ROUNDS):
            for name, program in programs.items():
                ran = run(program, 4 * seconds)
                if ran.status:
                    return Result("speed", Outcome.NOTED, f"advisory: not measured: {name}: {ended(ran.status)}")
                best[name] = min(best[name], ran.seconds)
    lines = [f"{best['yours'] / best[name]:.2f} times as long as {name}" for name in others]
    message = f"advisory: the clients of the stage threads take {', '.join(lines)} (fastest of {ROUNDS}, in one run)"
    return Result("speed", Outcome.NOTED, message)


@dataclass(frozen=True)
class Cost:
    """Averages of one function's calls under the kata's threads. moved: cache lines that came from another thread."""

    function: str
    calls: int
    rmw: float
    loads: float
    stores: float
    fences: float
    lines: float
    moved: float

    def __str__(self) -> str:
        fences = f", {self.fences:.1f} fences" if self.fences else ""
        return (
            f"{self.function}: {self.rmw:.1f} read-modify-writes, {self.loads:.1f} atomic loads, {self.stores:.1f} "
            f"atomic stores{fences}, {self.lines:.1f} cache lines of which {self.moved:.1f} come from another thread "
            f"({self.calls:,} calls)"
        )


def costs(kata: Kata, answer: Path, seconds: float) -> list[Cost]:
    """What each function of the interface does in a call, counted while `check/threads.c` runs. Empty: it cannot be."""
    cc, clients = compiler(), str(kata.folder / "check" / "threads.c")
    with scratch() as folder:
        counted, runtime, program = folder / "answer.o", folder / "count.o", folder / "counted"
        include = f"-I{kata.folder / 'include'}"
        options = (STANDARD, "-O1", "-fsanitize=thread", "-finstrument-functions", "-Wno-tsan", "-fno-pie")
        commands = [
            [*cc, *options, include, "-c", str(answer), "-o", str(counted)],
            [*cc, "-std=gnu11", "-O2", "-c", str(RUNTIME / "count.c"), "-o", str(runtime)],
            [*cc, STANDARD, "-O2", "-pthread", "-fno-pie", "-no-pie", include, clients,
             str(counted), str(runtime), *atomics(), "-o", str(program)],
        ]  # fmt: skip
        for command in commands:
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return []
        listed = subprocess.run(["nm", "-P", str(program)], capture_output=True, text=True, check=False).stdout
        names = {int(line.split()[2], 16): line.split()[0] for line in listed.splitlines() if " T " in line}
        said = run(program, 10 * seconds).said
    found = []
    for line in said.splitlines():
        what, *numbers = line.split("\t")
        if what == "counted" and (name := names.get(int(numbers[0], 16))) in kata.interface:
            calls = int(numbers[1])
            found.append(Cost(str(name), calls, *(int(number) / calls for number in numbers[2:])))
    return found
