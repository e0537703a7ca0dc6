/* cell.h: atomics as Python types, in a segment of their own or laid over the user's buffer.
 *
 * The operations stand above (core.glue.c, with the order as an argument). Here they get their arguments. No call gives
 * the GIL up. */
#ifndef LOCKFREE_PY_CELL_H
#define LOCKFREE_PY_CELL_H

#include "common/arguments.h"
#include "common/object.h"

struct lf_py_cell {
    struct lf_py_object o;
    void *laid;       /* the item in the user's buffer; NULL: the cell of the segment */
    Py_buffer buffer; /* the user's, held as long as the view lives */
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

/* ---- orders ---- */

struct lf_py_orders {
    const char *operation;
    const char *names;
    unsigned allowed; /* bits 1 << __ATOMIC_X */
};
static const struct lf_py_orders lf_py_orders_load = {
    "a load", "relaxed, acquire, seq_cst", 1u << __ATOMIC_RELAXED | 1u << __ATOMIC_ACQUIRE | 1u << __ATOMIC_SEQ_CST};
static const struct lf_py_orders lf_py_orders_store = {
    "a store", "relaxed, release, seq_cst", 1u << __ATOMIC_RELAXED | 1u << __ATOMIC_RELEASE | 1u << __ATOMIC_SEQ_CST};
static const struct lf_py_orders lf_py_orders_both = {"a read-modify-write",
                                                      "relaxed, acquire, release, acq_rel, seq_cst", ~0u};

static const struct lf_py_order_name {
    const char *name;
    int order;
} lf_py_order_names[] = {{"relaxed", __ATOMIC_RELAXED},
                         {"acquire", __ATOMIC_ACQUIRE},
                         {"release", __ATOMIC_RELEASE},
                         {"acq_rel", __ATOMIC_ACQ_REL},
                         {"seq_cst", __ATOMIC_SEQ_CST}};

/* The order that a name stands for, -1 with a ValueError if the operation cannot have it. NULL: seq_cst. */
static int lf_py_order(const struct lf_py_orders *orders, PyObject *name) {
    if (name == NULL)
        return __ATOMIC_SEQ_CST;
    for (int i = 0; PyUnicode_Check(name) && i < 5; i++)
        if ((orders->allowed >> lf_py_order_names[i].order & 1) &&
            PyUnicode_CompareWithASCIIString(name, lf_py_order_names[i].name) == 0)
            return lf_py_order_names[i].order;
    PyErr_Format(PyExc_ValueError, "order is %R: %s can have %s", name, orders->operation, orders->names);
    return -1;
}

/* ---- values ---- */

/* An int: a new reference to `object` or its __index__; NULL with a TypeError. */
static PyObject *lf_py_index(const char *name, PyObject *object) {
    PyObject *index = PyLong_Check(object) ? Py_NewRef(object) : PyIndex_Check(object) ? PyNumber_Index(object) : NULL;
    if (index == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "%s is %R: it must be an integer", name, object);
    return index;
}

/* lf_py_TYPE_exact: a value that the type can hold, else ValueError. lf_py_TYPE_wrapped: any integer, modulo 2**bits as C
 * takes the operand of an addition. 0 or -1. */
#define LF_PY_INTEGER_VALUES(type, c_type, low, high, shown_low, shown_high, from_python)                              \
    static int lf_py_##type##_exact(const char *name, PyObject *object, c_type *value) {                               \
        PyObject *index = lf_py_index(name, object);                                                                   \
        if (index == NULL)                                                                                             \
            return -1;                                                                                                 \
        __auto_type wide = from_python(index);                                                                         \
        const __typeof__(wide) least = (low), most = (high); /* no constants: then a bound of the C type may be one */ \
        int failed = wide == (__typeof__(wide))-1 && PyErr_Occurred();                                                 \
        if (LF_UNLIKELY(failed || wide < least || wide > most)) {                                                      \
            PyErr_Format(PyExc_ValueError, "%s is %R: it must be between %s and %s", name, index, shown_low,           \
                         shown_high);                                                                                  \
            Py_DECREF(index);                                                                                          \
            return -1;                                                                                                 \
        }                                                                                                              \
        *value = (c_type)wide;                                                                                         \
        Py_DECREF(index);                                                                                              \
        return 0;                                                                                                      \
    }                                                                                                                  \
    static int lf_py_##type##_wrapped(const char *name, PyObject *object, c_type *value) {                             \
        PyObject *index = lf_py_index(name, object);                                                                   \
        if (index == NULL)                                                                                             \
            return -1;                                                                                                 \
        *value = (c_type)PyLong_AsUnsignedLongLongMask(index);                                                         \
        Py_DECREF(index);                                                                                              \
        return PyErr_Occurred() ? -1 : 0;                                                                              \
    }

/* PyLong_AsUnsignedLongLong and PyLong_AsLongLong, whose OverflowError becomes the ValueError above. */
static unsigned long long lf_py_unsigned(PyObject *index) { return PyLong_AsUnsignedLongLong(index); }
static long long lf_py_signed(PyObject *index) { return PyLong_AsLongLong(index); }

LF_PY_INTEGER_VALUES(u32, uint32_t, 0, UINT32_MAX, "0", "4294967295", lf_py_unsigned)
LF_PY_INTEGER_VALUES(u64, uint64_t, 0, UINT64_MAX, "0", "18446744073709551615", lf_py_unsigned)
LF_PY_INTEGER_VALUES(i64, int64_t, INT64_MIN, INT64_MAX, "-9223372036854775808", "9223372036854775807", lf_py_signed)
LF_PY_INTEGER_VALUES(flag, uint32_t, 0, 1, "0", "1", lf_py_unsigned)

