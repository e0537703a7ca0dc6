/* How long a waiting call looks before it sleeps (blocks/spinning.h): counted by the attempts of lf_block_on. And with
 * how long a slice it begins to sleep (blocks/blocking.h). */
#include "check.h"

#include <lockfree/event.h>

struct looks {
    struct lf_event event;
    int attempts;
    uint64_t patience; /* ns */
    int until;         /* the attempt that finds something; 0: none */
};

static int look(void *argument) {
    struct looks *looks = (struct looks *)argument;
    looks->attempts++;
    return looks->attempts == looks->until ? LF_OK : LF_TIMEDOUT;
}

/* How many looks a wait takes that sleeps for one slice, or until the look `until`. */
static int wait_once(struct looks *looks, int until) {
    looks->attempts = 0;
    looks->until = until;
    int status = lf_block_on(&looks->event.h, &looks->event.body->changed, look, looks, LF_TIMEDOUT,
                             until ? LF_FOREVER : lf_now() + looks->patience);
    if (until && status == LF_INTERRUPTED) /* it lost its processor, and so it slept */
        return -1;
    CHECK_EQ(status, until ? LF_OK : LF_TIMEDOUT);
    return looks->attempts;
}

/* The first attempt, the one after the announcement; after the sleep the same again, and the one after the deadline. */
#define ASLEEP_AT_ONCE 4

static void test_never(void) {
    struct looks looks;
    memset(&looks, 0, sizeof looks);
    looks.patience = 100000;
    CHECK_EQ(lf_event_create(&looks.event, NULL), LF_OK);
    CHECK_EQ(lf_get_spin(&looks.event.h), LF_SPIN_ADAPTIVE);
    CHECK_EQ(lf_set_spin(&looks.event.h, LF_SPIN_NEVER), LF_OK);
    for (int i = 0; i < 5; i++)
        CHECK(wait_once(&looks, 0) <= ASLEEP_AT_ONCE);
    lf_detach(&looks.event.h);
}

static void test_microseconds(void) {
    struct looks looks;
    memset(&looks, 0, sizeof looks);
    looks.patience = 100000;
    CHECK_EQ(lf_event_create(&looks.event, NULL), LF_OK);
    CHECK_EQ(lf_set_spin(&looks.event.h, LF_SPIN_MOST + 1), LF_INVALID);
    CHECK_EQ(lf_get_spin(&looks.event.h), LF_SPIN_ADAPTIVE);
    CHECK_EQ(lf_set_spin(&looks.event.h, LF_SPIN_MOST), LF_OK);
    looks.patience = 1000000000;
    CHECK_EQ(wait_once(&looks, 100), 100); /* in so long a time there is time for so many looks without a sleep */
    CHECK_EQ(lf_load_relaxed(&looks.event.body->changed.word), 0);
    uint64_t before = lf_now();
    CHECK_EQ(lf_set_spin(&looks.event.h, 3000), LF_OK);
    looks.patience = 3100000;
    int many = wait_once(&looks, 0);
    CHECK(lf_now() - before >= 3000000u); /* it looked for all this time */
    looks.patience = 1;                   /* and no longer than until its deadline */
    CHECK(wait_once(&looks, 0) <= ASLEEP_AT_ONCE && many > ASLEEP_AT_ONCE);
    lf_detach(&looks.event.h);
}

#define EXPECT(what)                                                                                                   \
    if (!(what)) {                                                                                                     \
        lf_detach(&looks.event.h);                                                                                     \
        return 0;                                                                                                      \
    }

