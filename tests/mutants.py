"""Wrong versions of primitives: a header with one place changed. Each instrument must catch the ones that are meant for it.

A mutant names the text that it replaces, which must stand in its header exactly once. So it cannot outlive the line that
it spoils.
"""

import copyreg
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "c/include/lockfree"


@dataclass(frozen=True)
class Mutant:
    """`place`: the header, below c/include/lockfree."""

    what: str
    place: str
    right: str
    wrong: str
    client: str = ""
    """The client of the model checker that catches it: "file/client"."""
    mode: str = "exhaustive"
    """How its executions are chosen: where there are too many, "pct" finds a wrong one sooner."""
    kill: tuple[str, str, str] = ("", "", "")
    """The primitive, operation and mode of the kill campaign that catch it."""


PUBLISHES = """\
        for (uint64_t i = 0; i < count; i++)
            lf_store_relaxed(lf__custody(q->store, index + i), lf__coming(q->id, tail, participant));
        /* [Q6] release; pairs with [Q5]: the records, their custody words, and those of what was here before.
         * [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. */
        if (lf_cas_seq_cst(lf__cell_place(q, tail), &cell, lf__cell(q, tail, index, count, 0))) {
"""
NAMES_HOLDER, THEN = PUBLISHES[: PUBLISHES.index("        /* [Q6]")], PUBLISHES[PUBLISHES.index("        /* [Q6]") :]
TAIL, HEAD = "lf__cell_place(q, tail)", "lf__cell_place(q, head)"
PUBLISHED = "lf__cell(q, tail, index, count, 0)"
TAKEN = "lf__cell_after(cell, taken + *count, taker)"
ANNOUNCED = "lf__w(lf__w_version(w) + 1, lf__w_groups(l, w) | groups, 0, 0)"
EVENT_WAIT = "return (seen & 1) || seen != call->first ? LF_OK : LF_TIMEDOUT;"
MUTANTS = [
    Mutant(
        "a fence of two halves of which the heavy one is an ordinary fence",
        "blocks/asymmetric.h",
        "if (!lf__membarrier()) /* [F2] pairs with [F1] */",
        "if (lf_load_relaxed(&segment->fenced) > LF__SETTLED)",
        client="spsc_ring/spsc_sleep",
    ),
    Mutant(
        "a producer that leaves what a killed batch has published behind a gap",
        "blocks/spsc_slots.h",
        "if (lf__spsc_is_at(lf_load_relaxed(word), position + i))",
        "if (lf__spsc_is_at(lf_load_relaxed(word), position + r->capacity))",
        client="spsc_ring/spsc_batch_dies",
        kill=("spsc_ring", "put-many", "go-on"),
    ),
    Mutant(
        "a wait of a sleeper for several that is announced to nobody",
        "blocks/watching.h",
        "w->expected = lf__announce(h, count); /* [E1] pairs with [E2] */",
        "w->expected = lf_load_relaxed(w->word); (void)h;",
        client="watching/watch_count_sleep",
    ),
    Mutant(
        "a task that finds a lock taken, and does not say so in its word",
        "blocks/watching.h",
        "lf__lock_take(word, lf__lock_me(h) | LF__LOCK_WAITERS, 1, &seen); /* [I2] of owner_lock.h */",
        "lf__lock_take(word, lf__lock_me(h) | LF__LOCK_WAITERS, 0, &seen);",
        client="watching/watch_lock_sleep",
    ),
    Mutant(
        "a wake that ends at a wait that was given up",
        "blocks/watching.h",
        "    lf_futex_wake(w->word, 1);\n",
        "",
        client="watching/watch_given_up_sleep",
    ),
    Mutant(
        "a pool whose block, freed together with others, does not say where it went when somebody else was faster",
        "blocks/run_queue.h",
        "            lf_store_relaxed(lf_block_word(q, block), word);\n",
        "",
        client="block_pool/pool_free_together_both",
    ),
    Mutant(
        "a pool that frees several blocks together, in whatever generation they are by then",
        "blocks/run_queue.h",
        "(generations != NULL && generations[from + held] != lf_block_generation(word))",
        "0",
        client="block_pool/pool_freed_by_two",
    ),
    Mutant(
        "a pool that frees several blocks one by one, in whatever generation they are by then",
        "block_pool.h",
        "n == 1, generations != NULL ? &generations[*at] : NULL);",
        "n == 1, n == 1 ? generations : NULL);",
        client="block_pool/pool_freed_by_two",
    ),
    Mutant(
        "a pool that frees several blocks together and does not look whether it holds them",
        "blocks/run_queue.h",
        "        if (!lf__block_is_held_by(word, participant, 1) ||\n            (generations",
        "        if (\n            (generations",
        client="block_pool/pool_told_freeing_two",
    ),
    Mutant(
        "a pool whose lanes do not look again whether blocks have become scarce",
        "blocks/kept_blocks.h",
        "if (LF_LIKELY(!(lf_load_seq_cst(&q->lanes->scarce) & LF__SCARCE))) /* [O4], [O2] */",
        "if (q->lanes != NULL)",
        client="block_pool/pool_lanes_refusal",
        mode="pct",
    ),
    Mutant(
        "a pool that does not look whether blocks have become scarce after it has kept several together",
        "blocks/kept_blocks.h",
        "if (LF_LIKELY(!(lf_load_seq_cst(&q->lanes->scarce) & LF__SCARCE))) /* [O2], [O4] */",
        "if (q->lanes != NULL)",
        client="block_pool/pool_bundle_refusal",
        mode="pct",
    ),
    Mutant(
        "a bundle that is taken by a load and a store: others have begun to take it apart",
        "blocks/kept_bundles.h",
        "return lf_cas_seq_cst(at, &bundle, lf__bundle_in(bundle, LF__BUNDLE_HELD)) ? (int)LF_OK : (int)LF_BUSY;",
        "return lf_store_seq_cst(at, lf__bundle_in(bundle, LF__BUNDLE_HELD)), LF_OK;",
        client="kept_bundles/bundle_taken_called_in",
    ),
    Mutant(
        "a bundle that is formed although another thread has taken it apart meanwhile",
        "blocks/kept_bundles.h",
        "if (i == n && lf_cas_seq_cst(at, &seen, lf__bundle_word(formation, 1, LF__BUNDLE_KEPT, n)))",
        "if (i == n && (lf_store_seq_cst(at, lf__bundle_word(formation, 1, LF__BUNDLE_KEPT, n)), 1))",
        client="kept_bundles/bundle_formed_or_freed",
    ),
    Mutant(
        "a bundle of which a block is taken out while the others stay",
        "blocks/kept_bundles.h",
        "        lf_bundle_end(q, lease, lf__bundle_number(word), 1);\n",
        "",
        client="kept_bundles/bundle_given_or_freed",
    ),
    Mutant(
        "a pool whose recovery leaves the bundles of the dead",
        "blocks/pool_leases.h",
        "        lf_free_blocks_end_bundles(q, number); /* what is left in one then is held [U4] */",
        "        ;",
        kill=("block_pool", "bundle-reap-keeper", "go-on"),
    ),
    Mutant(
        "a stack onto which a helper pushes what was pushed already",
        "blocks/run_stack.h",
        """\
    if (lf_load_acquire(lf_block_word(q, block)) != word) /* [W1] pairs with [W2] */
        return LF_OK;
""",
        "",
        client="block_pool/pool_lanes_called_in",
        mode="pct",
    ),
    Mutant(
        "a stack whose recovery leaves the block that a dead one was pushing",
        "blocks/run_stack.h",
        "return lf_stack_help(q, block, word) == LF_OK; /* [K4] */",
        "return 0;",
        kill=("block_pool", "kept-free-while-scarce", "go-on"),
    ),
    Mutant(
        "a queue whose cell is used again before it is written who took what was in it",
        "blocks/index_queue.h",
        " || lf__complete_custody(q, cell, before) != LF_OK))",
        " || before == tail))",
        client="mpmc_death/death_reserve_lap",
    ),
    Mutant(
        "a queue that says after the publication where the slot went",
        "blocks/index_queue.h",
        PUBLISHES,
        f"{THEN}{NAMES_HOLDER}\n",
        client="mpmc_ring/mpmc_death",
    ),
    Mutant(
        "a recovery that leaves a slot of which the dead one had said where it would go",
        "blocks/index_recovery.h",
        "if (!lf__is_held(word) && lf__arrived(&queues[queue], index, word))",
        "if (!lf__is_held(word))",
        client="mpmc_death/death_put_busy",
    ),
    Mutant(
        "a recovery that takes what the dead one has published",
        "blocks/index_recovery.h",
        "if (!lf__is_held(word) && lf__arrived(&queues[queue], index, word))",
        "if (!lf__is_held(word) && queue >= n_queues)",
        client="mpmc_ring/mpmc_death",
    ),
    # Each locked instruction of a put and a get, as a load and a store: none of them can be left out.
    Mutant(
        "a queue that publishes by a load and a store: of two records in one place one is lost",
        "blocks/index_queue.h",
        f"if (lf_cas_seq_cst({TAIL}, &cell, {PUBLISHED})) {{",
        f"if (lf_load_relaxed({TAIL}) == cell && (lf_store_release({TAIL}, {PUBLISHED}), 1)) {{",
        client="mpmc_ring/mpmc_both_cap2",
    ),
    Mutant(
        "a queue that takes by a load and a store: two threads take one slot",
        "blocks/index_queue.h",
        f"if (lf_cas_seq_cst({HEAD}, &cell, {TAKEN})) {{",
        f"if (lf_load_relaxed({HEAD}) == cell && (lf_store_release({HEAD}, {TAKEN}), 1)) {{",
        client="mpmc_ring/mpmc_both_cap2",
    ),
    Mutant(
        "a spare slot that is taken by a load and a store: another thread takes it, too",
        "blocks/spare_slots.h",
        "if (LF_UNLIKELY(!lf_cas_relaxed(place, &word, (uint64_t)0))) /* nobody else ever had it [V1] */",
        "if (lf_store_relaxed(place, (uint64_t)0), 0)",
        client="spare_slots/spare_taken_or_called_in",
    ),
    Mutant(
        "a free that keeps a slot, and does not look whether one is wanted",
        "blocks/spare_slots.h",
        "if (LF_LIKELY(!(lf_load_relaxed(&s->spares->scarce) & LF__SCARCE_ON)) &&",
        "if (",
        client="spare_slots/spare_waited_for_sleep",
    ),
    Mutant(
        "a free that keeps a slot, and does not look whether the ring has ended",
        "blocks/spare_slots.h",
        "LF_LIKELY(lf_load_relaxed(&h->segment->ending) == LF__OPEN))\n        return LF__KEPT;",
        "1)\n        return LF__KEPT;",
        client="spare_slots/spare_drained_beside_free_sleep",
    ),
    Mutant(
        "a search for spare slots without the heavy half of the fence",
        "blocks/spare_slots.h",
        "if (!(seen & LF__SCARCE_SEARCHED))\n        lf_fence_heavy_in(h->segment); /* [V8] pairs with [V7] */",
        "if (!(seen & LF__SCARCE_SEARCHED))\n        lf_fence_seq_cst();",
        client="spare_slots/spare_waited_for_sleep",
    ),
    Mutant(
        "spare slots that are kept again although a thread begins to wait at that moment",
        "blocks/spare_slots.h",
        "while (!(seen & LF__SCARCE_ON) || (seen & LF__SCARCE_CLOSING)) {",
        "while (!(seen & LF__SCARCE_ON)) {",
        client="spare_slots/spare_goes_off_beside_taker_sleep",
        mode="pct",
    ),
    Mutant(
        "spare slots that are kept again although a thread waits",
        "blocks/spare_slots.h",
        "if (lf_load_relaxed(&s->waiters->word) >> 32 == 0)",
        "if (s->waiters != NULL)",
        client="spare_slots/spare_two_wait_sleep",
        mode="pct",
    ),
    Mutant(
        "a spare slot that is taken without a mark: if its taker dies, nobody has it",
        "blocks/spare_slots.h",
        "marked = word | (uint64_t)taker << LF__SPARE_TAKER;",
        "marked = 0;",
        kill=("mpmc_ring", "put-takes-anothers-spare", "go-on"),
    ),
    Mutant(
        "a recovery that leaves a mark of the dead in the word of a spare slot",
        "blocks/spare_slots.h",
        "if (taker != 0 && (lf_is_gone(gone, taker) || lf_is_gone(gone, keeper)) &&",
        "if (taker != 0 && lf_is_gone(gone, keeper) &&",
        kill=("mpmc_ring", "put-takes-anothers-spare", "go-on"),
    ),
    Mutant(
        "a spare slot whose custody word does not say that it is held: its keeper's death loses it",
        "blocks/spare_slots.h",
        "lf_store_relaxed(custody, lf__held(lf__custody_queue(was), was, h->participant));",
        "lf_store_relaxed(custody, was);",
        client="spare_slots/spare_taker_dies",
    ),
    Mutant(
        "a run from which one is taken before it is written who took the one before",
        "blocks/index_queue.h",
        "            lf__complete_custody(q, cell, head);",
        "            (void)0;",
        client="mpmc_runs/runs_get_dies",
    ),
    Mutant(
        "a run of which only the first index is written to its taker",
        "blocks/index_cells.h",
        "for (uint64_t i = 0; i < taken; i++) {",
        "for (uint64_t i = 0; i < taken && i < 1; i++) {",
        client="mpmc_runs/runs_get_two_dies",
    ),
    Mutant(
        "runs that are one longer than there is room for: the tail meets a cell that is not taken to its end",
        "blocks/index_cells.h",
        "(uint32_t)(cells - store->slots) + 1 : LF_QUEUE_RUN;",
        "(uint32_t)(cells - store->slots) + 2 : LF_QUEUE_RUN;",
        client="mpmc_runs/runs_tight",
    ),
    Mutant(
        "a recovery that looks for a slot of a run in the first place alone",
        "blocks/index_recovery.h",
        "index - lf__cell_index(q, cell) < lf__cell_count(cell)",
        "index == lf__cell_index(q, cell)",
        client="mpmc_runs/runs_put_two_dies",
    ),
    Mutant(
        "a run of slots whose custody words are written for the first one alone",
        "blocks/index_queue.h",
        NAMES_HOLDER,
        NAMES_HOLDER.replace("i < count", "i < 1"),
        client="mpmc_runs/runs_put_two_dies",
    ),
    Mutant(
        "a walk over runs that takes each for one position",
        "blocks/index_queue.h",
        "position += (uint64_t)ahead + lf__cell_count(*cell); /* a later",
        "position += (uint64_t)ahead + 1; /* a later",
        client="mpmc_runs/runs_put_put",
    ),
    Mutant(
        "levels whose put announces by a load and a store: a get that was decided meanwhile is forgotten",
        "blocks/level_queues.h",
        f"if (lf_cas_seq_cst(l->decision, &w, {ANNOUNCED}))",
        f"if (lf_load_relaxed(l->decision) == w && (lf_store_release(l->decision, {ANNOUNCED}), 1))",
        client="priority_queue/pq_same_level",
    ),
    Mutant(
        "levels whose get is decided by a load and a store: two gets take one record",
        "blocks/level_queues.h",
        "if (!lf_cas_release(l->decision, &w, decided)) /* [W2] pairs with [W1] */",
        "if (lf_load_relaxed(l->decision) != w || (lf_store_release(l->decision, decided), 0))",
        client="priority_queue/pq_both",
    ),
    Mutant(
        "levels whose cell is passed by a store: it wipes out a withdrawal",
        "blocks/level_queues.h",
        "if (lf_cas_release(place, &cell, round | passed)) /* [W4] pairs with [W3], [Q5] */",
        "if (lf_store_release(place, round | passed), 1)",
        client="priority_withdrawal/withdraw_get",
    ),
    Mutant(
        "levels whose head is moved by a store: a slow helper sets it back",
        "blocks/level_queues.h",
        "lf_cas_release(&level->ends->head, &head, lf__level_head((head >> 32) + 1, lf__w_version(w)));",
        "lf_store_release(&level->ends->head, lf__level_head((head >> 32) + 1, lf__w_version(w)));",
        client="priority_queue/pq_three",
    ),
    Mutant(
        "a priority queue that requeues to the tail of the level instead of its front",
        "blocks/priority_lines.h",
        "return level << 1; }",
        "return level << 1 | 1; }",
        client="priority_queue/pq_fronts_order",
        kill=("priority_queue", "put-in-front", "go-on"),
    ),
    Mutant(
        "an event whose set leaves a set flag alone: a clear misses what came with the second set",
        "event.h",
        "lf_fetch_or_seq_cst(&e->body->word, (uint64_t)1); /* [V1] pairs with [V2], [V3] */",
        "if (!(lf_load_seq_cst(&e->body->word) & 1)) lf_fetch_or_seq_cst(&e->body->word, (uint64_t)1);",
        client="event/event_set_again",
    ),
    Mutant(
        "an event whose clear undoes its set without a trace: a waiter misses both",
        "event.h",
        "&seen, seen + 1)",
        "&seen, seen - 1)",
        client="event/event_short_sleep_once",
    ),
    Mutant(
        "an event that wakes one of those who wait",
        "event.h",
        "lf_eventcount_notify_after_rmw(&e->body->changed, UINT32_MAX);",
        "lf_eventcount_notify_after_rmw(&e->body->changed, 1);",
        client="event/event_two_wait_sleep",
    ),
    Mutant(
        "a space that tells of an object before it is whole",
        "space.h",
        "    memset(chunk, 0, need); /* somebody may have died here */",
        "    lf_store_release(&s->body->end, at + need); memset(chunk, 0, need);",
        client="space/space_looks",
        kill=("space", "add", "go-on"),
    ),
    Mutant(
        "a space whose search stops before its last object",
        "space.h",
        "*at < end; *at += lf__space_chunk_bytes(&k)) {",
        "*at + 256 < end; *at += lf__space_chunk_bytes(&k)) {",
        client="space/space_one_name_sleep",
        kill=("space", "find", "go-on"),
    ),
    Mutant(
        "a space that forgets the lock of a process that dies while adding",
        "space.h",
        "    lf_owner_lock_recover_dead(&s->body->lock, gone);",
        "",
        client="space/space_adder_dies",
        kill=("space", "add", "wait"),
    ),
    Mutant(
        "a space that recovers nothing but itself",
        "space.h",
        "            k.kind->recover(&object.h, gone, &none);",
        "            (void)none;",
        client="space/space_adder_dies",
        kill=("space", "take", "wait"),
    ),
    Mutant(
        "an object in a space that gives back by itself, for its own kind alone",
        "blocks/segment.h",
        "{ return LF_UNLIKELY(h->home != NULL) ? h->home : h; }",
        "{ return h; }",
        client="space/space_holder_dies",
    ),
    Mutant(
        "a latest value whose version is told before the value is written",
        "latest_value.h",
        "lf_fence_release(); /* [K1]",
        "lf_store_release(&v->body->version, version); /* [K1]",
        client="latest_value/latest_three_copies",
        kill=("latest_value", "set", "go-on"),
    ),
    Mutant(
        "a latest value whose reader does not look whether it was overtaken",
        "latest_value.h",
        "- found >= v->n_copies - 1))",
        "- found > v->n_copies))",
        client="latest_value/latest_two_copies",
    ),
    Mutant(
        "a latest value that a slow reader takes although its copy is being written",
        "latest_value.h",
        "- found >= v->n_copies - 1))",
        "- found >= v->n_copies))",
        client="latest_value/latest_three_copies",
    ),
    Mutant(
        "a latest value whose set does not look for sleepers",
        "latest_value.h",
        "    lf_eventcount_wake_all(&v->body->newer);",
        "",
        client="latest_value/latest_two_wait_sleep",
    ),
    Mutant(
        "a wake of all that leaves their tickets valid: a thread that is about to sleep sleeps on",
        "blocks/wait.h",
        "lf_fetch_add_relaxed(&ec->word, (uint64_t)1) + 1;",
        "lf_load_relaxed(&ec->word);",
        client="latest_value/latest_two_wait_sleep",
    ),
    Mutant(
        "an event count that looks for a close before it looks for the wake",
        "event_count.h",
        "    uint32_t epoch = (uint32_t)lf_load_acquire(&e->body->changed.word);\n    int status = lf_enter(&e->h);",
        "    int status = lf_enter(&e->h);\n    uint32_t epoch = (uint32_t)lf_load_acquire(&e->body->changed.word);",
        client="event_count/event_count_close_sleep",
    ),
    Mutant(
        "an event count whose notify does not look for sleepers",
        "event_count.h",
        "        lf_eventcount_notify(&e->body->changed, n);",
        "        (void)n;",
        client="event_count/event_count_by_hand_sleep",
        kill=("event_count", "notify-to-sleeper", "wait"),
    ),
    Mutant(
        "a reentrant lock that takes another thread of the process for its holder",
        "blocks/owner_lock.h",
        "return ((lf_load_relaxed(word) ^ lf__lock_me(h)) & LF__LOCK_HOLDER) == 0;",
        "return ((lf_load_relaxed(word) ^ lf__lock_me(h)) & LF__LOCK_PARTICIPANT) == 0;",
        client="rlock/rlock_threads_sleep",
    ),
    Mutant(
        "a reentrant lock that is free after the first release",
        "blocks/reentrant.h",
        "return depth != 0 ? (int)LF_OK : lf__lock_release(h, &body->word);",
        "return lf__lock_release(h, &body->word);",
        client="rlock/rlock_nested_sleep",
        kill=("rlock", "release-inner", "wait"),
    ),
    Mutant(
        "a message ring that publishes a message before its further blocks are its own",
        "blocks/message_blocks.h",
        "lf_store_relaxed(&block->custody, lf__member_of((uint64_t)first)); /* [M1]; published with the first block */",
        "",
        kill=("message_ring", "put-on-empty", "go-on"),
    ),
    Mutant(
        "a message ring whose recovery does not free further blocks",
        "blocks/message_blocks.h",
        "            lf__message_recover_member(r, at - 2 * cells, &who);",
        "            (void)lf__message_recover_member;",
        client="message_ring/message_get_dies",
    ),
    Mutant(
        "a message ring that frees a leased message and still owes it",
        "blocks/message_blocks.h",
        "        lf_store_relaxed(&head->custody, lf__held(LF__MESSAGES, 0, r->h.participant));",
        "        (void)head;",
        client="message_ring/message_lease_dies",
    ),
    Mutant(
        "a message ring whose bound is one message too high",
        "blocks/index_queue.h",
        "if (bound != 0 && LF_UNLIKELY(lf__is_inside(q, tail - bound)))",
        "if (bound != 0 && LF_UNLIKELY(lf__is_inside(q, tail - bound - 1)))",
        client="message_ring/message_bound",
    ),
    Mutant(
        "a message ring that waits for one block more than it needs",
        "blocks/index_queue.h",
        "uint64_t last = lf_queue_taken(q) + n - 1;",
        "uint64_t last = lf_queue_taken(q) + n;",
        client="message_ring/message_long_waits",
    ),
    Mutant(
        "a message ring that does not wake who joins",
        "blocks/message_tasks.h",
        "        lf_eventcount_notify_after_rmw(&r->body->all_done, UINT32_MAX);",
        "        (void)0;",
        client="message_ring/message_join",
    ),
    Mutant(
        "a message ring whose task_done publishes nothing",
        "blocks/message_tasks.h",
        "lf_cas_seq_cst(&r->body->done, &done, done + 1)",
        "lf_cas_relaxed(&r->body->done, &done, done + 1)",
        client="message_ring/message_join",
    ),
    Mutant(
        "a broadcast ring whose reader gives its place away before it has read",
        "blocks/broadcast_readers.h",
        "lf_store_release(&me->position, position | LF__LOG_JOINED);",
        "lf_store_relaxed(&me->position, position | LF__LOG_JOINED);",
        client="broadcast_ring/broadcast_in_place",
    ),
    Mutant(
        "a broadcast ring whose writer overwrites before it says so",
        "blocks/broadcast_log.h",
        "lf_fence_release(); /* [W2] pairs",
        "/* [W2] pairs",
        client="broadcast_ring/broadcast_overwrites",
    ),
    Mutant(
        "a broadcast ring whose writer does not see who joins",
        "blocks/broadcast_readers.h",
        "lf_fence_heavy_in(r->h.segment); /* [J2] pairs with [J1] */",
        "/* [J2] pairs with [J1] */",
        client="broadcast_ring/broadcast_join",
    ),
    Mutant(
        "a broadcast ring that wakes one of its readers",
        "broadcast_ring.h",
        "lf__eventcount_wake(&r->body->not_empty, word, UINT32_MAX);",
        "lf__eventcount_wake(&r->body->not_empty, word, 1);",
        client="broadcast_ring/broadcast_two_sleep",
    ),
    Mutant(
        "a broadcast ring whose next writer goes on where the dead one had written to",
        "blocks/broadcast_log.h",
        "lf_store_relaxed(&w->at, lf__log_at(r, lf_load_relaxed(&w->tail)));",
        "",
        kill=("broadcast_ring", "put", "go-on"),
    ),
    Mutant(
        "a broadcast ring whose writer waits for a dead reader",
        "broadcast_ring.h",
        "        lf__log_leave(reader);\n",
        "",
        kill=("broadcast_ring", "read", "go-on"),
    ),
    Mutant(
        "a condition that drops the notify of a waiter that died",
        "blocks/waiters.h",
        "    if (state & LF__WAITER_NOTIFIED)\n        lf__waiters_mark_one(w, places);",
        "    (void)lf__waiters_mark_one;",
        client="condition/condition_dead_notified_sleep",
        kill=("condition", "wait-notified", "wait"),
    ),
    Mutant(
        "a condition that wakes nobody when a holder dies",
        "condition.h",
        "        lf_waiters_notify(&body->waiters, c->places, 1); /* it may have died before a notify */",
        "        (void)body;",
        client="condition/condition_dead_holder_sleep",
    ),
    Mutant(
        "a barrier that a death does not break",
        "barrier.h",
        "        lf__barrier_break(body, 0, 1);\n    return 1;",
        "        (void)body;\n    return 1;",
        client="barrier/barrier_death_sleep",
        kill=("barrier", "wait-in-vain", "go-on"),
    ),
    Mutant(
        "a barrier that forgets how an era ended",
        "barrier.h",
        "            lf_cas_relaxed(slot, &end, word);",
        "            (void)end;",
        client="barrier/barrier_reset_sleep",
    ),
    Mutant(
        "a reader-writer lock whose reader looks for a writer before it is counted",
        "rwlock.h",
        "    uint64_t word = lf_load_seq_cst(l->word); /* [R1]; acquire: what the last writer wrote is readable */",
        "    uint64_t word = 0;",
        client="rwlock/rwlock_tries_sleep",
    ),
    Mutant(
        "a reader-writer lock that tells nobody of a writer that died",
        "rwlock.h",
        "    if (!lf_load_relaxed(&l->body->writing))\n        lf__lock_recover",
        "    if (1)\n        lf__lock_recover",
        client="rwlock/rwlock_dead_writer_sleep",
        kill=("rwlock", "recover", "go-on"),
    ),
    Mutant(
        "a reader-writer lock whose writer waits for a dead reader",
        "rwlock.h",
        "    lf_store_relaxed(lf__rwlock_readers(body, gone), 0u); /* the dead read nothing any more */",
        "",
        client="rwlock/rwlock_dead_reader_sleep",
    ),
]  # fmt: skip

