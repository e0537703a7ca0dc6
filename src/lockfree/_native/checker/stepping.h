/* One step of a specification in Python, without cffi in between: the search makes hundreds of thousands.
 *
 * What is rare is left to `slow`, the callback in Python: an operation that is cut off, more states than there is room
 * for, and every so often a new state, when the memory is looked at. */
#ifndef LF_PY_CHECKER_STEPPING_H
#define LF_PY_CHECKER_STEPPING_H

/* Objects of Python, alive as long as the check runs, and used by its thread alone. */
struct lf_py_stepper {
    void *step;       /* of the specification, bound */
    void *states;     /* list: by number */
    void *numbers;    /* dict: state to number */
    void *operations; /* list: by position in the history; None: not used yet */
    void *errors;     /* list: the exception that ended the check */
    void *handle;     /* for slow */
    struct lf_py_decoder *decoder;
    const struct lf_history_op *ops;
    uint32_t look_every;
    int32_t (*slow)(void *handle, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);
};

enum { LF_PY_LOOKS_EVERY = 1024 }; /* at most, new states between two looks at the memory */

/* Is the memory looked at when this state is new? Often at first, since one state may be large. */
static int lf_py_looks(uint64_t state, uint32_t every) { return !(state & (state - 1)) || state % every == 0; }

/* A value that holds nothing else, of a few hundred bytes at most: a thousand of them need no look, which takes longer than a
 * small check. */
static int lf_py_is_small(PyObject *state) {
    enum { FEW = 256 };
    int overflow = 0;
    if (PyUnicode_CheckExact(state))
        return PyUnicode_GET_LENGTH(state) < FEW;
    if (PyBytes_CheckExact(state))
        return PyBytes_GET_SIZE(state) < FEW;
    if (PyLong_CheckExact(state))
        return PyLong_AsLongLongAndOverflow(state, &overflow), !overflow;
    return state == Py_None;
}

/* The number of a state: -1 if Python has to look at it, or after an exception. */
static int64_t lf_py_number(const struct lf_py_stepper *s, PyObject *state) {
    PyObject *numbers = s->numbers, *states = s->states, *known = PyDict_GetItemWithError(numbers, state);
    if (known)
        return (int64_t)PyLong_AsUnsignedLong(known);
    Py_ssize_t next = PyList_Size(states);
    if (PyErr_Occurred())
        return -1;
    bool may_wait = next < LF_PY_LOOKS_EVERY && s->look_every == LF_PY_LOOKS_EVERY && lf_py_is_small(state);
    if (!may_wait && lf_py_looks((uint64_t)next, s->look_every))
        return -1;
    PyObject *number = PyLong_FromSsize_t(next);
    int failed = !number || PyDict_SetItem(numbers, state, number) || PyList_Append(states, state);
    Py_XDECREF(number);
    return failed ? -1 : (int64_t)next;
}

/* How many states there are after the step, in out; -1 if Python has to say, or after an exception. */
static int32_t lf_py_fast_step(const struct lf_py_stepper *s, uint32_t state, uint32_t op, uint32_t *out,
                               uint32_t room) {
    PyObject *operations = s->operations;
    if (op >= (size_t)PyList_GET_SIZE(operations))
        return -1;
    PyObject *operation = PyList_GET_ITEM(operations, op);
    if (operation == Py_None) {
        operation = lf_py_operation(s->decoder, &s->ops[op]);
        if (!operation || PyList_SetItem(operations, op, operation))
            return -1;
    }
    PyObject *arguments[] = {NULL, PyList_GET_ITEM((PyObject *)s->states, state), operation};
    PyObject *answer = PyObject_Vectorcall(s->step, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    PyObject *after = answer ? PySequence_Fast(answer, "states are not iterable") : NULL;
    Py_ssize_t count = after ? PySequence_Fast_GET_SIZE(after) : -1;
    if (count > (Py_ssize_t)room)
        count = -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        int64_t number = lf_py_number(s, PySequence_Fast_GET_ITEM(after, i));
        if (number < 0)
            count = -1;
        out[i] = (uint32_t)number;
    }
    Py_XDECREF(after);
    Py_XDECREF(answer);
    return (int32_t)count;
}

static int32_t lf_py_step(void *context, uint32_t state, uint32_t op, uint32_t *out, uint32_t room) {
    const struct lf_py_stepper *s = context;
    PyGILState_STATE gil = PyGILState_Ensure();
    int32_t count = lf_py_fast_step(s, state, op, out, room);
    bool failed = PyErr_Occurred() != NULL;
    if (failed)
        lf_py_keep_error(s->errors);
    PyGILState_Release(gil);
    return count < 0 && !failed ? s->slow(s->handle, state, op, out, room) : failed ? -1 : count;
}

static lf_lin_step lf_py_step_function(void) { return lf_py_step; }

#endif
