"""The judge's stages for C: each runs the answer under the model checker, linked with a client of the kata.

The answer is one file; the clients see its functions through the kata's header alone. So the answer can change neither
their macros nor their names.
"""

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
            results.append(_result(kata, stage, report))
            if results[-1].outcome is Outcome.FAILED:
                break
    except (BuildError, ValueError) as error:
        return Result(stage, Outcome.FAILED, f"it does not build with the kata's clients: {error}")
    found = worst(results)
    if found.outcome is Outcome.PASSED:
        return Result(stage, Outcome.PASSED, f"{len(results)} clients, {executions:,} executions, every one right")
    return found


def _result(kata: Kata, stage: str, report: Report) -> Result:
    if report.verdict is Found.OK:
        return Result(stage, Outcome.PASSED, report.bounds(), client=report.client, seconds=report.seconds)
    if report.verdict is Found.VIOLATION:
        diagnosis = kata.diagnose(stage, report.client, report.kind, report.message)
        detail = report.trace.render() if report.trace is not None else ""
        message = f"{report.client}: {report.kind}: {report.message}"
        return Result(stage, Outcome.FAILED, message, diagnosis, detail, report.token, report.client, report.seconds)
    if report.verdict is Found.UNUSABLE:
        message = f"{report.client}: the program ends without a verdict: {report.message}"
        return Result(stage, Outcome.FAILED, message, client=report.client, seconds=report.seconds)
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
            return Result("threads", Outcome.FAILED, f"it does not build with the kata's clients: {built.stderr[:300]}")
        with limited([program], Limits(seconds=4 * seconds), stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            said = process.stderr.read(4096).decode(errors="replace").strip()
            status = process.wait()
    if status == 0:
        return Result("threads", Outcome.PASSED, "real threads, and what one thread alone shows in large sizes")
    message = said or ended(status)
    return Result("threads", Outcome.FAILED, message, kata.diagnose("threads", "", "", message))


def again(kata: Kata, answer: Path, failure: Result) -> str:
    """The failing execution once more, as text."""
    report = replay(_sources(kata, f"{failure.stage}.c", answer), failure.token, include=_includes(kata))
    if report.verdict is not Found.VIOLATION or report.trace is None:
        return "This execution shows no failure any more: the answer has changed since."
    return f"{report.kind}: {report.message}\n\n{report.trace.render()}"
