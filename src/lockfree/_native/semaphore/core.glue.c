/* Semaphore as a Python type. As with the locks, no signal can come between the acquisition and the return. */
static PyTypeObject *lf_py_semaphore_type;
LF_PY_KIND(semaphore)

static struct lf_semaphore *lf_py_semaphore(PyObject *object) {
    return (struct lf_semaphore *)((struct lf_py_object *)object)->p;
}

/* `n`, 1 if it is not given. */
static int lf_py_permits(PyObject *object, PyObject *given, int64_t *n) {
    *n = 1;
    if (given == NULL)
        return 0;
    if (lf_py_is_closed((struct lf_py_object *)object)) {
        lf_py_raise((struct lf_py_object *)object, LF_CLOSED);
        return -1;
    }
    return lf_py_integer("n", given, 1, (int64_t)lf_py_semaphore(object)->max, n);
}

static PyObject *lf_py_semaphore_answer(PyObject *object, int64_t status, int64_t n) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_TRUE;
    if (status == LF_TIMEDOUT)
        Py_RETURN_FALSE;
    if (status != LF_OVERFLOW && status != LF_BUSY)
        return lf_py_raise(self, status);
    int64_t value;
    PyObject *title = lf_py_title(self);
    if (title != NULL && status == LF_BUSY) {
        PyErr_Format(PyExc_RuntimeError,
                     "%U: all %d seats are taken: by operations, and by threads that hold permits or had operations",
                     title, (int)lf_py_semaphore(object)->most);
    } else if (title != NULL) {
        LF_PY_BRIEFLY(self, value, lf_semaphore_value(lf_py_semaphore(object)));
        PyErr_Format(PyExc_ValueError, "%U: release of %lld at a value of %lld: above max_value %lld", title,
                     (long long)n, (long long)value, (long long)lf_py_semaphore(object)->max);
    }
    Py_XDECREF(title);
    return NULL;
}

/* Waits up to `ns`. An interrupt that raises gives the place among those who wait back. */
static PyObject *lf_py_semaphore_wait(PyObject *object, int64_t n, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_semaphore *s = lf_py_semaphore(object);
    int64_t status;
    if (ns != 0)
        LF_PY_BRIEFLY(self, status, lf_semaphore_acquire_at_once(s, (uint64_t)n));
    else
        LF_PY_BRIEFLY(self, status, lf_semaphore_try_acquire(s, (uint64_t)n));
    if (status == LF_TIMEDOUT && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_semaphore_acquire(s, (uint64_t)n, until));
        if (status == LF_PY_RAISED && lf_py_enter_briefly(self) == LF_OK) {
            lf_semaphore_give_up(s);
            lf_py_leave_briefly(self);
        }
    }
    return lf_py_semaphore_answer(object, status, n);
}

static PyObject *lf_py_semaphore_acquire(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"acquire", 0, 3, {"blocking", "timeout", "n"}};
    PyObject *places[3];
    uint64_t ns = LF_FOREVER;
    int64_t n = 1;
    if ((count != 0 || keywords != NULL) &&
        (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
         lf_py_lock_patience(places[0], places[1], 0, &ns) != 0 || lf_py_permits(object, places[2], &n) != 0))
        return NULL;
    return lf_py_semaphore_wait(object, n, ns);
}

static PyObject *lf_py_semaphore_try_acquire(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                             PyObject *keywords) {
    static const struct lf_py_signature signature = {"try_acquire", 0, 1, {"n"}};
    PyObject *places[1];
    int64_t n = 1;
    if ((count != 0 || keywords != NULL) && (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
                                             lf_py_permits(object, places[0], &n) != 0))
        return NULL;
    return lf_py_semaphore_wait(object, n, 0);
}

static PyObject *lf_py_semaphore_give(PyObject *object, int64_t n) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_semaphore_release(lf_py_semaphore(object), (uint64_t)n));
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_semaphore_answer(object, status, n);
}

static PyObject *lf_py_semaphore_release(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"release", 0, 1, {"n"}};
    PyObject *places[1];
    int64_t n = 1;
    if ((count != 0 || keywords != NULL) && (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
                                             lf_py_permits(object, places[0], &n) != 0))
        return NULL;
    return lf_py_semaphore_give(object, n);
}

static PyObject *lf_py_semaphore_value(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t value;
    LF_PY_BRIEFLY(self, value, lf_semaphore_value(lf_py_semaphore(object)));
    return value < 0 ? lf_py_raise(self, value) : PyLong_FromLongLong(value);
}

static PyObject *lf_py_semaphore_with(PyObject *object, PyObject *unused) {
    if (lf_py_is_subclass(object, lf_py_semaphore_type))
        return lf_py_enter_through(object, "acquire");
    PyObject *taken = lf_py_semaphore_wait(object, 1, LF_FOREVER);
    Py_XDECREF(taken);
    return taken != NULL ? Py_NewRef(object) : NULL;
}

static PyObject *lf_py_semaphore_end_with(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    if (lf_py_is_subclass(object, lf_py_semaphore_type))
        return PyObject_CallMethod(object, "release", NULL);
    return lf_py_semaphore_give(object, 1);
}

static PyMethodDef lf_py_semaphore_methods[] = {
    LF_PY_FAST("acquire", lf_py_semaphore_acquire,
               "acquire($self, /, blocking=True, timeout=None, n=1, *, block=None)\n--\n\n"
               "Takes `n` permits or none, waiting at most `timeout` seconds (None: for ever).\n\n"
               "False if at some instant (of a time-out: after the deadline) fewer were there. ValueError if `n` is "
               "below 1 or\n"
               "above `max_value`. `block` is `blocking` by the name that it has in `multiprocessing`. Give one of the "
               "two."),
    LF_PY_FAST("try_acquire", lf_py_semaphore_try_acquire,
               "try_acquire($self, /, n=1)\n--\n\n"
               "`acquire` that never waits: `acquire(blocking=False, n=n)`."),
    LF_PY_FAST("release", lf_py_semaphore_release,
               "release($self, /, n=1)\n--\n\n"
               "Gives `n` permits back. ValueError, and nothing changed, if the value would exceed `max_value`."),
    LF_PY_WITH(lf_py_semaphore_with, "`acquire()`; the semaphore itself.", lf_py_semaphore_end_with, "`release()`."),
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_semaphore_properties[] = {
    {"value", lf_py_semaphore_value, NULL, "How many permits could be taken at some instant of the call.", NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot lf_py_semaphore_slots[] = {
    {Py_tp_new, (void *)lf_py_semaphore_new},
    {Py_tp_dealloc, (void *)lf_py_dealloc},
    {Py_tp_methods, lf_py_semaphore_methods},
    {Py_tp_getset, lf_py_semaphore_properties},
    {0, NULL},
};
static PyType_Spec lf_py_semaphore_spec = {
    .name = "lockfree.Semaphore",
    .basicsize = sizeof(struct lf_py_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_semaphore_slots,
};
LF_PY_SURVEY(semaphore, {
    s->room = (int64_t)x->max;
    lf__sem_help(x, lf__sem_now(x->body)); /* else an account of the living could be old for long */
    s->inside = lf__sem_value(lf__sem_now(x->body));
    for (uint32_t i = 0; i < s->count; i++) {
        int64_t held = lf__sem_held_by(x, s->peers[i].number);
        s->holds[s->peers[i].number] = held > 0 ? (uint32_t)held : 0;
    }
})
LF_PY_TYPE(semaphore)
