/* in_hand.h: what fills and empties hands: reserve, commit, cancel, peek, release; and the end of the object.
 *
 * Contract
 *   Small records, and those of a dtype, are written and read in private memory, and copied. Large ones are seen through
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

/* A view of the window that the hand holds since it took `slot`. It is made outside: that may run Python code. NULL with
 * an error, and the slot is given back. */
LF_PY_GENERIC PyObject *lf_py_window_view(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which,
                                          int64_t slot, uint32_t level, struct lf_py_memory *memory) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    PyObject *view = PyMemoryView_FromObject((PyObject *)memory);
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    int is_ours = hand != NULL && hand->held[which].slot == slot && hand->held[which].memory == memory;
    Py_DECREF((PyObject *)memory);
    if (!is_ours) /* what ran in between has let it go */
        return view;
    if (view != NULL) {
        hand->held[which].view = Py_NewRef(view);
        return view;
    }
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    if (lf_py_end_window(object, hand, which) == 0) {
        LF_PY_BRIEFLY(self, status,
                      lf_py_is_closed(self)     ? LF_CLOSED
                      : which == LF_PY_RESERVED ? ops->cancel(self->p, slot)
                                                : ops->give_back(self->p, slot, level));
        lf_py_let_go(object, hand, which);
    }
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

LF_PY_GENERIC PyObject *lf_py_reserve_window(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory = NULL;
    struct lf_py_stay stay;
    if (lf_py_require_empty(object, LF_PY_RESERVED) != 0)
        return NULL;
    int64_t slot = lf_py_take(self, ops, 0, 0, ns, NULL, NULL, &stay);
    if (slot < 0)
        return slot == LF_FULL ? Py_NewRef(Py_None) : lf_py_raise(self, slot);
    int is_window = (memory = lf_py_window(object, ops, slot)) != NULL;
    if (!is_window)
        memory = lf_py_memory_new(ops->record_size(self->p));
    int failed = memory == NULL || lf_py_take_in_hand(object, LF_PY_RESERVED, slot,
                                                      (struct lf_py_memory *)Py_NewRef((PyObject *)memory), NULL);
    if (LF_UNLIKELY(failed)) {
        ops->cancel(self->p, slot);
        Py_XDECREF((PyObject *)memory);
    }
    lf_py_stay_end(&stay);
    if (LF_UNLIKELY(failed)) {
        Py_XDECREF((PyObject *)memory);
        return NULL;
    }
    return lf_py_window_view(object, ops, LF_PY_RESERVED, slot, 0, memory);
}

LF_PY_GENERIC PyObject *lf_py_reserve(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory;
    struct lf_py_stay stay;
    PyObject *view;
    if (lf_py_has_windows(object, ops))
        return lf_py_reserve_window(object, ops, ns);
    if (lf_py_require_empty(object, LF_PY_RESERVED) != 0 ||
        lf_py_staging(object, ops, LF_PY_RESERVED, &memory, &view) != 0)
        return NULL;
    int64_t slot = lf_py_take(self, ops, 0, 0, ns, NULL, NULL, &stay);
    if (slot >= 0) {
        int failed = lf_py_take_in_hand(object, LF_PY_RESERVED, slot, memory, Py_NewRef(view));
        if (LF_UNLIKELY(failed))
            ops->cancel(self->p, slot);
        lf_py_stay_end(&stay);
        if (LF_LIKELY(!failed))
            return view;
        Py_DECREF(view);
    }
    Py_DECREF(view);
    Py_DECREF(memory);
    return slot >= 0 ? NULL : slot == LF_FULL ? Py_NewRef(Py_None) : lf_py_raise(self, slot);
}

LF_PY_GENERIC PyObject *lf_py_commit(PyObject *object, const struct lf_py_ops *ops, uint32_t level, PyObject *given) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t length, size = (int64_t)ops->record_size(self->p);
    struct lf_py_stay stay;
    if (lf_py_in_hand(object, LF_PY_RESERVED) == NULL)
        return NULL;
    length = size;
    if (given != NULL && given != Py_None && lf_py_integer("length", given, 0, size, &length) != 0)
        return NULL;
    if (length != size && !LF_PY_CONTAINER(object)->is_bytes) {
        PyObject *none = PyObject_CallMethod(object, "_wrong_length", "L", (long long)length);
        Py_XDECREF(none); /* it always raises */
        return NULL;
    }
    struct lf_py_hand *hand = lf_py_in_hand(object, LF_PY_RESERVED); /* the conversion may have run Python code */
    if (hand == NULL)
        return NULL;
    int64_t slot = hand->held[LF_PY_RESERVED].slot;
    if (lf_py_end_window(object, hand, LF_PY_RESERVED) != 0)
        return NULL;
    struct lf_py_memory *memory = hand->held[LF_PY_RESERVED].memory; /* NULL: the record stands in its slot */
    Py_XINCREF((PyObject *)memory);
    int64_t status = lf_py_stay_begin(&stay, self);
    if (status == LF_OK) {
        hand->held[LF_PY_RESERVED].slot = -1;
        if (lf_py_is_closed(self))
            status = LF_CLOSED;
        else if (memory == NULL)
            status = ops->commit(self->p, slot, (uint64_t)length, level);
        else
            status = lf_py_publish(&stay, ops, slot, memory->bytes, (uint64_t)length, level);
        lf_py_stay_end(&stay);
    }
    Py_XDECREF((PyObject *)memory);
    lf_py_let_go(object, hand, LF_PY_RESERVED);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise(self, status);
}

