/* The stress harness: the recorder, and loops in C that drive the primitives with the GIL given up.
 *
 * A call is recorded without a lock or a system call between its two stamps. Its record stands in shared memory, with
 * `ret` pending, before the call begins, so that the open call of a killed process is known. */
#undef Py_BEGIN_ALLOW_THREADS /* as in core.glue.c: to open and to close a record keeps the GIL; the loops give it up */
#undef Py_END_ALLOW_THREADS
#define Py_BEGIN_ALLOW_THREADS {
#define Py_END_ALLOW_THREADS }

#include <lockfree/lockfree.h>

#include "linearize/history.h"

#include <sys/prctl.h>
#include <signal.h>

struct lf_stress_control {
    LF_ALIGNED uint64_t stop;      /* line 0: written by the runner */
    uint64_t deadline;             /* of lf_now(); 0: not begun */
    LF_ALIGNED uint64_t arrived;   /* line 1: clients that line up */
    LF_ALIGNED uint64_t unguarded; /* line 2: a plain counter, guarded by the lock under stress and nothing else */
};

struct lf_stress_log {
    LF_ALIGNED uint64_t count; /* records begun */
    uint64_t capacity;
    uint64_t ready;
    uint64_t finished;
    uint64_t killed; /* its process was */
    LF_ALIGNED struct lf_history_op records[1];
};

struct lf_stress_plan {
    uint64_t seed;
    uint64_t max_wait_ns; /* longest time-out of a blocking call */
    uint64_t operations;  /* records at most */
    uint32_t clients;     /* that line up */
    uint32_t align_every; /* every so many calls all clients line up and start together; 0: never */
    uint32_t pause_every; /* one call in so many is followed by a pause; 0: none */
    uint32_t batch;       /* most records of a batch call */
    uint32_t levels;
    uint32_t forget_full;  /* FULL is not recorded: slots are in hand that no record tells of */
    uint32_t forget_empty; /* nor EMPTY: so are records */
    uint32_t role_burst;   /* calls after which a role is handed over */
    uint32_t kind;         /* scenario's own */
    uint32_t weights[16];  /* of the scenario's operations */
};

struct lf_stress_client {
    struct lf_stress_control *control;
    struct lf_stress_log *log;
    struct lf_stress_plan plan;
    uint32_t client;
    uint32_t batches;
    uint64_t random;
    uint64_t values;
    uint64_t calls;
    uint64_t now; /* the last stamp taken */
    int64_t held; /* by this client: permits, or bits */
    uint32_t total_weight;
};

enum {
    LF_STRESS_ROOM = 64 /* records that one call may need */,
    LF_STRESS_MAX_BATCH = 32,
    LF_STRESS_HELPER_SHIFT = 16,
    LF_STRESS_REFUSED = 255,
    LF_STRESS_LEVELS = 256
};

static uint64_t lf_stress_now(void) { return lf_now(); }
static const char *lf_stress_compiler(void) {
#if defined(__clang__)
    return __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}
/* Nanoseconds that reading the clock takes: some tens, or it is a system call. */
static uint64_t lf_stress_clock_cost(void) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 100; i++) {
        uint64_t before = lf_now();
        for (int j = 0; j < 10; j++)
            lf_now();
        uint64_t took = lf_now() - before;
        least = took < least ? took : least;
    }
    return least / 11;
}
static void lf_stress_die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

/* ---- stamps ---- */

/* Nothing of the call may be done before its first stamp is taken, nor be pending when its last one is. */
static inline uint64_t lf__stamp_call(void) {
    uint64_t now = lf_now();
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#else
    lf_fence_seq_cst();
#endif
    return now;
}
static inline uint64_t lf__stamp_return(void) {
    lf_fence_seq_cst();
    return lf_now();
}

/* ---- chance ---- */

