/* What the parts of reorder.c share: the sweep with its marks, and the moves of values in its order. */
#ifndef LF_LINEARIZE_REORDER_H
#define LF_LINEARIZE_REORDER_H

#include "linearize/sweep.h"

enum {
    LIN_MARK_EVERY = 64, /* events between two states of the sweep that are kept */
    LIN_MOVES = 512,     /* the most that are listed */
    LIN_TABU = 64        /* the newest moves that are not undone */
};

struct lin_mark {
    uint32_t event, n; /* before this event */
    size_t from;       /* in `pair` */
    uint64_t full, empty;
    uint32_t answer[64];
};

/* The value at place `from` goes to the place `to`, and those between make room; or these two values, which are equal,
 * change puts or gets. */
enum lin_moved { LIN_VALUE, LIN_PUTS, LIN_GETS };
struct lin_move {
    uint32_t from, to;
    enum lin_moved what;
};

struct lin_tabu {
    uint32_t value;
    bool earlier; /* it went to an earlier place */
};

struct lin_reorderer {
    struct lin_sweeper s;
    struct lin_problem *p;
    struct lin_value *v;
    uint32_t *order, *before;   /* [m]; `before` the chain of moves that is tried */
    struct lin_value *matched;  /* [m] or NULL: what the values were then, if they can change puts and gets */
    uint32_t *place;            /* [m] by value, the inverse of order */
    uint32_t *owner;            /* [n] the value that an operation puts or gets, LIN_NO: none */
    uint32_t *open_from, *open; /* operations that run before event LIN_MARK_EVERY * i: open[open_from[i] ..) */
    struct lin_mark *mark;
    uint32_t marks, mark_room;
    struct lin_pair *pair;
    size_t pairs, pair_room;
    struct lin_move move[LIN_MOVES];
    uint32_t moves, since; /* they are to change something from the gap `since` on */
    struct lin_tabu tabu[LIN_TABU];
    uint32_t tabus;
    uint32_t wide;        /* how often failures have doubled what is looked at */
    uint64_t steps, most; /* of sweeps */
};

/* reorder_sweep.c */
bool lin_reorder_open(struct lin_reorderer *x, struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order);
uint32_t lin_mark_before(const struct lin_reorderer *x, uint32_t event); /* the last mark at or before the event */
uint32_t lin_back_to(struct lin_reorderer *x, uint32_t mark);            /* the event at which it stands */
/* Sweeps from `event` on; the event at which that ends, at most `until`. */
uint32_t lin_run_sweep(struct lin_reorderer *x, uint32_t event, uint32_t until, bool keep);
/* How far the sweep gets after the move, which is then taken back. */
uint32_t lin_try_move(struct lin_reorderer *x, struct lin_move move, uint32_t until);
/* The same from x->since on, as if the move had done no harm where its values were put. 0: they are put later. */
uint32_t lin_try_here(struct lin_reorderer *x, struct lin_move move, uint32_t until);
void lin_keep_move(struct lin_reorderer *x, struct lin_move move);
void lin_keep_order(struct lin_reorderer *x); /* for lin_restore_order */
void lin_restore_order(struct lin_reorderer *x);

/* reorder_moves.c */
void lin_find_moves(struct lin_reorderer *x, uint32_t end); /* all that may help where the sweep ends */
void lin_forbid_undoing(struct lin_reorderer *x, struct lin_move move);
bool lin_is_forbidden(const struct lin_reorderer *x, struct lin_move move);

#endif