/* cancel() and release(). */
LF_PY_GENERIC PyObject *lf_py_give_slot_back(PyObject *object, enum lf_py_which which, int (*give)(void *, int64_t)) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_hand *hand = lf_py_in_hand(object, which);
    int64_t status;
    if (hand == NULL)
        return NULL;
    int64_t slot = hand->held[which].slot;
    if (lf_py_end_window(object, hand, which) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, lf_py_is_closed(self) ? LF_CLOSED : give(self->p, slot));
    lf_py_let_go(object, hand, which);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise(self, status);
}

/* ---- peek ---- */

/* A memoryview of the peeked bytes. It is made outside: an allocation that the garbage collector watches may run Python
 * code. NULL with an error, and the record is inside again. */
LF_PY_GENERIC PyObject *lf_py_peeked_view(PyObject *object, const struct lf_py_ops *ops, int64_t slot, uint32_t level,
                                          uint64_t length) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    int64_t status;
    struct lf_py_memory *memory = (struct lf_py_memory *)Py_NewRef((PyObject *)hand->held[LF_PY_PEEKED].memory);
    memory->length = (Py_ssize_t)length;
    PyObject *view = PyMemoryView_FromObject((PyObject *)memory);
    hand = lf_py_hand(object, 0);
    if (hand == NULL || hand->held[LF_PY_PEEKED].slot != slot || hand->held[LF_PY_PEEKED].memory != memory) {
        Py_DECREF(memory); /* what ran in between has released it */
        return view;
    }
    if (view != NULL) {
        hand->held[LF_PY_PEEKED].view = Py_NewRef(view);
    } else {
        LF_PY_BRIEFLY(self, status, lf_py_is_closed(self) ? LF_CLOSED : ops->give_back(self->p, slot, level));
        hand->held[LF_PY_PEEKED].slot = -1;
        lf_py_hand_down(hand);
    }
    Py_DECREF(memory);
    return view;
}

LF_PY_GENERIC PyObject *lf_py_peek_window(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_stay stay;
    PyObject *pair = NULL;
    uint64_t length = 0;
    uint32_t level = 0;
    if (lf_py_require_empty(object, LF_PY_PEEKED) != 0 || (ops->has_levels && (pair = PyTuple_New(2)) == NULL))
        return NULL;
    int64_t slot = lf_py_take(self, ops, 1, 0, ns, &level, &length, &stay);
    if (slot < 0) {
        Py_XDECREF(pair);
        return slot == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise(self, slot);
    }
    struct lf_py_memory *memory = lf_py_window(object, ops, slot);
    if (memory == NULL && (memory = lf_py_memory_new(ops->record_size(self->p))) != NULL)
        lf_py_copy(&stay, memory->bytes, ops->payload(self->p, slot), length);
    if (memory != NULL)
        memory->length = (Py_ssize_t)length;
    int failed = memory == NULL || lf_py_take_in_hand(object, LF_PY_PEEKED, slot,
                                                      (struct lf_py_memory *)Py_NewRef((PyObject *)memory), NULL);
    if (LF_UNLIKELY(failed)) {
        ops->give_back(self->p, slot, level);
        Py_XDECREF((PyObject *)memory);
    }
    lf_py_stay_end(&stay);
    if (LF_UNLIKELY(failed)) {
        Py_XDECREF((PyObject *)memory);
        Py_XDECREF(pair);
        return NULL;
    }
    PyObject *view = lf_py_window_view(object, ops, LF_PY_PEEKED, slot, level, memory);
    return lf_py_with_level(pair, level, view);
}

LF_PY_GENERIC PyObject *lf_py_peek(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory;
    struct lf_py_stay stay;
    PyObject *view, *pair = NULL;
    uint64_t length = 0;
    uint32_t level = 0;
    if (lf_py_has_windows(object, ops))
        return lf_py_peek_window(object, ops, ns);
    if (lf_py_require_empty(object, LF_PY_PEEKED) != 0 || lf_py_staging(object, ops, LF_PY_PEEKED, &memory, &view) != 0)
        return NULL;
    if (ops->has_levels && (pair = PyTuple_New(2)) == NULL) {
        Py_XDECREF(view);
        Py_DECREF(memory);
        return NULL;
    }
    int64_t slot = lf_py_take(self, ops, 1, 0, ns, &level, &length, &stay);
    int failed = slot < 0;
    if (slot >= 0) {
        lf_py_copy(&stay, memory->bytes, ops->payload(self->p, slot), length);
        memset(memory->bytes + length, 0, LF_PY_CONTAINER(object)->is_bytes ? 0 : (size_t)memory->room - length);
        failed = lf_py_take_in_hand(object, LF_PY_PEEKED, slot, memory, Py_XNewRef(view));
        if (LF_UNLIKELY(failed)) {
            ops->give_back(self->p, slot, level);
            Py_XDECREF(view);
        }
        lf_py_stay_end(&stay);
    }
    if (LF_UNLIKELY(failed)) {
        Py_XDECREF(pair);
        Py_XDECREF(view);
        Py_DECREF(memory);
        return slot >= 0 ? NULL : slot == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise(self, slot);
    }
    if (view == NULL)
        view = lf_py_peeked_view(object, ops, slot, level, length);
    return lf_py_with_level(pair, level, view);
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
            Py_XDECREF(hand->held[which].view);
            Py_XDECREF(hand->held[which].memory);
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
