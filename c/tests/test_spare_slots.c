/* The slot that a thread keeps: it is free for everybody, it is counted, and nothing is lost when threads end, processes are
 * forked, or a signal handler uses the ring. */
#include <lockfree/mpmc_ring.h>
#include <lockfree/priority_queue.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "check.h"

static struct lf_mpmc_ring rings[LF_SPARES + 3];

static unsigned char *start(uint64_t capacity, uint32_t participants) {
    uint64_t bytes;
    memset(rings, 0, sizeof rings);
    CHECK_EQ(lf_mpmc_ring_bytes(capacity, 8, &bytes), LF_OK);
    unsigned char *memory = (unsigned char *)check_map(bytes);
    CHECK_EQ(lf_mpmc_ring_create_local(&rings[0], memory, capacity, 8, 0), LF_OK);
    for (uint32_t i = 1; i <= participants; i++)
        CHECK_EQ(lf_segment_attach_local(&rings[i].h, &lf_mpmc_ring_kind, memory, i), LF_OK);
    return memory;
}
static void finish(unsigned char *memory) { check_unmap(memory, rings[0].h.bytes); }
static void put_and_get(struct lf_mpmc_ring *r, uint64_t value) {
    uint64_t got = 0;
    CHECK_EQ(lf_mpmc_ring_try_put(r, &value, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_get(r, &got), 8);
    CHECK_EQ(got, value);
}
static uint64_t word_of(uint32_t participant) { return rings[0].body->spares.of[participant].word; }
/* Scarcity ends some frees and 20 ms after the last refusal. */
static void until_scarcity_ends(struct lf_mpmc_ring *r) {
    check_sleep(30000000);
    for (uint32_t i = 0; i < 2 * LF__SPARE_LOOKS; i++)
        put_and_get(r, i);
    CHECK_EQ(r->body->spares.scarce & LF__SCARCE_ON, 0);
}

static void test_a_thread_keeps_one_and_takes_it_again(void) {
    unsigned char *memory = start(4, 1);
    uint64_t positions = 0;
    for (uint64_t i = 0; i < 10; i++) {
        put_and_get(&rings[1], i);
        CHECK(word_of(1) != 0);
        positions = i == 0 ? rings[0].queues[LF__FREE].ends->head : positions;
        CHECK_EQ(rings[0].queues[LF__FREE].ends->head, positions); /* the queue of free slots is not touched */
        CHECK_EQ(lf_mpmc_ring_free_slots(&rings[1]), 4);
    }
    finish(memory);
}

static void test_a_put_that_finds_no_other_takes_it(void) {
    unsigned char *memory = start(2, 3);
    uint64_t value = 7;
    for (uint32_t round = 0; round < 3; round++) {
        put_and_get(&rings[1], 1);
        put_and_get(&rings[2], 2);
        CHECK(word_of(1) != 0 || round > 0);
        CHECK_EQ(lf_mpmc_ring_try_put(&rings[3], &value, 8), LF_OK);
        CHECK_EQ(lf_mpmc_ring_try_put(&rings[3], &value, 8), LF_OK);
        CHECK_EQ(lf_mpmc_ring_try_put(&rings[3], &value, 8), LF_FULL);
        CHECK(word_of(1) == 0 && word_of(2) == 0);
        CHECK_EQ(lf_mpmc_ring_try_get(&rings[1], &value), 8); /* it is scarce: kept by nobody */
        CHECK_EQ(lf_mpmc_ring_try_get(&rings[2], &value), 8);
        CHECK(word_of(1) == 0 && word_of(2) == 0);
        CHECK_EQ(lf_mpmc_ring_free_slots(&rings[0]), 2);
        if (round == 1)
            until_scarcity_ends(&rings[1]);
    }
    finish(memory);
}

/* While a caller waits, scarcity does not end: each free goes to the queue, and wakes. */
static void test_scarcity_lasts_while_one_waits(void) {
    unsigned char *memory = start(16, 2);
    for (uint64_t i = 0; i < 16; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], &i, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], memory, 8), LF_FULL);
    CHECK(rings[0].body->spares.scarce & LF__SCARCE_ON);
    uint64_t value, waiter = lf_eventcount_prepare(&rings[0].body->not_full);
    for (uint64_t i = 0; i < 8; i++)
        CHECK_EQ(lf_queue_take(&rings[2].queues[LF__RECORDS], 2), (int64_t)i); /* in hand, so that no wake is sent */
    for (uint64_t i = 0; i < 8; i++)
        CHECK_EQ(lf_queue_publish(&rings[2].queues[LF__FREE], i, 2), LF_OK);
    check_sleep(30000000);
    for (uint32_t i = 0; i < 4 * LF__SPARE_LOOKS; i++)
        lf_spares_relax(&rings[2].spares, &rings[2].h);
    CHECK(rings[0].body->spares.scarce & LF__SCARCE_ON);
    lf_eventcount_cancel(&rings[0].body->not_full, (uint32_t)waiter);
    for (uint32_t i = 0; i < 4 * LF__SPARE_LOOKS; i++)
        lf_spares_relax(&rings[2].spares, &rings[2].h);
    CHECK_EQ(rings[0].body->spares.scarce & LF__SCARCE_ON, 0);
    CHECK_EQ(lf_mpmc_ring_try_get(&rings[2], &value), 8);
    CHECK(word_of(2) != 0);
    finish(memory);
}

