/* wait.h's event count: no wake is lost, whoever comes first, with one, two or all woken. */
#include <lockfree/blocks/wait.h>

#include "lockfree_model.h"

static struct lf_eventcount ec;
static uint32_t permits;

static void setup(void) {
    ec.word = UINT32_MAX; /* the epoch wraps at the first wake */
    lf_model_label(&ec, sizeof ec, "event count");
    lf_model_label(&permits, sizeof permits, "permits");
}

static int take(void) {
    uint32_t n = lf_load_acquire(&permits);
    while (n != 0)
        if (lf_cas_acquire(&permits, &n, n - 1))
            return 1;
    return 0;
}

static void waiter(void) {
    while (!take()) {
        uint32_t ticket = lf_eventcount_prepare(&ec);
        if (take()) {
            lf_eventcount_cancel(&ec, ticket);
            return;
        }
        lf_eventcount_wait(&ec, ticket, 0);
    }
}
static void post(void) {
    lf_fetch_add_release(&permits, 1u);
    lf_eventcount_notify(&ec, 1);
}
static void post_without_fence(void) {
    lf_fetch_add_seq_cst(&permits, 1u);
    lf_eventcount_notify_after_rmw(&ec, 1);
}
static void post_to_the_only_one(void) {
    lf_fetch_add_release(&permits, 1u);
    lf_fence_seq_cst(); /* with a light one: asymmetric.c */
    lf_eventcount_wake_sole(&ec);
}
static void post_2_wake_1_each(void) {
    post();
    post();
}
static void post_2_wake_2(void) {
    lf_fetch_add_release(&permits, 2u);
    lf_eventcount_notify(&ec, 2);
}
static void post_2_wake_all(void) {
    lf_fetch_add_release(&permits, 2u);
    lf_eventcount_notify_all(&ec);
}

LF_MODEL_CLIENT(ec_1w, .setup = setup, .threads = {waiter, post});
LF_MODEL_CLIENT(ec_2p, .setup = setup, .threads = {waiter, waiter, post_2_wake_1_each});
LF_MODEL_CLIENT(ec_wake_2, .setup = setup, .threads = {waiter, waiter, post_2_wake_2});
LF_MODEL_CLIENT(ec_wake_all, .setup = setup, .threads = {waiter, waiter, post_2_wake_all});
LF_MODEL_CLIENT(ec_2_posters, .setup = setup, .threads = {waiter, post, post});
LF_MODEL_CLIENT(ec_sole, .setup = setup, .threads = {waiter, post_to_the_only_one});
LF_MODEL_CLIENT(ec_after_rmw, .setup = setup, .threads = {waiter, post_without_fence, post_without_fence});
LF_MODEL_CLIENT(ec_timeouts, .setup = setup, .threads = {waiter, post}, .spurious = 1);
