/* fail.c: how an execution ends before its threads do: with a violation, or left for other reasons. */
#define _GNU_SOURCE
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void leave_run(enum run_end end) {
    R.end = end;
    fiber_to_main();
    abort();
}

/* In the client: ends the execution. After it: only remembers. */
void fail(const char *kind, const char *format, ...) {
    va_list list;
    va_start(list, format);
    snprintf(R.failure_kind, sizeof R.failure_kind, "%s", kind);
    vsnprintf(R.failure, sizeof R.failure, format, list);
    va_end(list);
    if (!R.started) {
        say("unusable\ta constructor failed: %s: %s\n", R.failure_kind, R.failure);
        end_checker(3);
    }
    R.end = RUN_VIOLATION;
    R.failing_thread = R.current != NULL ? R.current->tid : 0;
    if (R.current != NULL)
        leave_run(strcmp(kind, "unusable client") == 0 ? RUN_UNUSABLE : RUN_VIOLATION);
}

/* A table is full. */
void too_large(long most, const char *what) {
    fail("unusable client", "it is too large: more than %ld %s", most, what);
    abort();
}

/* what: plain or atomic, or nothing. */
void race(const char *what, bool write, uintptr_t address, uint64_t pc, int tid, const char *other, uint64_t other_pc) {
    fail("data race", "%s%s%s at %p by T%d @%lx@ is not ordered with the %s by T%d @%lx@", what,
         *what != '\0' ? " " : "", write ? "write" : "read", (void *)address, R.current->tid, (unsigned long)pc, other,
         tid, (unsigned long)other_pc);
}
