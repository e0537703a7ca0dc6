/* section.h: `with lock.reading()`, `with ring.read() as view`. What the block needs is taken by __enter__ and given back
 * by __exit__, both in C: there is no moment at which a signal handler's exception could leave it taken without a block. */
#ifndef LOCKFREE_PY_SECTION_H
#define LOCKFREE_PY_SECTION_H

#include "common/arguments.h"
#include "common/object.h"

struct lf_py_section;
struct lf_py_section_kind {
    PyObject *(*enter)(const struct lf_py_section *section);            /* what the block gets */
    PyObject *(*exit)(const struct lf_py_section *section, int raised); /* None */
};
struct lf_py_section {
    PyObject_HEAD PyObject *object;
    const struct lf_py_section_kind *kind;
    uint64_t ns; /* how long __enter__ may wait */
    uint64_t to; /* a message that the block writes: for whom, and how long */
    int64_t length;
};

static PyTypeObject *lf_py_section_type; /* LF_PY_TYPE(section) */

static struct lf_py_section *lf_py_section_new(PyObject *object, const struct lf_py_section_kind *kind, uint64_t ns) {
    struct lf_py_section *section = PyObject_New(struct lf_py_section, lf_py_section_type);
    if (section == NULL)
        return NULL;
    section->object = Py_NewRef(object);
    section->kind = kind;
    section->ns = ns;
    section->to = 0;
    section->length = 0;
    return section;
}

/* The same for METHOD(block=True, timeout=None). */
static inline PyObject *lf_py_section_of_wait(PyObject *object, const struct lf_py_section_kind *kind,
                                              const char *method, PyObject *const *args, Py_ssize_t count,
                                              PyObject *keywords) {
    uint64_t ns;
    if (lf_py_block_and_timeout(object, method, 1, args, count, keywords, &ns) != 0)
        return NULL;
    return (PyObject *)lf_py_section_new(object, kind, ns);
}

static PyObject *lf_py_section_enter(PyObject *self, PyObject *unused) {
    const struct lf_py_section *section = (const struct lf_py_section *)self;
    return section->kind->enter(section);
}

/* What the block has raised goes before what giving back may raise. */
static PyObject *lf_py_section_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    const struct lf_py_section *section = (const struct lf_py_section *)self;
    int raised = count > 0 && args[0] != Py_None;
    PyObject *done = section->kind->exit(section, raised);
    if (done != NULL || !raised)
        return done;
    PyErr_Clear();
    Py_RETURN_NONE;
}

static void lf_py_section_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(((struct lf_py_section *)self)->object);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lf_py_section_methods[] = {
    LF_PY_WITH(lf_py_section_enter, "Takes what the block needs.", lf_py_section_exit, "Gives it back."),
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_py_section_slots[] = {
    {Py_tp_dealloc, (void *)lf_py_section_dealloc},
    {Py_tp_methods, lf_py_section_methods},
    {Py_tp_doc, (void *)"A part of a program that holds a lock, or has a message in hand: for a `with` block."},
    {0, NULL},
};
static PyType_Spec lf_py_section_spec = {
    .name = "lockfree.Section",
    .basicsize = sizeof(struct lf_py_section),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_py_section_slots,
};

#endif
