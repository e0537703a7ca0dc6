/* Every atomic operation of the priority queue is a place where a thread may stop: for a while, or for ever.
 *
 * Actors are threads of which one runs at a time; each stops before the atomic operation that its budget names, and
 * goes on when it is told to. So stale looks, slow helpers and deaths happen where we want them, repeatably. */
#define LF__PIECE_NS 0u /* so that recoveries are done in several pieces */
static unsigned spare_cells = 1;
#define LF__SPARE_CELLS                                                                                                \
    spare_cells /* with none, 16 slots have 16 cells: withdrawn records keep their slots for a while */
#include <lockfree/blocks/atomics.h>

static void step(void);
#undef lf__cas
#undef lf_load_relaxed
#undef lf_load_acquire
#undef lf_store_relaxed
#undef lf_store_release
#undef lf_fetch_add_relaxed
#undef lf_fetch_sub_relaxed
#define lf__cas(p, expected, desired, success, failure)                                                                \
    (step(), __atomic_compare_exchange_n((p), (expected), (desired), 0, success, failure))
#define lf_load_relaxed(p) (step(), __atomic_load_n((p), __ATOMIC_RELAXED))
#define lf_load_acquire(p) (step(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define lf_store_relaxed(p, v) (step(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#define lf_store_release(p, v) (step(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define lf_fetch_add_relaxed(p, v) (step(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define lf_fetch_sub_relaxed(p, v) (step(), __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))

#include "line_calls.h"
#include "naive_priority_queue.h"
#include "priority_history.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>

enum { DO_PUT, DO_GET, DO_LEASE, DO_PUT_MANY, DO_WITHDRAW, DO_RECOVER };
enum { ACTORS = 4, SCRIPT = 6, LOG = 512 };

struct task {
    uint32_t kind, level; /* DO_RECOVER: of participant `level`; else a line (line_calls.h) */
};

struct actor {
    struct lf_priority_queue q;
    pthread_t thread;
    sem_t go, stopped;
    jmp_buf end;
    struct task script[SCRIPT];
    int tasks, done, killed, budget, naive;
    int leasing; /* a record is in hand, or may be, and is still ours to give back */
};

static struct actor actors[ACTORS]; /* the last one is the test itself: it never stops */
static __thread struct actor *self;
static unsigned char *memory;
static struct operation history[LOG];
static uint64_t operations, instant, next_value;
static uint64_t tickets[LOG], ticket_values[LOG], n_tickets; /* of puts that have returned */
static const uint64_t starts[] = {0,
                                  (UINT64_C(1) << 32) - 3,
                                  (UINT64_C(1) << 36) - 4,
                                  (UINT64_C(1) << 46) - 3,
                                  (UINT64_C(1) << 52) - 5,
                                  UINT64_MAX - 3};

static uint64_t rng_state;
static uint32_t rng(uint32_t below) {
    rng_state = rng_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng_state >> 33) % below;
}

static void step(void) {
    if (self == NULL || self->budget == 0 || --self->budget != 0)
        return;
    sem_post(&self->stopped);
    while (sem_wait(&self->go) != 0)
        ;
    if (self->killed)
        longjmp(self->end, 1);
}

static struct operation *begin(uint32_t kind, uint32_t level, uint64_t value) {
    CHECK(operations < LOG);
    struct operation *op = &history[operations++];
    op->kind = kind;
    op->level = level;
    op->value = value;
    op->call = instant++;
    op->answer = UINT64_MAX;
    return op;
}

/* All its pieces. */
static void recover(struct lf_handle *h, uint32_t gone) {
    while (!lf__recover(h, gone))
        ;
}

