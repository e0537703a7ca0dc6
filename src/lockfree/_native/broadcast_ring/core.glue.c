/* BroadcastRing as a Python type. A thread has one place among the readers; the ring finds it by the thread. */
#include "broadcast_ring/place.h"
#include "common/look.h"
#include "common/put_messages.h"
#include "common/section.h"
#include "common/take_messages.h"

static uint64_t lf_py_broadcast_joined(struct lf_broadcast_ring *r) {
    return lf_enter(&r->h) == LF_OK ? lf__log_joined(r) : 0;
}
static uint64_t lf_py_broadcast_missed(struct lf_broadcast_ring *r, uint32_t k) {
    return lf_enter(&r->h) == LF_OK ? lf_load_relaxed(&r->body->readers[k].missed) : 0;
}
/* Bytes that reader k has not read, -1 if nobody has joined there. */
static int64_t lf_py_broadcast_behind(struct lf_broadcast_ring *r, uint32_t k) {
    if (lf_enter(&r->h) != LF_OK)
        return -1;
    uint64_t position = lf_load_acquire(&r->body->readers[k].position);
    uint64_t tail = lf_load_relaxed(&r->body->writer.tail);
    return position & LF__LOG_JOINED ? (int64_t)(tail - (position & ~LF__LOG_JOINED)) : -1;
}
static uint32_t lf_py_broadcast_pid(const struct lf_broadcast_ring *r, const uint64_t *role) {
    uint64_t participant = lf_load_relaxed(role) >> 32;
    return participant > 0 && participant < LF_PARTICIPANTS
               ? lf_load_relaxed(&r->h.segment->participants[participant].pid)
               : 0;
}
static uint32_t lf_py_broadcast_reader_pid(struct lf_broadcast_ring *r, uint32_t k) {
    return lf_enter(&r->h) == LF_OK && k < r->n_readers ? lf_py_broadcast_pid(r, &r->body->readers[k].holder) : 0;
}
static uint32_t lf_py_broadcast_writer_pid(struct lf_broadcast_ring *r) {
    return lf_enter(&r->h) == LF_OK ? lf_py_broadcast_pid(r, &r->body->writer.holder) : 0;
}

/* When this participant joined; 0: there is none, or it has died and that was noticed. */
static uint64_t lf_py_broadcast_alive_since(struct lf_broadcast_ring *r, uint32_t participant) {
    if (lf_enter(&r->h) != LF_OK || participant >= LF_PARTICIPANTS)
        return 0;
    const struct lf_participant *p = &r->h.segment->participants[participant];
    return lf_load_relaxed(&p->in_use) ? p->joined : 0;
}

/* ---- the type ---- */

struct lf_py_broadcast {
    struct lf_py_object o;
    struct lf_py_look writing;
    struct lf_py_look looks[LF_BROADCAST_READERS];
    uint64_t expected; /* put_messages.h */
};

static PyTypeObject *lf_py_broadcast_ring_type __attribute__((unused));
LF_PY_KIND(broadcast_ring)

static struct lf_broadcast_ring *lf_py_broadcast(PyObject *object) {
    return (struct lf_broadcast_ring *)((struct lf_py_object *)object)->p;
}

/* Raises the exception of a status: the class has the words, and says who is late, or who has the role. */
static PyObject *lf_py_broadcast_raise(PyObject *object, int64_t status) {
    if (status == LF_CLOSED || status == LF_PY_RAISED)
        return lf_py_raise((struct lf_py_object *)object, status);
    PyObject *none = PyObject_CallMethod(object, "_raise", "L", (long long)status);
    Py_XDECREF(none); /* it always raises */
    return NULL;
}

