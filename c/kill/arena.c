/* arena.c: the arena, killed at every instruction. A holds one page all the time. What the victim or another dead process
 * held comes back, each block in one step; what was promised stays until somebody opens it or gives it up. */
#include "kill.h"

#include <sys/mman.h>

#include <lockfree/arena.h>

enum { PAGES = 6, PAGE = 4096, FREE = PAGES - 1, SEALED = 2, SLAB = 4 };

static struct lf_arena object;
static struct lf_arena_hold mine[16], got; /* of each process its own: what it holds */
static uint64_t n_mine;

/* What the driver shares with all: the handle of what is promised, and the holder of each page. */
static struct {
    struct lf_arena_handle handle, weak;
    uint32_t is_promised;
    uint32_t holders[PAGES];
} *shared;

__attribute__((constructor)) static void share(void) { /* before any other process is forked */
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
static void attached(void) { n_mine = 0; }

/* ---- what survivors call ---- */

static uint64_t pages_of(const struct lf_arena_hold *hold, int take) {
    uint32_t first, pages;
    uint64_t count = 0;
    for (uint32_t i = 0; (pages = lf__arena_run(&object, hold->block, i, &first)) != 0; i++)
        for (uint32_t at = first; at < first + pages; at++, count++)
            if (at >= PAGES || lf_exchange_relaxed(&shared->holders[at], (uint32_t)take) == (uint32_t)take)
                return 0; /* in two hands */
    return count;
}
static int64_t keep(uint64_t pages) {
    if (pages_of(&got, 1) != pages)
        return LF_CORRUPT;
    memset(got.address, 1, got.bytes); /* its memory is there */
    mine[n_mine++] = got;
    return LF_OK;
}
static int64_t survivor_alloc(struct kill_message *m) {
    uint64_t deadline = m->deadline == 0 ? 0 : lf_now() + m->deadline;
    int64_t status;
    do
        status = lf_arena_alloc(&object, m->amount * PAGE, 64, deadline, &got);
    while (status == LF_INTERRUPTED);
    return status == LF_OK ? keep(m->amount) : status;
}
static int64_t survivor_free(struct kill_message *m) {
    int64_t status = LF_OK;
    for (uint64_t freed = 0; freed < m->amount && status == LF_OK;) {
        freed += pages_of(&mine[--n_mine], 0);
        status = lf_arena_release(&object, &mine[n_mine], LF_ARENA_WAIT);
    }
    return status;
}
static int64_t survivor_adopt(struct kill_message *m) {
    (void)m;
    int64_t status = lf_arena_open(&object, &shared->handle, &got, LF_ARENA_WAIT);
    if (status != LF_OK)
        return status == LF_OVERFLOW || status == LF_INVALID ? (int64_t)LF_EMPTY : status;
    return keep(SEALED) == LF_OK ? SEALED : (int64_t)LF_CORRUPT;
}
static int64_t survivor_available(struct kill_message *m) {
    (void)m;
    int status = lf_arena_lock(&object, LF_ARENA_WAIT); /* the number is derived: it is true with the lock */
    int64_t count = (int64_t)lf_load_relaxed(&object.body->free_pages);
    if (status != LF_OK)
        return status;
    lf_arena_unlock(&object);
    return count;
}

/* ---- the states: how many pages are free, out with the dead, and promised ---- */

#define THINGS "pages"
#define KEPT "promised"
#include "supply.h"

static const char *name_of(const struct kill_message *m) {
    return m->call == survivor_available ? "available"
           : m->call == survivor_adopt   ? "open"
           : m->call == survivor_alloc   ? "alloc"
                                         : "release";
}

/* ---- the operations ---- */

struct details {
    uint64_t held; /* pages of the victim, or the doomed one, before */
    uint64_t n;    /* pages that its call is about */
    int64_t then;  /* what it holds when the call has ended */
    int64_t sealed_before, sealed_then;
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    memset(shared, 0, 4096);
    n_worlds = 0;
    if (lf_arena_create(&object, NULL, PAGES * PAGE, 16, 0) != LF_OK)
        kill_breach("an arena", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    possible(PAGES, 0, 0);
    must(&kill_a, survivor_alloc, 1, 0, LF_OK);
}
/* A's page lies in the middle: what is free is in two runs. */
static void arrange_scattered(void) {
    arrange();
    must(&kill_a, survivor_alloc, 2, 0, LF_OK);
    must(&kill_b, survivor_alloc, 1, 0, LF_OK);
    must(&kill_a, survivor_free, 3, 0, LF_OK);
    must(&kill_a, survivor_alloc, 1, 0, LF_OK); /* page 0; B has page 3 */
    must(&kill_b, survivor_free, 1, 0, LF_OK);
    must(&kill_b, survivor_alloc, 2, 0, LF_OK); /* pages 1, 2 */
    must(&kill_b, survivor_alloc, 1, 0, LF_OK); /* page 3 */
    must(&kill_a, survivor_free, 1, 0, LF_OK);
    must(&kill_a, survivor_alloc, 1, 0, LF_OK);
}
static int take(uint64_t pages) {
    return lf_arena_try_alloc(&object, pages * PAGE, 64, &mine[n_mine++], LF_ARENA_WAIT);
}
/* One block of two pages, and single ones. */
static void arm(void) {
    uint64_t held = details()->held;
    if (held >= SEALED)
        take(SEALED);
    for (uint64_t i = held >= SEALED ? SEALED : 0; i < held; i++)
        take(1);
}
static void arm_small(void) { lf_arena_try_alloc(&object, 100, 64, &mine[n_mine++], LF_ARENA_WAIT); }
static void arm_shared(void) {
    arm();
    lf_arena_promise(&object, &mine[0], 0, &shared->weak, LF_ARENA_WAIT);
}
static void arm_twice(void) {
    arm_shared();
    lf_arena_open(&object, &shared->weak, &mine[n_mine++], LF_ARENA_WAIT);
}
static void arrange_doomed(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed(arm);
}
static void arrange_doomed_parent(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed_parent(arm);
}
static void arrange_dead(void) {
    arrange_doomed();
    kill_end_doomed();
}
static void arm_with_lock(void) {
    arm();
    lf_arena_lock(&object, LF_ARENA_WAIT);
    memset(object.pages.words, 0x5a, 8); /* nothing derived is believed */
    memset(object.pages.nodes, 0x5a, 2 * object.pages.leaves * sizeof *object.pages.nodes);
}
/* Somebody died with the lock. */
static void arrange_dead_holder(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed(arm_with_lock);
    kill_end_doomed();
}
static void promise_some(void) {
    take(SEALED);
    lf_arena_promise(&object, &mine[0], 1, &shared->handle, LF_ARENA_WAIT);
    shared->is_promised = 1;
}
/* What a process has promised that has died. */
static void arrange_promised(void) {
    arrange();
    kill_start_doomed(promise_some);
    kill_end_doomed();
    n_worlds = 0;
    possible(FREE - SEALED, 0, SEALED);
    kill_next_tick();
    must(&kill_a, survivor_alloc, FREE - SEALED, KILL_AT_LAST, LF_OK);
    must(&kill_a, survivor_alloc, 1, 0,
         LF_EMPTY); /* the hold of the dead one has come back by now, or it comes later */
    must(&kill_a, survivor_free, FREE - SEALED, 0, LF_OK);
}

static int64_t act_try_alloc(void) { return lf_arena_try_alloc(&object, details()->n * PAGE, 64, &got, LF_ARENA_WAIT); }
static int64_t act_alloc_aligned(void) {
    return lf_arena_try_alloc(&object, details()->n * PAGE, 2 * PAGE, &got, LF_ARENA_WAIT);
}
static int64_t act_alloc_small(void) { return lf_arena_try_alloc(&object, 100, 64, &got, LF_ARENA_WAIT); }
static int64_t act_alloc_in_no_time(void) {
    return lf_arena_alloc(&object, details()->n * PAGE, 64, lf_now() + 1, &got);
}
static int64_t act_release(void) { return lf_arena_release(&object, &mine[0], LF_ARENA_WAIT); }
static int64_t act_promise(void) {
    shared->is_promised = 1; /* it may be open from here on */
    return lf_arena_promise(&object, &mine[0], 1, &shared->handle, LF_ARENA_WAIT);
}
static int64_t act_open(void) { return lf_arena_open(&object, &shared->handle, &got, LF_ARENA_WAIT); }
static int64_t act_open_weak(void) { return lf_arena_open(&object, &shared->weak, &got, LF_ARENA_WAIT); }
static int64_t act_drop(void) { return lf_arena_drop(&object, &shared->handle, 1, LF_ARENA_WAIT); }
static int64_t act_reclaim(void) {
    uint32_t cursor = 0;
    return lf_arena_reclaim(&object, UINT32_MAX, &cursor, LF_ARENA_WAIT);
}
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what the others may see after that ---- */

/* Before the step in which the call takes effect it has done nothing, after it everything. */
static void after(void) {
    int64_t held = (int64_t)details()->held, then = details()->then;
    int64_t before = details()->sealed_before, sealed = details()->sealed_then;
    n_worlds = 0;
    possible(FREE - then - sealed, then, sealed);
    if (!kill_now.ended)
        possible(FREE - held - before, held, before);
}

static int is_kept(void) { return (int)shared->is_promised; }
static void hold_three(void) {
    take(1);
    take(2);
}

static void judge(void) {
    after();
    judge_from_here();
}
/* B gives its pages back first. */
static void judge_scattered(void) {
    after();
    for (int i = 0; i < n_worlds; i++)
        worlds[i].free -= 3;
    must(&kill_b, survivor_free, 3, 0, LF_OK);
    judge_from_here();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arrange, arm, act, answer, ...)                                                                     \
    {name, KILL_DEAD_MODES, arrange, arm, NULL, act, answer, NULL, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("try-alloc", arrange, arm, act_try_alloc, LF_OK, 0, 2, 2, 0, 0),
    CALL("try-alloc-refused", arrange, arm, act_try_alloc, LF_EMPTY, 3, 3, 3, 0, 0),
    CALL("alloc-in-vain", arrange, arm, act_alloc_in_no_time, LF_EMPTY, 1, 6, 1, 0, 0),
    CALL("alloc-aligned", arrange, arm, act_alloc_aligned, LF_OK, 0, 3, 3, 0, 0),
    CALL("alloc-small", arrange, NULL, act_alloc_small, LF_OK, 0, 0, SLAB, 0, 0),
    CALL("release", arrange, arm, act_release, LF_OK, 2, 2, 0, 0, 0),
    CALL("release-small", arrange, arm_small, act_release, LF_OK, SLAB, 0, 0, 0, 0),
    CALL("release-one-of-two", arrange, arm_twice, act_release, LF_OK, 2, 0, 2, 0, 0),
    CALL("promise", arrange, arm, act_promise, LF_OK, 3, 0, 1, 0, SEALED),
    CALL("open", arrange_promised, NULL, act_open, LF_OK, 0, 0, SEALED, SEALED, 0),
    CALL("open-weak", arrange, arm_shared, act_open_weak, LF_OK, 2, 0, 2, 0, 0),
    CALL("drop", arrange_promised, NULL, act_drop, 1, 0, 0, 0, SEALED, 0),
    CALL("reclaim", arrange_promised, NULL, act_reclaim, 1, 0, 0, 0, SEALED, 0),
    {"release-to-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_release, LF_OK, NULL, judge_sleeper,
     WITH(2, 2, 0, 0, 0), NULL, 0},
    {"detach-with-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_detach, LF_OK, NULL, judge_sleeper,
     WITH(2, 0, 0, 0, 0), NULL, 0},
    CALL("detach", arrange, arm, act_detach, LF_OK, 0, 0, 0, 0, 0),
    CALL("detach-holding", arrange, arm, act_detach, LF_OK, 2, 0, 0, 0, 0),
    {"reap", KILL_DEAD_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, NULL, judge, WITH(3, 0, 0, 0, 0),
     NULL, 0},
    {"reap-of-parent", KILL_DEAD_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(3, 0, 0, 0, 0), NULL, 0},
    {"alloc-after-dead-holder", KILL_DEAD_MODES, arrange_dead_holder, NULL, NULL, act_try_alloc, LF_OK, NULL, judge,
     WITH(3, 1, 1, 0, 0), NULL, 0},
    {"alloc-scattered", KILL_DEAD_MODES, arrange_scattered, NULL, NULL, act_try_alloc, LF_OK, NULL, judge_scattered,
     WITH(0, 2, 2, 0, 0), NULL, 0},
    {"attach", KILL_DEAD_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, NULL, judge, WITH(0, 0, 0, 0, 0), NULL,
     1},
    {"attach-after-dead", KILL_DEAD_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, NULL, judge,
     WITH(3, 0, 0, 0, 0), NULL, 1},
};

const struct kill_subject kill_subject = {
    "arena", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_arena_kind, attached,
    NULL,    NULL};
