/* Certificates. A decision procedure that accepts hands over a linearization: every operation with the gap in
 * which it takes effect, in order. Here it is checked from scratch: order against the recorded intervals and
 * batches, results against a plain sequential object. Only then is the verdict OK. */
#include "linearize/internal.h"

bool lin_witness_init(struct lin_witness *w, struct lin_problem *p) {
    w->p = p;
    w->count = 0;
    w->op = lin_alloc(p->run, p->n, sizeof *w->op);
    w->gap = lin_alloc(p->run, p->n, sizeof *w->gap);
    return !p->run->stopped;
}

void lin_witness_free(struct lin_witness *w) {
    lin_free(w->p->run, w->gap);
    lin_free(w->p->run, w->op);
}

bool lin_witness_sort(struct lin_witness *w) {
    struct lin_run *run = w->p->run;
    uint32_t gaps = w->p->events + 2;
    uint32_t *start = lin_alloc(run, gaps, sizeof *start);
    uint32_t *op = lin_alloc(run, w->count, sizeof *op), *gap = lin_alloc(run, w->count, sizeof *gap);
    if (run->stopped)
        return false;
    memset(start, 0, gaps * sizeof *start);
    for (uint32_t i = 0; i < w->count; i++)
        start[w->gap[i] + 1]++;
    for (uint32_t g = 1; g < gaps; g++)
        start[g] += start[g - 1];
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t at = start[w->gap[i]]++;
        op[at] = w->op[i];
        gap[at] = w->gap[i];
    }
    memcpy(w->op, op, w->count * sizeof *op);
    memcpy(w->gap, gap, w->count * sizeof *gap);
    lin_free(run, gap);
    lin_free(run, op);
    lin_free(run, start);
    return lin_poll(run);
}

/* The sequential objects of the replay: one growable array of words used as queue, stack or heap. */
struct lin_replay {
    int64_t *word;
    uint64_t *seq;
    size_t head, n;
    uint32_t who;
    int64_t value;
};

static bool lin_replay_less(const struct lin_replay *r, size_t a, size_t b) {
    return r->word[2 * a] != r->word[2 * b] ? r->word[2 * a] < r->word[2 * b] : r->seq[a] < r->seq[b];
}
static void lin_replay_swap(struct lin_replay *r, size_t a, size_t b) {
    for (int k = 0; k < 2; k++) {
        int64_t x = r->word[2 * a + k];
        r->word[2 * a + k] = r->word[2 * b + k];
        r->word[2 * b + k] = x;
    }
    uint64_t x = r->seq[a];
    r->seq[a] = r->seq[b];
    r->seq[b] = x;
}

/* `tie` orders equal priorities: by arrival, or (unordered) by when the value is taken. */
static bool lin_replay_heap(struct lin_replay *r, const struct lf_lin_spec *spec, const struct lf_history_op *op,
                            uint64_t tie) {
    if (lin_is_put(op)) {
        size_t i = r->n++;
        r->word[2 * i] = lin_line(spec, op);
        r->word[2 * i + 1] = op->arg;
        r->seq[i] = tie;
        for (; i && lin_replay_less(r, i, (i - 1) / 2); i = (i - 1) / 2)
            lin_replay_swap(r, i, (i - 1) / 2);
        return true;
    }
    if (!r->n)
        return false;
    if (!lin_pending(op) && (lin_line_priority(spec, r->word[0]) != op->arg2 || r->word[1] != op->result))
        return false;
    lin_replay_swap(r, 0, --r->n);
    for (size_t i = 0, c; (c = 2 * i + 1) < r->n; i = c) {
        if (c + 1 < r->n && lin_replay_less(r, c + 1, c))
            c++;
        if (!lin_replay_less(r, c, i))
            break;
        lin_replay_swap(r, c, i);
    }
    return true;
}

