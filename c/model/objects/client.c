/* client.c: what clients say to the checker about themselves: assertions, assumptions, choices, outcomes. */
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

void lf_model_assume(int condition) {
    if (condition)
        return;
    if (!R.ready)
        fail("unusable client", "lf_model_assume is false in setup: there is no execution");
    if (!R.running)
        leave_run(RUN_CUT);
    if (graph_is_settled(R.current))
        leave_run(RUN_CUT);
    R.tainted = true; /* and others are followed for what they may change of its past */
    block_current();
}

void lf_model_observe(const char *name, uint64_t value) {
    if (R.current != NULL)
        turns_forget(R.current);
    size_t used = strlen(R.outcome);
    snprintf(R.outcome + used, sizeof R.outcome - used, "%s%s=%lu", used != 0 ? " " : "", name, (unsigned long)value);
}

void lf_model_assertion_failed(const char *condition, const char *file, int line) {
    fail("assertion failed", "%s at %s:%d", condition, file, line);
    leave_run(RUN_VIOLATION);
}

/* clang gives the whole declaration of a function in C where gcc gives its name; so do both in C++. Returns where the name
 * begins, and its length. What is no plain name stays as it is. */
static const char *name_in(const char *declaration, int *length) {
    size_t end = strcspn(declaration, "(");
    *length = (int)strlen(declaration);
    if (end == 0 || declaration[end] == '\0' || strspn(declaration, NAME_CHARACTERS " *") != end)
        return declaration;
    size_t begin = end;
    while (begin > 0 && strchr(" *", declaration[begin - 1]) == NULL)
        begin--;
    *length = (int)(end - begin);
    return declaration + begin;
}

/* What assert() calls. */
void __assert_fail(const char *condition, const char *file, unsigned line, const char *function)
    __attribute__((noreturn));
void __assert_fail(const char *condition, const char *file, unsigned line, const char *function) {
    int length;
    const char *name = name_in(function, &length);
    if (R.current == NULL) { /* in a specification, between executions */
        say("unusable\tan assertion fails in the specification: %s at %s:%u in %.*s\n", condition, file, line, length,
            name);
        end_checker(3);
    }
    fail("assertion failed", "%s at %s:%u in %.*s", condition, file, line, length, name);
    abort();
}

int lf_model_thread(void) {
    symmetry_is_broken();
    return current_thread();
}

int lf_model_choose(int options) { return model_choose(options, PC); }
