/* Index queues: against a model, killed at every step, recovered by recoverers that are killed at every step, and
 * interleaved with live operations at random. No index may be lost or be in two places; of the values that the
 * indices stand for each is delivered once, a leased one although its taker died. */
#define LF_QUEUE_RUN 4u /* short ones, so that few values make a lap of the cells */
#include "steps.h"

#include "../include/lockfree/blocks/index_recovery.h"

enum { FREE = LF__FREE, RECORDS = 1, OTHER = 2, QUEUES = 3, MAX_SLOTS = 40, PEOPLE = 8 };

struct world {
    struct lf_store store;
    struct lf_queue queues[QUEUES];
    unsigned char *memory;
    uint64_t bytes;
    uint64_t value[MAX_SLOTS]; /* what the slot's record says */
};

static void world_init(struct world *w, uint64_t slots, uint64_t start) {
    uint64_t cells = lf_queue_cells(slots + LF_QUEUE_RUN - 1), queue_bytes = lf_cells_bytes(cells);
    memset(w, 0, sizeof *w);
    w->bytes = QUEUES * queue_bytes + lf_round_up(8 * slots, LF_CACHE_LINE);
    w->memory = check_map(w->bytes);
    w->store.custody = w->memory + QUEUES * queue_bytes;
    w->store.stride = 8;
    w->store.slots = slots;
    for (uint32_t id = 0; id < QUEUES; id++) {
        lf_queue_view_cells(&w->queues[id], &w->store, id, w->memory + id * queue_bytes, cells);
        lf_queue_init(&w->queues[id], start, id == FREE ? slots : 0, w->queues[id].run);
    }
}

static void world_copy(struct world *to, const struct world *from) {
    memcpy(to->memory, from->memory, from->bytes);
    memcpy(to->value, from->value, sizeof to->value);
}

static void recover(struct world *w, uint32_t number, uint32_t recoverer) { /* what a kind's recover does */
    struct lf_gone one = {number, NULL}, *gone = &one;
    for (uint32_t id = 0; id < QUEUES; id++)
        for (uint64_t i = 0; i <= w->queues[id].mask; i++)
            lf_queue_complete_custody_of(&w->queues[id], i, gone);
    for (uint64_t i = 0; i < w->store.slots; i++)
        lf_custody_recover(w->queues, QUEUES, FREE, i, gone, recoverer);
}

static uint64_t sizes(const struct world *w) {
    uint64_t sum = 0;
    for (uint32_t id = 0; id < QUEUES; id++)
        sum += lf_queue_size(&w->queues[id]);
    return sum;
}

/* Every index is in a queue, each in one, and comes out once. */
static void check_census(struct world *w) {
    int seen[MAX_SLOTS] = {0};
    uint64_t total = 0;
    CHECK_EQ(sizes(w), w->store.slots);
    for (uint32_t id = 0; id < QUEUES; id++) {
        int64_t index;
        while ((index = lf_queue_take(&w->queues[id], PEOPLE + 1)) >= 0) {
            CHECK(!seen[index]++);
            total++;
        }
        CHECK_EQ(index, LF_EMPTY);
    }
    CHECK_EQ(total, w->store.slots);
    for (uint64_t i = 0; i < w->store.slots; i++)
        CHECK_EQ(lf_queue_publish(&w->queues[FREE], i, PEOPLE + 1), LF_OK);
}

