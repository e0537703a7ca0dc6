/* Counter with positive additions, in O(n log n): the results force the order. A hole in the sequence of values
 * can only be an addition that never returned. */
#include "linearize/internal.h"

static int lin_counter_items(struct lin_problem *p, uint64_t *key, uint32_t *item, uint32_t *n, uint32_t *lost,
                             uint32_t *losts) {
    uint64_t low = (uint64_t)p->run->spec->initial;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        bool add = op->op == LF_OP_FETCH_ADD;
        if ((!add && op->op != LF_OP_LOAD) || lin_failed(op) || (add && (op->arg <= 0 || op->arg >= INT32_MAX)))
            return LIN_UNDECIDED;
    }
    for (uint32_t e = 0; e < p->events; e++) {
        if (p->event[e] & 1)
            continue;
        uint32_t i = p->event[e] >> 1; /* by call, so that loads of one value stand in an order that can be */
        const struct lf_history_op *op = lin_op(p, i);
        bool add = op->op == LF_OP_FETCH_ADD;
        if (lin_pending(op)) {
            if (!add)
                continue;
            if (*losts && lin_op(p, lost[0])->arg != op->arg)
                return LIN_UNDECIDED;
            lost[(*losts)++] = i;
            continue;
        }
        uint64_t above = (uint64_t)op->result - low;
        if (above >= UINT64_C(1) << 62)
            return lin_reject(p, LF_LIN_GAP, i, &i, 1, op->result, op->result);
        key[*n] = 2 * above + add; /* loads of a value before the addition that leaves it */
        item[(*n)++] = i;
    }
    return LIN_ACCEPT;
}

int lin_decide_counter(struct lin_problem *p) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), *lost = lin_alloc(run, p->n, sizeof *lost);
    uint32_t n = 0, losts = 0, next_lost = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    int answer = lin_counter_items(p, key, item, &n, lost, &losts);
    if (answer != LIN_ACCEPT)
        return answer;
    lin_sort_pairs(run, key, item, n);
    for (uint32_t i = 1; i < losts; i++)
        for (uint32_t j = i; j && p->call[lost[j - 1]] > p->call[lost[j]]; j--) {
            uint32_t swap = lost[j];
            lost[j] = lost[j - 1], lost[j - 1] = swap;
        }
    struct lin_witness w = {0};
    if (run->stopped || !lin_witness_init(&w, p))
        return LIN_UNDECIDED;
    uint64_t value = 0;
    uint32_t gap = 0, latest = LIN_NO;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = item[k], filled = 0;
        uint64_t reached = value;
        const struct lf_history_op *op = lin_op(p, i);
        uint64_t want = key[k] >> 1;
        while (value < want && next_lost < losts) {
            uint32_t filler = lost[next_lost++];
            value += (uint64_t)lin_op(p, filler)->arg;
            filled++;
            if (p->call[filler] > gap)
                gap = p->call[filler], latest = filler;
            lin_emit(&w, filler, gap);
        }
        if (value != want && (value < want || filled)) {
            int64_t at = (int64_t)(reached + (uint64_t)run->spec->initial);
            return lin_reject(p, LF_LIN_GAP, i, &i, 1, at, op->result);
        }
        if (value > want) {
            uint32_t other = w.count ? w.op[w.count - 1] : LIN_NO, core[2] = {other, i};
            return lin_reject(p, LF_LIN_SAME_RESULT, i, core, 2, op->result, 0);
        }
        if (p->call[i] > gap || latest == LIN_NO)
            gap = lin_max(gap, p->call[i]), latest = i;
        if (gap >= p->ret[i]) {
            uint32_t core[2] = {latest, i};
            return lin_reject(p, LF_LIN_ORDER_FORCED, i, core, 2, 0, 0);
        }
        lin_emit(&w, i, gap);
        if (op->op == LF_OP_FETCH_ADD)
            value += (uint64_t)op->arg;
    }
    return lin_witness_holds(&w) ? LIN_ACCEPT : LIN_UNDECIDED;
}
