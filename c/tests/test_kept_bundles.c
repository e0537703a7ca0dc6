/* Blocks of a LIFO pool that are taken and freed together: they become free in one step, in the order of a stack; whatever
 * else is done with one of them takes the bundle apart; nothing is lost when processes are forked, die or are superseded. */
#include "lifo_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

enum { N = 5 };

static int in_bundle(struct lf_block_pool *p, uint32_t block) {
    return lf_block_is_in_bundle(lf_load_relaxed(lf_block_word(&p->free_blocks, block)));
}
static uint32_t bundles(struct lf_block_pool *p, uint32_t lane, enum lf__bundle_state state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < LF_LANE_BUNDLES; i++)
        count += lf__bundle_state_of(lf_load_relaxed(lf__bundle_at(&p->free_blocks, lane, i))) == (uint32_t)state;
    return count;
}
static uint32_t generation(struct lf_block_pool *p, uint32_t block) {
    return lf_block_generation(lf_block_pool_look(p, block));
}
/* Takes n blocks that are then a bundle which is held. */
static void take_bundle(struct lf_block_pool *p, uint32_t *b, uint32_t n) {
    uint64_t at;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(lf_block_pool_try_alloc(p, b, n), LF_OK);
        if (in_bundle(p, b[0]))
            return;
        CHECK_EQ(lf_block_pool_free(p, b, NULL, n, &at), LF_OK);
    }
    CHECK_EQ(lf_block_pool_try_alloc(p, b, n), LF_OK);
    CHECK(in_bundle(p, b[0]));
}
static void test_a_turn_is_that_of_a_stack(void) {
    uint32_t b[N], again[N], old[N];
    uint64_t at;
    start(2);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, N), LF_OK);
    for (uint32_t turn = 0; turn < 7; turn++) {
        for (int i = 0; i < N; i++)
            CHECK_EQ(old[i] = generation(&pools[2], b[i]), turn);
        CHECK_EQ(lf_block_pool_free(&pools[1], b, turn & 1 ? old : NULL, N, &at), LF_OK);
        CHECK_EQ(at, N);
        CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_KEPT), 1);
        CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS);
        for (int i = 0; i < N; i++) {
            CHECK(in_bundle(&pools[2], b[i]) && !lf_block_is_held(lf_block_pool_look(&pools[2], b[i])));
            CHECK_EQ(generation(&pools[2], b[i]), turn + 1);
        }
        CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_NOT_OWNER); /* twice: nothing happens */
        CHECK_EQ(at, 0);
        CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS);
        CHECK_EQ(lf_block_pool_try_alloc(&pools[1], again, N), LF_OK);
        for (int i = 0; i < N; i++) {
            CHECK_EQ(again[i], b[N - 1 - i]);
            CHECK_EQ(lf_block_references(lf_block_pool_look(&pools[2], again[i])), 1);
        }
        CHECK_EQ(lf_block_pool_free(&pools[1], again, old, N, &at), LF_NOT_OWNER); /* the generation of before */
        CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - N);
        memcpy(b, again, sizeof b);
    }
    end();
}

