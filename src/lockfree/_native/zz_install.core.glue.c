/* After all fragments: hangs the binders on lockfree._native. 0, or -1 with a Python error set. */
static PyMethodDef lf_py_binders[] = {
    {"bind_mpmc_ring", lf_py_bind_mpmc_ring, METH_VARARGS, NULL},
    {"bind_spsc_ring", lf_py_bind_spsc_ring, METH_VARARGS, NULL},
    {"bind_priority_queue", lf_py_bind_priority_queue, METH_VARARGS, NULL},
    {"bind_u32", lf_py_bind_u32, METH_VARARGS, NULL},
    {"bind_u64", lf_py_bind_u64, METH_VARARGS, NULL},
    {"bind_i64", lf_py_bind_i64, METH_VARARGS, NULL},
    {"bind_mutex", lf_py_bind_mutex, METH_VARARGS, NULL},
    {"bind_spinlock", lf_py_bind_spinlock, METH_VARARGS, NULL},
    {"bind_semaphore", lf_py_bind_semaphore, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

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