/* A look without success is followed by longer ones, three of them by waits that do not look, and these by a long look. */
static int is_adaptive(void) {
    struct looks looks;
    memset(&looks, 0, sizeof looks);
    looks.patience = LF__FIRST_SLICE_NS * 9 / 10; /* for one slice; and a long look stops there */
    CHECK_EQ(lf_event_create(&looks.event, NULL), LF_OK);
    int many = wait_once(&looks, 0), longer = wait_once(&looks, 0);
    EXPECT(many > ASLEEP_AT_ONCE + 4);
    EXPECT(longer > many);
    EXPECT(wait_once(&looks, 0) > many);
    int rest = 4;
    for (int turn = 0; turn < 7; turn++) {
        for (int i = 0; i < rest; i++)
            EXPECT(wait_once(&looks, 0) <= ASLEEP_AT_ONCE);
        EXPECT(wait_once(&looks, 0) > many);
        rest = rest < 64 ? 2 * rest : rest;
    }
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < rest; i++)
            EXPECT(wait_once(&looks, 0) <= ASLEEP_AT_ONCE);
        EXPECT(wait_once(&looks, longer + 4) == longer + 4); /* a long look, which finds something late */
        EXPECT(looks.event.h.missed != 0);
        EXPECT(wait_once(&looks, 0) <= longer + ASLEEP_AT_ONCE); /* not a long one; and as many rest as before */
    }
    for (int i = 0; i < rest; i++)
        wait_once(&looks, 0);
    EXPECT(wait_once(&looks, many) == many); /* after a look that finds something all begins again */
    EXPECT(looks.event.h.missed == 0);
    for (int i = 0; i < 3; i++)
        wait_once(&looks, 0);
    EXPECT(looks.event.h.missed != 0);
    uint32_t missed = looks.event.h.missed - LF__SPIN_RESTING;
    looks.event.h.away = 0;            /* on a busy machine it was away for long */
    EXPECT(wait_once(&looks, 2) == 2); /* what is there after the processor was given away says nothing */
    EXPECT(looks.event.h.missed == missed);
    looks.event.h.away = 0;
    EXPECT(wait_once(&looks, 3) == 3); /* after the check that follows the announcement all begins again, too */
    EXPECT(looks.event.h.missed == 0);
    lf_detach(&looks.event.h);
    return 1;
}

/* A thread that loses its processor in the middle of a look has looked for shorter than it should: it tries again. */
static void test_adaptive(void) {
    int tries = 50;
    while (!is_adaptive())
        CHECK(--tries > 0);
}

/* A wait looks once more after it has given its processor away; not if that lasted long lately, or time is short. */
static void test_away(void) {
    struct looks looks;
    memset(&looks, 0, sizeof looks);
    CHECK_EQ(lf_event_create(&looks.event, NULL), LF_OK);
    struct lf_handle *h = &looks.event.h;
    uint32_t rests = 1000 * LF__SPIN_RESTING; /* these waits do not look before */
    h->missed = rests;
    struct lf__spin spin = lf__spin_begin(h, UINT32_MAX, 8, lf_now() + LF__AWAY_LONG * 9 / 10);
    CHECK(!lf__spin_on(h, &spin) && spin.yields == LF__YIELDS);
    looks.patience = LF__AWAY_LONG * 20;
    h->away = 3;
    for (int i = 3; i > 0; i--) {
        CHECK_EQ(h->away, i);
        wait_once(&looks, 3); /* after the sleep */
    }
    CHECK_EQ(h->away, 0);
    spin = lf__spin_begin(h, UINT32_MAX, 8, LF_FOREVER);
    CHECK(lf__spin_on(h, &spin) && !lf__spin_on(h, &spin)); /* once */
    CHECK_EQ(lf_set_spin(h, LF_SPIN_NEVER), LF_OK);
    spin = lf__spin_begin(h, UINT32_MAX, 8, LF_FOREVER);
    CHECK(!lf__spin_on(h, &spin));
    lf_detach(h);
}

/* The slices of waits for records that come `gap` ns apart: how many of the last 64 waits had one without success. */
static int slices_in_vain(struct lf_handle *h, uint64_t gap) {
    int in_vain = 0;
    for (int i = 0; i < 256; i++) {
        struct lf__slices slices = lf__slices_begin(h, h, LF_FOREVER);
        lf__slices_as_usual(h, &slices);
        while (lf__slice(&slices, 0, 0, LF_FOREVER) > 0 && slices.slept < gap)
            in_vain += i >= 192;
        lf__slices_learn(h, &slices);
        CHECK(lf_load_relaxed(&h->usual) <= LF__USUAL_MOST_NS);
    }
    return in_vain;
}

static void test_the_first_slice_is_learned(void) {
    struct lf_event event;
    memset(&event, 0, sizeof event);
    CHECK_EQ(lf_event_create(&event, NULL), LF_OK);
    CHECK_EQ(slices_in_vain(&event.h, 500000), 0); /* a slice of 1 ms is long enough */
    CHECK_EQ(lf_load_relaxed(&event.h.usual), 0);
    CHECK(slices_in_vain(&event.h, 5000000) <= 64 / 4); /* without learning two of them in each wait */
    CHECK(lf_load_relaxed(&event.h.usual) >= LF__FIRST_SLICE_NS);
    CHECK(slices_in_vain(&event.h, 50000000) >= 64); /* so long a first slice would hide a death */
    CHECK_EQ(slices_in_vain(&event.h, 500000), 0);
    CHECK(lf_load_relaxed(&event.h.usual) < LF__FIRST_SLICE_NS); /* and it is forgotten */
    lf_detach(&event.h);
}

int main(void) {
    test_never();
    test_microseconds();
    test_the_first_slice_is_learned();
    test_adaptive();
    test_away();
    return 0;
}
