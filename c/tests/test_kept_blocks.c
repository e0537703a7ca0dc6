/* What participants of a LIFO pool keep near: it is counted, anybody gets it before he is refused, and nothing is lost when
 * threads end, processes are forked, die or are superseded. */
#include "lifo_pool.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

enum { MANY = 40 }; /* more than a lane has slots */

/* Takes n blocks one by one and frees them one by one, in this order. */
static void keep(struct lf_block_pool *p, uint32_t n) {
    uint32_t b[BLOCKS];
    uint64_t at;
    for (uint32_t i = 0; i < n; i++)
        CHECK_EQ(lf_block_pool_try_alloc(p, &b[i], 1), LF_OK);
    for (uint32_t i = 0; i < n; i++)
        CHECK_EQ(lf_block_pool_free(p, &b[i], NULL, 1, &at), LF_OK);
}
static uint32_t kept_by(const struct lf_block_pool *p, uint32_t lease) {
    uint32_t n = 0;
    for (uint64_t i = 0; i < p->blocks; i++)
        n += lf__block_is_held_by(lf_block_pool_look(p, i), lease, 0);
    return n;
}
static void test_each_gets_first_what_it_freed_last(void) {
    uint32_t a, b, again;
    uint64_t at;
    start(2);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &a, 1), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[2], &b, 1), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[1], &a, NULL, 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[2], &b, NULL, 1, &at), LF_OK);
    CHECK_EQ(kept_by(&pools[0], 1) + kept_by(&pools[0], 2), 2);
    CHECK(!lf_block_is_held(lf_block_pool_look(&pools[0], a)));
    CHECK_EQ(lf_block_pool_free(&pools[1], &a, NULL, 1, &at), LF_NOT_OWNER); /* it is free */
    CHECK_EQ(lf_block_pool_retain(&pools[1], &a, 1, &at), LF_NOT_OWNER);
    CHECK_EQ(lf_block_pool_seal(&pools[1], &a, 1, &at, &at), LF_NOT_OWNER);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &again, 1), LF_OK);
    CHECK_EQ(again, a);
    CHECK_EQ(lf_block_generation(lf_block_pool_look(&pools[0], a)), 1);
    CHECK_EQ(lf_block_pool_free(&pools[1], &a, NULL, 1, &at), LF_OK);
    end();
}

static void test_a_claim_that_needs_them_gets_them(void) {
    uint32_t b[BLOCKS];
    uint64_t at;
    start(3);
    keep(&pools[1], MANY);
    keep(&pools[2], 5);
    CHECK(kept_by(&pools[0], 1) > 1);
    CHECK_EQ(kept_by(&pools[0], 2), 5);
    CHECK_EQ(lf_block_pool_available(&pools[3]), BLOCKS);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[3], b, BLOCKS - 1), LF_OK);
    CHECK_EQ(kept_by(&pools[0], 1) + kept_by(&pools[0], 2), 0);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &b[BLOCKS - 1], 1), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[2], &b[0], 1), LF_EMPTY);
    /* Where blocks are scarce nobody keeps one, until there are enough again. */
    CHECK_EQ(lf_block_pool_free(&pools[1], &b[BLOCKS - 1], NULL, 1, &at), LF_OK);
    CHECK_EQ(kept_by(&pools[0], 1), 0);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[3], &b[BLOCKS - 1], 1), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[3], b + 1, NULL, BLOCKS - 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pools[3], b, NULL, 1, &at), LF_OK);
    CHECK_EQ(kept_by(&pools[0], 3), 1);
    all_can_be_had(&pools[2]);
    end();
}

static void test_participants_without_a_lane(void) {
    start(LF_LANES + 6);
    for (uint32_t t = 1; t <= n_pools; t++) {
        keep(&pools[t], 1);
        CHECK_EQ(kept_by(&pools[0], t), t < LF_LANES);
    }
    all_can_be_had(&pools[n_pools]);
    end();
}

static void test_a_superseded_keeper(void) {
    uint32_t b[BLOCKS], one;
    uint64_t at;
    start(2);
    keep(&pools[1], 5);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &one, 1), LF_OK);
    CHECK_EQ(kept_by(&pools[0], 1), 4);
    CHECK_EQ(lf_block_pool_supersede(&pools[2], lf_block_pool_lease(&pools[1]), b),
             1); /* what is free is not taken over */
    CHECK_EQ(b[0], one);
    CHECK_EQ(kept_by(&pools[0], 1), 0);
    CHECK_EQ(lf_block_pool_try_alloc(&pools[1], &one, 1), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_free(&pools[2], b, NULL, 1, &at), LF_OK);
    all_can_be_had(&pools[2]);
    end();
}

/* ---- threads of one participant ---- */

