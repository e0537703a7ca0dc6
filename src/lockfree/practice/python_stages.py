"""The judge's stages for Python: the answer under the explorer of schedules, in a process of its own.

A kata's `check.py` has functions `edges_…` (one thread) and `schedules_…` (threads or tasks), which get the answer's
module, and `kill_…`, which get a `power.Machine`. They raise AssertionError with a text that begins with a diagnosis:
`[Q2] …`.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lockfree.modelcheck.python.explore import PythonReport
from lockfree.modelcheck.python.listening import Silent, lines
from lockfree.modelcheck.python.scheduler import Row
from lockfree.modelcheck.python.trace import render
from lockfree.modelcheck.runner import Verdict as Found
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import Limits, ended, limited, rests, used
from lockfree.practice.python_ways import Way, one_way
from lockfree.practice.results import NOT_YET, Outcome, Result, worst
from lockfree.practice.walls import REFUSED

Tell = Callable[[str], object]
SILENT = 10.0
"""Seconds of CPU time after which a silent child makes no progress. It says something every 0.2 s else."""
CHANGED = "This execution shows no failure any more: the answer has changed since."
SAFETY = 60.0
"""Seconds of CPU time that a scenario may take; right answers need a tenth. The bound is a count: a busy machine finds
the same.
"""
PRINTED = 64 << 20
"""Characters that an answer may print in a stage. One line in each call of a right answer needs a tenth of them."""


class Lost(Exception):
    """The process ended without a verdict; the text says how."""


def _known_wrong(kata: Kata, stage: str) -> str:
    """One of the kata's wrong answers that this stage must reject; nobody can know which. Empty if there is none."""
    there = [str(sample.path) for sample in kata.samples if not sample.right and sample.stage == stage]
    return secrets.choice(there) if there else ""


def _ask(
    kata: Kata, answer: Path, stage: str, times: int, *, replay: str = "", tell: Tell | None = None,
    later: tuple[str, ...] = (),
) -> list[Any]:  # fmt: skip
    """Runs a stage in a child; what it says. Raises `Lost`.

    If everything is right, the same process judges an answer that is known to be wrong, and says what it makes of it.
    """
    known_wrong = "" if replay or later else _known_wrong(kata, stage)
    reading, writing = os.pipe()
    secret = secrets.token_hex(16)
    request = {
        "kata": str(kata.folder), "answer": str(answer), "stage": stage, "seconds": SAFETY, "replay": replay,
        "settings": kata.settings, "times": times, "descriptor": writing, "secret": secret, "known_wrong": known_wrong,
        "later": later, "printed": PRINTED,
    }  # fmt: skip
    command = [sys.executable, "-P", "-m", "lockfree.practice.python_child"]  # no module of the reader's folder
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
    said: list[Any] = []
    with limited(
        command, Limits(seconds=20 * SAFETY), pass_fds=[writing], env=environment, stdin=subprocess.PIPE
    ) as process:
        os.close(writing)
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
        for what, value in _said(reading, process.pid, secret):
            if what == "tick" and tell is not None:
                tell(value)
            elif what != "tick":
                said.append((what, value))
        status = process.wait()
    if status == REFUSED:
        return [said[-1] if said and said[-1][0] == "forbidden" else ("forbidden", "it changes what is not its own")]
    if not said or said[-1][0] != "end":
        raise Lost(ended(status))
    if ("known wrong", True) in said:
        name = Path(known_wrong).name
        return [("forbidden", f"the judge's process rejects nothing any more, not even wrong/{name}: it was changed")]
    return [(what, value) for what, value in said[:-1] if what != "known wrong"]


def _said(descriptor: int, session: int, secret: str) -> Iterator[tuple[str, Any]]:
    """What the child says. Raises `Lost` if it is silent for long: the answer does not come back."""
    try:
        for line in lines(
            descriptor, lambda: used(session), lambda: rests(session), SILENT, "in one call"
        ):  # fmt: skip
            try:
                key, what, value = json.loads(line)
            except (ValueError, TypeError):
                key = ""
            if key != secret:
                raise Lost("it writes where the judge writes")
            yield what, value
    except Silent as silent:
        raise Lost(str(silent)) from None


