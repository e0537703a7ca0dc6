/* in_hand.h: reserve, commit, cancel, peek, release; and the end of the object.
 *
 * Contract
 *   A record in hand ends by its view, from any thread, or as the last one of the calling thread. Small records, and those of a dtype, are written and read in private memory, and copied. Large ones are seen through
 *   windows (window.h). What the caller sees is the same. */
#ifndef LOCKFREE_PY_IN_HAND_H
#define LOCKFREE_PY_IN_HAND_H

#include "common/hands.h"

/* ---- reserve, commit, cancel ---- */

/* Publishes `length` bytes in a slot that the calling thread has reserved. Inside. A status. */
LF_PY_GENERIC int64_t lf_py_publish(struct lf_py_stay *stay, const struct lf_py_ops *ops, int64_t slot,
                                    const char *bytes, uint64_t length, uint32_t level) {
    void *p = stay->self->p;
    if (ops->in_place) { /* a put since then may have used the slot: what it published must not be written over */
        int64_t own = ops->reserve(p);
        if (LF_UNLIKELY(own != slot))
            return own >= 0 || own == LF_FULL ? LF_BUSY : own;
    }
    lf_py_copy(stay, ops->payload(p, slot), bytes, length);
    return ops->commit(p, slot, length, level);
}

/* The user's view of what the hand has since it took a slot. `view`: it exists already. It is made outside: that may run
 * Python code. Takes references over. NULL with an error, and the slot is given back. */
LF_PY_GENERIC PyObject *lf_py_settle(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which,
                                     uint32_t level, struct lf_py_memory *memory, PyObject *view) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int is_new = view == NULL, failed = is_new && (view = PyMemoryView_FromObject((PyObject *)memory)) == NULL;
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    int is_ours = hand != NULL && hand->held[which].memory == memory && lf_py_is_lent(memory);
    if (is_ours && is_new && !failed)
        hand->held[which].view = Py_NewRef(view);
    if (is_ours && !failed && which == LF_PY_PEEKED && !ops->in_place)
        failed = lf_py_loosen(object, hand, which) != 0;
    if (LF_LIKELY(!failed)) {
        Py_DECREF((PyObject *)memory);
        return view;
    }
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    Py_XDECREF(view);
    int64_t status, slot = is_ours ? lf_py_loan_end(memory) : -1;
    if (slot >= 0) {
        if (memory->window.base != NULL)
            lf_py_window_end(&memory->window, 0);
        LF_PY_BRIEFLY(self, status,
                      lf_py_is_closed(self)     ? LF_CLOSED
                      : which == LF_PY_RESERVED ? ops->cancel(self->p, slot)
                                                : ops->give_back(self->p, slot, level));
        (void)status; /* the error that there is says more */
        lf_py_let_go(object, hand, which);
    }
    Py_DECREF((PyObject *)memory);
    PyErr_Restore(type, error, trace);
    return NULL;
}

/* Whether records of this container are seen through windows. Of those that stay in place, the next put or get of the
 * thread may use the slot: they are copied. So are those of a dtype: the caller's variable still has the array when the
 * record leaves the hand, and a copy then costs more than a copy before. */
LF_PY_GENERIC int lf_py_has_windows(PyObject *object, const struct lf_py_ops *ops) {
    return !ops->in_place && LF_PY_CONTAINER(object)->is_bytes &&
           ops->record_size(LF_PY_CONTAINER(object)->o.p) > LF_PY_WINDOW_LEAST;
}

/* A slot in hand with memory for its record, waiting up to `ns` for it. Its view, a new reference. NULL with an error, or
 * with LF_FULL or LF_EMPTY in *status. */
LF_PY_GENERIC PyObject *lf_py_take_view(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which,
                                        uint64_t ns, uint32_t *level, int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int is_record = which == LF_PY_PEEKED, has_window = lf_py_has_windows(object, ops);
    struct lf_py_memory *memory = NULL;
    struct lf_py_held before;
    struct lf_py_stay stay;
    PyObject *view = NULL;
    uint64_t length = 0;
    *status = LF_OK;
    if (lf_py_open_hand(object, ops, which) != 0 ||
        (!has_window && lf_py_staging(object, ops, which, &memory, &view) != 0))
        return NULL;
    int64_t slot = lf_py_take(self, ops, is_record, 0, ns, level, &length, &stay);
    if (slot < 0) {
        Py_XDECREF(view);
        Py_XDECREF((PyObject *)memory);
        *status = slot == LF_FULL || slot == LF_EMPTY ? slot : LF_OK;
        return *status != LF_OK ? NULL : lf_py_raise(self, slot);
    }
    int is_copied = !has_window;
    if (has_window && (memory = lf_py_window(object, ops, slot)) == NULL) {
        memory = lf_py_memory_new(ops->record_size(self->p));
        is_copied = memory != NULL;
    }
    if (is_record && is_copied) {
        lf_py_copy(&stay, memory->bytes, ops->payload(self->p, slot), length);
        if (!LF_PY_CONTAINER(object)->is_bytes)
            memset(memory->bytes + length, 0, (size_t)memory->room - length);
    }
    if (is_record && memory != NULL && LF_PY_CONTAINER(object)->is_bytes)
        memory->length = (Py_ssize_t)length;
    int failed = memory == NULL;
    if (!failed) {
        Py_INCREF((PyObject *)memory);
        Py_XINCREF(view);
        failed = lf_py_take_in_hand(object, ops, which, slot, memory, view, &before);
        if (LF_UNLIKELY(failed)) {
            Py_DECREF((PyObject *)memory);
            Py_XDECREF(view);
        }
    }
    if (LF_UNLIKELY(failed) && is_record)
        ops->give_back(self->p, slot, *level);
    else if (LF_UNLIKELY(failed))
        ops->cancel(self->p, slot);
    lf_py_stay_end(&stay);
    if (LF_UNLIKELY(failed)) {
        Py_XDECREF(view);
        Py_XDECREF((PyObject *)memory);
        return NULL;
    }
    lf_py_loosen_before(object, &before);
    return lf_py_settle(object, ops, which, *level, memory, view);
}

