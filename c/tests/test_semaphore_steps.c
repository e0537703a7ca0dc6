/* Semaphore: killed before every atomic step, recovered by recoverers that are killed before every step, and
 * interleaved at random with live operations. Permits of the dead come back exactly, and never one too many. */
#define LF_PARTICIPANTS 16u
#define LF_SEATS 8u /* so that every step of a recovery can be tried */
#include "steps.h"

#undef lf_fetch_add_relaxed
#undef lf_fetch_or_seq_cst
#undef lf_exchange_acquire
#undef lf_exchange_release
#define lf_fetch_add_relaxed(p, v) (steps_step(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define lf_fetch_or_seq_cst(p, v) (steps_step(), __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#define lf_exchange_acquire(p, v) (steps_step(), __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define lf_exchange_release(p, v) (steps_step(), __atomic_exchange_n((p), (v), __ATOMIC_RELEASE))

#include "../include/lockfree/semaphore.h"

enum { PEOPLE = 6 };

struct world {
    unsigned char *memory;
    struct lf_semaphore as[PEOPLE]; /* as[p]: the semaphore in the hands of participant p */
};

static void world_make(struct world *w) { w->memory = check_map(LF_SEMAPHORE_BYTES); }

static void world_init(struct world *w, uint64_t value, uint64_t max, uint32_t start) {
    memset(w->memory, 0, LF_SEMAPHORE_BYTES);
    CHECK_EQ(lf_semaphore_create_local(&w->as[0], w->memory, value, max, start), LF_OK);
    for (uint32_t p = 1; p < PEOPLE; p++)
        CHECK_EQ(lf_segment_attach_local(&w->as[p].h, &lf_semaphore_kind, w->memory, p), LF_OK);
}

static int64_t balance_of(struct world *w, uint32_t p) {
    int32_t balances[LF_PARTICIPANTS];
    lf__sem_help(&w->as[0], w->as[0].body->word);
    lf__sem_balances(&w->as[0], balances);
    return balances[p];
}
static uint32_t seats_of(struct world *w, uint32_t p) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < LF_SEATS; i++)
        count += (w->as[0].body->seats[i].claim & LF__SEAT_PARTICIPANT) == p;
    return count;
}
static void give_back(struct world *w, uint32_t recoverer, uint32_t gone) {
    lf_recover_wholly(&w->as[recoverer].h, gone);
}

/* ---- one victim, every step; one recoverer, every step ---- */

static void victim_script(void *argument) {
    struct lf_semaphore *s = (struct lf_semaphore *)argument;
    CHECK_EQ(lf_semaphore_try_acquire(s, 2), LF_OK);
    CHECK_EQ(lf_semaphore_release(s, 1), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(s, 5), LF_TIMEDOUT);
    CHECK_EQ(lf_semaphore_try_acquire(s, 3), LF_OK);
    CHECK_EQ(lf_semaphore_release(s, 4), LF_OK);
}

/* A participant with two seats, as its threads leave them: it took 3 in one and gave 2 back in the other. */
static void two_seated_script(void *argument) {
    struct lf_semaphore *s = (struct lf_semaphore *)argument;
    int64_t first = lf__sem_sit_down(s), second = lf__sem_sit_down(s);
    CHECK(first >= 0 && second >= 0 && first != second);
    CHECK_EQ(lf__sem_change(s, (uint32_t)first, -3, (int64_t)s->max), LF_OK);
    lf__sem_stand_up(s, first);
    CHECK_EQ(lf__sem_change(s, (uint32_t)second, 2, (int64_t)s->max), LF_OK);
    lf__sem_stand_up(s, second);
}

struct recovery {
    struct world *w;
    uint32_t recoverer, gone;
};
static void run_recovery(void *argument) {
    struct recovery *r = (struct recovery *)argument;
    give_back(r->w, r->recoverer, r->gone);
}

