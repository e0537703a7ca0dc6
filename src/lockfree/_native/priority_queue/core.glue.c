static unsigned char *lf_py_priority_queue_payload(struct lf_priority_queue *q, int64_t index) {
    return lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index));
}

/* PriorityQueue as a Python type: its row of functions for common/container.h. */
static unsigned char *lf_py_priority_queue_slot_payload(void *p, int64_t slot) {
    return lf_py_priority_queue_payload((struct lf_priority_queue *)p, slot);
}
static uint64_t lf_py_priority_queue_record_size(void *p) { return ((struct lf_priority_queue *)p)->record_size; }
static uint64_t lf_py_priority_queue_capacity(void *p) { return ((struct lf_priority_queue *)p)->capacity; }
static int64_t lf_py_priority_queue_reserve(void *p) {
    return lf_priority_queue_reserve((struct lf_priority_queue *)p);
}
static int64_t lf_py_priority_queue_reserve_wait(void *p, uint64_t deadline) {
    return lf_priority_queue_reserve_wait((struct lf_priority_queue *)p, deadline);
}
static int lf_py_priority_queue_cancel(void *p, int64_t slot) {
    return lf_priority_queue_cancel((struct lf_priority_queue *)p, slot);
}
static int lf_py_priority_queue_release(void *p, int64_t slot) {
    return lf_priority_queue_release((struct lf_priority_queue *)p, slot);
}
static uint64_t lf_py_priority_queue_size(void *p) { return lf_priority_queue_size((struct lf_priority_queue *)p); }
static void lf_py_priority_queue_shutdown(void *p, int immediate) {
    lf_priority_queue_shutdown((struct lf_priority_queue *)p, immediate);
}
static uint32_t lf_py_priority_queue_levels(void *p) { return ((struct lf_priority_queue *)p)->n_levels; }
static int lf_py_priority_queue_try_put(void *p, const void *record, uint64_t length, uint32_t level) {
    return lf_priority_queue_try_put((struct lf_priority_queue *)p, record, length, level);
}
static int lf_py_priority_queue_commit(void *p, int64_t slot, uint64_t length, uint32_t level) {
    return lf_priority_queue_commit((struct lf_priority_queue *)p, slot, length, level);
}
static int64_t lf_py_priority_queue_peek(void *p, uint32_t lease, uint32_t *level, uint64_t *length) {
    return lf_priority_queue_peek((struct lf_priority_queue *)p, lease, level, length);
}
static int64_t lf_py_priority_queue_peek_wait(void *p, uint32_t lease, uint32_t *level, uint64_t *length,
                                              uint64_t deadline) {
    return lf_priority_queue_peek_wait((struct lf_priority_queue *)p, lease, level, length, deadline);
}
static int lf_py_priority_queue_give_back(void *p, int64_t slot, uint32_t level) {
    return lf_priority_queue_give_back((struct lf_priority_queue *)p, slot, level);
}
static int lf_py_priority_queue_free_quietly(void *p, int64_t slot, uint64_t count) {
    (void)count; /* no runs here */
    return lf__priority_free((struct lf_priority_queue *)p, slot);
}
static void lf_py_priority_queue_freed(void *p, uint32_t count) {
    lf__priority_freed((struct lf_priority_queue *)p, count);
}
static int64_t lf_py_priority_queue_put_many(void *p, const void *records, uint64_t pitch, uint64_t length,
                                             const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    return lf_priority_queue_put_many((struct lf_priority_queue *)p, records, pitch, length, lengths, levels, count);
}
static int64_t lf_py_priority_queue_get_many(void *p, void *rows, uint64_t pitch, uint32_t *lengths, uint32_t *levels,
                                             uint64_t count) {
    return lf_priority_queue_get_many((struct lf_priority_queue *)p, rows, pitch, lengths, levels, count);
}
static const struct lf_py_ops lf_py_priority_queue_ops = {
    .noun = "queue",
    .in_place = 0,
    .has_levels = 1,
    .record_size = lf_py_priority_queue_record_size,
    .levels = lf_py_priority_queue_levels,
    .payload = lf_py_priority_queue_slot_payload,
    .try_put = lf_py_priority_queue_try_put,
    .reserve = lf_py_priority_queue_reserve,
    .reserve_wait = lf_py_priority_queue_reserve_wait,
    .commit = lf_py_priority_queue_commit,
    .cancel = lf_py_priority_queue_cancel,
    .peek = lf_py_priority_queue_peek,
    .peek_wait = lf_py_priority_queue_peek_wait,
    .release = lf_py_priority_queue_release,
    .give_back = lf_py_priority_queue_give_back,
    .free_quietly = lf_py_priority_queue_free_quietly,
    .freed = lf_py_priority_queue_freed,
    .put_many = lf_py_priority_queue_put_many,
    .get_many = lf_py_priority_queue_get_many,
    .size = lf_py_priority_queue_size,
    .capacity = lf_py_priority_queue_capacity,
    .shutdown = lf_py_priority_queue_shutdown,
};
LF_PY_CONTAINER_FUNCTIONS(priority_queue)

