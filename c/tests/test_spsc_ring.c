/* The SPSC ring: against a model, stopped before every step, interleaved, in threads, in processes that are killed,
 * asleep, and with rubbish in its memory. */
#include "steps.h"

#include "../include/lockfree/spsc_ring.h"

#include <pthread.h>
#include <sched.h>

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 100};
static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 46) - 3, UINT64_MAX - 2};
enum { CAPACITIES = 6, STARTS = 4 };

static unsigned char *create(struct lf_spsc_ring *r, uint64_t capacity, uint64_t record_size, uint64_t start) {
    uint64_t bytes;
    CHECK_EQ(lf_spsc_ring_bytes(capacity, record_size, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_spsc_ring_create_local(r, memory, capacity, record_size, start), LF_OK);
    r->h.participant = 1;
    return memory;
}
static void attach(struct lf_spsc_ring *r, void *memory, uint32_t participant) {
    CHECK_EQ(lf_segment_attach_local(&r->h, &lf_spsc_ring_kind, memory, participant), LF_OK);
}

/* A record of one number: LF_EMPTY, or 8. */
static int64_t get_number(struct lf_spsc_ring *r, uint64_t *number) {
    int64_t length = lf_spsc_ring_try_get(r, number);
    CHECK(length < 0 || length == 8);
    return length;
}

/* ---- one thread, beside a model ---- */

static void fill(unsigned char *record, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        record[i] = (unsigned char)(id * 31 + i * 7 + 1);
}
static void check_filled(const unsigned char *record, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        CHECK_EQ(record[i], (unsigned char)(id * 31 + i * 7 + 1));
}

static void test_answers_as_a_model_does(uint64_t capacity, uint64_t record_size, uint64_t start, uint64_t seed) {
    enum { BATCH = 6, ROOM = 64 };
    struct lf_spsc_ring r;
    unsigned char *memory = create(&r, capacity, record_size, start), buffer[BATCH * ROOM];
    uint64_t lengths[128], put = 0, got = 0, length; /* of records got..put-1, by id modulo 128 */
    for (long round = check_rounds(30000); round > 0; round--) {
        uint64_t n = check_below(&seed, BATCH + 1), free = capacity - (put - got), fits = n < free ? n : free;
        uint64_t ready = n < put - got ? n : put - got;
        uint32_t sizes[BATCH];
        unsigned char *at = buffer;
        enum lf_spsc_role role;
        int64_t slot;
        length = check_below(&seed, record_size + 1);
        switch (check_below(&seed, 9)) {
        case 0: /* one in */
            fill(buffer, put, length);
            slot = check_below(&seed, 2) ? lf_spsc_ring_try_put(&r, buffer, length)
                                         : lf_spsc_ring_put(&r, buffer, length, 0);
            CHECK_EQ(slot, free > 0 ? LF_OK : LF_FULL);
            if (free > 0)
                lengths[put++ % 128] = length;
            break;
        case 1: /* one out */
            slot = check_below(&seed, 2) ? lf_spsc_ring_try_get(&r, buffer) : lf_spsc_ring_get(&r, buffer, 0);
            CHECK_EQ(slot, put > got ? (int64_t)lengths[got % 128] : (int64_t)LF_EMPTY);
            if (put > got) {
                check_filled(buffer, got, lengths[got % 128]);
                got++;
            }
            break;
        case 2: /* several of one length, ROOM apart */
            for (uint64_t i = 0; i < n; i++)
                fill(buffer + i * ROOM, put + i, length);
            CHECK_EQ(lf_spsc_ring_put_many(&r, buffer, ROOM, length, NULL, n), (int64_t)fits);
            for (uint64_t i = 0; i < fits; i++)
                lengths[put++ % 128] = length;
            break;
        case 3: /* several of different lengths, packed */
            for (uint64_t i = 0; i < n; i++) {
                sizes[i] = (uint32_t)check_below(&seed, record_size + 1);
                fill(at, put + i, sizes[i]);
                at += sizes[i];
            }
            CHECK_EQ(lf_spsc_ring_put_many(&r, buffer, 0, 0, sizes, n), (int64_t)fits);
            for (uint64_t i = 0; i < fits; i++)
                lengths[put++ % 128] = sizes[i];
            break;
        case 4: /* several out, padded */
            memset(buffer, 0xee, sizeof buffer);
            CHECK_EQ(lf_spsc_ring_get_many(&r, buffer, ROOM, sizes, n), (int64_t)ready);
            for (uint64_t i = 0; i < ready; i++, got++) {
                CHECK_EQ(sizes[i], lengths[got % 128]);
                check_filled(buffer + i * ROOM, got, sizes[i]);
                for (uint64_t j = sizes[i]; j < ROOM; j++)
                    CHECK_EQ(buffer[i * ROOM + j], 0);
            }
            break;
        case 5: /* in place; perhaps not committed, in which case nothing happened */
            slot = lf_spsc_ring_reserve(&r);
            CHECK_EQ(slot >= 0 ? 0 : slot, free > 0 ? 0 : LF_FULL);
            if (slot < 0)
                break;
            CHECK_EQ((uintptr_t)lf_spsc_ring_payload(&r, slot) % 8, 0);
            memset(lf_spsc_ring_payload(&r, slot), 0xdd, record_size);
            if (check_below(&seed, 2))
                break;
            CHECK_EQ(lf_spsc_ring_reserve(&r), slot);
            fill(lf_spsc_ring_payload(&r, slot), put, length);
            CHECK_EQ(lf_spsc_ring_commit(&r, slot, record_size + 1), LF_TOO_LONG);
            CHECK_EQ(lf_spsc_ring_commit(&r, slot, length), LF_OK);
            CHECK_EQ(lf_spsc_ring_commit(&r, slot, length), LF_BUSY);
            lengths[put++ % 128] = length;
            if (put - got == capacity)
                break;
            slot = lf_spsc_ring_reserve(&r); /* and one that another put overtakes, once round the ring */
            for (uint64_t i = 0; i < capacity; i++) {
                CHECK_EQ(lf_spsc_ring_try_put(&r, buffer, 0), LF_OK);
                lengths[put++ % 128] = 0;
                while (put - got == capacity) {
                    CHECK_EQ(lf_spsc_ring_try_get(&r, buffer), lengths[got % 128]);
                    got++;
                }
            }
            CHECK_EQ(lf_spsc_ring_commit(&r, slot, 0), LF_BUSY);
            CHECK_EQ(lf_spsc_ring_cancel(&r, slot), LF_OK);
            break;
        case 6: /* a look in place; perhaps not taken out */
            slot = lf_spsc_ring_peek(&r, &length);
            CHECK_EQ(slot >= 0 ? 0 : slot, put > got ? 0 : LF_EMPTY);
            if (slot < 0)
                break;
            CHECK_EQ(length, lengths[got % 128]);
            check_filled(lf_spsc_ring_payload(&r, slot), got, length);
            if (check_below(&seed, 2))
                break;
            CHECK_EQ(lf_spsc_ring_release(&r, slot), LF_OK);
            CHECK_EQ(lf_spsc_ring_release(&r, slot), LF_BUSY);
            got++;
            break;
        case 7: /* what is refused changes nothing */
            CHECK_EQ(lf_spsc_ring_try_put(&r, buffer, record_size + 1), LF_TOO_LONG);
            CHECK_EQ(lf_spsc_ring_put(&r, buffer, record_size + 1, LF_FOREVER), LF_TOO_LONG);
            CHECK_EQ(lf_spsc_ring_put_many(&r, buffer, ROOM, record_size + 1, NULL, 1), LF_TOO_LONG);
            sizes[0] = 0;
            sizes[1] = (uint32_t)record_size + 1;
            CHECK_EQ(lf_spsc_ring_put_many(&r, buffer, 0, 0, sizes, 2), LF_TOO_LONG);
            CHECK(record_size == 0 || lf_spsc_ring_get_many(&r, buffer, record_size - 1, sizes, 1) == LF_INVALID);
            break;
        default: /* a new holder begins where the last one stopped */
            role = n % 2 ? LF_PRODUCER : LF_CONSUMER;
            slot = r.body->sides[role].holder != 0 ? LF_OK : LF_NOT_OWNER;
            CHECK_EQ(lf_spsc_ring_release_role(&r, role), slot);
            break;
        }
        CHECK_EQ(lf_spsc_ring_size(&r), put - got);
    }
    CHECK(put > capacity);
    check_unmap(memory, r.h.bytes);
}

static void test_geometry_out_of_bounds_is_refused(void) {
    uint64_t bytes;
    CHECK_EQ(lf_spsc_ring_bytes(0, 8, &bytes), LF_INVALID);
    CHECK_EQ(lf_spsc_ring_bytes(LF_SPSC_MAX_CAPACITY + 1, 8, &bytes), LF_INVALID);
    CHECK_EQ(lf_spsc_ring_bytes(1, LF_SPSC_MAX_RECORD + 1, &bytes), LF_INVALID);
    CHECK_EQ(lf_spsc_ring_bytes(LF_SPSC_MAX_CAPACITY, LF_SPSC_MAX_RECORD, &bytes), LF_INVALID);
    CHECK_EQ(lf_spsc_ring_bytes(1, 0, &bytes), LF_OK);
}

/* ---- roles ---- */

static struct lf_spsc_ring shared;

static void *put_from_a_thread(void *status) {
    uint64_t number = 7;
    *(int *)status = lf_spsc_ring_try_put(&shared, &number, 8);
    return NULL;
}
static int put_in_a_thread(void) {
    pthread_t thread;
    int status = 1;
    CHECK_EQ(pthread_create(&thread, NULL, put_from_a_thread, &status), 0);
    pthread_join(thread, NULL);
    return status;
}

static void test_a_role_has_one_holder_alive(void) {
    struct lf_spsc_ring other;
    uint64_t number = 0;
    unsigned char *memory = create(&shared, 8, 8, 0);
    attach(&other, memory, 2);
    CHECK_EQ(put_in_a_thread(), LF_OK); /* that thread has ended */
    CHECK_EQ(put_in_a_thread(), LF_OK);
    CHECK_EQ(lf_spsc_ring_try_put(&shared, &number, 8), LF_OK);
    CHECK_EQ(put_in_a_thread(), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_try_put(&other, &number, 8), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_put(&other, &number, 8, LF_FOREVER), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_reserve(&other), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_commit(&other, 3, 8), LF_BUSY);
    CHECK_EQ(lf_spsc_ring_put_many(&other, &number, 8, 8, NULL, 1), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_size(&other), 3);
    CHECK_EQ(get_number(&other, &number), 8); /* the roles are apart */
    CHECK_EQ(get_number(&shared, &number), LF_ROLE_TAKEN);
    CHECK_EQ(lf_spsc_ring_release(&shared, 1), LF_BUSY);
    CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_CONSUMER), LF_NOT_OWNER);
    CHECK_EQ(lf_spsc_ring_release_role(&other, LF_CONSUMER), LF_OK);
    CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_PRODUCER), LF_OK);
    CHECK_EQ(get_number(&shared, &number), 8);
    CHECK_EQ(put_in_a_thread(), LF_OK);
    CHECK_EQ(lf_spsc_ring_size(&other), 2);
    lf_recover_wholly(&other.h, 1); /* both were participant 1's */
    CHECK_EQ(lf_spsc_ring_try_put(&other, &number, 8), LF_OK);
    CHECK_EQ(get_number(&other, &number), 8);
    check_unmap(memory, other.h.bytes);
}

