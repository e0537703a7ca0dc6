/* The door of the engine: decides a history, and makes small what shows that it is wrong. */
#include "linearize/internal.h"

void lf_lin_check(const struct lf_history_op *ops, size_t count, const struct lf_lin_spec *spec,
                  const struct lf_lin_options *options, struct lf_lin_result *result) {
    struct lin_run run = {.ops = ops, .spec = spec, .options = options, .result = result};
    struct lin_part wrong;
    lin_decide_history(&run, count, &wrong);
    if (result->verdict == LF_LIN_VIOLATION && !options->no_core)
        lin_shrink_core(&run, wrong.index, wrong.n);
    lin_release(&run, NULL);
}
