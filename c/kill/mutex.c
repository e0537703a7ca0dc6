/* mutex.c: see locks.h. */
#include "kill.h"

#include <lockfree/mutex.h>

#define LOCK(name) lf_mutex_##name
#define SUBJECT "mutex"
#define KIND lf_mutex_kind
static struct lf_mutex object;

#include "locks.h"
