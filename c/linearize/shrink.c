/* Makes a counterexample small, by leaving out only what cannot repair it: if the whole history had a
 * linearization, so would what is left. Sound to leave out are
 * - everything after an instant (operations still running there become pending);
 * - everything before an instant at which nobody runs and the state is known;
 * - all operations of a value (containers, registers, logs), of a block (pools): a linearization of the rest remains;
 * - answers that say nothing about the others: EMPTY, FULL, a read, a load.
 * Not sound, and not done: values while a FULL answer is part of the reason, one half of a put and its get.
 * What comes out is decided again, by itself, from the state in which it begins: only then it is the counterexample. */
#include "linearize/shrink.h"

enum { LIN_SHRINK_NS = 1500000000, LIN_FEW = 12 }; /* so few operations are shown from the beginning */

static bool lin_shrinks(const struct lf_lin_spec *spec) {
    switch (spec->kind) {
    case LF_LIN_QUEUE:
    case LF_LIN_STACK:
    case LF_LIN_PRIORITY_QUEUE:
    case LF_LIN_REGISTER:
    case LF_LIN_LOG:
    case LF_LIN_BLOCK_POOL:
        return true;
    default:
        return false;
    }
}

static bool lin_pick(struct lin_shrink *s, const uint32_t *index, uint32_t n, const uint8_t *wanted) {
    s->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (wanted && !wanted[i])
            continue;
        s->ops[s->n] = s->run->ops[index[i]];
        s->origin[s->n++] = index[i];
    }
    return lin_form_units(s, LIN_BY_VALUE);
}

