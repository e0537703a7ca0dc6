/* attach.c: how a process of the kill point comes to the object, and leaves it. */
#include "kill.h"

#include <fcntl.h>

int kill_attach_to(pid_t owner, int descriptor) {
    const struct kill_subject *subject = kill_now.subject;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)owner, descriptor);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int status = fd < 0 ? LF_SYSTEM : lf_segment_attach_fd(subject->handle, fd, subject->kind);
    if (status == LF_OK && subject->attached != NULL)
        subject->attached();
    return status;
}

void kill_attach_self(void) {
    const struct kill_subject *subject = kill_now.subject;
    int fd = dup(subject->handle->fd);
    if (subject->handle->segment == NULL)
        return; /* the object belongs to another process */
    if (lf_segment_attach_fd(subject->handle, fd, subject->kind) != LF_OK)
        _exit(98);
    subject->handle->spins = 16; /* few but not none: two looks, then sleep */
    if (subject->attached != NULL)
        subject->attached();
}

void kill_let_go(void) {
    if (kill_now.subject->handle->segment != NULL)
        lf_detach(kill_now.subject->handle);
}
