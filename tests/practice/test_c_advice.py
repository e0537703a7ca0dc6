"""The advisory stages for C: what they say of an answer, and that they decide nothing."""

import pytest
from compilers import NEEDS_C
from patience import STUCK

from lockfree.practice import c_machine
from lockfree.practice.c_audit import audit, stronger_than_needed
from lockfree.practice.c_layout import structures
from lockfree.practice.c_orders import changed, orders, single
from lockfree.practice.catalog import find, katas
from lockfree.practice.judge import judge
from lockfree.practice.results import Outcome, Verdict

pytestmark = NEEDS_C
RING = find("spsc_ring")
RIGHT = RING.folder / "right"


def silent(_text):
    pass


SOURCE = """
/* memory_order_seq_cst in a comment */
static int f(struct a *a, int y) {
    const char *text = "atomic_load(&x)";
    if (atomic_compare_exchange_weak(&a->b, &y, y + atomic_load(&a->z)))
        atomic_thread_fence(memory_order_acquire);
    while (atomic_flag_test_and_set_explicit(&a->l, memory_order_acquire))
        ;
    return atomic_compare_exchange_strong_explicit(&a->b, &y, 1, memory_order_acq_rel, memory_order_acquire);
}
"""


def test_all_orders_are_found():
    found = [(order.line, order.function, order.kind, order.order) for order in orders(SOURCE)]
    assert found == [
        (5, "f", "load", "seq_cst"),
        (5, "f", "rmw", "seq_cst"),
        (6, "f", "fence", "acquire"),
        (7, "f", "rmw", "acquire"),
        (9, "f", "rmw", "acq_rel"),
        (9, "f", "load", "acquire"),
    ]


def test_an_order_that_is_not_written_can_be_changed():
    load, cas = orders(SOURCE)[:2]
    assert "y + atomic_load_explicit(&a->z, memory_order_acquire)))" in changed(SOURCE, load, "acquire")
    assert (
        "atomic_compare_exchange_weak_explicit(&a->b, &y, y + atomic_load(&a->z), memory_order_release, "
        "memory_order_relaxed)" in changed(SOURCE, cas, "release")
    )
    assert len(list(single(SOURCE))) == 7


def test_the_audit_finds_what_each_order_is_for():
    needed = list(audit(RING, RIGHT / "acquire_release.c", silent, most=STUCK))
    assert len(needed) == 4
    assert all(one.failed and one.token and "data race" in one.found for one in needed)
    assert stronger_than_needed(needed) == []


def test_the_audit_finds_what_is_stronger_than_needed(tmp_path):
    text = (RIGHT / "acquire_release.c").read_text()
    answer = tmp_path / "spsc_ring.c"
    answer.write_text(text.replace("&ring->tail, memory_order_relaxed", "&ring->tail, memory_order_acquire", 1))
    first = next(audit(RING, answer, silent, most=STUCK))
    assert not first.failed
    assert "nothing found within bounds" in str(first)
    assert stronger_than_needed([first])[0].startswith("line 24, spsc_put: atomic_load(&ring->tail), acquire: relaxed")


def test_an_order_that_there_was_no_time_for_is_said():
    left = list(audit(RING, RIGHT / "acquire_release.c", silent, most=0.0))
    assert len(left) == 4
    assert all(str(one).endswith("not audited, the time was up") for one in left)
    assert stronger_than_needed(left) == []


def test_the_map_of_cache_lines():
    ring = {structure.name: structure for structure in structures(RING, RIGHT / "cached.c")}["spsc_ring"]
    assert ring.lines() == [
        "spsc_ring line 0: capacity (4)",
        "spsc_ring line 1: head* (4), read_at (4), seen_tail (4)",
        "spsc_ring line 2: tail* (4), write_at (4), seen_head (4), slots (…)",
    ]
    assert ring.crowded() == []


