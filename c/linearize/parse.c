/* JSON lines, in pieces of any size. */
#include "linearize/json.h"
#include "linearize/reader.h"

/* The number that stands for a value: itself if it is an integer, else that of its text. */
static int lf_encode(struct lf_history_reader *r, const char *from, const char *to, int64_t *out) {
    if (lf_json_is(from, to, "null"))
        return *out = LF_HISTORY_NONE, 0;
    if (lf_json_integer(from, to, out))
        return 0;
    int64_t i = lf_history_reader_value(r, from, (size_t)(to - from));
    if (i < 0)
        return -1;
    *out = LF_HISTORY_TEXT + i;
    return 0;
}

/* [a, b]: 1 and both encoded; 0 when it is not an array of two. */
static int lf_pair(struct lf_history_reader *r, const struct lf_json_value *v, int64_t *a, int64_t *b) {
    if (v->kind != LF_J_OTHER || *v->from != '[')
        return 0;
    const char *end = v->to - 1, *s = lf_json_space(v->from + 1, end), *a_end = lf_json_value_end(s, end);
    if (!a_end)
        return 0;
    const char *t = lf_json_space(a_end, end);
    if (t == end || *t != ',')
        return 0;
    t = lf_json_space(t + 1, end);
    const char *b_end = lf_json_value_end(t, end);
    if (!b_end || lf_json_space(b_end, end) != end)
        return 0;
    return lf_encode(r, s, a_end, a) || lf_encode(r, t, b_end, b) ? -1 : 1;
}

struct lf_line {
    struct lf_json_value client, op, arg, result, call, ret, key, batch, ticket;
};

/* Their answer tells what happened: 0 could mean either. */
static bool lf_true_or_false(uint8_t op) {
    return op == LF_OP_CAS || op == LF_OP_ACQUIRE || op == LF_OP_READ_ACQUIRE || op == LF_OP_WRITE_ACQUIRE ||
           op == LF_OP_ADD || op == LF_OP_REMOVE || op == LF_OP_CONTAINS;
}

static int lf_store(struct lf_history_reader *r, const struct lf_line *l, struct lf_history_op *o) {
    bool pending = l->ret.kind == LF_J_NULL;
    const struct lf_json_value *arg = &l->arg, *result = &l->result;
    bool no = result->kind == LF_J_FALSE, none = result->kind == LF_J_NULL || result->kind == LF_J_ABSENT;
    int pair;
    o->arg = o->result = LF_HISTORY_NONE;
    if (result->kind >= LF_J_INT && lf_true_or_false(o->op))
        return lf_fail(r, "\"result\" must be true or false, not", result->from, (size_t)(result->to - result->from));
    switch (o->op) {
    case LF_OP_PUT:
    case LF_OP_PUT_FRONT:
    case LF_OP_PUSH:
    case LF_OP_APPEND:
    case LF_OP_WRITE:
    case LF_OP_FREE:
        if (arg->kind == LF_J_ABSENT)
            return lf_fail(r, "this operation needs \"arg\"", "", 0);
        if ((o->op == LF_OP_PUT || o->op == LF_OP_PUT_FRONT) && (pair = lf_pair(r, arg, &o->arg2, &o->arg)) != 0) {
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

static int lf_time(struct lf_history_reader *r, const struct lf_json_value *v, const char *name, uint64_t *out) {
    if (v->kind == LF_J_ABSENT)
        return lf_fail(r, "missing field", name, strlen(name));
    if (v->kind != LF_J_INT || v->a < 0 || v->a >= INT64_C(1) << 62)
        return lf_fail(r, "times are integers of nanoseconds from 0 to 2^62, not", v->from, (size_t)(v->to - v->from));
    *out = (uint64_t)v->a;
    return 0;
}

static int lf_small(struct lf_history_reader *r, const struct lf_json_value *v, const char *what, uint32_t *out) {
    if (v->kind != LF_J_INT || v->a < 0 || v->a > UINT32_MAX - 1)
        return lf_fail(r, what, v->from, (size_t)(v->to - v->from));
    *out = (uint32_t)v->a;
    return 0;
}

static struct lf_json_value *lf_field(struct lf_line *l, const char *s, size_t n) {
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
    struct lf_json_value ignored;
    if (*s != '{')
        return lf_fail(r, "not a JSON object:", s, (size_t)(end - s));
    s = lf_json_space(s + 1, end);
    while (s < end && *s != '}') {
        const char *name = s + 1, *close = *s == '"' ? lf_json_string_end(s, end) : NULL;
        if (!close)
            return lf_fail(r, "malformed or truncated JSON at", s, (size_t)(end - s));
        struct lf_json_value *field = lf_field(l, name, (size_t)(close - 1 - name));
        s = lf_json_space(close, end);
        if (s == end || *s != ':')
            return lf_fail(r, "malformed or truncated JSON after", name, (size_t)(close - 1 - name));
        s = lf_json_space(s + 1, end);
        const char *after = s < end ? lf_json_value(s, end, field ? field : &ignored) : NULL;
        if (!after)
            return lf_fail(r, "malformed or truncated value:", name - 1, (size_t)(end - name + 1));
        s = lf_json_space(after, end);
        if (s < end && *s == ',') {
            s = lf_json_space(s + 1, end);
            if (s < end && *s == '}')
                break;
        } else if (s < end && *s != '}')
            return lf_fail(r, "malformed JSON at", s, (size_t)(end - s));
    }
    if (s == end || *s != '}')
        return lf_fail(r, "truncated line", "", 0);
    if (lf_json_space(s + 1, end) != end)
        return lf_fail(r, "more after the object:", s + 1, (size_t)(end - s - 1));
    return 0;
}

static int lf_key(struct lf_history_reader *r, const struct lf_json_value *v, uint32_t *out) {
    if (v->kind == LF_J_ABSENT || v->kind == LF_J_NULL)
        return 0;
    if (v->kind == LF_J_INT && v->a >= 0 && v->a < INT32_MAX)
        return *out = (uint32_t)v->a + 1, 0;
    int64_t i = lf_history_reader_value(r, v->from, (size_t)(v->to - v->from));
    if (i < 0 || i >= INT32_MAX)
        return -1;
    *out = UINT32_C(0x80000000) + (uint32_t)i;
    return 0;
}

static int lf_ticket(struct lf_history_reader *r, const struct lf_json_value *v, struct lf_history_op *o) {
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
    s = lf_json_space(s, end);
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
    if (l.op.kind == LF_J_ABSENT)
        return lf_fail(r, "missing field op", "", 0);
    if (*l.op.from != '"')
        return lf_fail(r, "\"op\" must be a name, not", l.op.from, (size_t)(l.op.to - l.op.from));
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
