/* expected: REJECT edges M5 */
/* Drepper 2011, Futexes are tricky, mutex1: the count of those who came. */
#include "futex_mutex.h"
void mutex_lock(struct mutex *m) {
    uint32_t c;
    while ((c = atomic_fetch_add(&m->word, 1)) != 0)
        futex_wait(&m->word, c + 1);
}
int mutex_try(struct mutex *m) {
    uint32_t c = 0;
    return atomic_compare_exchange_strong(&m->word, &c, 1);
}
void mutex_unlock(struct mutex *m) {
    atomic_store(&m->word, 0);
    futex_wake(&m->word, 1);
}
