/* segment.h: what every shared object starts with, and how it is created, found, checked and mapped.
 *
 * Contract
 *   A segment is one file of memory: anonymous (memfd, sealed in size; the kernel frees it with its last
 *   process) or named (/dev/shm/lockfree.NAME, mode 0600). Its space is allocated when it is created, so a full
 *   memory file system is an error there and never a SIGBUS later. A named segment becomes visible in one step,
 *   fully initialised. Attaching checks magic, ABI version, kind, checksum and true size before mapping.
 * Death: a creator killed half-way leaves nothing behind; see participants.h for the rest.
 * Trust: geometry is read once, at attach, checked against the true size and kept in process memory. */
#ifndef LOCKFREE_SEGMENT_H
#define LOCKFREE_SEGMENT_H

#include "wait.h"

#include <string.h>

#define LF_MAGIC UINT64_C(0x656572666b636f6c) /* "lockfree" */
#define LF_ABI_VERSION 1u
#ifndef LF_PARTICIPANTS
#define LF_PARTICIPANTS 256u /* numbers 1..255; 0 is nobody. Part of the layout; only checks of every step take fewer */
#endif
#define LF_GEOMETRY 6
#define LF_NOTE 512
#define LF_NAME_MAX 200
#define LF_NAME_PREFIX "lockfree."
#define LF_NAME_DIR "/dev/shm"

struct lf_identity {
    uint64_t magic;
    uint32_t abi_version;
    uint32_t kind;
    uint64_t total_bytes;
    uint64_t geometry[LF_GEOMETRY]; /* what it means is the kind's business */
    uint64_t checksum;              /* of all the above */
};

struct lf_participant {
    uint32_t in_use; /* 1 from joining until what it held has been given back */
    uint32_t pid;    /* for people to read; liveness never rests on it */
    uint64_t joined; /* CLOCK_MONOTONIC ns */
};

struct lf_segment {
    LF_ALIGNED struct lf_identity identity; /* line 0: written once before anybody else can see it */
    LF_ALIGNED uint32_t shut_down;          /* line 1: written at most once, by shutdown */
    uint32_t highest;                       /* highest participant number ever used; written when joining */
    LF_ALIGNED char note[LF_NOTE];          /* text of the creator's (a record's dtype); read by people and attachers */
    LF_ALIGNED struct lf_participant participants[LF_PARTICIPANTS]; /* each written by who holds its byte */
};

LF_STATIC_ASSERT(offsetof(struct lf_segment, identity) == 0, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_identity, geometry) == 24, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_segment, shut_down) == 128, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_segment, participants) == 256 + LF_NOTE, "layout");
LF_STATIC_ASSERT(sizeof(struct lf_segment) == 256 + LF_NOTE + 16 * LF_PARTICIPANTS, "layout");
#define LF_BODY_OFFSET sizeof(struct lf_segment)

struct lf_handle;
/* What a primitive tells this layer about itself. Its process-local struct begins with a struct lf_handle. */
struct lf_kind {
    uint32_t number;
    /* Checks the geometry against the true size and fills the process-local view; LF_OK or LF_MISMATCH. */
    int (*view)(struct lf_handle *h);
    /* Gives back everything that participant `gone` held. Runs alone for that number; may be cut off by death at
     * any instruction and is then run again by somebody else. */
    void (*recover)(struct lf_handle *h, uint32_t gone);
};

/* One process's attachment; lives in process memory, provided by the caller, zeroed. */
struct lf_handle {
    struct lf_segment *segment;
    unsigned char *body;    /* the primitive's own part of the segment */
    uint64_t bytes;         /* of the whole mapping */
    const struct lf_kind *kind;
    uint32_t participant;   /* 1..255 */
    uint32_t closed;        /* set by lf_close; every operation looks */
    uint32_t reaping;       /* one thread of a process at a time looks for the dead */
    uint32_t spins;         /* upper bound of pauses before sleeping; 0 on one CPU */
    uint64_t last_reap;     /* coarse ns */
    int fd;                 /* -1: memory of the caller (tests, the model checker, views on buffers) */
    int error;              /* errno after LF_SYSTEM */
    const char *mismatch;   /* after LF_MISMATCH: which field, what it held, what it should hold */
    uint64_t found;
    uint64_t expected;
};

