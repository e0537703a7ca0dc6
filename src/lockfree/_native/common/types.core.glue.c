/* What the types of the smaller primitives share: how a status becomes an answer, the table of a type, `with` blocks. */
#include "common/scope.h"
#include "common/section.h"
#include "common/unbroken.h"
LF_PY_TYPE(scope)
LF_PY_TYPE(section)
LF_PY_TYPE(unbroken)

/* None, or NULL and the exception. */
static PyObject *lf_py_none(struct lf_py_object *self, int64_t status) {
    if (LF_LIKELY(status == LF_OK))
        Py_RETURN_NONE;
    return lf_py_raise(self, status);
}
/* A bool, or NULL and the exception. LF_TIMEDOUT is False. */
static PyObject *lf_py_whether(struct lf_py_object *self, int64_t status) {
    if (status == LF_OK)
        Py_RETURN_TRUE;
    if (status == LF_TIMEDOUT)
        Py_RETURN_FALSE;
    return lf_py_raise(self, status);
}

/* The slots and the spec of a type whose methods and properties stand in two tables. */
#define LF_PY_SPEC(primitive, Name)                                                                                    \
    static PyType_Slot lf_py_##primitive##_slots[] = {                                                                 \
        {Py_tp_new, (void *)lf_py_##primitive##_new},                                                                  \
        {Py_tp_dealloc, (void *)lf_py_dealloc},                                                                        \
        {Py_tp_methods, lf_py_##primitive##_methods},                                                                  \
        {Py_tp_getset, lf_py_##primitive##_properties},                                                                \
        {0, NULL},                                                                                                     \
    };                                                                                                                 \
    static PyType_Spec lf_py_##primitive##_spec = {                                                                    \
        .name = "lockfree." Name,                                                                                      \
        .basicsize = sizeof(struct lf_py_object),                                                                      \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                                             \
        .slots = lf_py_##primitive##_slots,                                                                            \
    };
