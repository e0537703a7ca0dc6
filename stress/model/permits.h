/* permits.h: what clients of the event count wait for: permits, taken one by one. */
#ifndef LOCKFREE_MODEL_PERMITS_H
#define LOCKFREE_MODEL_PERMITS_H

#include <lockfree/blocks/wait.h>

#include "lockfree_model.h"

static struct lf_eventcount ec;
static uint32_t permits;

static void permits_setup(void) {
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

#endif