static void perform(struct actor *a, struct task task) {
    uint64_t value = next_value;
    if (task.kind == DO_RECOVER) {
        recover(&a->q.h, task.level);
    } else if (task.kind == DO_PUT) {
        next_value++;
        struct operation *op = begin(OP_PUT, task.level, value);
        uint64_t ticket = 0;
        int status = a->naive ? naive_try_put(&a->q, &value, sizeof value, task.level)
                              : line_put(&a->q, value, task.level, &ticket);
        CHECK(status == LF_OK || status == LF_FULL);
        if (status == LF_OK && !a->naive) {
            ticket_values[n_tickets] = value;
            tickets[n_tickets++] = ticket;
        }
        if (status == LF_FULL) { /* its number goes to nobody else: a put that never happened */
            op->kind = OP_FULL;
        }
        op->answer = instant++;
    } else if (task.kind == DO_WITHDRAW) {
        if (n_tickets == 0)
            return;
        uint64_t which = n_tickets - 1 - task.level % (n_tickets < 4 ? n_tickets : 4);
        struct operation *op = begin(OP_WITHDRAWN, 0, ticket_values[which]);
        int status = lf_priority_queue_withdraw(&a->q, tickets[which]);
        CHECK(status == 0 || status == 1);
        if (status == 0)
            op->kind = OP_TOO_LATE;
        op->answer = instant++;
    } else if (task.kind == DO_PUT_MANY) {
        uint64_t values[2] = {value, value + 1};
        uint32_t fronts = a->q.fronts, levels[2] = {task.level >> fronts, a->q.n_levels - 1 - (task.level >> fronts)};
        next_value += 2;
        struct operation *first = begin(OP_PUT, levels[0] << fronts | fronts, value);
        struct operation *second = begin(OP_PUT, levels[1] << fronts | fronts, value + 1);
        int64_t status = lf_priority_queue_put_many(&a->q, values, sizeof value, sizeof value, NULL, levels, 2);
        CHECK(status >= 0);
        if (status < 2)
            second->kind = OP_FULL;
        if (status < 1)
            first->kind = OP_FULL;
        first->answer = instant++;
        second->answer = instant++;
    } else {
        uint32_t level = UINT32_MAX;
        struct operation *op = begin(OP_EMPTY, 0, 0);
        int64_t length;
        if (task.kind == DO_LEASE) {
            uint64_t size = 0;
            a->leasing = 1;
            int64_t index = lf_priority_queue_peek(&a->q, LF_LEASE, &level, &size);
            length = index < 0 ? index : (int64_t)size;
            if (index >= 0) {
                memcpy(&value, lf_slot_payload(lf_priority_queue_slot(&a->q, (uint64_t)index)), sizeof value);
                level = line_of(&a->q, &value, level);
                a->leasing = 0;
                CHECK(lf_priority_queue_release(&a->q, index) == LF_OK);
            }
            a->leasing = 0;
        } else {
            length = a->naive ? naive_try_get(&a->q, &value, &level) : line_get(&a->q, &value, &level);
        }
        CHECK(length == (int64_t)sizeof value || length == LF_EMPTY);
        if (length >= 0) {
            op->kind = OP_GET;
            op->level = level;
            op->value = value;
        }
        op->answer = instant++;
    }
}

static void *actor_main(void *argument) {
    struct actor *a = self = (struct actor *)argument;
    for (;;) {
        while (sem_wait(&a->go) != 0)
            ;
        if (a->tasks < 0)
            return NULL;
        if (setjmp(a->end) == 0)
            for (int i = 0; i < a->tasks; i++)
                perform(a, a->script[i]);
        a->done = 1;
        sem_post(&a->stopped);
    }
}

/* Runs an actor until it stops before its budget-th atomic operation (0: to the end) or is done. */
static int run(struct actor *a, int budget) {
    a->budget = budget;
    sem_post(&a->go);
    while (sem_wait(&a->stopped) != 0)
        ;
    return a->done;
}
static void kill_actor(struct actor *a) {
    a->killed = 1;
    if (!a->done)
        run(a, 0);
}

