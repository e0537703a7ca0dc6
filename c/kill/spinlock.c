/* spinlock.c: see locks.h. */
#include "kill.h"

#include <lockfree/spinlock.h>

#define LOCK(name) lf_spinlock_##name
#define SUBJECT "spinlock"
#define KIND lf_spinlock_kind
static struct lf_spinlock object;

#include "locks.h"
