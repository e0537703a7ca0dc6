/* A queue's hash is that of its values at their distance from the first: sum of key(value[i]) * base^(i - first),
 * modulo 2^64, for two odd bases. A stack's is a chain from the bottom. */
#include "linearize/content.h"

static const uint64_t lin_base[2] = {0x9e3779b97f4a7c13u, 0xd6e8feb86659fd93u};
static const uint64_t lin_salt[2] = {0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu};

static uint64_t lin_inverse(uint64_t odd) {
    uint64_t x = odd; /* right in the lowest 3 bits, then 6, 12, ... */
    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

static uint64_t lin_key(int64_t value, int k) {
    return lin_mix((uint64_t)value * lin_base[k] + lin_salt[k]) * lin_base[1 - k] + 1;
}

bool lin_content_init(struct lin_content *c, struct lin_problem *p) {
    const struct lf_lin_spec *spec = p->run->spec;
    memset(c, 0, sizeof *c);
    c->stack = spec->kind == LF_LIN_STACK;
    c->capacity = spec->capacity;
    if (spec->kind != LF_LIN_QUEUE && !c->stack)
        return true;
    uint32_t puts = 0;
    for (uint32_t i = 0; i < p->n; i++)
        puts += lin_is_put(lin_op(p, i));
    c->value = lin_alloc(p->run, puts + 1, sizeof *c->value);
    for (int k = 0; k < 2; k++) {
        c->high[k] = c->low[k] = 1;
        c->below[k] = c->stack ? lin_alloc(p->run, puts + 1, sizeof *c->below[k]) : NULL;
        if (c->below[k])
            c->below[k][0] = lin_salt[k];
    }
    if (c->stack)
        c->soonest = lin_alloc(p->run, puts + 1, sizeof *c->soonest);
    if (c->soonest)
        c->soonest[0] = LIN_NO;
    return !p->run->stopped;
}

bool lin_content_allows(const struct lin_content *c, const struct lf_history_op *op) {
    uint32_t inside = lin_content_size(c);
    bool full = c->capacity && inside >= (uint64_t)c->capacity, put = lin_is_put(op);
    if (!put && !lin_is_get(op) && op->op != LF_OP_PEEK)
        return false;
    if (lin_failed(op))
        return put ? full : !inside;
    if (op->op == LF_OP_PEEK && lin_pending(op))
        return true;
    return put ? !full : inside && (lin_pending(op) || lin_content_next(c) == op->result);
}

void lin_content_put(struct lin_content *c, int64_t value, uint32_t taken) {
    if (c->stack)
        c->soonest[c->last + 1] = lin_min(c->soonest[c->last], taken);
    for (int k = 0; k < 2; k++) {
        uint64_t key = lin_key(value, k);
        if (c->stack) {
            c->below[k][c->last + 1] = lin_mix(c->below[k][c->last] * lin_base[k] + key);
            continue;
        }
        c->sum[k] += key * c->high[k];
        c->high[k] *= lin_base[k];
    }
    c->value[c->last++] = value;
}

void lin_content_unput(struct lin_content *c) {
    int64_t value = c->value[--c->last];
    for (int k = 0; k < 2 && !c->stack; k++) {
        c->high[k] *= lin_inverse(lin_base[k]);
        c->sum[k] -= lin_key(value, k) * c->high[k];
    }
}

int64_t lin_content_get(struct lin_content *c) {
    if (c->stack)
        return c->value[--c->last];
    int64_t value = c->value[c->first++];
    for (int k = 0; k < 2; k++) {
        uint64_t inverse = lin_inverse(lin_base[k]);
        /* base^(first - 1) is the inverse of low */
        c->sum[k] -= lin_key(value, k) * lin_inverse(c->low[k]);
        c->low[k] *= inverse;
    }
    return value;
}

void lin_content_unget(struct lin_content *c, int64_t value, uint32_t taken) {
    if (c->stack) {
        lin_content_put(c, value, taken);
        return;
    }
    c->value[--c->first] = value;
    for (int k = 0; k < 2; k++) {
        c->low[k] *= lin_base[k];
        c->sum[k] += lin_key(value, k) * lin_inverse(c->low[k]);
    }
}

void lin_content_hash(const struct lin_content *c, uint64_t *a, uint64_t *b) {
    uint64_t inside = lin_content_size(c);
    *a = (c->stack ? c->below[0][c->last] : c->sum[0] * c->low[0]) ^ inside;
    *b = (c->stack ? c->below[1][c->last] : c->sum[1] * c->low[1]) + inside;
}
