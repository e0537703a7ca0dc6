#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "linearize/parse.h"

enum { LF_NAMES = 256 };

struct lf_history_reader {
    struct lf_history_op *op;
    size_t n, room;
    char *carry; /* the beginning of a line whose end has not come yet */
    size_t carry_n, carry_room;
    uint64_t line, error_line;
    char error[160];
    int any_operation;
    struct {
        uint64_t op, line;
    } *jump; /* from operation `op` on, lines are op + line: one per blank line */
    size_t jumps, jump_room;
    char *text; /* all texts, one after the other */
    size_t *text_start, texts, text_room, text_bytes_room;
    uint32_t *text_slot;
    size_t text_slots;
    char *name[LF_NAMES];
};

static const struct {
    const char *name;
    uint8_t code;
} lf_names[] = {{"put", LF_OP_PUT},
                {"get", LF_OP_GET},
                {"push", LF_OP_PUSH},
                {"pop", LF_OP_POP},
                {"write", LF_OP_WRITE},
                {"read", LF_OP_READ},
                {"cas", LF_OP_CAS},
                {"fetch_add", LF_OP_FETCH_ADD},
                {"load", LF_OP_LOAD},
                {"acquire", LF_OP_ACQUIRE},
                {"release", LF_OP_RELEASE},
                {"read_acquire", LF_OP_READ_ACQUIRE},
                {"read_release", LF_OP_READ_RELEASE},
                {"write_acquire", LF_OP_WRITE_ACQUIRE},
                {"write_release", LF_OP_WRITE_RELEASE},
                {"add", LF_OP_ADD},
                {"remove", LF_OP_REMOVE},
                {"contains", LF_OP_CONTAINS},
                {"alloc", LF_OP_ALLOC},
                {"free", LF_OP_FREE},
                {"append", LF_OP_APPEND},
                {"peek", LF_OP_PEEK},
                {"insert", LF_OP_INSERT},
                {"delete", LF_OP_DELETE}};

enum lf_json { LF_J_ABSENT, LF_J_NULL, LF_J_TRUE, LF_J_FALSE, LF_J_INT, LF_J_PAIR, LF_J_OTHER };
struct lf_value {
    enum lf_json kind;
    int64_t a, b;
    const char *from, *to;
};

static int lf_fail(struct lf_history_reader *r, const char *what, const char *detail, size_t count) {
    if (!r->error[0]) {
        snprintf(r->error, sizeof r->error, count ? "%s %.*s" : "%s", what, (int)(count > 80 ? 80 : count), detail);
        r->error_line = r->line;
    }
    return -1;
}

struct lf_history_reader *lf_history_reader_new(int any_operation) {
    struct lf_history_reader *r = calloc(1, sizeof *r);
    if (r)
        r->any_operation = any_operation;
    return r;
}

void lf_history_reader_free(struct lf_history_reader *r) {
    if (!r)
        return;
    for (int i = 0; i < LF_NAMES; i++)
        free(r->name[i]);
    free(r->text_slot), free(r->text_start), free(r->text), free(r->jump), free(r->carry), free(r->op), free(r);
}

const char *lf_history_reader_error(const struct lf_history_reader *r) { return r->error; }
uint64_t lf_history_reader_error_line(const struct lf_history_reader *r) { return r->error_line; }
struct lf_history_op *lf_history_reader_ops(struct lf_history_reader *r, size_t *count) {
    *count = r->n;
    return r->op;
}
size_t lf_history_reader_texts(const struct lf_history_reader *r) { return r->texts; }
const char *lf_history_reader_text_at(const struct lf_history_reader *r, size_t i, size_t *count) {
    if (i >= r->texts)
        return NULL;
    *count = r->text_start[i + 1] - r->text_start[i];
    return r->text + r->text_start[i];
}

uint64_t lf_history_reader_line(const struct lf_history_reader *r, size_t op) {
    uint64_t line = op + 1;
    for (size_t i = 0; i < r->jumps && r->jump[i].op <= op; i++)
        line = op + r->jump[i].line;
    return line;
}

