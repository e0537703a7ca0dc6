/* Arena between threads and processes: page runs against a plain bitmap; no byte in two hands; what is derived equals what a
 * rebuild makes of the truth; blocks of scattered pages; alignment; handles; deaths with and without the lock. */
#include <lockfree/arena.h>

#include "check.h"

#include <pthread.h>
#include <string.h>

#define PAGE 4096u
#define MS UINT64_C(1000000)

/* ---- page runs ---- */

static void test_page_runs(uint32_t pages, uint64_t seed) {
    struct lf_pages p;
    void *memory = calloc(1, lf_pages_bytes(pages));
    unsigned char *is_free = (unsigned char *)malloc(pages);
    memset(is_free, 1, pages);
    lf_pages_view(&p, memory, pages);
    lf_pages_fill(&p);
    lf_pages_grow_tree(&p);
    for (long round = check_rounds(4000); round > 0; round--) {
        uint32_t first = (uint32_t)check_below(&seed, pages), n = 1 + (uint32_t)check_below(&seed, 1 + pages / 8);
        int same = first + n <= pages;
        for (uint32_t i = first; same && i < first + n; i++)
            same = is_free[i] == is_free[first];
        int becomes_free = !is_free[first];
        CHECK_EQ(lf_pages_mark(&p, first, n, becomes_free), same ? 0 : -1);
        for (uint32_t i = first; same && i < first + n; i++)
            is_free[i] = (unsigned char)becomes_free;
        uint32_t longest = 0, run = 0, wanted = 1 + (uint32_t)check_below(&seed, 1 + pages / 4), at = LF_NO_PAGE;
        for (uint32_t i = 0; i < pages; i++) {
            run = is_free[i] ? run + 1 : 0;
            longest = run > longest ? run : longest;
            if (run == wanted && at == LF_NO_PAGE)
                at = i + 1 - wanted;
        }
        CHECK_EQ(lf_pages_longest(&p), longest);
        CHECK_EQ(lf_pages_find(&p, wanted), at);
    }
    CHECK_EQ(lf_pages_find(&p, 0), LF_NO_PAGE);
    CHECK_EQ(lf_pages_mark(&p, pages - 1, 2, 0), -1);
    CHECK_EQ(lf_pages_mark(&p, UINT32_MAX, 2, 0), -1);
    free(is_free);
    free(memory);
}

/* ---- one thread ---- */

static void open_arena(struct lf_arena *a, uint64_t bytes, uint64_t blocks) {
    CHECK_EQ(lf_arena_create(a, NULL, bytes, blocks, 0), LF_OK);
}
static void end(struct lf_arena *a) {
    lf_arena_close(a);
    lf_detach(&a->h);
}
static int alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold) {
    return lf_arena_try_alloc(a, bytes, align, hold, LF_ARENA_WAIT);
}
static void let_go(struct lf_arena *a, struct lf_arena_hold *hold) {
    CHECK_EQ(lf_arena_release(a, hold, LF_ARENA_WAIT), LF_OK);
}
static struct lf_arena_stats stats_of(struct lf_arena *a) {
    struct lf_arena_stats stats;
    uint64_t *words = (uint64_t *)malloc(lf_pages_words(a->n_pages) * 8);
    CHECK_EQ(lf_arena_stats(a, words, &stats, LF_ARENA_WAIT), LF_OK);
    free(words);
    return stats;
}
/* A rebuild changes nothing while nobody has died. */
static void check_derived(struct lf_arena *a) {
    uint64_t words = lf_pages_words(a->n_pages), bytes = lf_pages_bytes(a->n_pages), free_pages = a->body->free_pages;
    uint32_t blocks = a->body->live_blocks, holds = a->body->live_holds, used = a->body->blocks_used;
    unsigned char *before = (unsigned char *)malloc(bytes);
    uint32_t *holders = (uint32_t *)malloc((used + 1) * sizeof *holders);
    memcpy(before, a->pages.words, bytes);
    for (uint32_t i = 0; i < used; i++)
        holders[i] = lf__block_is_live(a->blocks[i].word) ? a->blocks[i].holders : 0;
    CHECK_EQ(lf_arena_lock(a, LF_ARENA_WAIT), LF_OK);
    CHECK_EQ(lf__arena_rebuild(a), LF_OK);
    lf_arena_unlock(a);
    CHECK_EQ(a->body->free_pages, free_pages);
    CHECK_EQ(a->body->live_blocks, blocks);
    CHECK_EQ(a->body->live_holds, holds);
    CHECK(memcmp(before, a->pages.words, words * 8) == 0);
    CHECK(memcmp(before + words * 8, (unsigned char *)a->pages.words + words * 8,
                 2 * a->pages.leaves * sizeof(struct lf_pages_node)) == 0 ||
          a->pages.leaves == 0);
    for (uint32_t i = 0; i < used; i++)
        if (lf__block_is_live(a->blocks[i].word))
            CHECK_EQ(a->blocks[i].holders, holders[i]);
    free(holders);
    free(before);
}
static void check_empty(struct lf_arena *a) {
    struct lf_arena_stats stats = stats_of(a);
    CHECK_EQ(stats.free_pages, a->n_pages);
    CHECK_EQ(stats.longest_run, a->n_pages);
    CHECK_EQ(stats.runs, 1);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(stats.holds, 0);
    CHECK_EQ(stats.promises, 0);
    check_derived(a);
}

