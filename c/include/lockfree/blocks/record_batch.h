/* record_batch.h: building block: the records that put_many was given, and the rows that get_many fills. */
#ifndef LOCKFREE_RECORD_BATCH_H
#define LOCKFREE_RECORD_BATCH_H

#include "base.h"

/* Either each record has `length` bytes and they are `pitch` apart, or `lengths` is given and they are packed. */
struct lf_batch {
    const unsigned char *from; /* the next record */
    uint64_t pitch, length;
    const uint32_t *lengths; /* or NULL; of the next record on */
};
LF_INLINE uint64_t lf_batch_length(const struct lf_batch *batch, uint64_t i) {
    return batch->lengths != NULL ? batch->lengths[i] : batch->length;
}
LF_INLINE int lf_batch_check(const struct lf_batch *batch, uint64_t count, uint64_t record_size) {
    if (batch->lengths == NULL && batch->length > record_size)
        return LF_TOO_LONG;
    for (uint64_t i = 0; batch->lengths != NULL && i < count; i++)
        if (batch->lengths[i] > record_size)
            return LF_TOO_LONG;
    return LF_OK;
}
/* Copies the next record, which is the i-th of a run. Its length. */
LF_INLINE uint64_t lf_batch_copy(struct lf_batch *batch, uint64_t i, unsigned char *to) {
    uint64_t length = lf_batch_length(batch, i);
    lf_copy(to, batch->from, length);
    batch->from += batch->lengths != NULL ? length : batch->pitch;
    return length;
}
/* The run is over. */
LF_INLINE void lf_batch_pass(struct lf_batch *batch, uint64_t run) {
    if (batch->lengths != NULL)
        batch->lengths += run;
}

/* Records that are further apart are published one by one: the consumer copies one while the producer copies the next. */
#define LF_RUN_STRIDE 4096

/* A record of a batch, beside which the row is padded with zeros. */
LF_INLINE void lf_copy_row(const unsigned char *payload, unsigned char *row, uint64_t length, uint64_t pitch) {
    lf_copy(row, payload, length);
    if (length < pitch)
        memset(row + length, 0, pitch - length);
}

#endif
