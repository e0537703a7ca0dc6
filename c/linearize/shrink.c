/* Makes a counterexample small, by leaving out only what cannot repair it: if the whole history had a
 * linearization, so would what is left. Sound to leave out are
 * - everything after an instant (operations still running there become pending);
 * - everything before an instant at which a container is empty and nobody runs;
 * - all operations of a value (containers, registers, logs), of a block (pools): a linearization of the rest remains;
 * - answers that say nothing about the others: EMPTY, FULL, a read of a register.
 * Not sound, and not done: values while a FULL answer is part of the reason, one half of a put and its get. */
#include "linearize/internal.h"

struct lin_shrink {
    struct lin_run *run;
    struct lf_history_op *ops;  /* the candidate, in history order */
    uint32_t *origin, n;        /* their indices in the history */
    uint32_t *unit, units;      /* what is left out together; LIN_NO: nothing may leave it out */
    uint8_t *gone;              /* [units] */
    struct lf_history_op *some; /* room for a test */
    uint64_t deadline;
};

static bool lin_still_wrong(struct lin_shrink *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->unit[i] == LIN_NO || !s->gone[s->unit[i]])
            s->some[n++] = s->ops[i];
    uint64_t now = lin_now();
    if (n == 0 || now >= s->deadline)
        return false;
    struct lf_lin_options options = *s->run->options;
    struct lf_lin_result result;
    options.no_core = 1;
    options.progress = NULL;
    options.timeout_ns = s->deadline - now;
    lf_lin_check(s->some, n, s->run->spec, &options, &result);
    lf_lin_result_free(&result);
    return result.verdict == LF_LIN_VIOLATION;
}

/* Leaves out ever smaller stretches of units while the history stays wrong. */
static void lin_leave_out(struct lin_shrink *s) {
    uint32_t *left = malloc((s->units ? s->units : 1) * sizeof *left), n;
    for (uint32_t chunk = s->units; left && chunk; chunk = chunk == 1 ? 0 : (chunk + 1) / 2) {
        n = 0;
        for (uint32_t u = 0; u < s->units; u++)
            if (!s->gone[u])
                left[n++] = u;
        for (uint32_t from = 0; from < n && lin_now() < s->deadline; from += chunk) {
            uint32_t to = lin_min(from + chunk, n);
            for (uint32_t k = from; k < to; k++)
                s->gone[left[k]] = 1;
            if (lin_still_wrong(s))
                continue;
            for (uint32_t k = from; k < to; k++)
                s->gone[left[k]] = 0;
        }
    }
    free(left);
}

/* What leaves together: numbers of values, joined by compare-and-swap. */
struct lin_units {
    int64_t *value;
    uint32_t *parent, *slot, n, mask;
};

static uint32_t lin_unit_root(struct lin_units *u, uint32_t x) {
    while (u->parent[x] != x)
        x = u->parent[x] = u->parent[u->parent[x]];
    return x;
}
static uint32_t lin_unit_of(struct lin_units *u, int64_t value) {
    uint32_t h = (uint32_t)lin_mix((uint64_t)value) & u->mask;
    while (u->slot[h] != LIN_NO && u->value[u->slot[h]] != value)
        h = (h + 1) & u->mask;
    if (u->slot[h] == LIN_NO) {
        u->value[u->n] = value;
        u->parent[u->n] = u->n;
        u->slot[h] = u->n++;
    }
    return u->slot[h];
}

enum { LIN_BY_VALUE, LIN_BY_ANSWER };

static bool lin_has_records(const struct lf_lin_spec *spec) {
    return spec->kind == LF_LIN_QUEUE || spec->kind == LF_LIN_STACK || spec->kind == LF_LIN_PRIORITY_QUEUE;
}

/* It answered FULL, EMPTY or false in the end, even if the prefix stops before. */
static bool lin_will_fail(const struct lin_shrink *s, uint32_t i) { return lin_failed(&s->run->ops[s->origin[i]]); }

