/* wait.h: pause, clock, futex and the event count. Every sleep of this library goes through this file.
 *
 * Contract of the event count (prepare / cancel / wait, notify)
 *   A waiter prepares, checks its condition once more, and sleeps only if the condition is still
 *   false. A waker makes the condition true, then notifies. No wake is lost: either the waiter's check
 *   sees the condition, or the waker sees the waiter. notify(n) wakes at most n waiters and costs one
 *   fence and one load when nobody waits. notify_after_rmw(n) costs one load. Code with an asymmetric fence
 *   (asymmetric.h) calls announce and wake_sole instead, and does both halves of the fence itself.
 * Progress: prepare, cancel and notify are lock-free; wait sleeps in the kernel.
 * Death: a killed waiter leaves its announcement behind; the next notify consumes it with one
 *   unnecessary wake. A waiter that was woken and killed before it acted takes a wake with it. For that case every
 *   sleep is cut into slices (blocking.h), after which the condition is checked again.
 *
 * Layout: one 64-bit word {waiters : 32 | epoch : 32}; the futex is the epoch half.
 * Invariant: `waiters` >= the number of threads that are asleep and not being woken. It may be too high, never too
 *   low: a waiter that leaves by itself takes its announcement back only while the epoch is still its ticket. Later a
 *   waker may have consumed the announcement already.
 * Source: event counts, Reed and Kanodia 1979; the shape is that of folly's EventCount. */
#ifndef LOCKFREE_WAIT_H
#define LOCKFREE_WAIT_H

#include "atomics.h"

#include <errno.h>
#include <time.h>

#define LF_FOREVER UINT64_MAX

#ifdef LF_MODEL
#include "seam.h" /* the model checker's pause, futex and clock */

LF_INLINE void lf_pause(void) { lf_model_pause(); }
LF_INLINE uint64_t lf_now(void) { return lf_model_now(); }
LF_INLINE uint64_t lf_now_coarse(void) { return lf_model_now(); }
LF_INLINE int lf_futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    return lf_model_futex_wait(word, expected, timeout_ns);
}
LF_INLINE int lf_futex_wake(uint32_t *word, int n) { return lf_model_futex_wake(word, n); }
LF_INLINE void lf_nap(uint64_t ns) { (void)ns, lf_model_pause(); }
#else
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

LF_INLINE void lf_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#else
    __asm__ __volatile__("" ::: "memory");
#endif
}

LF_INLINE uint64_t lf__clock(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Nanoseconds of CLOCK_MONOTONIC; the coarse one costs a few loads and moves with the kernel's tick. */
LF_INLINE uint64_t lf_now(void) { return lf__clock(CLOCK_MONOTONIC); }
LF_INLINE uint64_t lf_now_coarse(void) { return lf__clock(CLOCK_MONOTONIC_COARSE); }

/* Sleeps while *word == expected, at most timeout_ns (0: without limit).
 * 0 woken (perhaps spuriously), else -EAGAIN, -ETIMEDOUT or -EINTR. */
LF_INLINE int lf_futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    struct timespec limit;
    limit.tv_sec = (time_t)(timeout_ns / 1000000000u);
    limit.tv_nsec = (long)(timeout_ns % 1000000000u);
    long result = syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_ns ? &limit : NULL, NULL, 0);
    return result == 0 ? 0 : -errno;
}

/* Wakes at most n sleepers, in the order in which they fell asleep; how many it woke. */
LF_INLINE int lf_futex_wake(uint32_t *word, int n) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

/* Several words at once. */
struct lf_futex_one {
    uint64_t expected, word;
    uint32_t flags, unused;
};
LF_INLINE void lf_futex_one_set(struct lf_futex_one *one, uint32_t *word, uint32_t expected) {
    one->expected = expected;
    one->word = (uint64_t)(uintptr_t)word;
    one->flags = 2; /* 32 bits, shared between processes */
    one->unused = 0;
}
/* Sleeps while every word is as expected, at most timeout_ns: 0 or more: one has changed or was woken; else -EAGAIN,
 * -ETIMEDOUT or -EINTR. Where the kernel cannot sleep on several (before Linux 5.16), on the first one alone. */
LF_INLINE int lf_futex_wait_any(struct lf_futex_one *words, uint32_t count, uint64_t timeout_ns) {
    uint64_t end = lf_now() + timeout_ns;
    struct timespec limit;
    limit.tv_sec = (time_t)(end / 1000000000u);
    limit.tv_nsec = (long)(end % 1000000000u);
    long result = syscall(449 /* futex_waitv */, words, count, 0u, &limit, CLOCK_MONOTONIC);
    if (result >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL))
        return result >= 0 ? (int)result : -errno;
    return lf_futex_wait((uint32_t *)(uintptr_t)words[0].word, (uint32_t)words[0].expected, timeout_ns);
}

