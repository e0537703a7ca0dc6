/* Whether a candidate is wrong by itself. */
#include "linearize/shrink.h"

int32_t lin_verdict_of(struct lin_shrink *s, const struct lf_history_op *ops, const uint32_t *origin, uint32_t n,
                       struct lf_lin_result *result) {
    uint64_t now = lin_now();
    memset(result, 0, sizeof *result);
    if (n == 0 || now >= s->deadline)
        return LF_LIN_UNKNOWN;
    struct lf_lin_options options = *s->run->options;
    struct lf_lin_spec spec = *s->run->spec;
    options.no_core = 1;
    options.progress = NULL;
    options.order = NULL;
    options.timeout_ns = s->deadline - now;
    if (s->started && (spec.kind == LF_LIN_COUNTER || spec.kind == LF_LIN_SEMAPHORE))
        spec.initial = s->start[0];
    else if (s->started) {
        options.start = s->start;
        options.start_count = s->start_count;
    }
    for (uint32_t i = 0; i < n; i++)
        s->named[i] = origin[i] | (lin_pending(&ops[i]) && !lin_pending(&s->run->ops[origin[i]]) ? LF_LIN_CUT : 0);
    options.named = s->named;
    struct lin_run run = {.ops = ops, .spec = &spec, .options = &options, .result = result};
    struct lin_part wrong;
    lin_decide_history(&run, n, &wrong);
    lin_release(&run, NULL);
    return result->verdict;
}

bool lin_still_wrong(struct lin_shrink *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->unit[i] == LIN_NO || !s->gone[s->unit[i]])
            s->kept[n] = s->origin[i], s->some[n++] = s->ops[i];
    struct lf_lin_result result;
    int32_t verdict = lin_verdict_of(s, s->some, s->kept, n, &result);
    lf_lin_result_free(&result);
    return verdict == LF_LIN_VIOLATION;
}

int lin_rule(struct lin_shrink *s) {
    struct lf_lin_result result;
    lin_verdict_of(s, s->ops, s->origin, s->n, &result);
    lf_lin_result_free(&result);
    return result.reason;
}
