/* errors.h: how the Python types raise the exception of a status. Included by object.h, whose struct it needs. */
#ifndef LOCKFREE_PY_ERRORS_H
#define LOCKFREE_PY_ERRORS_H

static int lf_py_is_closed(struct lf_py_object *self) {
    return (lf_load_seq_cst(&self->calls) & LF_PY_CLOSED) || lf_load_relaxed(&((struct lf_handle *)self->p)->closed);
}

static PyObject *lf_py_raise_status; /* lockfree._errors.raise_status */
static PyObject *lf_py_messages;     /* lockfree._errors.MESSAGES: {status: (exception, text)} */
static PyObject
    *lf_py_never_made; /* lockfree._errors.NEVER_MADE: the text of LF_CLOSED for an object without __init__ */

/* `Mutex 'name'`, or `Mutex`. */
static PyObject *lf_py_title(struct lf_py_object *self) {
    const char *type = Py_TYPE(self)->tp_name;
    if (self->name == NULL || self->name == Py_None)
        return PyUnicode_FromString(type);
    return PyUnicode_FromFormat("%s %R", type, self->name);
}

/* NULL and a RuntimeError about the object, for a call that has no place there. */
static PyObject *lf_py_misuse(struct lf_py_object *self, const char *text) {
    PyObject *title = lf_py_title(self);
    if (title != NULL)
        PyErr_Format(PyExc_RuntimeError, "%U: %s", title, text);
    Py_XDECREF(title);
    return NULL;
}

/* Raises the exception of a negative status; NULL. Runs no Python code where the caller holds something now (an
 * OwnerDied that gave way to an interrupt would hide that). */
static PyObject *lf_py_raise(struct lf_py_object *self, int64_t status) {
    if (status == LF_PY_RAISED)
        return NULL;
    /* Which process is gone stands in the segment. So that stays mapped, also after a close meanwhile. */
    int stays = status == LF_PEER_DIED;
    if (stays && lf_py_enter(self) != LF_OK)
        return lf_py_raise(self, LF_CLOSED);
    PyObject *title = lf_py_title(self), *key = title != NULL ? PyLong_FromLongLong(status) : NULL;
    PyObject *entry = key != NULL && lf_py_messages != NULL ? PyDict_GetItemWithError(lf_py_messages, key) : NULL;
    if (entry != NULL && status == LF_CLOSED && !lf_py_is_closed(self)) {
        PyErr_Format(PyTuple_GET_ITEM(entry, 0), "%U: the object was shut down", title);
    } else if (entry != NULL) {
        PyObject *text = status == LF_CLOSED &&
                                 lf_load_relaxed(&((struct lf_handle *)self->p)->closed) == LF_PY_NEVER_MADE
                             ? lf_py_never_made
                             : PyTuple_GET_ITEM(entry, 1);
        PyErr_Format(PyTuple_GET_ITEM(entry, 0), PyUnicode_GET_LENGTH(text) ? "%U: %U" : "%U", title, text);
    } else if (key != NULL && !PyErr_Occurred()) {
        PyObject *handle = self->handle != NULL ? self->handle : Py_None;
        Py_XDECREF(PyObject_CallFunctionObjArgs(lf_py_raise_status, key, title, handle, NULL));
    }
    Py_XDECREF(key);
    Py_XDECREF(title);
    if (stays)
        lf_py_leave(self);
    return NULL;
}

#endif
