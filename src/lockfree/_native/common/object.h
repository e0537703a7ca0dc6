/* object.h: what the Python types of all primitives begin with, and how they open, close and fail.
 *
 * Contract
 *   A type's struct begins with `struct lf_py_object`. `p` is never NULL: it is the process-local struct of the
 *   primitive, or a closed one before the constructor is done. So an operation may be called at any time; it answers
 *   LF_CLOSED where there is no mapping.
 *   A call that is about to touch the mapping counts itself: lf_py_enter and lf_py_leave. close() ends the object,
 *   wakes its sleepers, and the last one out detaches it. A call that keeps the GIL from its first look to its last
 *   touch uses lf_py_enter_briefly and lf_py_leave_briefly, which count in builds without the GIL alone.
 *   Between enter and leave no Python code runs: no signal handler, no codec, no destructor of a user's object. Such code
 *   may close the object or fork. Leave first, and enter again.
 * Spaces: a call that enters an object in a space enters the space, too. close() of the space closes its objects first
 * (space.py). Fork: a child counts from 0. Threads that were inside in the parent do not exist in it. */
#ifndef LOCKFREE_PY_OBJECT_H
#define LOCKFREE_PY_OBJECT_H

#include <lockfree/lockfree.h>

struct lf_py_kind {
    void (*close)(void *p); /* ends this handle and wakes its sleepers: lf_X_close */
};

struct lf_py_object {
    PyObject_HEAD void *p; /* struct lf_X of this object, once it is made; before that a closed one */
    void *owned;           /* the same from the moment on that its memory exists; NULL before */
    PyObject *handle;      /* the cffi object that owns this memory; never let go before the object ends */
    PyObject *name;        /* str, or None: anonymous */
    uint64_t calls;        /* {fork generation : 30 | DETACHED | CLOSED | calls inside : 32} */
    const struct lf_py_kind *kind;
    void (*before_detach)(struct lf_py_object *self); /* or NULL */
    struct lf_py_object *home;                        /* of an object in a space: the space, which it keeps; or NULL */
    uint64_t slow_after; /* ns of a wait after which self._slow(seconds) is called; 0: never */
};

#define LF_PY_CLOSED (UINT64_C(1) << 32)
#define LF_PY_DETACHED (UINT64_C(1) << 33)
#define LF_PY_GENERATION_SHIFT 34
#define LF_PY_GENERATION(word) ((uint32_t)((word) >> LF_PY_GENERATION_SHIFT))

/* What `closed` of a handle says before the constructor is done: there was no close(). */
#define LF_PY_NEVER_MADE 2u

static union {
    struct lf_handle h;
    LF_ALIGNED unsigned char room[16384];
} lf_py_unmade; /* set when the types are installed */

/* The extension is compiled with these macros empty, since cffi calls of `lib` keep the GIL. */
#define LF_PY_WITHOUT_GIL(statement)                                                                                   \
    do {                                                                                                               \
        PyThreadState *lf_py_saved = PyEval_SaveThread();                                                              \
        statement;                                                                                                     \
        PyEval_RestoreThread(lf_py_saved);                                                                             \
    } while (0)

#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

/* ---- counting ---- */

/* Of this process: another one in each child, in whatever way it was forked (process.h). */
static inline uint32_t lf_py_generation(void) {
    return (uint32_t)lf_process_epoch(lf_process()) & ((UINT32_C(1) << 30) - 1);
}

static uint64_t lf_py_nobody_inside(uint64_t flags) {
    return (uint64_t)lf_py_generation() << LF_PY_GENERATION_SHIFT | (flags & (LF_PY_CLOSED | LF_PY_DETACHED));
}

static void lf_py_forget_calls_of_parent(struct lf_py_object *self) {
    uint64_t word = lf_load_relaxed(&self->calls);
    while (LF_PY_GENERATION(word) != lf_py_generation() &&
           !lf_cas_seq_cst(&self->calls, &word, lf_py_nobody_inside(word)))
        ;
}

