/* process.h: a number that differs between a process and its forked children. One load notices a fork of any kind.
 *
 * Contract
 *   lf_process_epoch differs between a process and its forked children, and is never 0 or 1. It is in a page that the
 *   kernel empties in every child (MADV_WIPEONFORK), after fork(), clone() and whatever a C library makes of them. No
 *   hook has to run first. A handle keeps the epoch in which it joined its segment. If the two differ, the handle
 *   belongs to the parent, and the child joins by itself (participants.h).
 * Progress: wait-free after the first call in a process.
 * Each module that includes this header has a page of its own; a handle points to that of the module that opened it.
 * Source: madvise(2), MADV_WIPEONFORK, since Linux 4.14. On older kernels, and on emulators that accept any advice and
 * follow none (qemu-user before 8): a pthread_atfork handler, which only fork() runs. */
#ifndef LOCKFREE_PROCESS_H
#define LOCKFREE_PROCESS_H

#include "wait.h"

#ifndef LF_MODEL
#include <pthread.h>
#include <sys/mman.h>

struct lf_process {
    uint64_t epoch;   /* 0 in a child until somebody asks */
    uint32_t joining; /* one thread of a child at a time joins a handle */
};

static struct lf_process *lf__process __attribute__((unused));
static struct lf_process lf__process_on_old_kernels __attribute__((unused)); /* also if there is no page to be had */

static __attribute__((unused)) void lf__process_in_child(void) {
    lf__process_on_old_kernels.epoch = 0;
    lf__process_on_old_kernels.joining = 0;
}

static inline int lf__wiped_on_fork(void *page) {
    const int no_advice = 0x7FFF; /* a system that accepts this one only pretends */
    return madvise(page, 4096, MADV_WIPEONFORK) == 0 && madvise(page, 4096, no_advice) != 0;
}

static __attribute__((noinline, unused)) struct lf_process *lf__process_first(void) {
    struct lf_process *none = NULL, *own = NULL;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && lf__wiped_on_fork(page))
        own = (struct lf_process *)page;
    else
        pthread_atfork(NULL, NULL, lf__process_in_child);
    if (own == NULL)
        own = &lf__process_on_old_kernels;
    if (!lf_cas_acq_rel(&lf__process, &none, own)) { /* [N1] pairs with itself and with the load in lf_process */
        if (page != MAP_FAILED)
            munmap(page, 4096);
        return none;
    }
    if (page != MAP_FAILED && own != page)
        munmap(page, 4096);
    return own;
}

LF_INLINE struct lf_process *lf_process(void) {
    struct lf_process *process = lf_load_acquire(&lf__process); /* [N1] */
    return LF_LIKELY(process != NULL) ? process : lf__process_first();
}

/* The clock makes it new: a child asks after it was forked. */
LF_INLINE uint64_t lf_process_epoch(struct lf_process *process) {
    uint64_t epoch = lf_load_relaxed(&process->epoch);
    if (LF_LIKELY(epoch != 0))
        return epoch;
    uint64_t fresh = lf_now() | 2;
    return lf_cas_relaxed(&process->epoch, &epoch, fresh) ? fresh : epoch;
}
#endif

#endif
