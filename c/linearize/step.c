/* One step of a sequential specification, for code that draws what the engine decided. */
#include "linearize/internal.h"

struct lin_after {
    int64_t *out;
    uint32_t room, used, *end, most, n;
    bool full;
};

static void lin_keep_after(void *context, const int64_t *words, uint32_t count) {
    struct lin_after *a = context;
    if (a->n == a->most || count > a->room - a->used) {
        a->full = true;
        return;
    }
    memcpy(a->out + a->used, words, count * sizeof *words);
    a->used += count;
    a->end[a->n++] = a->used;
}

uint32_t lf_lin_initial(const struct lf_lin_spec *spec, int64_t *words) { return lin_spec_initial(spec, words); }

int32_t lf_lin_after(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *words,
                     uint32_t count, int64_t *out, uint32_t room, uint32_t *end, uint32_t most) {
    struct lin_after a = {.out = out, .room = room, .end = end, .most = most};
    int64_t *scratch = malloc((count + 4) * sizeof *scratch);
    if (!scratch)
        return -1;
    lin_spec_step(spec, op, words, count, scratch, lin_keep_after, &a);
    free(scratch);
    return a.full ? -1 : (int32_t)a.n;
}