/* ---- stopped before every step ---- */

#ifndef __SANITIZE_THREAD__ /* one thread at a time: it has nothing to see; nor does it follow a change of stacks */
struct actor {
    struct lf_spsc_ring r;
    uint64_t next;  /* the number to put, or to expect */
    uint64_t count; /* calls to make */
    uint64_t seed;
    int successor; /* begins where the ring says */
};
static struct {
    uint64_t puts, gets; /* that returned */
} done;

static void put_numbers(void *argument) {
    struct actor *a = (struct actor *)argument;
    if (a->successor) {
        int64_t slot = lf_spsc_ring_reserve(&a->r);
        CHECK(slot >= 0 || slot == LF_FULL);
        done.puts = a->next = a->r.body->sides[LF_PRODUCER].position - a->r.start;
    }
    for (; a->count > 0; a->count--) {
        uint64_t gets = done.gets;
        int status = lf_spsc_ring_try_put(&a->r, &a->next, 8);
        if (status == LF_FULL) {
            CHECK(done.puts - gets >= a->r.capacity); /* exact */
            continue;
        }
        CHECK_EQ(status, LF_OK);
        a->next++;
        done.puts++;
    }
}

static void get_numbers(void *argument) {
    struct actor *a = (struct actor *)argument;
    uint64_t number = 0, length;
    if (a->successor) {
        int64_t slot = lf_spsc_ring_peek(&a->r, &length);
        CHECK(slot >= 0 || slot == LF_EMPTY);
        done.gets = a->next = a->r.body->sides[LF_CONSUMER].position - a->r.start;
    }
    for (; a->count > 0; a->count--) {
        uint64_t puts = done.puts;
        int64_t slot;
        if (check_below(&a->seed, 2)) {
            slot = get_number(&a->r, &number);
        } else if ((slot = lf_spsc_ring_peek(&a->r, &length)) >= 0) {
            CHECK_EQ(length, 8);
            memcpy(&number, lf_spsc_ring_payload(&a->r, slot), 8);
            CHECK_EQ(lf_spsc_ring_release(&a->r, slot), LF_OK);
        }
        if (slot == LF_EMPTY) {
            CHECK(puts <= done.gets); /* exact */
            continue;
        }
        CHECK(slot >= 0);
        CHECK_EQ(number, a->next);
        a->next++;
        done.gets++;
    }
}

