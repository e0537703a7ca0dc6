/* expected: REJECT edges M6 */
/* Drepper 2011, Futexes are tricky, mutex2: 0 free, 1 taken, 2 taken and somebody waits. */
#include "futex_mutex.h"
void mutex_lock(struct mutex *m) {
    uint32_t c = 0;
    if (atomic_compare_exchange_strong(&m->word, &c, 1))
        return;
    do {
        uint32_t one = 1;
        if (c == 2 || (atomic_compare_exchange_strong(&m->word, &one, 2), one != 0))
            futex_wait(&m->word, 2);
        c = 0;
    } while (!atomic_compare_exchange_strong(&m->word, &c, 1));
}
int mutex_try(struct mutex *m) {
    uint32_t c = 0;
    return atomic_compare_exchange_strong(&m->word, &c, 1);
}
void mutex_unlock(struct mutex *m) {
    if (atomic_fetch_sub(&m->word, 1) != 1) {
        atomic_store(&m->word, 0);
        futex_wake(&m->word, 1);
    }
}
