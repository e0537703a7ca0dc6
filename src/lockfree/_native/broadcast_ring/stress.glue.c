#include "broadcast_ring/place.h"

/* One call on a BroadcastRing, chosen by weight. A client is a reader from the beginning to the end, or writes; the
 * clients that write pass the role on. plan.kind: the longest message. */
enum {
    LF__BROADCAST_TRY_PUT,
    LF__BROADCAST_PUT,
    LF__BROADCAST_PUT_MANY,
    LF__BROADCAST_WRITE,
    LF__BROADCAST_TRY_GET,
    LF__BROADCAST_GET,
    LF__BROADCAST_READ
};

static int lf__stress_broadcast_not_ours(struct lf_stress_client *c, uint32_t count) {
    lf_nap(20000 + lf__below(c, 200000));
    lf_stress_forget(c, count);
    return LF_OK;
}

static int lf__stress_broadcast_put(struct lf_broadcast_ring *r, struct lf_stress_client *c, uint32_t which) {
    unsigned char message[256];
    struct lf__batch b;
    uint64_t until = lf__some_deadline(c), value, length = lf__some_length(c, c->plan.kind), all = LF_BROADCAST_TO_ALL;
    int64_t status = LF_INTERRUPTED;
    if (which == LF__BROADCAST_PUT_MANY) {
        lf__open_put_batch(c, &b, c->plan.kind);
        status = lf_broadcast_ring_put_many(r, b.records, b.lengths, b.count, all);
        if (status == LF_ROLE_TAKEN)
            return lf__stress_broadcast_not_ours(c, b.count);
        return lf__end_put_batch(c, &b, status == LF_FULL ? 0 : status);
    }
    value = lf_stress_next_value(c);
    lf__fill(message, value, length);
    lf_stress_open(c, LF_OP_PUT, (int64_t)value, 0);
    if (which == LF__BROADCAST_WRITE && r->slow == LF_SLOW_WAIT) {
        status = lf_broadcast_ring_reserve(r, c->plan.kind);
        if (status >= 0) {
            memcpy(r->bytes + status, message, length);
            status = lf_broadcast_ring_commit(r, status, c->plan.kind, length, all);
        }
    }
    while (status == LF_INTERRUPTED)
        status = which == LF__BROADCAST_PUT ? lf_broadcast_ring_put(r, message, length, all, until)
                                            : lf_broadcast_ring_try_put(r, message, length, all);
    return status == LF_ROLE_TAKEN ? lf__stress_broadcast_not_ours(c, 1) : lf__end_put(c, status);
}

static int lf__stress_broadcast_get(struct lf_broadcast_ring *r, struct lf_stress_client *c, uint32_t k,
                                    uint32_t which) {
    unsigned char message[256];
    uint64_t until = lf__some_deadline(c), length = 0;
    int64_t status = LF_INTERRUPTED;
    lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
    if (which == LF__BROADCAST_READ && r->slow == LF_SLOW_WAIT) {
        int64_t place = status = lf_broadcast_ring_peek(r, k, &length);
        if (place >= 0) {
            memcpy(message, r->bytes + place, length);
            status = lf_broadcast_ring_take(r, k, place, NULL, length);
            status = status == LF_OK ? (int64_t)length : status;
        }
    }
    while (status == LF_INTERRUPTED)
        status = which == LF__BROADCAST_GET ? lf_broadcast_ring_get(r, k, message, sizeof message, until)
                                            : lf_broadcast_ring_try_get(r, k, message, sizeof message);
    return lf__end_get(c, status, message, 0);
}

static int lf__stress_broadcast_ring(struct lf_broadcast_ring *r, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    if (which <= LF__BROADCAST_WRITE) {
        if (c->plan.role_burst != 0 && lf__below(c, c->plan.role_burst) == 0) {
            lf_broadcast_ring_release_role(r);
            sched_yield();
        }
        return lf__stress_broadcast_put(r, c, which);
    }
    int64_t k = lf_py_broadcast_place(r);
    if (k == LF_NOT_OWNER)
        k = lf_broadcast_ring_join(r, LF_ANY_READER);
    return k < 0 ? (int)k : lf__stress_broadcast_get(r, c, (uint32_t)k, which);
}
LF_STRESS_LOOP(struct lf_broadcast_ring, broadcast_ring)
