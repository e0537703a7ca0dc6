"""You are the scheduler: a wrong answer of a kata, step by step, until it fails.

A position is the list of the choices that were made. From it the program is run again, as a token says: in C under the
model checker, in Python under its scheduler. Where the list ends, the next choice is the reader's. After The Deadlock
Empire (Čermák and others, 2016), with the choices of weak memory.
"""

import functools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lockfree._command import UsageError
from lockfree.modelcheck import Settings, build
from lockfree.modelcheck.python.explore import PythonSettings, explore_made
from lockfree.modelcheck.python.files import Program
from lockfree.modelcheck.python.scheduler import Controlled, Row
from lockfree.modelcheck.python.search import read_token
from lockfree.modelcheck.python.step_by_step import once
from lockfree.modelcheck.python.trace import render
from lockfree.modelcheck.runner import Asked, Report, Verdict, checks, step_by_step
from lockfree.practice.catalog import Kata, Sample
from lockfree.practice.python_checks import load_check
from lockfree.practice.terminal import hanging, width

DIGITS = "0123456789abcdefghijklmnopqrstuvwxy"
WHAT = {
    "thread": "who goes on?",
    "read": "which value does it read?",
    "place": "where does the store come in the order of its variable?",
    "value": "which one?",
}
SOON = (20, 100, 500)
"""Schedules of each scenario, first few, then more: one scenario that passes keeps nobody from the one that fails."""
HELP = "a number: choose · Enter: the first · u: take one back · r: from the beginning · h: a hint · q: give up"


@dataclass(frozen=True)
class Option:
    """A way to go on. value: what stands in the list of choices; text: what happens then."""

    value: int
    text: str


@dataclass(frozen=True)
class Look:
    """What is to be seen at a position. question: empty if the execution has ended; failure: if it failed."""

    trace: str
    question: str
    options: tuple[Option, ...] = ()
    failure: str = ""


class Game(Protocol):
    """A program and its positions. solution: choices that make it fail."""

    aim: str
    solution: list[int]

    def look(self, choices: Sequence[int]) -> Look:
        """The position after these choices."""


def choices_of(token: str) -> tuple[str, list[int], str]:
    """The parts of a token of the model checker: what stands before the choices, the choices, what stands behind."""
    head, packed, behind = token.split("-", 2)
    found: list[int] = []
    at = 0
    while at < len(packed):
        if packed[at] == "z":
            found.append(int(packed[at + 1 : at + 5], 16))
            at += 4
        elif packed[at].isupper():
            found += [0] * (ord(packed[at]) - ord("A") + 2)
        else:
            found.append(DIGITS.index(packed[at]))
        at += 1
    return head, found, behind


