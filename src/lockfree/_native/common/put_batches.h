/* put_batches.h: put_many.
 *
 * Contract
 *   put_many of a list or tuple walks a private tuple of it: others may change the list meanwhile. Every record is encoded
 *   and checked before the first one goes in. Of an iterator it takes one item for each slot that it has reserved before,
 *   so that what does not fit stays in the iterator. */
#ifndef LOCKFREE_PY_PUT_BATCHES_H
#define LOCKFREE_PY_PUT_BATCHES_H

#include "common/in_hand.h"
#include "common/one_record.h"
#include "common/tell.h"
#include "common/turns.h"

/* ---- put_many of records that are there ---- */

struct lf_py_batch {
    const char *bytes;
    uint64_t pitch; /* of rows; else 0, and the records stand packed, lengths[i] bytes each */
    uint64_t length;
    uint64_t count;
    uint64_t total;
    uint32_t *lengths;
    uint32_t *levels; /* or NULL */
    char *packed;     /* owned, or NULL: the bytes belong to `view` */
    Py_buffer view;
    int has_view;
};

static void lf_py_batch_end(struct lf_py_batch *batch) {
    lf_py_free(batch->packed, batch->total);
    PyMem_RawFree(batch->levels);
    if (batch->has_view)
        PyBuffer_Release(&batch->view);
}

/* Encodes the items of a private tuple in place (they become bytes). 0, or -1 with an error that names the position. */
LF_PY_GENERIC PyObject *lf_py_encode_all(PyObject *object, const struct lf_py_ops *ops, PyObject *records,
                                         uint64_t *total) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    Py_ssize_t count = PyTuple_GET_SIZE(records);
    uint64_t most = ops->record_size(self->o.p);
    PyObject *encoded = PyTuple_New(count);
    uint64_t began = 0;
    *total = 0;
    for (Py_ssize_t i = 0; encoded != NULL && i < count; i++) {
        PyObject *record = PyTuple_GET_ITEM(records, i);
        PyObject *bytes = self->is_bytes && PyBytes_CheckExact(record) && (uint64_t)PyBytes_GET_SIZE(record) <= most
                              ? Py_NewRef(record)
                              : PyObject_CallMethod(self->codec, "encoded", "On", record, i);
        if (bytes != NULL && !PyBytes_CheckExact(bytes)) {
            PyErr_Format(PyExc_TypeError, "the codec made a %.100s of a record", Py_TYPE(bytes)->tp_name);
            Py_CLEAR(bytes);
        }
        if (bytes == NULL) {
            Py_CLEAR(encoded);
            break;
        }
        PyTuple_SET_ITEM(encoded, i, bytes);
        *total += (uint64_t)PyBytes_GET_SIZE(bytes);
        lf_py_let_others_run(&began, (uint64_t)i);
    }
    return encoded;
}

/* 0, or -1 with an error. Takes nothing of `records` over. */
LF_PY_GENERIC int lf_py_batch_pack(struct lf_py_batch *batch, PyObject *object, const struct lf_py_ops *ops,
                                   PyObject *records) {
    PyObject *encoded = lf_py_encode_all(object, ops, records, &batch->total);
    if (encoded == NULL)
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(encoded);
    uint64_t lengths_at = lf_round_up(batch->total, 8);
    batch->packed = (char *)PyMem_RawMalloc(lengths_at + (size_t)count * sizeof(uint32_t) + 1);
    if (batch->packed == NULL) {
        Py_DECREF(encoded);
        PyErr_NoMemory();
        return -1;
    }
    batch->lengths = (uint32_t *)(void *)(batch->packed + lengths_at);
    batch->bytes = batch->packed;
    batch->count = (uint64_t)count;
    char *to = batch->packed;
    uint64_t began = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        lf_py_let_others_run(&began, (uint64_t)i);
        PyObject *bytes = PyTuple_GET_ITEM(encoded, i);
        uint32_t length = batch->lengths[i] = (uint32_t)PyBytes_GET_SIZE(bytes);
        if (length > LF_PY_LONG_COPY)
            LF_PY_WITHOUT_GIL(memcpy(to, PyBytes_AS_STRING(bytes), length));
        else
            memcpy(to, PyBytes_AS_STRING(bytes), length);
        to += length;
        lf_py_empty_bytes(bytes);
    }
    Py_DECREF(encoded);
    return 0;
}

