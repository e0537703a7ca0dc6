/* seats.h: building block of the semaphore: a value, and accounts that say who has made each change of it.
 *
 * Contract
 *   lf__sem_change changes the value by delta, or answers that the value would leave its bounds. lf__sem_give_back
 *   returns exactly what a participant that is gone still holds, also if others die meanwhile.
 * Progress: lock-free.
 * Death: at every instant each permit that is out is in an account, or in the one operation that the word names.
 *
 * Layout: value word | turnstile | available, debt, room | first seats || further seats
 *   word  {value : 31 | seat : 10 | sequence : 23}  the value, and the operation that made it so
 *   seat  a place for one operation at a time, of one participant at a time, in its own 64 bytes:
 *         claim   {version : 50 | SETTLED | BUSY | participant : 12}
 *         account {held : 32 | done : 32}: permits taken minus given back here; the last sequence that is booked
 *         intents what the account is after the operation with an even, and an odd, sequence
 *         keeper  the thread that keeps the seat, BUSY, for its next operations (lf_thread_name), or 0
 *         entered whether the keeper is in an operation: a signal handler that interrupts it takes another seat
 *   Up to `||` it stands in the segment's first page. The further seats get memory when the first ones do not suffice.
 * Invariants
 *   [I1] The word names an operation (seat, sequence). Its intent is written, and is not written over before the word
 *        names another operation.
 *   [I2] Before the word comes to name an operation of another seat, the one that it names is booked: its intent is the
 *        account. Anybody may do that ("helping"). An account only goes on to later sequences. So at every instant
 *        the account of a seat is what its holder has, or the word names its last operation, and the intent is.
 *   [I3] A seat that is not BUSY has all its operations booked, and no keeper. It may change its owner only while it
 *        holds nothing. A seat that is kept changes its thread only after that has ended: by the exchange of `keeper`.
 * So a thread that is alone makes one compare-and-swap an operation: that of the word.
 * Wrap: a mistake needs a thread that stops while it helps for a multiple of 2^32 operations of one seat. Or it needs
 *   one that stops before its compare-and-swap of the word for a multiple of 2^23 operations of the seat named there,
 *   and that seat's owner killed between its two compare-and-swaps. `held` stops at its 32-bit bounds.
 * Source: helping to record who did what, after detectable objects (Attiya, Ben-Baruch, Hendler, PODC 2018). */
#ifndef LOCKFREE_SEATS_H
#define LOCKFREE_SEATS_H

#include "owner_lock.h"

#define LF_SEMAPHORE_MAX UINT64_C(0x7fffffff)
#ifndef LF_SEATS
#define LF_SEATS 1024u /* part of the layout; only checks of every step of the header alone take fewer */
#endif

#define LF__SEQUENCE_BITS 23 /* below the seat's 10 and the value's 31 */
#define LF__SEQUENCE_MASK ((UINT32_C(1) << LF__SEQUENCE_BITS) - 1)
LF_STATIC_ASSERT(LF_SEATS <= 1024 && (LF_SEATS & (LF_SEATS - 1)) == 0, "a seat's number has 10 bits");
#define LF__SEAT_PARTICIPANT ((uint64_t)LF_PARTICIPANT_MASK)
#define LF__SEAT_BUSY (LF__SEAT_PARTICIPANT + 1)
#define LF__SEAT_SETTLED (LF__SEAT_BUSY << 1) /* the permits of its dead owner are back, its seats may be cleared */
#define LF__SEAT_VERSION (LF__SEAT_SETTLED << 1)
#define LF__LOOKS_AT_DEBTS 8
#define LF__NEAR_SEATS 8u /* where a thread looks for the seat that it keeps */
#ifndef LF__KEPT_SEATS
#define LF__KEPT_SEATS (LF_SEATS - LF_SEATS / 4) /* the others are for one operation, so that idle threads leave some */
#endif
#define LF__SEATS_FOR(threads) (((threads) * 4 + 2) / 3) /* of which 3/4 may be kept */
#if defined(LF_MODEL) || LF_SEATS <= 22
#define LF__SEATS_GROW 0
#define LF__FIRST_SEATS LF_SEATS
#define LF__FIRST_KEPT LF_SEATS
#else
#define LF__SEATS_GROW 1
#define LF__FIRST_SEATS 22u /* what the first page has room for */
#define LF__FIRST_KEPT 16u
#endif
#define LF__DEBT_BOUND (UINT64_C(1) << 62)

struct lf_seat {
    uint64_t claim;
    uint64_t account;
    uint64_t intents[2];
    uint64_t keeper;
    uint32_t entered;
    uint32_t unused_word;
    uint64_t unused[2];
};
LF_STATIC_ASSERT(sizeof(struct lf_seat) == 64, "layout");

