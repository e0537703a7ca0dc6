/* semaphore_below_zero.h: the interface of semaphore.h; looks whether there are enough permits, then takes them. */
#ifndef LOCKFREE_SEMAPHORE_H
#define LOCKFREE_SEMAPHORE_H

#include <lockfree/blocks/blocking.h>

#define LF_KIND_SEMAPHORE 7u
#define LF_SEATS 1024u
#define LF_SEMAPHORE_MAX UINT64_C(0x7fffffff)

struct lf_semaphore_body {
    LF_ALIGNED uint64_t value;
    LF_ALIGNED struct lf_eventcount available;
};
#define LF_SEMAPHORE_BYTES (LF_BODY_OFFSET + sizeof(struct lf_semaphore_body))
LF_INLINE uint64_t lf__sem_bytes_for(uint64_t threads) { return (void)threads, LF_SEMAPHORE_BYTES; }
struct lf_semaphore {
    struct lf_handle h;
    struct lf_semaphore_body *body;
    uint64_t initial, max;
    uint32_t most;
};

LF_INLINE int lf__sem_view(struct lf_handle *h) {
    struct lf_semaphore *s = (struct lf_semaphore *)h;
    s->initial = h->geometry[0];
    s->max = h->geometry[1];
    s->most = LF_SEATS;
    s->body = (struct lf_semaphore_body *)(void *)h->body;
    return LF_OK;
}
LF_INLINE int lf__sem_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor;
    return 1;
}
static const struct lf_kind lf_semaphore_kind = {LF_KIND_SEMAPHORE, lf__sem_view, lf__sem_recover, 0};

LF_INLINE void lf__sem_layout(struct lf_semaphore *s, uint32_t start) { (void)start, s->body->value = s->initial; }
LF_INLINE int lf_semaphore_create(struct lf_semaphore *s, const char *name, uint64_t value, uint64_t max,
                                  uint32_t start) {
    uint64_t geometry[LF_GEOMETRY] = {value, max, start, 0, 0, 0};
    int status = lf_segment_create(&s->h, name, &lf_semaphore_kind, LF_BODY_OFFSET + sizeof *s->body, geometry);
    if (status != LF_OK)
        return status;
    s->body->value = value;
    return lf_segment_publish(&s->h, name);
}
LF_INLINE int lf_semaphore_attach(struct lf_semaphore *s, const char *name) {
    return lf_segment_attach(&s->h, name, &lf_semaphore_kind);
}
LF_INLINE int lf_semaphore_attach_fd(struct lf_semaphore *s, int fd) {
    return lf_segment_attach_fd(&s->h, fd, &lf_semaphore_kind);
}

/* What stats() and peers() ask: there are no accounts here. */
LF_INLINE uint64_t lf__sem_now(const struct lf_semaphore_body *body) { return lf_load_acquire(&body->value); }
LF_INLINE void lf__sem_help(const struct lf_semaphore *s, uint64_t word) { (void)s, (void)word; }
LF_INLINE int64_t lf__sem_value(uint64_t word) { return (int64_t)word; }
LF_INLINE int64_t lf__sem_held_by(const struct lf_semaphore *s, uint32_t participant) {
    (void)s, (void)participant;
    return 0;
}

LF_INLINE int64_t lf_semaphore_value(struct lf_semaphore *s) {
    int64_t value = (int64_t)lf_load_acquire(&s->body->value);
    return value < 0 ? 0 : value;
}
LF_INLINE int lf_semaphore_try_acquire(struct lf_semaphore *s, uint64_t n) {
    if (n < 1 || n > s->max)
        return LF_INVALID;
    if ((int64_t)lf_load_acquire(&s->body->value) < (int64_t)n)
        return LF_TIMEDOUT;
    lf_fetch_add_acq_rel(&s->body->value, (uint64_t)-n); /* somebody else may have been here in between */
    return LF_OK;
}
LF_INLINE int lf_semaphore_release(struct lf_semaphore *s, uint64_t n) {
    if (n < 1 || n > s->max)
        return LF_INVALID;
    uint64_t value = lf_load_acquire(&s->body->value);
    do {
        if ((int64_t)(value + n) > (int64_t)s->max)
            return LF_OVERFLOW;
    } while (!lf_cas_acq_rel(&s->body->value, &value, value + n));
    lf_eventcount_notify_all(&s->body->available);
    return LF_OK;
}
struct lf__sem_call {
    struct lf_semaphore *s;
    uint64_t n;
};
LF_INLINE int lf__sem_attempt(void *operation) {
    struct lf__sem_call *call = (struct lf__sem_call *)operation;
    return lf_semaphore_try_acquire(call->s, call->n);
}
LF_INLINE int lf_semaphore_acquire(struct lf_semaphore *s, uint64_t n, uint64_t deadline) {
    struct lf__sem_call call = {s, n};
    return lf_block_on(&s->h, &s->body->available, lf__sem_attempt, &call, LF_TIMEDOUT, deadline);
}
LF_INLINE int lf_semaphore_acquire_at_once(struct lf_semaphore *s, uint64_t n) {
    return lf_semaphore_try_acquire(s, n);
}
LF_INLINE void lf_semaphore_give_up(struct lf_semaphore *s) { (void)s; }
LF_INLINE void lf_semaphore_close(struct lf_semaphore *s) {
    struct lf_eventcount *const counts[] = {&s->body->available};
    lf_close(&s->h, counts, 1);
}

#endif
