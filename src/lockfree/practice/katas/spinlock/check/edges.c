/* One thread. The clock moves at each look, and the judge plays the other threads in spinlock_yield. */
#include "lockfree_model.h"
#include "spinlock.h"

enum { FOR_EVER = 3000 };

static struct spinlock lock;
static int looks;           /* at the clock, and turns given away, in one client */
static uint64_t now;        /* what the clock shows next */
static uint64_t pace;       /* so much it moves by at each look */
static int free_at_yield;   /* the holder goes on when it gets the CPU so often */
static uint64_t stands_at;  /* after its first look the clock shows this, and stands still; 0: it moves */
static uint64_t free_after; /* the holder goes on when the clock shows this */

static void look(void) { lf_model_assert(looks++ < FOR_EVER); }

uint64_t spinlock_now(void) {
    look();
    if (now >= free_after) {
        free_after = UINT64_MAX;
        spinlock_unlock(&lock);
    }
    uint64_t shown = now;
    now = stands_at == 0 ? now + pace : stands_at;
    return shown;
}

void spinlock_yield(void) {
    look();
    if (free_at_yield > 0 && --free_at_yield == 0)
        spinlock_unlock(&lock);
}

static void begin(void) {
    now = 1000;
    pace = 1;
    free_at_yield = 0;
    stands_at = 0;
    free_after = UINT64_MAX;
}

static void try_and_unlock(void) {
    for (int turn = 0; turn < 3; turn++) {
        lf_model_assert(spinlock_try(&lock));
        lf_model_assert(!spinlock_try(&lock));
        lf_model_assert(!spinlock_try(&lock));
        spinlock_unlock(&lock);
    }
    spinlock_lock(&lock);
    lf_model_assert(!spinlock_try(&lock));
    spinlock_unlock(&lock);
    lf_model_assert(spinlock_lock_for(&lock, 5));
    lf_model_assert(!spinlock_try(&lock));
    spinlock_unlock(&lock);
    lf_model_assert(spinlock_try(&lock));
}

/* One CPU: the holder frees the lock when the waiter gives the CPU away for the third time, and not before. */
static void yield_in_lock(void) {
    spinlock_lock(&lock);
    free_at_yield = 3;
    spinlock_lock(&lock);
    lf_model_assert(free_at_yield == 0 && !spinlock_try(&lock));
}

static void yield_in_timed_lock(void) {
    spinlock_lock(&lock);
    free_at_yield = 3;
    lf_model_assert(spinlock_lock_for(&lock, 900000));
    lf_model_assert(free_at_yield == 0 && !spinlock_try(&lock));
}

static void time_nought(void) {
    lf_model_assert(spinlock_lock_for(&lock, 0));
    lf_model_assert(!spinlock_lock_for(&lock, 0));
}

static void time_passes(void) {
    spinlock_lock(&lock);
    for (uint64_t wait = 1; wait < 100; wait *= 3) {
        uint64_t began = now;
        lf_model_assert(!spinlock_lock_for(&lock, wait));
        lf_model_assert(now - began > wait);
    }
}

/* Times that do not fit into 32 bits: the low half of them is 0, little, or nearly all. */
static void time_is_long(void) {
    static const uint64_t low[] = {0, 5, UINT32_MAX};
    pace = UINT64_C(1) << 30;
    spinlock_lock(&lock);
    for (int i = 0; i < 3; i++) {
        uint64_t began = now, wait = (UINT64_C(3) << 32) + low[i];
        lf_model_assert(!spinlock_lock_for(&lock, wait));
        lf_model_assert(now - began > wait);
        lf_model_assert(now - began < 2 * wait);
    }
}

/* A coarse clock: exactly so much time has passed, and it stands still. */
static void time_is_exact(void) {
    spinlock_lock(&lock);
    stands_at = now + 50;
    lf_model_assert(!spinlock_lock_for(&lock, 50));
}

static void time_for_ever(void) {
    for (uint64_t less = 0; less < 3; less++) {
        spinlock_lock(&lock);
        free_at_yield = 3;
        lf_model_assert(spinlock_lock_for(&lock, UINT64_MAX - less));
        spinlock_unlock(&lock);
    }
}

static void left_as_it_was(void) {
    spinlock_lock(&lock);
    lf_model_assert(!spinlock_lock_for(&lock, 7));
    lf_model_assert(!spinlock_try(&lock));
    spinlock_unlock(&lock);
    lf_model_assert(spinlock_try(&lock));
}

/* The lock becomes free just before, at, and after the last look at the clock. What is said must be true. */
static void left_at_the_last_moment(void) {
    for (uint64_t when = 0; when < 12; when++) {
        spinlock_lock(&lock);
        free_after = now + when;
        int taken = spinlock_lock_for(&lock, 6);
        if (!taken && free_after != UINT64_MAX) {
            free_after = UINT64_MAX;
            spinlock_unlock(&lock);
        }
        lf_model_assert(spinlock_try(&lock) == !taken);
        spinlock_unlock(&lock);
    }
}

LF_MODEL_CLIENT(edge_try, .setup = begin, .threads = {try_and_unlock});
LF_MODEL_CLIENT(edge_time_0, .setup = begin, .threads = {time_nought});
LF_MODEL_CLIENT(edge_left, .setup = begin, .threads = {left_as_it_was});
LF_MODEL_CLIENT(edge_left_late, .setup = begin, .threads = {left_at_the_last_moment});
LF_MODEL_CLIENT(edge_time, .setup = begin, .threads = {time_passes});
LF_MODEL_CLIENT(edge_time_exact, .setup = begin, .threads = {time_is_exact});
LF_MODEL_CLIENT(edge_yield, .setup = begin, .threads = {yield_in_lock});
LF_MODEL_CLIENT(edge_yield_timed, .setup = begin, .threads = {yield_in_timed_lock});
LF_MODEL_CLIENT(edge_time_for_ever, .setup = begin, .threads = {time_for_ever});
LF_MODEL_CLIENT(edge_time_long, .setup = begin, .threads = {time_is_long});