struct lf_semaphore_body {
    LF_ALIGNED uint64_t word;                         /* line 0: every operation */
    LF_ALIGNED uint64_t turnstile;                    /* line 1: acquirers that wait */
    LF_ALIGNED struct lf_eventcount available;        /* line 2: the turnstile's holder announces, releasers look */
    uint64_t debt;                                    /* of participants that are gone; recoverers only */
    uint64_t room;                                    /* seats that have memory; goes up only, once */
    LF_ALIGNED struct lf_seat seats[LF__FIRST_SEATS]; /* each written by its claimant and by helpers */
};
LF_STATIC_ASSERT(sizeof(struct lf_semaphore_body) == 3 * LF_CACHE_LINE + 64 * LF__FIRST_SEATS, "layout");
#ifndef LF_MODEL
LF_STATIC_ASSERT(sizeof(struct lf_semaphore_body) <= LF__SMALL_BODY, "the first seats stand in the first page");
#endif

struct lf_semaphore {
    struct lf_handle h;
    struct lf_semaphore_body *body;
    struct lf_seat *further; /* in a page of their own; in a space, behind the first ones */
    uint64_t initial;
    uint64_t max;
    uint32_t most; /* seats: LF_SEATS, or fewer in a space */
};

/* ---- where the seats are ---- */

LF_INLINE struct lf_seat *lf__sem_seat_at(const struct lf_semaphore *s, uint32_t number) {
    if (LF__SEATS_GROW && LF_UNLIKELY(number >= LF__FIRST_SEATS))
        return &s->further[number - LF__FIRST_SEATS];
    return &s->body->seats[number];
}
/* How many seats have memory. What a participant that is gone had used was there, and that is seen with its death. */
LF_INLINE uint32_t lf__sem_room(const struct lf_semaphore *s) {
    return lf_load_relaxed(&s->body->room) == s->most ? s->most : LF__FIRST_SEATS;
}
#if LF__SEATS_GROW
/* Takes memory for the further seats: 1, or 0 if there is none. A thread that dies here has changed nothing, or all. */
static __attribute__((noinline, unused)) int lf__sem_grow(struct lf_semaphore *s) {
    struct lf_handle *h = &s->h;
    if (lf__sem_room(s) == s->most)
        return 1;
    uint64_t bytes = h->bytes - LF_BODY_OFFSET;
    if (h->current != &lf__no_fork && /* memory of the caller's is there */
        madvise((unsigned char *)h->segment + LF_BODY_OFFSET, bytes, 23 /* MADV_POPULATE_WRITE, since Linux 5.14 */) !=
            0 &&
        (errno != EINVAL || !lf__is_file_of(h, h->fd) || lf__allocate(h, LF_BODY_OFFSET, h->bytes) != 0))
        return 0;
    lf_store_relaxed(&s->body->room, (uint64_t)s->most);
    return 1;
}
#endif

/* ---- words ---- */

LF_INLINE uint64_t lf__sem_word(uint64_t value, uint32_t seat, uint32_t sequence) {
    return value << 33 | (uint64_t)seat << LF__SEQUENCE_BITS | (sequence & LF__SEQUENCE_MASK);
}
LF_INLINE int64_t lf__sem_value(uint64_t word) { return (int64_t)(word >> 33); }
LF_INLINE uint32_t lf__sem_seat(uint64_t word) { return (uint32_t)(word >> LF__SEQUENCE_BITS) & (LF_SEATS - 1); }
LF_INLINE int64_t lf__sem_held(uint64_t account) { return (int32_t)(uint32_t)(account >> 32); }

/* The account with one more operation booked. */
LF_INLINE uint64_t lf__sem_applied(uint64_t account, int64_t delta) {
    int64_t held = lf__sem_held(account) - (int32_t)delta; /* the intent in shared memory is cut to 32 bits */
    if (held > INT32_MAX || held < INT32_MIN)
        held = held < 0 ? INT32_MIN : INT32_MAX;
    return (uint64_t)(uint32_t)(int32_t)held << 32 | (uint32_t)((uint32_t)account + 1);
}

LF_INLINE uint64_t lf__sem_now(const struct lf_semaphore_body *body) {
    return lf_load_acquire(&body->word); /* [S1] pairs with [S2]: the named operation's intent is readable */
}

