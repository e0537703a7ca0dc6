/* failure.c: a failing execution made dull, shown, and named by a token that runs it again.
 *
 * Token: rules of waiting (g or r; G or R: of the runtime for many threads), release sequences (1: RC11, 2: C++20) .
 * stopped thread . its step . step bound [. spins] - the choices, a digit 0-9 a-y each, zXXXX above, a capital for
 * 2..27 zeros - objects wider than their first access - who created which thread. */
#include "../choices/explore.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxy";

static void print_token(const uint16_t *trail, int length) {
    const char *rules = MAX_THREADS == 8 ? "gr" : "GR";
    say("token\t%c%c.%d.%d.%d", rules[!R.graph_rules], R.options.c20_release_sequence ? '2' : '1',
        R.options.stop_thread, R.options.stop_step, R.options.steps);
    if (R.options.spins != 0)
        say(".%d", R.options.spins);
    say("-");
    for (int i = 0; i < length;) {
        int zeros = 0;
        while (i + zeros < length && trail[i + zeros] == 0 && zeros < 27)
            zeros++;
        if (zeros >= 2) {
            say("%c", 'A' + zeros - 2);
            i += zeros;
        } else {
            if (trail[i] < sizeof digits - 1)
                say("%c", digits[trail[i]]);
            else
                say("z%04x", trail[i]);
            i++;
        }
    }
    say("-");
    widths_print();
    births_print();
    say("\n");
}

/* Reads a whole number and the character behind it; moves *at behind both. */
static bool token_number(const char **at, int base, unsigned long most, char behind, unsigned long *value) {
    char *end;
    if (!isxdigit((unsigned char)**at))
        return false;
    *value = strtoul(*at, &end, base);
    if (*value > most || *end != behind)
        return false;
    *at = end + (behind != '\0');
    return true;
}

static bool token_steps(const char **at, unsigned long *steps, unsigned long *spins) {
    if (token_number(at, 10, MAX_STEPS, '-', steps))
        return true;
    return token_number(at, 10, MAX_STEPS, '.', steps) && token_number(at, 10, MAX_STEPS, '-', spins) && *spins != 0;
}

static bool token_choices(const char **at) {
    for (; **at != '-'; ++*at) {
        const char *digit = strchr(digits, **at);
        char hex[5] = "", *end = hex;
        unsigned repeat = 1, value = 0;
        if (**at == '\0')
            return false;
        if (**at >= 'A' && **at <= 'Z') {
            repeat = (unsigned)(**at - 'A') + 2;
        } else if (**at == 'z') {
            strncpy(hex, *at + 1, 4);
            value = (unsigned)strtoul(hex, &end, 16);
            if (end != hex + 4 || !isxdigit((unsigned char)hex[0]))
                return false;
            *at += 4;
        } else if (digit != NULL) {
            value = (unsigned)(digit - digits);
        } else {
            return false;
        }
        for (; repeat > 0; repeat--) {
            if (X.replay_length == MAX_TRAIL)
                return false;
            X.replay[X.replay_length++] = (uint16_t)value;
        }
    }
    ++*at;
    return true;
}

bool token_read(const char *at) {
    const char *rules = MAX_THREADS == 8 ? "gr" : "GR";
    if (*at == '\0' || strchr(rules, at[0]) == NULL || (at[1] != '1' && at[1] != '2') || at[2] != '.')
        return false;
    R.graph_rules = at[0] == rules[0];
    R.options.c20_release_sequence = at[1] == '2';
    at += 3;
    unsigned long thread, step, steps, spins = 0;
    if (!token_number(&at, 10, MAX_THREADS - 1, '.', &thread) ||
        !token_number(&at, 10, MAX_THREAD_EVENTS, '.', &step) || !token_steps(&at, &steps, &spins) || steps == 0 ||
        !token_choices(&at))
        return false;
    R.options.stop_thread = (int)thread;
    R.options.stop_step = (int)step;
    R.options.steps = (int)steps;
    R.options.spins = (int)spins;
    while (*at == '.') {
        unsigned long address, size;
        at++;
        if (!token_number(&at, 16, UINTPTR_MAX / 4, ':', &address))
            return false;
        char behind = at[strcspn(at, ".-")];
        if (!token_number(&at, 10, 16, behind, &size) || size == 0)
            return false;
        at -= behind != '\0';
        widths_add(address, (unsigned)size);
    }
    if (*at == '-')
        for (at++; *at >= 'a' && *at < 'a' + R.most_threads && R.most_threads < MAX_THREADS - 1; at++)
            births_add(*at - 'a' + 1);
    return *at == '\0';
}

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
    double until = seconds_now() + 2;
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
    print_token(X.replay, X.replay_length);
}
