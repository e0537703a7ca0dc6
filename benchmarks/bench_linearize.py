"""How fast histories are read and judged: `pytest benchmarks/bench_linearize.py --benchmark-only`.

A million operations by 2, 8 and 16 clients, right and wrong; each test states the target it is held to and keeps the
engine's own memory in `extra_info`. The histories come from a simulated object whose calls overlap as its clients' do.
"""

import random

import pytest
from linearize_histories import MILLION, fifo, json_lines, priorities, register

from lockfree.linearizability import History, check

CASES = [(clients, depth, bad) for clients in (2, 8, 16) for depth in (8, 1000) for bad in (False, True)]


def report(benchmark, count):
    stats = benchmark.stats.stats
    benchmark.group = "linearizability"
    benchmark.extra_info["per_second"] = count / stats.median
    benchmark.extra_info["per_second_min_max"] = [round(count / stats.max), round(count / stats.min)]


def judged(benchmark, records, spec, bad, seconds, megabytes):
    history = History.from_buffer(records)
    verdict = benchmark.pedantic(lambda: check(history, spec), rounds=3, iterations=1)
    assert verdict.status == ("VIOLATION" if bad else "OK")
    assert verdict.method == "near-linear"
    report(benchmark, len(history))
    benchmark.extra_info["engine_megabytes"] = verdict.peak_bytes >> 20
    benchmark.extra_info["counterexample"] = len(verdict.operations)
    assert benchmark.stats.stats.median < seconds
    assert (verdict.peak_bytes + len(records)) >> 20 < megabytes


@pytest.mark.parametrize(("clients", "depth", "bad"), CASES)
def test_fifo_queue(benchmark, clients, depth, bad):
    judged(benchmark, fifo(MILLION, clients, depth, bad=bad), "queue", bad, 1.0, 200)


@pytest.mark.parametrize("bad", [False, True])
def test_priority_queue(benchmark, bad):
    judged(benchmark, priorities(MILLION, 8, 1000, bad=bad), "priority-queue", bad, 2.0, 250)


@pytest.mark.parametrize("bad", [False, True])
def test_register_one_key(benchmark, bad):
    judged(benchmark, register(100_000, 16, bad=bad), "register", bad, 0.5, 100)


def test_reading_json_lines(benchmark, tmp_path):
    path = tmp_path / "h.jsonl"
    path.write_bytes(json_lines(fifo(MILLION, 8, 1000, bad=False)))
    history = benchmark.pedantic(lambda: History.load(path), rounds=3, iterations=1)
    report(benchmark, len(history))
    assert len(history) == MILLION
    assert benchmark.stats.stats.median < 1.0


def test_ten_million_operations_fit_into_memory(benchmark):
    judged(benchmark, fifo(10 * MILLION, 8, 1000, bad=False), "queue", False, 30.0, 4096)


def test_counterexample_of_a_random_position(benchmark):
    records = fifo(MILLION, 8, 1000, bad=True, seed=random.Random(5).randrange(1 << 20))
    judged(benchmark, records, "queue", True, 2.0, 200)