LF_PY_GENERIC PyObject *lf_py_reserve(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    uint32_t level = 0;
    int64_t status;
    PyObject *view = lf_py_take_view(object, ops, LF_PY_RESERVED, ns, &level, &status);
    return view == NULL && status == LF_FULL ? Py_NewRef(Py_None) : view;
}

LF_PY_GENERIC PyObject *lf_py_peek(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    uint32_t level = 0;
    int64_t status;
    PyObject *pair = NULL;
    if (ops->has_levels && (pair = PyTuple_New(2)) == NULL)
        return NULL;
    PyObject *view = lf_py_take_view(object, ops, LF_PY_PEEKED, ns, &level, &status);
    if (view == NULL && status == LF_EMPTY) {
        Py_XDECREF(pair);
        Py_RETURN_NONE;
    }
    return lf_py_with_level(pair, level, view);
}

/* commit(). `priority`: of a queue; `given`: the length, `view`: of which reservation; each may be NULL or None. */
LF_PY_GENERIC PyObject *lf_py_commit(PyObject *object, const struct lf_py_ops *ops, PyObject *priority, PyObject *given,
                                     PyObject *view) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t length, size = (int64_t)ops->record_size(self->p), slot, status;
    uint32_t level = 0;
    struct lf_py_found found;
    struct lf_py_stay stay;
    int has = lf_py_find(object, LF_PY_RESERVED, view, &found);
    if (has <= 0)
        return NULL;
    length = size;
    if (lf_py_refuse_view("length", given, "commit") != 0)
        goto failed;
    if ((priority != NULL && lf_py_level(object, ops, priority, "priority", &level) != 0) ||
        (given != NULL && given != Py_None && lf_py_integer("length", given, 0, size, &length) != 0))
        goto failed;
    if (length != size && !LF_PY_CONTAINER(object)->is_bytes) {
        PyObject *none = PyObject_CallMethod(object, "_wrong_length", "L", (long long)length);
        Py_XDECREF(none); /* it always raises */
        goto failed;
    }
    lf_py_found_end(&found); /* the conversion may have run Python code */
    if (lf_py_find(object, LF_PY_RESERVED, view, &found) <= 0)
        return NULL;
    if ((slot = lf_py_found_take(object, LF_PY_RESERVED, &found)) < 0)
        return NULL;
    status = lf_py_stay_begin(&stay, self);
    if (status == LF_OK) {
        if (lf_py_is_closed(self))
            status = LF_CLOSED;
        else if (found.memory->window.base != NULL) /* the record stands in its slot */
            status = ops->commit(self->p, slot, (uint64_t)length, level);
        else
            status = lf_py_publish(&stay, ops, slot, found.memory->bytes, (uint64_t)length, level);
        lf_py_stay_end(&stay);
    }
    lf_py_found_done(object, LF_PY_RESERVED, &found);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise(self, status);
failed:
    lf_py_found_end(&found);
    return NULL;
}

/* cancel() and release(). `view`: of which; NULL or None: the thread's last one. */
LF_PY_GENERIC PyObject *lf_py_give_slot_back(PyObject *object, enum lf_py_which which, int (*give)(void *, int64_t),
                                             PyObject *view) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_found found;
    int64_t status, slot;
    int has = lf_py_find(object, which, view, &found);
    if (has == 0)
        Py_RETURN_NONE; /* the garbage collector has done it */
    if (has < 0)
        return NULL;
    if ((slot = lf_py_found_take(object, which, &found)) < 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_py_is_closed(self) ? LF_CLOSED : give(self->p, slot));
    lf_py_found_done(object, which, &found);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise(self, status);
}

/* ---- the end of the object ---- */

/* close(): the calling thread's views end with it. */
static PyObject *lf_py_close_container(PyObject *object, PyObject *unused) {
    for (int which = 0; which < 2; which++) {
        struct lf_py_hand *hand = lf_py_is_closed((struct lf_py_object *)object) ? NULL : lf_py_hand(object, 0);
        if (hand != NULL)
            lf_py_let_go(object, hand, (enum lf_py_which)which);
    }
    return lf_py_close(object, NULL);
}

static void lf_py_dealloc_container(PyObject *object) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    for (struct lf_py_hand *hand = self->hands, *next; hand != NULL; hand = next) {
        next = hand->next;
        for (int which = 0; which < 2; which++) {
            struct lf_py_held *held = &hand->held[which];
            if (held->memory != NULL)
                lf_py_loan_end(held->memory); /* the end of the handle gives the slot back */
            Py_XDECREF(held->view);
            Py_XDECREF(held->loose);
            Py_XDECREF((PyObject *)held->memory);
        }
        PyMem_RawFree(hand);
    }
    Py_CLEAR(self->codec);
    Py_CLEAR(self->spare);
    lf_py_dealloc(object);
}

/* _use(codec, is_bytes): how records become bytes and back. */
static PyObject *lf_py_use(PyObject *object, PyObject *args) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    PyObject *codec;
    int is_bytes;
    if (!PyArg_ParseTuple(args, "Op", &codec, &is_bytes))
        return NULL;
    self->is_bytes = is_bytes;
    self->o.before_detach = lf_py_drop_windows;
    Py_XSETREF(self->codec, Py_NewRef(codec));
    Py_RETURN_NONE;
}

#endif