def test_two_counts_on_one_line_are_said(tmp_path):
    answer = tmp_path / "spsc_ring.c"
    answer.write_text((RIGHT / "seq_cst.c").read_text().replace("_Alignas(64) ", ""))
    ring = {structure.name: structure for structure in structures(RING, answer)}["spsc_ring"]
    assert ring.crowded() == ["spsc_ring line 0: head, tail share it"]


def test_what_a_call_costs():
    costs = {cost.function: cost for cost in c_machine.costs(RING, RIGHT / "acquire_release.c", STUCK)}
    assert costs["spsc_put"].rmw == costs["spsc_get"].rmw == 0
    assert costs["spsc_put"].calls >= 3 * 70_001 + 2_000 + 100_000  # of check/threads.c; others were refused
    assert 1 <= costs["spsc_put"].loads <= 2
    assert costs["spsc_put"].stores <= 1


@pytest.mark.soak
def test_a_race_that_a_sanitizer_sees_decides_nothing():
    found = c_machine.sanitizers(RING, RING.folder / "wrong" / "publish_relaxed.c", 5)
    assert found.outcome is Outcome.NOTED
    assert "data race at publish_relaxed.c:" in found.looked_at[0] or "could not run here" in found.looked_at[0]


@pytest.mark.soak
def test_threads_that_sleep_for_ever_make_no_progress(tmp_path, monkeypatch):
    monkeypatch.setattr("lockfree.practice.limits.STILL", 1.0)
    answer = tmp_path / "spsc_ring.c"
    text = (RIGHT / "seq_cst.c").read_text()
    sleeps = "#include <pthread.h>\nstatic pthread_mutex_t m;\n" + text
    answer.write_text(
        sleeps.replace("int spsc_put(", "static int never(", 1)
        + """
int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    pthread_mutex_lock(&m);
    return never(ring, record);
}
"""
    )
    found = c_machine.threads(RING, answer, 5)
    assert found.outcome is Outcome.FAILED
    assert "no progress" in found.message


@pytest.mark.soak
def test_a_full_check_says_all_of_it():
    judgement = judge(RING, RIGHT / "fences.c", full=True)
    assert judgement.verdict is Verdict.ACCEPT
    noted = {result.stage: result for result in judgement.results if result.outcome is Outcome.NOTED}
    assert set(noted) == {"sanitizers", "speed", "layout", "questions", "orders"}
    assert "times as long as the reference" in noted["speed"].message
    assert len(noted["orders"].looked_at) == 4


NOT_COMPARED = {
    "condition_variable": "its clients look at the calls of futex_wait",
    "ring_all_reduce": "its ranks share nothing but the links",
}
COMPARED = [kata for kata in katas() if kata.language == "c" and kata.name not in NOT_COMPARED]


@pytest.mark.parametrize("kata", COMPARED, ids=lambda kata: kata.name)
def test_a_kata_is_compared_with_a_mutex(kata):
    assert c_machine.with_a_mutex(kata) is not None
    assert len(list(kata.folder.glob("*/mutex.c"))) == 1, "one is enough"


@pytest.mark.parametrize("name", ["spsc_ring", "treiber_stack", "seqlock"])
def test_a_mutex_does_what_the_interface_says(name):
    kata = find(name)
    assert c_machine.threads(kata, c_machine.with_a_mutex(kata), STUCK).outcome is Outcome.PASSED


@pytest.mark.soak
@pytest.mark.parametrize("kata", COMPARED, ids=lambda kata: kata.name)
def test_every_mutex_does_what_the_interface_says(kata):
    assert c_machine.threads(kata, c_machine.with_a_mutex(kata), STUCK).outcome is Outcome.PASSED


def test_speed_says_both_ratios():
    kata = find("ticket_lock")
    message = c_machine.speed(kata, kata.folder / "right" / "seq_cst.c", STUCK).message
    assert "times as long as the reference, " in message
    assert "times as long as a mutex" in message
