"""Answers with a way that only a weak compare-and-swap leads to which fails for no reason."""

import compilers
import pytest

from lockfree.practice.catalog import find
from lockfree.practice.judge import judge
from lockfree.practice.results import Verdict

TICKETS = """
#include "ticket_lock.h"
void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != mine)
        ticket_yield();
}
int ticket_try(struct ticket_lock *lock) {
    uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_acquire), next = serving;
    if (atomic_compare_exchange_weak(&lock->next, &next, serving + 1))
        return 1;
    next = serving;
    if (atomic_compare_exchange_strong(&lock->next, &next, serving + ONE)) {
        atomic_thread_fence(memory_order_acquire);
        return 1;
    }
    return 0;
}
void ticket_unlock(struct ticket_lock *lock) {
    uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
}
"""


@compilers.NEEDS_C
@pytest.mark.parametrize(("one", "verdict"), [("1", Verdict.ACCEPT), ("2", Verdict.REJECT)])
def test_a_strong_swap_after_a_weak_one_is_judged(one, verdict, tmp_path):
    """Nobody changes `next` back, so the strong one succeeds only if the weak one failed for no reason."""
    answer = tmp_path / "ticket_lock.c"
    answer.write_text(TICKETS.replace("ONE", one))
    judged = judge(find("ticket_lock"), answer)
    assert judged.verdict is verdict, [(result.stage, result.message) for result in judged.results]