/* Whom a message is for: NULL or None, a reader's number, or an iterable of them. 0, or -1 with an error. */
static int lf_py_broadcast_to(PyObject *object, PyObject *given, uint64_t *to) {
    int64_t number, most = (int64_t)lf_py_broadcast(object)->n_readers - 1;
    *to = LF_BROADCAST_TO_ALL;
    if (given == NULL || given == Py_None)
        return 0;
    *to = 0;
    if (most < 0) { /* its constructor failed */
        lf_py_raise((struct lf_py_object *)object, LF_CLOSED);
        return -1;
    }
    if (PyIndex_Check(given)) {
        if (lf_py_integer("to", given, 0, most, &number) != 0)
            return -1;
        *to = UINT64_C(1) << number;
        return 0;
    }
    PyObject *walk = PyObject_GetIter(given), *numbers = walk != NULL ? PySequence_Tuple(walk) : NULL;
    if (walk == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        LF_PY_BAD_VALUE(PyExc_TypeError, given,
                        "to is %U: it must be the number of a reader, or an iterable of numbers", shown);
    }
    Py_XDECREF(walk);
    if (numbers == NULL)
        return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(numbers); i++)
        if ((failed = lf_py_integer("to", PyTuple_GET_ITEM(numbers, i), 0, most, &number) != 0) == 0)
            *to |= UINT64_C(1) << number;
    Py_DECREF(numbers);
    return failed ? -1 : 0;
}

/* ---- put ---- */

/* Puts one message, waiting up to `ns`. A status. */
static int64_t lf_py_broadcast_put_bytes(PyObject *object, const void *message, uint64_t length, uint64_t to,
                                         uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    int64_t status;
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
        LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_try_put(r, message, length, to));
    else
        LF_PY_BRIEFLY(self, status, lf_broadcast_ring_try_put(r, message, length, to));
    if (LF_LIKELY(status != LF_FULL) || ns == 0 || r->slow == LF_SLOW_RAISE)
        return status;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_broadcast_ring_put(r, message, length, to, until));
    return status;
}

/* A put would use the place that the thread has reserved. 0, or -1 with an error. */
static int lf_py_broadcast_no_reservation(PyObject *object) {
    const struct lf_py_look *writing = &((struct lf_py_broadcast *)object)->writing;
    if (LF_LIKELY(writing->thread == 0) || lf_py_is_closed((struct lf_py_object *)object) ||
        !lf_py_look_is_mine((struct lf_py_object *)object, writing))
        return 0;
    lf_py_misuse((struct lf_py_object *)object, "this thread has a reservation: commit() or cancel() it first");
    return -1;
}

/* LF_OK and LF_FULL are left to the caller; else LF_PY_RAISED with the exception. */
static int64_t lf_py_broadcast_put_object(PyObject *object, PyObject *message, uint64_t to, uint64_t ns,
                                          uint64_t *size) {
    Py_buffer view;
    if (lf_py_broadcast_no_reservation(object) != 0 || lf_py_message_bytes(message, &view) != 0)
        return LF_PY_RAISED;
    uint64_t length = *size = (uint64_t)view.len, most = lf_py_broadcast(object)->max_message;
    int64_t status = lf_py_broadcast_put_bytes(object, view.buf, length, to, ns);
    PyBuffer_Release(&view);
    if (status == LF_TOO_LONG && !lf_py_is_closed((struct lf_py_object *)object)) {
        PyErr_Format(PyExc_ValueError, "message has %llu bytes: the ring takes at most %llu, half of its size",
                     (unsigned long long)length, (unsigned long long)most);
        return LF_PY_RAISED;
    }
    if (status != LF_OK && status != LF_FULL) {
        lf_py_broadcast_raise(object, status == LF_TOO_LONG ? (int64_t)LF_CLOSED : status);
        return LF_PY_RAISED;
    }
    return status;
}

