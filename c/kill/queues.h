/* queues.h: what a victim may leave behind in a bounded queue, and whether the survivors' answers agree with it.
 *
 * The survivors make one call at a time. So an answer is right only if one of the states that the contract allows gives
 * it. The victim's operation says which states these are (kill_possible). Each answer removes the states that cannot
 * have given it. If no state is left, the contract is breached. Some changes may happen by themselves: an unfinished
 * put arrives; and after the victim's death recovery drops that put, frees a slot in hand, or delivers a leased record
 * again, at the tail. */
#ifndef LOCKFREE_KILL_QUEUES_H
#define LOCKFREE_KILL_QUEUES_H

#include "kill.h"

#define KILL_ITEMS 24
#define KILL_OWED 3
#define KILL_PENDING 4
#define KILL_VICTIMS 100u /* ids from here on are the victim's, from 200 on the survivors', below 100 of before */

struct kill_item {
    uint32_t id;
    uint32_t level;
};

struct kill_world {
    uint32_t count;
    struct kill_item items[KILL_ITEMS]; /* oldest first */
    uint32_t hand;                      /* slots that a dead or stopped process has, without a record to come */
    uint32_t owed;                      /* leased records that a dead or stopped process has */
    struct kill_item owed_items[KILL_OWED];
    uint32_t pending; /* puts that were cut off and may still arrive, in this order within a level; slots in hand */
    struct kill_item pending_items[KILL_PENDING];
    uint32_t droppable; /* so many of them, the last ones, need not arrive */
};

/* The interface of a primitive. The calls run in the survivor's process. put and get return a status or a length; get
 * checks the record against its id. size runs in this process. */
struct kill_queue {
    uint32_t capacity;
    uint32_t levels;
    int64_t (*put)(struct kill_message *m);
    int64_t (*get)(struct kill_message *m);
    int64_t (*size)(struct kill_message *m);
    /* The survivor of the nth call of a cycle (NULL: in turn), and what must happen between cycles (NULL: nothing). */
    struct kill_survivor *(*who)(int putting, uint64_t n);
    void (*between)(void);
};

#define KILL_GARBAGE (-1000) /* a get's answer: the record is not what was put under that id */

/* Records: 8 + id % 29 bytes that follow from the id, its level among them. Returns the length. */
uint64_t kill_write_record(unsigned char *record, uint32_t id, uint32_t level);
/* The id, or KILL_GARBAGE; *level from the record. */
int64_t kill_read_record(const unsigned char *record, int64_t length, uint32_t *level);

/* ---- the states ---- */
void kill_forget_worlds(void);
struct kill_world kill_world_of(uint32_t inside); /* ids 1..inside, put by arrange */
uint32_t kill_level_of(uint32_t id);
void kill_world_put(struct kill_world *w, uint32_t id, uint32_t level);
struct kill_item kill_world_take(struct kill_world *w); /* the first, or {0, 0} */
void kill_world_cut_off(struct kill_world *w, uint32_t id, uint32_t level, uint32_t droppable);
void kill_world_owe(struct kill_world *w, struct kill_item item);
void kill_possible(const struct kill_world *w);
/* Whether in every state there will be room for a put (or a record to get) after everything of the dead is back. */
int kill_certain(int putting);

/* ---- the survivors' calls; each answer is compared with the states ---- */
int64_t kill_put(struct kill_survivor *s, uint64_t deadline);
int64_t kill_get(struct kill_survivor *s, uint64_t deadline);
/* A call that was begun before the victim's and has now returned. */
void kill_agree_put(const struct kill_survivor *s, const struct kill_message *m);
void kill_agree_get(const struct kill_survivor *s, const struct kill_message *m);
/* The message for a survivor's next put, with a new id. */
struct kill_message kill_next_put(uint64_t deadline);

/* A process's first calls: `inside` records, by the survivors in turn. */
void kill_put_inside(uint32_t inside);
void kill_queue_beside(void);
void kill_queue_judge(void);

#endif