/* What is freed in another order, in part, alone or with another block: as if there were no bundles. */
static void test_what_is_no_whole_bundle(void) {
    uint32_t b[N + 1], foreign, one, sorted[N];
    uint64_t at, ticket = 0;
    start(2);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[2], &foreign, 1), LF_OK);
    take_bundle(&pools[1], b, N);
    CHECK_EQ(lf_block_pool_free(&pools[2], b, NULL, N, &at), LF_NOT_OWNER); /* another's */
    CHECK_EQ(at, 0);
    uint32_t keep = b[3];
    b[3] = foreign; /* a chain with one foreign block: none of it is freed */
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 3);
    b[3] = b[2]; /* one of them twice */
    CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - N - 1);
    b[3] = BLOCKS; /* no block */
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 3);
    b[3] = keep;
    CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - N - 1);
    CHECK_EQ(lf_block_pool_free(&pools[1], b + 2, NULL, 1, &at), LF_OK);
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_HELD), 0);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 2);
    CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - N);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &one, 1), LF_OK);
    CHECK_EQ(one, b[2]);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_OK);
    take_bundle(&pools[1], b, N); /* retained */
    CHECK_EQ(lf_block_pool_retain(&pools[1], b, 2, &at), LF_OK);
    CHECK_EQ(lf_block_references(lf_block_pool_look(&pools[1], b[1])), 2);
    CHECK_EQ(lf_block_references(lf_block_pool_look(&pools[1], b[2])), 1);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_OK);
    CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - 3);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, 2, &at), LF_OK);
    take_bundle(&pools[1], b, N); /* sealed */
    CHECK_EQ(lf_block_pool_seal(&pools[1], b + 1, N - 1, &ticket, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 1);
    CHECK_EQ(lf_block_pool_adopt(&pools[2], ticket, b + 1), N - 1);
    CHECK_EQ(lf_block_pool_free(&pools[2], b + 1, NULL, N - 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, 1, &at), LF_OK);
    take_bundle(&pools[1], b, N); /* in another order: that of the freeing counts */
    for (int i = 0; i < N; i++)
        sorted[i] = b[(i + 2) % N];
    CHECK_EQ(lf_block_pool_free(&pools[1], sorted, NULL, N, &at), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, N), LF_OK);
    for (int i = 0; i < N; i++)
        CHECK_EQ(b[i], sorted[N - 1 - i]);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_OK);
    uint32_t twice[2] = {b[0], b[0]};
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, 2), LF_OK); /* takes the last two of them */
    CHECK_EQ(twice[0], b[1] == twice[0] ? b[1] : twice[0]);
    twice[0] = twice[1] = b[0];
    CHECK_EQ(lf_block_pool_free(&pools[1], twice, NULL, 2, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 1);
    CHECK_EQ(lf_block_pool_free(&pools[1], b + 1, NULL, 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[2], &foreign, NULL, 1, &at), LF_OK);
    all_can_be_had(&pools[2]);
    end();
}

/* Against a stack of numbers: sizes that repeat, more bundles than a lane has, single blocks in between. */
static void test_the_order_is_that_of_a_stack(void) {
    uint32_t stack[BLOCKS], depth = BLOCKS, held[64][8], sizes[64], n_held = 0, got[8];
    uint64_t seed = 3, at;
    start(1);
    for (uint32_t i = 0; i < BLOCKS; i++)
        stack[i] = BLOCKS - 1 - i;
    for (long round = check_rounds(30000); round > 0; round--) {
        uint32_t n = check_below(&seed, 8) == 0 ? 1 + (uint32_t)check_below(&seed, 8) : check_below(&seed, 5) ? 4 : 1;
        if (n_held < 64 && check_below(&seed, 2)) {
            int status = lf_block_pool_try_alloc(&pools[1], got, n);
            CHECK_EQ(status, n <= depth ? LF_OK : LF_EMPTY);
            if (status != LF_OK)
                continue;
            for (uint32_t i = 0; i < n; i++)
                CHECK_EQ(held[n_held][i] = got[i], stack[--depth]);
            sizes[n_held++] = n;
        } else if (n_held > 0) {
            uint32_t which = check_below(&seed, 3) ? n_held - 1 : (uint32_t)check_below(&seed, n_held);
            for (uint32_t i = 0; i < sizes[which]; i++)
                stack[depth++] = held[which][i];
            CHECK_EQ(lf_block_pool_free(&pools[1], held[which], NULL, sizes[which], &at), LF_OK);
            memcpy(held[which], held[--n_held], sizeof held[0]);
            sizes[which] = sizes[n_held];
        }
        CHECK_EQ(lf_block_pool_available(&pools[1]), depth);
    }
    CHECK(lf__bundle_formation(lf_load_relaxed(lf__bundle_at(&pools[1].free_blocks, 1, 3))) > 0 ||
          check_rounds(30000) < 300);
    end();
}

