"""Threads that do the same: one order of them must show what all orders show."""

import random
import subprocess

import pytest

from lockfree.modelcheck import Settings, Verdict, build, check, replay

HEAD = """
#include <pthread.h>
#include <stdatomic.h>
#include "lockfree_model.h"
static atomic_int x, y, spin, slot;
static int data, seen[4][4];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void tell(const int *values) {
    int mine = atomic_fetch_add_explicit(&slot, 1, memory_order_relaxed);
    for (int i = 0; i < 4; i++)
        seen[mine][i] = values[i];
}
static int before(const int *a, const int *b) {
    for (int i = 0; i < 4; i++)
        if (a[i] != b[i])
            return a[i] < b[i];
    return 0;
}
/* What was seen, by either thread. */
static void final(void) {
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4 && before(seen[j + 1], seen[j]); k++) {
                int copy[4];
                for (int n = 0; n < 4; n++)
                    copy[n] = seen[j][n], seen[j][n] = seen[j + 1][n], seen[j + 1][n] = copy[n];
            }
    for (int i = 0; i < 4; i++) {
        uint64_t word = 0;
        for (int n = 0; n < 4; n++)
            word = word * 1000 + (uint64_t)seen[i][n];
        lf_model_observe("seen", word);
    }
    lf_model_observe("x", (uint64_t)atomic_load(&x));
    lf_model_observe("y", (uint64_t)atomic_load(&y));
}
"""
LOADS = ["memory_order_relaxed", "memory_order_acquire", "memory_order_seq_cst"]
STORES = ["memory_order_relaxed", "memory_order_release", "memory_order_seq_cst"]
PROGRAMS = 60
SHAPES = ["ff", "ff", "fff", "ffg", "gff", "ffgg"]


def statement(rng, number):
    place, load, store = rng.choice("xy"), rng.choice(LOADS), rng.choice(STORES)
    value = f"values[{number}]"
    return rng.choice(
        [
            f"{value} = atomic_load_explicit(&{place}, {load});",
            f"{value} = atomic_load_explicit(&{place}, {load});",
            f"{value} = atomic_fetch_add_explicit(&{place}, 1, memory_order_acq_rel);",
            f"atomic_store_explicit(&{place}, {rng.randint(1, 2)}, {store});",
            f"int old{number} = {rng.randint(0, 1)}; {value} = atomic_compare_exchange_strong(&{place}, &old{number}, 2);",
            f"atomic_thread_fence({rng.choice([*LOADS[1:], 'memory_order_acq_rel'])});",
            f"pthread_mutex_lock(&m); {value} = ++data; pthread_mutex_unlock(&m);",
            f"while (atomic_exchange(&spin, 1)) ; {value} = ++data; atomic_store(&spin, 0);",
            f"if (pthread_mutex_trylock(&m) == 0) {{ {value} = 1; pthread_mutex_unlock(&m); }}",
        ]
    )


def program(rng, name):
    shape = rng.choice(SHAPES)
    longest = 3 if len(shape) == 2 else 2 if len(shape) == 3 else 1
    text = ""
    for function in sorted(set(shape)):
        body = " ".join(statement(rng, n) for n in range(rng.randint(1, longest)))
        text += f"static void {name}_{function}(void) {{ int values[4] = {{0}}; {body} tell(values); }}\n"
    threads = ", ".join(f"{name}_{function}" for function in shape)
    return text + f"LF_MODEL_CLIENT({name}, .threads = {{{threads}}}, .final = final);\n"


def explored(program, client, *options):
    command = [program, "--client", client, "--outcomes", "--seconds", "20", *options]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    kinds = {line.split("\t")[1] for line in lines if line.startswith("failure\t")}
    outcomes = {line for line in lines if line.startswith("outcome\t")} if not kinds else set()
    [summary] = [line.split("\t") for line in lines if line.startswith("summary\t")]
    return summary[1], kinds, outcomes, int(summary[2])


def compare(directory, seed):
    rng = random.Random(seed)
    names = [f"p{n}" for n in range(PROGRAMS)]
    (directory / "programs.c").write_text(HEAD + "".join(program(rng, name) for name in names))
    built = build(directory / "programs.c", directory / "programs")
    compared = fewer = 0
    for name in names:
        *one, few = explored(built, name, "--symmetry")
        *all_orders, many = explored(built, name, "--no-symmetry")
        if "unknown" in (one[0], all_orders[0]):
            continue
        compared += 1
        fewer += few < many
        assert one == all_orders, f"seed {seed}, {name}"
    assert compared > PROGRAMS * 3 // 4
    assert fewer > compared // 4, "nothing was left out"


@pytest.mark.parametrize("seed", [1])
def test_one_order_shows_what_all_orders_show(seed, tmp_path):
    compare(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_one_order_shows_what_all_orders_show_at_length(seed, tmp_path):
    compare(tmp_path, seed)


MAIN = """
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
static atomic_int x, order;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int n, first;
static void *f(void *p) {
    pthread_mutex_lock(&m);
    BODY
    pthread_mutex_unlock(&m);
    return p;
}
int main(void) {
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], 0, f, ARGUMENT);
    pthread_join(t[0], 0);
    BETWEEN
    pthread_join(t[1], 0);
    pthread_join(t[2], 0);
    return 0;
}
"""


def of_main(tmp_path, body="n++;", argument="0", between=""):
    path = tmp_path / "main.c"
    path.write_text(MAIN.replace("BODY", body).replace("ARGUMENT", argument).replace("BETWEEN", between))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    if report.verdict is Verdict.VIOLATION:
        assert replay(path, report.token).kind == report.kind
    return report


def test_three_threads_at_one_lock_come_in_one_order(tmp_path):
    report = of_main(tmp_path)
    assert (report.verdict, report.executions) == (Verdict.OK, 1)


def test_other_arguments_are_other_threads(tmp_path):
    assert of_main(tmp_path, argument="(void *)(long)i").executions == 6


@pytest.mark.parametrize(
    ("body", "between"),
    [
        ("n++;", "pthread_mutex_lock(&m); assert(n != 3); pthread_mutex_unlock(&m);"),  # the second or third came first
        ("n++; atomic_fetch_add(&x, 1);", "assert(atomic_load(&x) == 1);"),
        (
            "if (n++ == 0) first = pthread_equal(pthread_self(), (pthread_t)4);",
            "pthread_mutex_lock(&m); assert(!first); pthread_mutex_unlock(&m);",
        ),
    ],
)
def test_who_tells_twins_apart_sees_every_order(body, between, tmp_path):
    report = of_main(tmp_path, body=body, between=between)
    assert report.kind == "assertion failed"


def test_a_thread_that_asks_who_it_is_has_no_twin(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        '#include <stdatomic.h>\n#include "lockfree_model.h"\nstatic atomic_int x; static int last;\n'
        "static void t(void) { if (atomic_fetch_add(&x, 1) == 1) last = lf_model_thread(); }\n"
        "static void f(void) { lf_model_assert(last != 1); } LF_MODEL_CLIENT(c, .threads = {t, t}, .final = f);"
    )
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert report.kind == "assertion failed"
