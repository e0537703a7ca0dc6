/* take_messages.h: get, try_get and get_many of the rings whose messages have any length. A ring gives two functions.
 * `take`: a new bytes object, waiting up to `ns`; or NULL, with the status in *status, or LF_PY_RAISED there. `raise`: the
 * exception for a status; returns NULL. */
#ifndef LOCKFREE_PY_TAKE_MESSAGES_H
#define LOCKFREE_PY_TAKE_MESSAGES_H

#include "common/arguments.h"
#include "common/object.h"
#include "common/turns.h"

typedef PyObject *(*lf_py_take_fn)(PyObject *object, uint64_t ns, int64_t *status);
typedef PyObject *(*lf_py_raise_fn)(PyObject *object, int64_t status);

static inline PyObject *lf_py_get_message(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords,
                                          lf_py_take_fn take, lf_py_raise_fn raise) {
    uint64_t ns;
    int64_t status;
    if (lf_py_block_and_timeout(object, "get", 1, args, count, keywords, &ns) != 0)
        return NULL;
    PyObject *message = take(object, ns, &status);
    return LF_LIKELY(message != NULL) ? message : raise(object, status);
}

static inline PyObject *lf_py_try_get_message(PyObject *object, lf_py_take_fn take, lf_py_raise_fn raise) {
    int64_t status;
    PyObject *message = take(object, 0, &status);
    if (LF_LIKELY(message != NULL))
        return message;
    return status == LF_EMPTY ? Py_NewRef(Py_None) : raise(object, status);
}

/* get_many(n=None, block=False, timeout=None): what is there already stays in the list when a later one fails. */
static inline PyObject *lf_py_get_messages(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords, lf_py_take_fn take, lf_py_raise_fn raise) {
    static const struct lf_py_signature signature = {"get_many", 0, 3, {"n", "block", "timeout"}};
    PyObject *places[3];
    uint64_t ns;
    int64_t most = PY_SSIZE_T_MAX, status = LF_OK;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0 ||
        lf_py_patience(places[1] != NULL ? places[1] : Py_False, places[2], &ns) != 0)
        return NULL;
    if (places[0] != NULL && places[0] != Py_None && lf_py_integer("n", places[0], 0, PY_SSIZE_T_MAX, &most) != 0)
        return NULL;
    PyObject *messages = PyList_New(0);
    uint64_t began = 0;
    for (int64_t i = 0; messages != NULL && i < most; i++) {
        lf_py_let_others_run(&began, (uint64_t)i);
        if (PyList_Append(messages, Py_None) != 0) { /* its place, before the message is taken */
            if (i == 0)
                Py_CLEAR(messages);
            else
                PyErr_Clear(); /* what was taken is the answer */
            break;
        }
        PyObject *message = take(object, i == 0 ? ns : 0, &status);
        if (message != NULL) {
            PyList_SetItem(messages, (Py_ssize_t)i, message);
            continue;
        }
        if (PyList_SetSlice(messages, (Py_ssize_t)i, (Py_ssize_t)i + 1, NULL) != 0 ||
            (i == 0 && (status != LF_EMPTY || ns != 0))) {
            Py_CLEAR(messages);
            if (!PyErr_Occurred())
                raise(object, status);
        } else if (i > 0 && status == LF_PY_RAISED) {
            PyErr_Clear();
        }
        break;
    }
    return messages;
}

#endif