static void test_takes_answer_as_a_model_does(uint64_t slots, uint64_t start, uint64_t seed) {
    struct world w;
    uint64_t model[QUEUES][MAX_SLOTS], head[QUEUES] = {0}, count[QUEUES] = {0}, hand[MAX_SLOTS], held = 0, longest = 0;
    world_init(&w, slots, start);
    for (uint64_t i = 0; i < slots; i++)
        model[FREE][i] = i;
    count[FREE] = slots;
    for (long round = 0; round < check_rounds(60000); round++) {
        uint32_t id = (uint32_t)check_below(&seed, QUEUES);
        if (check_below(&seed, 2)) {
            uint64_t most = 1 + check_below(&seed, LF_QUEUE_RUN), n = 0;
            int64_t index = lf_queue_take_run(&w.queues[id], 1, most, &n);
            if (count[id] == 0) {
                CHECK_EQ(index, LF_EMPTY);
                continue;
            }
            CHECK(n >= 1 && n <= most && n <= count[id]);
            longest = n > longest ? n : longest;
            for (uint64_t i = 0; i < n; i++) {
                CHECK_EQ(index + (int64_t)i, model[id][head[id]]);
                head[id] = (head[id] + 1) % slots;
                count[id]--;
                hand[held++] = (uint64_t)index + i;
            }
        } else if (held > 0) {
            uint64_t pick = check_below(&seed, held), index = hand[pick], n = 1;
            hand[pick] = hand[--held];
            for (uint64_t i = 0; i < held && n < LF_QUEUE_RUN && id != OTHER; i++)
                if (hand[i] == index + n) { /* its neighbour goes with it */
                    hand[i] = hand[--held];
                    n++;
                    i = UINT64_MAX;
                }
            CHECK_EQ(lf_queue_publish_run(&w.queues[id], index, n, 1), LF_OK);
            for (uint64_t i = 0; i < n; i++)
                model[id][(head[id] + count[id]++) % slots] = index + i;
        }
        CHECK_EQ(lf_queue_size(&w.queues[id]), count[id]);
    }
    CHECK_EQ(longest, slots < LF_QUEUE_RUN ? slots : LF_QUEUE_RUN);
    recover(&w, 1, 2);
    check_census(&w);
    check_unmap(w.memory, w.bytes);
}

/* A thread that stopped before it moved an end sets it back later, by any number of laps. Nobody is misled. */
static void test_ends_that_were_set_back(uint64_t slots, uint64_t start, uint64_t seed) {
    struct world w;
    uint64_t first = 0, next = 0, taken = 0, past[2][512];
    world_init(&w, slots, start);
    for (int i = 0; i < 512; i++)
        past[0][i] = past[1][i] = start;
    for (long round = 0; round < check_rounds(4000); round++) {
        struct lf_queue *q = &w.queues[RECORDS];
        int which = (int)check_below(&seed, 2);
        uint64_t *end = which ? &q->ends->head : &q->ends->tail;
        past[which][round % 512] = *end;
        if (check_below(&seed, 4) == 0)
            *end = past[which][check_below(&seed, round < 512 ? (uint64_t)round + 1 : 512)];
        CHECK_EQ(lf_queue_size(q), next - first);
        uint64_t most = 1 + check_below(&seed, LF_QUEUE_RUN), n = 0;
        int64_t index = check_below(&seed, 2) ? lf_queue_take_run(&w.queues[FREE], 1, most, &n) : (int64_t)LF_EMPTY;
        if (index >= 0) {
            for (uint64_t i = 0; i < n; i++)
                w.value[index + (int64_t)i] = next++;
            CHECK_EQ(lf_queue_publish_run(q, (uint64_t)index, n, 1), LF_OK);
        } else {
            index = lf_queue_take_run(q, 1, most, &n);
            CHECK(index >= 0 ? first < next : index == LF_EMPTY && first == next);
            if (index >= 0) {
                for (uint64_t i = 0; i < n; i++)
                    CHECK_EQ(w.value[index + (int64_t)i], first++);
                CHECK_EQ(lf_queue_publish_run(&w.queues[FREE], (uint64_t)index, n, 1), LF_OK);
                taken++;
            }
        }
        CHECK_EQ(lf_queue_is_whole(&w.queues[FREE]), first == next);
    }
    CHECK(taken > 0);
    check_census(&w);
    check_unmap(w.memory, w.bytes);
}

/* Cells that this library cannot have written: an answer, never a search without end. */
static void test_cells_that_cannot_be(uint64_t slots, uint64_t seed) {
    struct world w;
    world_init(&w, slots, 0);
    for (long round = 0; round < check_rounds(4000); round++) {
        struct lf_queue *q = &w.queues[check_below(&seed, 2)];
        q->cells[check_below(&seed, q->mask + 1)] = check_random(&seed);
        q->ends->head = check_random(&seed) >> check_below(&seed, 64);
        q->ends->tail = check_random(&seed) >> check_below(&seed, 64);
        int64_t index = lf_queue_take(q, 1);
        CHECK(index == LF_CORRUPT || index == LF_EMPTY || (index >= 0 && (uint64_t)index < slots));
        int status = lf_queue_publish(q, check_below(&seed, slots), 1);
        CHECK(status == LF_OK || status == LF_CORRUPT);
        CHECK(lf_queue_size(q) <= slots);
        lf_queue_is_whole(q);
    }
    check_unmap(w.memory, w.bytes);
}