LF_INLINE uint64_t lf_identity_checksum(const struct lf_identity *id) { /* FNV-1a over the words */
    uint64_t words[offsetof(struct lf_identity, checksum) / 8], hash = UINT64_C(0xcbf29ce484222325);
    memcpy(words, id, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
    return hash;
}

LF_INLINE void lf_identity_init(struct lf_identity *id, uint32_t kind, uint64_t bytes, const uint64_t *geometry) {
    id->magic = LF_MAGIC;
    id->abi_version = LF_ABI_VERSION;
    id->kind = kind;
    id->total_bytes = bytes;
    memcpy(id->geometry, geometry, sizeof id->geometry);
    id->checksum = lf_identity_checksum(id);
}

LF_INLINE int lf_mismatch(struct lf_handle *h, const char *field, uint64_t found, uint64_t expected) {
    h->mismatch = field;
    h->found = found;
    h->expected = expected;
    return LF_MISMATCH;
}

/* kind NULL accepts every kind. */
LF_INLINE int lf_identity_check(struct lf_handle *h, const struct lf_identity *id, const struct lf_kind *kind,
                                uint64_t true_size) {
    if (id->magic != LF_MAGIC)
        return lf_mismatch(h, "magic", id->magic, LF_MAGIC);
    if (id->abi_version != LF_ABI_VERSION)
        return lf_mismatch(h, "ABI version", id->abi_version, LF_ABI_VERSION);
    if (id->checksum != lf_identity_checksum(id))
        return lf_mismatch(h, "checksum of the identity", id->checksum, lf_identity_checksum(id));
    if (kind != NULL && id->kind != kind->number)
        return lf_mismatch(h, "kind", id->kind, kind->number);
    if (id->total_bytes != true_size || true_size < LF_BODY_OFFSET)
        return lf_mismatch(h, "size in bytes", true_size, id->total_bytes);
    return LF_OK;
}

LF_INLINE void lf__handle_clear(struct lf_handle *h) {
    memset(h, 0, sizeof *h);
    h->fd = -1;
}

LF_INLINE void lf__handle_place(struct lf_handle *h, const struct lf_kind *kind, void *memory, uint64_t bytes) {
    h->kind = kind;
    h->segment = (struct lf_segment *)memory;
    h->body = (unsigned char *)memory + LF_BODY_OFFSET;
    h->bytes = bytes;
}

/* A new segment in zeroed memory of the caller's, aligned to LF_CACHE_LINE, and the first handle on it: for
 * threads of one process, C tests and the model checker. Nobody's death can be noticed there. */
LF_INLINE int lf_segment_create_local(struct lf_handle *h, const struct lf_kind *kind, void *memory, uint64_t bytes,
                                      const uint64_t geometry[LF_GEOMETRY]) {
    lf__handle_clear(h);
    lf__handle_place(h, kind, memory, bytes);
    lf_identity_init(&h->segment->identity, kind->number, bytes, geometry);
    return kind->view(h);
}

/* One more participant on such memory. The caller chooses the numbers, 1..255, each once. */
LF_INLINE int lf_segment_attach_local(struct lf_handle *h, const struct lf_kind *kind, void *memory,
                                      uint32_t participant) {
    struct lf_segment *segment = (struct lf_segment *)memory;
    lf__handle_clear(h);
    lf__handle_place(h, kind, memory, segment->identity.total_bytes);
    h->participant = participant;
    segment->participants[participant].in_use = 1;
    if (segment->highest < participant)
        segment->highest = participant;
    return kind->view(h);
}

#ifndef LF_MODEL
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#if !defined(F_OFD_SETLK) || !defined(O_TMPFILE)
#error "define _GNU_SOURCE before the first #include"
#endif

LF_INLINE int lf_system_error(struct lf_handle *h) {
    h->error = errno;
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

LF_INLINE uint32_t lf__spin_bound(void) {
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) < 2)
        return 0; /* the other side cannot be running */
    return 400;   /* about 10 us: between a cache-line transfer and a futex wake */
}

