/* mutex.c: see locks.h. */
#include "kill.h"

#include <lockfree/blocks/watching.h>
#include <lockfree/mutex.h>

#define LOCK(name) lf_mutex_##name
#define SUBJECT "mutex"
#define KIND lf_mutex_kind
static struct lf_mutex object;

/* A task takes the lock, or announces that it waits, and a thread of its process sleeps for it (watching.h). */
static struct lf_watch task;
static uint32_t control;
static int64_t act_watch(void) { return lf_watch_lock(&task, &object.h, object.word); }
static int64_t act_watch_unlocked(void) { return lf_watch_unlocked(&task, &object.h, object.word), LF_OK; }
static int64_t act_watch_until_locked(void) {
    int64_t status;
    while ((status = act_watch()) == LF_TIMEDOUT)
        lf_watch_sleep(&task, 1, &control, 0, LF_FOREVER);
    return status;
}
#define MORE_OPERATIONS                                                                                                \
    CALL("watch-free", arrange, NULL, act_watch, LF_OK, EITHER, DIED, 0),                                              \
        CALL("watch-held", arrange, NULL, act_watch, LF_TIMEDOUT, OK, OK, 1),                                          \
        CALL("watch-unlocked", arrange, NULL, act_watch_unlocked, LF_OK, OK, OK, 1),                                   \
        CALL("watch-after-death", arrange_dead_holder, NULL, act_watch, LF_OWNER_DIED, DIED, DIED, 0),                 \
        {"watch-handed-over", KILL_DEAD_MODES,       arrange,   NULL, NULL, act_watch_until_locked, LF_OK, NULL,       \
         judge_handed,        WITH(EITHER, DIED, 1), hand_over, 0},

#include "locks.h"
