/* Maps whose values are texts that grow. */
#include "linearize/growth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct lf_growth_answer {
    const char *text;
    size_t bytes;
    uint32_t key;
    uint32_t first; /* the state of its first byte; each longer beginning is one more */
};

/* What only one key has: its answers from `from` to `to`. */
struct lf_growth_key {
    uint32_t key, from, to;
    uint32_t longest; /* if there is one */
    bool changed;     /* by something else than appends */
};

struct lf_growth {
    const struct lf_history_reader *texts;
    const struct lf_history_op *ops;
    size_t count;
    struct lf_growth_answer *answer; /* by key and alphabet; none is the beginning of another one of its key */
    struct lf_growth_key *keys;
    uint32_t answers, keys_n;
    uint32_t *key_of; /* [count] */
    uint32_t *value;  /* [count] the state that a put makes, or that an answer says */
};

#define LF_GROWTH_MAX UINT32_C(0x7fffffff)

/* The bytes of a text without escapes, between its quotes. */
static bool lf_growth_plain(const struct lf_history_reader *texts, int64_t value, const char **text, size_t *bytes) {
    if (value < LF_HISTORY_TEXT || value >= LF_HISTORY_TEXT + (INT64_C(1) << 32))
        return false;
    const char *at = lf_history_reader_text_at(texts, (size_t)(value - LF_HISTORY_TEXT), bytes);
    if (!at || *bytes < 2 || at[0] != '"' || memchr(at, '\\', *bytes))
        return false;
    *text = at + 1;
    *bytes -= 2;
    return true;
}

static bool lf_growth_answers(const struct lf_history_op *op) {
    return op->op == LF_OP_GET && op->ret != LF_HISTORY_PENDING && !(op->flags & LF_HISTORY_FAILED);
}

static bool lf_growth_admits(const struct lf_history_reader *texts, const struct lf_history_op *op) {
    const char *text;
    size_t bytes;
    if (op->flags & LF_HISTORY_PAIR)
        return false;
    switch (op->op) {
    case LF_OP_GET:
        return !lf_growth_answers(op) || lf_growth_plain(texts, op->result, &text, &bytes);
    case LF_OP_PUT:
        return op->arg == LF_HISTORY_NONE || lf_growth_plain(texts, op->arg, &text, &bytes);
    case LF_OP_APPEND:
        return lf_growth_plain(texts, op->arg, &text, &bytes);
    default:
        return op->op == LF_OP_CONTAINS || op->op == LF_OP_REMOVE || op->op == LF_OP_DELETE;
    }
}

