/* Condition as a Python type, for conditions with a lock of their own. What the caller waits with, its place and its
 * depth, is given back before Python code runs again. */
static struct lf_condition *lf_py_the_condition(PyObject *object) {
    return (struct lf_condition *)((struct lf_py_object *)object)->p;
}
static uint32_t lf_py_condition_owner(void *condition, uint32_t *thread) {
    struct lf_condition *c = (struct lf_condition *)condition;
    return lf_py_lock_holder(&c->h, c->word, thread);
}

static PyObject *lf_py_condition_await(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 0, 1, {"timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_condition *c = lf_py_the_condition(object);
    PyObject *places[1] = {NULL};
    uint64_t ns;
    int64_t status, place = 0, depth = 0, again;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(NULL, places[0], &ns) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_condition_is_owned(c));
    if (status == 0)
        return lf_py_lock_refused(self, LF_NOT_OWNER, "wait", lf_py_condition_owner);
    if (status > 0)
        LF_PY_BRIEFLY(self, place, lf_condition_begin(c));
    if (status == 1 && place == LF_BUSY)
        return lf_py_misuse(self, "as many threads wait as can wait for one condition");
    if (status < 0 || place < 0)
        return lf_py_raise(self, status < 0 ? status : place);
    uint64_t until = lf_py_deadline(ns);
    LF_PY_BRIEFLY(self, depth, lf_condition_release_all(c));
    LF_PY_UNTIL_DONE(self, status, lf_condition_sleep(c, place, until));
    do /* it serves no signals: it would have to begin anew */
        LF_PY_AT_LENGTH(self, again, lf_condition_acquire_again(c, depth));
    while (again == LF_INTERRUPTED);
    if (lf_py_enter_briefly(self) == LF_OK) {
        if (status != LF_OK && status != LF_TIMEDOUT)
            lf_condition_pass_on(c, place);
        else if (lf_condition_end(c, place))
            status = LF_OK;
        lf_py_leave_briefly(self);
    }
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
        (places[0] != NULL && lf_py_integer("n", places[0], 0, UINT32_MAX, &n) != 0))
        return NULL;
    return lf_py_condition_give(object, "notify", (uint32_t)n);
}
static PyObject *lf_py_condition_notify_all(PyObject *object, PyObject *unused) {
    return lf_py_condition_give(object, "notify_all", UINT32_MAX);
}

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
                {"notify_all", lf_py_condition_notify_all, METH_NOARGS, LF_PY_CONDITION_NOTIFY_ALL_DOC}, )
LF_PY_SURVEY(condition, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    s->room = 1;
    lf_py_survey_hold(s, lf__lock_participant(word));
})
LF_PY_TYPE(condition)
