#include "linearize/edn.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LF_EDN_DEPTH = 200 };

struct lf_edn_text {
    const char *bytes;
    size_t count;
};

static int lf_edn_fail(struct lf_edn_reader *r, const char *what, const char *detail, size_t count) {
    if (!r->out->error[0])
        snprintf(r->out->error, sizeof r->out->error, count ? "%s %.*s" : "%s", what, (int)(count > 60 ? 60 : count),
                 detail);
    return -1;
}

static int lf_edn_write(struct lf_edn_reader *r, const char *bytes, size_t count) {
    struct lf_edn *o = r->out;
    if (o->bytes + count > o->room) {
        size_t room = 2 * o->room + count + 4096;
        char *bigger = realloc(o->json, room);
        if (!bigger)
            return lf_edn_fail(r, "out of memory", "", 0);
        o->json = bigger;
        o->room = room;
    }
    memcpy(o->json + o->bytes, bytes, count);
    o->bytes += count;
    return 0;
}

static bool lf_edn_ends(char c) { return strchr(" \t\r\n\f,()[]{}\";", c) != NULL; }

/* White space, commas and comments. */
static void lf_edn_space(struct lf_edn_reader *r) {
    for (; r->s < r->end; r->s++) {
        if (*r->s == ';') {
            while (r->s < r->end && *r->s != '\n')
                r->s++;
            if (r->s == r->end)
                return;
        }
        if (*r->s == '\n')
            r->out->line++;
        else if (!*r->s || !strchr(" \t\r\f,", *r->s))
            return;
    }
}

static int lf_edn_hex(const char *s, const char *end) {
    for (int i = 0; i < 4; i++)
        if (s + i >= end || !strchr("0123456789abcdefABCDEF", s[i]) || !s[i])
            return -1;
    return 0;
}

static int lf_edn_string(struct lf_edn_reader *r) {
    const char *from = r->s++, *run = from;
    uint64_t line = r->out->line;
    for (; r->s < r->end && *r->s != '"'; r->s++) {
        unsigned char c = (unsigned char)*r->s;
        if (c == '\\') {
            char e = ++r->s < r->end ? *r->s : 0;
            if (!e || !strchr("trnbf\\\"/u", e) || (e == 'u' && lf_edn_hex(r->s + 1, r->end)))
                return lf_edn_fail(r, "no escape of a string:", r->s - 1, 2);
        } else if (c < ' ') { /* allowed here, not in JSON */
            char escaped[8];
            int n = snprintf(escaped, sizeof escaped, "\\u%04x", c);
            if (lf_edn_write(r, run, (size_t)(r->s - run)) || lf_edn_write(r, escaped, (size_t)n))
                return -1;
            run = r->s + 1;
            r->out->line += c == '\n';
        }
    }
    if (r->s >= r->end) {
        r->out->line = line;
        return lf_edn_fail(r, "truncated: a string is never closed:", from, (size_t)(r->end - from));
    }
    return lf_edn_write(r, run, (size_t)(++r->s - run));
}

/* Text as a JSON string. */
static int lf_edn_quote(struct lf_edn_reader *r, const char *s, size_t n) {
    if (lf_edn_write(r, "\"", 1))
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool special = s[i] == '"' || s[i] == '\\';
        if ((unsigned char)s[i] < ' ')
            return lf_edn_fail(r, "a control character in", s, n);
        if ((special && lf_edn_write(r, "\\", 1)) || lf_edn_write(r, s + i, 1))
            return -1;
    }
    return lf_edn_write(r, "\"", 1);
}

/* The length of the number that a token is, as JSON has it; 0: none. `*skip`: a plus sign to leave out. */
static size_t lf_edn_number(const char *s, size_t n, size_t *skip) {
    size_t i = *skip = s[0] == '+', from;
    if (i == 0 && s[0] == '-')
        i++;
    from = i;
    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    if (i == from || (s[from] == '0' && i - from > 1))
        return 0;
    if (i + 1 == n && s[i] == 'N')
        return i;
    if (i + 1 < n && s[i] == '.') {
        for (from = ++i; i < n && s[i] >= '0' && s[i] <= '9';)
            i++;
        if (i == from)
            return 0;
    }
    if (i + 1 < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        i += i + 1 < n && (s[i] == '+' || s[i] == '-');
        for (from = i; i < n && s[i] >= '0' && s[i] <= '9';)
            i++;
        if (i == from)
            return 0;
    }
    return i == n || (i + 1 == n && s[i] == 'M') ? i : 0;
}

