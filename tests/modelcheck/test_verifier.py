"""Clients written for other checkers."""

import pytest

from lockfree.modelcheck import BuildError, Settings, Verdict, check, replay
from lockfree.modelcheck.numbers import constants

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
    assert (report.verdict, report.sampled) == ((Verdict.VIOLATION, False) if kind else (Verdict.UNKNOWN, True))


ONE_NUMBER_OF_MANY = """
extern int __VERIFIER_nondet_int(void);
extern void reach_error(void);
int main() { if (__VERIFIER_nondet_int() / 7 == 11111) reach_error(); return 0; }
"""


@pytest.mark.parametrize("mode", ["auto", "exhaustive", "random"])
def test_no_verdict_on_all_numbers_from_some(mode, tmp_path):
    (tmp_path / "program.c").write_text(ONE_NUMBER_OF_MANY)
    [report] = check(tmp_path / "program.c", settings=Settings(mode=mode, seconds=1))
    assert (report.verdict, report.sampled, report.complete) == (Verdict.UNKNOWN, True, False)
    assert "gave some numbers, and not all" in report.bounds()


@pytest.mark.parametrize(
    ("type_", "condition"),
    [
        ("int", "n == 77777"),
        ("unsigned", "n > 4000000000u"),
        ("long", "n < -0x123456789 && n > -0x12345678c"),
        ("short", "n > 300 && n < LARGEST"),
        ("int", "n == 010"),
    ],
)
def test_the_constants_of_a_program_are_tried(type_, condition, tmp_path):
    """In all files, from macros, too; a replay finds the same number."""
    (tmp_path / "limits.h").write_text("#define LARGEST 302\n")
    name = f"__VERIFIER_nondet_{type_.replace('unsigned', 'uint')}"
    text = f"""#include <stdlib.h>
    #include <genmc.h>
    #include "limits.h"
    extern {type_} {name}(void);
    int wrong(void) {{ {type_} n = {name}(); return {condition}; }}"""
    (tmp_path / "wrong.c").write_text(text)
    (tmp_path / "main.c").write_text('int wrong(void);\nint main(void) { return wrong() ? 1 : 0; /* "9" */ }')
    files = [tmp_path / "main.c", tmp_path / "wrong.c"]
    [report] = check(files, settings=Settings(mode="exhaustive"))
    assert report.kind == "exit status"
    assert replay(files, report.token).message == report.message


def test_the_constants_of_a_file():
    text = """# 1 "/usr/include/stdio.h" 1 3 4
int system = 11;
# 2 "a.c" 2
int x = -3, y1 = 0x10u, z = 5UL; double d = 2.5; char *text = "7 8\\" 9", c = '6'; long huge = 99999999999999999999;
"""
    assert constants(text) == [-3, 3, 16, 5]


ASSUMES = """
#include <stdlib.h>
#include <pthread.h>
extern int __VERIFIER_nondet_int(void);
STATIC void NAME(int condition) { if (!condition) { abort(); } }
static int n;
static void *adds(void *p) { __atomic_fetch_add(&n, 1, __ATOMIC_RELAXED); return p; }
int main(void) {
    pthread_t one;
    pthread_create(&one, NULL, adds, NULL);
    int seen = __atomic_load_n(&n, __ATOMIC_RELAXED);
    NAME(seen == 1);
    pthread_join(one, NULL);
    return n - seen;
}
"""


