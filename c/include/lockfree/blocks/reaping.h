/* reaping.h: looking for dead participants, and giving back what they held.
 *
 * Contract
 *   lf_reap_if_due is for refused calls: a piece, once per tick of the coarse clock. lf_reap_one is for a thread that is
 *   about to wait for one participant. lf_reap looks at all, for recover_dead().
 * Pieces: one call recovers for about half a millisecond, and looks at a part of thousands of participants only. The next
 *   call goes on where the last one stopped. Up to 255 participants are looked at in one piece.
 * Many dead: where a recovery looks at everything that is there (every slot, every block), it is done for several dead at
 *   once. Else its time would be their number times the size of the object.
 * Objects in a space: the handle of the space looks, for all of them.
 * Progress: nothing blocks. lf_reap naps while another thread of the handle does a piece, 10 ms at most. */
#ifndef LOCKFREE_REAPING_H
#define LOCKFREE_REAPING_H

#include "participants.h"

#ifndef LF__LOCKS_A_PIECE
#define LF__LOCKS_A_PIECE 65536u
#endif

LF_INLINE void lf__count_refusal(struct lf_handle *h) {
#ifdef LF_MODEL
    (void)h;
#else
    uint64_t *refusals = &h->segment->participants[h->participant].refusals;
    lf_store_relaxed(refusals, lf_load_relaxed(refusals) + 1); /* a thread of the same process may be as fast */
#endif
}

/* One thread of a handle at a time looks for the dead. The byte's lock excludes only other handles. */
LF_INLINE int lf__begin_to_reap(struct lf_handle *h) {
    return lf_exchange_acquire(&h->reaping, 1u) == 0; /* [P1] pairs with [P2] */
}
LF_INLINE void lf__end_to_reap(struct lf_handle *h) { lf_store_release(&h->reaping, 0u); /* [P2] */ }

enum lf_reaped { LF__NOT_DEAD = 0, LF__REAPED = 1, LF__REAPED_IN_PART = 2 };

/* Gives back what one number held, or a piece of it, if its holder is dead. The caller has h->reaping. */
LF_INLINE enum lf_reaped lf__reap_number(struct lf_handle *h, uint32_t number) {
    enum lf_reaped reaped = LF__NOT_DEAD;
    if (number == h->participant || !lf_load_relaxed(&h->segment->participants[number].in_use))
        return LF__NOT_DEAD;
    int held = lf__seize(h, number);
    if (held < 0)
        return LF__NOT_DEAD;
    if (lf_load_relaxed(&h->segment->participants[number].in_use)) /* once more: somebody may have been faster */
        reaped = lf__recover(h, number) ? LF__REAPED : LF__REAPED_IN_PART;
    lf__yield_byte(h, held, number);
    return reaped;
}

#ifndef LF_MODEL
#define LF__SEVERAL_MOST 512u /* dead in one recovery: to lock and unlock the bytes of more takes longer than a piece */

struct lf__dead {
    uint64_t several[(LF_PARTICIPANTS + 63) / 64]; /* checks of every step have fewer participants */
    uint32_t first, count;
    uint64_t cursor; /* of all of them */
};
/* Locks the byte of a number through `fd` and adds it, if its holder is dead and its recovery is as far as the others'. */
LF_INLINE enum lf_reaped lf__gather(struct lf_handle *h, int fd, uint32_t number, struct lf__dead *dead) {
    struct lf_participant *entry = &h->segment->participants[number];
    if (number == h->participant || lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, number, 1) != 0 ||
        lf__byte_lock(fd, F_OFD_SETLK, F_WRLCK, number, 1) != 0)
        return LF__NOT_DEAD;
    uint64_t cursor = lf_load_relaxed(&entry->recovered);
    int is_one = lf_load_relaxed(&entry->in_use) != 0 && (dead->count == 0 || cursor == dead->cursor);
    if (!is_one) { /* somebody was faster, or has done a part */
        int again = lf_load_relaxed(&entry->in_use) != 0;
        lf__byte_lock(fd, F_OFD_SETLK, F_UNLCK, number, 1);
        return again ? LF__REAPED_IN_PART : LF__NOT_DEAD;
    }
    dead->first = dead->count == 0 ? number : dead->first;
    dead->cursor = cursor;
    dead->several[number / 64] |= UINT64_C(1) << number % 64;
    dead->count++;
    return LF__REAPED;
}
/* A piece of the recovery of those that are gathered. How many of them are not done. */
LF_INLINE uint32_t lf__recover_several(struct lf_handle *h, struct lf__dead *dead) {
    struct lf_gone gone = {0, dead->several};
    h->several = dead->several;
    int is_done = h->kind->recover(h, LF__SEVERAL, &dead->cursor);
    h->several = NULL;
    for (uint32_t number = 0; (number = lf_next_gone(&gone, number)) != 0;)
        if (is_done)
            lf__end_recovery(h, number);
        else
            lf_store_relaxed(&h->segment->participants[number].recovered, dead->cursor);
    return is_done ? 0 : dead->count;
}
/* The same as lf__reap_piece, for kinds whose recovery takes several. */
LF_INLINE int lf__reap_several(struct lf_handle *h, uint32_t *next, uint32_t highest, uint32_t looks, int *in_part) {
    struct lf__dead dead;
    int own = lf_segment_reopen(h->fd), fd = own >= 0 ? own : h->fd; /* see lf__seize */
    uint32_t number = *next == 0 ? 1 : *next;
    memset(&dead, 0, sizeof dead);
    for (; number <= highest && looks > 0 && dead.count < LF__SEVERAL_MOST; number++) {
        if (!lf_load_relaxed(&h->segment->participants[number].in_use))
            continue;
        enum lf_reaped found = lf__gather(h, fd, number, &dead);
        looks -= found == LF__NOT_DEAD;
        if (found == LF__REAPED_IN_PART)
            break; /* it comes next, alone or with others that are as far */
    }
    *in_part = dead.count > 0 ? (int)lf__recover_several(h, &dead) : 0;
    if (dead.count > 0 && own < 0)
        lf__byte_lock(fd, F_OFD_SETLK, F_UNLCK, dead.first, number - dead.first);
    if (own >= 0)
        close(own); /* and with it the locks go */
    *next = *in_part > 0 ? dead.first : number <= highest ? number : 0;
    return (int)dead.count;
}
#endif

