/* put_messages.h: put_many of the rings whose messages have any length.
 *
 * Contract
 *   Messages that are there already stand packed, one after the other. The first one may wait; no signal is served between
 *   it and the rest.
 *   Of an iterator an item is taken only if there is room for one as long as the one before, also that of an earlier call
 *   that ended for want of room. So the rest stays in the iterator. An item that is longer, and has no room, is in the
 *   exception (lockfree._records.tell). */
#ifndef LOCKFREE_PY_PUT_MESSAGES_H
#define LOCKFREE_PY_PUT_MESSAGES_H

#include "common/arguments.h"
#include "common/object.h"
#include "common/tell.h"
#include "common/turns.h"

/* What a ring gives. `to` is of the broadcast alone. */
struct lf_py_putting {
    int64_t (*put)(PyObject *object, const void *message, uint64_t length, uint64_t to, uint64_t ns);
    int64_t (*put_rest)(PyObject *object, const void *packed, const uint32_t *lengths, uint64_t count, uint64_t to);
    /* LF_OK, LF_FULL, or LF_PY_RAISED. The length of the message, if it has one, is in *length. Errors name the position. */
    int64_t (*put_object)(PyObject *object, PyObject *message, int64_t position, uint64_t to, uint64_t ns,
                          uint64_t *length);
    int64_t (*room)(PyObject *object, uint64_t length, uint64_t ns); /* LF_OK: there is room for `length` bytes */
    PyObject *(*raise)(PyObject *object, int64_t status);
    uint64_t *(*expected)(PyObject *object); /* bytes that the next item of an iterator is expected to have */
};

/* How many of the messages went in that stand one after the other, or a status if none did. */
static inline int64_t lf_py_put_packed(PyObject *object, const char *from, const uint32_t *lengths, uint64_t count,
                                       uint64_t to, uint64_t ns, const struct lf_py_putting *ring) {
    uint64_t first = 0;
    int64_t status = LF_OK;
    if (ns != 0 && count > 0 && (status = ring->put(object, from, lengths[0], to, ns)) == LF_OK) {
        from += lengths[0];
        first = 1;
    }
    if (status == LF_OK && first < count)
        status = ring->put_rest(object, from, lengths + first, count - first, to);
    return first > 0 ? (status < 0 ? 0 : status) + 1 : status;
}

/* How many of an iterator's went in. */
static inline PyObject *lf_py_put_walk(PyObject *object, PyObject *messages, uint64_t to, uint64_t ns,
                                       const struct lf_py_putting *ring) {
    uint64_t done = 0, *expected = ring->expected(object), length = lf_exchange_seq_cst(expected, UINT64_C(0));
    uint64_t until = lf_py_deadline(ns), began = 0;
    for (;; done++) {
        uint64_t wait = done == 0 ? ns : 0, now;
        if (LF_UNLIKELY(lf_py_is_long(&began, done))) { /* an iterator in C need not have an end */
            LF_PY_TURN();
            if (PyErr_CheckSignals() != 0)
                return NULL;
        }
        int64_t status = ring->room(object, length, wait);
        if (status == LF_FULL)
            lf_store_relaxed(expected, length);
        if ((status == LF_FULL && wait == 0) || (status == LF_CLOSED && done > 0))
            break; /* how many went in is the answer; the next call says that it is closed */
        if (status != LF_OK)
            return ring->raise(object, status);
        PyObject *message = PyIter_Next(messages);
        if (message == NULL) {
            if (PyErr_Occurred())
                return NULL;
            break;
        }
        if (wait != 0 && wait != LF_FOREVER)
            wait = (now = lf_now()) < until ? until - now : 0;
        status = ring->put_object(object, message, (int64_t)done, to, wait, &length);
        if (status == LF_FULL)
            ring->raise(object, status);
        if (status != LF_OK)
            lf_py_tell(message, done);
        Py_DECREF(message);
        if (status != LF_OK)
            return NULL;
    }
    return PyLong_FromUnsignedLongLong(done);
}

/* put_many(messages): the class makes {messages one after the other, their lengths} of a sequence, and None of an iterator.
 * Between the first put and the answer no Python code runs but the iterator's. */
static inline PyObject *lf_py_put_many_messages(PyObject *object, PyObject *messages, uint64_t ns, uint64_t to,
                                                const struct lf_py_putting *ring) {
    PyObject *answer = NULL, *packed, *lengths;
    if (lf_py_is_closed((struct lf_py_object *)object))
        return ring->raise(object, LF_CLOSED);
    PyObject *batch = PyObject_CallMethod(object, "_pack", "(O)", messages);
    if (batch == Py_None) {
        PyObject *walk = PyObject_GetIter(messages);
        answer = walk != NULL ? lf_py_put_walk(object, walk, to, ns, ring) : NULL;
        Py_XDECREF(walk);
    } else if (batch != NULL && PyArg_ParseTuple(batch, "SS", &packed, &lengths)) {
        int64_t status = lf_py_put_packed(object, PyBytes_AS_STRING(packed),
                                          (const uint32_t *)(void *)PyBytes_AS_STRING(lengths),
                                          (uint64_t)PyBytes_GET_SIZE(lengths) / sizeof(uint32_t), to, ns, ring);
        answer = status < 0 && (ns != 0 || status != LF_FULL) ? ring->raise(object, status)
                                                              : PyLong_FromLongLong(status < 0 ? 0 : status);
    }
    Py_XDECREF(batch);
    return answer;
}

/* _put_iterator(messages, ns, to=0): how many of an iterator's went in. */
static inline PyObject *lf_py_put_iterator_of_messages(PyObject *object, PyObject *args,
                                                       const struct lf_py_putting *ring) {
    PyObject *messages;
    unsigned long long ns, to = 0;
    return PyArg_ParseTuple(args, "OK|K", &messages, &ns, &to) ? lf_py_put_walk(object, messages, to, ns, ring) : NULL;
}

#endif
