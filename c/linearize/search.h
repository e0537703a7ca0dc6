/* What the general searches share: numbered states, one step of a specification, the sets of open operations. */
#ifndef LF_LINEARIZE_SEARCH_H
#define LF_LINEARIZE_SEARCH_H

#include "linearize/internal.h"

enum { LIN_OPEN_MAX = 1024, LIN_WORDS_MAX = LIN_OPEN_MAX / 64 };

static inline bool lin_bit(const uint64_t *set, uint32_t i) { return set[i / 64] >> (i % 64) & 1; }
static inline void lin_set(uint64_t *set, uint32_t i) { set[i / 64] |= UINT64_C(1) << (i % 64); }
static inline void lin_clear(uint64_t *set, uint32_t i) { set[i / 64] &= ~(UINT64_C(1) << (i % 64)); }

/* Interned states: number <-> words. A custom specification numbers its own. */
struct lin_states {
    int64_t *word;
    size_t *start; /* state i is word[start[i]..start[i+1]) */
    uint32_t *slot, n, room, slots;
    size_t word_room;
};

/* Queues of distinct values: when the value of a put is taken, as gaps. */
struct lin_turns {
    uint32_t *lo, *hi; /* [n], by put; lo NULL: not known */
    uint32_t *next;    /* [events + 1]: the earliest end of a get whose put is called after the gap */
};

/* What a user's specification has answered: no state or one. */
enum { LIN_ANSWERS = 1 << 14 }; /* at most */
struct lin_answer {
    uint32_t state, op, count, out; /* op LIN_NO: free */
};

struct lin_stepper {
    struct lin_problem *p;
    struct lin_states states, spare;
    struct lin_turns turns;
    uint32_t gap; /* where in time the search is */
    int64_t *scratch;
    size_t scratch_room;
    uint32_t *out, count, room; /* the states after a step */
    struct lin_answer *answers; /* custom: the newest at each place */
    uint32_t answer_places;     /* a power of two */
    bool custom;
};

bool lin_grow(struct lin_run *run, void **memory, size_t used, size_t room, size_t size);
uint64_t lin_hash_words(const void *words, size_t n);
bool lin_rehash(struct lin_run *run, uint32_t **slot, uint32_t *slots, uint32_t wanted);
/* Returns the number of the state, LIN_NO when out of memory. */
uint32_t lin_intern(struct lin_run *run, struct lin_states *s, const int64_t *words, uint32_t count);

bool lin_stepper_init(struct lin_stepper *s, struct lin_problem *p);
uint32_t lin_stepper_start(struct lin_stepper *s); /* the number of the initial state */
/* The states after `op` in `state` are out[0..count). False: stop. */
bool lin_step(struct lin_stepper *s, uint32_t state, uint32_t op);

/* Two operations of which one can stand for the other, but for their intervals. */
bool lin_alike(const struct lin_problem *p, uint32_t a, uint32_t b);
uint32_t lin_most_open(const struct lin_problem *p);
static inline bool lin_puts_value(const struct lin_problem *p, uint32_t op) {
    return lin_is_put(lin_op(p, op)) && !lin_failed(lin_op(p, op));
}
/* A queue whose gets are known: of two open puts, may `a` go before `b` whenever `b` before `a` is an order? Yes if it
 * returns no later, and neither end of its get is later: the two change places, and so do their gets. In a batch
 * the others would have to follow. */
static inline bool lin_goes_first(const struct lin_problem *p, const struct lin_turns *t, uint32_t a, uint32_t b) {
    if (p->before || !lin_puts_value(p, a) || t->lo[a] > t->lo[b] || t->hi[a] > t->hi[b] || p->ret[a] > p->ret[b])
        return false;
    return t->lo[a] < t->lo[b] || t->hi[a] < t->hi[b] || p->ret[a] < p->ret[b] || a < b;
}
/* Fills in when the value of each put is taken, unless values repeat. */
void lin_know_gets(struct lin_problem *p, struct lin_turns *t);

/* Both answer LIN_ACCEPT, LIN_REJECT or LIN_UNDECIDED: stopped, or no patience left. The frontier visits `budget`
 * configurations and fills the result after LIN_REJECT; the other one visits `patience` of them without getting on, and
 * goes on from there when it is called again. */
int lin_frontier(struct lin_problem *p, uint64_t budget);
enum lin_first { LIN_BY_RETURN, LIN_BY_CALL, LIN_BY_CHANCE };
struct lin_depth;
struct lin_depth *lin_depth_open(struct lin_problem *p); /* NULL: stopped; freed with what the run allocated since */
int lin_depth_first(struct lin_depth *d, enum lin_first first, uint64_t patience);
/* May its LIN_REJECT be believed? Slots that are filled late miss orders: there only the frontier rejects. */
bool lin_depth_is_exact(const struct lin_depth *d);
uint32_t lin_depth_furthest(const struct lin_depth *d); /* the event that it has reached */
int lin_reject_window(struct lin_problem *p, uint32_t op, uint32_t cut, uint32_t last);

#endif
