/* The stress harness: the recorder, and loops in C that drive the primitives with the GIL given up.
 *
 * A call is recorded without a lock or a system call between its two stamps. Its record stands in shared memory, with
 * `ret` pending, before the call begins, so that the open call of a killed process is known. */
#undef Py_BEGIN_ALLOW_THREADS /* as in core.glue.c: to open and to close a record keeps the GIL; the loops give it up */
#undef Py_END_ALLOW_THREADS
#define Py_BEGIN_ALLOW_THREADS {
#define Py_END_ALLOW_THREADS }

#include "common/client.h"
#include "common/survey.h"

/* ---- records ---- */

static inline struct lf_history_op *lf__write(struct lf_stress_client *c, uint64_t at, int op, int64_t arg,
                                              int64_t arg2, uint32_t batch) {
    struct lf_history_op *record = &c->log->records[at];
    record->ret = LF_HISTORY_PENDING;
    record->arg = arg;
    record->arg2 = arg2;
    record->result = LF_HISTORY_NONE;
    record->client = c->client;
    record->key = 0;
    record->batch = batch;
    record->op = (uint8_t)op;
    record->flags = op == LF_OP_PUT && c->plan.levels != 0 ? LF_HISTORY_PAIR : 0;
    record->reserved = 0;
    return record;
}

static inline void lf__open_at(struct lf_stress_client *c, int op, int64_t arg, int64_t arg2, uint64_t call) {
    uint64_t at = c->log->count;
    lf__write(c, at, op, arg, arg2, 0)->call = call;
    lf_store_release(&c->log->count, at + 1);
}
static void lf_stress_open(struct lf_stress_client *c, int op, int64_t arg, int64_t arg2) {
    uint64_t at = c->log->count;
    struct lf_history_op *record = lf__write(c, at, op, arg, arg2, 0);
    lf__tickets = 0;
    record->call = lf__stamp_call();
    lf_store_release(&c->log->count, at + 1);
}
static void lf_stress_open_many(struct lf_stress_client *c, int op, const int64_t *args, const int64_t *arg2s,
                                uint32_t count) {
    uint64_t at = c->log->count;
    lf__tickets = 0;
    c->batches++;
    for (uint32_t i = 0; i < count; i++) {
        struct lf_history_op *record = lf__write(c, at + i, op, args != NULL ? args[i] : LF_HISTORY_NONE,
                                                 arg2s != NULL ? arg2s[i] : 0, c->batches);
        if (arg2s != NULL) /* a batch keeps its order within a level only: a client of its own for each */
            record->client |= (uint32_t)(arg2s[i] + 1) << LF_STRESS_HELPER_SHIFT;
    }
    uint64_t now = lf__stamp_call();
    for (uint32_t i = 0; i < count; i++)
        c->log->records[at + i].call = now;
    lf_store_release(&c->log->count, at + count);
}

static inline struct lf_history_op *lf__last(struct lf_stress_client *c) { return &c->log->records[c->log->count - 1]; }

/* The last call (with `count` records) was none: it was refused before it did anything. */
static void lf_stress_forget(struct lf_stress_client *c, uint32_t count) {
    lf_store_release(&c->log->count, c->log->count - count);
    c->now = lf_now();
}

/* The record, the `back`th from the end of what its call put or got, gets its ticket, if the primitive said one. That of
 * a record with levels would be taken for its level. */
static inline void lf__give_ticket(struct lf_stress_client *c, struct lf_history_op *record, uint32_t back) {
    if (back >= lf__tickets || back >= LF_STRESS_TICKETS || c->plan.levels != 0 ||
        (record->op != LF_OP_PUT && record->op != LF_OP_GET))
        return;
    record->arg2 = (int64_t)(lf__ticket[(lf__tickets - 1 - back) % LF_STRESS_TICKETS] & INT64_MAX);
    record->flags |= LF_HISTORY_TICKET;
}

