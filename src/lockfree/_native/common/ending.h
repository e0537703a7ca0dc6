/* ending.h: shutdown() of rings and queues. */
#ifndef LOCKFREE_PY_ENDING_H
#define LOCKFREE_PY_ENDING_H

#include "common/arguments.h"
#include "common/object.h"

/* (immediate=False), the argument of shutdown(): its truth, or -1 with an error. */
static int lf_py_immediate(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
    static const struct lf_py_signature signature = {"shutdown", 0, 1, {"immediate"}};
    PyObject *places[1];
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return -1;
    return places[0] != NULL ? PyObject_IsTrue(places[0]) : 0;
}

/* shutdown(immediate=False) of a ring of messages; `end` is called inside. */
static inline PyObject *lf_py_shut_down(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords,
                                        int (*end)(struct lf_py_object *self, int immediate)) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    int immediate = lf_py_immediate(object, args, count, keywords);
    if (immediate < 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, end(self, immediate));
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_raise(self, status);
}

#endif
