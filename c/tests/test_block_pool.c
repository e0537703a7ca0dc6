/* Block pool between threads and processes: all or nothing, order, references, generations, batches, taking over from the
 * living, positions that wrap, and deaths with kill -9. */
#include <lockfree/block_pool.h>

#include "check.h"

#include <pthread.h>
#include <string.h>

#define MS UINT64_C(1000000)

static uint32_t mode; /* every test runs for both orders */

static void test_bounds(void) {
    struct lf_block_pool p;
    uint64_t bytes, at;
    uint32_t blocks[8];
    CHECK_EQ(lf_block_pool_bytes(0, mode, &bytes), LF_INVALID);
    CHECK_EQ(lf_block_pool_bytes(LF_RUNS_MAX + 1, mode, &bytes), LF_INVALID);
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 0, 0, mode), LF_INVALID);
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 7, 0, mode), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&p, blocks, 0), LF_INVALID);
    CHECK_EQ(lf_block_pool_try_alloc(&p, blocks, 8), LF_INVALID);
    CHECK_EQ(lf_block_pool_try_alloc(&p, blocks, UINT64_MAX), LF_INVALID);
    CHECK_EQ(lf_block_pool_free(&p, blocks, NULL, 0, &at), LF_OK);
    blocks[0] = 7;
    CHECK_EQ(lf_block_pool_free(&p, blocks, NULL, 1, &at), LF_NOT_OWNER);
    CHECK_EQ(lf_block_pool_retain(&p, blocks, 1, &at), LF_NOT_OWNER);
    CHECK_EQ(lf_block_pool_look(&p, 7), 0);
    lf_block_pool_shutdown(&p, 0);
    CHECK_EQ(lf_block_pool_try_alloc(&p, blocks, 1), LF_CLOSED);
    lf_block_pool_close(&p);
    CHECK_EQ(lf_block_pool_free(&p, blocks, NULL, 0, &at), LF_CLOSED);
    CHECK_EQ(lf_block_pool_lease(&p) >> LF_PARTICIPANT_BITS, 0);
    lf_detach(&p.h);
}