/* ---- tickets ---- */

/* put_ticket is a put whose functions also leave the ticket here. The caller reads it before any Python code can run. */
static _Thread_local uint64_t lf_py_priority_queue_ticket;

/* A row of functions that put with a ticket, in the line of a level that `line` names. */
#define LF_PY_PRIORITY_QUEUE_TICKETED(name, put, line)                                                                 \
    static int lf_py_priority_queue_try_##name(void *p, const void *record, uint64_t length, uint32_t level) {         \
        return put((struct lf_priority_queue *)p, record, length, level, 0, &lf_py_priority_queue_ticket);             \
    }                                                                                                                  \
    static int lf_py_priority_queue_commit_##name(void *p, int64_t slot, uint64_t length, uint32_t level) {            \
        struct lf_priority_queue *q = (struct lf_priority_queue *)p;                                                   \
        lf_priority_queue_slot(q, (uint64_t)slot)->length = (uint32_t)length;                                          \
        return lf__priority_publish(q, slot, line, &lf_py_priority_queue_ticket);                                      \
    }                                                                                                                  \
    static const struct lf_py_ops lf_py_priority_queue_##name##_ops = {                                                \
        .noun = "queue",                                                                                               \
        .has_levels = 1,                                                                                               \
        .record_size = lf_py_priority_queue_record_size,                                                               \
        .levels = lf_py_priority_queue_levels,                                                                         \
        .payload = lf_py_priority_queue_slot_payload,                                                                  \
        .try_put = lf_py_priority_queue_try_##name,                                                                    \
        .reserve = lf_py_priority_queue_reserve,                                                                       \
        .reserve_wait = lf_py_priority_queue_reserve_wait,                                                             \
        .commit = lf_py_priority_queue_commit_##name,                                                                  \
    };
LF_PY_PRIORITY_QUEUE_TICKETED(ticket, lf_priority_queue_put_ticket, lf__priority_tail(q, level))
LF_PY_PRIORITY_QUEUE_TICKETED(front, lf_priority_queue_put_front, lf__priority_front(level))

static PyObject *lf_py_priority_queue_put_for_ticket(PyObject *object, const struct lf_py_ops *ops, PyObject *record,
                                                     uint32_t level, uint64_t ns) {
    int64_t status = lf_py_put_record(object, ops, record, level, ns);
    uint64_t ticket = lf_py_priority_queue_ticket;
    return status == LF_OK ? PyLong_FromUnsignedLongLong(ticket) : lf_py_raise((struct lf_py_object *)object, status);
}
static PyObject *lf_py_priority_queue_put_ticket_method(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                                        PyObject *keywords) {
    static const struct lf_py_signature signature = {"put_ticket", 2, 4, {"record", "priority", "block", "timeout"}};
    const struct lf_py_ops *ops = &lf_py_priority_queue_ticket_ops;
    PyObject *places[LF_PY_MOST_ARGUMENTS];
    uint64_t ns = LF_FOREVER;
    uint32_t level = 0;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[2], places[3], &ns) != 0 || lf_py_level(object, ops, places[1], "priority", &level) != 0)
        return NULL;
    return lf_py_priority_queue_put_for_ticket(object, ops, places[0], level, ns);
}
static PyObject *lf_py_priority_queue_no_fronts(struct lf_py_object *self) {
    PyObject *title = lf_py_title(self);
    if (title != NULL)
        PyErr_Format(PyExc_ValueError, "%U: requeue() to the front needs a queue that was made with fronts=True",
                     title);
    Py_XDECREF(title);
    return NULL;
}
static PyObject *lf_py_priority_queue_requeue_method(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                                     PyObject *keywords) {
    static const struct lf_py_signature signature = {
        "requeue", 2, 5, {"record", "priority", "front", "block", "timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    const struct lf_py_ops *ops = &lf_py_priority_queue_front_ops;
    PyObject *places[LF_PY_MOST_ARGUMENTS];
    uint64_t ns = LF_FOREVER;
    uint32_t level = 0;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_level(object, ops, places[1], "priority", &level) != 0 || lf_py_patience(places[3], places[4], &ns) != 0)
        return NULL;
    int front = places[2] != NULL ? PyObject_IsTrue(places[2]) : 1;
    if (front < 0)
        return NULL;
    if (front && !((struct lf_priority_queue *)self->p)->fronts)
        return lf_py_priority_queue_no_fronts(self);
    return lf_py_priority_queue_put_for_ticket(object, front ? ops : &lf_py_priority_queue_ticket_ops, places[0], level,
                                               ns);
}

/* The record of a ticket: 1 if it is out by this call, else 0, or a negative status. */
static PyObject *lf_py_priority_queue_take_back(PyObject *object, PyObject *number) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    uint64_t ticket = PyLong_AsUnsignedLongLong(number);
    int64_t status;
    if (ticket == UINT64_MAX && PyErr_Occurred())
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_priority_queue_withdraw((struct lf_priority_queue *)self->p, ticket));
    return PyLong_FromLongLong(status);
}

