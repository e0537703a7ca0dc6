/* The test-and-set lock with a look before (Anderson 1990), the ticket lock (Mellor-Crummey and Scott 1991), and Peterson's
 * algorithm for two threads (1981), with sequentially consistent accesses and with release and acquire alone. */
#include <stdatomic.h>

#include "lockfree_model.h"

static int inside; /* plain: two holders at once are a data race */
static void section(void) { inside++; }

static _Atomic int taken;
static void spin(void) {
    do
        while (atomic_load_explicit(&taken, memory_order_relaxed) != 0)
            ;
    while (atomic_exchange_explicit(&taken, 1, memory_order_acquire) != 0);
    section();
    atomic_store_explicit(&taken, 0, memory_order_release);
}

static _Atomic unsigned next_ticket, now_serving;
static void draw(void) {
    unsigned mine = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
    while (atomic_load_explicit(&now_serving, memory_order_acquire) != mine)
        ;
    section();
    atomic_store_explicit(&now_serving, mine + 1, memory_order_release);
}

static _Atomic int wants[2], turn;
static void peterson(int me, memory_order store, memory_order load) {
    atomic_store_explicit(&wants[me], 1, store);
    atomic_store_explicit(&turn, 1 - me, store);
    while (atomic_load_explicit(&wants[1 - me], load) && atomic_load_explicit(&turn, load) == 1 - me)
        ;
    section();
    atomic_store_explicit(&wants[me], 0, store);
}
static void peterson_0(void) { peterson(0, memory_order_seq_cst, memory_order_seq_cst); }
static void peterson_1(void) { peterson(1, memory_order_seq_cst, memory_order_seq_cst); }
static void peterson_weak_0(void) { peterson(0, memory_order_release, memory_order_acquire); }
static void peterson_weak_1(void) { peterson(1, memory_order_release, memory_order_acquire); }

LF_MODEL_CLIENT(spinlock, .threads = {spin, spin, spin});
LF_MODEL_CLIENT(ticket_lock, .threads = {draw, draw, draw});
LF_MODEL_CLIENT(peterson_seq_cst, .threads = {peterson_0, peterson_1});
LF_MODEL_CLIENT(peterson_release_acquire, .threads = {peterson_weak_0, peterson_weak_1});
