/* Instructions and calls, alone and contended. */
#include "crew.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct lf_operation {
    int operation, stride;
    char *words;
};

enum { LF_TURNS = 64 };

/* 64 times between two looks at the flag that ends it. The light fence keeps the compiler from joining two turns. */
#define LF_REPEAT(what)                                                                                                \
    while (!lf_crew_stopped(m)) {                                                                                      \
        for (int i = 0; i < LF_TURNS; i++) {                                                                           \
            what;                                                                                                      \
            lf_fence_light();                                                                                          \
        }                                                                                                              \
        done += LF_TURNS;                                                                                              \
    }                                                                                                                  \
    break

static int lf_membarrier_of_this_process(void) {
    return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static int lf_operate_prepare(struct lf_member *m) {
    const struct lf_operation *job = m->crew->job;
    if (job->operation == LF_MACHINE_MEMBARRIER &&
        (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0 ||
         lf_membarrier_of_this_process() != 0))
        return -errno;
    return 0;
}

static void lf_operate_work(struct lf_member *m) {
    const struct lf_operation *job = m->crew->job;
    uint64_t *word = (uint64_t *)(void *)(job->words + (size_t)m->number * (size_t)job->stride), done = 0, refused = 0;
    switch ((enum lf_machine_operation)job->operation) {
    case LF_MACHINE_LOAD:
        LF_REPEAT((void)lf_load_relaxed(word));
    case LF_MACHINE_STORE:
        LF_REPEAT(lf_store_relaxed(word, done));
    case LF_MACHINE_STORE_SEQ_CST:
        LF_REPEAT(lf_store_seq_cst(word, done));
    case LF_MACHINE_INCREMENT:
        LF_REPEAT(lf_store_relaxed(word, lf_load_relaxed(word) + 1));
    case LF_MACHINE_FETCH_ADD:
        LF_REPEAT((void)lf_fetch_add_seq_cst(word, 1u));
    case LF_MACHINE_EXCHANGE:
        LF_REPEAT((void)lf_exchange_seq_cst(word, done));
    case LF_MACHINE_CAS:
        LF_REPEAT({
            uint64_t seen = lf_load_relaxed(word);
            while (!lf_cas_seq_cst(word, &seen, seen + 1))
                refused++;
        });
    case LF_MACHINE_FENCE_ACQUIRE:
        LF_REPEAT(lf_fence_acquire());
    case LF_MACHINE_FENCE_RELEASE:
        LF_REPEAT(lf_fence_release());
    case LF_MACHINE_FENCE_SEQ_CST:
        LF_REPEAT(lf_fence_seq_cst());
    case LF_MACHINE_STORE_FENCE:
        LF_REPEAT(lf_store_relaxed(word, done); lf_fence_seq_cst());
    case LF_MACHINE_MEMBARRIER:
        LF_REPEAT(lf_membarrier_of_this_process());
    case LF_MACHINE_PAUSE:
        LF_REPEAT(lf_pause());
    case LF_MACHINE_CLOCK:
        LF_REPEAT((void)lf_now());
    case LF_MACHINE_SYSCALL:
        LF_REPEAT(syscall(SYS_getppid));
    case LF_MACHINE_YIELD:
        LF_REPEAT(sched_yield());
    case LF_MACHINE_FUTEX_WAKE:
        LF_REPEAT(lf_futex_wake((uint32_t *)(void *)word, 1));
    case LF_MACHINE_OPERATIONS:
        break;
    }
    m->share.done = done;
    m->share.refused = refused;
}

int lf_machine_operate(int operation, int stride, const int *cpus, int count, uint64_t ns,
                       struct lf_machine_share *shares) {
    if (operation < 0 || operation >= LF_MACHINE_OPERATIONS || count < 1 || stride < 0 || stride % 8 != 0)
        return -EINVAL;
    size_t bytes = ((size_t)stride * (size_t)count + 8 + 255) / 256 * 256;
    struct lf_operation job = {operation, stride, aligned_alloc(256, bytes)};
    struct lf_member *members = lf_crew_members(count);
    int error = job.words == NULL || members == NULL ? -ENOMEM : 0;
    if (error == 0) {
        for (size_t i = 0; i < bytes / 8; i++)
            ((uint64_t *)(void *)job.words)[i] = 0;
        error = lf_crew_run(lf_operate_prepare, lf_operate_work, &job, cpus, count, ns, members);
    }
    for (int i = 0; i < count && error == 0; i++)
        shares[i] = members[i].share;
    free(members);
    free(job.words);
    return error;
}

uint64_t lf_machine_clock_cost(void) { /* the least of 100 tries: some tens, or it is a system call */
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 100; i++) {
        uint64_t before = lf_now();
        for (int j = 0; j < 10; j++)
            lf_now();
        uint64_t took = lf_now() - before;
        least = took < least ? took : least;
    }
    return least / 11;
}

const char *lf_machine_compiler(void) {
#if defined(__clang__)
    return __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}
