import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wrong_build
from patience import STUCK

from lockfree._native.stress import ffi, lib
from lockfree.linearizability import Operation, check
from lockfree.stress import runner, worker
from lockfree.stress.aftermath import FAILED, Aftermath
from lockfree.stress.arena import PENDING, Arena
from lockfree.stress.campaign import Campaign
from lockfree.stress.figures import OperationFigures, summarise
from lockfree.stress.recorder import GET, PUT, Client, pack, unpack
from lockfree.stress.rounds import HUNT, Limits, make_round
from lockfree.stress.scenario import Round, Scenario, client_plan, load
from lockfree.stress.window import columns

SETTINGS = ["--procs", "4", "--seed", "7"]


def stress(*args, **options):
    return subprocess.run(
        [sys.executable, "-m", "lockfree", "stress", *args], capture_output=True, text=True, timeout=STUCK, **options
    )


def status(pid):
    """The state and the parent of a process, from /proc; ("X", 0) if it is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "X", 0
    return state, int(parent)


def runs(pid):
    return status(pid)[0] not in "XZ"


def children(pid):
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if status(p.name)[1] == pid]


def wait_for_children(pid):
    deadline = time.monotonic() + 60
    while not (found := children(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    return children(pid) or found


# ---- the right ones pass ----


def test_every_primitive_has_a_scenario():
    headers = {p.stem for p in (wrong_build.ROOT / "c/include/lockfree").glob("*.h")}
    scenarios = set(load()) - {"atomic"}
    assert scenarios <= headers
    assert {"mpmc_ring", "spsc_ring", "priority_queue", "semaphore", "mutex", "spinlock"} <= scenarios


def test_a_short_run_of_all_is_ok(tmp_path):
    done = stress(*SETTINGS, "--seconds", "7", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["primitives"]) == set(load())
    for name, primitive in results["primitives"].items():
        assert primitive["verdict"] == "OK", name
        assert primitive["operations"] > 50, name
    assert results["operations"] > 100_000
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert not list(tmp_path.glob("*.part*"))


def test_a_short_run_with_kills_is_ok(tmp_path):
    done = stress("mpmc_ring", "mutex", "semaphore", *SETTINGS, "--seconds", "4", "--kill", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert sum(p["killed"] for p in results["primitives"].values()) > 0


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_start_methods(method):
    done = stress("mpmc_ring", *SETTINGS, "--seconds", "2", "--start-method", method)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the wrong ones are found, with the same settings ----


@pytest.fixture(scope="session")
def wrong_builds():
    return wrong_build.all_of_them()


@pytest.mark.parametrize(
    ("build", "primitive", "reasons"),
    [
        ("first", "mpmc_ring", ("EMPTY", "FULL", "certainly inside")),
        ("second", "mpmc_ring", ("twice", "EMPTY", "FULL", "two", "both", "no progress", "had not been taken", "nobody had put in")),
        ("first", "semaphore", ("acquire",)),
        ("first", "priority_queue", ("more urgent", "get")),
        ("first", "mutex", ("held", "acquire", "fetch_add", "release", "did not hold")),
        ("first", "event", ("read", "written")),
        ("first", "rwlock", ("load", "fetch_add", "counter", "-1")),
        ("first", "barrier", ("acquire", "release")),
        ("first", "condition", ("acquire", "release", "status", "refused", "hold")),
        ("first", "rlock", ("held", "acquire", "fetch_add", "release", "did not hold")),
        ("first", "event_count", ("acquire",)),
        ("second", "space", ("acquire", "held", "hold")),
        ("first", "latest_value", ("nobody wrote", "cannot have written", "read", "never")),
        ("first", "message_ring", ("nobody had put in",)),
        ("first", "broadcast_ring", ("nobody put", "had put in", "cannot have written")),
        ("first", "block_pool", ("given to", "free", "blocks", "-9")),
        ("second", "block_pool", ("given to", "free", "blocks", "-9")),
        ("third", "block_pool", ("could be in use",)),
        ("second", "arena", ("given to", "free", "-14", "wrote into", "cannot have written")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_finds_the_wrong(wrong_builds, build, primitive, reasons, tmp_path):
    driver = ("--driver", "c") if build in wrong_build.ONLY else ()
    done = wrong_build.lockfree(
        wrong_builds[build], "stress", primitive, *SETTINGS, "--seconds", "60", "--out", str(tmp_path), *driver
    )
    assert done.returncode == 1, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    failures = results["primitives"][primitive]["failures"]
    assert failures[0]["status"] == "VIOLATION"
    assert any(reason in failures[0]["reason"] for reason in reasons), failures[0]["reason"]
    assert "replay: lockfree stress" in done.stdout
    with_history = [f for f in failures if f["history"]]
    if with_history:
        assert Path(with_history[0]["history"]).stat().st_size > 0
        assert with_history[0]["window"]  # one call may be enough: a record that nobody had put in


def test_the_same_build_is_ok_where_nothing_is_wrong(wrong_builds):
    done = wrong_build.lockfree(wrong_builds["second"], "stress", "spinlock", *SETTINGS, "--seconds", "1")
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the harness itself ----


class Hangs(Scenario):
    name = "hangs"

    def create(self, about):
        from lockfree import Mutex

        return Mutex()

    def plan(self, about, number):
        return {"weights": [1]}

    def drive_python(self, shared, client, about):
        if client.number:
            return
        client.open(GET)
        while True:
            time.sleep(0.01)


class Works(Hangs):
    """No record for long, but always at work, as where NumPy is imported on a machine that is busy."""

    name = "works"

    def drive_python(self, shared, client, about):
        until = time.monotonic() + 1.5
        client.open(GET)
        while time.monotonic() < until:
            pass
        client.close(None)


class Raises(Hangs):
    name = "raises"

    def drive_python(self, shared, client, about):
        raise ZeroDivisionError("on purpose")


class Crashes(Hangs):
    name = "crashes"

    def drive_python(self, shared, client, about):
        os.kill(os.getpid(), signal.SIGSEGV)


def run_round(monkeypatch, scenario, **changes):
    import multiprocessing

    monkeypatch.setattr(worker, "load", lambda: {scenario.name: scenario})
    monkeypatch.setattr(runner, "STALL_LIMIT", 0.7)
    about = Round(scenario.name, 0, 1, "python", (1, 1), 0.2, 100, **changes)
    outcome = runner.RoundRunner(scenario, about, multiprocessing.get_context("fork"), lambda: None).run()
    assert multiprocessing.active_children() == []
    return outcome


def test_a_hung_process_is_named_with_its_stack(monkeypatch):
    outcome = run_round(monkeypatch, Hangs())
    assert "no progress" in outcome.failure
    assert "clients 0" in outcome.failure
    assert "in drive_python" in outcome.failure
    assert outcome.arena.recorded() == 1
    [pending] = outcome.arena.history()
    assert pending.return_ is None
    outcome.arena.close()


def test_a_process_that_is_slow_is_no_hung_one(monkeypatch):
    outcome = run_round(monkeypatch, Works())
    assert outcome.failure == ""
    assert outcome.arena.recorded() == 2
    outcome.arena.close()


def test_a_process_that_works_for_ever_is_a_hung_one(monkeypatch):
    monkeypatch.setattr(runner, "STARVED_LIMIT", 0.9)
    outcome = run_round(monkeypatch, Works())
    assert "no progress" in outcome.failure
    outcome.arena.close()


@pytest.mark.parametrize(("driver", "imported"), [("c", False), ("python", True)])
def test_nothing_is_imported_in_a_round(driver, imported):
    about = Round("arena", 0, 1, driver, (1,), 0.2, 100)
    code = f"import sys; from lockfree.stress.worker import Round, prepare; prepare({about!r}); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True, timeout=STUCK)
    assert done.stdout == f"{imported}\n"


def test_an_exception_in_a_client_is_reported(monkeypatch):
    outcome = run_round(monkeypatch, Raises())
    assert "ZeroDivisionError: on purpose" in outcome.failure
    outcome.arena.close()


def test_a_crash_is_reported(monkeypatch):
    outcome = run_round(monkeypatch, Crashes())
    assert "SIGSEGV" in outcome.failure
    outcome.arena.close()


def test_ctrl_c_ends_everything_at_once(tmp_path):
    command = [sys.executable, "-m", "lockfree", "stress", "--seconds", "60", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    left = wait_for_children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=STUCK)
    assert process.returncode == 130
    assert "operations checked" in out
    assert not [pid for pid in left if os.path.exists(f"/proc/{pid}")]
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "INTERRUPTED"


def test_nothing_survives_the_runner():
    process = subprocess.Popen(
        [sys.executable, "-m", "lockfree", "stress", "mpmc_ring", "--seconds", "60"], stdout=subprocess.DEVNULL
    )
    left = wait_for_children(process.pid)
    process.kill()
    process.wait()
    assert left
    deadline = time.monotonic() + 60
    while any(map(runs, left)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in left if runs(pid)]


def test_unknown_primitive_is_refused():
    done = stress("no_such_thing")
    assert done.returncode == 3
    assert "no primitive no_such_thing; there are arena, " in done.stderr
    assert not done.stdout


def test_a_round_follows_from_its_number():
    scenario = load()["mpmc_ring"]
    limits = Limits(procs=4, seed=5)
    assert make_round(scenario, 3, limits) == make_round(scenario, 3, limits)
    assert make_round(scenario, 3, limits) != make_round(scenario, 4, limits)
    assert make_round(scenario, HUNT, limits).operations <= 60


def test_every_capacity_is_used_and_every_processor_count_kept():
    scenario = load()["mpmc_ring"]
    rounds = [make_round(scenario, k, Limits(procs=5, seed=1)) for k in range(300)]
    assert all(len(r.threads) == 5 for r in rounds)
    assert any(max(r.threads) > 1 for r in rounds)
    assert {1, 2, 1000} <= {r.settings["capacity"] for r in rounds}
    assert {r.driver for r in rounds} == {"c", "python"}


# ---- recorder, figures, window ----


def recorded(*calls):
    arena = Arena(1, 1000)
    about = Round("mpmc_ring", 0, 1, "python", (1,), 1.0, 900, settings={"mix": "balanced"})
    client = Client(arena, 0, client_plan(load()["mpmc_ring"], about, 0))
    for call in calls:
        call(client)
    return arena


def test_what_is_recorded_is_what_was_called():
    arena = recorded(
        lambda c: (c.open(PUT, 7), c.close_try(True)),
        lambda c: (c.open(PUT, 8), c.close_try(False)),
        lambda c: (c.open(GET), c.close(7)),
        lambda c: (c.open(GET), c.close(None)),
        lambda c: (c.open(GET), c.forget()),
        lambda c: (c.open_many(PUT, [1, 2, 3], None, 3), c.close_puts(3, 1)),
        lambda c: (c.open_many(GET, None, None, 4), c.close_gets(4, [1], None, empty=True)),
        lambda c: c.open(PUT, 9),
    )
    ops = list(arena.history())
    assert [(o.op, o.arg, o.result) for o in ops] == [
        ("put", 7, True), ("put", 8, False), ("get", None, 7), ("get", None, None),
        ("put", 1, True), ("put", 2, False), ("get", None, 1), ("get", None, None), ("put", 9, None),
    ]  # fmt: skip
    assert ops[4].batch == ops[5].batch != 0
    assert ops[-1].return_ is None
    times = [t for o in ops for t in (o.call, o.return_) if t is not None]
    assert times == sorted(times) or ops[4].call == ops[5].call
    assert check(arena.history(), "bounded-queue:1,full=in-hand").ok
    arena.close()


@pytest.mark.parametrize("driver", ["c", "python"])
@pytest.mark.parametrize("primitive", ["mpmc_ring", "message_ring"])
def test_what_went_through_a_queue_has_its_place_there(primitive, driver):
    """Put and get of a record have the same ticket, its position in the ring."""
    scenario, arena = load()[primitive], Arena(1, 2000)
    settings = scenario.settings(random.Random(1), 1, "c")
    settings |= {"mix": "balanced", "capacity": 8} if primitive == "mpmc_ring" else {}
    about = Round(primitive, 0, 1, driver, (1,), 1.0, 900, settings=settings)
    client = Client(arena, 0, client_plan(scenario, about, 0))
    arena.begin(20)
    client.begin()
    drive = scenario.drive_c if driver == "c" else scenario.drive_python
    assert not drive(scenario.create(about), client, about)
    ops = list(arena.history())
    place = {o.arg: o.ticket for o in ops if o.op == "put" and o.result}
    taken = [(o.result, o.ticket) for o in ops if o.op == "get" and o.result is not None]
    assert len(taken) > 100
    assert [place[value] for value, _ in taken] == [ticket for _, ticket in taken] == sorted(t for _, t in taken)
    assert {o.ticket for o in ops if not o.result} == {None}
    assert {o.batch > 0 for o in ops if o.ticket is not None} == {False, True}
    arena.close()


def test_a_batch_that_was_being_closed_is_mended():
    arena = recorded(lambda c: (c.open_many(PUT, [1, 2, 3], None, 3), c.close_puts(3, 3)))
    records = ffi.cast("struct lf_history_op *", arena.log(0).records)
    end = records[0].ret
    records[1].ret = records[2].ret = 2**64 - 1
    assert [o.return_ for o in arena.history()] == [end] * 3
    arena.close()


@pytest.mark.parametrize("length", [8, 9, 15, 16, 63, 200])
def test_records_tell_when_they_are_torn(length):
    record = pack(1 << 40 | 77, length)
    assert unpack(record) == 1 << 40 | 77
    assert unpack(record + b"\0" * 5, padded=True) == 1 << 40 | 77
    assert unpack(record[:-1]) < 0
    if length > 8:
        assert unpack(record[:-1] + bytes([record[-1] ^ 1])) < 0


@pytest.mark.parametrize("value", [0, 1, 15, 16, 17, 1000, 12345, 10**6, 10**9, 2**40])
def test_buckets_are_a_sixteenth_wide(value):
    bucket = lib.lf_stress_bucket(value)
    top = lib.lf_stress_bucket_top(bucket)
    assert value <= top <= value * 17 / 16 + 1
    assert lib.lf_stress_bucket(top) == bucket
    assert lib.lf_stress_bucket(top + 1) == bucket + 1


def test_percentiles():
    figures = OperationFigures(count=100, longest_ns=5000)
    figures.latencies = {lib.lf_stress_bucket(10): 90, lib.lf_stress_bucket(4000): 10}
    assert figures.percentile(0.5) == 10
    assert figures.percentile(0.9) == 10
    assert 4000 <= figures.percentile(0.99) <= 4300
    assert figures.curve()[-1][0] == 1.0


def test_figures_count_refusals_and_open_calls():
    arena = recorded(
        lambda c: (c.open(PUT, 1), c.close_try(True)),
        lambda c: (c.open(PUT, 2), c.close_try(False)),
        lambda c: c.open(GET),
    )
    figures = summarise(arena, 0, 1.0).operations
    assert (figures["put"].count, figures["put"].refused, figures["get"].pending) == (2, 1, 1)
    arena.close()


def test_a_window_has_a_column_per_client():
    text = columns(
        [Operation(0, "put", 1 << 40 | 5, True, 100, 200), Operation(3, "get", None, None, 250, 300)], (1, 2, 1)
    )
    assert text.splitlines()[0].split() == "ns process 0, client 0 process 2, client 3".split()
    assert "┌ put #0.5" in text
    assert "└ get: EMPTY" in text


def test_a_campaign_stops_a_primitive_that_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "load", lambda: {"raises": Raises()})
    monkeypatch.setattr(Raises, "settings", lambda *_: {}, raising=False)
    monkeypatch.setattr(Raises, "claims", lambda *_: [], raising=False)
    campaign = Campaign([Raises()], Limits(2, 1, driver="python"), 20.0, "fork", tmp_path)
    began = time.monotonic()
    campaign.run()
    assert time.monotonic() - began < 20
    assert campaign.verdict == "VIOLATION"
    assert "on purpose" in campaign.tallies["raises"].failures[0].reason


def test_a_run_goes_on_until_so_many_operations_of_each_are_checked(tmp_path):
    done = stress("event", "--procs=2", "--seed=3", "--driver=c", "--operations=5000", f"--out={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert all(p["operations"] >= 5000 for p in results["primitives"].values())
    assert "--operations 5000" in results["command"]


def with_a_dead_client(*logs):
    """An arena with (op, value, call, return, flags) of each client's calls; PENDING: its process was killed at 30."""
    arena = Arena(len(logs), 8)
    for i, calls in enumerate(logs):
        log = arena.log(i)
        records = ffi.cast("struct lf_history_op *", log.records)
        log.count = len(calls)
        for k, (op, value, call, ret, flags) in enumerate(calls):
            records[k] = {"op": op, "call": call, "ret": ret, "client": i, "flags": flags}
            setattr(records[k], "arg" if op == PUT else "result", value)
            log.killed = 30 if ret == PENDING else 0
    return arena


