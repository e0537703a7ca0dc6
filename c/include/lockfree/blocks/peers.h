/* peers.h: what the participants of a segment tell each other: their processes, since when they wait, which are gone.
 *
 * Contract
 *   A participant has a role once it has called put (LF_PRODUCES) or get (LF_CONSUMES) of a container. After
 *   lf_tell_deaths a wait of this handle ends with LF_PEER_DIED when somebody had the role that could end it, nobody has
 *   it any more (all of them died or left), and a last look was refused. A waiter has a role, too, if its process has
 *   called the other side. lf_gone says who went last, and how. lf_tell_here says the same, or the contrary, for the next
 *   waits of the calling thread, of whatever handle, until it says something else.
 *   lf_statistics sums what the participants counted, and those before them. Nothing is counted where a call succeeds
 *   at once. Sleeps and wakes are exact while nobody runs; of refusals some may be missing.
 * Cost: a role is written once. A wait that sleeps pays four relaxed additions to a line of its own. A refusal pays a
 *   load and a store.
 * Progress: wait-free, but for what lf_statistics reads, which is bounded by the participants.
 * Death: what a killed sleeper announced goes with its number. Nothing depends on these words. */
#ifndef LOCKFREE_PEERS_H
#define LOCKFREE_PEERS_H

#include "reaping.h"

enum lf_peer_role { LF_PRODUCES = 1, LF_CONSUMES = 2 };
#define LF_FOR_NOBODY 4 /* with LF_CONSUMES, after LF_PEER_DIED: there is room, and nobody would read */
enum lf_told_here { LF_TOLD_AS_THE_HANDLE, LF_TOLD_NEVER, LF_TOLD };

struct lf_statistics {
    uint64_t sleeps, wakes, refusals, recoveries;
};

#ifdef LF_MODEL
LF_INLINE void lf__play(struct lf_handle *h, uint32_t role) { (void)h, (void)role; }
LF_INLINE void lf__fall_asleep(struct lf_handle *h, int begins) { (void)h, (void)begins; }
LF_INLINE void lf__woken(struct lf_handle *h, int how) { (void)h, (void)how; }
#else
LF_INLINE struct lf_participant *lf__me(const struct lf_handle *h) { return &h->segment->participants[h->participant]; }

static __attribute__((noinline, unused)) void lf__play_at_first(struct lf_handle *h, uint32_t role) {
    lf_fetch_or_relaxed(&lf__me(h)->roles, role);
    lf_fetch_or_relaxed(&h->segment->roles, role);
    lf_fetch_or_relaxed(&h->roles, role);
}
/* The caller has entered. */
LF_INLINE void lf__play(struct lf_handle *h, uint32_t role) {
    if (LF_UNLIKELY((lf_load_relaxed(&h->roles) & role) == 0))
        lf__play_at_first(h, role);
}

/* Around a sleep in the kernel. `begins`: the first one of a wait. `how`: 0 if somebody woke it. */
LF_INLINE void lf__fall_asleep(struct lf_handle *h, int begins) {
    struct lf_participant *me = lf__me(h);
    if (begins)
        lf_store_relaxed(&me->seen, lf_now());
    lf_fetch_add_relaxed(&me->sleeps, (uint64_t)1);
    lf_fetch_add_relaxed(&me->sleepers, 1u);
}
LF_INLINE void lf__woken(struct lf_handle *h, int how) {
    struct lf_participant *me = lf__me(h);
    lf_fetch_sub_relaxed(&me->sleepers, 1u);
    if (how != 0)
        return;
    lf_fetch_add_relaxed(&me->wakes, (uint64_t)1);
    lf_store_relaxed(&me->seen, lf_now());
}

LF_INLINE int lf__is_played(const struct lf_handle *h, uint32_t role) {
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    for (uint32_t number = 1; number <= highest && number < LF_PARTICIPANTS; number++) {
        const struct lf_participant *peer = &h->segment->participants[number];
        /* [G2] acquire; pairs with [G1]: what the dead one had put, or leased, is inside for the next look */
        if (lf_load_acquire(&peer->in_use) && (lf_load_relaxed(&peer->roles) & role))
            return 1;
    }
    return 0;
}

static __thread int lf__told_here __attribute__((unused)); /* enum lf_told_here */
LF_INLINE void lf_tell_here(int how) { lf__told_here = how; }

/* Whether a wait that was refused so has nobody left who could end it, and wants to be told. */
LF_INLINE int lf_peers_are_gone(struct lf_handle *h, int refused) {
    uint32_t role = refused == LF_EMPTY ? LF_PRODUCES : refused == LF_FULL ? LF_CONSUMES : 0;
    int told = lf__told_here == LF_TOLD_AS_THE_HANDLE ? lf_load_relaxed(&h->told) != 0 : lf__told_here == LF_TOLD;
    return LF_UNLIKELY(told) && (lf_load_relaxed(&h->segment->roles) & role) && !lf__is_played(h, role);
}
#endif

LF_INLINE void lf_tell_deaths(struct lf_handle *h, int told) { lf_store_relaxed(&h->told, (uint32_t)(told != 0)); }

#ifndef LF_MODEL
/* The pid of the last participant with this role that is gone, 0 if there is none. *died: whether it died. */
LF_INLINE uint32_t lf_gone(const struct lf_handle *h, uint32_t role, int *died) {
    uint64_t word = lf_load_relaxed(&h->segment->gone[role == LF_CONSUMES]);
    *died = (int)(word >> 32 & 1);
    return (uint32_t)word;
}

LF_INLINE struct lf_statistics lf_statistics(const struct lf_handle *h) {
    struct lf_statistics sum = {0, 0, 0, lf_load_relaxed(&h->segment->recovered)};
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    for (uint32_t number = 1; number <= highest && number < LF_PARTICIPANTS; number++) {
        const struct lf_participant *peer = &h->segment->participants[number];
        sum.sleeps += lf_load_relaxed(&peer->sleeps);
        sum.wakes += lf_load_relaxed(&peer->wakes);
        sum.refusals += lf_load_relaxed(&peer->refusals);
    }
    return sum;
}
#endif

#endif
