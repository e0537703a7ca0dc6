"""Barriers: the order of arrival changes nothing, the choice of the serial thread may."""

import pytest

from lockfree.modelcheck import Settings, Verdict, check, replay

HEAD = """
#include <pthread.h>
#include <stdatomic.h>
#include "lockfree_model.h"
static pthread_barrier_t b;
static atomic_int x, serial;
static int data[8];
"""


def client(tmp_path, functions, threads, *, awaited, final="", **settings):
    path = tmp_path / "client.c"
    setup = f"static void setup(void) {{ pthread_barrier_init(&b, NULL, {awaited}); }}\n"
    end = f"static void final(void) {{ {final} }}\n"
    path.write_text(
        HEAD + setup + functions + end
        + f"LF_MODEL_CLIENT(c, .setup = setup, .threads = {{{', '.join(threads)}}}, .final = final);"
    )  # fmt: skip
    [report] = check(path, settings=Settings(**{"mode": "exhaustive", **settings}))
    if report.verdict is Verdict.VIOLATION:
        assert replay(path, report.token).kind == report.kind
    return report


def meets(number, rounds=2):
    """A thread that shows the others what it did before, and sees what they did."""
    return (
        f"static void t{number}(void) {{ for (int i = 0; i < {rounds}; i++) {{ data[{number}]++; pthread_barrier_wait(&b);\n"
        f"  lf_model_assert(data[{(number + 1) % 5}] == i + 1); pthread_barrier_wait(&b); }} }}\n"
    )


@pytest.mark.parametrize("symmetry", [True, False])
def test_five_threads_that_meet_four_times_are_one_execution(symmetry, tmp_path):
    functions = "".join(meets(number) for number in range(5))
    report = client(tmp_path, functions, [f"t{n}" for n in range(5)], awaited=5, symmetry=symmetry)
    assert (report.verdict, report.executions, report.blocked) == (Verdict.OK, 1, 0)


@pytest.mark.parametrize("mode", ["exhaustive", "random", "pct", "bounded"])
def test_who_passes_too_early_races(mode, tmp_path):
    functions = "".join(meets(number) for number in range(4)) + meets(4).replace("pthread_barrier_wait(&b);\n", "\n")
    report = client(tmp_path, functions, [f"t{n}" for n in range(5)], awaited=5, mode=mode, executions=500)
    assert report.kind in {"data race", "deadlock", "assertion failed"}


SERIAL = """
static void s(void) {
    pthread_barrier_wait(&b);
    if (pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD)
        atomic_fetch_add_explicit(&serial, 1 + 10 * lf_model_thread(), memory_order_relaxed);
}
"""


def test_exactly_one_is_the_serial_one_and_each_may_be(tmp_path):
    report = client(tmp_path, SERIAL, ["s"] * 3, awaited=3, final="lf_model_assert(serial % 10 == 1);")
    assert (report.verdict, report.executions) == (Verdict.OK, 3)
    for who in (1, 2, 3):
        report = client(tmp_path, SERIAL, ["s"] * 3, awaited=3, final=f"lf_model_assert(serial != {1 + 10 * who});")
        assert report.kind == "assertion failed", who


ONE_ASKS = """
static void asks(void) {
    if (pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD)
        atomic_store(&x, 1);
}
static void does_not_ask(void) { pthread_barrier_wait(&b); }
"""


def test_the_serial_one_may_be_one_that_does_not_ask(tmp_path):
    report = client(tmp_path, ONE_ASKS, ["asks", "does_not_ask"], awaited=2, final="lf_model_assert(x == 1);")
    assert report.kind == "assertion failed"
    report = client(tmp_path, ONE_ASKS, ["asks", "does_not_ask"], awaited=2, final="lf_model_assert(x == 0);")
    assert report.kind == "assertion failed"


PAIRS = """
static void meets_one(void) { atomic_fetch_add(&x, 1); pthread_barrier_wait(&b); lf_model_assert(atomic_load(&x) >= 2); }
"""


def test_more_threads_than_the_barrier_awaits_meet_in_pairs(tmp_path):
    report = client(tmp_path, PAIRS, ["meets_one"] * 4, awaited=2)
    assert report.verdict is Verdict.OK
    assert client(tmp_path, PAIRS, ["meets_one"] * 3, awaited=2).kind == "deadlock"
    assert client(tmp_path, PAIRS.replace(">= 2", ">= 3"), ["meets_one"] * 4, awaited=2).kind == "assertion failed"
