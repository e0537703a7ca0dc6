/* handing.h: batches and leases of a BlockPool: what is handed over, and what is taken over from others. */
#ifndef LOCKFREE_PY_BLOCK_POOL_HANDING_H
#define LOCKFREE_PY_BLOCK_POOL_HANDING_H

#include "block_pool/numbers.h"

/* _seal(numbers): the ticket of a batch. */
static PyObject *lf_py_pool_seal(PyObject *object, PyObject *numbers) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    Py_buffer blocks;
    uint64_t at = 0, ticket = 0;
    int64_t status;
    if (lf_py_numbers(numbers, 0, &blocks) != 0)
        return NULL;
    uint64_t n = (uint64_t)blocks.len / sizeof(uint32_t);
    LF_PY_OF_BLOCKS(self, n, status, lf_block_pool_seal(p, (const uint32_t *)blocks.buf, n, &ticket, &at));
    PyBuffer_Release(&blocks);
    if (LF_LIKELY(status == LF_OK))
        return PyLong_FromUnsignedLongLong(ticket);
    if (status == LF_BUSY)
        return lf_py_misuse(self, "4,096 sealed batches exist already: adopt some");
    return lf_py_pool_refused(object, status, numbers, at, Py_None);
}

/* Frees what another one had. Inside. How many, or a status. */
static int64_t lf_py_pool_reclaim_inside(struct lf_block_pool *p, uint64_t lease, uint32_t *blocks) {
    int64_t count = lf_block_pool_supersede(p, lease, blocks);
    for (int64_t i = 0; i < count; i++) {
        uint64_t at, word = lf_block_pool_look(p, blocks[i]);
        int status = LF_OK;
        for (uint32_t left = lf_block_references(word); left > 0 && status == LF_OK; left--)
            status = lf_block_pool_free(p, &blocks[i], NULL, 1, &at);
        if (status != LF_OK && status != LF_NOT_OWNER) /* NOT_OWNER: another thread has freed it */
            return status;
    }
    return count;
}

enum lf_py_pool_way { LF_PY_ADOPT, LF_PY_SUPERSEDE, LF_PY_RECLAIM };

/* Raises that there is nothing to take over: the class has the words. NULL. */
static PyObject *lf_py_pool_nothing(PyObject *object, uint64_t number, enum lf_py_pool_way way) {
    PyObject *none = PyObject_CallMethod(object, way == LF_PY_ADOPT ? "_no_batch" : "_no_lease", "K",
                                         (unsigned long long)number);
    Py_XDECREF(none); /* it always raises */
    return NULL;
}
static PyObject *lf_py_pool_take_over(PyObject *object, uint64_t number, enum lf_py_pool_way way) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    PyObject *array, *spare;
    Py_buffer memory;
    int64_t found;
    if (lf_py_pool_array(object, p->blocks, &array, &memory) != 0)
        return NULL;
    if ((spare = PySequence_GetSlice(array, 0, 1)) == NULL) {
        PyBuffer_Release(&memory);
        Py_DECREF(array);
        return NULL;
    }
    uint32_t *blocks = (uint32_t *)memory.buf;
    if (way == LF_PY_ADOPT)
        LF_PY_AT_LENGTH(self, found, lf_block_pool_adopt(p, number, blocks));
    else if (way == LF_PY_SUPERSEDE)
        LF_PY_AT_LENGTH(self, found, lf_block_pool_supersede(p, number, blocks));
    else
        LF_PY_AT_LENGTH(self, found, lf_py_pool_reclaim_inside(p, number, blocks));
    PyBuffer_Release(&memory);
    if (found >= 0 && way != LF_PY_RECLAIM)
        return lf_py_pool_first(array, found, spare);
    Py_DECREF(spare);
    Py_DECREF(array);
    if (found >= 0)
        return PyLong_FromLongLong(found);
    return found == LF_EMPTY ? lf_py_pool_nothing(object, number, way) : lf_py_raise(self, found);
}
static PyObject *lf_py_pool_adopt(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"adopt", 1, 1, {"ticket"}};
    PyObject *places[1];
    uint64_t ticket;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_integer_u64("ticket", places[0], UINT64_MAX, &ticket) != 0)
        return NULL;
    return lf_py_pool_take_over(object, ticket, LF_PY_ADOPT);
}

static int64_t lf_py_pool_lease_inside(struct lf_block_pool *p) {
    int status = lf_enter(&p->h);
    return status == LF_OK ? (int64_t)lf_block_pool_lease(p) : status;
}
/* The caller's lease, or a status. */
static int64_t lf_py_pool_own_lease(PyObject *object) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_pool_lease_inside(lf_py_pool(object)));
    return status;
}
static PyObject *lf_py_pool_another(PyObject *object, const struct lf_py_signature *signature, PyObject *const *args,
                                    Py_ssize_t count, PyObject *keywords, enum lf_py_pool_way way) {
    PyObject *places[1];
    uint64_t lease;
    if (lf_py_arguments(object, signature, args, count, keywords, places) != 0 ||
        lf_py_integer_u64("lease", places[0], (UINT64_C(1) << 43) - 1, &lease) != 0)
        return NULL;
    int64_t own = lf_py_pool_own_lease(object);
    if (own < 0)
        return lf_py_raise((struct lf_py_object *)object, own);
    if (lease == (uint64_t)own)
        return PyErr_Format(PyExc_ValueError, "lease is %llu: it is this process's own", (unsigned long long)lease);
    return lf_py_pool_take_over(object, lease, way);
}
static PyObject *lf_py_pool_supersede(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"supersede", 1, 1, {"lease"}};
    return lf_py_pool_another(object, &signature, args, count, keywords, LF_PY_SUPERSEDE);
}
static PyObject *lf_py_pool_reclaim(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"reclaim", 1, 1, {"lease"}};
    return lf_py_pool_another(object, &signature, args, count, keywords, LF_PY_RECLAIM);
}
static PyObject *lf_py_pool_lease(PyObject *object, void *unused) {
    int64_t status = lf_py_pool_own_lease(object);
    return status < 0 ? lf_py_raise((struct lf_py_object *)object, status) : PyLong_FromLongLong(status);
}

#endif
