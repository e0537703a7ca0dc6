/* space.h: many small objects in one segment: one file, one participant, one look for the dead.
 *
 * Usage
 *   #include <lockfree/space.h>
 *
 *   struct lf_space space;
 *   int status = lf_space_create(&space, "service", 65536); // others: lf_space_attach(&space, "service"); NULL: no name
 *   if (status != LF_OK)
 *       return status;                               // after LF_SYSTEM, space.h.error is the errno
 *   struct lf_mutex lock;                            // an object as any other, but for its end
 *   status = lf_space_mutex(&space, &lock, "cache"); // the same one for everybody; NULL: a new one without a name
 *   if (status == LF_OK)
 *       status = lf_mutex_acquire(&lock, LF_FOREVER);
 *   if (status == LF_OK)
 *       lf_mutex_release(&lock);
 *   lf_segment_unlink(&space.h, "service"); // nobody can attach any more; participants go on
 *   lf_detach(&lock.h);                     // the objects first, then the space
 *   lf_detach(&space.h);                    // this participant leaves
 *
 * Contract
 *   An object in a space does what it does in a segment of its own. All objects of a space share its participants: a
 *   participant that leaves the space, or dies, leaves all of them. A name stands for one object of one kind and
 *   geometry; a call that asks for another one gets LF_MISMATCH (handle.mismatch says what). Objects are added and
 *   never taken away: LF_FULL when there is no room (lf_space_left). A handle on an object belongs to the space's
 *   handle, in the same process. It is detached before the space. Detaching it gives nothing back; leaving the space
 *   does. In a space may be: atomics, mutexes, spinlocks, reentrant and reader-writer locks, conditions with a lock of
 *   their own, semaphores, events, event counts (lf_space_needs says how many bytes one takes).
 *   A space is for so many threads: at most as many can wait for one of its conditions, or hold permits of one of its
 *   semaphores, at a time; one more gets LF_BUSY. Semaphores and conditions take memory for each of them.
 * Progress: adding and finding lock the space, and sleep (owner_lock.h). The objects' calls keep their guarantees.
 * Death: a process that dies while adding has added the whole object or none. Recovery of a participant walks through
 *   all objects, in pieces; each is recovered by its own kind.
 *
 * Layout: {lock} | {end} | chunks, each {head | body of the object} of whole cache lines. geometry = {size of the chunks,
 *   threads}.
 * Invariants
 *   [I1] Below `end` the chunks are whole and their heads do not change. Above it nobody but the holder of the lock writes.
 *   [I2] `end` only grows, by one store for each chunk.
 * Linearization points: adding: the store of `end`; finding: taking the lock. */
#ifndef LOCKFREE_SPACE_H
#define LOCKFREE_SPACE_H

#include "atomic.h"
#include "condition.h"
#include "event.h"
#include "event_count.h"
#include "mutex.h"
#include "rlock.h"
#include "rwlock.h"
#include "semaphore.h"
#include "spinlock.h"

#define LF_KIND_SPACE 48u
#define LF_SPACE_MAX_BYTES (UINT64_C(1) << 32)
#define LF_SPACE_NAME 64u /* bytes of an object's name, at most */
#define LF_SPACE_THREADS 64u
#define LF_SPACE_MAX_THREADS LF_WAITERS

struct lf_space_body {
    LF_ALIGNED uint64_t lock; /* held to add or to find (owner_lock.h) */
    LF_ALIGNED uint64_t end;  /* of the chunks; written with the lock */
};
struct lf_space_chunk {
    LF_ALIGNED uint32_t kind;
    uint32_t name_bytes; /* 0: no name */
    uint64_t bytes;      /* of the body, in whole cache lines */
    uint64_t geometry[LF_GEOMETRY];
    char name[LF_SPACE_NAME];
};
LF_STATIC_ASSERT(sizeof(struct lf_space_body) == 2 * LF_CACHE_LINE, "layout");
LF_STATIC_ASSERT(sizeof(struct lf_space_chunk) == LF_CACHE_LINE, "layout");

