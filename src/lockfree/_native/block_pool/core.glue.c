/* BlockPool as a Python type. No call has a step of Python code between what it does and its answer. What hands blocks or a
 * ticket out begins with `_`: the class calls it so that the answer is not lost to a signal handler, either (_unbroken.py). */
#include "block_pool/look.h"
#include "common/ndarray.h"

/* The process whose lease this is; 0: a batch, or nobody any more. */
static uint32_t lf_py_block_pool_pid(struct lf_block_pool *p, uint32_t lease) {
    return lease < LF_PARTICIPANTS ? lf_load_relaxed(&p->h.segment->participants[lease].pid) : 0;
}

/* Of a segment of any kind that was opened to be looked at. */
static int lf_py_block_pool_is_persistent(struct lf_handle *h) {
    const struct lf_identity *id = &h->segment->identity;
    return id->kind == LF_KIND_BLOCK_POOL && (id->geometry[2] & LF_POOL_PERSISTENT) != 0;
}

/* ---- the type ---- */

enum { LF_PY_FEW = 256 };       /* numbers that are copied: other threads may change the caller's */
#define LF_PY_MANY_BLOCKS 16384 /* 64 KiB of numbers: a call gives the GIL up */

struct lf_py_pool {
    struct lf_py_object o;
    PyObject *empty, *uint32; /* of NumPy */
    struct lf_py_ndarrays arrays;
};

static PyTypeObject *lf_py_block_pool_type __attribute__((unused));
LF_PY_KIND(block_pool)

static struct lf_block_pool *lf_py_pool(PyObject *object) {
    return (struct lf_block_pool *)((struct lf_py_object *)object)->p;
}

/* `status = call`, of so many blocks. */
#define LF_PY_OF_BLOCKS(self, n, status, call)                                                                         \
    do {                                                                                                               \
        if ((uint64_t)(n) >= LF_PY_MANY_BLOCKS)                                                                        \
            LF_PY_AT_LENGTH(self, status, call);                                                                       \
        else                                                                                                           \
            LF_PY_BRIEFLY(self, status, call);                                                                         \
    } while (0)

/* A new array of n numbers, and its memory: PyBuffer_Release. 0, or -1 with an error. */
static int lf_py_pool_array(PyObject *object, uint64_t n, PyObject **array, Py_buffer *view) {
    struct lf_py_pool *self = (struct lf_py_pool *)object;
    int64_t count;
    *array = NULL;
    if (lf_py_is_closed(&self->o) || self->empty == NULL) {
        lf_py_raise(&self->o, LF_CLOSED);
        return -1;
    }
    if (n <= LF_PY_FEW && (*array = lf_py_ndarrays_spare(&self->arrays, (int64_t)n)) != NULL) {
        view->obj = NULL;
        view->buf = lf_py_ndarray_numbers(&self->arrays, *array, &count);
        return 0;
    }
    PyObject *arguments[2] = {PyLong_FromUnsignedLongLong(n), self->uint32};
    *array = arguments[0] != NULL ? PyObject_Vectorcall(self->empty, arguments, 2, NULL) : NULL;
    Py_XDECREF(arguments[0]);
    if (*array == NULL)
        return -1;
    view->obj = NULL; /* nothing to release */
    if ((view->buf = lf_py_ndarray_numbers(&self->arrays, *array, &count)) != NULL && count == (int64_t)n) {
        if (n <= LF_PY_FEW)
            lf_py_ndarrays_save(&self->arrays, *array);
        return 0;
    }
    if (lf_py_numbers(*array, 1, view) == 0)
        return 0;
    Py_CLEAR(*array);
    return -1;
}

/* The first `count` numbers of an array that is given away, in memory of their own if there is some. `spare`, a slice of
 * it, is given away, too: if there is no memory left, its own serves. */
static PyObject *lf_py_pool_first(PyObject *array, int64_t count, PyObject *spare) {
    PyObject *first = PySequence_GetSlice(array, 0, (Py_ssize_t)count);
    Py_DECREF(spare);
    if (first == NULL && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        first = PySequence_GetSlice(array, 0, (Py_ssize_t)count);
    }
    PyObject *own = first != NULL ? PyObject_CallMethod(first, "copy", NULL) : NULL;
    if (own == NULL && first != NULL) { /* the blocks are the caller's: it must know them */
        PyErr_Clear();
        own = Py_NewRef(first);
    }
    Py_XDECREF(first);
    Py_DECREF(array);
    return own;
}

/* ---- taking and giving back ---- */

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