/* Against a queue of numbers, past the wraps of positions in heads, cells and words. */
static void test_order_is_that_of_freeing(uint64_t capacity, uint32_t start, uint64_t seed) {
    struct lf_block_pool p;
    uint64_t bytes, at, first = 0, count = capacity;
    uint32_t queue[256], mine[64], held[64], n_held = 0;
    CHECK(capacity <= 64);
    CHECK_EQ(lf_block_pool_bytes(capacity, mode, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_block_pool_create_local(&p, memory, capacity, start, mode), LF_OK);
    CHECK_EQ(lf_segment_attach_local(&p.h, &lf_block_pool_kind, memory, 1), LF_OK);
    for (uint32_t i = 0; i < capacity; i++)
        queue[i] = mode ? (uint32_t)capacity - 1 - i : i;
    for (long round = check_rounds(3000); round > 0; round--) {
        CHECK_EQ(lf_block_pool_available(&p), count);
        uint64_t n = 1 + check_below(&seed, capacity);
        if (check_below(&seed, 2)) {
            int status = lf_block_pool_try_alloc(&p, mine, n);
            CHECK_EQ(status, n <= count ? LF_OK : LF_EMPTY);
            for (uint64_t i = 0; status == LF_OK && i < n; i++) {
                CHECK_EQ(mine[i], queue[mode ? count - 1 - i : (first + i) % 256]);
                held[n_held++] = mine[i];
                CHECK(lf_block_is_held(lf_block_pool_look(&p, mine[i])));
                CHECK_EQ(lf_block_references(lf_block_pool_look(&p, mine[i])), 1);
            }
            first += status == LF_OK && !mode ? n : 0;
            count -= status == LF_OK ? n : 0;
        } else if (n <= n_held) {
            uint32_t *from = &held[check_below(&seed, n_held - n + 1)], generations[64];
            for (uint64_t i = 0; i < n; i++) {
                generations[i] = lf_block_generation(lf_block_pool_look(&p, from[i]));
                queue[(first + count + i) % 256] = from[i];
            }
            CHECK_EQ(lf_block_pool_free(&p, from, generations, n, &at), LF_OK);
            CHECK_EQ(at, n);
            CHECK_EQ(lf_block_pool_free(&p, from, NULL, 1, &at), LF_NOT_OWNER); /* twice */
            memmove(from, from + n, (size_t)(held + n_held - from - (ptrdiff_t)n) * sizeof *from);
            n_held -= (uint32_t)n;
            count += n;
        }
    }
    check_unmap(memory, bytes);
}

static void test_references_and_generations(void) {
    struct lf_block_pool p;
    uint64_t at;
    uint32_t b[4], generations[4];
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 4, 0, mode), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&p, b, 4), LF_OK);
    for (int i = 0; i < 4; i++)
        generations[i] = lf_block_generation(lf_block_pool_look(&p, b[i]));
    CHECK_EQ(lf_block_pool_retain(&p, b, 2, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&p, b, generations, 4, &at), LF_OK);
    CHECK_EQ(lf_block_pool_available(&p), 2);
    CHECK_EQ(lf_block_pool_retain(&p, b, 4, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 2);
    CHECK_EQ(lf_block_references(lf_block_pool_look(&p, b[0])), 1); /* taken back */
    CHECK_EQ(lf_block_pool_free(&p, b, NULL, 4, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 2);
    CHECK_EQ(lf_block_references(lf_block_pool_look(&p, b[0])), 1); /* nothing was freed */
    CHECK_EQ(lf_block_pool_try_alloc(&p, b + 2, 2), LF_OK);
    CHECK_EQ(lf_block_pool_free(&p, b + 2, generations + 2, 1, &at), LF_NOT_OWNER); /* use after free */
    uint32_t twice[2] = {b[0], b[0]};
    CHECK_EQ(lf_block_pool_free(&p, twice, NULL, 2, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 1);
    CHECK_EQ(lf_block_pool_available(&p), 1);
    lf_block_pool_close(&p);
    lf_detach(&p.h);
}

struct pair {
    struct lf_block_pool a, b;
    unsigned char *memory;
    uint64_t bytes;
};
static void pair_open(struct pair *pair, uint64_t blocks) {
    CHECK_EQ(lf_block_pool_bytes(blocks, mode, &pair->bytes), LF_OK);
    pair->memory = check_map(pair->bytes);
    CHECK_EQ(lf_block_pool_create_local(&pair->a, pair->memory, blocks, 0, mode), LF_OK);
    CHECK_EQ(lf_segment_attach_local(&pair->a.h, &lf_block_pool_kind, pair->memory, 1), LF_OK);
    CHECK_EQ(lf_segment_attach_local(&pair->b.h, &lf_block_pool_kind, pair->memory, 2), LF_OK);
}

static void test_batches(void) {
    struct pair pair;
    uint64_t at, ticket, other;
    uint32_t b[8], got[8];
    pair_open(&pair, 8);
    CHECK_EQ(lf_block_pool_try_alloc(&pair.a, b, 6), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pair.b, b, NULL, 6, &at), LF_NOT_OWNER); /* another's */
    CHECK_EQ(lf_block_pool_retain(&pair.a, b, 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_seal(&pair.a, b, 4, &ticket, &at), LF_OK);
    CHECK_EQ(lf_block_pool_seal(&pair.a, b + 2, 3, &other, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 0);
    uint32_t mixed[3] = {b[4], b[5], b[3]};
    CHECK_EQ(lf_block_pool_seal(&pair.a, mixed, 3, &other, &at), LF_NOT_OWNER);
    CHECK_EQ(at, 2);
    CHECK_EQ(lf_block_pool_free(&pair.a, mixed, NULL, 2, &at), LF_OK); /* they came back */
    CHECK_EQ(lf_block_pool_free(&pair.a, b, NULL, 1, &at), LF_NOT_OWNER);
    lf_recover_wholly(&pair.b.h, 1); /* the one who sealed is dead: the batch stays */
    CHECK_EQ(lf_block_pool_available(&pair.b), 4);
    CHECK_EQ(lf_block_pool_adopt(&pair.b, ticket + LF_BATCHES, got), LF_EMPTY);
    CHECK_EQ(lf_block_pool_adopt(&pair.b, ticket, got), 4);
    CHECK(memcmp(got, b, 4 * sizeof *b) == 0);
    CHECK_EQ(lf_block_pool_adopt(&pair.b, ticket, got), LF_EMPTY); /* once */
    CHECK_EQ(lf_block_references(lf_block_pool_look(&pair.b, b[0])), 2);
    CHECK_EQ(lf_block_pool_free(&pair.b, got, NULL, 4, &at), LF_OK);
    CHECK_EQ(lf_block_pool_free(&pair.b, got, NULL, 1, &at), LF_OK);
    CHECK_EQ(lf_block_pool_available(&pair.b), 8);
    for (uint64_t i = 0; i < LF_BATCHES; i++)
        CHECK_EQ(lf_block_pool_seal(&pair.b, NULL, 0, &ticket, &at), LF_OK);
    CHECK_EQ(lf_block_pool_seal(&pair.b, NULL, 0, &other, &at), LF_BUSY);
    CHECK_EQ(lf_block_pool_adopt(&pair.b, ticket, got), 0);
    CHECK_EQ(lf_block_pool_seal(&pair.b, NULL, 0, &other, &at), LF_OK);
    CHECK(other != ticket);
    check_unmap(pair.memory, pair.bytes);
}

static void test_a_superseded_one_is_refused(void) {
    struct pair pair;
    uint64_t at, ticket;
    uint32_t b[8], got[8];
    pair_open(&pair, 8);
    uint64_t lease = lf_block_pool_lease(&pair.a);
    CHECK_EQ(lf_block_pool_try_alloc(&pair.a, b, 5), LF_OK);
    CHECK_EQ(lf_block_pool_seal(&pair.a, b, 2, &ticket, &at), LF_OK);
    CHECK_EQ(lf_block_pool_supersede(&pair.a, lease, got), LF_INVALID);
    CHECK_EQ(lf_block_pool_supersede(&pair.b, lease, got), 3);
    CHECK(memcmp(got, b + 2, 3 * sizeof *b) == 0);
    CHECK_EQ(lf_block_pool_free(&pair.a, b + 2, NULL, 3, &at), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_retain(&pair.a, b + 2, 3, &at), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_try_alloc(&pair.a, b, 1), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_seal(&pair.a, b + 2, 3, &ticket, &at), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_adopt(&pair.a, ticket, got), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_supersede(&pair.a, lf_block_pool_lease(&pair.b), got), LF_SUPERSEDED);
    CHECK_EQ(lf_block_pool_supersede(&pair.b, lease, got), 0); /* once more finds nothing more */
    lf_recover_wholly(&pair.b.h, 1);
    CHECK_EQ(lf_block_pool_supersede(&pair.b, lease, got), LF_EMPTY); /* that lease has ended */
    CHECK_EQ(lf_segment_attach_local(&pair.a.h, &lf_block_pool_kind, pair.memory, 1), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&pair.a, b, 3), LF_OK); /* attached again */
    CHECK_EQ(lf_block_pool_try_alloc(&pair.a, b, 1), LF_EMPTY);
    check_unmap(pair.memory, pair.bytes);
}

/* ---- many threads ---- */

enum { THREADS = 4, MANY = 48 };
struct worker {
    struct lf_block_pool *p;
    uint64_t seed;
    uint64_t *owners; /* plain: the thread sanitizer sees two holders, and so does the check */
};
static void *work(void *argument) {
    struct worker *w = (struct worker *)argument;
    uint32_t mine[MANY], n_mine = 0;
    uint64_t at;
    for (long round = check_rounds(20000); round > 0; round--) {
        uint64_t n = 1 + check_below(&w->seed, 9);
        if (n_mine + n <= MANY && check_below(&w->seed, 2)) {
            int status = n % 3 == 0 ? lf_block_pool_alloc(w->p, mine + n_mine, n, lf_now() + MS)
                                    : lf_block_pool_try_alloc(w->p, mine + n_mine, n);
            if (status != LF_OK) {
                CHECK(status == LF_EMPTY || status == LF_INTERRUPTED);
                continue;
            }
            for (uint64_t i = 0; i < n; i++) {
                CHECK_EQ(w->owners[mine[n_mine + i]], 0);
                w->owners[mine[n_mine + i]] = w->seed;
            }
            n_mine += (uint32_t)n;
        } else if (n_mine > 0) {
            n = n < n_mine ? n : n_mine;
            n_mine -= (uint32_t)n;
            for (uint64_t i = 0; i < n; i++)
                w->owners[mine[n_mine + i]] = 0;
            CHECK_EQ(lf_block_pool_free(w->p, mine + n_mine, NULL, n, &at), LF_OK);
        }
    }
    for (uint32_t i = 0; i < n_mine; i++)
        w->owners[mine[i]] = 0;
    CHECK_EQ(lf_block_pool_free(w->p, mine, NULL, n_mine, &at), LF_OK);
    CHECK_EQ(at, n_mine);
    return NULL;
}
static void test_no_block_in_two_hands(uint64_t capacity, uint32_t start) {
    struct lf_block_pool p[THREADS];
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    uint64_t bytes;
    CHECK_EQ(lf_block_pool_bytes(capacity, mode, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    uint64_t *owners = (uint64_t *)calloc(capacity, sizeof *owners);
    CHECK_EQ(lf_block_pool_create_local(&p[0], memory, capacity, start, mode), LF_OK);
    for (uint32_t i = 0; i < THREADS; i++) {
        CHECK_EQ(lf_segment_attach_local(&p[i].h, &lf_block_pool_kind, memory, i + 1), LF_OK);
        workers[i] = (struct worker){&p[i], capacity + i + 1, owners};
    }
    for (uint32_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    for (uint32_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(lf_block_pool_available(&p[0]), capacity);
    free(owners);
    check_unmap(memory, bytes);
}

/* Each alloc of half of all blocks and one more excludes every other. If one is refused, another one has them. */
struct half {
    struct lf_block_pool *p;
    uint64_t *inside, *refused, *taken;
};
static void *take_more_than_half(void *argument) {
    struct half *h = (struct half *)argument;
    uint32_t mine[16];
    uint64_t at;
    for (long round = check_rounds(20000); round > 0; round--) {
        int status = lf_block_pool_try_alloc(h->p, mine, 9);
        if (status == LF_EMPTY) {
            lf_fetch_add_relaxed(h->refused, 1u);
            continue;
        }
        CHECK_EQ(status, LF_OK);
        CHECK_EQ(lf_fetch_add_relaxed(h->inside, 1u), 0);
        lf_fetch_add_relaxed(h->taken, 1u);
        lf_fetch_sub_relaxed(h->inside, 1u);
        CHECK_EQ(lf_block_pool_free(h->p, mine, NULL, 9, &at), LF_OK);
    }
    return NULL;
}
static void test_a_refusal_is_exact(void) {
    struct pair pair;
    pthread_t threads[2];
    uint64_t inside = 0, refused = 0, taken = 0;
    pair_open(&pair, 16);
    struct half halves[2] = {{&pair.a, &inside, &refused, &taken}, {&pair.b, &inside, &refused, &taken}};
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, take_more_than_half, &halves[i]) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(taken > 0);
    check_unmap(pair.memory, pair.bytes);
}

/* ---- deaths ---- */

struct doomed {
    struct lf_block_pool *p;
    uint64_t seed;
};
static void toil(void *argument) {
    struct doomed *d = (struct doomed *)argument;
    uint32_t mine[16], got[64];
    uint64_t at, ticket;
    for (;;) {
        uint64_t n = 1 + check_below(&d->seed, 12);
        int status = lf_block_pool_alloc(d->p, mine, n, lf_now() + MS);
        if (status != LF_OK)
            continue;
        if (n % 4 == 0) {
            CHECK_EQ(lf_block_pool_retain(d->p, mine, n / 2, &at), LF_OK);
            CHECK_EQ(lf_block_pool_free(d->p, mine, NULL, n / 2, &at), LF_OK);
        }
        if (n % 5 == 0) {
            CHECK_EQ(lf_block_pool_seal(d->p, mine, n, &ticket, &at), LF_OK);
            CHECK_EQ(lf_block_pool_adopt(d->p, ticket, got), n);
        }
        CHECK_EQ(lf_block_pool_free(d->p, mine, NULL, n, &at), LF_OK);
    }
}
static void test_blocks_of_the_dead_come_back(void) {
    struct lf_block_pool p;
    uint64_t seed = 7, at, sealed = 0;
    uint32_t all[64], got[64];
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 64, UINT32_MAX - 500, mode), LF_OK);
    for (long round = check_rounds(60); round > 0; round--) {
        pid_t children[3];
        struct doomed doomed[3];
        for (int i = 0; i < 3; i++) {
            doomed[i] = (struct doomed){&p, check_random(&seed)};
            children[i] = check_fork(toil, &doomed[i]);
        }
        check_sleep(500000 + check_below(&seed, 3000000));
        for (int i = 0; i < 3; i++)
            CHECK(kill(children[i], SIGKILL) == 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(waitpid(children[i], NULL, 0), children[i]);
        lf_reap(&p.h);
        for (uint64_t i = 0; i < 64; i++) { /* what is sealed stays: adopt it all, by tickets that nobody told us */
            uint64_t word = lf_block_pool_look(&p, i);
            if (!lf_block_is_held(word))
                continue;
            uint32_t number = lf_block_lease(word) - LF_PARTICIPANTS;
            CHECK(lf_block_lease(word) >= LF_PARTICIPANTS);
            uint64_t ticket = lf__batch_ticket(number, lf_load_relaxed(&p.body->batches[number]));
            int64_t n = lf_block_pool_adopt(&p, ticket, got);
            CHECK(n > 0);
            for (int64_t j = 0; j < n; j++)
                while (lf_block_pool_free(&p, &got[j], NULL, 1, &at) == LF_OK)
                    ;
            sealed++;
        }
        CHECK_EQ(lf_block_pool_available(&p), 64);
        CHECK_EQ(lf_block_pool_try_alloc(&p, all, 64), LF_OK);
        uint64_t seen = 0;
        for (int i = 0; i < 64; i++)
            seen |= UINT64_C(1) << all[i];
        CHECK(seen == UINT64_MAX);
        CHECK_EQ(lf_block_pool_free(&p, all, NULL, 64, &at), LF_OK);
    }
    lf_block_pool_close(&p);
    lf_detach(&p.h);
}

/* A process that holds everything dies while another one waits. */
static void hold_all(void *argument) {
    struct lf_block_pool *p = (struct lf_block_pool *)argument;
    uint32_t *all = (uint32_t *)malloc(10000 * sizeof *all);
    CHECK_EQ(lf_block_pool_try_alloc(p, all, 10000), LF_OK);
    CHECK(kill(getpid(), SIGSTOP) == 0);
}
static void test_a_waiter_gets_what_a_dead_one_held(void) {
    struct lf_block_pool p;
    int status;
    uint32_t *all = (uint32_t *)malloc(10000 * sizeof *all);
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 10000, 0, mode), LF_OK);
    pid_t child = check_fork(hold_all, &p);
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(lf_block_pool_try_alloc(&p, all, 1), LF_EMPTY); /* it lives */
    CHECK_EQ(lf_reap(&p.h), 0);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    do
        status = lf_block_pool_alloc(&p, all, 10000, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    free(all);
    lf_block_pool_close(&p);
    lf_detach(&p.h);
}

static void test_modes(void) {
    struct lf_block_pool p, other;
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 4, 0, 4), LF_INVALID);
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 4, 0, LF_POOL_PERSISTENT), LF_INVALID); /* without a name */
    CHECK_EQ(lf_block_pool_create_as(&p, NULL, 4, 0, LF_POOL_LIFO), LF_OK);
    CHECK_EQ(lf_block_pool_attach_fd(&other, dup(p.h.fd)), LF_OK); /* the order is the segment's */
    uint32_t b[4];
    uint64_t at;
    CHECK_EQ(lf_block_pool_try_alloc(&other, b, 3), LF_OK);
    CHECK_EQ(lf_block_pool_free(&other, b, NULL, 2, &at), LF_OK);
    CHECK_EQ(lf_block_pool_try_alloc(&p, b, 1), LF_OK);
    CHECK_EQ(b[0], 1);
    struct lf_identity *id = &p.h.segment->identity;
    id->geometry[2] = 9; /* of a version to come */
    id->checksum = lf_identity_checksum(id);
    struct lf_block_pool third;
    CHECK_EQ(lf_block_pool_attach_fd(&third, dup(p.h.fd)), LF_MISMATCH);
    CHECK(strcmp(third.h.mismatch, "mode of the pool (at most)") == 0 && third.h.found == 9);
    lf_detach(&other.h);
    lf_detach(&p.h);
}

