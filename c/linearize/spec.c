/* The sequential specifications, for the search: a state is a few int64_t words, canonical (two states are
 * equal when their words are). A pending operation has no known result: every result is allowed. */
#include "linearize/internal.h"

/* Fills `words` with the initial state (room for 4); returns how many. */
uint32_t lin_spec_initial(const struct lf_lin_spec *spec, int64_t *words) {
    switch (spec->kind) {
    case LF_LIN_REGISTER:
    case LF_LIN_COUNTER:
    case LF_LIN_SEMAPHORE:
        words[0] = spec->initial;
        return 1;
    case LF_LIN_MUTEX:
        words[0] = 0;
        return 1;
    default:
        return 0; /* empty: containers, lock owners, allocated blocks, the log */
    }
}

/* True when the operation with this result changes no state, whatever the state is: it may then be
 * linearized as soon as its result is right. */
bool lin_spec_observes(const struct lf_lin_spec *spec, const struct lf_history_op *op) {
    if (lin_pending(op))
        return false;
    switch (op->op) {
    case LF_OP_READ:
        return spec->kind != LF_LIN_LOG || lin_failed(op);
    case LF_OP_LOAD:
    case LF_OP_CONTAINS:
        return true;
    case LF_OP_PEEK:
        return spec->kind != LF_LIN_CUSTOM;
    case LF_OP_FETCH_ADD: /* failed: its result is not known */
    case LF_OP_INSERT:
    case LF_OP_DELETE:
        return false;
    case LF_OP_GET:
        return spec->kind == LF_LIN_MAP || lin_failed(op);
    default:
        return spec->kind != LF_LIN_CUSTOM && lin_failed(op);
    }
}

struct lin_out {
    int64_t *words;
    lin_emit_state emit;
    void *context;
};

static void lin_emit_words(struct lin_out *o, const int64_t *s, uint32_t n) { o->emit(o->context, s, n); }

static void lin_emit_without(struct lin_out *o, const int64_t *s, uint32_t n, uint32_t at, uint32_t width) {
    memcpy(o->words, s, at * sizeof *s);
    memcpy(o->words + at, s + at + width, (n - at - width) * sizeof *s);
    o->emit(o->context, o->words, n - width);
}

static void lin_emit_with(struct lin_out *o, const int64_t *s, uint32_t n, uint32_t at, int64_t a, int64_t b,
                          uint32_t width) {
    memcpy(o->words, s, at * sizeof *s);
    o->words[at] = a;
    if (width == 2)
        o->words[at + 1] = b;
    memcpy(o->words + at + width, s + at, (n - at) * sizeof *s);
    o->emit(o->context, o->words, n + width);
}

static void lin_emit_value(struct lin_out *o, int64_t value) {
    o->words[0] = value;
    o->emit(o->context, o->words, 1);
}

/* queue: oldest first; stack: top last */
static void lin_step_container(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s,
                               uint32_t n, struct lin_out *o) {
    bool put = op->op == LF_OP_PUT || op->op == LF_OP_PUSH, get = op->op == LF_OP_GET || op->op == LF_OP_POP;
    bool peek = op->op == LF_OP_PEEK;
    if (!put && !get && !peek)
        return;
    if (peek && lin_pending(op)) {
        lin_emit_words(o, s, n);
        return;
    }
    if (lin_failed(op)) {
        if (put ? spec->capacity && n == (uint64_t)spec->capacity : n == 0)
            lin_emit_words(o, s, n);
        return;
    }
    if (put) {
        if (!spec->capacity || n < (uint64_t)spec->capacity)
            lin_emit_with(o, s, n, n, op->arg, 0, 1);
        return;
    }
    uint32_t at = spec->kind == LF_LIN_QUEUE ? 0 : n - 1;
    if (!n || (!lin_pending(op) && s[at] != op->result))
        return;
    if (peek)
        lin_emit_words(o, s, n);
    else
        lin_emit_without(o, s, n, at, 1);
}

