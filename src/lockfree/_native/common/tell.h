/* tell.h: an exception that ends a put_many of an iterator says what was taken out of it and did not go in. */
#ifndef LOCKFREE_PY_TELL_H
#define LOCKFREE_PY_TELL_H

#include <lockfree/lockfree.h>

/* For the exception that is set (lockfree._records.tell). */
static void lf_py_tell(PyObject *record, uint64_t done) {
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    PyObject *records = error != NULL ? PyImport_ImportModule("lockfree._records") : NULL;
    PyObject *told = records != NULL ? PyObject_CallMethod(records, "tell", "OOK", error, record, done) : NULL;
    Py_XDECREF(records);
    if (told == NULL)
        PyErr_Clear();
    Py_XDECREF(told);
    PyErr_Restore(type, error, trace);
}

#endif
