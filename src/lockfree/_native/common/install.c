/* Below all fragments and the table that build.py makes of them: hangs the binders on lockfree._native.
 * 0, or -1 with a Python error set. */
static int lf_py_fast_install(void) {
    PyObject *native = PyImport_ImportModule("lockfree._native");
    int result = -1;
    if (native != NULL)
        result = PyModule_AddFunctions(native, lf_py_binders);
    Py_XDECREF(native);
    return result;
}
