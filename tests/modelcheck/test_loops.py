"""Waiting loops: the exhaustive search leaves turns out, and must still show every outcome."""

from itertools import permutations
from pathlib import Path

import pytest

from lockfree.modelcheck import Settings, Verdict, build
from lockfree.modelcheck.runner import run

ORDERS = {f"T1={a} T2={b} T3={c}" for a, b, c in permutations(range(3))}
EXPECTED = {
    "exchange_3": ORDERS,
    "exchange_3_plain": ORDERS,
    "cas_3": ORDERS,
    "ticket_3": ORDERS,
    "bounded_spin": {f"result={turn} woken=0" for turn in (1, 2, 3)},
    "ping_pong": {f"result={z} woken=0" for z in (0, 1)},
    # The sleeper may find the word changed, see so in the call (2), or be woken (1), and perhaps still see the old
    # word once (a wake orders nothing) and then the new one in the call. The second wake never finds it: whoever
    # queues after the first must see the word that was stored before.
    "futex": {"result=0 woken=0", "result=2 woken=0", "result=1 woken=1", "result=3 woken=1"},
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(Path(__file__).with_name("loops.c"), tmp_path_factory.mktemp("loops") / "loops")


@pytest.mark.parametrize("client", EXPECTED)
def test_every_outcome_and_no_other(client, program):
    exhaustive = run(program, client, Settings(mode="exhaustive", seconds=60, outcomes=True))
    assert exhaustive.verdict is Verdict.OK
    assert exhaustive.complete
    assert exhaustive.outcomes == EXPECTED[client]
    for mode in ("random", "pct"):
        sample = run(program, client, Settings(mode=mode, executions=20_000, outcomes=True))
        assert sample.verdict is Verdict.OK
        assert sample.outcomes <= EXPECTED[client]
        assert mode == "pct" or sample.outcomes == EXPECTED[client]
