"""The process in which an answer in Python runs. Its request comes on the standard input, before the answer loads."""

import functools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from lockfree.modelcheck.python.explore import PythonSettings, explore_made, replay_made
from lockfree.modelcheck.python.files import Program, Unusable
from lockfree.modelcheck.runner import Verdict
from lockfree.practice import power
from lockfree.practice.syscalls import forbid
from lockfree.practice.walls import guard

Scenario = Callable[[ModuleType], object]
"""A function of a kata's `check.py`; it gets the answer."""
TICKS = 0.2
EXECUTIONS = 400
"""Of each scenario: half by their deviations, half at random. A count: a busy machine finds the same."""
ROUNDS = (4, 40)
"""Of each scenario before any of them is run at length: most faults show up soon, in one of the scenarios.

The stage `edges` ends with them: it is about one caller. Its schedules differ in the answer's own threads.
"""
KILLS = 20_000
"""Ways to fail of each `kill_…` function that are tried."""
WATCHED = ("__main__", "builtins", "threading", "time", "queue", "asyncio", "concurrent", "random", "lockfree")
OWN = ("threading.", "lockfree", "__main__")
"""Modules whose private functions must stay as they are, too; others change some of their own."""
Say = Callable[[str, object], None]


def main() -> None:
    """Runs the scenarios of a stage until one fails."""
    asked = json.load(sys.stdin)
    sys.stdin = open(os.devnull)  # noqa: SIM115 - the answer reads nothing
    output = os.fdopen(asked["descriptor"], "w", encoding="utf-8")
    secret = asked["secret"]

    def say(what: str, value: object) -> None:
        output.write(json.dumps([secret, what, value]) + "\n")
        output.flush()

    check = load_check(Path(asked["kata"]) / "check.py")
    settings = {"executions": EXECUTIONS * asked["times"], "seconds": asked["seconds"], **asked["settings"]}
    chosen = PythonSettings(**settings, follow=(asked["answer"], str(check.__file__)))
    rounds = [replace(chosen, executions=number) for number in ROUNDS]
    if asked["stage"] != "edges":
        rounds.append(chosen)
    library = _library()
    forbid()

    def refuse(why: str) -> None:
        say("forbidden", why)
        say("end", 0)
        os._exit(0)

    guard(asked["answer"], refuse)
    try:
        program = _load(asked["answer"])
    except (Unusable, OSError) as error:
        say("unusable", str(error))
        say("end", 0)
        return
    names = [name for name in vars(check) if name.startswith(f"{asked['stage']}_")]
    if asked["stage"] == "kill":
        _kill(asked, check, program, names, say)
        return
    last = 0.0

    def tick(executions: int, seconds: float, what: str) -> None:
        nonlocal last
        if seconds - last >= TICKS or seconds < last:
            last = seconds
            say("tick", f"{name}: {executions:,} executions, {what}")

    if asked["replay"]:
        names = [asked["replay"].rpartition(":")[0]]
        rounds = [chosen]
    ended: set[str] = set()
    for name, bounds in [(name, bounds) for bounds in rounds for name in names]:
        if name in ended:
            continue
        maker = _maker(program, getattr(check, name))
        if asked["replay"]:
            report = replay_made(maker, asked["replay"], bounds)
        else:
            report = explore_made(maker, name, bounds, tick)
        if report.verdict is Verdict.UNKNOWN and bounds is not rounds[-1]:
            continue
        ended.add(name)
        if changed := _changed(library):
            say("forbidden", f"{name}: it changes {changed}, which is not its own")
            break
        say("report", report.as_dict())
        if report.verdict not in {Verdict.OK, Verdict.UNKNOWN}:
            break
    say("end", len(names))


def _load(answer: str) -> Program:
    program = Program(answer)
    if threading.active_count() > 1:
        raise Unusable(f"{program.path.name} starts a thread while it is loaded")
    return program


def _library() -> dict[tuple[str, str], object]:
    """Everything that the modules which answers may use hold, and their classes, too."""
    found: dict[tuple[str, str], object] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in WATCHED:
            for attribute, value in list(vars(module).items()):
                found[name, attribute] = value
                if isinstance(value, type) and value.__module__ == name:
                    found |= {(f"{name}.{attribute}", part): inner for part, inner in vars(value).items()}
    return found


def _changed(library: dict[tuple[str, str], object]) -> str:
    """The first that is not what it was; empty if everything is."""
    now = _library()
    for (owner, attribute), value in library.items():
        private = attribute[:1] == "_" and not owner.startswith(OWN)
        if now.get((owner, attribute)) is not value and callable(value) and not private:
            return f"{owner}.{attribute}"
    return ""


def _kill(asked: dict[str, Any], check: ModuleType, program: Program, names: list[str], say: Say) -> None:
    """The stage `kill`: no scheduler, but a power supply that fails."""
    last = time.monotonic()

    def tick(executions: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TICKS:
            last = time.monotonic()
            say("tick", f"{name}: {executions:,} power failures")

    if asked["replay"]:
        names = [asked["replay"].rpartition(":")[0]]
    for name in names:
        function = getattr(check, name)
        if asked["replay"]:
            choices = power.Choices(power.read_token(asked["replay"].rpartition(":")[2]))
            found = power.once(function, program.load, asked["answer"], choices)
        else:
            found = power.explore(function, program.load, asked["answer"], KILLS * asked["times"], tick)
        say("killed", asdict(found))
        if found.message:
            break
    say("end", len(names))


def _maker(program: Program, scenario: Scenario) -> Callable[[], Callable[[], object]]:
    def run(answer: ModuleType) -> object:
        try:
            return scenario(answer)
        except SystemExit as error:  # in a thread it is an end like any other; here it would skip the assertions
            raise RuntimeError(f"the answer raises {error!r}") from error

    return lambda: functools.partial(run, program.load())


def load_check(path: Path) -> ModuleType:
    """The module of a kata's `check.py`."""
    spec = util.spec_from_file_location("lockfree_practice_check", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
    os._exit(0)  # threads that the answer left behind must not hold the process
