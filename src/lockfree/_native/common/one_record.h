/* one_record.h: what goes into a container or comes out of it one at a time.
 *
 * Contract
 *   A record that a call has taken is in the answer or inside again. A long record is copied without the GIL, and a long
 *   buffer goes in as it lies: no other copy of it is made. */
#ifndef LOCKFREE_PY_ONE_RECORD_H
#define LOCKFREE_PY_ONE_RECORD_H

#include "common/container.h"

/* Puts `length` bytes, waiting up to `ns` for room. A status, or LF_PY_RAISED. */
LF_PY_GENERIC int64_t lf_py_put_bytes(PyObject *object, const struct lf_py_ops *ops, const char *bytes, uint64_t length,
                                      uint32_t level, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_stay stay;
    int64_t status;
    if (LF_LIKELY(length <= LF_PY_LONG_COPY)) {
        LF_PY_BRIEFLY(self, status, ops->try_put(self->p, bytes, length, level));
        if (LF_LIKELY(status != LF_FULL) || ns == 0)
            return status;
    }
    if (length > ops->record_size(self->p))
        return LF_TOO_LONG;
    int64_t slot = lf_py_take(self, ops, 0, 0, ns, NULL, NULL, &stay);
    if (slot < 0)
        return slot;
    lf_py_copy(&stay, ops->payload(self->p, slot), bytes, length);
    status = ops->commit(self->p, slot, length, level);
    lf_py_stay_end(&stay);
    return status;
}

/* Puts a long buffer that lies in one piece, without a copy of it in between. As lf_py_put_bytes; LF_BUSY: it is no such
 * buffer, or it is too long, or there is something to complain about. */
LF_PY_GENERIC int64_t lf_py_put_long_buffer(PyObject *object, const struct lf_py_ops *ops, PyObject *record,
                                            uint32_t level, uint64_t ns) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    Py_buffer view;
    int64_t status = LF_BUSY;
    if (!self->is_bytes || self->codec == NULL || PyUnicode_Check(record) || !PyObject_CheckBuffer(record))
        return LF_BUSY;
    if (lf_py_get_buffer(record, &view, PyBUF_C_CONTIGUOUS, "record") != 0)
        return lf_py_forget_refusal() ? LF_BUSY : LF_PY_RAISED; /* the long way says it better */
    if (view.len > LF_PY_LONG_COPY && (uint64_t)view.len <= ops->record_size(self->o.p))
        status = lf_py_put_bytes(object, ops, (const char *)view.buf, (uint64_t)view.len, level, ns);
    PyBuffer_Release(&view);
    return status;
}

LF_PY_GENERIC int64_t lf_py_put_record(PyObject *object, const struct lf_py_ops *ops, PyObject *record, uint32_t level,
                                       uint64_t ns) {
    PyObject *bytes = record;
    if (LF_UNLIKELY(!PyBytes_CheckExact(record) || !LF_PY_CONTAINER(object)->is_bytes)) {
        int64_t status = lf_py_put_long_buffer(object, ops, record, level, ns);
        if (status != LF_BUSY)
            return status;
        if ((bytes = lf_py_encode(object, record)) == NULL)
            return LF_PY_RAISED;
    }
    Py_ssize_t length = PyBytes_GET_SIZE(bytes);
    int64_t status = lf_py_put_bytes(object, ops, PyBytes_AS_STRING(bytes), (uint64_t)length, level, ns);
    if (LF_UNLIKELY(status == LF_TOO_LONG)) {
        lf_py_too_long(object, ops, length);
        status = LF_PY_RAISED;
    }
    if (bytes != record) {
        lf_py_empty_bytes(bytes);
        Py_DECREF(bytes);
    }
    return status;
}

/* A record, waiting up to `ns` for it: a new reference. NULL with LF_EMPTY in *status, or with an exception. */
LF_PY_GENERIC PyObject *lf_py_get_record(PyObject *object, const struct lf_py_ops *ops, uint64_t ns, uint32_t *level,
                                         int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory = NULL;
    struct lf_py_stay stay;
    PyObject *array = NULL, *record = NULL;
    uint64_t length = 0;
    *status = LF_OK;
    if (LF_UNLIKELY(!LF_PY_CONTAINER(object)->is_bytes)) {
        if (LF_PY_CONTAINER(object)->codec == NULL)
            return lf_py_closed_error(object);
        if (lf_py_blank_record(object, ops, &memory, &array) != 0)
            return NULL;
    }
    int64_t slot = lf_py_take(self, ops, 1, 0, ns, level, &length, &stay);
    if (LF_LIKELY(slot >= 0))
        record = lf_py_deliver(&stay, ops, slot, *level, length, memory, array);
    else if (slot == LF_EMPTY)
        *status = LF_EMPTY;
    else
        lf_py_raise(self, slot);
    if (memory != NULL && slot == LF_EMPTY) {
        lf_py_unused_record(object, memory, array);
    } else {
        Py_XDECREF(memory);
        Py_XDECREF(array);
    }
    return record;
}

/* What get returns: the record, or (priority, record). `pair` is made before the take. */
LF_PY_GENERIC PyObject *lf_py_get_item(PyObject *object, const struct lf_py_ops *ops, uint64_t ns, int64_t *status) {
    uint32_t level = 0;
    if (!ops->has_levels)
        return lf_py_get_record(object, ops, ns, &level, status);
    PyObject *pair = PyTuple_New(2);
    PyObject *record = pair != NULL ? lf_py_get_record(object, ops, ns, &level, status) : NULL;
    return lf_py_with_level(pair, level, record);
}

LF_PY_GENERIC PyObject *lf_py_try_put(PyObject *object, const struct lf_py_ops *ops, PyObject *record, uint32_t level) {
    int64_t status = lf_py_put_record(object, ops, record, level, 0);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_TRUE;
    if (status == LF_FULL)
        Py_RETURN_FALSE;
    return lf_py_raise((struct lf_py_object *)object, status);
}

LF_PY_GENERIC PyObject *lf_py_put(PyObject *object, const struct lf_py_ops *ops, PyObject *record, uint32_t level,
                                  uint64_t ns) {
    int64_t status = lf_py_put_record(object, ops, record, level, ns);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise((struct lf_py_object *)object, status);
}

LF_PY_GENERIC PyObject *lf_py_get(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    int64_t status = LF_OK;
    PyObject *found = lf_py_get_item(object, ops, ns, &status);
    if (LF_UNLIKELY(found == NULL && status != LF_OK))
        lf_py_raise((struct lf_py_object *)object, status);
    return found;
}

LF_PY_GENERIC PyObject *lf_py_try_get(PyObject *object, const struct lf_py_ops *ops) {
    int64_t status = LF_OK;
    PyObject *found = lf_py_get_item(object, ops, 0, &status);
    return found == NULL && status == LF_EMPTY ? Py_NewRef(Py_None) : found;
}

#endif