static void test_death_and_recovery_at_every_step(void (*script)(void *), uint32_t start, uint64_t least_steps) {
    struct world w;
    uint64_t kills = 0;
    world_make(&w);
    for (uint64_t k = 1, lived = 0; !lived; k++) {
        for (uint64_t j = 1, recovered = 0; !recovered; j++) {
            struct recovery first = {&w, 3, 2};
            world_init(&w, 6, 9, start);
            CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 1), LF_OK);
            lived = (uint64_t)steps_until(k, script, &w.as[2]);
            recovered = (uint64_t)steps_until(j, run_recovery, &first);
            if (j % 2) { /* life goes on between the recoverers */
                CHECK_EQ(lf_semaphore_try_acquire(&w.as[4], 1), LF_OK);
                CHECK_EQ(lf_semaphore_release(&w.as[4], 1), LF_OK);
            }
            give_back(&w, 1, 2);
            CHECK_EQ(lf_semaphore_value(&w.as[0]), 5);
            CHECK_EQ(balance_of(&w, 1), 1);
            CHECK_EQ(seats_of(&w, 2), 0);
            CHECK_EQ(w.as[0].body->debt, 0);
            give_back(&w, 1, 2); /* nothing is left to give back */
            CHECK_EQ(lf_semaphore_value(&w.as[0]), 5);
            CHECK_EQ(lf_semaphore_release(&w.as[1], 1), LF_OK);
            give_back(&w, 4, 1);
            CHECK_EQ(lf_semaphore_value(&w.as[0]), 6);
            kills++;
        }
    }
    CHECK(kills > least_steps);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* ---- the turnstile: after a death in it, the next one passes ---- */

static void turnstile_script(void *argument) {
    struct lf_semaphore *s = (struct lf_semaphore *)argument;
    CHECK_EQ(lf_semaphore_acquire(s, 2, LF_FOREVER), LF_OK);
}

