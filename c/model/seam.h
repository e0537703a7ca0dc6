/* seam.h: what wait.h calls instead of the processor and the kernel when it is built with LF_MODEL=1.
 *
 * A pause says "nothing changed since I looked": the checker lets others run, and does not follow a
 * thread that would look at the same values for ever. A futex sleeps in the model, not in the kernel. */
#ifndef LOCKFREE_MODEL_SEAM_H
#define LOCKFREE_MODEL_SEAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A spin hint. */
void lf_model_pause(void);

/* Sleeps while *word == expected. 0 woken (or spuriously, where the client allows it), -EAGAIN the value
 * differed, -ETIMEDOUT only if timeout_ns is not 0 and the client allows time-outs. */
int lf_model_futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes at most n sleepers, which ones is the checker's choice; returns how many. */
int lf_model_futex_wake(uint32_t *word, int n);

/* membarrier(2): 1, or 0 where the client says that the kernel refuses it. Light fences are atomic_signal_fence(seq_cst). */
int lf_model_membarrier(void);
int lf_model_membarrier_register(void);
/* A wait so long that it stands for a membarrier that reaches everybody. */
void lf_model_settle(void);

/* Nanoseconds of a clock of the calling thread, which moves only by the time-outs that it slept through. */
uint64_t lf_model_now(void);

/* 0 if the participant was declared dead with lf_model_set_participant_dead(), or is a thread that was stopped
 * for ever in a client that says stop_is_death. */
int lf_model_participant_alive(uint32_t participant);

#ifdef __cplusplus
}
#endif
#endif
