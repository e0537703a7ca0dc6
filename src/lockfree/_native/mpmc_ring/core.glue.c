static unsigned char *lf_py_mpmc_ring_payload(struct lf_mpmc_ring *r, int64_t index) {
    return lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index));
}

/* MPMCRing as a Python type: its row of functions for common/container.h. */
static unsigned char *lf_py_mpmc_ring_slot_payload(void *p, int64_t slot) {
    return lf_py_mpmc_ring_payload((struct lf_mpmc_ring *)p, slot);
}
static uint64_t lf_py_mpmc_ring_record_size(void *p) { return ((struct lf_mpmc_ring *)p)->record_size; }
static uint64_t lf_py_mpmc_ring_capacity(void *p) { return ((struct lf_mpmc_ring *)p)->capacity; }
static int64_t lf_py_mpmc_ring_reserve(void *p) { return lf_mpmc_ring_reserve((struct lf_mpmc_ring *)p); }
static int64_t lf_py_mpmc_ring_reserve_wait(void *p, uint64_t deadline) {
    return lf_mpmc_ring_reserve_wait((struct lf_mpmc_ring *)p, deadline);
}
static int lf_py_mpmc_ring_cancel(void *p, int64_t slot) { return lf_mpmc_ring_cancel((struct lf_mpmc_ring *)p, slot); }
static int lf_py_mpmc_ring_release(void *p, int64_t slot) {
    return lf_mpmc_ring_release((struct lf_mpmc_ring *)p, slot);
}
static uint64_t lf_py_mpmc_ring_size(void *p) { return lf_mpmc_ring_size((struct lf_mpmc_ring *)p); }
static void lf_py_mpmc_ring_shutdown(void *p, int immediate) {
    lf_mpmc_ring_shutdown((struct lf_mpmc_ring *)p, immediate);
}
static uint32_t lf_py_mpmc_ring_levels(void *p) {
    (void)p;
    return 1;
}
static int lf_py_mpmc_ring_try_put(void *p, const void *record, uint64_t length, uint32_t level) {
    (void)level;
    return lf_mpmc_ring_try_put((struct lf_mpmc_ring *)p, record, length);
}
static int lf_py_mpmc_ring_commit(void *p, int64_t slot, uint64_t length, uint32_t level) {
    (void)level;
    return lf_mpmc_ring_commit((struct lf_mpmc_ring *)p, slot, length);
}
static int64_t lf_py_mpmc_ring_put_many(void *p, const void *records, uint64_t pitch, uint64_t length,
                                        const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    (void)levels;
    return lf_mpmc_ring_put_many((struct lf_mpmc_ring *)p, records, pitch, length, lengths, count);
}
static int64_t lf_py_mpmc_ring_get_many(void *p, void *rows, uint64_t pitch, uint32_t *lengths, uint32_t *levels,
                                        uint64_t count) {
    (void)levels;
    return lf_mpmc_ring_get_many((struct lf_mpmc_ring *)p, rows, pitch, lengths, count);
}
static int64_t lf_py_mpmc_ring_peek(void *p, uint32_t lease, uint32_t *level, uint64_t *length) {
    (void)level;
    return lf_mpmc_ring_peek((struct lf_mpmc_ring *)p, lease, length);
}
static int64_t lf_py_mpmc_ring_peek_wait(void *p, uint32_t lease, uint32_t *level, uint64_t *length,
                                         uint64_t deadline) {
    (void)level;
    return lf_mpmc_ring_peek_wait((struct lf_mpmc_ring *)p, lease, length, deadline);
}
static int lf_py_mpmc_ring_give_back(void *p, int64_t slot, uint32_t level) {
    (void)level;
    return lf_mpmc_ring_requeue((struct lf_mpmc_ring *)p, slot);
}
static int64_t lf_py_mpmc_ring_take_run(void *p, uint64_t most, uint64_t *count) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)p;
    int64_t slot = lf__mpmc_take(r, 0, most, count);
    for (uint64_t i = 0; slot >= 0 && i < *count; i++)
        if (LF_UNLIKELY(lf_mpmc_ring_slot(r, (uint64_t)slot + i)->length > r->record_size)) {
            lf__mpmc_free(r, slot, *count);
            return LF_CORRUPT;
        }
    return slot;
}
static uint64_t lf_py_mpmc_ring_slot_length(void *p, int64_t slot) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)p;
    uint64_t length = lf_mpmc_ring_slot(r, (uint64_t)slot)->length;
    return length < r->record_size ? length : r->record_size; /* it was looked at; others may write there since */
}
static int lf_py_mpmc_ring_free_quietly(void *p, int64_t slot, uint64_t count) {
    return lf__mpmc_free((struct lf_mpmc_ring *)p, slot, count);
}
static void lf_py_mpmc_ring_freed(void *p, uint32_t count) { lf__mpmc_freed((struct lf_mpmc_ring *)p, count); }
static const struct lf_py_ops lf_py_mpmc_ring_ops = {
    .noun = "ring",
    .in_place = 0,
    .has_levels = 0,
    .record_size = lf_py_mpmc_ring_record_size,
    .levels = lf_py_mpmc_ring_levels,
    .payload = lf_py_mpmc_ring_slot_payload,
    .try_put = lf_py_mpmc_ring_try_put,
    .reserve = lf_py_mpmc_ring_reserve,
    .reserve_wait = lf_py_mpmc_ring_reserve_wait,
    .commit = lf_py_mpmc_ring_commit,
    .cancel = lf_py_mpmc_ring_cancel,
    .peek = lf_py_mpmc_ring_peek,
    .peek_wait = lf_py_mpmc_ring_peek_wait,
    .release = lf_py_mpmc_ring_release,
    .give_back = lf_py_mpmc_ring_give_back,
    .free_quietly = lf_py_mpmc_ring_free_quietly,
    .take_run = lf_py_mpmc_ring_take_run,
    .length = lf_py_mpmc_ring_slot_length,
    .freed = lf_py_mpmc_ring_freed,
    .put_many = lf_py_mpmc_ring_put_many,
    .get_many = lf_py_mpmc_ring_get_many,
    .size = lf_py_mpmc_ring_size,
    .capacity = lf_py_mpmc_ring_capacity,
    .shutdown = lf_py_mpmc_ring_shutdown,
};
LF_PY_CONTAINER_FUNCTIONS(mpmc_ring)
static PyMethodDef lf_py_mpmc_ring_methods[] = {
    LF_PY_RING_METHODS(mpmc_ring),
    {NULL, NULL, 0, NULL},
};
LF_PY_CONTAINER_TYPE(mpmc_ring, "MPMCRing")
LF_PY_SURVEY(mpmc_ring, {
    s->puts = (int64_t)(lf_queue_published(&x->queues[LF__RECORDS]) - x->h.segment->identity.geometry[2]);
    s->gets = (int64_t)(lf_queue_taken(&x->queues[LF__RECORDS]) - x->h.segment->identity.geometry[2]);
    s->inside = (int64_t)lf_mpmc_ring_size(x);
    s->room = (int64_t)x->capacity;
    lf_py_survey_store(x->queues, 2, s);
    lf_py_survey_spares(&x->spares, s);
})
LF_PY_TYPE(mpmc_ring)