static void scene(uint64_t capacity, uint64_t levels, uint64_t start, int naive) {
    uint64_t bytes;
    CHECK(lf_priority_queue_bytes(capacity, 8, levels, &bytes) == LF_OK);
    memset(memory, 0, bytes);
    struct lf_priority_queue first;
    CHECK(lf_priority_queue_create_local(&first, memory, capacity, 8, levels, start) == LF_OK);
    if (naive)
        naive_layout(&first, start);
    operations = instant = next_value = n_tickets = 0;
    for (uint32_t i = 0; i < ACTORS; i++) {
        struct actor *a = &actors[i];
        CHECK(lf_segment_attach_local(&a->q.h, &lf_priority_queue_kind, memory, i + 1) == LF_OK);
        a->tasks = a->done = a->killed = a->budget = a->leasing = 0;
        a->naive = naive;
    }
}
static void one(struct actor *a, uint32_t kind, uint32_t level) {
    struct task task = {kind, level};
    perform(a, task);
}
static void script(struct actor *a, uint32_t kind, uint32_t level) {
    a->script[a->tasks].kind = kind;
    a->script[a->tasks++].level = level;
}

/* Turns refused puts, which name no record, into a dense numbering of the others. */
static const char *verdict(uint64_t capacity, uint32_t levels) {
    static uint64_t renamed[2 * LOG];
    uint64_t dense = 0;
    for (uint64_t i = 0; i < operations; i++)
        if (history[i].kind == OP_PUT)
            renamed[history[i].value] = dense++;
    static struct operation copy[LOG];
    for (uint64_t i = 0; i < operations; i++) {
        copy[i] = history[i];
        if (copy[i].kind != OP_EMPTY && copy[i].kind != OP_FULL)
            copy[i].value = renamed[copy[i].value];
    }
    /* Without spare cells a withdrawn record keeps its slot until a get passes it: then FULL is not judged. */
    return history_fault(copy, operations, spare_cells == 0 ? 0 : capacity, levels);
}

static void drain(struct actor *a) {
    do
        one(a, DO_GET, 0);
    while (history[operations - 1].kind == OP_GET);
}

/* All slots are there again. */
static void check_capacity(struct actor *a) {
    uint64_t value = 0, taken = 0;
    uint32_t level = 0, levels = a->q.n_levels;
    CHECK(lf_priority_queue_size(&a->q) == 0);
    while (lf_priority_queue_try_put(&a->q, &taken, sizeof taken, (uint32_t)(taken % levels)) == LF_OK)
        taken++;
    CHECK(taken == a->q.capacity);
    CHECK(lf_priority_queue_size(&a->q) == taken);
    for (uint64_t i = 0; i < taken; i++)
        CHECK(lf_priority_queue_try_get(&a->q, &value, &level) == sizeof value && level == value % levels);
    CHECK(lf_priority_queue_try_get(&a->q, &value, &level) == LF_EMPTY);
}

static void random_scene(uint64_t seed, int naive, uint64_t *capacity, uint32_t *levels) {
    static const uint64_t capacities[] = {1, 2, 3, 5, 16, 16, 17};
    static const uint32_t level_counts[] = {1, 2, 3, 3, 17, 33, 128};
    rng_state = seed * 2 + 1;
    rng(2);
    *capacity = capacities[rng(7)];
    *levels = level_counts[rng(7)];
    spare_cells = rng(2);
    uint64_t start = starts[rng(6)], fronts = naive || *levels == 128 ? 0 : rng(2) * LF_FRONTS;
    scene(*capacity, *levels | fronts, start, naive);
    *levels = actors[0].q.levels.count;
    struct actor *a = &actors[ACTORS - 1];
    uint32_t near = *levels < 4 ? *levels : 4, gets = 1 + rng(4); /* mostly empty up to mostly full */
    for (uint32_t i = rng(40); i > 0; i--)
        one(a, rng(5) < gets ? DO_GET : DO_PUT, rng(near));
    for (uint32_t i = 0; i < ACTORS - 1; i++)
        for (uint32_t n = 1 + rng(3); n > 0; n--) {
            static const uint32_t kinds[] = {DO_PUT, DO_PUT,   DO_PUT,      DO_PUT,      DO_GET,
                                             DO_GET, DO_LEASE, DO_PUT_MANY, DO_WITHDRAW, DO_WITHDRAW};
            script(&actors[i], kinds[rng(naive ? 6 : 10)], rng(near));
        }
}

