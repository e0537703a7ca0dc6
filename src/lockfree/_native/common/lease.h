/* lease.h: `with ring.lease() as record`. The record is taken by __enter__ and acknowledged by __exit__, both in C: there is
 * no moment at which a signal handler's exception could leave it taken and nobody's. */
#ifndef LOCKFREE_PY_LEASE_H
#define LOCKFREE_PY_LEASE_H

#include "common/container.h"
#include "common/in_hand.h"

struct lf_py_lease {
    PyObject_HEAD PyObject *container;
    const struct lf_py_ops *ops;
    uint64_t ns;  /* how long __enter__ may wait */
    int64_t slot; /* -1: nothing */
    uint32_t participant;
    uint32_t level;
};

static PyTypeObject *lf_py_lease_type;

static PyObject *lf_py_lease_new(PyObject *container, const struct lf_py_ops *ops, uint64_t ns) {
    if (lf_py_is_closed((struct lf_py_object *)container))
        return lf_py_closed_error(container);
    struct lf_py_lease *lease = PyObject_New(struct lf_py_lease, lf_py_lease_type);
    if (lease == NULL)
        return NULL;
    lease->container = Py_NewRef(container);
    lease->ops = ops;
    lease->ns = ns;
    lease->slot = -1;
    return (PyObject *)lease;
}

static PyObject *lf_py_lease_enter(PyObject *object, PyObject *unused) {
    struct lf_py_lease *lease = (struct lf_py_lease *)object;
    struct lf_py_object *self = (struct lf_py_object *)lease->container;
    const struct lf_py_ops *ops = lease->ops;
    struct lf_py_memory *memory = NULL;
    struct lf_py_stay stay;
    PyObject *array = NULL, *record = NULL, *pair = NULL;
    uint64_t length = 0;
    uint32_t level = 0;
    if (lf_load_relaxed(&lease->slot) >= 0)
        return lf_py_misuse(self, "this lease has a record already: each `with` block takes a lease of its own");
    if (ops->has_levels && (pair = PyTuple_New(2)) == NULL)
        return NULL;
    int64_t slot = LF_PY_RAISED;
    if (LF_PY_CONTAINER(self)->is_bytes ||
        lf_py_blank(lease->container, ops->record_size(self->p), &memory, &array) == 0)
        slot = lf_py_take(self, ops, 1, LF_LEASE, lease->ns, &level, &length, &stay);
    if (slot >= 0) {
        record = lf_py_record(&stay, ops, slot, length, memory, array);
        if (LF_LIKELY(record != NULL)) {
            lease->level = level;
            lease->participant = lf_py_me(self);
            lf_store_relaxed(&lease->slot, slot);
        } else {
            ops->give_back(self->p, slot, level);
        }
        lf_py_stay_end(&stay);
    } else {
        lf_py_raise(self, slot);
    }
    Py_XDECREF(memory);
    Py_XDECREF(array);
    return lf_py_with_level(pair, level, record);
}

/* A status: of what the end of the lease came to. */
static int64_t lf_py_lease_end(struct lf_py_lease *lease, int acknowledge) {
    struct lf_py_object *self = (struct lf_py_object *)lease->container;
    int64_t status, slot = lf_exchange_acq_rel(&lease->slot, (int64_t)-1);
    if (slot < 0 || (status = lf_py_enter_briefly(self)) != LF_OK)
        return slot < 0 ? LF_OK : status;
    if (lf_py_is_closed(self))
        status = LF_CLOSED;
    else if (lf_py_me(self) != lease->participant)
        status = LF_OK; /* a child that was forked in the block: the record is its parent's */
    else
        status = acknowledge ? lease->ops->release(self->p, slot) : lease->ops->give_back(self->p, slot, lease->level);
    lf_py_leave_briefly(self);
    return status;
}

static PyObject *lf_py_lease_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    struct lf_py_lease *lease = (struct lf_py_lease *)object;
    int raised = count > 0 && args[0] != Py_None;
    int64_t status = lf_py_lease_end(lease, !raised);
    if (LF_LIKELY(raised || status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise((struct lf_py_object *)lease->container, status);
}

static void lf_py_lease_dealloc(PyObject *object) {
    struct lf_py_lease *lease = (struct lf_py_lease *)object;
    PyTypeObject *type = Py_TYPE(object);
    lf_py_lease_end(lease, 0);
    Py_DECREF(lease->container);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef lf_py_lease_methods[] = {
    LF_PY_WITH(lf_py_lease_enter, "Takes the record.", lf_py_lease_exit,
               "Acknowledges the record, or gives it back if the block raised."),
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_py_lease_slots[] = {
    {Py_tp_dealloc, (void *)lf_py_lease_dealloc},
    {Py_tp_methods, lf_py_lease_methods},
    {Py_tp_doc, (void *)"A record on loan for a `with` block: acknowledged when the block ends normally."},
    {0, NULL},
};
static PyType_Spec lf_py_lease_spec = {
    .name = "lockfree.Lease",
    .basicsize = sizeof(struct lf_py_lease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_py_lease_slots,
};

#endif
