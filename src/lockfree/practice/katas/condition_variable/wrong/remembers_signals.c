/* fails: edges V3 */
/* A semaphore: signals that nobody waited for are kept. */
#include "condition_variable.h"

struct condition {
    _Atomic uint32_t sequence;
};

size_t condition_size(void) { return sizeof(struct condition); }

void condition_init(struct condition *condition, uint32_t start) {
    atomic_init(&condition->sequence, 0);
    (void)start;
}

void condition_wait(struct condition *condition, struct mutex *mutex) {
    mutex_unlock(mutex);
    for (;;) {
        uint32_t signals = atomic_load(&condition->sequence);
        while (signals > 0)
            if (atomic_compare_exchange_strong(&condition->sequence, &signals, signals - 1)) {
                mutex_lock(mutex);
                return;
            }
        futex_wait(&condition->sequence, 0);
    }
}

static void wake(struct condition *condition, uint32_t count) {
    atomic_fetch_add_explicit(&condition->sequence, 1, memory_order_relaxed);
    futex_wake(&condition->sequence, count);
}

void condition_signal(struct condition *condition) { wake(condition, 1); }

void condition_broadcast(struct condition *condition) { wake(condition, UINT32_MAX); }
