/* loans.h: a slot in hand whose record some memory shows: a reservation, or a peeked record.
 *
 * Contract
 *   A loan belongs to a hand (hands.h), or to its views. One that belongs to its views ends with the last of them: the
 *   garbage collector cancels a reservation and releases a peeked record, in whatever thread it runs. Until then any thread
 *   of the process can end it, by its view. The thread that takes the slot out of the loan ends it, so it ends once.
 *   A forked child does not have the loans of its parent. */
#ifndef LOCKFREE_PY_LOANS_H
#define LOCKFREE_PY_LOANS_H

#include "common/container.h"

enum lf_py_which { LF_PY_RESERVED, LF_PY_PEEKED };

/* This process's participant number now; 0 if it cannot be one. Inside. */
static uint32_t lf_py_me(struct lf_py_object *self) { return lf_py_participant((struct lf_handle *)self->p); }

static int lf_py_is_lent(struct lf_py_memory *memory) { return lf_load_acquire(&memory->loan.slot) >= 0; }

/* Ends the loan: its slot, which the caller must give back or publish; -1 if somebody was faster. */
static int64_t lf_py_loan_end(struct lf_py_memory *memory) {
    return lf_exchange_acq_rel(&memory->loan.slot, (int64_t)-1); /* acq_rel: pairs with itself, and with lf_py_lend */
}

/* Inside, with the slot just taken. */
static void lf_py_lend(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which, int64_t slot,
                       struct lf_py_memory *memory) {
    memory->loan.participant = lf_py_me((struct lf_py_object *)object);
    memory->loan.which = which;
    memory->loan.ops = ops;
    memory->loan.container = object;
    memory->loan.owner = NULL;
    lf_store_release(&memory->loan.slot, slot); /* pairs with lf_py_loan_end */
}

/* Nobody sees the memory any more. No Python code runs here, except at the end of the object itself. */
static void lf_py_loan_drop(struct lf_py_memory *memory) {
    PyObject *owner = memory->loan.owner;
    int64_t slot = lf_py_loan_end(memory);
    memory->loan.owner = NULL;
    if (owner == NULL)
        return;
    struct lf_py_object *self = (struct lf_py_object *)owner;
    if (slot >= 0 && memory->window.base != NULL)
        lf_py_window_end(&memory->window, 0);
    if (slot >= 0 && lf_py_enter_briefly(self) == LF_OK) {
        if (!lf_py_is_closed(self) && lf_py_is_me((struct lf_handle *)self->p, memory->loan.participant)) {
            if (memory->loan.which == LF_PY_RESERVED)
                memory->loan.ops->cancel(self->p, slot);
            else
                memory->loan.ops->release(self->p, slot);
        }
        lf_py_leave_briefly(self);
    }
    Py_DECREF(owner);
}

/* The memory that a view shows, a new reference: of a memoryview, an array, or what was made of one. NULL with an error. */
static struct lf_py_memory *lf_py_memory_of(PyObject *view) {
    PyObject *at = Py_NewRef(view);
    for (int steps = 0; at != NULL && Py_TYPE(at) != lf_py_memory_type; steps++) {
        PyObject *next = at == Py_None || steps == 16
                             ? NULL
                             : PyObject_GetAttrString(at, PyMemoryView_Check(at) ? "obj" : "base");
        Py_SETREF(at, next);
    }
    if (at != NULL)
        return (struct lf_py_memory *)at;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_AttributeError) && !PyErr_ExceptionMatches(PyExc_ValueError))
        return NULL;
    int is_released = PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_ValueError);
    PyErr_Clear();
    if (is_released)
        PyErr_SetString(PyExc_ValueError, "view is a memoryview that was released: its record is not in hand any more");
    else
        LF_PY_BAD_VALUE(PyExc_TypeError, view, "view is %U: it must be what reserve() or peek() gave", shown);
    return NULL;
}

/* 0; -1 with TypeError if a view stands in the place of the argument `name`. */
static int lf_py_refuse_view(const char *name, PyObject *given, const char *method) {
    if (given == NULL || !PyObject_CheckBuffer(given) || PyIndex_Check(given)) /* a number of NumPy is both */
        return 0;
    LF_PY_BAD_VALUE(PyExc_TypeError, given, "%s is %U: a view is passed as %s(view=...)", name, shown, method);
    return -1;
}

static PyObject *lf_py_release_view; /* memoryview.release */

static void lf_py_end_view(PyObject *view) {
    if (PyMemoryView_Check(view)) {
        PyObject *done = PyObject_CallOneArg(lf_py_release_view, view);
        if (done == NULL)
            PyErr_Clear(); /* somebody has an array of it, which keeps the memory */
        Py_XDECREF(done);
    }
}

/* ---- windows on large records ---- */

/* Keeps a window that nobody sees for the next record in its slot. Takes the reference over. */
static void lf_py_keep_window(PyObject *object, struct lf_py_memory *memory) {
    struct lf_py_memory **place = &LF_PY_CONTAINER(object)->windows[(uint64_t)memory->window.slot % LF_PY_WINDOWS_KEPT];
    struct lf_py_memory *old = lf_exchange_seq_cst(place, memory);
    Py_XDECREF(old);
}

/* A window on a slot that was just taken, in hand; NULL if there is none, without an error. Inside. */
LF_PY_GENERIC struct lf_py_memory *lf_py_window(PyObject *object, const struct lf_py_ops *ops, int64_t slot) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    struct lf_py_memory **place = &self->windows[(uint64_t)slot % LF_PY_WINDOWS_KEPT];
    struct lf_py_memory *kept = lf_exchange_seq_cst(place, (struct lf_py_memory *)NULL);
    uint64_t size = ops->record_size(self->o.p);
    if (kept != NULL && kept->window.slot == slot && !kept->window.is_cut) {
        kept->length = kept->room;
        lf_py_window_take(&kept->window);
        return kept;
    }
    Py_XDECREF(kept);
    return lf_py_memory_window(self->o.p, slot, ops->payload(self->o.p, slot), size);
}

/* The kept windows go, and those in hand lead nowhere, before the handle ends. */
static void lf_py_drop_windows(struct lf_py_object *self) {
    struct lf_py_container *container = LF_PY_CONTAINER(self);
    for (int i = 0; i < LF_PY_WINDOWS_KEPT; i++) {
        struct lf_py_memory *kept = lf_exchange_seq_cst(&container->windows[i], (struct lf_py_memory *)NULL);
        Py_XDECREF(kept);
    }
    lf_py_windows_end(self->p);
}

#endif
