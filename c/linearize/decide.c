/* Splits a history into independent objects and decides each, by an algorithm of its kind or by search. */
#include "linearize/internal.h"

/* Values that are not distinct need the search; so do peeks, and strict FULL, but for queues. */
static int lin_decide_fast(struct lin_problem *p) {
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_PEEK)
            return LIN_UNDECIDED;
    switch (p->run->spec->kind) {
    case LF_LIN_QUEUE:
        return lin_decide_queue(p);
    case LF_LIN_PRIORITY_QUEUE:
        return lin_decide_priority_queue(p);
    case LF_LIN_STACK:
        return lin_decide_stack(p);
    case LF_LIN_REGISTER:
        return lin_decide_register(p);
    case LF_LIN_COUNTER:
        return lin_decide_counter(p);
    case LF_LIN_MUTEX:
        return lin_decide_mutex(p);
    case LF_LIN_BLOCK_POOL:
        return lin_decide_pool(p);
    case LF_LIN_LOG: {
        int decision = lin_decide_log(p);
        return decision == LIN_UNDECIDED ? lin_decide_equal_log(p) : decision;
    }
    default:
        return LIN_UNDECIDED;
    }
}

enum { LIN_SMALL = 64, LIN_PAIRS_AT_ONCE = 1 << 8, LIN_PAIRS_LATER = 1 << 24, LIN_DEPTH_FIRST = 1 << 17 };

/* A stack that is no matter of stack.c. Pairs are found soon in most right histories, and say nothing of wrong ones; an order is
 * found with few configurations in most of the others. Of a stack with a capacity, whose FULL names few moments, an order is
 * found soonest depth first. */
static int lin_decide_stack_soon(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_block *mark = run->blocks;
    if (run->spec->kind != LF_LIN_STACK || p->n < LIN_SMALL)
        return LIN_UNDECIDED;
    int decision = lin_decide_stack_pairs(p, (uint64_t)LIN_PAIRS_AT_ONCE * p->events);
    lin_release(run, mark);
    for (uint32_t more = 1; more <= 8 && decision == LIN_UNDECIDED && !run->stopped; more *= 8) {
        if (run->spec->capacity)
            decision = lin_search_soon(p, run->allowance ? run->allowance / 8 : more * LIN_DEPTH_FIRST);
        if (decision == LIN_UNDECIDED && !run->stopped)
            decision = lin_decide_graph_stack(p, more << 9);
    }
    if (decision != LIN_UNDECIDED || run->stopped)
        return decision;
    decision = lin_decide_stack_pairs(p, run->allowance ? run->allowance : LIN_PAIRS_LATER);
    lin_release(run, mark);
    return decision;
}

static int lin_decide(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lf_lin_result *r = run->result;
    int decision = LIN_UNDECIDED;
    r->state_count = 0;
    if (!lin_filter_answers(p, &decision))
        return LIN_UNDECIDED;
    r->method = LF_LIN_BY_ALGORITHM;
    if (decision == LIN_REJECT)
        return decision;
    struct lin_block *mark = run->blocks;
    int32_t only = run->options->start ? LF_LIN_ONLY_SEARCH : run->options->general_only;
    if ((only == LF_LIN_ONLY_ANY || only == LF_LIN_ONLY_FAST) &&
        (run->spec->kind == LF_LIN_QUEUE || !lin_strict_full(p))) {
        decision = lin_decide_fast(p);
        lin_release(run, mark);
        if (run->stopped) /* in the middle of a sort, perhaps: what was concluded from it is worth nothing */
            return LIN_UNDECIDED;
        if (decision != LIN_UNDECIDED)
            return decision;
    }
    if (only == LF_LIN_ONLY_FAST) {
        run->stopped = LF_LIN_UNDECIDED;
        return LIN_UNDECIDED;
    }
    r->method = LF_LIN_BY_SEARCH;
    if (only == LF_LIN_ONLY_ANY) {
        decision = run->spec->kind == LF_LIN_STACK ? lin_decide_stack_soon(p) : lin_decide_bag(p);
        lin_release(run, mark);
        if (decision == LIN_UNDECIDED && !run->stopped)
            decision = lin_reject_count(p);
        lin_release(run, mark);
        if (decision == LIN_UNDECIDED && !run->stopped)
            decision = lin_decide_equal(p);
        lin_release(run, mark);
    }
    if (decision != LIN_UNDECIDED)
        return decision;
    if (run->stopped == LF_LIN_MEMORY) /* the search may do with less */
        run->stopped = 0;
    if (run->spec->kind == LF_LIN_STACK && (only == LF_LIN_ONLY_ANY || run->options->start)) {
        decision = lin_decide_graph_stack(p, LIN_NO);
        if (decision != LIN_UNDECIDED || (run->stopped && run->stopped != LF_LIN_MEMORY))
            return decision;
        run->stopped = 0;
    }
    decision = lin_search(p);
    lin_release(run, mark);
    return decision;
}