/* Bytes the machine can still give (MemAvailable). Asked before allocating, since a memfd knows no limit of its own:
 * the kernel would go on until it has to kill somebody. */
LF_INLINE uint64_t lf__memory_available(void) {
    char text[4096];
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "MemAvailable:");
    unsigned long long kilobytes;
    return line != NULL && sscanf(line, "MemAvailable: %llu", &kilobytes) == 1 ? kilobytes * 1024 : UINT64_MAX;
}

LF_INLINE int lf__map(struct lf_handle *h, const struct lf_kind *kind, uint64_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
    if (memory == MAP_FAILED)
        return lf_system_error(h);
    lf__handle_place(h, kind, memory, bytes);
    h->spins = lf__spin_bound();
    return LF_OK;
}

LF_INLINE void lf_segment_unmap(struct lf_handle *h) {
    if (h->segment != NULL)
        munmap(h->segment, h->bytes);
    if (h->fd >= 0)
        close(h->fd);
    h->segment = NULL;
    h->body = NULL;
    h->fd = -1;
}

/* Allocates and maps a segment that nobody else can see yet; name NULL: anonymous. The caller then lays out
 * its body and calls lf_segment_publish (participants.h). */
LF_INLINE int lf_segment_create(struct lf_handle *h, const char *name, const struct lf_kind *kind, uint64_t bytes,
                                const uint64_t geometry[LF_GEOMETRY]) {
    char path[256];
    lf__handle_clear(h);
    if (name != NULL && lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    if (name == NULL)
        h->fd = memfd_create("lockfree", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    else
        h->fd = open(LF_NAME_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (h->fd < 0)
        return lf_system_error(h);
    int status = bytes > lf__memory_available() ? ENOMEM : posix_fallocate(h->fd, 0, (off_t)bytes);
    if (status != 0) {
        errno = status;
        status = lf_system_error(h);
    } else if (fchmod(h->fd, 0600) != 0 ||
               (name == NULL && fcntl(h->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)) {
        status = lf_system_error(h);
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

/* Checks and maps the segment behind an open file, which it takes over (also when it fails). */
LF_INLINE int lf_segment_adopt(struct lf_handle *h, int fd, const struct lf_kind *kind) {
    struct stat file;
    struct lf_identity identity;
    lf__handle_clear(h);
    h->fd = fd;
    int status = LF_OK;
    if (fstat(fd, &file) != 0) {
        status = lf_system_error(h);
    } else if ((uint64_t)file.st_size < LF_BODY_OFFSET ||
               pread(fd, &identity, sizeof identity, 0) != (ssize_t)sizeof identity) {
        status = lf_mismatch(h, "size in bytes (at least a header)", (uint64_t)file.st_size, LF_BODY_OFFSET);
    } else {
        status = lf_identity_check(h, &identity, kind, (uint64_t)file.st_size);
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
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return lf_system_error(h);
    return lf_segment_adopt(h, fd, kind);
}

/* A new open file description on the same segment: what a forked or handed-over process needs to hold
 * a participant's byte of its own. */
LF_INLINE int lf_segment_reopen(int fd) {
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return open(self, O_RDWR | O_CLOEXEC);
}

LF_INLINE int lf_segment_unlink(struct lf_handle *h, const char *name) {
    char path[256];
    if (lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    return unlink(path) == 0 ? LF_OK : lf_system_error(h);
}
#endif /* LF_MODEL */

#endif
