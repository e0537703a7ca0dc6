/* RLock as a Python type, with what `threading.Condition` asks of its lock. */
static int lf_py_rlock_wait(void *lock, uint64_t deadline);
static uint32_t lf_py_rlock_whose(void *lock, uint32_t *thread);

static struct lf_rlock *lf_py_the_rlock(PyObject *object) {
    return (struct lf_rlock *)((struct lf_py_object *)object)->p;
}

static PyObject *lf_py_rlock_recursion_count(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t depth;
    LF_PY_BRIEFLY(self, depth, lf_rlock_depth(lf_py_the_rlock(object)));
    return depth < 0 ? lf_py_raise(self, depth) : PyLong_FromLongLong(depth);
}
static PyObject *lf_py_rlock_is_owned(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t depth;
    LF_PY_BRIEFLY(self, depth, lf_rlock_depth(lf_py_the_rlock(object)));
    return depth < 0 ? lf_py_raise(self, depth) : PyBool_FromLong(depth > 0);
}
static PyObject *lf_py_rlock_release_save(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t depth;
    LF_PY_BRIEFLY(self, depth, lf_rlock_release_all(lf_py_the_rlock(object)));
    return depth < 0 ? lf_py_lock_refused(self, depth, "release", lf_py_rlock_whose) : PyLong_FromLongLong(depth);
}
static PyObject *lf_py_rlock_acquire_restore(PyObject *object, PyObject *given) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status, done, depth;
    if (lf_py_integer("depth", given, 1, INT64_MAX, &depth) != 0)
        return NULL;
    LF_PY_UNTIL_DONE(self, status, lf_py_rlock_wait(self->p, LF_FOREVER));
    if (status == LF_OK || status == LF_OWNER_DIED)
        LF_PY_BRIEFLY(self, done, (lf_rlock_restore(lf_py_the_rlock(object), depth), LF_OK));
    (void)done;
    return status == LF_OWNER_DIED ? lf_py_owner_died(self) : lf_py_none(self, status);
}

LF_PY_LOCK_WITH(rlock, "RLock",
                {"_recursion_count", lf_py_rlock_recursion_count, METH_NOARGS,
                 "How often the calling thread has the lock."},
                {"_is_owned", lf_py_rlock_is_owned, METH_NOARGS, NULL},
                {"_release_save", lf_py_rlock_release_save, METH_NOARGS, NULL},
                {"_acquire_restore", lf_py_rlock_acquire_restore, METH_O, NULL}, )
LF_PY_SURVEY(rlock, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    s->room = 1;
    lf_py_survey_hold(s, lf__lock_participant(word));
})
LF_PY_TYPE(rlock)
