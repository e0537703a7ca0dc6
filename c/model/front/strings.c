/* strings.c: functions of <string.h> that read and write the client's memory, byte by byte as far as they
 * look at it. */
#define _GNU_SOURCE
#include "client_memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* How far a comparison looks: to the first difference, or the end of a string. */
static size_t compared(const char *a, const char *b, size_t most, bool strings) {
    size_t n = 0;
    while (n < most && a[n] == b[n] && !(strings && a[n] == '\0'))
        n++;
    return n < most ? n + 1 : n;
}

/* memcmp may look at all of it, whatever it finds. */
OFFERED(int, memcmp, const void *a, const void *b, size_t size) {
    reads(a, size, PC);
    reads(b, size, PC);
    return memcmp(a, b, size);
}
OFFERED(int, bcmp, const void *a, const void *b, size_t size) {
    reads(a, size, PC);
    reads(b, size, PC);
    return memcmp(a, b, size);
}
/* Of Annex K, which glibc does not have: 0, or an error number. */
OFFERED(int, memcpy_s, void *to, size_t room, const void *from, size_t size) {
    bool apart = (uintptr_t)to - (uintptr_t)from >= size && (uintptr_t)from - (uintptr_t)to >= size;
    if (to == NULL || room > PTRDIFF_MAX)
        return EINVAL;
    if (from == NULL || size > room || !apart) {
        writes(to, room, PC);
        memset(to, 0, room);
        return from == NULL ? EINVAL : ERANGE;
    }
    reads(from, size, PC);
    writes(to, size, PC);
    memcpy(to, from, size);
    return 0;
}
OFFERED(int, memset_s, void *to, size_t room, int byte, size_t size) {
    if (to == NULL || room > PTRDIFF_MAX)
        return EINVAL;
    size_t most = size < room ? size : room;
    writes(to, most, PC);
    memset(to, byte, most);
    return size > room ? ERANGE : 0;
}
OFFERED(void *, memchr, const void *in, int byte, size_t size) {
    const char *found = memchr(in, byte, size);
    reads(in, found != NULL ? (size_t)(found - (const char *)in) + 1 : size, PC);
    return (void *)(uintptr_t)found;
}
OFFERED(size_t, strlen, const char *text) {
    size_t length = strlen(text);
    reads(text, length + 1, PC);
    return length;
}
OFFERED(size_t, strnlen, const char *text, size_t most) {
    size_t length = strnlen(text, most);
    reads(text, length < most ? length + 1 : most, PC);
    return length;
}
OFFERED(int, strcmp, const char *a, const char *b) {
    size_t size = compared(a, b, SIZE_MAX, true);
    reads(a, size, PC);
    reads(b, size, PC);
    return strcmp(a, b);
}
OFFERED(int, strncmp, const char *a, const char *b, size_t most) {
    size_t size = compared(a, b, most, true);
    reads(a, size, PC);
    reads(b, size, PC);
    return strncmp(a, b, most);
}
OFFERED(char *, strchr, const char *text, int byte) {
    const char *found = strchr(text, byte);
    reads(text, found != NULL ? (size_t)(found - text) + 1 : strlen(text) + 1, PC);
    return (char *)(uintptr_t)found;
}
OFFERED(char *, strrchr, const char *text, int byte) {
    reads(text, strlen(text) + 1, PC);
    return strrchr(text, byte);
}
OFFERED(char *, strstr, const char *text, const char *part) {
    reads(text, strlen(text) + 1, PC);
    reads(part, strlen(part) + 1, PC);
    return strstr(text, part);
}

static char *copy_text(char *to, const char *from, size_t length, uint64_t pc) {
    reads(from, length + 1, pc);
    writes(to, length + 1, pc);
    memmove(to, from, length);
    to[length] = '\0';
    return to;
}
OFFERED(char *, strcpy, char *to, const char *from) { return copy_text(to, from, strlen(from), PC); }
OFFERED(char *, stpcpy, char *to, const char *from) {
    size_t length = strlen(from);
    return copy_text(to, from, length, PC) + length;
}
OFFERED(char *, strncpy, char *to, const char *from, size_t most) {
    size_t length = strnlen(from, most);
    reads(from, length < most ? length + 1 : most, PC);
    writes(to, most, PC);
    return strncpy(to, from, most);
}
OFFERED(char *, strcat, char *to, const char *from) {
    size_t before = strlen(to);
    reads(to, before + 1, PC);
    copy_text(to + before, from, strlen(from), PC);
    return to;
}
OFFERED(char *, strncat, char *to, const char *from, size_t most) {
    size_t before = strlen(to), length = strnlen(from, most);
    reads(to, before + 1, PC);
    reads(from, length < most ? length + 1 : most, PC);
    writes(to + before, length + 1, PC);
    return strncat(to, from, most);
}