def _stage(
    kata: Kata, answer: Path, stage: str, times: int, tell: Tell, *, ways: list[list[Way]], later: tuple[str, ...] = ()
) -> Result:
    """One stage. ways: learns how comparisons came out."""
    results, executions = [], []
    try:
        for what, value in _ask(kata, answer, stage, times, tell=tell, later=later):
            if what == "ways":
                ways.append(value)
                continue
            if what in {"unusable", "forbidden"}:
                return Result(stage, Outcome.FAILED, value, "ENDS" if what == "unusable" else "FORBIDDEN")
            executions.append(value["executions"])
            results.append(
                _killed(kata, value) if what == "killed" else _result(kata, stage, PythonReport.from_dict(value))
            )
    except Lost as lost:
        return Result(stage, Outcome.FAILED, f"the process ends without a verdict: {lost}", "ENDS")
    found = worst(results)
    if found.outcome is not Outcome.PASSED:
        return found
    if not all(executions):
        return Result(stage, Outcome.FAILED, "a scenario has passed that was never run", "FORBIDDEN")
    what = "ways for the power to fail" if stage == "kill" else "schedules"
    message = f"{len(results)} scenarios, {sum(executions):,} {what}, every one right{NOT_YET if later else ''}"
    return Result(stage, Outcome.PASSED, message, looked_at=tuple(result.message for result in results))


def _result(kata: Kata, stage: str, report: PythonReport) -> Result:
    client = report.client
    if report.verdict is Found.VIOLATION:
        unwritten = report.message.startswith("NotImplementedError")
        diagnosis = "START" if unwritten else kata.diagnose(stage, client, report.kind, report.message)
        message = f"{client}: {report.kind}: {report.message}"
        return Result(stage, Outcome.FAILED, message, diagnosis, report.trace, report.token, client, report.seconds)
    if report.verdict is Found.UNUSABLE:
        return Result(stage, Outcome.FAILED, f"{client}: {report.message}", "ENDS", client=client)
    passed = report.verdict is Found.OK or not report.out_of_time
    outcome = Outcome.PASSED if passed else Outcome.UNDECIDED
    slow = "" if passed else f"; {report.seconds:.2g} s of CPU time were too few, and the rest was left unchecked"
    return Result(stage, outcome, f"{client}: {report.bounds()}{slow}", client=client, seconds=report.seconds)


def _killed(kata: Kata, value: dict[str, Any]) -> Result:
    client, message, executions = value["client"], value["message"], value["executions"]
    if not message:
        part = "every way" if value["complete"] else "part of the ways"
        return Result("kill", Outcome.PASSED, f"{client}: {part} for the power to fail: {executions:,}", client=client)
    unwritten = message.startswith("NotImplementedError")
    diagnosis = "START" if unwritten else kata.diagnose("kill", client, "power failure", message)
    text = f"{client}: after a power failure: {message}"
    return Result("kill", Outcome.FAILED, text, diagnosis, _shown(value), value["token"], client)


def _shown(value: dict[str, Any], width: int = 0) -> str:
    return render([Row(**row) for row in value["rows"]], value["message"], width)


def stages(kata: Kata, answer: Path, *, full: bool, tell: Tell, later: tuple[str, ...] = ()) -> Iterator[Result]:
    """The stages in order."""
    times = 6 if full else 1
    ways: list[list[Way]] = []
    yield _stage(kata, answer, "edges", times, tell, ways=ways, later=later)
    yield _stage(kata, answer, "schedules", times, tell, ways=ways)
    if "\ndef kill_" in (kata.folder / "check.py").read_text(encoding="utf-8"):
        yield _stage(kata, answer, "kill", times, tell, ways=ways)
    if not later and (left := list(one_way(ways))):
        why = "what it leads to otherwise was not judged"
        yield Result("reach", Outcome.FAILED, f"{answer.name}, {left[0]}: {why}", "REACH", "\n".join(left))


def again(kata: Kata, answer: Path, failure: Result, width: int = 0) -> str:
    """The failing execution once more, as text."""
    try:
        said = _ask(kata, answer, failure.stage, 1, replay=failure.token)
    except Lost as lost:
        return f"the process ends without a verdict: {lost}"
    what, value = said[0]
    if what == "unusable":
        return str(value)
    if what == "killed":
        return _shown(value, width) if value["message"] else CHANGED
    report = PythonReport.from_dict(value)
    if report.verdict is not Found.VIOLATION:
        return CHANGED
    return f"{report.kind}: {report.message}\n\n{render(report.rows, report.message, width)}"
