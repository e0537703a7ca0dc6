/* puts.h: what the writer of a BroadcastRing puts: one message, or many. */
#ifndef LOCKFREE_PY_BROADCAST_PUTS_H
#define LOCKFREE_PY_BROADCAST_PUTS_H

#include "common/put_messages.h"

/* Puts one message, waiting up to `ns`. A status. */
static int64_t lf_py_broadcast_put_bytes(PyObject *object, const void *message, uint64_t length, uint64_t to,
                                         uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    int64_t status;
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
        LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_try_put(r, message, length, to));
    else
        LF_PY_BRIEFLY(self, status, lf_broadcast_ring_try_put(r, message, length, to));
    if (LF_LIKELY(status != LF_FULL) || ns == 0 || r->slow == LF_SLOW_RAISE)
        return status;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_broadcast_ring_put(r, message, length, to, until));
    return status;
}

/* A put would use the place that the thread has reserved. 0, or -1 with an error. */
static int lf_py_broadcast_no_reservation(PyObject *object) {
    const struct lf_py_look *writing = &((struct lf_py_broadcast *)object)->writing;
    if (LF_LIKELY(writing->thread == 0) || lf_py_is_closed((struct lf_py_object *)object) ||
        !lf_py_look_is_mine((struct lf_py_object *)object, writing))
        return 0;
    lf_py_misuse((struct lf_py_object *)object, "this thread has a reservation: commit() or cancel() it first");
    return -1;
}

/* LF_OK and LF_FULL are left to the caller; else LF_PY_RAISED with the exception. */
static int64_t lf_py_broadcast_put_object(PyObject *object, PyObject *message, int64_t position, uint64_t to,
                                          uint64_t ns, uint64_t *size) {
    Py_buffer view;
    if (lf_py_broadcast_no_reservation(object) != 0 || lf_py_message_bytes(object, message, position, &view) != 0)
        return LF_PY_RAISED;
    uint64_t length = *size = (uint64_t)view.len;
    int64_t status = lf_py_broadcast_put_bytes(object, view.buf, length, to, ns);
    PyBuffer_Release(&view);
    if (status == LF_TOO_LONG)
        return lf_py_message_too_long(object, position, length);
    if (status != LF_OK && status != LF_FULL) {
        lf_py_broadcast_raise(object, status);
        return LF_PY_RAISED;
    }
    return status;
}

static PyObject *lf_py_broadcast_put(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"put", 1, 4, {"message", "block", "timeout", "to"}};
    PyObject *places[4];
    uint64_t ns, to, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1], places[2], &ns) != 0 || lf_py_broadcast_to(object, places[3], &to) != 0)
        return NULL;
    int64_t status = lf_py_broadcast_put_object(object, places[0], LF_PY_ALONE, to, ns, &length);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_broadcast_raise(object, status);
}
static PyObject *lf_py_broadcast_try_put(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"try_put", 1, 2, {"message", "to"}};
    PyObject *places[2];
    uint64_t to, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_broadcast_to(object, places[1], &to) != 0)
        return NULL;
    int64_t status = lf_py_broadcast_put_object(object, places[0], LF_PY_ALONE, to, 0, &length);
    return status == LF_PY_RAISED ? NULL : PyBool_FromLong(status == LF_OK);
}

/* ---- put_many ---- */

static int64_t lf_py_broadcast_put_rest(PyObject *object, const void *packed, const uint32_t *lengths, uint64_t count,
                                        uint64_t to) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_put_many(lf_py_broadcast(object), packed, lengths, count, to));
    return status;
}
static int64_t lf_py_broadcast_room(PyObject *object, uint64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    int64_t place;
    if (lf__log_is_lossy(r))
        return LF_OK; /* put says what is wrong */
    if (lf_py_broadcast_no_reservation(object) != 0)
        return LF_PY_RAISED;
    LF_PY_BRIEFLY(self, place, lf_broadcast_ring_reserve(r, length));
    if (place == LF_FULL && ns != 0 && r->slow != LF_SLOW_RAISE) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, place, lf_broadcast_ring_reserve_wait(r, length, until));
    }
    return place < 0 ? place : LF_OK;
}
static uint64_t *lf_py_broadcast_expected(PyObject *object) { return &((struct lf_py_broadcast *)object)->expected; }
static const struct lf_py_putting lf_py_broadcast_putting = {
    lf_py_broadcast_put_bytes, lf_py_broadcast_put_rest, lf_py_broadcast_put_object,
    lf_py_broadcast_room,      lf_py_broadcast_raise,    lf_py_broadcast_expected,
};

static PyObject *lf_py_broadcast_put_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                          PyObject *keywords) {
    static const struct lf_py_signature signature = {"put_many", 1, 4, {"messages", "block", "timeout", "to"}};
    PyObject *places[4];
    uint64_t ns, to;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1] != NULL ? places[1] : Py_False, places[2], &ns) != 0 ||
        lf_py_broadcast_to(object, places[3], &to) != 0 || lf_py_broadcast_no_reservation(object) != 0)
        return NULL;
    return lf_py_put_many_messages(object, places[0], ns, to, &lf_py_broadcast_putting);
}
/* _put_iterator(messages, ns, to): how many went in. */
static PyObject *lf_py_broadcast_put_iterator(PyObject *object, PyObject *args) {
    return lf_py_put_iterator_of_messages(object, args, &lf_py_broadcast_putting);
}

#endif
