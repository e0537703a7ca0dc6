#include "pool.h"

static void one_taken(void) {
    make(1);
    alloc(1);
}
static void one_shared(void) {
    one_taken();
    share(0);
}
static void two(void) { make(2); }
static void three(void) { make(3); }

static void alloc_0(void) { alloc(0); }
static void alloc_1(void) { alloc(1); }
static void alloc_2(void) { alloc(2); }
static void alloc_3(void) { alloc(3); }
static void alloc_and_drop(void) { drop_all(alloc(1)); }
static void drop_0(void) { drop(0); }
static void drop_and_alloc(void) {
    drop(0);
    alloc(1);
}
static void share_and_drop(void) {
    share(0);
    drop(0);
    drop(0);
}

/* The top block leaves and comes back; the one below stays away. */
static void away(void) {
    uint64_t first = alloc(1);
    alloc(1);
    drop_all(first);
}

/* In the end all blocks are free or known to be taken, each one once. */
static void the_rest(void) {
    for (int turn = 0; turn <= BLOCKS; turn++)
        if (alloc(1) == 0)
            return;
    int has_an_end = 0;
    lf_model_assert(has_an_end);
}

#define POOL(name, count, begin, ...)                                                                                  \
    LF_MODEL_CLIENT(name, .setup = begin, .threads = {__VA_ARGS__}, .final = the_rest, .spec = &pool_spec,             \
                    .capacity = count)

POOL(drops, 1, one_shared, drop_0, drop_0);
POOL(shares, 1, one_shared, share_and_drop, drop_0);
POOL(handed_on, 1, one_shared, drop_0, drop_and_alloc);
POOL(reuse, 1, one_taken, drop_0, alloc_1);
POOL(singles, 2, two, alloc_1, alloc_1);
POOL(pairs, 2, two, alloc_2, alloc_2);
POOL(large, 2, two, alloc_3, alloc_2);
POOL(large_and_back, 2, two, alloc_2, alloc_and_drop);
POOL(aba, 2, two, alloc_1, away);
POOL(aba_pair, 3, three, alloc_2, away);
POOL(around, 2, two, alloc_and_drop, alloc_and_drop);
POOL(none, 1, one_shared, alloc_0, drop_0);
