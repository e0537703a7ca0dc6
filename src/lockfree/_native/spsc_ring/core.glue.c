static unsigned char *lf_py_spsc_ring_payload(struct lf_spsc_ring *r, int64_t ticket) {
    return lf_spsc_ring_payload(r, ticket);
}
static int lf_py_spsc_ring_release_role(struct lf_spsc_ring *r, int role) {
    return lf_spsc_ring_release_role(r, role == 0 ? LF_PRODUCER : LF_CONSUMER);
}

/* SPSCRing as a Python type: its row of functions for common/container.h. */
static unsigned char *lf_py_spsc_ring_slot_payload(void *p, int64_t slot) {
    return lf_py_spsc_ring_payload((struct lf_spsc_ring *)p, slot);
}
static uint64_t lf_py_spsc_ring_record_size(void *p) { return ((struct lf_spsc_ring *)p)->record_size; }
static uint64_t lf_py_spsc_ring_capacity(void *p) { return ((struct lf_spsc_ring *)p)->capacity; }
static int64_t lf_py_spsc_ring_reserve(void *p) { return lf_spsc_ring_reserve((struct lf_spsc_ring *)p); }
static int64_t lf_py_spsc_ring_reserve_wait(void *p, uint64_t deadline) {
    return lf_spsc_ring_reserve_wait((struct lf_spsc_ring *)p, deadline);
}
static int lf_py_spsc_ring_cancel(void *p, int64_t slot) { return lf_spsc_ring_cancel((struct lf_spsc_ring *)p, slot); }
static int lf_py_spsc_ring_release(void *p, int64_t slot) {
    return lf_spsc_ring_release((struct lf_spsc_ring *)p, slot);
}
static uint64_t lf_py_spsc_ring_size(void *p) { return lf_spsc_ring_size((struct lf_spsc_ring *)p); }
static void lf_py_spsc_ring_shutdown(void *p, int immediate) {
    lf_spsc_ring_shutdown((struct lf_spsc_ring *)p, immediate);
}
static uint32_t lf_py_spsc_ring_levels(void *p) {
    (void)p;
    return 1;
}
static int lf_py_spsc_ring_try_put(void *p, const void *record, uint64_t length, uint32_t level) {
    (void)level;
    return lf_spsc_ring_try_put((struct lf_spsc_ring *)p, record, length);
}
static int lf_py_spsc_ring_commit(void *p, int64_t slot, uint64_t length, uint32_t level) {
    (void)level;
    return lf_spsc_ring_commit((struct lf_spsc_ring *)p, slot, length);
}
static int64_t lf_py_spsc_ring_put_many(void *p, const void *records, uint64_t pitch, uint64_t length,
                                        const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    (void)levels;
    return lf_spsc_ring_put_many((struct lf_spsc_ring *)p, records, pitch, length, lengths, count);
}
static int64_t lf_py_spsc_ring_get_many(void *p, void *rows, uint64_t pitch, uint32_t *lengths, uint32_t *levels,
                                        uint64_t count) {
    (void)levels;
    return lf_spsc_ring_get_many((struct lf_spsc_ring *)p, rows, pitch, lengths, count);
}
static int64_t lf_py_spsc_ring_peek(void *p, uint32_t lease, uint32_t *level, uint64_t *length) {
    (void)level, (void)lease; /* what is peeked at stays inside anyway */
    return lf_spsc_ring_peek((struct lf_spsc_ring *)p, length);
}
static int64_t lf_py_spsc_ring_peek_wait(void *p, uint32_t lease, uint32_t *level, uint64_t *length,
                                         uint64_t deadline) {
    (void)level, (void)lease;
    return lf_spsc_ring_peek_wait((struct lf_spsc_ring *)p, length, deadline);
}
static int lf_py_spsc_ring_give_back(void *p, int64_t slot, uint32_t level) {
    (void)p, (void)slot, (void)level;
    return LF_OK;
}
/* The peek that gave the slot is this thread's last step on the ring. */
static int lf_py_spsc_ring_free_quietly(void *p, int64_t slot, uint64_t count) {
    (void)count; /* no runs here */
    struct lf_spsc_ring *r = (struct lf_spsc_ring *)p;
    return lf__spsc_take(r, (uint32_t)slot, lf_load_relaxed(&r->body->sides[LF_CONSUMER].position));
}
static void lf_py_spsc_ring_freed(void *p, uint32_t count) {
    (void)count;
    lf__spsc_taken((struct lf_spsc_ring *)p);
}
static const struct lf_py_ops lf_py_spsc_ring_ops = {
    .noun = "ring",
    .in_place = 1,
    .has_levels = 0,
    .record_size = lf_py_spsc_ring_record_size,
    .levels = lf_py_spsc_ring_levels,
    .payload = lf_py_spsc_ring_slot_payload,
    .try_put = lf_py_spsc_ring_try_put,
    .reserve = lf_py_spsc_ring_reserve,
    .reserve_wait = lf_py_spsc_ring_reserve_wait,
    .commit = lf_py_spsc_ring_commit,
    .cancel = lf_py_spsc_ring_cancel,
    .peek = lf_py_spsc_ring_peek,
    .peek_wait = lf_py_spsc_ring_peek_wait,
    .release = lf_py_spsc_ring_release,
    .give_back = lf_py_spsc_ring_give_back,
    .free_quietly = lf_py_spsc_ring_free_quietly,
    .freed = lf_py_spsc_ring_freed,
    .put_many = lf_py_spsc_ring_put_many,
    .get_many = lf_py_spsc_ring_get_many,
    .size = lf_py_spsc_ring_size,
    .capacity = lf_py_spsc_ring_capacity,
    .shutdown = lf_py_spsc_ring_shutdown,
};
LF_PY_CONTAINER_FUNCTIONS(spsc_ring)

