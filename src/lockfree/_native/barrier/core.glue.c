/* Barrier as a Python type. From the arrival on, whatever ends a wait gives the round up or completes it. */
static PyTypeObject *lf_py_barrier_type;
LF_PY_KIND(barrier)

static struct lf_barrier *lf_py_barrier(PyObject *object) {
    return (struct lf_barrier *)((struct lf_py_object *)object)->p;
}

static PyObject *lf_py_barrier_abort(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_barrier_abort(lf_py_barrier(object)));
    return lf_py_none(self, status);
}
static PyObject *lf_py_barrier_reset(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_barrier_reset(lf_py_barrier(object)));
    return lf_py_none(self, status);
}
static int64_t lf_py_barrier_gives_up(PyObject *object, uint64_t round) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status = LF_CLOSED;
    if (lf_py_enter_briefly(self) == LF_OK) {
        status = lf_barrier_give_up(lf_py_barrier(object), round);
        lf_py_leave_briefly(self);
    }
    return status;
}

/* A place in a round; LF_PY_RAISED. Waits while the action of a round runs for which it comes too late. */
static int64_t lf_py_barrier_arrives(PyObject *object, int acts, uint64_t *round) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_barrier *b = lf_py_barrier(object);
    int64_t place, status;
    for (;;) {
        LF_PY_BRIEFLY(self, place, lf_barrier_arrive(b, acts, round));
        if (place != LF_BUSY)
            return place;
        LF_PY_UNTIL_DONE(self, status, lf_barrier_sleep(b, *round, LF_FOREVER));
        if (status != LF_OK && status != LF_BROKEN)
            return status;
    }
}

/* Has the last place: acts, and completes the round. */
static PyObject *lf_py_barrier_act(PyObject *object, PyObject *action, uint64_t round, int64_t place) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    if (action != Py_None) {
        PyObject *done = PyObject_CallNoArgs(action);
        if (done == NULL) {
            lf_py_barrier_gives_up(object, round);
            return NULL;
        }
        Py_DECREF(done);
        LF_PY_BRIEFLY(self, status, lf_barrier_open(lf_py_barrier(object), round));
        if (status != LF_OK)
            return lf_py_raise(self, status);
    }
    return PyLong_FromLongLong(place);
}

static PyObject *lf_py_barrier_wait(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 0, 1, {"timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_barrier *b = lf_py_barrier(object);
    PyObject *places[1] = {NULL}, *action, *given;
    uint64_t ns, round = 0;
    int64_t status, place;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return NULL;
    given = places[0] == NULL || places[0] == Py_None ? PyObject_GetAttrString(object, "_timeout")
                                                      : Py_NewRef(places[0]);
    int is_bad = given == NULL || lf_py_remaining(given, &ns) != 0;
    Py_XDECREF(given);
    if (is_bad || (action = PyObject_GetAttrString(object, "_action")) == NULL)
        return NULL;
    uint64_t until = lf_py_deadline(ns);
    place = lf_py_barrier_arrives(object, action != Py_None, &round);
    if (place < 0 || place + 1 == (int64_t)b->parties) {
        PyObject *answer = place < 0 ? lf_py_raise(self, place) : lf_py_barrier_act(object, action, round, place);
        Py_DECREF(action);
        return answer;
    }
    Py_DECREF(action);
    LF_PY_UNTIL_DONE(self, status, lf_barrier_sleep(b, round, until));
    if (status != LF_OK && status != LF_BROKEN) { /* a time-out, close(), or what a signal handler raised */
        int64_t ended = lf_py_barrier_gives_up(object, round);
        if (status == LF_TIMEDOUT || (status == LF_CLOSED && ended == LF_OK))
            status = ended;
    }
    return status == LF_OK ? PyLong_FromLongLong(place) : lf_py_raise(self, status);
}

static PyObject *lf_py_barrier_broken(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_barrier_broken(lf_py_barrier(object)));
    return status < 0 ? lf_py_raise(self, status) : PyBool_FromLong((long)status);
}
static PyObject *lf_py_barrier_waiting(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t count;
    LF_PY_BRIEFLY(self, count, lf_barrier_waiting(lf_py_barrier(object)));
    return count < 0 ? lf_py_raise(self, count) : PyLong_FromLongLong(count);
}

static PyMethodDef lf_py_barrier_methods[] = {
    LF_PY_FAST("wait", lf_py_barrier_wait,
               "wait($self, /, timeout=None)\n--\n\n"
               "Waits until all parties have called it; the place in which this one came, 0 to `parties` - 1.\n\n"
               "The last one runs `action` before the others go on. `BrokenBarrierError` if the barrier is broken, or "
               "breaks\n"
               "meanwhile. A wait of more than `timeout` seconds breaks it (None: the barrier's own time-out)."),
    {"abort", lf_py_barrier_abort, METH_NOARGS,
     "abort($self, /)\n--\n\nBreaks the barrier: all that wait, and all that come, get `BrokenBarrierError`."},
    {"reset", lf_py_barrier_reset, METH_NOARGS,
     "reset($self, /)\n--\n\nMakes the barrier new. All that wait get `BrokenBarrierError`."},
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_barrier_properties[] = {
    {"broken", lf_py_barrier_broken, NULL, "Whether the barrier is broken.", NULL},
    {"n_waiting", lf_py_barrier_waiting, NULL, "How many wait.", NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL},
};
LF_PY_SPEC(barrier, "Barrier")
LF_PY_SURVEY(barrier, {
    s->inside = (int64_t)lf__barrier_arrived(lf_load_relaxed(&x->body->word));
    s->room = (int64_t)x->parties;
})
LF_PY_TYPE(barrier)
