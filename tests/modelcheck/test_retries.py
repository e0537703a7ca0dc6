"""Threads that try again: what need not be executed is not, and what is left out shows nothing new."""

import random
import subprocess

import pytest

from lockfree.modelcheck import Settings, Verdict, build, check

HEAD = """
#include <stdatomic.h>
#include "lockfree_model.h"
static atomic_int x, y, z;
struct node { int value; struct node *next; };
static struct node pool[4];
static int slot[4], more[4];
static _Atomic(struct node *) top;
"""
LOADS = ["memory_order_relaxed", "memory_order_acquire", "memory_order_seq_cst"]
STORES = ["memory_order_relaxed", "memory_order_release", "memory_order_seq_cst"]
BOTH = [*LOADS, "memory_order_release", "memory_order_acq_rel"]
PROGRAMS = 30


def statement(rng: random.Random, name: str, me: int) -> str:
    """One thing that the thread `me` does; `name` is what it observes."""
    at, other = rng.choice("xxy"), rng.choice("xy")
    load, success, failure = rng.choice(LOADS), rng.choice(BOTH), rng.choice(LOADS)
    observe = f'lf_model_observe("{name}", (unsigned)(%s));'
    first = f"int e = atomic_load_explicit(&{at}, {load});"
    exchange = f"atomic_compare_exchange_strong_explicit(&{at}, &e, %s, {success}, {failure})"
    choices = [
        f"{first} while (!{exchange % 'e + 1'}) ; {observe % 'e'}",
        f"{first} while (!{exchange % 'e + 1'}) ; {observe % 'e'}",
        f"{first} while (e < 3 && !{exchange % '3'}) ; {observe % 'e'}",
        f"int e; do e = atomic_load_explicit(&{at}, {load}); while (!{exchange % 'e + 2'}); {observe % 'e'}",
        (
            f"{first} int q; do q = atomic_load_explicit(&{other}, {load}); while (!{exchange % 'e + q + 1'}); "
            f"{observe % 'e * 16 + q'}"
        ),
        f"int e = {rng.randint(0, 2)}; _Bool done = {exchange % '5'}; {observe % 'e * 2 + done'}",
        f"atomic_store_explicit(&{at}, {rng.randint(1, 2)}, {rng.choice(STORES)});",
        observe % f"atomic_load_explicit(&{at}, {load})",
        observe % f"atomic_exchange_explicit(&{at}, {rng.randint(1, 3)}, {success})",
        observe % f"atomic_fetch_add_explicit(&{at}, 1, {success})",
        f"{first} lf_model_assume(e != {rng.randint(0, 2)}); {observe % 'e'}",
        (
            "struct node *e = atomic_load_explicit(&top, memory_order_acquire); while (e && "
            "!atomic_compare_exchange_strong_explicit(&top, &e, e->next, memory_order_acq_rel, memory_order_acquire)) ; "
            f"{observe % '(e ? e->value : 0)'}"
        ),
    ]
    tries = f"while (!{exchange % 'e + 1'})"
    written = observe % f"slot[{me}] * 100 + more[{me}]"
    choices += [  # what it writes to plain memory on the way
        f"{first} do {{ slot[{me}] = e; more[{me}] = e * 2; }} {tries}; {observe % 'e'}",
        f"{first} do {{ if (e & 1) slot[{me}] = e; else more[{me}] = e; }} {tries}; {written}",
        f"{first} do {{ slot[{me}] = 7; slot[{me}] = e; }} {tries}; {written}",
        f"{first} do slot[{me}] = slot[{me}] + e; {tries}; {written}",
        f"if (atomic_load_explicit(&{at}, memory_order_acquire) == 1) {observe % f'slot[{(me + 1) % 3}]'}",
    ]
    return rng.choice(choices)


def push(thread: object, load: str = "memory_order_seq_cst") -> str:
    return (
        f"struct node *mine = &pool[{thread}]; mine->value = {thread} + 1; "
        f"struct node *e = atomic_load_explicit(&top, {load}); "
        "do mine->next = e; while (!atomic_compare_exchange_strong_explicit(&top, &e, mine, memory_order_release, "
        "memory_order_relaxed));"
    )


