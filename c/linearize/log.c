/* Broadcast log with distinct values, in O(n log n): every reader sees the whole log from its beginning. The
 * reader that got furthest fixes the order of what it read; what nobody read comes after, by latest append.
 * Appends as late, reads as early as that order permits decide the reads that found nothing. */
#include "linearize/internal.h"

struct lin_entry {
    uint32_t append, lo, hi, reader_op;
}; /* a value; gaps its append can have */
struct lin_read {
    uint32_t op, at;
}; /* `at`: position in the log it reads or waits at */

struct lin_logbook {
    struct lin_entry *entry;
    struct lin_read *read;
    uint32_t entries, known, reads;
    uint32_t *slot, mask;
    int64_t *value;
};

static uint32_t lin_log_slot(const struct lin_logbook *b, int64_t value) {
    uint32_t h = (uint32_t)lin_mix((uint64_t)value) & b->mask;
    while (b->slot[h] != LIN_NO && b->value[b->slot[h]] != value)
        h = (h + 1) & b->mask;
    return h;
}

/* Reads by reader and call; answers LIN_UNDECIDED when a reader reads twice at once or values repeat. */
static int lin_log_collect(struct lin_problem *p, struct lin_logbook *b, uint32_t *appended) {
    struct lin_run *run = p->run;
    uint32_t slots = 64, n = 0;
    while (slots < 2 * p->n)
        slots *= 2;
    b->mask = slots - 1;
    b->slot = lin_alloc(run, slots, sizeof *b->slot);
    b->value = lin_alloc(run, p->n, sizeof *b->value);
    b->entry = lin_alloc(run, p->n, sizeof *b->entry);
    b->read = lin_alloc(run, p->n, sizeof *b->read);
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item);
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(b->slot, 0xff, slots * sizeof *b->slot);
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        const struct lf_history_op *op = lin_op(p, i);
        if (p->event[r] & 1)
            continue;
        if (op->op == LF_OP_READ) {
            key[n] = (uint64_t)lin_reader(op), item[n++] = i;
            continue;
        }
        if (op->op != LF_OP_APPEND || lin_failed(op))
            return LIN_UNDECIDED;
        uint32_t h = lin_log_slot(b, op->arg);
        if (b->slot[h] != LIN_NO)
            return LIN_UNDECIDED;
        b->value[*appended] = op->arg;
        b->entry[*appended] = (struct lin_entry){i, p->call[i], p->ret[i] - 1, LIN_NO};
        b->slot[h] = (*appended)++;
    }
    lin_sort_pairs(run, key, item, n);
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t k = 1; k < n; k++)
        if (key[k] == key[k - 1] && p->call[item[k]] < p->ret[item[k - 1]])
            return LIN_UNDECIDED;
    for (uint32_t k = 0; k < n; k++) {
        if (lin_pending(lin_op(p, item[k])))
            continue; /* its reader's last */
        bool same = k && key[k] == key[k - 1];
        bool got = same && !lin_failed(lin_op(p, item[k - 1]));
        b->read[b->reads] = (struct lin_read){item[k], same ? b->read[b->reads - 1].at + got : 0};
        b->reads++;
    }
    return LIN_ACCEPT;
}

/* The order that the readers agree on: order[0..known) are entries. */
static int lin_log_agree(struct lin_problem *p, struct lin_logbook *b, uint32_t *order, uint32_t *got) {
    b->known = 0;
    memset(got, 0xff, p->n * sizeof *got);
    for (uint32_t k = 0; k < b->reads; k++) {
        uint32_t i = b->read[k].op, at = b->read[k].at;
        if (lin_failed(lin_op(p, i)))
            continue;
        uint32_t e = b->slot[lin_log_slot(b, lin_op(p, i)->result)];
        if (e == LIN_NO)
            return lin_reject(p, LF_LIN_NEVER_PUT, i, &i, 1, lin_op(p, i)->result, 0);
        if (at == b->known && got[e] == LIN_NO) {
            order[b->known] = e;
            got[e] = b->known++;
            b->entry[e].reader_op = i;
        }
        if (at >= b->known || order[at] != e) {
            uint32_t core[2] = {at < b->known ? b->entry[order[at]].reader_op : b->entry[e].reader_op, i};
            return lin_reject(p, LF_LIN_LOG_DISAGREE, i, core, 2, lin_op(p, i)->result, at);
        }
        struct lin_entry *x = &b->entry[e];
        if (p->ret[i] - 1 < x->hi)
            x->hi = p->ret[i] - 1;
        if (x->hi < x->lo) {
            uint32_t core[2] = {x->append, i};
            return lin_reject(p, LF_LIN_TAKEN_EARLY, i, core, 2, lin_op(p, i)->result, 0);
        }
    }
    return LIN_ACCEPT;
}

