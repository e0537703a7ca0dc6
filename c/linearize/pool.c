/* Block pool, in O(n log n): the tenures of each block follow one another, in the order in which their allocs
 * returned. An alloc that found too few blocks must contain an instant at which few enough are certainly free. */
#include "linearize/internal.h"

struct lin_tenure {
    int64_t block;
    uint32_t alloc, free, in, out;
};

static int64_t lin_block_of(const struct lf_history_op *op) { return op->op == LF_OP_ALLOC ? op->result : op->arg; }

/* Tenures by block, then by time: the i-th alloc of a block goes with its i-th free. */
static int lin_tenures(struct lin_problem *p, struct lin_tenure *t, uint32_t *n, uint32_t *try, uint32_t *tries) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), k = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        const struct lf_history_op *op = lin_op(p, i);
        if ((op->op != LF_OP_ALLOC && op->op != LF_OP_FREE) || lin_pending(op))
            return LIN_UNDECIDED;
        if (!(p->event[r] & 1))
            continue;
        if (lin_failed(op)) {
            if (op->op == LF_OP_FREE)
                return LIN_UNDECIDED;
            try[(*tries)++] = i;
        } else
            item[k] = i, key[k++] = (uint64_t)lin_block_of(op) ^ (UINT64_C(1) << 63);
    }
    lin_sort_pairs(run, key, item, k); /* stable: by block, then by return */
    if (run->stopped)
        return LIN_UNDECIDED;
    uint32_t next_free = 0;
    for (uint32_t i = 0; i < k; i++) {
        const struct lf_history_op *op = lin_op(p, item[i]);
        bool starts = i == 0 || key[i] != key[i - 1];
        if (starts)
            next_free = *n;
        if (op->op == LF_OP_ALLOC)
            t[(*n)++] = (struct lin_tenure){op->result, item[i], LIN_NO, 0, p->events};
        else if (next_free == *n || t[next_free].block != op->arg) {
            /* freed before any alloc of it returned: possible only while one is running */
            return LIN_UNDECIDED;
        } else
            t[next_free++].free = item[i];
    }
    lin_free(run, item);
    lin_free(run, key);
    return LIN_ACCEPT;
}

static int lin_place_tenures(struct lin_problem *p, struct lin_tenure *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        bool follows = i && t[i - 1].block == t[i].block;
        uint32_t alloc = t[i].alloc, from = p->call[alloc];
        if (t[i].free != LIN_NO && p->ret[alloc] > p->call[t[i].free])
            return LIN_UNDECIDED;
        if (follows) {
            uint32_t given = t[i - 1].free;
            if (given == LIN_NO || p->call[given] >= p->ret[alloc]) {
                uint32_t core[3] = {t[i - 1].alloc, given, alloc};
                return lin_reject(p, LF_LIN_BLOCK_TWICE, alloc, core, 3, t[i].block, 0);
            }
            from = lin_max(from, p->call[given]);
            t[i - 1].out = lin_min(p->ret[given] - 1, from);
        }
        t[i].in = from;
        if (t[i].free != LIN_NO)
            t[i].out = p->ret[t[i].free] - 1;
    }
    return LIN_ACCEPT;
}

/* held[g]: blocks that can be allocated at once in gap g */
static uint32_t *lin_held(struct lin_problem *p, const struct lin_tenure *t, uint32_t n) {
    uint32_t *held = lin_alloc(p->run, p->events + 2, sizeof *held);
    if (!held)
        return NULL;
    memset(held, 0, (p->events + 2) * sizeof *held);
    for (uint32_t i = 0; i < n; i++) {
        bool shared = i && t[i - 1].block == t[i].block && t[i - 1].out == t[i].in;
        held[t[i].in + shared]++, held[t[i].out + 1]--;
    }
    for (uint32_t g = 1; g < p->events + 2; g++)
        held[g] += held[g - 1];
    return held;
}

int lin_decide_pool(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_tenure *t = lin_alloc(run, p->n, sizeof *t);
    uint32_t *try = lin_alloc(run, p->n, sizeof *try), n = 0, tries = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    int answer = lin_tenures(p, t, &n, try, &tries);
    if (answer == LIN_ACCEPT)
        answer = lin_place_tenures(p, t, n);
    if (answer != LIN_ACCEPT)
        return answer;
    struct lin_witness w = {0};
    uint32_t *held = lin_held(p, t, n);
    if (!held || !lin_witness_init(&w, p))
        return LIN_UNDECIDED;
    /* in a gap: blocks taken that nobody gives back there, failed tries, then what is handed over or given back */
    for (uint32_t i = 0; i < n; i++) {
        bool shared = i && t[i - 1].block == t[i].block && t[i - 1].out == t[i].in;
        if (!shared)
            lin_emit(&w, t[i].alloc, t[i].in);
    }
    for (uint32_t i = 0; i < tries; i++) {
        const struct lf_history_op *op = lin_op(p, try[i]);
        int64_t want = op->arg2 > 1 ? op->arg2 : 1, most = -1;
        uint32_t at = p->call[try[i]];
        for (uint32_t g = at; g < p->ret[try[i]] && most + want <= run->spec->capacity; g++)
            if ((int64_t)held[g] > most)
                most = held[g], at = g;
        if (!run->spec->capacity || most + want <= run->spec->capacity)
            return lin_reject(p, LF_LIN_NOT_FULL, try[i], &try[i], 1, most, run->spec->capacity);
        lin_emit(&w, try[i], at);
    }
    for (uint32_t i = 0; i < n; i++) {
        bool shared = i && t[i - 1].block == t[i].block && t[i - 1].out == t[i].in;
        if (shared)
            lin_emit(&w, t[i].alloc, t[i].in);
        if (t[i].free != LIN_NO)
            lin_emit(&w, t[i].free, t[i].out);
    }
    return lin_witness_sort(&w) && lin_witness_holds(&w) ? LIN_ACCEPT : LIN_UNDECIDED;
}
