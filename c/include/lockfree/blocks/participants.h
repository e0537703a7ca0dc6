/* participants.h: which processes use a segment, which of them are alive, and giving back what the dead held.
 *
 * Contract
 *   Every participant has a number, as a lock on one byte of the segment's file. The lock is taken through an open file
 *   description of the participant's own (F_OFD_SETLK). The kernel drops the lock when the process dies, in whatever
 *   way. Process ids are never compared. A number is used again only after everything that its last holder had was
 *   given back: a joiner that takes the byte of a number still marked in use recovers it first.
 * Life is a mapping: the description that has a participant's lock is kept open by a mapped page, not by a descriptor,
 *   and no child inherits that page (MADV_DONTFORK). So a dead participant's lock is not kept by a fork of any kind, by
 *   a program that inherits descriptors, or by a handle on its way to another process. And no exit, and no close of a
 *   descriptor, gives away the lock of a living participant.
 * Fork: the child's first operation finds that the handle belongs to its parent (process.h). The child then joins as a
 *   participant of its own (lf_enter). Until then it holds nothing. If it cannot join, each operation says why and
 *   tries again.
 * In use: byte 0 is read-locked through the handle's descriptor, which children and other processes that got it share,
 *   as long as anybody has the file open or mapped. lf_segment_sweep tests it.
 * Recovery is done in pieces of about half a millisecond (reaping.h), so that the dead do not delay a call of the
 *   living for long. Between two pieces the byte is free: anybody may do the next piece.
 * Progress: nothing blocks. Recovery of one number runs in one process at a time. If that process is stopped, others go
 *   on without what the dead one held. If it dies, the next one continues the recovery.
 * Leaving (lf_detach) is recovery of oneself.
 * Source: fcntl(2), open file description locks. */
#ifndef LOCKFREE_PARTICIPANTS_H
#define LOCKFREE_PARTICIPANTS_H

#include "asymmetric.h"
#include "segment_file.h"

#ifndef LF__PIECE_NS
#define LF__PIECE_NS 400000u
#endif

/* For recoveries in pieces: whether it is time to stop. `steps` counts what was done since the piece began. */
LF_INLINE int lf_piece_is_over(uint64_t *steps, uint64_t began) {
#ifdef LF_MODEL
    (void)steps, (void)began;
    return 0;
#else
    return (++*steps & 127) == 0 && lf_now() - began > LF__PIECE_NS;
#endif
}

/* All that `gone` held is given back. The caller holds its byte. */
LF_INLINE void lf__end_recovery(struct lf_handle *h, uint32_t gone) {
    struct lf_participant *entry = &h->segment->participants[gone];
#ifndef LF_MODEL
    uint32_t roles = lf_load_relaxed(&entry->roles), died = gone != h->participant || h->life == NULL;
    for (uint32_t role = 0; role < 2; role++)
        if (roles >> role & 1)
            lf_store_relaxed(&h->segment->gone[role], (uint64_t)died << 32 | lf_load_relaxed(&entry->pid));
    if (died)
        lf_fetch_add_relaxed(&h->segment->recovered, (uint64_t)1);
#endif
    lf_store_relaxed(&entry->pid, 0u);
    lf_store_relaxed(&entry->recovered, (uint64_t)0);
    lf_store_release(&entry->in_use, 0u); /* [G1] pairs with [G2] in peers.h: what it had is inside again */
}

/* One piece of giving back what `gone` held. Returns 1 when all is given back. The caller holds the byte of `gone`. The
 * byte's lock also orders `in_use`, the cursor, and all that the dead one wrote. */
LF_INLINE int lf__recover(struct lf_handle *h, uint32_t gone) {
    struct lf_participant *entry = &h->segment->participants[gone];
    uint64_t cursor = lf_load_relaxed(&entry->recovered);
    if (h->kind != NULL && !h->kind->recover(h, gone, &cursor)) {
        lf_store_relaxed(&entry->recovered, cursor);
        return 0;
    }
    lf__end_recovery(h, gone);
    return 1;
}

/* Gives back everything that `gone` held in one call. For tests that do not use the bytes of participants. */
LF_INLINE void lf_recover_wholly(struct lf_handle *h, uint32_t gone) {
    uint64_t cursor = 0;
    while (!h->kind->recover(h, gone, &cursor))
        ;
}

#ifdef LF_MODEL
LF_INLINE int lf_enter(struct lf_handle *h) { return lf_load_relaxed(&h->closed) ? LF_CLOSED : LF_OK; }
LF_INLINE int lf__can_look(struct lf_handle *h) { return h != NULL; }

/* The byte's lock, modelled in the `joined` word of the dead one. As in the kernel, it does not exclude the handle that
 * has it, and ends with its holder. */
