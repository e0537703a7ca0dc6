"""Loops: which turns change nothing, and what is never left out.

A client's name says what is found in it: `right_...` nothing, `livelock__...` a livelock.
"""

import re
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, check, replay
from lockfree.modelcheck.runner import run, run_auto

SOURCE = Path(__file__).with_name("turns.c")
CLIENTS = re.findall(r"LF_MODEL_CLIENT\((\w+)", SOURCE.read_text())
IN_VAIN = {"deadlock", "livelock"}


def expected(client):
    return "" if client.startswith("right_") else client.partition("__")[0].replace("_", " ")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("turns") / "turns", warn=compilers.warned)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_execution(client, program):
    report = run(program, client, Settings(mode="exhaustive"))
    assert report.kind == expected(client), report.message
    assert report.verdict is (Verdict.VIOLATION if expected(client) else Verdict.OK)
    assert report.complete
    assert report.beyond_steps == 0
    if expected(client):
        again = replay(SOURCE, report.token)
        assert (again.kind, again.trace.render()) == (report.kind, report.trace.render())


@pytest.mark.parametrize("mode", ["random", "pct", "bounded"])
def test_no_search_accuses_what_is_right(mode, program):
    for client in CLIENTS:
        report = run(program, client, Settings(mode=mode, executions=200, seconds=1, steps=400))
        assert report.kind in {"", expected(client)}, (client, report.message)


LATE = """
#include <stdatomic.h>
#include "lockfree_model.h"
static atomic_int x, y, after;
static void blinks(void) {
    while (!atomic_load(&x)) {
        atomic_store(&y, 1);
        atomic_store(&y, 0);
    }
    atomic_store_explicit(&after, 1, ORDER);
}
static void looks_late(void) {
    int over = atomic_load_explicit(&after, memory_order_acquire);
    int old = atomic_load_explicit(&y, memory_order_relaxed);
    lf_model_assert(!(over && old));
}
static void sets(void) { atomic_store(&x, 1); }
LF_MODEL_CLIENT(late, .threads = {blinks, looks_late, sets});
"""


@pytest.mark.parametrize(
    ("order", "kind"), [("memory_order_relaxed", "assertion failed"), ("memory_order_release", "")]
)
def test_a_turn_that_is_seen_only_after_the_loop(order, kind, tmp_path):
    path = tmp_path / "late.c"
    path.write_text(LATE.replace("ORDER", order))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert report.kind == kind
    assert report.complete


def test_turns_that_could_be_seen_late_are_a_bound(tmp_path):
    path = tmp_path / "late.c"
    path.write_text(LATE.replace("ORDER", "memory_order_relaxed").replace("!(over && old)", "over < 2"))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert report.verdict is Verdict.UNKNOWN
    assert "followed for 3 turns that nobody saw or as many as --spins says: late.c:6" in report.bounds()
    [report] = check(path, settings=Settings(mode="exhaustive", spins=2))
    assert report.verdict is Verdict.OK


def test_three_threads_at_a_lock_are_few_executions(program):
    assert run(program, "right_three_compare", Settings(mode="exhaustive")).executions == 1
    assert run(program, "right_three_at_a_lock", Settings(mode="exhaustive")).executions <= 6


HEAD = '#include <stdatomic.h>\n#include "lockfree_model.h"\n'


def test_a_search_that_is_not_finished_is_no_ok_with_status_0(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static void t(void) { for (int i = 0; i < 40; i++) atomic_fetch_add(&x, i); }\n"
        "static void u(void) { for (int i = 0; i < 40; i++) atomic_fetch_add(&x, i + 1); }\n"
        "LF_MODEL_CLIENT(c, .threads = {t, u});"
    )
    [report] = check(path, settings=Settings(seconds=1))
    assert (report.verdict, report.sampled) == (Verdict.UNKNOWN, True)
    assert report.bounds().startswith("sampled: ")
    assert "one by one" in report.bounds()


LONG = """
static atomic_int x, y, z;
static void t(void) { for (int i = 1; i < 4; i++) { atomic_store(&x, i); atomic_store(&y, i); } }
static void u(void) { for (int i = 0; i < 4; i++) { atomic_load(&x); atomic_load(&y); } }
static void v(void) { for (int i = 0; i < 3; i++) { atomic_load(&y); atomic_load(&x); } CHECK }
LF_MODEL_CLIENT(c, .threads = {t, u, v});
"""


EARLY = """
#define RELAXED memory_order_relaxed
static atomic_int x, y, z;
static void t(void) {
    for (int i = 0; i < 8; i++) {
        atomic_store_explicit(&x, i, RELAXED);
        atomic_store_explicit(&y, i, RELAXED);
        atomic_store_explicit(&z, i, RELAXED);
    }
}
static void u(void) {
    int first = atomic_load_explicit(&x, RELAXED);
    for (int i = 0; i < 6; i++) {
        atomic_load_explicit(&y, RELAXED);
        atomic_load_explicit(&z, RELAXED);
    }
    lf_model_assert(first == 7);
}
LF_MODEL_CLIENT(c, .threads = {t, u});
"""


@pytest.fixture
def soon(monkeypatch):
    """The break of the exhaustive search comes at once."""
    monkeypatch.setattr("lockfree.modelcheck.runner._moment", lambda _settings: 0.02)


def test_a_search_goes_on_after_its_break(soon, tmp_path):
    path = tmp_path / "client.c"
    path.write_text(HEAD + LONG.replace("CHECK", ""))
    [whole] = check(path, settings=Settings(mode="exhaustive", seconds=120))
    [report] = check(path, settings=Settings(seconds=240))
    assert (report.verdict, report.complete) == (Verdict.OK, True)
    assert report.executions == whole.executions, "each once, and no samples"


