/* MessageRing as a Python type. */
#include "common/look.h"
#include "common/put_messages.h"
#include "common/section.h"
#include "common/take_messages.h"
#include "message_ring/pickles.h"

static uint64_t lf_py_message_ring_blocks(struct lf_message_ring *r) { return r->store.slots; }
/* As the creator asked: a bound that the number of blocks keeps by itself, too. */
static uint64_t lf_py_message_ring_most(struct lf_message_ring *r) { return r->h.segment->identity.geometry[3]; }
/* Blocks that are free; LF_CLOSED. */
static int64_t lf_py_message_ring_free(struct lf_message_ring *r) {
    int status = lf_enter(&r->h);
    return status == LF_OK ? (int64_t)lf_message_ring_free(r) : status;
}

#define LF_PY_LOOKS 64 /* threads that have a message in hand at a time */
struct lf_py_messages {
    struct lf_py_object o;
    struct lf_py_look looks[LF_PY_LOOKS];
    uint64_t expected; /* put_messages.h */
};

static PyTypeObject *lf_py_message_ring_type __attribute__((unused));
LF_PY_KIND(message_ring)

static struct lf_message_ring *lf_py_messages_of(PyObject *object) {
    return (struct lf_message_ring *)((struct lf_py_object *)object)->p;
}

/* ---- put ---- */

static PyObject *lf_py_messages_raise(PyObject *object, int64_t status) {
    return lf_py_raise((struct lf_py_object *)object, status);
}

/* The exception of a put that was refused; LF_PY_RAISED. */
static int64_t lf_py_messages_refuse(PyObject *object, int64_t status, uint64_t length) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (status == LF_TOO_LONG && !lf_py_is_closed(self))
        PyErr_Format(PyExc_ValueError, "message has %llu bytes: the ring takes at most %llu",
                     (unsigned long long)length, (unsigned long long)lf_py_messages_of(object)->max_message);
    else
        lf_py_raise(self, status == LF_TOO_LONG ? (int64_t)LF_CLOSED : status);
    return LF_PY_RAISED;
}

/* Puts one message, waiting up to `ns`. LF_OK, LF_FULL, or LF_PY_RAISED with the exception. */
static int64_t lf_py_messages_put_object(PyObject *object, PyObject *message, uint64_t ns, uint64_t *size) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    Py_buffer view;
    int64_t status;
    if (lf_py_message_bytes(message, &view) != 0)
        return LF_PY_RAISED;
    uint64_t length = *size = (uint64_t)view.len;
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY))
        LF_PY_AT_LENGTH(self, status, lf_message_ring_try_put(r, view.buf, length));
    else
        LF_PY_BRIEFLY(self, status, lf_message_ring_try_put(r, view.buf, length));
    if (LF_UNLIKELY(status == LF_FULL) && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_message_ring_put(r, view.buf, length, until));
    }
    PyBuffer_Release(&view);
    return LF_LIKELY(status == LF_OK || status == LF_FULL) ? status : lf_py_messages_refuse(object, status, length);
}

/* _put_plain(obj, block, timeout): puts the pickle of an object of plain types, and returns True; False: it is none. */
static PyObject *lf_py_messages_put_plain(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    uint64_t ns, length = 0;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "_put_plain() takes 3 arguments (%zd given)", count);
    if (!lf_py_is_plain(args[0]))
        Py_RETURN_FALSE;
    if (lf_py_patience(args[1], args[2], &ns) != 0)
        return NULL;
    PyObject *data = lf_py_pickle_of(args[0]);
    if (data == NULL)
        return NULL;
    int64_t status = lf_py_messages_put_object(object, data, ns, &length);
    Py_DECREF(data);
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_TRUE;
    return status == LF_PY_RAISED ? NULL : lf_py_none((struct lf_py_object *)object, status);
}

static PyObject *lf_py_messages_put(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"put", 1, 3, {"message", "block", "timeout"}};
    PyObject *places[3];
    uint64_t ns, length;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1], places[2], &ns) != 0)
        return NULL;
    int64_t status = lf_py_messages_put_object(object, places[0], ns, &length);
    return status == LF_PY_RAISED ? NULL : lf_py_none((struct lf_py_object *)object, status);
}
static PyObject *lf_py_messages_try_put(PyObject *object, PyObject *message) {
    uint64_t length;
    int64_t status = lf_py_messages_put_object(object, message, 0, &length);
    return status == LF_PY_RAISED ? NULL : PyBool_FromLong(status == LF_OK);
}

