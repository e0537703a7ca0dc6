/* event_count: permits in words of the client's; waits by hand and with a condition; cancel; close. */
#include <lockfree/event_count.h>

#include "lockfree_model.h"

static struct lf_event_count count[4];
static uint32_t permits;
static int data;

static void setup(void) {
    void *memory = lf_model_shared(LF_EVENT_COUNT_BYTES);
    lf_model_assert(lf_event_count_create_local(&count[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&count[t].h, &lf_event_count_kind, memory, t) == LF_OK);
    count[0].body->changed.word = UINT32_MAX;
    lf_model_label(&count[0].body->changed, 8, "event count");
    lf_model_label(&permits, sizeof permits, "permits");
}
#define ME (&count[lf_model_thread()])

static int take(void *unused) {
    uint32_t n = lf_load_acquire(&permits);
    (void)unused;
    while (n != 0)
        if (lf_cas_acquire(&permits, &n, n - 1))
            return 1;
    return 0;
}
static void gives(void) {
    lf_fetch_add_release(&permits, 1u);
    lf_model_assert(lf_event_count_notify(ME, 1) == LF_OK);
}
static void takes(void) { lf_model_assert(lf_event_count_wait_until(ME, take, NULL, LF_FOREVER) == LF_OK); }
static void takes_by_hand(void) {
    for (;;) {
        int64_t ticket = lf_event_count_prepare(ME);
        if (take(NULL)) {
            lf_event_count_retract(ME, ticket);
            return;
        }
        lf_model_assert(lf_event_count_wait(ME, ticket, LF_FOREVER) == LF_OK);
    }
}
/* A change by hand carries what was written before, even if the condition is read relaxed: the wake does. */
static void write_and_notify(void) {
    data = 1;
    lf_model_assert(lf_event_count_notify(ME, 1) == LF_OK);
}
static int64_t ticket;
static void setup_prepared(void) {
    setup();
    ticket = lf_event_count_prepare(&count[1]);
}
static void waits_for_notify(void) {
    lf_model_assert(lf_event_count_wait(&count[1], ticket, LF_FOREVER) == LF_OK);
    lf_model_assert(data == 1);
}

static void takes_until_cancelled(void) {
    lf_model_assert(lf_event_count_wait_until(&count[1], take, NULL, LF_FOREVER) == LF_CANCELLED);
}
static void cancel_prepared(void) { lf_model_assert(lf_event_count_cancel(&count[1]) == LF_OK); }
static void waits_until_cancelled(void) {
    lf_model_assert(lf_event_count_wait(&count[1], ticket, LF_FOREVER) == LF_CANCELLED);
}
static void waits_until_closed(void) {
    lf_model_assert(lf_event_count_wait(&count[1], ticket, LF_FOREVER) == LF_CLOSED);
}
static void close_it(void) { lf_event_count_close(&count[1]); }
static void waits_a_while(void) {
    int status = lf_event_count_wait_until(ME, take, NULL, lf_now() + 1);
    lf_model_assert(status == LF_OK || status == LF_TIMEDOUT);
}
static void nobody_is_announced(void) { lf_model_assert(count[0].body->changed.word >> 32 == 0); }

LF_MODEL_CLIENT(event_count_until_sleep, .setup = setup, .threads = {takes, gives});
LF_MODEL_CLIENT(event_count_by_hand_sleep, .setup = setup, .threads = {takes_by_hand, gives});
LF_MODEL_CLIENT(event_count_carries_sleep, .setup = setup_prepared, .threads = {waits_for_notify, write_and_notify});
LF_MODEL_CLIENT(event_count_cancel_sleep, .setup = setup_prepared, .threads = {waits_until_cancelled, cancel_prepared});
LF_MODEL_CLIENT(event_count_close_sleep, .setup = setup_prepared, .threads = {waits_until_closed, close_it});
LF_MODEL_CLIENT(event_count_in_time_sleep, .setup = setup, .threads = {waits_a_while, gives},
                .final = nobody_is_announced, .timeouts = 1);