/* [I2]: books the operation that `word` names, unless it is booked already or the word is outdated. */
LF_INLINE void lf__sem_help(const struct lf_semaphore *s, uint64_t word) {
    struct lf_semaphore_body *body = s->body;
    if (LF_UNLIKELY(lf__sem_seat(word) >= lf__sem_room(s)))
        return; /* nobody of this library wrote that */
    struct lf_seat *seat = lf__sem_seat_at(s, lf__sem_seat(word));
    for (;;) {
        uint64_t account = lf_load_acquire(&seat->account); /* [S3] pairs with [S4]: the next look is not older */
        uint64_t intent = lf_load_relaxed(&seat->intents[word & 1]); /* of this operation, or of a later one */
        if (((uint32_t)account == (uint32_t)intent) || ((intent ^ word) & LF__SEQUENCE_MASK) != 0)
            return;
        if (lf_load_relaxed(&body->word) != word)
            return;
        if (lf_cas_release(&seat->account, &account, intent)) /* [S4] it fails if anything was booked meanwhile */
            return;
    }
}

/* What the account of a seat is once all is booked. For the owner of the seat, after it has read `word`. */
LF_INLINE uint64_t lf__sem_latest(const struct lf_seat *seat, uint32_t number, uint64_t word) {
    uint64_t account = lf_load_relaxed(&seat->account); /* it came with the claim [S5], or with the word [S1] */
    uint64_t intent = lf_load_relaxed(&seat->intents[word & 1]);
    int is_ahead = lf__sem_seat(word) == number && (uint32_t)intent != (uint32_t)account;
    return is_ahead ? intent : account; /* the same sequence: a recovery may have emptied the account since */
}

#define LF__LOST_PAUSES 8u /* after losing the word to another seat; doubled up to 8 times as many */

#define LF__OTHERS (-1000) /* the word names the operation of another seat */
#define LF__LOST (-1001)   /* the word was lost to another seat */

/* The first attempt of a change, which is enough for a thread that is alone: LF_OK, LF_TIMEDOUT, LF_OVERFLOW; or LF__OTHERS
 * or LF__LOST, with the intent written and in *next. The seat is the caller's. */
LF_INLINE int lf__sem_change_once(struct lf_semaphore *s, struct lf_seat *seat, uint32_t number, int64_t delta,
                                  int64_t limit, uint64_t *next) {
    uint64_t word = lf__sem_now(s->body);
    int64_t value = lf__sem_value(word) + delta;
    if (LF_UNLIKELY(value < 0 || value > limit))
        return value < 0 ? LF_TIMEDOUT : LF_OVERFLOW;
    *next = lf__sem_applied(lf__sem_latest(seat, number, word), delta);
    lf_store_relaxed(&seat->intents[*next & 1], *next); /* published by [S2] */
    if (LF_UNLIKELY(lf__sem_seat(word) != number))
        return LF__OTHERS;
    /* [S2] release: the intent, and the account of the operation before; [S1] acquire: what the releasers wrote;
     * seq_cst: the fence before the look at sleepers [E2] */
    return LF_LIKELY(lf_cas_seq_cst(&s->body->word, &word, lf__sem_word((uint64_t)value, number, (uint32_t)*next)))
               ? LF_OK
               : LF__LOST;
}
/* The further ones, after `status` of the first one. */
static __attribute__((noinline, unused)) int lf__sem_change_on(struct lf_semaphore *s, uint32_t number, int64_t delta,
                                                               int64_t limit, uint64_t next, int status) {
    struct lf_semaphore_body *body = s->body;
    for (uint32_t pauses = status == LF__LOST ? LF__LOST_PAUSES : 0;;) {
        /* A change of seats costs some transfers of lines, and a further operation of the same seat none. */
        for (uint32_t i = 0; i < pauses; i++)
            lf_pause();
        pauses = pauses == 0 ? LF__LOST_PAUSES : pauses < 8 * LF__LOST_PAUSES ? 2 * pauses : pauses;
        uint64_t word = lf__sem_now(body);
        int64_t value = lf__sem_value(word) + delta;
        if (LF_UNLIKELY(value < 0 || value > limit))
            return value < 0 ? LF_TIMEDOUT : LF_OVERFLOW;
        if (lf__sem_seat(word) != number)
            lf__sem_help(s, word);
        if (lf_cas_seq_cst(&body->word, &word, lf__sem_word((uint64_t)value, number, (uint32_t)next))) /* as above */
            return LF_OK;
    }
}

/* Changes the value by delta if it stays within 0..limit: LF_OK, LF_TIMEDOUT, LF_OVERFLOW. The seat is the caller's. */
LF_INLINE int lf__sem_change(struct lf_semaphore *s, uint32_t number, int64_t delta, int64_t limit) {
    uint64_t next = 0;
    int status = lf__sem_change_once(s, lf__sem_seat_at(s, number), number, delta, limit, &next);
    return LF_LIKELY(status > LF__OTHERS) ? status : lf__sem_change_on(s, number, delta, limit, next, status);
}