/* 1 and 2 are producer and consumer; 3 and 4 take over their roles and may die, too; 5 and 6 live. */
enum { PEOPLE = 6 };
static void people(struct actor a[PEOPLE], unsigned char **memory, uint64_t capacity, uint64_t start, uint64_t seed) {
    memset(&done, 0, sizeof done);
    memset(a, 0, PEOPLE * sizeof *a);
    *memory = create(&a[0].r, capacity, 8, start);
    for (int i = 0; i < PEOPLE; i++) {
        if (i > 0)
            attach(&a[i].r, *memory, (uint32_t)i + 1);
        a[i].seed = seed + (uint64_t)i;
        a[i].successor = i >= 2;
    }
}
static void run(struct actor *a, void (*body)(void *), uint64_t count) {
    a->count = count;
    body(a);
}

static void check_all_numbers_arrive(struct actor *consumer) {
    run(consumer, get_numbers, 200);
    CHECK_EQ(consumer->next, done.puts);
    CHECK_EQ(lf_spsc_ring_size(&consumer->r), 0);
}

static void test_killed_before_every_step(uint64_t capacity, uint64_t start, uint64_t inside) {
    struct actor a[PEOPLE];
    unsigned char *memory;
    for (int role = 0; role < 2; role++) {
        void (*body)(void *) = role == 0 ? put_numbers : get_numbers;
        for (uint64_t k = 1, ended = 0; !ended; k++) {
            for (uint64_t j = 1, successor_ended = 0; !successor_ended; j++) {
                people(a, &memory, capacity, start, k + j);
                run(&a[0], put_numbers, inside + (role == 1));
                a[1].next = 0;
                a[role].count = 2;
                ended = (uint64_t)steps_until(k, body, &a[role]);
                lf_recover_wholly(&a[4].r.h, (uint32_t)role + 1);
                if (role == 0 && j == 1) { /* nothing is left, whether or not the dead one counted it */
                    run(&a[1], get_numbers, 50);
                    CHECK_EQ(lf_spsc_ring_size(&a[1].r), 0);
                }
                a[2 + role].count = 1;
                successor_ended = (uint64_t)steps_until(j, body, &a[2 + role]);
                lf_recover_wholly(&a[4].r.h, (uint32_t)role + 3);
                uint64_t known = a[role].next > a[2 + role].next ? a[role].next : a[2 + role].next;
                run(&a[4 + role], body, 0);
                CHECK(a[4 + role].next >= known && a[4 + role].next <= known + 1);
                run(&a[4 + role], body, 2);
                check_all_numbers_arrive(role == 0 ? &a[1] : &a[5]);
                check_unmap(memory, a[0].r.h.bytes);
            }
        }
    }
}

