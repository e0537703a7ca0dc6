/* participants.h: who uses a segment, who of them is alive, and giving back what the dead held.
 *
 * Contract
 *   Every attachment holds one participant number, as a lock on one byte of the segment's file taken through an
 *   open file description of its own (F_OFD_SETLK). The kernel drops the lock when the process dies, in whatever
 *   way; no pid is ever compared. A number is used again only after everything its last holder had in hand was
 *   given back: whoever takes the byte of a number that is still marked in use recovers it first, holding the byte.
 * Progress: blocking nowhere. Recovery of one number runs in one process at a time; if that process is stopped,
 *   others go on without what the dead one held; if it dies, the next one starts the recovery again.
 * Leaving (lf_leave) is recovery of oneself.
 * Note: fork shares the parent's description, and so its locks. A child must call lf_after_fork before anything
 *   else (the Python face does), or the parent's death stays unseen until the child ends.
 * Source: fcntl(2), open file description locks. */
#ifndef LOCKFREE_PARTICIPANTS_H
#define LOCKFREE_PARTICIPANTS_H

#include "segment.h"

/* The caller holds the byte of `gone`. Its lock also orders `in_use` and all that the dead one wrote. */
LF_INLINE void lf__recover(struct lf_handle *h, uint32_t gone) {
    if (h->kind != NULL)
        h->kind->recover(h, gone);
    h->segment->participants[gone].pid = 0;
    lf_store_relaxed(&h->segment->participants[gone].in_use, 0u);
}

#ifdef LF_MODEL
/* The byte's lock, modelled on the `joined` word of the dead one. As the kernel's, it does not keep a handle from
 * itself, and ends with its holder. */
LF_INLINE int lf__seize(struct lf_handle *h, uint32_t number) {
    uint64_t holder = 0, me = (uint64_t)h->participant + 1;
    if (lf_model_participant_alive(number))
        return 0;
    while (!lf_cas_acquire(&h->segment->participants[number].joined, &holder, me))
        if (holder == me || lf_model_participant_alive((uint32_t)holder - 1))
            return holder == me;
    return 1;
}
LF_INLINE void lf__yield_byte(struct lf_handle *h, uint32_t number) {
    lf_store_release(&h->segment->participants[number].joined, (uint64_t)0);
}
#else
#define LF__LIVENESS_OFFSET ((off_t)1 << 61) /* far beyond the data: locks need no bytes below them */

LF_INLINE int lf__byte_lock(int fd, int command, short type, uint32_t first, uint32_t count) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = LF__LIVENESS_OFFSET + (off_t)first;
    lock.l_len = (off_t)count;
    int result = fcntl(fd, command, &lock);
    return command == F_OFD_GETLK && result == 0 ? lock.l_type != F_UNLCK : result;
}

/* Takes the byte of a number if nobody alive holds it. */
LF_INLINE int lf__seize(struct lf_handle *h, uint32_t number) {
    return h->fd >= 0 && lf__byte_lock(h->fd, F_OFD_SETLK, F_WRLCK, number, 1) == 0;
}
LF_INLINE void lf__yield_byte(struct lf_handle *h, uint32_t number) {
    lf__byte_lock(h->fd, F_OFD_SETLK, F_UNLCK, number, 1);
}

/* Takes a participant number for this handle: LF_NO_PARTICIPANT if 255 live ones hold them all. */
LF_INLINE int lf_join(struct lf_handle *h) {
    for (uint32_t number = 1; number < LF_PARTICIPANTS; number++) {
        if (!lf__seize(h, number))
            continue;
        struct lf_participant *me = &h->segment->participants[number];
        h->participant = number;
        if (lf_load_relaxed(&me->in_use))
            lf__recover(h, number);
        me->pid = (uint32_t)getpid();
        me->joined = lf_now();
        lf_store_relaxed(&me->in_use, 1u);
        uint32_t highest = lf_load_relaxed(&h->segment->highest);
        while (highest < number && !lf_cas_relaxed(&h->segment->highest, &highest, number))
            ;
        return LF_OK;
    }
    return LF_NO_PARTICIPANT;
}

/* Gives back what this handle held, its number, its mapping and its file. No operation of this handle may be
 * running. Safe on a handle that never came to anything. */
LF_INLINE void lf_detach(struct lf_handle *h) {
    h->closed = 1;
    if (h->segment == NULL)
        return; /* whoever failed to map it closed its file, too; in a zeroed handle `fd` is somebody else's 0 */
    if (h->participant != 0 && h->fd >= 0) {
        lf__recover(h, h->participant);
        lf__yield_byte(h, h->participant);
    }
    h->participant = 0;
    lf_segment_unmap(h);
}

/* In a forked child: a file description, a number and a mapping of its own. The mapping too, since one that was made
 * through the parent's description keeps it open, and with it the parent's lock, beyond the parent's death. The parent's
 * is let go last: until then nobody, this child included, can be given the parent's number. On failure the handle is
 * closed. */
