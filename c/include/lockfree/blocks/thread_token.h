/* thread_token.h: a number for the calling thread, and whether the thread with a number still lives.
 *
 * Contract
 *   lf_thread_token is the same in every module that one process loads (two extensions and an embedding program
 *   must agree on who holds a lock), never 0, and different for any two threads of a process that live at the same
 *   time. Another process may use the same number, so it stands beside a participant number in shared memory.
 *   lf_thread_alive answers for threads of the calling process only. It may say yes for some microseconds after a
 *   thread was joined, because the thread's last instructions are in the kernel. The first thread of a process counts
 *   as alive as long as its process lives.
 * Source of both: the kernel's thread ids. A destructor would not do: it does not run in a thread that is cancelled at
 *   a bad moment or belongs to another module. Ids are used again after some 32,768 (often 4 million) thread creations.
 *   Then a new thread may get the id of one that ended without giving something back, and counts as its holder.
 * lf_thread_begins, lf_thread_ends: around steps that a signal handler of the same thread must not take in between.
 * Cost: one load after the first call in a thread. */
#ifndef LOCKFREE_THREAD_TOKEN_H
#define LOCKFREE_THREAD_TOKEN_H

#include "process.h"

#ifdef LF_MODEL
int lf_model_thread(void);

LF_INLINE uint32_t lf_thread_token(void) { return (uint32_t)lf_model_thread() + 1; }
LF_INLINE uint64_t lf_thread_name(void) { return (uint64_t)lf_thread_token() << 32; }
LF_INLINE int lf_thread_alive(uint32_t token) { return token != 0; }
LF_INLINE int lf_thread_stays_alive(uint32_t token) { return token != 0; }
LF_INLINE int lf_thread_seems_ended(uint32_t token) { return token == 0; }
LF_INLINE int lf_thread_begins(void) { return 1; }
LF_INLINE void lf_thread_ends(void) {}
LF_INLINE int lf_thread_nth(uint32_t n) { return n != 0; }
#else
struct lf__thread {
    uint64_t epoch; /* of the process in which the token was made: a child's thread has a new id */
    uint32_t token;
    uint32_t since;  /* ns of the clock, modulo 2^32 */
    uint32_t inside; /* lf_thread_begins */
    uint32_t misses, turns;
};
static __thread struct lf__thread lf__thread __attribute__((unused));

static __attribute__((noinline, unused)) uint32_t lf__token_first(struct lf__thread *me, struct lf_process *process) {
    me->token = (uint32_t)syscall(SYS_gettid);
    me->since = (uint32_t)lf_now();
    me->epoch = lf_process_epoch(process);
    return me->token;
}

LF_INLINE uint32_t lf_thread_token(void) {
    struct lf__thread *me = &lf__thread;
    struct lf_process *process = lf_process();
    return LF_LIKELY(me->epoch == lf_load_relaxed(&process->epoch) && me->token != 0) ? me->token
                                                                                      : lf__token_first(me, process);
}

/* {token : 32 | when it was first asked for : 32}: another one than that of an ended thread with the same token. */
LF_INLINE uint64_t lf_thread_name(void) {
    uint64_t token = lf_thread_token();
    return token << 32 | lf__thread.since;
}

/* If not, what it wrote can be read. */
LF_INLINE int lf_thread_alive(uint32_t token) {
    if (token != 0 && (syscall(SYS_tgkill, getpid(), (pid_t)token, 0) == 0 || errno != ESRCH))
        return 1;
    lf_fence_acquire(); /* pairs with the locks that the kernel takes when a thread ends */
    return 0;
}

/* The same, but waits up to 10 ms for a joined thread to be gone. For answers that are errors, not for waiting. */
LF_INLINE int lf_thread_stays_alive(uint32_t token) {
    for (int i = 0; i < 100; i++) {
        if (!lf_thread_alive(token))
            return 0;
        lf_nap(100000);
    }
    return 1;
}

/* Whether the thread ended, looked at once in 1,024 calls of a thread; else no. */
LF_INLINE int lf_thread_seems_ended(uint32_t token) {
    return ++lf__thread.misses % 1024 == 0 && !lf_thread_alive(token);
}
/* A few steps that a signal handler of the thread must not take in between: 0 in such a handler. */
LF_INLINE int lf_thread_begins(void) {
    if (LF_UNLIKELY(lf_load_relaxed(&lf__thread.inside)))
        return 0;
    lf_store_relaxed(&lf__thread.inside, 1u);
    lf_fence_light();
    return 1;
}
LF_INLINE void lf_thread_ends(void) {
    lf_fence_light();
    lf_store_relaxed(&lf__thread.inside, 0u);
}
/* Yes in one of n calls. */
LF_INLINE int lf_thread_nth(uint32_t n) { return ++lf__thread.turns % n == 0; }
#endif

#endif
