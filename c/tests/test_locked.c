/* How many locked instructions a pair of calls takes, counted one instruction at a time: they are most of what a call
 * costs, and a count does not depend on how busy the machine is. */
#include "check.h"

#include "../include/lockfree/lockfree.h"

#ifdef __has_feature /* clang's way to tell */
#define SANITIZED (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))
#elif defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#if defined(__x86_64__) && !SANITIZED && defined(__OPTIMIZE__)
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int is_prefix(unsigned char byte) {
    static const unsigned char prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    return memchr(prefixes, byte, sizeof prefixes) != NULL || (byte & 0xf0) == 0x40; /* the last: REX */
}

/* A lock prefix, an exchange with memory (locked without one), or mfence. */
static int is_locked(const unsigned char *code) {
    int locked = 0, at = 0;
    for (; at < 8 && is_prefix(code[at]); at++)
        locked |= code[at] == 0xf0;
    if (code[at] == 0x86 || code[at] == 0x87)
        locked |= code[at + 1] < 0xc0;
    if (code[at] == 0x0f && code[at + 1] == 0xae)
        locked |= code[at + 2] >= 0xf0 && code[at + 2] <= 0xf7;
    return locked;
}

static int next_is_locked(pid_t child) {
    unsigned char code[16];
    long rip = ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, regs.rip), 0), word[2];
    word[0] = ptrace(PTRACE_PEEKTEXT, child, rip, 0);
    word[1] = ptrace(PTRACE_PEEKTEXT, child, rip + 8, 0);
    memcpy(code, word, sizeof code);
    return is_locked(code);
}

/* `pair` is called a few times before it is looked at. *instructions: all of them. -1: no process may be traced here. */
static int locked_in(void (*pair)(void), int *instructions) {
    int status, count = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 3; i++)
            pair();
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
            _exit(1);
        __asm__ volatile("int3" ::: "memory");
        pair();
        __asm__ volatile("ud2" ::: "memory");
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        return -1;
    for (*instructions = 0; WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP; ++*instructions) {
        CHECK(*instructions < 100000);
        count += next_is_locked(child);
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, child, 0, 0), 0);
        CHECK_EQ(waitpid(child, &status, 0), child);
    }
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGILL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return count;
}

static struct lf_spsc_ring spsc;
static struct lf_broadcast_ring broadcast;
static struct lf_mutex mutex;
static struct lf_semaphore semaphore;
static uint64_t word;
static unsigned char rows[64 * 8];

static void put_and_get(void) {
    unsigned char record[64] = {1};
    CHECK_EQ(lf_spsc_ring_try_put(&spsc, record, 64), LF_OK);
    CHECK_EQ(lf_spsc_ring_try_get(&spsc, record), 64);
}
static void reserve_and_release(void) {
    uint64_t length;
    CHECK_EQ(lf_spsc_ring_commit(&spsc, lf_spsc_ring_reserve(&spsc), 64), LF_OK);
    CHECK_EQ(lf_spsc_ring_release(&spsc, lf_spsc_ring_peek(&spsc, &length)), LF_OK);
}
static void put_and_get_broadcast(void) {
    char record[64] = {0};
    if (!lf_role_is_mine(&broadcast.h, &broadcast.body->readers[0].holder)) /* before it is counted */
        CHECK_EQ(lf_broadcast_ring_join(&broadcast, 0), 0);
    CHECK_EQ(lf_broadcast_ring_try_put(&broadcast, record, 64, LF_BROADCAST_TO_ALL), LF_OK);
    CHECK_EQ(lf_broadcast_ring_try_get(&broadcast, 0, record, 64), 64);
}
static void batches(void) {
    CHECK_EQ(lf_spsc_ring_put_many(&spsc, rows, 64, 64, NULL, 8), 8);
    CHECK_EQ(lf_spsc_ring_get_many(&spsc, rows, 64, NULL, 8), 8);
}
static void lock_and_unlock(void) {
    CHECK_EQ(lf_mutex_acquire(&mutex, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_mutex_release(&mutex), LF_OK);
}
static void take_and_give(void) {
    CHECK_EQ(lf_semaphore_try_acquire(&semaphore, 1), LF_OK);
    CHECK_EQ(lf_semaphore_release(&semaphore, 1), LF_OK);
}
/* What must be seen: each kind of instruction that counts, once. */
static void one_of_each(void) {
    volatile uint64_t used = lf_fetch_add_relaxed(&word, (uint64_t)1); /* else clang 14 leaves some of it out */
    used = lf_exchange_relaxed(&word, used);
    __asm__ volatile("mfence" ::: "memory");
}

static void at_most(int most, void (*pair)(void), const char *what) {
    int instructions = 0, locked = locked_in(pair, &instructions);
    if (locked < 0) {
        printf("%s: not counted: no process may be traced here\n", what);
        return;
    }
    printf("%s: %d locked of %d instructions\n", what, locked, instructions);
    CHECK(locked <= most);
    CHECK(instructions > 3);
}

int main(void) {
    int instructions, seen = locked_in(one_of_each, &instructions);
    CHECK(seen == 3 || seen == -1);
    CHECK_EQ(lf_spsc_ring_create(&spsc, NULL, 64, 64, 0), LF_OK);
    CHECK_EQ(lf_mutex_create(&mutex, NULL), LF_OK);
    CHECK_EQ(lf_broadcast_ring_create(&broadcast, NULL, 4096, 2, LF_SLOW_WAIT, 0), LF_OK);
    if (spsc.h.segment->fenced == LF__ASYMMETRIC) {
        at_most(0, put_and_get, "SPSC put and get");
        at_most(0, reserve_and_release, "SPSC reserve, commit, peek and release");
        at_most(0, batches, "SPSC batches of 8");
        at_most(0, put_and_get_broadcast, "broadcast put and get");
    } else {
        printf("SPSC: not counted: the kernel refuses membarrier\n");
    }
    CHECK_EQ(lf_semaphore_create(&semaphore, NULL, 2, 2, 0), LF_OK);
    at_most(2, take_and_give, "Semaphore acquire and release");
    at_most(2, lock_and_unlock, "Mutex acquire and release");
    return 0;
}
#else
int main(void) {
    printf("not counted: only in optimised programs for x86-64 without a sanitizer\n");
    return 0;
}
#endif