static bool lin_replay_register(struct lin_replay *r, const struct lf_history_op *op) {
    if (op->op == LF_OP_WRITE) {
        r->value = op->arg;
        return true;
    }
    if (op->op == LF_OP_READ)
        return lin_pending(op) || op->result == r->value;
    if (op->op != LF_OP_CAS)
        return false;
    if (lin_failed(op))
        return r->value != op->arg;
    if (r->value == op->arg)
        r->value = op->arg2;
    else if (!lin_pending(op))
        return false;
    return true;
}

static bool lin_replay_step(struct lin_replay *r, const struct lf_lin_spec *spec, const struct lf_history_op *op,
                            uint64_t tie) {
    size_t inside = r->n - r->head;
    bool put = lin_is_put(op), get = lin_is_get(op);
    switch (spec->kind) {
    case LF_LIN_QUEUE:
    case LF_LIN_STACK:
    case LF_LIN_PRIORITY_QUEUE:
        if (op->op == LF_OP_PEEK && spec->kind != LF_LIN_PRIORITY_QUEUE) {
            if (lin_pending(op) || lin_failed(op) || !inside)
                return lin_pending(op) || (lin_failed(op) && !inside);
            return r->word[spec->kind == LF_LIN_QUEUE ? r->head : r->n - 1] == op->result;
        }
        if (!put && !get)
            return false;
        if (lin_failed(op))
            return put ? spec->capacity && inside == (size_t)spec->capacity : !inside;
        if (put && spec->capacity && inside >= (size_t)spec->capacity)
            return false;
        if (spec->kind == LF_LIN_PRIORITY_QUEUE)
            return lin_replay_heap(r, spec, op, tie);
        if (put) {
            r->word[r->n++] = op->arg;
            return true;
        }
        if (!inside)
            return false;
        return spec->kind == LF_LIN_QUEUE ? r->word[r->head++] == op->result || lin_pending(op)
                                          : r->word[--r->n] == op->result || lin_pending(op);
    case LF_LIN_REGISTER:
        return lin_replay_register(r, op);
    case LF_LIN_COUNTER:
        if (!lin_pending(op) && op->result != r->value)
            return false;
        if (op->op == LF_OP_FETCH_ADD)
            r->value = (int64_t)((uint64_t)r->value + (uint64_t)op->arg);
        return op->op == LF_OP_FETCH_ADD || op->op == LF_OP_LOAD;
    case LF_LIN_MUTEX: /* value: 0 free, client + 1 held */
        if (op->op == LF_OP_ACQUIRE) {
            if (lin_failed(op))
                return r->value != 0;
            if (r->value)
                return false;
            r->value = (int64_t)op->client + 1;
            return true;
        }
        if (op->op != LF_OP_RELEASE || r->value != (int64_t)op->client + 1)
            return lin_failed(op) && op->op == LF_OP_RELEASE;
        r->value = 0;
        return !lin_failed(op);
    case LF_LIN_LOG: /* word: the log */
        if (op->op == LF_OP_APPEND) {
            r->word[r->n++] = op->arg;
            return true;
        }
        if (lin_failed(op))
            return r->seq[r->who] == r->n;
        if (r->seq[r->who] >= r->n || r->word[r->seq[r->who]] != op->result)
            return false;
        r->seq[r->who]++;
        return true;
    case LF_LIN_BLOCK_POOL: /* seq: which blocks are allocated */
        if (lin_failed(op))
            return op->op == LF_OP_ALLOC && spec->capacity &&
                   (int64_t)r->n + (op->arg2 > 1 ? op->arg2 : 1) > spec->capacity;
        if ((op->op == LF_OP_ALLOC) == (r->seq[r->who] != 0))
            return false;
        r->seq[r->who] ^= 1;
        r->n += op->op == LF_OP_ALLOC ? 1 : SIZE_MAX;
        return !spec->capacity || r->n <= (size_t)spec->capacity;
    default:
        return false;
    }
}

