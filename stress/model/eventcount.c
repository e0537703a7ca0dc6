/* wait.h's event count: no wake is lost in any order, with one, two or all woken. */
#include <lockfree/blocks/wait.h>

#include "lockfree_model.h"
#include "permits.h"

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

LF_MODEL_CLIENT(ec_1w, .setup = permits_setup, .threads = {waiter, post});
LF_MODEL_CLIENT(ec_2p, .setup = permits_setup, .threads = {waiter, waiter, post_2_wake_1_each});
LF_MODEL_CLIENT(ec_wake_2, .setup = permits_setup, .threads = {waiter, waiter, post_2_wake_2});
LF_MODEL_CLIENT(ec_wake_all, .setup = permits_setup, .threads = {waiter, waiter, post_2_wake_all});
LF_MODEL_CLIENT(ec_2_posters, .setup = permits_setup, .threads = {waiter, post, post});
LF_MODEL_CLIENT(ec_sole, .setup = permits_setup, .threads = {waiter, post_to_the_only_one});
LF_MODEL_CLIENT(ec_after_rmw, .setup = permits_setup, .threads = {waiter, post_without_fence, post_without_fence});
LF_MODEL_CLIENT(ec_timeouts, .setup = permits_setup, .threads = {waiter, post}, .spurious = 1);