/* pairs (priority, value), by priority; equal priorities by arrival, or by value when unordered */
static void lin_step_priority(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s,
                              uint32_t n, struct lin_out *o) {
    if (!lin_is_put(op) && op->op != LF_OP_GET && op->op != LF_OP_PEEK)
        return;
    bool put = lin_is_put(op), peek = op->op == LF_OP_PEEK;
    if (peek && lin_pending(op)) {
        lin_emit_words(o, s, n);
        return;
    }
    if (lin_failed(op)) {
        if (put ? spec->capacity && n / 2 == (uint64_t)spec->capacity : n == 0)
            lin_emit_words(o, s, n);
        return;
    }
    uint32_t at = 0;
    if (put) {
        if (spec->capacity && n / 2 >= (uint64_t)spec->capacity)
            return;
        int64_t line = lin_line(spec, op);
        while (at < n && (s[at] < line || (s[at] == line && (!spec->unordered || s[at + 1] < op->arg))))
            at += 2;
        lin_emit_with(o, s, n, at, line, op->arg, 2);
        return;
    }
    for (; at < n && s[at] == s[0]; at += 2) {
        if (lin_pending(op) || (lin_line_priority(spec, s[at]) == op->arg2 && s[at + 1] == op->result)) {
            if (peek)
                lin_emit_words(o, s, n);
            else
                lin_emit_without(o, s, n, at, 2);
        }
        if (!spec->unordered)
            return;
        if (!lin_pending(op) && s[at + 1] == op->result)
            return;
    }
}

static void lin_step_word(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s,
                          struct lin_out *o) {
    int64_t value = s[0], n = op->arg;
    bool failed = lin_failed(op), pending = lin_pending(op);
    switch (spec->kind) {
    case LF_LIN_REGISTER:
        if (op->op == LF_OP_WRITE)
            lin_emit_value(o, op->arg);
        else if (op->op == LF_OP_READ) {
            if (pending || (failed ? LF_HISTORY_NONE : op->result) == value)
                lin_emit_value(o, value);
        } else if (op->op == LF_OP_CAS) {
            if (failed ? value != n : value == n)
                lin_emit_value(o, failed ? value : op->arg2);
        }
        return;
    case LF_LIN_COUNTER:
        if (!pending && !failed && op->result != value)
            return;
        if (op->op == LF_OP_FETCH_ADD)
            lin_emit_value(o, (int64_t)((uint64_t)value + (uint64_t)n));
        else if (op->op == LF_OP_LOAD)
            lin_emit_value(o, value);
        return;
    case LF_LIN_SEMAPHORE:
        if (op->op == LF_OP_ACQUIRE) {
            if (failed ? value < n : value >= n)
                lin_emit_value(o, failed ? value : value - n);
        } else if (op->op == LF_OP_RELEASE) {
            bool over = spec->limit && (n > spec->limit || value > spec->limit - n);
            if (failed ? over : !over)
                lin_emit_value(o, failed ? value : value + n);
        }
        return;
    default: { /* mutex: 0 free, else 1 + the client that holds it */
        int64_t me = (int64_t)op->client + 1;
        if (op->op == LF_OP_ACQUIRE) {
            if (failed ? value != 0 : value == 0)
                lin_emit_value(o, failed ? value : me);
        } else if (op->op == LF_OP_RELEASE) {
            if (failed ? value != me : value == me)
                lin_emit_value(o, failed ? value : 0);
        }
    }
    }
}

/* sorted pairs (key, element); one of the two says nothing in most histories */
static void lin_step_set(const struct lf_history_op *op, const int64_t *s, uint32_t n, struct lin_out *o) {
    bool silent = op->op == LF_OP_INSERT || op->op == LF_OP_DELETE; /* they do not say what they found */
    bool removes = op->op == LF_OP_REMOVE || op->op == LF_OP_DELETE;
    if (op->op != LF_OP_ADD && op->op != LF_OP_REMOVE && op->op != LF_OP_CONTAINS && !silent)
        return;
    int64_t key = (int64_t)op->key;
    uint32_t at = 0;
    while (at < n && (s[at] < key || (s[at] == key && s[at + 1] < op->arg)))
        at += 2;
    bool inside = at < n && s[at] == key && s[at + 1] == op->arg, changes = inside == removes;
    if (!silent && !lin_pending(op) && lin_failed(op) == (op->op == LF_OP_CONTAINS ? inside : changes))
        return;
    if (op->op == LF_OP_CONTAINS || !changes)
        lin_emit_words(o, s, n);
    else if (inside)
        lin_emit_without(o, s, n, at, 2);
    else
        lin_emit_with(o, s, n, at, key, op->arg, 2);
}

