/* arena: blocks and promises under the robust lock; a rebuild from every instruction of a holder that dies. */
#define LF_PARTICIPANTS 8u
#include <lockfree/arena.h>

#include "lockfree_model.h"

enum { DEAD = 5, PAGE = 128 };
static struct lf_arena arena[LF_PARTICIPANTS];
static uint64_t data[4]; /* what the holder of a page writes, without an atomic operation */
static uint64_t n_pages;
static struct lf_arena_handle promised;
static struct lf_arena_hold before;
static int finished[4];

static void start(uint64_t pages, uint64_t blocks) {
    uint64_t geometry[LF_GEOMETRY];
    struct lf__arena_places at;
    n_pages = pages;
    lf_model_assert(lf_arena_geometry(pages * PAGE, PAGE, blocks, 0, geometry, &at) == LF_OK);
    void *memory = lf_model_shared(at.total);
    lf_model_assert(lf_arena_create_local(&arena[0], memory, pages * PAGE, PAGE, blocks) == LF_OK);
    for (uint32_t t = 1; t < LF_PARTICIPANTS; t++)
        lf_model_assert(lf_segment_attach_local(&arena[t].h, &lf_arena_kind, memory, t) == LF_OK);
    lf_model_label(&arena[0].body->lock, 8, "lock");
    lf_model_label(arena[0].blocks, sizeof *arena[0].blocks * blocks, "blocks");
    lf_model_label(arena[0].holds, 8 * arena[0].n_holds, "holds");
}
static void one_page(void) { start(1, 2); }
static void two_pages(void) { start(2, 2); }

static struct lf_arena *own(void) { return &arena[lf_model_thread()]; }
static void over(void) { finished[lf_model_thread()] = 1; }

static uint32_t first_page(const struct lf_arena_hold *hold) {
    uint32_t first;
    lf_model_assert(lf__arena_run(own(), hold->block, 0, &first) > 0 && first < n_pages);
    return first;
}
static int alloc(uint64_t pages, struct lf_arena_hold *hold) {
    lf_model_call(LF_MODEL_TRY_ACQUIRE, pages);
    int status = lf_arena_try_alloc(own(), pages * PAGE, 64, hold, LF_ARENA_WAIT);
    lf_model_return(status == LF_OK ? 0 : status == LF_EMPTY ? LF_MODEL_BUSY : (uint64_t)status);
    if (status == LF_OK)
        data[first_page(hold)] = (uint64_t)lf_model_thread();
    return status == LF_OK;
}
static void release(uint64_t pages, struct lf_arena_hold *hold) {
    lf_model_assert(data[first_page(hold)] == (uint64_t)lf_model_thread());
    lf_model_call(LF_MODEL_RELEASE, pages);
    int status = lf_arena_release(own(), hold, LF_ARENA_WAIT);
    lf_model_return(status == LF_OK ? 0 : (uint64_t)status);
}
static void take_one(void) {
    struct lf_arena_hold hold;
    if (alloc(1, &hold))
        release(1, &hold);
    over();
}
static void take_two(void) {
    struct lf_arena_hold hold;
    if (alloc(2, &hold))
        release(2, &hold);
    over();
}
static void nothing_is_left(void) {
    if (!finished[1] || !finished[2])
        return;
    struct lf_arena_hold all;
    lf_model_assert(arena[0].body->free_pages == n_pages);
    lf_model_assert(arena[0].body->live_blocks == 0 && arena[0].body->live_holds == 0);
    lf_model_assert(lf_arena_try_alloc(&arena[0], n_pages * PAGE, 64, &all, LF_ARENA_WAIT) == LF_OK);
}

/* A slot of a slab, which is a page, and a page. */
static void take_small(void) {
    struct lf_arena_hold hold;
    if (lf_arena_try_alloc(own(), 10, 64, &hold, LF_ARENA_WAIT) == LF_OK)
        lf_model_assert(lf_arena_release(own(), &hold, LF_ARENA_WAIT) == LF_OK);
    over();
}

/* ---- sleeping ---- */

static void sleeping_take(void) {
    struct lf_arena_hold hold;
    lf_model_assert(lf_arena_alloc(own(), PAGE, 64, LF_FOREVER, &hold) == LF_OK);
    lf_model_assert(lf_arena_release(own(), &hold, LF_ARENA_WAIT) == LF_OK);
    over();
}

/* ---- handing over ---- */