/* Rows of a buffer: (buffer, pitch, length, count) of codec.rows(records). 1 rows, 0 a sequence, -1 with an error. */
static int lf_py_batch_rows(struct lf_py_batch *batch, PyObject *object, PyObject *records) {
    PyObject *rows = PyObject_CallMethod(LF_PY_CONTAINER(object)->codec, "rows", "(O)", records), *buffer;
    int result = -1;
    if (rows == Py_None) {
        result = 0;
    } else if (rows != NULL && PyArg_ParseTuple(rows, "OKKK", &buffer, &batch->pitch, &batch->length, &batch->count) &&
               lf_py_get_buffer(buffer, &batch->view, PyBUF_ND, "records") == 0) {
        batch->has_view = 1;
        batch->bytes = (const char *)batch->view.buf;
        batch->total = (uint64_t)batch->view.len;
        result = 1;
    }
    Py_XDECREF(rows);
    return result;
}

/* A C-contiguous buffer of two dimensions, the commonest batch without a dtype. 1 taken, 0 something else: the codec may
 * complain about it. */
LF_PY_GENERIC int lf_py_batch_plane(struct lf_py_batch *batch, PyObject *object, const struct lf_py_ops *ops,
                                    PyObject *records) {
    if (!LF_PY_CONTAINER(object)->is_bytes || !PyObject_CheckBuffer(records))
        return 0;
    if (lf_py_get_buffer(records, &batch->view, PyBUF_ND, "records") != 0)
        return lf_py_forget_refusal() ? 0 : -1;
    batch->has_view = 1;
    uint64_t rows = batch->view.ndim == 2 ? (uint64_t)batch->view.shape[0] : 0;
    if (rows == 0 || (uint64_t)batch->view.len / rows > ops->record_size(LF_PY_CONTAINER(object)->o.p)) {
        PyBuffer_Release(&batch->view);
        batch->has_view = 0;
        return 0;
    }
    batch->bytes = (const char *)batch->view.buf;
    batch->total = (uint64_t)batch->view.len;
    batch->count = rows;
    batch->pitch = batch->length = batch->total / rows;
    return 1;
}

static int lf_py_is_one_number(PyObject *object) { return PyIndex_Check(object) && !PySequence_Check(object); }

/* What `walk` makes of priorities; TypeError for what is none. */
static PyObject *lf_py_walk_priorities(PyObject *priorities, PyObject *(*walk)(PyObject *)) {
    if (Py_TYPE(priorities)->tp_iter != NULL || PySequence_Check(priorities))
        return walk(priorities);
    return PyErr_Format(PyExc_TypeError,
                        "priorities is of type %.100s: it must be an integer or an iterable of integers",
                        lf_py_type_name(priorities));
}

/* The levels of a batch of known size. 0, or -1 with an error. */
LF_PY_GENERIC int lf_py_batch_levels(struct lf_py_batch *batch, PyObject *object, const struct lf_py_ops *ops,
                                     PyObject *priorities) {
    int one = lf_py_is_one_number(priorities);
    PyObject *given = one ? Py_NewRef(priorities) : lf_py_walk_priorities(priorities, PySequence_Tuple);
    char name[48] = "priority";
    if (given == NULL)
        return -1;
    if (!one && (uint64_t)PyTuple_GET_SIZE(given) != batch->count) {
        PyErr_Format(PyExc_ValueError, "priorities has %zd entries for %llu records", PyTuple_GET_SIZE(given),
                     (unsigned long long)batch->count);
        Py_DECREF(given);
        return -1;
    }
    batch->levels = (uint32_t *)PyMem_RawMalloc((size_t)batch->count * sizeof(uint32_t) + 1);
    int failed = batch->levels == NULL;
    uint64_t began = 0;
    if (failed)
        PyErr_NoMemory();
    for (uint64_t i = 0; !failed && i < batch->count; i++) {
        lf_py_let_others_run(&began, i);
        if (one && i > 0) {
            batch->levels[i] = batch->levels[0];
            continue;
        }
        if (!one)
            snprintf(name, sizeof name, "priorities[%llu]", (unsigned long long)i);
        failed = lf_py_level(object, ops, one ? given : PyTuple_GET_ITEM(given, (Py_ssize_t)i), name,
                             &batch->levels[i]);
    }
    Py_DECREF(given);
    return failed ? -1 : 0;
}

