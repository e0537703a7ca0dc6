/* numbers.h: arrays of 32-bit numbers, and integers of 64 bits without a sign. */
#ifndef LOCKFREE_PY_NUMBERS_H
#define LOCKFREE_PY_NUMBERS_H

#include "common/arguments.h"

/* The memory of a contiguous array of uint32. 0, or -1 with an error; else PyBuffer_Release. */
static int lf_py_numbers(PyObject *array, int writable, Py_buffer *view) {
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0)) != 0)
        return -1;
    if (view->itemsize == (Py_ssize_t)sizeof(uint32_t))
        return 0;
    PyErr_Format(PyExc_TypeError, "an array of items of %zd bytes: it must be one of uint32", view->itemsize);
    PyBuffer_Release(view);
    return -1;
}

/* As lf_py_integer, within [0, high], where high may be above INT64_MAX. */
static int lf_py_integer_u64(const char *name, PyObject *object, uint64_t high, uint64_t *value) {
    PyObject *index = lf_py_index(name, object);
    if (index == NULL)
        return -1;
    *value = PyLong_AsUnsignedLongLong(index);
    int failed = *value == UINT64_MAX && PyErr_Occurred() != NULL;
    if (failed)
        PyErr_Clear(); /* below 0, or beyond 64 bits */
    if (failed || *value > high) {
        failed = 1;
        LF_PY_BAD_VALUE(PyExc_ValueError, index, "%s is %U: it must be between 0 and %llu", name, shown,
                        (unsigned long long)high);
    }
    Py_DECREF(index);
    return failed ? -1 : 0;
}

#endif
