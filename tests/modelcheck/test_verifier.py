"""Clients written for other checkers."""

import pytest

from lockfree.modelcheck import Settings, Verdict, check

FOR_GENMC = """
#include <HEADER>
#include <assert.h>
#include <stdatomic.h>
static atomic_int x;
static int plain;
static void *count(void *p) {
    BEGIN;
    plain++;
    END;
    await_while (atomic_load(&x) == 0);
    return p;
}
int main() {
    __VERIFIER_thread_t t = __VERIFIER_spawn(count, NULL), u = __VERIFIER_spawn_symmetric(count, NULL, t);
    atomic_store(&x, __VERIFIER_nondet_bool() ? STORED : 2);
    assert(__VERIFIER_join(t) == NULL);
    __VERIFIER_join_symmetric(u);
    assert(plain == 2);
    __VERIFIER_assume(x != 2);
    __VERIFIER_assert(x == EXPECTED);
}
"""
DEFAULTS = {"HEADER": "genmc.h", "BEGIN": "__VERIFIER_atomic_begin()", "END": "__VERIFIER_atomic_end()"}
DEFAULTS |= {"STORED": "1", "EXPECTED": "1"}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, ""),
        ({"HEADER": "dat3m.h"}, ""),
        ({"EXPECTED": "2"}, "assertion failed"),
        ({"BEGIN": "(void)0", "END": "(void)0"}, "data race"),
        ({"END": "(void)0"}, "deadlock"),
    ],
)
def test_headers_of_others(changes, kind, tmp_path):
    text = FOR_GENMC
    for name, value in {**DEFAULTS, **changes}.items():
        text = text.replace(name, value)
    (tmp_path / "client.c").write_text(text)
    [report] = check(tmp_path / "client.c", settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message
    assert report.verdict is (Verdict.VIOLATION if kind else Verdict.OK)


AS_IN_SV_COMP = """
extern int __VERIFIER_nondet_int(void);
extern void __VERIFIER_assume(int);
extern void reach_error(void);
int main() {
    int n = __VERIFIER_nondet_int();
    __VERIFIER_assume(n != 7);
    if (n == n + WRONG) reach_error();
    return 0;
}
"""


@pytest.mark.parametrize(("wrong", "kind"), [("1", ""), ("0", "assertion failed")])
def test_programs_that_declare_what_they_use(wrong, kind, tmp_path):
    (tmp_path / "program.c").write_text(AS_IN_SV_COMP.replace("WRONG", wrong))
    [report] = check(tmp_path / "program.c")
    assert report.kind == kind


def test_what_is_atomic_by_its_name_is_refused(tmp_path):
    (tmp_path / "program.c").write_text("static int n; void __VERIFIER_atomic_add() { n++; } int main() { }")
    with pytest.raises(ValueError, match="atomic by their name are not modelled: __VERIFIER_atomic_add"):
        check(tmp_path / "program.c")


def test_integer_types_that_come_with_some_stdatomic(tmp_path):
    text = "#include <stdatomic.h>\nstatic atomic_int x;\nint main() { x = 1; return x == 1 ? 0 : (int)(intptr_t)(uint8_t)2; }"
    (tmp_path / "program.c").write_text(text)
    [report] = check(tmp_path / "program.c")
    assert report.verdict is Verdict.OK
