/* watching.h: no wake is lost between an announcement and a sleep, and none ends at a wait that was given up. */
#include <lockfree/blocks/watching.h>
#include <lockfree/mutex.h>

#include "lockfree_model.h"
#include "permits.h"

static struct lf_mutex mutex[5];
static struct lf_watch watch;
static int data;

static void setup(void) {
    void *memory = lf_model_shared(LF_LOCK_BYTES);
    lf_model_assert(lf_mutex_create_local(&mutex[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&mutex[t].h, &lf_mutex_kind, memory, t) == LF_OK);
    permits_setup();
    lf_model_label(mutex[0].word, 8, "lock");
}
#define ME (&mutex[lf_model_thread()])

/* What lf_watch_sleep does for one watch. */
static void sleeps(struct lf_watch *w) {
    while (lf_load_relaxed(w->word) == w->expected)
        lf_futex_wait(w->word, w->expected, 0);
}
static void watches_until_taken(void) {
    struct lf_watch mine;
    for (;;) {
        lf_watch_count(&mine, &ME->h, &ec);
        int taken = take();
        if (!taken)
            sleeps(&mine);
        lf_watch_end(&mine);
        if (taken)
            return;
    }
}
LF_MODEL_CLIENT(watch_count_sleep, .setup = setup, .threads = {watches_until_taken, post});

static void watches_until_locked(void) {
    struct lf_watch mine;
    while (lf_watch_lock(&mine, &ME->h, ME->word) != LF_OK)
        sleeps(&mine);
    data++;
    lf_model_assert(lf_mutex_release(ME) == LF_OK);
}
static void locks(void) {
    lf_model_assert(lf_mutex_acquire(ME, LF_FOREVER) == LF_OK);
    data++;
    lf_model_assert(lf_mutex_release(ME) == LF_OK);
}
LF_MODEL_CLIENT(watch_lock_sleep, .setup = setup, .threads = {watches_until_locked, locks});

/* A thread sleeps for a watch whose owner gives up. The wake may be that thread's; then another waiter needs it. */
enum { WANTED, TOLD, ENDED };
static uint32_t state; /* what the lock of the thread's list guards */
static void setup_watched(void) {
    setup();
    lf_watch_count(&watch, &mutex[0].h, &ec);
}
static void sleeps_for_it(void) {
    uint32_t seen = WANTED;
    lf_futex_wait(watch.word, watch.expected, 0);
    if (!lf_cas_seq_cst(&state, &seen, TOLD))
        lf_watch_pass_on(&watch);
}
static void gives_up(void) {
    uint32_t was = lf_exchange_seq_cst(&state, ENDED);
    lf_watch_end(&watch);
    if (was == TOLD)
        lf_watch_pass_on(&watch);
}
/* One look and one sleep, without a second turn: any wake ends it, and only a lost one leaves it asleep. */
static void waits_and_frees_the_others(void) {
    uint32_t ticket = lf_eventcount_prepare(&ec);
    if (lf_load_acquire(&permits))
        lf_eventcount_cancel(&ec, ticket);
    else
        lf_eventcount_wait(&ec, ticket, 0);
    lf_fetch_add_seq_cst(&ec.word, (uint64_t)1);
    lf_futex_wake(lf__epoch(&ec), INT32_MAX);
}
static void posts(void) {
    lf_store_release(&permits, 1u);
    lf_eventcount_notify(&ec, 1);
}
LF_MODEL_CLIENT(watch_given_up_by_four_sleep, .setup = setup_watched,
                .threads = {gives_up, sleeps_for_it, waits_and_frees_the_others, posts});

/* The same with the two in one thread, in either order: few enough executions to try all. */
static void gives_up_then_posts(void) {
    gives_up();
    posts();
}
LF_MODEL_CLIENT(watch_given_up_sleep, .setup = setup_watched,
                .threads = {gives_up_then_posts, sleeps_for_it, waits_and_frees_the_others});
static void posts_then_gives_up(void) {
    posts();
    gives_up();
}
LF_MODEL_CLIENT(watch_told_and_given_up_sleep, .setup = setup_watched,
                .threads = {posts_then_gives_up, sleeps_for_it, waits_and_frees_the_others});
