/* writing.h: messages that are written in place into a BroadcastRing. */
#ifndef LOCKFREE_PY_BROADCAST_WRITING_H
#define LOCKFREE_PY_BROADCAST_WRITING_H

#include "common/look.h"
#include "common/section.h"

/* A view to write a message of `length` bytes into; None if there is no room. */
static PyObject *lf_py_broadcast_begin(PyObject *object, int64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    struct lf_py_look *writing = &((struct lf_py_broadcast *)object)->writing;
    uint64_t until = lf_py_deadline(ns);
    int64_t status;
    struct lf_py_wait wait = lf_py_wait_begin(self);
    do {
        if ((status = lf_py_enter(self)) != LF_OK)
            return lf_py_broadcast_raise(object, status);
        if (lf__log_is_lossy(r)) { /* in memory of its own until it is put */
            status = lf__broadcast_enter(r);
        } else {
            status = lf_broadcast_ring_reserve(r, (uint64_t)length);
            if (status == LF_FULL && until != 0)
                LF_PY_WAIT(&wait, status = lf_broadcast_ring_reserve_wait(r, (uint64_t)length, until));
        }
        if (status >= 0 && writing->thread != 0 && lf_py_look_is_mine(self, writing)) {
            lf_py_leave(self);
            return lf_py_misuse(self, "this thread has a reservation already: commit() or cancel() it first");
        }
        if (status >= 0) {
            int copied = lf__log_is_lossy(r) ||
                         lf_py_look_at(writing, r, r->bytes, r->size, (uint64_t)status, (uint64_t)length) != 0;
            if (copied)
                Py_XSETREF(writing->memory, lf_py_memory_new((uint64_t)length));
            writing->is_taken = copied;
            writing->participant = lf_py_me(self);
            writing->place = status;
            writing->length = (uint64_t)length;
            writing->thread = writing->memory != NULL ? lf_py_thread() : 0;
            if (writing->memory == NULL)
                status = LF_PY_RAISED;
        }
        lf_py_leave(self);
        if (status == LF_INTERRUPTED && lf_py_between(self, &wait) != 0)
            return NULL;
    } while (status == LF_INTERRUPTED);
    if (status < 0)
        return status == LF_FULL ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
    PyObject *view = lf_py_look_view(writing);
    if (view == NULL) { /* no memory: nothing is reserved */
        PyObject *type, *error, *trace;
        PyErr_Fetch(&type, &error, &trace);
        if (lf_py_look_end(writing) == 0)
            writing->thread = 0;
        PyErr_Restore(type, error, trace);
    }
    return view;
}
/* The length of a message that is to be written. 0, or -1 with an error. */
static int lf_py_broadcast_length(PyObject *object, PyObject *given, int64_t *length) {
    if (lf_py_is_closed((struct lf_py_object *)object)) {
        lf_py_raise((struct lf_py_object *)object, LF_CLOSED);
        return -1;
    }
    return lf_py_integer("length", given, 0, (int64_t)lf_py_broadcast(object)->max_message, length);
}
static PyObject *lf_py_broadcast_reserve(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"reserve", 1, 3, {"length", "block", "timeout"}};
    PyObject *places[3];
    uint64_t ns;
    int64_t length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1] != NULL ? places[1] : Py_False, places[2], &ns) != 0 ||
        lf_py_broadcast_length(object, places[0], &length) != 0)
        return NULL;
    return lf_py_broadcast_begin(object, length, ns);
}

/* The calling thread's reservation, or NULL with an error. */
static struct lf_py_look *lf_py_broadcast_writing(PyObject *object) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_look *writing = &((struct lf_py_broadcast *)object)->writing;
    if (lf_py_is_closed(self))
        lf_py_raise(self, LF_CLOSED);
    else if (!lf_py_look_is_mine(self, writing))
        lf_py_misuse(self, "this thread has nothing in hand: call reserve() first");
    else
        return writing;
    return NULL;
}

/* Puts `length` bytes (-1: all) of the calling thread's reservation. */
static PyObject *lf_py_broadcast_publish(PyObject *object, int64_t length, uint64_t to) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_look *writing = lf_py_broadcast_writing(object);
    int64_t status;
    if (writing == NULL)
        return NULL;
    if (length > (int64_t)writing->length) /* the conversion has run Python code, which reserved another one */
        return PyErr_Format(PyExc_ValueError, "length is %lld: it must be between 0 and %llu", (long long)length,
                            (unsigned long long)writing->length);
    if (length < 0)
        length = (int64_t)writing->length;
    PyObject *memory = writing->is_taken ? Py_NewRef((PyObject *)writing->memory) : NULL;
    if (lf_py_look_end(writing) != 0) {
        Py_XDECREF(memory);
        return NULL;
    }
    writing->thread = 0;
    if (memory != NULL)
        status = lf_py_broadcast_put_bytes(object, ((struct lf_py_memory *)memory)->bytes, (uint64_t)length, to, 0);
    else
        LF_PY_BRIEFLY(
            self, status,
            lf_broadcast_ring_commit(lf_py_broadcast(object), writing->place, writing->length, (uint64_t)length, to));
    Py_XDECREF(memory);
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
}
static PyObject *lf_py_broadcast_commit(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"commit", 0, 2, {"length", "to"}};
    struct lf_py_look *writing;
    PyObject *places[2];
    uint64_t to;
    int64_t length = -1;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_broadcast_to(object, places[1], &to) != 0 || (writing = lf_py_broadcast_writing(object)) == NULL)
        return NULL;
    if (places[0] != NULL && places[0] != Py_None &&
        lf_py_integer("length", places[0], 0, (int64_t)writing->length, &length) != 0)
        return NULL;
    return lf_py_broadcast_publish(object, length, to);
}
static PyObject *lf_py_broadcast_cancel(PyObject *object, PyObject *unused) {
    struct lf_py_look *writing = lf_py_broadcast_writing(object);
    if (writing == NULL || lf_py_look_end(writing) != 0)
        return NULL;
    writing->thread = 0;
    Py_RETURN_NONE;
}

/* write(length, block=True, timeout=None, to=None) */
static PyObject *lf_py_broadcast_enter_write(const struct lf_py_section *section) {
    PyObject *view = lf_py_broadcast_begin(section->object, section->length, section->ns);
    if (view != Py_None)
        return view;
    Py_DECREF(view);
    return lf_py_broadcast_raise(section->object, LF_FULL);
}
static PyObject *lf_py_broadcast_exit_write(const struct lf_py_section *section, int raised) {
    return raised ? lf_py_broadcast_cancel(section->object, NULL)
                  : lf_py_broadcast_publish(section->object, -1, section->to);
}
static const struct lf_py_section_kind lf_py_broadcast_writes = {lf_py_broadcast_enter_write,
                                                                 lf_py_broadcast_exit_write};
static PyObject *lf_py_broadcast_write(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"write", 1, 4, {"length", "block", "timeout", "to"}};
    PyObject *places[4];
    uint64_t ns, to;
    int64_t length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1], places[2], &ns) != 0 || lf_py_broadcast_to(object, places[3], &to) != 0 ||
        lf_py_broadcast_length(object, places[0], &length) != 0)
        return NULL;
    struct lf_py_section *section = lf_py_section_new(object, &lf_py_broadcast_writes, ns);
    if (section != NULL) {
        section->to = to;
        section->length = length;
    }
    return (PyObject *)section;
}

#endif