static uint64_t lin_object(const struct lin_run *run, const struct lf_history_op *op) {
    if (run->spec->kind == LF_LIN_LOG)
        return 0;
    if (run->spec->kind == LF_LIN_CUSTOM && !run->options->partition)
        return 0;
    if (run->spec->kind == LF_LIN_SET)
        return op->key ? lin_mix(lin_mix(op->key) ^ (uint64_t)op->arg) : lin_mix((uint64_t)op->arg);
    return op->key;
}

static uint32_t lin_root(uint32_t *parent, uint32_t x) {
    while (parent[x] != x)
        x = parent[x] = parent[parent[x]];
    return x;
}

/* Objects are decided one by one (locality: Herlihy and Wing 1990) because real time alone orders what is done to
 * different ones. The order within a batch is more than that: objects that meet in a batch are decided together.
 * True if there are any; `join`: key, of each operation its object, becomes a number that such objects share. */
static bool lin_meet_in_batches(struct lin_run *run, uint32_t n, uint64_t *key, bool join) {
    uint64_t *call = lin_alloc(run, n, sizeof *call), *sorted = lin_alloc(run, n, sizeof *sorted);
    uint32_t *item = lin_alloc(run, n, sizeof *item), *part = lin_alloc(run, n, sizeof *part);
    uint32_t *parent = lin_alloc(run, n, sizeof *parent), batched = 0;
    bool meet = false;
    if (run->stopped)
        return false;
    for (uint32_t i = 0; i < n; i++)
        item[i] = i, sorted[i] = key[i];
    lin_sort_pairs(run, sorted, item, n);
    for (uint32_t k = 0, number = 0; k < n; k++) {
        number += k && sorted[k] != sorted[k - 1];
        part[item[k]] = number;
        parent[k] = k;
    }
    for (uint32_t i = 0; i < n; i++)
        if (run->ops[i].batch) {
            call[batched] = (uint64_t)run->ops[i].client << 32 | run->ops[i].batch;
            item[batched++] = i;
        }
    lin_sort_pairs(run, call, item, batched);
    for (uint32_t k = 1; !run->stopped && k < batched; k++) {
        uint32_t a = lin_root(parent, part[item[k]]), b = lin_root(parent, part[item[k - 1]]);
        if (call[k] != call[k - 1] || a == b)
            continue;
        parent[a] = b;
        meet = true;
    }
    for (uint32_t i = 0; meet && join && i < n; i++)
        key[i] = lin_root(parent, part[i]);
    return meet;
}

