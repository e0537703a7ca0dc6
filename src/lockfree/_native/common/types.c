/* Below all fragments and the table lf_py_types that build.py makes of them: hands the types to lockfree._native. */

/* lockfree._native._type(prefix): a new type for that primitive; KeyError if it has none. */
static PyObject *lf_py_type(PyObject *module, PyObject *prefix) {
    for (const struct lf_py_type_entry *entry = lf_py_types; entry->prefix != NULL; entry++)
        if (PyUnicode_Check(prefix) && PyUnicode_CompareWithASCIIString(prefix, entry->prefix) == 0) {
            PyObject *type = PyType_FromSpec(entry->spec);
            if (type != NULL && entry->type != NULL)
                *entry->type = (PyTypeObject *)Py_NewRef(type);
            return type;
        }
    PyErr_SetObject(PyExc_KeyError, prefix);
    return NULL;
}

/* lockfree._native._own_methods(base, cls): gives the class method descriptors of its own for what its C type `base` has. The
 * interpreter calls a C function straight only where the object is exactly of the descriptor's type. */
static PyObject *lf_py_own_methods(PyObject *module, PyObject *args) {
    PyTypeObject *base, *cls;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &base, &PyType_Type, &cls))
        return NULL;
    const PyMethodDef *methods = (const PyMethodDef *)PyType_GetSlot(base, Py_tp_methods);
    for (const PyMethodDef *method = methods; method != NULL && method->ml_name != NULL; method++) {
        PyObject *name = PyUnicode_InternFromString(method->ml_name);
        int there = name != NULL ? PyDict_Contains(cls->tp_dict, name) : -1; /* of two entries the first counts */
        PyObject *own = there == 0 ? PyDescr_NewMethod(cls, (PyMethodDef *)method) : NULL;
        int status = own != NULL ? PyObject_SetAttr((PyObject *)cls, name, own) : there == 1 ? 0 : -1;
        Py_XDECREF(own);
        Py_XDECREF(name);
        if (status != 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* lockfree._native._errors(raise_status, messages): how the types raise, and end views. */
static PyObject *lf_py_set_errors(PyObject *module, PyObject *args) {
    PyObject *raise_status, *messages, *never_made;
    if (!PyArg_ParseTuple(args, "OO!U", &raise_status, &PyDict_Type, &messages, &never_made))
        return NULL;
    Py_XSETREF(lf_py_raise_status, Py_NewRef(raise_status));
    Py_XSETREF(lf_py_messages, Py_NewRef(messages));
    Py_XSETREF(lf_py_release_view, PyObject_GetAttrString((PyObject *)&PyMemoryView_Type, "release"));
    if (lf_py_release_view == NULL)
        return NULL;
    Py_XSETREF(lf_py_never_made, Py_NewRef(never_made));
    Py_RETURN_NONE;
}

/* lockfree._native._set_scopes(variable): where `waiting` says what is wanted of waits. */
static PyObject *lf_py_set_scopes(PyObject *module, PyObject *variable) {
    (void)module;
    if (!PyContextVar_CheckExact(variable))
        return PyErr_Format(PyExc_TypeError, "scopes is no ContextVar");
    Py_XSETREF(lf_py_scopes, Py_NewRef(variable));
    Py_RETURN_NONE;
}

/* lockfree._native._bytes_of(buffer): its bytes; other threads run while they are many. */
static PyObject *lf_py_bytes_of(PyObject *module, PyObject *buffer) {
    Py_buffer view;
    (void)module;
    if (PyObject_GetBuffer(buffer, &view, PyBUF_FULL_RO) != 0)
        return NULL;
    PyObject *bytes = lf_py_bytes_of_view(&view);
    PyBuffer_Release(&view);
    return bytes;
}

/* lockfree._native._fill(buffer, bytes): copies contiguous bytes to where a contiguous buffer begins. */
static PyObject *lf_py_fill(PyObject *module, PyObject *args) {
    Py_buffer to, from;
    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*", &to, &from))
        return NULL;
    int fits = from.len <= to.len;
    if (!fits)
        PyErr_Format(PyExc_ValueError, "%zd bytes do not fit into %zd", from.len, to.len);
    else if (from.len > LF_PY_LONG_COPY)
        LF_PY_WITHOUT_GIL(memmove(to.buf, from.buf, (size_t)from.len));
    else
        memmove(to.buf, from.buf, (size_t)from.len);
    PyBuffer_Release(&to);
    PyBuffer_Release(&from);
    return fits ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef lf_py_native_functions[] = {
    {"_bytes_of", lf_py_bytes_of, METH_O, "The bytes of a buffer."},
    {"_fill", lf_py_fill, METH_VARARGS, "Copies bytes to where a buffer begins."},
    {"_type", lf_py_type, METH_O, "The C type of the primitive with this prefix."},
    {"_own_methods", lf_py_own_methods, METH_VARARGS, "The methods of a C type as a class's own."},
    {"_set_scopes", lf_py_set_scopes, METH_O, "The context variable of `waiting`."},
    {"_set_errors", lf_py_set_errors, METH_VARARGS, "How C code raises: raise_status, and its messages."},
    {NULL, NULL, 0, NULL},
};

/* The primitive that a kind of segment is of; NULL for one that this package does not know. */
static const char *lf_py_kind_name(uint32_t number) {
    const struct lf_py_kind_entry *entry = lf_py_kinds;
    while (entry->primitive != NULL && entry->number != number)
        entry++;
    return entry->primitive;
}

/* 0, or -1 with a Python error set. */
static int lf_py_install(void) {
    lf__handle_clear(&lf_py_unmade.h);
    lf_py_unmade.h.closed = LF_PY_NEVER_MADE;
    PyObject *native = PyImport_ImportModule("lockfree._native");
    int result = native != NULL ? PyModule_AddFunctions(native, lf_py_native_functions) : -1;
    Py_XDECREF(native);
    return result;
}
