/* JSON values in a text that need not end with a zero. */
#ifndef LF_LINEARIZE_JSON_H
#define LF_LINEARIZE_JSON_H

#include <stdbool.h>
#include <stdint.h>

enum lf_json { LF_J_ABSENT, LF_J_NULL, LF_J_TRUE, LF_J_FALSE, LF_J_INT, LF_J_OTHER };
struct lf_json_value {
    enum lf_json kind;
    int64_t a;
    const char *from, *to;
};

static inline const char *lf_json_space(const char *s, const char *end) {
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
        s++;
    return s;
}
/* The end of the string that starts at s, or NULL. */
const char *lf_json_string_end(const char *s, const char *end);
/* The end of any value, or NULL: brackets and strings must match, words and numbers must look like ones. */
const char *lf_json_value_end(const char *s, const char *end);
/* An integer in range that is the whole of [s, e). */
bool lf_json_integer(const char *s, const char *e, int64_t *value);
bool lf_json_is(const char *s, const char *e, const char *word);

const char *lf_json_any_value(const char *s, const char *end, struct lf_json_value *v);
/* Reads the value that starts at s; its end, or NULL. Most values are short integers. */
static inline const char *lf_json_value(const char *s, const char *end, struct lf_json_value *v) {
    const char *d = s;
    v->from = s;
    bool minus = d < end && *d == '-';
    uint64_t n = 0;
    for (d += minus; d < end && (unsigned)(*d - '0') < 10 && d - s < 18; d++)
        n = 10 * n + (unsigned)(*d - '0');
    if (d > s + minus && d < end && (*d == ',' || *d == '}' || *d == ' ') && (s[minus] != '0' || d == s + minus + 1)) {
        v->kind = LF_J_INT;
        v->a = minus ? -(int64_t)n : (int64_t)n;
        return v->to = d;
    }
    return lf_json_any_value(s, end, v);
}

#endif