/* Two frees try to end it one after the other, and a put is refused in between: it may wait by now. So the first free, which
 * has looked for waiters before, must not find the word as it left it. */
static void test_an_end_of_scarcity_that_was_called_off_stays_so(void) {
    unsigned char *memory = start(1, 2);
    uint64_t *scarce = &rings[0].body->spares.scarce, value = 1;
    CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], &value, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], &value, 8), LF_FULL);
    CHECK_EQ(*scarce & (LF__SCARCE_ON | LF__SCARCE_SEARCHED), LF__SCARCE_ON | LF__SCARCE_SEARCHED);
    uint64_t first = *scarce |= LF__SCARCE_CLOSING;
    CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], &value, 8), LF_FULL);
    CHECK_EQ(*scarce & (LF__SCARCE_VERSION - 1), LF__SCARCE_ON | LF__SCARCE_SEARCHED); /* no second search */
    *scarce |= LF__SCARCE_CLOSING;
    CHECK(*scarce != first);
    finish(memory);
}

static void *one_thread(void *ring) {
    put_and_get((struct lf_mpmc_ring *)ring, 5);
    return NULL;
}
static void test_the_spare_of_an_ended_thread_goes_to_one_that_lives(void) {
    unsigned char *memory = start(4, 1);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, one_thread, &rings[1]), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    uint64_t kept = word_of(1), head = 0;
    CHECK(kept != 0);
    for (uint64_t i = 0; i < 5000; i++) {
        head = rings[0].queues[LF__FREE].ends->head;
        put_and_get(&rings[1], i);
    }
    CHECK_EQ(rings[0].queues[LF__FREE].ends->head, head); /* it is this thread's by now */
    CHECK_EQ(lf_mpmc_ring_free_slots(&rings[1]), 4);
    finish(memory);
}

static void test_participants_without_a_spare(void) {
    unsigned char *memory = start(4, LF_SPARES + 2);
    for (uint32_t i = LF_SPARES - 1; i < LF_SPARES + 3; i++) {
        put_and_get(&rings[i], i);
        CHECK_EQ(lf_spares_size(&rings[0].spares), 1); /* that of the last participant who has one */
    }
    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&rings[LF_SPARES + 1], &i, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&rings[1], memory, 8), LF_FULL);
    finish(memory);
}

/* A handler interrupts its thread anywhere, also while it keeps a slot. */
static volatile sig_atomic_t handled;
static void handler(int signal) {
    uint64_t value = 1;
    (void)signal;
    if (lf_mpmc_ring_try_put(&rings[1], &value, 8) == LF_OK)
        handled += lf_mpmc_ring_try_get(&rings[1], &value) == 8;
}
static void test_a_signal_handler_loses_nothing(void) {
    unsigned char *memory = start(8, 1);
    struct itimerval every = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, NULL);
    alarm(0);
    handled = 0;
    setitimer(ITIMER_REAL, &every, NULL);
    uint64_t value, n = 0;
    for (; handled < (int)check_rounds(2000); n++) {
        value = n;
        if (lf_mpmc_ring_try_put(&rings[1], &value, 8) == LF_OK)
            CHECK_EQ(lf_mpmc_ring_try_get(&rings[1], &value), 8);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    alarm(CHECK_STUCK_S);
    CHECK_EQ(lf_mpmc_ring_free_slots(&rings[1]) + lf_mpmc_ring_size(&rings[1]), 8);
    finish(memory);
}

