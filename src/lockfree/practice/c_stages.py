"""The judge's stages for C: each runs the answer under the model checker, linked with a client of the kata.

The answer is one file; the clients see its functions through the kata's header alone. So the answer can change neither
their macros nor their names.
"""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.modelcheck import BuildError, Report, Settings, replay
from lockfree.modelcheck import Verdict as Found
from lockfree.modelcheck.runner import checks
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import Limits, ended, limited
from lockfree.practice.results import Outcome, Result, worst
from lockfree.practice.screen import relative

ASSERTION = re.compile(r"(\S+:\d+): [^:]*: Assertion `(.*)' failed", re.DOTALL)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
Tell = Callable[[str], object]
"""Is told how far a stage is."""


def _sources(kata: Kata, check: str, answer: Path) -> list[str]:
    return [str(kata.folder / "check" / check), str(answer)]


def _includes(kata: Kata) -> list[str]:
    return [str(kata.folder / "include")]


def checked(kata: Kata, answer: Path, stage: str, settings: Settings, tell: Tell) -> Result:
    """Every client of `check/STAGE.c`, one after another until one fails."""
    results: list[Result] = []
    executions = 0
    try:
        reports = checks(
            _sources(kata, f"{stage}.c", answer), settings=settings, include=_includes(kata),
            tick=lambda client, _mode, _seconds, progress: tell(f"{client}: {progress.executions:,} executions"),
        )  # fmt: skip
        for report in reports:
            executions += report.executions
            results.append(_result(kata, answer, stage, report))
            if results[-1].outcome is Outcome.FAILED:
                break
    except (BuildError, ValueError) as error:
        said = relative(str(error), kata, answer)
        return Result(stage, Outcome.FAILED, f"it does not build with the kata's clients: {said}")
    found = worst(results)
    if found.outcome is Outcome.PASSED:
        looked_at = tuple(f"{result.client}: {result.message}" for result in results)
        message = f"{len(results)} clients, {executions:,} executions, every one right"
        return Result(stage, Outcome.PASSED, message, looked_at=looked_at)
    return found


def _result(kata: Kata, answer: Path, stage: str, report: Report) -> Result:
    if report.verdict is Found.OK:
        return Result(stage, Outcome.PASSED, report.bounds(), client=report.client, seconds=report.seconds)
    if report.verdict is Found.VIOLATION:
        diagnosis = kata.diagnose(stage, report.client, report.kind, report.message)
        detail = relative(report.trace.render(), kata, answer) if report.trace is not None else ""
        message = relative(f"{report.client}: {report.kind}: {report.message}", kata, answer)
        return Result(stage, Outcome.FAILED, message, diagnosis, detail, report.token, report.client, report.seconds)
    if report.verdict is Found.UNUSABLE:
        said = relative(report.message, kata, answer)
        message = f"{report.client}: the program ends without a verdict: {said}"
        return Result(stage, Outcome.FAILED, message, "ENDS", client=report.client, seconds=report.seconds)
    return Result(stage, Outcome.UNDECIDED, f"{report.client}: {report.bounds()}", client=report.client)


def stages(kata: Kata, answer: Path, *, full: bool, tell: Tell) -> Iterator[Result]:
    """Runs the stages that the kata's folder has a client for."""
    seconds = kata.seconds * (6 if full else 1)
    if (kata.folder / "check" / "edges.c").is_file():
        yield checked(kata, answer, "edges", Settings(mode="exhaustive", seconds=seconds, steps=10**6), tell)
    yield checked(kata, answer, "model", Settings(seconds=seconds, **kata.settings), tell)
    if (kata.folder / "check" / "stop.c").is_file():
        yield checked(kata, answer, "stop", Settings(seconds=seconds, threads_stop=True, **kata.settings), tell)
    if (kata.folder / "check" / "threads.c").is_file():
        yield _threads(kata, answer, seconds)


def _threads(kata: Kata, answer: Path, seconds: float) -> Result:
    """`check/threads.c` on the real machine, with real threads."""
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        program = str(Path(scratch) / "threads")
        command = [*compiler(), "-std=c11", "-O2", "-pthread", *(f"-I{i}" for i in _includes(kata))]
        command += [*_sources(kata, "threads.c", answer), "-o", program]
        built = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if built.returncode:
            words = relative(built.stderr, kata, answer)[:300]
            return Result("threads", Outcome.FAILED, f"it does not build with the kata's clients: {words}")
        with limited([program], Limits(seconds=4 * seconds), stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            said = process.stderr.read(4096).decode(errors="replace").strip()
            status = process.wait()
    if status == 0:
        return Result("threads", Outcome.PASSED, "real threads, and what one thread alone shows in large sizes")
    if not said:
        return Result("threads", Outcome.FAILED, ended(status), "ENDS")
    message = _asserted(relative(said, kata, answer))
    return Result("threads", Outcome.FAILED, message, kata.diagnose("threads", "", "", message))


def _asserted(said: str) -> str:
    """What an assertion of `check/threads.c` says: its text and its place."""
    found = ASSERTION.search(said)
    if found is None:
        return said
    words = TEXT.findall(found[2])
    return f"this does not hold: {words[-1] if words else found[2]} ({found[1]}: {found[2]})"


def again(kata: Kata, answer: Path, failure: Result) -> str:
    """The failing execution once more, as text."""
    report = replay(_sources(kata, f"{failure.stage}.c", answer), failure.token, include=_includes(kata))
    if report.verdict is not Found.VIOLATION or report.trace is None:
        return "This execution shows no failure any more: the answer has changed since."
    return relative(f"{report.kind}: {report.message}\n\n{report.trace.render()}", kata, answer)