static void test_whoever_needs_them_gets_them(void) {
    uint32_t b[3][N], all[BLOCKS];
    uint64_t at;
    start(3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b[i], N), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(lf_block_pool_free(&pools[1], b[i], NULL, N, &at), LF_OK);
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_KEPT), 3);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[2], all, BLOCKS - 1), LF_OK);
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_KEPT), 0);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b[0], N), LF_EMPTY);
    CHECK_EQ(lf_block_pool_free(&pools[2], all, NULL, N, &at), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b[0], N), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], b[0], NULL, N, &at), LF_OK); /* they are scarce: none is kept */
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_KEPT), 0);
    CHECK_EQ(lf_block_pool_free(&pools[2], all + N, NULL, BLOCKS - 1 - N, &at), LF_OK);
    all_can_be_had(&pools[3]);
    end();
}

static void test_superseded_with_bundles(void) {
    uint32_t b[N], kept[2 * N], got[BLOCKS];
    uint64_t at;
    start(2);
    uint64_t lease = lf_block_pool_lease(&pools[1]);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], kept, N), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], kept, NULL, N, &at), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, N), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], kept, N), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], kept, NULL, N, &at), LF_OK);
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_KEPT), 1);
    CHECK_EQ(bundles(&pools[0], 1, LF__BUNDLE_HELD), 1);
    CHECK_EQ(lf_block_pool_supersede(&pools[2], lease, got), N); /* what is free is not taken over */
    CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS - N);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, 1, &at), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, N), LF_SUPERSEDED);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(lf_block_lease(lf_block_pool_look(&pools[2], got[i])), 2);
        CHECK_EQ(generation(&pools[2], got[i]), 1);
    }
    CHECK_EQ(lf_block_pool_free(&pools[2], got, NULL, N, &at), LF_OK);
    all_can_be_had(&pools[2]);
    end();
}

/* Recovery finds a bundle in whatever state its participant left it. */
static void test_the_dead_leave_a_bundle(void) {
    for (int state = LF__BUNDLE_FORMING; state <= LF__BUNDLE_ENDING_FREE; state++) {
        uint32_t b[N];
        uint64_t at;
        start(2);
        take_bundle(&pools[1], b, N);
        uint32_t was = generation(&pools[2], b[0]);
        int is_free = state == LF__BUNDLE_KEPT || state == LF__BUNDLE_ENDING_FREE;
        if (is_free)
            CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_OK);
        uint64_t *bundle = lf__bundle_at(&pools[1].free_blocks, 1, 0);
        lf_store_relaxed(bundle, lf__bundle_in(lf_load_relaxed(bundle), (enum lf__bundle_state)state));
        CHECK_EQ(lf_block_is_held(lf_block_pool_look(&pools[2], b[0])), !is_free);
        lf_recover_wholly(&pools[2].h, 1);
        for (int i = 0; i < N; i++)
            CHECK_EQ(generation(&pools[2], b[i]), was + 1);
        CHECK_EQ(bundles(&pools[2], 1, LF__BUNDLE_NONE), LF_LANE_BUNDLES);
        all_can_be_had(&pools[2]);
        end();
    }
}

/* ---- threads of one participant, signal handlers ---- */

