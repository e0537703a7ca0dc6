/* fails: edges V4 */
/* Returns without the mutex. */
#include "condition_variable.h"

struct condition {
    _Atomic uint32_t sequence;
};

size_t condition_size(void) { return sizeof(struct condition); }

void condition_init(struct condition *condition, uint32_t start) { atomic_init(&condition->sequence, start); }

void condition_wait(struct condition *condition, struct mutex *mutex) {
    uint32_t seen = atomic_load_explicit(&condition->sequence, memory_order_relaxed);
    mutex_unlock(mutex);
    futex_wait(&condition->sequence, seen);
}

static void wake(struct condition *condition, uint32_t count) {
    atomic_fetch_add_explicit(&condition->sequence, 1, memory_order_relaxed);
    futex_wake(&condition->sequence, count);
}

void condition_signal(struct condition *condition) { wake(condition, 1); }

void condition_broadcast(struct condition *condition) { wake(condition, UINT32_MAX); }