/* Of a reservation in C, where no signal handler comes between; of a ticket in Python. */
static PyObject *lf_py_priority_queue_cancel_any(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
    static const struct lf_py_signature signature = {"cancel", 0, 2, {"ticket", "view"}};
    const struct lf_py_ops *ops = &lf_py_priority_queue_ops;
    PyObject *places[LF_PY_MOST_ARGUMENTS];
    if (lf_py_arguments(self, &signature, args, n, names, places) != 0)
        return NULL;
    int has_ticket = places[0] != NULL && places[0] != Py_None;
    if (!has_ticket)
        return lf_py_give_slot_back(self, LF_PY_RESERVED, ops->cancel, places[1]);
    if (lf_py_refuse_view("ticket", places[0], "cancel") != 0)
        return NULL;
    if (places[1] == NULL || places[1] == Py_None)
        return PyObject_CallMethod(self, "_withdraw", "(O)", places[0]);
    PyObject *title = lf_py_title((struct lf_py_object *)self);
    if (title != NULL)
        PyErr_Format(PyExc_TypeError, "%U: cancel() takes a ticket or a view, not both", title);
    Py_XDECREF(title);
    return NULL;
}

/* Of two entries with one name the first counts. */
static PyMethodDef lf_py_priority_queue_methods[] = {
    LF_PY_FAST(
        "cancel", lf_py_priority_queue_cancel_any,
        "cancel($self, /, ticket=None, view=None)\n--\n\n"
        "Without a ticket: gives a reservation back unused, that of `view` or the calling thread's last one.\n\n"
        "With one (`put_ticket`): takes the record out of the queue, wherever it stands, and nobody gets it. True, "
        "once;\n"
        "False if somebody has it, or had. Lock-free, O(1). ValueError for a number that is no ticket."),
    LF_PY_CONTAINER_METHODS(priority_queue),
    LF_PY_FAST_OF(
        priority_queue, put,
        "put($self, /, record, priority, block=True, timeout=None)\n--\n\n"
        "Puts a record, waiting at most `timeout` seconds (None: for ever) while the queue is full: `queue.Full`."),
    LF_PY_FAST_OF(
        priority_queue, put_ticket,
        "put_ticket($self, /, record, priority, block=True, timeout=None)\n--\n\n"
        "As `put`; the ticket, an int below 2**64, by which any process can take the record out: `cancel(ticket)`."),
    LF_PY_FAST_OF(
        priority_queue, requeue,
        "requeue($self, /, record, priority, front=True, block=True, timeout=None)\n--\n\n"
        "Puts a record whose work was preempted to the front of its level: it comes before all that `put` put there,\n"
        "and behind those that were requeued before it. Else as `put_ticket`: its ticket, or `queue.Full`.\n\n"
        "`front=False`: to the tail, as `put_ticket`. ValueError for a queue that was made without `fronts=True`."),
    {"_take_back", lf_py_priority_queue_take_back, METH_O, NULL},
    LF_PY_FAST_OF(priority_queue, try_put,
                  "try_put($self, /, record, priority)\n--\n\n"
                  "Puts a record; False if the queue is full. ValueError if it is longer than `record_size`."),
    LF_PY_FAST_OF(priority_queue, put_nowait,
                  "put_nowait($self, /, record, priority)\n--\n\n`put` that raises `queue.Full` instead of waiting."),
    LF_PY_FAST_OF(
        priority_queue, get,
        "get($self, /, block=True, timeout=None)\n--\n\n"
        "(priority, record) of the most urgent record, waiting at most `timeout` seconds (None: for ever) for one:\n"
        "`queue.Empty`."),
    LF_PY_PLAIN_OF(priority_queue, try_get,
                   "try_get($self, /)\n--\n\n"
                   "(priority, record) of the most urgent record, or None if the queue is empty."),
    LF_PY_PLAIN_OF(priority_queue, get_nowait,
                   "get_nowait($self, /)\n--\n\n`get` that raises `queue.Empty` instead of waiting."),
    LF_PY_FAST_OF(
        priority_queue, put_many,
        "put_many($self, /, records, priorities, block=False, timeout=None)\n--\n\n"
        "Puts records until the queue is full; how many went in.\n\n"
        "`records` is a sequence of records, a 2-D buffer with one record per row, an array of the queue's dtype, or "
        "an\n"
        "iterator, of which what does not fit is not taken. `priorities` is one number for all of them or one for "
        "each;\n"
        "an iterator of records ends with them. The records become visible no later than the end of the call and keep\n"
        "their order within a level. If an argument of a sequence is wrong, nothing goes in. With `block` it waits "
        "for\n"
        "room for the first one at most `timeout` seconds, then raises `queue.Full`."),
    LF_PY_FAST_OF(priority_queue, get_many,
                  "get_many($self, /, max, block=False, timeout=None, as_array=False)\n--\n\n"
                  "Up to `max` pairs (priority, record) as a list, most urgent first; [] if the queue is empty.\n\n"
                  "With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.\n"
                  "`as_array`: two arrays, the priorities and the records of the dtype."),
    LF_PY_FAST_OF(
        priority_queue, get_into,
        "get_into($self, /, buffer, priorities=None)\n--\n\n"
        "Fills the rows of a writable buffer with records, most urgent first; how many there were.\n\n"
        "A row must have at least `record_size` bytes; a shorter record is padded with zeros. `priorities`, if given, "
        "is\n"
        "a writable buffer of unsigned 32-bit integers, at least one per row, that receives the records' priorities."),
    LF_PY_FAST_OF(priority_queue, commit,
                  "commit($self, /, priority, length=None, view=None)\n--\n\n"
                  "Publishes a reservation as a record of `length` bytes (None: all of it): that of `view`, or the "
                  "calling\n"
                  "thread's last one."),
    LF_PY_FAST_OF(
        priority_queue, peek,
        "peek($self, /, block=False, timeout=None)\n--\n\n"
        "(priority, view) of the most urgent record, which is out of the queue, or None if the queue is empty;\n"
        "`release()` gives its slot back and ends the view."),
    LF_PY_FAST_OF(priority_queue, release,
                  "release($self, /, view=None)\n--\n\n"
                  "Gives back the slot of a peeked record: that of `view`, or the calling thread's last one."),
    LF_PY_FAST_OF(
        priority_queue, lease,
        "lease($self, /, block=True, timeout=None)\n--\n\n"
        "`with q.lease() as (priority, record):` takes a record that is acknowledged when the block ends normally.\n\n"
        "If the block raises, or its process dies, the record goes to the tail of its level again, exactly once.\n"
        "Raises `queue.Empty` like `get`."),
    {NULL, NULL, 0, NULL},
};
LF_PY_CONTAINER_TYPE(priority_queue, "PriorityQueue")
LF_PY_SURVEY(priority_queue, {
    s->inside = (int64_t)lf_priority_queue_size(x);
    s->room = (int64_t)x->capacity;
    s->puts = 0;
    for (uint32_t level = 0; level < x->levels.count; level++)
        s->puts += (int64_t)(lf_queue_published(&x->queues[1 + level]) - x->h.segment->identity.geometry[3]);
    s->gets = s->puts - s->inside;
    lf_py_survey_store(x->queues, 1 + x->levels.count, s);
    lf_py_survey_spares(&x->spares, s);
})
LF_PY_TYPE(priority_queue)