/* _put_pieces(pieces, block, timeout): one message, from a list of bytes-like pieces. As put. */
static PyObject *lf_py_messages_put_pieces(PyObject *object, PyObject *args) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    PyObject *list, *block, *timeout;
    uint64_t ns, length = 0;
    if (!PyArg_ParseTuple(args, "O!OO", &PyList_Type, &list, &block, &timeout) ||
        lf_py_patience(block, timeout, &ns) != 0)
        return NULL;
    Py_ssize_t count = PyList_GET_SIZE(list), ready = 0;
    Py_buffer *views = PyMem_Calloc((size_t)count + 1, sizeof *views);
    struct lf_piece *pieces = PyMem_Calloc((size_t)count + 1, sizeof *pieces);
    int64_t status = views != NULL && pieces != NULL ? (int64_t)LF_OK : LF_PY_RAISED;
    if (status != LF_OK)
        PyErr_NoMemory();
    while (status == LF_OK && ready < count) {
        PyObject *piece = Py_NewRef(PyList_GET_ITEM(list, ready));
        if (lf_py_message_bytes(piece, &views[ready]) != 0)
            status = LF_PY_RAISED;
        else
            pieces[ready].bytes = views[ready].buf, pieces[ready].length = (uint64_t)views[ready].len,
            length += (uint64_t)views[ready].len, ready++;
        Py_DECREF(piece);
    }
    if (status == LF_OK && length > r->max_message) {
        status = LF_TOO_LONG;
    } else if (status == LF_OK) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_message_ring_put_pieces(r, pieces, (uint64_t)count, until));
    }
    while (ready > 0)
        PyBuffer_Release(&views[--ready]);
    PyMem_Free(views);
    PyMem_Free(pieces);
    if (status != LF_OK && status != LF_FULL && status != LF_PY_RAISED)
        status = lf_py_messages_refuse(object, status, length);
    return status == LF_PY_RAISED ? NULL : lf_py_none(self, status);
}

/* ---- put_many ---- */

static int64_t lf_py_messages_put_bytes(PyObject *object, const void *message, uint64_t length, uint64_t to,
                                        uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_message_ring_try_put(r, message, length));
    if (status != LF_FULL || ns == 0)
        return status;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_message_ring_put(r, message, length, until));
    return status;
}
static int64_t lf_py_messages_put_rest(PyObject *object, const void *packed, const uint32_t *lengths, uint64_t count,
                                       uint64_t to) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_AT_LENGTH(self, status, lf_message_ring_put_many(lf_py_messages_of(object), packed, lengths, count));
    return status;
}
static int64_t lf_py_messages_put_item(PyObject *object, PyObject *message, uint64_t to, uint64_t ns,
                                       uint64_t *length) {
    return lf_py_messages_put_object(object, message, ns, length);
}
static int64_t lf_py_messages_room(PyObject *object, uint64_t length, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    int64_t first;
    LF_PY_BRIEFLY(self, first, lf_message_ring_reserve(r, length));
    if (first == LF_FULL && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, first, lf_message_ring_reserve_wait(r, length, until));
    }
    if (first >= 0) {
        int64_t status;
        LF_PY_BRIEFLY(self, status, lf_message_ring_cancel(r, first));
        (void)status; /* closed meanwhile: it is given back */
    }
    return first < 0 ? first : LF_OK;
}
static uint64_t *lf_py_messages_expected(PyObject *object) { return &((struct lf_py_messages *)object)->expected; }
static const struct lf_py_putting lf_py_messages_putting = {
    lf_py_messages_put_bytes, lf_py_messages_put_rest, lf_py_messages_put_item,
    lf_py_messages_room,      lf_py_messages_raise,    lf_py_messages_expected,
};

/* _put_packed(packed, lengths, ns): how many went in, or a status. */
static PyObject *lf_py_messages_put_packed(PyObject *object, PyObject *args) {
    return lf_py_put_packed(object, args, &lf_py_messages_putting);
}
/* _put_iterator(messages, ns): how many went in. */
static PyObject *lf_py_messages_put_iterator(PyObject *object, PyObject *args) {
    return lf_py_put_iterator_of_messages(object, args, &lf_py_messages_putting);
}

/* ---- get ---- */