static uint64_t lf_stress_random(struct lf_stress_client *c) { /* splitmix64 */
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static uint64_t lf__below(struct lf_stress_client *c, uint64_t bound) {
    return (uint64_t)((unsigned __int128)lf_stress_random(c) * bound >> 64);
}
/* Most waits are short, a few as long as allowed. */
static uint64_t lf__some_deadline(struct lf_stress_client *c) {
    uint64_t wait = c->plan.max_wait_ns >> lf__below(c, 8);
    return c->now + 1 + lf__below(c, wait + 1);
}
static uint32_t lf__some_operation(struct lf_stress_client *c) {
    uint64_t at = lf__below(c, c->total_weight);
    uint32_t op = 0;
    while (at >= c->plan.weights[op])
        at -= c->plan.weights[op++];
    return op;
}

/* Waits for the starting signal. */
static void lf_stress_begin(struct lf_stress_client *c) {
    PyThreadState *state = PyEval_SaveThread();
    lf_store_release(&c->log->ready, (uint64_t)1);
    while (lf_load_acquire(&c->control->deadline) == 0 && !lf_load_relaxed(&c->control->stop))
        lf_nap(100000);
    PyEval_RestoreThread(state);
    c->random = c->plan.seed ^ (uint64_t)c->client * UINT64_C(0xd1342543de82ef95);
    c->total_weight = 0;
    for (int i = 0; i < 16; i++)
        c->total_weight += c->plan.weights[i];
    c->now = lf_now();
}

/* Waits for the end of the round: what this process has in hand must not come back before. */
static void lf_stress_await_end(struct lf_stress_control *control) {
    PyThreadState *state = PyEval_SaveThread();
    while (!lf_load_acquire(&control->stop))
        lf_nap(500000);
    PyEval_RestoreThread(state);
}

/* Distinct over all clients; the highest byte is left free for the length of the record. */
static uint64_t lf_stress_next_value(struct lf_stress_client *c) {
    return (uint64_t)(c->client + 1) << 40 | ++c->values;
}

/* A record repeats its value, with its length in the highest byte, so that a torn one is seen. */
static uint64_t lf__fill(unsigned char *record, uint64_t value, uint64_t length) {
    uint64_t word = value | length << 56;
    for (uint64_t at = 0; at < length; at += 8)
        memcpy(record + at, &word, length - at < 8 ? length - at : 8);
    return length;
}
static uint64_t lf__some_length(struct lf_stress_client *c, uint64_t record_size) {
    return record_size <= 8 ? record_size : 8 + lf__below(c, record_size - 7);
}
/* Its value, or one that was never put if the record is not as it was written. */
static int64_t lf__read(const unsigned char *record, uint64_t length) {
    uint64_t word, again;
    if (length < 8)
        return -1;
    memcpy(&word, record, 8);
    for (uint64_t at = 8; at < length; at += 8) {
        again = word;
        memcpy(&again, record + at, length - at < 8 ? length - at : 8);
        if (again != word)
            return -2;
    }
    return word >> 56 == (length & 0xff) ? (int64_t)(word & (UINT64_MAX >> 8)) : -3;
}

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
    record->call = lf__stamp_call();
    lf_store_release(&c->log->count, at + 1);
}
static void lf_stress_open_many(struct lf_stress_client *c, int op, const int64_t *args, const int64_t *arg2s,
                                uint32_t count) {
    uint64_t at = c->log->count;
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

static inline void lf__return_at(struct lf_stress_client *c, int failed, uint64_t now) {
    struct lf_history_op *record = lf__last(c);
    c->now = now;
    record->flags |= failed ? LF_HISTORY_FAILED : 0;
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
    lf_store_release(&c->log->count, first + kept); /* before the stamps: lf_stress_mend rests on it */
    for (uint32_t i = 0; i < kept; i++)
        lf_store_release(&c->log->records[first + i].ret, now);
}
/* `opened` puts of a batch: `done` went in; full: one more was refused. The rest was not attempted. */
static void lf_stress_close_puts(struct lf_stress_client *c, uint32_t opened, uint32_t done, int full) {
    uint64_t now = lf__stamp_return(), first = c->log->count - opened;
    full = full && done < opened && !c->plan.forget_full;
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
/* `status` is the length of the record, or a refusal. */
static int lf__end_get(struct lf_stress_client *c, int64_t status, const unsigned char *record, uint32_t level) {
    lf_stress_close(c, status >= 0 ? lf__read(record, (uint64_t)status) : 0, level, status == LF_EMPTY);
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
        b->wide_levels[i] = b->levels[i];
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
        b->wide_levels[i] = b->levels[i];
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

/* ---- figures ---- */

/* Buckets of 1/16 relative width: 16 per power of two. */
static uint32_t lf_stress_bucket(uint64_t value) {
    if (value < 16)
        return (uint32_t)value;
    uint32_t power = 63 - (uint32_t)__builtin_clzll(value);
    return (power - 3) * 16 + (uint32_t)(value >> (power - 4) & 15);
}
/* The largest value in a bucket. */
static uint64_t lf_stress_bucket_top(uint32_t bucket) {
    if (bucket < 16)
        return bucket;
    uint32_t power = bucket / 16 + 3;
    return ((((uint64_t)16 + bucket % 16 + 1) << (power - 4))) - 1;
}

struct lf_stress_figures {
    uint64_t count[64], refused[64], pending[64], longest[64];
    uint64_t first_call, last_return;
};

/* Adds a history to the figures: per operation, and a histogram of latencies, `buckets` numbers each; and how many
 * returned in each interval of bin_ns after `from`. */
static void lf_stress_summarise(const struct lf_history_op *ops, uint64_t count, struct lf_stress_figures *figures,
                                uint64_t *latencies, uint32_t buckets, uint64_t from, uint64_t bin_ns, uint64_t *bins,
                                uint32_t n_bins) {
    for (uint64_t i = 0; i < count; i++) {
        const struct lf_history_op *o = &ops[i];
        uint32_t op = o->op & 63u;
        figures->count[op]++;
        if (o->call < figures->first_call)
            figures->first_call = o->call;
        if (o->ret == LF_HISTORY_PENDING) {
            figures->pending[op]++;
            continue;
        }
        if (o->ret > figures->last_return)
            figures->last_return = o->ret;
        if (o->flags & LF_HISTORY_FAILED)
            figures->refused[op]++;
        uint64_t took = o->ret - o->call, bin = o->ret > from ? (o->ret - from) / bin_ns : 0;
        uint32_t bucket = lf_stress_bucket(took);
        latencies[(uint64_t)op * buckets + (bucket < buckets ? bucket : buckets - 1)]++;
        if (took > figures->longest[op])
            figures->longest[op] = took;
        if (bin < n_bins)
            bins[bin]++;
    }
}