@pytest.mark.parametrize("static", ["", "static", "static inline"])
@pytest.mark.parametrize(("name", "kind"), [("assume_abort_if_not", ""), ("check", "crash")])
def test_an_abort_that_assumes(name, kind, static, tmp_path):
    (tmp_path / "program.c").write_text(ASSUMES.replace("NAME", name).replace("STATIC", static))
    [report] = check(tmp_path / "program.c", settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message
    assert report.complete


ATOMIC_BY_NAME = """
#include <pthread.h>
extern void __VERIFIER_assume(int);
static int taken, n;
STATIC void NAME_take() { __VERIFIER_assume(taken == 0); taken = 1; }
STATIC int NAME_next(int by) { return n += by; }
STATIC int NAME_both(int by) { if (NAME_next(by) < 0) return -1; return NAME_next(by); }
static void *adds(void *p) { NAME_take(); int seen = NAME_both(1); taken = taken; return seen % 2 ? NULL : p; }
int main() {
    pthread_t one;
    pthread_create(&one, NULL, adds, &n);
    int seen = NAME_both(1);
    pthread_join(one, NULL);
    return seen % 2 != 0 || n != 4;
}
"""


@pytest.mark.parametrize(
    ("name", "static", "kind"),
    [
        ("__VERIFIER_atomic", "", ""),
        ("__VERIFIER_atomic", "static", ""),
        ("__VERIFIER_atomic", "static inline", ""),
        ("other", "static", "data race"),
    ],
)
def test_what_is_atomic_by_its_name(name, static, kind, tmp_path):
    (tmp_path / "program.c").write_text(ATOMIC_BY_NAME.replace("NAME", name).replace("STATIC", static))
    [report] = check(tmp_path / "program.c", settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message


AWAITED = """
#include <pthread.h>
#include <stdatomic.h>
int __VERIFIER_xchg_await_aint(atomic_int *object, int value, int when, int operand);
static atomic_int x = -1;
static void *sets(void *p) { x = 3; return p; }
int main() {
    pthread_t t;
    pthread_create(&t, NULL, sets, NULL);
    int old = __VERIFIER_xchg_await_aint(&x, 9, WHEN);
    pthread_join(t, NULL);
    return old != 3 || x != 9;
}
"""


@pytest.mark.parametrize(("when", "kind"), [("2, 3", ""), ("9, 1", ""), ("4, 1", "deadlock"), ("12, 1", "exit status")])
def test_nidhuggs_exchange_that_waits(when, kind, tmp_path):
    (tmp_path / "program.c").write_text(AWAITED.replace("WHEN", when))
    [report] = check(tmp_path / "program.c", settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message


def test_integer_types_that_come_with_some_stdatomic(tmp_path):
    text = "#include <stdatomic.h>\nstatic atomic_int x;\nint main() { x = 1; return x == 1 ? 0 : (int)(intptr_t)(uint8_t)2; }"
    (tmp_path / "program.c").write_text(text)
    [report] = check(tmp_path / "program.c")
    assert report.verdict is Verdict.OK


NO_END = """
#include <genmc.h>
#include <stdatomic.h>
static atomic_int x;
static void *sets(void *p) { x = 1; return p; }
int main() {
    pthread_t t;
    pthread_create(&t, NULL, sets, NULL);
    __VERIFIER_assume(x == FOUND);
    pthread_join(t, NULL);
}
"""


@pytest.mark.parametrize(("found", "executions"), [("1", 1), ("2", 0)])
def test_an_assumption_that_never_holds_is_a_warning(found, executions, tmp_path):
    (tmp_path / "program.c").write_text(NO_END.replace("FOUND", found))
    [report] = check(tmp_path / "program.c")
    assert (report.verdict, report.executions) == (Verdict.OK, executions)
    assert any("no execution comes to its end" in warning for warning in report.warnings) == (executions == 0)


def test_numbers_that_are_all_assumed_away_are_no_verdict(tmp_path):
    text = "#include <genmc.h>\nint main() { int n = __VERIFIER_nondet_int(); __VERIFIER_assume(n / 7 == 11111); return n; }"
    (tmp_path / "program.c").write_text(text)
    [report] = check(tmp_path / "program.c", settings=Settings(seconds=1))
    assert (report.verdict, report.executions) == (Verdict.UNKNOWN, 0)


LAST_STORE = """
#include <genmc.h>
#include <stdatomic.h>
static atomic_int x, y;
static void *first(void *p) {
    int none = 0;
    __VERIFIER_final_write(x = 1);
    y = 1;
    while (!__VERIFIER_final_CAS(atomic_compare_exchange_strong(&y, &none, 2)))
        none = 1;
    return p;
}
static void *second(void *p) { OTHER; return p; }
int main() {
    pthread_t t, u;
    pthread_create(&t, NULL, first, NULL);
    pthread_create(&u, NULL, second, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}
"""


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ("(void)x", ""),
        ("x = 2", "broken promise"),
        ("if (x) x = 2", "broken promise"),
        ("if (y == 2) y = 3", "broken promise"),
    ],
)
def test_the_last_store_is_a_promise(other, kind, tmp_path):
    (tmp_path / "program.c").write_text(LAST_STORE.replace("OTHER", other))
    [report] = check(tmp_path / "program.c")
    assert report.kind == kind, report.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#include <lkmm.h>\nint main() { }", "the Linux kernel has its own memory model"),
        ("int main() { void *p = __VERIFIER_hp_alloc(); __VERIFIER_hp_free(p); }", "hazard pointers"),
        ("int main() { __VERIFIER_pbarrier(); }", "persistent memory"),
        ("int x; int main() { int r = 0; __VERIFIER_CAS_helping_explicit(&x, &r, 1, 0, 0); }", "GenMC alone knows"),
    ],
)
def test_what_is_not_modelled_is_one_clear_line(text, said, tmp_path):
    (tmp_path / "program.c").write_text(f"#include <genmc.h>\n{text}\n")
    with pytest.raises(BuildError, match=said) as error:
        list(check(tmp_path / "program.c", flags=["-Wno-error"]))
    assert "\n" not in str(error.value)