class CGame:
    """A wrong answer in C. Raises UsageError if the model checker finds no failure in it."""

    def __init__(self, kata: Kata, sample: Sample, folder: Path) -> None:
        sources = [str(kata.folder / "check" / f"{sample.stage}.c"), str(sample.path)]
        include = [str(kata.folder / "include")]
        settings = Settings(
            **{"seconds": kata.seconds, **kata.settings, "threads_stop": sample.stage in {"stop", "kill"}}
        )
        failed = next((r for r in checks(sources, settings=settings, include=include) if r.token), None)
        if failed is None:
            raise UsageError(f"{sample.path.name}: the model checker finds no failure in the stage {sample.stage}")
        self.client = failed.client
        self.aim = f"{failed.client}: {failed.kind}"
        self._head, self.solution, self._behind = choices_of(failed.token.partition(":")[2])
        self._program = build(sources, folder / "client", include=include)

    def _token(self, choices: Sequence[int]) -> str:
        packed = "".join(DIGITS[c] if c < len(DIGITS) else f"z{c:04x}" for c in choices)
        return f"{self._head}-{packed}-{self._behind}"

    def _run(self, choices: Sequence[int]) -> "_Step":
        report, asked = step_by_step(self._program, self.client, self._token(choices))
        assert report.trace is not None
        if asked is not None and _waits_for_ever(report, asked):
            asked = None
        events, calls = report.trace.events.copy(), report.trace.calls.copy()
        if asked is not None:
            seen = {event.call for event in events[: asked.events]}
            cut = {event.call for event in events[asked.events :]}
            del report.trace.events[asked.events :]
            report.trace.failure = ""
            report.trace.threads = dict.fromkeys(report.trace.threads, "runs")
            report.trace.calls = {
                number: replace(call, pending=call.pending or number in cut)
                for number, call in calls.items() if number in seen
            }  # fmt: skip
        failed = f"{report.kind}: {report.message}" if report.verdict is Verdict.VIOLATION and asked is None else ""
        return _Step(report.trace.render(width()), asked, failed)

    def look(self, choices: Sequence[int]) -> Look:
        """As `Game` says."""
        here = self._run(choices)
        if here.asked is None:
            return Look(here.trace, "", failure=here.failure)
        values = here.asked.threads or list(range(here.asked.options))
        options = tuple(Option(value, self._preview([*choices, value], here, value)) for value in values)
        return Look(here.trace, WHAT[here.asked.what], options)

    def _preview(self, choices: Sequence[int], here: "_Step", value: int) -> str:
        assert here.asked is not None
        name = f"T{value}" if here.asked.what == "thread" else ""
        report, _ = step_by_step(self._program, self.client, self._token(choices))
        trace = report.trace
        places = here.asked.what == "place"  # of a store that is there already
        at = here.asked.events - places
        if trace is None or at >= len(trace.events):
            return name or str(value)
        step = trace.events[at]
        said = trace.describe(step)
        if places and value == 0:
            said += " as the newest"
        if here.asked.what == "thread" and step.kind == "load":
            said = f"{said.partition(' == ')[0]} is read"
        trace.look_up({step.pc, step.near})
        return f"{name} {said}   {trace.position(step.pc, step.near)}".strip()


@dataclass(frozen=True)
class _Step:
    trace: str
    asked: Asked | None
    failure: str


def _waits_for_ever(report: Report, asked: Asked) -> bool:
    """Whether nothing is left but threads that wait for what nobody will do: each turn of their loops is the same."""
    assert report.trace is not None
    nothing_new = len(report.trace.events) == asked.events
    return report.verdict is Verdict.VIOLATION and nothing_new and "waiting" in report.trace.threads.values()


class PythonGame:
    """A wrong answer in Python. Raises UsageError if the scheduler finds no failure in it."""

    def __init__(self, kata: Kata, sample: Sample) -> None:
        check = load_check(kata.folder / "check.py")
        program = Program(sample.path)
        self._settings = PythonSettings(
            **{"executions": 2000, "seconds": 60.0, **kata.settings}, follow=(str(sample.path), str(check.__file__))
        )
        names = [name for name in vars(check) if name.startswith("schedules_")]
        most = self._settings.executions
        tries = [(few, name) for few in (*(n for n in SOON if n < most), most) for name in names]
        for few, name in tries:
            scenario = getattr(check, name)
            self._make = lambda scenario=scenario: functools.partial(scenario, program.load())
            report = explore_made(self._make, name, replace(self._settings, executions=few))
            if report.verdict is Verdict.VIOLATION:
                break
        else:
            raise UsageError(f"{sample.path.name}: the scheduler finds no failure in it")
        self.client, self.aim = name, f"{name}: {report.kind}"
        _, deviations, self._places, _ = read_token(report.token)
        last = deviations[-1][0] if deviations else -1
        self.solution = [dict(deviations).get(number, 0) for number in range(last + 1)]

    def _run(self, choices: Sequence[int]) -> tuple[list[Row], str, "_Asked | None"]:
        chooser = _Asked(list(choices))
        rows, failure = once(self._make, self.client, self._settings, self._places, chooser)
        return rows, failure, chooser if chooser.options else None

    def look(self, choices: Sequence[int]) -> Look:
        """As `Game` says."""
        rows, failure, asked = self._run(choices)
        if asked is None:
            return Look(render(rows, failure or "the end", width()), "", failure=failure)
        shown = render(rows[: asked.rows(rows)], "…", width()).rpartition("\n")[0]
        options = []
        for value, option in enumerate(asked.options):
            following, _, _ = self._run([*choices, value])
            row = next((r for r in following[asked.rows(rows) :] if r.column == _column(option) and r.text), None)
            row = row or next((r for r in following[asked.rows(rows) :] if r.column == _column(option)), None)
            what = f"{row.text}   {Path(row.file).name}:{row.line}" if row is not None else "goes on"
            options.append(Option(value, f"{_column(option)}: {what}" if _column(option) else f"time passes: {option}"))
        return Look(shown, WHAT["thread"], tuple(options))