/* A Python driver says them for the call that it is about to close. */
static void lf_stress_positions(const int64_t *positions, uint32_t count) {
    lf__tickets = 0;
    for (uint32_t i = 0; i < count; i++)
        LF_AT_POSITION(LF__FREE + 1, (uint64_t)positions[i]);
}

static inline void lf__return_at(struct lf_stress_client *c, int failed, uint64_t now) {
    struct lf_history_op *record = lf__last(c);
    c->now = now;
    if (failed)
        record->flags |= LF_HISTORY_FAILED;
    else
        lf__give_ticket(c, record, 0);
    lf__tickets = 0;
    lf_store_release(&record->ret, now);
}
/* Ends a get, a read or a fetch_add: what it got. */
static void lf_stress_close(struct lf_stress_client *c, int64_t result, int64_t arg2, int failed) {
    uint64_t now = lf__stamp_return();
    struct lf_history_op *record = lf__last(c);
    if (failed && c->plan.forget_empty) {
        lf_stress_forget(c, 1);
        return;
    }
    record->result = failed ? LF_HISTORY_NONE : result;
    if (record->op == LF_OP_GET && c->plan.levels != 0 && !failed) {
        record->arg2 = arg2;
        record->flags |= LF_HISTORY_PAIR;
    }
    lf__return_at(c, failed, now);
}
/* Ends a put, an acquire, a release or a compare and swap. */
static void lf_stress_close_put(struct lf_stress_client *c, int failed) {
    uint64_t now = lf__stamp_return();
    if (failed && lf__last(c)->op == LF_OP_PUT && c->plan.forget_full) {
        lf_stress_forget(c, 1);
        return;
    }
    lf__return_at(c, failed, now);
}

/* Ends a call that turned out to be another one: an exchange is a compare and swap with what it found, a compare and
 * swap that failed is a read. */
static void lf_stress_close_as(struct lf_stress_client *c, int op, int64_t arg, int64_t arg2, int64_t result) {
    uint64_t now = lf__stamp_return();
    struct lf_history_op *record = lf__last(c);
    record->op = (uint8_t)op;
    record->arg = arg;
    record->arg2 = arg2;
    record->result = result;
    lf__return_at(c, 0, now);
}
/* The open call is about one of several objects. */
static void lf_stress_key(struct lf_stress_client *c, uint32_t key) { lf__last(c)->key = key + 1; }

static void lf__close_batch(struct lf_stress_client *c, uint64_t first, uint32_t kept, uint64_t now) {
    c->now = now;
    lf__tickets = 0;
    lf_store_release(&c->log->count, first + kept); /* before the stamps: lf_stress_mend rests on it */
    for (uint32_t i = 0; i < kept; i++)
        lf_store_release(&c->log->records[first + i].ret, now);
}
/* `opened` puts of a batch: `done` went in; full: one more was refused. The rest was not attempted. */
static void lf_stress_close_puts(struct lf_stress_client *c, uint32_t opened, uint32_t done, int full) {
    uint64_t now = lf__stamp_return(), first = c->log->count - opened;
    full = full && done < opened && !c->plan.forget_full;
    for (uint32_t i = 0; i < done; i++)
        lf__give_ticket(c, &c->log->records[first + i], done - 1 - i);
    if (full) {
        struct lf_history_op *refused = &c->log->records[first + done];
        refused->flags |= LF_HISTORY_FAILED;
        if (refused->flags & LF_HISTORY_PAIR) /* levels: FULL is met before what went in is announced, all at once */
            refused->client = c->client | (uint32_t)LF_STRESS_REFUSED << LF_STRESS_HELPER_SHIFT;
    }
    lf__close_batch(c, first, done + (uint32_t)full, now);
}
static void lf_stress_close_gets(struct lf_stress_client *c, uint32_t opened, const int64_t *values,
                                 const int64_t *arg2s, uint32_t done, int empty) {
    uint64_t now = lf__stamp_return(), first = c->log->count - opened;
    empty = empty && done < opened;
    for (uint32_t i = 0; i < done; i++) {
        c->log->records[first + i].result = values[i];
        if (arg2s != NULL) {
            c->log->records[first + i].arg2 = arg2s[i];
            c->log->records[first + i].flags |= LF_HISTORY_PAIR;
        }
        lf__give_ticket(c, &c->log->records[first + i], done - 1 - i);
    }
    if (empty)
        c->log->records[first + done].flags |= LF_HISTORY_FAILED;
    lf__close_batch(c, first, done + (uint32_t)empty, now);
}