/* Bytes. A longer copy gives the GIL up. */
#define LF_PY_LONG_COPY 65536

/* To unmap much memory takes the kernel milliseconds; others run meanwhile. */
#define LF_PY_LARGE (UINT64_C(1) << 20)
static void lf_py_free(void *memory, uint64_t bytes) {
    if (bytes > LF_PY_LARGE)
        LF_PY_WITHOUT_GIL(PyMem_RawFree(memory));
    else
        PyMem_RawFree(memory);
}
static void lf_py_detach_handle(struct lf_handle *h) {
    if (h->segment != NULL && h->bytes > LF_PY_LARGE)
        LF_PY_WITHOUT_GIL(lf_detach(h));
    else
        lf_detach(h);
}

static void lf_py_detach_if_idle(struct lf_py_object *self) {
    uint64_t idle = lf_py_nobody_inside(LF_PY_CLOSED);
    if (lf_cas_seq_cst(&self->calls, &idle, idle | LF_PY_DETACHED)) {
        if (self->before_detach != NULL)
            self->before_detach(self);
        lf_py_detach_handle((struct lf_handle *)self->p);
    }
}

static inline void lf_py_leave_alone(struct lf_py_object *self) {
    uint64_t before = lf_fetch_sub_seq_cst(&self->calls, 1);
    if (LF_UNLIKELY((before & ((UINT64_C(1) << LF_PY_GENERATION_SHIFT) - 1)) == (LF_PY_CLOSED | 1)))
        lf_py_detach_if_idle(self); /* fails if somebody came and is about to leave: the last one does it */
}

static inline int lf_py_enter_alone(struct lf_py_object *self) {
    if (LF_UNLIKELY(LF_PY_GENERATION(lf_load_relaxed(&self->calls)) != lf_py_generation()))
        lf_py_forget_calls_of_parent(self);
    uint64_t before = lf_fetch_add_seq_cst(&self->calls, 1);
    if (LF_LIKELY((before & LF_PY_CLOSED) == 0))
        return LF_OK;
    lf_py_leave_alone(self);
    return LF_CLOSED;
}
/* With the space in which the object is, if it is in one: it stays mapped, too. */
static inline void lf_py_leave(struct lf_py_object *self) {
    struct lf_py_object *home = self->home;
    lf_py_leave_alone(self);
    if (LF_UNLIKELY(home != NULL))
        lf_py_leave_alone(home);
}
/* LF_OK: inside. LF_CLOSED: not inside, no leave. */
static inline int lf_py_enter(struct lf_py_object *self) {
    if (LF_UNLIKELY(self->home != NULL) && lf_py_enter_alone(self->home) != LF_OK)
        return LF_CLOSED;
    int status = lf_py_enter_alone(self);
    if (LF_UNLIKELY(status != LF_OK && self->home != NULL))
        lf_py_leave_alone(self->home);
    return status;
}

#ifdef Py_GIL_DISABLED
#define lf_py_enter_briefly(self) lf_py_enter(self)
#define lf_py_leave_briefly(self) lf_py_leave(self)
#else
#define lf_py_enter_briefly(self) ((void)(self), LF_OK)
#define lf_py_leave_briefly(self) ((void)(self))
#endif

/* `status = call`, for a call that keeps the GIL; LF_CLOSED if the object is. */
#define LF_PY_BRIEFLY(self, status, call)                                                                              \
    do {                                                                                                               \
        if (((status) = lf_py_enter_briefly(self)) == LF_OK) {                                                         \
            (status) = (call);                                                                                         \
            lf_py_leave_briefly(self);                                                                                 \
        }                                                                                                              \
    } while (0)

/* The same for a call that may sleep or take long: it gives the GIL up. */
#define LF_PY_AT_LENGTH(self, status, call)                                                                            \
    do {                                                                                                               \
        if (((status) = lf_py_enter(self)) == LF_OK) {                                                                 \
            LF_PY_WITHOUT_GIL((status) = (call));                                                                      \
            lf_py_leave(self);                                                                                         \
        }                                                                                                              \
    } while (0)