/* Takes the next message in hand, waiting up to `ns`: inside, its first block; or not inside, a status. */
static int64_t lf_py_messages_find(struct lf_py_object *self, uint64_t ns, uint64_t *length, struct lf_py_stay *stay) {
    struct lf_message_ring *r = (struct lf_message_ring *)self->p;
    int64_t first = lf_py_stay_begin(stay, self);
    if (LF_UNLIKELY(first != LF_OK))
        return first;
    first = lf_message_ring_peek(r, 0, length);
    if (LF_LIKELY(first >= 0))
        return first;
    lf_py_stay_end(stay);
    if (ns == 0 || first != LF_EMPTY)
        return first;
    uint64_t until = lf_py_deadline(ns);
    struct lf_py_wait wait = {0, 0};
    do {
        if (lf_py_enter(self) != LF_OK)
            return LF_CLOSED;
        LF_PY_WITHOUT_GIL(first = lf_message_ring_peek_wait(r, 0, length, until));
        stay->counted = 1;
        if (first >= 0)
            return first;
        lf_py_leave(self);
    } while (first == LF_INTERRUPTED && lf_py_between(self, &wait) == 0);
    return first == LF_INTERRUPTED ? LF_PY_RAISED : first;
}

/* The next message as bytes, or as a bytearray if it has more than `most` bytes. NULL with *status LF_EMPTY, LF_PY_RAISED
 * (an exception is set) or another refusal. */
static PyObject *lf_py_messages_take_as(PyObject *object, uint64_t ns, uint64_t most, int64_t *status) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    struct lf_py_stay stay;
    uint64_t length = 0;
    int64_t first = *status = lf_py_messages_find(self, ns, &length, &stay);
    if (first < 0)
        return NULL;
    int as_bytes = length <= most;
    PyObject *message = as_bytes ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length)
                                 : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)length);
    char *to = message == NULL ? NULL : as_bytes ? PyBytes_AS_STRING(message) : PyByteArray_AS_STRING(message);
    if (LF_UNLIKELY(message == NULL)) {
        lf_message_ring_commit(r, first); /* inside again, at the tail */
        *status = LF_PY_RAISED;
    } else if (LF_UNLIKELY(length > LF_PY_LONG_COPY) && lf_py_stay_count(&stay)) {
        LF_PY_WITHOUT_GIL(*status = lf_message_ring_take(r, first, to, length));
    } else {
        *status = lf_message_ring_take(r, first, to, length);
    }
    lf_py_stay_end(&stay);
    if (LF_UNLIKELY(*status < 0))
        Py_CLEAR(message);
    return message;
}

static PyObject *lf_py_messages_take(PyObject *object, uint64_t ns, int64_t *status) {
    return lf_py_messages_take_as(object, ns, UINT64_MAX, status);
}
#define LF_PY_SHORT 4096 /* a longer pickle may have buffers, which must be writable */
static PyObject *lf_py_messages_take_pickle(PyObject *object, uint64_t ns, int64_t *status) {
    return lf_py_messages_take_as(object, ns, LF_PY_SHORT, status);
}

static PyObject *lf_py_messages_get(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}
/* _get_pickle(block=True, timeout=None): as get; a long message is a bytearray. */
static PyObject *lf_py_messages_get_pickle(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    return lf_py_get_message(object, args, count, keywords, lf_py_messages_take_pickle, lf_py_messages_raise);
}
/* _get_object(block=True, timeout=None): the object that a pickle in the next message stands for. Between taking the
 * message and unpickling it no Python code runs. */
static PyObject *lf_py_messages_get_object(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    PyObject *message = lf_py_messages_get_pickle(object, args, count, keywords);
    PyObject *found = message != NULL ? lf_py_object_of(message) : NULL;
    Py_XDECREF(message);
    return found;
}
static PyObject *lf_py_messages_try_get(PyObject *object, PyObject *unused) {
    return lf_py_try_get_message(object, lf_py_messages_take, lf_py_messages_raise);
}
static PyObject *lf_py_messages_get_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    return lf_py_get_messages(object, args, count, keywords, lf_py_messages_take, lf_py_messages_raise);
}

