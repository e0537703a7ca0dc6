/* values.h: what goes into the atomics of Python and comes out: orders by their names, values as the C type holds them. */
#ifndef LOCKFREE_PY_VALUES_H
#define LOCKFREE_PY_VALUES_H

#include "common/arguments.h"

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

/* lf_py_TYPE_small: an exact int of one digit, not negative, that the type can hold: read without a call. Else 0. */
static inline int lf_py_digit(PyObject *object, long *value) {
    if (!PyLong_CheckExact(object))
        return 0;
#if PY_VERSION_HEX >= 0x030c0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)object))
        return 0;
    *value = (long)PyUnstable_Long_CompactValue((PyLongObject *)object);
    return *value >= 0;
#else
    *value = (long)((PyLongObject *)object)->ob_digit[0]; /* 0 in that of zero, too */
    return (size_t)Py_SIZE(object) <= 1;
#endif
}
#define LF_PY_SMALL(type, c_type, high)                                                                                \
    static inline int lf_py_##type##_small(PyObject *object, c_type *value) {                                          \
        long digit = 0;                                                                                                \
        int is_small = lf_py_digit(object, &digit) && digit <= (high);                                                 \
        *value = (c_type)digit;                                                                                        \
        return is_small;                                                                                               \
    }
LF_PY_SMALL(u32, uint32_t, (long)UINT32_MAX)
LF_PY_SMALL(u64, uint64_t, LONG_MAX)
LF_PY_SMALL(i64, int64_t, LONG_MAX)
LF_PY_SMALL(flag, uint32_t, 1)
static inline int lf_py_f64_small(PyObject *object, double *value) {
    if (!PyFloat_CheckExact(object))
        return 0;
    *value = PyFloat_AS_DOUBLE(object);
    return 1;
}

/* lf_py_TYPE_exact: a value that the type can hold, else ValueError. lf_py_TYPE_wrapped: any integer, modulo 2**bits as C
 * takes the operand of an addition. 0 or -1. */
#define LF_PY_INTEGER_VALUES(type, c_type, low, high, shown_low, shown_high, from_python)                              \
    static int lf_py_##type##_exactly(const char *name, PyObject *object, c_type *value) {                             \
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
    static inline int lf_py_##type##_exact(const char *name, PyObject *object, c_type *value) {                        \
        if (LF_UNLIKELY(!PyLong_CheckExact(object)))                                                                   \
            return lf_py_##type##_exactly(name, object, value);                                                        \
        __auto_type wide = from_python(object);                                                                        \
        const __typeof__(wide) none = (__typeof__(wide))-1, most = (high);                                             \
        *value = (c_type)wide;                                                                                         \
        if (LF_LIKELY((__typeof__(wide))*value == wide && wide != none && wide <= most))                               \
            return 0;                                                                                                  \
        PyErr_Clear(); /* the bound, or the error again, with words */                                                 \
        return lf_py_##type##_exactly(name, object, value);                                                            \
    }                                                                                                                  \
    static int lf_py_##type##_wrapped(const char *name, PyObject *object, c_type *value) {                             \
        if (LF_LIKELY(PyLong_CheckExact(object))) {                                                                    \
            *value = (c_type)PyLong_AsUnsignedLongLongMask(object);                                                    \
            return 0;                                                                                                  \
        }                                                                                                              \
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
    if (lf_py_f64_small(object, value))
        return 0;
    PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
    if (number == NULL || (number->nb_float == NULL && number->nb_index == NULL)) {
        PyErr_Format(PyExc_TypeError, "%s is %R: it must be a number", name, object);
        return -1;
    }
    *value = PyFloat_AsDouble(object);
    if (LF_LIKELY(*value != -1.0 || !PyErr_Occurred()))
        return 0;
    if (PyLong_Check(object) && PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_OverflowError, "%s is an int beyond the range of a double: it must be within 1.7e308 of 0",
                     name);
    return -1;
}
#define lf_py_f64_wrapped lf_py_f64_exact

/* CPython makes an int of a signed long in fewer steps than of an unsigned one. */
static PyObject *lf_py_u32_out(uint32_t value) { return PyLong_FromLong((long)value); }
static PyObject *lf_py_u64_out(uint64_t value) {
    return LF_LIKELY(value <= LONG_MAX) ? PyLong_FromLong((long)value) : PyLong_FromUnsignedLongLong(value);
}
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

#endif