static struct {
    uint32_t blocks[N];
    uint64_t ready, done;
} common;
static void *free_the_same(void *argument) {
    struct lf_block_pool *p = (struct lf_block_pool *)argument;
    uint64_t at, seen = 0;
    for (;;) {
        uint64_t ready;
        while ((ready = lf_load_acquire(&common.ready)) == seen)
            sched_yield();
        if (ready == UINT64_MAX)
            return NULL;
        seen = ready;
        int status = lf_block_pool_free(p, common.blocks, NULL, N, &at);
        CHECK(status == LF_OK || status == LF_NOT_OWNER);
        lf_fetch_add_release(&common.done, 1u);
    }
}
/* Each block is freed once: it has one generation more. As another process, the other one is refused. */
static void test_two_free_the_same_blocks(int as_a_process) {
    pthread_t thread;
    uint64_t at, turn = 0;
    uint32_t before[N];
    start(2);
    memset(&common, 0, sizeof common);
    CHECK(pthread_create(&thread, NULL, free_the_same, &pools[as_a_process ? 2 : 1]) == 0);
    for (long round = check_rounds(1000); round > 0; round--) {
        take_bundle(&pools[1], common.blocks, N);
        for (int i = 0; i < N; i++)
            before[i] = generation(&pools[1], common.blocks[i]);
        lf_store_release(&common.ready, ++turn);
        int status = lf_block_pool_free(&pools[1], common.blocks, NULL, N, &at);
        CHECK(status == LF_OK || (!as_a_process && status == LF_NOT_OWNER));
        while (lf_load_acquire(&common.done) != turn)
            sched_yield();
        for (int i = 0; i < N; i++)
            if (lf_block_is_held(lf_block_pool_look(&pools[1], common.blocks[i])))
                CHECK_EQ(lf_block_pool_free(&pools[1], &common.blocks[i], NULL, 1, &at), LF_OK);
        for (int i = 0; i < N; i++)
            CHECK_EQ(generation(&pools[1], common.blocks[i]), before[i] + 1);
        CHECK_EQ(lf_block_pool_available(&pools[2]), BLOCKS);
    }
    lf_store_release(&common.ready, UINT64_MAX);
    pthread_join(thread, NULL);
    all_can_be_had(&pools[2]);
    end();
}

