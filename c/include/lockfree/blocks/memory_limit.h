/* memory_limit.h: how much memory is left. It is asked before a segment is allocated.
 *
 * Contract
 *   lf_memory_available: the bytes that can be taken before the machine (MemAvailable) or a control group of this
 *   process (cgroup v2 and v1, and every group above it) has to kill somebody; UINT64_MAX if nothing says so. A memfd
 *   has no limit of its own. Without this question, the first sign of a full container would be SIGKILL.
 * It is a look, not a reservation: it does not see others who take memory at the same time. File pages that the kernel
 * can drop at once (inactive_file) count as free.
 * Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux. */
#ifndef LOCKFREE_MEMORY_LIMIT_H
#define LOCKFREE_MEMORY_LIMIT_H

#include "base.h"

#ifndef LF_MODEL
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The beginning of a small text file; empty if there is none. */
LF_INLINE void lf__read_text(const char *path, char *text, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, room - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
}

/* The number behind `key` at the beginning of a line; UINT64_MAX if there is none ("max", too). */
LF_INLINE uint64_t lf__number_after(const char *text, const char *key) {
    const char *end = text;
    for (const char *line = text; end != NULL && *line != '\0'; line = end != NULL ? end + 1 : line) {
        end = strchr(line, '\n');
        const char *digits = line + strlen(key);
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        digits += strspn(digits, " \t");
        return *digits >= '0' && *digits <= '9' ? strtoull(digits, NULL, 10) : UINT64_MAX;
    }
    return UINT64_MAX;
}

LF_INLINE uint64_t lf__number_in(const char *folder, const char *file, const char *key) {
    char path[4096 + 64], text[8192];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    lf__read_text(path, text, sizeof text);
    return lf__number_after(text, key);
}

/* What one control group leaves. */
LF_INLINE uint64_t lf__group_leaves(const char *folder, int v2) {
    uint64_t limit = lf__number_in(folder, v2 ? "memory.max" : "memory.limit_in_bytes", "");
    if (limit >= (uint64_t)INT64_MAX / 4096 * 4096) /* v1 writes "no limit" so */
        return UINT64_MAX;
    uint64_t used = lf__number_in(folder, v2 ? "memory.current" : "memory.usage_in_bytes", "");
    uint64_t idle = lf__number_in(folder, "memory.stat", v2 ? "inactive_file " : "total_inactive_file ");
    if (used == UINT64_MAX)
        used = 0;
    used -= idle != UINT64_MAX && idle < used ? idle : idle != UINT64_MAX ? used : 0;
    return used < limit ? limit - used : 0;
}

/* The least that `path` below `root`, or a group above it, leaves. */
LF_INLINE uint64_t lf__groups_leave(const char *root, const char *path, int v2) {
    char folder[4096];
    uint64_t least = UINT64_MAX;
    int length = snprintf(folder, sizeof folder, "%s%.2000s", root, path);
    for (size_t end = (size_t)length; end >= strlen(root); end--) {
        if (folder[end] != '\0' && folder[end] != '/')
            continue;
        folder[end] = '\0';
        uint64_t left = lf__group_leaves(folder, v2);
        least = left < least ? left : least;
    }
    return least;
}

/* A line of /proc/self/cgroup is "id:controllers:path"; v2's is "0::path". */
LF_INLINE uint64_t lf__control_groups_leave(void) {
    char text[8192], *state = NULL;
    uint64_t least = UINT64_MAX;
    lf__read_text("/proc/self/cgroup", text, sizeof text);
    for (char *line = strtok_r(text, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state)) {
        char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        uint64_t left = UINT64_MAX;
        if (*controllers == '\0') {
            left = lf__groups_leave("/sys/fs/cgroup", path, 1);
            if (left == UINT64_MAX) /* both versions mounted */
                left = lf__groups_leave("/sys/fs/cgroup/unified", path, 1);
        } else if (strstr(controllers, "memory") != NULL) {
            left = lf__groups_leave("/sys/fs/cgroup/memory", path, 0);
        }
        least = left < least ? left : least;
    }
    return least;
}

LF_INLINE uint64_t lf_memory_available(void) {
    char text[4096];
    lf__read_text("/proc/meminfo", text, sizeof text);
    uint64_t kilobytes = lf__number_after(text, "MemAvailable:"), groups = lf__control_groups_leave();
    uint64_t machine = kilobytes < UINT64_MAX / 1024 ? kilobytes * 1024 : UINT64_MAX;
    return groups < machine ? groups : machine;
}
#endif

#endif
