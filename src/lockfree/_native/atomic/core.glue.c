/* Atomics with the order as an argument (the __ATOMIC_ constants, checked by the caller): a constant in every
 * branch, since the builtins turn a variable order into seq_cst. */
static int lf_py_atomic_cell_create(struct lf_atomic_cell *cell, const char *name, int type, uint64_t initial) {
    return lf_atomic_cell_create(cell, name, (enum lf_cell_type)type, initial);
}

#define LF_PY_RMW(result, operation)                                                                                   \
    switch (order) {                                                                                                   \
    case __ATOMIC_RELAXED:                                                                                             \
        result operation(__ATOMIC_RELAXED);                                                                            \
        break;                                                                                                         \
    case __ATOMIC_ACQUIRE:                                                                                             \
        result operation(__ATOMIC_ACQUIRE);                                                                            \
        break;                                                                                                         \
    case __ATOMIC_RELEASE:                                                                                             \
        result operation(__ATOMIC_RELEASE);                                                                            \
        break;                                                                                                         \
    case __ATOMIC_ACQ_REL:                                                                                             \
        result operation(__ATOMIC_ACQ_REL);                                                                            \
        break;                                                                                                         \
    default:                                                                                                           \
        result operation(__ATOMIC_SEQ_CST);                                                                            \
        break;                                                                                                         \
    }

/* Inlined always: the common call has a constant order, which leaves one instruction of all this. */
#define LF_PY_WITH_ORDER __attribute__((always_inline)) static inline

#define LF_PY_OPERATION(type, c_type, name)                                                                            \
    LF_PY_WITH_ORDER c_type lf_py_##type##_##name(c_type *p, c_type value, int order) {                                \
        c_type old;                                                                                                    \
        LF_PY_RMW(old =, LF_PY_##name)                                                                                 \
        return old;                                                                                                    \
    }
#define LF_PY_exchange(order) __atomic_exchange_n(p, value, order)
#define LF_PY_fetch_add(order) __atomic_fetch_add(p, value, order)
#define LF_PY_fetch_sub(order) __atomic_fetch_sub(p, value, order)
#define LF_PY_fetch_and(order) __atomic_fetch_and(p, value, order)
#define LF_PY_fetch_or(order) __atomic_fetch_or(p, value, order)
#define LF_PY_fetch_xor(order) __atomic_fetch_xor(p, value, order)

/* The observed value: the exchange took place if it equals `expected`. A failed one only loads, so its order is the
 * load part of `order`. */
#define LF_PY_ATOMIC_TYPE(type, c_type)                                                                                \
    LF_PY_WITH_ORDER c_type lf_py_##type##_load(const c_type *p, int order) {                                          \
        return order == __ATOMIC_RELAXED   ? lf_load_relaxed(p)                                                        \
               : order == __ATOMIC_ACQUIRE ? lf_load_acquire(p)                                                        \
                                           : lf_load_seq_cst(p);                                                       \
    }                                                                                                                  \
    LF_PY_WITH_ORDER void lf_py_##type##_store(c_type *p, c_type value, int order) {                                   \
        if (order == __ATOMIC_RELAXED)                                                                                 \
            lf_store_relaxed(p, value);                                                                                \
        else if (order == __ATOMIC_RELEASE)                                                                            \
            lf_store_release(p, value);                                                                                \
        else                                                                                                           \
            lf_store_seq_cst(p, value);                                                                                \
    }                                                                                                                  \
    LF_PY_WITH_ORDER c_type lf_py_##type##_compare_exchange(c_type *p, c_type expected, c_type desired, int order) {   \
        switch (order) {                                                                                               \
        case __ATOMIC_RELAXED:                                                                                         \
            lf_cas_relaxed(p, &expected, desired);                                                                     \
            break;                                                                                                     \
        case __ATOMIC_ACQUIRE:                                                                                         \
            lf_cas_acquire(p, &expected, desired);                                                                     \
            break;                                                                                                     \
        case __ATOMIC_RELEASE:                                                                                         \
            lf_cas_release(p, &expected, desired);                                                                     \
            break;                                                                                                     \
        case __ATOMIC_ACQ_REL:                                                                                         \
            lf_cas_acq_rel(p, &expected, desired);                                                                     \
            break;                                                                                                     \
        default:                                                                                                       \
            lf_cas_seq_cst(p, &expected, desired);                                                                     \
            break;                                                                                                     \
        }                                                                                                              \
        return expected;                                                                                               \
    }                                                                                                                  \
    LF_PY_OPERATION(type, c_type, exchange)                                                                            \
    LF_PY_OPERATION(type, c_type, fetch_add)                                                                           \
    LF_PY_OPERATION(type, c_type, fetch_sub)                                                                           \
    LF_PY_OPERATION(type, c_type, fetch_and)                                                                           \
    LF_PY_OPERATION(type, c_type, fetch_or)                                                                            \
    LF_PY_OPERATION(type, c_type, fetch_xor)

LF_PY_ATOMIC_TYPE(u32, uint32_t)
LF_PY_ATOMIC_TYPE(u64, uint64_t)
LF_PY_ATOMIC_TYPE(i64, int64_t)

/* Doubles are compared and exchanged as bit patterns: -0.0 is not 0.0, and a NaN equals itself. */
static uint64_t lf_py_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static double lf_py_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static double lf_py_f64_load(const double *p, int order) {
    return lf_py_double(lf_py_u64_load((const uint64_t *)p, order));
}
static void lf_py_f64_store(double *p, double value, int order) {
    lf_py_u64_store((uint64_t *)p, lf_py_bits(value), order);
}
static int lf_py_f64_compare_exchange(double *p, double *expected, double desired, int order) {
    uint64_t wanted = lf_py_bits(*expected);
    uint64_t seen = lf_py_u64_compare_exchange((uint64_t *)p, wanted, lf_py_bits(desired), order);
    *expected = lf_py_double(seen);
    return seen == wanted;
}
static double lf_py_f64_exchange(double *p, double value, int order) {
    return lf_py_double(lf_py_u64_exchange((uint64_t *)p, lf_py_bits(value), order));
}
static double lf_py_f64_fetch_add(double *p, double value, int order) {
    uint64_t seen = lf_load_relaxed((uint64_t *)p), before;
    do { /* lock-free: a failed exchange is somebody else's success */
        before = seen;
        seen = lf_py_u64_compare_exchange((uint64_t *)p, before, lf_py_bits(lf_py_double(before) + value), order);
    } while (seen != before);
    return lf_py_double(before);
}

#include "atomic/cell.h"

LF_PY_SURVEY_OF(atomic, lf_atomic_cell, lf_atomic_cell_kind, (void)x)
LF_PY_TYPE(atomic_u32)
LF_PY_TYPE(atomic_u64)
LF_PY_TYPE(atomic_i64)
LF_PY_TYPE(atomic_f64)
LF_PY_TYPE(atomic_flag)
LF_PY_TYPE(view_u32)
LF_PY_TYPE(view_u64)
LF_PY_TYPE(view_i64)
LF_PY_TYPE(view_f64)
LF_PY_TYPE(view_flag)
