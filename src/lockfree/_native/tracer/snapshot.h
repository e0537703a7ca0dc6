/* What classes and modules held at some moment, to be compared with what they hold now.
 *
 * The practice mode compares some seven thousand names each time when an answer is entered. A value is the same if it
 * is the same object: the caller decides what another one means. */

struct lf_snapshot_owner {
    PyObject *owner;  /* a class or a module */
    PyObject *wanted; /* a set of the names that count; NULL: all do */
    PyObject *keys, *values;
};

struct lf_snapshot {
    PyObject_HEAD Py_ssize_t count;
    struct lf_snapshot_owner owners[];
};

static PyTypeObject *lf_snapshot_type;

/* A new reference to the names of a class or module. */
static PyObject *lf_snapshot_names(PyObject *owner) {
    PyObject *names = NULL;
    if (PyModule_Check(owner))
        names = Py_XNewRef(PyModule_GetDict(owner));
#if PY_VERSION_HEX >= 0x030C0000
    else if (PyType_Check(owner))
        names = PyType_GetDict((PyTypeObject *)owner);
#else
    else if (PyType_Check(owner))
        names = Py_XNewRef(((PyTypeObject *)owner)->tp_dict);
#endif
    if (names == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "this is no class and no module");
    return names;
}

static void lf_snapshot_clear(struct lf_snapshot_owner *one) {
    Py_CLEAR(one->keys);
    Py_CLEAR(one->values);
}

/* Takes the picture of one owner. 0, or -1 with a Python error set. */
static int lf_snapshot_take(struct lf_snapshot_owner *one) {
    PyObject *names = lf_snapshot_names(one->owner), *key, *value;
    Py_ssize_t at = 0, number = 0;
    lf_snapshot_clear(one);
    if (names == NULL)
        return -1;
    one->keys = PyTuple_New(PyDict_Size(names));
    one->values = PyTuple_New(PyDict_Size(names));
    while (one->keys != NULL && one->values != NULL && PyDict_Next(names, &at, &key, &value)) {
        int counts = one->wanted != NULL ? PySet_Contains(one->wanted, key) : 1;
        if (counts < 0)
            break;
        PyTuple_SET_ITEM(one->keys, number, Py_NewRef(key));
        PyTuple_SET_ITEM(one->values, number++, Py_NewRef(counts ? value : Py_Ellipsis));
    }
    Py_DECREF(names);
    return PyErr_Occurred() ? -1 : 0;
}

static int lf_snapshot_same(struct lf_snapshot_owner *one) {
    PyObject *names = lf_snapshot_names(one->owner), *key, *value;
    if (names == NULL)
        return -1;
    int same = PyDict_Size(names) == PyTuple_GET_SIZE(one->keys);
    Py_ssize_t at = 0, number = 0;
    while (same && PyDict_Next(names, &at, &key, &value)) {
        PyObject *was = PyTuple_GET_ITEM(one->values, number);
        same = PyTuple_GET_ITEM(one->keys, number) == key && (was == value || was == Py_Ellipsis);
        number++;
    }
    Py_DECREF(names);
    return same;
}

static PyObject *lf_snapshot_changed(PyObject *object, PyObject *none) {
    struct lf_snapshot *self = (struct lf_snapshot *)object;
    (void)none;
    for (Py_ssize_t at = 0; at < self->count; at++) {
        int same = lf_snapshot_same(&self->owners[at]);
        if (same < 0)
            return NULL;
        if (!same)
            return PyLong_FromSsize_t(at);
    }
    Py_RETURN_NONE;
}

static PyObject *lf_snapshot_renew(PyObject *object, PyObject *number) {
    struct lf_snapshot *self = (struct lf_snapshot *)object;
    Py_ssize_t at = PyLong_AsSsize_t(number);
    if (at < 0 || at >= self->count)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_IndexError, "there is no such class or module");
    return lf_snapshot_take(&self->owners[at]) == 0 ? Py_NewRef(Py_None) : NULL;
}

static void lf_snapshot_dealloc(PyObject *object) {
    struct lf_snapshot *self = (struct lf_snapshot *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (Py_ssize_t at = 0; at < self->count; at++) {
        lf_snapshot_clear(&self->owners[at]);
        Py_DECREF(self->owners[at].owner);
        Py_XDECREF(self->owners[at].wanted);
    }
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *lf_snapshot_of(PyObject *module, PyObject *pairs) {
    (void)module;
    if (!PyList_Check(pairs))
        return PyErr_Format(PyExc_TypeError, "snapshot() takes a list of pairs");
    Py_ssize_t count = PyList_GET_SIZE(pairs);
    size_t size = sizeof(struct lf_snapshot) + (size_t)count * sizeof(struct lf_snapshot_owner);
    struct lf_snapshot *made = PyObject_Malloc(size);
    if (made == NULL)
        return PyErr_NoMemory();
    PyObject_Init((PyObject *)made, lf_snapshot_type);
    made->count = 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *owner, *wanted;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(pairs, at), "OO", &owner, &wanted))
            break;
        struct lf_snapshot_owner *one = &made->owners[made->count++];
        *one = (struct lf_snapshot_owner){Py_NewRef(owner), wanted == Py_None ? NULL : Py_NewRef(wanted), NULL, NULL};
        if (lf_snapshot_take(one) != 0)
            break;
    }
    if (PyErr_Occurred())
        Py_CLEAR(made);
    return (PyObject *)made;
}

static PyMethodDef lf_snapshot_methods[] = {
    {"changed", lf_snapshot_changed, METH_NOARGS, "The number of the first that holds something else now; or None."},
    {"renew", lf_snapshot_renew, METH_O, "What the one with this number holds now is what it must hold."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_snapshot_slots[] = {
    {Py_tp_dealloc, (void *)lf_snapshot_dealloc},
    {Py_tp_methods, lf_snapshot_methods},
    {0, NULL},
};
static PyType_Spec lf_snapshot_spec = {
    .name = "lockfree._native.tracer.Snapshot",
    .basicsize = sizeof(struct lf_snapshot),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_snapshot_slots,
};
