"""Comparisons with large numbers: they must come out in both ways in the scenarios of a kata."""

import ast

import pytest

from lockfree.practice.python_ways import Ways, number, one_way


def _came_out(text: str, calls: list[object]) -> list[str]:
    """What `one_way` says of a function `f`, called with each of these in one of two stages."""
    stages = []
    for half in (calls[::2], calls[1::2]):
        ways = Ways()
        names = dict(ways.given)
        exec(compile(ways.rewritten(ast.parse(text)), "answer.py", "exec"), names)  # noqa: S102
        for call in half:
            names["f"](call)  # type: ignore[operator]
        stages.append(ways.seen())
    return list(one_way(stages))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(n):\n    if n > 1000:\n        return 1\n", ["line 2: n > 1000 is False in every scenario"]),
        ("def f(n): return 1 if n % 500 != 499 else 2\n", ["line 1: n % 500 != 499 is True in every scenario"]),
        ("MANY = 1 << 10\ndef f(n): return n < MANY\n", ["line 2: n < MANY is True in every scenario"]),
        (
            "class C:\n    many = 5 * 10 ** 3\ndef f(n): return n < C.many\n",
            ["line 3: n < C.many is True in every scenario"],
        ),
        ("def f(n): return 0 < n < 50\n", []),
        ("def f(n): return n > 3\n", []),
        ("def f(n): return n > 9\n", []),
        ("def f(n, window=300): return n > window\n", []),
        ("def f(n):\n    def g(): return n > 1000\n", []),
        ("def f(n): return n - 10 > 0\n", ["line 1: n - 10 > 0 is False in every scenario"]),
    ],
)
def test_a_comparison_with_a_large_number_goes_both_ways(text, said):
    assert _came_out(text, [0, 1, 2, 3]) == said


def test_the_stages_count_together():
    assert _came_out("def f(n): return n > 1000\n", [0, 2000]) == []


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-7", -7), ("1 << 10", 1024), ("2 ** 8 - 1", 255), ("2 ** 999", None), ("x", None),
                        ("1 // 0", None), ("'a'", None), ("1.5 << 2", None)],
)  # fmt: skip
def test_numbers_are_read_from_the_text(text, value):
    assert number(ast.parse(text, mode="eval").body) == value