LF_INLINE int lf__seize(struct lf_handle *h, uint32_t number) {
    uint64_t holder = 0, me = (uint64_t)h->participant + 1;
    if (lf_model_participant_alive(number))
        return -1;
    while (!lf_cas_acquire(&h->segment->participants[number].joined, &holder, me))
        if (holder == me || lf_model_participant_alive((uint32_t)holder - 1))
            return holder == me ? 0 : -1;
    return 0;
}
LF_INLINE void lf__yield_byte(struct lf_handle *h, int held, uint32_t number) {
    (void)held;
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

/* Takes the byte of a number if nobody alive holds it. Returns the descriptor through which it is held, or -1. That is
 * a description of its own, so that a child that is forked meanwhile does not share the lock. If none can be opened (no
 * descriptors left, or the user has changed), it is the handle's. */
LF_INLINE int lf__seize(struct lf_handle *h, uint32_t number) {
    if (h->fd < 0 || lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, number, 1) != 0)
        return -1;
    int fd = lf_segment_reopen(h->fd);
    int through = fd >= 0 ? fd : h->fd;
    if (lf__byte_lock(through, F_OFD_SETLK, F_WRLCK, number, 1) == 0)
        return through;
    if (fd >= 0)
        close(fd);
    return -1;
}
LF_INLINE void lf__yield_byte(struct lf_handle *h, int held, uint32_t number) {
    lf__byte_lock(held, F_OFD_SETLK, F_UNLCK, number, 1);
    if (held != h->fd)
        close(held);
}

/* Whether it is possible to look for the dead. Finds the handle's file again if necessary. In memory of the caller
 * nobody dies. */
LF_INLINE int lf__can_look(struct lf_handle *h) { return h->life == NULL || lf_segment_file(h) >= 0; }

/* ---- joining ---- */

#define LF__LOOKS_AT_DEAD 16 /* a joiner tries at most so many numbers in use before it prefers unused ones */

/* Locks, through `fd`, the byte of a number that nobody alive holds, and gives the number to this handle: LF_OK,
 * LF_NO_PARTICIPANT or LF_SYSTEM. The second round is for numbers whose dead holders left much to give back. */
LF_INLINE int lf__take_number(struct lf_handle *h, int fd) {
    int looks = 0;
    for (int round = 0; round < 2; round++) {
        for (uint32_t number = 1; number < LF_PARTICIPANTS; number++) {
            int in_use = number <= lf_load_relaxed(&h->segment->highest) &&
                         lf_load_relaxed(&h->segment->participants[number].in_use) != 0;
            if (in_use != round && (round != 0 || looks++ >= LF__LOOKS_AT_DEAD))
                continue;
            if (lf__byte_lock(fd, F_OFD_SETLK, F_WRLCK, number, 1) != 0) {
                if (errno != EAGAIN && errno != EACCES)
                    return lf_system_error(h, "locking a participant's byte");
                continue;
            }
            h->participant = number;
            int is_free = !in_use || lf__recover(h, number);
            while (!is_free && round != 0)
                is_free = lf__recover(h, number);
            if (is_free)
                return LF_OK;
            h->participant = 0;
            lf__byte_lock(fd, F_OFD_SETLK, F_UNLCK, number, 1);
        }
    }
    return LF_NO_PARTICIPANT;
}

/* Maps the page that keeps the description of `fd`, and its lock, as long as this process lives, and no longer. */
LF_INLINE int lf__begin_life(struct lf_handle *h, int fd) {
    uint64_t table = offsetof(struct lf_segment, participants);
    int error = lf__allocate(h, table, table + sizeof(struct lf_participant) * ((uint64_t)h->participant + 1));
    if (error != 0) {
        errno = error;
        return lf_system_error(h, "taking memory for a participant");
    }
    void *life = mmap(NULL, 4096, PROT_NONE, MAP_SHARED, fd, 0);
    if (life != MAP_FAILED && madvise(life, 4096, MADV_DONTFORK) != 0) {
        munmap(life, 4096);
        life = MAP_FAILED;
    }
    if (life == MAP_FAILED)
        return lf_system_error(h, "mapping a participant's page");
    h->life = life;
    return LF_OK;
}

/* Takes a participant number for this handle: LF_NO_PARTICIPANT if 4,095 live ones hold them all; LF_SYSTEM. */
LF_INLINE int lf_join(struct lf_handle *h) {
    int fd = lf_segment_reopen(h->fd);
    if (fd < 0)
        return lf_system_error(h, "opening the segment's file again through /proc/self/fd");
    int status = LF_OK;
    if (lf__byte_lock(h->fd, F_OFD_SETLK, F_RDLCK, 0, 1) != 0) /* "in use"; refused while a sweeper has it */
        status = errno == EAGAIN || errno == EACCES ? LF_NO_PARTICIPANT : lf_system_error(h, "locking the file");
    if (status == LF_OK)
        status = lf__take_number(h, fd);
    if (status == LF_OK && (h->asymmetric || h->light))
        lf__join_fences(h->segment, lf_load_relaxed(&h->segment->highest) == 0);
    if (status == LF_OK)
        status = lf__begin_life(h, fd);
    close(fd); /* from now on only the mapping holds the byte */
    if (status != LF_OK) {
        h->participant = 0;
        return status;
    }
    struct lf_participant *me = &h->segment->participants[h->participant];
    lf_store_relaxed(&me->pid, (uint32_t)getpid());
    me->joined = lf_now();
    lf_store_relaxed(&me->seen, me->joined);
    lf_store_relaxed(&me->sleepers, 0u);
    lf_store_relaxed(&me->roles, 0u);
    lf_store_relaxed(&h->roles, 0u);
    lf_store_relaxed(&me->recovered, (uint64_t)0);
    lf_store_relaxed(&me->in_use, 1u);
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    while (highest < h->participant && !lf_cas_relaxed(&h->segment->highest, &highest, h->participant))
        ;
    h->joined = lf_process_epoch((struct lf_process *)(void *)(uintptr_t)h->current);
    lf_store_release(&h->epoch, h->joined); /* [N2] pairs with [N3] in lf_enter: the participant is readable */
    return LF_OK;
}