STRESS = {
    "message_ring": Mutant(
        "a message ring that frees the first block of a message alone",
        "blocks/message_blocks.h",
        "head->unused = lf_message_ring_block(r, next)->unused;",
        "head->unused = 0;",
    ),
    "broadcast_ring": Mutant(
        "a broadcast ring whose writer waits for the first reader only",
        "blocks/broadcast_log.h",
        "k < r->n_readers; k++) {\n            /* [B1]",
        "k < 1; k++) {\n            /* [B1]",
    ),
    "event": Mutant("an event whose wait takes every wake for a set", "event.h", EVENT_WAIT, EVENT_WAIT.replace("!=", ">=")),
    "event_count": Mutant(
        "an event count that takes every wake for its condition", "event_count.h",
        "if (call->condition(call->argument))", "if (call->condition(call->argument) || lf_load_relaxed(&call->e->body->changed.word) >> 32 > 1)",
    ),
    "space": Mutant(
        "a space that finds one lock of six for every name of two letters", "space.h",
        "memcmp(chunk->name, name, length) == 0", "(chunk->name[1] == '5') == (name[1] == '5')",
    ),
    "latest_value": Mutant(
        "a latest value whose reader takes what it copied for whole", "latest_value.h",
        "- found >= v->n_copies - 1))", "- found > UINT32_MAX))",
    ),
    "rlock": Mutant(
        "a reentrant lock that everybody in the process takes again", "rlock.h",
        "{ return lf_reentrant_try_acquire(&r->h, r->body); }",
        "{ return lf__lock_participant(lf_load_relaxed(r->word)) == r->h.participant ? (int)LF_OK : lf_reentrant_try_acquire(&r->h, r->body); }",
    ),
    "condition": Mutant(
        "a condition that takes the word of a release for the release", "condition.h",
        "{ return lf_reentrant_release(&c->h, &c->body->lock); }",
        "{ uint64_t *word = c->word; int status = lf_reentrant_release(&c->h, &c->body->lock); lf_store_relaxed(word, (uint64_t)0); return status; }",
    ),
    "barrier": Mutant(
        "a barrier that lets one go before the others come", "barrier.h",
        "return word & LF__BARRIER_BROKEN ? (int)LF_BROKEN : (int)LF_TIMEDOUT;",
        "return word & LF__BARRIER_BROKEN ? (int)LF_BROKEN : word & 0x80000 ? (int)LF_OK : (int)LF_TIMEDOUT;",
    ),
    "rwlock": Mutant(
        "a reader-writer lock whose writer does not wait for readers", "rwlock.h",
        "!= 0) /* [W2] pairs with [R2]; behind [W1] */", "> 1000000u)",
    ),
}  # fmt: skip
"""What a stress run catches, by primitive. Applied together, in one build."""