/* Raises why blocks were refused: the class has the words. */
static PyObject *lf_py_pool_refused(PyObject *object, int64_t status, PyObject *numbers, uint64_t at, PyObject *tags) {
    if (status != LF_NOT_OWNER)
        return lf_py_raise((struct lf_py_object *)object, status);
    PyObject *none = PyObject_CallMethod(object, "_not_owner", "OKO", numbers, (unsigned long long)at, tags);
    Py_XDECREF(none); /* it always raises */
    return NULL;
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

/* A few numbers, copied: other threads may change the caller's. How many, or -1: the class must look at what it is. */
static int64_t lf_py_pool_few(const struct lf_py_ndarrays *arrays, PyObject *numbers, uint32_t *few) {
    int64_t n = 0;
    const uint32_t *there = lf_py_ndarray_numbers(arrays, numbers, &n);
    if (there != NULL && n <= LF_PY_FEW) {
        memcpy(few, there, (size_t)n * sizeof *few);
        return n;
    }
    if (PyList_CheckExact(numbers)) {
        PyObject *all = PyList_GET_SIZE(numbers) <= LF_PY_FEW ? PyList_AsTuple(numbers) : NULL;
        n = all != NULL && PyTuple_GET_SIZE(all) <= LF_PY_FEW ? PyTuple_GET_SIZE(all) : -1;
        for (int64_t i = 0; i < n; i++) {
            PyObject *number = PyTuple_GET_ITEM(all, i);
            unsigned long value = PyLong_CheckExact(number) ? PyLong_AsUnsignedLong(number) : ULONG_MAX;
            few[i] = (uint32_t)value;
            n = value > UINT32_MAX ? -1 : n;
        }
        PyErr_Clear();
        Py_XDECREF(all);
        return n;
    }
    Py_buffer view;
    if (!PyObject_CheckBuffer(numbers))
        return -1;
    if (PyObject_GetBuffer(numbers, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0)
        return PyErr_Clear(), -1;
    n = -1;
    if (view.ndim == 1 && view.format != NULL && strcmp(view.format, "I") == 0 && view.shape[0] <= LF_PY_FEW) {
        n = view.shape[0];
        memcpy(few, view.buf, (size_t)n * sizeof *few);
    }
    PyBuffer_Release(&view);
    return n;
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

/* ---- handing over ---- */

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

/* ---- looking ---- */

static PyObject *lf_py_pool_available(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self) ? LF_CLOSED : (int64_t)lf_block_pool_available(lf_py_pool(object)));
    return status < 0 ? lf_py_raise(self, status) : PyLong_FromLongLong(status);
}

static int lf_py_pool_look_inside(struct lf_py_object *self, const Py_buffer *at) {
    if (lf_py_is_closed(self))
        return LF_CLOSED;
    lf_py_block_pool_look((struct lf_block_pool *)self->p, (const uint32_t *)at[0].buf, (uint32_t *)at[1].buf,
                          (uint32_t *)at[2].buf, (uint64_t)at[0].len / sizeof(uint32_t));
    return LF_OK;
}
/* _fill(numbers, generations, references): the last two are filled. */
static PyObject *lf_py_pool_fill(PyObject *object, PyObject *args) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *arrays[3];
    Py_buffer at[3];
    int ready = 0;
    int64_t status = LF_PY_RAISED;
    if (!PyArg_ParseTuple(args, "OOO", &arrays[0], &arrays[1], &arrays[2]))
        return NULL;
    while (ready < 3 && lf_py_numbers(arrays[ready], ready > 0, &at[ready]) == 0)
        ready++;
    if (ready == 3)
        LF_PY_OF_BLOCKS(self, (uint64_t)at[0].len / sizeof(uint32_t), status, lf_py_pool_look_inside(self, at));
    while (ready > 0)
        PyBuffer_Release(&at[--ready]);
    return lf_py_none(self, status);
}
/* _state(number): (its word, the pid of whose lease it is or 0). */
static PyObject *lf_py_pool_state(PyObject *object, PyObject *number) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_block_pool *p = lf_py_pool(object);
    int64_t block, status;
    uint64_t word = 0;
    uint32_t pid = 0;
    if (lf_py_integer("block", number, 0, UINT32_MAX, &block) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status,
                  lf_py_is_closed(self) ? LF_CLOSED
                                        : (word = lf_block_pool_look(p, (uint64_t)block),
                                           pid = lf_py_block_pool_pid(p, lf_block_lease(word)), LF_OK));
    return status != LF_OK ? lf_py_raise(self, status) : Py_BuildValue("KI", (unsigned long long)word, pid);
}

static int lf_py_pool_shutdown_inside(struct lf_py_object *self) {
    if (lf_py_is_closed(self))
        return LF_CLOSED;
    lf_block_pool_shutdown((struct lf_block_pool *)self->p, 0);
    return LF_OK;
}
static PyObject *lf_py_pool_shutdown(PyObject *object, PyObject *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_py_pool_shutdown_inside(self));
    return lf_py_none(self, status);
}

/* _use(empty, uint32): the object is attached. */
static PyObject *lf_py_pool_use(PyObject *object, PyObject *args) {
    struct lf_py_pool *self = (struct lf_py_pool *)object;
    PyObject *empty, *uint32;
    if (!PyArg_ParseTuple(args, "OO", &empty, &uint32))
        return NULL;
    PyObject *probe = PyObject_CallFunction(empty, "iO", 2, uint32);
    if (probe == NULL)
        return NULL;
    lf_py_ndarrays_forget(&self->arrays);
    lf_py_ndarrays_learn(&self->arrays, probe, uint32);
    Py_DECREF(probe);
    Py_XSETREF(self->empty, Py_NewRef(empty));
    Py_XSETREF(self->uint32, Py_NewRef(uint32));
    Py_RETURN_NONE;
}
static void lf_py_pool_dealloc(PyObject *object) {
    Py_CLEAR(((struct lf_py_pool *)object)->empty);
    Py_CLEAR(((struct lf_py_pool *)object)->uint32);
    lf_py_ndarrays_forget(&((struct lf_py_pool *)object)->arrays);
    lf_py_dealloc(object);
}

#include "block_pool/methods.h"

LF_PY_SURVEY(block_pool, {
    s->room = (int64_t)x->blocks;
    s->inside = 0;
    for (uint64_t i = 0; i < x->blocks; i++) {
        uint64_t word = lf_block_pool_look(x, i);
        uint32_t lease = lf_block_is_held(word) ? lf_block_lease(word) : 0;
        s->inside += lf_block_is_held(word);
        if (lease >= LF_PARTICIPANTS && lease < LF_PARTICIPANTS + LF_BATCHES)
            lease = 0; /* a batch's: nobody's in particular */
        lf_py_survey_hold(s, lease);
    }
})
LF_PY_TYPE(block_pool)
