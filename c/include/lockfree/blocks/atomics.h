/* atomics.h: the only place for atomic operations. The memory order is in the name; there is no default.
 *
 * Plain builtins on plain integers, so that the same layout serves C11 and C++17 and so that an
 * instrumented build (ThreadSanitizer, the model checker) sees every access.
 *
 * `lf_cas_*` takes (pointer, pointer to expected, desired). It returns non-zero on success; else it writes
 * what it found to *expected. It is strong. The order of its failure is the load part of its name. */
#ifndef LOCKFREE_ATOMICS_H
#define LOCKFREE_ATOMICS_H

#include "base.h"

LF_STATIC_ASSERT(__GCC_ATOMIC_LLONG_LOCK_FREE == 2, "8-byte atomics must be lock-free to work across processes");

#define lf_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define lf_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define lf_load_seq_cst(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)

#define lf_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define lf_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define lf_store_seq_cst(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#define lf_exchange_relaxed(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELAXED)
#define lf_exchange_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define lf_exchange_release(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define lf_exchange_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define lf_exchange_seq_cst(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

#define lf__cas(p, expected, desired, success, failure)                                                                \
    __atomic_compare_exchange_n((p), (expected), (desired), 0, success, failure)
#define lf_cas_relaxed(p, e, d) lf__cas(p, e, d, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define lf_cas_acquire(p, e, d) lf__cas(p, e, d, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define lf_cas_release(p, e, d) lf__cas(p, e, d, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define lf_cas_acq_rel(p, e, d) lf__cas(p, e, d, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define lf_cas_seq_cst(p, e, d) lf__cas(p, e, d, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define lf_fetch_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define lf_fetch_add_acquire(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQUIRE)
#define lf_fetch_add_release(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELEASE)
#define lf_fetch_add_acq_rel(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define lf_fetch_add_seq_cst(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)

#define lf_fetch_sub_relaxed(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define lf_fetch_sub_acquire(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQUIRE)
#define lf_fetch_sub_release(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELEASE)
#define lf_fetch_sub_acq_rel(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define lf_fetch_sub_seq_cst(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)

#define lf_fetch_and_relaxed(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELAXED)
#define lf_fetch_and_acquire(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE)
#define lf_fetch_and_release(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELEASE)
#define lf_fetch_and_acq_rel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define lf_fetch_and_seq_cst(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)

#define lf_fetch_or_relaxed(p, v) __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define lf_fetch_or_acquire(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQUIRE)
#define lf_fetch_or_release(p, v) __atomic_fetch_or((p), (v), __ATOMIC_RELEASE)
#define lf_fetch_or_acq_rel(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define lf_fetch_or_seq_cst(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)

#define lf_fetch_xor_relaxed(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_RELAXED)
#define lf_fetch_xor_acquire(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_ACQUIRE)
#define lf_fetch_xor_release(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_RELEASE)
#define lf_fetch_xor_acq_rel(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_ACQ_REL)
#define lf_fetch_xor_seq_cst(p, v) __atomic_fetch_xor((p), (v), __ATOMIC_SEQ_CST)

#define lf_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define lf_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
#define lf_fence_acq_rel() __atomic_thread_fence(__ATOMIC_ACQ_REL)
#define lf_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/* For the compiler alone: the light half of an asymmetric fence (asymmetric.h). */
#define lf_fence_light() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif
