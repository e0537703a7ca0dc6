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
