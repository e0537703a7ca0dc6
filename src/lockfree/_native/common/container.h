/* container.h: what SPSCRing, MPMCRing and PriorityQueue have in common as Python types, and put and get.
 *
 * Contract
 *   The functions here are generic over `struct lf_py_ops`, a table of each kind's C functions. The tables are constants,
 *   so the compiler puts the hot calls in place.
 *   Whatever may fail or run Python code (allocation of what the caller gets, a codec, conversions) comes before the take,
 *   or the take is undone when it fails. Between a take and the moment at which the caller owns the record no signal is
 *   served.
 *   Copies of more than 64 KiB give the GIL up. */
#ifndef LOCKFREE_PY_CONTAINER_H
#define LOCKFREE_PY_CONTAINER_H

#include "common/arguments.h"
#include "common/buffers.h"
#include "common/memory.h"

struct lf_py_ops {
    const char *noun; /* what messages call it */
    int in_place;     /* a reservation takes no slot, and a peeked record stays inside */
    int has_levels;
    uint64_t (*record_size)(void *p);
    uint32_t (*levels)(void *p);
    unsigned char *(*payload)(void *p, int64_t slot);
    int (*try_put)(void *p, const void *record, uint64_t length, uint32_t level);
    int64_t (*reserve)(void *p);
    int64_t (*reserve_wait)(void *p, uint64_t deadline);
    int (*commit)(void *p, int64_t slot, uint64_t length, uint32_t level);
    int (*cancel)(void *p, int64_t slot);
    int64_t (*peek)(void *p, uint32_t lease, uint32_t *level, uint64_t *length);
    int64_t (*peek_wait)(void *p, uint32_t lease, uint32_t *level, uint64_t *length, uint64_t deadline);
    int (*release)(void *p, int64_t slot);
    int (*give_back)(void *p, int64_t slot, uint32_t level); /* a record that was taken and not delivered */
    /* Releases a slot, or the `count` neighbours of a run, without a look for sleepers. */
    int (*free_quietly)(void *p, int64_t slot, uint64_t count);
    int64_t (*take_run)(void *p, uint64_t most, uint64_t *count); /* neighbours, as peek; NULL: one after the other */
    uint64_t (*length)(void *p, int64_t slot);                    /* of a record of a run */
    void (*freed)(void *p, uint32_t count);                       /* the look for sleepers */
    int64_t (*put_many)(void *p, const void *records, uint64_t pitch, uint64_t length, const uint32_t *lengths,
                        const uint32_t *levels, uint64_t count);
    int64_t (*get_many)(void *p, void *rows, uint64_t pitch, uint32_t *lengths, uint32_t *levels, uint64_t count);
    uint64_t (*size)(void *p);
    uint64_t (*capacity)(void *p);
    void (*shutdown)(void *p, int immediate);
};

struct lf_py_hand;
#define LF_PY_WINDOWS_KEPT 64

struct lf_py_container {
    struct lf_py_object o;
    PyObject *codec;          /* lockfree._records.Codec; NULL before the constructor is done */
    int is_bytes;             /* records are bytes objects: the codec is not needed */
    PyObject *spare;          /* (memory, array) for the next record of a dtype; see lf_py_blank */
    struct lf_py_hand *hands; /* hands.h */
    struct lf_py_memory *windows[LF_PY_WINDOWS_KEPT]; /* of records that were in hand and are seen by nobody */
#ifdef Py_GIL_DISABLED
    PyMutex lock; /* of `hands` */
#endif
};

#define LF_PY_GENERIC static inline __attribute__((always_inline, unused))
#define LF_PY_CONTAINER(object) ((struct lf_py_container *)(object))

/* ---- inside ---- */

/* The calls inside, and how: a call that sleeps, or copies for long, is counted also where the GIL protects it. */
struct lf_py_stay {
    struct lf_py_object *self;
    int counted;
};

static inline int lf_py_stay_begin(struct lf_py_stay *stay, struct lf_py_object *self) {
    stay->self = self;
    stay->counted = 0;
    return lf_py_enter_briefly(self);
}
static inline void lf_py_stay_end(struct lf_py_stay *stay) {
    if (stay->counted)
        lf_py_leave(stay->self);
    else
        lf_py_leave_briefly(stay->self);
}
/* Before the GIL is given up. 0 if the object was closed. */
static inline int lf_py_stay_count(struct lf_py_stay *stay) {
#ifndef Py_GIL_DISABLED
    if (!stay->counted)
        stay->counted = lf_py_enter(stay->self) == LF_OK;
    return stay->counted;
#else
    (void)stay;
    return 1;
#endif
}