/* Small numbers for the readers of a log, the blocks of a pool. */
static uint32_t *lin_number(struct lin_problem *p) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), *number = lin_alloc(run, p->n, sizeof *number);
    if (run->stopped)
        return NULL;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        item[i] = i;
        key[i] = (uint64_t)(run->spec->kind == LF_LIN_LOG ? lin_reader(op)
                            : op->op == LF_OP_ALLOC       ? op->result
                                                          : op->arg);
    }
    lin_sort_pairs(run, key, item, p->n);
    for (uint32_t k = 0, last = 0; k < p->n; k++) {
        last += k && key[k] != key[k - 1];
        number[item[k]] = last;
    }
    lin_free(run, item);
    lin_free(run, key);
    return number;
}

/* The order of batches, with weak answers somewhere between their neighbours. Weak answers in a row are all FULL or
 * all EMPTY: what suits one suits the others. */
static bool lin_batches_hold(struct lin_witness *w, const uint32_t *position) {
    struct lin_problem *p = w->p;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t b = p->before[i], placed = p->skip && p->skip[i] == LIN_PLACED ? i : LIN_NO;
        while (b != LIN_NO && position[b] == LIN_NO) {
            if (p->skip && p->skip[b] == LIN_PLACED) {
                if (placed != LIN_NO && lin_is_put(lin_op(p, placed)) != lin_is_put(lin_op(p, b)))
                    return false;
                placed = b;
            }
            b = p->before[b];
        }
        bool here = position[i] != LIN_NO;
        if (here && b != LIN_NO && position[b] > position[i])
            return false;
        if (placed == LIN_NO)
            continue;
        uint32_t from = b == LIN_NO ? p->call[placed] : w->gap[position[b]],
                 to = here ? w->gap[position[i]] : p->ret[placed] - 1;
        if (!lin_weak_in(p, placed, from, to))
            return false;
    }
    return true;
}

bool lin_witness_holds(struct lin_witness *w) {
    struct lin_problem *p = w->p;
    struct lin_run *run = p->run;
    uint32_t *position = lin_alloc(run, p->n, sizeof *position);
    bool heap = run->spec->kind == LF_LIN_PRIORITY_QUEUE;
    struct lin_replay r = {.value = run->spec->initial};
    bool numbered = run->spec->kind == LF_LIN_LOG || run->spec->kind == LF_LIN_BLOCK_POOL;
    bool container = heap || run->spec->kind == LF_LIN_QUEUE || run->spec->kind == LF_LIN_STACK || numbered;
    r.word = lin_alloc(run, container ? (heap ? 2 : 1) * (size_t)w->count : 1, sizeof *r.word);
    r.seq = lin_alloc(run, heap || numbered ? p->n : 1, sizeof *r.seq);
    uint32_t *number = numbered ? lin_number(p) : NULL;
    if (run->stopped)
        return false;
    if (numbered)
        memset(r.seq, 0, p->n * sizeof *r.seq);
    memset(position, 0xff, p->n * sizeof *position);
    bool holds = true;
    uint32_t latest_call = 0;
    for (uint32_t k = 0; holds && k < w->count; k++) {
        uint32_t i = w->op[k];
        if ((k & 0xffff) == 0 && !lin_poll(run))
            holds = false;
        latest_call = lin_max(latest_call, p->call[i]);
        if (number)
            r.who = number[i];
        if (position[i] != LIN_NO || latest_call >= p->ret[i] ||
            !lin_replay_step(&r, run->spec, lin_op(p, i), w->tie ? w->tie[i] : k))
            holds = false;
        position[i] = k;
    }
    for (uint32_t i = 0; holds && i < p->n; i++)
        if (position[i] == LIN_NO)
            holds = lin_pending(lin_op(p, i)) || (p->skip && p->skip[i]);
    if (holds && p->before)
        holds = lin_batches_hold(w, position);
    if (holds && run->options->order) {
        for (uint32_t k = 0; k < w->count; k++)
            run->options->order[run->ordered + k] = p->index[w->op[k]];
        run->result->order_count = run->ordered + w->count;
    }
    lin_free(run, number);
    lin_free(run, r.seq);
    lin_free(run, r.word);
    lin_free(run, position);
    return holds;
}
