/* get_batches.h: get_many and get_into.
 *
 * Contract
 *   get_many has the room for a record before it takes it. What cannot be delivered is inside again. */
#ifndef LOCKFREE_PY_GET_BATCHES_H
#define LOCKFREE_PY_GET_BATCHES_H

#include "common/in_hand.h"
#include "common/turns.h"

/* ---- get_many ---- */

LF_PY_GENERIC void lf_py_look_for_sleepers(struct lf_py_object *self, const struct lf_py_ops *ops, uint32_t *freed) {
    if (*freed > 0 && lf_py_enter_briefly(self) == LF_OK) {
        if (!lf_py_is_closed(self))
            ops->freed(self->p, *freed);
        lf_py_leave_briefly(self);
    }
    *freed = 0;
}

/* Delivers records that stand together to the list, from place `at` on: how many, `most` or fewer; with an exception set if
 * one of them could not be made, which is inside again, as are those behind it. Or a status, with none delivered. */
LF_PY_GENERIC int64_t lf_py_get_run(struct lf_py_object *self, const struct lf_py_ops *ops, PyObject *records,
                                    uint64_t at, uint64_t most, uint32_t *freed) {
    struct lf_py_stay stay;
    uint64_t count = 0, made = 0;
    if (most > LF_QUEUE_RUN)
        most = LF_QUEUE_RUN;
    while ((uint64_t)PyList_GET_SIZE(records) < at + most)
        if (PyList_Append(records, Py_None) != 0)
            return LF_PY_RAISED;
    int64_t slot = lf_py_stay_begin(&stay, self);
    if (LF_UNLIKELY(slot != LF_OK))
        return slot;
    slot = ops->take_run(self->p, most, &count);
    for (; slot >= 0 && made < count; made++) {
        PyObject *record = lf_py_record(&stay, ops, slot + (int64_t)made, ops->length(self->p, slot + (int64_t)made),
                                        NULL, NULL);
        if (LF_UNLIKELY(record == NULL))
            break;
        PyList_SetItem(records, (Py_ssize_t)(at + made), record);
    }
    int64_t status = slot < 0 ? slot : made > 0 ? (int64_t)made : LF_PY_RAISED;
    for (uint64_t i = made; slot >= 0 && i < count; i++)
        ops->give_back(self->p, slot + (int64_t)i, 0);
    if (slot >= 0 && made > 0 && LF_UNLIKELY(ops->free_quietly(self->p, slot, made) != LF_OK))
        status = LF_CORRUPT;
    if (status > 0)
        *freed += (uint32_t)made;
    if (*freed >= 64) {
        ops->freed(self->p, *freed);
        *freed = 0;
    }
    lf_py_stay_end(&stay);
    return status;
}

/* Up to `most` records as a list, one after the other; the first one waits up to `ns`. */
LF_PY_GENERIC PyObject *lf_py_get_list(PyObject *object, const struct lf_py_ops *ops, uint64_t most, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *records = PyList_New(0), *pair = NULL;
    uint32_t freed = 0, level = 0;
    uint64_t began = 0;
    int64_t slot = LF_OK;
    for (uint64_t i = 0, turn = 0; records != NULL && i < most; i++, turn++) {
        struct lf_py_stay stay;
        uint64_t length = 0;
        if (LF_UNLIKELY(lf_py_is_long(&began, turn))) {
            lf_py_look_for_sleepers(self, ops, &freed);
            LF_PY_TURN();
        }
        int one = ops->take_run == NULL;
        if (!one) {
            slot = lf_py_get_run(self, ops, records, i, most - i, &freed);
            if (LF_LIKELY(slot > 0) && LF_LIKELY(PyErr_Occurred() == NULL)) {
                i += (uint64_t)slot - 1;
                continue;
            }
            i += slot > 0 ? (uint64_t)slot : 0;
            slot = slot > 0 ? LF_PY_RAISED : slot;
            one = slot == LF_EMPTY && ns != 0 && i == 0; /* the first one waits */
        }
        if (one && (((uint64_t)PyList_GET_SIZE(records) == i && PyList_Append(records, Py_None) != 0) ||
                    (ops->has_levels && (pair = PyTuple_New(2)) == NULL))) {
            slot = LF_PY_RAISED;
        } else if (one) {
            slot = lf_py_take(self, ops, 1, 0, i == 0 ? ns : 0, &level, &length, &stay);
            if (ops->in_place && slot == LF_EMPTY &&
                freed > 0) { /* EMPTY is exact only behind that look (spsc_ring.h) */
                lf_py_look_for_sleepers(self, ops, &freed);
                slot = lf_py_take(self, ops, 1, 0, 0, &level, &length, &stay);
            }
        }
        if (slot >= 0) {
            PyObject *record = lf_py_record(&stay, ops, slot, length, NULL, NULL);
            int status = LF_LIKELY(record != NULL) ? ops->free_quietly(self->p, slot, 1)
                                                   : ops->give_back(self->p, slot, level);
            if (record != NULL)
                freed++;
            if (freed == 64) {
                ops->freed(self->p, freed);
                freed = 0;
            }
            lf_py_stay_end(&stay);
            if (record != NULL && (status == LF_OK || (status == LF_CLOSED && !ops->in_place))) {
                record = lf_py_with_level(pair, level, record);
                pair = NULL;
                PyList_SetItem(records, (Py_ssize_t)i, record);
                continue;
            }
            slot = record == NULL ? LF_PY_RAISED : status;
            Py_XDECREF(record);
        }
        /* Nothing more to take, or no room for it: what is there is the answer. */
        Py_CLEAR(pair);
        if (PyList_GET_SIZE(records) > (Py_ssize_t)i &&
            PyList_SetSlice(records, (Py_ssize_t)i, PyList_GET_SIZE(records), NULL) != 0)
            Py_CLEAR(records);
        if (i > 0 && slot == LF_PY_RAISED)
            PyErr_Clear();
        if (i == 0 && (slot != LF_EMPTY || ns != 0))
            Py_CLEAR(records);
        break;
    }
    lf_py_look_for_sleepers(self, ops, &freed);
    return records == NULL && slot != LF_OK ? lf_py_raise(self, slot) : records;
}

