/* asymmetric.h with the event count of one waiter: no wake is lost, where membarrier works, where it is refused to all, and
 * where a process to which it is refused joins late, as waker or as waiter. */
#include <lockfree/blocks/asymmetric.h>

#include "lockfree_model.h"

static struct lf_segment *segment;
static struct lf_eventcount *ec;
static uint32_t *permit;

static void setup(void) {
    segment = (struct lf_segment *)lf_model_shared(sizeof *segment);
    ec = (struct lf_eventcount *)lf_model_shared(sizeof *ec);
    permit = (uint32_t *)lf_model_shared(sizeof *permit);
    ec->word = UINT32_MAX; /* the epoch wraps at the first wake */
    lf_model_label(ec, sizeof *ec, "event count");
    lf_model_label(permit, sizeof *permit, "permit");
    lf_model_label(&segment->fenced, sizeof segment->fenced, "fenced");
}
static void setup_refused(void) {
    setup();
    segment->fenced = LF__SETTLED; /* the creator's */
}

static void waits(void) {
    while (lf_load_acquire(permit) == 0) {
        uint32_t ticket = lf_eventcount_announce(ec);
        lf_fence_heavy_in(segment);
        if (lf_load_acquire(permit) != 0) {
            lf_eventcount_cancel(ec, ticket);
            return;
        }
        lf_eventcount_wait(ec, ticket, 0);
    }
}
static void posts(void) {
    lf_store_release(permit, 1u);
    lf_fence_light_in(segment);
    lf_eventcount_wake_sole(ec);
}
static void joins_and_waits(void) {
    lf__join_fences(segment, 0);
    waits();
}
static void joins_and_posts(void) {
    lf__join_fences(segment, 0);
    posts();
}

/* A joiner knows that another one has settled: an ordinary fence is enough. Store buffering between threads 1 and 3. */
static uint32_t *x, *y, saw_x, saw_y;
static void setup_two_words(void) {
    setup();
    x = (uint32_t *)lf_model_shared(sizeof *x);
    y = (uint32_t *)lf_model_shared(sizeof *y);
    saw_x = saw_y = 1;
}
static void light(void) {
    lf_store_relaxed(x, 1u);
    lf_fence_light_in(segment);
    saw_y = lf_load_relaxed(y);
}
static void switches(void) { lf__join_fences(segment, 0); }
static void heavy(void) {
    lf_store_relaxed(y, 1u);
    lf_fence_heavy_in(segment);
    saw_x = lf_load_relaxed(x);
}
static void one_saw_the_other(void) { lf_model_assert(saw_x || saw_y); }

LF_MODEL_CLIENT(asym_sleep, .setup = setup, .threads = {waits, posts});
LF_MODEL_CLIENT(asym_time_out_sleep, .setup = setup, .threads = {waits, posts}, .spurious = 1);
LF_MODEL_CLIENT(asym_refused_sleep, .setup = setup_refused, .threads = {waits, posts},
                .no_membarrier = 1 << 1 | 1 << 2);
LF_MODEL_CLIENT(asym_refused_later_sleep, .setup = setup, .threads = {waits, posts}, .no_membarrier = 1 << 1);
LF_MODEL_CLIENT(asym_late_waker_sleep, .setup = setup, .threads = {waits, joins_and_posts}, .no_membarrier = 1 << 2);
LF_MODEL_CLIENT(asym_late_waiter_sleep, .setup = setup, .threads = {joins_and_waits, posts}, .no_membarrier = 1 << 1);
LF_MODEL_CLIENT(asym_both_late_sleep, .setup = setup, .threads = {joins_and_waits, joins_and_posts},
                .no_membarrier = 1 << 1 | 1 << 2);
LF_MODEL_CLIENT(asym_settled_by_another, .setup = setup_two_words, .threads = {light, switches, heavy},
                .final = one_saw_the_other, .no_membarrier = 1 << 2);
LF_MODEL_CLIENT(asym_settled_for_another, .setup = setup_two_words, .threads = {light, switches, heavy},
                .final = one_saw_the_other, .no_membarrier = 1 << 2 | 1 << 3);
