/* options.c: what the driver asks for. */
#define _GNU_SOURCE
#include "runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct lf_model_client *const __start_lf_model_clients[] __attribute__((weak)),
    *const __stop_lf_model_clients[] __attribute__((weak));

static int usage(const char *message, const char *what) {
    fprintf(stderr, "model: %s %s\n", message, what);
    return 3;
}

/* Of an option that takes a number: the whole word, within bounds. */
static bool number(const char *name, const char *word, double least, double most, double *value) {
    char *end;
    *value = strtod(word, &end);
    if (*word != '\0' && *end == '\0' && *value >= least && *value <= most)
        return true;
    fprintf(stderr, "model: %s must be %g to %g, not %s\n", name, least, most, word);
    return false;
}

int options_read(int argc, char **argv) {
    struct options *o = &R.options;
    *o = (struct options){
        .mode = MODE_EXHAUSTIVE, .seed = 1, .preemptions = 2, .depth = 3, .steps = 10000, .silent = 2};
    static const char *const modes[] = {"exhaustive", "bounded", "pct", "random"};
    const struct {
        const char *name;
        bool *is;
    } flags[] = {{"--threads-stop", &o->threads_stop},
                 {"--c20", &o->c20_release_sequence},
                 {"--weak-failures", &o->weak_failures},
                 {"--outcomes", &o->outcomes},
                 {"--positions", &o->positions},
                 {"--list", &o->list},
                 {"--ask", &o->ask},
                 {"--enclosed", &o->enclosed},
                 {"--no-shrink", &o->no_shrink},
                 {"--symmetry", &o->symmetry},
                 {"--no-symmetry", &o->no_symmetry},
                 {"--no-turns", &o->no_turns}}; /* the last three for tests */
    double executions = 0, preemptions = o->preemptions, depth = o->depth, steps = o->steps, spins = 0;
    const struct {
        const char *name;
        double least, most, *value;
    } numbers[] = {{"--executions", 0, 1e15, &executions},  {"--seconds", 1e-3, 1e7, &o->seconds},
                   {"--preemptions", 0, 1e6, &preemptions}, {"--depth", 1, MAX_CHANGES, &depth},
                   {"--steps", 1, MAX_STEPS, &steps},       {"--spins", 0, MAX_STEPS, &spins},
                   {"--silent", 0.1, 1e6, &o->silent}};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool known = false;
        for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
            if (strcmp(name, flags[f].name) == 0)
                known = *flags[f].is = true;
        if (known)
            continue;
        if (++i == argc)
            return usage("unknown or unfinished option", name);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            if (strcmp(name, numbers[n].name) == 0) {
                known = true;
                if (!number(name, value, numbers[n].least, numbers[n].most, numbers[n].value))
                    return 3;
            }
        if (known)
            continue;
        if (strcmp(name, "--client") == 0)
            o->client = value;
        else if (strcmp(name, "--seed") == 0)
            o->seed = strtoull(value, NULL, 0);
        else if (strcmp(name, "--replay") == 0)
            o->replay = value;
        else if (strcmp(name, "--progress") == 0)
            o->progress = value;
        else if (strcmp(name, "--mode") == 0) {
            int mode = 0;
            while (mode < 4 && strcmp(value, modes[mode]) != 0)
                mode++;
            if (mode == 4)
                return usage("unknown mode", value);
            o->mode = (enum mode)mode;
        } else {
            return usage("unknown option", name);
        }
    }
    o->executions = (long)executions;
    o->preemptions = (int)preemptions;
    o->depth = (int)depth;
    o->steps = (int)steps;
    o->spins = (int)spins;
    return 0;
}

int find_client(void) {
    for (const struct lf_model_client *const *c = __start_lf_model_clients; c < __stop_lf_model_clients; c++) {
        if (R.options.list)
            printf("client\t%s\n", (*c)->name);
        else if (R.client == NULL && (R.options.client == NULL || strcmp(R.options.client, (*c)->name) == 0))
            R.client = *c;
    }
    if (&__start_lf_model_clients[0] == &__stop_lf_model_clients[0] && is_program()) {
        if (R.options.list)
            printf("client\t%s\n", program_client.name);
        else if (R.options.client == NULL || strcmp(R.options.client, program_client.name) == 0)
            R.client = &program_client;
    }
    R.whole_program = R.client == &program_client;
    if (R.client == NULL && !R.options.list)
        return usage("no client", R.options.client != NULL ? R.options.client : "in this file");
    return 0;
}
