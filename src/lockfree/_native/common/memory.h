/* memory.h: memory that users see through memoryviews and arrays: a record in hand, a batch.
 *
 * Contract
 *   A reservation is written in memory of this kind and copied into its slot by commit(); a peeked record is copied out.
 *   A large record is seen through a window instead (window.h), which leads into the ring only while it is in hand. So a
 *   view, an array, or whatever was made of one may be kept as long as anybody likes: it shows memory of its own then.
 *   The memory lives as long as anybody looks at it. It is used for the next record only if nobody does. */
#ifndef LOCKFREE_PY_MEMORY_H
#define LOCKFREE_PY_MEMORY_H

#include "common/window.h"

#include <stddef.h>
#include <structmember.h>

struct lf_py_ops;

/* A slot that is in somebody's hand, and whose record this memory shows: see loans.h. */
struct lf_py_loan {
    int64_t slot;         /* -1: none. the thread that exchanges it for -1 ends the loan */
    uint32_t participant; /* whose it is: this process's number when it was taken */
    int which;            /* enum lf_py_which */
    const struct lf_py_ops *ops;
    const void *container; /* of which object; only compared */
    PyObject *owner;       /* the object, if the loan belongs to its views; NULL: to a hand */
};

struct lf_py_memory {
    PyObject_HEAD char *bytes;
    Py_ssize_t room;
    Py_ssize_t length; /* of what the next view shows */
    int64_t views;
    PyObject *weak_references;
    PyObject *to_itself; /* a weak reference, kept for the next loan; or NULL */
    struct lf_py_loan loan;
    struct lf_py_window window; /* window.h: of a large record; empty for memory of the process */
};

static void lf_py_loan_drop(struct lf_py_memory *memory); /* loans.h: nobody sees it any more */

static PyTypeObject *lf_py_memory_type;

static void lf_py_memory_begin(struct lf_py_memory *self, char *bytes, uint64_t room) {
    self->bytes = bytes;
    self->room = self->length = (Py_ssize_t)room;
    self->views = 0;
    self->weak_references = self->to_itself = NULL;
    memset(&self->loan, 0, sizeof self->loan);
    self->loan.slot = -1;
    memset(&self->window, 0, sizeof self->window);
}

/* NULL with MemoryError. The bytes are zeros. */
static struct lf_py_memory *lf_py_memory_new(uint64_t room) {
    char *bytes = room <= PY_SSIZE_T_MAX ? (char *)PyMem_RawCalloc(room > 0 ? (size_t)room : 1, 1) : NULL;
    struct lf_py_memory *self = bytes != NULL ? PyObject_New(struct lf_py_memory, lf_py_memory_type) : NULL;
    if (self == NULL) {
        PyMem_RawFree(bytes);
        return (struct lf_py_memory *)PyErr_NoMemory();
    }
    lf_py_memory_begin(self, bytes, room);
    return self;
}

/* A window on `room` bytes at `payload`, in hand. NULL if it cannot be had, without an error: copies do as well. */
static struct lf_py_memory *lf_py_memory_window(const void *handle, int64_t slot, unsigned char *payload,
                                                uint64_t room) {
    struct lf_py_memory *self = PyObject_New(struct lf_py_memory, lf_py_memory_type);
    if (self == NULL) {
        PyErr_Clear();
        return NULL;
    }
    lf_py_memory_begin(self, NULL, room);
    self->bytes = lf_py_window_map(&self->window, handle, slot, payload, room);
    if (self->bytes == NULL)
        Py_CLEAR(self);
    return self;
}

/* Does the caller, who has one reference, have the only one? */
static int lf_py_memory_is_unseen(struct lf_py_memory *self) {
    return Py_REFCNT((PyObject *)self) == 1 && lf_load_acquire(&self->views) == 0;
}

static int lf_py_memory_get(PyObject *object, Py_buffer *view, int flags) {
    struct lf_py_memory *self = (struct lf_py_memory *)object;
    if (PyBuffer_FillInfo(view, object, self->bytes, self->length, 0, flags) != 0)
        return -1;
    lf_fetch_add_relaxed(&self->views, 1);
    return 0;
}
static void lf_py_memory_release(PyObject *object, Py_buffer *view) {
    lf_fetch_sub_seq_cst(&((struct lf_py_memory *)object)->views, 1);
}

static Py_ssize_t lf_py_memory_length(PyObject *object) { return ((struct lf_py_memory *)object)->length; }

static void lf_py_memory_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    struct lf_py_memory *self = (struct lf_py_memory *)object;
    if (self->weak_references != NULL)
        PyObject_ClearWeakRefs(object);
    Py_XDECREF(self->to_itself);
    lf_py_loan_drop(self);
    if (self->window.base != NULL)
        lf_py_window_unmap(&self->window);
    else
        lf_py_free(self->bytes, (size_t)self->room);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef lf_py_memory_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct lf_py_memory, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot lf_py_memory_slots[] = {
    {Py_tp_members, lf_py_memory_members},
    {Py_tp_dealloc, (void *)lf_py_memory_dealloc},
    {Py_bf_getbuffer, (void *)lf_py_memory_get},
    {Py_bf_releasebuffer, (void *)lf_py_memory_release},
    {Py_sq_length, (void *)lf_py_memory_length},
    {Py_tp_doc, (void *)"The memory of a record in hand, or of a batch. Make a memoryview or an array of it."},
    {0, NULL},
};
static PyType_Spec lf_py_memory_spec = {
    .name = "lockfree.Memory",
    .basicsize = sizeof(struct lf_py_memory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_py_memory_slots,
};

#endif
