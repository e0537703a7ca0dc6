/* hands.h: what a thread took last between two calls of a container: a reservation, a peeked record.
 *
 * Contract
 *   A hand is the calling thread's, and this process's: a forked child has not in hand what its parent has. A slot is in a
 *   hand, or given back, before any Python code can run. What a thread has in hand stays so when an exception comes out of
 *   a signal handler: the thread can commit, cancel or release it.
 *   A call without a view means what the thread took last. A hand keeps the last reservation, also without its view. An
 *   earlier one belongs to its views (loans.h), and so does every peeked record. Of records that stay in place, the hand
 *   keeps both, and there is one of each.
 *   Views end when their loan does. A memoryview raises ValueError then; an array keeps memory of its own. */
#ifndef LOCKFREE_PY_HANDS_H
#define LOCKFREE_PY_HANDS_H

#include "common/loans.h"

struct lf_py_held {
    struct lf_py_memory *memory; /* with the loan that the hand keeps; or none, and it is for the next one */
    PyObject *view;              /* what the user got; of a loose loan a weak reference to it, or NULL: an array */
    PyObject *loose;             /* a weak reference to the memory of the last loan, which belongs to its views */
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

static int lf_py_keeps(const struct lf_py_held *held) { return held->memory != NULL && lf_py_is_lent(held->memory); }
static int lf_py_is_empty(const struct lf_py_hand *hand) {
    const struct lf_py_held *held = hand->held;
    return !lf_py_keeps(&held[0]) && !lf_py_keeps(&held[1]) && held[0].loose == NULL && held[1].loose == NULL;
}

/* What a weak reference leads to, a new reference; NULL if it is gone, without an error. */
static PyObject *lf_py_follow(PyObject *weak) {
    PyObject *found = NULL;
#if PY_VERSION_HEX >= 0x030D0000
    if (weak != NULL && PyWeakref_GetRef(weak, &found) < 0)
        PyErr_Clear();
#else
    if (weak != NULL && (found = PyWeakref_GetObject(weak)) != NULL)
        found = found == Py_None ? NULL : Py_NewRef(found);
#endif
    return found;
}

#define LF_PY_HANDS_MANY 64

/* Whether a hand waits for nothing but a call that would find its record gone: its thread may have ended. */
static int lf_py_is_forgotten(struct lf_py_hand *hand) {
    for (int which = 0; which < 2; which++) {
        struct lf_py_memory *kept = hand->held[which].memory;
        if (kept != NULL &&
            (lf_py_is_lent(kept) || Py_REFCNT((PyObject *)kept) > 1)) /* else a call is ending the loan */
            return 0;
        PyObject *memory = lf_py_follow(hand->held[which].loose);
        Py_XDECREF(memory);
        if (memory != NULL)
            return 0;
    }
    Py_CLEAR(hand->held[0].loose);
    Py_CLEAR(hand->held[1].loose);
    return 1;
}

/* The calling thread's hand, or NULL. `make`: a new one if it has none; NULL if there is no memory, without an error. */
static struct lf_py_hand *lf_py_hand(PyObject *object, int make) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    struct lf_py_hand *hand, *unused = NULL;
    uint64_t me = lf_py_thread();
    int count = 0;
    LF_PY_LOCK_HANDS(self);
    for (hand = self->hands; hand != NULL && hand->thread != me; hand = hand->next, count++)
        if (unused == NULL && lf_load_acquire(&hand->thread) == 0)
            unused = hand;
#ifndef Py_GIL_DISABLED /* else its thread may be about to use it */
    if (hand == NULL && make && unused == NULL && count >= LF_PY_HANDS_MANY)
        for (unused = self->hands; unused != NULL && !lf_py_is_forgotten(unused);)
            unused = unused->next;
#endif
    if (hand == NULL && make && (hand = unused) != NULL)
        hand->thread = me;
    if (hand == NULL && make && (hand = (struct lf_py_hand *)PyMem_RawCalloc(1, sizeof *hand)) != NULL) {
        hand->thread = me;
        hand->next = self->hands;
        self->hands = hand;
    }
    LF_PY_UNLOCK_HANDS(self);
    return hand;
}

