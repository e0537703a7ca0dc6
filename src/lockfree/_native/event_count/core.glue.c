/* EventCount as a Python type. */
static PyTypeObject *lf_py_event_count_type;
LF_PY_KIND(event_count)

static struct lf_event_count *lf_py_event_count(PyObject *object) {
    return (struct lf_event_count *)((struct lf_py_object *)object)->p;
}
static const struct lf_py_signature lf_py_notify_signature = {"notify", 0, 1, {"n"}};

static PyObject *lf_py_event_count_give(PyObject *object, uint32_t n) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_event_count_notify(lf_py_event_count(object), n));
    return lf_py_none(self, status);
}
static PyObject *lf_py_event_count_notify(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                          PyObject *keywords) {
    PyObject *places[1] = {NULL};
    int64_t n = 1;
    if (lf_py_arguments(object, &lf_py_notify_signature, args, count, keywords, places) != 0 ||
        (places[0] != NULL && lf_py_integer("n", places[0], 0, INT64_MAX, &n) != 0))
        return NULL;
    return lf_py_event_count_give(object, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n);
}
static PyObject *lf_py_event_count_notify_all(PyObject *object, PyObject *unused) {
    return lf_py_event_count_give(object, UINT32_MAX);
}
static PyObject *lf_py_event_count_cancel(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_event_count_cancel(lf_py_event_count(object)));
    return lf_py_none(self, status);
}
static PyObject *lf_py_event_count_prepare(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t ticket;
    LF_PY_BRIEFLY(self, ticket, lf_event_count_prepare(lf_py_event_count(object)));
    return ticket < 0 ? lf_py_raise(self, ticket) : PyLong_FromLongLong(ticket);
}
static void lf_py_event_count_take_back(PyObject *object, int64_t ticket) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (lf_py_enter_briefly(self) == LF_OK) {
        lf_event_count_retract(lf_py_event_count(object), ticket);
        lf_py_leave_briefly(self);
    }
}
static PyObject *lf_py_event_count_retract(PyObject *object, PyObject *given) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t ticket;
    if (lf_py_integer("ticket", given, 0, INT64_MAX, &ticket) != 0)
        return NULL;
    if (lf_py_is_closed(self))
        return lf_py_raise(self, LF_CLOSED);
    lf_py_event_count_take_back(object, ticket);
    Py_RETURN_NONE;
}
static PyObject *lf_py_event_count_wait(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 1, 2, {"ticket", "timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *places[2] = {NULL, NULL};
    uint64_t ns;
    int64_t status, ticket;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_integer("ticket", places[0], 0, INT64_MAX, &ticket) != 0 || lf_py_remaining(places[1], &ns) != 0)
        return NULL;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_event_count_wait(lf_py_event_count(object), ticket, until));
    if (status == LF_PY_RAISED)
        lf_py_event_count_take_back(object, ticket);
    if (status == LF_CANCELLED)
        Py_RETURN_FALSE;
    return lf_py_whether(self, status);
}
/* What predicate() says; *is_true: as a truth value, or -1 with an exception. */
static PyObject *lf_py_asked(PyObject *predicate, int *is_true) {
    PyObject *said = PyObject_CallNoArgs(predicate);
    *is_true = said == NULL ? -1 : PyObject_IsTrue(said);
    if (*is_true < 0)
        Py_CLEAR(said);
    return said;
}
static PyObject *lf_py_event_count_wait_until(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                              PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait_until", 1, 2, {"predicate", "timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *places[2] = {NULL, NULL};
    uint64_t ns;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 || lf_py_remaining(places[1], &ns) != 0)
        return NULL;
    if (!PyCallable_Check(places[0])) {
        LF_PY_BAD_VALUE(PyExc_TypeError, places[0], "predicate is %U: it must be callable", shown);
        return NULL;
    }
    uint64_t until = lf_py_deadline(ns);
    int64_t first = -1, status = LF_INTERRUPTED;
    struct lf_py_wait wait = lf_py_wait_begin(self);
    for (;;) {
        int64_t ticket;
        int is_true;
        LF_PY_BRIEFLY(self, ticket, lf_event_count_prepare(lf_py_event_count(object)));
        if (ticket < 0)
            return lf_py_raise(self, ticket);
        if (first < 0)
            first = ticket >> 32; /* the cancels that this wait has not missed */
        PyObject *said = lf_py_asked(places[0], &is_true);
        if (is_true != 0 || status == LF_TIMEDOUT || first != ticket >> 32 || until == 0) {
            lf_py_event_count_take_back(object, ticket);
            return said;
        }
        Py_DECREF(said);
        LF_PY_AT_LENGTH(self, status, lf_event_count_wait(lf_py_event_count(object), ticket, until));
        if (status == LF_INTERRUPTED) {
            lf_py_event_count_take_back(object, ticket);
            if (lf_py_between(self, &wait) != 0)
                return NULL;
        } else if (status == LF_CANCELLED) {
            status = LF_TIMEDOUT; /* one more look */
        } else if (status != LF_OK && status != LF_TIMEDOUT) {
            return lf_py_raise(self, status);
        }
    }
}

static PyMethodDef lf_py_event_count_methods[] = {
    {"prepare", lf_py_event_count_prepare, METH_NOARGS,
     "prepare($self, /)\n--\n\n"
     "Announces a waiter, and returns its ticket. Look at the condition after that; then `wait` or `retract`."},
    {"retract", lf_py_event_count_retract, METH_O,
     "retract($self, ticket, /)\n--\n\n"
     "Takes an announcement back, because the condition is true or nobody is going to wait."},
    LF_PY_FAST(
        "wait", lf_py_event_count_wait,
        "wait($self, /, ticket, timeout=None)\n--\n\n"
        "Waits until somebody notifies, at most `timeout` seconds (None: for ever).\n\n"
        "True if somebody has notified since `prepare` gave the ticket: look at the condition again. False after "
        "the\n"
        "time-out or a `cancel`. The ticket is used up."),
    LF_PY_FAST("wait_until", lf_py_event_count_wait_until,
               "wait_until($self, /, predicate, timeout=None)\n--\n\n"
               "Waits until `predicate()` is true, at most `timeout` seconds (None: for ever); what it returned "
               "last.\n\n"
               "It is called before each sleep, after each wake, every 100 ms, and once more after the time-out or a "
               "`cancel`."),
    LF_PY_FAST("notify", lf_py_event_count_notify,
               "notify($self, /, n=1)\n--\n\n"
               "Wakes `n` waiters, or all if there are fewer. Call it after the change that they wait for."),
    {"notify_all", lf_py_event_count_notify_all, METH_NOARGS, "notify_all($self, /)\n--\n\nWakes all waiters."},
    {"cancel", lf_py_event_count_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\n"
     "Ends every wait of this object in this process, from any thread or signal handler: `wait` returns False,\n"
     "`wait_until` what its predicate says then. Other participants go on."},
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_event_count_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
LF_PY_SPEC(event_count, "EventCount")
LF_PY_SURVEY(event_count, { (void)x; })
LF_PY_TYPE(event_count)
