/* LatestValue as a Python type. Its values are the records of containers (common/container.h). */
static PyTypeObject *lf_py_latest_value_type;
LF_PY_KIND(latest_value)

#define LF_PY_LATEST_ROOM 4096 /* shorter values are copied by way of the stack */

static struct lf_latest_value *lf_py_latest_value(PyObject *object) {
    return (struct lf_latest_value *)((struct lf_py_object *)object)->p;
}

static PyObject *lf_py_latest_value_set(PyObject *object, PyObject *value) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *bytes = lf_py_encode(object, value);
    if (bytes == NULL)
        return NULL;
    int64_t version;
    uint64_t length = (uint64_t)PyBytes_GET_SIZE(bytes);
    if (LF_LIKELY(length <= LF_PY_LONG_COPY))
        LF_PY_BRIEFLY(self, version, lf_latest_value_set(lf_py_latest_value(object), PyBytes_AS_STRING(bytes), length));
    else
        LF_PY_AT_LENGTH(self, version,
                        lf_latest_value_set(lf_py_latest_value(object), PyBytes_AS_STRING(bytes), length));
    Py_DECREF(bytes);
    if (LF_UNLIKELY(version == LF_TOO_LONG))
        return PyErr_Format(PyExc_ValueError, "record has %llu bytes: the value takes at most %llu",
                            (unsigned long long)length, (unsigned long long)lf_py_latest_value(object)->record_size);
    return version < 0 ? lf_py_raise(self, version) : PyLong_FromLongLong(version);
}

/* The newest value, copied to where there is room for record_size bytes: its length, a status, or LF_PY_RAISED. */
static int64_t lf_py_latest_copy(PyObject *object, void *to, uint64_t room, uint64_t *version) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t length = LF_INTERRUPTED;
    if (LF_LIKELY(room <= LF_PY_LONG_COPY))
        LF_PY_BRIEFLY(self, length, lf_latest_value_get(lf_py_latest_value(object), to, version));
    if (LF_UNLIKELY(length == LF_INTERRUPTED)) /* long, or the writer has overtaken each try */
        LF_PY_UNTIL_DONE(self, length, lf_latest_value_get(lf_py_latest_value(object), to, version));
    return length;
}

/* The newest value as an object; NULL with an error. None: nothing was ever set. */
static PyObject *lf_py_latest_bytes(PyObject *object, uint64_t *version) {
    uint64_t room = lf_py_latest_value(object)->record_size;
    char place[LF_PY_LATEST_ROOM];
    if (LF_LIKELY(room <= sizeof place)) {
        int64_t length = lf_py_latest_copy(object, place, room, version);
        if (LF_LIKELY(length >= 0))
            return PyBytes_FromStringAndSize(place, (Py_ssize_t)length);
        return length == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise((struct lf_py_object *)object, length);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (bytes == NULL)
        return NULL;
    int64_t length = lf_py_latest_copy(object, PyBytes_AS_STRING(bytes), room, version);
    if (length >= 0) {
        if ((uint64_t)length < room && _PyBytes_Resize(&bytes, (Py_ssize_t)length) != 0)
            return NULL;
        return bytes;
    }
    Py_DECREF(bytes);
    return length == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise((struct lf_py_object *)object, length);
}
static PyObject *lf_py_latest_item(PyObject *object, uint64_t *version) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory;
    PyObject *array, *item = NULL;
    if (LF_PY_CONTAINER(object)->codec == NULL)
        return lf_py_closed_error(object);
    if (LF_PY_CONTAINER(object)->is_bytes)
        return lf_py_latest_bytes(object, version);
    if (lf_py_blank(object, lf_py_latest_value(object)->record_size, &memory, &array) != 0)
        return NULL;
    int64_t length = lf_py_latest_copy(object, memory->bytes, (uint64_t)memory->room, version);
    if (LF_LIKELY(length >= 0)) {
        memset(memory->bytes + length, 0, (size_t)(memory->room - length));
        item = PySequence_GetItem(array, 0);
    } else {
        item = length == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise(self, length);
    }
    Py_DECREF(memory);
    Py_DECREF(array);
    return item;
}

static PyObject *lf_py_latest_value_get(PyObject *object, PyObject *unused) {
    uint64_t version = 0;
    return lf_py_latest_item(object, &version);
}
static PyObject *lf_py_latest_value_get_versioned(PyObject *object, PyObject *unused) {
    uint64_t version = 0;
    PyObject *item = lf_py_latest_item(object, &version);
    return item == NULL ? NULL : Py_BuildValue("LN", (long long)(version & INT64_MAX), item);
}
static PyObject *lf_py_latest_value_get_into(PyObject *object, PyObject *buffer) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    uint64_t room = lf_py_latest_value(object)->record_size, version = 0;
    Py_buffer view;
    if (lf_py_is_closed(self))
        return lf_py_raise(self, LF_CLOSED);
    if (LF_PY_CONTAINER(object)->codec == NULL)
        return lf_py_closed_error(object);
    PyObject *place = PyObject_CallMethod(LF_PY_CONTAINER(object)->codec, "place_to_fill", "(O)", buffer);
    if (place == NULL || PyObject_GetBuffer(place, &view, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) != 0)
        return Py_XDECREF(place), NULL;
    int64_t length = lf_py_latest_copy(object, view.buf, room, &version);
    if (length >= 0)
        memset((char *)view.buf + length, 0, (size_t)(room - (uint64_t)length));
    PyBuffer_Release(&view);
    Py_DECREF(place);
    if (length < 0 && length != LF_EMPTY)
        return lf_py_raise(self, length);
    return PyLong_FromLongLong((long long)(version & INT64_MAX));
}

