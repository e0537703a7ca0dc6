"""What a terminal shows: text as wide as it is. Every page of every kata fits into 80 columns."""

import os
import pty
import subprocess
import sys

import pytest
from patience import STUCK

from lockfree.practice import rounds
from lockfree.practice.catalog import katas
from lockfree.practice.results import Outcome, Result, as_text, shown
from lockfree.practice.terminal import cut, flowed, hanging

WIDE = 80


def words(text):
    return text.split()


@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_the_pages_of_a_kata_fit(kata):
    parts = [part.text for part in rounds.parts(kata)]
    pages = [kata.text(name) for name in ("statement", "questions", "debrief")]
    for text in (*pages, *kata.hints, *parts):
        shown = flowed(text, WIDE)
        assert words(shown) == words(text)
        for line in shown.splitlines():
            as_it_stands = line in text.splitlines()  # a drawing, a table
            assert len(line) <= WIDE or as_it_stands or len(words(line)) == 1, line


def test_paragraphs_are_joined_and_the_rest_stands():
    text = "# A title\n\nOne\nparagraph.\n- An item\n  of two lines\n- another\n```\ncode  here\nmore\n```\n| a | b |\n1. One"
    assert flowed(text, 20) == (
        "# A title\n\nOne paragraph.\n- An item of two\n  lines\n- another\n```\ncode  here\nmore\n```\n| a | b |\n1. One"
    )
    assert flowed(text, 0) == text


def test_a_line_hangs_behind_its_margin():
    assert hanging("FAILED  a long one", 12, 8) == "FAILED  a\n        long\n        one"
    assert hanging("no terminal at all", 0) == "no terminal at all"
    assert (cut("abcdef", 4), cut("abcdef", 6), cut("abcdef", 0)) == ("abc…", "abcdef", "abcdef")


def test_the_list_fits_into_a_terminal(tmp_path):
    main, side = pty.openpty()
    env = {**os.environ, "COLUMNS": str(WIDE), "LOCKFREE_PRACTICE": str(tmp_path / "progress.json")}
    command = [sys.executable, "-m", "lockfree", "practice"]
    with subprocess.Popen(command, stdout=side, env=env) as process:
        os.close(side)
        said = b""
        with os.fdopen(main, "rb", buffering=0) as terminal:
            while True:
                try:
                    said += (more := terminal.read(4096))
                except OSError:  # the other end is closed
                    break
                if not more:
                    break
        process.wait(STUCK)
    lines = said.decode().splitlines()
    assert any("spsc_ring" in line for line in lines)
    assert max(map(len, lines)) <= WIDE


def test_no_terminal_obeys_what_an_answer_says():
    said = "one\x1b[2J\r\n\ttwo\u202e \u00fc\x00"
    assert as_text(said) == "one\\x1b[2J\\r\n\ttwo\\u202e \u00fc\\x00"
    result = shown(Result("edges", Outcome.FAILED, said, detail=said, looked_at=(said,)))
    assert result.message == result.detail == result.looked_at[0] == as_text(said)
