/* Mutex and SpinLock as Python types. Nothing stands between the acquisition in C and the return to the caller where a
 * signal could be served: `with lock` holds the lock in its block, and nowhere else. */

typedef int (*lf_py_lock_acquire)(void *lock, uint64_t deadline);

/* The process that died with the lock last, or 0. */
static uint32_t lf_py_lock_died(const struct lf_handle *h) {
    return h->segment == NULL ? 0 : lf_load_relaxed(&((struct lf_lock_body *)(void *)h->body)->died);
}

/* NULL and what `status` raises, in these words about the title and the process that died. It may be that the caller holds
 * the lock: no Python code runs here. */
static PyObject *lf_py_died(struct lf_py_object *self, int64_t status, const char *words) {
    struct lf_handle *h = (struct lf_handle *)self->p;
    int64_t pid = 0;
    LF_PY_BRIEFLY(self, pid, lf_py_lock_died(h));
    PyObject *key = PyLong_FromLongLong(status), *title = lf_py_title(self);
    PyObject *entry = pid > 0 && key != NULL && title != NULL && lf_py_messages != NULL
                          ? PyDict_GetItemWithError(lf_py_messages, key)
                          : NULL;
    if (entry != NULL)
        PyErr_Format(PyTuple_GET_ITEM(entry, 0), words, title, (long long)pid);
    Py_XDECREF(key);
    Py_XDECREF(title);
    return entry != NULL ? NULL : lf_py_raise(self, status);
}
static PyObject *lf_py_owner_died(struct lf_py_object *self) {
    return lf_py_died(self, LF_OWNER_DIED,
                      "%U: the last holder, process %lld, died with the lock; it is yours now: repair, then recover()");
}

/* What is more than one attempt that succeeds. */
static PyObject *lf_py_lock_slowly(struct lf_py_object *self, int64_t status, uint64_t ns, lf_py_lock_acquire acquire) {
    if (status == LF_TIMEDOUT && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, acquire(self->p, until));
    }
    if (status == LF_OK)
        Py_RETURN_TRUE;
    if (status == LF_TIMEDOUT)
        Py_RETURN_FALSE;
    return status == LF_OWNER_DIED ? lf_py_owner_died(self) : lf_py_raise(self, status);
}

/* The process that holds the lock, and its thread; thread 0 if that process died with it; process 0 if nobody holds it.
 * For messages. */
static uint32_t lf_py_lock_holder(const struct lf_handle *h, uint64_t *word, uint32_t *thread) {
    uint64_t seen = lf_load_relaxed(word);
    uint32_t participant = lf__lock_participant(seen);
    *thread = 0;
    if (participant >= LF_PARTICIPANTS)
        return 0;
    if (participant == 0)
        return seen & LF__LOCK_DIED ? lf_py_lock_died(h) : 0;
    int fd = h->home != NULL ? h->home->fd : h->fd;
    if (participant == h->participant || fd < 0 || lf__byte_lock(fd, F_OFD_GETLK, F_WRLCK, participant, 1) != 0)
        *thread = (uint32_t)(seen >> 32);
    return lf_load_relaxed(&h->segment->participants[participant].pid);
}

/* NULL and the exception: for a call that needs to hold the lock, who holds it. */
static PyObject *lf_py_lock_refused(struct lf_py_object *self, int64_t status, const char *call,
                                    uint32_t (*holder)(void *lock, uint32_t *thread)) {
    uint32_t thread = 0;
    int64_t pid = 0;
    PyObject *title = status == LF_NOT_OWNER ? lf_py_title(self) : NULL;
    if (title == NULL)
        return PyErr_Occurred() ? NULL : lf_py_raise(self, status);
    LF_PY_BRIEFLY(self, pid, holder(self->p, &thread));
    if (pid > 0 && thread == 0)
        PyErr_Format(PyExc_RuntimeError, "%U: %s() by a thread that does not hold it: process %u died with it", title,
                     call, (unsigned)pid);
    else if (pid > 0)
        PyErr_Format(PyExc_RuntimeError, "%U: %s() by a thread that does not hold it: thread %u of process %u holds it",
                     title, call, (unsigned)thread, (unsigned)pid);
    else
        PyErr_Format(PyExc_RuntimeError, "%U: %s() by a thread that does not hold it: nobody holds it", title, call);
    Py_DECREF(title);
    return NULL;
}

static const struct lf_py_signature lf_py_lock_acquire_signature = {"acquire", 0, 2, {"blocking", "timeout"}};

/* A class of a user's below the public one may have calls of its own: `with` uses those. */
static inline int lf_py_is_subclass(PyObject *self, PyTypeObject *native) {
    return LF_UNLIKELY(Py_TYPE(self)->tp_base != native);
}
static PyObject *lf_py_enter_through(PyObject *self, const char *method) {
    PyObject *result = PyObject_CallMethod(self, method, NULL);
    Py_XDECREF(result);
    return result != NULL ? Py_NewRef(self) : NULL;
}

