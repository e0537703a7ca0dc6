"""Every primitive under the model checker: a slice here, the large clients and the other searches with --soak."""

from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, clients_of
from lockfree.modelcheck.runner import run, run_auto

SOURCES = sorted((Path(__file__).parents[2] / "stress" / "model").glob("*.c"))
# more than a million executions
LARGE = {"mutex_3", "ec_2p", "mpmc_both_cap2", "sem_turnstile_sleep", "pq_three", "pq_three_cap1"}
LARGE |= {"pq_same_level", "pq_fronts_three", "seat_taken_while_helped", "drain_spsc_batch_sleep"}
LARGE |= {"arena_sleep", "pool_two", "pool_two_and_one", "pool_beside_the_dead"}
LARGE |= {"pool_stack_two_and_one", "pool_stack_beside_the_dead", "watch_given_up_by_four_sleep"}
LARGE |= {"pool_stack_two", "pool_stack_sleep", "pool_stack_one_of_two"}
LARGE |= {"pool_bundle_called_in", "pool_bundle_given", "pool_bundle_formed", "pool_bundle_refusal"}
LARGE |= {"pool_bundle_freed_twice", "pool_bundle_forming_twice", "pool_bundle_retained", "pool_bundle_supersede"}
LARGE |= {"pool_bundle_supersede_forming", "pool_bundle_supersede_taking"}
LARGE |= {"pool_lanes_both", "pool_lanes_called_in", "pool_lanes_refusal", "pool_lanes_supersede"}
LARGE |= {"spare_kept_called_in_by_two", "spare_goes_off_beside_taker_sleep", "spare_two_wait_sleep"}
# more than a hundred thousand with a thread that stops
LARGE_WITH_STOPS = {
    "bundle_called_in_twice",
    "lane_bundle_called_in",
    "lane_claimed_by_both",
    "lane_kept_claimed",
    "lane_taken_or_claimed",
    "lane_kept_again_claimed",
    "pq_2p1c",
    "pq_fronts_beside",
    "withdraw_front",
    "withdraw_in_front",
    "spsc_producers",
    "spsc_consumers",
    "role_passes_on_twice",
    "sem_3",
    "runs_lap",
    "runs_get_dies_lap",
    "spare_kept_and_taken",
    "spare_history",
    "spare_history_of_none",
}
BLOCKING = {"mutex_2", "mutex_3", "mutex_try", "spinlock_2"}  # say of themselves that they are not lock-free
BLOCKING |= {"message_bound_waits", "message_join", "withdraw_wakes"}  # one sleeps until another one has done its part
BLOCKING |= {"arena_one", "arena_two_and_one", "arena_small", "arena_open", "arena_later"}


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def program(request, tmp_path_factory):
    """The clients of one file. Only what a test asks for is compiled."""
    source = request.param
    return build(source, tmp_path_factory.mktemp("clients") / source.stem, warn=compilers.warned)


def lock_free(client):
    return client not in BLOCKING and not client.startswith("ec_") and "_sleep" not in client


def assert_ok(report):
    assert report.verdict is Verdict.OK, f"{report.client}: {report.kind}: {report.message}\n{report.token}"
    assert report.executions > 0


def test_every_execution_is_right(program):
    for client in clients_of(program):
        if client in LARGE:
            assert_ok(run(program, client, Settings(mode="pct", executions=30_000)))
            continue
        # C++20 allows every execution that C11 does, and more
        report = run(program, client, Settings(mode="exhaustive", seconds=60, c20=True))
        assert_ok(report)
        assert report.complete
        assert report.beyond_steps == 0


def test_whoever_stops_or_dies_the_others_finish(program):
    """Lock-freedom, and what death leaves: one thread is stopped for ever before each of its steps."""
    for client in clients_of(program):
        if not lock_free(client) or client in LARGE | LARGE_WITH_STOPS:
            continue
        report = run(program, client, Settings(mode="exhaustive", seconds=60, threads_stop=True))
        assert_ok(report)
        assert report.complete


@pytest.mark.soak
def test_at_length(program):
    """The large clients for two minutes; what the other searches say of those whose every execution is known."""
    for client in clients_of(program):
        if client in LARGE:
            assert_ok(run_auto(program, client, Settings(mode="auto", seconds=120)))
        else:
            assert_ok(run(program, client, Settings(mode="exhaustive", seconds=60, c20=False)))
        seconds = 10 if client in LARGE else 1
        for mode in ("pct", "random", "bounded"):
            report = run(program, client, Settings(mode=mode, seconds=seconds))
            assert report.verdict in {Verdict.OK, Verdict.UNKNOWN}, f"{client} {mode}: {report.message}"
        if lock_free(client):
            assert_ok(run(program, client, Settings(mode="random", seconds=seconds, threads_stop=True)))
        if client in LARGE_WITH_STOPS:
            assert_ok(run(program, client, Settings(mode="exhaustive", seconds=60, threads_stop=True)))