struct user {
    struct lf_block_pool *p;
    uint64_t seed, *owners;
};
static void *use(void *argument) {
    struct user *u = (struct user *)argument;
    uint32_t mine[6][8], n[6] = {0};
    uint64_t at;
    for (long round = check_rounds(6000); round > 0; round--) {
        uint32_t k = (uint32_t)check_below(&u->seed, 6), one = (uint32_t)check_below(&u->seed, 8);
        if (n[k] == 0) {
            uint32_t size = check_below(&u->seed, 4) ? 4 : 1 + one;
            if (lf_block_pool_try_alloc(u->p, mine[k], size) != LF_OK)
                continue;
            n[k] = size;
            for (uint32_t i = 0; i < size; i++) {
                CHECK_EQ(u->owners[mine[k][i]], 0);
                u->owners[mine[k][i]] = u->seed | 1;
            }
            continue;
        }
        if (one < n[k] && check_below(&u->seed, 4) == 0) { /* one of them twice */
            CHECK_EQ(lf_block_pool_retain(u->p, &mine[k][one], 1, &at), LF_OK);
            CHECK_EQ(lf_block_pool_free(u->p, &mine[k][one], NULL, 1, &at), LF_OK);
        }
        for (uint32_t i = 0; i < n[k]; i++)
            u->owners[mine[k][i]] = 0;
        if (check_below(&u->seed, 8) == 0) { /* the last one alone, before the others */
            n[k]--;
            CHECK_EQ(lf_block_pool_free(u->p, &mine[k][n[k]], NULL, 1, &at), LF_OK);
        }
        CHECK_EQ(lf_block_pool_free(u->p, mine[k], NULL, n[k], &at), LF_OK);
        n[k] = 0;
    }
    for (int k = 0; k < 6; k++) {
        for (uint32_t i = 0; i < n[k]; i++)
            u->owners[mine[k][i]] = 0;
        CHECK_EQ(lf_block_pool_free(u->p, mine[k], NULL, n[k], &at), LF_OK);
    }
    return NULL;
}
static void test_no_block_in_two_hands(void) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct user users[THREADS];
    uint64_t owners[BLOCKS] = {0};
    start(3); /* two threads are one participant's */
    for (uint32_t i = 0; i < THREADS; i++) {
        users[i] = (struct user){&pools[i < 2 ? 1 : i], i + 5, owners};
        CHECK(pthread_create(&threads[i], NULL, use, &users[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    all_can_be_had(&pools[3]);
    all_can_be_had(&pools[1]);
    end();
}

static struct lf_block_pool *interrupted;
static volatile long served;
static void serve(int number) {
    uint32_t b[3];
    uint64_t at;
    (void)number;
    served++;
    for (uint64_t n = 1; n <= 3; n++)
        if (lf_block_pool_try_alloc(interrupted, b, n) == LF_OK)
            CHECK_EQ(lf_block_pool_free(interrupted, b, NULL, n, &at), LF_OK);
}
static void test_a_handler_uses_the_pool(void) {
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action;
    uint32_t b[2][3];
    uint64_t at;
    start(2);
    memset(&action, 0, sizeof action);
    action.sa_handler = serve;
    action.sa_flags = SA_RESTART;
    interrupted = &pools[1];
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (uint64_t until = lf_now() + 100000000; lf_now() < until;) {
        for (int i = 0; i < 2; i++)
            CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b[i], 3), LF_OK);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(lf_block_pool_free(&pools[1], b[i], NULL, 3, &at), LF_OK);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(served > 0);
    all_can_be_had(&pools[2]);
    end();
}

/* ---- processes ---- */

static uint32_t in_hand[N], child_has[N];
static void use_as_a_child(void *argument) {
    struct lf_block_pool *p = (struct lf_block_pool *)argument;
    uint64_t at;
    CHECK_EQ(lf_block_pool_free(p, in_hand, NULL, N, &at), LF_NOT_OWNER); /* the parent's */
    CHECK_EQ(at, 0);
    CHECK_EQ(lf_block_pool_free(p, in_hand, NULL, 1, &at), LF_NOT_OWNER);
    take_bundle(p, child_has, N);
    CHECK(kill(getpid(), SIGSTOP) == 0);
}
static void test_a_fork_while_a_bundle_is_in_hand(void) {
    struct lf_block_pool p;
    uint64_t at;
    uint32_t all[BLOCKS];
    int status;
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, BLOCKS, 0, LF_POOL_LIFO), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&p, in_hand, N), LF_OK); /* a lane, and a bundle that is kept */
    CHECK_EQ(lf_block_pool_free(&p, in_hand, NULL, N, &at), LF_OK);
    take_bundle(&p, in_hand, N);
    pid_t child = check_fork(use_as_a_child, &p);
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(lf_block_pool_available(&p), BLOCKS - 2 * N);
    CHECK_EQ(lf_block_pool_free(&p, in_hand, NULL, N, &at), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&p, all, BLOCKS), LF_EMPTY);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    do
        status = lf_block_pool_alloc(&p, all, BLOCKS, lf_now() + UINT64_C(60000000000));
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    lf_block_pool_close(&p);
    lf_detach(&p.h);
}

/* ---- wraps, and what another process wrote ---- */

