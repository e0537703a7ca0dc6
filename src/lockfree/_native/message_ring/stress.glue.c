#include <lockfree/message_ring.h>

/* One call on a MessageRing, chosen by weight. plan.kind: the longest message. */
enum {
    LF__MESSAGE_TRY_PUT,
    LF__MESSAGE_TRY_GET,
    LF__MESSAGE_PUT,
    LF__MESSAGE_GET,
    LF__MESSAGE_PUT_MANY,
    LF__MESSAGE_RESERVE,
    LF__MESSAGE_READ,
    LF__MESSAGE_LEASE
};

static int lf__stress_message_read(struct lf_message_ring *r, struct lf_stress_client *c, uint32_t lease) {
    unsigned char message[256];
    uint64_t length = 0;
    lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
    int64_t first = lf_message_ring_peek(r, lease, &length);
    if (first < 0)
        return lf__end_get(c, first, NULL, 0);
    int64_t status = length <= sizeof message ? lf_message_ring_read(r, first, message, length) : (int64_t)LF_CORRUPT;
    if (lf__below(c, 16) == 0)
        sched_yield();
    if (status == LF_OK)
        status = lf_message_ring_release(r, first);
    return lf__end_get(c, status == LF_OK ? (int64_t)length : status, message, 0);
}

static int lf__stress_message_ring(struct lf_message_ring *r, struct lf_stress_client *c) {
    unsigned char message[256];
    struct lf__batch b;
    uint32_t which = lf__some_operation(c);
    uint64_t until = lf__some_deadline(c), value, length = lf__some_length(c, c->plan.kind);
    int64_t status = LF_INTERRUPTED;
    switch (which) {
    case LF__MESSAGE_TRY_PUT:
    case LF__MESSAGE_PUT:
    case LF__MESSAGE_RESERVE:
        value = lf_stress_next_value(c);
        lf__fill(message, value, length);
        lf_stress_open(c, LF_OP_PUT, (int64_t)value, 0);
        if (which == LF__MESSAGE_RESERVE && (status = lf_message_ring_reserve(r, length)) >= 0) {
            int64_t first = status;
            status = lf_message_ring_write(r, first, message, length);
            status = status == LF_OK ? lf_message_ring_commit(r, first) : status;
        }
        while (status == LF_INTERRUPTED)
            status = which == LF__MESSAGE_PUT ? lf_message_ring_put(r, message, length, until)
                                              : lf_message_ring_try_put(r, message, length);
        return lf__end_put(c, status);
    case LF__MESSAGE_PUT_MANY:
        lf__open_put_batch(c, &b, c->plan.kind);
        return lf__end_put_batch(c, &b, lf_message_ring_put_many(r, b.records, b.lengths, b.count));
    case LF__MESSAGE_TRY_GET:
    case LF__MESSAGE_GET:
        lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
        while (status == LF_INTERRUPTED)
            status = which == LF__MESSAGE_GET ? lf_message_ring_get(r, message, sizeof message, until)
                                              : lf_message_ring_try_get(r, message, sizeof message);
        return lf__end_get(c, status, message, 0);
    default:
        return lf__stress_message_read(r, c, which == LF__MESSAGE_LEASE ? LF_LEASE : 0);
    }
}
LF_STRESS_LOOP(struct lf_message_ring, message_ring)
