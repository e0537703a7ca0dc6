/* The general search: both of its forms by turns, with more patience each time. */
#include "linearize/search.h"

enum { LIN_PATIENCE = 1 << 16 };

/* The depth-first search has shown that nothing gets beyond event `last`. The frontier of what is before it says so too
 * (that is exact, and tells where to begin), unless it is too large. */
static int lin_reject_at(struct lin_problem *p, uint32_t last, uint64_t patience) {
    struct lin_run *run = p->run;
    int again = lin_frontier(p, patience);
    if (again != LIN_UNDECIDED)
        return again;
    if (run->stopped && run->stopped != LF_LIN_MEMORY && run->stopped != LF_LIN_TIME)
        return LIN_UNDECIDED;
    run->stopped = 0;
    return lin_reject_window(p, p->event[last] >> 1, 0, last);
}

/* One search; running out of memory is its own failure, not that of the others. */
static int lin_one_search(struct lin_problem *p, int which, uint64_t patience) {
    struct lin_run *run = p->run;
    struct lin_block *mark = run->blocks;
    uint32_t last = 0;
    int answer = which == 2 ? lin_frontier(p, patience)
                            : lin_depth_first(p, which ? LIN_BY_CALL : LIN_BY_RETURN, patience, &last);
    lin_release(run, mark);
    if (answer == LIN_REJECT && which != 2) {
        answer = lin_reject_at(p, last, 2 * patience);
        lin_release(run, mark);
    }
    return answer;
}

int lin_search(struct lin_problem *p) {
    struct lin_run *run = p->run;
    if (lin_most_open(p) > LIN_OPEN_MAX) {
        run->stopped = LF_LIN_TOO_OPEN;
        return LIN_UNDECIDED;
    }
    bool placing = p->skip && p->before; /* weak answers in batches: the frontier alone knows where they fit */
    int32_t only = run->options->general_only;
    bool full[3] = {placing, placing, false};
    for (int which = 0; which < 3 && only >= LF_LIN_ONLY_BY_RETURN; which++)
        full[which] |= which != only - LF_LIN_ONLY_BY_RETURN;
    if (full[0] && full[1] && full[2])
        run->stopped = LF_LIN_UNDECIDED;
    for (uint64_t patience = LIN_PATIENCE + 64 * (uint64_t)p->n; !run->stopped; patience *= 4)
        for (int which = 0; which < 3; which++) {
            if (full[which])
                continue;
            int answer = lin_one_search(p, which, placing ? UINT64_MAX : which == 2 ? patience / 4 : patience);
            if (answer != LIN_UNDECIDED)
                return answer;
            if (run->stopped && run->stopped != LF_LIN_MEMORY)
                return answer;
            full[which] = run->stopped == LF_LIN_MEMORY;
            if (full[0] && full[1] && full[2])
                return answer;
            run->stopped = 0;
        }
    return LIN_UNDECIDED;
}