/* A short sleep, for waits in which nobody would send a wake. */
LF_INLINE void lf_nap(uint64_t ns) {
    uint32_t nobody = 0;
    lf_futex_wait(&nobody, 0, ns);
}
#endif

struct lf_eventcount {
    uint64_t word; /* {waiters : 32 | epoch : 32} */
};

#define LF__ONE_WAITER ((uint64_t)1 << 32)

LF_INLINE uint32_t *lf__epoch(struct lf_eventcount *ec) { return (uint32_t *)(void *)&ec->word; }

/* Announces a waiter and returns its ticket, for wait or cancel. The caller must do its half of a fence, and then check
 * its condition. */
LF_INLINE uint32_t lf_eventcount_announce(struct lf_eventcount *ec) {
    return (uint32_t)lf_fetch_add_relaxed(&ec->word, LF__ONE_WAITER);
}
/* The same with the fence. The caller must check its condition afterwards. */
LF_INLINE uint32_t lf_eventcount_prepare(struct lf_eventcount *ec) {
    uint32_t ticket = lf_eventcount_announce(ec);
    lf_fence_seq_cst(); /* [E1] pairs with [E2]: the announcement is before the check of the condition */
    return ticket;
}

/* Takes the announcement back, because the condition is true or the waiter gives up. */
LF_INLINE void lf_eventcount_cancel(struct lf_eventcount *ec, uint32_t ticket) {
    uint64_t word = lf_load_relaxed(&ec->word);
    while ((uint32_t)word == ticket && word >> 32 != 0)
        if (lf_cas_relaxed(&ec->word, &word, word - LF__ONE_WAITER))
            return;
}

/* Sleeps until notified or timeout_ns have passed (0: no limit): 0, -EAGAIN, -ETIMEDOUT or -EINTR. */
LF_INLINE int lf_eventcount_wait(struct lf_eventcount *ec, uint32_t ticket, uint64_t timeout_ns) {
    int result = lf_futex_wait(lf__epoch(ec), ticket, timeout_ns);
    lf_eventcount_cancel(ec, ticket);
    return result;
}

LF_INLINE void lf__eventcount_wake(struct lf_eventcount *ec, uint64_t word, uint32_t n) {
    uint32_t woken;
    do {
        uint32_t waiters = (uint32_t)(word >> 32);
        if (waiters == 0)
            return;
        woken = waiters < n ? waiters : n;
    } while (!lf_cas_relaxed(&ec->word, &word, ((word >> 32) - woken) << 32 | (uint32_t)((uint32_t)word + 1)));
    lf_futex_wake(lf__epoch(ec), woken > INT32_MAX ? INT32_MAX : (int)woken);
}

/* Call after the condition was made true. Wakes at most n waiters. */
LF_INLINE void lf_eventcount_notify(struct lf_eventcount *ec, uint32_t n) {
    lf_fence_seq_cst(); /* [E2] pairs with [E1]: the condition is before the look at the waiters */
    uint64_t word = lf_load_relaxed(&ec->word);
    if (LF_UNLIKELY(word >> 32 != 0))
        lf__eventcount_wake(ec, word, n);
}

/* The same, right after a sequentially consistent read-modify-write that made the condition true: it is the fence. */
LF_INLINE void lf_eventcount_notify_after_rmw(struct lf_eventcount *ec, uint32_t n) {
    uint64_t word = lf_load_seq_cst(&ec->word); /* [E2] pairs with [E1] */
    if (LF_UNLIKELY(word >> 32 != 0))
        lf__eventcount_wake(ec, word, n);
}

/* The same for a count on which one thread waits at a time, behind the caller's half of a fence. Wait-free. If the
 * exchange fails, the waiter itself has changed the word after that fence, so its next check sees the condition. */
LF_INLINE void lf_eventcount_wake_sole(struct lf_eventcount *ec) {
    uint64_t word = lf_load_relaxed(&ec->word);
    if (LF_UNLIKELY(word >> 32 != 0) && /* this also removes announcements that killed waiters left behind */
        lf_cas_relaxed(&ec->word, &word, (uint64_t)(uint32_t)((uint32_t)word + 1)))
        lf_futex_wake(lf__epoch(ec), 1);
}

/* The same for all waiters, however many. Wait-free: an announcement between the two steps leaves the count too high,
 * and costs the next call a needless wake. A carry out of the epoch does the same. */
LF_INLINE void lf_eventcount_wake_all(struct lf_eventcount *ec) {
    uint64_t word = lf_load_relaxed(&ec->word);
    if (LF_LIKELY(word >> 32 == 0))
        return;
    word = lf_fetch_add_relaxed(&ec->word, (uint64_t)1) + 1; /* a waiter announced before this sleeps no more */
    lf_cas_relaxed(&ec->word, &word, (uint64_t)(uint32_t)word);
    lf_futex_wake(lf__epoch(ec), INT32_MAX);
}

LF_INLINE void lf_eventcount_notify_all(struct lf_eventcount *ec) { lf_eventcount_notify(ec, UINT32_MAX); }

#endif