/* Appends what nobody read to the order, by latest gap; leaves pending appends of that kind out. */
static bool lin_log_rest(struct lin_problem *p, struct lin_logbook *b, uint32_t *order, const uint32_t *got,
                         uint32_t appended) {
    uint64_t *key = lin_alloc(p->run, appended, sizeof *key);
    uint32_t n = b->known;
    if (!key)
        return false;
    for (uint32_t e = 0; e < appended; e++) {
        if (got[e] != LIN_NO || lin_pending(lin_op(p, b->entry[e].append)))
            continue;
        key[n - b->known] = b->entry[e].hi;
        order[n++] = e;
    }
    lin_sort_pairs(p->run, key, order + b->known, n - b->known);
    b->entries = n;
    return !p->run->stopped;
}

int lin_decide_log(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_logbook b = {0};
    uint32_t appended = 0, *order = lin_alloc(run, p->n, sizeof *order), *got = lin_alloc(run, p->n, sizeof *got);
    if (run->stopped)
        return LIN_UNDECIDED;
    int answer = lin_log_collect(p, &b, &appended);
    if (answer == LIN_ACCEPT)
        answer = lin_log_agree(p, &b, order, got);
    if (answer != LIN_ACCEPT)
        return answer;
    if (!lin_log_rest(p, &b, order, got, appended))
        return LIN_UNDECIDED;
    uint32_t latest = LIN_NO, bound = p->events;
    for (uint32_t k = 0; k < b.entries; k++) {
        struct lin_entry *x = &b.entry[order[k]];
        if (latest != LIN_NO && b.entry[latest].lo > x->hi) {
            uint32_t core[3] = {b.entry[latest].append, x->append, b.entry[latest].reader_op};
            return lin_reject(p, LF_LIN_ORDER_FORCED, core[2] == LIN_NO ? core[1] : core[2], core, 3, 0, 0);
        }
        if (latest == LIN_NO || x->lo > b.entry[latest].lo)
            latest = order[k];
    }
    for (uint32_t k = b.entries; k--;)
        bound = b.entry[order[k]].hi = lin_min(b.entry[order[k]].hi, bound);
    /* place: in a gap, [reads that find nothing at k], append k, [reads of k], and so on */
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), *gap = lin_alloc(run, p->n, sizeof *gap), n = 0, before = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t k = 0; k < b.entries; k++, n++) {
        const struct lin_entry *x = &b.entry[order[k]];
        item[n] = x->append, gap[n] = x->hi, key[n] = (uint64_t)x->hi << 32 | (3 * (uint64_t)k + 1);
    }
    for (uint32_t k = 0; k < b.reads; k++, n++) {
        uint32_t i = b.read[k].op, at = b.read[k].at, g = p->call[i];
        bool none = lin_failed(lin_op(p, i));
        if (at && k)
            g = lin_max(g, before);
        if (!none)
            g = lin_max(g, b.entry[order[at]].hi);
        if (g >= p->ret[i] || (none && at < b.entries && g > b.entry[order[at]].hi)) {
            uint32_t core[2] = {i, at < b.entries ? b.entry[order[at]].append : LIN_NO};
            return none ? lin_reject(p, LF_LIN_LOG_BEHIND, i, core, 2, at < b.entries ? lin_op(p, core[1])->arg : 0, 0)
                        : LIN_UNDECIDED;
        }
        before = g;
        item[n] = i, gap[n] = g, key[n] = (uint64_t)g << 32 | (3 * (uint64_t)at + (none ? 0 : 2));
    }
    lin_sort_pairs(run, key, item, n);
    struct lin_witness w = {0};
    if (run->stopped || !lin_witness_init(&w, p))
        return LIN_UNDECIDED;
    for (uint32_t k = 0; k < n; k++)
        lin_emit(&w, item[k], (uint32_t)(key[k] >> 32));
    return lin_witness_holds(&w) ? LIN_ACCEPT : LIN_UNDECIDED;
}
