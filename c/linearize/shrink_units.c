/* What can be left out of a counterexample without repairing it. */
#include "linearize/shrink.h"

/* Leaves out ever smaller stretches of units while the history stays wrong. */
void lin_leave_out(struct lin_shrink *s) {
    uint32_t *left = malloc((s->units ? s->units : 1) * sizeof *left), n;
    for (uint32_t chunk = s->units; left && chunk; chunk = chunk == 1 ? 0 : (chunk + 1) / 2) {
        n = 0;
        for (uint32_t u = 0; u < s->units; u++)
            if (!s->gone[u])
                left[n++] = u;
        for (uint32_t from = 0; from < n && !lin_is_late(s); from += chunk) {
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

/* It answered FULL, EMPTY or false in the end, even if the prefix stops before: then it changed nothing. */
static bool lin_will_fail(const struct lin_shrink *s, uint32_t i) {
    return s->run->spec->kind != LF_LIN_CUSTOM && lin_failed(&s->run->ops[s->origin[i]]);
}

/* Locks without failed tries: an acquire and the release that follows it of the same client. */
static void lin_form_pairs(struct lin_shrink *s) {
    for (uint32_t i = 0; i < s->n; i++)
        if (lin_failed(&s->ops[i]) || s->ops[i].batch)
            return;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct lf_history_op *o = &s->ops[i];
        if ((o->op != LF_OP_ACQUIRE && o->op != LF_OP_READ_ACQUIRE && o->op != LF_OP_WRITE_ACQUIRE) || lin_pending(o))
            continue;
        uint32_t next = LIN_NO;
        for (uint32_t j = 0; j < s->n; j++)
            if (s->ops[j].client == o->client && s->ops[j].call >= o->ret && j != i &&
                (next == LIN_NO || s->ops[j].call < s->ops[next].call))
                next = j;
        if (next == LIN_NO || s->ops[next].op != o->op + 1 || lin_pending(&s->ops[next]) || s->unit[next] != LIN_NO ||
            s->ops[next].arg != o->arg)
            continue;
        s->unit[i] = s->unit[next] = s->units++;
    }
}

bool lin_form_units(struct lin_shrink *s, int how) {
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
        full |= lin_failed(&s->ops[i]) &&
                (lin_is_put(&s->ops[i]) || s->ops[i].op == LF_OP_ALLOC || s->ops[i].op == LF_OP_CAS);
    for (uint32_t i = 0; ok && i < s->n; i++) {
        const struct lf_history_op *o = &s->ops[i];
        s->unit[i] = LIN_NO;
        if (how != LIN_BY_VALUE)
            continue;
        if (lin_will_fail(s, i) || full)
            continue;
        switch (o->op) {
        case LF_OP_PUT:
        case LF_OP_PUT_FRONT:
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
        bool looks = spec->kind != LF_LIN_CUSTOM && lin_spec_observes(spec, o);
        if (lin_will_fail(s, i) || (how == LIN_BY_ANSWER && looks))
            s->unit[i] = s->units++;
    }
    bool lock = spec->kind == LF_LIN_MUTEX || spec->kind == LF_LIN_RWLOCK ||
                (spec->kind == LF_LIN_SEMAPHORE && !spec->limit);
    if (ok && how == LIN_BY_PAIR && lock)
        lin_form_pairs(s);
    free(u.slot), free(u.parent), free(u.value);
    free(s->gone);
    s->gone = calloc(s->units + 1, 1);
    return ok && s->gone;
}

/* Forgets what was left out. */
void lin_compact(struct lin_shrink *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->unit[i] != LIN_NO && s->gone[s->unit[i]])
            continue;
        s->ops[n] = s->ops[i];
        s->origin[n++] = s->origin[i];
    }
    s->n = n;
}
