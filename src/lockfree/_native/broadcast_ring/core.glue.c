/* BroadcastRing as a Python type. A thread has one place among the readers; the ring finds it by the thread. */
#include "broadcast_ring/place.h"
#include "common/ending.h"
#include "common/look.h"

static uint64_t lf_py_broadcast_joined(struct lf_broadcast_ring *r) {
    return lf_enter(&r->h) == LF_OK ? lf__log_joined(r) : 0;
}
static uint64_t lf_py_broadcast_missed(struct lf_broadcast_ring *r, uint32_t k) {
    return lf_enter(&r->h) == LF_OK ? lf_load_relaxed(&r->body->readers[k].missed) : 0;
}
/* Bytes that reader k has not read, -1 if nobody has joined there. */
static int64_t lf_py_broadcast_behind(struct lf_broadcast_ring *r, uint32_t k) {
    if (lf_enter(&r->h) != LF_OK)
        return -1;
    uint64_t position = lf_load_acquire(&r->body->readers[k].position);
    uint64_t tail = lf_load_relaxed(&r->body->writer.tail);
    return position & LF__LOG_JOINED ? (int64_t)(tail - (position & ~LF__LOG_JOINED)) : -1;
}
static uint32_t lf_py_broadcast_pid(const struct lf_broadcast_ring *r, const uint64_t *role) {
    uint64_t participant = lf_load_relaxed(role) >> 32;
    return participant > 0 && participant < LF_PARTICIPANTS
               ? lf_load_relaxed(&r->h.segment->participants[participant].pid)
               : 0;
}
static uint32_t lf_py_broadcast_reader_pid(struct lf_broadcast_ring *r, uint32_t k) {
    return lf_enter(&r->h) == LF_OK && k < r->n_readers ? lf_py_broadcast_pid(r, &r->body->readers[k].holder) : 0;
}
static uint32_t lf_py_broadcast_writer_pid(struct lf_broadcast_ring *r) {
    return lf_enter(&r->h) == LF_OK ? lf_py_broadcast_pid(r, &r->body->writer.holder) : 0;
}

/* When this participant joined; 0: there is none, or it has died and that was noticed. */
static uint64_t lf_py_broadcast_alive_since(struct lf_broadcast_ring *r, uint32_t participant) {
    if (lf_enter(&r->h) != LF_OK || participant >= LF_PARTICIPANTS)
        return 0;
    const struct lf_participant *p = &r->h.segment->participants[participant];
    return lf_load_relaxed(&p->in_use) ? p->joined : 0;
}

/* ---- the type ---- */

struct lf_py_broadcast {
    struct lf_py_object o;
    struct lf_py_look writing;
    struct lf_py_look looks[LF_BROADCAST_READERS];
    uint64_t expected; /* put_messages.h */
};

static PyTypeObject *lf_py_broadcast_ring_type __attribute__((unused));
LF_PY_KIND(broadcast_ring)

static struct lf_broadcast_ring *lf_py_broadcast(PyObject *object) {
    return (struct lf_broadcast_ring *)((struct lf_py_object *)object)->p;
}

/* Raises the exception of a status: the class has the words, and says who is late, or who has the role. */
static PyObject *lf_py_broadcast_raise(PyObject *object, int64_t status) {
    if (status == LF_CLOSED || status == LF_PY_RAISED)
        return lf_py_raise((struct lf_py_object *)object, status);
    PyObject *none = PyObject_CallMethod(object, "_raise", "L", (long long)status);
    Py_XDECREF(none); /* it always raises */
    return NULL;
}

/* Whom a message is for: NULL or None, a reader's number, or an iterable of them. 0, or -1 with an error. */
static int lf_py_broadcast_to(PyObject *object, PyObject *given, uint64_t *to) {
    int64_t number, most = (int64_t)lf_py_broadcast(object)->n_readers - 1;
    *to = LF_BROADCAST_TO_ALL;
    if (given == NULL || given == Py_None)
        return 0;
    *to = 0;
    if (most < 0) { /* its constructor failed */
        lf_py_raise((struct lf_py_object *)object, LF_CLOSED);
        return -1;
    }
    if (PyIndex_Check(given)) {
        if (lf_py_integer("to", given, 0, most, &number) != 0)
            return -1;
        *to = UINT64_C(1) << number;
        return 0;
    }
    PyObject *walk = PyObject_GetIter(given), *numbers = walk != NULL ? PySequence_Tuple(walk) : NULL;
    if (walk == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        LF_PY_BAD_VALUE(PyExc_TypeError, given,
                        "to is %U: it must be the number of a reader, or an iterable of numbers", shown);
    }
    Py_XDECREF(walk);
    if (numbers == NULL)
        return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(numbers); i++)
        if ((failed = lf_py_integer("to", PyTuple_GET_ITEM(numbers, i), 0, most, &number) != 0) == 0)
            *to |= UINT64_C(1) << number;
    Py_DECREF(numbers);
    return failed ? -1 : 0;
}

#include "broadcast_ring/puts.h"
#include "broadcast_ring/gets.h"
#include "broadcast_ring/writing.h"
#include "broadcast_ring/readers.h"

/* ---- the end ---- */

static int lf_py_broadcast_shutdown_inside(struct lf_py_object *self, int immediate) {
    if (lf_py_is_closed(self))
        return LF_CLOSED;
    lf_broadcast_ring_shutdown((struct lf_broadcast_ring *)self->p, immediate);
    return LF_OK;
}
static PyObject *lf_py_broadcast_shutdown(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                          PyObject *keywords) {
    return lf_py_shut_down(object, args, count, keywords, lf_py_broadcast_shutdown_inside);
}

/* close(): the calling thread's views end with it. */
static PyObject *lf_py_broadcast_close(PyObject *object, PyObject *unused) {
    struct lf_py_broadcast *self = (struct lf_py_broadcast *)object;
    for (int i = -1; i < (int)LF_BROADCAST_READERS; i++) {
        struct lf_py_look *look = i < 0 ? &self->writing : &self->looks[i];
        if (look->thread != lf_py_thread())
            continue;
        look->thread = 0;
        if (lf_py_look_end(look) != 0)
            PyErr_Clear(); /* its pages are cut off when the handle ends */
    }
    return lf_py_close(object, NULL);
}
static void lf_py_broadcast_before_detach(struct lf_py_object *self) { lf_py_windows_end(self->p); }
/* _use(): the object is attached. */
static PyObject *lf_py_broadcast_use(PyObject *object, PyObject *unused) {
    ((struct lf_py_object *)object)->before_detach = lf_py_broadcast_before_detach;
    Py_RETURN_NONE;
}
static void lf_py_broadcast_dealloc(PyObject *object) {
    struct lf_py_broadcast *self = (struct lf_py_broadcast *)object;
    for (int i = -1; i < (int)LF_BROADCAST_READERS; i++) {
        struct lf_py_look *look = i < 0 ? &self->writing : &self->looks[i];
        lf_py_look_drop(look);
    }
    lf_py_dealloc(object);
}

#include "broadcast_ring/methods.h"

LF_PY_SURVEY(broadcast_ring, {
    s->room = (int64_t)x->size;
    lf_py_survey_hold(s, lf_load_relaxed(&x->body->writer.holder) >> 32);
    for (uint32_t k = 0; k < x->n_readers; k++)
        lf_py_survey_hold(s, lf_load_relaxed(&x->body->readers[k].holder) >> 32);
})
LF_PY_TYPE(broadcast_ring)
