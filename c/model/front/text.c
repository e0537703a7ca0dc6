/* text.c: further functions of the C library that read and write the client's memory: numbers, streams, tokens, sorting.
 */
#define _GNU_SOURCE
#include "client_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

/* Numbers. */
static void number_read(const char *text, const char *end, char **to, uint64_t pc) {
    reads(text, (size_t)(end - text) + 1, pc);
    if (to == NULL)
        return;
    writes(to, sizeof *to, pc);
    *to = (char *)(uintptr_t)end;
}
#define INTEGER(type, name)                                                                                            \
    OFFERED(type, name, const char *text, char **end, int base) {                                                      \
        char *behind;                                                                                                  \
        type value = name(text, &behind, base);                                                                        \
        number_read(text, behind, end, PC);                                                                            \
        return value;                                                                                                  \
    }                                                                                                                  \
    ALSO(type, __isoc23_##name, name, const char *text, char **end, int base);
#define FLOATING(type, name)                                                                                           \
    OFFERED(type, name, const char *text, char **end) {                                                                \
        char *behind;                                                                                                  \
        type value = name(text, &behind);                                                                              \
        number_read(text, behind, end, PC);                                                                            \
        return value;                                                                                                  \
    }
INTEGER(long, strtol)
INTEGER(long long, strtoll)
INTEGER(unsigned long, strtoul)
INTEGER(unsigned long long, strtoull)
FLOATING(float, strtof)
FLOATING(double, strtod)
FLOATING(long double, strtold)
#define AS_NUMBER(type, name, ...)                                                                                     \
    OFFERED(type, name, const char *text) {                                                                            \
        char *behind;                                                                                                  \
        type value = (type)__VA_ARGS__;                                                                                \
        number_read(text, behind, NULL, PC);                                                                           \
        return value;                                                                                                  \
    }
AS_NUMBER(int, atoi, strtol(text, &behind, 10))
AS_NUMBER(long, atol, strtol(text, &behind, 10))
AS_NUMBER(long long, atoll, strtoll(text, &behind, 10))
AS_NUMBER(double, atof, strtod(text, &behind))

/* Streams. */
OFFERED(int, puts, const char *text) {
    reads_text(text, PC);
    return puts(text);
}
OFFERED(int, fputs, const char *text, FILE *to) {
    reads_text(text, PC);
    return fputs(text, to);
}
OFFERED(void, perror, const char *text) {
    if (text != NULL)
        reads_text(text, PC);
    perror(text);
}

OFFERED(char *, fgets, char *to, int size, FILE *from) {
    char *line = fgets(to, size, from);
    if (line != NULL)
        writes(to, strlen(line) + 1, PC);
    return line;
}
OFFERED(size_t, fread, void *to, size_t size, size_t count, FILE *from) {
    size_t got = fread(to, size, count, from);
    writes(to, got * size, PC);
    return got;
}
OFFERED(size_t, fwrite, const void *from, size_t size, size_t count, FILE *to) {
    reads(from, size * count, PC);
    return fwrite(from, size, count, to);
}
OFFERED(ssize_t, getdelim, char **line, size_t *room, int end, FILE *from) {
    char *read = NULL;
    size_t size = 0;
    ssize_t length = getdelim(&read, &size, end, from);
    reads(line, sizeof *line, PC);
    reads(room, sizeof *room, PC);
    if (length >= 0) {
        size_t needed = (size_t)length + 1;
        if (*line == NULL || *room < needed) {
            writes(line, sizeof *line, PC);
            writes(room, sizeof *room, PC);
            *line = heap_reallocate(*line, needed, PC);
            *room = needed;
        }
        writes(*line, needed, PC);
        memcpy(*line, read, needed);
    }
    free(read);
    return length;
}
OFFERED(ssize_t, getline, char **line, size_t *room, FILE *from) { return lf_libc_getdelim(line, room, '\n', from); }
ALSO(ssize_t, __getdelim, getdelim, char **line, size_t *room, int end, FILE *from);

/* Texts and tokens. */
static char *next_token(char *text, const char *between, char **rest, uint64_t pc) {
    reads_text(between, pc);
    if (text == NULL) {
        reads(rest, sizeof *rest, pc);
        text = *rest;
    }
    char *end = NULL;
    if (text != NULL) {
        size_t skipped = strspn(text, between);
        size_t length = strcspn(text + skipped, between);
        reads(text, skipped + length + 1, pc);
        text += skipped;
        end = text + length;
        if (length == 0)
            text = NULL;
        else if (*end != '\0') {
            writes(end, 1, pc);
            *end++ = '\0';
        }
    }
    writes(rest, sizeof *rest, pc);
    *rest = end;
    return text;
}
OFFERED(char *, strtok_r, char *text, const char *between, char **rest) { return next_token(text, between, rest, PC); }

/* One place for all threads, as the C library has it: they race there. Not MODEL_STATE: put back with the client's. */
static char *lf_libc_strtok_rest; /* shown by the end of its name */
OFFERED(char *, strtok, char *text, const char *between) { return next_token(text, between, &lf_libc_strtok_rest, PC); }
OFFERED(char *, strsep, char **rest, const char *between) {
    reads_text(between, PC);
    reads(rest, sizeof *rest, PC);
    char *text = *rest;
    if (text == NULL)
        return NULL;
    size_t length = strcspn(text, between);
    reads(text, length + 1, PC);
    writes(rest, sizeof *rest, PC);
    *rest = NULL;
    if (text[length] != '\0') {
        writes(text + length, 1, PC);
        text[length] = '\0';
        *rest = text + length + 1;
    }
    return text;
}
OFFERED(void *, mempcpy, void *to, const void *from, size_t size) {
    reads(from, size, PC);
    writes(to, size, PC);
    return mempcpy(to, from, size);
}
OFFERED(void *, memccpy, void *to, const void *from, int last, size_t size) {
    const char *found = memchr(from, last, size);
    size_t copied = found != NULL ? (size_t)(found - (const char *)from) + 1 : size;
    reads(from, copied, PC);
    writes(to, copied, PC);
    return memccpy(to, from, last, size);
}
OFFERED(void *, memrchr, const void *in, int byte, size_t size) {
    reads(in, size, PC);
    return (void *)(uintptr_t)memrchr(in, byte, size);
}
OFFERED(void *, memmem, const void *in, size_t size, const void *part, size_t length) {
    reads(in, size, PC);
    reads(part, length, PC);
    return memmem(in, size, part, length);
}
#define BOTH_READ(type, name)                                                                                          \
    OFFERED(type, name, const char *a, const char *b) {                                                                \
        reads_text(a, PC);                                                                                             \
        reads_text(b, PC);                                                                                             \
        return (type)name(a, b);                                                                                       \
    }
BOTH_READ(int, strcasecmp)
BOTH_READ(int, strcoll)
BOTH_READ(size_t, strspn)
BOTH_READ(size_t, strcspn)
BOTH_READ(char *, strpbrk)
BOTH_READ(char *, strcasestr)
OFFERED(int, strncasecmp, const char *a, const char *b, size_t most) {
    size_t n = strnlen(a, most), m = strnlen(b, most);
    reads(a, n < most ? n + 1 : most, PC);
    reads(b, m < most ? m + 1 : most, PC);
    return strncasecmp(a, b, most);
}
OFFERED(char *, strchrnul, const char *text, int byte) {
    char *found = strchrnul(text, byte);
    reads(text, (size_t)(found - text) + 1, PC);
    return found;
}

/* Sorting: in place, and the elements are read and written where the client has them. */
typedef int (*comparison)(const void *a, const void *b);
static void swap(char *a, char *b, size_t size, uint64_t pc) {
    writes(a, size, pc);
    writes(b, size, pc);
    for (size_t i = 0; i < size; i++) {
        char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}
static void sift(char *base, size_t at, size_t count, size_t size, comparison compare, uint64_t pc) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + at * size, base + child * size) >= 0)
            return;
        swap(base + at * size, base + child * size, size, pc);
    }
}
OFFERED(void, qsort, void *base, size_t count, size_t size, comparison compare) {
    enum { FEW = 16 };
    char *elements = base;
    if (count <= FEW) { /* stable, as that of glibc mostly is */
        for (size_t i = 1; i < count; i++)
            for (size_t j = i; j > 0 && compare(elements + (j - 1) * size, elements + j * size) > 0; j--)
                swap(elements + (j - 1) * size, elements + j * size, size, PC);
        return;
    }
    for (size_t i = count / 2; i-- > 0;)
        sift(elements, i, count, size, compare, PC);
    for (size_t left = count - 1; left > 0; left--) {
        swap(elements, elements + left * size, size, PC);
        sift(elements, 0, left, size, compare, PC);
    }
}