/* ---- people who move values, and what is known about each value ---- */

enum fate { UNBORN, COMING, INSIDE, GONE, MAYBE };
/* COMING: in a put. INSIDE: must be delivered. GONE: delivered.
 * MAYBE: the put or the acknowledgement was cut off, so that both are right. */

enum { VALUES = 4096 };
static struct ledger {
    unsigned char fate[VALUES];
    uint64_t since[VALUES];             /* when it came to be INSIDE */
    uint64_t next;                      /* value */
    uint64_t clock, gets, running_gets; /* so many values can gets have had in hand */
} ledger;

struct person {
    struct world *w;
    uint32_t number;
    uint64_t lives; /* how many operations */
    uint64_t seed;
    uint32_t gone; /* recoverer: of whom */
};

static void put(struct person *p) {
    struct world *w = p->w;
    uint64_t most = 1 + check_below(&p->seed, LF_QUEUE_RUN), n = 0;
    int64_t index = lf_queue_take_run(&w->queues[FREE], p->number, most, &n);
    if (index == LF_EMPTY)
        return;
    CHECK(index >= 0 && n >= 1 && n <= most);
    uint64_t first = ledger.next;
    for (uint64_t i = 0; i < n; i++) {
        ledger.fate[ledger.next % VALUES] = COMING;
        w->value[index + (int64_t)i] = ledger.next++ % VALUES;
    }
    CHECK_EQ(lf_queue_publish_run(&w->queues[RECORDS], (uint64_t)index, n, p->number), LF_OK);
    for (uint64_t value = first; value < first + n; value++)
        if (ledger.fate[value % VALUES] == COMING) { /* it may have been taken by now */
            ledger.fate[value % VALUES] = INSIDE;
            ledger.since[value % VALUES] = ++ledger.clock;
        }
}

/* EMPTY over [from, now] is a lie if more values were inside all the time than other gets can have had in hand. */
static void check_empty(uint64_t from, uint64_t other_gets) {
    uint64_t inside = 0;
    for (uint64_t v = 0; v < ledger.next; v++)
        inside += ledger.fate[v] == INSIDE && ledger.since[v] <= from;
    CHECK(inside <= other_gets);
}

static void got(uint64_t value) {
    CHECK(ledger.fate[value] == COMING || ledger.fate[value] == INSIDE || ledger.fate[value] == MAYBE);
}

static void get(struct person *p, uint32_t lease) {
    struct world *w = p->w;
    uint64_t most = 1 + check_below(&p->seed, LF_QUEUE_RUN), n = 0, from = ledger.clock, others = ledger.running_gets;
    ledger.running_gets += most;
    uint64_t before = ledger.gets += most;
    int64_t index = lf_queue_take_run(&w->queues[RECORDS], p->number | lease, most, &n);
    ledger.running_gets -= most; /* not that of a killed one */
    if (index == LF_EMPTY) {
        check_empty(from, others + ledger.gets - before);
        return;
    }
    CHECK(index >= 0 && n >= 1 && n <= most);
    uint64_t values[LF_QUEUE_RUN];
    for (uint64_t i = 0; i < n; i++) {
        values[i] = w->value[index + (int64_t)i];
        got(values[i]);
        ledger.fate[values[i]] = lease ? MAYBE : GONE; /* acknowledged by what comes now */
    }
    CHECK_EQ(lf_queue_publish_run(&w->queues[FREE], (uint64_t)index, n, p->number), LF_OK);
    for (uint64_t i = 0; i < n; i++)
        ledger.fate[values[i]] = GONE;
}

static void live(void *argument) {
    struct person *p = (struct person *)argument;
    while (p->lives > 0) {
        uint64_t what = check_below(&p->seed, 4);
        p->lives--;
        if (what < 2)
            put(p);
        else
            get(p, what == 2 ? LF_LEASE : 0);
    }
}

static void do_recover(void *argument) {
    struct person *p = (struct person *)argument;
    recover(p->w, p->gone, p->number);
}

/* After everything has been recovered: all that must be inside is, nothing comes twice, no slot is missing.
 * `lost`: how many values a taker that died may have taken along without anybody having seen which. */
