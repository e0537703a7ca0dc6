/* pickles.h: objects and pickles, for the queues (queue.py, _pickles.py). */
#ifndef LOCKFREE_PY_PICKLES_H
#define LOCKFREE_PY_PICKLES_H

#include "common/object.h"

#define LF_PY_PLAIN_ITEMS 64 /* to look at more would not pay */

/* Whether an object and all within, *left objects at most, are of types whose pickle nobody can register otherwise, and
 * have no large buffers. */
static int lf_py_is_plain_within(PyObject *object, int *left) {
    PyTypeObject *type = Py_TYPE(object);
    if (--*left < 0)
        return 0;
    if (type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBytes_Type ||
        type == &PyBool_Type || object == Py_None)
        return 1;
    int plain = 1;
    if (type == &PyTuple_Type) {
        for (Py_ssize_t i = 0; plain && i < PyTuple_GET_SIZE(object); i++)
            plain = lf_py_is_plain_within(PyTuple_GET_ITEM(object, i), left);
        return plain;
    }
#ifndef Py_GIL_DISABLED /* without the GIL others may change them meanwhile */
    if (type == &PyList_Type) {
        for (Py_ssize_t i = 0; plain && i < PyList_GET_SIZE(object); i++)
            plain = lf_py_is_plain_within(PyList_GET_ITEM(object, i), left);
        return plain;
    }
    if (type == &PyDict_Type) {
        PyObject *key, *value;
        Py_ssize_t at = 0;
        while (plain && PyDict_Next(object, &at, &key, &value))
            plain = lf_py_is_plain_within(key, left) && lf_py_is_plain_within(value, left);
        return plain;
    }
#endif
    return 0;
}
static int lf_py_is_plain(PyObject *object) {
    int left = LF_PY_PLAIN_ITEMS;
    return lf_py_is_plain_within(object, &left);
}

static PyObject *lf_py_pickle_dumps, *lf_py_pickle_loads, *lf_py_other_loads, *lf_py_pickle_stays, *lf_py_protocol,
    *lf_py_is_of_a_handler;

/* 0, or -1 with an error. */
static int lf_py_import_pickle(void) {
    PyObject *pickle = PyImport_ImportModule("pickle"), *ours = PyImport_ImportModule("lockfree._pickles");
    if (pickle != NULL && ours != NULL) {
        Py_XSETREF(lf_py_pickle_dumps, PyObject_GetAttrString(pickle, "dumps"));
        Py_XSETREF(lf_py_other_loads, PyObject_GetAttrString(ours, "loads"));
        Py_XSETREF(lf_py_protocol, PyObject_GetAttrString(ours, "PROTOCOL"));
        Py_XSETREF(lf_py_pickle_stays, PyObject_GetAttrString(ours, "STAYS"));
        Py_XSETREF(lf_py_is_of_a_handler, PyObject_GetAttrString(ours, "is_of_a_handler"));
        Py_XSETREF(lf_py_pickle_loads, PyObject_GetAttrString(pickle, "loads"));
    }
    Py_XDECREF(pickle);
    Py_XDECREF(ours);
    return lf_py_pickle_loads != NULL && lf_py_pickle_stays != NULL && lf_py_is_of_a_handler != NULL &&
                   !PyErr_Occurred()
               ? 0
               : -1;
}

static PyObject *lf_py_pickle_of(PyObject *object) {
    if (LF_UNLIKELY(lf_py_pickle_loads == NULL) && lf_py_import_pickle() != 0)
        return NULL;
    PyObject *args[] = {object, lf_py_protocol};
    return PyObject_Vectorcall(lf_py_pickle_dumps, args, 2, NULL);
}

/* A message is bytes or a bytearray. 0x80 begins a pickle; a pickle with buffers begins otherwise. */
static PyObject *lf_py_object_of(PyObject *message) {
    if (LF_UNLIKELY(lf_py_pickle_loads == NULL) && lf_py_import_pickle() != 0)
        return NULL;
    int is_pickle = PyBytes_CheckExact(message) && PyBytes_GET_SIZE(message) > 0 &&
                    (unsigned char)PyBytes_AS_STRING(message)[0] == 0x80;
    PyObject *args[] = {message};
    return PyObject_Vectorcall(is_pickle ? lf_py_pickle_loads : lf_py_other_loads, args, 1, NULL);
}

#endif
