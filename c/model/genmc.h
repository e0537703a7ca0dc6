/* genmc.h: the words of other checkers, so that clients written for GenMC, Dartagnan or in the style of SV-COMP run as
 * they are. dat3m.h is the same.
 *
 * __VERIFIER_nondet_int() and its like try the constants of the program and their neighbours, and one number more: not all
 * values (lf_model_choose() tries all). Not here: LKMM, persistent memory, hazard pointers. */
#ifndef LOCKFREE_MODEL_GENMC_H
#define LOCKFREE_MODEL_GENMC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

void __VERIFIER_assume(int condition);
void __VERIFIER_assert(int condition);
void __VERIFIER_error(void);
int __VERIFIER_nondet_int(void);
unsigned __VERIFIER_nondet_uint(void);
_Bool __VERIFIER_nondet_bool(void); /* both are tried */
unsigned __VERIFIER_tid(void);
void __VERIFIER_atomic_begin(void);
void __VERIFIER_atomic_end(void);

/* Waiting loops. */
void __VERIFIER_loop_bound(int turns);
void __VERIFIER_loop_begin(void);
void __VERIFIER_spin_start(void);
void __VERIFIER_spin_end(int done);
#ifndef await_while
#define await_while(condition)                                                                                         \
    for (int lf_again = (__VERIFIER_loop_begin(), 0);                                                                  \
         __VERIFIER_spin_start(), lf_again = (condition), __VERIFIER_spin_end(!lf_again), lf_again;)
#endif

typedef pthread_t __VERIFIER_thread_t;
static inline __VERIFIER_thread_t __VERIFIER_spawn(void *(*function)(void *), void *argument) {
    __VERIFIER_thread_t thread;
    if (pthread_create(&thread, NULL, function, argument) != 0)
        abort();
    return thread;
}
static inline __VERIFIER_thread_t __VERIFIER_spawn_symmetric(void *(*function)(void *), void *argument,
                                                             __VERIFIER_thread_t like) {
    (void)like;
    return __VERIFIER_spawn(function, argument);
}
static inline void *__VERIFIER_join(__VERIFIER_thread_t thread) {
    void *result;
    pthread_join(thread, &result);
    return result;
}
static inline void __VERIFIER_join_symmetric(__VERIFIER_thread_t thread) { pthread_join(thread, NULL); }

/* A promise: nobody stores to that object after this. An atomic store that breaks it is a violation. */
void __VERIFIER_final_begin(void);
void __VERIFIER_final_end(void);
#define __VERIFIER_final_write(statement)                                                                              \
    do {                                                                                                               \
        __VERIFIER_final_begin();                                                                                      \
        statement;                                                                                                     \
        __VERIFIER_final_end();                                                                                        \
    } while (0)
#define __VERIFIER_final_CAS(value)                                                                                    \
    __extension__({                                                                                                    \
        __VERIFIER_final_begin();                                                                                      \
        __typeof__(value) lf_result = (value);                                                                         \
        __VERIFIER_final_end();                                                                                        \
        lf_result;                                                                                                     \
    })

/* What only makes a search smaller elsewhere. */
#define __VERIFIER_local_write(statement)                                                                              \
    do {                                                                                                               \
        statement;                                                                                                     \
    } while (0)
#define __VERIFIER_helped_CAS(statement)                                                                               \
    do {                                                                                                               \
        statement;                                                                                                     \
    } while (0)
#define __VERIFIER_helping_CAS(statement)                                                                              \
    do {                                                                                                               \
        statement;                                                                                                     \
    } while (0)
#define __VERIFIER_speculative_read(value) (value)
#define __VERIFIER_confirming_read(value) (value)
#define __VERIFIER_confirming_CAS(value) (value)
#define __VERIFIER_optional(statement)                                                                                 \
    do {                                                                                                               \
    } while (0)
static inline void __VERIFIER_method_begin(const char *name, int32_t argument) { (void)name, (void)argument; }
static inline void __VERIFIER_method_end(const char *name, int32_t result) { (void)name, (void)result; }

typedef struct __VERIFIER_plock {
    pthread_mutex_t lock;
} __VERIFIER_plock_t;
static inline int __VERIFIER_plock_lock(__VERIFIER_plock_t *lock) { return pthread_mutex_lock(&lock->lock); }
static inline int __VERIFIER_plock_unlock(__VERIFIER_plock_t *lock) { return pthread_mutex_unlock(&lock->lock); }

#ifdef __cplusplus
}
#endif
#endif
