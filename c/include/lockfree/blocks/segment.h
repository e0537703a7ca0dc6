/* segment.h: the head of every shared object, and the view that one process has of it.
 *
 * Layout
 *   identity | state | small body | participants | note | body. The identity is written once, before anybody else can see the
 *   segment, and has a checksum. The participants' table and the note get memory page by page, as far as they are used
 *   (segment_file.h), so a small object stays small. A body of at most LF__SMALL_BODY bytes stands before the table; then
 *   the object takes one page of memory up to its 31st participant.
 * Trust: geometry is read once, at attach, checked against the true size, and kept in process memory. The note is
 *   checked by length and checksum.
 * Death: see participants.h. */
#ifndef LOCKFREE_SEGMENT_H
#define LOCKFREE_SEGMENT_H

#include "process.h"

#include <string.h>

#define LF_MAGIC UINT64_C(0x656572666b636f6c) /* "lockfree" */
#define LF_ABI_VERSION 11u
#define LF_GEOMETRY 6
#define LF_NAME_MAX 200
#define LF_NAME_PREFIX "lockfree."
#define LF_NAME_DIR "/dev/shm"

/* Numbers 1..4095; 0 is nobody. Part of the layout; only checks of every step take fewer. */
#define LF_PARTICIPANT_BITS 12
#ifdef LF_MODEL
#ifndef LF_PARTICIPANTS
#define LF_PARTICIPANTS 256u
#endif
#define LF_NOTE 128u
#define LF__SMALL_BODY 0u
#define LF__SMALL_ROOM LF_CACHE_LINE
#define LF__PADDING LF_CACHE_LINE
#else
#ifndef LF_PARTICIPANTS
#define LF_PARTICIPANTS 4096u
#endif
#define LF_NOTE 16384u
#define LF__SMALL_BODY 1792u
#define LF__SMALL_ROOM LF__SMALL_BODY
#define LF__PADDING 2048u
#endif
LF_STATIC_ASSERT(LF_PARTICIPANTS <= 1u << LF_PARTICIPANT_BITS, "a participant's number has 12 bits");
#define LF_PARTICIPANT_MASK ((1u << LF_PARTICIPANT_BITS) - 1)

struct lf_identity {
    uint64_t magic;
    uint32_t abi_version;
    uint32_t kind;
    uint64_t total_bytes;
    uint64_t geometry[LF_GEOMETRY]; /* each kind says what it means */
    uint64_t note_bytes;
    uint64_t note_checksum;
    uint64_t checksum; /* of all the above */
};

struct lf_participant {
    uint32_t in_use;    /* 1 from joining until what it held has been given back */
    uint32_t pid;       /* for messages only; whether somebody lives never depends on it */
    uint64_t joined;    /* CLOCK_MONOTONIC ns */
    uint64_t recovered; /* how far a recovery in pieces has come; written by the holder of the byte */
#ifdef LF_MODEL
    uint64_t unused;
#else
    /* What is told of it (peers.h). Nothing depends on that. The counts go on when the number is used again. */
    uint64_t seen;     /* CLOCK_MONOTONIC ns: when a wait began, or ended, or it joined */
    uint32_t sleepers; /* its threads that sleep in a call */
    uint32_t roles;    /* enum lf_peer_role: what it has called since it joined */
    uint64_t sleeps;   /* futex calls; a long wait is several */
    uint64_t wakes;    /* of these: ended by somebody */
    uint64_t refusals; /* looks that failed; threads of one process may overwrite each other's */
#endif
};

enum lf_ending { LF__OPEN = 0, LF__DRAINING = 1, LF__ENDED = 2 };

struct lf_segment {
    LF_ALIGNED struct lf_identity identity; /* line 0 */
    LF_ALIGNED uint32_t ending;             /* line 1: enum lf_ending; goes up only, by shutdown */
    uint32_t highest;                       /* highest participant number ever used; written when joining */
    uint32_t fenced;                        /* enum lf__fenced (asymmetric.h); goes up only */
    uint32_t roles;                         /* enum lf_peer_role: all that anybody ever had (peers.h) */
    uint64_t next_look; /* ns of CLOCK_MONOTONIC: when a sleeper looks for the dead again (blocking.h); a hint */
    uint64_t recovered; /* participants that died and were recovered, so far */
    uint64_t gone[2];   /* {1: it died | pid : 32} of the last one of each role that is gone; written when recovered */
    LF_ALIGNED unsigned char small_body[LF__SMALL_ROOM];
    LF_ALIGNED struct lf_participant participants[LF_PARTICIPANTS]; /* each written by the holder of its byte */
    char note[LF_NOTE];                /* the creator's text (a record's dtype); written once */
    unsigned char unused[LF__PADDING]; /* a body that is not small begins with a page */
};