/* A child is another participant. Its parent's spare stays its parent's, and what it kept itself comes back. */
static void test_a_fork(void) {
    static struct lf_mpmc_ring ring;
    uint64_t value = 3;
    int status;
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 3, 8, 0), LF_OK);
    put_and_get(&ring, 1);
    CHECK_EQ(lf_spares_size(&ring.spares), 1);
    pid_t child = fork();
    if (child == 0) {
        put_and_get(&ring, 2);
        CHECK_EQ(lf_spares_size(&ring.spares), 2);
        CHECK_EQ(lf_mpmc_ring_try_put(&ring, &value, 8), LF_OK);
        put_and_get(&ring, 4 - 1); /* the record that is inside comes out first */
        CHECK_EQ(lf_mpmc_ring_try_get(&ring, &value), 8);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(lf_reap(&ring.h), 1);
    CHECK_EQ(lf_mpmc_ring_free_slots(&ring), 3);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&ring, &i, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&ring, &value, 8), LF_FULL);
    lf_detach(&ring.h);
}

/* A word that no participant wrote: no access beside the ring. */
static void test_broken_words(void) {
    uint64_t seed = 1, value;
    for (uint32_t round = 0; round < check_rounds(2000); round++) {
        unsigned char *memory = start(4, 3);
        for (uint32_t i = 1; i < 4; i++)
            put_and_get(&rings[i], i);
        for (uint32_t i = 1; i < LF_SPARES; i++)
            if (check_below(&seed, 4) == 0)
                rings[0].body->spares.of[i].word = check_random(&seed) >> check_below(&seed, 64);
        rings[0].body->spares.used |= check_random(&seed);
        rings[0].body->spares.scarce = check_random(&seed) >> check_below(&seed, 64);
        for (uint32_t i = 0; i < 20; i++) {
            struct lf_mpmc_ring *r = &rings[1 + check_below(&seed, 3)];
            if (check_below(&seed, 2))
                lf_mpmc_ring_try_put(r, &value, 8);
            else
                lf_mpmc_ring_try_get(r, &value);
        }
        lf_recover_wholly(&rings[1].h, 2);
        lf_mpmc_ring_shutdown(&rings[1], 0);
        for (uint32_t i = 0; i < 5; i++)
            lf_mpmc_ring_try_get(&rings[1], &value);
        finish(memory);
    }
}

static void test_the_queue_of_levels_keeps_one_too(void) {
    struct lf_priority_queue q;
    uint64_t value = 1;
    uint32_t level;
    memset(&q, 0, sizeof q);
    CHECK_EQ(lf_priority_queue_create(&q, NULL, 2, 8, 3, 0), LF_OK);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, i % 3), LF_OK);
        CHECK_EQ(lf_priority_queue_try_get(&q, &value, &level), 8);
        CHECK_EQ(lf_spares_size(&q.spares), 1);
        CHECK_EQ(lf_priority_queue_free_slots(&q), 2);
    }
    CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, 0), LF_OK);
    CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, 1), LF_OK);
    CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, 2), LF_FULL);
    lf_detach(&q.h);
}

int main(void) {
    alarm(CHECK_STUCK_S);
    test_a_thread_keeps_one_and_takes_it_again();
    test_a_put_that_finds_no_other_takes_it();
    test_scarcity_lasts_while_one_waits();
    test_an_end_of_scarcity_that_was_called_off_stays_so();
    test_the_spare_of_an_ended_thread_goes_to_one_that_lives();
    test_participants_without_a_spare();
    test_a_signal_handler_loses_nothing();
    test_a_fork();
    test_broken_words();
    test_the_queue_of_levels_keeps_one_too();
    return 0;
}
