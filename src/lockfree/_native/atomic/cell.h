/* cell.h: atomics as Python types, in a segment of their own or laid over the user's buffer.
 *
 * The operations stand above (core.glue.c, with the order as an argument). Here they get their arguments. No call gives
 * the GIL up. */
#ifndef LOCKFREE_PY_CELL_H
#define LOCKFREE_PY_CELL_H

#include "atomic/values.h"
#include "common/arguments.h"
#include "common/object.h"

struct lf_py_cell {
    struct lf_py_object o;
    void *laid;       /* the item in the user's buffer; NULL: the cell of the segment */
    Py_buffer buffer; /* the user's, held as long as the view lives */
    PyObject *pair;   /* what compare_exchange returned last: used again when nobody else has it */
};

LF_PY_KIND(atomic_cell)

/* Where the item is; LF_CLOSED if there is none. */
static inline int64_t lf_py_cell_enter(struct lf_py_cell *self, void **item) {
    struct lf_atomic_cell *cell = (struct lf_atomic_cell *)self->o.p;
    if ((*item = self->laid) != NULL)
        return LF_OK;
    int64_t status = lf_py_enter_briefly(&self->o);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    status = lf_enter(&cell->h);
    if (LF_UNLIKELY(status != LF_OK)) {
        lf_py_leave_briefly(&self->o);
        return status;
    }
    *item = cell->value;
    return LF_OK;
}
static inline void lf_py_cell_leave(struct lf_py_cell *self) {
    if (self->laid == NULL)
        lf_py_leave_briefly(&self->o);
}
/* Where the item is, if nothing has to be done first; else NULL. */
static inline void *lf_py_cell_at_once(struct lf_py_cell *self) {
#ifndef Py_GIL_DISABLED
    struct lf_atomic_cell *cell = (struct lf_atomic_cell *)self->o.p;
    if (self->laid == NULL)
        return lf_is_entered(&cell->h) ? cell->value : NULL;
#endif
    return self->laid;
}

/* (done, observed); steals `observed`, NULL with an error. A new tuple would cost as much as the whole call. */
static inline PyObject *lf_py_cell_pair(struct lf_py_cell *self, int done, PyObject *observed) {
    PyObject *was = done ? Py_True : Py_False;
    if (observed == NULL)
        return NULL;
#ifndef Py_GIL_DISABLED
    if (LF_LIKELY(self->pair != NULL && Py_REFCNT(self->pair) == 1)) {
        PyObject *first = PyTuple_GET_ITEM(self->pair, 0), *second = PyTuple_GET_ITEM(self->pair, 1);
        if (first != was) {
            PyTuple_SET_ITEM(self->pair, 0, Py_NewRef(was));
            Py_DECREF(first); /* numbers: no code of the user runs */
        }
        PyTuple_SET_ITEM(self->pair, 1, observed);
        Py_DECREF(second);
        return Py_NewRef(self->pair);
    }
#endif
    PyObject *pair = PyTuple_New(2);
    if (pair == NULL) {
        Py_DECREF(observed);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, Py_NewRef(was));
    PyTuple_SET_ITEM(pair, 1, observed);
#ifndef Py_GIL_DISABLED
    Py_XSETREF(self->pair, Py_NewRef(pair));
#endif
    return pair;
}
static void lf_py_cell_dealloc(PyObject *object) {
    Py_CLEAR(((struct lf_py_cell *)object)->pair);
    lf_py_dealloc(object);
}

/* ---- methods ---- */

