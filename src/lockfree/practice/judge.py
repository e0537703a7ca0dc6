"""The judge: screens an answer, runs the stages in order, and stops at the first failure."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from lockfree._compiler import compiler, no_compiler
from lockfree.modelcheck import BuildError
from lockfree.practice import c_stages, python_stages
from lockfree.practice.catalog import Kata
from lockfree.practice.results import STAGES, Judgement, Outcome, Result, as_text, shown
from lockfree.practice.screen import is_starter, screen
from lockfree.practice.workspace import real

Tell = Callable[[str], object]


def _silent(_text: str) -> None:
    pass


def results(
    kata: Kata, answer: Path, *, full: bool = False, tell: Tell = _silent, later: tuple[str, ...] = ()
) -> Iterator[Result]:
    """One line after another; the first that failed is the last. later: how examples begin that are not asked yet."""
    began = time.monotonic()
    screened = _screened(kata, answer)
    yield shown(replace(screened, seconds=time.monotonic() - began))
    if screened.outcome is not Outcome.PASSED:
        return
    run = python_stages.stages if kata.language == "python" else c_stages.stages
    began = time.monotonic()
    for result in run(kata, answer, full=full, tell=tell, later=later):
        yield shown(replace(result, seconds=time.monotonic() - began))
        if result.outcome is Outcome.FAILED:
            return
        began = time.monotonic()


def _screened(kata: Kata, answer: Path) -> Result:
    """The first stage. No compiler: UNDECIDED, with how to get one."""
    if kata.language == "c":
        try:
            faults = screen(kata, answer)
        except BuildError as error:  # of the flags that the model checker's clients have
            return Result("screen", Outcome.UNDECIDED, f"{error}. The katas in Python need none")
        except FileNotFoundError as error:
            if Path(answer).is_file():
                return Result("screen", Outcome.UNDECIDED, f"{no_compiler(compiler())}. The katas in Python need none")
            return Result("screen", Outcome.FAILED, f"{answer}: {error.strerror}")
        except OSError as error:  # a link to itself, a file that may not be read
            return Result("screen", Outcome.FAILED, f"{answer}: {error.strerror}")
    else:
        try:
            faults = screen(kata, answer)
        except OSError as error:
            return Result("screen", Outcome.FAILED, f"{answer}: {error.strerror}")
    forbidden = any(fault.forbidden for fault in faults)
    if kata.level > 0 and not forbidden and is_starter(kata, answer):  # that of level 0 is a program to break
        return Result("screen", Outcome.FAILED, f"{answer.name} is still the starter", "START")
    if faults:
        first = next((fault for fault in faults if fault.forbidden), faults[0])
        others = [fault.text for fault in faults if fault is not first]
        diagnosis = "FORBIDDEN" if first.forbidden else ""
        return Result("screen", Outcome.FAILED, first.text, diagnosis, first.more or "\n".join(others))
    return Result("screen", Outcome.PASSED, STAGES["screen"])


def judge(kata: Kata, answer: Path, *, full: bool = False) -> Judgement:
    """All of it at once."""
    return Judgement(kata.name, list(results(kata, real(answer), full=full)))


def again(kata: Kata, answer: Path, failure: Result, width: int = 0) -> str:
    """The failing execution once more, as text; what was kept of it, if it has no token. width: of the terminal."""
    if not failure.token:
        return failure.detail or failure.message
    run = python_stages.again if kata.language == "python" else c_stages.again
    return as_text(run(kata, real(answer), failure, width))
