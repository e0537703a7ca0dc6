"""A client that was built before is taken from the cache, and only then."""

import os
import shlex
import stat

import pytest
from compilers import NEEDS_C

from lockfree._compiler import compiler
from lockfree.modelcheck import Settings, Verdict, build, check, kept

pytestmark = NEEDS_C

PROGRAM = """
#include <assert.h>
#include "limit.h"
#warning from the compiler
int main(void) { assert(LIMIT < 5); return 0; }
"""


@pytest.fixture
def compiles(tmp_path, monkeypatch):
    """What the compiler is called for since it was asked for last, with a cache of its own."""
    real = shlex.join(compiler())
    calls = tmp_path / "calls"
    wrapper = tmp_path / "mycc"
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {real} "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CC", str(wrapper))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def since():
        words = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return [line for line in words if " -S " in line]

    return since


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "limit.h").write_text("#define LIMIT 4\n")
    (folder / "p.c").write_text(PROGRAM)
    return folder / "p.c"


def _verdict(program, **options):
    (report,) = check(program, settings=Settings(seconds=5), **options)
    return report.verdict


def test_the_same_program_is_compiled_once(program, compiles):
    assert _verdict(program) is Verdict.OK
    assert len(compiles()) == 1
    assert _verdict(program) is Verdict.OK
    assert compiles() == []


def test_a_header_that_changed_makes_another_program(program, compiles):
    assert _verdict(program) is Verdict.OK
    (program.parent / "limit.h").write_text("#define LIMIT 5\n")
    assert _verdict(program) is Verdict.VIOLATION
    assert len(compiles()) == 2


def test_another_header_that_is_found_first_makes_another_program(program, compiles, tmp_path):
    (program.parent / "limit.h").rename(tmp_path / "limit.h")
    first = tmp_path / "first"
    first.mkdir()
    include = [str(first), str(tmp_path)]
    assert _verdict(program, include=include) is Verdict.OK
    (first / "limit.h").write_text("#define LIMIT 6\n")
    assert _verdict(program, include=include) is Verdict.VIOLATION


def test_a_macro_and_a_flag_make_another_program(program, compiles):
    for flags in ([], ["-DLIMITS"], ["-funroll-loops"], ["-O0"]):
        assert _verdict(program, flags=flags) is Verdict.OK
        assert len(compiles()) == 1, flags


def test_what_the_compiler_said_is_said_again(program, compiles, tmp_path):
    for _ in range(2):
        said = []
        build(program, tmp_path / "out", keep=True, warn=said.append)
        assert "from the compiler" in "".join(said)
    assert len(compiles()) == 1


@pytest.mark.parametrize("hidden", ["flag", "text"])
def test_what_reads_other_files_is_never_kept(program, compiles, tmp_path, hidden):
    (tmp_path / "extra.o").write_bytes(b"")
    text = f'__asm__(".section .rodata\\n.incbin \\"{tmp_path}/extra.o\\"\\n.text\\n");\n'
    if hidden == "text":
        program.write_text(text + PROGRAM)
    flags = ["-Wl,--as-needed"] if hidden == "flag" else []
    for _ in range(2):
        build(program, tmp_path / "out", flags=flags, keep=True)
        assert len(compiles()) == 1


def test_what_nobody_trusts_is_not_kept(program, compiles):
    for _ in range(2):
        check(program, settings=Settings(seconds=5), enclose=lambda: None)
        assert len(compiles()) == 1


def test_a_client_that_went_half_away_is_built_again(program, compiles, tmp_path):
    assert _verdict(program) is Verdict.OK
    for entry in (tmp_path / "cache/lockfree/clients").iterdir():
        (entry / "client").unlink()
    assert _verdict(program) is Verdict.OK
    assert len(compiles()) == 2


def test_only_so_many_are_kept(program, compiles, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    for number in range(4):
        build(program, tmp_path / "out", define=[f"N={number}"], keep=True)
    assert len(list((tmp_path / "cache/lockfree/clients").iterdir())) == 2


def test_only_so_many_answers_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 3)
    asked = []

    def answer(number):
        return kept.remembered(tmp_path, number, lambda: asked.append(number) or f"answer {number}")

    for number in range(20):
        assert answer(number) == f"answer {number}"
        os.utime(tmp_path / "answers" / kept._name(number), (number, number))
    assert len(list((tmp_path / "answers").iterdir())) == 3
    asked.clear()
    assert answer(17) == "answer 17"  # from now on used last
    assert answer(20) == "answer 20"
    assert answer(17) == "answer 17"
    assert answer(18) == "answer 18"
    assert asked == [20, 18]


@pytest.mark.parametrize(
    "flag", ["-fprofile-use=a", "-include", "x.h", "@file", "-Wl,-z,now", "-lm", "-march=native", "a.o"]
)
def test_a_flag_that_may_read_a_file_is_not_plain(flag):
    assert not kept.may_keep([flag], [])


@pytest.mark.parametrize(
    "flag", ["-O2", "-Wall", "-DA=1", "-Ifoo", "-std=c11", "-pthread", "-g", "-fno-strict-aliasing", "-msse2"]
)
def test_usual_flags_are_plain(flag):
    assert kept.may_keep([flag], [])