def programs(seed: int) -> str:
    rng = random.Random(seed)
    text = HEAD
    for number in range(PROGRAMS):
        names = [f"program{number}_thread{t}" for t in range(rng.choice([2, 3, 3]))]
        for t, name in enumerate(names):
            parts = [statement(rng, f"{t}.{i}", t) for i in range(rng.randint(1, 2))]
            parts += [push(t)] if rng.random() < 0.2 else []
            text += f"static void {name}(void) {{\n" + "".join(f"    {{ {part} }}\n" for part in parts) + "}\n"
        text += f"LF_MODEL_CLIENT(c{number}, .threads = {{{', '.join(names)}}});\n"
    return text


def explored(program, client, *options):
    """The verdict, the kind of failure, and the outcomes."""
    command = [program, "--client", client, "--outcomes", "--mode", "exhaustive", "--seconds", "5", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    verdict = next(fields[1] for fields in lines if fields[0] == "summary")
    kinds = [fields[1] for fields in lines if fields[0] == "failure"]
    outcomes = {" ".join(sorted(fields[1].split(" "))) for fields in lines if fields[0] == "outcome"}
    return verdict, kinds, outcomes


def compare(directory, seed):
    path = directory / "programs.c"
    path.write_text(programs(seed))
    program = build(path, directory / "programs")
    compared = 0
    for number in range(PROGRAMS):
        short, whole = explored(program, f"c{number}"), explored(program, f"c{number}", "--no-turns")
        if "unknown" in {short[0], whole[0]}:
            continue
        compared += 1
        assert short[:2] == whole[:2], f"seed {seed}, program {number}"
        if short[0] == "ok":
            assert short[2] == whole[2], f"seed {seed}, program {number}"
    assert compared > PROGRAMS * 3 // 4


@pytest.mark.parametrize("seed", [1, 2])
def test_random_programs_that_try_again(seed, tmp_path):
    compare(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_random_programs_that_try_again_at_length(seed, tmp_path):
    compare(tmp_path, seed)


def whole(directory, body, threads, **more):
    path = directory / "client.c"
    names = ", ".join(f"t{n}" for n in range(threads))
    functions = "".join(f"static void t{n}(void) {{ f({n}); }}\n" for n in range(threads))
    path.write_text(f"{HEAD}static void f(int me) {{ {body} }}\n{functions}LF_MODEL_CLIENT(c, .threads = {{{names}}});")
    [report] = check(path, settings=Settings(mode="exhaustive", seconds=60, **more))
    assert report.verdict is Verdict.OK
    return report


def test_two_changes_of_one_value_are_no_execution(tmp_path):
    report = whole(tmp_path, "(void)me; atomic_fetch_add(&x, 1);", 5)
    assert (report.executions, report.cut) == (120, 0)


def test_tries_that_fail_are_few_executions(tmp_path):
    body = "(void)me; int e = atomic_load(&x); while (!atomic_compare_exchange_strong(&x, &e, e + 1)) ;"
    report = whole(tmp_path, body, 5)
    assert report.executions == 120, "one for each order in which they succeed"
    assert report.cut < 2500, "8,726 if each failure is followed"


def test_tries_that_write_what_nobody_sees_are_few_executions(tmp_path):
    body = f"""{push("me", "memory_order_relaxed")}
        e = atomic_load_explicit(&top, memory_order_acquire);
        while (e && !atomic_compare_exchange_strong_explicit(&top, &e, e->next, memory_order_acquire,
            memory_order_acquire));
        lf_model_assert(e != NULL);"""
    report = whole(tmp_path, body, 3)
    assert report.executions < 3000, "15,846 if each failure is followed"


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("load", ["atomic_load(&x)", "0"])
def test_what_a_thread_learns_from_new_values_helps_with_old_ones(tmp_path, first, load):
    body = f"""
        if (me == {first}) for (int i = 1; i <= 40; i++) atomic_store(&x, i);
        if (me == {first}) return;
        int e = {load};
        while (!atomic_compare_exchange_strong(&x, &e, 99)) ;"""
    report = whole(tmp_path, body, 2)
    assert (report.executions, report.cut <= 820) == (41, True)


def test_a_race_of_a_try_that_fails_is_found(tmp_path):
    """The second thread takes the node that the first one looks at, and writes to it later: only if the first one fails."""
    body = """
        if (me == 0) {
            struct node *e = atomic_load_explicit(&top, memory_order_acquire);
            while (e && !atomic_compare_exchange_strong_explicit(&top, &e, e->next, memory_order_acquire,
                memory_order_acquire)) ;
        } else {
            struct node *e = &pool[0];
            atomic_store(&top, e);
            if (atomic_compare_exchange_strong(&top, &e, &pool[1])) e->next = &pool[1];
        }"""
    path = tmp_path / "client.c"
    path.write_text(
        f"{HEAD}static void f(int me) {{ {body} }}\nstatic void t0(void) {{ f(0); }}\nstatic void t1(void) {{ f(1); }}\n"
        "LF_MODEL_CLIENT(c, .threads = {t0, t1});"
    )
    [report] = check(path, settings=Settings(mode="exhaustive", seconds=60))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "data race")


def test_a_false_assumption_that_nothing_can_change_ends_the_execution(tmp_path):
    body = """
        if (me == 0) for (int i = 1; i <= 30; i++) atomic_store(&x, i);
        if (me == 1) lf_model_assume(atomic_load(&x) == 30);
        if (me == 2) for (int i = 0; i < 5; i++) atomic_store_explicit(&y, i, memory_order_relaxed);
        if (me == 3) for (int i = 0; i < 3; i++) atomic_load_explicit(&y, memory_order_relaxed);"""
    report = whole(tmp_path, body, 4)
    assert report.cut < report.executions, "30 times as many if the others are followed to their ends"


SEQUENCE_LOCK = """
    if (me == 0) for (int i = 1; i < 3; i++) {
        unsigned q = atomic_load_explicit(&z, memory_order_relaxed);
        atomic_store_explicit(&z, q + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&x, i, memory_order_relaxed);
        atomic_store_explicit(&y, i, memory_order_relaxed);
        atomic_store_explicit(&z, q + 2, memory_order_release);
        continue;
    }
    if (me == 0) return;
    unsigned before, after; int p, q;
    do {
        do before = atomic_load_explicit(&z, memory_order_acquire); while (before & 1);
        p = atomic_load_explicit(&x, memory_order_relaxed);
        q = atomic_load_explicit(&y, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&z, memory_order_relaxed);
    } while (before != after);
    lf_model_assert(p == q);"""


def test_turns_that_end_with_an_old_value_are_not_followed(tmp_path):
    report = whole(tmp_path, SEQUENCE_LOCK, 3)
    assert report.executions == 9
    assert report.blocked <= 247, "1,436 if the others are followed to their ends"


TURNS_THAT_STORE = """
static void f(int me) {
    if (me == 0) while (!atomic_load(&x)) { atomic_store(&y, 1); atomic_store(&y, 0); }
    if (me == 1) while (!atomic_load(&y)) ;
    if (me == 2) for (int i = 0; i < 2; i++) atomic_store(&z, i);
}
static void t0(void) { f(0); }
static void t1(void) { f(1); }
static void t2(void) { f(2); }
LF_MODEL_CLIENT(c, .threads = {t0, t1, t2});
"""


def test_stores_of_turns_are_no_news_also_where_they_are_found_late(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(HEAD + TURNS_THAT_STORE)
    [report] = check(path, settings=Settings(mode="exhaustive", seconds=60))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "livelock")


LONG = """
static _Bool on(int me) { return me ? atomic_load_explicit(&y, memory_order_relaxed) : atomic_load_explicit(&x, memory_order_relaxed); }
static void f(int me) {
    for (int i = 0;; i++) {
        lf_model_assume(on(me) || i < 1000000);
        atomic_store_explicit(me ? &y : &x, i, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        atomic_store_explicit(me ? &x : &y, i, memory_order_relaxed);
    }
}
static void t0(void) { f(0); }
static void t1(void) { f(1); }
LF_MODEL_CLIENT(c, .threads = {t0, t1});
"""


def test_an_execution_that_takes_longer_than_the_search_may_is_not_followed(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(HEAD + LONG)
    [report] = check(path, settings=Settings(mode="random", seconds=0.5, steps=1_000_000))
    assert (report.verdict, report.executions) == (Verdict.UNKNOWN, 0)
