/* gets.h: what a reader of a BroadcastRing gets: bytes, or a view of the next message. */
#ifndef LOCKFREE_PY_BROADCAST_GETS_H
#define LOCKFREE_PY_BROADCAST_GETS_H

#include "common/look.h"
#include "common/section.h"
#include "common/take_messages.h"

/* ---- get ---- */

/* The calling thread's place with a message at it: its place in the bytes, or a status. Waits up to `until`. Inside. */
static int64_t lf_py_broadcast_find(struct lf_broadcast_ring *r, uint32_t *k, uint64_t *length, int wait,
                                    uint64_t until) {
    int64_t place = lf_py_broadcast_place(r);
    if (LF_UNLIKELY(place < 0))
        return place;
    *k = (uint32_t)place;
    return wait ? lf_broadcast_ring_peek_wait(r, *k, length, until) : lf_broadcast_ring_peek(r, *k, length);
}

/* The next message as bytes. NULL with *status LF_EMPTY, LF_PY_RAISED (an exception is set) or another refusal. */
static PyObject *lf_py_broadcast_take(PyObject *object, uint64_t ns, int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    struct lf_py_stay stay;
    uint64_t length = 0, until = 0;
    uint32_t k = 0;
    for (;;) {
        if ((*status = lf_py_stay_begin(&stay, self)) != LF_OK)
            return NULL;
        *status = lf_py_broadcast_find(r, &k, &length, 0, 0);
        if (LF_LIKELY(*status >= 0)) {
            PyObject *message = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
            int64_t place = *status;
            if (message == NULL)
                *status = LF_PY_RAISED;
            else if (LF_UNLIKELY(length > LF_PY_LONG_COPY) && lf_py_stay_count(&stay))
                LF_PY_WITHOUT_GIL(*status = lf_broadcast_ring_take(r, k, place, PyBytes_AS_STRING(message), length));
            else
                *status = lf_broadcast_ring_take(r, k, place, PyBytes_AS_STRING(message), length);
            lf_py_stay_end(&stay);
            if (LF_LIKELY(*status == LF_OK))
                return message;
            Py_XDECREF(message);
            if (*status == LF_BUSY) /* it was overtaken */
                continue;
            return NULL;
        }
        lf_py_stay_end(&stay);
        if (*status != LF_EMPTY || ns == 0)
            return NULL;
        if (until == 0)
            until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, *status, lf_py_broadcast_find(r, &k, &length, 1, until));
        if (*status < 0)
            return NULL;
    }
}

static PyObject *lf_py_broadcast_get(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_broadcast_take, lf_py_broadcast_raise);
}
static PyObject *lf_py_broadcast_try_get(PyObject *object, PyObject *unused) {
    return lf_py_try_get_message(object, lf_py_broadcast_take, lf_py_broadcast_raise);
}
static PyObject *lf_py_broadcast_get_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                          PyObject *keywords) {
    return lf_py_get_messages(object, args, count, keywords, lf_py_broadcast_take, lf_py_broadcast_raise);
}

/* ---- in place ---- */

/* A view of the next message; None if there is none. */
static PyObject *lf_py_broadcast_look_at_next(PyObject *object, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    struct lf_py_look *look = NULL;
    uint64_t length = 0, until = lf_py_deadline(ns);
    uint32_t k = 0;
    int64_t status;
    struct lf_py_wait wait = lf_py_wait_begin(self);
    for (;;) {
        if ((status = lf_py_enter(self)) != LF_OK)
            return lf_py_broadcast_raise(object, status);
        status = lf_py_broadcast_find(r, &k, &length, 0, 0);
        if (status == LF_EMPTY && until != 0) {
            LF_PY_WAIT(&wait, status = lf_py_broadcast_find(r, &k, &length, 1, until));
        }
        look = &((struct lf_py_broadcast *)object)->looks[k];
        if (status >= 0 && look->thread != 0 && lf_py_look_is_mine(self, look)) {
            lf_py_leave(self);
            return lf_py_misuse(self, "this thread has a message in hand already: release() it first");
        }
        if (status >= 0) {
            int64_t place = status;
            int copied = lf__log_is_lossy(r) || lf_py_look_at(look, r, r->bytes, r->size, (uint64_t)place, length) != 0;
            if (copied) { /* in a lossy ring, or without a window */
                struct lf_py_memory *memory = lf_py_memory_new(length);
                if (memory == NULL)
                    status = LF_PY_RAISED;
                else if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
                    LF_PY_WITHOUT_GIL(status = lf_broadcast_ring_take(r, k, place, memory->bytes, length));
                else
                    status = lf_broadcast_ring_take(r, k, place, memory->bytes, length);
                Py_XSETREF(look->memory, memory);
            }
            if (status >= 0) {
                look->participant = lf_py_me(self);
                look->is_taken = copied;
                look->place = place;
                look->length = length;
                look->thread = lf_py_thread();
            }
        }
        lf_py_leave(self);
        if (status == LF_BUSY)
            continue;
        if (status != LF_INTERRUPTED)
            break;
        if (lf_py_between(self, &wait) != 0)
            return NULL;
    }
    if (status < 0)
        return status == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
    PyObject *view = lf_py_look_view(look);
    if (view == NULL && !look->is_taken) { /* no memory: the reader has not passed the message */
        PyObject *type, *error, *trace;
        PyErr_Fetch(&type, &error, &trace);
        if (lf_py_look_end(look) == 0)
            look->thread = 0;
        PyErr_Restore(type, error, trace);
    }
    return view;
}
static PyObject *lf_py_broadcast_peek(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "peek", 0, args, count, keywords, &ns) != 0
               ? NULL
               : lf_py_broadcast_look_at_next(object, ns);
}

static PyObject *lf_py_broadcast_release(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    struct lf_py_look *look = NULL;
    int64_t status;
    for (uint32_t k = 0; k < LF_BROADCAST_READERS; k++) {
        struct lf_py_look *l = &((struct lf_py_broadcast *)object)->looks[k];
        if (l->thread == lf_py_thread())
            look = l;
    }
    if (look == NULL)
        return lf_py_is_closed(self) ? lf_py_raise(self, LF_CLOSED)
                                     : lf_py_misuse(self, "this thread has nothing in hand: call peek() first");
    if (lf_py_look_end(look) != 0)
        return NULL;
    look->thread = 0;
    uint32_t k = (uint32_t)(look - ((struct lf_py_broadcast *)object)->looks);
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self) ? LF_CLOSED
                  : look->is_taken || lf_py_me(self) != look->participant
                      ? LF_OK /* a child's: its parent's */
                      : lf_broadcast_ring_take(r, k, look->place, NULL, look->length));
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
}

/* read(block=True, timeout=None) */
static PyObject *lf_py_broadcast_enter_read(const struct lf_py_section *section) {
    PyObject *view = lf_py_broadcast_look_at_next(section->object, section->ns);
    if (view != Py_None)
        return view;
    Py_DECREF(view);
    return lf_py_broadcast_raise(section->object, LF_EMPTY);
}
static PyObject *lf_py_broadcast_exit_read(const struct lf_py_section *section, int raised) {
    return lf_py_broadcast_release(section->object, NULL);
}
static const struct lf_py_section_kind lf_py_broadcast_reading = {lf_py_broadcast_enter_read,
                                                                  lf_py_broadcast_exit_read};
static PyObject *lf_py_broadcast_read(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_section_of_wait(object, &lf_py_broadcast_reading, "read", args, count, keywords);
}

#endif
