#include "linearize/json.h"
#include <string.h>
#include "linearize/history.h"

const char *lf_json_string_end(const char *s, const char *end) {
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

const char *lf_json_value_end(const char *s, const char *end) {
    char close[64];
    int depth = 0;
    do {
        s = lf_json_space(s, end);
        if (s == end)
            return NULL;
        if (*s == '"') {
            if (!(s = lf_json_string_end(s, end)))
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

bool lf_json_integer(const char *s, const char *e, int64_t *value) {
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

bool lf_json_is(const char *s, const char *e, const char *word) {
    size_t n = strlen(word);
    return (size_t)(e - s) == n && !memcmp(s, word, n);
}

const char *lf_json_any_value(const char *s, const char *end, struct lf_json_value *v) {
    v->from = s;
    if (!(v->to = lf_json_value_end(s, end)))
        return NULL;
    if (lf_json_is(s, v->to, "null"))
        v->kind = LF_J_NULL;
    else if (lf_json_is(s, v->to, "true"))
        v->kind = LF_J_TRUE;
    else if (lf_json_is(s, v->to, "false"))
        v->kind = LF_J_FALSE;
    else if (lf_json_integer(s, v->to, &v->a))
        v->kind = LF_J_INT;
    else
        v->kind = LF_J_OTHER;
    return v->to;
}