static PyObject *lf_py_broadcast_put(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"put", 1, 4, {"message", "block", "timeout", "to"}};
    PyObject *places[4];
    uint64_t ns, to, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1], places[2], &ns) != 0 || lf_py_broadcast_to(object, places[3], &to) != 0)
        return NULL;
    int64_t status = lf_py_broadcast_put_object(object, places[0], to, ns, &length);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_broadcast_raise(object, status);
}
static PyObject *lf_py_broadcast_try_put(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    static const struct lf_py_signature signature = {"try_put", 1, 2, {"message", "to"}};
    PyObject *places[2];
    uint64_t to, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_broadcast_to(object, places[1], &to) != 0)
        return NULL;
    int64_t status = lf_py_broadcast_put_object(object, places[0], to, 0, &length);
    return status == LF_PY_RAISED ? NULL : PyBool_FromLong(status == LF_OK);
}

/* ---- put_many ---- */

static int64_t lf_py_broadcast_put_rest(PyObject *object, const void *packed, const uint32_t *lengths, uint64_t count,
                                        uint64_t to) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_put_many(lf_py_broadcast(object), packed, lengths, count, to));
    return status;
}
static int64_t lf_py_broadcast_room(PyObject *object, uint64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    int64_t place;
    if (lf__log_is_lossy(r))
        return LF_OK; /* put says what is wrong */
    if (lf_py_broadcast_no_reservation(object) != 0)
        return LF_PY_RAISED;
    LF_PY_BRIEFLY(self, place, lf_broadcast_ring_reserve(r, length));
    if (place == LF_FULL && ns != 0 && r->slow != LF_SLOW_RAISE) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, place, lf_broadcast_ring_reserve_wait(r, length, until));
    }
    return place < 0 ? place : LF_OK;
}
static uint64_t *lf_py_broadcast_expected(PyObject *object) { return &((struct lf_py_broadcast *)object)->expected; }
static const struct lf_py_putting lf_py_broadcast_putting = {
    lf_py_broadcast_put_bytes, lf_py_broadcast_put_rest, lf_py_broadcast_put_object,
    lf_py_broadcast_room,      lf_py_broadcast_raise,    lf_py_broadcast_expected,
};

/* _put_packed(packed, lengths, ns, to): how many went in, or a status. */
static PyObject *lf_py_broadcast_put_packed(PyObject *object, PyObject *args) {
    return lf_py_broadcast_no_reservation(object) != 0 ? NULL
                                                       : lf_py_put_packed(object, args, &lf_py_broadcast_putting);
}
/* _put_iterator(messages, ns, to): how many went in. */
static PyObject *lf_py_broadcast_put_iterator(PyObject *object, PyObject *args) {
    return lf_py_put_iterator_of_messages(object, args, &lf_py_broadcast_putting);
}

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
    struct lf_py_wait wait = {0, 0};
    for (;;) {
        if ((status = lf_py_enter(self)) != LF_OK)
            return lf_py_broadcast_raise(object, status);
        status = lf_py_broadcast_find(r, &k, &length, 0, 0);
        if (status == LF_EMPTY && until != 0) {
            LF_PY_WITHOUT_GIL(status = lf_py_broadcast_find(r, &k, &length, 1, until));
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
                Py_XSETREF(look->memory, lf_py_memory_new(length));
                status = look->memory == NULL ? LF_PY_RAISED
                                              : lf_broadcast_ring_take(r, k, place, look->memory->bytes, length);
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
    static const struct lf_py_signature signature = {"peek", 0, 2, {"block", "timeout"}};
    PyObject *places[2];
    uint64_t ns;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[0] != NULL ? places[0] : Py_False, places[1], &ns) != 0)
        return NULL;
    return lf_py_broadcast_look_at_next(object, ns);
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

/* ---- writing in place ---- */

