/* hands.h: what a thread has in hand between two calls of a container: a reservation, a peeked record, a lease.
 *
 * Contract
 *   A hand is the calling thread's, and this process's: a forked child has not in hand what its parent has. A slot is in a
 *   hand, or given back, before any Python code can run. What a thread has in hand stays so when an exception comes out of
 *   a signal handler: the thread can commit, cancel or release it.
 *   Views end when the hand is empty again. A memoryview raises ValueError then; an array keeps memory of its own. */
#ifndef LOCKFREE_PY_HANDS_H
#define LOCKFREE_PY_HANDS_H

#include "common/container.h"

enum lf_py_which { LF_PY_RESERVED, LF_PY_PEEKED };

struct lf_py_held {
    int64_t slot;                /* -1: nothing */
    uint32_t participant;        /* whose it is: this process's number when it was taken */
    PyObject *view;              /* what the user got */
    struct lf_py_memory *memory; /* the record, or the memory for the next one */
};

struct lf_py_hand {
    struct lf_py_hand *next;
    uint64_t thread; /* 0: nobody's */
    struct lf_py_held held[2];
};

/* A number that no other thread of this process has or had. */
static uint64_t lf_py_thread(void) {
    static uint64_t last;
    static __thread uint64_t mine;
    return LF_LIKELY(mine != 0) ? mine : (mine = lf_fetch_add_relaxed(&last, 1) + 1);
}

#ifdef Py_GIL_DISABLED
#define LF_PY_LOCK_HANDS(self) PyMutex_Lock(&(self)->lock)
#define LF_PY_UNLOCK_HANDS(self) PyMutex_Unlock(&(self)->lock)
#else
#define LF_PY_LOCK_HANDS(self) ((void)(self))
#define LF_PY_UNLOCK_HANDS(self) ((void)(self))
#endif

/* The calling thread's hand, or NULL. `make`: a new one if it has none; NULL if there is no memory, without an error. */
static struct lf_py_hand *lf_py_hand(PyObject *object, int make) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    struct lf_py_hand *hand, *unused = NULL;
    uint64_t me = lf_py_thread();
    LF_PY_LOCK_HANDS(self);
    for (hand = self->hands; hand != NULL && hand->thread != me; hand = hand->next)
        if (unused == NULL && lf_load_acquire(&hand->thread) == 0)
            unused = hand;
    if (hand == NULL && make && (hand = unused) != NULL)
        hand->thread = me;
    if (hand == NULL && make && (hand = (struct lf_py_hand *)PyMem_RawCalloc(1, sizeof *hand)) != NULL) {
        hand->thread = me;
        hand->held[LF_PY_RESERVED].slot = hand->held[LF_PY_PEEKED].slot = -1;
        hand->next = self->hands;
        self->hands = hand;
    }
    LF_PY_UNLOCK_HANDS(self);
    return hand;
}

/* After the last use of a hand: another thread may have it if it is empty. */
static void lf_py_hand_down(struct lf_py_hand *hand) {
    if (hand->held[LF_PY_RESERVED].slot < 0 && hand->held[LF_PY_PEEKED].slot < 0)
        lf_store_release(&hand->thread, (uint64_t)0);
}

/* This process's participant number now; 0 if it cannot be one. Inside. */
static uint32_t lf_py_me(struct lf_py_object *self) { return lf_py_participant((struct lf_handle *)self->p); }

static void lf_py_end_view(PyObject *view) {
    if (PyMemoryView_Check(view)) {
        PyObject *done = PyObject_CallMethod(view, "release", NULL);
        if (done == NULL)
            PyErr_Clear(); /* somebody has an array of it, which keeps the memory */
        Py_XDECREF(done);
    }
    Py_DECREF(view);
}

/* Empties one side of the hand without touching the slot: the view ends. The memory is kept if nobody sees it. */
static void lf_py_let_go(struct lf_py_hand *hand, enum lf_py_which which) {
    struct lf_py_held *held = &hand->held[which];
    PyObject *view = held->view;
    held->view = NULL;
    held->slot = -1;
    if (view != NULL)
        lf_py_end_view(view);
    if (held->memory != NULL && !lf_py_memory_is_unseen(held->memory))
        Py_CLEAR(held->memory);
    lf_py_hand_down(hand);
}

static const char *const lf_py_nothing_in_hand[] = {"this thread has nothing in hand: call reserve() first",
                                                    "this thread has nothing in hand: call peek() first"};
static const char *const lf_py_in_hand_already[] = {
    "this thread has a reservation already: commit() or cancel() it first",
    "this thread has a record in hand already: release() it first"};

/* The calling thread's hand with something of this process's in it; NULL with RuntimeError or Closed. */
static struct lf_py_hand *lf_py_in_hand(PyObject *object, enum lf_py_which which) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_handle *h = (struct lf_handle *)self->p;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_enter(h)); /* notices a fork */
    uint32_t participant = lf_load_relaxed(&h->participant);
    if (status != LF_OK) {
        lf_py_raise(self, status);
        return NULL;
    }
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    if (hand != NULL && hand->held[which].slot >= 0 && hand->held[which].participant != participant) {
        lf_py_let_go(hand, which); /* it is the parent's */
        hand = lf_py_hand(object, 0);
    }
    if (hand != NULL && hand->held[which].slot >= 0)
        return hand;
    return (struct lf_py_hand *)lf_py_misuse(self, lf_py_nothing_in_hand[which]);
}

