/* memory_limit.h: how much memory is left. It is asked before a segment is allocated.
 *
 * Contract
 *   lf_memory_available: the bytes that can be taken before the machine (MemAvailable) or a control group of this
 *   process (cgroup v2 and v1, and every group above it) has to kill somebody; UINT64_MAX if nothing says so. A memfd
 *   has no limit of its own. Without this question, the first sign of a full container would be SIGKILL. memory.high
 *   counts, too: above it the kernel slows a process down until it seems to hang, since shared memory cannot be dropped.
 * Where the groups are: at the usual places below /sys/fs/cgroup, or where /proc/self/mountinfo says. A container may see
 *   its own group as the root, under the path that the group has outside. Groups above what is mounted cannot be seen; v1
 *   says what they allow (hierarchical_memory_limit), v2 does not.
 *   lf_memory_left: what an object may take of it. LF__SPARE bytes are left to what takes memory without a look.
 * It is a look, not a reservation: it does not see others who take memory at the same time. File pages that the kernel
 * can drop at once (inactive_file) count as free.
 * Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux. */
#ifndef LOCKFREE_MEMORY_LIMIT_H
#define LOCKFREE_MEMORY_LIMIT_H

#include "atomics.h"

/* Bytes that are left to the program itself, to small objects, and to others who take memory just after their look. */
#define LF__SPARE (UINT64_C(2) << 20)
#define LF__ASK_ABOVE (UINT64_C(256) << 10) /* what is smaller, together, is taken without a look */

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

LF_INLINE uint64_t lf__smaller_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What one control group leaves. */
LF_INLINE uint64_t lf__group_leaves(const char *folder, int v2) {
    uint64_t limit = lf__number_in(folder, v2 ? "memory.max" : "memory.limit_in_bytes", "");
    limit = lf__smaller_of(limit, v2 ? lf__number_in(folder, "memory.high", "")
                                     : lf__number_in(folder, "memory.stat", "hierarchical_memory_limit "));
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
    int length = snprintf(folder, sizeof folder, "%.1500s%.2000s", root, path);
    for (size_t end = (size_t)length; end >= strlen(root); end--) {
        if (folder[end] != '\0' && folder[end] != '/')
            continue;
        folder[end] = '\0';
        least = lf__smaller_of(least, lf__group_leaves(folder, v2));
    }
    return least;
}

/* ---- where the groups are ---- */

/* Whether `word` is one of those in `list`, between commas. */
LF_INLINE int lf__is_listed(const char *word, const char *list) {
    size_t length = strlen(word);
    for (; list != NULL; list = strchr(list, ',') != NULL ? strchr(list, ',') + 1 : NULL)
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return 1;
    return 0;
}
/* Whether a group is there. */
LF_INLINE int lf__is_group(const char *root, const char *path) {
    char file[4096];
    snprintf(file, sizeof file, "%.1500s%.2000s/cgroup.procs", root, path);
    return access(file, F_OK) == 0;
}

/* Mountinfo writes blanks and backslashes as `\040` and `\134`. Names of systemd have such: "app-x\x2dy.slice". */
LF_INLINE void lf__unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        int is_octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;
        *to = is_octal ? (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
        from += is_octal ? 4 : 1;
    }
    *to = '\0';
}
/* A line of mountinfo: "id parent device root point options [more] - type source options". What the group `path` leaves, if
 * the line is of a mount of its hierarchy. `prefix`: before each path of the system; empty but for tests. */