/* Some interleaving, drawn from the seed; then everything is taken out and the history judged. */
static const char *schedule(uint64_t seed, int naive) {
    uint64_t capacity;
    uint32_t levels;
    random_scene(seed, naive, &capacity, &levels);
    for (int left = ACTORS - 1; left > 0;) {
        struct actor *a = &actors[rng(ACTORS - 1)];
        if (!a->done)
            left -= run(a, rng(4) == 0 ? 0 : 1 + (int)rng(rng(2) ? 4 : 24));
    }
    drain(&actors[ACTORS - 1]);
    const char *fault = verdict(capacity, levels);
    if (fault == NULL && !naive)
        check_capacity(&actors[ACTORS - 1]);
    return fault;
}

/* A dead one's get may have taken one record with it. */
static const char *verdict_of_the_dead(uint64_t capacity, uint32_t levels, struct operation *pending) {
    uint64_t all = operations;
    const char *fault = verdict(capacity, levels);
    if (pending != NULL && pending->kind == OP_WITHDRAWN) { /* it took effect, or it did not */
        if (fault == NULL)
            return NULL;
        pending->kind = OP_EMPTY;
        pending->answer = UINT64_MAX;
        return verdict(capacity, levels);
    }
    if (fault == NULL || pending == NULL || pending->kind != OP_EMPTY)
        return fault;
    for (uint64_t i = 0; i < all; i++) {
        uint64_t j;
        if (history[i].kind != OP_PUT)
            continue;
        for (j = 0; j < all && !(history[j].kind == OP_GET && history[j].value == history[i].value); j++)
            ;
        if (j < all)
            continue;
        pending->kind = OP_GET;
        pending->value = history[i].value;
        if (verdict(capacity, levels) == NULL)
            return NULL;
    }
    return fault;
}

/* An actor dies before its k-th step while two others are under way; its recovery dies before its j-th. */
static void deaths(uint64_t seed) {
    uint64_t capacity;
    uint32_t levels;
    random_scene(seed, 0, &capacity, &levels);
    struct actor *dead = &actors[0], *other = &actors[1], *recoverer = &actors[2], *me = &actors[ACTORS - 1];
    recoverer->tasks = 0;
    script(recoverer, DO_RECOVER, 1);
    int leased = 0;
    for (int i = 0; i < dead->tasks; i++)
        leased |= dead->script[i].kind == DO_LEASE;
    run(other, 1 + (int)rng(30));
    run(dead, 1 + (int)rng(60));
    if (!other->done && rng(2))
        run(other, rng(2) ? 0 : 1 + (int)rng(30));
    kill_actor(dead);
    if (!other->done && rng(2))
        run(other, 1 + (int)rng(10));
    run(recoverer, 1 + (int)rng(200));
    if (!other->done)
        run(other, rng(3) ? 0 : 1 + (int)rng(30));
    if (!recoverer->done && rng(2))
        run(recoverer, 0);
    if (!recoverer->done) {
        kill_actor(recoverer);
        uint32_t order = rng(2);
        recover(&me->q.h, order ? 3 : 1);
        recover(&me->q.h, order ? 1 : 3);
    }
    if (!other->done)
        run(other, 0);
    uint64_t size = lf_priority_queue_size(&me->q), gets = operations;
    drain(me);
    CHECK(size == operations - gets - 1);
    struct operation *pending = NULL;
    uint64_t n_pending = 0;
    for (uint64_t i = 0; i < operations; i++)
        if (history[i].answer == UINT64_MAX) {
            pending = &history[i];
            n_pending++;
        }
    CHECK(n_pending <= 2); /* a put_many counts twice */
    const char *fault = NULL;
    if (!leased) {
        fault = verdict_of_the_dead(capacity, levels, pending);
    } else { /* delivered again at the tail: then order is another; but everything comes exactly once */
        uint64_t missing = 0;
        for (uint64_t i = 0; i < operations; i++) {
            uint64_t count = 0;
            for (uint64_t j = 0; j < operations; j++)
                count += history[i].kind == OP_PUT && history[j].value == history[i].value &&
                         (history[j].kind == OP_GET ||
                          (history[j].kind == OP_WITHDRAWN && history[j].answer != UINT64_MAX));
            CHECK(count <= 1);
            missing += history[i].kind == OP_PUT && history[i].answer != UINT64_MAX && count == 0;
        }
        int may_have = pending != NULL &&
                       (pending->kind == OP_WITHDRAWN || (pending->kind == OP_EMPTY && !dead->leasing));
        if (missing > (may_have ? 1u : 0u))
            fault = "a record was lost";
    }
    if (fault != NULL) {
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, fault);
        CHECK(fault == NULL);
    }
    check_capacity(me);
}

