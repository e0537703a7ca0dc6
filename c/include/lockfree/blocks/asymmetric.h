/* asymmetric.h: a fence of two halves: the light half costs nothing, the heavy half a system call.
 *
 * Contract
 *   Two threads each write, do their half of the fence, and read what the other has written. If one of the halves is
 *   heavy, at least one of the two reads sees the other's write. Two light halves promise nothing. Here the waker
 *   does the light half (lf_fence_light_in), on each operation; a thread that is about to sleep does the heavy one
 *   (lf_fence_heavy_in).
 * How: the light half keeps the compiler from moving accesses across it. The heavy half is membarrier(2). It makes each
 *   thread of each registered process pass a full fence before it returns (MEMBARRIER_CMD_GLOBAL_EXPEDITED). A thread
 *   that does not run has passed one when it stopped running. Every process registers when it joins (lf__join_fences).
 *   A forked child inherits the registration, and registers again when it joins.
 * Where the kernel or a sandbox refuses membarrier: segment->fenced is set, for all and for ever. Then both halves are
 *   ordinary fences. A process that cannot register sets it before its first operation. Others may be in the middle of
 *   one, with a store that is not visible yet. So the process then waits (lf__settle). After that time each such store
 *   is visible, and each later light half sees the word. The C standard promises "a reasonable amount of time"
 *   (C11 7.17.3p16). Processors need less than some microseconds, and an interrupt ends it; we wait 20 ms. Only a
 *   process that cannot register waits, once, unless it is the segment's creator or another has waited before.
 * Progress: the light half is wait-free. The heavy half is a system call, or once a sleep of 20 ms.
 * Death: a process that dies before it has settled leaves LF__FENCED; the next one that needs to know settles again.
 * Source: membarrier(2); the shape is that of WG21 P1202, asymmetric fences. */
#ifndef LOCKFREE_ASYMMETRIC_H
#define LOCKFREE_ASYMMETRIC_H

#include "segment.h"

#define LF__SETTLE_NS 20000000u

enum lf__fenced { LF__ASYMMETRIC = 0, LF__FENCED = 1, LF__SETTLED = 2 };

#ifdef LF_MODEL
LF_INLINE int lf__membarrier(void) { return lf_model_membarrier(); }
LF_INLINE int lf__membarrier_register(void) { return lf_model_membarrier_register(); }
LF_INLINE void lf__settle(void) { lf_model_settle(); } /* what so long a wait is taken for */
#else
#include <linux/membarrier.h>

/* 1, or 0 if the kernel refuses it. */
LF_INLINE int lf__membarrier(void) { return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0; }
LF_INLINE int lf__membarrier_register(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}
LF_INLINE void lf__settle(void) { lf_nap(LF__SETTLE_NS); }
#endif

/* From now on everybody uses ordinary fences. */
static __attribute__((noinline, unused)) void lf__switch_to_fences(struct lf_segment *segment) {
    uint32_t was = LF__ASYMMETRIC;
    lf_cas_relaxed(&segment->fenced, &was, (uint32_t)LF__FENCED); /* seen by all after lf__settle */
    lf__settle();
    lf_store_release(&segment->fenced, (uint32_t)LF__SETTLED); /* [F3] pairs with [F4] */
}

/* Before the first operation of a process on a segment. `alone`: nobody else has ever joined. */
LF_INLINE void lf__join_fences(struct lf_segment *segment, int alone) {
    if (lf__membarrier_register())
        return;
    if (alone)
        lf_store_relaxed(&segment->fenced, (uint32_t)LF__SETTLED); /* visible with the segment */
    else if (lf_load_relaxed(&segment->fenced) != LF__SETTLED)     /* else another has waited for us, too: see [F4] */
        lf__switch_to_fences(segment);
}

LF_INLINE void lf_fence_light_in(const struct lf_segment *segment) {
    lf_fence_light(); /* [F1] pairs with [F2]: what was written before is visible, or the look at `fenced` is newer */
    if (LF_UNLIKELY(lf_load_relaxed(&segment->fenced) != LF__ASYMMETRIC))
        lf_fence_seq_cst(); /* [F5] pairs with [F6] */
}

LF_INLINE void lf_fence_heavy_in(struct lf_segment *segment) {
    lf_fence_seq_cst(); /* [F6] pairs with [F5], and with the fences of those that always have one */
    if (lf_load_acquire(&segment->fenced) == LF__SETTLED) /* [F4] */
        return;
    if (!lf__membarrier()) /* [F2] pairs with [F1] */
        lf__switch_to_fences(segment);
}

#endif
