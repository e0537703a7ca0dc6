/* stdatomic.h: in the stage edges, weak swaps fail for no reason now and then, as they may on most machines. x86 never
 * does that. The pattern is irregular, so that two swaps in one loop do not take turns for ever. */
#include_next <stdatomic.h>
#ifndef LF_PRACTICE_WEAK
#define LF_PRACTICE_WEAK

static inline int lf_practice_fails(void) {
    static unsigned swaps;
    return (int)(0x06b8f3a51d2c4e97ull >> swaps++ % 59 & 1);
}

#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_weak_explicit(object, expected, desired, success, failure)                             \
    (lf_practice_fails() ? (*(expected) = atomic_load_explicit(object, failure), 0)                                    \
                         : atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure))
#undef atomic_compare_exchange_weak
#define atomic_compare_exchange_weak(object, expected, desired)                                                        \
    atomic_compare_exchange_weak_explicit(object, expected, desired, memory_order_seq_cst, memory_order_seq_cst)

#endif
