"""The process in which an answer in Python runs. Its request comes on the standard input, before the answer loads."""

import asyncio
import functools
import inspect
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from lockfree.modelcheck.python.explore import PythonSettings, explore_made, replay_made, watched
from lockfree.modelcheck.python.files import Program, Unusable
from lockfree.modelcheck.runner import Verdict
from lockfree.practice import power
from lockfree.practice.python_checks import Values, load_check
from lockfree.practice.python_ways import Ways
from lockfree.practice.syscalls import forbid
from lockfree.practice.walls import REFUSED, guard
from lockfree.practice.watch import Watch

Scenario = Callable[[ModuleType], object]
"""A function of a kata's `check.py`; it gets the answer."""
TICKS = 0.2
EXECUTIONS = 400
"""Of each scenario: half by their deviations, half at random. A count: a busy machine finds the same."""
ROUNDS = (4, 12, 40)
"""Of each scenario before any of them is run at length: most faults show up soon, in one of the scenarios.

The stage `edges` ends with them: it is about one caller. Its schedules differ in the answer's own threads.
"""
LONGEST = 1e6
"""Seconds: a time-out of more is no answer to a wake that is lost. No kata has one of a day."""
THREADS = 200
"""Of one execution. Right answers need a tenth."""
KILLS = 20_000
"""Ways to fail of each `kill_…` function that are tried."""
STAGE = 3
"""A stage may take so many times the CPU time of one scenario. Else ten slow scenarios last ten times as long."""
Say = Callable[[str, object], None]


class Printed(io.TextIOBase):
    """What an answer prints, which nobody reads. It is counted, not encoded: too much ends the process."""

    def __init__(self, most: int, refuse: Callable[[str], object]) -> None:
        self._most = self._left = most
        self._refuse = refuse

    def write(self, text: str, /) -> int:
        self._left -= len(text)
        if self._left < 0:
            self._refuse(f"it prints more than {self._most:,} characters")
        return len(text)


def main() -> None:
    """Runs the scenarios of a stage until one fails."""
    asked = json.load(sys.stdin)
    sys.stdin = open(os.devnull)  # noqa: SIM115 - the answer reads nothing
    output = os.fdopen(asked["descriptor"], "w", encoding="utf-8")
    secret = asked["secret"]

    def say(what: str, value: object) -> None:
        output.write(json.dumps([secret, what, value]) + "\n")
        output.flush()

    def refuse(why: str, *, write: Any = os.write, end: Any = os._exit) -> None:
        """With nothing that an answer could have changed."""
        plain = "".join(letter if letter.isprintable() and letter not in '"\\' else "'" for letter in why)
        write(asked["descriptor"], f'["{secret}", "forbidden", "{plain}"]\n'.encode())
        end(REFUSED)

    sys.stdout = sys.stderr = Printed(asked["printed"], refuse)
    values = Values(refuse)
    check = load_check(Path(asked["kata"]) / "check.py", values.look_at)
    forbid()
    guard(asked["answer"], refuse)
    watch = Watch(check, lambda name: refuse(f"it changes {name}, which is not its own"))
    values.remember()
    ways = Ways()
    try:
        program = _load(asked["answer"], ways)
    except (Unusable, OSError) as error:
        say("unusable", str(error))
        say("end", 0)
        return
    if changed := watch.changed():
        refuse(f"it changes {changed}, which is not its own")
    names = [name for name in vars(check) if name.startswith(f"{asked['stage']}_")]
    names = [name for name in names if not name.startswith(tuple(asked["later"]))]
    if asked["replay"]:
        names = [asked["replay"].rpartition(":")[0]]
    stage = _killed if asked["stage"] == "kill" else _explored
    good = True
    for what, name, value, right in stage(asked, check, program, names, say, watch):
        if changed := watch.changed():
            refuse(f"{name}: it changes {changed}, which is not its own")
        say(what, value)
        good &= right
    say("ways", ways.seen())
    if good and (other := asked["known_wrong"]):
        found = stage({**asked, "answer": other}, check, Program(other), names, say, watch)
        say("known wrong", all(right for *_, right in found))
    say("end", len(names))