/* 0 if the calling thread has nothing of this process's in that side of its hand; else -1 with an error. */
static int lf_py_require_empty(PyObject *object, enum lf_py_which which) {
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    if (hand == NULL || hand->held[which].slot < 0)
        return 0;
    if (lf_py_in_hand(object, which) != NULL)
        lf_py_misuse((struct lf_py_object *)object, lf_py_in_hand_already[which]);
    else if (PyErr_ExceptionMatches(PyExc_RuntimeError))
        PyErr_Clear(); /* it was the parent's */
    return PyErr_Occurred() ? -1 : 0;
}

/* Memory for a record and, with a dtype, the array over it. 0, or -1 with an error. */
LF_PY_GENERIC int lf_py_staging(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which,
                                struct lf_py_memory **memory, PyObject **view) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    *view = NULL;
    if (self->codec == NULL) {
        lf_py_closed_error(object);
        return -1;
    }
    struct lf_py_hand *hand = lf_py_hand(object, 1);
    *memory = hand != NULL ? hand->held[which].memory : NULL;
    if (*memory != NULL && hand->held[which].slot < 0 && lf_py_memory_is_unseen(*memory))
        hand->held[which].memory = NULL;
    else
        *memory = lf_py_memory_new(ops->record_size(self->o.p));
    if (hand != NULL)
        lf_py_hand_down(hand);
    if (*memory == NULL)
        return -1;
    (*memory)->length = (*memory)->room;
    if (!self->is_bytes)
        *view = PyObject_CallMethod(self->codec, "view", "(O)", *memory);
    else if (which == LF_PY_RESERVED)
        *view = PyMemoryView_FromObject((PyObject *)*memory);
    if (*view == NULL && PyErr_Occurred()) {
        Py_CLEAR(*memory);
        return -1;
    }
    return 0;
}

/* Puts a slot in the calling thread's hand, with references to memory and view. 0, or -1 with an error: nothing taken. */
static int lf_py_take_in_hand(PyObject *object, enum lf_py_which which, int64_t slot, struct lf_py_memory *memory,
                              PyObject *view) {
    struct lf_py_hand *hand = lf_py_hand(object, 1);
    if (hand == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    struct lf_py_held *held = &hand->held[which];
    if (held->slot >= 0) { /* a signal handler was faster */
        lf_py_misuse((struct lf_py_object *)object, "a signal handler of this thread has taken one in hand meanwhile");
        return -1;
    }
    Py_XSETREF(held->memory, memory);
    Py_XSETREF(held->view, view);
    held->slot = slot;
    held->participant = lf_py_me((struct lf_py_object *)object);
    return 0;
}

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

LF_PY_GENERIC PyObject *lf_py_reserve(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory;
    struct lf_py_stay stay;
    PyObject *view;
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
        PyObject *dtype = PyObject_GetAttrString(LF_PY_CONTAINER(object)->codec, "dtype");
        if (dtype != NULL)
            PyErr_Format(PyExc_ValueError, "length is %lld: a record of dtype %S has %lld bytes", (long long)length,
                         dtype, (long long)size);
        Py_XDECREF(dtype);
        return NULL;
    }
    struct lf_py_hand *hand = lf_py_in_hand(object, LF_PY_RESERVED); /* the conversion may have run Python code */
    if (hand == NULL)
        return NULL;
    int64_t slot = hand->held[LF_PY_RESERVED].slot;
    struct lf_py_memory *memory = (struct lf_py_memory *)Py_NewRef((PyObject *)hand->held[LF_PY_RESERVED].memory);
    int64_t status = lf_py_stay_begin(&stay, self);
    if (status == LF_OK) {
        hand->held[LF_PY_RESERVED].slot = -1;
        status = lf_py_is_closed(self) ? LF_CLOSED
                                       : lf_py_publish(&stay, ops, slot, memory->bytes, (uint64_t)length, level);
        lf_py_stay_end(&stay);
    }
    Py_DECREF(memory);
    lf_py_let_go(hand, LF_PY_RESERVED);
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
    LF_PY_BRIEFLY(self, status, lf_py_is_closed(self) ? LF_CLOSED : give(self->p, slot));
    lf_py_let_go(hand, which);
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

LF_PY_GENERIC PyObject *lf_py_peek(PyObject *object, const struct lf_py_ops *ops, uint64_t ns) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_memory *memory;
    struct lf_py_stay stay;
    PyObject *view, *pair = NULL;
    uint64_t length = 0;
    uint32_t level = 0;
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
    if (pair == NULL || view == NULL) {
        Py_XDECREF(pair);
        return view;
    }
    PyTuple_SET_ITEM(pair, 0, PyLong_FromLong((long)level));
    PyTuple_SET_ITEM(pair, 1, view);
    return pair;
}

/* ---- the end of the object ---- */

/* close(): the calling thread's views end with it. */
static PyObject *lf_py_close_container(PyObject *object, PyObject *unused) {
    for (int which = 0; which < 2; which++) {
        struct lf_py_hand *hand = lf_py_is_closed((struct lf_py_object *)object) ? NULL : lf_py_hand(object, 0);
        if (hand != NULL)
            lf_py_let_go(hand, (enum lf_py_which)which);
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
    Py_XSETREF(self->codec, Py_NewRef(codec));
    Py_RETURN_NONE;
}

#endif
