/* rlock.c: RLock: see locks.h; and taken again, and given back by half. */
#include "kill.h"

#include <lockfree/rlock.h>

#define LOCK(name) lf_rlock_##name
#define SUBJECT "rlock"
#define KIND lf_rlock_kind
static struct lf_rlock object;

static void arm_twice(void) {
    lf_rlock_try_acquire(&object);
    lf_rlock_try_acquire(&object);
}
static int64_t act_release_all(void) { return lf_rlock_release_all(&object); }

#define MORE_OPERATIONS                                                                                                \
    CALL("acquire-again", arrange, arm_held, act_acquire, LF_OK, DIED, DIED, 0),                                       \
        CALL("release-inner", arrange, arm_twice, act_release, LF_OK, DIED, DIED, 0),                                  \
        CALL("release-all", arrange, arm_twice, act_release_all, 2, EITHER, OK, 0),

#include "locks.h"