def _column(option: object) -> str:
    return option.column if isinstance(option, Controlled) else getattr(option, "column", "")


class _Asked:
    """Takes the choices of a list, and remembers what there was to choose where it ends."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = choices
        self.options: list[object] = []
        self.recorded: list[Row] | None = None
        self._at = 0

    def choose(self, number: int, options: Sequence[object]) -> int:
        """As `Chooser` says."""
        if number < len(self.choices):
            return min(self.choices[number], len(options) - 1)
        if not self.options:
            self.options = list(options)
            self._at = len(self.recorded or [])
        return 0

    def rows(self, rows: Sequence[Row]) -> int:
        """How many rows of the trace come before the question."""
        return min(self._at, len(rows))


def breakable(kata: Kata) -> list[Sample]:
    """The wrong answers that fail by an order of steps."""
    stages = {"schedules"} if kata.language == "python" else {"model", "stop", "kill"}
    return [sample for sample in kata.samples if not sample.right and sample.stage in stages]


@contextmanager
def game_of(kata: Kata, name: str = "") -> Iterator[tuple[Sample, Game]]:
    """The game with a wrong answer: the named one, or the first. UsageError if there is none."""
    there = {sample.path.stem: sample for sample in breakable(kata)}
    if not there:
        raise UsageError(f"{kata.name} has no wrong answer that fails by an order of steps")
    if name and name not in there:
        raise UsageError(f"no wrong answer {name!r} of {kata.name} fails by an order of steps: {', '.join(there)}")
    sample = there[name or next(iter(there))]
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as folder:
        game: Game = PythonGame(kata, sample) if kata.language == "python" else CGame(kata, sample, Path(folder))
        yield sample, game


def play(game: Game, ask: Callable[[str], str], say: Callable[[str], object]) -> bool:
    """Asks for one choice after another. True if the program failed; False if the player gave up."""
    choices: list[int] = []
    shown: list[int] | None = None
    say(hanging(f"Make it fail: {game.aim}", width(), 2))
    say(hanging(HELP, width(), 2))
    while True:
        if choices != shown:
            look, shown = game.look(choices), choices.copy()
            _show(look, say)
            if look.failure:
                say(hanging(f"It fails: {look.failure}", width(), 2))
                say(f"{len(choices)} choices. Well done.")
                return True
        try:
            answer = ask("> ").strip()
        except EOFError:
            return False
        if answer == "q":
            return False
        _turn(answer, look, choices, game, say)


def _show(look: Look, say: Callable[[str], object]) -> None:
    say(f"\n{look.trace}\n")
    if look.question:
        say(look.question)
        for option in look.options:
            say(hanging(f"  [{option.value}] {option.text}", width(), 6))
    elif not look.failure:
        text = "This execution is over, and everything in it is right. u takes a choice back, r begins again."
        say(hanging(text, width(), 2))


def _turn(answer: str, look: Look, choices: list[int], game: Game, say: Callable[[str], object]) -> None:
    """One answer of the player."""
    allowed = [option.value for option in look.options]
    if answer == "u":
        del choices[-1:]
    elif answer == "r":
        choices.clear()
    elif answer == "h":
        say(_hint(choices, game))
    elif answer == "" and allowed:
        choices.append(allowed[0])
    elif answer.isdigit() and int(answer) in allowed:
        choices.append(int(answer))
    else:
        say(hanging(f"{answer!r} is no choice here. {HELP}", width(), 2))


def _hint(choices: list[int], game: Game) -> str:
    """The next choice of a way to the failure, or how far to go back to be on it."""
    same = 0
    while same < min(len(choices), len(game.solution)) and choices[same] == game.solution[same]:
        same += 1
    if same < len(choices) and same < len(game.solution):
        back = len(choices) - same
        what = "the last choice" if back == 1 else f"{back} choices"
        return f"From here it may not fail any more: take {what} back with u."
    if same < len(game.solution):
        return f"Choose {game.solution[same]}."
    return "Go on with the first choice each time."
