"""The page "Your first round" is a transcript: each command is run, in order, and must say what the page shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from compilers import NEEDS_C
from patience import STUCK

PAGE = Path(__file__).parents[2] / "docs/guides/your-first-round.md"
BLOCK = re.compile(r"^```(console|c|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"Put it into `(\S+)`:\s*\Z")


def normal(text):
    """Without what differs from run to run: times, how many executions a sample has, and the width of columns."""
    text = re.sub(r"[\d.]+ s\b", "T s", text)
    text = re.sub(r"every one right", "", re.sub(r"\b[\d,]+ (executions|schedules),", r"N \1,", text))
    text = re.sub(r"(sampled: every schedule with at most) \d+ deviations, \d+ random ones; \d+", r"\1", text)
    text = re.sub(r"every (schedule|execution): \d+", r"every \1", text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def same(said, shown):
    """Whether the lines are those of the page; … there stands for any lines."""
    parts = [[]]
    for line in shown:
        if line == "…":
            parts.append([])
        else:
            parts[-1].append(line)
    at = 0
    for number, part in enumerate(parts):
        starts = [at] if number == 0 else range(at, len(said) - len(part) + 1)
        at = next((s + len(part) for s in starts if said[s : s + len(part)] == part), -1)
        if at < 0:
            return False
    return shown[-1:] == ["…"] or at == len(said)


def steps(language):
    """The files to write and the commands to run, of one section of the page."""
    text = PAGE.read_text()
    begin, end = text.index(f"## In {language}"), text.find("## In ", text.index(f"## In {language}") + 5)
    section = text[begin : end if end > 0 else len(text)]
    for found in BLOCK.finditer(section):
        place = PLACE.search(section[: found.start()])
        if found[1] != "console":
            assert place is not None
            yield place[1], found[2]
        else:
            command, _, shown = found[2].partition("\n")
            yield command.removeprefix("$ "), shown


@pytest.mark.parametrize("language", [pytest.param("C", marks=NEEDS_C), "Python"])
def test_the_page_is_a_transcript(language, tmp_path, request):
    """In Python the ACCEPT runs thousands of schedules: with --soak."""
    short = language == "Python" and not request.config.getoption("--soak")
    env = {**os.environ, "LOCKFREE_PRACTICE": str(tmp_path / "progress.json")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    verdicts = []
    for what, text in steps(language):
        if "/" in what and " " not in what:
            (tmp_path / what).write_text(text)
            continue
        if short and what.startswith("lockfree practice check") and "REJECT" in verdicts:
            return
        done = subprocess.run(what, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=STUCK)
        said, shown = normal(done.stdout + done.stderr), normal(text)
        assert same(said, shown), f"{what} says:\n{done.stdout}{done.stderr}\nthe page says:\n{text}"
        verdicts += re.findall(r"^(ACCEPT|REJECT)$", done.stdout, re.MULTILINE)
    assert verdicts[-2:] == ["REJECT", "ACCEPT"]


def test_a_transcript_that_differs_is_found():
    assert same(["a", "b", "c"], ["a", "…", "c"])
    assert same(["a", "b"], ["a", "…"])
    assert not same(["a", "b"], ["a"])
    assert not same(["a", "x"], ["a", "…", "c"])
    assert not same(["a", "b", "c"], ["b", "…"])
