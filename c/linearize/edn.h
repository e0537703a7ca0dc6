/* EDN, the notation of Jepsen's histories, as JSON: keywords and symbols become strings, lists and sets become arrays,
 * tags are dropped. And its operations in pairs: an invocation with what completed it. */
#ifndef LF_LINEARIZE_EDN_H
#define LF_LINEARIZE_EDN_H

#include <stddef.h>
#include <stdint.h>

struct lf_edn {
    char *json; /* malloc'ed */
    size_t bytes, room;
    uint64_t line; /* on failure: the line at fault */
    char error[160];
};

enum lf_edn_fields { LF_EDN_PROCESS, LF_EDN_TYPE, LF_EDN_F, LF_EDN_VALUE, LF_EDN_KEY, LF_EDN_TIME, LF_EDN_FIELDS };

struct lf_edn_slice {
    size_t from, to;
};

struct lf_edn_reader {
    const char *s, *end;
    struct lf_edn *out;
    char around;                              /* closes the list whose elements count one by one; 0: none is open */
    uint64_t line;                            /* where the entry begins */
    struct lf_edn_slice field[LF_EDN_FIELDS]; /* of its JSON; empty: it has none */
};

/* The next entry at the top as JSON in `out`, which begins empty: 1, 0 at the end, -1 with an error. The elements of a
 * vector or list of collections count as entries. A vector of four is [process type f value]. */
int lf_edn_entry(struct lf_edn_reader *r);

/* A Jepsen history as one JSON array of [line, call, return, process, type, f, given, came, key]; `type` is "ok", "fail"
 * or "info", `given` and `came` the values of both halves. Positions are the time, :time gives the distances.
 * 0, or -1 with `error` and `line`. */
int lf_jepsen_pairs(const char *text, size_t bytes, struct lf_edn *edn);
void lf_edn_free(struct lf_edn *edn);

#endif