/* ---- seats ---- */

/* Where a thread begins to look: among the first seats, and among the further ones. */
LF_INLINE uint64_t lf__sem_hash(const struct lf_semaphore *s) {
    return (uint32_t)((lf_thread_token() + s->h.participant * 37u) * UINT32_C(2654435769));
}
LF_INLINE uint32_t lf__sem_home(const struct lf_semaphore *s) {
    uint64_t homes = LF__SEATS_GROW ? LF__FIRST_KEPT : LF__KEPT_SEATS > 0 ? LF__KEPT_SEATS : LF_SEATS;
    return (uint32_t)(lf__sem_hash(s) * homes >> 32);
}
#if LF__SEATS_GROW
/* Of the further seats, those from the end on are not kept. */
LF_INLINE uint32_t lf__sem_kept_end(const struct lf_semaphore *s) {
    uint32_t end = s->most - s->most / 4;
    return end > LF__FIRST_SEATS ? end : LF__FIRST_SEATS;
}
LF_INLINE uint32_t lf__sem_second_home(const struct lf_semaphore *s) {
    return LF__FIRST_SEATS + (uint32_t)(lf__sem_hash(s) * (lf__sem_kept_end(s) - LF__FIRST_SEATS) >> 32);
}
#endif
/* May a thread keep the seat, so that it finds it again? */
LF_INLINE int lf__sem_is_near(const struct lf_semaphore *s, uint32_t number) {
#if LF__SEATS_GROW
    if (number < LF__FIRST_SEATS)
        return number < LF__FIRST_KEPT;
    return number < lf__sem_kept_end(s) && number - lf__sem_second_home(s) < LF__NEAR_SEATS;
#else
    return number < LF__KEPT_SEATS && ((number - lf__sem_home(s)) & (LF_SEATS - 1)) < LF__NEAR_SEATS;
#endif
}

/* Begins an operation in a seat if the calling thread, `name`, keeps it: 1. 0: it does not. LF_BUSY: it does, and is in an
 * operation already, which this one interrupts. */
LF_INLINE int lf__sem_resume(const struct lf_semaphore *s, struct lf_seat *seat, uint64_t name) {
    uint64_t claim = s->h.participant | LF__SEAT_BUSY;
    if (LF_UNLIKELY(lf_load_relaxed(&seat->keeper) != name ||
                    (lf_load_relaxed(&seat->claim) & (LF__SEAT_BUSY | LF__SEAT_PARTICIPANT)) != claim))
        return 0;
    if (LF_UNLIKELY(lf_load_relaxed(&seat->entered)))
        return LF_BUSY;
    lf_store_relaxed(&seat->entered, 1u);
    lf_fence_light(); /* a handler that comes from here on takes another seat */
    return 1;
}
LF_INLINE void lf__sem_pause(struct lf_seat *seat) {
    lf_fence_light();
    lf_store_relaxed(&seat->entered, 0u);
}

#ifndef LF_MODEL
/* Where the thread found its seat last, and its name in this process: a hint. */
static __thread struct {
    const struct lf_semaphore_body *body;
    uint64_t epoch;
    uint64_t name;
    uint32_t number;
} lf__sem_found __attribute__((unused));
LF_INLINE void lf__sem_remember(const struct lf_semaphore *s, uint32_t number) {
    if (s->h.current == &lf__no_fork)
        return; /* a child that was forked with a handle on memory of the caller's would not notice */
    lf__sem_found.body = s->body;
    lf__sem_found.epoch = lf_load_relaxed(&s->h.epoch);
    lf__sem_found.name = lf_thread_name();
    lf__sem_found.number = number;
}
#else
LF_INLINE void lf__sem_remember(const struct lf_semaphore *s, uint32_t number) { (void)s, (void)number; }
#endif
/* The seat that the calling thread keeps, for one operation: its number, or LF_BUSY. *inside: the thread is in an
 * operation already. */
LF_INLINE int64_t lf__sem_kept(struct lf_semaphore *s, int *inside) {
    *inside = 0;
    uint32_t home = lf__sem_home(s), first = LF__FIRST_KEPT, looks = first < LF__NEAR_SEATS ? first : LF__NEAR_SEATS;
#if LF__SEATS_GROW
    looks = first + (lf__sem_room(s) > LF__FIRST_SEATS ? LF__NEAR_SEATS : 0);
#endif
    for (uint32_t i = 0; i < looks; i++) {
        uint32_t number = (home + i) % first;
#if LF__SEATS_GROW
        if (i >= first && (number = lf__sem_second_home(s) + i - first) >= s->most)
            break;
#endif
        int resumed = lf__sem_resume(s, lf__sem_seat_at(s, number), lf_thread_name());
        *inside |= resumed < 0;
        if (resumed <= 0)
            continue;
        lf__sem_remember(s, number);
        return number;
    }
    return LF_BUSY;
}