/* sorted pairs (key, value) */
static void lin_step_map(const struct lf_history_op *op, const int64_t *s, uint32_t n, struct lin_out *o) {
    int64_t key = (int64_t)op->key;
    uint32_t at = 0;
    while (at < n && s[at] < key)
        at += 2;
    bool there = at < n && s[at] == key;
    if (op->op == LF_OP_CONTAINS) {
        if (lin_pending(op) || lin_failed(op) != there)
            lin_emit_words(o, s, n);
    } else if (op->op == LF_OP_PUT) {
        if (!there)
            lin_emit_with(o, s, n, at, key, op->arg, 2);
        else {
            memcpy(o->words, s, n * sizeof *s);
            o->words[at + 1] = op->arg;
            o->emit(o->context, o->words, n);
        }
    } else if (op->op == LF_OP_GET) {
        /* null is the answer for an absent key, and for one whose value is null */
        bool null = !there || s[at + 1] == LF_HISTORY_NONE;
        if (lin_pending(op) || (lin_failed(op) ? null : there && s[at + 1] == op->result))
            lin_emit_words(o, s, n);
    } else if (op->op == LF_OP_CAS) { /* null is what an absent key has */
        bool same = (there ? s[at + 1] : LF_HISTORY_NONE) == op->arg;
        if (lin_failed(op) == same)
            return;
        if (!same)
            lin_emit_words(o, s, n);
        else if (!there)
            lin_emit_with(o, s, n, at, key, op->arg2, 2);
        else {
            memcpy(o->words, s, n * sizeof *s);
            o->words[at + 1] = op->arg2;
            o->emit(o->context, o->words, n);
        }
    } else if (op->op == LF_OP_DELETE || (op->op == LF_OP_REMOVE && (lin_pending(op) || lin_failed(op) != there))) {
        if (there)
            lin_emit_without(o, s, n, at, 2);
        else
            lin_emit_words(o, s, n);
    }
}

/* sorted owners: -client - 1 for the writer, client for each time a reader holds it */
static void lin_step_rwlock(const struct lf_history_op *op, const int64_t *s, uint32_t n, struct lin_out *o) {
    bool write = op->op == LF_OP_WRITE_ACQUIRE || op->op == LF_OP_WRITE_RELEASE;
    int64_t me = write ? -(int64_t)op->client - 1 : (int64_t)op->client;
    uint32_t at = 0;
    while (at < n && s[at] < me)
        at++;
    if (op->op == LF_OP_READ_ACQUIRE || op->op == LF_OP_WRITE_ACQUIRE) {
        bool free = write ? n == 0 : !n || s[0] >= 0;
        if (lin_failed(op) ? !free : free) {
            if (lin_failed(op))
                lin_emit_words(o, s, n);
            else
                lin_emit_with(o, s, n, at, me, 0, 1);
        }
    } else if (op->op == LF_OP_READ_RELEASE || op->op == LF_OP_WRITE_RELEASE) {
        bool held = at < n && s[at] == me;
        if (lin_failed(op) ? held : !held)
            return;
        if (lin_failed(op))
            lin_emit_words(o, s, n);
        else
            lin_emit_without(o, s, n, at, 1);
    }
}

