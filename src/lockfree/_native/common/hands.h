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

/* Before a slot leaves the hand: its view ends, and a window does not lead into the ring any more if anybody sees it.
 * 0, or -1 with MemoryError, and it is still in hand. */
static int lf_py_end_window(PyObject *object, struct lf_py_hand *hand, enum lf_py_which which) {
    struct lf_py_held *held = &hand->held[which];
    struct lf_py_memory *memory = held->memory;
    if (memory == NULL || memory->window.base == NULL)
        return 0;
    PyObject *view = held->view;
    held->view = NULL;
    if (view != NULL)
        lf_py_end_view(view);
    int is_seen = !lf_py_memory_is_unseen(memory);
    if (lf_py_window_end(&memory->window, is_seen) != 0)
        return -1;
    held->memory = NULL;
    if (is_seen || memory->window.is_cut)
        Py_DECREF(memory);
    else
        lf_py_keep_window(object, memory);
    return 0;
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

/* ---- ending ---- */

/* Empties one side of the hand without touching the slot: the view ends. The memory is kept if nobody sees it. */
static void lf_py_let_go(PyObject *object, struct lf_py_hand *hand, enum lf_py_which which) {
    struct lf_py_held *held = &hand->held[which];
    if (lf_py_end_window(object, hand, which) != 0) {
        PyErr_Clear();
        Py_CLEAR(held->memory); /* the end of the handle looks at it once more */
    }
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
        lf_py_let_go(object, hand, which); /* it is the parent's */
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

#endif
