/* readers.h: the readers and the writer of a BroadcastRing: joining, leaving, waiting for readers, who is late. */
#ifndef LOCKFREE_PY_BROADCAST_READERS_H
#define LOCKFREE_PY_BROADCAST_READERS_H

#include "broadcast_ring/place.h"
#include "common/arguments.h"

/* Which of the readers the calling thread is; a status below 0. */
static int64_t lf_py_broadcast_number(PyObject *object) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_broadcast_place(lf_py_broadcast(object)));
    return status;
}

static PyObject *lf_py_broadcast_join(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"join", 0, 1, {"reader"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_broadcast_ring *r = lf_py_broadcast(object);
    PyObject *places[1];
    int64_t number = UINT32_MAX, status;
    char text[64];
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return NULL;
    if (lf_py_is_closed(self))
        return lf_py_raise(self, LF_CLOSED);
    if (places[0] != NULL && places[0] != Py_None &&
        lf_py_integer("reader", places[0], 0, (int64_t)r->n_readers - 1, &number) != 0)
        return NULL;
    int64_t own = lf_py_broadcast_number(object);
    if (own >= 0 && number == UINT32_MAX)
        number = own;
    if (own >= 0 && number != own) {
        PyOS_snprintf(text, sizeof text, "this thread is reader %lld already: leave() first", (long long)own);
        return lf_py_misuse(self, text);
    }
    LF_PY_AT_LENGTH(self, status, lf_broadcast_ring_join(r, (uint32_t)number));
    if (status >= 0)
        return PyLong_FromLongLong(status);
    if (status != LF_ROLE_TAKEN)
        return lf_py_broadcast_raise(object, status);
    PyObject *none = PyObject_CallMethod(object, "_number_taken", "L", (long long)number);
    Py_XDECREF(none); /* it always raises */
    return NULL;
}

static int64_t lf_py_broadcast_leave_inside(struct lf_broadcast_ring *r) {
    int64_t number = lf_py_broadcast_place(r);
    return number < 0 ? number : lf_broadcast_ring_leave(r, (uint32_t)number);
}
static PyObject *lf_py_broadcast_leave(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_broadcast_leave_inside(lf_py_broadcast(object)));
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
}

static PyObject *lf_py_broadcast_reader(PyObject *object, void *unused) {
    int64_t number = lf_py_broadcast_number(object);
    if (number >= 0)
        return PyLong_FromLongLong(number);
    return lf_py_is_closed((struct lf_py_object *)object) ? lf_py_raise((struct lf_py_object *)object, LF_CLOSED)
                                                          : Py_NewRef(Py_None);
}

static int64_t lf_py_broadcast_missed_inside(struct lf_broadcast_ring *r) {
    int64_t number = lf_py_broadcast_place(r);
    return number < 0 ? number : (int64_t)lf_py_broadcast_missed(r, (uint32_t)number);
}
static PyObject *lf_py_broadcast_get_missed(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_broadcast_missed_inside(lf_py_broadcast(object)));
    return status < 0 ? lf_py_broadcast_raise(object, status) : PyLong_FromLongLong(status);
}

/* ---- the readers that have joined, and how late they are ---- */

struct lf_py_lateness {
    uint32_t number, pid;
    int64_t behind;
};

/* Of each reader that has joined, the furthest behind first. How many, or a status. Inside. */
static int64_t lf_py_broadcast_survey_late(struct lf_broadcast_ring *r, struct lf_py_lateness *late) {
    int64_t status = lf_enter(&r->h), count = 0;
    for (uint32_t k = 0; status == LF_OK && k < r->n_readers; k++) {
        struct lf_py_lateness one = {k, lf_py_broadcast_reader_pid(r, k), lf_py_broadcast_behind(r, k)};
        int64_t place = count;
        if (one.behind < 0)
            continue;
        for (; place > 0 && late[place - 1].behind < one.behind; place--)
            late[place] = late[place - 1];
        late[place] = one;
        count++;
    }
    return status == LF_OK ? count : status;
}
static PyObject *lf_py_broadcast_late(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_py_lateness late[LF_BROADCAST_READERS];
    int64_t count;
    LF_PY_BRIEFLY(self, count, lf_py_broadcast_survey_late(lf_py_broadcast(object), late));
    if (count < 0)
        return lf_py_raise(self, count);
    PyObject *rows = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; rows != NULL && i < count; i++) {
        PyObject *row = Py_BuildValue("(IIL)", late[i].number, late[i].pid, (long long)late[i].behind);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
    }
    return rows;
}

static int64_t lf_py_broadcast_joined_inside(struct lf_broadcast_ring *r, uint64_t *mask) {
    int status = lf_enter(&r->h);
    *mask = status == LF_OK ? lf__log_joined(r) : 0;
    return status;
}
static PyObject *lf_py_broadcast_get_joined(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    uint64_t mask = 0;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_broadcast_joined_inside(lf_py_broadcast(object), &mask));
    if (status != LF_OK)
        return lf_py_raise(self, status);
    PyObject *numbers = PyTuple_New(__builtin_popcountll(mask));
    Py_ssize_t at = 0;
    for (uint32_t k = 0; numbers != NULL && k < LF_BROADCAST_READERS; k++) {
        if ((mask >> k & 1) == 0)
            continue;
        PyObject *number = PyLong_FromUnsignedLong(k);
        if (number == NULL)
            Py_CLEAR(numbers);
        else
            PyTuple_SET_ITEM(numbers, at++, number);
    }
    return numbers;
}

/* _reader_pid(number): the pid of a reader; 0: there is none. */
static PyObject *lf_py_broadcast_pid_of(PyObject *object, PyObject *number) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t k, status;
    if (lf_py_integer("reader", number, 0, UINT32_MAX, &k) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, (int64_t)lf_py_broadcast_reader_pid(lf_py_broadcast(object), (uint32_t)k));
    return PyLong_FromLongLong(status < 0 ? 0 : status);
}

/* ---- the role of the writer ---- */

static int64_t lf_py_broadcast_writer_inside(struct lf_broadcast_ring *r) {
    int status = lf_enter(&r->h);
    return status == LF_OK ? (int64_t)lf_py_broadcast_writer_pid(r) : status;
}
static PyObject *lf_py_broadcast_get_writer(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_broadcast_writer_inside(lf_py_broadcast(object)));
    if (status < 0)
        return lf_py_raise(self, status);
    return status > 0 ? PyLong_FromLongLong(status) : Py_NewRef(Py_None);
}
static PyObject *lf_py_broadcast_release_role(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_broadcast_ring_release_role(lf_py_broadcast(object)));
    if (status == LF_NOT_OWNER)
        return lf_py_misuse(self, "this thread is not the writer");
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_broadcast_raise(object, status);
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

#endif