struct lf_space {
    struct lf_handle h;
    struct lf_space_body *body;
    unsigned char *chunks;
    uint64_t size;
    uint64_t threads;
};

/* What may be in a space. */
struct lf__space_kind {
    const struct lf_kind *kind;
    uint64_t bytes; /* as those of a segment of its own */
};
union lf__space_object {
    struct lf_handle h;
    struct lf_atomic_cell atomic_cell;
    struct lf_condition condition;
    struct lf_event event;
    struct lf_event_count event_count;
    struct lf_mutex mutex;
    struct lf_rlock rlock;
    struct lf_rwlock rwlock;
    struct lf_semaphore semaphore;
    struct lf_spinlock spinlock;
};
LF_INLINE int lf__space_kind_of(const struct lf_space *s, uint32_t number, struct lf__space_kind *found) {
    const struct lf__space_kind kinds[] = {
        {&lf_atomic_cell_kind, LF__CELL_BYTES}, {&lf_condition_kind, lf__condition_bytes_for(s->threads)},
        {&lf_event_kind, LF_EVENT_BYTES},       {&lf_event_count_kind, LF_EVENT_COUNT_BYTES},
        {&lf_mutex_kind, LF_LOCK_BYTES},        {&lf_rlock_kind, LF_LOCK_BYTES},
        {&lf_rwlock_kind, LF_RWLOCK_BYTES},     {&lf_semaphore_kind, lf__sem_bytes_for(s->threads)},
        {&lf_spinlock_kind, LF_LOCK_BYTES},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind->number == number) {
            *found = kinds[i];
            return 1;
        }
    return 0;
}

LF_INLINE uint64_t lf__space_chunk_bytes(const struct lf__space_kind *k) {
    return sizeof(struct lf_space_chunk) + lf_round_up(k->bytes - LF_BODY_OFFSET, LF_CACHE_LINE);
}
/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. `size` is a multiple of LF_CACHE_LINE. */
LF_INLINE int lf_space_bytes(uint64_t size, uint64_t *bytes) {
    if (size < 2 * LF_CACHE_LINE || size > LF_SPACE_MAX_BYTES || size % LF_CACHE_LINE != 0)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_space_body) + size;
    return LF_OK;
}

