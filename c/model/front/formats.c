/* formats.c: the print and scan families: what they read and write of the client's memory. */
#define _GNU_SOURCE
#include "client_memory.h"

#include <printf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What %s reads and %n writes. A text with a precision may have no end, so it is not looked at. */
static void follow_arguments(const char *format, va_list list, uint64_t pc) {
    enum { MOST = 64 };
    int types[MOST];
    size_t count = parse_printf_format(format, MOST, types);
    bool bounded = strstr(format, ".*s") != NULL;
    for (const char *dot = format; (dot = strchr(dot, '.')) != NULL; dot++)
        bounded |= dot[1 + strspn(dot + 1, "0123456789")] == 's';
    va_list rest;
    va_copy(rest, list);
    for (size_t i = 0; i < count && i < MOST; i++) {
        int kind = types[i] & ~PA_FLAG_MASK, size = types[i] & PA_FLAG_MASK;
        if ((size & PA_FLAG_PTR) != 0) {
            writes(va_arg(rest, void *), sizeof(int), pc);
        } else if (kind == PA_STRING) {
            const char *text = va_arg(rest, const char *);
            if (text != NULL && !bounded)
                reads_text(text, pc);
        } else if (kind == PA_POINTER || kind == PA_WSTRING) {
            (void)va_arg(rest, void *);
        } else if (kind == PA_DOUBLE || kind == PA_FLOAT) {
            if ((size & PA_FLAG_LONG_DOUBLE) != 0)
                (void)va_arg(rest, long double);
            else
                (void)va_arg(rest, double);
        } else if ((size & (PA_FLAG_LONG | PA_FLAG_LONG_LONG)) != 0) {
            (void)va_arg(rest, long);
        } else {
            (void)va_arg(rest, int);
        }
    }
    va_end(rest);
}

OFFERED(int, vfprintf, FILE *to, const char *format, va_list list) {
    follow_arguments(format, list, PC);
    return vfprintf(to, format, list);
}
OFFERED(int, vprintf, const char *format, va_list list) {
    follow_arguments(format, list, PC);
    return vprintf(format, list);
}
OFFERED(int, fprintf, FILE *to, const char *format, ...) {
    va_list list;
    va_start(list, format);
    follow_arguments(format, list, PC);
    int length = vfprintf(to, format, list);
    va_end(list);
    return length;
}
OFFERED(int, printf, const char *format, ...) {
    va_list list;
    va_start(list, format);
    follow_arguments(format, list, PC);
    int length = vprintf(format, list);
    va_end(list);
    return length;
}

/* to: room for `size` bytes. */
static int print_to(char *to, size_t size, const char *format, va_list list, uint64_t pc) {
    follow_arguments(format, list, pc);
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0 || size == 0)
        return length;
    writes(to, (size_t)length < size ? (size_t)length + 1 : size, pc);
    return vsnprintf(to, size, format, list);
}
OFFERED(int, vsnprintf, char *to, size_t size, const char *format, va_list list) {
    return print_to(to, size, format, list, PC);
}
OFFERED(int, vsprintf, char *to, const char *format, va_list list) { return print_to(to, INT32_MAX, format, list, PC); }
OFFERED(int, snprintf, char *to, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = print_to(to, size, format, list, PC);
    va_end(list);
    return length;
}
OFFERED(int, sprintf, char *to, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = print_to(to, INT32_MAX, format, list, PC);
    va_end(list);
    return length;
}

static int print_anew(char **to, const char *format, va_list list, uint64_t pc) {
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return length;
    char *text = heap_allocate((size_t)length + 1, 16, false, pc);
    writes(to, sizeof *to, pc);
    *to = text;
    return print_to(text, (size_t)length + 1, format, list, pc);
}
OFFERED(int, vasprintf, char **to, const char *format, va_list list) { return print_anew(to, format, list, PC); }
OFFERED(int, asprintf, char **to, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = print_anew(to, format, list, PC);
    va_end(list);
    return length;
}

/* How many bytes the conversion at *at writes, 0 for a text; -1 where the format ends. *at goes behind it. */
static int scanned(const char **at) {
    for (const char *c = *at; (c = strchr(c, '%')) != NULL;) {
        bool kept = *++c != '*';
        c += !kept;
        size_t width = strtoul(c, (char **)(uintptr_t)&c, 10);
        int size = sizeof(int);
        bool wide = false;
        for (; *c != '\0' && strchr("hljztLqm", *c) != NULL; c++) {
            size = *c == 'h' ? size / 2 : (int)sizeof(long);
            wide |= *c == 'L' || *c == 'm';
        }
        char kind = *c;
        if (kind == '[') {
            c += c[1] == '^' ? 2 : 1;
            c = strchr(c + (*c == ']'), ']');
        }
        if (c == NULL || *c == '\0')
            return -1;
        *at = ++c;
        if (!kept || kind == '%')
            continue;
        if (wide)
            return sizeof(long double);
        if (strchr("aefgAEFG", kind) != NULL)
            return size;
        return kind == 's' || kind == '[' ? 0 : kind == 'c' ? (int)(width == 0 ? 1 : width) : kind == 'p' ? 8 : size;
    }
    return -1;
}
static void follow_results(int found, const char *format, va_list list, uint64_t pc) {
    for (int i = 0; i < found; i++) {
        int size = scanned(&format);
        if (size < 0)
            return;
        char *to = va_arg(list, char *);
        writes(to, size > 0 ? (size_t)size : strlen(to) + 1, pc);
    }
}
OFFERED(int, vsscanf, const char *text, const char *format, va_list list) {
    reads_text(text, PC);
    va_list again;
    va_copy(again, list);
    int found = vsscanf(text, format, again);
    va_end(again);
    follow_results(found, format, list, PC);
    return found;
}
OFFERED(int, sscanf, const char *text, const char *format, ...) {
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    reads_text(text, PC);
    int found = vsscanf(text, format, again);
    va_end(again);
    follow_results(found, format, list, PC);
    va_end(list);
    return found;
}
ALSO(int, __isoc99_sscanf, sscanf, const char *text, const char *format, ...);
ALSO(int, __isoc23_sscanf, sscanf, const char *text, const char *format, ...);
ALSO(int, __isoc99_vsscanf, vsscanf, const char *text, const char *format, va_list list);
ALSO(int, __isoc23_vsscanf, vsscanf, const char *text, const char *format, va_list list);
