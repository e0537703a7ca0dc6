/* gets.h: what comes out of a MessageRing as bytes, or as the object of a pickle. */
#ifndef LOCKFREE_PY_MESSAGE_GETS_H
#define LOCKFREE_PY_MESSAGE_GETS_H

#include "common/take_messages.h"
#include "message_ring/pickles.h"

/* Takes the next message in hand, waiting up to `ns`: inside, its first block; or not inside, a status. */
static int64_t lf_py_messages_find(struct lf_py_object *self, uint64_t ns, uint64_t *length, struct lf_py_stay *stay) {
    struct lf_message_ring *r = (struct lf_message_ring *)self->p;
    int64_t first = lf_py_stay_begin(stay, self);
    if (LF_UNLIKELY(first != LF_OK))
        return first;
    first = lf_message_ring_peek(r, 0, length);
    if (LF_LIKELY(first >= 0))
        return first;
    lf_py_stay_end(stay);
    if (ns == 0 || first != LF_EMPTY)
        return first;
    uint64_t until = lf_py_deadline(ns);
    struct lf_py_wait wait = lf_py_wait_begin(self);
    do {
        if (lf_py_enter(self) != LF_OK)
            return LF_CLOSED;
        LF_PY_WAIT(&wait, first = lf_message_ring_peek_wait(r, 0, length, until));
        stay->counted = 1;
        if (first >= 0)
            return first;
        lf_py_leave(self);
    } while (first == LF_INTERRUPTED && lf_py_between(self, &wait) == 0);
    return first == LF_INTERRUPTED ? LF_PY_RAISED : first;
}

/* The next message as bytes, or as a bytearray if it has more than `most` bytes. NULL with *status LF_EMPTY, LF_PY_RAISED
 * (an exception is set) or another refusal. */
static PyObject *lf_py_messages_take_as(PyObject *object, uint64_t ns, uint64_t most, int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    struct lf_py_stay stay;
    uint64_t length = 0;
    int64_t first = *status = lf_py_messages_find(self, ns, &length, &stay);
    if (first < 0)
        return NULL;
    int as_bytes = length <= most;
    PyObject *message = as_bytes ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length)
                                 : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)length);
    char *to = message == NULL ? NULL : as_bytes ? PyBytes_AS_STRING(message) : PyByteArray_AS_STRING(message);
    if (LF_UNLIKELY(message == NULL)) {
        lf_message_ring_commit(r, first); /* inside again, at the tail */
        *status = LF_PY_RAISED;
    } else if (LF_UNLIKELY(length > LF_PY_LONG_COPY) && lf_py_stay_count(&stay)) {
        LF_PY_WITHOUT_GIL(*status = lf_message_ring_take(r, first, to, length));
    } else {
        *status = lf_message_ring_take(r, first, to, length);
    }
    lf_py_stay_end(&stay);
    if (LF_UNLIKELY(*status < 0))
        Py_CLEAR(message);
    return message;
}

static PyObject *lf_py_messages_take(PyObject *object, uint64_t ns, int64_t *status) {
    return lf_py_messages_take_as(object, ns, UINT64_MAX, status);
}
#define LF_PY_SHORT 4096 /* a longer pickle may have buffers, which must be writable */
static PyObject *lf_py_messages_take_pickle(PyObject *object, uint64_t ns, int64_t *status) {
    return lf_py_messages_take_as(object, ns, LF_PY_SHORT, status);
}

static PyObject *lf_py_messages_get(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}
/* _get_pickle(block=True, timeout=None): as get; a long message is a bytearray. */
static PyObject *lf_py_messages_get_pickle(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_messages_take_pickle, lf_py_messages_raise);
}
/* _get_object(block=True, timeout=None): the object that a pickle in the next message stands for. Between taking the
 * message and unpickling it no Python code runs. */
static PyObject *lf_py_messages_get_object(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    PyObject *message = lf_py_messages_get_pickle(object, args, count, keywords);
    PyObject *found = message != NULL ? lf_py_object_of(message) : NULL;
    Py_XDECREF(message);
    return found;
}
static PyObject *lf_py_messages_try_get(PyObject *object, PyObject *unused) {
    return lf_py_try_get_message(object, lf_py_messages_take, lf_py_messages_raise);
}
static PyObject *lf_py_messages_get_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    return lf_py_get_messages(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}

#endif
