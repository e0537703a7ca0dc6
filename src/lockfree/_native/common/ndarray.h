/* ndarray.h: a NumPy array of uint32, read and written in place. NumPy's buffer protocol makes a description of the array at
 * each call, which takes longer than all else that a short call does. The first fields of an array are part of NumPy's binary
 * interface (PyArrayObject_fields). They are compared with what the buffer protocol says before they are believed. */
#ifndef LOCKFREE_PY_NDARRAY_H
#define LOCKFREE_PY_NDARRAY_H

#include "common/numbers.h"

struct lf_py_ndarray {
    PyObject_HEAD char *data;
    int dimensions;
    Py_ssize_t *shape, *strides;
    PyObject *base, *dtype;
    int flags;
    PyObject *weak; /* the first of its weak references */
};

/* The exact type of arrays whose fields are as above, and NumPy's one object for uint32. NULL: nothing is known. */
struct lf_py_ndarrays {
    PyTypeObject *type;
    PyObject *uint32;
    int flags;       /* of a new array; 0: the last two fields are not known */
    PyObject *spare; /* an array that was given away: when nobody else has it any more, it serves again */
};

/* From a new array of two numbers, which is nobody else's. */
static void lf_py_ndarrays_learn(struct lf_py_ndarrays *known, PyObject *probe, PyObject *uint32) {
#ifdef Py_GIL_DISABLED /* another thread could reshape an array meanwhile */
    (void)known, (void)probe, (void)uint32;
#else
    const struct lf_py_ndarray *array = (const struct lf_py_ndarray *)(void *)probe;
    Py_buffer view;
    if (Py_TYPE(probe)->tp_basicsize < (Py_ssize_t)sizeof *array || lf_py_numbers(probe, 1, &view) != 0) {
        PyErr_Clear();
        return;
    }
    if (array->data == view.buf && array->dimensions == 1 && view.ndim == 1 && array->shape[0] == 2 &&
        array->strides[0] == sizeof(uint32_t) && array->dtype == uint32) {
        known->type = (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(probe));
        known->uint32 = Py_NewRef(uint32);
    }
    PyBuffer_Release(&view);
    PyObject *flags = PyObject_GetAttrString(probe, "flags"), *number = NULL, *weak = NULL;
    if (known->type != NULL && Py_TYPE(probe)->tp_weaklistoffset == (Py_ssize_t)offsetof(struct lf_py_ndarray, weak) &&
        flags != NULL && (number = PyObject_GetAttrString(flags, "num")) != NULL &&
        PyLong_AsLong(number) == array->flags && array->weak == NULL &&
        (weak = PyWeakref_NewRef(probe, NULL)) != NULL && array->weak == weak)
        known->flags = array->flags;
    Py_XDECREF(weak);
    Py_XDECREF(number);
    Py_XDECREF(flags);
    PyErr_Clear();
#endif
}
/* The spare array, if nobody else has it, if it is as it was made, and of so many numbers: a new reference, or NULL. */
static PyObject *lf_py_ndarrays_spare(const struct lf_py_ndarrays *known, int64_t count) {
    const struct lf_py_ndarray *array = (const struct lf_py_ndarray *)(void *)known->spare;
    if (array == NULL || Py_REFCNT(known->spare) != 1 || array->dimensions != 1 || array->shape[0] != count ||
        array->dtype != known->uint32 || array->flags != known->flags || array->base != NULL || array->weak != NULL)
        return NULL;
    return Py_NewRef(known->spare);
}
/* A new array of a few numbers is given away, and may serve again. */
static void lf_py_ndarrays_save(struct lf_py_ndarrays *known, PyObject *array) {
    if (known->flags != 0 && array != known->spare)
        Py_XSETREF(known->spare, Py_NewRef(array));
}
static void lf_py_ndarrays_forget(struct lf_py_ndarrays *known) {
    Py_CLEAR(known->type);
    Py_CLEAR(known->uint32);
    Py_CLEAR(known->spare);
    known->flags = 0;
}

/* The numbers of an array of one dimension that stand side by side, and how many; NULL: use the buffer protocol. Valid while
 * no Python code runs, and as long as nobody else has the array. */
static uint32_t *lf_py_ndarray_numbers(const struct lf_py_ndarrays *known, PyObject *object, int64_t *count) {
    const struct lf_py_ndarray *array = (const struct lf_py_ndarray *)(void *)object;
    if (known->type == NULL || Py_TYPE(object) != known->type || array->dtype != known->uint32 ||
        array->dimensions != 1 || (array->strides[0] != sizeof(uint32_t) && array->shape[0] > 1) ||
        (uintptr_t)array->data % sizeof(uint32_t) != 0)
        return NULL;
    *count = array->shape[0];
    return (uint32_t *)(void *)array->data;
}

#endif
