"""Primitives with one place spoiled: the model checker and the kill campaign catch them. For stress: test_stress.py."""

import platform
import re

import pytest
from compilers import NEEDS_C
from mutants import INCLUDE, MUTANTS, ROOT, STRESS, apply

from lockfree.modelcheck import Settings, Verdict, build
from lockfree.modelcheck.runner import run
from lockfree.stress import kill_everywhere
from lockfree.stress.kill_everywhere import Choice

MODELLED = [m for m in MUTANTS if m.client]
KILLED = [m for m in MUTANTS if m.kill[0]]


def named(mutant):
    return re.sub(r"\W+", "-", mutant.what)[:50]


@pytest.mark.parametrize("mutant", MODELLED, ids=named)
def test_the_model_checker_catches(mutant, tmp_path):
    file, client = mutant.client.split("/")
    include = apply(tmp_path / "include", [mutant])
    program = build(ROOT / f"stress/model/{file}.c", tmp_path / "client", include=[str(include)])
    # in these a thread may be stopped for ever, which is its death
    mortal = client.endswith(("_dies", "_death")) or client.startswith("death_")
    report = run(program, client, Settings(mode=mutant.mode, seconds=30, threads_stop=mortal))
    assert report.verdict is Verdict.VIOLATION, f"{mutant.what}: {report.verdict}"


@NEEDS_C
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kill campaign needs x86-64")
@pytest.mark.parametrize("mutant", KILLED, ids=named)
def test_the_kill_campaign_catches(mutant, tmp_path):
    primitive, operation, mode = mutant.kill
    include = apply(tmp_path / "include", [mutant])
    program = kill_everywhere.build(primitive, include / "lockfree" / f"{primitive}.h")
    choice = Choice(modes=(mode,), watchdog=0.5)
    assert kill_everywhere.kill_operation(primitive, program, operation, choice).breaches, mutant.what


def test_each_mutant_changes_one_place(tmp_path):
    for mutant in [*MUTANTS, *STRESS.values()]:
        assert (INCLUDE / mutant.place).read_text().count(mutant.right) == 1, mutant.what
        assert mutant.right != mutant.wrong
        assert mutant.client or mutant.kill[0] or mutant in STRESS.values(), f"nobody is to catch: {mutant.what}"
    apply(tmp_path / "include", list(STRESS.values()))


def test_every_primitive_that_waits_has_mutants():
    assert set(STRESS) <= {m.client.split("/")[0] for m in MUTANTS}