/* sorted blocks that are allocated */
static void lin_step_pool(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s, uint32_t n,
                          struct lin_out *o) {
    uint64_t blocks = (uint64_t)spec->capacity;
    if (op->op == LF_OP_ALLOC) {
        if (lin_failed(op)) {
            uint64_t want = op->arg2 > 1 ? (uint64_t)op->arg2 : 1;
            if (blocks && n + want > blocks)
                lin_emit_words(o, s, n);
            return;
        }
        if (blocks && n >= blocks)
            return;
        if (lin_pending(op)) { /* it holds some block, nobody knows which: it counts, and may be freed as any */
            lin_emit_with(o, s, n, 0, INT64_MIN, 0, 1);
            return;
        }
        uint32_t at = 0;
        while (at < n && s[at] < op->result)
            at++;
        if (at == n || s[at] != op->result)
            lin_emit_with(o, s, n, at, op->result, 0, 1);
    } else if (op->op == LF_OP_FREE) {
        uint32_t at = 0;
        while (at < n && s[at] != op->arg)
            at++;
        if (at == n && n && s[0] == INT64_MIN && !lin_failed(op))
            at = 0;
        if (lin_failed(op) ? at == n : at < n) {
            if (lin_failed(op))
                lin_emit_words(o, s, n);
            else
                lin_emit_without(o, s, n, at, 1);
        }
    }
}

/* A reader is named by its key, else by its client. */
int64_t lin_reader(const struct lf_history_op *op) {
    return op->key ? (int64_t)op->key + (INT64_C(1) << 32) : (int64_t)op->client;
}

/* [how many words of readers, reader, position, ..., then the values appended] */
static void lin_step_log(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s, uint32_t n,
                         struct lin_out *o) {
    (void)spec;
    uint32_t readers = n ? (uint32_t)s[0] : 0, base = n ? 1 + readers : 0, length = n - base;
    if (op->op == LF_OP_APPEND) {
        if (lin_failed(op))
            return;
        if (!n) {
            o->words[0] = 0;
            o->words[1] = op->arg;
            o->emit(o->context, o->words, 2);
        } else
            lin_emit_with(o, s, n, n, op->arg, 0, 1);
        return;
    }
    if (op->op != LF_OP_READ)
        return;
    int64_t me = lin_reader(op);
    uint32_t at = 1;
    while (at < base && s[at] < me)
        at += 2;
    bool known = at < base && s[at] == me;
    int64_t position = known ? s[at + 1] : 0;
    if (lin_failed(op)) {
        if (position == length)
            lin_emit_words(o, s, n);
        return;
    }
    if (position >= length || (!lin_pending(op) && s[base + position] != op->result))
        return;
    if (known) {
        memcpy(o->words, s, n * sizeof *s);
        o->words[at + 1]++;
        o->emit(o->context, o->words, n);
        return;
    }
    memcpy(o->words, s, at * sizeof *s);
    o->words[0] = s[0] + 2;
    o->words[at] = me;
    o->words[at + 1] = 1;
    memcpy(o->words + at + 2, s + at, (n - at) * sizeof *s);
    o->emit(o->context, o->words, n + 2);
}

/* Emits every state after `op` in state `s`. `scratch` has room for count + 4 words. */
void lin_spec_step(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *s, uint32_t n,
                   int64_t *scratch, lin_emit_state emit, void *context) {
    struct lin_out o = {scratch, emit, context};
    switch (spec->kind) {
    case LF_LIN_QUEUE:
    case LF_LIN_STACK:
        lin_step_container(spec, op, s, n, &o);
        return;
    case LF_LIN_PRIORITY_QUEUE:
        lin_step_priority(spec, op, s, n, &o);
        return;
    case LF_LIN_RWLOCK:
        lin_step_rwlock(op, s, n, &o);
        return;
    case LF_LIN_SET:
        lin_step_set(op, s, n, &o);
        return;
    case LF_LIN_MAP:
        lin_step_map(op, s, n, &o);
        return;
    case LF_LIN_BLOCK_POOL:
        lin_step_pool(spec, op, s, n, &o);
        return;
    case LF_LIN_LOG:
        lin_step_log(spec, op, s, n, &o);
        return;
    default:
        lin_step_word(spec, op, s, &o);
    }
}
