/* empty_lies: a ring whose put claims a place and then publishes it (Vyukov's): a put that stopped in between
 * hides a later one that has returned, and get answers EMPTY. Right: claim and publish in one step. */
/* expect: not linearizable */
#include <stdatomic.h>

#include "lockfree_model.h"

static _Atomic uint64_t tail, head, cell[4];

static void put(uint64_t v) {
    lf_model_call(LF_MODEL_PUT, v);
#ifdef RIGHT
    for (;;) {
        uint64_t t = atomic_load(&tail), empty = 0;
        int mine = atomic_compare_exchange_strong(&cell[t], &empty, v);
        atomic_compare_exchange_strong(&tail, &t, t + 1);
        if (mine)
            break;
    }
#else
    uint64_t t = atomic_fetch_add(&tail, 1);
    atomic_store(&cell[t], v);
#endif
    lf_model_return(0);
}

static void get(void) {
    lf_model_call(LF_MODEL_GET, 0);
    uint64_t v;
    for (;;) {
        uint64_t h = atomic_load(&head);
        v = atomic_load(&cell[h]);
        if (v == 0) {
            v = LF_MODEL_EMPTY;
            break;
        }
        if (atomic_compare_exchange_strong(&head, &h, h + 1))
            break;
    }
    lf_model_return(v);
}

static void first(void) { put(1); }
static void second(void) {
    put(2);
    get();
}

LF_MODEL_CLIENT(empty_lies, .threads = {first, second}, .spec = &lf_model_fifo);