static void test_bounds(void) {
    struct lf_arena a;
    struct lf_arena_hold hold, other;
    struct lf_arena_handle handle = {0, 0, 0};
    memset(&other, 0, sizeof other);
    CHECK_EQ(lf_arena_create(&a, NULL, 0, 0, 0), LF_INVALID);
    CHECK_EQ(lf_arena_create(&a, NULL, UINT64_MAX, 0, 0), LF_INVALID);
    CHECK_EQ(lf_arena_create(&a, NULL, 1 << 20, LF_ARENA_MOST_BLOCKS + 1, 0), LF_INVALID);
    open_arena(&a, 10 * PAGE - 1, 3);
    CHECK_EQ(alloc(&a, 0, 64, &hold), LF_INVALID);
    CHECK_EQ(alloc(&a, 10 * PAGE + 1, 64, &hold), LF_INVALID);
    CHECK_EQ(alloc(&a, 1, 32, &hold), LF_INVALID);
    CHECK_EQ(alloc(&a, 1, 96, &hold), LF_INVALID);
    CHECK_EQ(alloc(&a, 1, UINT64_C(1) << 31, &hold), LF_INVALID);
    CHECK_EQ(lf_arena_promise(&a, &other, 1, &handle, LF_ARENA_WAIT), LF_NOT_OWNER);
    CHECK_EQ(lf_arena_open(&a, &handle, &hold, LF_ARENA_WAIT), LF_INVALID);
    CHECK_EQ(lf_arena_drop(&a, &handle, 1, LF_ARENA_WAIT), LF_INVALID);
    CHECK_EQ(alloc(&a, 10 * PAGE, 64, &hold), LF_OK);
    CHECK_EQ(alloc(&a, 1, 64, &other), LF_EMPTY);
    CHECK_EQ(hold.bytes, 10 * PAGE);
    memset(hold.address, 1, hold.bytes);
    let_go(&a, &hold);
    let_go(&a, &hold); /* once more does nothing */
    struct lf_arena_hold many[4];
    for (int i = 0; i < 3; i++)
        CHECK_EQ(alloc(&a, 1, 64, &many[i]), LF_OK);
    CHECK_EQ(alloc(&a, 1, 64, &many[3]), LF_EMPTY); /* three blocks, no more */
    check_derived(&a);
    for (int i = 0; i < 3; i++)
        let_go(&a, &many[i]);
    check_empty(&a);
    lf_arena_shutdown(&a, 0);
    CHECK_EQ(alloc(&a, 1, 64, &hold), LF_CLOSED);
    lf_arena_close(&a);
    CHECK_EQ(lf_arena_open(&a, &handle, &hold, LF_ARENA_WAIT), LF_CLOSED);
    lf_detach(&a.h);
}