LF_STATIC_ASSERT(offsetof(struct lf_segment, identity) == 0, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_identity, geometry) == 24 && sizeof(struct lf_identity) == 96, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_segment, ending) == 128, "layout");
#ifndef LF_MODEL
LF_STATIC_ASSERT(sizeof(struct lf_participant) == 64, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_segment, small_body) == 256, "layout");
LF_STATIC_ASSERT(offsetof(struct lf_segment, participants) == 2048, "layout");
LF_STATIC_ASSERT(sizeof(struct lf_segment) % 4096 == 0 || LF_PARTICIPANTS < 4096, "layout");
#endif
#define LF_BODY_OFFSET sizeof(struct lf_segment)

struct lf_handle;
/* What this layer needs to know about a primitive. The primitive's process-local struct begins with a lf_handle. */
struct lf_kind {
    uint32_t number;
    /* Checks the geometry against the true size and fills the process-local view; LF_OK or LF_MISMATCH. */
    int (*view)(struct lf_handle *h);
    /* Gives back everything that participant `gone` held, or a piece of it (participants.h). Returns 1 when all is done,
     * 0 when there is more. *cursor is 0 at first, later what the last piece left in it, also one of another thread.
     * Only one thread runs it for a number. If it dies at some instruction, it is run again with the same cursor. */
    int (*recover)(struct lf_handle *h, uint32_t gone, uint64_t *cursor);
    int takes_several; /* 1: `gone` may be LF__SEVERAL. For kinds whose recover looks at everything that is there */
};

/* Participants that a recovery is about: one number, or those of h->several, each a bit, if it is LF__SEVERAL. */
#define LF__SEVERAL LF_PARTICIPANTS
struct lf_gone {
    uint32_t one;
    const uint64_t *several; /* or NULL */
};
LF_INLINE int lf_is_gone(const struct lf_gone *gone, uint32_t number) {
    return number == gone->one || (gone->several != NULL && (gone->several[number / 64] >> number % 64 & 1));
}
/* The next one after `number`; 0 when there is no more. Begins with 0. */
LF_INLINE uint32_t lf_next_gone(const struct lf_gone *gone, uint32_t number) {
    if (gone->several == NULL)
        return number < gone->one ? gone->one : 0;
    while (++number < LF_PARTICIPANTS)
        if (gone->several[number / 64] >> number % 64 & 1)
            return number;
    return 0;
}

/* One participant's view of a segment. It is in process memory, which the caller provides, zeroed. */
struct lf_handle {
    uint64_t epoch;          /* of the process that uses it; LF__CLOSED_EPOCH once closed. Every operation compares */
    const uint64_t *current; /* the epoch of the process that runs */
    struct lf_segment *segment;
    unsigned char *body; /* the primitive's own part of the segment */
    uint64_t bytes;      /* of the whole mapping */
    const struct lf_kind *kind;
    const uint64_t *geometry; /* in the segment; read once, by the kind's view */
    struct lf_handle *home;   /* of an object in a space: the space's handle; NULL: the object has its own segment */
    uint32_t participant;     /* 1..4095 */
    uint32_t closed;          /* set by lf_close */
    uint32_t roles;           /* of this participant, as in the segment (peers.h) */
    uint32_t asymmetric;      /* waiters here have the heavy half of a fence (asymmetric.h) */
    uint32_t light;           /* operations here have the light half of a fence */
    uint32_t spins;           /* adaptive looking: pauses before sleeping; 0 in memory of the caller's */
    uint32_t spin;            /* microseconds, or LF_SPIN_ADAPTIVE (spinning.h) */
    uint32_t missed;          /* looks that failed lately (spinning.h); a hint */
    uint32_t away;            /* waits that do not give their processor away (spinning.h); a hint */
    uint32_t usual;           /* ns: of a first slice that would have been long enough lately (blocking.h); a hint */
    uint32_t reaping;         /* one thread of a process at a time looks for the dead */
    uint32_t told;            /* a wait ends with LF_PEER_DIED when nobody is left who could end it (peers.h) */
    uint32_t next_look;       /* the number with which the next piece of looking begins; 0: a new round */
    uint64_t last_reap;       /* coarse ns */
    const uint64_t *several;  /* while a recovery is about several participants (reaping.h) */
    uint64_t joined;          /* epoch of the process whose participant this is */
    void *life;               /* the mapping that holds the participant's byte (participants.h) */
    uint64_t device;          /* of the file: what a descriptor must lead to before it is used */
    uint64_t inode;
    int fd;               /* leads to the file; -1: memory of the caller (tests, the model checker) */
    int error;            /* errno after LF_SYSTEM */
    const char *doing;    /* after LF_SYSTEM and LF_LOST: what was being tried */
    const char *mismatch; /* after LF_MISMATCH: which field, what it held, what it should hold */
    uint64_t found;
    uint64_t expected;
};