/* What another process wrote is refused, whatever it is: no crash, no endless loop. */
static void test_a_broken_stack_is_refused(void) {
    struct lf_block_pool p;
    uint64_t at, seed = 5;
    uint32_t b[8];
    for (long round = check_rounds(3000); round > 0; round--) {
        CHECK_EQ(lf_block_pool_create_as(&p, NULL, 6, 0, LF_POOL_LIFO), LF_OK);
        CHECK_EQ(lf_block_pool_try_alloc(&p, b, 3), LF_OK);
        uint64_t *words[] = {&lf__stack_ends(&p.free_blocks)->last, &lf__stack_ends(&p.free_blocks)->settled,
                             &p.free_blocks.cells[check_below(&seed, 6)],
                             lf_block_word(&p.free_blocks, check_below(&seed, 6))};
        for (int i = 0; i < 2; i++)
            *words[check_below(&seed, 4)] ^= check_random(&seed) &
                                             (check_below(&seed, 2) ? UINT64_MAX : check_random(&seed));
        int status = lf_block_pool_free(&p, b, NULL, 2, &at);
        CHECK(status == LF_OK || status == LF_CORRUPT || status == LF_NOT_OWNER);
        status = lf_block_pool_try_alloc(&p, b + 4, 4);
        CHECK(status == LF_OK || status == LF_CORRUPT || status == LF_EMPTY);
        CHECK(lf_block_pool_available(&p) <= 6);
        lf_detach(&p.h);
    }
}

