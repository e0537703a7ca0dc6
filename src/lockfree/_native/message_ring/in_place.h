/* in_place.h: messages of a MessageRing that are seen in place. A thread has one in hand at a time. */
#ifndef LOCKFREE_PY_MESSAGE_IN_PLACE_H
#define LOCKFREE_PY_MESSAGE_IN_PLACE_H

#include "common/look.h"
#include "common/section.h"

/* The calling thread's look with a message in hand; NULL: it has none. A child has what its parent had, until its release. */
static struct lf_py_look *lf_py_messages_look(PyObject *object) {
    struct lf_py_look *looks = ((struct lf_py_messages *)object)->looks;
    uint64_t me = lf_py_thread();
    for (int i = 0; i < LF_PY_LOOKS; i++)
        if (lf_load_relaxed(&looks[i].thread) == me)
            return &looks[i];
    return NULL;
}
/* A look that nobody has, now the calling thread's; NULL: there is none. What follows runs no Python code until a message
 * is in hand. */
static struct lf_py_look *lf_py_messages_claim(PyObject *object) {
    struct lf_py_look *looks = ((struct lf_py_messages *)object)->looks;
    uint64_t nobody = 0;
    for (int i = 0; i < LF_PY_LOOKS; i++, nobody = 0)
        if (lf_cas_acquire(&looks[i].thread, &nobody, lf_py_thread()))
            return &looks[i];
    return NULL;
}
static void lf_py_messages_hand_down(struct lf_py_look *look) { lf_store_release(&look->thread, (uint64_t)0); }

/* 0 if the calling thread has no message in hand; else -1 with an error. What a parent had in hand is let go. */
static int lf_py_messages_require_empty(PyObject *object) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_look *look = lf_py_messages_look(object);
    if (look == NULL)
        return 0;
    if (!lf_py_is_closed(self) && !lf_py_look_is_mine(self, look)) {
        if (lf_py_look_end(look) != 0)
            return -1;
        lf_py_messages_hand_down(look);
        return 0;
    }
    if (lf_py_is_closed(self))
        lf_py_raise(self, LF_CLOSED);
    else
        lf_py_misuse(self, "this thread has a message in hand already: release() it first");
    return -1;
}

/* Puts a message that was taken in a look. Inside. 0, or -1 with an error, and it is in the ring again. */
static int lf_py_messages_see(PyObject *object, int64_t first, uint64_t length, struct lf_py_stay *stay,
                              struct lf_py_look **seen) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    uint64_t place = (uint64_t)first * r->block_bytes + sizeof(struct lf_slot);
    struct lf_py_look *look = lf_py_messages_look(object) == NULL ? lf_py_messages_claim(object) : NULL;
    int64_t status = LF_OK;
    if (look == NULL) {
        lf_message_ring_put_back(r, first); /* inside again, at the tail */
        lf_py_misuse(self, lf_py_messages_look(object) != NULL
                               ? "a signal handler of this thread has taken one in hand meanwhile"
                               : "64 threads have a message in hand");
        return -1;
    }
    if (length > r->room || lf_py_look_at(look, r, r->bytes, r->store.slots * r->block_bytes, place, length) != 0) {
        Py_XSETREF(look->memory, lf_py_memory_new(length));
        if (LF_UNLIKELY(length > LF_PY_LONG_COPY) && look->memory != NULL && lf_py_stay_count(stay))
            LF_PY_WITHOUT_GIL(status = lf_message_ring_read(r, first, look->memory->bytes, length));
        else if (look->memory != NULL)
            status = lf_message_ring_read(r, first, look->memory->bytes, length);
    }
    look->participant = lf_py_me(self);
    look->is_taken = 0;
    look->place = first;
    look->length = length;
    *seen = look;
    if (LF_LIKELY(look->memory != NULL && status == LF_OK))
        return 0;
    lf_message_ring_put_back(r, first);
    lf_py_messages_hand_down(look);
    if (status != LF_OK)
        lf_py_raise(self, status);
    return -1;
}

static PyObject *lf_py_messages_let_go(PyObject *object, int back);

/* A view of the next message, which is out of the ring then; None if there is none. One of several blocks is copied
 * together. */
static PyObject *lf_py_messages_look_at_next(PyObject *object, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_look *look;
    struct lf_py_stay stay;
    uint64_t length = 0;
    if (lf_py_messages_require_empty(object) != 0)
        return NULL;
    int64_t first = lf_py_messages_find(self, ns, &length, &stay);
    if (first < 0)
        return first == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise(self, first);
    int failed = lf_py_messages_see(object, first, length, &stay, &look);
    lf_py_stay_end(&stay);
    PyObject *view = failed ? NULL : lf_py_look_view(look);
    if (!failed && view == NULL) { /* no memory: the message is in the ring again */
        PyObject *type, *error, *trace;
        PyErr_Fetch(&type, &error, &trace);
        Py_XDECREF(lf_py_messages_let_go(object, 1));
        PyErr_Restore(type, error, trace);
    }
    return view;
}
static PyObject *lf_py_messages_peek(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "peek", 0, args, count, keywords, &ns) != 0
               ? NULL
               : lf_py_messages_look_at_next(object, ns);
}

/* The message in hand is free, or in the ring again (`back`). */
static PyObject *lf_py_messages_let_go(PyObject *object, int back) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    struct lf_py_look *look = lf_py_messages_look(object);
    int64_t status;
    if (look == NULL)
        return lf_py_is_closed(self) ? lf_py_raise(self, LF_CLOSED)
                                     : lf_py_misuse(self, "this thread has nothing in hand: call peek() first");
    if (lf_py_look_end(look) != 0)
        return NULL;
    int64_t first = look->place;
    uint32_t participant = look->participant;
    lf_py_messages_hand_down(look);
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self)           ? LF_CLOSED
                  : lf_py_me(self) != participant ? LF_OK /* a child's: it is its parent's */
                  : back                          ? lf_message_ring_put_back(r, first)
                                                  : lf_message_ring_release(r, first));
    return lf_py_none(self, status);
}
static PyObject *lf_py_messages_release(PyObject *object, PyObject *unused) { return lf_py_messages_let_go(object, 0); }

/* read(block=True, timeout=None) */
static PyObject *lf_py_messages_enter_read(const struct lf_py_section *section) {
    PyObject *view = lf_py_messages_look_at_next(section->object, section->ns);
    if (view != Py_None)
        return view;
    Py_DECREF(view);
    return lf_py_messages_raise(section->object, LF_EMPTY);
}
static PyObject *lf_py_messages_exit_read(const struct lf_py_section *section, int raised) {
    return lf_py_messages_let_go(section->object, 0);
}
static const struct lf_py_section_kind lf_py_messages_reading = {lf_py_messages_enter_read, lf_py_messages_exit_read};
static PyObject *lf_py_messages_read(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_section_of_wait(object, &lf_py_messages_reading, "read", args, count, keywords);
}

#endif