static void fill(const struct lf_arena_hold *hold, unsigned char with) {
    hold->address[0] = hold->address[hold->bytes - 1] = hold->address[hold->bytes / 2] = with;
}
static void check_filled(const struct lf_arena_hold *hold, unsigned char with) {
    CHECK_EQ(hold->address[0], with);
    CHECK_EQ(hold->address[hold->bytes - 1], with);
    CHECK_EQ(hold->address[hold->bytes / 2], with);
}

/* Blocks of all sizes come and go. Each keeps what was written into it; an alloc is refused only where it must be. */
static void test_against_a_list(uint64_t pages, uint64_t seed, uint64_t largest) {
    enum { MOST = 300 };
    struct lf_arena a;
    struct lf_arena_hold held[MOST];
    uint32_t n = 0, refused = 0, apart = 0;
    open_arena(&a, pages * PAGE, 0);
    for (long round = check_rounds(20000); round > 0; round--) {
        if (n < MOST && check_below(&seed, 100) < 55) {
            uint64_t shift = check_below(&seed, 20),
                     bytes = 1 + check_below(&seed, largest >> (shift < 16 ? 16 - shift : 0));
            uint64_t align = UINT64_C(64) << (check_below(&seed, 4) == 0 ? check_below(&seed, 9) : 0);
            uint64_t free_pages = a.body->free_pages, needs = (bytes + PAGE - 1) / PAGE;
            int status = alloc(&a, bytes, align, &held[n]);
            if (status == LF_OK) {
                CHECK_EQ((uintptr_t)held[n].address % align, 0);
                CHECK_EQ(held[n].bytes, bytes);
                apart += a.blocks[held[n].block].extent != 0;
                fill(&held[n], (unsigned char)held[n].block);
                n++;
            } else {
                CHECK_EQ(status, LF_EMPTY);
                CHECK(free_pages < needs);
                refused++;
            }
        } else if (n > 0) {
            uint32_t i = (uint32_t)check_below(&seed, n);
            check_filled(&held[i], (unsigned char)held[i].block);
            let_go(&a, &held[i]);
            held[i] = held[--n];
        }
        if (round % 1024 == 0)
            check_derived(&a);
    }
    CHECK(refused > 0 && apart > 0);
    while (n > 0)
        let_go(&a, &held[--n]);
    check_empty(&a);
    end(&a);
}

/* Every second page is free: a block of all that is free is there at once, and its parts are where its numbers say. */
static void test_scattered_pages_make_a_block(void) {
    enum { PAGES = 512 };
    struct lf_arena a;
    struct lf_arena_hold one[PAGES], whole, none;
    open_arena(&a, PAGES * PAGE, PAGES);
    for (int i = 0; i < PAGES; i++)
        CHECK_EQ(alloc(&a, PAGE, 64, &one[i]), LF_OK);
    for (int i = 0; i < PAGES; i += 2)
        let_go(&a, &one[i]);
    struct lf_arena_stats stats = stats_of(&a);
    CHECK_EQ(stats.longest_run, 1);
    CHECK_EQ(stats.largest, PAGES / 2);
    CHECK_EQ(stats.runs, PAGES / 2);
    CHECK_EQ(alloc(&a, PAGES / 2 * PAGE + 1, 64, &none), LF_EMPTY);
    CHECK_EQ(alloc(&a, PAGES / 2 * PAGE, UINT64_C(1) << 21, &whole), LF_OK);
    CHECK_EQ((uintptr_t)whole.address % (1u << 21), 0);
    for (uint32_t i = 0; i < PAGES / 2; i++) {
        uint32_t first, pages = lf__arena_run(&a, whole.block, i, &first);
        CHECK_EQ(pages, 1);
        whole.address[(uint64_t)i * PAGE + 17] = (unsigned char)i;
        CHECK_EQ(a.data[(uint64_t)first * PAGE + 17], (unsigned char)i); /* the same memory */
    }
    check_derived(&a);
    let_go(&a, &whole);
    for (int i = 1; i < PAGES; i += 2)
        let_go(&a, &one[i]);
    check_empty(&a);
    end(&a);
}
/* More runs than a block may have: what stats() calls the largest is what alloc gives, and not a page more. */
static void test_largest_is_what_alloc_gives(void) {
    enum { PAGES = 4 * LF_ARENA_PIECES };
    struct lf_arena a;
    struct lf_arena_hold *one = (struct lf_arena_hold *)calloc(PAGES, sizeof *one), whole;
    open_arena(&a, (uint64_t)PAGES * PAGE, PAGES);
    for (int i = 0; i < PAGES; i++)
        CHECK_EQ(alloc(&a, PAGE, 64, &one[i]), LF_OK);
    for (int i = 0; i < PAGES; i++)
        if (i % 2 == 0 || i < 100) /* one long run, and 2,000 of a page */
            let_go(&a, &one[i]);
    struct lf_arena_stats stats = stats_of(&a);
    CHECK(stats.runs > LF_ARENA_PIECES);
    CHECK_EQ(stats.longest_run, 101);
    CHECK_EQ(stats.largest, 101 + LF_ARENA_PIECES - 1);
    CHECK_EQ(alloc(&a, (stats.largest + 1) * PAGE, 64, &whole), LF_EMPTY);
    check_derived(&a);
    CHECK_EQ(alloc(&a, stats.largest * PAGE, 64, &whole), LF_OK);
    fill(&whole, 9);
    let_go(&a, &whole);
    for (int i = 0; i < PAGES; i++)
        let_go(&a, &one[i]);
    check_empty(&a);
    free(one);
    end(&a);
}

