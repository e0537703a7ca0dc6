/* block_pool.c: the block pool, killed at every instruction. A holds one block all the time. The blocks of the victim or
 * of another dead process come back, each once; sealed ones stay until somebody adopts them. */
#include "kill.h"

#include <sys/mman.h>

#define LF_BATCHES 8u /* of 4096: a recovery looks at every one of them */
#include <lockfree/block_pool.h>

enum { BLOCKS = 6, FREE = BLOCKS - 1, SEALED = 2 };

static struct lf_block_pool object;
static uint32_t mine[BLOCKS], got[BLOCKS]; /* of each process its own: what it holds */
static uint64_t n_mine;

/* What the driver shares with all: the victim's ticket, and the holder of each block. */
static struct {
    uint64_t ticket;
    uint64_t lease;
    uint32_t holders[BLOCKS];
} *shared;

__attribute__((constructor)) static void share(void) { /* before any other process is forked */
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
static void attached(void) { n_mine = 0; }

/* ---- what survivors call ---- */

static int64_t keep(const uint32_t *blocks, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        if (blocks[i] >= BLOCKS || lf_exchange_relaxed(&shared->holders[blocks[i]], 1u) != 0)
            return LF_CORRUPT; /* in two hands */
        mine[n_mine++] = blocks[i];
    }
    return LF_OK;
}
static int64_t survivor_alloc(struct kill_message *m) {
    uint64_t deadline = m->deadline == 0 ? 0 : lf_now() + m->deadline;
    int64_t status;
    do
        status = lf_block_pool_alloc(&object, got, m->amount, deadline);
    while (status == LF_INTERRUPTED);
    return status == LF_OK ? keep(got, m->amount) : status;
}
static int64_t survivor_free(struct kill_message *m) {
    uint64_t at;
    n_mine -= m->amount;
    for (uint64_t i = 0; i < m->amount; i++)
        lf_store_relaxed(&shared->holders[mine[n_mine + i]], 0u);
    return lf_block_pool_free(&object, mine + n_mine, NULL, m->amount, &at);
}
static int64_t survivor_adopt(struct kill_message *m) {
    (void)m;
    int64_t count = lf_block_pool_adopt(&object, shared->ticket, got);
    return count <= 0 || keep(got, (uint64_t)count) == LF_OK ? count : (int64_t)LF_CORRUPT;
}
static int64_t survivor_available(struct kill_message *m) { return (void)m, (int64_t)lf_block_pool_available(&object); }

/* ---- the states: how many are free, out with the dead or stopped, and sealed ---- */

#define THINGS "blocks"
#define KEPT "sealed"
#include "supply.h"

static const char *name_of(const struct kill_message *m) {
    return m->call == survivor_available ? "available"
           : m->call == survivor_adopt   ? "adopt"
           : m->call == survivor_alloc   ? "alloc"
                                         : "free";
}

/* ---- the operations ---- */

