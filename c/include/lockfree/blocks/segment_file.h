/* segment_file.h: the file of a segment: how it is created, found, checked, mapped and found again.
 *
 * Contract
 *   A segment is one file of memory: anonymous (memfd, sealed in size; the kernel frees it with its last
 *   process) or named (/dev/shm/lockfree.NAME, mode 0600). Its space is allocated when it is created. So a full memory
 *   file system is an error at creation, never a SIGBUS later. (lf_segment_create_sparse leaves a part to its kind.)
 *   Memory limits are read before (memory_limit.h). A named segment becomes visible in one step, fully initialised.
 *   Attaching checks magic, ABI version, kind, checksum, true size and the note before mapping.
 * Descriptors: a handle keeps one, never 0, 1 or 2. A program may close it (one that becomes a daemon closes all), and
 *   its number may then stand for another file. So before each use the descriptor's device, inode and mode are
 *   compared with the segment's. If they differ, the file is looked for again (lf_segment_file). LF_LOST says that it
 *   cannot be found. A descriptor of another file is never written to, locked or closed.
 * Not prevented: /dev/shm has no seals. So a program that may open a named segment can truncate it, and then its users
 *   get SIGBUS. Mode 0600 restricts that to programs of the same user.
 * Death: a creator killed half-way leaves nothing behind. */
#ifndef LOCKFREE_SEGMENT_FILE_H
#define LOCKFREE_SEGMENT_FILE_H

#include "memory_limit.h"
#include "spinning.h"

#ifndef LF_MODEL
#include <dirent.h>
#include <sched.h>
#include <sys/stat.h>
#if !defined(F_OFD_SETLK) || !defined(O_TMPFILE)
#error "define _GNU_SOURCE before the first #include"
#endif

LF_INLINE int lf_system_error(struct lf_handle *h, const char *doing) {
    h->error = errno;
    h->doing = doing;
    return LF_SYSTEM;
}

/* The path of a named segment; LF_INVALID for a name that is empty, too long or has a slash. */
LF_INLINE int lf_segment_path(char path[256], const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > LF_NAME_MAX || strchr(name, '/') != NULL)
        return LF_INVALID;
    snprintf(path, 256, "%s/%s%s", LF_NAME_DIR, LF_NAME_PREFIX, name);
    return LF_OK;
}

/* ---- descriptors ---- */

/* The same file with a number above 2: a program may close or redirect the standard ones at any time. */
LF_INLINE int lf__above_standard(int fd) {
    if (fd < 0 || fd > 2)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3), reason = errno;
    close(fd);
    errno = reason;
    return moved;
}

