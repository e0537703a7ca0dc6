/* choices.h: what an execution does next, and the state of the search through executions. */
#ifndef LOCKFREE_MODEL_CHOICES_H
#define LOCKFREE_MODEL_CHOICES_H

#include "../events/events.h"

enum { MAX_CHANGES = 8 };

struct graph_entry { /* an event of an execution that is to be built again */
    int32_t rf;      /* reads: index of the entry read from; below 0: the location's store number -1 - rf
                        that was there before atomic accesses */
    int32_t rank;    /* stores: place in mo relative to the others' */
    int32_t stamp;
    uint16_t value; /* choices */
    uint8_t tid, kind;
};

struct graph_item {
    struct graph_item *next;
    double weight; /* estimated part of the whole search */
    int count;
    struct graph_entry entry[];
};

struct exploration {
    uint64_t random;
    struct {
        uint16_t taken, options;
    } *path; /* MODE_BOUNDED */
    int path_length, depth, preemptions_left;
    uint16_t *replay;
    int replay_length, replay_at;
    bool asked;             /* with --ask: this execution has said which choice comes after those of the token */
    int turn, left_of_turn; /* MODE_RANDOM: how many steps a turn has, if threads take turns; 0 if not */
    uint32_t taking_turns;  /* bit t: thread t */
    int priority[MAX_THREADS], change_at[MAX_CHANGES], step, longest; /* MODE_PCT */

    struct graph_item *todo, *item; /* MODE_EXHAUSTIVE */
    int at;                         /* entries of the item that have been built again */
    int *built;                     /* their events */
    int *entry_of;                  /* event: number among the entries, in order of execution */
    int *new_index;                 /* of entries: their numbers in a shorter list */
    int *readers;                   /* those that a store could revisit */
    int32_t next_stamp;
    int pushed;  /* by this execution */
    double seen; /* estimated part of the search that is done */
};

extern struct exploration X;

/* trail.c: what the choices of an execution were. */
void trail_add(int number);

/* graph.c: every execution graph once. */
void graph_begin(void);
bool graph_next(void);
void graph_start_run(void);
int graph_thread(const int *list, int open, int count);
int graph_pick_read(struct loc *loc, const int *candidate, const bool *conflicting, int count);
int graph_pick_place(struct loc *loc, const int *place, int count);
int graph_pick_value(int options);
void graph_pick_nothing(void);
bool graph_is_settled(const struct thread *t);
bool graph_is_new(void); /* in the exhaustive search: what comes next has not been decided yet */
bool graph_pick_impatience(bool open);
void graph_new_store(struct loc *loc, int write);
void graph_added(int event);

/* choose.c: the one function that all nondeterminism goes through, and the ways to explore. */
void choices_start(void);
bool bounded_advance(void);
int choose(enum choice_kind kind, int options);
int choose_thread(const int *list, int open, int count, int current);
bool choose_impatience(bool open);

#endif