static int lf_room(struct lf_history_reader *r, void *memory, size_t *room, size_t need, size_t size) {
    if (need <= *room)
        return 0;
    size_t wanted = *room ? *room : 64;
    while (wanted < need)
        wanted *= 2;
    void *bigger = realloc(*(void **)memory, wanted * size);
    if (!bigger)
        return lf_fail(r, "out of memory", "", 0);
    *(void **)memory = bigger;
    *room = wanted;
    return 0;
}

struct lf_history_op *lf_history_reader_append(struct lf_history_reader *r) {
    if (lf_room(r, &r->op, &r->room, r->n + 1, sizeof *r->op))
        return NULL;
    memset(&r->op[r->n], 0, sizeof *r->op);
    return &r->op[r->n++];
}

int lf_history_reader_extend(struct lf_history_reader *r, const struct lf_history_op *ops, size_t count) {
    if (lf_room(r, &r->op, &r->room, r->n + count, sizeof *r->op))
        return -1;
    memcpy(r->op + r->n, ops, count * sizeof *ops);
    r->n += count;
    return 0;
}

static uint64_t lf_text_hash(const char *s, size_t n) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h ^ h >> 29;
}

int64_t lf_history_reader_text(struct lf_history_reader *r, const char *bytes, size_t count) {
    if (2 * (r->texts + 1) > r->text_slots) {
        size_t slots = r->text_slots ? 2 * r->text_slots : 64;
        uint32_t *slot = malloc(slots * sizeof *slot);
        if (!slot)
            return lf_fail(r, "out of memory", "", 0);
        memset(slot, 0xff, slots * sizeof *slot);
        for (size_t i = 0; i < r->texts; i++) {
            size_t h = lf_text_hash(r->text + r->text_start[i], r->text_start[i + 1] - r->text_start[i]) & (slots - 1);
            while (slot[h] != UINT32_MAX)
                h = (h + 1) & (slots - 1);
            slot[h] = (uint32_t)i;
        }
        free(r->text_slot);
        r->text_slot = slot;
        r->text_slots = slots;
    }
    size_t h = lf_text_hash(bytes, count) & (r->text_slots - 1);
    for (; r->text_slot[h] != UINT32_MAX; h = (h + 1) & (r->text_slots - 1)) {
        size_t i = r->text_slot[h];
        if (r->text_start[i + 1] - r->text_start[i] == count && !memcmp(r->text + r->text_start[i], bytes, count))
            return (int64_t)i;
    }
    if (lf_room(r, &r->text_start, &r->text_room, r->texts + 2, sizeof *r->text_start))
        return -1;
    if (!r->texts)
        r->text_start[0] = 0;
    size_t at = r->text_start[r->texts];
    if (lf_room(r, &r->text, &r->text_bytes_room, at + count + 1, 1))
        return -1;
    memcpy(r->text + at, bytes, count);
    r->text_start[r->texts + 1] = at + count;
    r->text_slot[h] = (uint32_t)r->texts;
    return (int64_t)r->texts++;
}

const char *lf_history_reader_name(const struct lf_history_reader *r, int op) {
    for (size_t i = 0; i < sizeof lf_names / sizeof *lf_names; i++)
        if (lf_names[i].code == op)
            return lf_names[i].name;
    return op >= 0 && op < LF_NAMES ? r->name[op] : NULL;
}

int lf_history_reader_code(struct lf_history_reader *r, const char *name, size_t count) {
    for (size_t i = 0; i < sizeof lf_names / sizeof *lf_names; i++)
        if (strlen(lf_names[i].name) == count && !memcmp(lf_names[i].name, name, count))
            return lf_names[i].code;
    if (!r->any_operation)
        return -1;
    for (int c = LF_OP_CUSTOM; c < LF_NAMES; c++) {
        if (!r->name[c]) {
            if (!(r->name[c] = malloc(count + 1)))
                return -1;
            memcpy(r->name[c], name, count);
            r->name[c][count] = 0;
            return c;
        }
        if (strlen(r->name[c]) == count && !memcmp(r->name[c], name, count))
            return c;
    }
    return -1;
}

/* -- one line ------------------------------------------------------------------------------------------ */

static const char *lf_space(const char *s, const char *end) {
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
        s++;
    return s;
}

/* The end of the JSON string that starts at s, or NULL. */
static const char *lf_string_end(const char *s, const char *end) {
    for (s++; s < end; s++) {
        if (*s == '\\')
            s++;
        else if (*s == '"')
            return s + 1;
        else if ((unsigned char)*s < ' ')
            return NULL;
    }
    return NULL;
}

