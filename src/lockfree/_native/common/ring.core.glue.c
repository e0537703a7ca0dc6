/* The hottest calls of the rings as bound builtins:
 * bind_<ring>(address, owner) -> (try_put, try_get, put_batch, get_batch, get_rows).
 *
 * A cffi call has to convert a pointer, a buffer and a length, and its Python wrapper has to ask for the length and
 * copy the result: three to four times what the operation takes. A builtin that is bound to the ring does the same
 * work in one call. It holds `owner` (the handle), so the mapping outlives it. */
#define LF_PY_RING "lockfree ring"

#include "common/buffers.h"

/* The bytes of a batch. NotImplemented means: let the Python method look at it, and complain if it must. */
struct lf_py_batch {
    const char *bytes;
    uint64_t pitch;
    uint64_t count;
    uint32_t *lengths; /* NULL: rows of `pitch` bytes */
    char *packed;      /* owned, with `lengths` behind it; NULL: the bytes belong to `view` */
    Py_buffer view;
};

static void lf_py_batch_end(struct lf_py_batch *batch) {
    if (batch->packed != NULL)
        PyMem_Free(batch->packed);
    else if (batch->view.obj != NULL)
        PyBuffer_Release(&batch->view);
}

/* A list or tuple of bytes objects, packed. 1 taken, 0 not of that kind, -1 error. */
static int lf_py_batch_pack(struct lf_py_batch *batch, PyObject *records, uint64_t record_size) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(records);
    uint64_t total = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *record = PySequence_Fast_GET_ITEM(records, i);
        if (!PyBytes_CheckExact(record) || (uint64_t)PyBytes_GET_SIZE(record) > record_size)
            return 0;
        total += (uint64_t)PyBytes_GET_SIZE(record);
    }
    total = lf_round_up(total, 8);
    batch->packed = (char *)PyMem_Malloc(total + (size_t)count * sizeof(uint32_t) + 1);
    if (batch->packed == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    batch->lengths = (uint32_t *)(void *)(batch->packed + total);
    batch->bytes = batch->packed;
    batch->count = (uint64_t)count;
    char *to = batch->packed;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *record = PySequence_Fast_GET_ITEM(records, i);
        batch->lengths[i] = (uint32_t)PyBytes_GET_SIZE(record);
        memcpy(to, PyBytes_AS_STRING(record), batch->lengths[i]);
        to += batch->lengths[i];
    }
    return 1;
}

/* A C-contiguous buffer of two dimensions, one record per row. */
static int lf_py_batch_rows(struct lf_py_batch *batch, PyObject *buffer, int flags) {
    if (lf_py_get_buffer(buffer, &batch->view, flags | PyBUF_ND, "buffer") != 0) {
        PyErr_Clear();
        batch->view.obj = NULL;
        return 0;
    }
    if (batch->view.ndim != 2 || batch->view.shape[0] == 0)
        return 0;
    batch->bytes = (const char *)batch->view.buf;
    batch->count = (uint64_t)batch->view.shape[0];
    batch->pitch = (uint64_t)batch->view.len / batch->count;
    return 1;
}

#define LF_PY_ROWS_AT_ONCE 64

