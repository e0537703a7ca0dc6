/* litmus_tests.h: small programs whose outcomes tell memory models apart. Each body is one thread. x and y are 0 at first; r
 * are its results. The same bodies run on the hardware (litmus.c) and under the model checker (tests/test_machine.py).
 *
 * Source: the names are those of Alglave, Maranget and Tautschnig, "Herding cats", 2014. */
#ifndef LOCKFREE_LITMUS_TESTS_H
#define LOCKFREE_LITMUS_TESTS_H

#include <lockfree/blocks/atomics.h>

#define LF_LITMUS(name, thread) static inline void lf_litmus_##name##_##thread(uint32_t *x, uint32_t *y, uint32_t *r)
#define LF_THEN lf_fence_light() /* the compiler keeps the order of the program; the processor may not */

// clang-format off: a thread is a line

/* store buffering */
LF_LITMUS(SB, 0) { lf_store_relaxed(x, 1u); LF_THEN; r[0] = lf_load_relaxed(y); }
LF_LITMUS(SB, 1) { lf_store_relaxed(y, 1u); LF_THEN; r[1] = lf_load_relaxed(x); }
LF_LITMUS(SB_fences, 0) { lf_store_relaxed(x, 1u); lf_fence_seq_cst(); r[0] = lf_load_relaxed(y); }
LF_LITMUS(SB_fences, 1) { lf_store_relaxed(y, 1u); lf_fence_seq_cst(); r[1] = lf_load_relaxed(x); }
LF_LITMUS(SB_seq_cst, 0) { lf_store_seq_cst(x, 1u); r[0] = lf_load_seq_cst(y); }
LF_LITMUS(SB_seq_cst, 1) { lf_store_seq_cst(y, 1u); r[1] = lf_load_seq_cst(x); }

/* message passing */
LF_LITMUS(MP, 0) { lf_store_relaxed(x, 1u); LF_THEN; lf_store_relaxed(y, 1u); (void)r; }
LF_LITMUS(MP, 1) { r[0] = lf_load_relaxed(y); LF_THEN; r[1] = lf_load_relaxed(x); }
LF_LITMUS(MP_acq_rel, 0) { lf_store_relaxed(x, 1u); lf_store_release(y, 1u); (void)r; }
LF_LITMUS(MP_acq_rel, 1) { r[0] = lf_load_acquire(y); r[1] = lf_load_relaxed(x); }

/* load buffering */
LF_LITMUS(LB, 0) { r[0] = lf_load_relaxed(x); LF_THEN; lf_store_relaxed(y, 1u); }
LF_LITMUS(LB, 1) { r[1] = lf_load_relaxed(y); LF_THEN; lf_store_relaxed(x, 1u); }

/* two threads write two words in opposite order; the results are what is left in the end */
LF_LITMUS(two_plus_two_W, 0) { lf_store_relaxed(x, 1u); LF_THEN; lf_store_relaxed(y, 2u); (void)r; }
LF_LITMUS(two_plus_two_W, 1) { lf_store_relaxed(y, 1u); LF_THEN; lf_store_relaxed(x, 2u); (void)r; }

/* coherence: two reads of one word */
LF_LITMUS(CoRR, 0) { lf_store_relaxed(x, 1u); (void)y, (void)r; }
LF_LITMUS(CoRR, 1) { r[0] = lf_load_relaxed(x); LF_THEN; r[1] = lf_load_relaxed(x); (void)y; }

/* write to read causality: three threads */
LF_LITMUS(WRC, 0) { lf_store_relaxed(x, 1u); (void)y, (void)r; }
LF_LITMUS(WRC, 1) { r[0] = lf_load_relaxed(x); LF_THEN; lf_store_relaxed(y, 1u); }
LF_LITMUS(WRC, 2) { r[1] = lf_load_relaxed(y); LF_THEN; r[2] = lf_load_relaxed(x); }
LF_LITMUS(WRC_acq_rel, 0) { lf_store_relaxed(x, 1u); (void)y, (void)r; }
LF_LITMUS(WRC_acq_rel, 1) { r[0] = lf_load_acquire(x); lf_store_release(y, 1u); }
LF_LITMUS(WRC_acq_rel, 2) { r[1] = lf_load_acquire(y); r[2] = lf_load_relaxed(x); }

