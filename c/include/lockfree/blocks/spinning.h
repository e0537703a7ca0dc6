/* spinning.h: how long a waiting call looks before it sleeps.
 *
 * Contract
 *   lf_set_spin says how long the waiting calls of one handle look before they sleep: LF_SPIN_NEVER, so many
 *   microseconds (for a process that has a core to itself), or LF_SPIN_ADAPTIVE, as at first. It concerns this process
 *   alone. Adaptive: a call looks for about 10 us. After a look without success it is 25 us. After three in a row the
 *   next 4 waits sleep at once; then one looks for 100 us; if it found nothing, the next 8 sleep at once, then 16, 32,
 *   64, 64, ... After a look that finds something all begins again. So does the check that follows the announcement of
 *   a sleeper, if it finds something: then the other side runs at the same time. So nothing is asked about processors
 *   and affinities, which change. A thread that shares its processor with the other side hardly looks. The looks are a
 *   few pauses apart at first, and up to 64 later: the line belongs to the thread that is about to write it.
 *   100 us, since two sides that answer each other may both sleep, and then each has to outlast the wake of the other:
 *   50 us where an idle processor was given back to a hypervisor. What is found so late says no more than that: the
 *   next look is 25 us, and if it finds nothing, then as many waits sleep at once as before.
 *   Before it sleeps, an adaptive wait gives its processor away once, and looks once more. If the other side waits for
 *   this processor, it now runs as long as it has work: a sleep and a wake for each record cost more, and the one who
 *   is woken takes the processor from the one who still writes. With nobody else to run this costs half a microsecond.
 *   If the processor was away for 2 ms, somebody else has much to do: a sleeper would have been woken before.
 *   So the next 64 waits give nothing away, then 256, then 1024; a shorter time halves that. Nor does a wait
 *   whose deadline is less than 2 ms away.
 * Progress: bounded; with microseconds, by the clock and by the deadline of the wait. Giving the processor away lasts as
 *   long as the scheduler takes.
 * What was found lately is a hint in process memory. Threads may write over each other's: nothing depends on it. */
#ifndef LOCKFREE_SPINNING_H
#define LOCKFREE_SPINNING_H

#include "segment.h"
#include "wait.h"

#ifndef LF_MODEL
#include <sched.h>
#endif

#define LF_SPIN_NEVER 0u
#define LF_SPIN_MOST 100000u /* microseconds: so soon a call serves signals */

#define LF__SPIN_PAUSES 400u   /* about 10 us: between a cache-line transfer and a futex wake */
#define LF__SPIN_IN_VAIN 3u    /* looks without success until waits rest */
#define LF__SPIN_REST 4u       /* waits without a look, at first; five times in a row it doubles */
#define LF__SPIN_LONG 75u      /* microseconds by the clock, after 25 by pauses: about as long as a slow wake */
#define LF__SPIN_LEVELS 16u    /* in `missed`: so many looks without success are told apart */
#define LF__SPIN_LATE 16u      /* in `missed`: a long look found something late */
#define LF__SPIN_RESTING 256u  /* in `missed`: a wait without a look */
#define LF__SPIN_SHORT 64u     /* pauses: the most between two looks; so few in all are no reason to stop looking */
#define LF__AWAY_LONG 2000000u /* ns: longer than the turns of sides that pass records on */
#define LF__AWAY_REST 32u      /* waits that keep the processor after it was away for long, at the first level */
#define LF__AWAY_LEVEL 65536u  /* in `away`: how often it has doubled, above the waits that are left */

/* LF_OK, or LF_INVALID: above LF_SPIN_MOST. */
LF_INLINE int lf_set_spin(struct lf_handle *h, uint32_t microseconds) {
    if (microseconds > LF_SPIN_MOST && microseconds != LF_SPIN_ADAPTIVE)
        return LF_INVALID;
    lf_store_relaxed(&h->spin, microseconds);
    lf_store_relaxed(&h->missed, 0u);
    return LF_OK;
}
LF_INLINE uint32_t lf_get_spin(const struct lf_handle *h) { return lf_load_relaxed(&h->spin); }

/* One wait's looks. */
struct lf__spin {
    uint32_t pauses, most; /* done, and to be done */
    uint32_t stride;       /* pauses before the first look */
    uint64_t until;        /* ns of the clock, or 0 */
    uint64_t deadline;     /* of the wait; asked by long looks alone */
    uint32_t learns;       /* what it finds is for the next wait to know */
    uint32_t usual;        /* pauses after which a find is late; 0: none is */
    uint32_t yields;       /* LF__YIELDS: it gives the processor away before it sleeps; LF__YIELDED */
};
#define LF__YIELDS 1u
#define LF__YIELDED 2u

