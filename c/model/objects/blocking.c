/* blocking.c: calls that may have to wait. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <string.h>
#include <threads.h>

void wait_for_news(struct thread *t) {
    t->now.entry[0] = t->now.entry[t->now.reads - 1];
    t->now.reads = 1;
    t->patient = false;
    if (R.graph_rules)
        block_current();
    t->parked = true;
    t->parked_at = R.stores_made;
    t->must_read_newest = true;
}

void wait_for_change(struct thread *t, const char *to, uintptr_t at) {
    if (!R.running)
        fail("deadlock", "%s cannot %s: nobody else runs", R.ready ? "final" : "setup", to);
    t->waits_to = to;
    t->waits_at = at;
    wait_for_news(t);
}

void goes_on(struct thread *t) {
    t->waits_to = NULL;
    t->must_read_newest = t->could_time_out = false;
    break_iteration(t);
}

bool attempt(uintptr_t at, condition_function can, change_function change, u128 operand, int order, const char *doing,
             u128 *old, uint64_t pc) {
    bool done;
    LABELLED(doing, done = model_rmw_if(at, 4, can, change, operand, order, old, pc));
    if (*old == DESTROYED)
        used_after_destroy("a lock", (const void *)at, pc);
    return done;
}

u128 wait_until(uintptr_t at, condition_function can, change_function change, u128 operand, int order,
                const char *doing, uint64_t pc) {
    u128 old;
    for (;;) {
        if (R.running)
            hope(at, can, operand);
        if (attempt(at, can, change, operand, order, doing, &old, pc))
            break;
        wait_for_change(R.current, doing, at);
    }
    goes_on(R.current);
    return old;
}

void make_anew(void *object, size_t bytes, uint64_t pc) {
    plain_access(AT(object), bytes, true, pc);
    memset(object, 0, bytes);
}

static u128 become(u128 old, u128 gone) {
    (void)old;
    return gone;
}

int end_of_use(void *object, unsigned gone, const char *name, uint64_t pc) {
    u128 old;
    LABELLED("destroy", old = model_rmw(AT(object), 4, become, gone, RELAXED, pc));
    if (old == gone)
        fail("misused lock", "T%d destroys %p a second time @%lx@", R.current->tid, object, (unsigned long)pc);
    else if (old != 0 && name != NULL)
        fail("misused lock", "T%d destroys %s at %p while it is in use @%lx@", R.current->tid, name, object,
             (unsigned long)pc);
    return 0;
}

void used_after_destroy(const char *name, const void *object, uint64_t pc) {
    fail("misused lock", "T%d uses %s at %p, which has been destroyed @%lx@", R.current->tid, name, object,
         (unsigned long)pc);
}

bool times_out(bool timed, const struct timespec *until, uint64_t pc) {
    struct thread *t = R.current;
    if (!timed)
        return false;
    if (t->timeouts >= R.client->timeouts || model_choose(2, pc) == 0) {
        t->could_time_out = could_time_out(t, true);
        return false;
    }
    t->timeouts++;
    uint64_t at = until != NULL ? (uint64_t)until->tv_sec * 1000000000u + (uint64_t)until->tv_nsec : 0;
    t->clock_ns = at > t->clock_ns ? at : t->clock_ns + 1;
    return true;
}

enum { SECOND = 1000000000, FIRST_STEP = 1000 };
uint64_t look_at_clock(void) {
    struct thread *t = R.current;
    if (t == NULL)
        return 0;
    turns_forget(t); /* what it sees next is part of its state */
    t->clock_step = t->clock_step == 0 ? FIRST_STEP : t->clock_step < SECOND / 2 ? 2 * t->clock_step : SECOND;
    return t->clock_ns += t->clock_step;
}

int c11_status(int error) {
    return error == 0 ? thrd_success : error == EBUSY ? thrd_busy : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}