/* How many numbers one piece looks at. Each look is an fcntl call that walks the kernel's list of this file's locks. So it
 * costs about 10 ns for each participant, and all looks at once would take 0.2 s among 4,095. */
LF_INLINE uint32_t lf__looks_a_piece(uint32_t highest) {
    uint32_t looks = LF__LOCKS_A_PIECE / (highest + 1);
    return looks < 16 ? 16 : looks;
}

/* A piece of a round over all numbers: looks for dead participants and gives back what they held. *next is the number to
 * begin with, 0 for a new round; afterwards the number to go on with, 0 when the round is over. *in_part: of how many
 * from there on not all is given back yet. Returns how many dead were found. The caller has h->reaping. */
LF_INLINE int lf__reap_piece(struct lf_handle *h, uint32_t *next, int *in_part) {
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    if (highest >= LF_PARTICIPANTS)
        highest = LF_PARTICIPANTS - 1;
    uint32_t number = *next == 0 ? 1 : *next, looks = lf__looks_a_piece(highest);
#ifndef LF_MODEL
    if (h->kind != NULL && h->kind->takes_several && h->life != NULL)
        return lf__reap_several(h, next, highest, looks, in_part);
#endif
    uint64_t steps = 127, began = lf_now();
    int found = 0, is_over = 0;
    for (*in_part = 0; number <= highest && looks > 0 && !is_over; number++) {
        if (!lf_load_relaxed(&h->segment->participants[number].in_use))
            continue;
        looks--;
        enum lf_reaped reaped = lf__reap_number(h, number);
        if (reaped == LF__NOT_DEAD)
            continue;
        found++;
        if (reaped == LF__REAPED_IN_PART) {
            *in_part = 1;
            break;
        }
        is_over = lf_piece_is_over(&steps, began);
        steps = 127; /* a recovery is long: the clock is looked at after each */
    }
    *next = number <= highest ? number : 0;
    return found;
}

/* Goes on with this handle's round over all numbers, for about as long as a piece takes. With at most 255 participants
 * that is a whole round. Returns how many dead were found, or LF_LOST if it is impossible to look. *more: the last one's
 * things are not all given back yet. */
LF_INLINE int lf_reap_a_while(struct lf_handle *h, int *more) {
    h = lf__home(h);
    int found = LF_LOST;
    *more = 0;
    if (!lf__begin_to_reap(h))
        return 0;
    if (lf__can_look(h)) {
        uint32_t next = lf_load_relaxed(&h->next_look);
        found = lf__reap_piece(h, &next, more);
        lf_store_relaxed(&h->next_look, next);
    }
    lf__end_to_reap(h);
    return found;
}

/* Whether this handle's round over all numbers has begun and is not over. */
LF_INLINE int lf_is_amid_a_round(struct lf_handle *h) { return lf_load_relaxed(&lf__home(h)->next_look) != 0; }

#ifdef LF_MODEL
#define LF__TURNS 0
#else
#define LF__TURNS 100 /* naps of 0.1 ms in which another thread's piece should end */
#endif

/* Recovers everything: a whole round, in pieces. Returns how many participants were recovered, or LF_LOST. For
 * recover_dead(). Waiting operations go on meanwhile. Another thread of the handle may look between two pieces. */
LF_INLINE int lf_reap(struct lf_handle *h) {
    h = lf__home(h);
    int recovered = 0, busy = 0, in_part;
    uint32_t next = 0;
    for (;;) {
        if (!lf__begin_to_reap(h)) {
            if (busy++ >= LF__TURNS)
                return recovered;
            lf_nap(100000);
            continue;
        }
        int found = lf__can_look(h) ? lf__reap_piece(h, &next, &in_part) : LF_LOST;
        lf__end_to_reap(h);
        if (found < 0)
            return found;
        recovered += found - in_part;
        if (next == 0)
            return recovered;
    }
}

/* The same for one number, at most a piece, for a thread that is about to wait for that participant. Returns whether
 * anything was given back, or LF_LOST. */
LF_INLINE int lf_reap_one(struct lf_handle *h, uint32_t number) {
    h = lf__home(h);
    if (number == 0 || number >= LF_PARTICIPANTS || !lf__begin_to_reap(h))
        return 0;
    int found = LF_LOST;
    if (lf__can_look(h))
        found = lf__reap_number(h, number) != LF__NOT_DEAD;
    lf__end_to_reap(h);
    return found;
}

/* A piece at most once per tick of the coarse clock, or the next piece of a recovery. This is cheap enough for every
 * refusal of a non-blocking call. Returns how many were found, or LF_LOST. */
LF_INLINE int lf_reap_if_due(struct lf_handle *h) {
    h = lf__home(h);
    uint64_t now = lf_now_coarse();
    lf__count_refusal(h);
    int more = 0;
    if (lf_load_relaxed(&h->last_reap) == now)
        return 0;
    lf_store_relaxed(&h->last_reap, now);
    int found = lf_reap_a_while(h, &more);
    /* The next piece is due a tick after the end of this one. */
    lf_store_relaxed(&h->last_reap, more ? (uint64_t)0 : lf_now_coarse());
    return found;
}

#endif
