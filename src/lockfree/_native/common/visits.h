/* visits.h: Python code inside an object: it stays attached, also after close(), until the visit ends. Python serves signals
 * between its own instructions. So a visit is an object, and what loses it ends it: leave(), the end of `with`, or the end of
 * the object. No exception of a signal handler leaves one behind. */
#ifndef LOCKFREE_PY_VISITS_H
#define LOCKFREE_PY_VISITS_H

#include "common/object.h"

struct lf_py_visit {
    PyObject_HEAD struct lf_py_object *object; /* NULL: it has ended */
    uint32_t generation;                       /* a forked child has not entered */
    struct lf_watch *watch;                    /* announced with it, or NULL */
    PyObject *owner;                           /* of the watch's memory */
};

static PyTypeObject *lf_py_visit_type; /* LF_PY_TYPE(visit) */

/* _enter(): a visit that has begun. */
static PyObject *lf_py_enter_to_visit(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_visit *visit = PyObject_New(struct lf_py_visit, lf_py_visit_type);
    if (visit == NULL)
        return NULL;
    visit->object = NULL;
    visit->watch = NULL;
    visit->owner = NULL;
    visit->generation = lf_py_generation();
    int status = lf_py_enter(self); /* no Python code from here on */
    if (status == LF_OK) {
        visit->object = (struct lf_py_object *)Py_NewRef(object);
        return (PyObject *)visit;
    }
    Py_DECREF((PyObject *)visit);
    return lf_py_raise(self, status);
}

static void lf_py_visit_end(struct lf_py_visit *visit) {
    struct lf_py_object *object = visit->object;
    PyObject *owner = visit->owner;
    visit->object = NULL;
    visit->owner = NULL;
    if (object != NULL && visit->generation == lf_py_generation()) {
        if (visit->watch != NULL) {
            lf_watch_end(visit->watch);
            if (visit->watch->due) /* the wake may have been meant for another one */
                lf_watch_pass_on(visit->watch);
        }
        lf_py_leave(object);
    }
    Py_XDECREF(owner);
    Py_XDECREF((PyObject *)object);
}

/* watch(side, address, owner): announces a wait until the visit ends. The address is that of a struct lf_watch. */
static PyObject *lf_py_visit_watch(PyObject *self, PyObject *args) {
    struct lf_py_visit *visit = (struct lf_py_visit *)self;
    PyObject *address, *owner;
    int side;
    if (!PyArg_ParseTuple(args, "iOO", &side, &address, &owner))
        return NULL;
    struct lf_watch *watch = (struct lf_watch *)PyLong_AsVoidPtr(address);
    if (watch == NULL || visit->object == NULL || visit->watch != NULL)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_RuntimeError, "watch() once in a visit");
    if (lf_py_watch((struct lf_handle *)visit->object->p, side, watch) == LF_OK)
        visit->watch = watch;
    visit->owner = Py_NewRef(owner);
    Py_RETURN_NONE;
}

static PyObject *lf_py_visit_leave(PyObject *self, PyObject *unused) {
    lf_py_visit_end((struct lf_py_visit *)self);
    Py_RETURN_NONE;
}
static PyObject *lf_py_visit_begin(PyObject *self, PyObject *unused) { return Py_NewRef(self); }
static PyObject *lf_py_visit_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return lf_py_visit_leave(self, NULL);
}

static void lf_py_visit_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    lf_py_visit_end((struct lf_py_visit *)self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lf_py_visit_methods[] = {
    LF_PY_WITH(lf_py_visit_begin, "The visit.", lf_py_visit_exit, "`leave()`."),
    {"leave", lf_py_visit_leave, METH_NOARGS, "leave($self, /)\n--\n\nEnds the visit; idempotent."},
    {"watch", lf_py_visit_watch, METH_VARARGS, "Announces a wait until the visit ends."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_py_visit_slots[] = {
    {Py_tp_dealloc, (void *)lf_py_visit_dealloc},
    {Py_tp_methods, lf_py_visit_methods},
    {Py_tp_doc, (void *)"Python code inside an object, which stays attached until the visit ends."},
    {0, NULL},
};
static PyType_Spec lf_py_visit_spec = {
    .name = "lockfree.Visit",
    .basicsize = sizeof(struct lf_py_visit),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_py_visit_slots,
};

#endif