/* Whether a wait that begins may give its processor away. */
LF_INLINE uint32_t lf__spin_yields(struct lf_handle *h) {
#ifdef LF_MODEL /* whose threads run when it says so */
    return (void)h, 0;
#else
    uint32_t away = lf_load_relaxed(&h->away);
    if (LF_LIKELY(away % LF__AWAY_LEVEL == 0))
        return LF__YIELDS;
    lf_store_relaxed(&h->away, away - 1);
    return 0;
#endif
}
/* Gives the processor away, and learns from how long that lasts. Then comes a last look. */
LF_INLINE int lf__spin_yield(struct lf_handle *h, struct lf__spin *spin) {
    if (spin->yields != LF__YIELDS)
        return 0;
    uint64_t began = lf_now();
    if (spin->deadline < began + LF__AWAY_LONG)
        return 0;
    spin->yields = LF__YIELDED;
#ifndef LF_MODEL
    sched_yield();
    uint32_t away = lf_load_relaxed(&h->away), level = away / LF__AWAY_LEVEL;
    if (LF_UNLIKELY(lf_now() - began >= LF__AWAY_LONG)) {
        level = level < 5 ? level + 2 : 6;
        lf_store_relaxed(&h->away, level * LF__AWAY_LEVEL + (LF__AWAY_REST << (level - 1)));
    } else if (LF_UNLIKELY(level != 0)) {
        lf_store_relaxed(&h->away, (level - 1) * LF__AWAY_LEVEL);
    }
#endif
    return 1;
}

/* `most`: the adaptive bound of the caller, in pauses; 0: no look at all, in whatever mode. */
LF_INLINE struct lf__spin lf__spin_begin(struct lf_handle *h, uint32_t most, uint32_t stride, uint64_t deadline) {
    struct lf__spin spin = {0, most < h->spins ? most : h->spins, stride, 0, deadline, 0, 0, 0};
    uint32_t us = lf_load_relaxed(&h->spin);
    if (us != LF_SPIN_ADAPTIVE) {
        spin.most = us == LF_SPIN_NEVER || most == 0 ? 0 : UINT32_MAX;
        return spin;
    }
    if (spin.most != 0)
        spin.yields = lf__spin_yields(h);
    spin.learns = spin.most > LF__SPIN_SHORT;
    uint32_t missed = lf_load_relaxed(&h->missed);
    if (LF_LIKELY(!spin.learns || missed == 0))
        return spin;
    spin.usual = spin.most / 2 * 5;
    if (missed >= LF__SPIN_RESTING) {
        spin.most = 0;
        lf_store_relaxed(&h->missed, missed - LF__SPIN_RESTING);
    } else {
        spin.most = missed < LF__SPIN_IN_VAIN || (missed & LF__SPIN_LATE) ? spin.usual : UINT32_MAX;
    }
    return spin;
}

/* Pauses, and says whether to look now: 1, or 0 if it is time to sleep. */
LF_INLINE int lf__spin_on(struct lf_handle *h, struct lf__spin *spin) {
    if (spin->pauses >= spin->most)
        return lf__spin_yield(h, spin);
    uint32_t pauses = spin->stride + spin->pauses / 8;
    if (pauses > LF__SPIN_SHORT)
        pauses = LF__SPIN_SHORT;
    spin->pauses += pauses;
    for (; pauses > 0; pauses--)
        lf_pause();
    if (LF_LIKELY(spin->most != UINT32_MAX || spin->pauses <= spin->usual))
        return 1;
    uint64_t now = lf_now();
    if (spin->until == 0)
        spin->until = now + (spin->usual != 0 ? LF__SPIN_LONG : lf_load_relaxed(&h->spin)) * UINT64_C(1000);
    if (now < spin->until && now < spin->deadline)
        return 1;
    spin->pauses = UINT32_MAX;
    return lf__spin_yield(h, spin);
}

/* Looking was of use, or would have been. */
LF_INLINE void lf__spin_found(struct lf_handle *h) {
    if (LF_UNLIKELY(lf_load_relaxed(&h->missed) != 0))
        lf_store_relaxed(&h->missed, 0u);
}
/* No look found anything. */
LF_INLINE void lf__spin_missed(struct lf_handle *h, const struct lf__spin *spin) {
    if (!spin->learns || spin->most == 0)
        return;
    uint32_t missed = lf_load_relaxed(&h->missed), late = missed & LF__SPIN_LATE;
    missed = missed % LF__SPIN_LEVELS + (late ? 0 : 1);
    if (missed > LF__SPIN_IN_VAIN + 4)
        missed = LF__SPIN_IN_VAIN + 4;
    uint32_t rest = missed < LF__SPIN_IN_VAIN ? 0 : LF__SPIN_REST << (missed - LF__SPIN_IN_VAIN);
    lf_store_relaxed(&h->missed, rest * LF__SPIN_RESTING + missed);
}
/* A look found something. */
LF_INLINE void lf__spin_saw(struct lf_handle *h, const struct lf__spin *spin) {
    if (spin->yields == LF__YIELDED) /* the looks before found nothing */
        lf__spin_missed(h, spin);
    else if (LF_LIKELY(spin->usual == 0 || spin->pauses <= spin->usual))
        lf__spin_found(h);
    else
        lf_store_relaxed(&h->missed, lf_load_relaxed(&h->missed) % LF__SPIN_LEVELS | LF__SPIN_LATE);
}

#endif