static int lf_py_f64_exact(const char *name, PyObject *object, double *value) {
    if (PyFloat_CheckExact(object)) {
        *value = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
    if (number == NULL || (number->nb_float == NULL && number->nb_index == NULL)) {
        PyErr_Format(PyExc_TypeError, "%s is %R: it must be a number", name, object);
        return -1;
    }
    *value = PyFloat_AsDouble(object);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}
#define lf_py_f64_wrapped lf_py_f64_exact

static PyObject *lf_py_u32_out(uint32_t value) { return PyLong_FromUnsignedLong(value); }
static PyObject *lf_py_u64_out(uint64_t value) { return PyLong_FromUnsignedLongLong(value); }
static PyObject *lf_py_i64_out(int64_t value) { return PyLong_FromLongLong(value); }
static PyObject *lf_py_f64_out(double value) { return PyFloat_FromDouble(value); }
static PyObject *lf_py_flag_out(uint32_t value) { return PyBool_FromLong(value != 0); }

/* What a flag is made of, and what a double lacks. */
#define lf_py_flag_load lf_py_u32_load
#define lf_py_flag_store lf_py_u32_store
#define lf_py_flag_exchange lf_py_u32_exchange
static double lf_py_f64_fetch_sub(double *p, double value, int order) { return lf_py_f64_fetch_add(p, -value, order); }

/* lf_py_TYPE_swap: a compare_exchange that says whether it took place; *expected becomes what was there. */
#define LF_PY_SWAP(type, c_type, exchange)                                                                             \
    static int lf_py_##type##_swap(c_type *p, c_type *expected, c_type desired, int order) {                           \
        c_type wanted = *expected;                                                                                     \
        *expected = exchange(p, wanted, desired, order);                                                               \
        return *expected == wanted;                                                                                    \
    }
LF_PY_SWAP(u32, uint32_t, lf_py_u32_compare_exchange)
LF_PY_SWAP(flag, uint32_t, lf_py_u32_compare_exchange)
LF_PY_SWAP(u64, uint64_t, lf_py_u64_compare_exchange)
LF_PY_SWAP(i64, int64_t, lf_py_i64_compare_exchange)
#define lf_py_f64_swap lf_py_f64_compare_exchange

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

/* One value in, the value before out. */
#define LF_PY_CELL_RMW(type, c_type, method, convert)                                                                  \
    static PyObject *lf_py_cell_##type##_##method(LF_PY_CALL_WITH_KEYWORDS) {                                          \
        const struct lf_py_orders *orders = &lf_py_orders_both;                                                        \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_##method, 2)                                                                      \
        if (convert("value", places[0], &value) != 0)                                                                  \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(value = lf_py_##type##_##method((c_type *)item, value, order));                                  \
        return lf_py_##type##_out(value);                                                                              \
    }

#define LF_PY_CELL(type, c_type)                                                                                       \
    static PyObject *lf_py_cell_##type##_load(LF_PY_CALL_WITH_KEYWORDS) {                                              \
        const struct lf_py_orders *orders = &lf_py_orders_load;                                                        \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_load, 1)                                                                          \
        LF_PY_ON_ITEM(value = lf_py_##type##_load((c_type *)item, order));                                             \
        return lf_py_##type##_out(value);                                                                              \
    }                                                                                                                  \
    static PyObject *lf_py_cell_##type##_store(LF_PY_CALL_WITH_KEYWORDS) {                                             \
        const struct lf_py_orders *orders = &lf_py_orders_store;                                                       \
        c_type value;                                                                                                  \
        LF_PY_PLACES(lf_py_signature_store, 2)                                                                         \
        if (lf_py_##type##_exact("value", places[0], &value) != 0)                                                     \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(lf_py_##type##_store((c_type *)item, value, order));                                             \
        Py_RETURN_NONE;                                                                                                \
    }                                                                                                                  \
    LF_PY_CELL_RMW(type, c_type, exchange, lf_py_##type##_exact)                                                       \
    static PyObject *lf_py_cell_##type##_compare_exchange(LF_PY_CALL_WITH_KEYWORDS) {                                  \
        const struct lf_py_orders *orders = &lf_py_orders_both;                                                        \
        c_type expected, desired;                                                                                      \
        int done;                                                                                                      \
        LF_PY_PLACES(lf_py_signature_compare_exchange, 3)                                                              \
        if (lf_py_##type##_exact("expected", places[0], &expected) != 0 ||                                             \
            lf_py_##type##_exact("desired", places[1], &desired) != 0)                                                 \
            return NULL;                                                                                               \
        LF_PY_ON_ITEM(done = lf_py_##type##_swap((c_type *)item, &expected, desired, order));                          \
        PyObject *observed = lf_py_##type##_out(expected), *result = observed != NULL ? PyTuple_New(2) : NULL;         \
        if (result == NULL) {                                                                                          \
            Py_XDECREF(observed);                                                                                      \
            return NULL;                                                                                               \
        }                                                                                                              \
        PyTuple_SET_ITEM(result, 0, Py_NewRef(done ? Py_True : Py_False));                                             \
        PyTuple_SET_ITEM(result, 1, observed);                                                                         \
        return result;                                                                                                 \
    }                                                                                                                  \
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
    lf_py_dealloc(object);
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
        {Py_tp_dealloc, (void *)lf_py_dealloc},                                                                        \
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
