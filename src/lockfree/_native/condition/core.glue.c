/* Condition as a Python type, for conditions with a lock of their own. What the caller waits with, its place and its
 * depth, is given back before Python code runs again. */
static struct lf_condition *lf_py_the_condition(PyObject *object) {
    return (struct lf_condition *)((struct lf_py_object *)object)->p;
}
static uint32_t lf_py_condition_owner(void *condition, uint32_t *thread) {
    struct lf_condition *c = (struct lf_condition *)condition;
    return lf_py_lock_holder(&c->h, c->word, thread);
}

static PyObject *lf_py_no_place(struct lf_py_object *self, const struct lf_condition *c) {
    char text[80];
    snprintf(text, sizeof text, "all %u places for waiting threads are taken", (unsigned)c->places);
    return lf_py_misuse(self, text);
}

/* ---- exceptions that have to wait ---- */

/* The first exception that came while something else had to be done first. */
struct lf_py_first {
    PyObject *type, *error, *trace;
};
/* The exception that is set, if there is one, is kept; or it goes, since another one came before it. */
static void lf_py_keep(struct lf_py_first *first) {
    if (first->type == NULL)
        PyErr_Fetch(&first->type, &first->error, &first->trace);
    else
        PyErr_Clear();
}

/* The end of a wait, which status ended: its place is given back, and the notify goes to another one if this one has to
 * raise. The status; LF_PY_RAISED with the exception that was kept. */
static int64_t lf_py_condition_ends(struct lf_py_object *self, int64_t place, int64_t status,
                                    struct lf_py_first *first) {
    struct lf_condition *c = (struct lf_condition *)self->p;
    if (lf_py_enter_briefly(self) == LF_OK) {
        if (first->type != NULL || (status != LF_OK && status != LF_TIMEDOUT))
            lf_condition_pass_on(c, place);
        else if (lf_condition_end(c, place))
            status = LF_OK;
        lf_py_leave_briefly(self);
    }
    if (first->type == NULL)
        return status;
    PyErr_Restore(first->type, first->error, first->trace);
    return LF_PY_RAISED;
}

/* ---- with a lock of its own ---- */

static PyObject *lf_py_condition_await(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 0, 1, {"timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_condition *c = lf_py_the_condition(object);
    PyObject *places[1] = {NULL};
    uint64_t ns;
    int64_t status, place = 0, depth = 0, again;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 || lf_py_remaining(places[0], &ns) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_condition_is_owned(c));
    if (status == 0)
        return lf_py_lock_refused(self, LF_NOT_OWNER, "wait", lf_py_condition_owner);
    if (status > 0)
        LF_PY_BRIEFLY(self, place, lf_condition_begin(c));
    if (status == 1 && place == LF_BUSY)
        return lf_py_no_place(self, c);
    if (status < 0 || place < 0)
        return lf_py_raise(self, status < 0 ? status : place);
    uint64_t until = lf_py_deadline(ns);
    struct lf_py_first first = {0};
    LF_PY_BRIEFLY(self, depth, lf_condition_release_all(c));
    LF_PY_UNTIL_DONE(self, status, lf_condition_sleep(c, place, until));
    lf_py_keep(&first);
    do { /* signals are served, and the lock is held again before anybody hears of what they raised */
        LF_PY_AT_LENGTH(self, again, lf_condition_acquire_again(c, depth));
        if (again == LF_INTERRUPTED && PyErr_CheckSignals() != 0)
            lf_py_keep(&first);
    } while (again == LF_INTERRUPTED);
    status = lf_py_condition_ends(self, place, status, &first);
    if (status == LF_PY_RAISED)
        return NULL;
    if (again == LF_OWNER_DIED)
        return lf_py_owner_died(self);
    return again != LF_OK ? lf_py_raise(self, again) : lf_py_whether(self, status);
}

static PyObject *lf_py_condition_give(PyObject *object, const char *call, uint32_t n) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_condition_notify(lf_py_the_condition(object), n));
    if (status == LF_NOT_OWNER)
        return lf_py_lock_refused(self, status, call, lf_py_condition_owner);
    return lf_py_none(self, status < 0 ? status : LF_OK);
}
static PyObject *lf_py_condition_notify(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"notify", 0, 1, {"n"}};
    PyObject *places[1] = {NULL};
    int64_t n = 1;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        (places[0] != NULL && lf_py_integer("n", places[0], 0, INT64_MAX, &n) != 0))
        return NULL;
    return lf_py_condition_give(object, "notify", n > UINT32_MAX ? UINT32_MAX : (uint32_t)n);
}
static PyObject *lf_py_condition_notify_all(PyObject *object, PyObject *unused) {
    return lf_py_condition_give(object, "notify_all", UINT32_MAX);
}

/* ---- with another object as the lock ---- */

/* The lock that the condition was made with: a new reference. */
static PyObject *lf_py_condition_lock(PyObject *object) { return PyObject_GetAttrString(object, "_lock"); }

/* Takes the lock again; what ends the wait early is kept until it has it. An exception of the lock's own ends it without
 * the lock. An Exception of a signal handler cannot be told from those. */
