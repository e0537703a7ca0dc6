/* SpinLock between threads and processes: exclusion, answers, deadlines, signals, close, and deaths with kill -9. */
#include <lockfree/spinlock.h>

#define LOCK(name) lf_spinlock_##name
#define LOCK_STRUCT lf_spinlock
#include "lock_contract.h"

int main(void) { return lock_contract(); }