static int lin_by_index(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Starts with the operations that a rule named and all others of their values; widens the window of time
 * around them until what is inside is wrong by itself. */
static bool lin_first_candidate(struct lin_shrink *s, const uint32_t *index, uint32_t n) {
    const struct lf_history_op *ops = s->run->ops;
    struct lf_lin_result *r = s->run->result;
    uint64_t lo = UINT64_MAX, hi = 0;
    uint8_t *wanted = calloc(n, 1), *unit_wanted = NULL;
    if (!wanted || !lin_pick(s, index, n, NULL) || !(unit_wanted = calloc(s->units + 1, 1))) {
        free(wanted);
        return false;
    }
    uint32_t *core = malloc((r->core_count + 1) * sizeof *core), named_n = r->core_count;
    if (core) {
        memcpy(core, r->core, named_n * sizeof *core);
        core[named_n++] = r->break_op;
        qsort(core, named_n, sizeof *core, lin_by_index);
    }
    for (uint32_t i = 0; core && i < n; i++) {
        bool named = bsearch(&index[i], core, named_n, sizeof *core, lin_by_index) != NULL;
        if (!named)
            continue;
        if (s->unit[i] != LIN_NO)
            unit_wanted[s->unit[i]] = 1;
        if (ops[index[i]].call < lo)
            lo = ops[index[i]].call;
        uint64_t end = lin_pending(&ops[index[i]]) ? ops[index[i]].call : ops[index[i]].ret;
        if (end > hi)
            hi = end;
    }
    free(core);
    uint64_t width = 0, all = 0;
    for (uint32_t i = 0; i < n; i++)
        if (ops[index[i]].call > all)
            all = ops[index[i]].call;
    bool wrong = false, whole = false;
    for (int round = 0; !wrong && !whole; round++) {
        if (round == 1)
            width = (hi - lo) / 4 + 1;
        else if (round)
            width *= 4;
        uint64_t from = lo > width ? lo - width : 0, to = hi + width;
        whole = from == 0 && to > all;
        if (round)
            for (uint32_t i = 0; i < n; i++) {
                const struct lf_history_op *o = &ops[index[i]];
                if (s->unit[i] != LIN_NO && o->call <= to && (lin_pending(o) || o->ret >= from))
                    unit_wanted[s->unit[i]] = 1;
            }
        for (uint32_t i = 0; i < n; i++)
            wanted[i] = s->unit[i] == LIN_NO || unit_wanted[s->unit[i]] || whole;
        for (uint32_t u = 0; u < s->units; u++)
            s->gone[u] = !unit_wanted[u] && !whole;
        wrong = lin_still_wrong(s);
        if (lin_is_late(s))
            break;
    }
    if (wrong)
        wrong = lin_pick(s, index, n, wanted);
    free(unit_wanted), free(wanted);
    return wrong;
}

/* FULL answers forbid leaving out values. Most violations stand without them: then they go first. One that ends a batch
 * says when the rest of it was put. */
static uint32_t lin_without_full(struct lin_shrink *s, const uint32_t *index, uint32_t n, uint32_t *kept) {
    const struct lf_history_op *ops = s->run->ops;
    int reason = s->run->result->reason;
    uint32_t k = 0;
    bool placed = false;
    for (uint32_t i = 0; i < n; i++) {
        const struct lf_history_op *o = &ops[index[i]];
        if (!lin_failed(o) || (!lin_is_put(o) && o->op != LF_OP_ALLOC))
            kept[k++] = index[i];
        else
            placed |= o->batch != 0;
    }
    if (k == n || reason == LF_LIN_NOT_FULL)
        return n;
    if (reason != LF_LIN_NO_ORDER && !placed)
        return k;
    if (!lin_pick(s, kept, k, NULL))
        return n;
    return lin_still_wrong(s) ? k : n;
}

/* Containers, registers, logs, pools: by values. */
static bool lin_shrink_by_values(struct lin_shrink *s, const uint32_t *index, uint32_t n, uint32_t *kept) {
    uint32_t less = lin_without_full(s, index, n, kept);
    if (less < n)
        index = kept, n = less;
    if (!lin_first_candidate(s, index, n))
        return false;
    lin_from_empty(s);
    if (!lin_form_units(s, LIN_BY_VALUE))
        return false;
    lin_leave_out(s);
    lin_compact(s);
    lin_end_it(s);
    for (int how = LIN_BY_VALUE; how <= LIN_BY_ANSWER; how++) {
        if (!lin_form_units(s, how))
            return false;
        lin_leave_out(s);
        lin_compact(s);
    }
    return true;
}

/* The others: what the search or a rule named, from the state that it told, else everything; where it can end, begin, and
 * without what changes nothing. */
static bool lin_shrink_by_time(struct lin_shrink *s, const uint32_t *index, uint32_t n) {
    struct lf_lin_result *r = s->run->result;
    bool told = r->reason == LF_LIN_NO_ORDER && r->state_count && r->state_count <= LIN_START_MAX &&
                !lin_shrinks(s->run->spec);
    if (told) {
        uint64_t end = r->break_op == LIN_NO ? UINT64_MAX - 1 : s->run->ops[r->break_op].ret;
        s->started = true;
        s->start_count = r->state_count;
        memcpy(s->start, r->state, r->state_count * sizeof *s->start);
        if (!lin_pick(s, r->core, r->core_count, NULL))
            return false;
        s->n = lin_cut(s->ops, s->origin, s->n, end, s->ops, s->origin);
        told = lin_form_units(s, LIN_BY_ANSWER) && lin_still_wrong(s);
        s->started = told;
    }
    if (!told) {
        s->start_count = 0;
        if (!lin_pick(s, index, n, NULL))
            return false;
        lin_shortest_prefix(s);
        if (!lin_form_units(s, LIN_BY_ANSWER))
            return false;
    }
    if (!s->started)
        lin_from_empty(s);
    if (s->n > LIN_FEW)
        lin_from_known_value(s);
    for (int how = LIN_BY_ANSWER; how <= LIN_BY_PAIR; how++) {
        if (!lin_form_units(s, how))
            return false;
        lin_leave_out(s);
        lin_compact(s);
    }
    return true;
}

/* Counters: the operations of the rule and those that never returned, from the value that the first of them met. The
 * rule is the same; what it says of them needs no others. */
static bool lin_keep_rule(struct lin_shrink *s, const uint32_t *index, uint32_t n) {
    struct lf_lin_result *r = s->run->result;
    int64_t value = INT64_MAX;
    if (s->run->spec->kind != LF_LIN_COUNTER || r->reason == LF_LIN_NO_ORDER || !r->rule_count || n <= LIN_FEW)
        return false;
    s->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct lf_history_op *o = &s->run->ops[index[i]];
        bool named = false;
        for (uint32_t k = 0; k < r->rule_count; k++)
            named |= r->rule[k] == index[i];
        if (!named && (!lin_pending(o) || o->op != LF_OP_FETCH_ADD))
            continue;
        if (!lin_pending(o) && o->result < value)
            value = o->result;
        s->unit[s->n] = LIN_NO;
        s->ops[s->n] = *o;
        s->origin[s->n++] = index[i];
    }
    s->started = true;
    s->start_count = 1;
    s->start[0] = r->reason == LF_LIN_GAP ? r->detail[0] : value;
    struct lf_lin_result small;
    bool wrong = lin_verdict_of(s, s->ops, s->origin, s->n, &small) == LF_LIN_VIOLATION;
    lf_lin_result_free(&small);
    uint32_t *core = wrong ? malloc(s->n * sizeof *core) : NULL;
    int64_t *state = core ? malloc(sizeof *state) : NULL;
    if (!state) {
        free(core);
        return s->started = false;
    }
    memcpy(core, s->origin, s->n * sizeof *core);
    state[0] = s->start[0];
    free(r->core), free(r->state);
    r->core = core;
    r->core_count = s->n;
    r->state = state;
    r->state_count = s->start[0] != s->run->spec->initial;
    r->minimal = 1;
    r->end = 0;
    return true;
}