static inline void lf_py_copy(struct lf_py_stay *stay, void *to, const void *from, uint64_t length) {
    if (LF_UNLIKELY(length > LF_PY_LONG_COPY) && lf_py_stay_count(stay))
        LF_PY_WITHOUT_GIL(memcpy(to, from, length));
    else
        memcpy(to, from, length);
}

/* (level, record) in a pair made before the record was taken, so that nothing can fail now. No pair: the record alone. */
static inline PyObject *lf_py_with_level(PyObject *pair, uint32_t level, PyObject *record) {
    if (pair == NULL || record == NULL) {
        Py_XDECREF(pair);
        return record;
    }
    PyTuple_SET_ITEM(pair, 0, PyLong_FromLong((long)level)); /* a small one: it exists already */
    PyTuple_SET_ITEM(pair, 1, record);
    return pair;
}

/* A slot, reserved (`record` 0) or with a record in it, waiting up to `ns` for it. >= 0: inside, with the slot in hand.
 * < 0: a status, not inside; LF_PY_RAISED with an exception. */
LF_PY_GENERIC int64_t lf_py_take(struct lf_py_object *self, const struct lf_py_ops *ops, int record, uint32_t lease,
                                 uint64_t ns, uint32_t *level, uint64_t *length, struct lf_py_stay *stay) {
    int64_t slot = lf_py_stay_begin(stay, self);
    if (LF_UNLIKELY(slot != LF_OK))
        return slot;
    slot = record ? ops->peek(self->p, lease, level, length) : ops->reserve(self->p);
    if (LF_LIKELY(slot >= 0))
        return slot;
    lf_py_stay_end(stay);
    if (ns == 0 || slot != (record ? LF_EMPTY : LF_FULL))
        return slot;
    uint64_t until = lf_py_deadline(ns);
    struct lf_py_wait wait = lf_py_wait_begin(self);
    do {
        if (lf_py_enter(self) != LF_OK)
            return LF_CLOSED;
        if (record)
            LF_PY_WAIT(&wait, slot = ops->peek_wait(self->p, lease, level, length, until));
        else
            LF_PY_WAIT(&wait, slot = ops->reserve_wait(self->p, until));
        stay->counted = 1;
        if (slot >= 0)
            return slot;
        lf_py_leave(self);
    } while (slot == LF_INTERRUPTED && lf_py_between(self, &wait) == 0);
    return slot == LF_INTERRUPTED ? LF_PY_RAISED : slot;
}

/* ---- errors ---- */

static PyObject *lf_py_closed_error(PyObject *object) { return lf_py_raise((struct lf_py_object *)object, LF_CLOSED); }

LF_PY_GENERIC PyObject *lf_py_too_long(PyObject *object, const struct lf_py_ops *ops, Py_ssize_t length) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    if (lf_py_is_closed(self))
        return lf_py_closed_error(object);
    return PyErr_Format(PyExc_ValueError, "record has %zd bytes: the %s takes at most %llu", length, ops->noun,
                        (unsigned long long)ops->record_size(self->p));
}

/* The level that `priority` names. 0, or -1 with TypeError, ValueError or Closed. */
LF_PY_GENERIC int lf_py_level(PyObject *object, const struct lf_py_ops *ops, PyObject *priority, const char *name,
                              uint32_t *level) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t value = -1;
    if (LF_LIKELY(PyLong_CheckExact(priority))) {
        int overflow;
        value = PyLong_AsLongLongAndOverflow(priority, &overflow);
    }
    if (LF_UNLIKELY(value < 0 || value >= (int64_t)ops->levels(self->p))) {
        if (lf_py_is_closed(self)) {
            lf_py_closed_error(object);
            return -1;
        }
        if (lf_py_integer(name, priority, 0, (int64_t)ops->levels(self->p) - 1, &value) != 0)
            return -1;
    }
    *level = (uint32_t)value;
    return 0;
}

/* ---- records ---- */

