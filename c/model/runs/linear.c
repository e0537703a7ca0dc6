/* linear.c: is there an order of the recorded calls that explains their results? Depth first over sets of
 * calls that have taken effect, with the sets and states seen before remembered (Wing and Gong 1993; Lowe
 * 2017). Executions have at most 32 calls. A call comes before another if its end happens before the
 * other's beginning. */
#include "runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN = 1 << 14 };

struct seen {
    uint32_t generation, done;
    uint64_t hash;
};
MODEL_STATE static struct seen *seen;
MODEL_STATE static uint32_t generation, before[MAX_OPS];
MODEL_STATE static int seen_count;
MODEL_STATE static bool gave_up;

void lf_model_call(uint32_t what, uint64_t argument) {
    if (R.current != NULL)
        turns_forget(R.current);
    if (R.op_count == MAX_OPS)
        fail("unusable client", "more than %d recorded calls", MAX_OPS);
    if (R.current->op >= 0 && R.ops[R.current->op].op.pending)
        fail("unusable client", "T%d begins a call inside a call", R.current->tid);
    struct op_record *record = &R.ops[R.op_count];
    record->op = (struct lf_model_op){what, R.current->tid, argument, 0, 1};
    record->begin = R.current->hb;
    record->phase = R.running ? IN_THREADS : R.ready ? IN_FINAL : IN_SETUP;
    R.current->op = R.op_count++;
    break_iteration(R.current); /* a call is not a turn of a waiting loop */
}

void lf_model_return(uint64_t result) {
    if (R.current != NULL)
        turns_forget(R.current);
    if (R.current->op < 0 || !R.ops[R.current->op].op.pending)
        fail("unusable client", "T%d returns from a call that it did not begin", R.current->tid);
    struct op_record *record = &R.ops[R.current->op];
    record->op.result = result;
    record->op.pending = 0;
    record->end = R.current->events;
    R.current->op = -1;
    break_iteration(R.current);
}

/* Of the whole buffer: what a specification does not use stays zero. */
static uint64_t hash_state(const uint64_t state[LF_MODEL_STATE_BYTES / 8]) {
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < LF_MODEL_STATE_BYTES / 8; i++) {
        h = (h ^ state[i]) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h;
}

/* True if (done, state) is new. Two states with one hash would cut the search short: 2^-64. */
static bool first_visit(uint32_t done, uint64_t hash) {
    unsigned slot = (unsigned)((hash ^ done * 0x9E3779B97F4A7C15u) >> 40) & (SEEN - 1);
    for (;; slot = (slot + 1) & (SEEN - 1)) {
        struct seen *s = &seen[slot];
        if (s->generation != generation) {
            if (++seen_count > SEEN / 2) {
                gave_up = true;
                return false;
            }
            *s = (struct seen){generation, done, hash};
            return true;
        }
        if (s->done == done && s->hash == hash)
            return false;
    }
}

static bool overlap(int a, int b) { return (before[a] >> b & 1) == 0 && (before[b] >> a & 1) == 0; }

static struct lf_model_moment moment_of(int op, uint32_t done) {
    struct lf_model_moment moment = {R.client, 0, 0};
    unsigned counted = 0; /* threads: each is in one call at a time */
    for (int i = 0; i < R.op_count; i++) {
        const struct lf_model_op *other = &R.ops[i].op;
        if (i == op || !overlap(i, op) || (counted >> other->thread & 1) != 0)
            continue;
        bool taken = (done >> i & 1) != 0;
        bool put = other->what == LF_MODEL_PUT && !taken && (other->pending || other->result != LF_MODEL_FULL);
        bool get = other->what == LF_MODEL_GET && (other->pending || (taken && other->result != LF_MODEL_EMPTY));
        moment.puts_open += put;
        moment.gets_open += get;
        counted |= (unsigned)(put || get) << other->thread;
    }
    return moment;
}

static bool search(uint32_t done, uint32_t must, const uint64_t state[LF_MODEL_STATE_BYTES / 8]) {
    if ((must & ~done) == 0)
        return true;
    for (int i = 0; i < R.op_count; i++) {
        if ((done >> i & 1) != 0 || (before[i] & must & ~done) != 0)
            continue;
        uint64_t next[LF_MODEL_STATE_BYTES / 8];
        memcpy(next, state, sizeof next);
        struct lf_model_moment moment = moment_of(i, done);
        if (!R.client->spec->step(next, &R.ops[i].op, &moment))
            continue;
        uint32_t more = done | (uint32_t)1 << i;
        if (first_visit(more, hash_state(next)) && search(more, must, next))
            return true;
    }
    return false;
}

static bool comes_before(const struct op_record *a, const struct op_record *b) {
    if (a == b || a->op.pending || a->phase != b->phase)
        return !a->op.pending && a->phase < b->phase;
    if (a->op.thread == b->op.thread)
        return a < b;
    int32_t last = a->end > 1 ? a->end : 1; /* a call before the first step of its thread ends with that step */
    return b->begin.of[a->op.thread] >= last;
}

/* Fails the execution and returns false if there is no order. */
bool linearizable(void) {
    if (seen == NULL)
        seen = calloc(SEEN, sizeof *seen);
    generation++;
    seen_count = 0;
    gave_up = false;
    uint32_t must = 0;
    for (int i = 0; i < R.op_count; i++) {
        must |= (uint32_t)!R.ops[i].op.pending << i;
        before[i] = 0;
        for (int j = 0; j < R.op_count; j++)
            before[i] |= (uint32_t)comes_before(&R.ops[j], &R.ops[i]) << j;
    }
    uint64_t state[LF_MODEL_STATE_BYTES / 8] = {0};
    const struct lf_model_spec *spec = R.client->spec;
    if (spec->start != NULL)
        spec->start(state, R.client);
    if (search(0, must, state))
        return true;
    if (gave_up) {
        snprintf(R.failure, sizeof R.failure,
                 "it is too large: the recorded calls can take effect in more than %d ways", SEEN / 2);
        R.end = RUN_UNUSABLE;
    } else {
        fail("not linearizable", "no order of the calls explains their results as a %s", spec->name);
    }
    return false;
}