LF_INLINE struct lf_gone lf_who_is_gone(const struct lf_handle *h, uint32_t number) {
    struct lf_gone gone = {number, number == LF__SEVERAL ? h->several : NULL};
    return gone;
}

#define LF_SPIN_ADAPTIVE UINT32_MAX
#define LF__CLOSED_EPOCH UINT64_C(1)
static const uint64_t lf__no_fork = 2; /* the epoch of handles on memory of the caller's */

LF_INLINE uint64_t lf_identity_checksum(const struct lf_identity *id) { /* FNV-1a over the words */
    uint64_t words[offsetof(struct lf_identity, checksum) / 8], hash = UINT64_C(0xcbf29ce484222325);
    memcpy(words, id, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
    return hash;
}
LF_INLINE uint64_t lf_note_checksum(const char *note, uint64_t count) { /* FNV-1a over the bytes */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)note[i]) * UINT64_C(0x100000001b3);
    return hash;
}

LF_INLINE void lf_identity_init(struct lf_identity *id, uint32_t kind, uint64_t bytes, const uint64_t *geometry) {
    memset(id, 0, sizeof *id);
    id->magic = LF_MAGIC;
    id->abi_version = LF_ABI_VERSION;
    id->kind = kind;
    id->total_bytes = bytes;
    memcpy(id->geometry, geometry, sizeof id->geometry);
    id->note_checksum = lf_note_checksum(NULL, 0);
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
    if (id->note_bytes > LF_NOTE)
        return lf_mismatch(h, "bytes of the note (at most)", id->note_bytes, LF_NOTE);
    return LF_OK;
}

LF_INLINE void lf__handle_clear(struct lf_handle *h) {
    memset(h, 0, sizeof *h);
    h->fd = -1;
    h->epoch = LF__CLOSED_EPOCH;
    h->current = &lf__no_fork;
    h->spin = LF_SPIN_ADAPTIVE;
}

LF_INLINE int lf__is_small(uint64_t bytes) { return bytes <= LF_BODY_OFFSET + LF__SMALL_BODY; }

LF_INLINE void lf__handle_place(struct lf_handle *h, const struct lf_kind *kind, void *memory, uint64_t bytes) {
    h->kind = kind;
    h->segment = (struct lf_segment *)memory;
    h->body = lf__is_small(bytes) ? h->segment->small_body : (unsigned char *)memory + LF_BODY_OFFSET;
    h->bytes = bytes;
    h->geometry = h->segment->identity.geometry;
}

/* The handle that has the participant, the file, and the turn to look for the dead. */
LF_INLINE struct lf_handle *lf__home(struct lf_handle *h) { return LF_UNLIKELY(h->home != NULL) ? h->home : h; }

/* Closed here? For what needs no participant, such as an atomic variable; other operations begin with lf_enter. */
LF_INLINE int lf_is_closed(const struct lf_handle *h) { return lf_load_relaxed(&h->closed) != 0; }

/* A new segment in zeroed memory of the caller's, aligned to LF_CACHE_LINE, and the first handle on it: for
 * threads of one process, C tests and the model checker. Nobody's death can be noticed there. */
LF_INLINE int lf_segment_create_local(struct lf_handle *h, const struct lf_kind *kind, void *memory, uint64_t bytes,
                                      const uint64_t geometry[LF_GEOMETRY]) {
    lf__handle_clear(h);
    lf__handle_place(h, kind, memory, bytes);
    h->epoch = lf__no_fork;
    lf_identity_init(&h->segment->identity, kind->number, bytes, geometry);
    return kind->view(h);
}

/* One more participant on such memory. The caller chooses the numbers, 1..4095, each once. */
LF_INLINE int lf_segment_attach_local(struct lf_handle *h, const struct lf_kind *kind, void *memory,
                                      uint32_t participant) {
    struct lf_segment *segment = (struct lf_segment *)memory;
    lf__handle_clear(h);
    lf__handle_place(h, kind, memory, segment->identity.total_bytes);
    h->epoch = lf__no_fork;
    h->participant = participant;
    segment->participants[participant].in_use = 1;
    if (segment->highest < participant)
        segment->highest = participant;
    return kind->view(h);
}

#endif
