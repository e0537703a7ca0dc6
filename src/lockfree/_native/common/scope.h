/* scope.h: `with lock.waiting(...)`. What is wanted of the waits in the block holds from __enter__ to __exit__. Both are in
 * C: an exception of a signal handler leaves no wish behind that outlives its block. See _long.py. */
#ifndef LOCKFREE_PY_SCOPE_H
#define LOCKFREE_PY_SCOPE_H

#include "common/object.h"

struct lf_py_scope {
    PyObject_HEAD PyObject *variable; /* the ContextVar of the scopes */
    PyObject *make;                   /* make(outer): the Scope in which the block runs */
    PyObject *shared;                 /* what the block gets */
    PyObject *token;                  /* NULL: not in the block */
};

/* scope(variable, make, shared) */
static PyObject *lf_py_scope_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *variable, *make, *shared;
    if (keywords != NULL || !PyArg_ParseTuple(args, "OOO", &variable, &make, &shared))
        return keywords != NULL ? PyErr_Format(PyExc_TypeError, "scope() takes no keyword arguments") : NULL;
    if (!PyContextVar_CheckExact(variable))
        return PyErr_Format(PyExc_TypeError, "scopes is no ContextVar");
    struct lf_py_scope *self = (struct lf_py_scope *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->variable = Py_NewRef(variable);
    self->make = Py_NewRef(make);
    self->shared = Py_NewRef(shared);
    return (PyObject *)self;
}

static PyObject *lf_py_scope_enter(PyObject *object, PyObject *unused) {
    struct lf_py_scope *self = (struct lf_py_scope *)object;
    PyObject *outer = NULL;
    if (self->token != NULL)
        return PyErr_Format(PyExc_RuntimeError,
                            "this block has begun already: each `with` takes a waiting() of its own");
    if (PyContextVar_Get(self->variable, Py_None, &outer) != 0)
        return NULL;
    PyObject *scope = PyObject_CallOneArg(self->make, outer);
    Py_DECREF(outer);
    if (scope == NULL)
        return NULL;
    self->token = PyContextVar_Set(self->variable, scope); /* no Python code from here on */
    Py_DECREF(scope);
    return self->token != NULL ? Py_NewRef(self->shared) : NULL;
}

static PyObject *lf_py_scope_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    struct lf_py_scope *self = (struct lf_py_scope *)object;
    PyObject *token = self->token;
    if (token == NULL)
        Py_RETURN_NONE;
    self->token = NULL;
    int failed = PyContextVar_Reset(self->variable, token);
    Py_DECREF(token);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static void lf_py_scope_dealloc(PyObject *object) {
    struct lf_py_scope *self = (struct lf_py_scope *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(self->variable);
    Py_XDECREF(self->make);
    Py_XDECREF(self->shared);
    Py_XDECREF(self->token);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef lf_py_scope_methods[] = {
    LF_PY_WITH(lf_py_scope_enter, "From now on waits are as the block wants.", lf_py_scope_exit,
               "Waits are as before."),
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_py_scope_slots[] = {
    {Py_tp_new, (void *)lf_py_scope_new},
    {Py_tp_dealloc, (void *)lf_py_scope_dealloc},
    {Py_tp_methods, lf_py_scope_methods},
    {Py_tp_doc, (void *)"What is wanted of waits, for a `with` block."},
    {0, NULL},
};
static PyType_Spec lf_py_scope_spec = {
    .name = "lockfree.WaitingBlock",
    .basicsize = sizeof(struct lf_py_scope),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = lf_py_scope_slots,
};
static PyTypeObject *lf_py_scope_type __attribute__((unused));

#endif
