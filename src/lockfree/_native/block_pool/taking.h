/* taking.h: blocks of a BlockPool that are taken, shared and given back. */
#ifndef LOCKFREE_PY_BLOCK_POOL_TAKING_H
#define LOCKFREE_PY_BLOCK_POOL_TAKING_H

#include "block_pool/numbers.h"

/* _alloc(n, block, timeout): the blocks, or None. */
static PyObject *lf_py_pool_alloc(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    PyObject *found;
    Py_buffer memory;
    uint64_t ns = 0;
    int64_t n, status;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "_alloc() takes n, block and timeout (%zd given)", count);
    if (lf_py_is_closed(self))
        return lf_py_raise(self, LF_CLOSED);
    int64_t most = p->blocks < LF_RUN_MAX ? (int64_t)p->blocks : (int64_t)LF_RUN_MAX;
    if (lf_py_integer("n", args[0], 1, most, &n) != 0 ||
        ((args[1] != Py_False || args[2] != Py_None) && lf_py_patience(args[1], args[2], &ns) != 0) ||
        lf_py_pool_array(object, (uint64_t)n, &found, &memory) != 0)
        return NULL;
    uint32_t *blocks = (uint32_t *)memory.buf;
    LF_PY_OF_BLOCKS(self, n, status, lf_block_pool_try_alloc(p, blocks, (uint64_t)n));
    if (status == LF_EMPTY && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, lf_block_pool_alloc(p, blocks, (uint64_t)n, until));
    }
    PyBuffer_Release(&memory);
    if (status == LF_OK)
        return found;
    Py_DECREF(found);
    return status == LF_EMPTY ? Py_NewRef(Py_None) : lf_py_raise(self, status);
}

/* free() and retain(): `pair` is what the class makes of the arguments, {numbers, generations or None}. Takes it over. */
static PyObject *lf_py_pool_count(PyObject *object, PyObject *pair, int retain) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    PyObject *numbers, *tags, *answer = NULL;
    Py_buffer blocks, generations = {0};
    uint64_t at = 0;
    int64_t status;
    if (pair == NULL)
        return NULL;
    if (!PyArg_ParseTuple(pair, "OO", &numbers, &tags) || lf_py_numbers(numbers, 0, &blocks) != 0) {
        Py_DECREF(pair);
        return NULL;
    }
    if (tags == Py_None || lf_py_numbers(tags, 0, &generations) == 0) {
        const uint32_t *given = (const uint32_t *)blocks.buf, *tag = (const uint32_t *)generations.buf;
        uint64_t n = (uint64_t)blocks.len / sizeof(uint32_t);
        if (retain)
            LF_PY_OF_BLOCKS(self, n, status, lf_block_pool_retain(p, given, n, &at));
        else
            LF_PY_OF_BLOCKS(self, n, status, lf_block_pool_free(p, given, tag, n, &at));
        answer = status == LF_OK ? Py_NewRef(Py_None) : lf_py_pool_refused(object, status, numbers, at, tags);
        if (tags != Py_None)
            PyBuffer_Release(&generations);
    }
    PyBuffer_Release(&blocks);
    Py_DECREF(pair);
    return answer;
}

/* free() and retain() without generations. */
static PyObject *lf_py_pool_count_few(PyObject *object, PyObject *numbers, int retain) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    uint32_t few[LF_PY_FEW];
    uint64_t at = 0;
    int64_t status,
        n = lf_py_is_closed(self) ? -1 : lf_py_pool_few(&((struct lf_py_pool *)object)->arrays, numbers, few);
    if (n < 0)
        return lf_py_pool_count(object, PyObject_CallMethod(object, "_pair", "OO", numbers, Py_None), retain);
    if (retain)
        LF_PY_BRIEFLY(self, status, lf_block_pool_retain(p, few, (uint64_t)n, &at));
    else
        LF_PY_BRIEFLY(self, status, lf_block_pool_free(p, few, NULL, (uint64_t)n, &at));
    if (status == LF_OK)
        return Py_NewRef(Py_None);
    PyObject *copy, *answer = NULL;
    Py_buffer memory;
    if (lf_py_pool_array(object, (uint64_t)n, &copy, &memory) != 0)
        return NULL;
    memcpy(memory.buf, few, (size_t)n * sizeof *few);
    PyBuffer_Release(&memory);
    answer = lf_py_pool_refused(object, status, copy, at, Py_None);
    Py_DECREF(copy);
    return answer;
}
static PyObject *lf_py_pool_free(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"free", 1, 2, {"blocks", "generations"}};
    PyObject *places[2];
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return NULL;
    PyObject *tags = places[1] != NULL ? places[1] : Py_None;
    if (tags == Py_None)
        return lf_py_pool_count_few(object, places[0], 0);
    return lf_py_pool_count(object, PyObject_CallMethod(object, "_pair", "OO", places[0], tags), 0);
}
static PyObject *lf_py_pool_retain(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"retain", 1, 1, {"blocks"}};
    PyObject *places[1];
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return NULL;
    return lf_py_pool_count_few(object, places[0], 1);
}

#endif