/* A batch of numbers from 100 on; and a take-over. Both are cut off at some step. */
static void put_batch(void *argument) {
    struct actor *a = (struct actor *)argument;
    uint64_t numbers[20];
    for (uint64_t i = 0; i < 20; i++)
        numbers[i] = 100 + i;
    lf_spsc_ring_put_many(&a->r, numbers, 8, 8, NULL, a->count);
}
static void take_over(void *argument) { lf_spsc_ring_reserve(&((struct actor *)argument)->r); }

/* Whatever was published of a batch that was cut off: the next producer's record follows what the consumer can see. */
static void test_a_batch_killed_before_every_step(uint64_t capacity, uint64_t start, uint64_t inside, uint64_t batch) {
    struct actor a[PEOPLE];
    unsigned char *memory;
    for (uint64_t k = 1, ended = 0; !ended; k++) {
        for (uint64_t j = 1, successor_ended = 0; !successor_ended; j++) {
            people(a, &memory, capacity, start, 0);
            for (uint64_t i = 0; i < inside; i++)
                CHECK_EQ(lf_spsc_ring_try_put(&a[0].r, &i, 8), LF_OK);
            a[0].count = batch;
            ended = (uint64_t)steps_until(k, put_batch, &a[0]);
            lf_recover_wholly(&a[5].r.h, 1);
            successor_ended = (uint64_t)steps_until(j, take_over, &a[2]);
            lf_recover_wholly(&a[5].r.h, 3);
            uint64_t got, number, room = capacity - inside < batch ? capacity - inside : batch;
            for (uint64_t i = 0; i < inside; i++)
                CHECK(get_number(&a[1].r, &got) == 8 && got == i);
            for (number = 100; get_number(&a[1].r, &got) == 8; number++)
                CHECK_EQ(got, number);
            CHECK(number == 100 || number == 116 || number == 100 + room); /* whole runs alone */
            CHECK(!ended || number == 100 + room);
            for (uint64_t i = 0; i < 2 * capacity + 2; i++) { /* one at a time: nothing is behind it */
                CHECK_EQ(lf_spsc_ring_try_put(&a[4].r, &i, 8), LF_OK);
                CHECK(get_number(&a[1].r, &got) == 8 && got == i);
                CHECK_EQ(get_number(&a[1].r, &got), LF_EMPTY);
            }
            check_unmap(memory, a[0].r.h.bytes);
        }
    }
}

