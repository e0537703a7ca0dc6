/* Calls the kernel only if somebody waits. The count of those who wait changes under the mutex alone. */
#include "condition_variable.h"

struct condition {
    _Atomic uint32_t sequence;
    _Atomic uint32_t waiting;
};

size_t condition_size(void) { return sizeof(struct condition); }

void condition_init(struct condition *condition, uint32_t start) {
    atomic_init(&condition->sequence, start);
    atomic_init(&condition->waiting, 0);
}

void condition_wait(struct condition *condition, struct mutex *mutex) {
    atomic_fetch_add_explicit(&condition->waiting, 1, memory_order_relaxed);
    uint32_t seen = atomic_load_explicit(&condition->sequence, memory_order_relaxed);
    mutex_unlock(mutex);
    futex_wait(&condition->sequence, seen);
    mutex_lock(mutex);
    atomic_fetch_sub_explicit(&condition->waiting, 1, memory_order_relaxed);
}

static void wake(struct condition *condition, uint32_t count) {
    if (atomic_load_explicit(&condition->waiting, memory_order_relaxed) == 0)
        return;
    atomic_fetch_add_explicit(&condition->sequence, 1, memory_order_relaxed);
    futex_wake(&condition->sequence, count);
}

void condition_signal(struct condition *condition) { wake(condition, 1); }

void condition_broadcast(struct condition *condition) { wake(condition, UINT32_MAX); }