/* A view to write a message of `length` bytes into; None if there is no room. */
static PyObject *lf_py_broadcast_begin(PyObject *object, int64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    struct lf_py_look *writing = &((struct lf_py_broadcast *)object)->writing;
    uint64_t until = lf_py_deadline(ns);
    int64_t status;
    struct lf_py_wait wait = {0, 0};
    do {
        if ((status = lf_py_enter(self)) != LF_OK)
            return lf_py_broadcast_raise(object, status);
        if (lf__log_is_lossy(r)) { /* in memory of its own until it is put */
            status = lf__broadcast_enter(r);
        } else {
            status = lf_broadcast_ring_reserve(r, (uint64_t)length);
            if (status == LF_FULL && until != 0)
                LF_PY_WITHOUT_GIL(status = lf_broadcast_ring_reserve_wait(r, (uint64_t)length, until));
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

/* ---- readers ---- */

/* _join(number): the place of the calling thread from now on; a status below 0. */
static PyObject *lf_py_broadcast_join(PyObject *object, PyObject *number) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status, k;
    if (lf_py_integer("reader", number, 0, UINT32_MAX, &k) != 0)
        return NULL;
    LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_join(lf_py_broadcast(object), (uint32_t)k));
    return PyLong_FromLongLong(status);
}
/* _wait_readers(set, ns): a status. */
static PyObject *lf_py_broadcast_wait_readers(PyObject *object, PyObject *args) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    unsigned long long set, ns;
    int64_t status;
    if (!PyArg_ParseTuple(args, "KK", &set, &ns))
        return NULL;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_broadcast_ring_wait_readers(lf_py_broadcast(object), set, until));
    return lf_py_whether(self, status);
}

/* close(): the calling thread's views end with it. */
static PyObject *lf_py_broadcast_close(PyObject *object, PyObject *unused) {
    struct lf_py_broadcast *self = (struct lf_py_broadcast *)object;
    for (int i = -1; i < (int)LF_BROADCAST_READERS; i++) {
        struct lf_py_look *look = i < 0 ? &self->writing : &self->looks[i];
        if (look->thread != lf_py_thread())
            continue;
        look->thread = 0;
        if (lf_py_look_end(look) != 0)
            PyErr_Clear(); /* its pages are cut off when the handle ends */
    }
    return lf_py_close(object, NULL);
}
static void lf_py_broadcast_before_detach(struct lf_py_object *self) { lf_py_windows_end(self->p); }
/* _use(): the object is attached. */
static PyObject *lf_py_broadcast_use(PyObject *object, PyObject *unused) {
    ((struct lf_py_object *)object)->before_detach = lf_py_broadcast_before_detach;
    Py_RETURN_NONE;
}
static void lf_py_broadcast_dealloc(PyObject *object) {
    struct lf_py_broadcast *self = (struct lf_py_broadcast *)object;
    for (int i = -1; i < (int)LF_BROADCAST_READERS; i++) {
        struct lf_py_look *look = i < 0 ? &self->writing : &self->looks[i];
        lf_py_look_drop(look);
    }
    lf_py_dealloc(object);
}

