/* Limits, memory and the ranking of instants: what every decision procedure stands on. */
#include "linearize/internal.h"

static uint64_t lin_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t lin_now(void) { return lin_clock(CLOCK_MONOTONIC); }
uint64_t lin_work(void) { return lin_clock(CLOCK_THREAD_CPUTIME_ID); }

static void lin_stop(struct lin_run *run, int32_t reason) {
    if (!run->stopped)
        run->stopped = reason;
}

/* Blocks are kept in a list so that any early return leaks nothing; a size header allows lin_free. */
void *lin_alloc(struct lin_run *run, size_t count, size_t size) {
    if (run->stopped)
        return NULL;
    if (size && count > (SIZE_MAX - sizeof(struct lin_block)) / size) {
        lin_stop(run, LF_LIN_MEMORY);
        return NULL;
    }
    size_t bytes = sizeof(struct lin_block) + count * size;
    if (run->options->memory && run->bytes + bytes > run->options->memory) {
        lin_stop(run, LF_LIN_MEMORY);
        return NULL;
    }
    struct lin_block *block = malloc(bytes);
    if (!block) {
        lin_stop(run, LF_LIN_MEMORY);
        return NULL;
    }
    block->bytes = bytes;
    block->next = run->blocks;
    run->blocks = block;
    run->bytes += bytes;
    if (run->bytes > run->result->peak_bytes)
        run->result->peak_bytes = run->bytes;
    return block + 1;
}

void lin_free(struct lin_run *run, void *memory) {
    if (!memory)
        return;
    struct lin_block *block = (struct lin_block *)memory - 1, **at = &run->blocks;
    while (*at && *at != block)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = block->next;
    run->bytes -= block->bytes;
    free(block);
}

void lin_release(struct lin_run *run, struct lin_block *until) {
    while (run->blocks != until) {
        struct lin_block *block = run->blocks;
        run->blocks = block->next;
        run->bytes -= block->bytes;
        free(block);
    }
}

bool lin_poll(struct lin_run *run) {
    if (run->stopped)
        return false;
    if (run->options->cancel && *run->options->cancel)
        lin_stop(run, LF_LIN_CANCELLED);
    if ((++run->polls & 15) == 0 &&
        ((run->deadline && lin_now() > run->deadline) || (run->work_end && lin_work() > run->work_end)))
        lin_stop(run, LF_LIN_TIME);
    return !run->stopped;
}

int lin_reject(struct lin_problem *p, int reason, uint32_t break_op, const uint32_t *core, uint32_t count,
               int64_t detail0, int64_t detail1) {
    struct lf_lin_result *r = p->run->result;
    free(r->core);
    r->core = malloc((count ? count : 1) * sizeof *r->core);
    r->core_count = 0;
    for (uint32_t i = 0; r->core && i < count; i++) {
        if (core[i] != LIN_NO)
            r->core[r->core_count++] = p->index[core[i]];
    }
    free(r->rule);
    r->rule = malloc((r->core_count ? r->core_count : 1) * sizeof *r->rule);
    r->rule_count = r->rule ? r->core_count : 0;
    if (r->rule)
        memcpy(r->rule, r->core, r->core_count * sizeof *r->rule);
    r->reason = reason;
    r->break_op = break_op == LIN_NO ? LIN_NO : p->index[break_op];
    r->detail[0] = detail0;
    r->detail[1] = detail1;
    return LIN_REJECT;
}

/* Least significant digit radix sort, skipping digits that all keys share. */
void lin_sort_pairs(struct lin_run *run, uint64_t *key, uint32_t *item, size_t n) {
    enum { BITS = 11, WAYS = 1 << BITS };
    size_t ordered = 1;
    while (ordered < n && key[ordered - 1] <= key[ordered])
        ordered++;
    if (ordered >= n)
        return;
    if (n <= 64) {
        for (size_t i = 1; i < n; i++) {
            uint64_t k = key[i];
            uint32_t it = item[i];
            size_t j = i;
            for (; j && key[j - 1] > k; j--)
                key[j] = key[j - 1], item[j] = item[j - 1];
            key[j] = k, item[j] = it;
        }
        return;
    }
    uint64_t *key2 = lin_alloc(run, n, sizeof *key2), lo = key[0], hi = key[0];
    uint32_t *item2 = lin_alloc(run, n, sizeof *item2), *count = lin_alloc(run, WAYS, sizeof *count);
    if (run->stopped)
        return;
    for (size_t i = 1; i < n; i++) {
        if (key[i] < lo)
            lo = key[i];
        if (key[i] > hi)
            hi = key[i];
    }
    uint64_t *from = key, *to = key2;
    uint32_t *ifrom = item, *ito = item2;
    for (unsigned shift = 0; shift < 64 && (hi - lo) >> shift; shift += BITS) {
        memset(count, 0, WAYS * sizeof *count);
        for (size_t i = 0; i < n; i++)
            count[((from[i] - lo) >> shift) & (WAYS - 1)]++;
        uint32_t sum = 0;
        for (uint32_t d = 0; d < WAYS; d++) {
            uint32_t c = count[d];
            count[d] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++) {
            uint32_t at = count[((from[i] - lo) >> shift) & (WAYS - 1)]++;
            to[at] = from[i];
            ito[at] = ifrom[i];
        }
        uint64_t *k = from;
        from = to;
        to = k;
        uint32_t *i2 = ifrom;
        ifrom = ito;
        ito = i2;
        if (!lin_poll(run))
            break;
    }
    if (from != key && !run->stopped) {
        memcpy(key, from, n * sizeof *key);
        memcpy(item, ifrom, n * sizeof *item);
    }
    lin_free(run, count);
    lin_free(run, item2);
    lin_free(run, key2);
}

