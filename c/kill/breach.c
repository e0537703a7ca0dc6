/* breach.c: the current kill point, and how it ends when the contract does not hold. */
#include "kill.h"

#include <dlfcn.h>
#include <stdarg.h>

const char *const kill_mode_names[KILL_MODES] = {"go-on", "wait", "new", "stopped"};
struct kill_state kill_now;
pid_t kill_driver;
jmp_buf kill_point_ended;
static char expected_text[2048], seen_text[1024];

void kill_breach(const char *expected, const char *seen, ...) {
    va_list values;
    va_start(values, seen);
    vsnprintf(seen_text, sizeof seen_text, seen, values);
    va_end(values);
    snprintf(expected_text, sizeof expected_text, "%s", expected);
    longjmp(kill_point_ended, 1);
}

static void print_json_string(const char *text) {
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar((unsigned char)*text < ' ' ? ' ' : *text);
    putchar('"');
}

void kill_print_breach(void) {
    Dl_info where;
    const char *object = "", *symbol = "";
    uintptr_t offset = kill_now.address;
    if (dladdr((void *)kill_now.address, &where) != 0 && where.dli_fname != NULL) {
        object = where.dli_fname;
        symbol = where.dli_sname != NULL ? where.dli_sname : "";
        offset -= (uintptr_t)(where.dli_sname != NULL ? where.dli_saddr : where.dli_fbase);
    }
    long long k = kill_now.asleep ? KILL_ASLEEP : (long long)kill_now.k;
    printf("{\"event\": \"breach\", \"operation\": \"%s\", \"mode\": \"%s\", \"k\": %lld, \"address\": %llu, "
           "\"object\": ",
           kill_now.operation->name, kill_mode_names[kill_now.mode], k, (unsigned long long)kill_now.address);
    print_json_string(object);
    printf(", \"symbol\": ");
    print_json_string(symbol);
    printf(", \"offset\": %llu, \"expected\": ", (unsigned long long)offset);
    print_json_string(expected_text);
    printf(", \"seen\": ");
    print_json_string(seen_text);
    printf("}\n");
    fflush(stdout);
}
