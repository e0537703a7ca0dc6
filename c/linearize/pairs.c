/* What a specification asks of a history before it is decided: no operation that it does not have, and pairs only
 * where they are [priority, id]. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "linearize/parse.h"

size_t lf_history_foreign(const struct lf_history_op *ops, size_t count, const uint8_t *known) {
    size_t i = 0;
    while (i < count && known[ops[i].op])
        i++;
    return i;
}

size_t lf_history_flagged(const struct lf_history_op *ops, size_t count, uint32_t flag) {
    size_t i = 0;
    while (i < count && !(ops[i].flags & flag))
        i++;
    return i;
}

void lf_history_forget_tickets(struct lf_history_op *ops, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!(ops[i].flags & LF_HISTORY_TICKET))
            continue;
        ops[i].arg2 = 0;
        ops[i].flags &= (uint8_t)~LF_HISTORY_TICKET;
    }
}

static size_t lf_print(const struct lf_history_reader *r, int64_t value, char *out, size_t room) {
    size_t n = 0;
    if (value == LF_HISTORY_NONE)
        return (size_t)snprintf(out, room, "null");
    if (value < LF_HISTORY_TEXT || value > LF_HISTORY_TEXT + UINT32_MAX)
        return (size_t)snprintf(out, room, "%" PRId64, value);
    const char *text = lf_history_reader_text_at(r, (size_t)(value - LF_HISTORY_TEXT), &n);
    if (text && n < room)
        memcpy(out, text, n);
    return text ? n : (size_t)snprintf(out, room, "#%" PRId64, value - LF_HISTORY_TEXT);
}

int lf_history_reader_join_pairs(struct lf_history_reader *r, struct lf_history_op *ops, size_t count) {
    size_t room = 256;
    char *text = malloc(room);
    for (size_t i = 0; text && i < count; i++) {
        if (!(ops[i].flags & LF_HISTORY_PAIR))
            continue;
        int64_t *value = ops[i].op == LF_OP_PUT || ops[i].op == LF_OP_PUT_FRONT ? &ops[i].arg : &ops[i].result;
        for (;;) {
            size_t n = 1;
            n += lf_print(r, ops[i].arg2, text + n, room - n);
            if (n + 3 < room) {
                text[0] = '[', text[n++] = ',', text[n++] = ' ';
                n += lf_print(r, *value, text + n, room - n);
            }
            if (n + 1 < room) {
                text[n++] = ']';
                int64_t number = lf_history_reader_text(r, text, n);
                if (number < 0)
                    return free(text), -1;
                *value = LF_HISTORY_TEXT + number;
                break;
            }
            char *bigger = realloc(text, room *= 2);
            if (!bigger)
                return free(text), -1;
            text = bigger;
        }
        ops[i].arg2 = 0;
        ops[i].flags &= (uint8_t)~LF_HISTORY_PAIR;
    }
    if (!text)
        return -1;
    free(text);
    return 0;
}
