/* buffers.h: what Python callers pass as memory: bytes-like records, batches with one record per row. */
#ifndef LOCKFREE_PY_BUFFERS_H
#define LOCKFREE_PY_BUFFERS_H

#include "common/arguments.h"
#include "common/object.h"
#include "common/window.h"

/* Does a format of the struct module name Python objects or pointers? Names of fields stand between colons. Z is the
 * pointer of ctypes to wide characters; Zf, Zd and Zg are NumPy's complex numbers. */
static int lf_py_has_pointers(const char *format) {
    int in_name = 0;
    for (; format != NULL && *format != '\0'; format++) {
        if (*format == ':')
            in_name = !in_name;
        else if (!in_name && strchr("OP&XzZ", *format) != NULL &&
                 !(*format == 'Z' && format[1] != '\0' && strchr("fdg", format[1]) != NULL))
            return 1;
    }
    return 0;
}

/* What kept an object from giving its buffer, ValueError or BufferError, as a TypeError that names the argument. */
static void lf_py_no_buffer(PyObject *object, const char *what) {
    PyObject *type, *error, *trace;
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_BufferError))
        return;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    PyErr_Format(PyExc_TypeError, "%s is of type %.100s: it has no buffer (%S)", what, lf_py_type_name(object), error);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
}

/* PyObject_GetBuffer that refuses buffers of Python objects and pointers. 0, or -1 with an error. */
static int lf_py_get_buffer(PyObject *object, Py_buffer *view, int flags, const char *what) {
    if (PyObject_GetBuffer(object, view, flags | PyBUF_FORMAT) != 0)
        return -1;
    if (LF_LIKELY(!lf_py_has_pointers(view->format)))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s is a buffer of format '%s': it holds Python objects or pointers, not data", what,
                 view->format);
    PyBuffer_Release(view);
    return -1;
}

/* After lf_py_get_buffer said no, for a caller that has another way: 1, and the error is forgotten, if a buffer was
 * refused. 0: the error stays. It has come out of a method of the user's, or of a signal handler in it. */
static int lf_py_forget_refusal(void) {
    if (!PyErr_ExceptionMatches(PyExc_BufferError) && !PyErr_ExceptionMatches(PyExc_TypeError) &&
        !PyErr_ExceptionMatches(PyExc_ValueError))
        return 0;
    PyErr_Clear();
    return 1;
}

/* What a view shows as a bytes object. NULL with an error. */
static PyObject *lf_py_bytes_of_view(Py_buffer *view) {
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view->len);
    if (bytes == NULL)
        return NULL;
    if (view->len > LF_PY_LONG_COPY && PyBuffer_IsContiguous(view, 'C'))
        LF_PY_WITHOUT_GIL(memcpy(PyBytes_AS_STRING(bytes), view->buf, (size_t)view->len));
    else if (PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), view, view->len, 'C') != 0)
        Py_CLEAR(bytes);
    return bytes;
}

/* The caller is about to drop a bytes object that it does not read any more. If nobody else has it, and it is so long
 * that free() unmaps it, its pages are given back here, without the GIL: then free() has nothing left to do. */
#define LF_PY_ALWAYS_UNMAPPED (32 << 20) /* the most that glibc keeps */
static void lf_py_empty_bytes(PyObject *bytes) {
    Py_ssize_t length = PyBytes_GET_SIZE(bytes);
    if (LF_LIKELY(length < LF_PY_ALWAYS_UNMAPPED) || Py_REFCNT(bytes) != 1)
        return;
    uintptr_t from = ((uintptr_t)PyBytes_AS_STRING(bytes) + LF_PY_PAGE - 1) & ~(LF_PY_PAGE - 1);
    uintptr_t to = ((uintptr_t)PyBytes_AS_STRING(bytes) + (uintptr_t)length) & ~(LF_PY_PAGE - 1);
    LF_PY_WITHOUT_GIL(madvise((void *)from, to - from, MADV_DONTNEED)); /* where it is refused, free() does it */
}

/* A record that is not a bytes object as one: any buffer. `what` names it. */
static PyObject *lf_py_as_bytes(PyObject *record, const char *what) {
    Py_buffer view;
    if (PyUnicode_Check(record))
        return PyErr_Format(PyExc_TypeError, "%s is of type str: it must be bytes-like; encode the text first", what);
    if (!PyObject_CheckBuffer(record))
        return PyErr_Format(PyExc_TypeError, "%s is of type %.100s: it must be bytes-like", what,
                            lf_py_type_name(record));
    if (lf_py_get_buffer(record, &view, PyBUF_FULL_RO, what) != 0) {
        lf_py_no_buffer(record, what);
        return NULL;
    }
    PyObject *bytes = lf_py_bytes_of_view(&view);
    PyBuffer_Release(&view);
    return bytes;
}

#endif
