/* What Python waits for without a thread for each wait (_watching.py): the event count or lock word of an object. */
#include <lockfree/blocks/watching.h>
#include <lockfree/lockfree.h>

/* A pipe for polling, both ends in one descriptor: an eventfd has no inode of its own, so none could be told from another.
 * It stands in fd_device_inode, whose Python object has it from the beginning: no exception of a signal handler comes
 * between. 0, or an errno. */
static int lf_py_descriptor_begin(uint64_t *fd_device_inode) {
    char path[32];
    struct stat file;
    int ends[2], error = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    int low = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), fd = low;
    if (low >= 0 && low <= 2) { /* 0 to 2 are the program's, also where it has closed them */
        fd = fcntl(low, F_DUPFD_CLOEXEC, 3);
        error = fd < 0 ? errno : 0;
        close(low);
    }
    if (error == 0 && (fd < 0 || fstat(fd, &file) != 0))
        error = errno;
    close(ends[0]);
    close(ends[1]);
    if (fd >= 0 && error == 0) {
        fd_device_inode[0] = (uint64_t)fd;
        fd_device_inode[1] = file.st_dev;
        fd_device_inode[2] = file.st_ino;
    } else if (fd >= 0) {
        close(fd);
    }
    return error;
}

/* A descriptor for polling (_polling.py), closed with the Python object that has it. If the program has closed it, the
 * number may be another file's. */
static void lf_py_descriptor_end(const uint64_t *fd_device_inode) {
    struct stat file;
    int fd = (int)fd_device_inode[0];
    if (fstat(fd, &file) == 0 && file.st_dev == fd_device_inode[1] && file.st_ino == fd_device_inode[2])
        close(fd);
}

enum lf_py_side { LF_PY_TO_GET, LF_PY_TO_PUT, LF_PY_TO_JOIN };

#define LF_PY_BOTH(primitive)                                                                                          \
    return side == LF_PY_TO_GET ? &((struct lf_##primitive *)h)->body->not_empty                                       \
                                : &((struct lf_##primitive *)h)->body->not_full

static struct lf_eventcount *lf_py_count_of(struct lf_handle *h, int side) {
    switch (h->kind->number) {
    case LF_KIND_MPMC_RING:
        LF_PY_BOTH(mpmc_ring);
    case LF_KIND_SPSC_RING:
        LF_PY_BOTH(spsc_ring);
    case LF_KIND_PRIORITY_QUEUE:
        LF_PY_BOTH(priority_queue);
    case LF_KIND_BROADCAST_RING:
        LF_PY_BOTH(broadcast_ring);
    case LF_KIND_MESSAGE_RING:
        if (side == LF_PY_TO_JOIN)
            return &((struct lf_message_ring *)h)->body->all_done;
        LF_PY_BOTH(message_ring);
    case LF_KIND_EVENT:
        return &((struct lf_event *)h)->body->changed;
    case LF_KIND_BARRIER:
        return &((struct lf_barrier *)h)->body->changed;
    case LF_KIND_EVENT_COUNT:
        return &((struct lf_event_count *)h)->body->changed;
    case LF_KIND_LATEST_VALUE:
        return &((struct lf_latest_value *)h)->body->newer;
    case LF_KIND_RWLOCK:
        return side == LF_PY_TO_GET ? &((struct lf_rwlock *)h)->body->entry : &((struct lf_rwlock *)h)->body->drained;
    case LF_KIND_SEMAPHORE:
        return &((struct lf_semaphore *)h)->body->available;
    default:
        return NULL;
    }
}
static uint64_t *lf_py_lock_of(struct lf_handle *h) {
    uint32_t kind = h->kind->number;
    return kind == LF_KIND_MUTEX || kind == LF_KIND_SPINLOCK || kind == LF_KIND_CONDITION
               ? &((struct lf_lock_body *)(void *)h->body)->word
               : NULL;
}

/* Announces a wait: LF_OK; LF_INVALID: nothing of this kind is watched; LF_CLOSED. */
static int lf_py_watch(struct lf_handle *h, int side, struct lf_watch *w) {
    if (h->segment == NULL)
        return LF_CLOSED;
    struct lf_eventcount *count = lf_py_count_of(h, side);
    uint64_t *word = lf_py_lock_of(h);
    if (count == NULL && word == NULL)
        return LF_INVALID;
    if (count != NULL)
        lf_watch_count(w, h, count);
    else
        lf_watch_unlocked(w, h, word);
    return LF_OK;
}
/* Takes a lock, or watches it: as lf_watch_lock. */
static int lf_py_watch_lock(struct lf_handle *h, struct lf_watch *w) {
    return lf_py_lock_of(h) != NULL ? lf_watch_lock(w, h, lf_py_lock_of(h)) : (int)LF_INVALID;
}

/* Whether a get, a wait, or an acquire, would not wait now, also because the object has ended. */
static int lf_py_is_ready(struct lf_handle *h) {
    if (lf_enter(h) != LF_OK || lf_load_relaxed(&h->segment->ending) != LF__OPEN)
        return 1;
    switch (h->kind->number) {
    case LF_KIND_MPMC_RING:
        return lf_mpmc_ring_size((struct lf_mpmc_ring *)h) > 0;
    case LF_KIND_SPSC_RING:
        return lf_spsc_ring_size((struct lf_spsc_ring *)h) > 0;
    case LF_KIND_PRIORITY_QUEUE:
        return lf_priority_queue_size((struct lf_priority_queue *)h) > 0;
    case LF_KIND_MESSAGE_RING:
        return lf_message_ring_size((struct lf_message_ring *)h) > 0;
    case LF_KIND_EVENT:
        return lf_event_is_set((struct lf_event *)h) != 0;
    case LF_KIND_SEMAPHORE:
        return lf_semaphore_value((struct lf_semaphore *)h) != 0;
    case LF_KIND_BROADCAST_RING: /* it depends on the reader */
        return 0;
    default:
        return lf_py_lock_of(h) == NULL || lf_owner_lock_locked(h, lf_py_lock_of(h)) != 1;
    }
}

/* Whether a wait that was refused so would end now, since nobody is left who could end it. Not if the object is closed: then
 * nothing may keep it attached. */
static int lf_py_are_gone(struct lf_handle *h, int refused) {
    if (lf_load_relaxed(&h->closed) || h->segment == NULL)
        return 0;
    lf_tell_here(LF_TOLD);
    int gone = lf_peers_are_gone(h, refused);
    lf_tell_here(LF_TOLD_AS_THE_HANDLE);
    return gone;
}

/* Makes a thread that sleeps in lf_watch_sleep return. */
static void lf_py_turn(uint32_t *control) {
    lf_fetch_add_seq_cst(control, 1u);
    lf_futex_wake(control, INT32_MAX);
}

/* Announces the wait at one place of a condition. */
static void lf_py_watch_place(struct lf_condition *c, int64_t place, struct lf_watch *w) {
    lf_watch_count(w, &c->h, &c->body->waiters.places[place].woken);
}

#include "common/visits.h"
LF_PY_TYPE(visit)