static int lf_edn_atom(struct lf_edn_reader *r, bool key) {
    const char *s = r->s;
    r->s += *s == '\\' && r->s + 1 < r->end; /* a character may be a bracket */
    do
        r->s++;
    while (r->s < r->end && !lf_edn_ends(*r->s));
    size_t n = (size_t)(r->s - s), skip;
    bool digit = *s >= '0' && *s <= '9', sign = (*s == '-' || *s == '+') && n > 1 && s[1] >= '0' && s[1] <= '9';
    if (*s == ':')
        return n > 1 ? lf_edn_quote(r, s + 1, n - 1) : lf_edn_fail(r, "not EDN:", s, n);
    if (digit || sign) {
        size_t digits = lf_edn_number(s, n, &skip);
        bool ratio = memchr(s, '/', n) != NULL;
        if (!digits && !ratio)
            return lf_edn_fail(r, "not a number:", s, n);
        return key || ratio ? lf_edn_quote(r, s, n) : lf_edn_write(r, s + skip, digits - skip);
    }
    bool word = (n == 3 && !memcmp(s, "nil", 3)) || (n == 4 && !memcmp(s, "true", 4)) ||
                (n == 5 && !memcmp(s, "false", 5));
    if (word && !key)
        return *s == 'n' ? lf_edn_write(r, "null", 4) : lf_edn_write(r, s, n);
    bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || strchr(".*+!_?$%&=<>/-\\|", *s);
    if (!letter && !((unsigned char)*s & 0x80))
        return lf_edn_fail(r, "not EDN:", s, n);
    return lf_edn_quote(r, s, n);
}

/* Tags are dropped, and so is what #_ stands before. 1: a value comes next, 0: nothing does. */
static int lf_edn_value(struct lf_edn_reader *r, int depth, bool key);
static int lf_edn_next(struct lf_edn_reader *r, int depth) {
    for (;;) {
        lf_edn_space(r);
        if (r->s == r->end)
            return 0;
        if (*r->s != '#' || (r->s + 1 < r->end && r->s[1] == '{'))
            return 1;
        if (r->s + 1 < r->end && r->s[1] == '_') {
            size_t bytes = r->out->bytes;
            r->s += 2;
            if (lf_edn_next(r, depth) == 1 && lf_edn_value(r, depth, false))
                return -1;
            r->out->bytes = bytes;
            continue;
        }
        if (r->s + 1 < r->end && r->s[1] == '#')
            return 1; /* ##Inf, ##NaN */
        const char *tag = r->s;
        while (r->s < r->end && !lf_edn_ends(*r->s))
            r->s++;
        if (r->s - tag < 2)
            return lf_edn_fail(r, "not EDN:", tag, 1);
    }
}

/* The field of an operation whose name was written from `start` on. */
static int lf_edn_field(const struct lf_edn_reader *r, size_t start) {
    static const char *const name[LF_EDN_FIELDS] = {"process", "type", "f", "value", "key", "time"};
    size_t n = r->out->bytes - start - 2;
    for (int i = 0; i < LF_EDN_FIELDS; i++)
        if (strlen(name[i]) == n && !memcmp(r->out->json + start + 1, name[i], n))
            return i;
    return -1;
}

static void lf_edn_note(struct lf_edn_reader *r, int field, size_t from) {
    if (field >= 0)
        r->field[field].from = from, r->field[field].to = r->out->bytes;
}

static int lf_edn_order(const void *a, const void *b) {
    const struct lf_edn_text *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->count < y->count ? x->count : y->count);
    return order ? order : (x->count > y->count) - (x->count < y->count);
}

/* Sets and maps are printed in any order: their `count` elements, which were written from start[i] on, get one. */
static int lf_edn_sort(struct lf_edn_reader *r, const size_t *start, size_t count) {
    size_t from = start[0], bytes = r->out->bytes - from, at = 0;
    char *copy = malloc(bytes);
    struct lf_edn_text *element = malloc(count * sizeof *element);
    if (copy && element) {
        memcpy(copy, r->out->json + from, bytes);
        for (size_t i = 0; i < count; i++) /* a comma stands before the next */
            element[i] = (struct lf_edn_text){copy + (start[i] - from),
                                              i + 1 < count ? start[i + 1] - start[i] - 1 : from + bytes - start[i]};
        qsort(element, count, sizeof *element, lf_edn_order);
        for (size_t i = 0; i < count; i++) {
            if (i)
                r->out->json[from + at++] = ',';
            memcpy(r->out->json + from + at, element[i].bytes, element[i].count);
            at += element[i].count;
        }
    }
    bool done = copy && element;
    free(copy), free(element);
    return done ? 0 : lf_edn_fail(r, "out of memory", "", 0);
}