static void test_handles(void) {
    struct lf_arena a, b;
    struct lf_arena_hold mine, first, second, third;
    struct lf_arena_handle handle, weak;
    uint32_t cursor = 0;
    open_arena(&a, 64 * PAGE, 0);
    open_arena(&b, 64 * PAGE, 0);
    CHECK_EQ(alloc(&a, 1000, 64, &mine), LF_OK);
    fill(&mine, 42);
    CHECK_EQ(lf_arena_promise(&a, &mine, 2, &handle, LF_ARENA_WAIT), LF_OK);
    CHECK_EQ(lf_arena_promise(&a, &mine, 0, &weak, LF_ARENA_WAIT), LF_OK);
    CHECK_EQ(lf_arena_promise(&a, &mine, INT32_MAX, &handle, LF_ARENA_WAIT), LF_OVERFLOW);
    CHECK_EQ(lf_arena_open(&b, &handle, &first, LF_ARENA_WAIT), LF_INVALID);
    let_go(&a, &mine);
    CHECK_EQ(stats_of(&a).blocks, 1); /* two promises are open */
    CHECK_EQ(lf_arena_promise(&a, &mine, 1, &handle, LF_ARENA_WAIT), LF_NOT_OWNER);
    CHECK_EQ(lf_arena_open(&a, &handle, &first, LF_ARENA_WAIT), LF_OK);
    check_filled(&first, 42);
    CHECK_EQ(lf_arena_open(&a, &weak, &third, LF_ARENA_WAIT), LF_OK);
    let_go(&a, &third);
    check_derived(&a);
    CHECK_EQ(lf_arena_open(&a, &handle, &second, LF_ARENA_WAIT), LF_OK);
    CHECK_EQ(lf_arena_open(&a, &handle, &third, LF_ARENA_WAIT), LF_OVERFLOW);
    let_go(&a, &first);
    let_go(&a, &second);
    CHECK_EQ(lf_arena_open(&a, &handle, &third, LF_ARENA_WAIT), LF_EMPTY);
    CHECK_EQ(lf_arena_open(&a, &weak, &third, LF_ARENA_WAIT), LF_EMPTY);
    CHECK_EQ(lf_arena_drop(&a, &handle, 1, LF_ARENA_WAIT), LF_EMPTY);
    check_empty(&a);
    CHECK_EQ(alloc(&a, 5 * PAGE, 64, &mine), LF_OK); /* the same number, another generation */
    CHECK_EQ(mine.block, first.block);
    CHECK_EQ(lf_arena_open(&a, &handle, &third, LF_ARENA_WAIT), LF_EMPTY);
    CHECK_EQ(lf_arena_promise(&a, &mine, 3, &handle, LF_ARENA_WAIT), LF_OK);
    let_go(&a, &mine);
    CHECK_EQ(lf_arena_drop(&a, &handle, 1, LF_ARENA_WAIT), 1);
    CHECK_EQ(lf_arena_reclaim(&a, 0, &cursor, LF_ARENA_WAIT), 0);
    cursor = 0;
    CHECK_EQ(lf_arena_reclaim(&a, UINT32_MAX, &cursor, LF_ARENA_WAIT), 2);
    check_empty(&a);
    end(&b);
    end(&a);
}

