"""`lockfree bench`: tiny runs, the shape of what it writes, what it refuses. No figure is a verdict."""

import json
import re
import time

import pytest

from lockfree.__main__ import main
from lockfree.bench import engine, loads, points
from lockfree.bench.cli import usual_counts
from lockfree.bench.engine import Load, LoadError, Span, Worker


def refused(capsys, *words):
    try:
        status = main(["bench", *words])
    except SystemExit as end:
        status = end.code
    assert status == 3
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    files = {"json": folder / "b.json", "html": folder / "b.html"}
    words = [f"--{kind}={path}" for kind, path in files.items()]
    names = ["spsc_ring", "mutex", "barrier", "broadcast_ring"]
    assert main(["bench", *names, "--seconds=0.02", "--samples=2", "--procs=1,2,3", "--pin=none", *words]) == 0
    return json.loads(files["json"].read_text()), files["html"].read_text()


def test_what_is_written(tiny):
    results, _ = tiny
    assert results["schema"] == "lockfree-bench/1"
    assert set(results) == {"schema", "when", "command", "seconds", "machine", "settings", "notes", "primitives"}
    assert {"capacity", "record", "batch", "seconds", "samples", "pin", "processors"} == set(results["settings"])
    found = results["primitives"]
    counts = {name: [point["processes"] for point in found[name]["points"]] for name in found}
    assert counts == {"barrier": [2, 3], "broadcast_ring": [2, 3], "mutex": [1, 2, 3], "spsc_ring": [2]}
    for name in found:
        assert found[name]["problem"] is None
        for point in found[name]["points"]:
            rate = point["per_second"]
            assert 0 <= rate["low"] <= rate["median"] <= rate["high"]
            assert 0 <= point["least_to_most"] <= 1
            for times in point["ns"].values():
                assert times["p50"] <= times["p90"] <= times["p99"] <= times["p99.9"]


def test_the_page_needs_no_network(tiny):
    results, text = tiny
    assert not re.search(r"(src|href)\s*=|@import|url\(", text)
    assert "http" not in text
    for name in results["primitives"]:
        assert f"<h2>{name}</h2>" in text


def done_at_last(make, windows=1):
    """A run in which all workers that count got a processor: on a busy machine that can take several."""
    for _ in range(100):
        done = engine.run(make(), [None], Span(windows, 0.03, 0.02))
        if all(done.done):
            return done
    pytest.fail("nothing was done in 100 runs")


@pytest.mark.parametrize("name", loads.PRIMITIVES)
def test_every_primitive_has_a_load_that_works(name):
    kind = loads.PRIMITIVES[name]
    pytest.importorskip(kind.needs or "lockfree")
    batch = 3 if "--batch" in kind.uses else 1
    done = done_at_last(lambda: kind.make(max(2, kind.least), loads.Settings(16, 8, batch)))
    assert sum(done.done) % (batch if name.endswith("ring") else 1) == 0
    assert any(done.times.values())


def test_a_round_trip_is_timed_call_by_call():
    ring = loads.ROUND_TRIPS["mpmc_ring"]
    done = done_at_last(lambda: loads.round_trip(ring, loads.Settings(4, 8)))
    assert 0 < len(done.times["round trip"]) <= engine.ROOM


def test_the_counters_are_what_the_workers_did():
    def work(tally):
        while not tally.stop[0]:
            tally.words[engine.DONE] += 5
            time.sleep(0.001)

    done = done_at_last(lambda: Load([Worker("five", work), Worker("silent", work, counts=False)]), 3)
    assert len(done.rates) == 3
    assert len(done.done) == 1
    assert done.done[0] % 5 == 0
    assert sum(done.rates) > 0


def test_a_worker_that_fails_is_told_and_one_that_hangs_is_ended():
    closed = []
    load = Load([Worker("bad", lambda _tally: 1 / 0)], close=lambda: closed.append(1))
    with pytest.raises(LoadError, match="bad"):
        engine.run(load, [None], Span(1, 0.05))
    assert closed
    hanging = Load([Worker("hangs", lambda _tally: time.sleep(1000), counts=False), Worker("w", _count)], grace=0.05)
    began = time.monotonic()
    assert engine.run(hanging, [None], Span(1, 0.02)).done
    assert time.monotonic() - began < 100, "it did not wait for the one that hangs"


def _count(tally):
    tally.run(int)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["quark"], "no primitive quark; there are atomic, barrier"),
        (["--procs=0"], "--procs is '0': it must be numbers from 1 to 64"),
        (["--procs=1-2"], "--procs is '1-2'"),
        (["spsc_ring", "--procs=4"], "--procs is 4: spsc_ring needs 2 processes"),
        (["--record=0"], "--record is 0: it must be 1 to"),
        (["--capacity=99999999"], "--capacity is 99999999: it must be 1 to"),
        (["--seconds=nan"], "--seconds is nan"),
        (["--samples=0"], "--samples is 0: it must be 1 to 1000"),
        (["mutex", "--capacity=9"], "--capacity has no effect on mutex"),
        (["mutex", "atomic", "--batch=2"], "--batch has no effect on atomic, mutex"),
        (["--pin=left"], "invalid choice"),
        (["--json=/nowhere/b.json"], "/nowhere"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_bench_refuses(words, says, capsys):
    assert says in refused(capsys, *words)


def test_the_usual_numbers_of_processes():
    assert usual_counts(1) == [1, 2]
    assert usual_counts(6) == [1, 2, 4, 6, 12]
    assert usual_counts(64) == [1, 2, 4, 8, 16, 32, 64]


def test_a_load_that_cannot_be_made_is_a_problem_and_not_the_end():
    found = {}
    chosen = {"capacity": 1 << 24, "record": 1 << 24, "batch": 1, "seconds": 0.02, "samples": 1, "processors": 2}
    for _ in points.measure(points.Plan(["mpmc_ring", "mutex"], [2], chosen, [None]), found):
        pass
    assert found["mpmc_ring"]["problem"]
    assert found["mutex"]["points"]