static void *use(void *argument) {
    struct lf_block_pool *p = (struct lf_block_pool *)argument;
    uint32_t b[3];
    uint64_t at;
    for (long round = check_rounds(20000); round > 0; round--) {
        CHECK_EQ(lf_block_pool_try_alloc(p, b, 1), LF_OK);
        CHECK_EQ(lf_block_pool_try_alloc(p, b + 1, round % 7 ? 1 : 2), LF_OK);
        CHECK_EQ(lf_block_pool_free(p, b, NULL, 1, &at), LF_OK);
        CHECK_EQ(lf_block_pool_free(p, b + 1, NULL, round % 7 ? 1 : 2, &at), LF_OK);
    }
    return NULL;
}
static void test_threads_of_one_participant(void) {
    pthread_t threads[3];
    start(2);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, use, &pools[1]) == 0);
    use(&pools[2]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    uint64_t owner = pools[1].own.owner;
    CHECK_EQ(owner >> 32, 1);
    use(&pools[1]); /* the lane of a thread that has ended goes to one that lives */
    CHECK(pools[1].own.owner != owner || lf_thread_alive((uint32_t)owner) || check_rounds(20000) < 2000);
    all_can_be_had(&pools[2]);
    all_can_be_had(&pools[1]);
    end();
}

/* ---- signal handlers ---- */

static struct lf_block_pool *interrupted;
static volatile long served;
static void serve(int number) {
    uint32_t b[2];
    uint64_t at;
    (void)number;
    served++;
    if (lf_block_pool_try_alloc(interrupted, &b[0], 1) != LF_OK)
        return;
    if (lf_block_pool_try_alloc(interrupted, &b[1], 1) == LF_OK)
        CHECK_EQ(lf_block_pool_free(interrupted, &b[1], NULL, 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(interrupted, &b[0], NULL, 1, &at), LF_OK);
}
static void test_a_handler_uses_the_pool(void) {
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action;
    start(2);
    memset(&action, 0, sizeof action);
    action.sa_handler = serve;
    action.sa_flags = SA_RESTART;
    interrupted = &pools[1];
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (uint64_t until = lf_now() + 200000000; lf_now() < until;)
        keep(&pools[1], 20);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(served > 0);
    all_can_be_had(&pools[2]);
    end();
}

/* ---- processes ---- */

static void keep_as_a_child(void *argument) {
    struct lf_block_pool *p = (struct lf_block_pool *)argument;
    keep(p, 7); /* as a participant of its own */
    CHECK_EQ(kept_by(p, p->h.participant), 7);
    CHECK(kill(getpid(), SIGSTOP) == 0);
}
static void test_a_child_keeps_its_own_and_dies(void) {
    struct lf_block_pool p;
    int status;
    uint32_t all[BLOCKS];
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, BLOCKS, 0, LF_POOL_LIFO), LF_OK);
    keep(&p, 9);
    pid_t child = check_fork(keep_as_a_child, &p);
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(kept_by(&p, p.h.participant), 9);
    CHECK_EQ(lf_block_pool_available(&p), BLOCKS);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_EQ(lf_block_pool_try_alloc(&p, all, BLOCKS), LF_OK); /* they were free: nobody need be given back for that */
    lf_block_pool_close(&p);
    lf_detach(&p.h);
}

/* What another process wrote is refused, whatever it is. */
static void test_a_broken_lane_is_refused(void) {
    struct lf_block_pool p, other;
    uint64_t at, seed = 11;
    uint32_t b[8];
    for (long round = check_rounds(2000); round > 0; round--) {
        CHECK_EQ(lf_block_pool_create_as(&p, NULL, 6, 0, LF_POOL_LIFO), LF_OK);
        CHECK_EQ(lf_block_pool_attach_fd(&other, dup(p.h.fd)), LF_OK);
        keep(&p, 3);
        keep(&other, 1);
        CHECK_EQ(lf_block_pool_try_alloc(&p, b, 1), LF_OK);
        uint32_t *slots = p.body->lanes.of[p.h.participant].slots;
        for (int i = 0; i < 3; i++)
            slots[check_below(&seed, 6)] = (uint32_t)(check_below(&seed, 2) ? check_below(&seed, 9)
                                                                            : check_random(&seed));
        *lf_block_word(&p.free_blocks, check_below(&seed, 6)) ^= check_random(&seed) & check_random(&seed);
        p.body->lanes.used ^= check_random(&seed) & check_random(&seed);
        int status = lf_block_pool_free(&p, b, NULL, 1, &at);
        CHECK(status == LF_OK || status == LF_CORRUPT || status == LF_NOT_OWNER);
        for (int i = 0; i < 4; i++) {
            status = lf_block_pool_try_alloc(i & 1 ? &p : &other, b, 1 + (uint64_t)i);
            CHECK(status == LF_OK || status == LF_CORRUPT || status == LF_EMPTY);
            CHECK(lf_block_pool_available(&p) <= 6);
        }
        lf_detach(&other.h);
        lf_detach(&p.h);
    }
}

int main(void) {
    test_each_gets_first_what_it_freed_last();
    test_a_claim_that_needs_them_gets_them();
    test_participants_without_a_lane();
    test_a_superseded_keeper();
    test_threads_of_one_participant();
    test_a_handler_uses_the_pool();
    test_a_child_keeps_its_own_and_dies();
    test_a_broken_lane_is_refused();
    return 0;
}
