/* client_memory.h: for functions of the C library that read and write the client's memory. */
#ifndef LOCKFREE_MODEL_CLIENT_MEMORY_H
#define LOCKFREE_MODEL_CLIENT_MEMORY_H

#include "../objects/objects.h"

#include <string.h>

/* The function that clients get in place of the library's `name`, and another name for it. */
#define OFFERED(type, name, ...)                                                                                       \
    type lf_libc_##name(__VA_ARGS__);                                                                                  \
    type lf_libc_##name(__VA_ARGS__)
#define ALSO(type, name, other, ...) type lf_libc_##name(__VA_ARGS__) __attribute__((alias("lf_libc_" #other)))

static inline void reads(const void *from, size_t size, uint64_t pc) { plain_access(AT(from), size, false, pc); }
static inline void writes(const void *to, size_t size, uint64_t pc) { plain_access(AT(to), size, true, pc); }
static inline void reads_text(const char *text, uint64_t pc) { reads(text, strlen(text) + 1, pc); }

#endif
