/* Mutex between threads and processes: exclusion, answers, deadlines, signals, close, and deaths with kill -9. */
#include <lockfree/mutex.h>

#define LOCK(name) lf_mutex_##name
#define LOCK_STRUCT lf_mutex
#include "lock_contract.h"

int main(void) { return lock_contract(); }
