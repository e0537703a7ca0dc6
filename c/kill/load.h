/* load.h: what the files of the program `load` share. load.c runs the rounds, load_subjects.c knows the primitives, and
 * load_books.c keeps what the processes write down. */
#ifndef LOCKFREE_KILL_LOAD_H
#define LOCKFREE_KILL_LOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <lockfree/lockfree.h>

#include <stdio.h>

#define MS UINT64_C(1000000)
#define WORKERS 4     /* at a time */
#define LIVES 12      /* workers in a round, with those that replace the dead */
#define RECORDS 65536 /* of one life; more than it can put in its time */
#define CAPACITY 5
#define LEVELS 4
#define PERMITS 5
#define WATCHDOG (10000 * MS)
#define AT_LAST (5000 * MS)

/* What a life (one worker) writes down, so that it survives the worker's death. Only this worker writes it. */
struct life {
    LF_ALIGNED uint64_t operations;
    uint64_t tried; /* the last record that it began to put */
    uint64_t put;   /* the last one whose put returned */
    uint32_t at_work;
};
struct books {
    uint32_t stop;
    uint32_t wrong;
    char what[512];
    uint64_t counter, mirror; /* guarded by the lock */
    uint32_t inside;          /* the life in the section */
    struct life lives[LIVES];
    uint8_t seen[LIVES][RECORDS + 1];
};

/* ---- load_books.c ---- */

extern struct books *books; /* shared with every process of a round */
extern uint64_t deaths;     /* in this round */
extern int leases;          /* in this round records are leased: they come back at the tail, so order is not checked */
uint64_t random_number(uint64_t *state);
void wrong(const char *what, ...) __attribute__((format(printf, 1, 2))); /* the first one counts */

/* ---- load_subjects.c ---- */

struct record; /* what queues carry */

struct subject {
    const char *name;
    const struct lf_kind *kind;
    struct lf_handle *handle;
    int (*create)(uint64_t start);
    void (*work)(uint32_t life, uint64_t *state); /* one operation */
    void (*settle)(void);                         /* driver, after everybody has stopped */
    /* queues only */
    int (*put)(const struct record *r, uint64_t span);
    int64_t (*get)(struct record *r, uint64_t span, int lease);
    uint32_t levels;
    uint32_t roles; /* 1: even lives put, odd lives get */
};
extern const struct subject *subject;      /* of this run */
int choose_subject(const char *primitive); /* 0: there is no such primitive here */
void forget_last_seen(void);               /* a new process, or a new object */

#endif