/* Groups the operations by object: fills index (by object, then by position) and the ends of the parts. */
static uint32_t *lin_partition(struct lin_run *run, uint32_t n, uint32_t *index, uint32_t *parts) {
    uint32_t i = 1;
    while (i < n && lin_object(run, &run->ops[i]) == lin_object(run, &run->ops[0]))
        i++;
    for (uint32_t k = 0; k < n; k++)
        index[k] = k;
    uint32_t *end = NULL;
    *parts = 1;
    if (i < n) {
        uint64_t *key = lin_alloc(run, n, sizeof *key);
        if (!key)
            return NULL;
        bool batches = false;
        for (uint32_t k = 0; k < n; k++) {
            key[k] = lin_object(run, &run->ops[k]);
            batches |= run->ops[k].batch != 0;
        }
        struct lin_block *mark = run->blocks;
        bool join = run->spec->kind == LF_LIN_SET || run->spec->kind == LF_LIN_MAP; /* one state for all of them */
        run->across = batches && lin_meet_in_batches(run, n, key, join) && !join;
        lin_release(run, mark);
        lin_sort_pairs(run, key, index, n);
        for (uint32_t k = 1; k < n; k++)
            *parts += key[k] != key[k - 1];
        end = lin_alloc(run, *parts, sizeof *end);
        for (uint32_t k = 1, part = 0; end && k < n; k++)
            if (key[k] != key[k - 1])
                end[part++] = k;
        lin_free(run, key);
    } else
        end = lin_alloc(run, 1, sizeof *end);
    if (end)
        end[*parts - 1] = n;
    return end;
}

enum { LIN_ALLOWANCE = 1 << 16 };

static int lin_decide_part(struct lin_run *run, const struct lin_part *part) {
    struct lin_block *mark = run->blocks;
    struct lin_problem p;
    int decision = LIN_UNDECIDED;
    run->ordered = run->result->order_count;
    run->spent_before = run->result->configurations;
    uint32_t *mine = lin_alloc(run, part->n, sizeof *mine);
    if (!mine)
        return LIN_UNDECIDED;
    memcpy(mine, part->index, part->n * sizeof *mine);
    if (lin_problem_init(&p, run, mine, part->n))
        decision = lin_decide(&p);
    lin_release(run, mark);
    return decision;
}

void lin_decide_history(struct lin_run *run, size_t count, struct lin_part *wrong) {
    const struct lf_lin_options *options = run->options;
    struct lf_lin_result *result = run->result;
    memset(result, 0, sizeof *result);
    result->break_op = LIN_NO;
    if (count == 0)
        return;
    if (count > UINT32_MAX / 4) {
        result->verdict = LF_LIN_UNKNOWN;
        result->reason = LF_LIN_MEMORY;
        return;
    }
    if (options->timeout_ns)
        run->deadline = lin_now() + options->timeout_ns;
    uint32_t n = (uint32_t)count, parts = 0;
    uint32_t *index = lin_alloc(run, n, sizeof *index);
    uint32_t *end = index ? lin_partition(run, n, index, &parts) : NULL;
    int decision = LIN_ACCEPT, method = LF_LIN_BY_NOTHING;
    uint8_t *settled = end ? lin_alloc(run, parts, 1) : NULL;
    uint32_t open = parts;
    if (settled)
        memset(settled, 0, parts);
    /* by turns, so that one hard object does not hide the violation of another; the last one has all the time */
    for (run->allowance = LIN_ALLOWANCE; settled && open && !run->stopped && decision != LIN_REJECT;
         run->allowance *= 8)
        for (uint32_t part = 0, from = 0; part < parts && !run->stopped && decision != LIN_REJECT; from = end[part++]) {
            if (settled[part])
                continue;
            if (open == 1)
                run->allowance = 0;
            *wrong = (struct lin_part){index + from, end[part] - from};
            decision = lin_decide_part(run, wrong);
            if (decision == LIN_UNDECIDED)
                continue;
            settled[part] = 1;
            open--;
            if (result->method > method)
                method = result->method;
            run->settled += end[part] - from;
            if (options->progress)
                *options->progress = run->settled;
        }
    if (decision == LIN_REJECT)
        result->verdict = LF_LIN_VIOLATION;
    else if (run->stopped || decision != LIN_ACCEPT) {
        result->verdict = LF_LIN_UNKNOWN;
        result->reason = run->stopped ? run->stopped : LF_LIN_UNDECIDED;
    } else if (run->across) {
        result->verdict = LF_LIN_UNKNOWN;
        result->reason = LF_LIN_BATCH_ACROSS;
    }
    if (decision == LIN_ACCEPT)
        result->method = method;
}