Found = tuple[str, str, object, bool]
"""What a report is, of which scenario, itself, and whether the answer was right."""


def _explored(  # noqa: PLR0917 - as `_killed`
    asked: dict[str, Any], check: ModuleType, program: Program, names: list[str], say: Say, watch: Watch
) -> Iterator[Found]:
    """The scenarios of a stage under the scheduler, until one fails."""
    settings = {
        "executions": EXECUTIONS * asked["times"],
        "seconds": asked["seconds"],
        "threads": THREADS,
        "longest": LONGEST,
    }
    chosen = PythonSettings(**settings, **asked["settings"], follow=(asked["answer"], str(check.__file__)))
    rounds = [replace(chosen, executions=number) for number in ROUNDS]
    if asked["stage"] != "edges":
        rounds.append(chosen)
    if asked["replay"]:
        rounds = [chosen]
    last = 0.0

    def tick(executions: int, seconds: float, what: str) -> None:
        nonlocal last
        if seconds - last >= TICKS or seconds < last:
            last = seconds
            say("tick", f"{name}: {executions:,} executions, {what}")

    ended: set[str] = set()
    spent = dict.fromkeys(names, 0.0)
    for name, given in [(name, given) for given in rounds for name in names]:
        if name in ended:
            continue
        maker = _maker(program, getattr(check, name))
        most = STAGE * asked["times"] * asked["seconds"] - sum(spent.values())
        bounds = replace(given, seconds=max(0.001, min(asked["seconds"] - spent[name], most)))
        if asked["replay"]:
            report = replay_made(maker, asked["replay"], bounds, watch.entered)
        else:
            report = explore_made(maker, name, bounds, tick, watch.entered)
        spent[name] += report.seconds
        if report.verdict is Verdict.UNKNOWN and given is not rounds[-1] and not report.out_of_time:
            continue
        ended.add(name)
        good = report.verdict in {Verdict.OK, Verdict.UNKNOWN}
        yield "report", name, report.as_dict(), good
        if not good or report.out_of_time:  # a slow answer would be as slow in the others
            return


def _load(answer: str, ways: Ways) -> Program:
    program = Program(answer, ways.rewritten, ways.given)
    if threading.active_count() > 1:
        raise Unusable(f"{program.path.name} starts a thread while it is loaded")
    return program


def _killed(
    asked: dict[str, Any], check: ModuleType, program: Program, names: list[str], say: Say, _watch: Watch
) -> Iterator[Found]:
    """The stage `kill`: no scheduler, but a power supply that fails."""
    last = time.monotonic()

    def tick(executions: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TICKS:
            last = time.monotonic()
            say("tick", f"{name}: {executions:,} power failures")

    for name in names:
        function = getattr(check, name)
        if asked["replay"]:
            choices = power.Choices(power.read_token(asked["replay"].rpartition(":")[2]))
            found = power.once(function, program.load, asked["answer"], choices)
        else:
            found = power.explore(function, program.load, asked["answer"], KILLS * asked["times"], tick)
        yield "killed", name, asdict(found), not found.message
        if found.message:
            return


def _maker(program: Program, scenario: Scenario) -> Callable[[], Callable[[], object]]:
    def run(answer: ModuleType) -> None:
        try:
            found = scenario(answer)
            if inspect.iscoroutine(found):
                asyncio.run(watched(found))
        except SystemExit as error:  # in a thread it is an end like any other; here it would skip the assertions
            raise RuntimeError(f"the answer raises {error!r}") from error

    return lambda: functools.partial(run, program.load())


if __name__ == "__main__":
    main()
    os._exit(0)  # threads that the answer left behind must not hold the process
