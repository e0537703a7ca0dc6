/* stack_claims_in_two_steps.h: in the place of run_stack.h: finds that no operation came in between, then announces its own. */
#define lf_stack_claim lf__stack_claim_in_one_step
#include <lockfree/blocks/run_stack.h>
#undef lf_stack_claim

LF_INLINE int lf_stack_claim(const struct lf_runs *q, uint32_t n, uint32_t participant, uint32_t *blocks) {
    for (;;) {
        uint64_t last, settled;
        int status = lf__stack_look(q, &last, &settled);
        uint64_t depth = lf__stack_depth(settled);
        if (status != LF_OK || n > depth)
            return status != LF_OK ? status : (int)LF_EMPTY;
        for (uint32_t i = 0; i < n; i++)
            blocks[i] = (uint32_t)lf__stack_block(lf_load_acquire(&q->cells[depth - 1 - i]));
        if (lf_load_seq_cst(&lf__stack_ends(q)->last) != last)
            continue;
        uint64_t mine = lf__stack_next(last, (uint64_t)n << LF_PARTICIPANT_BITS | participant);
        lf_store_seq_cst(&lf__stack_ends(q)->last, mine); /* somebody may have been here */
        return lf__stack_settle(q, settled, mine, 0);
    }
}
