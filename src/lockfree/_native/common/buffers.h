/* buffers.h: what Python callers pass as memory: bytes-like records, batches with one record per row. */
#ifndef LOCKFREE_PY_BUFFERS_H
#define LOCKFREE_PY_BUFFERS_H

#include "common/arguments.h"
#include "common/object.h"

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
