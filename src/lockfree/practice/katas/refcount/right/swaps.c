#include "refcount.h"

void ref_init(struct refcount *count, uint32_t owners) { atomic_init(&count->owners, owners); }

int ref_copy(struct refcount *count) {
    uint32_t owners = atomic_load_explicit(&count->owners, memory_order_relaxed);
    do
        if (owners == REFCOUNT_MAX)
            return 0;
    while (!atomic_compare_exchange_weak_explicit(&count->owners, &owners, owners + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
    return 1;
}

int ref_try(struct refcount *count) {
    uint32_t owners = atomic_load_explicit(&count->owners, memory_order_relaxed);
    do
        if (owners == 0 || owners == REFCOUNT_MAX)
            return 0;
    while (!atomic_compare_exchange_weak_explicit(&count->owners, &owners, owners + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
    return 1;
}

int ref_drop(struct refcount *count) {
    uint32_t owners = atomic_load_explicit(&count->owners, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&count->owners, &owners, owners - 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
        ;
    return owners == 1;
}

int ref_unique(struct refcount *count) {
    int unique = atomic_load_explicit(&count->owners, memory_order_relaxed) == 1;
    atomic_thread_fence(memory_order_acquire);
    return unique;
}
