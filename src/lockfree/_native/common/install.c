/* Below all fragments and the table that build.py makes of them: hangs the binders on lockfree._native.
 * 0, or -1 with a Python error set. */
static int lf_py_fast_install(void) {
    PyObject *errors = PyImport_ImportModule("lockfree._errors");
    PyObject *native = PyImport_ImportModule("lockfree._native");
    int result = -1;
    if (errors != NULL && native != NULL && (lf_py_raise_status = PyObject_GetAttrString(errors, "raise_status")) != NULL)
        result = PyModule_AddFunctions(native, lf_py_binders);
    Py_XDECREF(errors);
    Py_XDECREF(native);
    return result;
}
