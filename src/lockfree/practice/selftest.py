"""Judges the judge: every right answer must be accepted, every wrong one rejected where and why its first line says."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lockfree.practice.catalog import Kata
from lockfree.practice.judge import judge
from lockfree.practice.results import Judgement, Verdict


@dataclass(frozen=True)
class Trial:
    """One answer and what the judge said of it. problem: what was wrong with that; empty if nothing."""

    kata: str
    answer: str
    expected: str
    found: str
    seconds: float
    problem: str

    @property
    def kind(self) -> str:
        """What the answer is, for the table."""
        kind = self.answer.partition("/")[0]
        return {"right": "right answers", "wrong": "wrong answers"}.get(kind, "starters and empty files")


@dataclass
class Row:
    """One line of the table. explained: mutants that are accepted, and known to be equivalent."""

    kind: str
    judged: int = 0
    as_expected: int = 0
    explained: int = 0
    seconds: float = 0.0

    def add(self, *, good: bool, seconds: float, explained: bool = False) -> None:
        self.judged += 1
        self.as_expected += good
        self.explained += explained
        self.seconds += seconds

    def __str__(self) -> str:
        share = _share(self.as_expected, self.judged)
        text = f"{self.kind:<26} {self.as_expected:>6,} of {self.judged:<6,} {share:>7}  {self.seconds:>7.0f} s"
        without = _share(self.as_expected, self.judged - self.explained)
        return text + (
            f"   {self.explained} are equivalent, with a reason: {without} of the rest" if self.explained else ""
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


@contextlib.contextmanager
def machine(condition: str) -> Iterator[None]:
    """The machine as it is (`idle`), with two busy processes for each processor (`loaded`), or `one` processor."""
    before = os.sched_getaffinity(0)
    busy = []
    if condition == "one":
        os.sched_setaffinity(0, {min(before)})
    if condition == "loaded":
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * len(before))]
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        for process in busy:
            process.kill()
            process.wait()


def trials(kata: Kata, part: str = "", times: int = 1) -> Iterator[Trial]:
    """All answers of a kata's folder, its starter and an empty file; of these only those with `part` in their name."""
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        empty = Path(scratch) / "empty" / kata.file
        empty.parent.mkdir()
        empty.touch()
        answers = [
            (sample.path, "ACCEPT" if sample.right else f"REJECT {sample.stage} {sample.diagnosis}")
            for sample in kata.samples
        ]
        starter = "REJECT screen START" if kata.level > 0 else "REJECT model"
        for answer, expected in (*answers, (kata.starter, starter), (empty, "REJECT screen")):
            if part in f"{answer.parent.name}/{answer.name}":
                for _ in range(times):
                    yield _trial(kata, answer, expected)


def _trial(kata: Kata, answer: Path, expected: str) -> Trial:
    judgement = judge(kata, answer)
    found = said(judgement)
    problem = "" if found == expected or found.startswith(f"{expected} ") else judgement.results[-1].message
    seconds = sum(result.seconds for result in judgement.results)
    name = f"{answer.parent.name}/{answer.name}"
    return Trial(kata.name, name, expected, found, seconds, problem)


def said(judgement: Judgement) -> str:
    """`ACCEPT`, `UNDECIDED`, or `REJECT STAGE DIAGNOSIS`."""
    failure = judgement.failure
    if judgement.verdict is not Verdict.REJECT or failure is None:
        return judgement.verdict.name
    return f"REJECT {failure.stage} {failure.diagnosis}".strip()