/* independent reads of independent writes: four threads */
LF_LITMUS(IRIW, 0) { lf_store_relaxed(x, 1u); (void)y, (void)r; }
LF_LITMUS(IRIW, 1) { lf_store_relaxed(y, 1u); (void)x, (void)r; }
LF_LITMUS(IRIW, 2) { r[0] = lf_load_relaxed(x); LF_THEN; r[1] = lf_load_relaxed(y); }
LF_LITMUS(IRIW, 3) { r[2] = lf_load_relaxed(y); LF_THEN; r[3] = lf_load_relaxed(x); }
LF_LITMUS(IRIW_acquire, 0) { lf_store_release(x, 1u); (void)y, (void)r; }
LF_LITMUS(IRIW_acquire, 1) { lf_store_release(y, 1u); (void)x, (void)r; }
LF_LITMUS(IRIW_acquire, 2) { r[0] = lf_load_acquire(x); r[1] = lf_load_acquire(y); }
LF_LITMUS(IRIW_acquire, 3) { r[2] = lf_load_acquire(y); r[3] = lf_load_acquire(x); }
LF_LITMUS(IRIW_seq_cst, 0) { lf_store_seq_cst(x, 1u); (void)y, (void)r; }
LF_LITMUS(IRIW_seq_cst, 1) { lf_store_seq_cst(y, 1u); (void)x, (void)r; }
LF_LITMUS(IRIW_seq_cst, 2) { r[0] = lf_load_seq_cst(x); r[1] = lf_load_seq_cst(y); }
LF_LITMUS(IRIW_seq_cst, 3) { r[2] = lf_load_seq_cst(y); r[3] = lf_load_seq_cst(x); }

// clang-format on

typedef void lf_litmus_body(uint32_t *x, uint32_t *y, uint32_t *r);

struct lf_litmus_test {
    const char *name;
    int threads, results;
    int final; /* the results are the last values of x and y */
    lf_litmus_body *bodies[4];
};

#define LF_TWO(name) {lf_litmus_##name##_0, lf_litmus_##name##_1}
#define LF_THREE(name) {lf_litmus_##name##_0, lf_litmus_##name##_1, lf_litmus_##name##_2}
#define LF_FOUR(name) {lf_litmus_##name##_0, lf_litmus_##name##_1, lf_litmus_##name##_2, lf_litmus_##name##_3}

static const struct lf_litmus_test lf_litmus_list[] = {
    {"SB", 2, 2, 0, LF_TWO(SB)},
    {"SB+fences", 2, 2, 0, LF_TWO(SB_fences)},
    {"SB+seq_cst", 2, 2, 0, LF_TWO(SB_seq_cst)},
    {"MP", 2, 2, 0, LF_TWO(MP)},
    {"MP+acq_rel", 2, 2, 0, LF_TWO(MP_acq_rel)},
    {"LB", 2, 2, 0, LF_TWO(LB)},
    {"2+2W", 2, 2, 1, LF_TWO(two_plus_two_W)},
    {"CoRR", 2, 2, 0, LF_TWO(CoRR)},
    {"WRC", 3, 3, 0, LF_THREE(WRC)},
    {"WRC+acq_rel", 3, 3, 0, LF_THREE(WRC_acq_rel)},
    {"IRIW", 4, 4, 0, LF_FOUR(IRIW)},
    {"IRIW+acquire", 4, 4, 0, LF_FOUR(IRIW_acquire)},
    {"IRIW+seq_cst", 4, 4, 0, LF_FOUR(IRIW_seq_cst)},
};

#endif