/* The batch goes in, as much as fits. How many, or NULL: with queue.Full if nothing did in `ns`. */
LF_PY_GENERIC PyObject *lf_py_put_batch(PyObject *object, const struct lf_py_ops *ops, const struct lf_py_batch *batch,
                                        uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    const char *from = batch->bytes;
    uint64_t first = 0;
    int64_t status = LF_OK;
    if (ns != 0 && batch->count > 0) { /* the first one waits */
        uint64_t length = batch->lengths != NULL ? batch->lengths[0] : batch->length;
        status = lf_py_put_bytes(object, ops, from, length, batch->levels != NULL ? batch->levels[0] : 0, ns);
        if (status != LF_OK)
            return lf_py_raise(self, status);
        from += batch->lengths != NULL ? length : batch->pitch;
        first = 1;
    }
    const uint32_t *lengths = batch->lengths != NULL ? batch->lengths + first : NULL;
    const uint32_t *levels = batch->levels != NULL ? batch->levels + first : NULL;
    if (batch->total > LF_PY_LONG_COPY)
        LF_PY_AT_LENGTH(
            self, status,
            ops->put_many(self->p, from, batch->pitch, batch->length, lengths, levels, batch->count - first));
    else
        LF_PY_BRIEFLY(self, status,
                      ops->put_many(self->p, from, batch->pitch, batch->length, lengths, levels, batch->count - first));
    if (LF_UNLIKELY(status < 0) && first == 0)
        return lf_py_raise(self, status);
    return PyLong_FromLongLong((status < 0 ? 0 : status) + (long long)first);
}

/* ---- put_many of an iterator ---- */

/* Puts one item that was taken out of the iterator, into `slot` if that is still in hand. A status. */
LF_PY_GENERIC int64_t lf_py_put_item(PyObject *object, const struct lf_py_ops *ops, PyObject *bytes, uint32_t level,
                                     int64_t slot, uint32_t taker) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_stay stay;
    uint64_t length = (uint64_t)PyBytes_GET_SIZE(bytes);
    int64_t status = lf_py_stay_begin(&stay, self);
    if (status == LF_OK) {
        status = lf_py_is_closed(self) ? LF_CLOSED : lf_py_me(self) != taker ? LF_BUSY : LF_OK;
        if (status == LF_OK)
            status = lf_py_publish(&stay, ops, slot, PyBytes_AS_STRING(bytes), length, level);
        lf_py_stay_end(&stay);
    }
    if (status == LF_BUSY) /* the generator forked, or has put into this ring itself */
        status = lf_py_put_bytes(object, ops, PyBytes_AS_STRING(bytes), length, level, 0);
    return status;
}

/* Gives a slot back that nothing came for. An exception that is set stays so. */
LF_PY_GENERIC void lf_py_slot_unused(PyObject *object, const struct lf_py_ops *ops, int64_t slot, uint32_t taker) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (lf_py_enter_briefly(self) != LF_OK)
        return;
    if (!lf_py_is_closed(self) && lf_py_me(self) == taker)
        ops->cancel(self->p, slot);
    lf_py_leave_briefly(self);
}

