/* What the two halves of the reader share: the records with their texts and names, and the lines that fill them. */
#ifndef LF_LINEARIZE_READER_H
#define LF_LINEARIZE_READER_H

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
    char *same; /* a value in the form that all of the same meaning have */
    size_t same_room;
    char *name[LF_NAMES];
};

/* Remembers the first error, with its line; -1. */
int lf_fail(struct lf_history_reader *r, const char *what, const char *detail, size_t count);
/* Makes *memory (a pointer) large enough for `need` things of `size` bytes: 0, or -1. */
int lf_room(struct lf_history_reader *r, void *memory, size_t *room, size_t need, size_t size);

#endif
