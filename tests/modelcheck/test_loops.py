"""Waiting loops: the exhaustive search leaves turns out, and must still show every outcome."""

from itertools import permutations
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, replay
from lockfree.modelcheck.runner import run, run_auto

LOOPS = Path(__file__).with_name("loops.c")
ORDERS = {f"T1={a} T2={b} T3={c}" for a, b, c in permutations(range(3))}
EXPECTED = {
    "exchange_3": ORDERS,
    "exchange_3_plain": ORDERS,
    "cas_3": ORDERS,
    "ticket_3": ORDERS,
    "bounded_spin": {f"result={turn} woken=0" for turn in (1, 2, 3)},
    "ping_pong": {f"result={z} woken=0" for z in (0, 1)},
    # The sleeper may find the word changed, see so in the call (2), or be woken (1), and perhaps still see the old
    # word once (a wake orders nothing) and then the new one in the call. The second wake never finds it: a thread that
    # queues after the first must see the word that was stored before.
    "six_times": {f"result={n} woken=0" for n in (0, 1, 2, 3, 4, 5, 6)},
    "six_calls": {f"result={n} woken=0" for n in (0, 1, 2, 3, 4, 5, 6)},
    "lock_or_give_up_2": {"T1=1 T2=1 T3=0", "T1=0 T2=1 T3=0", "T1=1 T2=0 T3=0"},
    "lock_for_good_2": {"T1=1 T2=1 T3=0", "T1=0 T2=1 T3=0", "T1=1 T2=0 T3=0"},
    "only_naps": {"result=1 woken=0"},
    "given_up_first": {"result=1 woken=0"},
    "given_up_last": {"result=1 woken=0"},
    "waits_and_is_told": {"result=1 woken=0"},
    "futex": {"result=0 woken=0", "result=2 woken=0", "result=1 woken=1", "result=3 woken=1"},
}
# With a bound: news only after the useless turns that are followed one by one.
NOT_FOLLOWED = {"six_times": {"result=1 woken=0"}}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(LOOPS, tmp_path_factory.mktemp("loops") / "loops", warn=compilers.warned)


@pytest.mark.parametrize("client", EXPECTED)
def test_every_outcome_and_no_other(client, program):
    exhaustive = run(program, client, Settings(mode="exhaustive", seconds=60, outcomes=True))
    if client == "waits_and_is_told":  # it counts
        assert (exhaustive.verdict, exhaustive.beyond_steps) == (Verdict.UNKNOWN, 1)
    else:
        assert exhaustive.verdict is Verdict.OK
        assert exhaustive.complete
        assert exhaustive.outcomes == EXPECTED[client]
    shortened = run(program, client, Settings(mode="exhaustive", spins=1, seconds=60, outcomes=True))
    assert shortened.complete
    assert shortened.outcomes == EXPECTED[client] - NOT_FOLLOWED.get(client, set())
    executions = 300 if client == "waits_and_is_told" else 100_000  # it may wait for thousands of turns
    bounded = run(program, client, Settings(mode="bounded", executions=executions, outcomes=True))
    assert bounded.verdict in {Verdict.OK, Verdict.UNKNOWN}
    assert exhaustive.outcomes <= bounded.outcomes <= EXPECTED[client]
    for mode in ("random", "pct"):
        sample = run(program, client, Settings(mode=mode, executions=executions // 5, outcomes=True))
        assert sample.verdict is Verdict.OK
        assert sample.outcomes <= EXPECTED[client]
        assert mode == "pct" or sample.outcomes == EXPECTED[client]


@pytest.mark.parametrize("mode", ["exhaustive", "bounded", "pct", "random"])
def test_who_waits_for_ever_is_deadlocked(mode, program):
    report = run(program, "waits_for_ever", Settings(mode=mode, executions=10_000))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "deadlock")
    again = replay(LOOPS, report.token)
    assert (again.verdict, again.kind) == (Verdict.VIOLATION, "deadlock")


@pytest.mark.parametrize("client", ["waits_for_ever_counting", "both_wait"])
def test_who_counts_while_it_waits_for_ever_is_deadlocked_as_far_as_a_bound_shows(client, program):
    """Its state changes in each turn: nobody knows that it will not give up, so nothing is said without --spins."""
    report = run(program, client, Settings(mode="exhaustive", executions=10_000))
    assert (report.verdict, report.beyond_steps) == (Verdict.UNKNOWN, 1)
    report = run_auto(program, client, Settings(seconds=2))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "deadlock")
    again = replay(LOOPS, report.token)
    assert (again.verdict, again.kind) == (Verdict.VIOLATION, "deadlock")


def test_loops_that_give_up_are_named(program):
    report = run(program, "lock_or_give_up_2", Settings(mode="exhaustive", spins=1))
    line = 1 + LOOPS.read_text().split("\n").index("        if (!atomic_exchange(&locked, 1))") + 2
    assert f"loops.c:{line}" in report.bounds()
    assert "give up" not in run(program, "ticket_3", Settings(mode="exhaustive", spins=1)).bounds()
    assert "give up" not in run(program, "lock_or_give_up_2", Settings(mode="exhaustive")).bounds()
