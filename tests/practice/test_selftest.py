"""The judge is judged: attacks are repelled, and mutants of right answers are rejected or explained."""

import functools
import os
import random

import pytest
from compilers import NEEDS_C
from patience import STUCK

from lockfree.__main__ import main
from lockfree.modelcheck import Settings
from lockfree.modelcheck.runner import checks
from lockfree.practice import c_stages, hostile, mutants
from lockfree.practice.catalog import find, katas
from lockfree.practice.hostile import ATTACKS, repelled
from lockfree.practice.results import Verdict
from lockfree.practice.selftest import Row, machine, trials

SEED = 7
QUICK = [attack for attack in ATTACKS if attack.language == "python" and attack.expected.startswith("screen")]
FEW = ["c: a fork bomb", "c: a function of the judge", "python: SystemExit"]


@pytest.mark.parametrize("attack", QUICK, ids=lambda attack: attack.what)
def test_an_attack_in_python_is_repelled_before_it_runs(attack):
    found = list(repelled(f"{attack.language}: {attack.what}"))
    assert [one.problem for one in found] == [""] * len(found)


@NEEDS_C
@pytest.mark.parametrize("what", FEW)
def test_an_attack_is_repelled(what):
    found = list(repelled(what))
    assert found
    assert [one.problem for one in found] == [""] * len(found)


@NEEDS_C
def test_a_loop_without_a_step_is_rejected_soon(tmp_path):
    (loop,) = (attack for attack in ATTACKS if (attack.language, attack.what) == ("c", "an endless loop"))
    kata = find("spsc_ring")
    answer = tmp_path / kata.file
    answer.write_text(hostile.text_of(loop))
    settings = Settings(mode="exhaustive", seconds=STUCK, silent=c_stages.SILENT)
    result = c_stages.checked(kata, answer, "edges", settings, lambda _text: None)
    assert result.diagnosis == "ENDS"
    assert "endless loop" in result.message  # ended by `silent`; the search has ten minutes


@NEEDS_C
@pytest.mark.soak
def test_all_attacks_are_repelled():
    assert [one for one in repelled() if one.problem] == []


def test_an_attack_that_is_accepted_is_a_problem(monkeypatch):
    harmless = hostile.Attack("another", "python", "edges", "", "import os\n")
    monkeypatch.setattr(hostile, "ATTACKS", (harmless,))
    assert [one.problem for one in repelled()] == ["expected REJECT edges"]


@functools.cache
def all_mutants():
    return [(kata, mutant) for kata in katas() for mutant in mutants.mutants(kata)]


def test_there_are_enough_mutants():
    found = all_mutants()
    assert len(found) >= 400
    assert {kata.language for kata, _ in found} == {"c", "python"}
    changes = {mutant.what.partition(": ")[2].split(" of line")[0] for _, mutant in found}
    for change in ("acquire is relaxed", "swapped with the next", "while is if", "the store is dropped", "< is <="):
        assert change in changes
    for change in ("while", "notify()", "the lock", "the comparison is off by one"):
        assert change in changes


@NEEDS_C
def test_a_few_mutants_are_rejected():
    kata = find("spsc_ring")
    known = mutants.equivalent(kata)
    there = [one for one in mutants.mutants(kata) if (one.answer, one.what) not in known]
    chosen = random.Random(SEED).sample(there, 2)
    outcomes = list(mutants.tried(kata, lambda mutant: mutant in chosen))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.REJECT] * 2


@NEEDS_C
def test_a_failure_is_the_same_when_it_is_replayed(tmp_path):
    """The replay took reads of the search for its own, and crashed. The mutant was in a list of equivalent ones."""
    kata = find("rwlock")
    (mutant,) = (
        one for one in mutants.mutants(kata) if (one.answer, one.what) == ("acquire_release.c", "line 36: while is if")
    )
    answer = tmp_path / kata.file
    answer.write_text(mutant.text)
    sources = [str(kata.folder / "check" / "model.c"), str(answer)]
    (report,) = checks(sources, clients=["wake_writers"], include=[str(kata.folder / "include")])
    assert (report.kind, report.message) == ("lost wake", "T3 sleeps, and no thread is left to end it")


def test_what_is_said_to_be_equivalent_is_a_mutant():
    there = {(kata.name, mutant.answer, mutant.what) for kata, mutant in all_mutants()}
    for kata in katas():
        listed = mutants.equivalent(kata)
        assert {(kata.name, *key) for key in listed} <= there
        assert all(len(why) > 20 for why in listed.values())


def test_97_of_100_mutants_are_rejected_if_those_that_are_explained_count_as_accepted():
    explained = sum(len(mutants.equivalent(kata)) for kata in katas())
    assert explained <= 0.03 * len(all_mutants())


def test_the_larger_of_two_has_no_mutant():
    kata = find("token_bucket")
    assert "full_at > now ? full_at : now" in (kata.folder / "right" / "relaxed.c").read_text()
    changes = [one.what for one in mutants.mutants(kata) if one.answer == "relaxed.c"]
    assert [what for what in changes if what.startswith("line 25")] == []
    assert "line 26: > is >=" in changes  # `if (then > now + bucket->full_time)`


def test_the_table_says_the_share_with_and_without_the_explained():
    row = Row("mutants in C")
    for good in (True, True, False):
        row.add(good=good, seconds=1, explained=not good)
    assert "66.7%" in str(row)
    assert str(row).endswith("1 are equivalent, with a reason: 100.0% of the rest")


@NEEDS_C
@pytest.mark.soak
@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_mutants_are_rejected_or_explained(kata):
    assert [o.mutant for o in mutants.tried(kata) if o.verdict is not Verdict.REJECT and not o.why] == []


@NEEDS_C
@pytest.mark.soak
@pytest.mark.parametrize("condition", ["idle", "loaded", "one"])
def test_twenty_of_twenty(condition):
    """A seeded slice of all answers, 20 times each."""
    chosen = random.Random(SEED).sample([(kata, sample) for kata in katas() for sample in kata.samples], 8)
    with machine(condition):
        for kata, sample in chosen:
            found = list(trials(kata, f"{sample.path.parent.name}/{sample.path.name}", 20))
            assert len(found) == 20
            assert [trial for trial in found if trial.problem] == []


def test_the_machine_is_as_before():
    before = os.sched_getaffinity(0)
    with machine("one"):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_table(capsys):
    kata = find("durable_store").name
    assert main(["practice", "selftest", kata, "--answer", "never_compacts"]) == 0
    said = capsys.readouterr().out
    assert "wrong answers                   1 of 1       100.0%" in said
