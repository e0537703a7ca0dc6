/* attach.h: publishing a new segment, attaching to one, and removing the names of segments that nobody alive uses.
 *
 * Contract
 *   lf_segment_publish joins the segment and gives it its name in one step. lf_segment_attach finds a whole segment or
 *   none. The segment it returns was not swept meanwhile. lf_segment_sweep removes a name only while nobody alive has
 *   the segment open or mapped.
 * Progress: nothing blocks, except that attaching waits up to a second for a sweeper that was stopped half-way.
 * Death: a sweeper or an attacher may die at any instruction. The name then stands for a whole segment or for none. */
#ifndef LOCKFREE_ATTACH_H
#define LOCKFREE_ATTACH_H

#include "peers.h"

#ifndef LF_MODEL
/* Whether anybody alive uses this segment, as the kernel says. For `lockfree ls` and `gc`. */
LF_INLINE int lf_segment_in_use(struct lf_handle *h) {
    return lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, 0, LF_PARTICIPANTS) != 0;
}

/* Removes a named segment that nobody alive holds: 1 removed, 0 in use, else a status. */
LF_INLINE int lf_segment_sweep(struct lf_handle *h, const char *name) {
    struct stat named;
    char path[256];
    if (lf_segment_path(path, name) != LF_OK)
        return LF_INVALID;
    if (lf__byte_lock(h->fd, F_OFD_SETLK, F_WRLCK, 0, LF_PARTICIPANTS) != 0)
        return 0;
    /* While we hold all bytes, nobody can join. A joiner that opened the file before will find it unlinked. */
    int status = LF_OK;
    if (stat(path, &named) != 0)
        status = lf_system_error(h, "looking at the name");
    else if (h->device == named.st_dev && h->inode == named.st_ino && unlink(path) == 0)
        status = 1;
    lf__byte_lock(h->fd, F_OFD_SETLK, F_UNLCK, 0, LF_PARTICIPANTS);
    return status;
}

/* Why a segment did not get its name. */
LF_INLINE int lf__not_named(struct lf_handle *h, const char *path) {
    int reason = errno;
    const char *doing = reason == EEXIST ? lf__taken_by(path) : "giving the segment its name";
    errno = reason;
    return lf_system_error(h, doing);
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
            status = lf__not_named(h, path);
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
        status = lf_join(h);
        if (status == LF_OK) {
            if (fstat(h->fd, &file) == 0 && file.st_nlink > 0)
                return LF_OK;
            lf_detach(h); /* swept: look the name up again */
            continue;
        }
        /* Only a sweeper has byte 0 for itself; asked first, since a sweep that is over shows in the file. */
        int sweeping = lf__byte_lock(h->fd, F_OFD_GETLK, F_RDLCK, 0, 1) > 0;
        int swept = fstat(h->fd, &file) == 0 && file.st_nlink == 0;
        lf_segment_unmap(h);
        if (status != LF_NO_PARTICIPANT || (!swept && (!sweeping || lf_now() > patience)))
            return status;
        sched_yield();
    }
}

/* Attach through a descriptor from another process. Takes the descriptor over. */
LF_INLINE int lf_segment_attach_fd(struct lf_handle *h, int fd, const struct lf_kind *kind) {
    int own = lf_segment_reopen(fd);
    if (own < 0) {
        lf__handle_clear(h);
        lf_system_error(h, "opening the segment's file again through /proc/self/fd");
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

#endif
