/* One thread; the judge plays the holder in ticket_yield. */
#include "lockfree_model.h"
#include "ticket_lock.h"

enum { FOR_EVER = 3000 };

static struct ticket_lock lock;
static int yields;
static int free_at_yield; /* the holder goes on when it gets the CPU so often */

void ticket_yield(void) {
    lf_model_assert(yields++ < FOR_EVER);
    if (free_at_yield > 0 && --free_at_yield == 0)
        ticket_unlock(&lock);
}

static void start(uint32_t number) {
    atomic_store(&lock.next, number);
    atomic_store(&lock.serving, number);
}
static void at_0(void) { start(0); }
static void at_7(void) { start(7); }
static void before_16_bits(void) { start(UINT16_MAX - 1); }
static void before_31_bits(void) { start(INT32_MAX - 1); }
static void before_32_bits(void) { start(UINT32_MAX - 1); }

static void plain(void) {
    ticket_lock(&lock);
    ticket_unlock(&lock);
    lf_model_assert(ticket_try(&lock));
    ticket_unlock(&lock);
    ticket_lock(&lock);
    ticket_unlock(&lock);
    lf_model_assert(lock.next == lock.serving);
}

static void refused(void) {
    ticket_lock(&lock);
    lf_model_assert(!ticket_try(&lock));
    lf_model_assert(!ticket_try(&lock));
    ticket_unlock(&lock);
    ticket_lock(&lock);
    lf_model_assert(!ticket_try(&lock));
    ticket_unlock(&lock);
    lf_model_assert(ticket_try(&lock));
}

static void turns(void) {
    for (int turn = 0; turn < 5; turn++) {
        ticket_lock(&lock);
        lf_model_assert(!ticket_try(&lock));
        ticket_unlock(&lock);
        lf_model_assert(ticket_try(&lock));
        lf_model_assert(!ticket_try(&lock));
        ticket_unlock(&lock);
    }
}

/* One CPU: the holder frees the lock when the waiter gives the CPU away for the third time, and not before. */
static void waits(void) {
    for (int turn = 0; turn < 4; turn++) {
        ticket_lock(&lock);
        free_at_yield = 3;
        ticket_lock(&lock);
        lf_model_assert(free_at_yield == 0 && !ticket_try(&lock));
        ticket_unlock(&lock);
    }
}

LF_MODEL_CLIENT(edge_plain, .setup = at_7, .threads = {plain});
LF_MODEL_CLIENT(edge_refused, .setup = at_7, .threads = {refused});
LF_MODEL_CLIENT(edge_turns, .setup = at_0, .threads = {turns});
LF_MODEL_CLIENT(edge_yield, .setup = at_0, .threads = {waits});
LF_MODEL_CLIENT(edge_wrap_16, .setup = before_16_bits, .threads = {turns});
LF_MODEL_CLIENT(edge_wrap_31, .setup = before_31_bits, .threads = {turns});
LF_MODEL_CLIENT(edge_wrap_32, .setup = before_32_bits, .threads = {turns});
LF_MODEL_CLIENT(edge_wrap_16_waiting, .setup = before_16_bits, .threads = {waits});
LF_MODEL_CLIENT(edge_wrap_32_waiting, .setup = before_32_bits, .threads = {waits});
