/* JSON values that mean the same get the same text: an escape and the letter itself, white space, the order of names. */
#include "linearize/json.h"
#include "linearize/reader.h"

struct lf_same {
    struct lf_history_reader *r;
    const char *s, *end;
    size_t n; /* bytes written to r->same */
};

/* A name of an object with its value, as written. */
struct lf_member {
    size_t from, to;
    const char *name; /* while they are sorted */
    size_t size;
};

static int lf_same_write(struct lf_same *w, const char *bytes, size_t count) {
    if (lf_room(w->r, &w->r->same, &w->r->same_room, w->n + count, 1))
        return -1;
    memcpy(w->r->same + w->n, bytes, count);
    w->n += count;
    return 0;
}

static unsigned lf_same_hex(const char *s) {
    unsigned v = 0;
    for (int i = 0; i < 4; i++)
        v = 16 * v + (unsigned)(s[i] <= '9' ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
    return v;
}

/* The number of an escape \uXXXX at s, or -1. */
static long lf_same_unit(const char *s, const char *end) {
    if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++)
        if (!s[i] || !strchr("0123456789abcdefABCDEF", s[i]))
            return -1;
    return (long)lf_same_hex(s + 2);
}

static int lf_same_letter(struct lf_same *w, unsigned long c) {
    static const char named[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    char out[8];
    size_t n = 0;
    const char *name = NULL;
    for (size_t i = 0; i + 1 < sizeof named; i += 2)
        if ((unsigned char)named[i] == c)
            name = &named[i + 1];
    if (name)
        out[n++] = '\\', out[n++] = *name;
    else if (c < ' ' || (c >= 0xd800 && c < 0xe000)) /* half of a pair is no letter */
        n = (size_t)snprintf(out, sizeof out, "\\u%04lx", c);
    else if (c < 0x80)
        out[n++] = (char)c;
    else {
        if (c >= 0x10000)
            out[n++] = (char)(0xf0 | c >> 18), out[n++] = (char)(0x80 | (c >> 12 & 63));
        else if (c >= 0x800)
            out[n++] = (char)(0xe0 | c >> 12);
        else
            out[n++] = (char)(0xc0 | c >> 6);
        if (c >= 0x800)
            out[n++] = (char)(0x80 | (c >> 6 & 63));
        out[n++] = (char)(0x80 | (c & 63));
    }
    return lf_same_write(w, out, n);
}

static int lf_same_string(struct lf_same *w) {
    const char *close = lf_json_string_end(w->s, w->end) - 1, *run = w->s;
    for (w->s++; w->s < close; w->s++) {
        if (*w->s != '\\')
            continue;
        if (lf_same_write(w, run, (size_t)(w->s - run)))
            return -1;
        long c = lf_same_unit(w->s, close), low;
        if (c >= 0xd800 && c < 0xdc00 && (low = lf_same_unit(w->s + 6, close)) >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            w->s += 11;
        } else if (c >= 0)
            w->s += 5;
        else {
            static const char named[] = "b\bf\fn\nr\rt\t";
            const char *name = strchr(named, *++w->s);
            bool is = name && *name && (name - named) % 2 == 0;
            c = is ? name[1] : (unsigned char)*w->s;
        }
        if (lf_same_letter(w, (unsigned long)c))
            return -1;
        run = w->s + 1;
    }
    w->s = close + 1;
    return lf_same_write(w, run, (size_t)(w->s - run));
}

static int lf_same_order(const void *a, const void *b) {
    const struct lf_member *x = a, *y = b;
    int order = memcmp(x->name, y->name, x->size < y->size ? x->size : y->size);
    if (order == 0 && x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return order ? order : x->from < y->from ? -1 : x->from > y->from;
}

/* Puts the members of an object, written from `from` on, in the order of their names. */
static int lf_same_sort(struct lf_same *w, struct lf_member *member, size_t count, size_t from) {
    size_t at = w->n;
    for (size_t i = 0; i < count; i++)
        member[i].name = w->r->same + member[i].from;
    if (count > 1)
        qsort(member, count, sizeof *member, lf_same_order);
    if (lf_room(w->r, &w->r->same, &w->r->same_room, w->n + (w->n - from) + 2 * count, 1))
        return -1;
    for (size_t i = 0; i < count; i++) { /* a copy behind the end, then back */
        if (i)
            memcpy(w->r->same + at, ", ", 2), at += 2;
        memcpy(w->r->same + at, w->r->same + member[i].from, member[i].to - member[i].from);
        at += member[i].to - member[i].from;
    }
    memmove(w->r->same + from, w->r->same + w->n, at - w->n);
    w->n = from + (at - w->n);
    return 0;
}

static int lf_same_value(struct lf_same *w);

static int lf_same_collection(struct lf_same *w) {
    bool object = *w->s == '{';
    struct lf_member *member = NULL;
    size_t count = 0, room = 0, from;
    int failed = lf_same_write(w, w->s++, 1);
    from = w->n;
    for (;; count++) {
        while (w->s < w->end && (*w->s == ',' || lf_json_space(w->s, w->end) != w->s))
            w->s++;
        if (failed || w->s >= w->end || *w->s == ']' || *w->s == '}')
            break;
        struct lf_member m = {.from = w->n};
        if (object) {
            failed = lf_room(w->r, &member, &room, count + 1, sizeof *member) || lf_same_value(w);
            m.size = w->n - m.from;
            while (w->s < w->end && (*w->s == ':' || lf_json_space(w->s, w->end) != w->s))
                w->s++;
            failed = failed || lf_same_write(w, ": ", 2) || lf_same_value(w);
            m.to = w->n;
            if (!failed)
                member[count] = m;
        } else
            failed = (count && lf_same_write(w, ", ", 2)) || lf_same_value(w);
    }
    failed = failed || (object && lf_same_sort(w, member, count, from)) || lf_same_write(w, object ? "}" : "]", 1);
    w->s += w->s < w->end;
    free(member);
    return failed ? -1 : 0;
}

static int lf_same_value(struct lf_same *w) {
    w->s = lf_json_space(w->s, w->end);
    if (w->s >= w->end)
        return 0;
    if (*w->s == '"' && lf_json_string_end(w->s, w->end))
        return lf_same_string(w);
    if (*w->s == '[' || *w->s == '{')
        return lf_same_collection(w);
    const char *from = w->s++;
    while (w->s < w->end && !strchr(" \t\r,:[]{}\"", *w->s))
        w->s++;
    return lf_same_write(w, from, (size_t)(w->s - from));
}

int64_t lf_history_reader_value(struct lf_history_reader *r, const char *bytes, size_t count) {
    bool plain = count && *bytes != '[' && *bytes != '{' && !memchr(bytes, '\\', count);
    if (plain)
        return lf_history_reader_text(r, bytes, count);
    struct lf_same w = {.r = r, .s = bytes, .end = bytes + count};
    return lf_same_value(&w) ? -1 : lf_history_reader_text(r, r->same, w.n);
}