#include "common/waits.h"
#include "common/errors.h"

/* ---- life ---- */

static PyObject *lf_py_new(PyTypeObject *type, const struct lf_py_kind *kind) {
    struct lf_py_object *self = (struct lf_py_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->p = &lf_py_unmade;
    self->kind = kind;
    self->calls = lf_py_nobody_inside(LF_PY_CLOSED | LF_PY_DETACHED);
    return (PyObject *)self;
}

/* The part of every tp_dealloc: runs no Python code. */
static void lf_py_end(struct lf_py_object *self) {
    if (self->before_detach != NULL)
        self->before_detach(self);
    if (self->owned != NULL)
        lf_py_detach_handle((struct lf_handle *)self->owned);
    Py_CLEAR(self->handle);
    Py_CLEAR(self->name);
    Py_CLEAR(self->home);
}

static void lf_py_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    lf_py_end((struct lf_py_object *)object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* _own(handle, address, name): the cffi struct that the constructor is about to fill belongs to the object from now on.
 * Returns the handle. */
static PyObject *lf_py_own(PyObject *object, PyObject *args) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *handle, *address, *name;
    if (!PyArg_ParseTuple(args, "OOO", &handle, &address, &name))
        return NULL;
    void *memory = PyLong_AsVoidPtr(address);
    if (memory == NULL)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "address is 0");
    if (self->owned != NULL)
        return PyErr_Format(PyExc_RuntimeError, "%s.__init__() was called a second time", Py_TYPE(object)->tp_name);
    self->handle = Py_NewRef(handle);
    self->name = Py_NewRef(name);
    self->owned = memory;
    return Py_NewRef(handle);
}

/* _tell_slow(ns): from now on self._slow(seconds) is called in waits, each time so long has passed; 0: no more. */
static PyObject *lf_py_tell_slow(PyObject *object, PyObject *ns) {
    uint64_t after = PyLong_AsUnsignedLongLong(ns);
    if (after == UINT64_MAX && PyErr_Occurred())
        return NULL;
    lf_store_relaxed(&((struct lf_py_object *)object)->slow_after, after);
    Py_RETURN_NONE;
}

/* _ready(): the struct that it owns is attached. */
static PyObject *lf_py_ready(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (self->owned == NULL || self->p == self->owned)
        return PyErr_Format(PyExc_RuntimeError, "%s: _ready() without _own()", Py_TYPE(object)->tp_name);
    self->p = self->owned;
    lf_store_seq_cst(&self->calls, lf_py_nobody_inside(0));
    Py_RETURN_NONE;
}

static PyObject *lf_py_close(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (lf_py_enter(self) == LF_OK) {
        if ((lf_fetch_or_seq_cst(&self->calls, LF_PY_CLOSED) & LF_PY_CLOSED) == 0)
            self->kind->close(self->p);
        lf_py_leave(self);
    } else if (self->home != NULL &&
               lf_py_enter_alone(self) == LF_OK) { /* its space was closed before: nobody sleeps */
        lf_close((struct lf_handle *)self->p, NULL, 0);
        lf_fetch_or_seq_cst(&self->calls, LF_PY_CLOSED);
        lf_py_leave_alone(self);
    }
    Py_RETURN_NONE;
}

/* _live_in(space): the object that is about to be made is one in this space. */
static PyTypeObject *lf_py_space_type;
static PyObject *lf_py_live_in(PyObject *object, PyObject *space) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (lf_py_space_type == NULL || !PyObject_TypeCheck(space, lf_py_space_type) || self->home != NULL ||
        self->owned != NULL)
        return PyErr_Format(PyExc_TypeError, "%s: _live_in() takes a space, once", Py_TYPE(object)->tp_name);
    self->home = (struct lf_py_object *)Py_NewRef(space);
    Py_RETURN_NONE;
}

static PyObject *lf_py_enter_to_visit(PyObject *object, PyObject *unused) __attribute__((unused)); /* visits.h */

