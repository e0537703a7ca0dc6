/* An exception of Python that C hands on: cffi's calls cannot raise it. */
#ifndef LF_PY_CHECKER_ERRORS_H
#define LF_PY_CHECKER_ERRORS_H

/* Moves the exception into the list `errors`. */
static void lf_py_keep_error(void *errors) {
#if PY_VERSION_HEX >= 0x030c0000
    PyObject *value = PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(traceback);
    Py_XDECREF(type);
#endif
    if (PyList_Append(errors, value))
        PyErr_Clear();
    Py_DECREF(value);
}

#endif
