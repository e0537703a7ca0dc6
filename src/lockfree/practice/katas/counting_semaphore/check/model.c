#include <stdlib.h>

#include "counting_semaphore.h"
#include "futex_given.h"
#include "lockfree_model.h"

static struct semaphore *semaphore;
static int data;
static _Atomic int given;

static void make(uint32_t initial, uint32_t max) {
    semaphore = malloc(semaphore_size());
    semaphore_init(semaphore, initial, max);
}
static void none(void) { make(0, 2); }
static void one(void) { make(1, 2); }
static void one_of_one(void) { make(1, 1); }
static void two(void) { make(2, 2); }

static void acquire(void) {
    lf_model_call(LF_MODEL_ACQUIRE, 1);
    semaphore_acquire(semaphore);
    lf_model_return(0);
}
static int try_acquire(void) {
    lf_model_call(LF_MODEL_TRY_ACQUIRE, 1);
    int taken = semaphore_try_acquire(semaphore);
    lf_model_return(taken ? 0 : LF_MODEL_BUSY);
    return taken;
}
static void release(uint32_t count) {
    lf_model_call(LF_MODEL_RELEASE, count);
    lf_model_return(semaphore_release(semaphore, count) ? 0 : LF_MODEL_BUSY);
}

static void release_1(void) { release(1); }
static void release_2(void) { release(2); }
static void take_and_give(void) {
    acquire();
    release(1);
}
static void try_and_give(void) {
    if (try_acquire())
        release(1);
}
static void must_take(void) { lf_model_assert(try_acquire()); } /* there is a permit for each */
static void take_and_free(void) {
    semaphore_acquire(semaphore);
    free(semaphore);
}
static void tell(void) {
    data = 1;
    semaphore_release(semaphore, 1);
}
static void hear(void) {
    semaphore_acquire(semaphore);
    lf_model_assert(data == 1);
}
static void hear_by_try(void) {
    if (semaphore_try_acquire(semaphore))
        lf_model_assert(data == 1);
}
/* The judge's fences stand in for the semaphore's order: what is left is who goes through, and when. */
static void give(void) {
    atomic_store_explicit(&given, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    semaphore_release(semaphore, 1);
}
static void go_through(void) {
    semaphore_acquire(semaphore);
    atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_load_explicit(&given, memory_order_relaxed));
}
static void alone(void) {
    semaphore_acquire(semaphore);
    data++;
    semaphore_release(semaphore, 1);
}

#define SEMAPHORE .spec = &lf_model_semaphore

LF_MODEL_CLIENT(wake, .setup = none, .threads = {acquire, release_1}, SEMAPHORE, .capacity = 2);
LF_MODEL_CLIENT(order, .setup = none, .threads = {tell, hear});
LF_MODEL_CLIENT(full, .setup = one, .threads = {release_1, release_1}, SEMAPHORE, .capacity = 2, .initial = 1);
LF_MODEL_CLIENT(exclusion, .setup = one_of_one, .threads = {take_and_give, take_and_give}, SEMAPHORE, .capacity = 1,
                .initial = 1);
LF_MODEL_CLIENT(early, .setup = none, .threads = {go_through, give}, .spurious = 1);
LF_MODEL_CLIENT(exclusion_try, .setup = one, .threads = {take_and_give, try_and_give, try_and_give}, SEMAPHORE,
                .capacity = 2, .initial = 1);
LF_MODEL_CLIENT(exclusion_none, .setup = two, .threads = {must_take, must_take});
LF_MODEL_CLIENT(full_2, .setup = none, .threads = {release_2, release_1}, SEMAPHORE, .capacity = 2);
LF_MODEL_CLIENT(many_at_once, .setup = none, .threads = {acquire, acquire, release_2}, SEMAPHORE, .capacity = 2);
LF_MODEL_CLIENT(order_try, .setup = none, .threads = {tell, hear_by_try});
LF_MODEL_CLIENT(order_section, .setup = one_of_one, .threads = {alone, alone});
LF_MODEL_CLIENT(freed, .setup = none, .threads = {take_and_free, release_1});
