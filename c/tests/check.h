/* check.h: what the C tests share: checks that stay on, random numbers, memory that faults at its ends, processes that
 * are forked, joined and killed. */
#ifndef LOCKFREE_TESTS_CHECK_H
#define LOCKFREE_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: in %s: CHECK(%s) failed\n", __FILE__, __LINE__, __func__, #condition);             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#define CHECK_EQ(actual, expected)                                                                                     \
    do {                                                                                                               \
        long long check_a = (long long)(actual), check_e = (long long)(expected);                                      \
        if (check_a != check_e) {                                                                                      \
            fprintf(stderr, "%s:%d: in %s: %s is %lld, not %s = %lld\n", __FILE__, __LINE__, __func__, #actual,        \
                    check_a, #expected, check_e);                                                                      \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Sanitizers make everything some ten times slower: the same checks with fewer rounds. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CHECK_ROUNDS(n) ((n) / 10 + 1)
#else
#define CHECK_ROUNDS(n) (n)
#endif

/* The same, times LF_TEST_SCALE percent: for longer campaigns than a test run's. */
static inline long check_rounds(long n) {
    const char *scale = getenv("LF_TEST_SCALE");
    long percent = scale != NULL ? atol(scale) : 100, rounds = CHECK_ROUNDS(n) * percent / 100;
    return rounds > 0 ? rounds : 1;
}

/* splitmix64 */
static inline uint64_t check_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline uint64_t check_below(uint64_t *state, uint64_t n) { return check_random(state) % n; }

/* Zeroed memory that forked children share, as close as 128-byte alignment allows to a page that faults, and behind
 * one. Freed with check_unmap. */
#define CHECK_PAGE 4096u
static inline uint64_t check_pages(uint64_t bytes) { return (bytes + CHECK_PAGE - 1) / CHECK_PAGE * CHECK_PAGE; }
static inline unsigned char *check_map(uint64_t bytes) {
    uint64_t inner = check_pages(bytes);
    unsigned char *at = (unsigned char *)mmap(NULL, inner + 2 * CHECK_PAGE, PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(at != (unsigned char *)MAP_FAILED);
    CHECK(mprotect(at, CHECK_PAGE, PROT_NONE) == 0);
    CHECK(mprotect(at + CHECK_PAGE + inner, CHECK_PAGE, PROT_NONE) == 0);
    return at + CHECK_PAGE + (inner - bytes) / 128 * 128;
}
static inline void check_unmap(unsigned char *memory, uint64_t bytes) {
    unsigned char *page = (unsigned char *)((uintptr_t)memory / CHECK_PAGE * CHECK_PAGE);
    CHECK(munmap(page - CHECK_PAGE, check_pages(bytes) + 2 * CHECK_PAGE) == 0);
}

/* So long nothing may happen until a test takes it for stuck: a busy machine or an emulator is only slow. */
#define CHECK_STUCK_S 600u
#define CHECK_STUCK (CHECK_STUCK_S * UINT64_C(1000000000)) /* ns */

/* Runs body(argument) in a forked child, which ends with 0 if body returns. */
static inline pid_t check_fork(void (*body)(void *), void *argument) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(CHECK_STUCK_S);
        body(argument);
        _exit(0);
    }
    return child;
}
static inline void check_join(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
static inline void check_kill(pid_t child) {
    int status;
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
static inline void check_sleep(uint64_t ns) {
    struct timespec span;
    span.tv_sec = (time_t)(ns / 1000000000u);
    span.tv_nsec = (long)(ns % 1000000000u);
    nanosleep(&span, NULL);
}

#endif
