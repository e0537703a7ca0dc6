#include "futex_mutex.h"

void mutex_lock(struct mutex *mutex) { (void)mutex; }

int mutex_try(struct mutex *mutex) {
    (void)mutex;
    return 0;
}

void mutex_unlock(struct mutex *mutex) { (void)mutex; }