/* After a kill: a batch that was being closed is closed. */
static void lf_stress_mend(struct lf_stress_log *log) {
    uint64_t last = log->count, stamp = LF_HISTORY_PENDING;
    if (last == 0 || log->records[last - 1].batch == 0)
        return;
    uint64_t first = last;
    while (first > 0 && log->records[first - 1].batch == log->records[last - 1].batch) {
        first--;
        if (log->records[first].ret != LF_HISTORY_PENDING)
            stamp = log->records[first].ret;
    }
    for (; first < last; first++)
        log->records[first].ret = stamp;
}

/* Copies all records but the puts that were refused; how many. With levels, the gets of a batch become gets of their
 * own, each of another client. */
static uint64_t lf_stress_without_full(const struct lf_history_op *from, uint64_t count, struct lf_history_op *to) {
    uint64_t kept = 0;
    uint32_t place = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct lf_history_op *o = &from[i];
        if (o->op == LF_OP_PUT && (o->flags & LF_HISTORY_FAILED))
            continue;
        place = o->batch != 0 && i > 0 && from[i - 1].batch == o->batch ? place + 1 : 0;
        to[kept] = *o;
        if (o->op == LF_OP_GET && o->batch != 0 && (o->flags & LF_HISTORY_PAIR)) {
            to[kept].client |= (LF_STRESS_LEVELS + place) << LF_STRESS_HELPER_SHIFT;
            to[kept].batch = 0;
        }
        kept++;
    }
    return kept;
}

/* ---- the rhythm of a client ---- */

/* Waits a moment for the others, so that the next calls of all begin together. Not for ever: some may be dead. */
static void lf__line_up(struct lf_stress_client *c) {
    uint64_t *arrived = &c->control->arrived, n = c->plan.clients;
    uint64_t all = (lf_fetch_add_acq_rel(arrived, (uint64_t)1) / n + 1) * n, until = lf_now() + 300000;
    while (lf_load_acquire(arrived) < all && !lf_load_relaxed(&c->control->stop) && lf_now() < until)
        sched_yield();
    c->now = lf_now();
}

static void lf_stress_pause(struct lf_stress_client *c) {
    switch (lf__below(c, 8)) {
    case 0:
        lf_nap(20000 + lf__below(c, 80000));
        break;
    case 1:
    case 2:
    case 3:
        sched_yield();
        break;
    default:
        for (uint64_t i = lf__below(c, 200); i > 0; i--)
            lf_pause();
    }
    c->now = lf_now();
}

/* Between two calls: whether to make another one. */
static int lf_stress_goes_on(struct lf_stress_client *c) {
    if (lf_load_relaxed(&c->control->stop) || c->now >= lf_load_relaxed(&c->control->deadline) ||
        c->log->count >= c->plan.operations || c->log->count + LF_STRESS_ROOM > c->log->capacity)
        return 0;
    c->calls++;
    if (c->plan.align_every != 0 && c->calls % c->plan.align_every == 0)
        lf__line_up(c);
    else if (c->plan.pause_every != 0 && lf__below(c, c->plan.pause_every) == 0)
        lf_stress_pause(c);
    return 1;
}

/* ---- what the loops share ---- */

