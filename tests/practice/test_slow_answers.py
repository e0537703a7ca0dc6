"""Answers that take long, or print much: a verdict comes soon, and it says why. The limits are parameters here."""

from types import SimpleNamespace

import pytest

from lockfree.modelcheck import Verdict
from lockfree.modelcheck.python.explore import PythonReport
from lockfree.practice import python_child, python_stages
from lockfree.practice.catalog import find
from lockfree.practice.results import Outcome

KATA = find("bounded_queue")
RIGHT = (KATA.folder / "right" / "two_conditions.py").read_text(encoding="utf-8")
PUT = "    def put(self, item, timeout=None):\n"


def first(tmp_path, inside):
    """What the first stage says of a right answer that does something more in each put."""
    assert PUT in RIGHT
    answer = tmp_path / KATA.file
    answer.write_text(RIGHT.replace(PUT, PUT + inside))
    return next(python_stages.stages(KATA, answer, full=False, tell=lambda _text: None))


def test_a_gigabyte_for_each_put_is_rejected(tmp_path):
    result = first(tmp_path, "        print('x' * (1 << 30))\n")
    assert (result.outcome, result.diagnosis) == (Outcome.FAILED, "FORBIDDEN")
    assert result.message == f"it prints more than {python_stages.PRINTED:,} characters"


def test_what_is_printed_adds_up(tmp_path, monkeypatch):
    monkeypatch.setattr(python_stages, "PRINTED", 20)
    assert first(tmp_path, "        print('a put')\n").message == "it prints more than 20 characters"


def test_a_hundred_thousand_threads_for_each_put_are_rejected(tmp_path):
    result = first(tmp_path, "        for _ in range(100_000): threading.Thread(target=int).start()\n")
    assert (result.outcome, result.diagnosis) == (Outcome.FAILED, "ENDS")
    assert f"it starts more than {python_child.THREADS} threads in one execution" in result.message


@pytest.mark.parametrize("where", ["print('a put')", "print('a put', flush=True)"])
def test_a_line_in_each_put_harms_nobody(tmp_path, where):
    assert first(tmp_path, f"        {where}\n").outcome is Outcome.PASSED


def test_a_slow_answer_is_undecided(tmp_path, monkeypatch):
    monkeypatch.setattr(python_stages, "SAFETY", 0.3)
    monkeypatch.setattr(python_stages, "_known_wrong", lambda *_: "")
    answer = tmp_path / KATA.file
    answer.write_text(RIGHT.replace(PUT, PUT + "        sum(range(2_000_000))\n"))
    results = list(python_stages.stages(KATA, answer, full=False, tell=lambda _text: None))
    result = results[1]
    assert (result.stage, result.outcome) == ("schedules", Outcome.UNDECIDED)
    assert "s of CPU time were too few, and the rest was left unchecked" in result.message


def given(monkeypatch, seconds, names):
    """The seconds that a stage gives to its scenarios, each round of which takes so many."""
    asked = []

    def explored(_make, client, settings, _tick, _entered):
        asked.append((client, settings.seconds))
        return PythonReport(client, Verdict.UNKNOWN, 1, out_of_time=seconds >= settings.seconds, seconds=seconds)

    monkeypatch.setattr(python_child, "explore_made", explored)
    check = SimpleNamespace(__file__="check.py", **dict.fromkeys(names))
    request = {"stage": "schedules", "times": 1, "seconds": 60.0, "settings": {}, "answer": "a.py", "replay": ""}
    entered = SimpleNamespace(entered=None)
    list(python_child._explored(request, check, SimpleNamespace(), names, lambda *_: None, entered))
    return asked


def test_the_time_of_a_scenario_is_that_of_all_its_rounds(monkeypatch):
    assert given(monkeypatch, 25.0, ["a"]) == [("a", 60.0), ("a", 35.0), ("a", 10.0)]


def test_the_time_of_a_stage_is_that_of_all_its_scenarios(monkeypatch):
    asked = given(monkeypatch, 40.0, ["a", "b", "c", "d", "e", "f"])
    assert asked == [("a", 60.0), ("b", 60.0), ("c", 60.0), ("d", 60.0), ("e", 20.0)]