/* The holder of a lease dies before its k-th step, its recovery before the j-th: 1 if the record came back from the
 * dead one's hands, 0 if it had not been taken or was acknowledged; -1: nobody died, the loops are at an end. */
static int lease_dies(int k, int j, int *recovered) {
    scene(2, 3, starts[(unsigned)k % 6], 0);
    struct actor *dead = &actors[0], *recoverer = &actors[1], *me = &actors[ACTORS - 1];
    uint64_t value = 0;
    uint32_t level = 0;
    one(me, DO_PUT, 1);
    one(me, DO_PUT, 1);
    script(dead, DO_LEASE, 0);
    script(recoverer, DO_RECOVER, 1);
    if (run(dead, k))
        return -1;
    kill_actor(dead);
    *recovered = run(recoverer, j);
    kill_actor(recoverer);
    if (!*recovered) {
        recover(&me->q.h, j % 2 ? 1 : 2);
        recover(&me->q.h, j % 2 ? 2 : 1);
    }
    uint64_t size = lf_priority_queue_size(&me->q);
    CHECK(lf_priority_queue_try_get(&me->q, &value, &level) == sizeof value && level == 1);
    uint64_t first = value;
    int64_t length = lf_priority_queue_try_get(&me->q, &value, &level);
    CHECK(length == LF_EMPTY ? first == 1 && !dead->leasing : length == sizeof value && value == 1 - first);
    CHECK(size == (length == LF_EMPTY ? 1 : 2));
    int again = length != LF_EMPTY && first == 1;
    CHECK(length == LF_EMPTY || lf_priority_queue_try_get(&me->q, &value, &level) == LF_EMPTY);
    check_capacity(me);
    return again;
}

/* A leased record comes back exactly once, wherever its holder dies before it acknowledges. */
static void lease_is_delivered_again(void) {
    int again = 0, outcome = 0, recovered;
    for (int k = 1; outcome >= 0; k++)
        for (int j = recovered = 0; !recovered && outcome >= 0; again += outcome > 0)
            outcome = lease_dies(k, ++j, &recovered);
    CHECK(again > 100);
}

/* A level that holds as many records as it has cells, so that a cell is in its next round while the pop before is still
 * the last change of W: a helper that looks then must not call it corrupt. */
static void slow_helper_sees_the_next_round(void) {
    for (int i = 1; i < 24; i++)
        for (int j = 1; j < 14; j++)
            for (int k = 10; k < 26; k++) {
                spare_cells = 0;
                scene(16, 1, starts[(unsigned)k % 6], 0);
                struct actor *taker = &actors[0], *helper = &actors[1], *putter = &actors[2], *me = &actors[ACTORS - 1];
                for (int n = 0; n < 16; n++)
                    one(me, DO_PUT, 0);
                script(taker, DO_GET, 0);
                script(helper, DO_GET, 0);
                script(putter, DO_PUT, 0);
                run(taker, i);
                run(helper, j);
                if (!taker->done)
                    run(taker, 0);
                run(putter, k);
                if (!helper->done)
                    run(helper, 0);
                if (!putter->done)
                    run(putter, 0);
                drain(me);
                CHECK(verdict(16, 1) == NULL);
            }
}

