/* Event as a Python type. */
static PyTypeObject *lf_py_event_type;
LF_PY_KIND(event)

static struct lf_event *lf_py_event(PyObject *object) { return (struct lf_event *)((struct lf_py_object *)object)->p; }

static PyObject *lf_py_event_is_set(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_event_is_set(lf_py_event(object)));
    return status < 0 ? lf_py_raise(self, status) : PyBool_FromLong((long)status);
}
static PyObject *lf_py_event_set(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_event_set(lf_py_event(object)));
    return lf_py_none(self, status);
}
static PyObject *lf_py_event_clear(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_event_clear(lf_py_event(object)));
    return lf_py_none(self, status);
}
static PyObject *lf_py_event_wait(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 0, 1, {"timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_event *e = lf_py_event(object);
    PyObject *places[1] = {NULL};
    uint64_t ns, first = 0;
    int64_t status;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 || lf_py_remaining(places[0], &ns) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, (first = lf_event_now(e), lf_event_is_set(e)));
    if (status < 0)
        return lf_py_raise(self, status);
    if (status > 0)
        Py_RETURN_TRUE;
    uint64_t until = lf_py_deadline(ns);
    if (until == 0)
        Py_RETURN_FALSE;
    LF_PY_UNTIL_DONE(self, status, lf_event_wait_since(e, first, until));
    return lf_py_whether(self, status);
}

static PyMethodDef lf_py_event_methods[] = {
    {"is_set", lf_py_event_is_set, METH_NOARGS, "is_set($self, /)\n--\n\nWhether the flag is set."},
    {"set", lf_py_event_set, METH_NOARGS, "set($self, /)\n--\n\nSets the flag, and wakes everybody who waits for it."},
    {"clear", lf_py_event_clear, METH_NOARGS, "clear($self, /)\n--\n\nClears the flag."},
    LF_PY_FAST("wait", lf_py_event_wait,
               "wait($self, /, timeout=None)\n--\n\n"
               "Waits until the flag is set, at most `timeout` seconds (None: for ever).\n\n"
               "True if it was set at some instant of the call, even if it was cleared again before this thread ran. "
               "False if it\n"
               "was clear at the last look, which comes after the time-out."),
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_event_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
LF_PY_SPEC(event, "Event")
LF_PY_SURVEY(event, {
    s->inside = (int64_t)(lf_load_relaxed(&x->body->word) & 1);
    s->puts = (int64_t)((lf_load_relaxed(&x->body->word) + 1) >> 1);
})
LF_PY_TYPE(event)