static void test_death_in_the_turnstile(void) {
    struct world w;
    world_make(&w);
    for (uint64_t k = 1, lived = 0; !lived; k++) {
        world_init(&w, 2, 2, 0);
        w.as[2].body->turnstile = LF__LOCK_WAITERS; /* others were there before: it has to go through */
        lived = (uint64_t)steps_until(k, turnstile_script, &w.as[2]);
        give_back(&w, 3, 2);
        CHECK_EQ(lf_semaphore_acquire(&w.as[4], 2, lf_now() + CHECK_STUCK), LF_OK);
        CHECK_EQ(lf_semaphore_release(&w.as[4], 2), LF_OK);
        CHECK_EQ(lf_semaphore_value(&w.as[4]), 2);
        CHECK(k < 1000);
    }
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* The last holder died, and the next one closes its handle at any instant: the one after that still gets through. */
static void closing_script(void *argument) {
    struct lf_semaphore *s = (struct lf_semaphore *)argument;
    int status = lf_semaphore_acquire(s, 2, LF_FOREVER);
    CHECK(status == LF_OK || status == LF_CLOSED);
}

static void test_closing_in_the_turnstile(void) {
    struct world w;
    static struct steps_fiber closing;
    world_make(&w);
    for (uint64_t k = 0, lived = 0; !lived; k++) {
        world_init(&w, 2, 2, 0);
        w.as[2].body->turnstile = LF__LOCK_DIED | LF__LOCK_WAITERS;
        steps_prepare(&closing, closing_script, &w.as[2]);
        for (uint64_t i = 0; i < k && !closing.done; i++)
            steps_resume(&closing);
        lived = (uint64_t)closing.done;
        lf_semaphore_close(&w.as[2]);
        while (!closing.done)
            steps_resume(&closing);
        give_back(&w, 3, 2); /* it leaves */
        CHECK_EQ(lf_semaphore_acquire(&w.as[4], 2, lf_now() + CHECK_STUCK), LF_OK);
        CHECK_EQ(lf_semaphore_release(&w.as[4], 2), LF_OK);
        CHECK_EQ(lf_semaphore_value(&w.as[4]), 2);
        CHECK(k < 1000);
    }
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* ---- interleavings ---- */

enum { INITIAL = 4 };

struct life {
    struct world *w;
    uint32_t participant;
    uint64_t seed;
    int64_t surely_held; /* acquired for certain and not yet on its way back */
};

static void live(void *argument) {
    struct life *life = (struct life *)argument;
    struct lf_semaphore *s = &life->w->as[life->participant];
    for (int i = 0; i < 6; i++) {
        uint64_t n = 1 + check_below(&life->seed, 3);
        /* as another thread of the participant would: permits are taken in one seat and given back in another */
        int64_t other_seats[3];
        uint64_t others = check_below(&life->seed, 4);
        for (uint64_t j = 0; j < others; j++)
            if ((other_seats[j] = lf__sem_sit_down(s)) < 0)
                others = j;
        if (life->surely_held > 0 && check_below(&life->seed, 2)) {
            if ((int64_t)n > life->surely_held)
                n = (uint64_t)life->surely_held;
            life->surely_held -= (int64_t)n;
            int status;
            while ((status = lf_semaphore_release(s, n)) == LF_BUSY) { /* its own seats are in the way */
                CHECK(others > 0);
                lf__sem_stand_up(s, other_seats[--others]);
            }
            CHECK_EQ(status, LF_OK);
        } else {
            int status = lf_semaphore_try_acquire(s, n);
            CHECK(status == LF_OK || status == LF_TIMEDOUT || status == LF_BUSY);
            life->surely_held += status == LF_OK ? (int64_t)n : 0;
        }
        for (uint64_t j = 0; j < others; j++)
            lf__sem_stand_up(s, other_seats[j]);
    }
}

static void test_recovery_among_the_living(long rounds) {
    static struct steps_fiber fibers[5];
    struct world w;
    uint64_t seed = 7, dead_held = 0;
    world_make(&w);
    for (long round = 0; round < rounds; round++) {
        world_init(&w, INITIAL, INITIAL, round % 3 ? (uint32_t)(-(int32_t)check_below(&seed, 8)) : 0);
        struct life lives[3];
        for (uint32_t i = 0; i < 3; i++) {
            struct life life = {&w, i + 1, check_random(&seed), 0};
            lives[i] = life;
        }
        struct recovery recoveries[2] = {{&w, 4, 3}, {&w, 5, 3}};
        for (int i = 0; i < 3; i++)
            steps_prepare(&fibers[i], live, &lives[i]);
        for (int i = 0; i < 2; i++)
            steps_prepare(&fibers[3 + i], run_recovery, &recoveries[i]);
        uint64_t death = check_below(&seed, 180), recoverers_death = death + check_below(&seed, 300), step = 0;
        uint64_t burst = 0;
        int next = 0;
        for (; !(fibers[0].done && fibers[1].done && fibers[4].done); step++) {
            int alive[4] = {0, 1, step < death ? 2 : step < recoverers_death && !fibers[3].done ? 3 : 4, 0};
            if (burst == 0 || fibers[next].done) {
                next = alive[check_below(&seed, 3)];
                burst = 1 + check_below(&seed, check_below(&seed, 2) ? 4 : 60);
            }
            burst--;
            if (next == 2 && step >= death)
                continue;
            if (!fibers[next].done)
                steps_resume(&fibers[next]);
            int64_t value = lf__sem_value(__atomic_load_n(&w.as[0].body->word, __ATOMIC_RELAXED));
            int64_t held = lives[0].surely_held + lives[1].surely_held;
            if (step < death)
                held += lives[2].surely_held;
            CHECK(value + held <= INITIAL);
            CHECK(step < 100000);
        }
        dead_held += lives[2].surely_held > 0;
        for (int i = 0; i < 2; i++)
            if (lives[i].surely_held > 0)
                CHECK_EQ(lf_semaphore_release(&w.as[i + 1], (uint64_t)lives[i].surely_held), LF_OK);
        CHECK_EQ(lf_semaphore_value(&w.as[1]), INITIAL);
        CHECK_EQ(seats_of(&w, 3), 0);
    }
    CHECK(rounds < 100 || dead_held > (uint64_t)rounds / 20);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* ---- permits that others give back ---- */

/* Free seats hold nothing, also after the operation that the word names was booked. */
static void check_free_seats(struct world *w) {
    lf__sem_help(&w->as[0], w->as[0].body->word);
    for (uint32_t i = 0; i < LF_SEATS; i++)
        if ((w->as[0].body->seats[i].claim & LF__SEAT_PARTICIPANT) == 0)
            CHECK(lf__sem_held(w->as[0].body->seats[i].account) == 0 && w->as[0].body->seats[i].keeper == 0);
}

static void test_debts_keep_recovery_from_giving_too_much(void) {
    struct world w;
    world_make(&w);
    world_init(&w, 8, 100, 0);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 3), LF_OK); /* 1 takes, 2 gives back for it */
    CHECK_EQ(lf_semaphore_release(&w.as[2], 3), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[3], 5), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 1), LF_OK);
    give_back(&w, 4, 1);
    check_free_seats(&w);
    CHECK_EQ(lf_semaphore_value(&w.as[4]), 3); /* the five of participant 3 are still out */
    give_back(&w, 4, 2);
    CHECK_EQ(w.as[4].body->debt, 3); /* one that paid for others and left is remembered */
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 3), LF_OK);
    give_back(&w, 4, 1);
    CHECK_EQ(lf_semaphore_value(&w.as[4]), 0);
    CHECK_EQ(w.as[4].body->debt, 0); /* settled: at the price of three permits that are lost */
    give_back(&w, 4, 3);
    CHECK_EQ(lf_semaphore_value(&w.as[4]), 5);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