@pytest.mark.parametrize(("capacity", "kept"), [(0, [15, 35, 60]), (1, [60])])
def test_a_full_says_nothing_while_a_dead_put_may_have_a_slot(capacity, kept):
    cut_off = [(PUT, 1, 10, PENDING, 0)]
    others = [
        (PUT, 2, 15, 20, FAILED),  # the dead one has the slot
        (PUT, 3, 35, 36, FAILED),  # still: nobody has recovered it
        (PUT, 4, 50, 51, 0),
        (GET, 4, 58, 59, 0),
        (PUT, 5, 60, 61, FAILED),  # a wrong FULL
    ]
    arena = with_a_dead_client(cut_off, others)
    history = next(Aftermath(arena, capacity).ways())()
    assert [op.call for op in history if op.op == "put" and op.result is False] == kept
    assert not check(history, "bounded-queue:1,full=in-hand").ok


class Recorded:
    """An arena with the calls of a list: (client, operation, value or None, call, return)."""

    def __init__(self, calls):
        self.memory = ffi.new("struct lf_history_op[]", len(calls))
        for row, (client, op, value, call, ret) in zip(self.memory, calls, strict=True):
            row.client, row.op, row.call, row.ret = client, op, call, ret
            if op == PUT:
                row.arg = value
            elif value is None:
                row.flags |= FAILED
            else:
                row.result = value

    def records(self):
        return [memoryview(ffi.buffer(self.memory))]


LATE_JOINER = [
    (0, PUT, 1, 0, 100),  # a long call, whose message the reader gets
    (1, PUT, 2, 10, 20),  # before the reader joined
    (2, GET, None, 30, 40),  # it joins
    (2, GET, 1, 90, 110),
]


@pytest.mark.parametrize(
    ("more", "verdict"),
    [([], "OK"), ([(1, PUT, 3, 120, 130), (2, GET, None, 140, 150)], "VIOLATION")],
    ids=["joined late", "empty is wrong"],
)
def test_a_reader_of_a_broadcast_answers_for_the_puts_since_it_joined(more, verdict):
    from lockfree.stress.scenarios.broadcast_ring import readers

    histories = dict(readers(Recorded(LATE_JOINER + more)))
    assert check(histories[2], "queue").status == verdict