static void check_deliveries(struct world *w, int lost) {
    int missing = 0;
    int64_t index;
    CHECK_EQ(sizes(w), w->store.slots);
    while ((index = lf_queue_take(&w->queues[RECORDS], PEOPLE + 1)) >= 0) {
        got(w->value[index]);
        ledger.fate[w->value[index]] = GONE;
        CHECK_EQ(lf_queue_publish(&w->queues[FREE], (uint64_t)index, PEOPLE + 1), LF_OK);
    }
    CHECK_EQ(index, LF_EMPTY);
    for (uint64_t v = 0; v < ledger.next; v++)
        missing += ledger.fate[v] == INSIDE;
    CHECK(missing <= lost);
    check_census(w);
}

/* A world in the middle of its life: positions off the start, records inside, takers not written down yet. */
static void age(struct world *w, uint64_t seed, uint64_t records) {
    struct person p = {w, PEOPLE, check_below(&seed, 50), seed, 0};
    memset(&ledger, 0, sizeof ledger);
    live(&p);
    while (lf_queue_size(&w->queues[RECORDS]) > records)
        get(&p, 0);
    while (lf_queue_size(&w->queues[RECORDS]) < records)
        put(&p);
}

/* The victim is killed before its k-th step, the first recoverer before its j-th; survivors work in between. */
static void test_killed_at_every_step(uint64_t slots, uint64_t start, uint64_t seed) {
    struct world young, w;
    uint64_t cases = 0;
    world_init(&young, slots, start);
    world_init(&w, slots, start);
    age(&young, seed, check_below(&seed, slots + 1));
    struct ledger old = ledger;
    uint64_t victim_seed = check_random(&seed), between = check_below(&seed, 2 * slots + 2);
    for (uint64_t k = 1, victim_ended = 0; !victim_ended; k++) {
        for (uint64_t j = 1, recoverer_ended = 0; !recoverer_ended; j++) {
            struct person victim = {&w, 1, 1 + slots % 2, victim_seed, 0};
            struct person survivor = {&w, 2, between, seed, 0};
            struct person recoverer = {&w, 3, 0, 0, 1}, second = {&w, 4, 0, 0, 1};
            world_copy(&w, &young);
            ledger = old;
            victim_ended = (uint64_t)steps_until(k, live, &victim);
            live(&survivor);
            recoverer_ended = (uint64_t)steps_until(j, do_recover, &recoverer);
            survivor.lives = between;
            live(&survivor);
            do_recover(&second);
            second.gone = 3;
            do_recover(&second);
            for (uint64_t v = 0; v < ledger.next; v++) /* a put that was cut off */
                if (ledger.fate[v] == COMING)
                    ledger.fate[v] = MAYBE;
            check_deliveries(&w, victim_ended ? 0 : (int)LF_QUEUE_RUN);
            cases++;
        }
    }
    CHECK(cases > 20);
    check_unmap(w.memory, w.bytes);
    check_unmap(young.memory, young.bytes);
}

/* Leases of a dead taker come back once, in spite of a recoverer that is killed before its j-th step. */
static void test_leases_of_the_dead_come_back(uint64_t slots, uint64_t start) {
    for (uint64_t j = 1, ended = 0; !ended; j++) {
        struct world w;
        struct person p = {&w, 1, 0, 0, 0}, recoverer = {&w, 3, 0, 0, 1}, second = {&w, 4, 0, 0, 1};
        world_init(&w, slots, start);
        memset(&ledger, 0, sizeof ledger);
        for (uint64_t i = 0; i < slots; i++)
            put(&p);
        for (uint64_t i = 0; i < slots; i++)
            CHECK(lf_queue_take(&w.queues[RECORDS], 1 | (i % 2 == 0 ? LF_LEASE : 0)) >= 0);
        ended = (uint64_t)steps_until(j, do_recover, &recoverer);
        do_recover(&second);
        second.gone = 3;
        do_recover(&second);
        CHECK_EQ(lf_queue_size(&w.queues[RECORDS]), (slots + 1) / 2);
        CHECK_EQ(lf_queue_size(&w.queues[FREE]), slots / 2);
        check_deliveries(&w, (int)(slots / 2));
        check_unmap(w.memory, w.bytes);
    }
}

/* One participant killed before each step of a take while the queue is as full as it can be: the smallest form of what
 * a queue with no spare cell cannot survive. */