/* The candidate becomes the counterexample if it is wrong by itself: its rule, in the words of the whole history. */
static bool lin_adopt(struct lin_shrink *s, bool in_time) {
    struct lf_lin_result *r = s->run->result, small = {0};
    uint32_t *core = malloc((s->n + 1) * sizeof *core);
    int64_t *state = malloc(LIN_START_MAX * sizeof *state);
    bool wrong = core && state && lin_verdict_of(s, s->ops, s->origin, s->n, &small) == LF_LIN_VIOLATION;
    if (wrong) {
        free(r->core);
        memcpy(core, s->origin, s->n * sizeof *core);
        r->core = core;
        r->core_count = s->n;
        free(r->state);
        r->state = state;
        int64_t first[4];
        bool as_ever = s->run->spec->kind != LF_LIN_CUSTOM && s->start_count <= 4 &&
                       lin_spec_initial(s->run->spec, first) == s->start_count &&
                       !memcmp(first, s->start, s->start_count * sizeof *first);
        r->state_count = s->started && !as_ever ? s->start_count : 0;
        memcpy(r->state, s->start, r->state_count * sizeof *r->state);
        core = NULL, state = NULL;
        r->minimal = in_time;
        r->reason = small.reason;
        memcpy(r->detail, small.detail, sizeof r->detail);
        r->break_op = small.break_op == LIN_NO ? LIN_NO : s->origin[small.break_op];
        r->end = 0;
        for (uint32_t i = 0; i < s->n; i++)
            if (!lin_pending(&s->ops[i]) && s->ops[i].ret > r->end)
                r->end = s->ops[i].ret;
        free(r->rule);
        r->rule_count = small.core_count;
        r->rule = malloc((small.core_count + 1) * sizeof *r->rule);
        for (uint32_t i = 0; r->rule && i < small.core_count; i++)
            r->rule[i] = s->origin[small.core[i]];
        if (!r->rule)
            r->rule_count = 0;
    }
    free(core), free(state);
    lf_lin_result_free(&small);
    return wrong;
}

/* A FULL of a container without a bound is wrong alone. */
static bool lin_is_wrong_alone(const struct lin_run *run) {
    struct lf_lin_result *r = run->result;
    if (r->reason != LF_LIN_NOT_FULL || r->core_count != 1 || run->spec->capacity ||
        run->spec->kind == LF_LIN_BLOCK_POOL)
        return false;
    r->end = run->ops[r->core[0]].ret;
    r->minimal = 1;
    return true;
}

static void lin_more_time(struct lin_shrink *s) {
    if (s->deadline != UINT64_MAX)
        s->deadline += LIN_SHRINK_NS / 2;
    s->work_end += LIN_SHRINK_NS / 2;
}

void lin_shrink_core(struct lin_run *run, const uint32_t *index, uint32_t n) {
    if (lin_is_wrong_alone(run))
        return;
    uint64_t all = 2 * sizeof(struct lf_history_op) + 6 * sizeof(uint32_t);
    if (run->options->memory && run->bytes + n * all > run->options->memory)
        return; /* the check found it within its memory; there is no more for making it small */
    struct lin_shrink s = {.run = run, .all = index, .all_n = n};
    s.deadline = run->deadline ? run->deadline : UINT64_MAX;
    s.work_end = lin_work() + LIN_SHRINK_NS;
    uint32_t *kept = malloc(n * sizeof *kept);
    s.ops = malloc(n * sizeof *s.ops);
    s.some = malloc(n * sizeof *s.some);
    s.origin = malloc(n * sizeof *s.origin);
    s.unit = malloc(n * sizeof *s.unit);
    s.kept = malloc(n * sizeof *s.kept);
    s.named = malloc(n * sizeof *s.named);
    if (s.ops && s.some && s.origin && s.unit && s.kept && s.named && kept) {
        bool done = lin_keep_rule(&s, index, n);
        bool small = !done && lin_shrinks(run->spec) && lin_shrink_by_values(&s, index, n, kept);
        const struct lin_shrink limits = s;
        bool in_time = !lin_is_late(&limits);
        lin_more_time(&s); /* to be sure of what was found */
        if (!done && (!small || !lin_adopt(&s, in_time))) {
            s.started = false;
            if (lin_shrink_by_time(&s, index, n))
                lin_adopt(&s, !lin_is_late(&limits));
        }
    }
    free(kept), free(s.named), free(s.kept), free(s.gone), free(s.unit), free(s.origin), free(s.some), free(s.ops);
}
