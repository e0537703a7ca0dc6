/* Block pool, in O(n log n): the tenures of each block follow one another, in the order in which their allocs
 * returned; each ends with a free that was called before the next alloc returned. An alloc that found too few blocks must contain an instant at which few enough are certainly free. */
#include "linearize/internal.h"

struct lin_tenure {
    int64_t block;
    uint32_t alloc, free, in, out;
};

static int64_t lin_block_of(const struct lf_history_op *op) { return op->op == LF_OP_ALLOC ? op->result : op->arg; }

/* Gives each tenure of a block (t[0..n-1], in the order in which their allocs returned) its free. A free that takes long
 * may return after the frees of later tenures. So a tenure gets, of the frees that were called before the next alloc
 * returned, the one that returned first. If there is none, fewer blocks were freed than had to be: it gets the first one
 * left, which shows it. `frees` is in the order of returns; those that are given become LIN_NO. `earliest`: scratch, the
 * first call among each free and those behind it. */
static void lin_pair(struct lin_problem *p, struct lin_tenure *t, uint32_t n, uint32_t *frees, uint32_t *earliest,
                     uint32_t count, bool *ambiguous) {
    for (uint32_t at = count; at-- > 0;)
        earliest[at] = lin_min(p->call[frees[at]], at + 1 < count ? earliest[at + 1] : UINT32_MAX);
    for (uint32_t i = 0, first = 0; i < n; i++) {
        uint32_t until = i + 1 < n ? p->ret[t[i + 1].alloc] : UINT32_MAX, found = count, candidates = 0;
        while (first < count && frees[first] == LIN_NO)
            first++;
        if (first == count)
            return;
        for (uint32_t at = first; at < count && candidates < 2 && earliest[at] < until; at++)
            if (frees[at] != LIN_NO && p->call[frees[at]] < until && candidates++ == 0)
                found = at;
        *ambiguous |= candidates > 1;
        found = found == count ? first : found;
        t[i].free = frees[found];
        frees[found] = LIN_NO;
    }
}

/* Tenures by block, then by time. */
static int lin_tenures(struct lin_problem *p, struct lin_tenure *t, uint32_t *n, uint32_t *try, uint32_t *tries,
                       bool *ambiguous) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), *frees = lin_alloc(run, p->n, sizeof *frees);
    uint32_t *earliest = lin_alloc(run, p->n, sizeof *earliest), k = 0;
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
    for (uint32_t i = 0, next; i < k; i = next) {
        uint32_t begin = *n, count = 0;
        for (next = i; next < k && key[next] == key[i]; next++) {
            const struct lf_history_op *op = lin_op(p, item[next]);
            if (op->op == LF_OP_ALLOC)
                t[(*n)++] = (struct lin_tenure){op->result, item[next], LIN_NO, 0, p->events};
            else
                frees[count++] = item[next];
        }
        if (count > *n - begin) /* freed before it was allocated, or twice: for the general search */
            return LIN_UNDECIDED;
        lin_pair(p, t + begin, *n - begin, frees, earliest, count, ambiguous);
    }
    lin_free(run, earliest);
    lin_free(run, frees);
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
    bool ambiguous = false; /* could a tenure have had another free? Then another order may leave fewer blocks free */
    if (run->stopped)
        return LIN_UNDECIDED;
    int answer = lin_tenures(p, t, &n, try, &tries, &ambiguous);
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
        if (ambiguous && (!run->spec->capacity || most + want <= run->spec->capacity))
            return LIN_UNDECIDED;
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
