/* The hottest calls of the rings as bound builtins: bind_<ring>(address, owner) -> (try_put, try_get).
 *
 * A cffi call has to convert a pointer, a buffer and a length, and its Python wrapper has to ask for the length and
 * copy the result: three to four times what the operation takes. A builtin that is bound to the ring does the same
 * work in one call. It holds `owner` (the handle), so the mapping outlives it. */
#define LF_PY_RING "lockfree ring"

static PyObject *lf_py_raise_status; /* lockfree._errors.raise_status */

static void lf_py_capsule_free(PyObject *capsule) { Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule)); }

static PyObject *lf_py_refuse(int64_t status, const char *what) {
    PyObject *result = PyObject_CallFunction(lf_py_raise_status, "Ls", (long long)status, what);
    Py_XDECREF(result);
    return NULL;
}

/* Something else than bytes: any contiguous buffer, as the Python method takes it. */
static PyObject *lf_py_as_bytes(PyObject *record) {
    if (PyUnicode_Check(record) || !PyObject_CheckBuffer(record)) {
        PyErr_Format(PyExc_TypeError, "record is of type %.100s: it must be bytes-like", Py_TYPE(record)->tp_name);
        return NULL;
    }
    return PyBytes_FromObject(record);
}

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
    static PyMethodDef lf_py_fast_##ring##_methods[] = {                                                             \
        {"try_put", lf_py_fast_##ring##_try_put, METH_O, "Appends a record; False if the ring is full."},            \
        {"try_get", lf_py_fast_##ring##_try_get, METH_NOARGS, "The oldest record, or None if the ring is empty."},   \
    };                                                                                                               \
    static PyObject *lf_py_bind_##ring(PyObject *self, PyObject *args) {                                             \
        return lf_py_bind(args, lf_py_fast_##ring##_methods);                                                        \
    }

static PyObject *lf_py_bind(PyObject *args, PyMethodDef *methods) {
    PyObject *address, *owner;
    if (!PyArg_ParseTuple(args, "OO", &address, &owner))
        return NULL;
    void *ring = PyLong_AsVoidPtr(address);
    if (ring == NULL)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "address is 0");
    PyObject *capsule = PyCapsule_New(ring, LF_PY_RING, lf_py_capsule_free);
    if (capsule == NULL)
        return NULL;
    Py_INCREF(owner);
    PyCapsule_SetContext(capsule, owner);
    PyObject *bound = Py_BuildValue("(NN)", PyCFunction_New(&methods[0], capsule), PyCFunction_New(&methods[1], capsule));
    Py_DECREF(capsule);
    return bound;
}