@dataclass(frozen=True)
class PythonMutant:
    """A module of the package with one place changed, and the test that must fail then."""

    what: str
    module: str
    right: str
    wrong: str
    test: str
    """"file/function" or "file/class.function"; with "(arena)" at the end of a test of a queue and its arena."""
    arguments: tuple[object, ...] = ()


QUEUE = [
    PythonMutant(
        "a queue that forgets its maxsize", "queue",
        "    return size, min(block, size // 16 * 16), most or None\n", "    return size, min(block, size // 16 * 16), None\n",
        "test_queue/test_maxsize_counts_items", (2, 0),
    ),
    PythonMutant(
        "a batch of which the first ones are put before the last one is pickled", "queue",
        "        packed = [self._packed(obj) for obj in walk]\n", "        return sum(self.try_put(obj) for obj in walk)\n        packed = []\n",
        "test_queue/TestWhatAFailureLeaves.test_a_batch_that_cannot_pickle_leaves_nothing",
    ),
    PythonMutant(
        "a get_many whose exception has lost what was taken before", "queue",
        "            error.taken = taken  # type: ignore[attr-defined]\n", "            error.taken = []\n",
        "test_queue/TestWhatAFailureLeaves.test_a_batch_hands_over_what_it_took_before",
    ),
    PythonMutant(
        "a queue that was shut down and says that it is closed", "queue",
        '        raise ShutDown(f"{self._title()}: the object was shut down") from None\n',
        '        raise _ClosedHere(f"{self._title()}: the object is closed") from None\n',
        "test_queue/TestEnds.test_shutdown_lets_what_is_inside_out",
    ),
    PythonMutant(
        "a put that fails and keeps its memory of the arena", "_cargo",
        "                    self._arena.drop(handle)\n            raise\n\n\n", "                    pass\n            raise\n\n\n",
        "test_queue_arena/test_what_is_not_put_leaves_nothing_in_the_arena(arena)",
    ),
    PythonMutant(
        "a queue that copies what stands in its arena already", "_cargo",
        "        if home is not None:\n", "        if False:\n",
        "test_queue_arena/test_an_array_that_stands_in_the_arena_is_not_copied_at_all(arena)",
    ),
    PythonMutant(
        "a get that takes what its own loads has no memory for", "_pickles",
        "        except STAYS:\n", "        except NeedsArena:\n",
        "test_queue/TestWhatAFailureLeaves.test_what_has_no_memory_to_be_unpickled_is_inside_again", (True,),
    ),
    PythonMutant(
        "a get that is interrupted and keeps the promises that it has used up", "_cargo",
        "                    self.arena._promise_again(block._seen(), handle)\n", "                    pass\n",
        "test_queue_arena/test_what_is_interrupted_while_it_is_unpickled_leaves_nothing(arena)", (KeyboardInterrupt,),
    ),
    PythonMutant(
        "a pickler that is used again while it is at work", "_pickles",
        "    _idle.pickler = None  #", "    #",
        "test_queue/TestWhatAFailureLeaves.test_an_unpicklable_object_within_another_put",
    ),
    PythonMutant(
        "a pickler that keeps the reducers that there were", "_pickles",
        "        if own != self.own or extra != self.extra:", "        if len(own) != len(self.own) or len(extra) != len(self.extra):",
        "test_queue/TestReducers.test_one_that_takes_the_place_of_another_is_used", (copyreg.pickle, copyreg.dispatch_table),
    ),
    PythonMutant(
        "a message whose buffers are longer or shorter than it says", "_pickles",
        "    return (data, buffers) if at == len(view) else None\n", "    return data, buffers\n",
        "test_queue/TestBuffers.test_lengths_that_cannot_be_are_refused",
    ),
    PythonMutant(
        "large buffers one behind the other, wherever they begin", "_pickles",
        "        pieces += [bytes(-at % 16), raw]\n        at += -at % 16 + raw.nbytes\n", "        pieces += [raw]\n        at += raw.nbytes\n",
        "test_queue/TestBuffers.test_they_are_aligned",
    ),
]  # fmt: skip
"""Queues are Python: the mutants of what carries their messages are those of message_ring."""


def apply(folder: Path, mutants: list[Mutant]) -> Path:
    """A copy of the headers with these changes: the folder to include from."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(INCLUDE, folder / "lockfree")
    for mutant in mutants:
        header = folder / "lockfree" / mutant.place
        text = header.read_text()
        assert text.count(mutant.right) == 1, f"{mutant.what}: {mutant.place} has this {text.count(mutant.right)} times"
        header.write_text(text.replace(mutant.right, mutant.wrong))
    return folder