static void promise_before(void) {
    two_pages();
    lf_model_assert(lf_arena_try_alloc(&arena[4], PAGE, 64, &before, LF_ARENA_WAIT) == LF_OK);
    lf_model_assert(lf_arena_promise(&arena[4], &before, 1, &promised, LF_ARENA_WAIT) == LF_OK);
    lf_model_assert(lf_arena_release(&arena[4], &before, LF_ARENA_WAIT) == LF_OK);
}
static int opened[4];
static void open_it(void) { /* one of two gets it */
    struct lf_arena_hold hold;
    int status = lf_arena_open(own(), &promised, &hold, LF_ARENA_WAIT);
    lf_model_assert(status == LF_OK || status == LF_EMPTY || status == LF_OVERFLOW);
    opened[lf_model_thread()] = status == LF_OK;
    if (status == LF_OK)
        lf_model_assert(lf_arena_release(own(), &hold, LF_ARENA_WAIT) == LF_OK);
    over();
}
static void one_opened_it(void) {
    if (!finished[1] || !finished[2])
        return;
    lf_model_assert(opened[1] + opened[2] == 1);
    nothing_is_left();
}

/* ---- death ---- */

/* Thread 1 dies anywhere between taking and giving back: its pages are there again. */
static void mortal(void) {
    struct lf_arena_hold hold;
    if (lf_arena_try_alloc(&arena[1], 2 * PAGE, 64, &hold, LF_ARENA_WAIT) == LF_OK)
        lf_arena_release(&arena[1], &hold, LF_ARENA_WAIT);
    over();
}
static void heir(void) {
    struct lf_arena_hold hold;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&arena[2].h);
    lf_model_assert(lf_arena_try_alloc(&arena[2], 2 * PAGE, 64, &hold, LF_ARENA_WAIT) == LF_OK);
    lf_model_assert(arena[2].body->free_pages == 0 && arena[2].body->live_holds == 1);
}
/* Thread 1 dies anywhere while it opens: either the promise is there, or it was opened, and has come back. */
static void mortal_reader(void) {
    struct lf_arena_hold hold;
    if (lf_arena_open(&arena[1], &promised, &hold, LF_ARENA_WAIT) == LF_OK)
        lf_arena_release(&arena[1], &hold, LF_ARENA_WAIT);
    over();
}
static void heir_of_promise(void) {
    struct lf_arena_hold hold;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&arena[2].h);
    if (lf_arena_open(&arena[2], &promised, &hold, LF_ARENA_WAIT) == LF_OK)
        lf_model_assert(lf_arena_release(&arena[2], &hold, LF_ARENA_WAIT) == LF_OK);
    lf_model_assert(lf_arena_try_alloc(&arena[2], 2 * PAGE, 64, &hold, LF_ARENA_WAIT) == LF_OK);
}
/* Thread 1 dies anywhere while it gives back what a dead one held, who had the lock. */
static void with_the_dead(void) {
    two_pages();
    lf_model_assert(lf_arena_try_alloc(&arena[DEAD], PAGE, 64, &before, LF_ARENA_WAIT) == LF_OK);
    lf_model_assert(lf_arena_lock(&arena[DEAD], LF_ARENA_WAIT) == LF_OK);
    lf_model_set_participant_dead(DEAD);
}
static void mortal_reaper(void) { lf_reap(&arena[1].h); }

/* A page is let go without the lock, while the other thread may have it. */
static void take_and_let_go_later(void) {
    struct lf_arena_hold hold;
    if (lf_arena_try_alloc(own(), PAGE, 64, &hold, LF_ARENA_WAIT) == LF_OK) {
        data[first_page(&hold)] = 1; /* a data race, if the next holder is not ordered after this */
        lf_arena_release_later(own(), &hold);
    }
    over();
}
static void all_comes_back(void) { lf_model_assert(lf_arena_free_pages(&arena[0]) == n_pages); }
static void mortal_later(void) {
    struct lf_arena_hold hold;
    if (lf_arena_try_alloc(&arena[1], 2 * PAGE, 64, &hold, LF_ARENA_WAIT) == LF_OK)
        lf_arena_release_later(&arena[1], &hold);
    over();
}

LF_MODEL_CLIENT(arena_later, .setup = one_page, .threads = {take_and_let_go_later, take_and_let_go_later},
                .final = all_comes_back);
LF_MODEL_CLIENT(arena_heir_of_later, .setup = two_pages, .threads = {mortal_later, heir}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(arena_one, .setup = one_page, .threads = {take_one, take_one}, .final = nothing_is_left,
                .spec = &lf_model_semaphore, .initial = 1);
LF_MODEL_CLIENT(arena_two_and_one, .setup = two_pages, .threads = {take_two, take_one}, .final = nothing_is_left,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(arena_small, .setup = two_pages, .threads = {take_small, take_small}, .final = nothing_is_left);
LF_MODEL_CLIENT(arena_sleep, .setup = one_page, .threads = {sleeping_take, sleeping_take}, .final = nothing_is_left);
LF_MODEL_CLIENT(arena_open, .setup = promise_before, .threads = {open_it, open_it}, .final = one_opened_it);
LF_MODEL_CLIENT(arena_heir, .setup = two_pages, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(arena_heir_of_promise, .setup = promise_before, .threads = {mortal_reader, heir_of_promise},
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(arena_reaper_dies, .setup = with_the_dead, .threads = {mortal_reaper, heir}, .stop_is_death = 1,
                .may_stop = 2);