static int lf__end_put(struct lf_stress_client *c, int64_t status) {
    lf_stress_close_put(c, status == LF_FULL);
    return status == LF_FULL || status >= 0 ? LF_OK : (int)status;
}
/* A record that is put in front says so in its value. */
#define LF_STRESS_FRONT (INT64_C(1) << 55)
static uint32_t lf__line(const struct lf_stress_client *c, int64_t value, uint32_t level) {
    return c->plan.fronts ? 2 * level + ((value & LF_STRESS_FRONT) == 0) : level;
}
/* `status` is the length of the record, or a refusal. */
static int lf__end_get(struct lf_stress_client *c, int64_t status, const unsigned char *record, uint32_t level) {
    int64_t value = status >= 0 ? lf__read(record, (uint64_t)status) : 0;
    lf_stress_close(c, value, lf__line(c, value, level), status == LF_EMPTY);
    return status == LF_EMPTY || status >= 0 ? LF_OK : (int)status;
}

struct lf__batch {
    unsigned char records[LF_STRESS_MAX_BATCH * 256];
    uint32_t lengths[LF_STRESS_MAX_BATCH], levels[LF_STRESS_MAX_BATCH];
    int64_t values[LF_STRESS_MAX_BATCH], wide_levels[LF_STRESS_MAX_BATCH];
    uint32_t count;
};

/* Some records to put, packed, and their calls opened. */
static void lf__open_put_batch(struct lf_stress_client *c, struct lf__batch *b, uint64_t record_size) {
    uint64_t at = 0;
    b->count = 1 + (uint32_t)lf__below(c, c->plan.batch);
    for (uint32_t i = 0; i < b->count; i++) {
        b->values[i] = (int64_t)lf_stress_next_value(c);
        b->lengths[i] = (uint32_t)lf__some_length(c, record_size);
        b->levels[i] = c->plan.levels != 0 ? (uint32_t)lf__below(c, c->plan.levels) : 0;
        b->wide_levels[i] = lf__line(c, b->values[i], b->levels[i]);
        at += lf__fill(b->records + at, (uint64_t)b->values[i], b->lengths[i]);
    }
    lf_stress_open_many(c, LF_OP_PUT, b->values, c->plan.levels != 0 ? b->wide_levels : NULL, b->count);
}
static void lf__open_get_batch(struct lf_stress_client *c, struct lf__batch *b) {
    b->count = 1 + (uint32_t)lf__below(c, c->plan.batch);
    lf_stress_open_many(c, LF_OP_GET, NULL, NULL, b->count);
}
static int lf__end_put_batch(struct lf_stress_client *c, struct lf__batch *b, int64_t done) {
    lf_stress_close_puts(c, b->count, done > 0 ? (uint32_t)done : 0, done >= 0);
    return done < 0 ? (int)done : LF_OK;
}
/* Rows of 256 bytes. */
static int lf__end_get_batch(struct lf_stress_client *c, struct lf__batch *b, int64_t done) {
    for (int64_t i = 0; i < done; i++) {
        b->values[i] = lf__read(b->records + i * 256, b->lengths[i]);
        b->wide_levels[i] = lf__line(c, b->values[i], b->levels[i]);
    }
    lf_stress_close_gets(c, b->count, b->values, c->plan.levels != 0 ? b->wide_levels : NULL,
                         done > 0 ? (uint32_t)done : 0, done >= 0);
    return done < 0 ? (int)done : LF_OK;
}

/* lf_stress_drive_NAME: calls lf__stress_NAME until the round ends, without the GIL. */
#define LF_STRESS_LOOP(type, name)                                                                                     \
    static int lf_stress_drive_##name(void *object, struct lf_stress_client *c) {                                      \
        PyThreadState *state = PyEval_SaveThread();                                                                    \
        int status = LF_OK;                                                                                            \
        while (status == LF_OK && lf_stress_goes_on(c))                                                                \
            status = lf__stress_##name((type *)object, c);                                                             \
        PyEval_RestoreThread(state);                                                                                   \
        return status;                                                                                                 \
    }