/* ---- threads ---- */

struct worker {
    struct lf_arena *a;
    uint64_t seed;
    struct lf_arena_handle *slots;
};
enum { SLOTS = 8 };
static uint32_t slot_states[SLOTS]; /* 0: empty, 1: being filled or emptied, 2: a handle is in it */

static void *work(void *argument) {
    struct worker *w = (struct worker *)argument;
    struct lf_arena_hold held[12];
    unsigned char marks[12];
    uint32_t n = 0;
    for (long round = check_rounds(12000); round > 0; round--) {
        uint64_t what = check_below(&w->seed, 10), slot = check_below(&w->seed, SLOTS);
        uint32_t empty = 0, full = 2;
        if (what < 5 && n < 12) {
            uint64_t bytes = 1 + check_below(&w->seed, check_below(&w->seed, 2) ? 700 : 5 * PAGE);
            if (alloc(w->a, bytes, 64, &held[n]) == LF_OK) {
                marks[n] = (unsigned char)check_random(&w->seed);
                memset(held[n].address, marks[n], bytes);
                n++;
            }
        } else if (what < 7 && n > 0 && lf_cas_acquire(&slot_states[slot], &empty, 1u)) { /* sends it */
            n--;
            memset(held[n].address, 77, held[n].bytes);
            CHECK_EQ(lf_arena_promise(w->a, &held[n], 1, &w->slots[slot], LF_ARENA_WAIT), LF_OK);
            let_go(w->a, &held[n]);
            lf_store_release(&slot_states[slot], 2u);
        } else if (what < 8 && n < 12 && lf_cas_acquire(&slot_states[slot], &full, 1u)) { /* receives it */
            CHECK_EQ(lf_arena_open(w->a, &w->slots[slot], &held[n], LF_ARENA_WAIT), LF_OK);
            marks[n++] = 77;
            lf_store_release(&slot_states[slot], 0u);
        } else if (n > 0) {
            n--;
            for (uint64_t i = 0; i < held[n].bytes; i++)
                CHECK_EQ(held[n].address[i], marks[n]);
            let_go(w->a, &held[n]);
        }
    }
    while (n > 0)
        let_go(w->a, &held[--n]);
    return NULL;
}
static void test_no_byte_in_two_hands(void) {
    enum { THREADS = 4 };
    struct lf_arena a;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    static struct lf_arena_handle slots[SLOTS];
    open_arena(&a, 60 * PAGE, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){&a, i + 1, slots};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    check_derived(&a);
    for (int i = 0; i < SLOTS; i++)
        if (slot_states[i] == 2)
            CHECK_EQ(lf_arena_drop(&a, &slots[i], 1, LF_ARENA_WAIT), 1);
    check_empty(&a);
    end(&a);
}

static void *release_later(void *argument) {
    struct worker *w = (struct worker *)argument;
    check_sleep(30 * MS);
    lf_arena_release(w->a, (struct lf_arena_hold *)(void *)w->slots, LF_ARENA_WAIT);
    return NULL;
}
static void test_a_waiter_gets_what_is_released(void) {
    struct lf_arena a;
    struct lf_arena_hold all, some;
    pthread_t thread;
    int status;
    open_arena(&a, 16 * PAGE, 0);
    CHECK_EQ(alloc(&a, 16 * PAGE, 64, &all), LF_OK);
    CHECK_EQ(lf_arena_alloc(&a, PAGE, 64, lf_now() + 5 * MS, &some), LF_EMPTY);
    struct worker w = {&a, 0, (struct lf_arena_handle *)(void *)&all};
    CHECK(pthread_create(&thread, NULL, release_later, &w) == 0);
    do
        status = lf_arena_alloc(&a, 9 * PAGE, 64, LF_FOREVER, &some);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    CHECK(pthread_join(thread, NULL) == 0);
    let_go(&a, &some);
    check_empty(&a);
    end(&a);
}

