/* steps.h: the steps of an execution: visible events, and the points at which threads change. */
#ifndef LOCKFREE_MODEL_STEPS_H
#define LOCKFREE_MODEL_STEPS_H

#include "../choices/choices.h"
#include "../memory/memory.h"

/* meeting.c: which threads have come to which barrier (objects/barrier.c). */
struct barrier {
    uintptr_t at;
    int awaited, participants;
    int arrivals[MAX_THREADS];
    struct { /* of the even and of the odd meetings: nobody is more than one ahead */
        clk hb, porf;
        int asked, serial;
    } meeting[2];
};
void barriers_reset(void);
struct barrier *barrier_known(uintptr_t at); /* NULL: nobody has come there */
struct barrier *barrier_at(uintptr_t at, int awaited);
int have_come(const struct barrier *barrier, int meeting);
bool barrier_is_open(const struct thread *t);

/* schedule.c: which thread goes on. */
struct thread *next_thread(void);
bool could_see_news(const struct thread *t);
void block_current(void);
void let_others_write(uint64_t pc);

/* A plain read of the client: less and less often a reason to look what the others do. */
static inline void silent_read(uint64_t pc) {
    enum { SILENT = 1 << 16, MOST_LENIENT = 14 };
    struct thread *t = R.current;
    if (++t->silent >= (uint32_t)SILENT << t->lenient && t->lenient < MOST_LENIENT)
        let_others_write(pc);
}
void go_on(void);

/* step.c */
void enter_step(void);

/* access.c: atomic accesses. Values are those of the accessed bytes, in the low end. */
typedef u128 (*change_function)(u128 old, u128 operand);
typedef bool (*condition_function)(u128 old, u128 operand);
u128 model_load(uintptr_t address, unsigned size, int order, uint64_t pc);
void model_store(uintptr_t address, unsigned size, u128 value, int order, uint64_t pc);
u128 model_rmw(uintptr_t address, unsigned size, change_function change, u128 operand, int order, uint64_t pc);
bool model_rmw_if(uintptr_t address, unsigned size, condition_function can, change_function change, u128 operand,
                  int order, u128 *old, uint64_t pc);
bool model_cas(uintptr_t address, unsigned size, u128 *expected, u128 desired, int success, int failure, uint64_t pc);
void model_fence(int order, uint64_t pc);
int model_choose(int options, uint64_t pc);
void model_mark(uint64_t pc);
bool model_choose_impatience(bool open, uint64_t pc);

/* membarrier.c */
void model_light_fence(uint64_t pc);
bool membarrier_is_allowed(void);
int membarrier(uint64_t pc);

/* loops.c: threads that wait for a change. */
void spin_check(uintptr_t address, uint64_t arguments, uint64_t pc);
void pause_at(uint64_t pc);
void print_loops(void);

/* rc11.c */
void memory_start(void);
void memory_reset(void);

/* Objects that are not in memory have addresses that no program has. */
static inline bool is_imaginary(uintptr_t address) { return address >> 62 != 0; }
static inline uintptr_t queue_of(const uint32_t *word) { return (uintptr_t)word << 1 | (uintptr_t)1 << 62; }
#define ONE_QUEUE ((uintptr_t)1 << 62) /* of all futexes: objects/futex.c */
static inline uintptr_t end_of(int tid) { return (uintptr_t)2 << 62 | (uintptr_t)tid << 4; }
static inline uintptr_t death_of(uint32_t tid) { return (uintptr_t)3 << 62 | (uintptr_t)tid << 4; }

#endif
