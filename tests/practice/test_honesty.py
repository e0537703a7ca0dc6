"""What keeps the process honest that an answer in Python shares with the explorer, and what right answers may do."""

import dataclasses
import threading
from collections import deque
from types import ModuleType

import pytest

from lockfree.modelcheck.python.explore import PythonSettings, explore_made
from lockfree.practice import python_stages
from lockfree.practice.catalog import find
from lockfree.practice.python_checks import Values, load_check
from lockfree.practice.results import Outcome
from lockfree.practice.watch import Watch


class Ended(Exception):
    pass


def end(why):
    raise Ended(why)


@pytest.fixture
def values():
    found = Values(end)
    found.remember()
    return found


def test_a_value_with_operators_of_its_own_is_not_compared(values):
    class Any:
        def __eq__(self, _other):
            return True

        __hash__ = None

    class Number(int):
        __le__ = str

    for value in (Any(), [Any()], {"a": (1, Any())}, deque([Any()]), Number(3), {1: Number(2)}):
        with pytest.raises(Ended, match="is its own"):
            values.look_at(value)


def test_plain_values_are_compared(values):
    @dataclasses.dataclass(order=True)
    class Block:
        offset: int
        size: int = 1

    class Handle:
        pass

    loop = []
    loop.append(loop)
    for value in (1, "a", None, [1, {2: (3.0, b"4")}], Block(1), [Handle()], ValueError("no"), loop):
        assert values.look_at(value) is value


def test_the_fields_of_a_dataclass_are_looked_at(values):
    @dataclasses.dataclass
    class Block:
        offset: object

    class Any:
        __eq__ = str
        __hash__ = None

    with pytest.raises(Ended):
        values.look_at(Block(Any()))


def test_the_checks_of_a_kata_look_before_they_compare(tmp_path):
    seen = []

    def look_at(value):
        seen.append(value)
        return value

    file = tmp_path / "check.py"
    file.write_text(
        "def f(a, b):\n    assert a == b\n    assert sum([a, b]) + 1 > 0\n    assert a is not None and b in (3, 4)\n"
    )
    load_check(file, look_at).f(3, 3)
    assert seen[:2] == [3, 3]
    assert [3, 3] in seen
    assert (3, 4) in seen


def test_a_patch_is_seen_before_the_answer_can_take_it_back():
    told = []
    watch = Watch(ModuleType("check"), told.append)
    real = threading.Thread.start
    watch.entered(True)
    watch.entered(False)
    assert told == []
    try:
        threading.Thread.start = threading.Thread.run
        watch.entered(False)
        assert watch.changed() == "threading.Thread.start"
    finally:
        threading.Thread.start = real
    assert told == ["threading.Thread.start"]
    watch.entered(False)
    assert (len(told), watch.changed()) == (1, "")


def test_the_explorer_says_when_its_program_is_entered():
    entered = []

    def function():
        pass

    explore_made(lambda: function, "function", PythonSettings(executions=1), entered=entered.append)
    assert entered[0] is True


def test_a_process_that_rejects_nothing_is_not_believed(monkeypatch):
    kata = find("hit_counter")
    right = [sample.path for sample in kata.samples if sample.right]
    monkeypatch.setattr(python_stages, "_known_wrong", lambda *_: str(right[1]))
    result = next(python_stages.stages(kata, right[0], full=False, tell=lambda _text: None))
    assert (result.outcome, result.diagnosis) == (Outcome.FAILED, "FORBIDDEN")
    assert "rejects nothing any more" in result.message


@pytest.mark.parametrize("ends", ["raise SystemExit(0)", "await asyncio.create_task(raise_it())"])
def test_an_end_of_the_loop_skips_no_assertions(tmp_path, ends):
    answer = tmp_path / "crawl.py"
    answer.write_text(
        "import asyncio\n\n\nasync def raise_it():\n    raise SystemExit(0)\n\n\n"
        f"async def crawl(start, fetch, workers, per_host):\n    {ends}\n"
    )
    result = next(python_stages.stages(find("async_crawler"), answer, full=False, tell=lambda _text: None))
    assert (result.outcome, result.stage) == (Outcome.FAILED, "edges"), result


def test_a_slip_of_the_pen_is_no_race():
    kata = find("hit_counter")
    assert kata.diagnose("edges", "edges_window", "exception", "NameError: name 'x' is not defined") == "RAISES"
    assert kata.diagnose("edges", "edges_window", "exception", "AssertionError: [H3] count(1)") == "H3"
    in_the_check = "TypeError: '<' not supported between instances of 'NoneType' and 'int' (check.py:48), in main"
    assert kata.diagnose("edges", "edges_window", "exception", in_the_check) == "H1"
    assert kata.diagnose("schedules", "schedules_same_second", "exception", "TypeError: None") == "H1"
