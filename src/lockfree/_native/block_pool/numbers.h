/* numbers.h: the type of a BlockPool, and the numbers of blocks that its calls take and give. */
#ifndef LOCKFREE_PY_BLOCK_POOL_NUMBERS_H
#define LOCKFREE_PY_BLOCK_POOL_NUMBERS_H

#include "common/ndarray.h"

enum { LF_PY_FEW = 256 };       /* numbers that are copied: other threads may change the caller's */
#define LF_PY_MANY_BLOCKS 16384 /* 64 KiB of numbers: a call gives the GIL up */

struct lf_py_pool {
    struct lf_py_object o;
    PyObject *empty, *uint32; /* of NumPy */
    struct lf_py_ndarrays arrays;
};

static PyTypeObject *lf_py_block_pool_type __attribute__((unused));
LF_PY_KIND(block_pool)

static struct lf_block_pool *lf_py_pool(PyObject *object) {
    return (struct lf_block_pool *)((struct lf_py_object *)object)->p;
}

/* `status = call`, of so many blocks. */
#define LF_PY_OF_BLOCKS(self, n, status, call)                                                                         \
    do {                                                                                                               \
        if ((uint64_t)(n) >= LF_PY_MANY_BLOCKS)                                                                        \
            LF_PY_AT_LENGTH(self, status, call);                                                                       \
        else                                                                                                           \
            LF_PY_BRIEFLY(self, status, call);                                                                         \
    } while (0)

/* A new array of n numbers, and its memory: PyBuffer_Release. 0, or -1 with an error. */
static int lf_py_pool_array(PyObject *object, uint64_t n, PyObject **array, Py_buffer *view) {
    struct lf_py_pool *self = (struct lf_py_pool *)object;
    int64_t count;
    *array = NULL;
    if (lf_py_is_closed(&self->o) || self->empty == NULL) {
        lf_py_raise(&self->o, LF_CLOSED);
        return -1;
    }
    if (n <= LF_PY_FEW && (*array = lf_py_ndarrays_spare(&self->arrays, (int64_t)n)) != NULL) {
        view->obj = NULL;
        view->buf = lf_py_ndarray_numbers(&self->arrays, *array, &count);
        return 0;
    }
    PyObject *arguments[2] = {PyLong_FromUnsignedLongLong(n), self->uint32};
    *array = arguments[0] != NULL ? PyObject_Vectorcall(self->empty, arguments, 2, NULL) : NULL;
    Py_XDECREF(arguments[0]);
    if (*array == NULL)
        return -1;
    view->obj = NULL; /* nothing to release */
    if ((view->buf = lf_py_ndarray_numbers(&self->arrays, *array, &count)) != NULL && count == (int64_t)n) {
        if (n <= LF_PY_FEW)
            lf_py_ndarrays_save(&self->arrays, *array);
        return 0;
    }
    if (lf_py_numbers(*array, 1, view) == 0)
        return 0;
    Py_CLEAR(*array);
    return -1;
}

/* The first `count` numbers of an array that is given away, in memory of their own if there is some. `spare`, a slice of
 * it, is given away, too: if there is no memory left, its own serves. */
static PyObject *lf_py_pool_first(PyObject *array, int64_t count, PyObject *spare) {
    PyObject *first = PySequence_GetSlice(array, 0, (Py_ssize_t)count);
    Py_DECREF(spare);
    if (first == NULL && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        first = PySequence_GetSlice(array, 0, (Py_ssize_t)count);
    }
    PyObject *own = first != NULL ? PyObject_CallMethod(first, "copy", NULL) : NULL;
    if (own == NULL && first != NULL) { /* the blocks are the caller's: it must know them */
        PyErr_Clear();
        own = Py_NewRef(first);
    }
    Py_XDECREF(first);
    Py_DECREF(array);
    return own;
}

/* A few numbers, copied: other threads may change the caller's. How many, or -1: the class must look at what it is. */
static int64_t lf_py_pool_few(const struct lf_py_ndarrays *arrays, PyObject *numbers, uint32_t *few) {
    int64_t n = 0;
    const uint32_t *there = lf_py_ndarray_numbers(arrays, numbers, &n);
    if (there != NULL && n <= LF_PY_FEW) {
        memcpy(few, there, (size_t)n * sizeof *few);
        return n;
    }
    if (PyList_CheckExact(numbers)) {
        PyObject *all = PyList_GET_SIZE(numbers) <= LF_PY_FEW ? PyList_AsTuple(numbers) : NULL;
        n = all != NULL && PyTuple_GET_SIZE(all) <= LF_PY_FEW ? PyTuple_GET_SIZE(all) : -1;
        for (int64_t i = 0; i < n; i++) {
            PyObject *number = PyTuple_GET_ITEM(all, i);
            unsigned long value = PyLong_CheckExact(number) ? PyLong_AsUnsignedLong(number) : ULONG_MAX;
            few[i] = (uint32_t)value;
            n = value > UINT32_MAX ? -1 : n;
        }
        PyErr_Clear();
        Py_XDECREF(all);
        return n;
    }
    Py_buffer view;
    if (!PyObject_CheckBuffer(numbers))
        return -1;
    if (PyObject_GetBuffer(numbers, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0)
        return PyErr_Clear(), -1;
    n = -1;
    if (view.ndim == 1 && view.format != NULL && strcmp(view.format, "I") == 0 && view.shape[0] <= LF_PY_FEW) {
        n = view.shape[0];
        memcpy(few, view.buf, (size_t)n * sizeof *few);
    }
    PyBuffer_Release(&view);
    return n;
}

/* Raises why blocks were refused: the class has the words. */
static PyObject *lf_py_pool_refused(PyObject *object, int64_t status, PyObject *numbers, uint64_t at, PyObject *tags) {
    if (status != LF_NOT_OWNER)
        return lf_py_raise((struct lf_py_object *)object, status);
    PyObject *none = PyObject_CallMethod(object, "_not_owner", "OKO", numbers, (unsigned long long)at, tags);
    Py_XDECREF(none); /* it always raises */
    return NULL;
}

#endif