/* ---- in place ---- */

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
static int lf_py_messages_see(PyObject *object, int64_t first, uint64_t length, struct lf_py_look **seen) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    uint64_t place = (uint64_t)first * r->block_bytes + sizeof(struct lf_slot);
    struct lf_py_look *look = lf_py_messages_look(object) == NULL ? lf_py_messages_claim(object) : NULL;
    int64_t status = LF_OK;
    if (look == NULL) {
        lf_message_ring_commit(r, first); /* inside again, at the tail */
        lf_py_misuse(self, lf_py_messages_look(object) != NULL
                               ? "a signal handler of this thread has taken one in hand meanwhile"
                               : "64 threads have a message in hand");
        return -1;
    }
    if (length > r->room || lf_py_look_at(look, r, r->bytes, r->store.slots * r->block_bytes, place, length) != 0) {
        Py_XSETREF(look->memory, lf_py_memory_new(length));
        if (look->memory != NULL)
            status = lf_message_ring_read(r, first, look->memory->bytes, length);
    }
    look->participant = lf_py_me(self);
    look->is_taken = 0;
    look->place = first;
    look->length = length;
    *seen = look;
    if (LF_LIKELY(look->memory != NULL && status == LF_OK))
        return 0;
    lf_message_ring_commit(r, first);
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
    int failed = lf_py_messages_see(object, first, length, &look);
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
    static const struct lf_py_signature signature = {"peek", 0, 2, {"block", "timeout"}};
    PyObject *places[2];
    uint64_t ns;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[0] != NULL ? places[0] : Py_False, places[1], &ns) != 0)
        return NULL;
    return lf_py_messages_look_at_next(object, ns);
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
                  : back                          ? lf_message_ring_commit(r, first)
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

/* ---- tasks ---- */

static PyObject *lf_py_messages_task_done(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_message_ring_task_done(lf_py_messages_of(object)));
    if (status == LF_OVERFLOW)
        return PyErr_Format(PyExc_ValueError, "task_done() called too many times: every task is done");
    return lf_py_none(self, status);
}
static PyObject *lf_py_messages_join(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"join", 0, 1, {"timeout"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *places[1];
    uint64_t ns;
    int64_t status;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(NULL, places[0], &ns) != 0)
        return NULL;
    uint64_t until = lf_py_deadline(ns);
    LF_PY_UNTIL_DONE(self, status, lf_message_ring_join(lf_py_messages_of(object), until));
    if (status == LF_TIMEDOUT)
        Py_RETURN_FALSE;
    return status == LF_OK ? Py_NewRef(Py_True) : lf_py_raise(self, status);
}
static PyObject *lf_py_messages_unfinished(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self) ? LF_CLOSED : (int64_t)lf_message_ring_unfinished(lf_py_messages_of(object)));
    return status < 0 ? lf_py_raise(self, status) : PyLong_FromLongLong(status);
}

/* ---- state and end ---- */

static PyObject *lf_py_messages_qsize(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self) ? LF_CLOSED : (int64_t)lf_message_ring_size(lf_py_messages_of(object)));
    return status < 0 ? lf_py_raise(self, status) : PyLong_FromLongLong(status);
}

/* close(): the calling thread's view ends with it. */
static PyObject *lf_py_messages_close(PyObject *object, PyObject *unused) {
    struct lf_py_look *look = lf_py_messages_look(object);
    if (look != NULL) {
        if (lf_py_look_end(look) != 0)
            PyErr_Clear(); /* its pages are cut off when the handle ends */
        lf_py_messages_hand_down(look);
    }
    return lf_py_close(object, NULL);
}
static void lf_py_messages_before_detach(struct lf_py_object *self) { lf_py_windows_end(self->p); }
/* _use(): the object is attached. */
static PyObject *lf_py_messages_use(PyObject *object, PyObject *unused) {
    ((struct lf_py_object *)object)->before_detach = lf_py_messages_before_detach;
    Py_RETURN_NONE;
}
static void lf_py_messages_dealloc(PyObject *object) {
    for (int i = 0; i < LF_PY_LOOKS; i++)
        lf_py_look_drop(&((struct lf_py_messages *)object)->looks[i]);
    lf_py_dealloc(object);
}

