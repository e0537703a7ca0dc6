/* pool_claims_in_two_steps.h: in the place of run_queue.h: finds that the head has not moved, then moves it. */
#define lf_runs_claim lf__runs_claim_in_one_step
#include <lockfree/blocks/run_queue.h>
#undef lf_runs_claim

LF_INLINE int lf_runs_claim(const struct lf_runs *q, uint32_t n, uint32_t participant, uint32_t *blocks) {
    for (;;) {
        uint64_t head = lf__runs_head(q);
        uint32_t first = lf__run_end(head), i = 0;
        lf__runs_book(q, head);
        for (; i < n; i++) {
            uint64_t cell = lf_load_acquire(&q->cells[(first + i) & q->mask]);
            if (!lf__run_is_at(cell, first + i))
                break;
            blocks[i] = (uint32_t)lf__run_block(cell);
        }
        if (lf__runs_head(q) != head)
            continue;
        if (i < n)
            return LF_EMPTY;
        lf_store_seq_cst(&q->ends->head, lf__run_head(first + n, n, participant)); /* somebody may have been here */
        return lf__runs_book(q, lf__runs_head(q));
    }
}