/* Takes over what an ended thread of this participant kept. */
LF_INLINE int lf__sem_inherit(struct lf_semaphore *s, uint32_t number) {
    struct lf_seat *seat = lf__sem_seat_at(s, (uint32_t)number);
    uint64_t claim = lf_load_relaxed(&seat->claim), keeper = lf_load_relaxed(&seat->keeper);
    return (claim & (LF__SEAT_BUSY | LF__SEAT_PARTICIPANT)) == (s->h.participant | LF__SEAT_BUSY) && keeper != 0 &&
           !lf_thread_alive((uint32_t)(keeper >> 32)) && lf_cas_relaxed(&seat->keeper, &keeper, (uint64_t)0);
}

/* Claims one of `count` seats, from `start` on: its number, or LF_BUSY. Prefers a seat that this participant has, then a
 * free one, then one that another participant left empty. */
LF_INLINE int64_t lf__sem_claim(struct lf_semaphore *s, uint32_t first, uint32_t count, uint32_t start) {
    uint64_t me = s->h.participant;
    for (int others = 0; others < 2; others++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t number = first + (start - first + i) % count;
            struct lf_seat *seat = lf__sem_seat_at(s, number);
            uint64_t claim = lf_load_acquire(&seat->claim); /* [S5] pairs with [S6]: the account is that new */
            uint64_t whose = claim & LF__SEAT_PARTICIPANT;
            if (claim & (LF__SEAT_BUSY | LF__SEAT_SETTLED))
                continue;
            if (whose != me && whose != 0 && (!others || lf__sem_held(lf_load_relaxed(&seat->account)) != 0))
                continue;
            uint64_t next = ((claim & ~LF__SEAT_PARTICIPANT) + LF__SEAT_VERSION) | LF__SEAT_BUSY | me;
            if (lf_cas_relaxed(&seat->claim, &claim, next)) /* fails if somebody used the seat meanwhile */
                return number;
        }
    }
    return LF_BUSY;
}
/* A seat for one operation: its number, or LF_BUSY. */
LF_INLINE int64_t lf__sem_sit_down(struct lf_semaphore *s) {
    uint32_t home = lf__sem_home(s);
    if (lf__sem_inherit(s, home))
        return home;
    int64_t seat = lf__sem_claim(s, 0, LF__FIRST_KEPT, home);
#if LF__SEATS_GROW
    for (uint32_t i = 0; seat < 0 && i < LF__FIRST_KEPT; i++)
        seat = lf__sem_inherit(s, i) ? (int64_t)i : seat;
    if (seat < 0 && s->most > LF__FIRST_SEATS && lf__sem_grow(s))
        seat = lf__sem_claim(s, LF__FIRST_SEATS, s->most - LF__FIRST_SEATS, lf__sem_second_home(s));
    if (seat < 0)
        seat = lf__sem_claim(s, LF__FIRST_KEPT, LF__FIRST_SEATS - LF__FIRST_KEPT, LF__FIRST_KEPT);
#endif
    for (uint32_t i = 0, room = lf__sem_room(s); seat < 0 && i < room; i++)
        seat = lf__sem_inherit(s, i) ? (int64_t)i : seat;
    return seat;
}
/* The operation is over. [I3] */
LF_INLINE void lf__sem_stand_up(struct lf_semaphore *s, int64_t number) {
    struct lf_seat *seat = lf__sem_seat_at(s, (uint32_t)number);
    lf__sem_help(s, lf__sem_now(s->body));
    lf_store_release(&seat->claim, lf_load_relaxed(&seat->claim) & ~LF__SEAT_BUSY); /* [S6] pairs with [S5] */
}
/* The same, but the seat stays the thread's if there are enough others. */
LF_INLINE void lf__sem_keep(struct lf_semaphore *s, int64_t number) {
    struct lf_seat *seat = lf__sem_seat_at(s, (uint32_t)number);
    if (!lf__sem_is_near(s, (uint32_t)number)) {
        lf__sem_stand_up(s, number);
        return;
    }
    lf_store_relaxed(&seat->entered, 0u);
    lf_store_relaxed(&seat->keeper, lf_thread_name());
}

#endif