/* A descriptor of the same file that cannot write is the program's: a tool that reads segments, for example. */
LF_INLINE int lf__is_file_of(const struct lf_handle *h, int fd) {
    struct stat file;
    return fd >= 0 && fstat(fd, &file) == 0 && file.st_dev == h->device && file.st_ino == h->inode &&
           (fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDWR;
}

/* Opens what a path leads to if that is the segment's file; -1 if not. */
LF_INLINE int lf__open_if_ours(const struct lf_handle *h, const char *path) {
    struct stat file;
    if (stat(path, &file) != 0 || file.st_dev != h->device || file.st_ino != h->inode)
        return -1;
    int fd = lf__above_standard(open(path, O_RDWR | O_CLOEXEC));
    if (fd >= 0 && !lf__is_file_of(h, fd)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A new open file description on the same file: what a byte of one's own is locked through. */
LF_INLINE int lf_segment_reopen(int fd) {
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return lf__above_standard(open(self, O_RDWR | O_CLOEXEC));
}

/* Through the mapping, where the kernel allows it; else by the name that the mapping shows. */
LF_INLINE int lf__file_of_mapping(const struct lf_handle *h) {
    char path[512], line[1024];
    uintptr_t start = (uintptr_t)h->segment, end = start + (uintptr_t)lf_round_up(h->bytes, 4096);
    snprintf(path, sizeof path, "/proc/self/map_files/%llx-%llx", (unsigned long long)start, (unsigned long long)end);
    int fd = lf__open_if_ours(h, path);
    FILE *maps = fd < 0 ? fopen("/proc/self/maps", "re") : NULL;
    while (maps != NULL && fd < 0 && fgets(line, sizeof line, maps) != NULL) {
        unsigned long long from;
        char *name = strchr(line, '/');
        if (sscanf(line, "%llx-", &from) == 1 && from == start && name != NULL) {
            name[strcspn(name, "\n")] = '\0';
            fd = lf__open_if_ours(h, name);
        }
    }
    if (maps != NULL)
        fclose(maps);
    return fd;
}

/* Through a descriptor of another process that uses the segment. */
LF_INLINE int lf__file_of_peers(const struct lf_handle *h) {
    char path[320];
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    int fd = -1, asked = 0;
    for (uint32_t i = 1; fd < 0 && i < LF_PARTICIPANTS && i <= highest && asked < 64; i++) {
        const struct lf_participant *peer = &h->segment->participants[i];
        if (!lf_load_relaxed(&peer->in_use))
            continue;
        asked++;
        snprintf(path, sizeof path, "/proc/%u/fd", lf_load_relaxed(&peer->pid));
        DIR *folder = opendir(path);
        size_t length = strlen(path);
        for (struct dirent *entry; folder != NULL && fd < 0 && (entry = readdir(folder)) != NULL;) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path + length, sizeof path - length, "/%.255s", entry->d_name);
            fd = lf__open_if_ours(h, path);
        }
        if (folder != NULL)
            closedir(folder);
    }
    return fd;
}

/* The handle's descriptor, found again if the program has closed it; -1: LF_LOST. One thread of a handle at a time. */
LF_INLINE int lf_segment_file(struct lf_handle *h) {
    if (LF_LIKELY(lf__is_file_of(h, h->fd)))
        return h->fd;
    h->fd = -1; /* the number stands for another file now: it is not closed */
    int fd = lf__file_of_mapping(h);
    if (fd < 0)
        fd = lf__file_of_peers(h);
    return h->fd = fd;
}
LF_INLINE int lf__lost(struct lf_handle *h) {
    h->doing = "the program closed its file descriptor, and its file is not to be found again";
    h->error = EBADF;
    return LF_LOST;
}

/* ---- mapping ---- */

LF_INLINE int lf__map(struct lf_handle *h, const struct lf_kind *kind, uint64_t bytes) {
    struct stat file;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
    if (memory == MAP_FAILED || fstat(h->fd, &file) != 0)
        return lf_system_error(h, "mapping the segment");
    lf__handle_place(h, kind, memory, bytes);
    h->device = file.st_dev;
    h->inode = file.st_ino;
    h->current = &lf_process()->epoch;
    h->spins = LF__SPIN_PAUSES;
    return LF_OK;
}

LF_INLINE void lf_segment_unmap(struct lf_handle *h) {
    if (h->segment != NULL) {
        if (lf__is_file_of(h, h->fd))
            close(h->fd);
        munmap(h->segment, h->bytes);
    } else if (h->fd >= 0) {
        close(h->fd); /* it was opened a moment ago */
    }
    h->segment = NULL;
    h->body = NULL;
    h->fd = -1;
}

/* Takes memory for a part of the file: 0 or an errno. */
LF_INLINE int lf__allocate(struct lf_handle *h, uint64_t from, uint64_t to) {
    int status;
    do
        status = posix_fallocate(h->fd, (off_t)from, (off_t)(to - from));
    while (status == EINTR);
    return status;
}

static uint64_t lf__unasked __attribute__((unused)); /* lf_memory_allows */

/* The size, the first page, and the body up to `taken` if it is elsewhere; not the rest of the table, nor the note. */
LF_INLINE int lf__allocate_segment(struct lf_handle *h, uint64_t bytes, uint64_t taken) {
    uint64_t left;
    if (!lf_memory_allows(&lf__unasked, 0, taken, &left))
        return ENOMEM;
    if (ftruncate(h->fd, (off_t)bytes) != 0)
        return errno;
    int status = lf__allocate(h, 0, 4096);
    return status != 0 || lf__is_small(bytes) || taken <= LF_BODY_OFFSET ? status
                                                                         : lf__allocate(h, LF_BODY_OFFSET, taken);
}

/* lf_segment_create for a segment whose bytes from `taken` on have no memory yet: the kind takes it later. */
LF_INLINE int lf_segment_create_sparse(struct lf_handle *h, const char *name, const struct lf_kind *kind,
                                       uint64_t bytes, uint64_t taken, const uint64_t geometry[LF_GEOMETRY]) {
    char path[256];
    lf__handle_clear(h);
    if (name != NULL && lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    if (name == NULL)
        h->fd = lf__above_standard(memfd_create("lockfree", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    else
        h->fd = lf__above_standard(open(LF_NAME_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (h->fd < 0)
        return lf_system_error(h, name == NULL ? "memfd_create" : "a new file in " LF_NAME_DIR);
    int status = lf__allocate_segment(h, bytes, taken);
    if (status != 0) {
        errno = status;
        status = lf_system_error(h, "taking memory for the segment");
    } else if (fchmod(h->fd, 0600) != 0 ||
               (name == NULL && fcntl(h->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)) {
        status = lf_system_error(h, "setting the mode and the seals of the segment's file");
    } else {
        status = lf__map(h, kind, bytes);
    }
    if (status == LF_OK) {
        lf_identity_init(&h->segment->identity, kind->number, bytes, geometry);
        status = kind->view(h);
    }
    if (status != LF_OK)
        lf_segment_unmap(h);
    return status;
}

/* Allocates and maps a segment that nobody else can see yet; name NULL: anonymous. The caller then lays out
 * its body, writes its note, and calls lf_segment_publish (participants.h). */
LF_INLINE int lf_segment_create(struct lf_handle *h, const char *name, const struct lf_kind *kind, uint64_t bytes,
                                const uint64_t geometry[LF_GEOMETRY]) {
    return lf_segment_create_sparse(h, name, kind, bytes, bytes, geometry);
}

/* Before lf_segment_publish: text for those that attach. LF_TOO_LONG above LF_NOTE bytes. */
LF_INLINE int lf_segment_write_note(struct lf_handle *h, const char *note, uint64_t count) {
    struct lf_identity *identity = &h->segment->identity;
    uint64_t at = offsetof(struct lf_segment, note);
    if (count > LF_NOTE)
        return LF_TOO_LONG;
    int status = count > 0 ? lf__allocate(h, at, at + count) : 0;
    if (status != 0) {
        errno = status;
        return lf_system_error(h, "taking memory for the segment's note");
    }
    memcpy(h->segment->note, note, count);
    identity->note_bytes = count;
    identity->note_checksum = lf_note_checksum(note, count);
    identity->checksum = lf_identity_checksum(identity);
    return LF_OK;
}

LF_INLINE int lf__check_note(struct lf_handle *h, const struct lf_identity *identity) {
    char note[LF_NOTE];
    ssize_t count = pread(h->fd, note, identity->note_bytes, offsetof(struct lf_segment, note));
    if (count != (ssize_t)identity->note_bytes)
        return lf_mismatch(h, "bytes of the note", (uint64_t)count, identity->note_bytes);
    uint64_t checksum = lf_note_checksum(note, identity->note_bytes);
    if (checksum != identity->note_checksum)
        return lf_mismatch(h, "checksum of the note", identity->note_checksum, checksum);
    return LF_OK;
}

#define LF__TYPE_OF_FILE "type of the file" /* the numbers beside it are those of st_mode */

/* Checks and maps the segment behind an open file, which it takes over (also when it fails). */
LF_INLINE int lf_segment_adopt(struct lf_handle *h, int fd, const struct lf_kind *kind) {
    struct stat file;
    struct lf_identity identity;
    lf__handle_clear(h);
    h->fd = fd;
    int status = LF_OK;
    if (fstat(fd, &file) != 0) {
        status = lf_system_error(h, "looking at the file");
    } else if (!S_ISREG(file.st_mode)) {
        status = lf_mismatch(h, LF__TYPE_OF_FILE, file.st_mode & S_IFMT, S_IFREG);
    } else if (pread(fd, &identity, sizeof identity, 0) != (ssize_t)sizeof identity) {
        status = lf_mismatch(h, "size in bytes (at least a header)", (uint64_t)file.st_size, LF_BODY_OFFSET);
    } else {
        status = lf_identity_check(h, &identity, kind, (uint64_t)file.st_size);
        if (status == LF_OK)
            status = lf__check_note(h, &identity);
        if (status == LF_OK)
            status = lf__map(h, kind, (uint64_t)file.st_size);
        if (status == LF_OK && kind != NULL)
            status = kind->view(h);
    }
    if (status != LF_OK)
        lf_segment_unmap(h);
    return status;
}

LF_INLINE int lf_segment_open(struct lf_handle *h, const char *name, const struct lf_kind *kind) {
    char path[256];
    lf__handle_clear(h);
    if (lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    struct stat file;
    int fd = lf__above_standard(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd < 0) {
        int reason = errno;
        if (lstat(path, &file) == 0 && !S_ISREG(file.st_mode))
            return lf_mismatch(h, LF__TYPE_OF_FILE, file.st_mode & S_IFMT, S_IFREG);
        errno = reason;
        return lf_system_error(h, "opening the named segment");
    }
    return lf_segment_adopt(h, fd, kind);
}

/* What stands at the path of a name that is taken, for the message. */
LF_INLINE const char *lf__taken_by(const char *path) {
    uint64_t magic = 0;
    struct stat file;
    if (lstat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return S_ISDIR(file.st_mode)   ? "the name is taken by a directory"
               : S_ISLNK(file.st_mode) ? "the name is taken by a symbolic link"
                                       : "the name is taken by a socket, pipe or device";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == EACCES ? "the name is taken by a file that this process may not read" : "the name is taken";
    ssize_t count = pread(fd, &magic, sizeof magic, 0);
    close(fd);
    return count == (ssize_t)sizeof magic && magic == LF_MAGIC ? "the name is taken"
                                                               : "the name is taken by a file that is no segment";
}

/* Removes the name if it still stands for this handle's segment, and not for a newer one; else LF_SYSTEM with ENOENT. A
 * zeroed handle removes whatever segment has the name. */
LF_INLINE int lf_segment_unlink(struct lf_handle *h, const char *name) {
    char path[256];
    struct stat named;
    if (lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    if (h->inode != 0 && stat(path, &named) == 0 && (named.st_dev != h->device || named.st_ino != h->inode)) {
        errno = ENOENT;
        return lf_system_error(h, "the name stands for another segment now");
    }
    return unlink(path) == 0 ? LF_OK : lf_system_error(h, "removing the name");
}
#endif /* LF_MODEL */

#endif