/* The next level: of one number, or of an iterator. 1, 0 at its end, -1 error. */
LF_PY_GENERIC int lf_py_next_level(PyObject *object, const struct lf_py_ops *ops, PyObject *priorities, int one,
                                   uint64_t position, uint32_t *level) {
    char name[48] = "priority";
    if (priorities == NULL)
        return 1;
    PyObject *priority = one ? Py_NewRef(priorities) : PyIter_Next(priorities);
    if (priority == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (!one)
        snprintf(name, sizeof name, "priorities[%llu]", (unsigned long long)position);
    int failed = lf_py_level(object, ops, priority, name, level);
    Py_DECREF(priority);
    return failed ? -1 : 1;
}

LF_PY_GENERIC PyObject *lf_py_put_iterator(PyObject *object, const struct lf_py_ops *ops, PyObject *records,
                                           PyObject *priorities, int one, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_stay stay;
    uint64_t done = 0;
    for (;;) {
        int64_t slot = lf_py_take(self, ops, 0, 0, done == 0 ? ns : 0, NULL, NULL, &stay);
        if (slot == LF_FULL ? done > 0 || ns == 0 : slot == LF_CLOSED && done > 0)
            break; /* how many went in is the answer; the next call says that it is closed */
        if (slot < 0)
            return lf_py_raise(self, slot);
        uint32_t level = 0, taker = lf_py_me(self);
        lf_py_stay_end(&stay);
        int more = lf_py_next_level(object, ops, priorities, one, done, &level);
        PyObject *record = more > 0 ? PyIter_Next(records) : NULL;
        PyObject *bytes = record != NULL
                              ? PyObject_CallMethod(LF_PY_CONTAINER(object)->codec, "encoded", "OK", record, done)
                              : NULL;
        if (bytes == NULL)
            lf_py_slot_unused(object, ops, slot, taker);
        if (record == NULL) {
            if (PyErr_Occurred())
                return NULL;
            break;
        }
        int64_t status = bytes == NULL ? LF_PY_RAISED : lf_py_put_item(object, ops, bytes, level, slot, taker);
        Py_XDECREF(bytes);
        if (status != LF_OK) {
            lf_py_raise(self, status);
            lf_py_tell(record, done);
        }
        Py_DECREF(record);
        if (status != LF_OK)
            return NULL;
        done++;
    }
    return PyLong_FromUnsignedLongLong(done);
}

/* ---- put_many ---- */

LF_PY_GENERIC PyObject *lf_py_put_many(PyObject *object, const struct lf_py_ops *ops, PyObject *records,
                                       PyObject *priorities, uint64_t ns) {
    struct lf_py_batch batch = {0};
    PyObject *result = NULL;
    if (LF_PY_CONTAINER(object)->codec == NULL || lf_py_is_closed((struct lf_py_object *)object))
        return lf_py_closed_error(object);
    if (PyList_Check(records) || PyTuple_Check(records)) {
        PyObject *own = PySequence_Tuple(records); /* a list may change while we walk it */
        int failed = own == NULL || lf_py_batch_pack(&batch, object, ops, own) != 0;
        Py_XDECREF(own);
        if (!failed && (priorities == NULL || lf_py_batch_levels(&batch, object, ops, priorities) == 0))
            result = lf_py_put_batch(object, ops, &batch, ns);
        lf_py_batch_end(&batch);
        return result;
    }
    int taken = lf_py_batch_plane(&batch, object, ops, records);
    if (taken == 0)
        taken = lf_py_batch_rows(&batch, object, records);
    if (taken != 0) {
        if (taken > 0 && (priorities == NULL || lf_py_batch_levels(&batch, object, ops, priorities) == 0))
            result = lf_py_put_batch(object, ops, &batch, ns);
        lf_py_batch_end(&batch);
        return result;
    }
    PyObject *iterator = PyObject_GetIter(records);
    if (iterator == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "records is of type %.100s: it must be a sequence of records or a 2-D buffer",
                         lf_py_type_name(records));
        return NULL;
    }
    int one = priorities == NULL || lf_py_is_one_number(priorities);
    PyObject *levels = one ? Py_XNewRef(priorities) : lf_py_walk_priorities(priorities, PyObject_GetIter);
    if (one || levels != NULL)
        result = lf_py_put_iterator(object, ops, iterator, levels, one, ns);
    Py_XDECREF(levels);
    Py_DECREF(iterator);
    return result;
}

#endif
