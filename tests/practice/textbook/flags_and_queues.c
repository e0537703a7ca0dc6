/* Mutual exclusion from loads and stores alone: Dekker's algorithm (Dijkstra 1965) and the bakery (Lamport 1974), with
 * sequentially consistent accesses and with release and acquire alone. The queue lock of Mellor-Crummey and Scott (1991). */
#include <stdatomic.h>
#include <stddef.h>

#include "lockfree_model.h"

static int inside; /* plain: two holders at once are a data race */
static void section(void) { inside++; }

static _Atomic int wants[2], turn;
static void dekker(int me, memory_order store, memory_order load) {
    atomic_store_explicit(&wants[me], 1, store);
    while (atomic_load_explicit(&wants[1 - me], load))
        if (atomic_load_explicit(&turn, load) != me) {
            atomic_store_explicit(&wants[me], 0, store);
            while (atomic_load_explicit(&turn, load) != me)
                ;
            atomic_store_explicit(&wants[me], 1, store);
        }
    section();
    atomic_store_explicit(&turn, 1 - me, store);
    atomic_store_explicit(&wants[me], 0, store);
}
static void dekker_0(void) { dekker(0, memory_order_seq_cst, memory_order_seq_cst); }
static void dekker_1(void) { dekker(1, memory_order_seq_cst, memory_order_seq_cst); }
static void dekker_weak_0(void) { dekker(0, memory_order_release, memory_order_acquire); }
static void dekker_weak_1(void) { dekker(1, memory_order_release, memory_order_acquire); }

enum { CUSTOMERS = 2 };
static _Atomic int choosing[CUSTOMERS], number[CUSTOMERS];
static void bakery(int me, memory_order store, memory_order load) {
    atomic_store_explicit(&choosing[me], 1, store);
    int most = 0;
    for (int i = 0; i < CUSTOMERS; i++) {
        int his = atomic_load_explicit(&number[i], load);
        most = his > most ? his : most;
    }
    int mine = most + 1;
    atomic_store_explicit(&number[me], mine, store);
    atomic_store_explicit(&choosing[me], 0, store);
    for (int i = 0; i < CUSTOMERS; i++) {
        while (atomic_load_explicit(&choosing[i], load))
            ;
        for (;;) {
            int his = atomic_load_explicit(&number[i], load);
            if (his == 0 || his > mine || (his == mine && i >= me))
                break;
        }
    }
    section();
    atomic_store_explicit(&number[me], 0, store);
}
static void bakery_0(void) { bakery(0, memory_order_seq_cst, memory_order_seq_cst); }
static void bakery_1(void) { bakery(1, memory_order_seq_cst, memory_order_seq_cst); }
static void bakery_weak_0(void) { bakery(0, memory_order_release, memory_order_acquire); }
static void bakery_weak_1(void) { bakery(1, memory_order_release, memory_order_acquire); }

struct place {
    _Atomic(struct place *) next;
    _Atomic int waits;
};
static _Atomic(struct place *) last;
static struct place places[3];
static void mcs(struct place *mine, memory_order hand_over, memory_order leave) {
    atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
    atomic_store_explicit(&mine->waits, 1, memory_order_relaxed);
    struct place *before = atomic_exchange_explicit(&last, mine, memory_order_acq_rel);
    if (before != NULL) {
        atomic_store_explicit(&before->next, mine, memory_order_release);
        while (atomic_load_explicit(&mine->waits, memory_order_acquire))
            ;
    }
    section();
    struct place *next = atomic_load_explicit(&mine->next, memory_order_acquire), *alone = mine;
    if (next == NULL) {
        if (atomic_compare_exchange_strong_explicit(&last, &alone, NULL, leave, memory_order_relaxed))
            return;
        while ((next = atomic_load_explicit(&mine->next, memory_order_acquire)) == NULL)
            ;
    }
    atomic_store_explicit(&next->waits, 0, hand_over);
}
static void mcs_0(void) { mcs(&places[0], memory_order_release, memory_order_release); }
static void mcs_1(void) { mcs(&places[1], memory_order_release, memory_order_release); }
static void mcs_2(void) { mcs(&places[2], memory_order_release, memory_order_release); }
static void mcs_hands_over_relaxed(void) { mcs(&places[0], memory_order_relaxed, memory_order_release); }
static void mcs_leaves_relaxed(void) { mcs(&places[0], memory_order_release, memory_order_relaxed); }

LF_MODEL_CLIENT(dekker_seq_cst, .threads = {dekker_0, dekker_1});
LF_MODEL_CLIENT(dekker_release_acquire, .threads = {dekker_weak_0, dekker_weak_1});
LF_MODEL_CLIENT(bakery_seq_cst, .threads = {bakery_0, bakery_1});
LF_MODEL_CLIENT(bakery_release_acquire, .threads = {bakery_weak_0, bakery_weak_1});
LF_MODEL_CLIENT(mcs_lock, .threads = {mcs_0, mcs_1, mcs_2});
LF_MODEL_CLIENT(mcs_hand_over_relaxed, .threads = {mcs_hands_over_relaxed, mcs_1});
LF_MODEL_CLIENT(mcs_leave_relaxed, .threads = {mcs_leaves_relaxed, mcs_1});