/* A list of records of a dtype, or (priority, record), of the first `count` rows of `array`. */
LF_PY_GENERIC PyObject *lf_py_rows_as_list(const struct lf_py_ops *ops, PyObject *array, const uint32_t *levels) {
    PyObject *records = PyList_New(0);
    Py_ssize_t count = records != NULL ? PySequence_Size(array) : 0;
    uint64_t began = 0;
    if (count < 0)
        Py_CLEAR(records);
    for (Py_ssize_t i = 0; records != NULL && i < count; i += 128) { /* in pieces: other threads get their turns */
        PyObject *some = PySequence_GetSlice(array, i, i + 128 < count ? i + 128 : count);
        PyObject *listed = some != NULL ? PySequence_List(some) : NULL;
        if (listed == NULL || PyList_SetSlice(records, i, i, listed) != 0)
            Py_CLEAR(records);
        Py_XDECREF(some);
        Py_XDECREF(listed);
        lf_py_let_others_run(&began, (uint64_t)i + 127);
    }
    for (Py_ssize_t i = 0; ops->has_levels && records != NULL && i < PyList_GET_SIZE(records); i++) {
        PyObject *pair = Py_BuildValue("(IO)", (unsigned)levels[i], PyList_GET_ITEM(records, i));
        if (pair == NULL || PyList_SetItem(records, i, pair) != 0)
            Py_CLEAR(records);
    }
    return records;
}

/* The same as rows of one array: of a dtype. `as_array`: (priorities, array), or the array; else a list. */
LF_PY_GENERIC PyObject *lf_py_get_array(PyObject *object, const struct lf_py_ops *ops, uint64_t most, uint64_t ns,
                                        int as_array) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory = NULL, *levels = NULL;
    PyObject *array = NULL, *ranks = NULL, *result = NULL;
    uint64_t size = ops->record_size(self->p), first = 0, length = 0;
    int64_t done = lf_py_size(object, ops);
    if (done < 0)
        return NULL;
    uint64_t count = done > 0 ? (uint64_t)done : 1;
    if (count > most)
        count = most;
    if ((levels = lf_py_memory_new(count * sizeof(uint32_t))) == NULL ||
        lf_py_blank(object, count * size, &memory, &array) != 0)
        goto end;
    if (as_array && ops->has_levels &&
        (ranks = PyObject_CallMethod(LF_PY_CONTAINER(object)->codec, "ranks", "(O)", levels)) == NULL)
        goto end;
    uint32_t *at = (uint32_t *)(void *)levels->bytes;
    done = 0;
    if (ns != 0 && count > 0) { /* the first one waits */
        struct lf_py_stay stay;
        int64_t slot = lf_py_take(self, ops, 1, 0, ns, at, &length, &stay);
        if (slot < 0) {
            lf_py_raise(self, slot);
            goto end;
        }
        lf_py_copy(&stay, memory->bytes, ops->payload(self->p, slot), length);
        int status = ops->release(self->p, slot);
        lf_py_stay_end(&stay);
        if (status != LF_OK && (ops->in_place || status != LF_CLOSED)) {
            lf_py_raise(self, status);
            goto end;
        }
        first = 1;
    }
    char *rows = memory->bytes + first * size;
    if ((count - first) * size > LF_PY_LONG_COPY)
        LF_PY_AT_LENGTH(self, done, ops->get_many(self->p, rows, size, NULL, at + first, count - first));
    else
        LF_PY_BRIEFLY(self, done, ops->get_many(self->p, rows, size, NULL, at + first, count - first));
    if (done < 0 && first == 0) {
        lf_py_raise(self, done);
        goto end;
    }
    done = (done < 0 ? 0 : done) + (int64_t)first;
    PyObject *part = PySequence_GetSlice(array, 0, (Py_ssize_t)done);
    if (!as_array && part != NULL) {
        result = lf_py_rows_as_list(ops, part, at);
    } else if (ranks != NULL && part != NULL) {
        PyObject *part_of_ranks = PySequence_GetSlice(ranks, 0, (Py_ssize_t)done);
        result = part_of_ranks != NULL ? PyTuple_Pack(2, part_of_ranks, part) : NULL;
        Py_XDECREF(part_of_ranks);
    } else {
        result = Py_XNewRef(part);
    }
    Py_XDECREF(part);
    if (result == NULL) { /* no memory: what fits goes in again */
        int64_t again;
        LF_PY_BRIEFLY(self, again, ops->put_many(self->p, memory->bytes, size, size, NULL, at, (uint64_t)done));
        (void)again;
    }