static bool lin_form_units(struct lin_shrink *s, int how) {
    const struct lf_lin_spec *spec = s->run->spec;
    uint32_t slots = 64;
    while (slots < 4 * s->n)
        slots *= 2;
    struct lin_units u = {malloc(2 * (s->n + 1) * sizeof *u.value), malloc(2 * (s->n + 1) * sizeof *u.parent),
                          malloc(slots * sizeof *u.slot), 0, slots - 1};
    bool ok = u.value && u.parent && u.slot;
    if (ok)
        memset(u.slot, 0xff, slots * sizeof *u.slot);
    bool full = false;
    for (uint32_t i = 0; i < s->n; i++)
        full |= lin_failed(&s->ops[i]) && (lin_is_put(&s->ops[i]) || s->ops[i].op == LF_OP_ALLOC);
    for (uint32_t i = 0; ok && i < s->n; i++) {
        const struct lf_history_op *o = &s->ops[i];
        s->unit[i] = LIN_NO;
        if (how == LIN_BY_ANSWER)
            continue;
        if (lin_will_fail(s, i) || full)
            continue;
        switch (o->op) {
        case LF_OP_PUT:
        case LF_OP_PUSH:
        case LF_OP_WRITE:
        case LF_OP_APPEND:
        case LF_OP_FREE:
            s->unit[i] = lin_unit_of(&u, o->arg);
            break;
        case LF_OP_GET:
        case LF_OP_POP:
        case LF_OP_PEEK:
        case LF_OP_READ:
        case LF_OP_ALLOC:
            /* a get cut off by the end of the prefix still has its result here; one that never had any stays */
            if (!lin_pending(o) || o->result != LF_HISTORY_NONE)
                s->unit[i] = lin_unit_of(&u, o->result);
            break;
        case LF_OP_CAS: {
            uint32_t a = lin_unit_root(&u, lin_unit_of(&u, o->arg)), b = lin_unit_root(&u, lin_unit_of(&u, o->arg2));
            u.parent[a] = b;
            s->unit[i] = b;
            break;
        }
        default:
            break;
        }
    }
    for (uint32_t i = 0; ok && i < s->n; i++)
        if (s->unit[i] != LIN_NO)
            s->unit[i] = lin_unit_root(&u, s->unit[i]);
    s->units = u.n;
    for (uint32_t i = 0; ok && i < s->n; i++) {
        const struct lf_history_op *o = &s->ops[i];
        bool reads = spec->kind == LF_LIN_REGISTER && o->op == LF_OP_READ;
        if (lin_will_fail(s, i) || (how == LIN_BY_ANSWER && reads))
            s->unit[i] = s->units++;
    }
    free(u.slot), free(u.parent), free(u.value);
    free(s->gone);
    s->gone = calloc(s->units + 1, 1);
    return ok && s->gone;
}

/* Forgets what was left out. */
static void lin_compact(struct lin_shrink *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->unit[i] != LIN_NO && s->gone[s->unit[i]])
            continue;
        s->ops[n] = s->ops[i];
        s->origin[n++] = s->origin[i];
    }
    s->n = n;
}

static uint32_t lin_cut(const struct lf_history_op *from, uint32_t n, uint64_t end, struct lf_history_op *to,
                        uint32_t *origin) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (from[i].call > end)
            continue;
        to[k] = from[i];
        if (origin)
            origin[k] = origin[i];
        if (to[k].ret != LF_HISTORY_PENDING && to[k].ret > end)
            to[k].ret = LF_HISTORY_PENDING;
        k++;
    }
    return k;
}