/* Whether this handle's participant is this process, and not its parent. */
LF_INLINE int lf__is_joined(const struct lf_handle *h) {
    return h->participant != 0 && h->joined == lf_load_relaxed(h->current);
}

/* lf_enter in a forked child: drops what belongs to the parent, finds the file, joins. */
LF_INLINE int lf__join_as_child(struct lf_handle *h) {
    h->participant = 0;
    h->life = NULL; /* the parent's page is not mapped in the child */
    lf_store_relaxed(&h->reaping, 0u);
    int inherited = lf_segment_file(h);
    if (inherited < 0)
        return lf__lost(h);
    int own = lf_segment_reopen(inherited);
    if (own < 0)
        return lf_system_error(h, "a forked child joins: opening the segment's file again through /proc/self/fd");
    close(inherited);
    h->fd = own;
    return lf_join(h);
}

/* The same for an object in a space, whose handle has entered. */
LF_INLINE void lf__follow_home(struct lf_handle *h) {
    h->participant = h->home->participant;
    lf_store_release(&h->epoch, h->home->joined); /* [N2] */
}

static int lf__enter_home(struct lf_handle *home) __attribute__((unused));

/* The rare part of lf_enter: the handle was closed, or this is a child that has not joined yet. */
static __attribute__((noinline, unused)) int lf__enter_slowly(struct lf_handle *h) {
    struct lf_process *process = (struct lf_process *)(void *)(uintptr_t)h->current;
    if (lf_load_relaxed(&h->closed) || h->segment == NULL || h->current == &lf__no_fork)
        return LF_CLOSED;
    struct lf_handle *home = h->home;
    int status = home != NULL ? lf__enter_home(home) : (int)LF_OK;
    if (status != LF_OK) {
        h->error = home->error;
        h->doing = home->doing;
        return status;
    }
    uint64_t epoch = lf_process_epoch(process);
    while (lf_exchange_acquire(&process->joining, 1u)) /* [N4] pairs with [N5]: another thread's joining is readable */
        lf_nap(50000);
    if (lf_load_relaxed(&h->closed))
        status = LF_CLOSED;
    else if (lf_load_relaxed(&h->epoch) != epoch && home != NULL)
        lf__follow_home(h);
    else if (lf_load_relaxed(&h->epoch) != epoch)
        status = lf__join_as_child(h);
    lf_store_release(&process->joining, 0u); /* [N5] */
    return status;
}

/* Would lf_enter have nothing to do? */
LF_INLINE int lf_is_entered(const struct lf_handle *h) {
    uint64_t epoch = lf_load_acquire(&h->epoch); /* [N3] pairs with [N2] */
    return LF_LIKELY(epoch > LF__CLOSED_EPOCH && epoch == lf_load_relaxed(h->current));
}
/* Every operation begins with this: LF_OK, LF_CLOSED, or why a forked child cannot join (LF_SYSTEM, LF_LOST,
 * LF_NO_PARTICIPANT). Two loads of process memory. */
LF_INLINE int lf_enter(struct lf_handle *h) { return lf_is_entered(h) ? (int)LF_OK : lf__enter_slowly(h); }

static int lf__enter_home(struct lf_handle *home) { return lf_enter(home); }

/* In a forked child: join now, and not at the first use. */
LF_INLINE int lf_after_fork(struct lf_handle *h) { return lf_enter(h); }

/* Gives back what this handle held, its number, its mapping and its file. No operation of this handle may be running.
 * It may be called for a handle whose creation failed, and in a child that has not joined: then what the parent has
 * stays. If giving back takes more than a piece, the rest is left to the others, as if this participant had died. */
LF_INLINE void lf_detach(struct lf_handle *h) {
    lf_store_relaxed(&h->closed, 1u);
    if (h->segment == NULL)
        return; /* the call that failed has closed the file already; in a zeroed handle `fd` is 0, standard input */
    if (h->home != NULL) { /* what the participant holds stays: other handles of the space may have the same object */
        h->epoch = LF__CLOSED_EPOCH;
        h->segment = NULL;
        return;
    }
    if (h->life != NULL && lf__is_joined(h)) {
        lf__recover(h, h->participant);
        munmap(h->life, 4096);
    }
    h->epoch = LF__CLOSED_EPOCH;
    h->participant = 0;
    h->life = NULL;
    lf_segment_unmap(h);
}

#endif /* LF_MODEL */

#endif