#define LF_PY_FAST_RING(ring, peek)                                                                                  \
    static PyObject *lf_py_fast_##ring##_try_put(PyObject *self, PyObject *record) {                                 \
        struct lf_##ring *r = (struct lf_##ring *)PyCapsule_GetPointer(self, LF_PY_RING);                            \
        PyObject *bytes = record;                                                                                    \
        if (LF_UNLIKELY(!PyBytes_CheckExact(record)) && (bytes = lf_py_as_bytes(record)) == NULL)                    \
            return NULL;                                                                                             \
        Py_ssize_t length = PyBytes_GET_SIZE(bytes);                                                                 \
        int status = lf_##ring##_try_put(r, PyBytes_AS_STRING(bytes), (uint64_t)length);                             \
        if (bytes != record)                                                                                         \
            Py_DECREF(bytes);                                                                                        \
        if (LF_LIKELY(status == LF_OK))                                                                              \
            Py_RETURN_TRUE;                                                                                          \
        if (status == LF_FULL)                                                                                       \
            Py_RETURN_FALSE;                                                                                         \
        if (status == LF_TOO_LONG)                                                                                   \
            return PyErr_Format(PyExc_ValueError, "record has %zd bytes: the ring takes at most %llu", length,       \
                                (unsigned long long)r->record_size);                                                 \
        return lf_py_refuse(status, #ring);                                                                          \
    }                                                                                                                \
    static PyObject *lf_py_fast_##ring##_try_get(PyObject *self, PyObject *unused) {                                 \
        struct lf_##ring *r = (struct lf_##ring *)PyCapsule_GetPointer(self, LF_PY_RING);                            \
        uint64_t length = 0;                                                                                         \
        int64_t slot = peek;                                                                                         \
        if (slot == LF_EMPTY)                                                                                        \
            Py_RETURN_NONE;                                                                                          \
        if (LF_UNLIKELY(slot < 0))                                                                                   \
            return lf_py_refuse(slot, #ring);                                                                        \
        PyObject *record = PyBytes_FromStringAndSize((const char *)lf_py_##ring##_payload(r, slot),                  \
                                                     (Py_ssize_t)length);                                            \
        int status = lf_##ring##_release(r, slot);                                                                   \
        if (LF_UNLIKELY(status != LF_OK)) {                                                                          \
            Py_XDECREF(record);                                                                                      \
            return lf_py_refuse(status, #ring);                                                                      \
        }                                                                                                            \
        return record;                                                                                               \
    }                                                                                                                \
    static PyObject *lf_py_fast_##ring##_put_batch(PyObject *self, PyObject *records) {                              \
        struct lf_##ring *r = (struct lf_##ring *)PyCapsule_GetPointer(self, LF_PY_RING);                            \
        struct lf_py_batch batch = {0};                                                                              \
        int taken = PyList_CheckExact(records) || PyTuple_CheckExact(records)                                        \
                        ? lf_py_batch_pack(&batch, records, r->record_size)                                          \
                        : lf_py_batch_rows(&batch, records, PyBUF_SIMPLE);                                           \
        if (taken <= 0 || (batch.lengths == NULL && batch.pitch > r->record_size)) {                                 \
            lf_py_batch_end(&batch);                                                                                 \
            return taken < 0 ? NULL : Py_NewRef(Py_NotImplemented);                                                  \
        }                                                                                                            \
        int64_t done = lf_##ring##_put_many(r, batch.bytes, batch.pitch, batch.pitch, batch.lengths, batch.count);   \
        lf_py_batch_end(&batch);                                                                                     \
        return done < 0 ? lf_py_refuse(done, #ring) : PyLong_FromLongLong(done);                                     \
    }                                                                                                                \
    static PyObject *lf_py_fast_##ring##_get_rows(PyObject *self, PyObject *buffer) {                                \
        struct lf_##ring *r = (struct lf_##ring *)PyCapsule_GetPointer(self, LF_PY_RING);                            \
        struct lf_py_batch batch = {0};                                                                              \
        if (!lf_py_batch_rows(&batch, buffer, PyBUF_WRITABLE) || batch.pitch < r->record_size) {                     \
            lf_py_batch_end(&batch);                                                                                 \
            return Py_NewRef(Py_NotImplemented);                                                                     \
        }                                                                                                            \
        int64_t done = lf_##ring##_get_many(r, batch.view.buf, batch.pitch, NULL, batch.count);                      \
        lf_py_batch_end(&batch);                                                                                     \
        return done < 0 ? lf_py_refuse(done, #ring) : PyLong_FromLongLong(done);                                     \
    }                                                                                                                \
    static PyObject *lf_py_fast_##ring##_get_batch(PyObject *self, PyObject *most) {                                 \
        struct lf_##ring *r = (struct lf_##ring *)PyCapsule_GetPointer(self, LF_PY_RING);                            \
        Py_ssize_t left = PyNumber_AsSsize_t(most, NULL);                                                            \
        uint32_t lengths[LF_PY_ROWS_AT_ONCE];                                                                        \
        uint64_t pitch = r->record_size, room = pitch < 1024 ? LF_PY_ROWS_AT_ONCE : 65536 / pitch + 1;               \
        PyObject *records = left < 0 && PyErr_Occurred() ? NULL : PyList_New(0);                                     \
        char *rows = (char *)PyMem_Malloc(room * pitch + 1);                                                         \
        int64_t done = 0;                                                                                            \
        if (rows == NULL)                                                                                            \
            PyErr_NoMemory();                                                                                        \
        while (rows != NULL && records != NULL && left > 0) {                                                        \
            uint64_t wanted = (uint64_t)left < room ? (uint64_t)left : room;                                         \
            done = lf_##ring##_get_many(r, rows, pitch, lengths, wanted);                                            \
            for (int64_t i = 0; i < done && records != NULL; i++) {                                                  \
                PyObject *record = PyBytes_FromStringAndSize(rows + (uint64_t)i * pitch, lengths[i]);                \
                if (record == NULL || PyList_Append(records, record) != 0)                                           \
                    Py_CLEAR(records);                                                                               \
                Py_XDECREF(record);                                                                                  \
            }                                                                                                        \
            if (done < (int64_t)wanted)                                                                              \
                break;                                                                                               \
            left -= (Py_ssize_t)done;                                                                                \
        }                                                                                                            \
        PyMem_Free(rows);                                                                                            \
        if (rows == NULL)                                                                                            \
            Py_CLEAR(records);                                                                                       \
        if (records != NULL && done < 0 && PyList_GET_SIZE(records) == 0) {                                          \
            Py_DECREF(records);                                                                                      \
            return lf_py_refuse(done, #ring);                                                                        \
        }                                                                                                            \
        return records;                                                                                              \
    }                                                                                                                \
    static PyMethodDef lf_py_fast_##ring##_methods[] = {                                                             \
        {"try_put", lf_py_fast_##ring##_try_put, METH_O, "Appends a record; False if the ring is full."},            \
        {"try_get", lf_py_fast_##ring##_try_get, METH_NOARGS, "The oldest record, or None if the ring is empty."},   \
        {"put_batch", lf_py_fast_##ring##_put_batch, METH_O, NULL},                                                  \
        {"get_batch", lf_py_fast_##ring##_get_batch, METH_O, NULL},                                                  \
        {"get_rows", lf_py_fast_##ring##_get_rows, METH_O, NULL},                                                    \
    };                                                                                                               \
    static PyObject *lf_py_bind_##ring(PyObject *self, PyObject *args) {                                             \
        return lf_py_bind(args, LF_PY_RING, lf_py_fast_##ring##_methods, 5);                                           \
    }