static int lin_by_time(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The shortest prefix that is still wrong: prefixes of a linearizable history are linearizable, so bisect. */
static void lin_shortest_prefix(struct lin_shrink *s) {
    uint64_t *end = malloc((s->n + 1) * sizeof *end);
    uint32_t lo = 0, hi = 0;
    if (!end)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        if (!lin_pending(&s->ops[i]))
            end[hi++] = s->ops[i].ret;
    qsort(end, hi, sizeof *end, lin_by_time);
    if (!hi) {
        free(end);
        return;
    }
    uint32_t last = hi - 1;
    for (hi = last; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2, n = lin_cut(s->ops, s->n, end[mid], s->some, NULL);
        struct lf_lin_options options = *s->run->options;
        struct lf_lin_result result = {0};
        uint64_t now = lin_now();
        if (now >= s->deadline) {
            lo = hi = last;
            break;
        }
        options.no_core = 1;
        options.progress = NULL;
        options.timeout_ns = s->deadline - now;
        lf_lin_check(s->some, n, s->run->spec, &options, &result);
        lf_lin_result_free(&result);
        if (result.verdict == LF_LIN_VIOLATION)
            hi = mid;
        else
            lo = mid + 1;
    }
    s->n = lin_cut(s->ops, s->n, end[hi], s->ops, s->origin);
    free(end);
}

/* Instants at which nobody runs and all that was put was got; how many. */
static uint32_t lin_empty_instants(const struct lin_shrink *s, uint64_t *instant) {
    uint64_t *call = malloc((s->n + 1) * sizeof *call), *ret = malloc((s->n + 1) * sizeof *ret);
    uint64_t *in = malloc((s->n + 1) * sizeof *in), *out = malloc((s->n + 1) * sizeof *out);
    uint32_t returns = 0, ins = 0, outs = 0, count = 0;
    if (call && ret && in && out) {
        for (uint32_t i = 0; i < s->n; i++) {
            const struct lf_history_op *o = &s->ops[i];
            call[i] = o->call;
            if (lin_pending(o))
                continue;
            ret[returns++] = o->ret;
            if (!lin_failed(o) && lin_is_put(o))
                in[ins++] = o->ret;
            if (!lin_failed(o) && lin_is_get(o))
                out[outs++] = o->ret;
        }
        qsort(call, s->n, sizeof *call, lin_by_time);
        qsort(ret, returns, sizeof *ret, lin_by_time);
        qsort(in, ins, sizeof *in, lin_by_time);
        qsort(out, outs, sizeof *out, lin_by_time);
        for (uint32_t r = 0, i = 0, o = 0; r + 1 < returns; r++) {
            while (i < ins && in[i] <= ret[r])
                i++;
            while (o < outs && out[o] <= ret[r])
                o++;
            if (ret[r] < ret[r + 1] && call[r] <= ret[r] && call[r + 1] > ret[r] && i == o)
                instant[count++] = ret[r];
        }
    }
    free(out), free(in), free(ret), free(call);
    return count;
}

/* Forgets what is before the last such instant after which it is still wrong. */
static void lin_from_empty(struct lin_shrink *s) {
    uint64_t *instant = malloc((s->n + 1) * sizeof *instant);
    if (instant && lin_has_records(s->run->spec)) {
        uint32_t lo = 0, hi = lin_empty_instants(s, instant), units = s->units;
        s->units = 1;
        while (lo < hi) { /* right after `hi`, wrong after `lo` - 1 */
            uint32_t mid = lo + (hi - lo) / 2;
            for (uint32_t i = 0; i < s->n; i++)
                s->unit[i] = s->ops[i].call > instant[mid] ? LIN_NO : 0;
            s->gone[0] = 1;
            if (lin_still_wrong(s))
                lo = mid + 1;
            else
                hi = mid;
        }
        for (uint32_t i = 0; i < s->n; i++)
            s->unit[i] = lo && s->ops[i].call <= instant[lo - 1] ? 0 : LIN_NO;
        s->gone[0] = 1;
        lin_compact(s);
        s->units = units;
    }
    free(instant);
}

/* The rule that the candidate breaks. */
static int lin_rule(struct lin_shrink *s) {
    struct lf_lin_options options = *s->run->options;
    struct lf_lin_result result;
    options.no_core = 1;
    options.progress = NULL;
    lf_lin_check(s->ops, s->n, s->run->spec, &options, &result);
    lf_lin_result_free(&result);
    return result.reason;
}

/* Cuts the candidate where it breaks, unless that hides why: a value taken before its put was called is better shown
 * with that put than as a value from nowhere. */
static void lin_end_it(struct lin_shrink *s) {
    uint32_t n = s->n;
    struct lf_history_op *ops = malloc((n + 1) * sizeof *ops);
    uint32_t *origin = malloc((n + 1) * sizeof *origin);
    if (ops && origin) {
        memcpy(ops, s->ops, n * sizeof *ops);
        memcpy(origin, s->origin, n * sizeof *origin);
        int before = lin_rule(s);
        lin_shortest_prefix(s);
        if (before != LF_LIN_NEVER_PUT && lin_rule(s) == LF_LIN_NEVER_PUT) {
            memcpy(s->ops, ops, n * sizeof *ops);
            memcpy(s->origin, origin, n * sizeof *origin);
            s->n = n;
        }
    }
    free(origin), free(ops);
}

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
        if (lin_now() >= s->deadline)
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

void lin_shrink_core(struct lin_run *run, const uint32_t *index, uint32_t n) {
    struct lf_lin_result *r = run->result;
    if (!lin_shrinks(run->spec))
        return;
    struct lin_shrink s = {.run = run, .deadline = lin_now() + 1500000000u};
    uint32_t *kept = malloc(n * sizeof *kept), less;
    s.ops = malloc(n * sizeof *s.ops);
    s.some = malloc(n * sizeof *s.some);
    s.origin = malloc(n * sizeof *s.origin);
    s.unit = malloc(n * sizeof *s.unit);
    uint32_t *core = NULL;
    bool room = s.ops && s.some && s.origin && s.unit && kept;
    if (room && (less = lin_without_full(&s, index, n, kept)) < n)
        index = kept, n = less;
    if (room && lin_first_candidate(&s, index, n) && (lin_from_empty(&s), lin_form_units(&s, LIN_BY_VALUE))) {
        lin_leave_out(&s);
        lin_compact(&s);
        lin_end_it(&s);
        for (int how = LIN_BY_VALUE; how <= LIN_BY_ANSWER; how++) {
            if (!lin_form_units(&s, how))
                break;
            lin_leave_out(&s);
            lin_compact(&s);
        }
        core = malloc((s.n + 1) * sizeof *core);
    }
    if (core) {
        /* the rule of the small history, in the words of the big one */
        struct lf_lin_options options = *run->options;
        struct lf_lin_result small;
        options.no_core = 1;
        options.progress = NULL;
        lf_lin_check(s.ops, s.n, run->spec, &options, &small);
        if (small.verdict == LF_LIN_VIOLATION) {
            free(r->core);
            memcpy(core, s.origin, s.n * sizeof *core);
            r->core = core;
            r->core_count = s.n;
            core = NULL;
            r->minimal = lin_now() < s.deadline;
            r->reason = small.reason;
            r->state_count = 0;
            memcpy(r->detail, small.detail, sizeof r->detail);
            r->break_op = small.break_op == LIN_NO ? LIN_NO : s.origin[small.break_op];
            r->end = 0;
            for (uint32_t i = 0; i < s.n; i++)
                if (!lin_pending(&s.ops[i]) && s.ops[i].ret > r->end)
                    r->end = s.ops[i].ret;
            free(r->rule);
            r->rule_count = small.core_count;
            r->rule = malloc((small.core_count + 1) * sizeof *r->rule);
            for (uint32_t i = 0; r->rule && i < small.core_count; i++)
                r->rule[i] = s.origin[small.core[i]];
            if (!r->rule)
                r->rule_count = 0;
        }
        lf_lin_result_free(&small);
    }
    free(kept), free(core), free(s.gone), free(s.unit), free(s.origin), free(s.some), free(s.ops);
}
