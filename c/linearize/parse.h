/* Reads histories from JSON lines, in pieces of any size, and checks that a history can be one.
 *
 *   {"client": 0, "op": "put", "arg": 7, "result": true, "call": 1200, "return": 1850}
 *
 * Values that are not integers are kept as JSON text, and compared as text in one form (see same.c). Fields nobody knows are skipped. */
#ifndef LF_LINEARIZE_PARSE_H
#define LF_LINEARIZE_PARSE_H

#include <stddef.h>
#include "linearize/history.h"

struct lf_history_reader;

/* `any_operation`: names outside of history.h are operations of a user's specification. NULL: no memory. */
struct lf_history_reader *lf_history_reader_new(int any_operation);
void lf_history_reader_free(struct lf_history_reader *r);
/* 0, or -1: see lf_history_reader_error. After an error nothing more is read. */
int lf_history_reader_feed(struct lf_history_reader *r, const char *bytes, size_t count);
int lf_history_reader_finish(struct lf_history_reader *r);
const char *lf_history_reader_error(const struct lf_history_reader *r);
uint64_t lf_history_reader_error_line(const struct lf_history_reader *r);

/* Room for one more record, counted as present; NULL when out of memory. */
struct lf_history_op *lf_history_reader_append(struct lf_history_reader *r);
int lf_history_reader_extend(struct lf_history_reader *r, const struct lf_history_op *ops, size_t count);
struct lf_history_op *lf_history_reader_ops(struct lf_history_reader *r, size_t *count);
uint64_t lf_history_reader_line(const struct lf_history_reader *r, size_t op);
/* Texts: number of a text (added if new, -1 when out of memory), and back. */
int64_t lf_history_reader_text(struct lf_history_reader *r, const char *bytes, size_t count);
const char *lf_history_reader_text_at(const struct lf_history_reader *r, size_t i, size_t *count);
/* The number of a value's text. Values that mean the same have one text;
 * numbers are compared as they are written. */
int64_t lf_history_reader_value(struct lf_history_reader *r, const char *bytes, size_t count);
size_t lf_history_reader_texts(const struct lf_history_reader *r);
/* Name of a user's operation by its code, and code by name (-1: there are too many). */
const char *lf_history_reader_name(const struct lf_history_reader *r, int op);
int lf_history_reader_code(struct lf_history_reader *r, const char *name, size_t count);

enum lf_history_fault {
    LF_HISTORY_FINE,
    LF_HISTORY_BACKWARDS, /* returned before it was called */
    LF_HISTORY_OVERLAP,
    LF_HISTORY_AFTER_END, /* of one client; an operation after one that never returned */
    LF_HISTORY_BATCH_INTERVAL,
    LF_HISTORY_BAD_OP,
    LF_HISTORY_BAD_TIME,
    LF_HISTORY_NO_MEMORY
};
/* Checks `ops`; *at and *other are the operations at fault. */
int lf_history_validate(const struct lf_history_op *ops, size_t count, size_t *at, size_t *other);

/* The first operation whose code is not marked in known[256], the first with a flag; `count` if there is none. */
size_t lf_history_foreign(const struct lf_history_op *ops, size_t count, const uint8_t *known);
size_t lf_history_flagged(const struct lf_history_op *ops, size_t count, uint32_t flag);
/* Containers without order keep nothing in arg2. */
void lf_history_forget_tickets(struct lf_history_op *ops, size_t count);
/* Turns [priority, id] back into one value, for objects without priorities; -1 when out of memory. */
int lf_history_reader_join_pairs(struct lf_history_reader *r, struct lf_history_op *ops, size_t count);

#endif
