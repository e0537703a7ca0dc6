"""Published algorithms, written out from the papers: the checker and the judge say of them what the literature says."""

import platform
from pathlib import Path

import pytest
from compilers import NEEDS_C
from patience import STUCK

from lockfree.modelcheck import Report, Settings, Verdict, check
from lockfree.practice.c_machine import atomics, threads
from lockfree.practice.catalog import find
from lockfree.practice.judge import judge
from lockfree.practice.results import Outcome
from lockfree.practice.selftest import said

FOLDER = Path(__file__).parent / "textbook"
OK = ""
"""No violation. The others: the kind of violation that there must be."""
LITERATURE = {
    "spinlock": OK,
    "ticket_lock": OK,
    "peterson_seq_cst": OK,
    "peterson_release_acquire": "data race",  # store buffering: both see that the other one does not want to enter
    "dekker_seq_cst": OK,
    "dekker_release_acquire": "data race",  # store buffering again
    "bakery_seq_cst": OK,
    "bakery_release_acquire": "data race",
    "mcs_lock": OK,
    "mcs_hand_over_relaxed": "data race",
    "mcs_leave_relaxed": "data race",
    "chase_lev": OK,
    "chase_lev_two_thieves": OK,
    "chase_lev_take_bare": "assertion failed",  # Lê and others 2013: owner and thief both get the last job
    "chase_lev_put_bare": "data race",
    "treiber": "not linearizable",  # ABA: IBM's Principles of Operation add a count for this reason
    "treiber_counted": OK,
    "vyukov_strict": "not linearizable",  # a claimed cell hides a later value: empty, and is not
    "vyukov_relaxed": OK,
    "michael_scott": OK,
    "michael_scott_reuse": OK,
    "michael_scott_uncounted": "not linearizable",  # ABA: the paper's pointers have counts
    "seqlock_fences": OK,
    "seqlock_writer_bare": "assertion failed",
    "seqlock_reader_bare": "assertion failed",
    "seqlock_plain": "data race",  # Boehm 2012: in C11 the copy must be of atomics
}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    sources = sorted(FOLDER.glob("*.c"))
    assert len(sources) == 7
    return {report.client: report for report in check(sources, settings=Settings(mode="exhaustive", seconds=STUCK))}


def test_every_algorithm_has_its_verdict_in_the_table(reports):
    assert set(reports) == set(LITERATURE)


@pytest.mark.parametrize("client", LITERATURE)
def test_the_verdict_is_that_of_the_literature(reports, client):
    report = reports[client]
    expected = Verdict.VIOLATION if LITERATURE[client] else Verdict.OK
    assert (report.verdict, report.kind) == (expected, LITERATURE[client]), report.message


ANSWERS = sorted((FOLDER / "answers").glob("*/*.c"))
"""The same as answers to katas; their first lines say what the judge must say."""


def test_the_answers_say_what_is_expected():
    assert len(ANSWERS) == 25
    expected = [path.read_text().partition("expected: ")[2].partition(" */")[0].split() for path in ANSWERS]
    assert {words[0] for words in expected} == {"ACCEPT", "REJECT"}
    assert all(len(words) == (1 if words[0] == "ACCEPT" else 3) for words in expected)


@NEEDS_C
@pytest.mark.soak
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}: {path.stem}")
def test_the_judge_says_what_the_literature_says(path):
    expected = path.read_text().partition("expected: ")[2].partition(" */")[0]
    assert said(judge(find(path.parent.name), path)) == expected


@NEEDS_C
@pytest.mark.skipif(platform.machine() != "x86_64", reason="gcc asks for the library there alone")
def test_a_swap_of_sixteen_bytes_runs_on_real_threads():
    (path,) = (path for path in ANSWERS if path.stem == "double_width")
    if not atomics():
        pytest.skip("the compiler has no libatomic")
    assert threads(find("treiber_stack"), path, STUCK).outcome is Outcome.PASSED
