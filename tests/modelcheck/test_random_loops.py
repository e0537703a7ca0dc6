"""Random programs that wait: following loops to their end in one go must give what following each turn gives."""

import random
import subprocess

import pytest

from lockfree.modelcheck import Settings, Verdict, build, replay
from lockfree.modelcheck.runner import run

HEAD = """
#include <stdatomic.h>
#include "lockfree_model.h"
#include "seam.h"
static atomic_int x, y, z, lock;
"""
LOADS = ["memory_order_relaxed", "memory_order_acquire", "memory_order_seq_cst"]
STORES = ["memory_order_relaxed", "memory_order_release", "memory_order_seq_cst"]
PROGRAMS = 40


def statement(rng: random.Random, name: str, *, endless: bool) -> str:
    """One thing that a thread does; `name` is what it observes."""
    variable, pause, turns = rng.choice("xyz"), rng.choice(["lf_model_pause();", ""]), rng.randint(1, 9)
    load = f"atomic_load_explicit(&{variable}, {rng.choice(LOADS)})"
    loop = f"for (int i = 0; i < {turns} && !done; i++) {{ done = %s; if (!done) {{ {pause} }} }}"
    observe = f'lf_model_observe("{name}", (unsigned)%s);'
    match rng.choice(["store", "load", "add", "bounded", "try lock", "endless" if endless else "load"]):
        case "store":
            return f"atomic_store_explicit(&{variable}, {rng.randint(1, 2)}, {rng.choice(STORES)});"
        case "load":
            return observe % load
        case "add":
            return observe % f"atomic_fetch_add_explicit(&{variable}, 1, memory_order_acq_rel)"
        case "bounded":
            return f"int done = 0; {loop % (load + ' != 0')} {observe % 'done'}"
        case "try lock":
            unlock = "if (done) atomic_store_explicit(&lock, 0, memory_order_release);" if rng.random() < 0.7 else ""
            take = "!atomic_exchange_explicit(&lock, 1, memory_order_acquire)"
            return f"int done = 0; {loop % take} {observe % 'done'} {unlock}"
        case _:
            return f"while (!{load}) {{ {pause} }}"


def programs(seed: int) -> str:
    """Clients a0, b0, a1, ...: each twice, b following 12 useless turns one by one."""
    rng = random.Random(seed)
    text = HEAD
    for number in range(PROGRAMS):
        threads, endless = rng.choice([2, 2, 3]), rng.random() < 0.4
        names = [f"program{number}_thread{t}" for t in range(threads)]
        for t, name in enumerate(names):
            parts = [statement(rng, f"{t}.{i}", endless=endless) for i in range(rng.randint(1, 3))]
            text += f"static void {name}(void) {{\n" + "".join(f"    {{ {part} }}\n" for part in parts) + "}\n"
        text += f"LF_MODEL_CLIENT(a{number}, .threads = {{{', '.join(names)}}});\n"
        text += f"LF_MODEL_CLIENT(b{number}, .threads = {{{', '.join(names)}}}, .spins = 12);\n"
    return text


def compare(directory, seed, numbers=range(PROGRAMS)):
    path = directory / "programs.c"
    path.write_text(programs(seed))
    program = build(path, directory / "programs")
    settings = Settings(mode="exhaustive", seconds=3, outcomes=True)
    compared = 0
    for number in numbers:
        short, long = run(program, f"a{number}", settings), run(program, f"b{number}", settings)
        if Verdict.UNKNOWN in (short.verdict, long.verdict):
            continue
        compared += 1
        assert (short.verdict, short.kind) == (long.verdict, long.kind), f"seed {seed}, program {number}"
        if short.verdict is Verdict.VIOLATION:
            again = replay(path, short.token)
            assert (again.verdict, again.kind) == (short.verdict, short.kind)
            continue
        outcomes = [{" ".join(sorted(line.split())) for line in report.outcomes} for report in (short, long)]
        assert outcomes[0] == outcomes[1], f"seed {seed}, program {number}"
    assert compared > len(numbers) * 3 // 4


WAITING = """
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int told;
static void tells_everybody(void) {
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    atomic_store(&y, 1);
    atomic_store_explicit(&z, 1, memory_order_release);
    pthread_mutex_lock(&m);
    told = 1;
    pthread_mutex_unlock(&m);
}
"""


