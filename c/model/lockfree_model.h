/* lockfree_model.h: what a client of the model checker says.
 *
 *   #include "lockfree_model.h"
 *   static struct ring ring;
 *   static void setup(void)    { ring_init(&ring); }
 *   static void producer(void) { lf_model_call(LF_MODEL_PUT, 1); lf_model_return(ring_put(&ring, 1) ? 0 : LF_MODEL_FULL); }
 *   static void consumer(void) { lf_model_call(LF_MODEL_GET, 0); lf_model_return(ring_get(&ring)); }
 *   LF_MODEL_CLIENT(ring_1p1c, .setup = setup, .threads = {producer, consumer},
 *                   .spec = &lf_model_fifo, .capacity = 1);
 *
 * `lockfree model FILE.c` runs every client of the file, or the one named with --client. setup and final
 * run alone, before and after the threads, and every thread sees what setup did. assert() works. Recorded
 * calls are checked against `spec`: there must be an order of the calls that explains every result and
 * keeps a call before each call that it happens before (Herlihy and Wing 1990, with C11's happens-before
 * as the order of time). A file without a client that has a main is checked as it is: its main is the first
 * thread. Nothing here fails with a status: a mistake of the client ends the check. */
#ifndef LOCKFREE_MODEL_H
#define LOCKFREE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LF_MODEL_PUT = 1,     /* argument: value (priority queue: priority << 32 | id); result 0 or LF_MODEL_FULL */
    LF_MODEL_GET,         /* result: value or LF_MODEL_EMPTY */
    LF_MODEL_READ,        /* result: value */
    LF_MODEL_WRITE,       /* argument: value */
    LF_MODEL_ADD,         /* argument: addend; result: value before */
    LF_MODEL_ACQUIRE,     /* argument: permits (locks: 0); result 0 */
    LF_MODEL_TRY_ACQUIRE, /* result 0 or LF_MODEL_BUSY */
    LF_MODEL_RELEASE,     /* argument: permits (locks: 0); result 0 or LF_MODEL_BUSY (above the maximum) */
    LF_MODEL_USER = 64,   /* first number for a client's own operations */
};

#define LF_MODEL_EMPTY (UINT64_MAX - 1)
#define LF_MODEL_FULL (UINT64_MAX - 2)
#define LF_MODEL_BUSY (UINT64_MAX - 3)

struct lf_model_op {
    uint32_t what;   /* LF_MODEL_... */
    uint32_t thread; /* 1, 2, ... */
    uint64_t argument;
    uint64_t result;
    int pending; /* never returned (its thread was stopped): the result is not known */
};

struct lf_model_client;
struct lf_model_moment { /* for specifications that look at what else is going on */
    const struct lf_model_client *client;
    int puts_open; /* calls of LF_MODEL_PUT that overlap this one and have not taken effect yet */
    int gets_open; /* calls of LF_MODEL_GET that overlap this one and have taken effect already */
};

struct lf_model_spec {
    const char *name;
    size_t state_bytes; /* at most LF_MODEL_STATE_BYTES, aligned to 8; zero at first, compared byte by byte */
    void (*start)(void *state, const struct lf_model_client *client); /* NULL: all zero */
    /* 1 if the operation with its result is possible here (and then changes state), 0 if not. For a pending
     * operation the result is not looked at. */
    int (*step)(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment);
};
#define LF_MODEL_STATE_BYTES 256

struct lf_model_client {
    const char *name;
    void (*setup)(void);
    void (*threads[32])(void); /* at most 31 */
    void (*final)(void);
    const struct lf_model_spec *spec;
    uint64_t capacity; /* of queues (0: unbounded); maximum of semaphores (0: none) */
    uint64_t initial;  /* value of registers, counters, semaphores */
    int spins;         /* useless turns of a waiting loop that are followed; 0 means 1 */
    int timeouts;      /* times a thread's timed sleep may end by itself; while it may, it is no lost wake */
    int spurious;      /* times a thread's sleep may end without a wake */
    int stop_is_death; /* 1: participant t is thread t, and dies when it is stopped for ever */
    int no_membarrier; /* bit t: the kernel refuses membarrier to thread t, and does not reach it */
    int may_stop;      /* bit t: thread t may be stopped for ever with --threads-stop; 0 means each */
};

#define LF_MODEL_CLIENT(id, ...)                                                                                       \
    static const struct lf_model_client lf_model_client_##id = {.name = #id, __VA_ARGS__};                             \
    __attribute__((used, section("lf_model_clients"))) static const struct lf_model_client *const                      \
        lf_model_client_entry_##id = &lf_model_client_##id

extern const struct lf_model_spec lf_model_fifo;           /* FULL counts records in the hands of overlapping calls */
extern const struct lf_model_spec lf_model_stack;          /* PUT pushes, GET pops */
extern const struct lf_model_spec lf_model_priority_queue; /* least priority first, FIFO within one */
extern const struct lf_model_spec lf_model_register;
extern const struct lf_model_spec lf_model_counter;
extern const struct lf_model_spec lf_model_mutex;
extern const struct lf_model_spec lf_model_semaphore;

/* Records the beginning and the end of an operation of the calling thread. Calls in setup come before all
 * others, calls in final after them. */
void lf_model_call(uint32_t what, uint64_t argument);
void lf_model_return(uint64_t result);

/* Memory as fresh shared memory is: zeroed, bounded (an access beside it is a violation). In setup only. */
void *lf_model_shared(size_t bytes);
/* As malloc does: not zeroed (reading it before writing is a violation), bounded, never reused. */
void *lf_model_allocate(size_t bytes);

/* Gives memory a name in traces. In setup only. */
void lf_model_label(const void *address, size_t bytes, const char *name);

/* Which thread is calling: 1, 2, ...; 0 in setup and final. */
int lf_model_thread(void);
/* One of 0..options-1, all of them explored; at most 65535. In threads only. */
int lf_model_choose(int options);
/* Drops executions in which the condition is false. */
void lf_model_assume(int condition);
/* Declares a participant (0 to 31) dead for lf_model_participant_alive(). In setup, or by any thread. */
void lf_model_set_participant_dead(uint32_t participant);
/* Tells litmus tests apart: adds to the outcome of this execution, printed as a set with --outcomes. */
void lf_model_observe(const char *name, uint64_t value);

#define lf_model_assert(condition) ((condition) ? (void)0 : lf_model_assertion_failed(#condition, __FILE__, __LINE__))
void lf_model_assertion_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