struct lf_edn_starts {
    size_t *at, n, room;
};

static int lf_edn_start(struct lf_edn_reader *r, struct lf_edn_starts *starts) {
    if (starts->n == starts->room) {
        size_t room = starts->room ? 2 * starts->room : 16, *bigger = realloc(starts->at, room * sizeof *bigger);
        if (!bigger)
            return lf_edn_fail(r, "out of memory", "", 0);
        starts->at = bigger;
        starts->room = room;
    }
    starts->at[starts->n++] = r->out->bytes;
    return 0;
}

static int lf_edn_elements(struct lf_edn_reader *r, int depth, struct lf_edn_starts *starts);
static int lf_edn_collection(struct lf_edn_reader *r, int depth) {
    struct lf_edn_starts starts = {0};
    int failed = lf_edn_elements(r, depth, &starts);
    free(starts.at);
    return failed;
}

static int lf_edn_elements(struct lf_edn_reader *r, int depth, struct lf_edn_starts *starts) {
    uint64_t line = r->out->line;
    const char *from = r->s;
    bool map = *from == '{', any_order = depth && (map || *from == '#'); /* an operation itself is not sorted */
    int field = -1;
    char close = map || *from == '#' ? '}' : *from == '[' ? ']' : ')';
    r->s += *from == '#' ? 2 : 1;
    if (depth == LF_EDN_DEPTH)
        return lf_edn_fail(r, "values are nested too deeply", "", 0);
    if (lf_edn_write(r, map ? "{" : "[", 1))
        return -1;
    for (size_t n = 0;; n++) {
        int more = lf_edn_next(r, depth + 1);
        if (more < 0)
            return -1;
        if (!more) {
            r->out->line = line;
            return lf_edn_fail(r, "truncated: this is never closed:", from, (size_t)(r->end - from));
        }
        if (*r->s == close) {
            r->s++;
            if (map && n % 2)
                return lf_edn_fail(r, "a map with a key and no value", "", 0);
            if (starts->n > 1 && lf_edn_sort(r, starts->at, starts->n))
                return -1;
            return lf_edn_write(r, map ? "}" : "]", 1);
        }
        bool key = map && n % 2 == 0;
        if (n && lf_edn_write(r, map && !key ? ":" : ",", 1))
            return -1;
        size_t start = r->out->bytes;
        if (any_order && (key || !map) && lf_edn_start(r, starts))
            return -1;
        if (lf_edn_value(r, depth + 1, key))
            return -1;
        if (depth == 0 && key)
            field = lf_edn_field(r, start);
        else if (depth == 0)
            lf_edn_note(r, map ? field : n < 4 ? (int)n : -1, start);
    }
}

static int lf_edn_value(struct lf_edn_reader *r, int depth, bool key) {
    switch (*r->s) {
    case '[':
    case '(':
    case '{':
        break;
    case '"':
        return lf_edn_string(r);
    case ']':
    case ')':
    case '}':
        return lf_edn_fail(r, "unexpected", r->s, 1);
    case '#':
        if (r->s + 1 < r->end && r->s[1] == '#') {
            r->s += 2;
            return lf_edn_atom(r, true);
        }
        break;
    default:
        return lf_edn_atom(r, key);
    }
    if (key)
        return lf_edn_fail(r, "a collection as the key of a map:", r->s, (size_t)(r->end - r->s));
    return lf_edn_collection(r, depth);
}

int lf_edn_entry(struct lf_edn_reader *r) {
    memset(r->field, 0, sizeof r->field);
    r->out->bytes = 0;
    for (;;) {
        uint64_t opened = r->out->line;
        int more = lf_edn_next(r, 0);
        if (more < 0)
            return -1;
        if (!more && r->around) {
            r->out->line = opened;
            return lf_edn_fail(r, "truncated: the list of operations is never closed", "", 0);
        }
        if (!more)
            return 0;
        if (r->around && *r->s == r->around) {
            r->around = 0;
            r->s++;
            continue;
        }
        if (!r->around && (*r->s == '[' || *r->s == '(')) {
            struct lf_edn_reader inside = *r;
            uint64_t line = r->out->line;
            inside.s++;
            bool list = lf_edn_next(&inside, 0) == 1 && strchr("[({#])", *inside.s);
            r->out->line = line;
            if (r->out->error[0])
                return -1;
            if (list) {
                r->around = *r->s == '[' ? ']' : ')';
                r->s++;
                continue;
            }
        }
        r->line = r->out->line;
        return lf_edn_value(r, 0, false) ? -1 : 1;
    }
}

void lf_edn_free(struct lf_edn *edn) {
    free(edn->json);
    edn->json = NULL;
}
