"""Wrong programs that x86 runs without complaint: each is found within seconds, and its right sibling passes."""

import re
from pathlib import Path

import pytest

from lockfree.modelcheck import Settings, Verdict, check, replay

WRONG = sorted((Path(__file__).parents[2] / "stress" / "model" / "wrong").glob("*.c"))


def expectation(path):
    return {kind.strip() for kind in re.search(r"/\* expect: (.*?) \*/", path.read_text())[1].split("|")}


def settings_for(path, **more):
    return Settings(threads_stop="options: --threads-stop" in path.read_text(), **more)


def test_there_are_enough():
    assert len(WRONG) >= 15


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_is_found_and_right_passes(path):
    [wrong] = check(path, settings=settings_for(path))
    assert wrong.seconds < 10
    assert wrong.verdict is Verdict.VIOLATION
    assert wrong.kind in expectation(path)
    trace = wrong.trace.render()
    assert path.name in trace, "no source positions"
    again = replay(path, wrong.token)
    assert (again.verdict, again.kind) == (Verdict.VIOLATION, wrong.kind)
    assert again.trace.render() == trace
    [right] = check(path, define=["RIGHT"], settings=settings_for(path))
    assert right.verdict is Verdict.OK, right.message
    assert right.complete


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["pct", "random"])
@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_random_searches_find_it_too(path, mode):
    [wrong] = check(path, settings=settings_for(path, mode=mode, seconds=10))
    assert wrong.verdict is Verdict.VIOLATION
    assert wrong.kind in expectation(path)
    [right] = check(path, define=["RIGHT"], settings=settings_for(path, mode=mode, seconds=2))
    assert right.verdict is Verdict.OK, right.message