/* Formations near 2^28 (in words: near 2^23), and turns near 2^24, as if there had been so many. */
static void test_wraps(void) {
    uint32_t b[N], one;
    uint64_t at;
    start(1);
    for (uint32_t i = 0; i < LF_LANE_BUNDLES; i++)
        lf_store_relaxed(lf__bundle_at(&pools[1].free_blocks, 1, i),
                         lf__bundle_word((1u << 28) - 3, 0, LF__BUNDLE_NONE, 0));
    for (int round = 0; round < 6; round++) {
        take_bundle(&pools[1], b, N);
        uint32_t number = lf__bundle_number(lf_load_relaxed(lf_block_word(&pools[1].free_blocks, b[0])));
        uint64_t *bundle = lf__bundle_at(&pools[1].free_blocks, 1, number), was = lf_load_relaxed(bundle);
        lf_store_relaxed(bundle, lf__bundle_word(lf__bundle_formation(was), lf__bundle_turns(was) + (1u << 24) - 4,
                                                 LF__BUNDLE_HELD, N));
        for (int turn = 0; turn < 6; turn++) {
            uint32_t then[N];
            for (int i = 0; i < N; i++)
                then[i] = generation(&pools[1], b[i]);
            CHECK_EQ(lf_block_pool_free(&pools[1], b, then, N, &at), LF_OK);
            CHECK_EQ(lf_block_pool_try_alloc(&pools[1], b, N), LF_OK);
            CHECK_EQ(generation(&pools[1], b[0]), (then[N - 1] + 1) & 0xffffffu);
            CHECK_EQ(lf_load_relaxed(bundle) >> 36, lf__bundle_formation(was));
        }
        CHECK_EQ(lf_block_pool_free(&pools[1], b, NULL, N, &at), LF_OK);
        CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &one, 1), LF_OK); /* takes it apart */
        CHECK_EQ(one, b[N - 1]);
        CHECK_EQ(lf_block_pool_free(&pools[1], &one, NULL, 1, &at), LF_OK);
    }
    all_can_be_had(&pools[1]);
    end();
}

static void test_broken_bundles_are_refused(void) {
    struct lf_block_pool p, other;
    uint64_t at, seed = 11;
    uint32_t b[3], got[8];
    for (long round = check_rounds(2000); round > 0; round--) {
        CHECK_EQ(lf_block_pool_create_as(&p, NULL, 8, 0, LF_POOL_LIFO), LF_OK);
        CHECK_EQ(lf_block_pool_attach_fd(&other, dup(p.h.fd)), LF_OK);
        CHECK_EQ(lf_block_pool_try_alloc(&p, b, 3), LF_OK);
        CHECK_EQ(lf_block_pool_free(&p, b, NULL, 3, &at), LF_OK);
        if (check_below(&seed, 2))
            CHECK_EQ(lf_block_pool_try_alloc(&p, b, 3), LF_OK);
        uint32_t me = p.h.participant;
        for (int i = 0; i < 2; i++) {
            uint64_t noise = check_random(&seed) & (check_below(&seed, 2) ? UINT64_MAX : check_random(&seed));
            if (check_below(&seed, 3) == 0)
                *lf__bundle_at(&p.free_blocks, me, (uint32_t)check_below(&seed, 4)) ^= noise;
            else if (check_below(&seed, 2))
                lf__bundle_list(&p.free_blocks, me, 0)[check_below(&seed, 3)] ^= (uint32_t)noise;
            else
                *lf_block_word(&p.free_blocks, check_below(&seed, 8)) ^= noise;
        }
        for (int i = 0; i < 6; i++) {
            struct lf_block_pool *who = check_below(&seed, 2) ? &p : &other;
            int status = check_below(&seed, 2) ? lf_block_pool_free(who, b, NULL, 1 + check_below(&seed, 3), &at)
                                               : lf_block_pool_try_alloc(who, got, 1 + check_below(&seed, 8));
            CHECK(status == LF_OK || status == LF_CORRUPT || status == LF_NOT_OWNER || status == LF_EMPTY);
            CHECK(lf_block_pool_available(&p) <= 8);
            for (uint64_t k = 0; k < 8; k++)
                lf_block_pool_look(&other, k);
        }
        lf_detach(&other.h);
        lf_detach(&p.h);
    }
}

int main(void) {
    test_a_turn_is_that_of_a_stack();
    test_what_is_no_whole_bundle();
    test_the_order_is_that_of_a_stack();
    test_whoever_needs_them_gets_them();
    test_superseded_with_bundles();
    test_the_dead_leave_a_bundle();
    test_two_free_the_same_blocks(0);
    test_two_free_the_same_blocks(1);
    test_no_block_in_two_hands();
    test_a_handler_uses_the_pool();
    test_a_fork_while_a_bundle_is_in_hand();
    test_wraps();
    test_broken_bundles_are_refused();
    return 0;
}
