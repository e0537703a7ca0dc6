"""The checker's memory model against RC11: the standard litmus tests, and random programs."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lockfree.modelcheck import Settings, Verdict, build
from lockfree.modelcheck.runner import run

sys.path.insert(0, str(Path(__file__).parent))

from litmus import TABLE
from programs import random_program
from rc11 import executions, source


@pytest.fixture(scope="module")
def litmus_program(tmp_path_factory):
    directory = tmp_path_factory.mktemp("litmus")
    (directory / "litmus.c").write_text(source({test.name: test.threads for test in TABLE}))
    return build(directory / "litmus.c", directory / "litmus")


def holds(asked, outcome):
    return set(asked.split()) <= set(outcome.split())


@pytest.mark.parametrize("test", TABLE, ids=lambda test: test.name)
def test_litmus(test, litmus_program):
    axioms = executions(test.threads, c20=test.c20)
    assert any(holds(test.asked, outcome) for outcome in axioms) == test.allowed, "the table disagrees with the axioms"
    report = run(litmus_program, test.name, Settings(mode="exhaustive", outcomes=True, c20=test.c20))
    assert report.verdict is Verdict.OK
    assert report.complete
    assert report.outcomes == set(axioms)
    assert report.executions == len(axioms), "not every execution graph exactly once"


@pytest.mark.parametrize("mode", ["random", "pct"])
def test_random_search_shows_weak_outcomes_and_no_others(mode, litmus_program):
    for test in TABLE:
        settings = Settings(mode=mode, executions=4000, outcomes=True, c20=test.c20)
        report = run(litmus_program, test.name, settings)
        assert report.outcomes <= set(executions(test.threads, c20=test.c20)), test.name
        if mode == "random":
            assert any(holds(test.asked, outcome) for outcome in report.outcomes) == test.allowed, test.name


def test_bounded_search_without_bound_is_exhaustive(litmus_program):
    for test in TABLE:
        if sum(map(len, test.threads)) > 5:
            continue
        settings = Settings(mode="bounded", preemptions=100, seconds=30, outcomes=True, c20=test.c20)
        report = run(litmus_program, test.name, settings)
        assert report.complete
        assert report.outcomes == set(executions(test.threads, c20=test.c20)), test.name


def compare(directory, seed, count, *, c20=False, asymmetric=()):
    rng = random.Random(seed)
    programs = {f"p{n}": random_program(rng, asymmetric=asymmetric) for n in range(count)}
    (directory / "programs.c").write_text(source(programs))
    program = build(directory / "programs.c", directory / "programs")
    for name, threads in programs.items():
        axioms = executions(threads, c20=c20)
        report = run(program, name, Settings(mode="exhaustive", seconds=60, outcomes=True, c20=c20))
        assert report.verdict is Verdict.OK, (name, threads)
        assert report.outcomes == set(axioms), (name, threads)
        assert report.executions == len(axioms), (name, threads)


def test_random_programs_have_exactly_the_executions_of_rc11(tmp_path):
    compare(tmp_path, seed=7, count=30)


def test_random_programs_under_the_release_sequences_of_c20(tmp_path):
    compare(tmp_path, seed=8, count=25, c20=True)


def test_random_programs_with_asymmetric_fences(tmp_path):
    compare(tmp_path, seed=9, count=40, asymmetric=["light"] * 8 + ["heavy"] * 6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_random_programs_at_length(seed, tmp_path):
    compare(tmp_path, seed=seed, count=200, c20=seed % 4 == 0, asymmetric=["light", "heavy"] * 3 * (seed % 3))


def test_the_table_has_allowed_and_forbidden_lines():
    assert min(Counter(test.allowed for test in TABLE).values()) >= 15


def test_a_built_program_needs_nothing_else(litmus_program):
    done = subprocess.run([litmus_program, "--client", "sb_sc"], capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0