static const struct lf_py_signature lf_py_signature_load = {"load", 0, 1, {"order"}};
static const struct lf_py_signature lf_py_signature_test_and_set = {"test_and_set", 0, 1, {"order"}};
static const struct lf_py_signature lf_py_signature_clear = {"clear", 0, 1, {"order"}};
static const struct lf_py_signature lf_py_signature_store = {"store", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_exchange = {"exchange", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_compare_exchange = {
    "compare_exchange", 2, 3, {"expected", "desired", "order"}};
static const struct lf_py_signature lf_py_signature_fetch_add = {"fetch_add", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_fetch_sub = {"fetch_sub", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_fetch_and = {"fetch_and", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_fetch_or = {"fetch_or", 1, 2, {"value", "order"}};
static const struct lf_py_signature lf_py_signature_fetch_xor = {"fetch_xor", 1, 2, {"value", "order"}};

/* The arguments of a call: exactly the least of them by position is the common case. */
#define LF_PY_PLACES(signature, most_places)                                                                           \
    struct lf_py_cell *self = (struct lf_py_cell *)object;                                                             \
    PyObject *given[most_places] = {NULL};                                                                             \
    PyObject *const *places = args;                                                                                    \
    void *item;                                                                                                        \
    if (LF_UNLIKELY(count != (signature).least || keywords != NULL)) {                                                 \
        if (lf_py_arguments(object, &(signature), args, count, keywords, given) != 0)                                  \
            return NULL;                                                                                               \
        places = given;                                                                                                \
    }                                                                                                                  \
    int order = lf_py_order(orders, places == args ? NULL : given[(most_places) - 1]);                                 \
    if (order < 0)                                                                                                     \
        return NULL;

#define LF_PY_ON_ITEM(statement)                                                                                       \
    do {                                                                                                               \
        int64_t status = lf_py_cell_enter(self, &item);                                                                \
        if (LF_UNLIKELY(status != LF_OK))                                                                              \
            return lf_py_raise(&self->o, status);                                                                      \
        statement;                                                                                                     \
        lf_py_cell_leave(self);                                                                                        \
    } while (0)

#define LF_PY_CALL_WITH_KEYWORDS PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *keywords

/* The common call of a method: no order, small numbers, an object that is attached. It has a function of its own, which
 * asks for just that; NAME_slowly takes every other call. `a` and `b` are the values of the first two arguments. */
#define LF_PY_SLOWLY(type, method)                                                                                     \
    static __attribute__((noinline)) PyObject *lf_py_cell_##type##_##method##_slowly(LF_PY_CALL_WITH_KEYWORDS)
#define LF_PY_AT_ONCE(type, c_type, method, places, is_common, statement)                                              \
    static PyObject *lf_py_cell_##type##_##method(LF_PY_CALL_WITH_KEYWORDS) {                                          \
        struct lf_py_cell *self = (struct lf_py_cell *)object;                                                         \
        const int order = __ATOMIC_SEQ_CST;                                                                            \
        c_type a = 0, b = 0;                                                                                           \
        (void)a, (void)b;                                                                                              \
        if (LF_LIKELY(count == (places) && keywords == NULL && (is_common))) {                                         \
            c_type *item = (c_type *)lf_py_cell_at_once(self);                                                         \
            if (LF_LIKELY(item != NULL)) {                                                                             \
                statement;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        return lf_py_cell_##type##_##method##_slowly(object, args, count, keywords);                                   \
    }

/* One value in, the value before out. */
#define LF_PY_CELL_RMW(type, c_type, method, convert)                                                                  \
    LF_PY_SLOWLY(type, method) {                                                                                       \
        const struct lf_py_orders *orders = &lf_py_orders_both;                                                        \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_##method, 2)                                                                      \
        if (convert("value", places[0], &value) != 0)                                                                  \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(value = lf_py_##type##_##method((c_type *)item, value, order));                                  \
        return lf_py_##type##_out(value);                                                                              \
    }                                                                                                                  \
    LF_PY_AT_ONCE(type, c_type, method, 1, lf_py_##type##_small(args[0], &a),                                          \
                  return lf_py_##type##_out(lf_py_##type##_##method(item, a, order)))

#define LF_PY_CELL(type, c_type)                                                                                       \
    LF_PY_SLOWLY(type, load) {                                                                                         \
        const struct lf_py_orders *orders = &lf_py_orders_load;                                                        \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_load, 1)                                                                          \
        LF_PY_ON_ITEM(value = lf_py_##type##_load((c_type *)item, order));                                             \
        return lf_py_##type##_out(value);                                                                              \
    }                                                                                                                  \
    LF_PY_AT_ONCE(type, c_type, load, 0, 1, return lf_py_##type##_out(lf_py_##type##_load(item, order)))               \
    LF_PY_SLOWLY(type, store) {                                                                                        \
        const struct lf_py_orders *orders = &lf_py_orders_store;                                                       \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_store, 2)                                                                         \
        if (lf_py_##type##_exact("value", places[0], &value) != 0)                                                     \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(lf_py_##type##_store((c_type *)item, value, order));                                             \
        Py_RETURN_NONE;                                                                                                \
    }                                                                                                                  \
    LF_PY_AT_ONCE(type, c_type, store, 1, lf_py_##type##_small(args[0], &a), lf_py_##type##_store(item, a, order);     \
                  Py_RETURN_NONE)                                                                                      \
    LF_PY_CELL_RMW(type, c_type, exchange, lf_py_##type##_exact)                                                       \
    LF_PY_SLOWLY(type, compare_exchange) {                                                                             \
        const struct lf_py_orders *orders = &lf_py_orders_both;                                                        \
        c_type expected, desired;                                                                                      \
        int done;                                                                                                      \
        LF_PY_PLACES(lf_py_signature_compare_exchange, 3)                                                              \
        if (lf_py_##type##_exact("expected", places[0], &expected) != 0 ||                                             \
            lf_py_##type##_exact("desired", places[1], &desired) != 0)                                                 \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(done = lf_py_##type##_swap((c_type *)item, &expected, desired, order));                          \
        return lf_py_cell_pair(self, done, lf_py_##type##_out(expected));                                              \
    }                                                                                                                  \
    LF_PY_AT_ONCE(type, c_type, compare_exchange, 2,                                                                   \
                  lf_py_##type##_small(args[0], &a) && lf_py_##type##_small(args[1], &b),                              \
                  int done = lf_py_##type##_swap(item, &a, b, order);                                                  \
                  return lf_py_cell_pair(self, done, lf_py_##type##_out(a)))                                           \
    static PyObject *lf_py_cell_##type##_get(PyObject *object, void *unused) {                                         \
        return lf_py_cell_##type##_load(object, NULL, 0, NULL);                                                        \
    }                                                                                                                  \
    static int lf_py_cell_##type##_set(PyObject *object, PyObject *value, void *unused) {                              \
        if (value == NULL) {                                                                                           \
            PyErr_SetString(PyExc_AttributeError, "the value of an atomic cannot be deleted");                         \
            return -1;                                                                                                 \
        }                                                                                                              \
        PyObject *none = lf_py_cell_##type##_store(object, &value, 1, NULL);                                           \
        Py_XDECREF(none);                                                                                              \
        return none != NULL ? 0 : -1;                                                                                  \
    }

#define LF_PY_CELL_ARITHMETIC(type, c_type)                                                                            \
    LF_PY_CELL_RMW(type, c_type, fetch_add, lf_py_##type##_wrapped)                                                    \
    LF_PY_CELL_RMW(type, c_type, fetch_sub, lf_py_##type##_wrapped)
#define LF_PY_CELL_BITWISE(type, c_type)                                                                               \
    LF_PY_CELL_RMW(type, c_type, fetch_and, lf_py_##type##_wrapped)                                                    \
    LF_PY_CELL_RMW(type, c_type, fetch_or, lf_py_##type##_wrapped)                                                     \
    LF_PY_CELL_RMW(type, c_type, fetch_xor, lf_py_##type##_wrapped)

LF_PY_CELL(u32, uint32_t)
LF_PY_CELL(u64, uint64_t)
LF_PY_CELL(i64, int64_t)
LF_PY_CELL(f64, double)
LF_PY_CELL(flag, uint32_t)
LF_PY_CELL_ARITHMETIC(u32, uint32_t)
LF_PY_CELL_ARITHMETIC(u64, uint64_t)
LF_PY_CELL_ARITHMETIC(i64, int64_t)
LF_PY_CELL_ARITHMETIC(f64, double)
LF_PY_CELL_BITWISE(u32, uint32_t)
LF_PY_CELL_BITWISE(u64, uint64_t)
LF_PY_CELL_BITWISE(i64, int64_t)

static PyObject *lf_py_cell_flag_test_and_set(LF_PY_CALL_WITH_KEYWORDS) {
    const struct lf_py_orders *orders = &lf_py_orders_both;
    uint32_t before;
    LF_PY_PLACES(lf_py_signature_test_and_set, 1)
    LF_PY_ON_ITEM(before = lf_py_u32_exchange((uint32_t *)item, 1, order));
    return PyBool_FromLong(before != 0);
}
static PyObject *lf_py_cell_flag_clear(LF_PY_CALL_WITH_KEYWORDS) {
    const struct lf_py_orders *orders = &lf_py_orders_store;
    LF_PY_PLACES(lf_py_signature_clear, 1)
    LF_PY_ON_ITEM(lf_py_u32_store((uint32_t *)item, 0, order));
    Py_RETURN_NONE;
}
static int lf_py_cell_flag_bool(PyObject *object) {
    PyObject *value = lf_py_cell_flag_load(object, NULL, 0, NULL);
    int set = value == Py_True;
    Py_XDECREF(value);
    return value != NULL ? set : -1;
}

/* ---- views ---- */

/* The collector is not told of the buffer: it would clear a memoryview that is still exported, which CPython does not
 * survive. A cycle that goes through the user's buffer object is not collected. */
static void lf_py_view_dealloc(PyObject *object) {
    if (((struct lf_py_cell *)object)->laid != NULL)
        PyBuffer_Release(&((struct lf_py_cell *)object)->buffer);
    lf_py_cell_dealloc(object);
}

/* _lay(buffer, offset): the item at that byte; the caller has checked size and alignment. */
static PyObject *lf_py_view_lay(PyObject *object, PyObject *args) {
    struct lf_py_cell *self = (struct lf_py_cell *)object;
    PyObject *buffer;
    Py_ssize_t offset;
    if (!PyArg_ParseTuple(args, "On", &buffer, &offset))
        return NULL;
    if (self->laid != NULL)
        return PyErr_Format(PyExc_RuntimeError, "%s.__init__() was called a second time", Py_TYPE(object)->tp_name);
    if (PyObject_GetBuffer(buffer, &self->buffer, PyBUF_WRITABLE) != 0)
        return NULL;
    self->laid = (char *)self->buffer.buf + offset;
    Py_RETURN_NONE;
}

/* ---- types ---- */

#define LF_PY_ORDER_DEFAULT "order='seq_cst')\n--\n\n"
#define LF_PY_CELL_METHOD(type, method, arguments, doc)                                                                \
    LF_PY_FAST(#method, lf_py_cell_##type##_##method, #method "($self, /, " arguments LF_PY_ORDER_DEFAULT doc)

#define LF_PY_CELL_METHODS(type)                                                                                       \
    LF_PY_CELL_METHOD(type, load, "", "The value. Orders: relaxed, acquire, seq_cst."),                                \
        LF_PY_CELL_METHOD(type, store, "value, ", "Writes the value. Orders: relaxed, release, seq_cst."),             \
        LF_PY_CELL_METHOD(type, exchange, "value, ", "Writes the value; returns the one before it."),                  \
        LF_PY_CELL_METHOD(                                                                                             \
            type, compare_exchange, "expected, desired, ",                                                             \
            "Writes `desired` if the value is `expected`. Returns (whether it was, the value found). No "              \
            "spurious failures.\n\nDoubles are compared bit by bit: -0.0 is not 0.0, and a NaN equals itself.")
#define LF_PY_CELL_ARITHMETIC_METHODS(type)                                                                            \
    LF_PY_CELL_METHOD(type, fetch_add, "value, ", "Adds; returns the value before. Integers wrap as in C."),           \
        LF_PY_CELL_METHOD(type, fetch_sub, "value, ", "Subtracts; returns the value before. Integers wrap as in C.")
#define LF_PY_CELL_BITWISE_METHODS(type)                                                                               \
    LF_PY_CELL_METHOD(type, fetch_and, "value, ", "Bitwise and; returns the value before."),                           \
        LF_PY_CELL_METHOD(type, fetch_or, "value, ", "Bitwise or; returns the value before."),                         \
        LF_PY_CELL_METHOD(type, fetch_xor, "value, ", "Bitwise exclusive or; returns the value before.")

#define LF_PY_INTEGER_METHODS(type)                                                                                    \
    LF_PY_CELL_METHODS(type), LF_PY_CELL_ARITHMETIC_METHODS(type), LF_PY_CELL_BITWISE_METHODS(type)
#define LF_PY_FLOAT_METHODS(type) LF_PY_CELL_METHODS(type), LF_PY_CELL_ARITHMETIC_METHODS(type)
#define LF_PY_FLAG_METHODS(type)                                                                                       \
    LF_PY_CELL_METHODS(type),                                                                                          \
        LF_PY_CELL_METHOD(type, test_and_set, "",                                                                      \
                          "Sets the flag; returns whether it was set before (C11 `atomic_flag_test_and_set`)."),       \
        LF_PY_CELL_METHOD(type, clear, "", "Clears the flag (C11 `atomic_flag_clear`).")

#define LF_PY_VALUE(type)                                                                                              \
    {"value", lf_py_cell_##type##_get, lf_py_cell_##type##_set, "The value, loaded and stored with seq_cst.", NULL}

#define LF_PY_CELL_TYPES(type, Name, methods, extra_slot)                                                              \
    static PyTypeObject *lf_py_atomic_##type##_type, *lf_py_view_##type##_type;                                        \
    static PyMethodDef lf_py_atomic_##type##_methods[] = {methods(type), LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL}};   \
    static PyMethodDef lf_py_view_##type##_methods[] = {                                                               \
        methods(type), {"_lay", lf_py_view_lay, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};                           \
    static PyGetSetDef lf_py_atomic_##type##_properties[] = {LF_PY_VALUE(type),                                        \
                                                             LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};   \
    static PyGetSetDef lf_py_view_##type##_properties[] = {LF_PY_VALUE(type), {NULL, NULL, NULL, NULL, NULL}};         \
    static PyType_Slot lf_py_atomic_##type##_slots[] = {                                                               \
        {Py_tp_new, (void *)lf_py_atomic_cell_new},                                                                    \
        {Py_tp_dealloc, (void *)lf_py_cell_dealloc},                                                                   \
        {Py_tp_methods, lf_py_atomic_##type##_methods},                                                                \
        {Py_tp_getset, lf_py_atomic_##type##_properties},                                                              \
        extra_slot,                                                                                                    \
        {0, NULL},                                                                                                     \
    };                                                                                                                 \
    static PyType_Slot lf_py_view_##type##_slots[] = {                                                                 \
        {Py_tp_new, (void *)lf_py_atomic_cell_new},                                                                    \
        {Py_tp_dealloc, (void *)lf_py_view_dealloc},                                                                   \
        {Py_tp_methods, lf_py_view_##type##_methods},                                                                  \
        {Py_tp_getset, lf_py_view_##type##_properties},                                                                \
        extra_slot,                                                                                                    \
        {0, NULL},                                                                                                     \
    };                                                                                                                 \
    static PyType_Spec lf_py_atomic_##type##_spec = {                                                                  \
        .name = "lockfree.Atomic" Name,                                                                                \
        .basicsize = sizeof(struct lf_py_cell),                                                                        \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                                             \
        .slots = lf_py_atomic_##type##_slots,                                                                          \
    };                                                                                                                 \
    static PyType_Spec lf_py_view_##type##_spec = {                                                                    \
        .name = "lockfree." Name "View",                                                                               \
        .basicsize = sizeof(struct lf_py_cell),                                                                        \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                                             \
        .slots = lf_py_view_##type##_slots,                                                                            \
    };

#define LF_PY_NO_SLOT {0, NULL}
LF_PY_CELL_TYPES(u32, "U32", LF_PY_INTEGER_METHODS, LF_PY_NO_SLOT)
LF_PY_CELL_TYPES(u64, "U64", LF_PY_INTEGER_METHODS, LF_PY_NO_SLOT)
LF_PY_CELL_TYPES(i64, "I64", LF_PY_INTEGER_METHODS, LF_PY_NO_SLOT)
LF_PY_CELL_TYPES(f64, "F64", LF_PY_FLOAT_METHODS, LF_PY_NO_SLOT)
#define LF_PY_FLAG_SLOT {Py_nb_bool, (void *)lf_py_cell_flag_bool}
LF_PY_CELL_TYPES(flag, "Flag", LF_PY_FLAG_METHODS, LF_PY_FLAG_SLOT)

#endif
