#include "counting_semaphore.h"

struct semaphore {
    _Atomic uint32_t permits;
};

size_t semaphore_size(void) { return sizeof(struct semaphore); }

void semaphore_init(struct semaphore *semaphore, uint32_t initial, uint32_t max) {
    atomic_init(&semaphore->permits, initial);
    (void)max;
}

void semaphore_acquire(struct semaphore *semaphore) { (void)semaphore; }

int semaphore_try_acquire(struct semaphore *semaphore) {
    (void)semaphore;
    return 0;
}

int semaphore_release(struct semaphore *semaphore, uint32_t count) {
    (void)semaphore;
    (void)count;
    return 0;
}