static void test_signals_are_not_given_back(void) {
    struct world w;
    world_make(&w);
    world_init(&w, 0, LF_SEMAPHORE_MAX, 0);
    CHECK_EQ(lf_semaphore_release(&w.as[1], 5), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[2], 3), LF_OK);
    give_back(&w, 3, 2);
    CHECK_EQ(lf_semaphore_value(&w.as[3]), 2);
    give_back(&w, 3, 1);
    CHECK_EQ(lf_semaphore_value(&w.as[3]), 2);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[4], 2), LF_OK);
    give_back(&w, 3, 4);
    CHECK_EQ(lf_semaphore_value(&w.as[3]), 0);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* ---- seats ---- */

static void test_seats_run_out_and_come_back(void) {
    struct world w;
    int64_t seats[LF_SEATS];
    world_make(&w);
    world_init(&w, 6, 6, 0);
    for (uint32_t i = 0; i < LF_SEATS; i++)
        CHECK((seats[i] = lf__sem_sit_down(&w.as[1])) >= 0);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[2], 1), LF_BUSY);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[2], 6), LF_BUSY);
    CHECK_EQ(lf_semaphore_value(&w.as[2]), 6);
    for (uint32_t i = 0; i < LF_SEATS; i++)
        lf__sem_stand_up(&w.as[1], seats[i]);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[2], 1), LF_OK); /* from an empty seat of participant 1 */
    CHECK_EQ(seats_of(&w, 2), 1);
    for (uint32_t i = 0; i < LF_SEATS; i++) /* never from one that holds a permit */
        CHECK(lf__sem_sit_down(&w.as[3]) >= 0 || i == LF_SEATS - 1);
    CHECK_EQ(seats_of(&w, 3), LF_SEATS - 1);
    CHECK_EQ(balance_of(&w, 2), 1);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

static void acquire_one(void *argument) { /* LF_BUSY if the seats were in use when they were looked at */
    int status = lf_semaphore_try_acquire((struct lf_semaphore *)argument, 1);
    CHECK(status == LF_OK || status == LF_BUSY);
}

