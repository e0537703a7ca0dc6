/* gets.h: what comes out of a MessageRing as bytes, or as an object. */
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

/* A bytes object for a message in hand, or a bytearray if it has more than `most` bytes; *to: its memory. NULL with an error:
 * the message is inside again, at the tail. */
static PyObject *lf_py_messages_memory(struct lf_message_ring *r, int64_t first, uint64_t length, uint64_t most,
                                       char **to) {
    int as_bytes = length <= most;
    PyObject *message = as_bytes ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length)
                                 : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)length);
    if (LF_LIKELY(message != NULL))
        *to = as_bytes ? PyBytes_AS_STRING(message) : PyByteArray_AS_STRING(message);
    else
        lf_message_ring_put_back(r, first);
    return message;
}

/* The next message as bytes, or as a bytearray if it has more than `most` bytes. NULL with *status LF_EMPTY, LF_PY_RAISED
 * (an exception is set) or another refusal. */
static PyObject *lf_py_messages_take_as(PyObject *object, uint64_t ns, uint64_t most, int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    struct lf_py_stay stay;
    uint64_t length = 0;
    char *to;
    int64_t first = *status = lf_py_messages_find(self, ns, &length, &stay);
    if (first < 0)
        return NULL;
    PyObject *message = lf_py_messages_memory(r, first, length, most, &to);
    if (LF_UNLIKELY(message == NULL)) {
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

static PyObject *lf_py_messages_get(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}

/* ---- objects ---- */

#define LF_PY_SHORT 4096 /* a longer pickle may have buffers, which must be writable */

/* Whether a message is inside again after this exception. `gone`: what says that it is not. NULL: an unpickling raised; what
 * could come out otherwise another time leaves it there: no memory, Ctrl-C, what another signal handler raised. */
static int lf_py_messages_stays(PyObject **type, PyObject **error, PyObject **trace, PyObject *gone) {
    if (gone != NULL)
        return !PyErr_GivenExceptionMatches(*type, gone);
    if (!PyErr_GivenExceptionMatches(*type, PyExc_Exception) || PyErr_GivenExceptionMatches(*type, lf_py_pickle_stays))
        return 1;
    PyErr_NormalizeException(type, error, trace);
    if (*trace != NULL)
        PyException_SetTraceback(*error, *trace);
    PyObject *answer = PyObject_CallOneArg(lf_py_is_of_a_handler, *error);
    int stays = answer == NULL || answer == Py_True;
    if (answer == NULL) { /* an exception came meanwhile, and is the newer one */
        Py_CLEAR(*type);
        Py_CLEAR(*error);
        Py_CLEAR(*trace);
        PyErr_Fetch(type, error, trace);
    }
    Py_XDECREF(answer);
    return stays;
}
/* convert(message) for the next message, NULL: the object of its pickle. The message stays in hand until then. If that raises, it
 * may be inside again, at the tail. Between taking it and convert no Python code runs. */
static PyObject *lf_py_messages_get_through(PyObject *object, PyObject *convert, PyObject *gone, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    struct lf_py_stay stay;
    uint64_t length = 0;
    PyObject *found = NULL, *type, *error, *trace;
    char *to;
    int64_t first = lf_py_messages_find(self, ns, &length, &stay);
    if (first < 0)
        return lf_py_messages_raise(object, first);
    PyObject *message = lf_py_messages_memory(r, first, length, LF_PY_SHORT, &to);
    if (LF_UNLIKELY(message == NULL || !lf_py_stay_count(&stay))) {
        if (message != NULL) /* closed */
            lf_py_messages_raise(object, lf_message_ring_put_back(r, first) == LF_OK ? LF_CLOSED : LF_CORRUPT);
        Py_XDECREF(message);
        lf_py_stay_end(&stay);
        return NULL;
    }
    uint32_t generation = lf_py_generation();
    int64_t status;
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
        LF_PY_WITHOUT_GIL(status = lf_message_ring_read(r, first, to, length));
    else
        status = lf_message_ring_read(r, first, to, length);
    if (LF_LIKELY(status == LF_OK))
        found = convert == NULL ? lf_py_object_of(message) : PyObject_CallOneArg(convert, message);
    Py_DECREF(message);
    PyErr_Fetch(&type, &error, &trace);
    if (LF_LIKELY(generation == lf_py_generation())) { /* in a child it is the parent's, which has not come out yet */
        int64_t settled;
        if (LF_UNLIKELY(type != NULL && lf_py_messages_stays(&type, &error, &trace, gone)))
            settled = lf_message_ring_put_back(r, first);
        else if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
            LF_PY_WITHOUT_GIL(settled = lf_message_ring_release(r, first));
        else
            settled = lf_message_ring_release(r, first);
        status = status == LF_OK ? settled : status;
        lf_py_stay_end(&stay);
    }
    if (LF_LIKELY(type == NULL && status == LF_OK))
        return found;
    Py_CLEAR(found);
    if (type == NULL)
        return lf_py_messages_raise(object, status);
    PyErr_Restore(type, error, trace);
    return NULL;
}
/* _get_object(block=True, timeout=None) */
static PyObject *lf_py_messages_get_object(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    uint64_t ns;
    if (lf_py_block_and_timeout(object, "get", 1, args, count, keywords, &ns) != 0 ||
        (LF_UNLIKELY(lf_py_pickle_loads == NULL) && lf_py_import_pickle() != 0))
        return NULL;
    return lf_py_messages_get_through(object, NULL, NULL, ns);
}
/* _get_converted(convert, gone, block=True, timeout=None) */
static PyObject *lf_py_messages_get_converted(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                              PyObject *keywords) {
    uint64_t ns;
    if (count < 2)
        return PyErr_Format(PyExc_TypeError, "_get_converted() takes a call and exceptions");
    return lf_py_block_and_timeout(object, "get", 1, args + 2, count - 2, keywords, &ns) != 0
               ? NULL
               : lf_py_messages_get_through(object, args[0], args[1], ns);
}
static PyObject *lf_py_messages_try_get(PyObject *object, PyObject *unused) {
    return lf_py_try_get_message(object, lf_py_messages_take, lf_py_messages_raise);
}
static PyObject *lf_py_messages_get_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    return lf_py_get_messages(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}

#endif