/* Stopped for ever at any step, nobody waits for it: the others finish with nothing but their own steps. */
static void stopped_for_ever(void) {
    static const uint32_t kinds[] = {DO_PUT, DO_GET, DO_LEASE, DO_PUT_MANY, DO_WITHDRAW};
    for (uint32_t fronts = 0, i = 0; fronts < 2; fronts += ++i == 5, i %= 5)
        for (int k = 1;; k++) {
            uint32_t lines = 3u << fronts;
            scene(4, 3 | fronts * LF_FRONTS, starts[(unsigned)k % 6], 0);
            struct actor *stopped = &actors[0], *me = &actors[ACTORS - 1];
            one(me, DO_PUT, 2);
            script(stopped, kinds[i], kinds[i] == DO_WITHDRAW ? 0 : 1);
            int done = run(stopped, k);
            for (uint32_t n = 0; n < 50; n++) {
                one(me, DO_PUT, n % lines);
                CHECK(history[operations - 1].kind == OP_PUT);
                one(me, DO_GET, 0);
            }
            if (!done)
                run(stopped, 0);
            drain(me);
            CHECK(verdict(4, lines) == NULL);
            check_capacity(me);
            if (done)
                break;
        }
}

/* A get meets a withdrawn record and stops at any step, while others go around the level once and more. */
static void slow_get_meets_a_withdrawn_record(void) {
    for (int cut = 0; cut < 2; cut++)
        for (int k = 1, done = 0; !done; k++) {
            spare_cells = (unsigned)cut;
            scene(16, 1, starts[(unsigned)k % 6], 0);
            struct actor *slow = &actors[0], *me = &actors[ACTORS - 1];
            one(me, DO_PUT, 0);
            one(me, DO_WITHDRAW, 0);
            CHECK(history[operations - 1].kind == OP_WITHDRAWN);
            script(slow, DO_GET, 0);
            done = run(slow, k);
            for (uint32_t n = 0; n < 40; n++) {
                one(me, DO_PUT, 0);
                CHECK(history[operations - 1].kind == OP_PUT);
                one(me, DO_GET, 0);
            }
            if (!done)
                run(slow, 0);
            drain(me);
            CHECK(verdict(16, 1) == NULL);
            check_capacity(me);
            CHECK(*me->q.levels.cuts == 0);
        }
}

int main(void) {
    uint64_t bytes, until, seed, rejected = 0;
    cpu_set_t one_cpu;
    CPU_ZERO(&one_cpu);
    CPU_SET(sched_getcpu(), &one_cpu);
    sched_setaffinity(0, sizeof one_cpu, &one_cpu); /* one actor runs at a time: handing over is cheaper at home */
    CHECK(lf_priority_queue_bytes(17, 8, 33 | LF_FRONTS, &bytes) == LF_OK);
    CHECK(lf_priority_queue_bytes(17, 8, 128, &until) == LF_OK); /* no scene needs more than the larger one */
    bytes = bytes > until ? bytes : until;
    memory = (unsigned char *)aligned_alloc(LF_CACHE_LINE, lf_round_up(bytes, LF_CACHE_LINE));
    CHECK(memory != NULL);
    for (int i = 0; i < ACTORS - 1; i++) {
        sem_init(&actors[i].go, 0, 0);
        sem_init(&actors[i].stopped, 0, 0);
        CHECK(pthread_create(&actors[i].thread, NULL, actor_main, &actors[i]) == 0);
    }
    lease_is_delivered_again();
    stopped_for_ever();
    slow_helper_sees_the_next_round();
    slow_get_meets_a_withdrawn_record();

    const char *given = getenv("LF_TEST_SEED"); /* other seeds than those of every run */
    uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 0, slice = (uint64_t)check_rounds(1000) * 1000000u;
    for (until = lf_now() + slice, seed = first; lf_now() < until; seed++) {
        const char *fault = schedule(seed, 0);
        if (fault != NULL)
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, fault);
        CHECK(fault == NULL);
    }
    printf("%llu interleavings", (unsigned long long)(seed - first));
    for (until = lf_now() + slice, seed = first; lf_now() < until; seed++)
        deaths(seed);
    printf(", %llu deaths", (unsigned long long)(seed - first));
    for (seed = 0; seed < 2000; seed++)
        rejected += schedule(seed, 1) != NULL;
    printf("; bins rejected in %llu of 2000 interleavings\n", (unsigned long long)rejected);
    CHECK(rejected > 0);

    for (int i = 0; i < ACTORS - 1; i++) {
        actors[i].tasks = -1;
        sem_post(&actors[i].go);
        CHECK(pthread_join(actors[i].thread, NULL) == 0);
    }
    free(memory);
    return 0;
}