static PyMethodDef lf_py_broadcast_ring_methods[] = {
    LF_PY_FAST("put", lf_py_broadcast_put,
               "put($self, /, message, block=True, timeout=None, to=None)\n--\n\n"
               "Puts a bytes-like message for every reader, or for the readers `to`: a number or an iterable of them.\n"
               "\n"
               "With `slow=\"wait\"` it waits at most `timeout` seconds (None: for ever) while a reader that has "
               "joined has so\n"
               "much to read that there is no room. Raises queue.Full, which says who is late; RoleTaken if another "
               "thread is\n"
               "the writer; ValueError if the message is longer than `max_message`; Closed after shutdown."),
    LF_PY_FAST("try_put", lf_py_broadcast_try_put,
               "try_put($self, /, message, to=None)\n--\n\n"
               "`put` that never waits; False if there is no room."),
    LF_PY_FAST("get", lf_py_broadcast_get,
               "get($self, /, block=True, timeout=None)\n--\n\n"
               "The next message for the calling thread, as bytes; waits at most `timeout` seconds (None: for ever).\n"
               "\n"
               "Raises queue.Empty; Closed after shutdown, once all is read; Dropped if it fell too far behind "
               "(`slow=\"drop\"`);\n"
               "RuntimeError if it has not joined."),
    {"try_get", lf_py_broadcast_try_get, METH_NOARGS,
     "try_get($self, /)\n--\n\n"
     "`get` that never waits; None if there is no message."},
    LF_PY_FAST("get_many", lf_py_broadcast_get_many,
               "get_many($self, /, n=None, block=False, timeout=None)\n--\n\n"
               "Up to `n` messages (None: all that are there). With `block` it waits for the first one."),
    LF_PY_FAST(
        "peek", lf_py_broadcast_peek,
        "peek($self, /, block=False, timeout=None)\n--\n\n"
        "A view of the next message, or None. Then release(). The writer waits for a reader that does not release."),
    {"release", lf_py_broadcast_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Goes past the message that peek() gave. Its view ends."},
    LF_PY_FAST(
        "read", lf_py_broadcast_read,
        "read($self, /, block=True, timeout=None)\n--\n\n"
        "`with ring.read() as view`: the next message in place, without a copy; it is passed when the block ends.\n"
        "\n"
        "Also when the block raises. What was made of the view (an array) may be kept: it shows memory of its own "
        "then.\n"
        "With `slow=\"drop\"` and `\"overwrite\"` the view shows a copy. queue.Empty as for `get`."),
    LF_PY_FAST("write", lf_py_broadcast_write,
               "write($self, /, length, block=True, timeout=None, to=None)\n--\n\n"
               "`with ring.write(n) as view`: a place for a message of `n` bytes; it is put when the block ends "
               "normally.\n"
               "\n"
               "Nothing is visible before, and nothing stays if the block raises. queue.Full as for `put`."),
    LF_PY_FAST(
        "reserve", lf_py_broadcast_reserve,
        "reserve($self, /, length, block=False, timeout=None)\n--\n\n"
        "A view to write a message of `length` bytes into, or None if there is no room. Then commit() or cancel()."),
    LF_PY_FAST("commit", lf_py_broadcast_commit,
               "commit($self, /, length=None, to=None)\n--\n\n"
               "Puts the first `length` bytes (None: all) of what was written after reserve()."),
    {"cancel", lf_py_broadcast_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\n"
     "Gives the reservation back. Nothing was visible."},
    {"_put_packed", lf_py_broadcast_put_packed, METH_VARARGS, NULL},
    {"_put_iterator", lf_py_broadcast_put_iterator, METH_VARARGS, NULL},
    {"_join", lf_py_broadcast_join, METH_O, NULL},
    {"_wait_readers", lf_py_broadcast_wait_readers, METH_VARARGS, NULL},
    {"_use", lf_py_broadcast_use, METH_NOARGS, NULL},
    LF_PY_METHODS_BUT_CLOSE{"close", lf_py_broadcast_close, METH_NOARGS, LF_PY_CLOSE_DOC},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_broadcast_ring_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot lf_py_broadcast_ring_slots[] = {
    {Py_tp_new, (void *)lf_py_broadcast_ring_new},
    {Py_tp_dealloc, (void *)lf_py_broadcast_dealloc},
    {Py_tp_methods, lf_py_broadcast_ring_methods},
    {Py_tp_getset, lf_py_broadcast_ring_properties},
    {0, NULL},
};
static PyType_Spec lf_py_broadcast_ring_spec = {
    .name = "lockfree.BroadcastRing",
    .basicsize = sizeof(struct lf_py_broadcast),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_broadcast_ring_slots,
};
LF_PY_SURVEY(broadcast_ring, {
    s->room = (int64_t)x->size;
    lf_py_survey_hold(s, lf_load_relaxed(&x->body->writer.holder) >> 32);
    for (uint32_t k = 0; k < x->n_readers; k++)
        lf_py_survey_hold(s, lf_load_relaxed(&x->body->readers[k].holder) >> 32);
})
LF_PY_TYPE(broadcast_ring)
