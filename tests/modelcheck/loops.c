/* Programs that wait, in every way: the searches must agree on what can come out. */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static atomic_int locked, x, y, z, next, serving;
static int order, at[4], result, woken;
static uint32_t word;

static void enter(void) { at[lf_model_thread()] = order++; }
static void exchange_lock(void) {
    while (atomic_exchange_explicit(&locked, 1, memory_order_acquire))
        lf_model_pause();
    enter();
    atomic_store_explicit(&locked, 0, memory_order_release);
}
static void exchange_lock_without_pause(void) {
    while (atomic_exchange_explicit(&locked, 1, memory_order_acquire))
        ;
    enter();
    atomic_store_explicit(&locked, 0, memory_order_release);
}
static void cas_lock(void) {
    for (int free = 0; !atomic_compare_exchange_strong_explicit(&locked, &free, 1, memory_order_acquire,
                                                                memory_order_relaxed);
         free = 0)
        lf_model_pause();
    enter();
    atomic_store_explicit(&locked, 0, memory_order_release);
}
static void ticket_lock(void) {
    int mine = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&serving, memory_order_acquire) != mine)
        lf_model_pause();
    enter();
    atomic_store_explicit(&serving, mine + 1, memory_order_release);
}
static void final_order(void) {
    lf_model_observe("T1", (unsigned)at[1]);
    lf_model_observe("T2", (unsigned)at[2]);
    lf_model_observe("T3", (unsigned)at[3]);
}

static void spin_twice(void) {
    for (result = 1; result <= 2; result++) {
        if (atomic_load_explicit(&x, memory_order_relaxed))
            return;
        lf_model_pause();
    }
}
static void store_x(void) { atomic_store_explicit(&x, 1, memory_order_relaxed); }
static void ping(void) {
    atomic_store(&x, 1);
    while (atomic_load(&y) == 0)
        lf_model_pause();
    result = atomic_load_explicit(&z, memory_order_relaxed);
}
static void pong(void) {
    while (atomic_load(&x) == 0)
        lf_model_pause();
    atomic_store(&y, 1);
    atomic_store_explicit(&z, 1, memory_order_relaxed);
}
static void sleeper(void) {
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
        result |= lf_model_futex_wait(&word, 0, 0) == 0 ? 1 : 2;
}
static void waker(void) {
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    woken = lf_model_futex_wake(&word, 1);
    woken += 10 * lf_model_futex_wake(&word, 5);
}
static void final_result(void) {
    lf_model_observe("result", (unsigned)result);
    lf_model_observe("woken", (unsigned)woken);
}


/* Loops that give up, with a pause and without one. */
static void six_times(void) {
    for (int i = 0; i < 6; i++)
        result += atomic_load_explicit(&x, memory_order_relaxed);
}
static __attribute__((noinline)) int look(void) { return atomic_load_explicit(&x, memory_order_relaxed); }
static void six_calls(void) { result = look() + look() + look() + look() + look() + look(); }
static int try_to_lock(void) {
    for (int turn = 0; turn < 20; turn++) {
        if (!atomic_exchange(&locked, 1))
            return 1;
        lf_model_pause();
    }
    return 0;
}
static void lock_or_give_up(void) {
    int mine = try_to_lock();
    at[lf_model_thread()] = mine;
    if (mine)
        atomic_store(&locked, 0);
}
static void lock_for_good(void) { at[lf_model_thread()] = try_to_lock(); }
static void naps(void) {
    for (int turn = 0; turn < 7; turn++)
        lf_model_pause();
    result = 1;
}
static void wait_for_x(void) {
    while (atomic_load(&x) == 0)
        lf_model_pause();
    result = 1;
}
static void wait_for_x_counting(void) {
    for (volatile int turns = 0; atomic_load(&x) == 0; turns++)
        ;
    result = 1;
}
static void give_up_and_tell(void) {
    if (!try_to_lock())
        atomic_store(&x, 1);
}
static void setup_locked(void) { atomic_store(&locked, 1); }

LF_MODEL_CLIENT(six_times, .threads = {six_times, store_x}, .final = final_result);
LF_MODEL_CLIENT(six_calls, .threads = {six_calls, store_x}, .final = final_result);
LF_MODEL_CLIENT(lock_or_give_up_2, .threads = {lock_or_give_up, lock_or_give_up}, .final = final_order);
LF_MODEL_CLIENT(lock_for_good_2, .threads = {lock_for_good, lock_or_give_up}, .final = final_order);
LF_MODEL_CLIENT(only_naps, .threads = {naps}, .final = final_result);
LF_MODEL_CLIENT(given_up_first, .setup = setup_locked, .threads = {give_up_and_tell, wait_for_x}, .final = final_result);
LF_MODEL_CLIENT(given_up_last, .setup = setup_locked, .threads = {wait_for_x, give_up_and_tell}, .final = final_result);
LF_MODEL_CLIENT(waits_and_is_told, .threads = {wait_for_x_counting, store_x}, .final = final_result);
LF_MODEL_CLIENT(waits_for_ever, .threads = {wait_for_x});
LF_MODEL_CLIENT(waits_for_ever_counting, .threads = {wait_for_x_counting, ticket_lock});
LF_MODEL_CLIENT(both_wait, .threads = {wait_for_x, wait_for_x_counting});

LF_MODEL_CLIENT(exchange_3, .threads = {exchange_lock, exchange_lock, exchange_lock}, .final = final_order);
LF_MODEL_CLIENT(exchange_3_plain, .final = final_order,
                .threads = {exchange_lock_without_pause, exchange_lock_without_pause, exchange_lock_without_pause});
LF_MODEL_CLIENT(cas_3, .threads = {cas_lock, cas_lock, cas_lock}, .final = final_order);
LF_MODEL_CLIENT(ticket_3, .threads = {ticket_lock, ticket_lock, ticket_lock}, .final = final_order);
LF_MODEL_CLIENT(bounded_spin, .threads = {spin_twice, store_x}, .final = final_result);
LF_MODEL_CLIENT(ping_pong, .threads = {ping, pong}, .final = final_result);
LF_MODEL_CLIENT(futex, .threads = {sleeper, waker}, .final = final_result);