def waiting_statement(rng: random.Random, name: str) -> str:
    """One thing that a thread does, often a loop that waits and stores, or that tells one that waits."""
    variable, other = rng.sample("xyz", 2)
    load = f"atomic_load_explicit(&{variable}, {rng.choice(LOADS)})"
    observe = f'lf_model_observe("{name}", (unsigned)%s);'
    return rng.choice(
        [
            f"atomic_store_explicit(&{variable}, 1, {rng.choice(STORES)});",
            f"atomic_store_explicit(&{variable}, 1, {rng.choice(STORES)});",
            observe % load,
            observe % f"(2 * {load} + {load})",
            f"while (!{load}) ;",
            f"while (!{load}) {{ atomic_store(&{other}, 2); atomic_store(&{other}, 0); }}",
            f"while (!{load}) atomic_store_explicit(&lock, 1, memory_order_relaxed);",
            "for (int done = 0; !done;) { pthread_mutex_lock(&m); done = told; pthread_mutex_unlock(&m); }",
            "pthread_mutex_lock(&m); told = 1; pthread_mutex_unlock(&m);",
            observe % "(pthread_mutex_trylock(&m) == 0 && (pthread_mutex_unlock(&m), 1))",
            observe % "atomic_load_explicit(&lock, memory_order_relaxed)",
            f"while (atomic_exchange(&lock, 1)) ; {observe % load} atomic_store(&lock, 0);",
        ]
    )


def waiting_programs(seed: int) -> str:
    rng = random.Random(seed)
    text = HEAD + WAITING
    for number in range(PROGRAMS):
        names = [f"waiting{number}_thread{t}" for t in range(rng.choice([1, 2, 2]))]
        for t, name in enumerate(names):
            parts = [waiting_statement(rng, f"{t}.{i}") for i in range(rng.randint(1, 3 if len(names) == 1 else 2))]
            text += f"static void {name}(void) {{\n" + "".join(f"    {{ {part} }}\n" for part in parts) + "}\n"
        text += f"LF_MODEL_CLIENT(w{number}, .threads = {{{', '.join([*names, 'tells_everybody'])}}});\n"
    return text


def outcomes_of_schedules(program, client):
    """What random schedules show that go round every loop as often as they happen to: nothing is left out."""
    command = [program, "--client", client, "--outcomes", "--mode", "random", "--executions", "1500", "--steps", "150"]
    done = subprocess.run([*command, "--seconds", "5", "--no-turns"], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    kinds = {line.split("\t")[1] for line in lines if line.startswith("failure\t")}
    return kinds, {" ".join(sorted(line.split("\t")[1].split(" "))) for line in lines if line.startswith("outcome\t")}


def compare_with_schedules(directory, seed):
    path = directory / "waiting.c"
    path.write_text(waiting_programs(seed))
    program = build(path, directory / "waiting")
    complete = 0
    for number in range(PROGRAMS):
        report = run(program, f"w{number}", Settings(mode="exhaustive", seconds=5, outcomes=True))
        if report.verdict is Verdict.UNKNOWN and report.executions > 0:
            continue
        complete += report.verdict is Verdict.OK
        kinds, outcomes = outcomes_of_schedules(program, f"w{number}")
        if report.verdict is Verdict.VIOLATION:
            continue
        assert kinds == set(), f"seed {seed}, program {number}"
        assert outcomes <= report.outcomes, f"seed {seed}, program {number}"
    assert complete > PROGRAMS // 4


@pytest.mark.parametrize("seed", [3])
def test_what_schedules_show_that_go_round_every_loop(seed, tmp_path):
    compare_with_schedules(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 230))
def test_what_schedules_show_that_go_round_every_loop_at_length(seed, tmp_path):
    compare_with_schedules(tmp_path, seed)


@pytest.mark.parametrize("seed", [1, 7])
def test_one_go_or_turn_by_turn(seed, tmp_path):
    compare(tmp_path, seed)


def test_two_loops_that_exchange_the_same_value_need_not_keep_out_of_each_others_way(tmp_path):
    compare(tmp_path, 134, [12])


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_one_go_or_turn_by_turn_at_length(seed, tmp_path):
    compare(tmp_path, seed)
