"""Primitives with one place spoiled: the model checker and the kill campaign catch them. For stress: test_stress.py."""

import importlib
import os
import platform
import re
from pathlib import Path

import pytest
from compilers import NEEDS_C
from mutants import INCLUDE, MUTANTS, QUEUE, ROOT, STRESS, apply

import lockfree
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


def spoil(mutant):
    """Puts the module with its change into the place of the right one, in this process."""
    module = importlib.import_module(f"lockfree.{mutant.module}")
    text = Path(module.__file__).read_text()
    assert text.count(mutant.right) == 1
    exec(compile(text.replace(mutant.right, mutant.wrong), module.__file__, "exec"), module.__dict__)  # noqa: S102
    for name in module.__dict__.get("__all__", ()):
        setattr(lockfree, name, getattr(module, name))


def fails(mutant, *, spoiled):
    """Whether its test fails, in a child of this process."""
    file, _, rest = mutant.test.partition("/")
    pid = os.fork()
    if pid == 0:
        status = 2  # the test could not be called
        try:
            if spoiled:
                spoil(mutant)
            test, arguments = importlib.import_module(file), mutant.arguments
            for name in rest.removesuffix("(arena)").split("."):
                found = getattr(test, name)
                test = found() if isinstance(found, type) else found
            if rest.endswith("(arena)"):
                arena = lockfree.Arena(2**23)
                arguments = (arena, lockfree.Queue(4, arena=arena), *arguments)
            status = 1
            test(*arguments)
            status = 0
        finally:
            os._exit(status)
    return {0: False, 1: True}[os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]


@pytest.mark.parametrize("mutant", QUEUE, ids=named)
def test_the_tests_of_queues_catch(mutant):
    assert not fails(mutant, spoiled=False)
    assert fails(mutant, spoiled=True), mutant.what


def test_each_mutant_changes_one_place(tmp_path):
    for mutant in [*MUTANTS, *STRESS.values()]:
        assert (INCLUDE / mutant.place).read_text().count(mutant.right) == 1, mutant.what
        assert mutant.right != mutant.wrong
        assert mutant.client or mutant.kill[0] or mutant in STRESS.values(), f"nobody is to catch: {mutant.what}"
    apply(tmp_path / "include", list(STRESS.values()))


def test_every_primitive_that_waits_has_mutants():
    assert set(STRESS) <= {m.client.split("/")[0] for m in MUTANTS}