LF_INLINE int lf__space_view(struct lf_handle *h) {
    struct lf_space *s = (struct lf_space *)h;
    uint64_t bytes = 0;
    s->size = h->geometry[0];
    s->threads = h->geometry[1];
    if (lf_space_bytes(s->size, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    if (s->threads < 1 || s->threads > LF_SPACE_MAX_THREADS)
        return lf_mismatch(h, "threads that it is for", s->threads, LF_SPACE_MAX_THREADS);
    s->body = (struct lf_space_body *)(void *)h->body;
    s->chunks = h->body + sizeof(struct lf_space_body);
    return LF_OK;
}

/* ---- chunks ---- */

/* How far the chunks reach, as an offset. */
LF_INLINE uint64_t lf__space_end(const struct lf_space *s) {
    uint64_t end = lf_load_acquire(&s->body->end); /* [Z2] pairs with [Z1]: the chunks below it are readable */
    return end <= s->size ? end : s->size;
}
/* The chunk at an offset below `end`, and its kind; NULL if there stands what this library cannot have written. */
LF_INLINE struct lf_space_chunk *lf__space_chunk_at(const struct lf_space *s, uint64_t at, uint64_t end,
                                                    struct lf__space_kind *k) {
    struct lf_space_chunk *chunk = (struct lf_space_chunk *)(void *)(s->chunks + at);
    int is_ours = end - at >= sizeof *chunk && lf__space_kind_of(s, chunk->kind, k) &&
                  chunk->name_bytes <= LF_SPACE_NAME;
    return is_ours && end - at >= lf__space_chunk_bytes(k) ? chunk : NULL;
}

/* Makes `object` a view of the chunk at `at`, as if it stood in a segment of its own. */
LF_INLINE int lf__space_look(struct lf_space *s, struct lf_handle *object, const struct lf__space_kind *k,
                             uint64_t at) {
    struct lf_space_chunk *chunk = (struct lf_space_chunk *)(void *)(s->chunks + at);
    lf__handle_clear(object);
    object->home = &s->h;
    object->kind = k->kind;
    object->segment = s->h.segment;
    object->body = (unsigned char *)chunk + sizeof *chunk;
    object->bytes = k->bytes;
    object->geometry = chunk->geometry;
    object->participant = s->h.participant;
    object->current = s->h.current;
    object->spins = s->h.spins;
    object->device = s->h.device;
    object->inode = s->h.inode;
    return k->kind->view(object);
}

LF_INLINE int lf__space_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_space *s = (struct lf_space *)h;
    struct lf__space_kind k = {NULL, 0};
    union lf__space_object object;
    uint64_t end = lf__space_end(s), steps = 0;
#ifdef LF_MODEL
    uint64_t began = 0;
#else
    uint64_t began = lf_now();
#endif
    lf_owner_lock_recover_dead(&s->body->lock, gone);
    while (*cursor < end && lf__space_chunk_at(s, *cursor, end, &k) != NULL) {
        uint64_t none = 0;
        if (lf__space_look(s, &object.h, &k, *cursor) == LF_OK) {
            k.kind->recover(&object.h, gone, &none); /* small objects have it done in one piece */
        }
        *cursor += lf__space_chunk_bytes(&k);
        if (lf_piece_is_over(&steps, began))
            return *cursor >= end;
    }
    return 1;
}
static const struct lf_kind lf_space_kind = {LF_KIND_SPACE, lf__space_view, lf__space_recover, 0};

/* ---- life ---- */

/* In zeroed memory of the caller's. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_space_create_local(struct lf_space *s, void *memory, uint64_t size) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {size, LF_SPACE_MAX_THREADS, 0, 0, 0, 0};
    int status = lf_space_bytes(size, &bytes);
    return status == LF_OK ? lf_segment_create_local(&s->h, &lf_space_kind, memory, bytes, geometry) : status;
}
#ifndef LF_MODEL
/* name NULL: anonymous. For `threads` threads, 1 to LF_SPACE_MAX_THREADS. */
LF_INLINE int lf_space_create_for(struct lf_space *s, const char *name, uint64_t size, uint64_t threads) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {size, threads, 0, 0, 0, 0};
    if (lf_space_bytes(size, &bytes) != LF_OK || threads < 1 || threads > LF_SPACE_MAX_THREADS)
        return LF_INVALID;
    int status = lf_segment_create(&s->h, name, &lf_space_kind, bytes, geometry);
    return status == LF_OK ? lf_segment_publish(&s->h, name) : status;
}
LF_INLINE int lf_space_create(struct lf_space *s, const char *name, uint64_t size) {
    return lf_space_create_for(s, name, size, LF_SPACE_THREADS);
}
LF_INLINE int lf_space_attach(struct lf_space *s, const char *name) {
    return lf_segment_attach(&s->h, name, &lf_space_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_space_attach_fd(struct lf_space *s, int fd) { return lf_segment_attach_fd(&s->h, fd, &lf_space_kind); }
#endif

/* Ends this handle. Close and detach the objects before. */
LF_INLINE void lf_space_close(struct lf_space *s) {
    lf_close(&s->h, NULL, 0);
    lf_owner_lock_wake_all(&s->body->lock);
}

/* Bytes that are not used yet. LF_CLOSED. */
LF_INLINE int64_t lf_space_left(struct lf_space *s) {
    int status = lf_enter(&s->h);
    return status == LF_OK ? (int64_t)(s->size - lf__space_end(s)) : status;
}
/* Bytes that an object of this kind takes; 0: it cannot be in a space. */
LF_INLINE uint64_t lf_space_needs(const struct lf_space *s, uint32_t kind) {
    struct lf__space_kind k;
    return lf__space_kind_of(s, kind, &k) ? lf__space_chunk_bytes(&k) : 0;
}

/* ---- objects ---- */

/* A view is ready for use. */
LF_INLINE int lf__space_ready(struct lf_space *s, struct lf_handle *object) {
    object->epoch = s->h.epoch;
    return LF_OK;
}

/* The object at `at`, where another handle of the space has found it (lf_space_place): LF_OK, LF_MISMATCH, LF_INVALID
 * (no object of this kind begins there), LF_CLOSED. */
LF_INLINE int lf_space_at(struct lf_space *s, struct lf_handle *object, uint32_t kind, uint64_t at) {
    struct lf__space_kind k;
    int status = lf_enter(&s->h);
    if (status != LF_OK)
        return status;
    uint64_t end = lf__space_end(s), next = 0;
    while (next < at && next < end && lf__space_chunk_at(s, next, end, &k) != NULL)
        next += lf__space_chunk_bytes(&k);
    if (next != at || at >= end || lf__space_chunk_at(s, at, end, &k) == NULL || k.kind->number != kind)
        return LF_INVALID;
    status = lf__space_look(s, object, &k, at);
    return status == LF_OK ? lf__space_ready(s, object) : status;
}
/* Where the object stands, for lf_space_at. */
LF_INLINE uint64_t lf_space_place(const struct lf_space *s, const struct lf_handle *object) {
    return (uint64_t)(object->body - s->chunks) - sizeof(struct lf_space_chunk);
}

/* The chunk with this name, *at; NULL if there is none: then *at is the end. The caller has the lock. */
LF_INLINE struct lf_space_chunk *lf__space_find(const struct lf_space *s, const char *name, uint64_t length,
                                                uint64_t *at) {
    struct lf__space_kind k;
    uint64_t end = lf__space_end(s);
    for (*at = name != NULL ? 0 : end; *at < end; *at += lf__space_chunk_bytes(&k)) {
        struct lf_space_chunk *chunk = lf__space_chunk_at(s, *at, end, &k);
        if (chunk == NULL)
            *at = s->size;
        if (chunk == NULL || (chunk->name_bytes == length && memcmp(chunk->name, name, length) == 0))
            return chunk;
    }
    return NULL;
}

/* What an object has in its body at first. */
LF_INLINE void lf__space_lay_out(struct lf_handle *object, uint64_t initial) {
    if (object->kind->number == LF_KIND_ATOMIC)
        *((struct lf_atomic_cell *)object)->value = initial;
    if (object->kind->number == LF_KIND_SEMAPHORE)
        lf__sem_layout((struct lf_semaphore *)object, 0);
}

/* Adds an object behind the last one. The caller has the lock. Out of line: `object` is one kind's struct, and a compiler
 * that knows which warns of what is done for the other kinds. */
static __attribute__((noinline, unused)) int lf__space_append(struct lf_space *s, struct lf_handle *object,
                                                              const struct lf__space_kind *k, const char *name,
                                                              uint64_t length, const uint64_t *geometry,
                                                              uint64_t initial, uint64_t at) {
    uint64_t need = lf__space_chunk_bytes(k);
    if (s->size - at < need)
        return LF_FULL;
    struct lf_space_chunk *chunk = (struct lf_space_chunk *)(void *)(s->chunks + at);
    memset(chunk, 0, need); /* somebody may have died here */
    chunk->kind = k->kind->number;
    chunk->bytes = need - sizeof *chunk;
    chunk->name_bytes = (uint32_t)length;
    memcpy(chunk->geometry, geometry, sizeof chunk->geometry);
    if (name != NULL)
        memcpy(chunk->name, name, length);
    if (lf__space_look(s, object, k, at) != LF_OK)
        return LF_INVALID;
    lf__space_lay_out(object, initial);
    lf_store_release(&s->body->end, at + need); /* [Z1] pairs with [Z2] */
    return LF_OK;
}

LF_INLINE int lf__space_same(struct lf_handle *object, const struct lf_space_chunk *chunk, uint32_t kind,
                             const uint64_t *geometry) {
    if (chunk->kind != kind)
        return lf_mismatch(object, "kind of the object with this name", chunk->kind, kind);
    for (int i = 0; i < LF_GEOMETRY; i++)
        if (chunk->geometry[i] != geometry[i])
            return lf_mismatch(object, "geometry of the object with this name", chunk->geometry[i], geometry[i]);
    return LF_OK;
}

/* The object with this name, added if there is none; name NULL: a new one. `geometry` and `initial` as of a segment of
 * its own. LF_OK, LF_FULL, LF_MISMATCH, LF_INVALID (the kind, the geometry, or a name of no or more than LF_SPACE_NAME
 * bytes), LF_CORRUPT, LF_CLOSED, LF_LOST, LF_DEADLOCK (a signal handler came in the middle of this), LF_INTERRUPTED: call
 * again. `object` is the kind's struct. */
LF_INLINE int lf_space_object(struct lf_space *s, struct lf_handle *object, uint32_t kind, const char *name,
                              const uint64_t *geometry, uint64_t initial) {
    struct lf__space_kind k;
    uint64_t at, length = name != NULL ? strlen(name) : 0;
    lf__handle_clear(object);
    if (!lf__space_kind_of(s, kind, &k) || (name != NULL && (length == 0 || length > LF_SPACE_NAME)))
        return LF_INVALID;
    int status = lf_owner_lock_acquire_awhile(&s->h, &s->body->lock, LF__MUTEX_SPINS, LF_FOREVER);
    if (status == LF_OWNER_DIED) /* below the end everything is whole [I1] */
        status = lf_owner_lock_recover(&s->h, &s->body->lock);
    if (status != LF_OK)
        return status;
    struct lf_space_chunk *chunk = lf__space_find(s, name, length, &at);
    if (chunk == NULL)
        status = name != NULL && at == s->size && lf__space_end(s) != at
                     ? (int)LF_CORRUPT
                     : lf__space_append(s, object, &k, name, length, geometry, initial, at);
    else if ((status = lf__space_same(object, chunk, kind, geometry)) == LF_OK)
        status = lf__space_look(s, object, &k, at);
    lf_owner_lock_release(&s->h, &s->body->lock);
    return status == LF_OK ? lf__space_ready(s, object) : status;
}

#define LF__SPACE_PLAIN(name_, KIND)                                                                                   \
    LF_INLINE int lf_space_##name_(struct lf_space *s, struct lf_##name_ *object, const char *name) {                  \
        const uint64_t geometry[LF_GEOMETRY] = {0};                                                                    \
        return lf_space_object(s, &object->h, KIND, name, geometry, 0);                                                \
    }
LF__SPACE_PLAIN(mutex, LF_KIND_MUTEX)
LF__SPACE_PLAIN(spinlock, LF_KIND_SPINLOCK)
LF__SPACE_PLAIN(rlock, LF_KIND_RLOCK)
LF__SPACE_PLAIN(rwlock, LF_KIND_RWLOCK)
LF__SPACE_PLAIN(condition, LF_KIND_CONDITION)
LF__SPACE_PLAIN(event, LF_KIND_EVENT)
LF__SPACE_PLAIN(event_count, LF_KIND_EVENT_COUNT)
LF_INLINE int lf_space_semaphore(struct lf_space *s, struct lf_semaphore *object, const char *name, uint64_t value,
                                 uint64_t max) {
    const uint64_t geometry[LF_GEOMETRY] = {value, max, 0, 0, 0, 0};
    return lf_space_object(s, &object->h, LF_KIND_SEMAPHORE, name, geometry, 0);
}
LF_INLINE int lf_space_atomic_cell(struct lf_space *s, struct lf_atomic_cell *object, const char *name,
                                   enum lf_cell_type type, uint64_t initial) {
    const uint64_t geometry[LF_GEOMETRY] = {(uint64_t)type, 0, 0, 0, 0, 0};
    return lf_space_object(s, &object->h, LF_KIND_ATOMIC, name, geometry, initial);
}

#endif
