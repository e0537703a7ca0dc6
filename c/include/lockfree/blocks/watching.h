/* watching.h: building block: one thread that sleeps for several waits at once, each on a word of its own.
 *
 * Contract
 *   A wait here has no thread of its own: an asyncio task, or one of several objects. It is a struct lf_watch.
 *   lf_watch_count, or lf_watch_lock, announces it. Then its owner tries its operation once more, and only then lets a
 *   thread sleep. lf_watch_sleep returns when the word of a watch has changed, when a death was found in its segment, when
 *   the control word has changed, or after the time-out. It says which watches are to be tried again. lf_watch_end takes
 *   the announcement back. A thread that is woken for a watch, and does not try its operation, passes the wake on:
 *   lf_watch_pass_on. So does a thread that is woken for a watch that had ended while it slept. So no wake is lost, and
 *   none ends at a wait that was given up. A thread that takes nothing, but has looked and found nothing to take, says so
 *   first: lf_watch_found_nothing. Else two such threads would wake each other for ever.
 *   The words are slept on together (futex_waitv, Linux 5.16), LF_WATCH_TOGETHER at most. The others, and all where the
 *   kernel does not have it, are looked at after slices of 1, 2, 4, ... 20 ms (40 from 400 watches on, 60 from 800; by 20 ms
 *   more for each 4 waiters of one of the words, and by twice as much for 30), which costs less than 1% of a CPU.
 *   A wake is lost only with a process that was killed: before it sent the wake, or after it got it. After a slice without
 *   news the thread looks for the dead in 8 of the segments. What the dead held, or had just put there, is then to be
 *   tried again, also if another process found them: the segment counts who was recovered. So in up to 8 segments such a
 *   wake is late by about one slice; with dozens of participants the looks in several segments are further apart, by 20 ms
 *   for each of them at most. Among more of them, and for a process that is stopped and not killed: by
 *   LF_WATCH_ALL_NS, and as much again for each 64 watches or 16 waiters. Then all are to be tried again.
 * Progress: all but lf_watch_sleep are lock-free. That one sleeps.
 * Death: a watch leaves an announcement behind, as a killed sleeper does (wait.h).
 * Source: event counts (wait.h); the lock word is that of owner_lock.h. */
#ifndef LOCKFREE_WATCHING_H
#define LOCKFREE_WATCHING_H

#include "owner_lock.h"

#define LF_WATCH_TOGETHER 127u /* beside the control word */
#define LF_WATCH_ALL_NS UINT64_C(250000000)
#define LF__WATCH_FEW 64u    /* so many watches more make that later by as much again */
#define LF__WATCH_OTHERS 16u /* so many waiters more do the same */
#define LF__WATCH_MANY 400u  /* so many watches more make slices longer by a whole one */
#define LF__WATCH_CROWD 4u   /* so many waiters more do the same */
#define LF__WATCH_TWICE 30u  /* so many waiters make them longer by twice as much */
#define LF__WATCH_LOOKS 8u   /* segments in which a slice looks for the dead */

#define LF_WATCH_LOOK 2u
struct lf_watch {
    struct lf_handle *h;
    uint32_t *word;
    struct lf_eventcount *count; /* NULL: a lock word */
    uint32_t expected;
    uint32_t due;       /* the operation is to be tried again; LF_WATCH_LOOK: although nothing was seen */
    uint32_t recovered; /* of the segment, before its owner's last attempt; a hint */
};

LF_INLINE uint32_t lf__watch_recovered(struct lf_handle *h) {
    return (uint32_t)lf_load_relaxed(&lf__home(h)->segment->recovered);
}

LF_INLINE void lf_watch_count(struct lf_watch *w, struct lf_handle *h, struct lf_eventcount *count) {
    w->h = h;
    w->count = count;
    w->word = lf__epoch(count);
    w->due = 0;
    w->recovered = lf__watch_recovered(h);
    w->expected = lf__announce(h, count); /* [E1] pairs with [E2] */
}

/* Tries to take a lock for the calling thread, and announces that it waits: LF_OK, LF_OWNER_DIED, LF_TIMEDOUT (then it
 * watches), LF_NOT_RECOVERABLE, LF_CLOSED. */
LF_INLINE int lf_watch_lock(struct lf_watch *w, struct lf_handle *h, uint64_t *word) {
    uint64_t seen = 0;
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    w->recovered = lf__watch_recovered(h);
    do
        status = lf__lock_take(word, lf__lock_me(h) | LF__LOCK_WAITERS, 1, &seen); /* [I2] of owner_lock.h */
    while (status == LF_TIMEDOUT && lf_reap_one(h, lf__lock_participant(seen)) > 0);
    w->h = h;
    w->count = NULL;
    w->word = lf__lock_futex(word);
    w->expected = (uint32_t)seen;
    w->due = 0;
    return status;
}

/* Announces that somebody waits for the lock to be free, and does not take it. */
LF_INLINE void lf_watch_unlocked(struct lf_watch *w, struct lf_handle *h, uint64_t *word) {
    uint64_t seen = lf_load_relaxed(word);
    w->recovered = lf__watch_recovered(h);
    while (lf__lock_participant(seen) != 0 && !(seen & LF__LOCK_WAITERS))
        if (lf_cas_acquire(word, &seen, seen | LF__LOCK_WAITERS)) /* [L3] pairs with [L4] of owner_lock.h */
            seen |= LF__LOCK_WAITERS;
    w->h = h;
    w->count = NULL;
    w->word = lf__lock_futex(word);
    w->expected = (uint32_t)seen;
    w->due = 0;
}

