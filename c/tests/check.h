/* check.h: what the C tests share: checks that stay on, random numbers, memory that faults at its ends. */
#ifndef LOCKFREE_TESTS_CHECK_H
#define LOCKFREE_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

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

#endif
