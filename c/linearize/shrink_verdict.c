/* Whether a candidate is wrong by itself. */
#include "linearize/shrink.h"

bool lin_is_late(const struct lin_shrink *s) { return lin_now() >= s->deadline || lin_work() >= s->work_end; }

int32_t lin_verdict_of(struct lin_shrink *s, const struct lf_history_op *ops, const uint32_t *origin, uint32_t n,
                       struct lf_lin_result *result) {
    memset(result, 0, sizeof *result);
    if (n == 0 || lin_is_late(s))
        return LF_LIN_UNKNOWN;
    struct lf_lin_options options = *s->run->options;
    struct lf_lin_spec spec = *s->run->spec;
    options.no_core = 1;
    options.progress = NULL;
    options.order = NULL;
    options.timeout_ns = 0;
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
    run.deadline = s->deadline;
    run.work_end = s->work_end;
    struct lin_part wrong;
    lin_decide_history(&run, n, &wrong);
    lin_release(&run, NULL);
    return result->verdict;
}

static bool lin_brings(const struct lf_history_op *o, const struct lf_history_op *got) {
    bool cas = o->op == LF_OP_CAS, same = o->key == got->key && (!(o->flags & LF_HISTORY_PAIR) || o->arg2 == got->arg2);
    bool puts = lin_is_put(o) || o->op == LF_OP_APPEND || o->op == LF_OP_WRITE;
    return !lin_failed(o) && (cas ? o->arg2 == got->result : puts && same && o->arg == got->result);
}

/* With equal values a put and a get can be left out together. Then the rest may say of a value that nobody had put it, or
 * that it was taken twice, and the history says otherwise. */
static bool lin_says_otherwise(const struct lin_shrink *s, const struct lf_history_op *ops,
                               const struct lf_lin_result *r) {
    if ((r->reason != LF_LIN_NEVER_PUT && r->reason != LF_LIN_TAKEN_TWICE) || !r->core_count)
        return false;
    const struct lf_history_op *got = &ops[r->core[r->core_count - 1]];
    uint32_t puts = 0, most = r->reason == LF_LIN_TAKEN_TWICE;
    for (uint32_t i = 0; i < s->all_n && puts <= most && (lin_is_get(got) || got->op == LF_OP_READ); i++)
        puts += lin_brings(&s->run->ops[s->all[i]], got);
    return puts > most;
}

bool lin_still_wrong(struct lin_shrink *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->unit[i] == LIN_NO || !s->gone[s->unit[i]])
            s->kept[n] = s->origin[i], s->some[n++] = s->ops[i];
    struct lf_lin_result result;
    int32_t verdict = lin_verdict_of(s, s->some, s->kept, n, &result);
    bool wrong = verdict == LF_LIN_VIOLATION && !lin_says_otherwise(s, s->some, &result);
    lf_lin_result_free(&result);
    return wrong;
}

bool lin_says_so(struct lin_shrink *s) {
    struct lf_lin_result result;
    lin_verdict_of(s, s->ops, s->origin, s->n, &result);
    bool so = !lin_says_otherwise(s, s->ops, &result);
    lf_lin_result_free(&result);
    return so;
}