LF_INLINE void lf_watch_end(struct lf_watch *w) {
    if (w->count != NULL)
        lf_eventcount_cancel(w->count, w->expected);
}
/* Also for a thread that still slept on the word after lf_watch_end: it was counted no more, and got the wake of another
 * one, which is counted no more either. So the word is woken whatever the count says. */
LF_INLINE void lf_watch_pass_on(struct lf_watch *w) {
    if (w->count != NULL)
        lf_eventcount_notify(w->count, 1);
    lf_futex_wake(w->word, 1);
}
/* Before lf_watch_pass_on, which is not needed then. The wake of a count was for what somebody has taken, and what is put from
 * now on brings one of its own. The wake of a lock is passed on all the same: its next holder does not know that others wait,
 * until one of them looks. */
LF_INLINE void lf_watch_found_nothing(struct lf_watch *w) {
    if (w->count != NULL || w->due == LF_WATCH_LOOK)
        w->due = 0;
}

/* How many words have changed. */
LF_INLINE uint64_t lf__watch_changed(struct lf_watch *watches, uint64_t count) {
    uint64_t due = 0;
    for (uint64_t i = 0; i < count; i++)
        if (lf_load_relaxed(watches[i].word) != watches[i].expected)
            due += watches[i].due = 1;
    return due;
}

LF_INLINE uint64_t lf__watch_all(struct lf_watch *watches, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        watches[i].due = LF_WATCH_LOOK;
    return count;
}

/* How many segments the first few are in. */
LF_INLINE uint64_t lf__watch_segments(const struct lf_watch *watches, uint64_t count) {
    uint64_t segments = 0;
    for (uint64_t i = 0, before; i < count && i < LF__WATCH_LOOKS; i++) {
        for (before = 0; before < i && lf__home(watches[before].h) != lf__home(watches[i].h);)
            before++;
        segments += before == i;
    }
    return segments;
}

/* Looks for the dead in some of the segments, in turn: how many watches are due for it, or for the dead whom others found. */
LF_INLINE uint64_t lf__watch_deaths(struct lf_watch *watches, uint64_t count, uint64_t *turn) {
    uint64_t due = 0;
    for (uint64_t i = 0; i < count; i++)
        if (lf__watch_recovered(watches[i].h) != watches[i].recovered)
            due += watches[i].due = 1;
    if (due != 0)
        return due;
    uint64_t segments = lf__watch_segments(watches, count);
    for (uint64_t k = 0; k < count && k < LF__WATCH_LOOKS; k++) {
        struct lf_handle *h = watches[*turn % count].h;
        ++*turn;
        if (lf_enter(h) == LF_OK && lf__look_among(h, segments) <= 0)
            continue;
        for (uint64_t i = 0; i < count; i++)
            if (watches[i].h == h)
                due += watches[i].due = 1;
    }
    return due;
}

#ifndef LF_MODEL
/* The waiters of the word that has most of them. */
LF_INLINE uint64_t lf__watch_crowd(const struct lf_watch *watches, uint64_t count) {
    uint64_t crowd = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t waiters = watches[i].count != NULL ? lf_load_relaxed(&watches[i].count->word) >> 32 : 0;
        crowd = waiters > crowd ? waiters : crowd;
    }
    return crowd;
}

/* Sleeps as the contract says, timeout_ns at most. `control`: a word of this process; when it is no longer
 * `control_expected`, the call returns. `next`: the slice with which it begins, 0 at first; then the one to go on with. How
 * many watches are due; 0: the control word, the time-out or a signal. */
LF_INLINE uint64_t lf_watch_sleep_on(struct lf_watch *watches, uint64_t count, uint32_t *control,
                                     uint32_t control_expected, uint64_t timeout_ns, uint64_t *next) {
    struct lf_futex_one words[1 + LF_WATCH_TOGETHER];
    uint64_t together = count < LF_WATCH_TOGETHER ? count : LF_WATCH_TOGETHER, turn = 0, due;
    uint64_t began = lf_now(), crowd = lf__watch_crowd(watches, count);
    uint64_t longer = crowd / LF__WATCH_CROWD * (LF__WATCH_TWICE + crowd) / LF__WATCH_TWICE;
    uint64_t most = LF__SLICE_NS * (1 + count / LF__WATCH_MANY + longer);
    uint64_t slice = *next > LF__FIRST_SLICE_NS ? *next : LF__FIRST_SLICE_NS;
    lf_futex_one_set(&words[0], control, control_expected);
    for (uint64_t i = 0; i < together; i++)
        lf_futex_one_set(&words[1 + i], watches[i].word, watches[i].expected);
    for (uint64_t slept = 0; slept < timeout_ns;) {
        if ((due = lf__watch_changed(watches, count)) != 0 || lf_load_relaxed(control) != control_expected)
            return due;
        if (slept >= LF_WATCH_ALL_NS * (1 + count / LF__WATCH_FEW + crowd / LF__WATCH_OTHERS))
            return lf__watch_all(watches, count);
        uint64_t left = timeout_ns - slept;
        int ended = lf_futex_wait_any(words, 1 + (uint32_t)together, slice < left ? slice : left);
        if (ended == -EINTR)
            return lf__watch_changed(watches, count);
        slept = lf_now() - began;
        if (ended == -ETIMEDOUT && (due = lf__watch_deaths(watches, count, &turn)) != 0)
            return due;
        *next = slice = 2 * slice < most ? 2 * slice : most;
    }
    return lf__watch_changed(watches, count);
}
LF_INLINE uint64_t lf_watch_sleep(struct lf_watch *watches, uint64_t count, uint32_t *control,
                                  uint32_t control_expected, uint64_t timeout_ns) {
    uint64_t next = 0;
    return lf_watch_sleep_on(watches, count, control, control_expected, timeout_ns, &next);
}
#endif

#endif
