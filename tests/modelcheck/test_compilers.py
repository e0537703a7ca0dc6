"""Whatever the compiler, the verdicts are the same."""

import os
import re
import shutil
from pathlib import Path

import pytest

from lockfree._compiler import compiler
from lockfree.modelcheck import BuildError, Settings, Verdict, build, check
from lockfree.modelcheck.build import cxx_compiler
from lockfree.modelcheck.runner import run

SOURCE = Path(__file__).with_name("threads.c")
CLIENTS = re.findall(r"LF_MODEL_CLIENT\((\w+)", SOURCE.read_text())
NAMES = [*(f"gcc-{version}" for version in range(12, 17)), *(f"clang-{version}" for version in range(14, 22)), "clang"]
BY_PROGRAM = {os.path.realpath(shutil.which(name)): name for name in NAMES if shutil.which(name)}
BY_PROGRAM.pop(os.path.realpath(shutil.which(compiler()[0]) or ""), None)
COMPILERS = sorted(BY_PROGRAM.values())
"""Those of this machine, each once, beside the default, which test_threads.py uses."""


def check_verdicts(name, clients, tmp_path, monkeypatch):
    monkeypatch.setenv("CC", name)
    program = build(SOURCE, tmp_path / "threads")
    for client in clients:
        expected = "" if client.startswith("right_") else client.partition("__")[0].replace("_", " ")
        report = run(program, client, Settings(mode="exhaustive"))
        assert report.kind == expected, f"{client}: {report.message}"


@pytest.mark.parametrize("name", COMPILERS)
def test_verdicts_do_not_depend_on_the_compiler(name, tmp_path, monkeypatch):
    wrong = [client for client in CLIENTS if not client.startswith("right_")]
    right = [client for client in CLIENTS if client.startswith("right_")]
    check_verdicts(name, [*wrong[::3], *right[::3]], tmp_path, monkeypatch)


@pytest.mark.parametrize("name", COMPILERS)
def test_a_value_that_nobody_uses_is_not_read(name, tmp_path, monkeypatch):
    monkeypatch.setenv("CC", name)
    (tmp_path / "program.c").write_text(
        "void fills(int *p) { *p = 1; }\nint main(void) { int n; (void)n; fills(&n); return n - 1; }"
    )
    [report] = check(tmp_path / "program.c", settings=Settings(mode="exhaustive"))
    assert report.verdict is Verdict.OK, report.message


@pytest.mark.parametrize("name", [*compiler()[:1], *COMPILERS])
@pytest.mark.parametrize("storage", ["", "static "])
def test_what_a_loop_counts_in_plain_memory_is_read(name, storage, tmp_path, monkeypatch):
    """The turns of the loop read the same atomic value. They differ by what `n++` reads."""
    monkeypatch.setenv("CC", name)
    (tmp_path / "client.c").write_text(
        f'#include "lockfree_model.h"\n#include <stdatomic.h>\nstatic atomic_int x; {storage}int n;\n'
        "static void t(void) { for (n = 0; !atomic_load(&x); n++) {} lf_model_assert(n != 3); }\n"
        "static void u(void) { atomic_store(&x, 1); } LF_MODEL_CLIENT(c, .threads = {t, u});"
    )
    [report] = check(tmp_path / "client.c")
    assert report.verdict is Verdict.VIOLATION
    assert "n != 3" in report.message


@pytest.mark.soak
@pytest.mark.parametrize("name", COMPILERS)
def test_no_verdict_depends_on_the_compiler(name, tmp_path, monkeypatch):
    check_verdicts(name, CLIENTS, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("cc", "cxx"),
    [
        ("gcc", ["g++"]),
        ("cc", ["c++"]),
        ("clang-19", ["clang++-19"]),
        ("/usr/bin/gcc-12 -m64", ["/usr/bin/g++-12", "-m64"]),
        ("env X=1 clang", ["env", "X=1", "clang++"]),
    ],
)
def test_the_cxx_compiler_is_the_sibling_of_the_c_compiler(cc, cxx, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("CC", cc)
    assert cxx_compiler() == cxx
    monkeypatch.setenv("CXX", "my-c++ -O0")
    assert cxx_compiler() == ["my-c++", "-O0"]


def test_a_compiler_that_is_missing_is_named_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "program.cpp").write_text("int main() {}\n")
    monkeypatch.setenv("CXX", "no-such-c++")
    with pytest.raises(BuildError, match=r"^[^\n]*no-such-c\+\+[^\n]*$"):
        check(tmp_path / "program.cpp")
