/* memory.h: the memory of a block, as Python sees it: one hold, which ends with the object.
 *
 * Contract
 *   Memory.alloc and Memory.open return an object, or a status as a negative int. The object shows the block through the
 *   buffer protocol. Views and arrays refer to it, so it ends when none is left, in whatever thread, and the hold with it.
 *   No Python code runs between the moment at which the block is taken and the one at which an object owns it.
 *   `owner` is the cffi handle that owns the arena's struct: it is attached as long as a block of it is seen.
 *   With LOCKFREE_PURE_CFFI this type is there, too: Python code cannot show memory of its own before 3.12. */
#ifndef LOCKFREE_PY_ARENA_MEMORY_H
#define LOCKFREE_PY_ARENA_MEMORY_H

#include "arena/calls.h"
#include "common/object.h"

#include <structmember.h>

struct lf_py_arena_memory {
    PyObject_HEAD PyObject *owner;
    struct lf_arena *a;
    struct lf_arena_hold hold;
    PyObject *weak_references;
};
static PyTypeObject *lf_py_arena_memory_type;

/* Bytes of a block for whose first use the GIL is given up: the kernel clears its pages then. */
#define LF_PY_ARENA_LARGE 65536u

static struct lf_py_arena_memory *lf_py_arena_memory_new(PyObject *owner, PyObject *at) {
    struct lf_arena *a = (struct lf_arena *)PyLong_AsVoidPtr(at);
    if (a == NULL && PyErr_Occurred())
        return NULL;
    struct lf_py_arena_memory *self = PyObject_New(struct lf_py_arena_memory, lf_py_arena_memory_type);
    if (self == NULL)
        return NULL;
    self->owner = Py_NewRef(owner);
    self->a = a;
    self->weak_references = NULL;
    memset(&self->hold, 0, sizeof self->hold);
    return self;
}
/* The object, if it holds a block; else its end, and the status. */
static PyObject *lf_py_arena_memory_or(struct lf_py_arena_memory *self, int status) {
    if (LF_LIKELY(status == LF_OK))
        return (PyObject *)self;
    Py_DECREF(self);
    return PyLong_FromLong(status);
}

/* alloc(owner, at, size, align, deadline): deadline 0 tries once; else it waits a while: LF_INTERRUPTED, call again. */
static PyObject *lf_py_arena_memory_alloc(PyObject *unused, PyObject *const *args, Py_ssize_t count) {
    if (count != 5)
        return PyErr_Format(PyExc_TypeError, "alloc() takes 5 arguments (%zd given)", count);
    uint64_t size = PyLong_AsUnsignedLongLong(args[2]), align = PyLong_AsUnsignedLongLong(args[3]);
    uint64_t deadline = PyLong_AsUnsignedLongLong(args[4]);
    struct lf_py_arena_memory *self = PyErr_Occurred() ? NULL : lf_py_arena_memory_new(args[0], args[1]);
    if (self == NULL)
        return NULL;
    struct lf_arena *a = self->a;
    struct lf__arena_call call = {a, size, align, &self->hold, LF_ARENA_AWHILE};
    int status = deadline == 0 ? lf__arena_obtain(a, size, align, &self->hold, LF_ARENA_TRY) : (int)LF_BUSY;
    if (status == LF_BUSY)
        LF_PY_WITHOUT_GIL(
            status = deadline == 0 ? lf__arena_attempt(&call)
                                   : lf_block_on(&a->h, &a->body->freed, lf__arena_attempt, &call, LF_EMPTY, deadline));
    else if (status == LF_OK && size >= LF_PY_ARENA_LARGE && !lf_arena_is_populated(a, self->hold.block))
        LF_PY_WITHOUT_GIL(status = lf__arena_furnish(a, &self->hold));
    else if (status == LF_OK)
        status = lf__arena_furnish(a, &self->hold);
    return lf_py_arena_memory_or(self, status);
}

/* open(owner, at, handle): 16 bytes. LF_INTERRUPTED: call again. */
static PyObject *lf_py_arena_memory_open(PyObject *unused, PyObject *const *args, Py_ssize_t count) {
    struct lf_arena_handle handle;
    if (count != 3 || !PyBytes_Check(args[2]) || PyBytes_GET_SIZE(args[2]) != sizeof handle)
        return PyErr_Format(PyExc_TypeError, "open() takes an owner, an address and a handle of 16 bytes");
    memcpy(&handle, PyBytes_AS_STRING(args[2]), sizeof handle);
    struct lf_py_arena_memory *self = lf_py_arena_memory_new(args[0], args[1]);
    if (self == NULL)
        return NULL;
    int status = lf_arena_open(self->a, &handle, &self->hold, LF_ARENA_TRY);
    if (status == LF_BUSY)
        LF_PY_WITHOUT_GIL(status = lf_arena_open(self->a, &handle, &self->hold, LF_ARENA_AWHILE));
    return lf_py_arena_memory_or(self, status);
}