static void test_interleavings(uint64_t capacity, uint64_t start, uint64_t seed) {
    static struct steps_fiber fibers[PEOPLE];
    struct actor a[PEOPLE];
    unsigned char *memory;
    for (long round = check_rounds(1500); round > 0; round--) {
        int runnable[PEOPLE] = {1, 1, 0, 0, 0, 0}, current = 0, left = 2;
        uint64_t until[PEOPLE], switches = 1 + check_below(&seed, 20);
        people(a, &memory, capacity, start, check_random(&seed));
        for (int i = 0; i < PEOPLE; i++) {
            a[i].count = 1 + check_below(&seed, 12);
            until[i] = i < 4 ? 1 + check_below(&seed, 150) : UINT64_MAX;
            steps_prepare(&fibers[i], i % 2 == 0 ? put_numbers : get_numbers, &a[i]);
        }
        while (left > 0) {
            if (!runnable[current] || check_below(&seed, switches) == 0)
                do
                    current = (int)check_below(&seed, PEOPLE);
                while (!runnable[current]);
            steps_resume(&fibers[current]);
            if (fibers[current].done || --until[current] == 0) {
                runnable[current] = 0;
                left--;
                if (current < 4) {
                    lf_recover_wholly(&a[5].r.h, (uint32_t)current + 1); /* of one that left, or died */
                    runnable[current + 2] = 1;
                    left++;
                }
            }
        }
        check_all_numbers_arrive(&a[5]);
        check_unmap(memory, a[0].r.h.bytes);
    }
}
#endif

/* ---- threads ---- */

static uint64_t length_of(uint64_t id, uint64_t record_size) { return id * 7 % (record_size + 1); }

/* Puts records first..last-1 with waiting, single, in place and in batches. */
static void put_range(struct lf_spsc_ring *r, uint64_t first, uint64_t last, uint64_t *published) {
    enum { BATCH = 7, ROOM = 64 };
    unsigned char buffer[BATCH * ROOM];
    uint64_t seed = first;
    while (first < last) {
        int64_t n = 0;
        uint64_t length = length_of(first, r->record_size), batch = 1 + check_below(&seed, BATCH);
        uint32_t sizes[BATCH];
        unsigned char *at = buffer;
        switch (check_below(&seed, 3)) {
        case 0:
            fill(buffer, first, length);
            n = lf_spsc_ring_put(r, buffer, length, LF_FOREVER);
            n = n == LF_OK ? 1 : n == LF_INTERRUPTED ? 0 : n;
            break;
        case 1:
            n = lf_spsc_ring_reserve_wait(r, lf_now() + 1000000000u);
            CHECK(n != LF_FULL || lf_spsc_ring_size(r) > 0); /* the other side may have been killed */
            if (n == LF_INTERRUPTED || n == LF_FULL) {
                n = 0;
            } else if (n >= 0) {
                fill(lf_spsc_ring_payload(r, n), first, length);
                CHECK_EQ(lf_spsc_ring_commit(r, n, length), LF_OK);
                n = 1;
            }
            break;
        default:
            batch = batch < last - first ? batch : last - first;
            for (uint64_t i = 0; i < batch; i++) {
                sizes[i] = (uint32_t)length_of(first + i, r->record_size);
                fill(at, first + i, sizes[i]);
                at += sizes[i];
            }
            n = lf_spsc_ring_put_many(r, buffer, 0, 0, sizes, batch);
            break;
        }
        CHECK(n >= 0);
        if (n == 0)
            sched_yield(); /* the other side may need this core */
        first += (uint64_t)n;
        if (published != NULL)
            lf_store_release(published, first);
    }
}

/* Gets records first..last-1 and checks them. */
static void get_range(struct lf_spsc_ring *r, uint64_t first, uint64_t last, uint64_t *seen) {
    const uint64_t BATCH = 7, ROOM = 64;
    unsigned char buffer[7 * 64];
    uint64_t seed = first + 1, length;
    while (first < last) {
        int64_t n = 0, slot;
        uint32_t sizes[7];
        switch (check_below(&seed, 3)) {
        case 0:
            slot = lf_spsc_ring_get(r, buffer, LF_FOREVER);
            if (slot == LF_INTERRUPTED)
                break;
            CHECK_EQ(slot, length_of(first, r->record_size));
            check_filled(buffer, first, (uint64_t)slot);
            n = 1;
            break;
        case 1:
            slot = lf_spsc_ring_peek_wait(r, &length, lf_now() + 1000000000u);
            if (slot == LF_INTERRUPTED || slot == LF_EMPTY)
                break;
            CHECK(slot >= 0);
            CHECK_EQ(length, length_of(first, r->record_size));
            check_filled(lf_spsc_ring_payload(r, slot), first, length);
            if (seen != NULL)
                lf_store_release(seen, first); /* a look is not a get: until the release it comes again */
            CHECK_EQ(lf_spsc_ring_release(r, slot), LF_OK);
            n = 1;
            break;
        default:
            n = lf_spsc_ring_get_many(r, buffer, ROOM, sizes, BATCH < last - first ? BATCH : last - first);
            CHECK(n >= 0);
            for (int64_t i = 0; i < n; i++) {
                CHECK_EQ(sizes[i], length_of(first + (uint64_t)i, r->record_size));
                check_filled(buffer + (uint64_t)i * ROOM, first + (uint64_t)i, sizes[i]);
            }
            break;
        }
        if (n == 0)
            sched_yield();
        first += (uint64_t)n;
        if (seen != NULL)
            lf_store_release(seen, first);
    }
}

