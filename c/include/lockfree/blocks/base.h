/* base.h: constants, status codes and layout macros. It knows nothing about atomics, waiting or files. */
#ifndef LOCKFREE_BASE_H
#define LOCKFREE_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, open file description locks */
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define LF_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define LF_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#if !defined(__GNUC__)
#error "lockfree needs the __atomic builtins of GCC or Clang"
#endif
LF_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the layout is little-endian");
LF_STATIC_ASSERT(sizeof(void *) == 8, "the layout needs 64-bit machines");

/* Two 64-byte lines: adjacent-line prefetch on x86 and 128-byte lines on some ARM cores make the pair
 * the unit of false sharing. A constant of the layout, never read from the build host. */
#define LF_CACHE_LINE 128
#define LF_ALIGNED __attribute__((aligned(LF_CACHE_LINE)))

#define LF_INLINE static inline __attribute__((unused))
#define LF_LIKELY(x) __builtin_expect(!!(x), 1)
#define LF_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Every function that can fail returns one of these, or a count >= 0. */
enum lf_status {
    LF_OK = 0,
    LF_FULL = -1,            /* an answer: no free slot at the linearization point */
    LF_EMPTY = -2,           /* an answer: nothing inside at the linearization point */
    LF_TIMEDOUT = -3,        /* an answer: the deadline passed, the last attempt was refused */
    LF_INTERRUPTED = -4,     /* a signal came or a slice ended: call again with the same deadline */
    LF_CLOSED = -5,          /* this handle was closed, or the object was shut down */
    LF_ROLE_TAKEN = -6,      /* somebody alive is the producer (or consumer) */
    LF_OWNER_DIED = -7,      /* the caller holds the lock; its last holder died with it */
    LF_NOT_OWNER = -8,       /* released by a thread that does not hold it */
    LF_NOT_RECOVERABLE = -9, /* released after OWNER_DIED without recover */
    LF_DEADLOCK = -10,       /* the caller holds it already and would wait for itself */
    LF_TOO_LONG = -11,       /* the record is longer than record_size */
    LF_OVERFLOW = -12,       /* above max_value */
    LF_INVALID = -13,        /* an argument is out of its bounds */
    LF_CORRUPT = -14,        /* shared memory holds what this library cannot have written */
    LF_NO_PARTICIPANT = -15, /* every participant number is held by a live process */
    LF_MISMATCH = -16,       /* not a segment of ours: see lf_handle.mismatch */
    LF_SYSTEM = -17,         /* a system call failed: see lf_handle.error and lf_handle.doing */
    LF_BUSY = -18,           /* the calling thread already has one in hand, or none to give back */
    LF_LOST = -19,           /* the program closed the object's descriptor, and its file is nowhere else to be found */
    LF_CANCELLED = -30,      /* an answer: another thread ended the wait */
    LF_DROPPED = -31,        /* the reader fell too far behind: it has to join again */
    LF_SUPERSEDED = -32,     /* another participant has taken over all that the caller held */
    LF_BROKEN = -33,         /* the barrier is broken, or was reset while the caller waited */
    LF_PEER_DIED = -34       /* nobody is left who could end the wait, and nothing is inside: see peers.h */
};

/* gcc takes the branches for long records for possible where the caller's buffer is short. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif
/* memcpy, without a call for what is short. */
static inline __attribute__((always_inline, unused)) void lf_copy(void *to, const void *from, uint64_t count) {
#ifndef LF_MODEL
    unsigned char *t = (unsigned char *)to;
    const unsigned char *f = (const unsigned char *)from;
    if (count > 64) {
        memcpy(to, from, count);
    } else if (count > 32) { /* the two halves may overlap */
        memcpy(t, f, 32);
        memcpy(t + count - 32, f + count - 32, 32);
    } else if (count >= 16) {
        memcpy(t, f, 16);
        memcpy(t + count - 16, f + count - 16, 16);
    } else if (count >= 8) {
        memcpy(t, f, 8);
        memcpy(t + count - 8, f + count - 8, 8);
    } else {
        for (uint64_t i = 0; i < count; i++)
            t[i] = f[i];
    }
#else
    memcpy(to, from, count);
#endif
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

LF_INLINE uint64_t lf_round_up(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

LF_INLINE uint64_t lf_round_up_pow2(uint64_t value) {
    uint64_t power = 1;
    while (power < value)
        power <<= 1;
    return power;
}

/* Geometry arithmetic that cannot wrap: 0 on success, LF_INVALID on overflow. */
LF_INLINE int lf_add_mul(uint64_t *sum, uint64_t a, uint64_t b) {
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(*sum, product, sum) ||
        *sum > (uint64_t)INT64_MAX / 2)
        return LF_INVALID;
    return LF_OK;
}

#endif