/* promise(readers): a handle, or a status. */
static PyObject *lf_py_arena_memory_promise(PyObject *object, PyObject *readers) {
    struct lf_py_arena_memory *self = (struct lf_py_arena_memory *)object;
    unsigned long n = PyLong_AsUnsignedLong(readers);
    struct lf_arena_handle handle;
    if (n == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    PyObject *made = PyBytes_FromStringAndSize(NULL, sizeof handle);
    if (made == NULL)
        return NULL;
    int status = lf_arena_promise(self->a, &self->hold, (uint32_t)n, &handle, LF_ARENA_TRY);
    if (status == LF_BUSY)
        LF_PY_WITHOUT_GIL(status = lf_arena_promise(self->a, &self->hold, (uint32_t)n, &handle, LF_ARENA_AWHILE));
    if (status != LF_OK) {
        Py_DECREF(made);
        return PyLong_FromLong(status);
    }
    memcpy(PyBytes_AS_STRING(made), &handle, sizeof handle);
    return made;
}

static int lf_py_arena_memory_get(PyObject *object, Py_buffer *view, int flags) {
    struct lf_arena_hold *hold = &((struct lf_py_arena_memory *)object)->hold;
    return PyBuffer_FillInfo(view, object, hold->address, (Py_ssize_t)hold->bytes, 0, flags);
}
static Py_ssize_t lf_py_arena_memory_length(PyObject *object) {
    return (Py_ssize_t)((struct lf_py_arena_memory *)object)->hold.bytes;
}
static PyObject *lf_py_arena_memory_address(PyObject *object, void *unused) {
    return PyLong_FromVoidPtr(((struct lf_py_arena_memory *)object)->hold.address);
}
/* Whether this process holds the block: it is not its parent's. */
static PyObject *lf_py_arena_memory_is_mine(PyObject *object, void *unused) {
    struct lf_py_arena_memory *self = (struct lf_py_arena_memory *)object;
    return PyBool_FromLong(lf_enter(&self->a->h) == LF_OK && lf__arena_is_mine(self->a, &self->hold));
}
/* Where its struct lf_arena_hold is: for the stress run. */
static PyObject *lf_py_arena_memory_hold(PyObject *object, void *unused) {
    return PyLong_FromVoidPtr(&((struct lf_py_arena_memory *)object)->hold);
}

static void lf_py_arena_memory_dealloc(PyObject *object) {
    struct lf_py_arena_memory *self = (struct lf_py_arena_memory *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->weak_references != NULL) /* before anybody else can have the block */
        PyObject_ClearWeakRefs(object);
    if (self->hold.held && lf_arena_release(self->a, &self->hold, LF_ARENA_TRY) == LF_BUSY) {
        LF_PY_WITHOUT_GIL(lf_arena_release(self->a, &self->hold, LF_ARENA_AWHILE));
        lf_arena_release_later(self->a, &self->hold); /* if a signal came, or the holder of the lock stands still */
    }
    Py_DECREF(self->owner);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef lf_py_arena_memory_methods[] = {
    {"alloc", (PyCFunction)(void (*)(void))lf_py_arena_memory_alloc, METH_FASTCALL | METH_STATIC, NULL},
    {"open", (PyCFunction)(void (*)(void))lf_py_arena_memory_open, METH_FASTCALL | METH_STATIC, NULL},
    {"promise", lf_py_arena_memory_promise, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_arena_memory_properties[] = {
    {"address", lf_py_arena_memory_address, NULL, NULL, NULL},
    {"hold", lf_py_arena_memory_hold, NULL, NULL, NULL},
    {"is_mine", lf_py_arena_memory_is_mine, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyMemberDef lf_py_arena_memory_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct lf_py_arena_memory, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot lf_py_arena_memory_slots[] = {
    {Py_tp_dealloc, (void *)lf_py_arena_memory_dealloc},
    {Py_tp_methods, lf_py_arena_memory_methods},
    {Py_tp_getset, lf_py_arena_memory_properties},
    {Py_tp_members, lf_py_arena_memory_members},
    {Py_bf_getbuffer, (void *)lf_py_arena_memory_get},
    {Py_sq_length, (void *)lf_py_arena_memory_length},
    {Py_tp_doc, (void *)"The memory of a block of an Arena. Make a memoryview or an array of it."},
    {0, NULL},
};
static PyType_Spec lf_py_arena_memory_spec = {
    .name = "lockfree.ArenaMemory",
    .basicsize = sizeof(struct lf_py_arena_memory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_py_arena_memory_slots,
};

#endif
