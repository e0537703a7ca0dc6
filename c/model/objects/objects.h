/* objects.h: what threads share that is no plain memory. Objects of POSIX and of C11's <threads.h> are atomic objects in
 * their first four bytes:
 *
 *   mutex, spin lock   its holder (the number + 1), and how often beyond once << 8
 *   reader-writer lock the number of readers; writer's number + 1 << 16
 *   condition          the set of threads that sleep on it
 *   semaphore          its value
 *   barrier            the threads that have arrived; how often all have << 16. Behind it, how many are awaited
 *   once               0, 1 while the function runs, 2
 *
 * A call that cannot go on yet has read a value that says so, and waits for a store that says otherwise. Taking is
 * an acquire, giving back a release: what POSIX calls synchronizing memory. */
#ifndef LOCKFREE_MODEL_OBJECTS_H
#define LOCKFREE_MODEL_OBJECTS_H

#include "../steps/steps.h"

enum { WRITER = 1 << 16, READERS = WRITER - 1 };
#define DESTROYED 0xFFFFFFFFu /* in the first four bytes of what may not be used again; conditions: 1 */

/* Changes the object where `can` holds of it. doing: the step's name in traces, with LABELLED around others. */
bool attempt(uintptr_t at, condition_function can, change_function change, u128 operand, int order, const char *doing,
             u128 *old, uint64_t pc);
#define LABELLED(name, access) (R.current->doing = (name), (access)), R.current->doing = NULL

/* Waits until `can` holds. Returns what was there before. */
u128 wait_until(uintptr_t at, condition_function can, change_function change, u128 operand, int order,
                const char *doing, uint64_t pc);

/* The next read waits for such a value at that place: others go first while it is not there. */
static inline void hope(uintptr_t at, condition_function can, u128 operand) {
    R.current->hopes_at = at;
    R.current->hopes_for = can;
    R.current->hopes_with = operand;
}

/* The thread has just read what it waits for a change of; goes_on ends it. The first says nothing of it in verdicts. */
void wait_for_news(struct thread *t);
void wait_for_change(struct thread *t, const char *to, uintptr_t at);
void goes_on(struct thread *t);

/* What is certain not to be done by two threads at once: making an object, and ending it. */
void make_anew(void *object, size_t bytes, uint64_t pc);
int end_of_use(void *object, unsigned gone, const char *name, uint64_t pc); /* name: NULL if it may have any value */
void used_after_destroy(const char *name, const void *object, uint64_t pc);

/* Is a timed wait to end by its time? The client says how often (.timeouts); in a program each thread once is tried. */
bool times_out(bool timed, const struct timespec *until, uint64_t pc);

/* Each thread has a clock of its own. It moves by what the thread sleeps, and at each look: by a microsecond, then by two,
 * and so on up to a second, so that a thread that waits for an instant comes to its end. */
uint64_t look_at_clock(void);

static inline u128 self(void) { return R.current->tid + 1u; }
int c11_status(int error);

/* locks.c */
void mutex_take(void *mutex, uint64_t pc);
int mutex_give_back(void *mutex, uint64_t pc);

/* futex.c */
u128 wake_request(int n, uint64_t pc);
u128 leave_queue(u128 sleepers, u128 request);
int futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns, uint64_t pc);
int futex_wake(uint32_t *word, int n, uint64_t pc);
int futex_requeue(uint32_t *word, int wake, int move, uint32_t *to, const uint32_t *expected, uint64_t pc);

/* answer.c */
bool answer_is_used(uint64_t pc);

/* keys.c */
void run_thread_destructors(void);
void run_key_destructors(void);
void run_cleanups(void);

/* life.c: how a thread begins and ends. */
void start_thread(int tid);
void finish_thread(void);

/* threads.c: threads that the client creates. */
void births_add(int creator);
void births_print(void);
void warn_of_unjoined(void);

/* process.c: a whole program. */
bool is_program(void);
extern const struct lf_model_client program_client;
static inline bool could_time_out(const struct thread *t, bool timed) {
    return timed && (R.client == &program_client || t->timeouts < R.client->timeouts);
}
uint32_t random_number(void);

#endif