static int64_t lf_py_latest_version(PyObject *object) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t version;
    LF_PY_BRIEFLY(self, version, lf_latest_value_version(lf_py_latest_value(object)));
    return version;
}
static PyObject *lf_py_latest_value_version(PyObject *object, void *unused) {
    int64_t version = lf_py_latest_version(object);
    return version < 0 ? lf_py_raise((struct lf_py_object *)object, version) : PyLong_FromLongLong(version);
}
static PyObject *lf_py_latest_value_wait(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"wait", 0, 2, {"newer_than", "timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *places[2] = {NULL, NULL};
    int64_t status, newer_than = -1;
    uint64_t ns;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        (places[0] != NULL && places[0] != Py_None &&
         lf_py_integer("newer_than", places[0], 0, INT64_MAX, &newer_than) != 0) ||
        lf_py_remaining(places[1], &ns) != 0)
        return NULL;
    int64_t version = lf_py_latest_version(object);
    if (version < 0)
        return lf_py_raise(self, version);
    if (newer_than < 0)
        newer_than = version;
    if (version > newer_than)
        Py_RETURN_TRUE;
    uint64_t until = lf_py_deadline(ns);
    if (until == 0)
        Py_RETURN_FALSE;
    LF_PY_UNTIL_DONE(self, status, lf_latest_value_wait(lf_py_latest_value(object), (uint64_t)newer_than, until));
    return lf_py_whether(self, status);
}
static PyObject *lf_py_latest_value_release_role(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_latest_value_release_role(lf_py_latest_value(object)));
    return lf_py_none(self, status);
}

static PyMethodDef lf_py_latest_value_methods[] = {
    {"set", lf_py_latest_value_set, METH_O,
     "set($self, value, /)\n--\n\n"
     "Sets the value, and wakes everybody who waits for a newer one; its version: 1, 2, 3, ...\n\n"
     "Never waits for a reader. Raises RoleTaken if another thread is the writer; ValueError if it is longer than\n"
     "`record_size`."},
    {"get", lf_py_latest_value_get, METH_NOARGS,
     "get($self, /)\n--\n\nThe newest value; None if nothing was ever set."},
    {"get_versioned", lf_py_latest_value_get_versioned, METH_NOARGS,
     "get_versioned($self, /)\n--\n\n(version, value) of the newest value; (0, None) if nothing was ever set."},
    {"get_into", lf_py_latest_value_get_into, METH_O,
     "get_into($self, buffer, /)\n--\n\n"
     "Copies the newest value into a writable buffer; its version, or 0 if nothing was ever set.\n\n"
     "The buffer has at least `record_size` bytes; a shorter value is padded with zeros up to there. If the call\n"
     "raises, parts of a value may stand in it."},
    LF_PY_FAST(
        "wait", lf_py_latest_value_wait,
        "wait($self, /, newer_than=None, timeout=None)\n--\n\n"
        "Waits until the newest version is above `newer_than` (None: what it is now), at most `timeout` seconds\n"
        "(None: for ever).\n\n"
        "True if it is. False if it was not at the last look, which comes after the time-out."),
    {"release_role", lf_py_latest_value_release_role, METH_NOARGS,
     "release_role($self, /)\n--\n\n"
     "Gives back the calling thread's role of the writer, for another thread or process to take.\n\n"
     "RuntimeError if the thread has not got it."},
    {"_use", lf_py_use, METH_VARARGS, NULL},
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_latest_value_properties[] = {
    {"version", lf_py_latest_value_version, NULL, "How many values were set so far: the version of the newest one.",
     NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot lf_py_latest_value_slots[] = {
    {Py_tp_new, (void *)lf_py_latest_value_new},
    {Py_tp_dealloc, (void *)lf_py_dealloc_container},
    {Py_tp_methods, lf_py_latest_value_methods},
    {Py_tp_getset, lf_py_latest_value_properties},
    {0, NULL},
};
static PyType_Spec lf_py_latest_value_spec = {
    .name = "lockfree.LatestValue",
    .basicsize = sizeof(struct lf_py_container),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_latest_value_slots,
};
LF_PY_SURVEY(latest_value, {
    s->puts = (int64_t)(lf_load_relaxed(&x->body->version) & INT64_MAX);
    s->inside = s->puts != 0;
    lf_py_survey_hold(s, lf_load_relaxed(&x->body->writer) >> 32);
})
LF_PY_TYPE(latest_value)
