/* shrink.c: a failing execution made dull, and shown. */
#define _GNU_SOURCE
#include "runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long cost_of_last(void) {
    long cost = 0;
    int tid = 0;
    for (int id = 0; id < R.events; id++) {
        const struct event *e = &R.event[id];
        if (e->kind == EV_INIT)
            continue;
        cost += 1 + (e->tid != tid && tid != 0 ? 10000 : 0) + (e->picked != 0 && e->kind != EV_CHOICE ? 10000 : 0);
        tid = e->tid;
    }
    return cost;
}

static bool fails_again(const char *kind) {
    enum run_end end;
    int tries = 0;
    do {
        choices_start();
        end = run_once();
    } while (end == RUN_AGAIN && ++tries < 100);
    bool not_free = end == RUN_BOUND && strcmp(kind, "not lock-free") == 0;
    return (end == RUN_VIOLATION && strcmp(kind, R.failure_kind) == 0) || not_free;
}

/* Makes choices dull, one after another and whole ends of the list, as long as the same kind of failure
 * stays. Leaves the best list in X.replay, and its execution in R. */
static void shrink(const char *kind) {
    uint16_t *best = malloc(MAX_TRAIL * sizeof *best);
    int best_length = R.trail_length;
    memcpy(best, R.trail, (size_t)best_length * sizeof *best);
    R.options.mode = MODE_REPLAY;
    R.overdue = false;
    double until = seconds_now() + (strcmp(kind, "endless loop") == 0 ? R.options.silent : 2);
    long best_cost = -1;
    bool better = true;
#define TRY(length)                                                                                                    \
    do {                                                                                                               \
        X.replay_length = (length);                                                                                    \
        if (fails_again(kind)) {                                                                                       \
            long cost = cost_of_last();                                                                                \
            if (best_cost < 0 || cost < best_cost) {                                                                   \
                best_cost = cost;                                                                                      \
                best_length = R.trail_length;                                                                          \
                memcpy(best, R.trail, (size_t)best_length * sizeof *best);                                             \
                better = true;                                                                                         \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)
    memcpy(X.replay, best, (size_t)best_length * sizeof *best);
    TRY(best_length);
    while (better && !R.options.no_shrink && best_cost >= 0 && seconds_now() < until) {
        better = false;
        for (int cut = 0; cut < best_length && seconds_now() < until; cut++) {
            memcpy(X.replay, best, (size_t)best_length * sizeof *best);
            TRY(cut);
        }
        for (int i = 0; i < best_length && seconds_now() < until; i++)
            for (int value = 0; value <= R.threads && i < best_length; value++) {
                if (best[i] == value)
                    continue;
                memcpy(X.replay, best, (size_t)best_length * sizeof *best);
                X.replay[i] = (uint16_t)value;
                TRY(best_length);
            }
        for (int i = 0; i < best_length && seconds_now() < until; i++) { /* one choice less */
            memcpy(X.replay, best, (size_t)best_length * sizeof *best);
            memmove(X.replay + i, X.replay + i + 1, (size_t)(best_length - i - 1) * sizeof *best);
            TRY(best_length - 1);
        }
    }
#undef TRY
    memcpy(X.replay, best, (size_t)best_length * sizeof *best);
    X.replay_length = best_length;
    if (!fails_again(kind))
        say("note\tthe failure did not come again when its choices were repeated\n");
    free(best);
}

void report_failure(void) {
    char kind[sizeof R.failure_kind], text[sizeof R.failure];
    snprintf(kind, sizeof kind, "%s", R.failure_kind);
    snprintf(text, sizeof text, "%s", R.failure);
    shrink(kind);
    if (R.end == RUN_BOUND)
        snprintf(R.failure, sizeof R.failure, "%s", text);
    report_execution(kind);
    token_print(X.replay, X.replay_length);
}
