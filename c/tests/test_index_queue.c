/* Index queues: against a model, killed at every step, recovered by recoverers that are killed at every step, and
 * interleaved with live operations at random. No index may be lost or be in two places; of the values that the
 * indices stand for each is delivered once, a leased one although its taker died. */
#include "steps.h"

#include "../include/lockfree/blocks/index_queue.h"

enum { FREE = LF__FREE, RECORDS = 1, OTHER = 2, QUEUES = 3, MAX_SLOTS = 40, PEOPLE = 8 };

struct world {
    struct lf_store store;
    struct lf_queue queues[QUEUES];
    unsigned char *memory;
    uint64_t bytes;
    uint64_t value[MAX_SLOTS]; /* what the slot's record says */
};

static void world_init(struct world *w, uint64_t slots, uint64_t start) {
    uint64_t queue_bytes = lf_queue_bytes(slots);
    memset(w, 0, sizeof *w);
    w->bytes = QUEUES * queue_bytes + lf_round_up(8 * slots, LF_CACHE_LINE);
    w->memory = check_map(w->bytes);
    w->store.custody = w->memory + QUEUES * queue_bytes;
    w->store.stride = 8;
    w->store.slots = slots;
    for (uint32_t id = 0; id < QUEUES; id++) {
        lf_queue_view(&w->queues[id], &w->store, id, w->memory + id * queue_bytes);
        lf_queue_init(&w->queues[id], start, id == FREE ? slots : 0);
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
    uint64_t model[QUEUES][MAX_SLOTS], head[QUEUES] = {0}, count[QUEUES] = {0}, hand[MAX_SLOTS], held = 0;
    world_init(&w, slots, start);
    for (uint64_t i = 0; i < slots; i++)
        model[FREE][i] = i;
    count[FREE] = slots;
    for (long round = 0; round < check_rounds(60000); round++) {
        uint32_t id = (uint32_t)check_below(&seed, QUEUES);
        if (check_below(&seed, 2)) {
            int64_t index = lf_queue_take(&w.queues[id], 1);
            if (count[id] == 0) {
                CHECK_EQ(index, LF_EMPTY);
                continue;
            }
            CHECK_EQ(index, model[id][head[id]]);
            head[id] = (head[id] + 1) % slots;
            count[id]--;
            hand[held++] = (uint64_t)index;
        } else if (held > 0) {
            uint64_t pick = check_below(&seed, held), index = hand[pick];
            hand[pick] = hand[--held];
            CHECK_EQ(lf_queue_publish(&w.queues[id], index, 1), LF_OK);
            model[id][(head[id] + count[id]) % slots] = index;
            count[id]++;
        }
        CHECK_EQ(lf_queue_size(&w.queues[id]), count[id]);
    }
    recover(&w, 1, 2);
    check_census(&w);
    check_unmap(w.memory, w.bytes);
}

/* A thread that stopped before it moved an end sets it back later, by any number of laps. Nobody is misled. */
static void test_ends_that_were_set_back(uint64_t slots, uint64_t start, uint64_t seed) {
    struct world w;
    uint64_t first = 0, next = 0, taken = 0;
    world_init(&w, slots, start);
    for (long round = 0; round < check_rounds(4000); round++) {
        struct lf_queue *q = &w.queues[RECORDS];
        uint64_t *end = check_below(&seed, 2) ? &q->ends->head : &q->ends->tail;
        if (check_below(&seed, 4) == 0 && *end - start < UINT64_C(1) << 32)
            *end -= check_below(&seed, *end - start + 1);
        CHECK_EQ(lf_queue_size(q), next - first);
        int64_t index = check_below(&seed, 2) ? lf_queue_take(&w.queues[FREE], 1) : (int64_t)LF_EMPTY;
        if (index >= 0) {
            w.value[index] = next++;
            CHECK_EQ(lf_queue_publish(q, (uint64_t)index, 1), LF_OK);
        } else {
            index = lf_queue_take(q, 1);
            CHECK(index >= 0 ? first < next : index == LF_EMPTY && first == next);
            if (index >= 0) {
                CHECK_EQ(w.value[index], first++);
                CHECK_EQ(lf_queue_publish(&w.queues[FREE], (uint64_t)index, 1), LF_OK);
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

enum fate { UNBORN, COMING, INSIDE, LEAVING, LEASED, GONE, MAYBE };
/* COMING: in a put. INSIDE: must be delivered. LEAVING: its taker may have it for good. GONE: delivered.
 * MAYBE: the put or the acknowledgement was cut off, so that both are right. */

enum { VALUES = 4096 };
static struct ledger {
    unsigned char fate[VALUES];
    uint64_t since[VALUES]; /* when it came to be INSIDE */
    uint64_t next;          /* value */
    uint64_t clock, gets, running_gets;
} ledger;

struct person {
    struct world *w;
    uint32_t number;
    uint64_t lives; /* how many operations */
    uint64_t seed;
    uint64_t in_hand; /* the value of the running operation */
    uint32_t gone;    /* recoverer: of whom */
};

static void put(struct person *p) {
    struct world *w = p->w;
    int64_t index = lf_queue_take(&w->queues[FREE], p->number);
    if (index == LF_EMPTY)
        return;
    CHECK(index >= 0);
    uint64_t value = ledger.next++ % VALUES;
    ledger.fate[value] = COMING;
    p->in_hand = value;
    w->value[index] = value;
    CHECK_EQ(lf_queue_publish(&w->queues[RECORDS], (uint64_t)index, p->number), LF_OK);
    if (ledger.fate[value] == COMING) { /* it may have been taken by now */
        ledger.fate[value] = INSIDE;
        ledger.since[value] = ++ledger.clock;
    }
    p->in_hand = 0;
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
    uint64_t from = ledger.clock, others = ledger.running_gets++, before = ++ledger.gets;
    int64_t index = lf_queue_take(&w->queues[RECORDS], p->number | lease);
    ledger.running_gets--; /* not that of a killed one */
    if (index == LF_EMPTY) {
        check_empty(from, others + ledger.gets - before);
        return;
    }
    CHECK(index >= 0);
    uint64_t value = w->value[index];
    got(value);
    ledger.fate[value] = lease ? LEASED : LEAVING;
    p->in_hand = value;
    ledger.fate[value] = lease ? MAYBE : GONE; /* acknowledged by what comes now */
    CHECK_EQ(lf_queue_publish(&w->queues[FREE], (uint64_t)index, p->number), LF_OK);
    ledger.fate[value] = GONE;
    p->in_hand = 0;
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
    for (uint64_t v = 0; v < ledger.next; v++) {
        CHECK(ledger.fate[v] != LEASED);
        missing += ledger.fate[v] == INSIDE;
    }
    CHECK(missing <= lost);
    check_census(w);
}

/* A world in the middle of its life: positions off the start, records inside, takers not written down yet. */
static void age(struct world *w, uint64_t seed, uint64_t records) {
    struct person p = {w, PEOPLE, check_below(&seed, 50), seed, 0, 0};
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
            struct person victim = {&w, 1, 1 + slots % 2, victim_seed, 0, 0};
            struct person survivor = {&w, 2, between, seed, 0, 0};
            struct person recoverer = {&w, 3, 0, 0, 0, 1}, second = {&w, 4, 0, 0, 0, 1};
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
            check_deliveries(&w, victim_ended ? 0 : 1);
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
        struct person p = {&w, 1, 0, 0, 0, 0}, recoverer = {&w, 3, 0, 0, 0, 1}, second = {&w, 4, 0, 0, 0, 1};
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
        struct person p = {&w, 1, 0, 0, 0, 0};
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
            struct person p = {&w, numbers[i], 1 + check_below(&seed, most), check_random(&seed), 0, 1};
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
        struct person last = {&w, 6, 0, 0, 0, FIRST};
        do_recover(&last);
        for (uint64_t v = 0; v < ledger.next; v++)
            if (ledger.fate[v] == COMING)
                ledger.fate[v] = MAYBE;
        check_deliveries(&w, fibers[VICTIM].done ? 0 : 1);
    }
    check_unmap(w.memory, w.bytes);
}
#endif

int main(void) {
    static const uint64_t slots[] = {1, 2, 3, 5, 8, 15, 16, 17, 31, 32};
    static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 20, (UINT64_C(1) << 46) - 20, (UINT64_C(1) << 52) - 20,
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
