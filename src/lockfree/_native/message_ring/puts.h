/* puts.h: what is put into a MessageRing: messages, pickles, many. */
#ifndef LOCKFREE_PY_MESSAGE_PUTS_H
#define LOCKFREE_PY_MESSAGE_PUTS_H

#include "common/put_messages.h"
#include "message_ring/pickles.h"

/* The exception of a put that was refused; LF_PY_RAISED. */
static int64_t lf_py_messages_refuse(PyObject *object, int64_t status, int64_t position, uint64_t length) {
    if (status == LF_TOO_LONG)
        return lf_py_message_too_long(object, position, length);
    lf_py_raise((struct lf_py_object *)object, status);
    return LF_PY_RAISED;
}

/* Puts one message, waiting up to `ns`. LF_OK, LF_FULL, or LF_PY_RAISED with the exception. */
static int64_t lf_py_messages_put_object(PyObject *object, PyObject *message, int64_t position, uint64_t ns,
                                         uint64_t *size) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    Py_buffer view;
    int64_t status;
    if (lf_py_message_bytes(object, message, position, &view) != 0)
        return LF_PY_RAISED;
    uint64_t length = *size = (uint64_t)view.len;
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
        LF_PY_AT_LENGTH(self, status, lf_message_ring_try_put(r, view.buf, length));
    else
        LF_PY_BRIEFLY(self, status, lf_message_ring_try_put(r, view.buf, length));
    if (LF_UNLIKELY(status == LF_FULL) && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_message_ring_put(r, view.buf, length, until));
    }
    PyBuffer_Release(&view);
    return LF_LIKELY(status == LF_OK || status == LF_FULL) ? status
                                                           : lf_py_messages_refuse(object, status, position, length);
}

/* _put_plain(obj, block, timeout): puts the pickle of an object of plain types, and returns True; False: it is none. */
static PyObject *lf_py_messages_put_plain(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    uint64_t ns, length = 0;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "_put_plain() takes 3 arguments (%zd given)", count);
    if (!lf_py_is_plain(args[0]))
        Py_RETURN_FALSE;
    if (lf_py_patience(args[1], args[2], &ns) != 0)
        return NULL;
    PyObject *data = lf_py_pickle_of(args[0]);
    if (data == NULL)
        return NULL;
    int64_t status = lf_py_messages_put_object(object, data, LF_PY_ALONE, ns, &length);
    Py_DECREF(data);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_TRUE;
    return status == LF_PY_RAISED ? NULL : lf_py_none((struct lf_py_object *)object, status);
}

static PyObject *lf_py_messages_put(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"put", 1, 3, {"message", "block", "timeout"}};
    PyObject *places[3];
    uint64_t ns, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1], places[2], &ns) != 0)
        return NULL;
    int64_t status = lf_py_messages_put_object(object, places[0], LF_PY_ALONE, ns, &length);
    return status == LF_PY_RAISED ? NULL : lf_py_none((struct lf_py_object *)object, status);
}
static PyObject *lf_py_messages_try_put(PyObject *object, PyObject *message) {
    uint64_t length;
    int64_t status = lf_py_messages_put_object(object, message, LF_PY_ALONE, 0, &length);
    return status == LF_PY_RAISED ? NULL : PyBool_FromLong(status == LF_OK);
}

/* _put_pieces(pieces, block, timeout): one message, from a list of bytes-like pieces. As put. */
static PyObject *lf_py_messages_put_pieces(PyObject *object, PyObject *args) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    PyObject *list, *block, *timeout;
    uint64_t ns, length = 0;
    if (!PyArg_ParseTuple(args, "O!OO", &PyList_Type, &list, &block, &timeout) ||
        lf_py_patience(block, timeout, &ns) != 0)
        return NULL;
    Py_ssize_t count = PyList_GET_SIZE(list), ready = 0;
    Py_buffer *views = PyMem_Calloc((size_t)count + 1, sizeof *views);
    struct lf_piece *pieces = PyMem_Calloc((size_t)count + 1, sizeof *pieces);
    int64_t status = views != NULL && pieces != NULL ? (int64_t)LF_OK : LF_PY_RAISED;
    if (status != LF_OK)
        PyErr_NoMemory();
    while (status == LF_OK && ready < count) {
        PyObject *piece = Py_NewRef(PyList_GET_ITEM(list, ready));
        if (lf_py_message_bytes(object, piece, LF_PY_ALONE, &views[ready]) != 0)
            status = LF_PY_RAISED;
        else
            pieces[ready].bytes = views[ready].buf, pieces[ready].length = (uint64_t)views[ready].len,
            length += (uint64_t)views[ready].len, ready++;
        Py_DECREF(piece);
    }
    if (status == LF_OK && length > r->max_message) {
        status = LF_TOO_LONG;
    } else if (status == LF_OK) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_message_ring_put_pieces(r, pieces, (uint64_t)count, until));
    }
    while (ready > 0)
        PyBuffer_Release(&views[--ready]);
    PyMem_Free(views);
    PyMem_Free(pieces);
    if (status != LF_OK && status != LF_FULL && status != LF_PY_RAISED)
        status = lf_py_messages_refuse(object, status, LF_PY_ALONE, length);
    return status == LF_PY_RAISED ? NULL : lf_py_none(self, status);
}

/* ---- put_many ---- */

static int64_t lf_py_messages_put_bytes(PyObject *object, const void *message, uint64_t length, uint64_t to,
                                        uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_message_ring_try_put(r, message, length));
    if (status != LF_FULL || ns == 0)
        return status;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_message_ring_put(r, message, length, until));
    return status;
}
static int64_t lf_py_messages_put_rest(PyObject *object, const void *packed, const uint32_t *lengths, uint64_t count,
                                       uint64_t to) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_message_ring_put_many(lf_py_messages_of(object), packed, lengths, count));
    return status;
}
static int64_t lf_py_messages_put_item(PyObject *object, PyObject *message, int64_t position, uint64_t to, uint64_t ns,
                                       uint64_t *length) {
    return lf_py_messages_put_object(object, message, position, ns, length);
}
static int64_t lf_py_messages_room(PyObject *object, uint64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    int64_t first;
    LF_PY_BRIEFLY(self, first, lf_message_ring_reserve(r, length));
    if (first == LF_FULL && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, first, lf_message_ring_reserve_wait(r, length, until));
    }
    if (first >= 0) {
        int64_t status;
        LF_PY_BRIEFLY(self, status, lf_message_ring_cancel(r, first));
        (void)status; /* closed meanwhile: it is given back */
    }
    return first < 0 ? first : LF_OK;
}
static uint64_t *lf_py_messages_expected(PyObject *object) { return &((struct lf_py_messages *)object)->expected; }
static const struct lf_py_putting lf_py_messages_putting = {
    lf_py_messages_put_bytes, lf_py_messages_put_rest, lf_py_messages_put_item,
    lf_py_messages_room,      lf_py_messages_raise,    lf_py_messages_expected,
};

static PyObject *lf_py_messages_put_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"put_many", 1, 3, {"messages", "block", "timeout"}};
    PyObject *places[3];
    uint64_t ns;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1] != NULL ? places[1] : Py_False, places[2], &ns) != 0)
        return NULL;
    return lf_py_put_many_messages(object, places[0], ns, 0, &lf_py_messages_putting);
}
/* _put_iterator(messages, ns): how many went in. */
static PyObject *lf_py_messages_put_iterator(PyObject *object, PyObject *args) {
    return lf_py_put_iterator_of_messages(object, args, &lf_py_messages_putting);
}

#endif
