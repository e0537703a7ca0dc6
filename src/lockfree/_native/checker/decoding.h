/* Records of C as `Operation`s of Python, without cffi in between: a check with a specification in Python needs each.
 *
 * What is rare is left to the coder in Python: a text that is more than printable ASCII in quotes, and the first use of a
 * name. */
#ifndef LF_PY_CHECKER_DECODING_H
#define LF_PY_CHECKER_DECODING_H

enum lf_py_shape {               /* where a record of this name keeps argument and result */
                   LF_PY_NEW,    /* not asked for yet */
                   LF_PY_ANSWER, /* no argument; a failed one has no result */
                   LF_PY_ADD,    /* the same with an argument */
                   LF_PY_WANTED, /* the same with a number in arg2, 0: none */
                   LF_PY_CAS,    /* two values; whether it succeeded */
                   LF_PY_DONE,   /* a value; whether it succeeded */
                   LF_PY_PUT,    /* the same: a pair in the argument, if there is one */
                   LF_PY_OTHER   /* any argument, any result */
};

/* Objects of Python, alive as long as the history. */
struct lf_py_decoder {
    struct lf_history_reader *reader;
    void *coder;     /* learn(code), said(number of a text) */
    void *names;     /* list: by code */
    void *operation; /* the class */
    void *errors;    /* list: the exception of the last call */
    uint8_t shape[256];
};

static PyObject *lf_py_text(const struct lf_py_decoder *d, uint64_t number) {
    size_t n = 0;
    const char *at = lf_history_reader_text_at(d->reader, number, &n);
    bool plain = at && n >= 2 && at[0] == '"';
    for (size_t i = 1; plain && i + 1 < n; i++)
        plain = at[i] >= ' ' && at[i] <= '~' && at[i] != '\\';
    if (plain)
        return PyUnicode_FromStringAndSize(at + 1, (Py_ssize_t)n - 2);
    return PyObject_CallMethod(d->coder, "said", "K", (unsigned long long)number);
}

static PyObject *lf_py_none(void) {
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *lf_py_value(const struct lf_py_decoder *d, int64_t value) {
    if (value == LF_HISTORY_NONE)
        return lf_py_none();
    if (value >= LF_HISTORY_TEXT && value < LF_HISTORY_TEXT + (INT64_C(1) << 32))
        return lf_py_text(d, (uint64_t)(value - LF_HISTORY_TEXT));
    return PyLong_FromLongLong(value);
}

static PyObject *lf_py_key(const struct lf_py_decoder *d, uint32_t key) {
    return !key ? lf_py_none() : key < 1u << 31u ? PyLong_FromUnsignedLong(key - 1) : lf_py_text(d, key - (1u << 31u));
}

static PyObject *lf_py_two(const struct lf_py_decoder *d, int64_t first, int64_t second) {
    PyObject *a = lf_py_value(d, first), *b = a ? lf_py_value(d, second) : NULL, *pair = b ? PyList_New(2) : NULL;
    if (!pair) {
        Py_XDECREF(a);
        Py_XDECREF(b);
        return NULL;
    }
    PyList_SET_ITEM(pair, 0, a);
    PyList_SET_ITEM(pair, 1, b);
    return pair;
}

static PyObject *lf_py_argument(const struct lf_py_decoder *d, const struct lf_history_op *r, int shape) {
    if (r->flags & LF_HISTORY_PAIR)
        return shape == LF_PY_PUT ? lf_py_two(d, r->arg2, r->arg) : lf_py_none();
    if (shape == LF_PY_CAS)
        return lf_py_two(d, r->arg, r->arg2);
    if (shape == LF_PY_ADD)
        return PyLong_FromLongLong(r->arg);
    if (shape == LF_PY_WANTED)
        return r->arg2 ? PyLong_FromLongLong(r->arg2) : lf_py_none();
    return shape == LF_PY_ANSWER ? lf_py_none() : lf_py_value(d, r->arg);
}

static PyObject *lf_py_result(const struct lf_py_decoder *d, const struct lf_history_op *r, int shape) {
    bool failed = r->flags & LF_HISTORY_FAILED, answers = shape == LF_PY_ANSWER || shape == LF_PY_ADD;
    if (r->ret == LF_HISTORY_PENDING)
        return lf_py_none();
    if (shape != LF_PY_PUT && (r->flags & LF_HISTORY_PAIR))
        return lf_py_two(d, r->arg2, r->result);
    if (answers || shape == LF_PY_WANTED)
        return failed ? lf_py_none() : lf_py_value(d, r->result);
    return shape == LF_PY_OTHER ? lf_py_value(d, r->result) : PyBool_FromLong(!failed);
}

static PyObject *lf_py_operation(const struct lf_py_decoder *d, const struct lf_history_op *r) {
    if (d->shape[r->op] == LF_PY_NEW) {
        PyObject *learned = PyObject_CallMethod(d->coder, "learn", "i", (int)r->op);
        Py_XDECREF(learned);
        if (!learned)
            return NULL;
    }
    int shape = d->shape[r->op];
    bool ticket = r->flags & LF_HISTORY_TICKET;
    PyObject *name = PyList_GET_ITEM((PyObject *)d->names, r->op), *plain = PyTuple_New(9), *made = NULL;
    if (!plain)
        return NULL;
    Py_INCREF(name);
    PyObject *member[9] = {
        PyLong_FromUnsignedLong(r->client),
        name,
        lf_py_argument(d, r, shape),
        lf_py_result(d, r, shape),
        PyLong_FromUnsignedLongLong(r->call),
        r->ret == LF_HISTORY_PENDING ? lf_py_none() : PyLong_FromUnsignedLongLong(r->ret),
        lf_py_key(d, r->key),
        PyLong_FromUnsignedLong(r->batch),
        ticket ? PyLong_FromLongLong(shape == LF_PY_CAS ? r->result : r->arg2) : lf_py_none(),
    };
    bool whole = true;
    for (int i = 0; i < 9; i++) {
        whole &= member[i] != NULL;
        PyTuple_SET_ITEM(plain, i, member[i]);
    }
    PyObject *arguments = whole ? PyTuple_Pack(1, plain) : NULL;
    if (arguments)
        made = PyTuple_Type.tp_new((PyTypeObject *)d->operation, arguments, NULL);
    Py_XDECREF(arguments);
    Py_DECREF(plain);
    return made;
}

/* Appends them to the list `out`; -1 after an exception, which is in errors. */
static int lf_py_decode(struct lf_py_decoder *d, const struct lf_history_op *ops, size_t count, void *out) {
    PyGILState_STATE gil = PyGILState_Ensure();
    bool failed = false;
    for (size_t i = 0; i < count && !failed; i++) {
        PyObject *made = lf_py_operation(d, &ops[i]);
        failed = !made || PyList_Append(out, made);
        Py_XDECREF(made);
    }
    if (failed)
        lf_py_keep_error(d->errors);
    PyGILState_Release(gil);
    return failed ? -1 : 0;
}

#endif