/* ---- deaths ---- */

struct doomed {
    struct lf_arena *a;
    uint64_t seed;
};
static void toil(void *argument) {
    struct doomed *d = (struct doomed *)argument;
    struct lf_arena_hold held[6], again;
    struct lf_arena_handle handle;
    uint32_t n = 0;
    for (;;) {
        if (n < 6 && check_below(&d->seed, 2)) {
            uint64_t bytes = 1 + check_below(&d->seed, check_below(&d->seed, 2) ? 900 : 9 * PAGE);
            if (lf_arena_alloc(d->a, bytes, 64, lf_now() + MS, &held[n]) != LF_OK)
                continue;
            memset(held[n].address, (int)(getpid() & 255), held[n].bytes);
            if (check_below(&d->seed, 3) == 0) {
                CHECK_EQ(lf_arena_promise(d->a, &held[n], 1, &handle, LF_ARENA_WAIT), LF_OK);
                CHECK_EQ(lf_arena_open(d->a, &handle, &again, LF_ARENA_WAIT), LF_OK);
                let_go(d->a, &again);
            }
            n++;
        } else if (n > 0) {
            n--;
            for (uint64_t i = 0; i < held[n].bytes; i++)
                CHECK_EQ(held[n].address[i], getpid() & 255);
            let_go(d->a, &held[n]);
        }
    }
}
static void test_blocks_of_the_dead_come_back(void) {
    struct lf_arena a;
    uint64_t seed = 7;
    uint32_t cursor = 0;
    open_arena(&a, 40 * PAGE, 0);
    for (long round = check_rounds(60); round > 0; round--) {
        pid_t children[3];
        struct doomed doomed[3];
        for (int i = 0; i < 3; i++) {
            doomed[i] = (struct doomed){&a, check_random(&seed)};
            children[i] = check_fork(toil, &doomed[i]);
        }
        check_sleep(500000 + check_below(&seed, 3000000));
        for (int i = 0; i < 3; i++)
            CHECK(kill(children[i], SIGKILL) == 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(waitpid(children[i], NULL, 0), children[i]);
        lf_reap(&a.h);
        cursor = 0;
        lf_arena_reclaim(&a, UINT32_MAX, &cursor, LF_ARENA_WAIT); /* a promise, or none, for each of them */
        check_empty(&a);
    }
    end(&a);
}

/* A process dies with the lock, somewhere between the two words of an open. */
struct cut {
    struct lf_arena *a;
    struct lf_arena_handle *handle;
    int steps;
};
static void open_in_part(void *argument) {
    struct cut *c = (struct cut *)argument;
    struct lf_arena *a = c->a;
    uint32_t block;
    lf_arena_lock(a, LF_ARENA_WAIT);
    CHECK_EQ(lf__arena_find(a, c->handle, &block), LF_OK);
    int64_t number = lf__arena_take_hold(a);
    if (c->steps > 0)
        lf_store_release(&a->holds[number], lf__hold_word(block, c->handle->generation, a->h.participant));
    if (c->steps > 1)
        lf_store_release(&a->blocks[block].promised, a->blocks[block].promised - 1);
    memset(a->pages.nodes, 0xa5, 2 * a->pages.leaves * sizeof *a->pages.nodes); /* nothing derived is believed */
    memset(a->pages.words, 0x5a, lf_pages_words(a->n_pages) * 8);
    a->body->free_block = a->body->free_hold = 77;
    a->body->live_blocks = 1000;
    kill(getpid(), SIGKILL);
}
static void test_an_open_cut_off_is_done_or_not(void) {
    for (int steps = 0; steps <= 2; steps++) {
        struct lf_arena a;
        struct lf_arena_hold small, large, got;
        struct lf_arena_handle handle;
        open_arena(&a, 100 * PAGE, 0);
        CHECK_EQ(alloc(&a, 100, 64, &small), LF_OK);
        CHECK_EQ(alloc(&a, 7 * PAGE, 64, &large), LF_OK);
        CHECK_EQ(lf_arena_promise(&a, &large, 1, &handle, LF_ARENA_WAIT), LF_OK);
        let_go(&a, &large);
        struct cut cut = {&a, &handle, steps};
        pid_t child = check_fork(open_in_part, &cut);
        CHECK_EQ(waitpid(child, NULL, 0), child);
        CHECK_EQ(stats_of(&a).promises, steps < 2); /* takes the lock, and finds the death */
        lf_reap(&a.h);
        CHECK_EQ(stats_of(&a).blocks, steps < 2 ? 2 : 1); /* the dead one had opened it: it is free again */
        CHECK_EQ(lf_arena_open(&a, &handle, &got, LF_ARENA_WAIT), steps < 2 ? LF_OK : LF_EMPTY);
        if (steps < 2)
            let_go(&a, &got);
        let_go(&a, &small);
        check_empty(&a);
        end(&a);
    }
}

static void hold_many(void *argument) {
    struct lf_arena *a = (struct lf_arena *)argument;
    struct lf_arena_hold hold;
    for (int i = 0; i < 10000; i++)
        CHECK_EQ(alloc(a, PAGE, 64, &hold), LF_OK);
    CHECK(kill(getpid(), SIGSTOP) == 0);
}
static void test_a_waiter_gets_what_a_dead_one_held(void) {
    struct lf_arena a;
    struct lf_arena_hold all;
    int status;
    open_arena(&a, 10000 * PAGE, 10000);
    pid_t child = check_fork(hold_many, &a);
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(alloc(&a, 1, 64, &all), LF_EMPTY); /* it lives */
    CHECK_EQ(lf_reap(&a.h), 0);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    do
        status = lf_arena_alloc(&a, 10000 * PAGE, 64, LF_FOREVER, &all);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    let_go(&a, &all);
    check_empty(&a);
    end(&a);
}

/* A child has what its parent held neither held nor released. */
static void child_of(void *argument) {
    struct cut *c = (struct cut *)argument;
    struct lf_arena_hold *hold = (struct lf_arena_hold *)(void *)c->handle, own;
    struct lf_arena_handle handle;
    CHECK_EQ(hold->address[0], 5);
    CHECK_EQ(alloc(c->a, 100, 64, &own), LF_OK); /* it joins */
    CHECK_EQ(lf_arena_promise(c->a, hold, 1, &handle, LF_ARENA_WAIT), LF_NOT_OWNER);
    let_go(c->a, hold);
    end(c->a);
}
static void test_a_forked_child_holds_nothing(void) {
    struct lf_arena a;
    struct lf_arena_hold hold;
    open_arena(&a, 100 * PAGE, 0);
    CHECK_EQ(alloc(&a, 100, 64, &hold), LF_OK);
    memset(hold.address, 5, 100);
    struct cut cut = {&a, (struct lf_arena_handle *)(void *)&hold, 0};
    check_join(check_fork(child_of, &cut));
    CHECK_EQ(stats_of(&a).blocks, 1);
    let_go(&a, &hold);
    check_empty(&a);
    end(&a);
}

/* A caller that cannot wait for the lock lets go without it. The next holder frees the block, also after a death. */
static void hold_the_lock_until_told(void *argument) {
    struct lf_arena *a = (struct lf_arena *)argument;
    uint32_t *told = (uint32_t *)(void *)a->data; /* the first page is the test's */
    CHECK_EQ(lf_arena_lock(a, LF_ARENA_WAIT), LF_OK);
    lf_store_release(told, 1u);
    while (lf_load_acquire(told) == 1)
        lf_nap(100000);
    if (lf_load_relaxed(told) == 3)
        kill(getpid(), SIGKILL);
    lf_arena_unlock(a);
}
static void test_who_cannot_wait_lets_go_later(void) {
    for (uint32_t dies = 0; dies < 2; dies++) {
        struct lf_arena a;
        struct lf_arena_hold first, small, large, all;
        open_arena(&a, 10 * PAGE, 0);
        CHECK_EQ(alloc(&a, PAGE, 64, &first), LF_OK);
        CHECK(first.address == a.data);
        memset(first.address, 0, PAGE);
        CHECK_EQ(alloc(&a, 100, 64, &small), LF_OK);
        CHECK_EQ(alloc(&a, 3 * PAGE, 64, &large), LF_OK);
        pid_t child = check_fork(hold_the_lock_until_told, &a);
        uint32_t *told = (uint32_t *)(void *)a.data;
        while (lf_load_acquire(told) == 0)
            lf_nap(100000);
        CHECK_EQ(lf_arena_release(&a, &large, LF_ARENA_TRY), LF_BUSY); /* it is still held */
        lf_arena_release_later(&a, &large);
        lf_arena_release_later(&a, &small);
        lf_arena_release_later(&a, &small); /* no more */
        CHECK_EQ(lf_arena_try_alloc(&a, PAGE, 64, &all, LF_ARENA_TRY), LF_BUSY);
        lf_store_release(told, 2 + dies);
        CHECK_EQ(waitpid(child, NULL, 0), child);
        if (dies)
            CHECK_EQ(lf_reap(&a.h), 1);
        CHECK_EQ(lf_arena_free_pages(&a), 9);
        CHECK_EQ(a.body->live_holds, 1);
        CHECK_EQ(alloc(&a, 9 * PAGE, 64, &all), LF_OK);
        let_go(&a, &all);
        let_go(&a, &first);
        check_empty(&a);
        end(&a);
    }
}
/* It dies between letting go and saying so: its recovery looks for what it let go. */
static void let_go_and_die(void *argument) {
    struct lf_arena *a = (struct lf_arena *)argument;
    struct lf_arena_hold hold;
    CHECK_EQ(alloc(a, PAGE, 64, &hold), LF_OK);
    lf_store_release(&a->holds[hold.hold], lf__hold_word(hold.block, hold.generation, 0));
    kill(getpid(), SIGKILL);
}
static void test_a_death_before_it_is_said(void) {
    struct lf_arena a;
    open_arena(&a, 10 * PAGE, 0);
    pid_t child = check_fork(let_go_and_die, &a);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_EQ(lf_arena_free_pages(&a), 9);
    CHECK_EQ(lf_reap(&a.h), 1);
    CHECK_EQ(lf_arena_free_pages(&a), 10);
    check_empty(&a);
    end(&a);
}

/* What cannot be true is an answer, not a crash: to the call that finds it, and to everybody later. */
static void spoil(void *argument) {
    struct lf_arena *a = (struct lf_arena *)argument;
    lf_arena_lock(a, LF_ARENA_WAIT);
    a->blocks[1].run = a->blocks[0].run; /* one page in two blocks */
    kill(getpid(), SIGKILL);
}
static void test_what_cannot_be_is_told(void) {
    struct lf_arena a;
    struct lf_arena_hold one, two, three;
    open_arena(&a, 100 * PAGE, 0);
    CHECK_EQ(alloc(&a, PAGE, 64, &one), LF_OK);
    CHECK_EQ(alloc(&a, PAGE, 64, &two), LF_OK);
    pid_t child = check_fork(spoil, &a);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_EQ(alloc(&a, PAGE, 64, &three), LF_CORRUPT);
    CHECK_EQ(alloc(&a, PAGE, 64, &three), LF_CORRUPT);
    end(&a);
}

int main(void) {
    test_page_runs(1, 1);
    test_page_runs(63, 2);
    test_page_runs(64, 3);
    test_page_runs(65, 4);
    test_page_runs(700, 5);
    test_bounds();
    test_against_a_list(200, 1, 40 * PAGE);
    test_against_a_list(3000, 2, 600 * PAGE);
    test_scattered_pages_make_a_block();
    test_largest_is_what_alloc_gives();
    test_handles();
    test_no_byte_in_two_hands();
    test_a_waiter_gets_what_is_released();
    test_blocks_of_the_dead_come_back();
    test_an_open_cut_off_is_done_or_not();
    test_a_waiter_gets_what_a_dead_one_held();
    test_a_forked_child_holds_nothing();
    test_who_cannot_wait_lets_go_later();
    test_a_death_before_it_is_said();
    test_what_cannot_be_is_told();
    return 0;
}
