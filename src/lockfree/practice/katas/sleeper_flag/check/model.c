#include "futex_given.h"

#include "lockfree_model.h"
#include "sleeper_flag.h"

static struct event event;
static _Atomic int given;
static int data;

static void wait(void) { event_wait(&event); }
static void set(void) { event_set(&event); }

/* The judge's fences stand in for the event's order: what is left is who goes on, and when. */
static void give(void) {
    atomic_store_explicit(&given, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    event_set(&event);
}
static void go_on(void) {
    event_wait(&event);
    atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_load_explicit(&given, memory_order_relaxed));
}

static void tell(void) {
    data = 1;
    event_set(&event);
}
static void hear(void) {
    event_wait(&event);
    lf_model_assert(data == 1);
}

LF_MODEL_CLIENT(wake, .threads = {wait, set});
LF_MODEL_CLIENT(early, .threads = {go_on, give}, .spurious = 1);
LF_MODEL_CLIENT(wake_2, .threads = {wait, wait, set});
LF_MODEL_CLIENT(order, .threads = {tell, hear});
LF_MODEL_CLIENT(order_2, .threads = {tell, hear, hear});
