#include <lockfree/rlock.h>

LF_STRESS_LOCK(rlock)
