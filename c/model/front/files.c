/* files.c: calls that work on files. What is only read is the same in every execution; whatever else a program does to
 * files would not be put back, so it is refused. */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static int opened(const char *path, int flags, uint64_t pc) {
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0)
        fail("unusable client", "T%d opens %s for writing: files are not modelled @%lx@", current_thread(), path,
             (unsigned long)pc);
    int file = open(path, flags);
    if (file < 0)
        fail("unusable client", "T%d cannot open %s (%s): files are not modelled @%lx@", current_thread(), path,
             strerror(errno), (unsigned long)pc);
    return file;
}

int lf_libc_open(const char *path, int flags, ...);
int lf_libc_open(const char *path, int flags, ...) { return opened(path, flags, PC); }
int lf_libc_open64(const char *path, int flags, ...) __attribute__((alias("lf_libc_open")));

/* A descriptor that is not open is a mistake, whatever the program makes of the answer. */
static long done(const char *call, int file, long result, uint64_t pc) {
    int error = errno;
    if (result < 0 && error == EBADF)
        fail("bad descriptor", "T%d calls %s with %d, which is no open file @%lx@", current_thread(), call, file,
             (unsigned long)pc);
    errno = error;
    return result;
}

int lf_libc_close(int file);
int lf_libc_close(int file) { return (int)done("close", file, close(file), PC); }
int lf_libc_fsync(int file);
int lf_libc_fsync(int file) { return (int)done("fsync", file, fsync(file), PC); }
off_t lf_libc_lseek(int file, off_t offset, int whence);
off_t lf_libc_lseek(int file, off_t offset, int whence) {
    return (off_t)done("lseek", file, lseek(file, offset, whence), PC);
}
ssize_t lf_libc_read(int file, void *to, size_t size);
ssize_t lf_libc_read(int file, void *to, size_t size) {
    long got = done("read", file, read(file, to, size), PC);
    if (got > 0)
        plain_access(AT(to), (size_t)got, true, PC);
    return got;
}
ssize_t lf_libc_pread(int file, void *to, size_t size, off_t offset);
ssize_t lf_libc_pread(int file, void *to, size_t size, off_t offset) {
    long got = done("pread", file, pread(file, to, size, offset), PC);
    if (got > 0)
        plain_access(AT(to), (size_t)got, true, PC);
    return got;
}
ssize_t lf_libc_pread64(int file, void *to, size_t size, off_t offset) __attribute__((alias("lf_libc_pread")));
ssize_t lf_libc_write(int file, const void *from, size_t size);
ssize_t lf_libc_write(int file, const void *from, size_t size) {
    plain_access(AT(from), size, false, PC);
    return done("write", file, write(file, from, size), PC);
}

#define CHANGES_FILES(name)                                                                                            \
    void lf_libc_##name(void);                                                                                         \
    void lf_libc_##name(void) {                                                                                        \
        fail("unusable client", "T%d calls " #name ": files are not modelled @%lx@", current_thread(),                 \
             (unsigned long)PC);                                                                                       \
    }
CHANGES_FILES(creat)
CHANGES_FILES(creat64)
CHANGES_FILES(openat)
CHANGES_FILES(pwrite)
CHANGES_FILES(pwrite64)
CHANGES_FILES(truncate)
CHANGES_FILES(ftruncate)
CHANGES_FILES(rename)
CHANGES_FILES(link)
CHANGES_FILES(unlink)
CHANGES_FILES(pipe)
CHANGES_FILES(eventfd)
CHANGES_FILES(socket)