end:
    Py_XDECREF(ranks);
    Py_XDECREF(levels);
    Py_XDECREF(array);
    Py_XDECREF(memory);
    return result;
}

LF_PY_GENERIC PyObject *lf_py_get_many(PyObject *object, const struct lf_py_ops *ops, PyObject *max, uint64_t ns,
                                       int as_array) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    int64_t most;
    if (lf_py_integer("max", max, 0, INT64_C(1) << 62, &most) != 0)
        return NULL;
    if (lf_py_is_closed(&self->o) || self->codec == NULL)
        return lf_py_closed_error(object);
    if (self->is_bytes && as_array)
        return PyObject_CallMethod(self->codec, "batch", "y", ""); /* says that there is no dtype */
    return self->is_bytes ? lf_py_get_list(object, ops, (uint64_t)most, ns)
                          : lf_py_get_array(object, ops, (uint64_t)most, ns, as_array);
}

/* ---- get_into ---- */

/* The rows of a writable buffer. The commonest kind is looked at here, the rest (and what is wrong) by
 * codec.rows_to_fill: (view, pitch, count). 0, or -1 with an error. */
LF_PY_GENERIC int lf_py_rows_to_fill(PyObject *object, const struct lf_py_ops *ops, PyObject *buffer, Py_buffer *rows,
                                     unsigned long long *pitch, unsigned long long *count) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    PyObject *view;
    if (self->is_bytes && PyObject_CheckBuffer(buffer)) {
        if (lf_py_get_buffer(buffer, rows, PyBUF_WRITABLE | PyBUF_ND, "buffer") != 0) {
            PyErr_Clear();
        } else {
            *count = rows->ndim == 2 ? (unsigned long long)rows->shape[0] : 0;
            *pitch = *count > 0 ? (unsigned long long)rows->len / *count : 0;
            if (*count > 0 && *pitch >= ops->record_size(self->o.p))
                return 0;
            PyBuffer_Release(rows);
        }
    }
    PyObject *found = PyObject_CallMethod(self->codec, "rows_to_fill", "(O)", buffer);
    int failed = found == NULL || !PyArg_ParseTuple(found, "OKK", &view, pitch, count) ||
                 PyObject_GetBuffer(view, rows, PyBUF_WRITABLE | PyBUF_ND) != 0;
    Py_XDECREF(found);
    return failed ? -1 : 0;
}

LF_PY_GENERIC PyObject *lf_py_get_into(PyObject *object, const struct lf_py_ops *ops, PyObject *buffer,
                                       PyObject *priorities) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_container *container = LF_PY_CONTAINER(object);
    Py_buffer rows = {0}, ranks = {0};
    PyObject *ranks_view = NULL, *result = NULL;
    unsigned long long pitch = 0, count = 0;
    uint32_t *levels = NULL;
    int64_t done;
    if (container->codec == NULL || lf_py_is_closed(self))
        return lf_py_closed_error(object);
    if (lf_py_rows_to_fill(object, ops, buffer, &rows, &pitch, &count) != 0)
        return NULL;
    if (priorities != NULL && priorities != Py_None) {
        ranks_view = PyObject_CallMethod(container->codec, "ranks_to_fill", "OK", priorities, count);
        if (ranks_view == NULL || PyObject_GetBuffer(ranks_view, &ranks, PyBUF_WRITABLE | PyBUF_ND) != 0)
            goto end;
        levels = (uint32_t *)ranks.buf;
    } else if (ops->has_levels && (levels = (uint32_t *)PyMem_RawMalloc(count * sizeof(uint32_t) + 1)) == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    if (pitch * count > LF_PY_LONG_COPY)
        LF_PY_AT_LENGTH(self, done, ops->get_many(self->p, rows.buf, pitch, NULL, levels, count));
    else
        LF_PY_BRIEFLY(self, done, ops->get_many(self->p, rows.buf, pitch, NULL, levels, count));
    result = done < 0 ? lf_py_raise(self, done) : PyLong_FromLongLong(done);
end:
    if (ranks.obj != NULL)
        PyBuffer_Release(&ranks);
    else
        PyMem_RawFree(levels);
    PyBuffer_Release(&rows);
    Py_XDECREF(ranks_view);
    return result;
}

#endif