static uint64_t total;
static void *put_all(void *r) {
    put_range((struct lf_spsc_ring *)r, 0, total, NULL);
    return NULL;
}

static void test_two_threads_keep_the_order(uint64_t capacity, uint64_t start) {
    pthread_t thread;
    unsigned char *memory = create(&shared, capacity, 61, start);
    total = (uint64_t)check_rounds(8000);
    CHECK_EQ(pthread_create(&thread, NULL, put_all, &shared), 0);
    get_range(&shared, 0, total, NULL);
    pthread_join(thread, NULL);
    CHECK_EQ(lf_spsc_ring_size(&shared), 0);
    check_unmap(memory, shared.h.bytes);
}

/* ---- sleeping ---- */

static void *get_for_ever(void *status) {
    uint64_t number;
    int64_t answer;
    do
        answer = lf_spsc_ring_get(&shared, &number, LF_FOREVER);
    while (answer == LF_INTERRUPTED);
    *(int64_t *)status = answer;
    return NULL;
}

static void test_deadlines_and_the_end(void) {
    uint64_t number = 1, before = lf_now();
    int64_t status = 1;
    pthread_t thread;
    unsigned char *memory = create(&shared, 1, 8, 0);
    CHECK_EQ(lf_spsc_ring_get(&shared, &number, before + 30000000u), LF_EMPTY);
    CHECK(lf_now() - before >= 30000000u);
    CHECK_EQ(lf_spsc_ring_put(&shared, &number, 8, lf_now() + 1000000u), LF_OK);
    before = lf_now();
    CHECK_EQ(lf_spsc_ring_put(&shared, &number, 8, before + 30000000u), LF_FULL);
    CHECK(lf_now() - before >= 30000000u);
    CHECK_EQ(lf_spsc_ring_get(&shared, &number, LF_FOREVER), 8);
    before = lf_now();
    CHECK_EQ(lf_spsc_ring_get(&shared, &number, LF_FOREVER), LF_INTERRUPTED); /* so that signals are served */
    CHECK(lf_now() - before < CHECK_STUCK);
    lf_spsc_ring_release_role(&shared, LF_CONSUMER);

    CHECK_EQ(pthread_create(&thread, NULL, get_for_ever, &status), 0);
    check_sleep(10000000);
    CHECK_EQ(lf_spsc_ring_put(&shared, &number, 8, LF_FOREVER), LF_OK);
    pthread_join(thread, NULL);
    CHECK_EQ(status, 8);
    CHECK_EQ(pthread_create(&thread, NULL, get_for_ever, &status), 0);
    check_sleep(10000000);
    lf_spsc_ring_close(&shared);
    pthread_join(thread, NULL);
    CHECK_EQ(status, LF_CLOSED);
    CHECK_EQ(lf_spsc_ring_try_put(&shared, &number, 8), LF_CLOSED);

    attach(&shared, memory, 2);
    lf_recover_wholly(&shared.h, 1);
    CHECK_EQ(pthread_create(&thread, NULL, get_for_ever, &status), 0);
    check_sleep(10000000);
    lf_spsc_ring_shutdown(&shared, 1);
    pthread_join(thread, NULL);
    CHECK_EQ(status, LF_CLOSED);
    CHECK_EQ(get_number(&shared, &number), LF_CLOSED);
    CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_PRODUCER), LF_CLOSED);
    check_unmap(memory, shared.h.bytes);
}

/* ---- processes, and their death ---- */

static struct board {
    uint64_t began, published, seen;
} *board;

static void child_puts(void *until) {
    CHECK_EQ(lf_after_fork(&shared.h), LF_OK);
    lf_store_release(&board->began, (uint64_t)1);
    put_range(&shared, board->published, *(uint64_t *)until, &board->published);
}
static void child_gets(void *until) {
    CHECK_EQ(lf_after_fork(&shared.h), LF_OK);
    lf_store_release(&board->began, (uint64_t)1);
    get_range(&shared, board->seen, *(uint64_t *)until, &board->seen);
}
static pid_t begin(void (*body)(void *), uint64_t until) {
    lf_store_release(&board->began, (uint64_t)0);
    pid_t child = check_fork(body, &until);
    while (lf_load_acquire(&board->began) == 0)
        check_sleep(20000);
    return child;
}