def test_a_failure_in_the_break_ends_the_search(soon, tmp_path):
    path = tmp_path / "client.c"
    path.write_text(HEAD + EARLY)
    [report] = check(path, settings=Settings(seconds=240))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "assertion failed")
    assert report.mode in {"random", "pct"}, "which looks elsewhere than the first search"
    assert report.trace is not None
    assert report.trace.events


def test_the_parts_of_a_sample_are_together_the_sample(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static void t(void) { for (int i = 0; i < 40; i++) atomic_fetch_add(&x, i); }\n"
        "LF_MODEL_CLIENT(c, .threads = {t, t, t});"
    )
    [report] = check(path, settings=Settings(seconds=1))
    parts = [int(number) for number in re.findall(r"in (\d+) (?:one by|at random|with)", report.bounds())]
    assert sum(parts) == report.executions > 0


def test_a_bound_that_the_user_gave_is_a_bound(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static int n;\n"
        "static void t(void) { for (n = 0; !atomic_load(&x); n++) ; }\n"
        "static void u(void) { atomic_store(&x, 1); } LF_MODEL_CLIENT(c, .threads = {t, u});"
    )
    [report] = check(path, settings=Settings(seconds=2))
    assert report.verdict is Verdict.UNKNOWN, "it may count for ever: nobody has seen everything"
    assert "steps (--steps)" in report.bounds()
    [report] = check(path, settings=Settings(spins=2))
    assert report.verdict is Verdict.OK
    assert "loops that wait for ever, as far as 100,000 reads show: client.c:4" in report.bounds()


@pytest.mark.parametrize("turns", [100, 3000, 20_000])
def test_a_loop_of_any_length_that_gives_up_is_followed(turns, tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + f"static atomic_int x; static void t(void) {{ for (int i = 0; i < {turns}; i++)\n"
        "    if (atomic_load_explicit(&x, memory_order_relaxed)) return;\n  lf_model_assert(0); }\n"
        "LF_MODEL_CLIENT(c, .threads = {t});"
    )
    [report] = check(path, settings=Settings(mode="exhaustive", steps=turns + 1))
    assert report.kind == "assertion failed"
    if turns > 1:
        [report] = check(path, settings=Settings(mode="exhaustive", steps=turns - 1))
        assert (report.verdict, report.beyond_steps) == (Verdict.UNKNOWN, 1)


def test_automatic_search_of_right_and_wrong(program):
    for client in (
        "right_polls",
        "livelock__nobody_says_1",
        "assertion_failed__third_try",
        "right_gives_up_after_4000",
    ):
        report = run_auto(program, client, Settings(seconds=4))
        assert report.kind == expected(client)
        assert report.sampled is False


COMMITS = """
static atomic_int x;
/* A store that others have overwritten is made again, and then it is new. */
static void commits(int me) {
    for (int done = 0; done < 2;) {
        atomic_store(&x, me);
        done += atomic_load(&x) == me;
    }
}
static void commits_1(void) { commits(1); }
static void commits_2(void) { commits(2); }
LF_MODEL_CLIENT(commits, .threads = {commits_1, commits_2});
"""


def test_a_turn_whose_store_was_overwritten_waits_for_nothing(tmp_path):
    path = tmp_path / "commits.c"
    path.write_text(HEAD + COMMITS)
    [report] = check(path, settings=Settings(mode="exhaustive", executions=2000, steps=100))
    assert report.kind == "", report.message


RETRIES = """
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "lockfree_model.h"
static atomic_uint version;
static atomic_int a, b;
static void writes(void) {
    for (int i = 1; i < 3; i++) {
        atomic_store_explicit(&version, 2 * i - 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&a, i, memory_order_relaxed);
        atomic_store_explicit(&b, i, memory_order_relaxed);
        atomic_store_explicit(&version, 2 * i, memory_order_release);
    }
}
static int reads(void) {
    int x, y;
    unsigned before;
    do {
        before = atomic_load_explicit(&version, memory_order_acquire);
        x = atomic_load_explicit(&a, memory_order_relaxed);
        y = atomic_load_explicit(&b, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
    } while (before % 2 || before != atomic_load_explicit(&version, memory_order_relaxed));
    return x == y ? x : 9;
}
static void read_1(void) { lf_model_assert(reads() != WRONG); }
static void read_2(void) { lf_model_assert(reads() != 9); }
LF_MODEL_CLIENT(versioned, .threads = {writes, read_1, read_2});

static atomic_int sum;
#define ADD(n) \\
    static void add_##n(void) { \\
        int seen; \\
        do \\
            seen = atomic_load_explicit(&sum, memory_order_relaxed); \\
        while (!atomic_compare_exchange_strong(&sum, &seen, seen + n)); \\
    }
ADD(1) ADD(2) ADD(3) ADD(4)
static void all(void) { lf_model_assert(sum == 10); }
LF_MODEL_CLIENT(adds, .threads = {add_1, add_2, add_3, add_4}, .final = all);
"""


def test_loops_that_retry_have_no_executions_but_those_of_their_last_turns(tmp_path):
    """What the turns before left in registers and in dead slots makes no state a new one."""
    (tmp_path / "retries.c").write_text(RETRIES)
    settings = Settings(mode="exhaustive", seconds=60)
    versioned, adds = check(tmp_path / "retries.c", define=["WRONG=9"], settings=settings)
    assert (versioned.verdict, versioned.complete, adds.verdict, adds.complete) == (Verdict.OK, True) * 2
    assert adds.executions == 24
    assert versioned.executions < 100
    for value in ("0", "1", "2"):
        [wrong] = check(tmp_path / "retries.c", clients=["versioned"], define=[f"WRONG={value}"], settings=settings)
        assert wrong.kind == "assertion failed", value