LF_INLINE uint64_t lf__mount_leaves(const char *prefix, char *line, const char *path, int v2) {
    char root[1024], point[1024], folder[1500], type[64], options[512], *end = strstr(line, " - ");
    if (end == NULL || sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2 ||
        sscanf(end, " - %63s %*s %511s", type, options) != 2)
        return UINT64_MAX;
    if (strcmp(type, v2 ? "cgroup2" : "cgroup") != 0 || (!v2 && !lf__is_listed("memory", options)))
        return UINT64_MAX;
    lf__unescape(root);
    lf__unescape(point);
    /* What is mounted may be a group further down: of the path only the rest leads on from there. */
    size_t top = strcmp(root, "/") == 0 ? 0 : strlen(root);
    int is_below = strncmp(path, root, top) == 0 && (path[top] == '/' || path[top] == '\0') &&
                   strstr(path + top, "/..") == NULL; /* a group outside of this process's namespace: nobody sees it */
    snprintf(folder, sizeof folder, "%.400s%.1000s", prefix, point);
    return lf__groups_leave(folder, is_below ? path + top : "", v2);
}
/* The same for all mounts. */
LF_INLINE uint64_t lf__mounts_leave(const char *prefix, const char *path, int v2) {
    char name[512], text[8192];
    snprintf(name, sizeof name, "%.400s/proc/self/mountinfo", prefix);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    uint64_t least = UINT64_MAX;
    size_t kept = 0;
    for (ssize_t got = fd < 0 ? 0 : 1; got > 0;) {
        got = read(fd, text + kept, sizeof text - 1 - kept);
        kept += got > 0 ? (size_t)got : 0;
        text[kept] = '\0';
        char *line = text, *next;
        for (; (next = strchr(line, '\n')) != NULL; line = next + 1) {
            *next = '\0';
            least = lf__smaller_of(least, lf__mount_leaves(prefix, line, path, v2));
        }
        kept -= (size_t)(line - text);
        if (kept == sizeof text - 1)
            kept = 0; /* a line that is longer than all that matter */
        memmove(text, line, kept);
    }
    if (fd >= 0)
        close(fd);
    return least;
}

/* What the group `path` leaves. The usual places need no look at all mounts. */
LF_INLINE uint64_t lf__hierarchy_leaves(const char *prefix, const char *path, int v2) {
    static const char *const places[2][2] = {{"/sys/fs/cgroup/memory", NULL},
                                             {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}};
    char root[512];
    for (int i = 0; i < 2 && places[v2][i] != NULL; i++) {
        snprintf(root, sizeof root, "%.400s%s", prefix, places[v2][i]);
        if (strstr(path, "/..") == NULL && lf__is_group(root, path))
            return lf__groups_leave(root, path, v2);
    }
    return lf__mounts_leave(prefix, path, v2);
}

/* A line of /proc/self/cgroup is "id:controllers:path"; v2's is "0::path". */
LF_INLINE uint64_t lf__control_groups_leave(const char *prefix) {
    char name[512], text[8192], *state = NULL;
    uint64_t least = UINT64_MAX;
    snprintf(name, sizeof name, "%.400s/proc/self/cgroup", prefix);
    lf__read_text(name, text, sizeof text);
    for (char *line = strtok_r(text, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state)) {
        char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        if (*controllers == '\0' || lf__is_listed("memory", controllers))
            least = lf__smaller_of(least, lf__hierarchy_leaves(prefix, path, *controllers == '\0'));
    }
    return least;
}

LF_INLINE uint64_t lf_memory_available(void) {
    char text[4096];
    lf__read_text("/proc/meminfo", text, sizeof text);
    uint64_t kilobytes = lf__number_after(text, "MemAvailable:"), groups = lf__control_groups_leave("");
    uint64_t machine = kilobytes < UINT64_MAX / 1024 ? kilobytes * 1024 : UINT64_MAX;
    return groups < machine ? groups : machine;
}
/* The same without LF__SPARE: what an object may take. */
LF_INLINE uint64_t lf_memory_left(void) {
    uint64_t available = lf_memory_available();
    return available > LF__SPARE ? available - LF__SPARE : 0;
}
/* May so many bytes be taken? Reading the limits takes longer than taking a page. So small sizes are looked at only
 * together: *unasked is {tick : 32 | bytes : 32}, what was taken since somebody looked, and when that was. A look of another
 * tick counts no more, since others have taken what there was (a caller who makes few objects gives always the same tick).
 * Where little is left, little is taken without a look: LF__TAKERS processes together not more than there is. While the
 * answer is no, each call looks. *left: what there is, if it was looked at; else it is not changed. */
#define LF__TAKERS 64
LF_INLINE int lf_memory_allows(uint64_t *unasked, uint32_t tick, uint64_t bytes, uint64_t *left) {
    uint64_t seen = lf_load_relaxed(unasked), taken = (uint32_t)seen + bytes;
    if (seen >> 32 == tick && taken <= LF__ASK_ABOVE) { /* two threads at a time may count as one */
        lf_store_relaxed(unasked, (uint64_t)tick << 32 | taken);
        return 1;
    }
    *left = lf_memory_left();
    uint64_t allowed = bytes > *left ? 0 : lf__smaller_of(LF__ASK_ABOVE, *left / LF__TAKERS);
    lf_store_relaxed(unasked, (uint64_t)tick << 32 | (LF__ASK_ABOVE - allowed));
    return bytes <= *left;
}
#endif

#endif
