/* watch_keeps_the_wake: a thread that slept for a wait that was given up gets the wake of another waiter, and keeps it. */
/* expect: lost wake */
#include <lockfree/blocks/wait.h>

#include "lockfree_model.h"

static struct lf_eventcount ec;
static uint32_t ticket, permit;

static void setup(void) { ticket = lf_eventcount_prepare(&ec); }
static void gives_up(void) { lf_eventcount_cancel(&ec, ticket); }
static void sleeps_for_it(void) {
    lf_futex_wait(lf__epoch(&ec), ticket, 0);
#ifdef RIGHT
    lf_futex_wake(lf__epoch(&ec), 1);
#endif
}
static void waits(void) {
    uint32_t mine = lf_eventcount_prepare(&ec);
    if (lf_load_acquire(&permit))
        lf_eventcount_cancel(&ec, mine);
    else
        lf_eventcount_wait(&ec, mine, 0);
    lf_fetch_add_seq_cst(&ec.word, (uint64_t)1); /* so that the other one does not sleep for ever */
    lf_futex_wake(lf__epoch(&ec), INT32_MAX);
}
static void posts(void) {
    lf_store_release(&permit, 1u);
    lf_eventcount_notify(&ec, 1);
}
LF_MODEL_CLIENT(watch_keeps_the_wake, .setup = setup, .threads = {gives_up, sleeps_for_it, waits, posts});