/* After the last use of a hand: another thread may have it if it is empty. */
static void lf_py_hand_down(struct lf_py_hand *hand) {
    if (lf_py_is_empty(hand))
        lf_store_release(&hand->thread, (uint64_t)0);
}

/* ---- the end of a loan ---- */

/* Before a slot leaves the hand: its view ends, and a window does not lead into the ring any more if anybody sees it.
 * `others`: references to the memory that are no views. 0, or -1 with MemoryError, and the loan must go on. */
static int lf_py_end_window(struct lf_py_memory *memory, PyObject *view, Py_ssize_t others) {
    if (memory->window.base == NULL)
        return 0;
    if (view != NULL)
        lf_py_end_view(view);
    int is_seen = Py_REFCNT((PyObject *)memory) > others || lf_load_acquire(&memory->views) != 0;
    return lf_py_window_end(&memory->window, is_seen);
}

/* Memory whose loan has ended: it is kept for the next record if nobody sees it. Takes the reference over. */
static void lf_py_put_memory_away(PyObject *object, struct lf_py_held *held, struct lf_py_memory *memory) {
    if (!lf_py_memory_is_unseen(memory))
        Py_DECREF((PyObject *)memory);
    else if (memory->window.base != NULL && !memory->window.is_cut)
        lf_py_keep_window(object, memory);
    else if (memory->window.base != NULL || held == NULL || held->memory != NULL)
        Py_DECREF((PyObject *)memory);
    else
        held->memory = memory;
}

/* Empties one side of the hand without touching the slot: the views end. */
static void lf_py_let_go(PyObject *object, struct lf_py_hand *hand, enum lf_py_which which) {
    struct lf_py_held *held = &hand->held[which];
    PyObject *view = held->view, *loose = held->loose;
    struct lf_py_memory *memory = held->memory;
    held->view = held->loose = NULL;
    held->memory = NULL;
    if (loose != NULL) {
        PyObject *seen = lf_py_follow(view);
        if (seen != NULL)
            lf_py_end_view(seen);
        Py_XDECREF(seen);
        Py_DECREF(loose);
    } else if (memory != NULL && lf_py_loan_end(memory) >= 0) {
        if (lf_py_end_window(memory, view, 1) != 0)
            PyErr_Clear(); /* the end of the handle looks at it once more */
        if (view != NULL)
            lf_py_end_view(view);
    }
    Py_XDECREF(view);
    if (memory != NULL)
        lf_py_put_memory_away(object, held, memory);
    lf_py_hand_down(hand);
}

/* The loan that the hand keeps belongs to its views from now on: nobody may see it any more, then it ends at once.
 * 0, or -1 with MemoryError: the hand keeps it. */
static int lf_py_loosen(PyObject *object, struct lf_py_hand *hand, enum lf_py_which which) {
    struct lf_py_held *held = &hand->held[which];
    if (!lf_py_keeps(held))
        return 0;
    struct lf_py_memory *memory = held->memory;
    PyObject *view = held->view, *seen = NULL, *before = held->loose;
    int has_end = view != NULL && PyMemoryView_Check(view);
    if ((memory->to_itself == NULL && (memory->to_itself = PyWeakref_NewRef((PyObject *)memory, NULL)) == NULL) ||
        (has_end && (seen = PyWeakref_NewRef(view, NULL)) == NULL))
        return -1;
    memory->loan.owner = Py_NewRef(object);
    held->memory = NULL;
    held->view = seen;
    held->loose = Py_NewRef(memory->to_itself);
    Py_XDECREF(before);
    Py_XDECREF(view);
    Py_DECREF((PyObject *)memory);
    return 0;
}