static int lf_growth_compare(const char *a, size_t m, const char *b, size_t n) {
    int order = memcmp(a, b, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

static int lf_growth_by_text(const void *x, const void *y) {
    const struct lf_growth_answer *a = x, *b = y;
    return a->key != b->key ? (a->key > b->key) - (a->key < b->key)
                            : lf_growth_compare(a->text, a->bytes, b->text, b->bytes);
}

static int lf_growth_by_key(const void *x, const void *y) {
    const struct lf_growth_key *a = x, *b = y;
    return (a->key > b->key) - (a->key < b->key);
}

static bool lf_growth_begins(const struct lf_growth_answer *a, const char *text, size_t bytes) {
    return a->bytes >= bytes && !memcmp(a->text, text, bytes);
}

/* Leaves those with which no other one begins: in alphabetical order that would be the next. */
static bool lf_growth_number(struct lf_growth *g) {
    uint64_t state = LF_GROWTH_FIRST;
    uint32_t kept = 0;
    qsort(g->answer, g->answers, sizeof *g->answer, lf_growth_by_text);
    for (uint32_t i = 0; i < g->answers; i++) {
        struct lf_growth_answer *a = &g->answer[i];
        if (i + 1 < g->answers && a[1].key == a->key && lf_growth_begins(&a[1], a->text, a->bytes))
            continue;
        a->first = (uint32_t)state;
        state += a->bytes;
        if (state > LF_GROWTH_MAX)
            return false;
        g->answer[kept++] = *a;
    }
    g->answers = kept;
    return true;
}

static uint32_t lf_growth_find_key(const struct lf_growth *g, uint32_t key) {
    struct lf_growth_key wanted = {.key = key};
    const struct lf_growth_key *at = bsearch(&wanted, g->keys, g->keys_n, sizeof wanted, lf_growth_by_key);
    return (uint32_t)(at - g->keys);
}

static void lf_growth_collect_keys(struct lf_growth *g) {
    uint32_t n = 0, at = 0;
    for (size_t i = 0; i < g->count; i++)
        g->keys[i] = (struct lf_growth_key){.key = g->ops[i].key};
    qsort(g->keys, g->count, sizeof *g->keys, lf_growth_by_key);
    for (size_t i = 0; i < g->count; i++)
        if (!n || g->keys[n - 1].key != g->keys[i].key)
            g->keys[n++] = g->keys[i];
    g->keys_n = n;
    for (uint32_t k = 0; k < n; k++) {
        struct lf_growth_key *key = &g->keys[k];
        for (key->from = at; at < g->answers && g->answer[at].key == key->key; at++)
            if (at == key->from || g->answer[at].bytes > g->answer[key->longest].bytes)
                key->longest = at;
        key->to = at;
    }
}

/* Where an answer stands by the value that the first `start` bytes of `begin` make with `text` behind them: 0: it begins
 * with that value. */
static int lf_growth_order(const struct lf_growth_answer *a, const char *begin, size_t start, const char *text,
                           size_t bytes) {
    int order = memcmp(a->text, begin, a->bytes < start ? a->bytes : start);
    if (order || a->bytes < start)
        return order ? order : -1;
    size_t rest = a->bytes - start;
    order = memcmp(a->text + start, text, rest < bytes ? rest : bytes);
    return order ? order : rest < bytes ? -1 : 0;
}

/* The state of that value, where `begin` is answer `from`, before which no answer begins with the first `start` bytes. */
static uint32_t lf_growth_state(const struct lf_growth *g, uint32_t from, uint32_t to, size_t start, const char *text,
                                size_t bytes) {
    if (start + bytes == 0)
        return LF_GROWTH_EMPTY;
    const struct lf_growth_answer *a = g->answer;
    uint32_t lo = from, hi = to;
    if (lo < hi && lf_growth_order(&a[lo], a[from].text, start, text, bytes) >= 0)
        hi = lo; /* most often it goes on as it began */
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (lf_growth_order(&a[mid], a[from].text, start, text, bytes) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == to || lf_growth_order(&a[lo], a[from].text, start, text, bytes))
        return LF_GROWTH_LOST;
    return a[lo].first + (uint32_t)(start + bytes) - 1;
}

static void lf_growth_values(struct lf_growth *g) {
    for (size_t i = 0; i < g->count; i++) {
        const struct lf_history_op *op = &g->ops[i];
        struct lf_growth_key *key = &g->keys[g->key_of[i] = lf_growth_find_key(g, op->key)];
        key->changed |= op->op == LF_OP_PUT || op->op == LF_OP_REMOVE || op->op == LF_OP_DELETE;
        const char *text;
        size_t bytes;
        g->value[i] = LF_GROWTH_ABSENT;
        if (lf_growth_answers(op) || (op->op == LF_OP_PUT && op->arg != LF_HISTORY_NONE)) {
            lf_growth_plain(g->texts, op->op == LF_OP_PUT ? op->arg : op->result, &text, &bytes);
            g->value[i] = lf_growth_state(g, key->from, key->to, 0, text, bytes);
        }
    }
}

struct lf_growth *lf_growth_new(const struct lf_history_reader *texts, const struct lf_history_op *ops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!lf_growth_admits(texts, &ops[i]))
            return NULL;
    struct lf_growth *g = count < LF_GROWTH_MAX ? calloc(1, sizeof *g) : NULL;
    if (!g)
        return NULL;
    *g = (struct lf_growth){.texts = texts, .ops = ops, .count = count};
    g->answer = malloc((count + 1) * sizeof *g->answer);
    g->keys = malloc((count + 1) * sizeof *g->keys);
    g->key_of = malloc((count + 1) * sizeof *g->key_of);
    g->value = malloc((count + 1) * sizeof *g->value);
    bool ok = g->answer && g->keys && g->key_of && g->value;
    for (size_t i = 0; ok && i < count; i++)
        if (lf_growth_answers(&ops[i])) {
            struct lf_growth_answer *a = &g->answer[g->answers];
            a->key = ops[i].key;
            lf_growth_plain(texts, ops[i].result, &a->text, &a->bytes);
            g->answers += a->bytes > 0;
        }
    if (!ok || !lf_growth_number(g)) {
        lf_growth_free(g);
        return NULL;
    }
    lf_growth_collect_keys(g);
    lf_growth_values(g);
    return g;
}

void lf_growth_free(struct lf_growth *g) {
    if (g)
        free(g->value), free(g->key_of), free(g->keys), free(g->answer), free(g);
}

size_t lf_growth_bytes(const struct lf_growth *g) {
    return sizeof *g + (g->count + 1) * (sizeof *g->answer + sizeof *g->keys + sizeof *g->key_of + sizeof *g->value);
}

/* The answer of which a state is the beginning. */
static uint32_t lf_growth_whose(const struct lf_growth *g, uint32_t from, uint32_t to, uint32_t state) {
    while (to - from > 1) {
        uint32_t mid = from + (to - from) / 2;
        if (g->answer[mid].first <= state)
            from = mid;
        else
            to = mid;
    }
    return from;
}

/* LF_GROWTH_MAX: no order of a history that has one comes here. */
static uint32_t lf_growth_append(const struct lf_growth *g, const struct lf_growth_key *key, uint32_t state,
                                 int64_t added) {
    const char *text;
    size_t bytes, start = 0;
    uint32_t from = key->from;
    if (state == LF_GROWTH_LOST)
        return state;
    lf_growth_plain(g->texts, added, &text, &bytes);
    if (state >= LF_GROWTH_FIRST) {
        from = lf_growth_whose(g, key->from, key->to, state);
        start = state - g->answer[from].first + 1;
    }
    uint32_t longer = lf_growth_state(g, from, key->to, start, text, bytes);
    if (key->from == key->to || key->changed || longer == LF_GROWTH_EMPTY)
        return longer;
    /* The longest answer can come only while the value is a beginning of it, or begins with it. */
    const struct lf_growth_answer *a = &g->answer[key->longest];
    size_t all = start + bytes, same = all < a->bytes ? all : a->bytes, before = start < same ? start : same;
    bool fits = (!before || !memcmp(a->text, g->answer[from].text, before)) &&
                !memcmp(a->text + before, text, same - before);
    return fits ? longer : LF_GROWTH_MAX;
}

int32_t lf_growth_step(void *growth, uint32_t state, uint32_t op, uint32_t *out, uint32_t room) {
    const struct lf_growth *g = growth;
    uint32_t i = op & ~LF_LIN_CUT;
    const struct lf_history_op *o = &g->ops[i];
    const struct lf_growth_key *key = &g->keys[g->key_of[i]];
    bool pending = op & LF_LIN_CUT || o->ret == LF_HISTORY_PENDING, there = state != LF_GROWTH_ABSENT;
    uint32_t after = state;
    if (!room)
        return 1;
    switch (o->op) {
    case LF_OP_APPEND:
        after = lf_growth_append(g, key, state, o->arg);
        break;
    case LF_OP_GET: {
        bool nothing = state == LF_GROWTH_ABSENT || state == LF_GROWTH_EMPTY;
        bool said_nothing = g->value[i] == LF_GROWTH_ABSENT || g->value[i] == LF_GROWTH_EMPTY;
        if (!pending && (nothing != said_nothing || (!nothing && state != g->value[i])))
            return 0;
        break;
    }
    case LF_OP_PUT:
        after = g->value[i];
        break;
    case LF_OP_CONTAINS:
    case LF_OP_REMOVE:
        if (!pending && there != !(o->flags & LF_HISTORY_FAILED))
            return 0;
        after = o->op == LF_OP_REMOVE ? LF_GROWTH_ABSENT : state;
        break;
    default: /* delete */
        after = LF_GROWTH_ABSENT;
    }
    out[0] = after;
    return after != LF_GROWTH_MAX;
}

const char *lf_growth_text(const struct lf_growth *g, uint32_t state, size_t *count) {
    const struct lf_growth_answer *a = &g->answer[lf_growth_whose(g, 0, g->answers, state)];
    *count = state - a->first + 1;
    return a->text;
}
