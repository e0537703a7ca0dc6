/* BlockPool as a Python type. No call has a step of Python code between what it does and its answer. What hands blocks or a
 * ticket out begins with `_`: the class calls it so that the answer is not lost to a signal handler, either (_unbroken.py). */
#include "block_pool/handing.h"
#include "block_pool/look.h"
#include "block_pool/taking.h"

/* The process whose lease this is; 0: a batch, or nobody any more. */
static uint32_t lf_py_block_pool_pid(struct lf_block_pool *p, uint32_t lease) {
    return lease < LF_PARTICIPANTS ? lf_load_relaxed(&p->h.segment->participants[lease].pid) : 0;
}

/* Of a segment of any kind that was opened to be looked at. */
static int lf_py_block_pool_is_persistent(struct lf_handle *h) {
    const struct lf_identity *id = &h->segment->identity;
    return id->kind == LF_KIND_BLOCK_POOL && (id->geometry[2] & LF_POOL_PERSISTENT) != 0;
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