LF_INLINE int lf_after_fork(struct lf_handle *h) {
    if (h->segment == NULL || h->fd < 0)
        return LF_OK;
    int fd = lf_segment_reopen(h->fd), parents = h->fd, status = LF_SYSTEM;
    if (fd < 0)
        h->error = errno;
    h->fd = fd;
    h->participant = 0;
    h->reaping = 0;
    if (fd >= 0)
        status = lf_join(h);
    /* a handle that is closed here shows zeros to those who still look at it */
    int flags = MAP_FIXED | (fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    if (mmap(h->segment, h->bytes, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED)
        status = lf_system_error(h);
    close(parents);
    if (status != LF_OK)
        h->closed = 1;
    return status;
}

/* Does any live process hold this segment? Takes the answer from the kernel, for `lockfree ls` and `gc`. */
LF_INLINE int lf_segment_in_use(struct lf_handle *h) {
    return lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, 0, LF_PARTICIPANTS) != 0;
}

/* Removes a named segment that nobody alive holds: 1 removed, 0 in use, else a status. */
LF_INLINE int lf_segment_sweep(struct lf_handle *h, const char *name) {
    struct stat held, named;
    char path[256];
    if (lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    if (lf__byte_lock(h->fd, F_OFD_SETLK, F_WRLCK, 0, LF_PARTICIPANTS) != 0)
        return 0;
    /* While all bytes are ours nobody can join; a joiner that opened the file before finds it unlinked. */
    int status = LF_OK;
    if (fstat(h->fd, &held) != 0 || stat(path, &named) != 0)
        status = lf_system_error(h);
    else if (held.st_ino == named.st_ino && unlink(path) == 0)
        status = 1;
    lf__byte_lock(h->fd, F_OFD_SETLK, F_UNLCK, 0, LF_PARTICIPANTS);
    return status;
}

/* Joins a newly laid out segment and gives it its name, in one step: EEXIST if the name is taken. On failure the
 * handle is detached. */
LF_INLINE int lf_segment_publish(struct lf_handle *h, const char *name) {
    char path[256], self[64];
    int status = lf_join(h);
    if (status == LF_OK && name != NULL) {
        status = lf_segment_path(path, name);
        snprintf(self, sizeof self, "/proc/self/fd/%d", h->fd);
        if (status == LF_OK && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
            status = lf_system_error(h);
    }
    if (status != LF_OK)
        lf_detach(h);
    return status;
}

/* Attach by name: open, check, join, and make sure that it was not swept in between. */
LF_INLINE int lf_segment_attach(struct lf_handle *h, const char *name, const struct lf_kind *kind) {
    uint64_t patience = lf_now() + 1000000000u; /* with a sweeper that was stopped half-way */
    for (;;) {
        struct stat file;
        int status = lf_segment_open(h, name, kind);
        if (status != LF_OK)
            return status;
        if (lf_join(h) == LF_OK) {
            if (fstat(h->fd, &file) == 0 && file.st_nlink > 0)
                return LF_OK;
            lf_detach(h); /* swept: look the name up again */
            continue;
        }
        /* Byte 0 is only ever a sweeper's; asked first, since a sweep that is over shows in the file. */
        int sweeping = lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, 0, 1) > 0;
        int swept = fstat(h->fd, &file) == 0 && file.st_nlink == 0;
        lf_segment_unmap(h);
        if (!swept && (!sweeping || lf_now() > patience))
            return LF_NO_PARTICIPANT;
        sched_yield();
    }
}

/* Attach through a file handed over by another process; takes the file over. */
LF_INLINE int lf_segment_attach_fd(struct lf_handle *h, int fd, const struct lf_kind *kind) {
    int own = lf_segment_reopen(fd);
    if (own < 0) {
        lf__handle_clear(h);
        h->error = errno;
        close(fd);
        return LF_SYSTEM;
    }
    close(fd);
    int status = lf_segment_adopt(h, own, kind);
    if (status != LF_OK)
        return status;
    status = lf_join(h);
    if (status != LF_OK)
        lf_segment_unmap(h);
    return status;
}
#endif /* LF_MODEL */

/* One thread of a handle at a time looks for the dead: the byte's lock keeps only other handles away. */
LF_INLINE int lf__begin_to_reap(struct lf_handle *h) {
    return lf_exchange_acquire(&h->reaping, 1u) == 0; /* [P1] pairs with [P2] */
}
LF_INLINE void lf__end_to_reap(struct lf_handle *h) { lf_store_release(&h->reaping, 0u); /* [P2] */ }

/* Gives back what one number held if its holder is dead; the caller has h->reaping. */
LF_INLINE int lf__reap_number(struct lf_handle *h, uint32_t number) {
    int recovered = 0;
    if (number == h->participant || !lf_load_relaxed(&h->segment->participants[number].in_use) || !lf__seize(h, number))
        return 0;
    if (lf_load_relaxed(&h->segment->participants[number].in_use)) { /* again: nobody was faster */
        lf__recover(h, number);
        recovered = 1;
    }
    lf__yield_byte(h, number);
    return recovered;
}

/* Looks for dead participants and gives back what they held; how many were recovered. */
LF_INLINE int lf_reap(struct lf_handle *h) {
    int recovered = 0;
    if (!lf__begin_to_reap(h))
        return 0;
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    if (highest >= LF_PARTICIPANTS)
        highest = LF_PARTICIPANTS - 1;
    for (uint32_t number = 1; number <= highest; number++)
        recovered += lf__reap_number(h, number);
    lf__end_to_reap(h);
    return recovered;
}

/* The same for one number: for whoever is about to wait for that participant. */
LF_INLINE int lf_reap_one(struct lf_handle *h, uint32_t number) {
    if (number == 0 || number >= LF_PARTICIPANTS || !lf__begin_to_reap(h))
        return 0;
    int recovered = lf__reap_number(h, number);
    lf__end_to_reap(h);
    return recovered;
}

/* The same at most once per tick of the coarse clock: cheap enough for the refusals of non-blocking calls. */
LF_INLINE int lf_reap_if_due(struct lf_handle *h) {
    uint64_t now = lf_now_coarse();
    if (lf_load_relaxed(&h->last_reap) == now)
        return 0;
    lf_store_relaxed(&h->last_reap, now);
    return lf_reap(h);
}

#endif
