static unsigned char *lf_py_priority_queue_payload(struct lf_priority_queue *q, int64_t index) {
    return lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index));
}

/* The two hottest calls as bound builtins; see common/ring.core.glue.c. */
static PyObject *lf_py_fast_priority_queue_try_put(PyObject *self, PyObject *args, PyObject *named) {
    static char *names[] = {(char *)"record", (char *)"priority", NULL};
    struct lf_priority_queue *q = (struct lf_priority_queue *)PyCapsule_GetPointer(self, LF_PY_RING);
    PyObject *record = NULL, *priority = NULL, *bytes;
    if (named == NULL && PyTuple_GET_SIZE(args) == 2) {
        record = PyTuple_GET_ITEM(args, 0);
        priority = PyTuple_GET_ITEM(args, 1);
    } else if (!PyArg_ParseTupleAndKeywords(args, named, "OO:try_put", names, &record, &priority)) {
        return NULL;
    }
    if (LF_UNLIKELY(!PyLong_Check(priority) && !PyIndex_Check(priority)))
        return PyErr_Format(PyExc_TypeError, "priority is %R: it must be an integer", priority);
    Py_ssize_t level = PyNumber_AsSsize_t(priority, NULL); /* clipped: then out of bounds anyway */
    if (LF_UNLIKELY(level == -1 && PyErr_Occurred()))
        return NULL;
    if (LF_UNLIKELY(level < 0 || (size_t)level >= q->levels.count) && lf_enter(&q->h) == LF_OK)
        return PyErr_Format(PyExc_ValueError, "priority is %S: it must be between 0 and %u", priority,
                            q->levels.count - 1);
    bytes = record;
    if (LF_UNLIKELY(!PyBytes_CheckExact(record)) && (bytes = lf_py_as_bytes(record)) == NULL)
        return NULL;
    Py_ssize_t length = PyBytes_GET_SIZE(bytes);
    int status = lf_priority_queue_try_put(q, PyBytes_AS_STRING(bytes), (uint64_t)length, (uint32_t)level);
    if (bytes != record)
        Py_DECREF(bytes);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_TRUE;
    if (status == LF_FULL)
        Py_RETURN_FALSE;
    if (status == LF_TOO_LONG)
        return PyErr_Format(PyExc_ValueError, "record has %zd bytes: the queue takes at most %llu", length,
                            (unsigned long long)q->record_size);
    return lf_py_refuse(status, "priority_queue");
}

static PyObject *lf_py_fast_priority_queue_try_get(PyObject *self, PyObject *unused) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)PyCapsule_GetPointer(self, LF_PY_RING);
    uint32_t level = 0;
    uint64_t length = 0;
    int64_t slot = lf_priority_queue_peek(q, 0, &level, &length);
    if (slot == LF_EMPTY)
        Py_RETURN_NONE;
    if (LF_UNLIKELY(slot < 0))
        return lf_py_refuse(slot, "priority_queue");
    PyObject *record = PyBytes_FromStringAndSize((const char *)lf_py_priority_queue_payload(q, slot),
                                                 (Py_ssize_t)length);
    PyObject *result = record != NULL ? Py_BuildValue("(IN)", (unsigned)level, record) : NULL;
    int status = lf_priority_queue_release(q, slot);
    if (LF_UNLIKELY(status != LF_OK)) {
        Py_XDECREF(result);
        return lf_py_refuse(status, "priority_queue");
    }
    return result;
}

static PyMethodDef lf_py_fast_priority_queue_methods[] = {
    {"try_put", (PyCFunction)(void (*)(void))lf_py_fast_priority_queue_try_put, METH_VARARGS | METH_KEYWORDS,
     "Puts a record with its priority; False if the queue is full."},
    {"try_get", lf_py_fast_priority_queue_try_get, METH_NOARGS,
     "(priority, record) of the most urgent record, or None if the queue is empty."},
};
static PyObject *lf_py_bind_priority_queue(PyObject *self, PyObject *args) {
    return lf_py_bind(args, LF_PY_RING, lf_py_fast_priority_queue_methods, 2);
}
LF_PY_BINDER(priority_queue)
