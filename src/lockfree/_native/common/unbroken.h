/* unbroken.h: a call in whose answer no signal handler comes in between. See _unbroken.py. */
#ifndef LOCKFREE_PY_UNBROKEN_H
#define LOCKFREE_PY_UNBROKEN_H

#include "common/object.h"

/* unbroken[call, argument, ...]: call(argument, ...). */
static PyObject *lf_py_unbroken_call(PyObject *self, PyObject *key) {
    if (!PyTuple_CheckExact(key) || PyTuple_GET_SIZE(key) < 1)
        return PyErr_Format(PyExc_TypeError, "unbroken[] takes a call and its arguments");
    PyObject *const *items = ((PyTupleObject *)key)->ob_item;
    return PyObject_Vectorcall(items[0], items + 1, (size_t)PyTuple_GET_SIZE(key) - 1, NULL);
}

static PyType_Slot lf_py_unbroken_slots[] = {
    {Py_mp_subscript, (void *)lf_py_unbroken_call},
    {Py_tp_doc, (void *)"unbroken[call, argument, ...] is call(argument, ...), whose answer no signal can take away."},
    {0, NULL},
};
static PyType_Spec lf_py_unbroken_spec = {
    .name = "lockfree.Unbroken",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = lf_py_unbroken_slots,
};
static PyTypeObject *lf_py_unbroken_type __attribute__((unused));

#endif