/* Each block has a word of its own, inside the segment; and no line has the words of two that are handed out together. */
static void test_words_of_neighbours_stand_in_different_lines(void) {
    static const uint64_t sizes[] = {1, 15, 16, 255, 256, 257, 1000};
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
        struct lf_block_pool p;
        unsigned char taken[2048] = {0};
        CHECK_EQ(lf_block_pool_create_as(&p, NULL, sizes[size], 0, mode), LF_OK);
        const uint64_t *words = p.free_blocks.words;
        CHECK_EQ((uintptr_t)words % LF_CACHE_LINE, 0);
        for (uint64_t block = 0; block < sizes[size]; block++) {
            uint64_t *word = lf_block_word(&p.free_blocks, block), place = (uint64_t)(word - words);
            CHECK((unsigned char *)(word + 1) <= p.h.body + (p.h.bytes - LF_BODY_OFFSET));
            CHECK(place < sizeof taken && !taken[place]++);
            for (uint64_t next = block + 1; next < block + 16 && next < sizes[size]; next++)
                CHECK((uint64_t)(lf_block_word(&p.free_blocks, next) - words) / 16 != place / 16);
        }
        lf_detach(&p.h);
    }
}

int main(void) {
    for (int i = 0; i < 2; i++, mode = LF_POOL_LIFO) {
        test_bounds();
        test_words_of_neighbours_stand_in_different_lines();
        test_order_is_that_of_freeing(1, 0, 1);
        test_order_is_that_of_freeing(7, UINT32_MAX - 100, 2);
        test_order_is_that_of_freeing(16, (1u << 26) - 50, 3);
        test_order_is_that_of_freeing(64, 5, 4);
        test_references_and_generations();
        test_batches();
        test_a_superseded_one_is_refused();
        test_no_block_in_two_hands(MANY, UINT32_MAX - 1000);
        test_no_block_in_two_hands(200, 0);
        test_a_refusal_is_exact();
        test_blocks_of_the_dead_come_back();
        test_a_waiter_gets_what_a_dead_one_held();
    }
    test_modes();
    test_a_broken_stack_is_refused();
    return 0;
}