static void take_one(void *argument) {
    struct person *p = (struct person *)argument;
    lf_queue_take(&p->w->queues[FREE], p->number);
}
static void test_a_full_queue_outlives_a_killed_taker(uint64_t slots, uint64_t start) {
    for (uint64_t k = 1, ended = 0; !ended; k++) {
        struct world w;
        struct person p = {&w, 1, 0, 0, 0};
        world_init(&w, slots, start);
        ended = (uint64_t)steps_until(k, take_one, &p);
        recover(&w, 1, 2);
        check_census(&w);
        check_unmap(w.memory, w.bytes);
    }
}

#ifndef __SANITIZE_THREAD__ /* it does not follow a change of stacks */
/* Live people (two threads of one participant among them), a victim and its recoverers, in random interleavings. */
static void test_interleavings(uint64_t slots, uint64_t start, uint64_t seed, long rounds) {
    enum { FIBERS = 6, VICTIM = 0, FIRST = 4, SECOND = 5 };
    static struct steps_fiber fibers[FIBERS];
    struct world w;
    world_init(&w, slots, start);
    for (long round = 0; round < rounds; round++) {
        /* The victim's number 1; 2, 2 and 3 live on; 4 recovers the victim and may die; 5 recovers both. */
        static const uint32_t numbers[FIBERS] = {1, 2, 2, 3, 4, 5};
        struct person people[FIBERS];
        int runnable[FIBERS];
        uint64_t most = check_below(&seed, 3) ? 4 : 60; /* long enough for a lap of the cells */
        uint64_t victims_last = 1 + check_below(&seed, 30), firsts_last = 1 + check_below(&seed, 120);
        int64_t current = -1;
        age(&w, seed, check_below(&seed, slots + 1));
        for (int i = 0; i < FIBERS; i++) {
            struct person p = {&w, numbers[i], 1 + check_below(&seed, most), check_random(&seed), 1};
            people[i] = p;
            steps_prepare(&fibers[i], i < FIRST ? live : do_recover, &people[i]);
            runnable[i] = i < FIRST;
        }
        uint64_t switches = 2 + check_below(&seed, most); /* on average after so many steps */
        for (;;) {
            int candidates[FIBERS], n = 0;
            for (int i = 0; i < FIBERS; i++)
                if (runnable[i])
                    candidates[n++] = i;
            if (n == 0)
                break;
            if (current < 0 || !runnable[current] || check_below(&seed, switches) == 0)
                current = candidates[check_below(&seed, (uint64_t)n)];
            struct steps_fiber *fiber = &fibers[current];
            steps_resume(fiber);
            int killed = (current == VICTIM && --victims_last == 0) || (current == FIRST && --firsts_last == 0);
            if (fiber->done || killed) {
                runnable[current] = 0;
                if (current == VICTIM)
                    runnable[FIRST] = 1;
                if (current == FIRST)
                    runnable[SECOND] = 1;
            }
        }
        struct person last = {&w, 6, 0, 0, FIRST};
        do_recover(&last);
        for (uint64_t v = 0; v < ledger.next; v++)
            if (ledger.fate[v] == COMING)
                ledger.fate[v] = MAYBE;
        check_deliveries(&w, fibers[VICTIM].done ? 0 : (int)LF_QUEUE_RUN);
    }
    check_unmap(w.memory, w.bytes);
}
#endif

int main(void) {
    static const uint64_t slots[] = {1, 2, 3, 5, 8, 13, 15, 16, 17, 29, 31, 32};
    static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 20, (UINT64_C(1) << 42) - 20, (UINT64_C(1) << 52) - 20,
                                      UINT64_MAX - 20};
    unsigned stride = check_rounds(100) < 100 ? 3 : 1;
    for (unsigned s = 0; s < sizeof slots / sizeof *slots; s += stride) {
        for (unsigned t = 0; t < sizeof starts / sizeof *starts; t++) {
            test_takes_answer_as_a_model_does(slots[s], starts[t], s * 10 + t);
            test_a_full_queue_outlives_a_killed_taker(slots[s], starts[t]);
            test_ends_that_were_set_back(slots[s], starts[t], s * 10 + t);
            test_cells_that_cannot_be(slots[s], s * 10 + t);
            test_leases_of_the_dead_come_back(slots[s], starts[t]);
            for (long seed = 0; seed < check_rounds(slots[s] < 10 ? 8 : 2); seed++)
                test_killed_at_every_step(slots[s], starts[t], (uint64_t)seed * 100 + s * 10 + t);
#ifndef __SANITIZE_THREAD__
            test_interleavings(slots[s], starts[t], s * 10 + t, check_rounds(1200));
#endif
        }
    }
    return 0;
}