/* ---- finding a loan ---- */

struct lf_py_found {
    struct lf_py_memory *memory; /* a new reference */
    PyObject *view;              /* a new reference, or NULL */
    struct lf_py_hand *hand;     /* that keeps it, or knows it as the last one; or NULL */
    int is_kept;
};

static const char *const lf_py_nothing_in_hand[] = {"this thread has nothing in hand: call reserve() first",
                                                    "this thread has nothing in hand: call peek() first"};
static const char *const lf_py_view_not_in_hand[] = {"this view is of no reservation that is in hand",
                                                     "this view is of no peeked record that is in hand"};

static void lf_py_found_end(struct lf_py_found *found) {
    Py_XDECREF((PyObject *)found->memory);
    Py_XDECREF(found->view);
}

/* The loan of `view`, or the calling thread's last one (NULL or None). 1; 0: the garbage collector has ended that one;
 * -1 with RuntimeError, TypeError, ValueError or Closed. */
static int lf_py_find(PyObject *object, enum lf_py_which which, PyObject *view, struct lf_py_found *found) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_handle *h = (struct lf_handle *)self->p;
    int64_t status;
    memset(found, 0, sizeof *found);
    LF_PY_BRIEFLY(self, status, lf_enter(h)); /* notices a fork */
    uint32_t participant = lf_load_relaxed(&h->participant);
    if (status != LF_OK) {
        lf_py_raise(self, status);
        return -1;
    }
    int is_named = view != NULL && view != Py_None;
    if (is_named && (found->memory = lf_py_memory_of(view)) == NULL)
        return -1;
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    struct lf_py_held *held = hand != NULL ? &hand->held[which] : NULL;
    if (is_named) {
        found->view = Py_NewRef(view);
        PyObject *last = held != NULL && held->loose != NULL ? lf_py_follow(held->loose) : NULL;
        found->is_kept = held != NULL && held->memory == found->memory;
        found->hand = found->is_kept || last == (PyObject *)found->memory ? hand : NULL;
        Py_XDECREF(last);
    } else if (held != NULL && held->loose != NULL) {
        found->hand = hand;
        if ((found->memory = (struct lf_py_memory *)lf_py_follow(held->loose)) == NULL) {
            Py_CLEAR(held->loose);
            Py_CLEAR(held->view);
            lf_py_hand_down(hand);
            if (which == LF_PY_PEEKED)
                return 0;
        } else {
            found->view = lf_py_follow(held->view);
        }
    } else if (held != NULL && lf_py_keeps(held)) {
        found->hand = hand;
        found->is_kept = 1;
        found->memory = (struct lf_py_memory *)Py_NewRef((PyObject *)held->memory);
        found->view = Py_XNewRef(held->view);
    }
    const struct lf_py_loan *loan = found->memory != NULL ? &found->memory->loan : NULL;
    if (loan != NULL && loan->container == object && loan->which == (int)which && lf_py_is_lent(found->memory)) {
        if (loan->participant == participant)
            return 1;
        if (found->hand != NULL) /* it is the parent's */
            lf_py_let_go(object, found->hand, which);
    } else if (!is_named && found->hand != NULL) {
        lf_py_let_go(object, found->hand, which); /* it was ended by its view */
    }
    lf_py_found_end(found);
    lf_py_misuse(self, is_named ? lf_py_view_not_in_hand[which] : lf_py_nothing_in_hand[which]);
    return -1;
}

/* Ends a loan that was found: its slot, which leaves the hand now. -1 with RuntimeError, or with MemoryError: then the loan
 * goes on. The references are gone then. */