static void test_two_processes_keep_the_order(uint64_t capacity) {
    CHECK_EQ(lf_spsc_ring_create(&shared, NULL, capacity, 61, UINT64_C(0xffffff00)), LF_OK);
    memset(board, 0, sizeof *board);
    total = (uint64_t)check_rounds(8000);
    pid_t child = begin(child_puts, total);
    get_range(&shared, 0, total, &board->seen);
    check_join(child);
    CHECK_EQ(lf_spsc_ring_size(&shared), 0);
    lf_detach(&shared.h);
}

/* Producers one after the other are killed at any moment; we get, and the next one puts at once. */
static void test_killed_producers(uint64_t capacity, uint64_t seed) {
    CHECK_EQ(lf_spsc_ring_create(&shared, NULL, capacity, 61, UINT64_MAX - 1000), LF_OK);
    memset(board, 0, sizeof *board);
    for (long round = check_rounds(120); round > 0; round--) {
        pid_t child = begin(child_puts, UINT64_MAX);
        uint64_t before = board->seen;
        get_range(&shared, before, before + check_below(&seed, 20), &board->seen);
        check_sleep(check_below(&seed, 200000));
        check_kill(child);
        uint64_t inside = lf_spsc_ring_size(&shared);
        if (round % 2) { /* somebody puts at once */
            CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_PRODUCER), LF_NOT_OWNER);
            int64_t slot = lf_spsc_ring_reserve(&shared);
            CHECK(slot >= 0 || slot == LF_FULL);
            inside = lf_spsc_ring_size(&shared); /* and it is exact again */
            CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_PRODUCER), LF_OK);
        }
        before = board->seen;
        get_range(&shared, before, before + inside, &board->seen);
        CHECK(board->published <= board->seen + 1 - (uint64_t)(round % 2)); /* the last one may not be counted yet */
        unsigned char record[61];
        int64_t length;
        for (int more = 0; (length = lf_spsc_ring_try_get(&shared, record)) != LF_EMPTY; more++) {
            CHECK(round % 2 == 0 &&
                  more < 7); /* published, and their producer's position is not: a batch that was cut off */
            check_filled(record, board->seen++, (uint64_t)length);
        }
        CHECK(board->seen <= board->published + 7); /* a call that was cut off */
        board->published = board->seen;
    }
    lf_detach(&shared.h);
}

/* Consumers one after the other are killed at any moment. */
static void test_killed_consumers(uint64_t capacity, uint64_t seed) {
    CHECK_EQ(lf_spsc_ring_create(&shared, NULL, capacity, 61, UINT64_C(0xffffff00)), LF_OK);
    memset(board, 0, sizeof *board);
    for (long round = check_rounds(120); round > 0; round--) {
        pid_t child = begin(child_gets, UINT64_MAX);
        put_range(&shared, board->published, board->published + 1 + check_below(&seed, 20), &board->published);
        check_sleep(check_below(&seed, 200000));
        check_kill(child);
        uint64_t length = 0;
        int64_t slot = lf_spsc_ring_peek(&shared, &length); /* at once */
        CHECK(slot >= 0 || slot == LF_EMPTY);
        /* Nothing comes twice, and what is missing is what the dead one had taken and not yet told of. */
        uint64_t next = board->published - lf_spsc_ring_size(&shared);
        CHECK(next >= board->seen && next <= board->seen + 7);
        if (slot >= 0) {
            CHECK_EQ(length, length_of(next, 61));
            check_filled(lf_spsc_ring_payload(&shared, slot), next, length);
        }
        board->seen = next;
        CHECK_EQ(lf_spsc_ring_release_role(&shared, LF_CONSUMER), LF_OK);
    }
    get_range(&shared, board->seen, board->published, &board->seen);
    CHECK_EQ(lf_spsc_ring_size(&shared), 0);
    lf_detach(&shared.h);
}

static void test_a_taken_role_over_processes(void) {
    uint64_t number = 0;
    CHECK_EQ(lf_spsc_ring_create(&shared, NULL, 4, 61, 0), LF_OK);
    memset(board, 0, sizeof *board);
    pid_t child = begin(child_puts, UINT64_MAX);
    while (lf_load_acquire(&board->published) < 4)
        check_sleep(100000);
    CHECK_EQ(lf_spsc_ring_try_put(&shared, &number, 8), LF_ROLE_TAKEN);
    check_kill(child);
    CHECK_EQ(lf_spsc_ring_try_put(&shared, &number, 8), LF_FULL);
    lf_detach(&shared.h);
}

/* ---- rubbish ---- */