#define LF_PY_LOCK(lock, Name) LF_PY_LOCK_WITH(lock, Name, )
/* The same with more rows in its table of methods. */
#define LF_PY_LOCK_WITH(lock, Name, ...)                                                                               \
    static PyTypeObject *lf_py_##lock##_type;                                                                          \
    LF_PY_KIND(lock)                                                                                                   \
    static uint32_t lf_py_##lock##_holder(struct lf_##lock *l, uint32_t *thread) {                                     \
        return lf_py_lock_holder(&l->h, l->word, thread);                                                              \
    }                                                                                                                  \
    static uint32_t lf_py_##lock##_died(struct lf_##lock *l) { return lf_py_lock_died(&l->h); }                        \
    static uint32_t lf_py_##lock##_whose(void *l, uint32_t *thread) {                                                  \
        return lf_py_##lock##_holder((struct lf_##lock *)l, thread);                                                   \
    }                                                                                                                  \
    static int lf_py_##lock##_wait(void *p, uint64_t deadline) {                                                       \
        struct lf_##lock *l = (struct lf_##lock *)p;                                                                   \
        int status = lf_##lock##_acquire_awhile(l, deadline);                                                          \
        if (LF_UNLIKELY(status == LF_OK &&                                                                             \
                        lf_is_closed(&l->h))) { /* closed meanwhile: nobody is told that it is held */                 \
            lf__lock_release(&l->h, l->word);                                                                          \
            status = LF_CLOSED;                                                                                        \
        }                                                                                                              \
        return status;                                                                                                 \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_acquire(PyObject *object, PyObject *const *args, Py_ssize_t count,                 \
                                            PyObject *keywords) {                                                      \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        PyObject *places[2];                                                                                           \
        uint64_t ns = LF_FOREVER;                                                                                      \
        int64_t status;                                                                                                \
        if ((count != 0 || keywords != NULL) &&                                                                        \
            (lf_py_arguments(object, &lf_py_lock_acquire_signature, args, count, keywords, places) != 0 ||             \
             lf_py_lock_patience(places[0], places[1], 1, &ns) != 0))                                                  \
            return NULL;                                                                                               \
        LF_PY_BRIEFLY(self, status, lf_##lock##_try_acquire((struct lf_##lock *)self->p));                             \
        if (LF_LIKELY(status == LF_OK))                                                                                \
            Py_RETURN_TRUE;                                                                                            \
        return lf_py_lock_slowly(self, status, ns, lf_py_##lock##_wait);                                               \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_try_acquire(PyObject *object, PyObject *unused) {                                  \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        int64_t status;                                                                                                \
        LF_PY_BRIEFLY(self, status, lf_##lock##_try_acquire((struct lf_##lock *)self->p));                             \
        if (LF_LIKELY(status == LF_OK))                                                                                \
            Py_RETURN_TRUE;                                                                                            \
        return lf_py_lock_slowly(self, status, 0, lf_py_##lock##_wait);                                                \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_release(PyObject *object, PyObject *unused) {                                      \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        int64_t status;                                                                                                \
        LF_PY_BRIEFLY(self, status, lf_##lock##_release((struct lf_##lock *)self->p));                                 \
        if (LF_LIKELY(status == LF_OK))                                                                                \
            Py_RETURN_NONE;                                                                                            \
        return lf_py_lock_refused(self, status, "release", lf_py_##lock##_whose);                                      \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_recover(PyObject *object, PyObject *unused) {                                      \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        int64_t status;                                                                                                \
        LF_PY_BRIEFLY(self, status, lf_##lock##_recover((struct lf_##lock *)self->p));                                 \
        if (LF_LIKELY(status == LF_OK))                                                                                \
            Py_RETURN_NONE;                                                                                            \
        return lf_py_lock_refused(self, status, "recover", lf_py_##lock##_whose);                                      \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_locked(PyObject *object, PyObject *unused) {                                       \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        int64_t status;                                                                                                \
        LF_PY_BRIEFLY(self, status, lf_##lock##_locked((struct lf_##lock *)self->p));                                  \
        return status < 0 ? lf_py_raise(self, status) : PyBool_FromLong((long)status);                                 \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_with(PyObject *object, PyObject *unused) {                                         \
        struct lf_py_object *self = (struct lf_py_object *)object;                                                     \
        int64_t status;                                                                                                \
        if (lf_py_is_subclass(object, lf_py_##lock##_type))                                                            \
            return lf_py_enter_through(object, "acquire");                                                             \
        LF_PY_BRIEFLY(self, status, lf_##lock##_try_acquire((struct lf_##lock *)self->p));                             \
        if (LF_LIKELY(status == LF_OK))                                                                                \
            return Py_NewRef(object);                                                                                  \
        PyObject *taken = lf_py_lock_slowly(self, status, LF_FOREVER, lf_py_##lock##_wait);                            \
        Py_XDECREF(taken);                                                                                             \
        return taken != NULL ? Py_NewRef(object) : NULL;                                                               \
    }                                                                                                                  \
    static PyObject *lf_py_##lock##_end_with(PyObject *object, PyObject *const *args, Py_ssize_t count) {              \
        if (lf_py_is_subclass(object, lf_py_##lock##_type))                                                            \
            return PyObject_CallMethod(object, "release", NULL);                                                       \
        return lf_py_##lock##_release(object, NULL);                                                                   \
    }                                                                                                                  \
    static PyMethodDef lf_py_##lock##_methods[] = {                                                                    \
        LF_PY_FAST("acquire", lf_py_##lock##_acquire, LF_PY_LOCK_ACQUIRE_DOC),                                         \
        {"try_acquire", lf_py_##lock##_try_acquire, METH_NOARGS, LF_PY_LOCK_TRY_ACQUIRE_DOC},                          \
        {"release", lf_py_##lock##_release, METH_NOARGS, LF_PY_LOCK_RELEASE_DOC},                                      \
        {"recover", lf_py_##lock##_recover, METH_NOARGS, LF_PY_LOCK_RECOVER_DOC},                                      \
        {"locked", lf_py_##lock##_locked, METH_NOARGS, LF_PY_LOCK_LOCKED_DOC},                                         \
        {"__enter__", lf_py_##lock##_with, METH_NOARGS, LF_PY_LOCK_ENTER_DOC},                                         \
        {"__exit__", (PyCFunction)(void (*)(void))lf_py_##lock##_end_with, METH_FASTCALL, LF_PY_LOCK_EXIT_DOC},        \
        __VA_ARGS__ LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},                                                         \
    };                                                                                                                 \
    static PyGetSetDef lf_py_##lock##_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};          \
    static PyType_Slot lf_py_##lock##_slots[] = {                                                                      \
        {Py_tp_new, (void *)lf_py_##lock##_new},                                                                       \
        {Py_tp_dealloc, (void *)lf_py_dealloc},                                                                        \
        {Py_tp_methods, lf_py_##lock##_methods},                                                                       \
        {Py_tp_getset, lf_py_##lock##_properties},                                                                     \
        {0, NULL},                                                                                                     \
    };                                                                                                                 \
    static PyType_Spec lf_py_##lock##_spec = {                                                                         \
        .name = "lockfree." Name,                                                                                      \
        .basicsize = sizeof(struct lf_py_object),                                                                      \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                                             \
        .slots = lf_py_##lock##_slots,                                                                                 \
    };

#define LF_PY_LOCK_ACQUIRE_DOC                                                                                         \
    "acquire($self, /, blocking=True, timeout=-1, *, block=None)\n--\n\n"                                              \
    "Takes the lock, waiting at most `timeout` seconds (-1: for ever). False: another thread held it all the time."    \
    "\n\n"                                                                                                             \
    "`block` is `blocking` by the name that it has in `multiprocessing`. Give one of the two.\n\n"                     \
    "Raises `OwnerDied` *with the lock held* if the last holder died with it: repair what the lock guards, then call"  \
    "\n"                                                                                                               \
    "`recover()`. Raises RuntimeError if the calling thread holds the lock itself and would wait for ever. Raises\n"   \
    "`NotRecoverable` if somebody released it after `OwnerDied` without `recover()`."
#define LF_PY_LOCK_TRY_ACQUIRE_DOC                                                                                     \
    "try_acquire($self, /)\n--\n\n"                                                                                    \
    "`acquire(blocking=False)`: never waits."
#define LF_PY_LOCK_RELEASE_DOC                                                                                         \
    "release($self, /)\n--\n\n"                                                                                        \
    "Gives the lock back. RuntimeError if the calling thread does not hold it.\n\n"                                    \
    "After `OwnerDied` without `recover()` the lock stays unusable: every later `acquire` raises `NotRecoverable`."
#define LF_PY_LOCK_RECOVER_DOC                                                                                         \
    "recover($self, /)\n--\n\n"                                                                                        \
    "Says, after `OwnerDied`, that what the lock guards is in order again. Does nothing if nobody died.\n\n"           \
    "RuntimeError if the calling thread does not hold the lock."
#define LF_PY_LOCK_LOCKED_DOC                                                                                          \
    "locked($self, /)\n--\n\n"                                                                                         \
    "Whether somebody holds the lock."
#define LF_PY_LOCK_ENTER_DOC "__enter__($self, /)\n--\n\n`acquire()`; the lock itself."
#define LF_PY_LOCK_EXIT_DOC "__exit__($self, kind, error, trace, /)\n--\n\n`release()`."
