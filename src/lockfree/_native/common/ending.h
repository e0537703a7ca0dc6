/* ending.h: shutdown() of the rings of messages. */
#ifndef LOCKFREE_PY_ENDING_H
#define LOCKFREE_PY_ENDING_H

#include "common/arguments.h"
#include "common/object.h"

/* shutdown(immediate=False); `end` is called inside. */
static PyObject *lf_py_shut_down(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords,
                                 int (*end)(struct lf_py_object *self, int immediate)) {
    static const struct lf_py_signature signature = {"shutdown", 0, 1, {"immediate"}};
    struct lf_py_object *self = (struct lf_py_object *)object;
    PyObject *places[1];
    int64_t status;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return NULL;
    int immediate = places[0] != NULL ? PyObject_IsTrue(places[0]) : 0;
    if (immediate < 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, end(self, immediate));
    return status == LF_OK ? Py_NewRef(Py_None) : lf_py_raise(self, status);
}

#endif