/* Participant 2 looks at the empty seats of participant 1, which then takes a permit in each. */
static void test_a_seat_in_use_again_is_not_taken_over(void) {
    static struct steps_fiber fiber;
    struct world w;
    int64_t seats[LF_SEATS];
    world_make(&w);
    for (int looks = 0, over = 0; !over; looks++) {
        world_init(&w, 20, 20, 0);
        for (uint32_t i = 0; i < LF_SEATS; i++)
            CHECK((seats[i] = lf__sem_sit_down(&w.as[1])) >= 0);
        for (uint32_t i = 0; i < LF_SEATS; i++)
            lf__sem_stand_up(&w.as[1], seats[i]);
        steps_prepare(&fiber, acquire_one, &w.as[2]);
        for (int i = 0; i < looks && !fiber.done; i++)
            steps_resume(&fiber);
        over = fiber.done;
        int64_t taken = 0, seat;
        while ((seat = lf__sem_sit_down(&w.as[1])) >= 0) {
            CHECK_EQ(lf__sem_change(&w.as[1], (uint32_t)seat, -1, 20), LF_OK);
            seats[taken++] = seat;
        }
        for (int i = 0; i < taken; i++)
            lf__sem_stand_up(&w.as[1], seats[i]);
        while (!fiber.done)
            steps_resume(&fiber);
        CHECK_EQ(balance_of(&w, 1), taken);
        CHECK_EQ(lf_semaphore_value(&w.as[1]) + taken + balance_of(&w, 2), 20);
    }
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* A helper that slept while the word's sequence went once around must not apply an operation that is only planned. */
static void test_an_outdated_word_helps_nobody(void) {
    struct world w;
    uint32_t once_around = 1u << LF__SEQUENCE_BITS;
    world_make(&w);
    world_init(&w, 6, 6, once_around);
    uint64_t outdated = lf__sem_word(6, 3, 1);
    w.as[1].body->seats[3].intents[1] = UINT64_C(2) << 32 | (once_around + 1);
    lf__sem_help(&w.as[1], outdated);
    CHECK_EQ(w.as[1].body->seats[3].account, once_around);
    w.as[1].body->word = lf__sem_word(4, 3, once_around + 1);
    lf__sem_help(&w.as[1], w.as[1].body->word);
    lf__sem_help(&w.as[1], w.as[1].body->word);
    CHECK_EQ(w.as[1].body->seats[3].account, UINT64_C(2) << 32 | (once_around + 1));
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* ---- seats that threads keep ---- */

static void acquire_two_and_release_one(void *argument) {
    struct lf_semaphore *s = (struct lf_semaphore *)argument;
    CHECK_EQ(lf_semaphore_try_acquire(s, 2), LF_OK);
    CHECK_EQ(lf_semaphore_release(s, 1), LF_OK);
}

/* An operation is interrupted at every step by a signal handler, that is, by operations with the same thread's token. */
static void test_a_handler_takes_another_seat(void) {
    static struct steps_fiber fiber;
    struct world w;
    world_make(&w);
    for (uint64_t k = 0, over = 0; !over; k++) {
        world_init(&w, 9, 9, 0);
        CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 1), LF_OK); /* from now on the thread keeps its seat */
        steps_prepare(&fiber, acquire_two_and_release_one, &w.as[1]);
        for (uint64_t i = 0; i < k && !fiber.done; i++)
            steps_resume(&fiber);
        over = (uint64_t)fiber.done;
        CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 3), LF_OK);
        CHECK_EQ(lf_semaphore_release(&w.as[1], 2), LF_OK);
        while (!fiber.done)
            steps_resume(&fiber);
        CHECK_EQ(lf_semaphore_value(&w.as[1]), 6);
        CHECK_EQ(balance_of(&w, 1), 3);
        give_back(&w, 2, 1);
        CHECK_EQ(lf_semaphore_value(&w.as[2]), 9);
    }
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

/* What a seat says that is one operation ahead of its account, after 2^23 operations of a thread that was alone. */
static void test_an_account_may_lag_for_long(void) {
    struct world w;
    world_make(&w);
    world_init(&w, 6, 6, 0);
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[1], 1), LF_OK);
    struct lf_semaphore_body *body = w.as[1].body;
    struct lf_seat *seat = &body->seats[lf__sem_seat(body->word)];
    CHECK(seat->account == 0 && seat->keeper == lf_thread_name());
    uint32_t sequence = 1 + (1u << LF__SEQUENCE_BITS); /* as if it had gone once around */
    seat->intents[1] = UINT64_C(1) << 32 | sequence;
    CHECK_EQ(lf_semaphore_try_acquire(&w.as[2], 1), LF_OK);
    CHECK_EQ(seat->account, UINT64_C(1) << 32 | sequence);
    CHECK_EQ(lf_semaphore_release(&w.as[1], 1), LF_OK);
    CHECK_EQ(balance_of(&w, 1), 0);
    check_unmap(w.memory, LF_SEMAPHORE_BYTES);
}

int main(void) {
    test_a_handler_takes_another_seat();
    test_an_account_may_lag_for_long();
    test_death_and_recovery_at_every_step(victim_script, 0, 500);
    test_death_and_recovery_at_every_step(victim_script, UINT32_MAX - 2, 500);
    test_death_and_recovery_at_every_step(two_seated_script, (1u << LF__SEQUENCE_BITS) - 1, 500);
    test_death_in_the_turnstile();
    test_closing_in_the_turnstile();
    test_recovery_among_the_living(check_rounds(30000));
    test_debts_keep_recovery_from_giving_too_much();
    test_signals_are_not_given_back();
    test_seats_run_out_and_come_back();
    test_a_seat_in_use_again_is_not_taken_over();
    test_an_outdated_word_helps_nobody();
    return 0;
}
