/* The depth-first search: what it holds, and what its files ask of each other. */
#ifndef LF_LINEARIZE_DEPTH_H
#define LF_LINEARIZE_DEPTH_H

#include "linearize/claims.h"
#include "linearize/content.h"
#include "linearize/demand.h"
#include "linearize/slots.h"
#include "linearize/tried.h"

enum { LIN_RETURNING = 0 }; /* the first choice: the operation whose return is next */

struct lin_choice {
    uint32_t at;            /* the event that waits */
    uint32_t next, outcome; /* which choice comes next, and which of its outcomes */
    uint32_t state;         /* before the choice */
    uint32_t op;            /* chosen; LIN_NO: `value` puts, of whatever values */
    uint32_t trail;
    uint32_t turn;  /* of the search in which `next` counts */
    uint32_t taken; /* what the content knew about it */
    int64_t value;  /* taken from the content */
};

struct lin_depth {
    struct lin_problem *p;
    struct lin_run *run;
    struct lin_stepper steps;
    struct lin_content content;
    struct lin_claims claims;
    struct lin_slots slots;
    enum lin_first first;
    uint32_t sets;
    uint32_t *slot_of; /* [n] where an operation is in the sets, while it is open */
    uint32_t *alike;   /* [n] equal numbers: perhaps alike */
    uint8_t *observes; /* [n] */
    uint32_t open[LIN_OPEN_MAX];
    uint64_t used[LIN_WORDS_MAX], done[LIN_WORDS_MAX], observer[LIN_WORDS_MAX];
    uint32_t at, furthest, state;
    struct lin_choice *path;
    uint64_t *path_done; /* `sets` words for each choice */
    uint32_t depth, room;
    uint32_t *trail, trail_n; /* the operations in the order in which they take effect */
    struct lin_tried tried;
    struct lin_demand demand;
    uint64_t visited, budget, patience, chance;
    uint32_t turn;
    /* [events + 1] a stack with a capacity: when such a call returns first from there on */
    uint32_t *next_put, *next_empty;
    uint8_t moves[256]; /* custom: how often in a row operations of this name have changed the state */
    uint32_t list[LIN_OPEN_MAX];
    uint64_t order[LIN_OPEN_MAX];
};

static inline bool lin_out_of_sight(const struct lin_problem *p, uint32_t op) { return p->skip && p->skip[op]; }

/* depth_rules.c */
/* Have the earlier operations of its batch taken effect? */
bool lin_batch_allows(const struct lin_depth *d, uint32_t op);
/* May it take effect now, as far as the order of batches, its likes and the gets that are known say? */
bool lin_allowed(const struct lin_depth *d, uint32_t op);
/* Did another open operation of its kind take effect before it, as the object or the gets say? A guess: it costs or
 * saves time. */
bool lin_was_later(const struct lin_depth *d, uint32_t op);
/* A user's specification: does `op`, here and now, leave the state as it is? Then its result is right now, and perhaps
 * not later. A guess: it is not asked about operations that have always changed the state. */
bool lin_stays(struct lin_depth *d, uint32_t op);

/* depth_claims.c: the same for claims and slots, whose puts are no operations of their own */
/* Has this event of a put to be prepared by choices? */
bool lin_stops_at_put(struct lin_depth *d, uint32_t event);
uint32_t lin_claim_outcomes(struct lin_depth *d, uint32_t op);
void lin_claim(struct lin_depth *d, struct lin_choice *c, uint32_t outcome);
void lin_unclaim(struct lin_depth *d, const struct lin_choice *c);
/* Slots: puts take effect now, `before` gets are chosen or after that found no order. False: none is called for. */
bool lin_fill(struct lin_depth *d, struct lin_choice *c, uint32_t returning, bool before);
/* Slots: can it be of use to choose gets before `returning` has its effect? */
bool lin_gets_help(const struct lin_depth *d, uint32_t returning);
/* Slots: writes into the trail which put each one was. False: out of memory. */
bool lin_name_puts(struct lin_depth *d);

/* depth_room.c */
bool lin_room_init(struct lin_depth *d);
/* A stack, after this put: is there room for what is put before its value can go, and is it not inside of an EMPTY? */
bool lin_room_is_left(const struct lin_depth *d, uint32_t put);

/* depth_order.c */
/* Fills list with the open operations that may come next, the most promising first; how many. Without `returning`
 * unless `later`. */
uint32_t lin_list(struct lin_depth *d, uint32_t returning, bool later);

#endif