/* The end of any JSON value: brackets and strings must match, words and numbers must look like ones. */
static const char *lf_value_end(const char *s, const char *end) {
    char close[64];
    int depth = 0;
    do {
        s = lf_space(s, end);
        if (s == end)
            return NULL;
        if (*s == '"') {
            if (!(s = lf_string_end(s, end)))
                return NULL;
        } else if (*s == '[' || *s == '{') {
            if (depth == 64)
                return NULL;
            close[depth++] = *s++ == '[' ? ']' : '}';
            continue;
        } else if (depth && (*s == ']' || *s == '}')) {
            if (*s++ != close[--depth])
                return NULL;
        } else if (depth && (*s == ',' || *s == ':'))
            s++;
        else {
            const char *from = s;
            while (s < end && (*s == '-' || *s == '+' || *s == '.' || (*s >= '0' && *s <= '9') ||
                               (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
                s++;
            if (s == from)
                return NULL;
            size_t n = (size_t)(s - from);
            bool word = (n == 4 && (!memcmp(from, "null", 4) || !memcmp(from, "true", 4))) ||
                        (n == 5 && !memcmp(from, "false", 5));
            bool number = *from == '-' || (*from >= '0' && *from <= '9');
            if (!word && !number)
                return NULL;
        }
    } while (depth);
    return s;
}

/* An integer in range that is the whole of [s, e). */
static bool lf_integer(const char *s, const char *e, int64_t *value) {
    bool minus = s < e && *s == '-';
    const char *d = s + minus;
    if (d == e || e - d > 19 || (*d == '0' && e - d > 1))
        return false;
    uint64_t v = 0;
    for (; d < e; d++) {
        unsigned digit = (unsigned)(*d - '0');
        if (digit > 9)
            return false;
        v = 10 * v + digit;
    }
    if (v > (uint64_t)INT64_MAX)
        return false;
    *value = minus ? -(int64_t)v : (int64_t)v;
    /* the lowest 2^32 integers stand for texts */
    return *value > LF_HISTORY_TEXT + UINT32_MAX;
}

static bool lf_is(const char *s, const char *e, const char *word) {
    size_t n = strlen(word);
    return (size_t)(e - s) == n && !memcmp(s, word, n);
}

static const char *lf_read_value(const char *s, const char *end, struct lf_value *v) {
    const char *d = s;
    v->from = s;
    bool minus = d < end && *d == '-';
    uint64_t n = 0;
    /* most values are short integers */
    for (d += minus; d < end && (unsigned)(*d - '0') < 10 && d - s < 18; d++)
        n = 10 * n + (unsigned)(*d - '0');
    if (d > s + minus && d < end && (*d == ',' || *d == '}' || *d == ' ') && (s[minus] != '0' || d == s + minus + 1)) {
        v->kind = LF_J_INT;
        v->a = minus ? -(int64_t)n : (int64_t)n;
        return v->to = d;
    }
    if (!(v->to = lf_value_end(s, end)))
        return NULL;
    if (lf_is(s, v->to, "null"))
        v->kind = LF_J_NULL;
    else if (lf_is(s, v->to, "true"))
        v->kind = LF_J_TRUE;
    else if (lf_is(s, v->to, "false"))
        v->kind = LF_J_FALSE;
    else if (lf_integer(s, v->to, &v->a))
        v->kind = LF_J_INT;
    else
        v->kind = LF_J_OTHER;
    return v->to;
}

/* The number that stands for a value: itself if it is an integer, else that of its text. */
static int lf_encode(struct lf_history_reader *r, const char *from, const char *to, int64_t *out) {
    if (lf_is(from, to, "null"))
        return *out = LF_HISTORY_NONE, 0;
    if (lf_integer(from, to, out))
        return 0;
    int64_t i = lf_history_reader_text(r, from, (size_t)(to - from));
    if (i < 0)
        return -1;
    *out = LF_HISTORY_TEXT + i;
    return 0;
}

/* [a, b]: 1 and both encoded; 0 when it is not an array of two. */
static int lf_pair(struct lf_history_reader *r, const struct lf_value *v, int64_t *a, int64_t *b) {
    if (v->kind != LF_J_OTHER || *v->from != '[')
        return 0;
    const char *end = v->to - 1, *s = lf_space(v->from + 1, end), *a_end = lf_value_end(s, end);
    if (!a_end)
        return 0;
    const char *t = lf_space(a_end, end);
    if (t == end || *t != ',')
        return 0;
    t = lf_space(t + 1, end);
    const char *b_end = lf_value_end(t, end);
    if (!b_end || lf_space(b_end, end) != end)
        return 0;
    return lf_encode(r, s, a_end, a) || lf_encode(r, t, b_end, b) ? -1 : 1;
}

struct lf_line {
    struct lf_value client, op, arg, result, call, ret, key, batch, ticket;
};

static int lf_store(struct lf_history_reader *r, const struct lf_line *l, struct lf_history_op *o) {
    bool pending = l->ret.kind == LF_J_NULL;
    const struct lf_value *arg = &l->arg, *result = &l->result;
    bool no = result->kind == LF_J_FALSE, none = result->kind == LF_J_NULL || result->kind == LF_J_ABSENT;
    int pair;
    o->arg = o->result = LF_HISTORY_NONE;
    switch (o->op) {
    case LF_OP_PUT:
    case LF_OP_PUSH:
    case LF_OP_APPEND:
    case LF_OP_WRITE:
    case LF_OP_FREE:
        if (arg->kind == LF_J_ABSENT)
            return lf_fail(r, "this operation needs \"arg\"", "", 0);
        if (o->op == LF_OP_PUT && (pair = lf_pair(r, arg, &o->arg2, &o->arg)) != 0) {
            if (pair < 0)
                return -1;
            o->flags |= LF_HISTORY_PAIR;
        } else if (lf_encode(r, arg->from, arg->to, &o->arg))
            return -1;
        if (no)
            o->flags |= LF_HISTORY_FAILED;
        return 0;
    case LF_OP_GET:
    case LF_OP_POP:
    case LF_OP_PEEK:
    case LF_OP_READ:
    case LF_OP_ALLOC:
        if (o->op == LF_OP_ALLOC && arg->kind == LF_J_INT)
            o->arg2 = arg->a;
        if (pending)
            return 0;
        if (result->kind == LF_J_ABSENT)
            return lf_fail(r, "this operation needs \"result\"", "", 0);
        if (none)
            o->flags |= LF_HISTORY_FAILED;
        else if ((o->op == LF_OP_GET || o->op == LF_OP_PEEK) &&
                 (pair = lf_pair(r, result, &o->arg2, &o->result)) != 0) {
            if (pair < 0)
                return -1;
            o->flags |= LF_HISTORY_PAIR;
        } else
            return lf_encode(r, result->from, result->to, &o->result);
        return 0;
    case LF_OP_CAS:
        pair = lf_pair(r, arg, &o->arg, &o->arg2);
        if (pair <= 0)
            return pair ? -1 : lf_fail(r, "cas needs \"arg\": [old, new]", "", 0);
        if (no)
            o->flags |= LF_HISTORY_FAILED;
        return 0;
    case LF_OP_FETCH_ADD:
    case LF_OP_LOAD:
        o->arg = o->op == LF_OP_LOAD ? 0 : 1;
        if (arg->kind == LF_J_INT)
            o->arg = arg->a;
        else if (arg->kind > LF_J_NULL)
            return lf_fail(r, "\"arg\" must be an integer, not", arg->from, (size_t)(arg->to - arg->from));
        if (pending)
            return 0;
        if (none && o->op == LF_OP_FETCH_ADD) {
            o->flags |= LF_HISTORY_FAILED;
            return result->kind == LF_J_NULL ? 0 : lf_fail(r, "this operation needs \"result\"", "", 0);
        }
        if (result->kind != LF_J_INT)
            return lf_fail(r, "this operation needs an integer \"result\"", "", 0);
        o->result = result->a;
        return 0;
    case LF_OP_ACQUIRE:
    case LF_OP_RELEASE:
        o->arg = 1;
        if (arg->kind == LF_J_INT)
            o->arg = arg->a;
        else if (arg->kind > LF_J_NULL)
            return lf_fail(r, "\"arg\" must be an integer, not", arg->from, (size_t)(arg->to - arg->from));
        if (o->arg < 0)
            return lf_fail(r, "negative number of permits", "", 0);
        if (no)
            o->flags |= LF_HISTORY_FAILED;
        return 0;
    default:
        if (arg->kind != LF_J_ABSENT && lf_encode(r, arg->from, arg->to, &o->arg))
            return -1;
        if (o->op < LF_OP_CUSTOM) {
            if (no)
                o->flags |= LF_HISTORY_FAILED;
            return 0;
        }
        return none || pending ? 0 : lf_encode(r, result->from, result->to, &o->result);
    }
}

static int lf_time(struct lf_history_reader *r, const struct lf_value *v, const char *name, uint64_t *out) {
    if (v->kind == LF_J_ABSENT)
        return lf_fail(r, "missing field", name, strlen(name));
    if (v->kind != LF_J_INT || v->a < 0 || v->a >= INT64_C(1) << 62)
        return lf_fail(r, "times are integers of nanoseconds from 0 to 2^62, not", v->from, (size_t)(v->to - v->from));
    *out = (uint64_t)v->a;
    return 0;
}

static int lf_small(struct lf_history_reader *r, const struct lf_value *v, const char *what, uint32_t *out) {
    if (v->kind != LF_J_INT || v->a < 0 || v->a > UINT32_MAX - 1)
        return lf_fail(r, what, v->from, (size_t)(v->to - v->from));
    *out = (uint32_t)v->a;
    return 0;
}

static struct lf_value *lf_field(struct lf_line *l, const char *s, size_t n) {
    switch (n) {
    case 2:
        return !memcmp(s, "op", 2) ? &l->op : NULL;
    case 3:
        return !memcmp(s, "arg", 3) ? &l->arg : !memcmp(s, "key", 3) ? &l->key : NULL;
    case 4:
        return !memcmp(s, "call", 4) ? &l->call : NULL;
    case 5:
        return !memcmp(s, "batch", 5) ? &l->batch : NULL;
    case 6:
        return !memcmp(s, "client", 6)   ? &l->client
               : !memcmp(s, "result", 6) ? &l->result
               : !memcmp(s, "return", 6) ? &l->ret
               : !memcmp(s, "ticket", 6) ? &l->ticket
                                         : NULL;
    default:
        return NULL;
    }
}

static int lf_fields(struct lf_history_reader *r, const char *s, const char *end, struct lf_line *l) {
    struct lf_value ignored;
    if (*s != '{')
        return lf_fail(r, "not a JSON object:", s, (size_t)(end - s));
    s = lf_space(s + 1, end);
    while (s < end && *s != '}') {
        const char *name = s + 1, *close = *s == '"' ? lf_string_end(s, end) : NULL;
        if (!close)
            return lf_fail(r, "malformed or truncated JSON at", s, (size_t)(end - s));
        struct lf_value *field = lf_field(l, name, (size_t)(close - 1 - name));
        s = lf_space(close, end);
        if (s == end || *s != ':')
            return lf_fail(r, "malformed or truncated JSON after", name, (size_t)(close - 1 - name));
        s = lf_space(s + 1, end);
        const char *after = s < end ? lf_read_value(s, end, field ? field : &ignored) : NULL;
        if (!after)
            return lf_fail(r, "malformed or truncated value:", name - 1, (size_t)(end - name + 1));
        s = lf_space(after, end);
        if (s < end && *s == ',') {
            s = lf_space(s + 1, end);
            if (s < end && *s == '}')
                break;
        } else if (s < end && *s != '}')
            return lf_fail(r, "malformed JSON at", s, (size_t)(end - s));
    }
    if (s == end || *s != '}')
        return lf_fail(r, "truncated line", "", 0);
    if (lf_space(s + 1, end) != end)
        return lf_fail(r, "more after the object:", s + 1, (size_t)(end - s - 1));
    return 0;
}

static int lf_key(struct lf_history_reader *r, const struct lf_value *v, uint32_t *out) {
    if (v->kind == LF_J_ABSENT || v->kind == LF_J_NULL)
        return 0;
    if (v->kind == LF_J_INT && v->a >= 0 && v->a < INT32_MAX)
        return *out = (uint32_t)v->a + 1, 0;
    int64_t i = lf_history_reader_text(r, v->from, (size_t)(v->to - v->from));
    if (i < 0 || i >= INT32_MAX)
        return -1;
    *out = UINT32_C(0x80000000) + (uint32_t)i;
    return 0;
}

static int lf_ticket(struct lf_history_reader *r, const struct lf_value *v, struct lf_history_op *o) {
    if (v->kind == LF_J_ABSENT || v->kind == LF_J_NULL)
        return 0;
    if (v->kind != LF_J_INT || v->a < 0)
        return lf_fail(r, "\"ticket\" must be an integer from 0, not", v->from, (size_t)(v->to - v->from));
    if (o->op == LF_OP_ALLOC || (o->flags & LF_HISTORY_PAIR))
        return lf_fail(r, "this operation has no \"ticket\":", v->from, (size_t)(v->to - v->from));
    *(o->op == LF_OP_CAS ? &o->result : &o->arg2) = v->a;
    o->flags |= LF_HISTORY_TICKET;
    return 0;
}

static int lf_read_line(struct lf_history_reader *r, const char *s, const char *end) {
    r->line++;
    s = lf_space(s, end);
    if (s == end) {
        if (lf_room(r, &r->jump, &r->jump_room, r->jumps + 1, sizeof *r->jump))
            return -1;
        r->jump[r->jumps].op = r->n;
        r->jump[r->jumps++].line = r->line + 1 - r->n;
        return 0;
    }
    struct lf_line l;
    l.client.kind = l.op.kind = l.arg.kind = l.result.kind = l.call.kind = l.ret.kind = l.key.kind = l.batch.kind =
        l.ticket.kind = LF_J_ABSENT;
    if (lf_fields(r, s, end, &l))
        return -1;
    if (l.op.kind != LF_J_OTHER || *l.op.from != '"')
        return lf_fail(r, "missing field op", "", 0);
    if (l.client.kind == LF_J_ABSENT)
        return lf_fail(r, "missing field client", "", 0);
    struct lf_history_op *o = lf_history_reader_append(r);
    if (!o)
        return -1;
    int code = lf_history_reader_code(r, l.op.from + 1, (size_t)(l.op.to - l.op.from - 2));
    if (code < 0)
        return lf_fail(r, "unknown operation", l.op.from, (size_t)(l.op.to - l.op.from));
    o->op = (uint8_t)code;
    if (lf_small(r, &l.client, "\"client\" must be an integer from 0, not", &o->client) ||
        lf_time(r, &l.call, "call", &o->call))
        return -1;
    if (l.ret.kind == LF_J_NULL)
        o->ret = LF_HISTORY_PENDING;
    else if (lf_time(r, &l.ret, "return", &o->ret))
        return -1;
    if (o->ret < o->call)
        return lf_fail(r, "returned before it was called", "", 0);
    if (l.batch.kind != LF_J_ABSENT && lf_small(r, &l.batch, "\"batch\" must be a positive integer, not", &o->batch))
        return -1;
    return lf_key(r, &l.key, &o->key) || lf_store(r, &l, o) || lf_ticket(r, &l.ticket, o) ? -1 : 0;
}

int lf_history_reader_feed(struct lf_history_reader *r, const char *bytes, size_t count) {
    const char *s = bytes, *end = bytes + count;
    while (s < end && !r->error[0]) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        if (!stop || r->carry_n) {
            size_t n = (size_t)((stop ? stop : end) - s);
            if (lf_room(r, &r->carry, &r->carry_room, r->carry_n + n + 1, 1))
                return -1;
            memcpy(r->carry + r->carry_n, s, n);
            r->carry_n += n;
            if (!stop)
                break;
            n = r->carry_n;
            r->carry_n = 0;
            if (lf_read_line(r, r->carry, r->carry + n))
                return -1;
        } else if (lf_read_line(r, s, stop))
            return -1;
        s = stop + 1;
    }
    return r->error[0] ? -1 : 0;
}

int lf_history_reader_finish(struct lf_history_reader *r) {
    size_t n = r->carry_n;
    r->carry_n = 0;
    if (r->error[0])
        return -1;
    return n ? lf_read_line(r, r->carry, r->carry + n) : 0;
}