uint32_t lin_rank_keys(struct lin_run *run, uint64_t *key, uint32_t *item, uint32_t n, uint32_t *number) {
    uint32_t last = 0;
    lin_sort_pairs(run, key, item, n);
    for (uint32_t k = 0; k < n; k++) {
        last += k && key[k] != key[k - 1];
        number[item[k]] = last;
    }
    return n ? last + 1 : 0;
}

uint32_t lin_rank_values(const struct lin_problem *p, uint64_t *key, uint32_t *item, uint32_t *n, uint32_t *number) {
    memset(number, 0xff, p->n * sizeof *number);
    *n = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i);
        if (lin_failed(o) || (!lin_is_put(o) && lin_pending(o)))
            continue;
        item[*n] = i;
        key[(*n)++] = (uint64_t)(lin_is_put(o) ? o->arg : o->result);
    }
    return lin_rank_keys(p->run, key, item, *n, number);
}

static void lin_find_batches(struct lin_problem *p) {
    uint32_t n = p->n, i = 0, slots = 64;
    while (i < n && !lin_op(p, i)->batch)
        i++;
    if (i == n)
        return;
    p->before = lin_alloc(p->run, n, sizeof *p->before);
    while (slots < 2 * n)
        slots *= 2;
    uint32_t *last = lin_alloc(p->run, slots, sizeof *last);
    if (p->run->stopped)
        return;
    memset(last, 0xff, slots * sizeof *last);
    for (i = 0; i < n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        p->before[i] = LIN_NO;
        if (!op->batch)
            continue;
        uint32_t h = (uint32_t)lin_mix((uint64_t)op->client << 32 | op->batch) & (slots - 1);
        for (; last[h] != LIN_NO; h = (h + 1) & (slots - 1)) {
            const struct lf_history_op *o = lin_op(p, last[h]);
            if (o->client == op->client && o->batch == op->batch)
                break;
        }
        p->before[i] = last[h];
        last[h] = i;
    }
    lin_free(p->run, last);
}

/* `index` is the problem's to keep; NULL means all of 0..n-1. */
bool lin_problem_init(struct lin_problem *p, struct lin_run *run, uint32_t *index, uint32_t n) {
    memset(p, 0, sizeof *p);
    p->run = run;
    p->n = n;
    if (!index) {
        index = lin_alloc(run, n, sizeof *index);
        for (uint32_t i = 0; index && i < n; i++)
            index[i] = i;
    }
    p->index = index;
    p->call = lin_alloc(run, n, sizeof *p->call);
    p->ret = lin_alloc(run, n, sizeof *p->ret);
    p->event = lin_alloc(run, 2 * (size_t)n, sizeof *p->event);
    uint64_t *key = lin_alloc(run, 2 * (size_t)n, sizeof *key);
    if (run->stopped)
        return false;
    /* calls sort before returns of the same instant: the last bit of the key says which it is */
    uint64_t base = UINT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t c = lin_op(p, i)->call;
        if (c < base)
            base = c;
    }
    uint32_t e = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        key[e] = (op->call - base) << 1;
        p->event[e++] = 2 * i;
        if (!lin_pending(op)) {
            key[e] = ((op->ret - base) << 1) | 1;
            p->event[e++] = 2 * i + 1;
        }
    }
    p->events = e;
    lin_sort_pairs(run, key, p->event, e);
    lin_free(run, key);
    if (run->stopped)
        return false;
    for (uint32_t i = 0; i < n; i++)
        p->ret[i] = e;
    for (uint32_t r = 0; r < e; r++) {
        uint32_t i = p->event[r] >> 1;
        if (p->event[r] & 1)
            p->ret[i] = r;
        else
            p->call[i] = r;
    }
    lin_find_batches(p);
    return lin_poll(run);
}

void lin_problem_free(struct lin_problem *p) {
    lin_free(p->run, p->before);
    lin_free(p->run, p->event);
    lin_free(p->run, p->ret);
    lin_free(p->run, p->call);
    lin_free(p->run, p->index);
}

void lf_lin_result_free(struct lf_lin_result *result) {
    free(result->core), free(result->rule), free(result->state);
    result->core = result->rule = NULL;
    result->state = NULL;
    result->core_count = result->rule_count = result->state_count = 0;
}

void lin_open_by_return(const struct lin_problem *p, uint32_t *first, uint32_t *next, uint32_t op) {
    uint32_t *link = first;
    while (*link != LIN_NO && p->ret[*link] < p->ret[op])
        link = &next[*link];
    next[op] = *link;
    *link = op;
}
