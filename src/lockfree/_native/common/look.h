/* look.h: a message of variable length in hand, seen in place; messages as Python callers pass them.
 *
 * Contract
 *   A ring of messages has one window on all its bytes for each look (window.h), so that a view costs no system call. Before
 *   the message leaves the hand, lf_py_look_end ends the view. An array of it that was kept has memory of its own
 *   then. */
#ifndef LOCKFREE_PY_LOOK_H
#define LOCKFREE_PY_LOOK_H

#include "common/hands.h"

/* What a thread has in hand: a message that it looks at, or one that it writes. */
struct lf_py_look {
    uint64_t thread; /* 0: nothing in hand */
    uint32_t participant;
    int is_taken; /* it was copied out: nothing has to be given back */
    int64_t place;
    uint64_t length;
    size_t lead; /* of the ring's bytes in their window */
    struct lf_py_memory *memory;
    PyObject *view;
};

static int lf_py_look_is_mine(struct lf_py_object *self, const struct lf_py_look *look) {
    return look->thread == lf_py_thread() && look->participant == lf_py_me(self);
}

/* The memory through which a thread sees `length` bytes of the ring at `place`, in hand. NULL with an error. */
static int lf_py_look_at(struct lf_py_look *look, const void *handle, unsigned char *bytes, uint64_t size,
                         uint64_t place, uint64_t length) {
    struct lf_py_memory *memory = look->memory;
    if (memory != NULL && memory->window.base != NULL && !memory->window.is_cut) {
        lf_py_window_take(&memory->window);
    } else {
        Py_CLEAR(look->memory);
        memory = lf_py_memory_window(handle, 0, bytes, size);
        if (memory == NULL)
            return -1;
        look->memory = memory;
        look->lead = memory->window.offset;
    }
    memory->window.offset = look->lead + (size_t)place;
    memory->window.size = (size_t)length;
    memory->bytes = memory->window.base + memory->window.offset;
    memory->length = memory->room = (Py_ssize_t)length;
    return 0;
}

/* The view of what was just taken in hand. It is made outside: that may run Python code. */
static PyObject *lf_py_look_view(struct lf_py_look *look) {
    struct lf_py_memory *memory = (struct lf_py_memory *)Py_NewRef((PyObject *)look->memory);
    PyObject *view = PyMemoryView_FromObject((PyObject *)memory);
    if (view != NULL && look->memory == memory && look->thread != 0)
        Py_XSETREF(look->view, Py_NewRef(view));
    Py_DECREF((PyObject *)memory);
    return view;
}

/* Ends the view. 0, or -1 with MemoryError, and it is still in hand. */
static int lf_py_look_end(struct lf_py_look *look) {
    PyObject *view = look->view;
    look->view = NULL;
    if (view != NULL)
        lf_py_end_view(view);
    Py_XDECREF(view);
    struct lf_py_memory *memory = look->memory;
    if (memory == NULL)
        return 0;
    int is_seen = !lf_py_memory_is_unseen(memory);
    if (memory->window.base != NULL && lf_py_window_end(&memory->window, is_seen) != 0)
        return -1;
    if (is_seen || memory->window.base == NULL)
        Py_CLEAR(look->memory);
    return 0;
}

/* At the end of the object. */
static void lf_py_look_drop(struct lf_py_look *look) {
    Py_CLEAR(look->view);
    if (look->memory != NULL && look->memory->window.base != NULL &&
        lf_py_window_end(&look->memory->window, !lf_py_memory_is_unseen(look->memory)) != 0)
        PyErr_Clear();
    Py_CLEAR(look->memory);
}

#define LF_PY_ALONE (-1) /* no position: the message of a put */

/* A message as bytes that do not move: `view`, or a bytes object in it. 0, or -1 with an error, which names the message
 * by its position in put_many. */
static int lf_py_message_bytes(PyObject *object, PyObject *message, int64_t position, Py_buffer *view) {
    if (LF_LIKELY(PyBytes_CheckExact(message)))
        return PyObject_GetBuffer(message, view, PyBUF_SIMPLE);
    if (!PyUnicode_Check(message) && PyObject_CheckBuffer(message)) {
        if (lf_py_get_buffer(message, view, PyBUF_C_CONTIGUOUS, "message") == 0)
            return 0;
        if (!lf_py_forget_refusal()) /* not contiguous, or refused, which is said below */
            return -1;
    }
    PyObject *what = position < 0 ? PyObject_CallMethod(object, "_what", NULL)
                                  : PyObject_CallMethod(object, "_what", "L", (long long)position);
    const char *name = what != NULL ? PyUnicode_AsUTF8(what) : NULL;
    PyObject *bytes = name != NULL ? lf_py_as_bytes(message, name) : NULL;
    int status = bytes != NULL ? PyObject_GetBuffer(bytes, view, PyBUF_SIMPLE) : -1;
    Py_XDECREF(bytes);
    Py_XDECREF(what);
    return status;
}

/* Raises that a message is too long, or that the object is closed: the class has the words. LF_PY_RAISED. */
static int64_t lf_py_message_too_long(PyObject *object, int64_t position, uint64_t length) {
    unsigned long long bytes = length;
    PyObject *none = position < 0 ? PyObject_CallMethod(object, "_too_long", "K", bytes)
                                  : PyObject_CallMethod(object, "_too_long", "KL", bytes, (long long)position);
    Py_XDECREF(none); /* it always raises */
    return LF_PY_RAISED;
}

#endif