static PyObject *lf_py_get_closed(PyObject *object, void *unused) {
    return PyBool_FromLong(lf_py_is_closed((struct lf_py_object *)object));
}

static PyObject *lf_py_recover_dead(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_handle *h = (struct lf_handle *)self->p;
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_enter(h));
    if (status == LF_OK)
        LF_PY_AT_LENGTH(self, status, lf_load_relaxed(&h->closed) ? LF_CLOSED : lf_reap(h));
    return status < 0 ? lf_py_raise(self, status) : PyLong_FromLongLong(status);
}

/* _duplicate(): a descriptor of the caller's own that leads to the segment, for handing it over. */
static PyObject *lf_py_duplicate(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_handle *h = (struct lf_handle *)self->p;
    int64_t status = lf_py_enter(self);
    int copy = -1;
    if (status == LF_OK) {
        int fd = lf_segment_file(h); /* found again if the program has closed it */
        if (fd < 0)
            status = lf__lost(h);
        else if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
            status = lf_system_error(h, "copying the descriptor");
        lf_py_leave(self);
    }
    return status != LF_OK ? lf_py_raise(self, status) : PyLong_FromLong(copy);
}

#define LF_PY_FAST(method, function, doc)                                                                              \
    {method, (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS, doc}

/* The methods of what stands behind `with`. */
#define LF_PY_WITH(enter, enter_doc, exit, exit_doc)                                                                   \
    {"__enter__", enter, METH_NOARGS, "__enter__($self, /)\n--\n\n" enter_doc}, {                                      \
        "__exit__", (PyCFunction)(void (*)(void))(exit), METH_FASTCALL,                                                \
            "__exit__($self, kind, error, trace, /)\n--\n\n" exit_doc                                                  \
    }

/* The methods of every type. They stand in each table, so that each type's name is in their errors. */
#define LF_PY_METHODS_BUT_CLOSE                                                                                        \
    {"_own", lf_py_own, METH_VARARGS, NULL}, {"_ready", lf_py_ready, METH_NOARGS, NULL},                               \
        {"_live_in", lf_py_live_in, METH_O, NULL}, {"_duplicate", lf_py_duplicate, METH_NOARGS, NULL},                 \
        {"_tell_slow", lf_py_tell_slow, METH_O, NULL}, {"_enter", lf_py_enter_to_visit, METH_NOARGS, NULL},            \
        {"recover_dead", lf_py_recover_dead, METH_NOARGS,                                                              \
         "recover_dead($self, /)\n--\n\n"                                                                              \
         "Looks for participants that died and gives back what they held; how many there were.\n\n"                    \
         "It also happens by itself, at the latest when somebody would wait for what a dead one holds."},
#define LF_PY_SHARED_METHODS LF_PY_METHODS_BUT_CLOSE{"close", lf_py_close, METH_NOARGS, LF_PY_CLOSE_DOC},
#define LF_PY_CLOSE_DOC                                                                                                \
    "close($self, /)\n--\n\n"                                                                                          \
    "Ends this process's use of the object; idempotent. Threads of this process that sleep in it get `Closed`,\n"      \
    "other processes go on. What this process still had in hand is given back."

#define LF_PY_SHARED_PROPERTIES {"closed", lf_py_get_closed, NULL, "Whether close() was called here.", NULL},

/* The struct of a kind of its own, tp_new with it, and the check that `unmade` can stand in for struct lf_X. */
#define LF_PY_KIND(primitive)                                                                                          \
    LF_STATIC_ASSERT(sizeof(struct lf_##primitive) <= sizeof lf_py_unmade, "room for a closed " #primitive);           \
    static void lf_py_##primitive##_end(void *p) { lf_##primitive##_close((struct lf_##primitive *)p); }               \
    static const struct lf_py_kind lf_py_##primitive##_kind = {lf_py_##primitive##_end};                               \
    static PyObject *lf_py_##primitive##_new(PyTypeObject *type, PyObject *args, PyObject *named) {                    \
        return lf_py_new(type, &lf_py_##primitive##_kind);                                                             \
    }

#endif