static void lf_py_condition_take_lock(PyObject *lock, PyObject *saved, struct lf_py_first *first) {
    for (;;) {
        PyObject *taken = saved != Py_None ? PyObject_CallMethod(lock, "_acquire_restore", "(O)", saved)
                                           : PyObject_CallMethod(lock, "acquire", NULL);
        int again = taken == NULL && !PyErr_ExceptionMatches(PyExc_Exception); /* KeyboardInterrupt, SystemExit */
        Py_XDECREF(taken);
        lf_py_keep(first);
        if (!again)
            return;
    }
}

/* _wait_over(timeout): wait() of a condition whose lock is another object. */
static PyObject *lf_py_condition_wait_over(PyObject *object, PyObject *timeout) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_condition *c = lf_py_the_condition(object);
    struct lf_py_first first = {0};
    uint64_t ns;
    int64_t status, place;
    PyObject *owned = lf_py_remaining(timeout, &ns) == 0 ? PyObject_CallMethod(object, "_require_owned", "s", "wait")
                                                         : NULL;
    PyObject *lock = owned != NULL ? lf_py_condition_lock(object) : NULL;
    Py_XDECREF(owned);
    if (lock == NULL)
        return NULL;
    uint64_t until = lf_py_deadline(ns);
    int saves = PyObject_HasAttrString(lock, "_release_save");
    LF_PY_BRIEFLY(self, place, lf_condition_begin(c));
    if (place < 0) {
        Py_DECREF(lock);
        return place == LF_BUSY ? lf_py_no_place(self, c) : lf_py_raise(self, place);
    }
    PyObject *saved = PyObject_CallMethod(lock, saves ? "_release_save" : "release", NULL);
    status = LF_PY_RAISED;
    if (saved != NULL) {
        LF_PY_UNTIL_DONE(self, status, lf_condition_sleep(c, place, until));
        lf_py_keep(&first);
        lf_py_condition_take_lock(lock, saves ? saved : Py_None, &first);
    } else {
        lf_py_keep(&first);
    }
    Py_XDECREF(saved);
    Py_DECREF(lock);
    return lf_py_whether(self, lf_py_condition_ends(self, place, status, &first));
}

/* _notify_over(n): notifies, whichever thread has the lock. */
static PyObject *lf_py_condition_notify_over(PyObject *object, PyObject *given) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status, n;
    if (lf_py_integer("n", given, 0, UINT32_MAX, &n) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_condition_notify_unlocked(lf_py_the_condition(object), (uint32_t)n));
    return lf_py_none(self, status < 0 ? status : LF_OK);
}

/* `with condition`: the lock's own __enter__ and __exit__. */
static PyObject *lf_py_condition_enter_over(PyObject *object, PyObject *unused) {
    PyObject *lock = lf_py_condition_lock(object);
    PyObject *entered = lock != NULL ? PyObject_CallMethod(lock, "__enter__", NULL) : NULL;
    Py_XDECREF(lock);
    Py_XDECREF(entered);
    return entered != NULL ? Py_NewRef(object) : NULL;
}
static PyObject *lf_py_condition_exit_over(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    PyObject *lock = lf_py_condition_lock(object);
    PyObject *kind = count > 0 ? args[0] : Py_None, *error = count > 1 ? args[1] : Py_None;
    PyObject *left = lock != NULL
                         ? PyObject_CallMethod(lock, "__exit__", "OOO", kind, error, count > 2 ? args[2] : Py_None)
                         : NULL;
    Py_XDECREF(lock);
    Py_XDECREF(left);
    return left != NULL ? Py_NewRef(Py_None) : NULL;
}

/* ---- the table ---- */

#define LF_PY_CONDITION_WAIT_DOC                                                                                       \
    "wait($self, /, timeout=None)\n--\n\n"                                                                             \
    "Gives the lock back, waits until it is notified, and takes the lock again. It waits at most `timeout` seconds\n"  \
    "(None: for ever). True if it was notified, False after the time-out.\n\n"                                         \
    "RuntimeError if the calling thread does not hold the lock. Raises `OwnerDied` *with the lock held* if the last\n" \
    "holder died with it."
#define LF_PY_CONDITION_NOTIFY_DOC                                                                                     \
    "notify($self, /, n=1)\n--\n\n"                                                                                    \
    "Notifies the `n` that have waited longest, or all if there are fewer.\n\n"                                        \
    "RuntimeError if the calling thread does not hold the lock."
#define LF_PY_CONDITION_NOTIFY_ALL_DOC "notify_all($self, /)\n--\n\nNotifies all that wait, as `notify` does."

LF_PY_LOCK_WITH(condition, "Condition", LF_PY_FAST("wait", lf_py_condition_await, LF_PY_CONDITION_WAIT_DOC),
                LF_PY_FAST("notify", lf_py_condition_notify, LF_PY_CONDITION_NOTIFY_DOC),
                {"notify_all", lf_py_condition_notify_all, METH_NOARGS, LF_PY_CONDITION_NOTIFY_ALL_DOC},
                {"_wait_over", lf_py_condition_wait_over, METH_O, NULL},
                {"_notify_over", lf_py_condition_notify_over, METH_O, NULL},
                {"_enter_over", lf_py_condition_enter_over, METH_NOARGS, LF_PY_LOCK_ENTER_DOC},
                {"_exit_over", (PyCFunction)(void (*)(void))lf_py_condition_exit_over, METH_FASTCALL,
                 LF_PY_LOCK_EXIT_DOC}, )
LF_PY_SURVEY(condition, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    s->room = 1;
    lf_py_survey_hold(s, lf__lock_participant(word));
})
LF_PY_TYPE(condition)