/* Gives a role back, and forgets what the thread has in hand in it. */
static PyObject *lf_py_spsc_ring_release_role_method(PyObject *object, PyObject *role) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int is_text = PyUnicode_Check(role), number = -1;
    int64_t status;
    if (is_text && PyUnicode_CompareWithASCIIString(role, "producer") == 0)
        number = LF_PRODUCER;
    else if (is_text && PyUnicode_CompareWithASCIIString(role, "consumer") == 0)
        number = LF_CONSUMER;
    else
        return PyErr_Format(PyExc_ValueError, "role is %R: it must be \"producer\" or \"consumer\"", role);
    LF_PY_BRIEFLY(self, status, lf_py_spsc_ring_release_role((struct lf_spsc_ring *)self->p, number));
    if (status != LF_OK)
        return lf_py_raise(self, status);
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    if (hand != NULL)
        lf_py_let_go(object, hand, number == LF_PRODUCER ? LF_PY_RESERVED : LF_PY_PEEKED);
    Py_RETURN_NONE;
}

static PyMethodDef lf_py_spsc_ring_methods[] = {
    LF_PY_RING_METHODS(spsc_ring),
    {"release_role", lf_py_spsc_ring_release_role_method, METH_O,
     "release_role($self, role, /)\n--\n\n"
     "Gives back the calling thread's role, \"producer\" or \"consumer\", for another thread or process to take.\n\n"
     "A reservation or a peek that the thread still has in hand is forgotten: the record of a peek stays inside.\n"
     "RuntimeError if the thread has not got the role."},
    {NULL, NULL, 0, NULL},
};
LF_PY_CONTAINER_TYPE(spsc_ring, "SPSCRing")
LF_PY_SURVEY(spsc_ring, {
    s->puts = (int64_t)(lf_load_relaxed(&x->body->sides[LF_PRODUCER].position) - x->start);
    s->gets = (int64_t)(lf_load_relaxed(&x->body->sides[LF_CONSUMER].position) - x->start);
    s->inside = (int64_t)lf_spsc_ring_size(x);
    s->room = (int64_t)x->capacity;
    for (int side = 0; side < 2; side++)
        lf_py_survey_hold(s, lf_load_relaxed(&x->body->sides[side].holder) >> 32);
})
LF_PY_TYPE(spsc_ring)
