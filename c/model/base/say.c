/* say.c: what the driver reads: one record a line, fields separated by tabs. Program positions are return addresses in
 * hexadecimal; the driver looks them up. */
#define _GNU_SOURCE
#include "base.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

MODEL_STATE static FILE *report;

/* What the client prints does not get in between: it goes to the errors if only one execution runs, and
 * nowhere in a search. */
void say_start(bool one_execution) {
    fflush(stdout);
    report = fdopen(dup(STDOUT_FILENO), "w");
    if (one_execution) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    } else {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
}

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(report != NULL ? report : stdout, format, list);
    va_end(list);
}

/* Not exit(), which would run the client's destructors outside of an execution. */
void end_checker(int status) {
    fflush(NULL);
    _exit(status);
}

enum { MAX_WARNINGS = 32 };
MODEL_STATE static char *warnings[MAX_WARNINGS];

/* What is no violation, said once, with the verdict. */
void warn(const char *format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (int i = 0; i < MAX_WARNINGS; i++) {
        if (warnings[i] == NULL)
            warnings[i] = strdup(text);
        if (strcmp(warnings[i], text) == 0)
            return;
    }
}

void print_warnings(void) {
    for (int i = 0; i < MAX_WARNINGS && warnings[i] != NULL; i++)
        say("warning\t%s\n", warnings[i]);
}