struct details {
    uint64_t held; /* by the victim, or the doomed one, before */
    uint64_t n;    /* what its call is about */
    int64_t then;  /* what it holds when the call has ended */
    int64_t sealed_before, sealed_then;
    uint32_t mode;
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static const uint32_t starts[] = {0, UINT32_MAX - 8, (1u << 26) - 7, 3};

static void arrange(void) {
    memset(shared, 0, 4096);
    n_worlds = 0;
    if (lf_block_pool_create_as(&object, NULL, BLOCKS, starts[kill_now.seed >> 8 & 3], details()->mode) != LF_OK)
        kill_breach("a pool", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    possible(BLOCKS, 0, 0);
    must(&kill_a, survivor_alloc, 1, 0, LF_OK);
}
static void arm(void) { n_mine = details()->held, lf_block_pool_try_alloc(&object, mine, n_mine); }
static void arm_shared(void) {
    uint64_t at;
    arm();
    lf_block_pool_retain(&object, mine, n_mine, &at);
}
/* Keeps a block near, beside those that it holds. */
static void arm_keeping(void) {
    uint64_t at;
    uint32_t one;
    arm();
    lf_block_pool_try_alloc(&object, &one, 1);
    lf_block_pool_free(&object, &one, NULL, 1, &at);
}
/* Holds its blocks as a bundle. */
static void arm_bundle(void) {
    uint64_t at;
    arm();
    lf_block_pool_free(&object, mine, NULL, n_mine, &at);
    lf_block_pool_try_alloc(&object, mine, n_mine);
    if (!lf_block_is_in_bundle(lf_load_relaxed(lf_block_word(&object.free_blocks, mine[0]))))
        kill_breach("a bundle", "the blocks are in none");
}
/* Keeps a bundle of two near, beside those that it holds. */
static void arm_keeping_bundle(void) {
    uint64_t at;
    arm();
    lf_block_pool_try_alloc(&object, got, 2);
    lf_block_pool_free(&object, got, NULL, 2, &at);
}
static void arm_keeping_in_vain(void) { /* has called all in: nobody keeps any */
    arm_keeping();
    lf_block_pool_try_alloc(&object, got, BLOCKS);
}
static void keep_and_show_the_lease(void) {
    arm_keeping();
    shared->lease = lf_block_pool_lease(&object);
}
static void bundle_and_show_the_lease(void) {
    arm_bundle();
    shared->lease = lf_block_pool_lease(&object);
}
static void hold_and_show_the_lease(void) {
    arm();
    shared->lease = lf_block_pool_lease(&object);
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
static void arrange_superseded(void) {
    arrange();
    kill_start_doomed(hold_and_show_the_lease);
}
/* A and B keep a block each, too. */
static void arrange_kept(void) {
    arrange();
    must(&kill_a, survivor_alloc, 1, 0, LF_OK);
    must(&kill_b, survivor_alloc, 1, 0, LF_OK);
    must(&kill_a, survivor_free, 1, 0, LF_OK);
    must(&kill_b, survivor_free, 1, 0, LF_OK);
}
/* A keeps a bundle. */
static void arrange_bundled(void) {
    arrange();
    must(&kill_a, survivor_alloc, 2, 0, LF_OK);
    must(&kill_a, survivor_free, 2, 0, LF_OK);
}
static void arrange_doomed_bundle(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed(arm_bundle);
}
static void arrange_doomed_bundle_keeper(void) {
    arrange_bundled();
    kill_now.recovering = 1;
    kill_start_doomed(arm_keeping_bundle);
}
static void arrange_superseded_bundle(void) {
    arrange();
    kill_start_doomed(bundle_and_show_the_lease);
}
static void arrange_doomed_keeper(void) {
    arrange_kept();
    kill_now.recovering = 1;
    kill_start_doomed(arm_keeping);
}
static void arrange_superseded_keeper(void) {
    arrange_kept();
    kill_start_doomed(keep_and_show_the_lease);
}
static void arrange_dead(void) {
    arrange_doomed();
    kill_end_doomed();
}
static void seal_some(void) {
    uint64_t at;
    lf_block_pool_try_alloc(&object, mine, SEALED);
    lf_block_pool_seal(&object, mine, SEALED, &shared->ticket, &at);
}
/* A batch that a process left behind that has died. */
static void arrange_sealed(void) {
    arrange();
    kill_start_doomed(seal_some);
    kill_end_doomed();
    n_worlds = 0;
    possible(FREE - SEALED, 0, SEALED);
}

static int64_t act_try_alloc(void) { return lf_block_pool_try_alloc(&object, got, details()->n); }
static int64_t act_alloc_in_no_time(void) { return lf_block_pool_alloc(&object, got, details()->n, lf_now() + 1); }
static int64_t act_free(void) {
    uint64_t at;
    return lf_block_pool_free(&object, mine, NULL, details()->n, &at);
}
static int64_t act_free_of_another(void) {
    uint64_t at;
    uint32_t two[2] = {mine[0], BLOCKS - 1}; /* the second one is free */
    return lf_block_pool_free(&object, two, NULL, 2, &at);
}
static int64_t act_retain(void) {
    uint64_t at;
    return lf_block_pool_retain(&object, mine, details()->n, &at);
}
static int64_t act_seal(void) {
    uint64_t at;
    return lf_block_pool_seal(&object, mine, details()->n, &shared->ticket, &at);
}
static int64_t act_adopt(void) { return lf_block_pool_adopt(&object, shared->ticket, got); }
static int64_t act_supersede(void) { return lf_block_pool_supersede(&object, shared->lease, got); }
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what the others may see after that ---- */

/* Between the begin and the end of the call it may have done with each block what it does, or not yet. What it has in
 * hand is out. */
static void after(void) {
    int64_t held = (int64_t)details()->held, then = details()->then, low = held < then ? held : then;
    int64_t before = details()->sealed_before, sealed = details()->sealed_then, high = held < then ? then : held;
    n_worlds = 0;
    for (int64_t out = low; out <= high && before == sealed; out++)
        possible(FREE - out - sealed, out, sealed);
    if (before != sealed) { /* in one step */
        possible(FREE - then - sealed, then, sealed);
        if (!kill_now.ended)
            possible(FREE - held - before, held, before);
        if (!kill_now.ended && before > 0) /* being adopted: neither adopted by others nor back */
            possible(FREE - before, before, 0);
    }
}

static int is_kept(void) { return shared->ticket != 0; }
static void hold_three(void) { n_mine = 3, lf_block_pool_try_alloc(&object, mine, 3); }

static void beside(void) {
    after();
    go_on();
    go_on();
}
static void judge(void) {
    if (kill_now.mode != KILL_STOPPED)
        after();
    judge_from_here();
}
static void judge_superseded(void) {
    kill_end_doomed();
    n_worlds = 0;
    possible(FREE - (int64_t)details()->held, (int64_t)details()->held, 0);
    judge_from_here();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, act, answer, ...)                                                                                   \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge, WITH(__VA_ARGS__), NULL, 0}

#define BUNDLE(name, arrange, arm, act, answer, ...)                                                                   \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge, WITH(__VA_ARGS__, LF_POOL_LIFO), NULL, 0}

#define NEAR(name, arm, act, answer, ...)                                                                              \
    {name,         KILL_ALL_MODES,                                                                                     \
     arrange_kept, arm,                                                                                                \
     NULL,         act,                                                                                                \
     answer,       beside,                                                                                             \
     judge,        WITH(__VA_ARGS__, 0, 0, LF_POOL_LIFO),                                                              \
     NULL,         0}

static const struct kill_operation operations[] = {
    CALL("try-alloc", act_try_alloc, LF_OK, 0, 2, 2, 0, 0),
    CALL("try-alloc-of-all", act_try_alloc, LF_OK, 0, 5, 5, 0, 0),
    CALL("try-alloc-of-more", act_try_alloc, LF_OK, 1, 2, 3, 0, 0),
    CALL("try-alloc-refused", act_try_alloc, LF_EMPTY, 1, 5, 1, 0, 0),
    CALL("alloc-in-vain", act_alloc_in_no_time, LF_EMPTY, 0, 6, 0, 0, 0),
    CALL("free", act_free, LF_OK, 2, 2, 0, 0, 0),
    CALL("free-of-all", act_free, LF_OK, 5, 5, 0, 0, 0),
    CALL("free-of-some", act_free, LF_OK, 3, 1, 2, 0, 0),
    CALL("free-refused", act_free_of_another, LF_NOT_OWNER, 1, 1, 1, 0, 0),
    CALL("retain", act_retain, LF_OK, 3, 2, 3, 0, 0),
    {"free-of-shared", KILL_ALL_MODES, arrange, arm_shared, NULL, act_free, LF_OK, beside, judge, WITH(2, 2, 2, 0, 0),
     NULL, 0},
    CALL("seal", act_seal, LF_OK, 3, SEALED, 1, 0, SEALED),
    {"adopt", KILL_ALL_MODES, arrange_sealed, NULL, NULL, act_adopt, SEALED, beside, judge,
     WITH(0, 0, SEALED, SEALED, 0), NULL, 0},
    {"supersede", KILL_DEAD_MODES, arrange_superseded, NULL, NULL, act_supersede, 3, NULL, judge_superseded,
     WITH(3, 0, 3, 0, 0), NULL, 0},
    {"free-to-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_free, LF_OK, NULL, judge_sleeper,
     WITH(2, 2, 0, 0, 0), NULL, 0},
    {"detach-with-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_detach, LF_OK, NULL, judge_sleeper,
     WITH(2, 0, 0, 0, 0), NULL, 0},
    {"detach", KILL_ALL_MODES, arrange, arm, NULL, act_detach, LF_OK, beside, judge, WITH(0, 0, 0, 0, 0), NULL, 0},
    {"detach-holding", KILL_ALL_MODES, arrange, arm, NULL, act_detach, LF_OK, beside, judge, WITH(2, 0, 0, 0, 0), NULL,
     0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge, WITH(3, 0, 0, 0, 0),
     NULL, 0},
    {"reap-of-parent", KILL_DEAD_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(3, 0, 0, 0, 0), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge, WITH(0, 0, 0, 0, 0), NULL,
     1},
    {"attach-after-dead", KILL_ALL_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, beside, judge,
     WITH(3, 0, 0, 0, 0), NULL, 1},
    /* the order LIFO: what claims, frees, recovers and takes over */
    CALL("lifo-try-alloc", act_try_alloc, LF_OK, 0, 2, 2, 0, 0, LF_POOL_LIFO),
    CALL("lifo-try-alloc-of-all", act_try_alloc, LF_OK, 0, 5, 5, 0, 0, LF_POOL_LIFO),
    CALL("lifo-try-alloc-of-more", act_try_alloc, LF_OK, 1, 2, 3, 0, 0, LF_POOL_LIFO),
    CALL("lifo-try-alloc-refused", act_try_alloc, LF_EMPTY, 1, 5, 1, 0, 0, LF_POOL_LIFO),
    CALL("lifo-free", act_free, LF_OK, 2, 2, 0, 0, 0, LF_POOL_LIFO),
    CALL("lifo-free-of-some", act_free, LF_OK, 3, 1, 2, 0, 0, LF_POOL_LIFO),
    CALL("lifo-seal", act_seal, LF_OK, 3, SEALED, 1, 0, SEALED, LF_POOL_LIFO),
    {"lifo-supersede", KILL_DEAD_MODES, arrange_superseded, NULL, NULL, act_supersede, 3, NULL, judge_superseded,
     WITH(3, 0, 3, 0, 0, LF_POOL_LIFO), NULL, 0},
    {"lifo-free-to-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_free, LF_OK, NULL, judge_sleeper,
     WITH(2, 2, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    CALL("lifo-detach-holding", act_detach, LF_OK, 2, 0, 0, 0, 0, LF_POOL_LIFO),
    {"lifo-reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge,
     WITH(3, 0, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    /* ... and one by one, so that blocks are kept near: by the victim, by A and by B */
    NEAR("kept-alloc", arm_keeping, act_try_alloc, LF_OK, 1, 1, 2),
    NEAR("kept-alloc-of-all", arm_keeping, act_try_alloc, LF_OK, 1, 4, 5),
    NEAR("kept-alloc-of-another", arm, act_try_alloc, LF_OK, 3, 1, 4),
    NEAR("kept-alloc-refused", arm_keeping, act_try_alloc, LF_EMPTY, 1, 5, 1),
    NEAR("kept-free", arm_keeping, act_free, LF_OK, 1, 1, 0),
    NEAR("kept-free-first", arm, act_free, LF_OK, 2, 1, 1),
    NEAR("kept-free-while-scarce", arm_keeping_in_vain, act_free, LF_OK, 1, 1, 0),
    NEAR("kept-free-of-two", arm_keeping, act_free, LF_OK, 2, 2, 0),
    NEAR("kept-detach", arm_keeping, act_detach, LF_OK, 1, 0, 0),
    {"kept-reap", KILL_ALL_MODES, arrange_doomed_keeper, NULL, kill_end_doomed, act_reap, 1, beside, judge,
     WITH(2, 0, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    {"kept-supersede", KILL_DEAD_MODES, arrange_superseded_keeper, NULL, NULL, act_supersede, 2, NULL, judge_superseded,
     WITH(2, 0, 2, 0, 0, LF_POOL_LIFO), NULL, 0},
    {"kept-free-to-sleeper", 1u << KILL_GO_ON, arrange_kept, arm, send_b_to_sleep, act_free, LF_OK, NULL, judge_sleeper,
     WITH(1, 1, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    /* ... and several together, so that they are bundles */
    BUNDLE("bundle-form", arrange_bundled, arm, act_free, LF_OK, 3, 3, 0, 0, 0),
    BUNDLE("bundle-give", arrange, arm_bundle, act_free, LF_OK, 3, 3, 0, 0, 0),
    BUNDLE("bundle-take", arrange, arm_keeping_bundle, act_try_alloc, LF_OK, 1, 2, 3, 0, 0),
    BUNDLE("bundle-take-more", arrange, arm_keeping_bundle, act_try_alloc, LF_OK, 1, 3, 4, 0, 0),
    BUNDLE("bundle-call-in", arrange_bundled, arm, act_try_alloc, LF_OK, 0, 4, 4, 0, 0),
    BUNDLE("bundle-call-in-vain", arrange_bundled, arm_keeping_bundle, act_try_alloc, LF_EMPTY, 1, 5, 1, 0, 0),
    BUNDLE("bundle-free-of-one", arrange, arm_bundle, act_free, LF_OK, 3, 1, 2, 0, 0),
    BUNDLE("bundle-free-refused", arrange, arm_bundle, act_free_of_another, LF_NOT_OWNER, 2, 2, 2, 0, 0),
    BUNDLE("bundle-retain", arrange, arm_bundle, act_retain, LF_OK, 3, 2, 3, 0, 0),
    BUNDLE("bundle-seal", arrange, arm_bundle, act_seal, LF_OK, 3, SEALED, 1, 0, SEALED),
    BUNDLE("bundle-detach", arrange, arm_bundle, act_detach, LF_OK, 3, 0, 0, 0, 0),
    {"bundle-reap", KILL_ALL_MODES, arrange_doomed_bundle, NULL, kill_end_doomed, act_reap, 1, beside, judge,
     WITH(3, 0, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    {"bundle-reap-keeper", KILL_ALL_MODES, arrange_doomed_bundle_keeper, NULL, kill_end_doomed, act_reap, 1, beside,
     judge, WITH(1, 0, 0, 0, 0, LF_POOL_LIFO), NULL, 0},
    {"bundle-supersede", KILL_DEAD_MODES, arrange_superseded_bundle, NULL, NULL, act_supersede, 3, NULL,
     judge_superseded, WITH(3, 0, 3, 0, 0, LF_POOL_LIFO), NULL, 0},
};

const struct kill_subject kill_subject = {
    "block_pool", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_block_pool_kind, attached,
    NULL,         NULL};
