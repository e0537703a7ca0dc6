"""Random programs that wait: following loops to their end in one go must give what following each turn gives."""

import random

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


@pytest.mark.parametrize("seed", [1, 7])
def test_one_go_or_turn_by_turn(seed, tmp_path):
    compare(tmp_path, seed)


def test_two_loops_that_exchange_the_same_value_need_not_keep_out_of_each_others_way(tmp_path):
    compare(tmp_path, 134, [12])


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_one_go_or_turn_by_turn_at_length(seed, tmp_path):
    compare(tmp_path, seed)