/* A record as a bytes object, a new reference; NULL with an error. */
static PyObject *lf_py_encode(PyObject *object, PyObject *record) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    if (self->codec == NULL)
        return lf_py_closed_error(object);
    if (self->is_bytes)
        return PyBytes_CheckExact(record) ? Py_NewRef(record) : lf_py_as_bytes(record, "record");
    PyObject *bytes = PyObject_CallMethod(self->codec, "encode", "(O)", record);
    if (bytes != NULL && !PyBytes_CheckExact(bytes)) {
        PyErr_Format(PyExc_TypeError, "the codec made a %.100s of a record: it must make bytes",
                     Py_TYPE(bytes)->tp_name);
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* Memory for `count` records and an array over it. 0, or -1 with an error. */
static int lf_py_blank(PyObject *object, uint64_t bytes, struct lf_py_memory **memory, PyObject **array) {
    *memory = lf_py_memory_new(bytes);
    *array = *memory != NULL ? PyObject_CallMethod(LF_PY_CONTAINER(object)->codec, "batch", "(O)", *memory) : NULL;
    if (*array == NULL)
        Py_CLEAR(*memory);
    return *array == NULL ? -1 : 0;
}

/* The same for one record, which a refused get leaves for the next one. */
LF_PY_GENERIC int lf_py_blank_record(PyObject *object, const struct lf_py_ops *ops, struct lf_py_memory **memory,
                                     PyObject **array) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    PyObject *spare = lf_exchange_seq_cst(&self->spare, (PyObject *)NULL);
    if (spare == NULL)
        return lf_py_blank(object, ops->record_size(self->o.p), memory, array);
    *memory = (struct lf_py_memory *)Py_NewRef(PyTuple_GET_ITEM(spare, 0));
    *array = Py_NewRef(PyTuple_GET_ITEM(spare, 1));
    Py_DECREF(spare);
    return 0;
}
static void lf_py_unused_record(PyObject *object, struct lf_py_memory *memory, PyObject *array) {
    struct lf_py_container *self = LF_PY_CONTAINER(object);
    PyObject *spare = PyTuple_Pack(2, (PyObject *)memory, array), *none = NULL;
    if (spare == NULL)
        PyErr_Clear();
    else if (!lf_cas_seq_cst(&self->spare, &none, spare))
        Py_DECREF(spare);
    Py_DECREF(memory);
    Py_DECREF(array);
}

/* The record in `slot`, which is in hand, as a new object; NULL if there is no memory. Runs no Python code. With a dtype,
 * `memory` and `array` are a blank record. */
LF_PY_GENERIC PyObject *lf_py_record(struct lf_py_stay *stay, const struct lf_py_ops *ops, int64_t slot,
                                     uint64_t length, struct lf_py_memory *memory, PyObject *array) {
    const unsigned char *from = ops->payload(stay->self->p, slot);
    if (memory == NULL) {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
        if (LF_LIKELY(bytes != NULL))
            lf_py_copy(stay, PyBytes_AS_STRING(bytes), from, length);
        return bytes;
    }
    lf_py_copy(stay, memory->bytes, from, length);
    memset(memory->bytes + length, 0, (size_t)memory->room - length);
    return PySequence_GetItem(array, 0);
}

/* The record that the slot in hand holds becomes the caller's; NULL with an error, and the record is inside again. */
LF_PY_GENERIC PyObject *lf_py_deliver(struct lf_py_stay *stay, const struct lf_py_ops *ops, int64_t slot,
                                      uint32_t level, uint64_t length, struct lf_py_memory *memory, PyObject *array) {
    PyObject *record = lf_py_record(stay, ops, slot, length, memory, array);
    void *p = stay->self->p;
    int status = LF_LIKELY(record != NULL) ? ops->release(p, slot) : ops->give_back(p, slot, level);
    lf_py_stay_end(stay);
    if (LF_UNLIKELY(record != NULL && status != LF_OK) && (ops->in_place || status != LF_CLOSED)) {
        Py_CLEAR(record); /* what is peeked at in place and not released is still inside */
        lf_py_raise(stay->self, status);
    }
    return record;
}

/* ---- state ---- */

LF_PY_GENERIC int64_t lf_py_size(PyObject *object, const struct lf_py_ops *ops) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t size;
    LF_PY_BRIEFLY(self, size, lf_py_is_closed(self) ? LF_CLOSED : (int64_t)ops->size(self->p));
    if (size < 0)
        lf_py_raise(self, size);
    return size;
}

LF_PY_GENERIC PyObject *lf_py_shutdown(PyObject *object, const struct lf_py_ops *ops, int immediate) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int status = lf_py_enter(self);
    if (status == LF_OK) {
        LF_PY_WITHOUT_GIL(ops->shutdown(self->p, immediate));
        lf_py_leave(self);
        Py_RETURN_NONE;
    }
    return lf_py_raise(self, status);
}

#endif
