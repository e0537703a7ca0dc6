/* Mutex whose holder releases it, in O(n log n): sections in the order in which their acquires returned, the only
 * possible one, since the holder returned from acquire before it called release. A failed try must not lie where
 * the lock was certainly free. */
#include "linearize/internal.h"

struct lin_section {
    uint32_t acquire, release, in, out;
};

/* Pairs every acquire with the release of its client. */
static int lin_sections(struct lin_problem *p, struct lin_section *section, uint32_t *n, uint32_t *try, uint32_t *tries,
                        bool *maybe) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item);
    if (run->stopped)
        return LIN_UNDECIDED;
    uint32_t r = 0, k = 0;
    for (; r < p->events; r++)
        if (!(p->event[r] & 1))
            item[k] = p->event[r] >> 1, key[k] = lin_op(p, item[k])->client, k++;
    lin_sort_pairs(run, key, item, k); /* stable: by client, then by call */
    for (uint32_t i = 1; i < k; i++)   /* equal instants overlap: then a client's order is open */
        if (key[i] == key[i - 1] && p->call[item[i]] < p->ret[item[i - 1]])
            return LIN_UNDECIDED;
    uint32_t held = LIN_NO;
    for (uint32_t i = 0; i < k; i++) {
        uint32_t x = item[i];
        const struct lf_history_op *op = lin_op(p, x);
        if (i == 0 || key[i] != key[i - 1])
            held = LIN_NO;
        if (op->op == LF_OP_ACQUIRE) {
            if (lin_pending(op))
                *maybe = true;
            else if (lin_failed(op))
                try[(*tries)++] = x;
            else if (held != LIN_NO) {
                uint32_t core[2] = {section[held].acquire, x};
                return lin_reject(p, LF_LIN_BOTH_HELD, x, core, 2, 0, 0);
            } else {
                held = (*n)++;
                section[held] = (struct lin_section){x, LIN_NO, 0, p->events};
            }
        } else if (op->op == LF_OP_RELEASE && !lin_failed(op)) {
            if (held == LIN_NO && lin_pending(op))
                continue;
            if (held == LIN_NO)
                return lin_reject(p, LF_LIN_NOT_HELD, x, &x, 1, op->client, 0);
            section[held].release = x;
            held = LIN_NO;
        } else
            return LIN_UNDECIDED;
    }
    lin_free(run, item);
    lin_free(run, key);
    return run->stopped ? LIN_UNDECIDED : LIN_ACCEPT;
}

static bool lin_sort_sections(struct lin_problem *p, struct lin_section *section, uint32_t n) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, n, sizeof *key);
    uint32_t *item = lin_alloc(run, n, sizeof *item);
    struct lin_section *sorted = lin_alloc(run, n, sizeof *sorted);
    if (run->stopped)
        return false;
    for (uint32_t i = 0; i < n; i++)
        key[i] = p->ret[section[i].acquire], item[i] = i;
    lin_sort_pairs(run, key, item, n);
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = section[item[i]];
    memcpy(section, sorted, n * sizeof *sorted);
    lin_free(run, sorted);
    lin_free(run, item);
    lin_free(run, key);
    return !run->stopped;
}

/* Each section as long as it can be: in as early, out as late as its neighbours allow. */
static int lin_place_sections(struct lin_problem *p, struct lin_section *s, uint32_t n) {
    uint32_t earliest = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t acquire = s[i].acquire,
                 free_from = i ? p->call[s[i - 1].release == LIN_NO ? s[i - 1].acquire : s[i - 1].release] : 0;
        if (i && s[i - 1].release == LIN_NO)
            free_from = p->events;
        if (free_from >= p->ret[acquire]) {
            uint32_t core[4] = {s[i - 1].acquire, s[i - 1].release, acquire, LIN_NO};
            return lin_reject(p, LF_LIN_BOTH_HELD, acquire, core, 4, 0, 0);
        }
        earliest = lin_max(lin_max(earliest, free_from), p->call[acquire]);
        if (earliest >= p->ret[acquire])
            return LIN_UNDECIDED;
        s[i].in = earliest;
        s[i].out = p->events;
        if (i)
            s[i - 1].out = lin_min(p->ret[s[i - 1].release] - 1, s[i].in);
    }
    if (n && s[n - 1].release != LIN_NO)
        s[n - 1].out = p->ret[s[n - 1].release] - 1;
    return LIN_ACCEPT;
}

static uint32_t lin_section_at(const struct lin_section *s, uint32_t n, uint32_t gap) { /* the first with out >= gap */
    uint32_t a = 0, b = n;
    while (a < b) {
        uint32_t mid = a + (b - a) / 2;
        if (s[mid].out >= gap)
            b = mid;
        else
            a = mid + 1;
    }
    return a;
}

int lin_decide_mutex(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_section *section = lin_alloc(run, p->n, sizeof *section);
    uint32_t *try = lin_alloc(run, p->n, sizeof *try), n = 0, tries = 0;
    bool maybe = false;
    if (run->stopped)
        return LIN_UNDECIDED;
    int answer = lin_sections(p, section, &n, try, &tries, &maybe);
    if (answer != LIN_ACCEPT)
        return answer;
    if (!lin_sort_sections(p, section, n))
        return LIN_UNDECIDED;
    answer = lin_place_sections(p, section, n);
    if (answer != LIN_ACCEPT)
        return answer;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), k = 0;
    struct lin_witness w = {0};
    if (run->stopped || !lin_witness_init(&w, p))
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < tries; i++) {
        uint32_t x = try[i], at = lin_section_at(section, n, p->call[x]);
        uint32_t gap = at < n ? lin_max(p->call[x], section[at].in) : p->events;
        if (gap >= p->ret[x]) {
            uint32_t core[3] = {x, at ? section[at - 1].release : LIN_NO, at < n ? section[at].acquire : LIN_NO};
            return maybe ? LIN_UNDECIDED : lin_reject(p, LF_LIN_CERTAINLY_FREE, x, core, 3, 0, 0);
        }
        /* by section, then by gap: gaps are below 2^32 */
        key[k] = (uint64_t)at << 32 | gap;
        item[k++] = x;
    }
    lin_sort_pairs(run, key, item, k);
    for (uint32_t i = 0, t = 0; i < n; i++) {
        lin_emit(&w, section[i].acquire, section[i].in);
        for (; t < k && key[t] >> 32 == i; t++)
            lin_emit(&w, item[t], (uint32_t)key[t]);
        if (section[i].release != LIN_NO)
            lin_emit(&w, section[i].release, section[i].out);
    }
    return !run->stopped && lin_witness_holds(&w) ? LIN_ACCEPT : LIN_UNDECIDED;
}
