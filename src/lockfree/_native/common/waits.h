/* waits.h: calls that wait: what is wanted of a wait (_long.py), and what is done between its slices. Included by object.h,
 * whose struct and counting it needs. */
#ifndef LOCKFREE_PY_WAITS_H
#define LOCKFREE_PY_WAITS_H

/* How long a call has waited, for those who want to be told; and what is wanted of it. */
struct lf_py_wait {
    uint64_t began, told;
    uint64_t after; /* as slow_after; 0: what the object says */
    int peers;      /* enum lf_told_here */
    int looked;     /* for gevent */
};

/* lockfree._long.scopes, once somebody uses `waiting`. Its value: None, or the innermost Scope: a tuple. */
static PyObject *lf_py_scopes;
enum { LF_PY_SCOPE_SHARED, LF_PY_SCOPE_TOLD, LF_PY_SCOPE_AFTER, LF_PY_SCOPE_ON_SLOW, LF_PY_SCOPE_OUTER, LF_PY_SCOPE };

static __attribute__((noinline)) void lf_py_look_at_scopes(struct lf_py_object *self, struct lf_py_wait *wait) {
    PyObject *scope = NULL;
    if (PyContextVar_Get(lf_py_scopes, NULL, &scope) != 0) /* it is no ContextVar: never */
        PyErr_WriteUnraisable(lf_py_scopes);
    for (PyObject *s = scope; s != NULL && PyTuple_Check(s) && PyTuple_GET_SIZE(s) == LF_PY_SCOPE;
         s = PyTuple_GET_ITEM(s, LF_PY_SCOPE_OUTER)) {
        if (PyTuple_GET_ITEM(s, LF_PY_SCOPE_SHARED) != (PyObject *)self)
            continue;
        if (wait->peers == 0)
            wait->peers = (int)PyLong_AsLong(PyTuple_GET_ITEM(s, LF_PY_SCOPE_TOLD));
        if (wait->after == 0)
            wait->after = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(s, LF_PY_SCOPE_AFTER));
    }
    Py_XDECREF(scope);
}
/* A wait that begins now. Not inside. */
static inline struct lf_py_wait lf_py_wait_begin(struct lf_py_object *self) {
    struct lf_py_wait wait = {0, 0, 0, LF_TOLD_AS_THE_HANDLE, 0};
    if (LF_UNLIKELY(lf_py_scopes != NULL))
        lf_py_look_at_scopes(self, &wait);
    return wait;
}
/* `statement`, which waits in C, without the GIL. Inside. */
#define LF_PY_WAIT(wait, statement)                                                                                    \
    do {                                                                                                               \
        int lf_py_told = (wait)->peers;                                                                                \
        if (LF_UNLIKELY(lf_py_told))                                                                                   \
            lf_tell_here(lf_py_told);                                                                                  \
        LF_PY_WITHOUT_GIL(statement);                                                                                  \
        if (LF_UNLIKELY(lf_py_told))                                                                                   \
            lf_tell_here(LF_TOLD_AS_THE_HANDLE);                                                                       \
    } while (0)

/* A wait that stops all greenlets of a thread is refused (_gevent.py): 0, or -1 with an exception. */
static int lf_py_refuse_greenlets(struct lf_py_object *self) {
    PyObject *name = PyUnicode_FromString("gevent._hub_local"), *hub = name != NULL ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    if (hub == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(hub);
    PyObject *done = PyObject_CallMethod((PyObject *)self, "_refuse_greenlets", NULL);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* Between two slices of a wait: serves signals, and calls the watcher of a long wait. 0, or -1 with an exception.
 * Not inside: Python code runs. */
static int lf_py_between(struct lf_py_object *self, struct lf_py_wait *wait) {
    if (PyErr_CheckSignals() != 0)
        return -1;
    if (!wait->looked && lf_py_refuse_greenlets(self) != 0)
        return -1;
    wait->looked = 1;
    uint64_t after = wait->after != 0 ? wait->after : lf_load_relaxed(&self->slow_after);
    uint64_t now = after != 0 ? lf_now() : 0;
    if (LF_LIKELY(after == 0))
        return 0;
    if (wait->began == 0)
        wait->began = wait->told = now - LF__AWHILE_NS; /* the first slices have passed */
    if (now - wait->told < after)
        return 0;
    wait->told = now;
    PyObject *done = PyObject_CallMethod((PyObject *)self, "_slow", "(d)", (double)(now - wait->began) * 1e-9);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* Until it is not interrupted. What a signal handler or the watcher of a long wait raises between two calls, ends
 * the loop with LF_PY_RAISED; nothing was taken then. */
#define LF_PY_RAISED INT64_MIN
#define LF_PY_UNTIL_DONE(self, status, call)                                                                           \
    do {                                                                                                               \
        struct lf_py_wait lf_py_waited = lf_py_wait_begin(self);                                                       \
        do {                                                                                                           \
            if (((status) = lf_py_enter(self)) == LF_OK) {                                                             \
                LF_PY_WAIT(&lf_py_waited, (status) = (call));                                                          \
                lf_py_leave(self);                                                                                     \
            }                                                                                                          \
            if ((status) == LF_INTERRUPTED && lf_py_between(self, &lf_py_waited) != 0)                                 \
                (status) = LF_PY_RAISED;                                                                               \
        } while ((status) == LF_INTERRUPTED);                                                                          \
    } while (0)

#endif