static int64_t lf_py_found_take(PyObject *object, enum lf_py_which which, struct lf_py_found *found) {
    int64_t slot = lf_py_loan_end(found->memory);
    if (slot < 0) {
        lf_py_misuse((struct lf_py_object *)object, lf_py_view_not_in_hand[which]);
    } else if (lf_py_end_window(found->memory, found->view, 1 + found->is_kept) != 0) {
        lf_store_release(&found->memory->loan.slot, slot); /* pairs with lf_py_loan_end */
        slot = -1;
    }
    if (slot < 0)
        lf_py_found_end(found);
    return slot;
}

/* After the loan has ended. Takes the references over. */
static void lf_py_found_done(PyObject *object, enum lf_py_which which, struct lf_py_found *found) {
    struct lf_py_memory *memory = found->memory;
    PyObject *owner = memory->loan.owner;
    memory->loan.owner = NULL;
    if (found->view != NULL)
        lf_py_end_view(found->view);
    Py_XDECREF(found->view);
    struct lf_py_hand *hand = found->hand;
    struct lf_py_held *held = hand != NULL ? &hand->held[which] : NULL;
    if (held != NULL) {
        Py_CLEAR(held->view);
        Py_CLEAR(held->loose);
        if (found->is_kept) {
            held->memory = NULL;
            Py_DECREF((PyObject *)memory);
        }
    }
    lf_py_put_memory_away(object, held, memory);
    if (hand != NULL)
        lf_py_hand_down(hand);
    Py_XDECREF(owner);
}

/* ---- beginning ---- */

static const char *const lf_py_in_hand_already[] = {
    "this thread has a reservation already: commit() or cancel() it first",
    "this thread has a record in hand already: release() it first"};

/* Before another one is taken. What the hand keeps belongs to its views then; in place it must keep nothing. 0, or -1 with
 * an error. */
static int lf_py_open_hand(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which) {
    struct lf_py_hand *hand = lf_py_hand(object, 0);
    struct lf_py_found found;
    if (hand == NULL || !lf_py_keeps(&hand->held[which]))
        return 0;
    if (!ops->in_place)
        return lf_py_loosen(object, hand, which);
    if (lf_py_find(object, which, NULL, &found) == 1) {
        lf_py_found_end(&found);
        lf_py_misuse((struct lf_py_object *)object, lf_py_in_hand_already[which]);
        return -1;
    }
    if (!PyErr_ExceptionMatches(PyExc_RuntimeError))
        return -1;
    PyErr_Clear(); /* it was the parent's */
    return 0;
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
    if (*memory != NULL && !lf_py_is_lent(*memory) && lf_py_memory_is_unseen(*memory))
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

/* Puts a slot in the calling thread's hand, with references to memory and view. What the hand kept until now comes back in
 * *before: lf_py_loosen_before() it outside. Inside. 0, or -1 with an error: nothing taken. */
LF_PY_GENERIC int lf_py_take_in_hand(PyObject *object, const struct lf_py_ops *ops, enum lf_py_which which,
                                     int64_t slot, struct lf_py_memory *memory, PyObject *view,
                                     struct lf_py_held *before) {
    struct lf_py_hand *hand = lf_py_hand(object, 1);
    memset(before, 0, sizeof *before);
    if (hand == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    struct lf_py_held *held = &hand->held[which];
    if (ops->in_place && lf_py_keeps(held)) { /* a signal handler was faster */
        lf_py_misuse((struct lf_py_object *)object, "a signal handler of this thread has taken one in hand meanwhile");
        return -1;
    }
    *before = *held;
    *held = (struct lf_py_held){.memory = memory, .view = view, .loose = NULL};
    lf_py_lend(object, ops, which, slot, memory);
    return 0;
}
static void lf_py_loosen_before(PyObject *object, struct lf_py_held *before) {
    if (lf_py_keeps(before)) /* a signal handler of this thread has taken it meanwhile: it belongs to its views */
        before->memory->loan.owner = Py_NewRef(object);
    Py_XDECREF(before->view);
    Py_XDECREF(before->loose);
    Py_XDECREF((PyObject *)before->memory);
}

#endif