/* A claim that finds no place to go on from does not keep the role either. */
static void test_a_refused_claim_leaves_the_role_free(void) {
    struct lf_spsc_ring r;
    unsigned char *memory = create(&r, 4, 8, 0);
    uint64_t record = 1;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(lf_spsc_ring_try_put(&r, &record, 8), LF_OK);
    CHECK_EQ(lf_spsc_ring_release_role(&r, LF_PRODUCER), LF_OK);
    r.body->sides[LF_PRODUCER].position += UINT64_C(1) << 20; /* no death leaves that */
    CHECK_EQ(lf_spsc_ring_try_put(&r, &record, 8), LF_CORRUPT);
    CHECK_EQ(r.body->sides[LF_PRODUCER].holder, 0);
    check_unmap(memory, r.h.bytes);
}

static void test_rubbish_is_survived(uint64_t capacity, uint64_t seed) {
    struct lf_spsc_ring r;
    unsigned char *memory = create(&r, capacity, 20, 0), buffer[8 * 20] = {0};
    uint32_t sizes[8];
    uint64_t length, body = (uint64_t)(r.h.body - memory), refused = 0;
    *lf__spsc_word(&r, 0) ^= UINT64_C(1) << 50; /* of no position that this slot can have */
    CHECK_EQ(lf_spsc_ring_try_put(&r, buffer, 1), LF_CORRUPT);
    CHECK_EQ(lf_spsc_ring_try_get(&r, buffer), LF_CORRUPT);
    for (long round = check_rounds(8000); round > 0; round--) {
        for (uint64_t n = check_below(&seed, 4); n > 0; n--) {
            uint64_t at = body + check_below(&seed, r.h.bytes - LF_BODY_OFFSET);
            memory[at] = (unsigned char)check_random(&seed);
        }
        for (int role = 0; role < 2; role++) /* else every call would be refused at the door */
            if (check_below(&seed, 8))
                r.body->sides[role].holder = lf_role_me(&r.h);
            else
                r.body->sides[role].holder = 0;
        int64_t answers[] = {lf_spsc_ring_try_put(&r, buffer, check_below(&seed, 21)),
                             lf_spsc_ring_try_get(&r, buffer),
                             lf_spsc_ring_put_many(&r, buffer, 20, 20, NULL, 8),
                             lf_spsc_ring_get_many(&r, buffer, 20, sizes, 8),
                             lf_spsc_ring_put(&r, buffer, 20, 1),
                             lf_spsc_ring_get(&r, buffer, 1),
                             lf_spsc_ring_reserve(&r),
                             lf_spsc_ring_peek(&r, &length)};
        for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
            CHECK(answers[i] >= 0 || answers[i] == LF_FULL || answers[i] == LF_EMPTY || answers[i] == LF_CORRUPT);
            refused += answers[i] == LF_CORRUPT;
        }
        CHECK(lf_spsc_ring_size(&r) <= capacity);
        if (check_below(&seed, 4) == 0) {
            memset(r.h.body, 0, r.h.bytes - LF_BODY_OFFSET);
            lf__spsc_layout(&r);
        }
    }
    CHECK(refused > 0);
    check_unmap(memory, r.h.bytes);
}

int main(void) {
    alarm(CHECK_STUCK_S);
    board = (struct board *)(void *)check_map(sizeof *board);
    test_a_refused_claim_leaves_the_role_free();
    test_geometry_out_of_bounds_is_refused();
    for (unsigned i = 0; i < CAPACITIES * STARTS; i++) {
        uint64_t capacity = capacities[i / STARTS], start = starts[i % STARTS];
        test_answers_as_a_model_does(capacity, i % 3 == 0 ? 0 : i % 3 == 1 ? 13 : 64, start, i);
#ifndef __SANITIZE_THREAD__
        if (capacity <= 8) {
            test_killed_before_every_step(capacity, start, i % (capacity + 1));
            test_killed_before_every_step(capacity, start, capacity);
            test_a_batch_killed_before_every_step(capacity, start, i % capacity, 1 + i % 5);
        }
        if (capacity <= 3)
            test_interleavings(capacity, start, i);
        if (capacity > 20 && i % STARTS == 1)
            test_a_batch_killed_before_every_step(capacity, start, i % 8, 20);
#endif
        if (i % STARTS < 2)
            test_two_threads_keep_the_order(capacity, start);
        test_rubbish_is_survived(capacity, i);
    }
    test_a_role_has_one_holder_alive();
    test_deadlines_and_the_end();
    test_a_taken_role_over_processes();
    for (unsigned i = 0; i < CAPACITIES; i += 2) {
        test_two_processes_keep_the_order(capacities[i]);
        test_killed_producers(capacities[i], i);
        test_killed_consumers(capacities[i + 1], i);
    }
    return 0;
}
