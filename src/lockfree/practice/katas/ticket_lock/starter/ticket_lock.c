#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) { (void)lock; }

int ticket_try(struct ticket_lock *lock) {
    (void)lock;
    return 0;
}

void ticket_unlock(struct ticket_lock *lock) { (void)lock; }
