/* MessageRing as a Python type. */
#include "common/ending.h"
#include "common/look.h"

static uint64_t lf_py_message_ring_blocks(struct lf_message_ring *r) { return r->store.slots; }
/* As the creator asked: a bound that the number of blocks keeps by itself, too. */
static uint64_t lf_py_message_ring_most(struct lf_message_ring *r) { return r->h.segment->identity.geometry[3]; }
/* Blocks that are free; LF_CLOSED. */
static int64_t lf_py_message_ring_free(struct lf_message_ring *r) {
    int status = lf_enter(&r->h);
    return status == LF_OK ? (int64_t)lf_message_ring_free(r) : status;
}
/* After shutdown 1, or 2 if it was an immediate one; 0 before it; LF_CLOSED. */
static int64_t lf_py_message_ring_ending(struct lf_message_ring *r) {
    int status = lf_enter(&r->h);
    return status == LF_OK ? (int64_t)lf_load_seq_cst(&r->h.segment->ending) /* pairs with [D1] */ : status;
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
static PyObject *lf_py_messages_raise(PyObject *object, int64_t status) {
    return lf_py_raise((struct lf_py_object *)object, status);
}

#include "message_ring/puts.h"
#include "message_ring/gets.h"
#include "message_ring/in_place.h"

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
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 || lf_py_remaining(places[0], &ns) != 0)
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
static PyObject *lf_py_messages_free(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_message_ring *r = lf_py_messages_of(object);
    int64_t blocks;
    LF_PY_BRIEFLY(self, blocks, lf_py_message_ring_free(r));
    return blocks < 0 ? lf_py_raise(self, blocks) : PyLong_FromLongLong(blocks * (int64_t)r->block_bytes);
}

static int lf_py_messages_shutdown_inside(struct lf_py_object *self, int immediate) {
    if (lf_py_is_closed(self))
        return LF_CLOSED;
    lf_message_ring_shutdown((struct lf_message_ring *)self->p, immediate);
    return LF_OK;
}
static PyObject *lf_py_messages_shutdown(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                         PyObject *keywords) {
    return lf_py_shut_down(object, args, count, keywords, lf_py_messages_shutdown_inside);
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

#include "message_ring/methods.h"

LF_PY_SURVEY(message_ring, {
    s->puts = (int64_t)(lf_queue_published(&x->queues[LF__MESSAGES]) - x->h.segment->identity.geometry[2]);
    s->gets = (int64_t)(lf_queue_taken(&x->queues[LF__MESSAGES]) - x->h.segment->identity.geometry[2]);
    s->inside = (int64_t)(x->most != 0 ? lf_queue_size(&x->queues[LF__MESSAGES])
                                       : x->store.slots - lf_queue_size(&x->queues[LF__FREE]));
    s->room = (int64_t)(x->most != 0 ? x->most : x->store.slots);
    lf_py_survey_store(x->queues, 2, s);
})
LF_PY_TYPE(message_ring)