static PyMethodDef lf_py_message_ring_methods[] = {
    LF_PY_FAST("put", lf_py_messages_put,
               "put($self, /, message, block=True, timeout=None)\n--\n\n"
               "Puts a bytes-like message, waiting at most `timeout` seconds (None: for ever) for room.\n"
               "\n"
               "Raises queue.Full; ValueError if the message is longer than `max_message`; Closed after shutdown."),
    {"try_put", lf_py_messages_try_put, METH_O,
     "try_put($self, message, /)\n--\n\n"
     "`put` that never waits; False if there is no room."},
    LF_PY_FAST("get", lf_py_messages_get,
               "get($self, /, block=True, timeout=None)\n--\n\n"
               "The oldest message, as bytes; waits at most `timeout` seconds (None: for ever) for one.\n"
               "\n"
               "Raises queue.Empty; Closed after shutdown, when nothing is left."),
    {"try_get", lf_py_messages_try_get, METH_NOARGS,
     "try_get($self, /)\n--\n\n"
     "`get` that never waits; None if nothing is inside."},
    LF_PY_FAST("get_many", lf_py_messages_get_many,
               "get_many($self, /, n=None, block=False, timeout=None)\n--\n\n"
               "Up to `n` messages (None: all that are there). With `block` it waits for the first one."),
    LF_PY_FAST(
        "peek", lf_py_messages_peek,
        "peek($self, /, block=False, timeout=None)\n--\n\n"
        "Takes the oldest message; a view of it, or None. Then release(). If the process dies, the message is lost."),
    {"release", lf_py_messages_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Frees the message that peek() gave. Its view ends."},
    LF_PY_FAST("read", lf_py_messages_read,
               "read($self, /, block=True, timeout=None)\n--\n\n"
               "`with ring.read() as view`: takes the oldest message; it is seen in place if it fits into one block.\n"
               "\n"
               "Its blocks are free when the block ends, also if that raises. What was made of the view (an array) may "
               "be kept:\n"
               "it has memory of its own then. queue.Empty as for `get`."),
    {"qsize", lf_py_messages_qsize, METH_NOARGS,
     "qsize($self, /)\n--\n\n"
     "How many messages are inside: exact while nobody else is running."},
    {"task_done", lf_py_messages_task_done, METH_NOARGS,
     "task_done($self, /)\n--\n\n"
     "Says that one message that was taken is dealt with. ValueError if every message that was put is."},
    LF_PY_FAST(
        "join", lf_py_messages_join,
        "join($self, /, timeout=None)\n--\n\n"
        "Waits until `task_done` was called for every message that was put, at most `timeout` seconds (None: for\n"
        "ever). False after the time-out."),
    {"unfinished", lf_py_messages_unfinished, METH_NOARGS,
     "unfinished($self, /)\n--\n\n"
     "How many messages were put and are not dealt with: exact while nobody else is running."},
    LF_PY_FAST("_put_message", lf_py_messages_put, NULL), /* put, where a subclass puts something else */
    LF_PY_FAST("_get_pickle", lf_py_messages_get_pickle, NULL),
    LF_PY_FAST("_get_object", lf_py_messages_get_object, NULL),
    {"_put_plain", (PyCFunction)(void (*)(void))lf_py_messages_put_plain, METH_FASTCALL, NULL},
    {"_put_pieces", lf_py_messages_put_pieces, METH_VARARGS, NULL},
    {"_put_packed", lf_py_messages_put_packed, METH_VARARGS, NULL},
    {"_put_iterator", lf_py_messages_put_iterator, METH_VARARGS, NULL},
    {"_use", lf_py_messages_use, METH_NOARGS, NULL},
    LF_PY_METHODS_BUT_CLOSE{"close", lf_py_messages_close, METH_NOARGS, LF_PY_CLOSE_DOC},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_message_ring_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot lf_py_message_ring_slots[] = {
    {Py_tp_new, (void *)lf_py_message_ring_new},
    {Py_tp_dealloc, (void *)lf_py_messages_dealloc},
    {Py_tp_methods, lf_py_message_ring_methods},
    {Py_tp_getset, lf_py_message_ring_properties},
    {0, NULL},
};
static PyType_Spec lf_py_message_ring_spec = {
    .name = "lockfree.MessageRing",
    .basicsize = sizeof(struct lf_py_messages),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_message_ring_slots,
};
LF_PY_SURVEY(message_ring, {
    s->puts = (int64_t)(lf_py_survey_tail(&x->queues[LF__MESSAGES]) - x->h.segment->identity.geometry[2]);
    s->gets = (int64_t)(lf_py_survey_head(&x->queues[LF__MESSAGES]) - x->h.segment->identity.geometry[2]);
    s->inside = (int64_t)(x->store.slots - lf_queue_size(&x->queues[LF__FREE]));
    s->room = (int64_t)x->store.slots;
    lf_py_survey_store(x->queues, 2, s);
})
LF_PY_TYPE(message_ring)
