"""A file lock that fails says why it failed; only a byte that somebody else holds counts as held."""

import errno
import os
import subprocess
import sys

import compilers
import pytest

FAILING_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

int fail_with;       /* an errno; 0: locks are as always */
int at_participants; /* 1: the write locks of participants; 0: the read lock that says "in use" */

static int control(const char *name, int fd, int command, void *argument) {
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    const struct flock *lock = argument;
    if (fail_with != 0 && command == F_OFD_SETLK && lock->l_type != F_UNLCK && (lock->l_type == F_WRLCK) == at_participants) {
        errno = fail_with;
        return -1;
    }
    return next(fd, command, argument);
}
#define THIRD(last) va_list values; va_start(values, last); void *third = va_arg(values, void *); va_end(values)
int fcntl(int fd, int command, ...) { THIRD(command); return control("fcntl", fd, command, third); }
int fcntl64(int fd, int command, ...) { THIRD(command); return control("fcntl64", fd, command, third); }
"""

JOINER = """
import ctypes, sys
import lockfree

kind, name, number, at = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
made = {"Mutex": (), "Semaphore": (3,), "MPMCRing": (4, 16), "PriorityQueue": (4, 16)}[kind]
levels = {"levels": 2} if kind == "PriorityQueue" else {}
shared = getattr(lockfree, kind)(*made, name=name, **levels)
shim = ctypes.CDLL(None)
ctypes.c_int.in_dll(shim, "at_participants").value = at
ctypes.c_int.in_dll(shim, "fail_with").value = number
try:
    getattr(lockfree, kind).attach(name)
    print("joined")
except OSError as error:
    print("OSError", error.errno, error)
except lockfree.SegmentError as error:
    print("SegmentError", error)
ctypes.c_int.in_dll(shim, "fail_with").value = 0
print(getattr(lockfree, kind).attach(name).closed)
shared.unlink()
"""


@pytest.fixture(scope="module")
def failing_locks(tmp_path_factory):
    source = tmp_path_factory.mktemp("locks") / "locks.c"
    source.write_text(FAILING_LOCKS)
    library = source.with_suffix(".so")
    subprocess.run([*compilers.needed("c"), "-shared", "-fPIC", str(source), "-o", str(library), "-ldl"], check=True)
    return library


def join(library, *args):
    done = subprocess.run(
        [sys.executable, "-c", JOINER, *map(str, args)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said, afterwards = done.stdout.splitlines()
    assert afterwards == "False", "the next one joins"
    return said


@pytest.mark.parametrize("at", [0, 1], ids=["the file's", "a participant's"])
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EINVAL, errno.ENOMEM, errno.EIO], ids=errno.errorcode.get)
def test_a_lock_that_fails_says_why(failing_locks, shm_name, number, at):
    said = join(failing_locks, "MPMCRing", shm_name, number, at)
    assert said.startswith(f"OSError {number} ")
    assert os.strerror(number) in said
    assert "held by live processes" not in said


@pytest.mark.parametrize("kind", ["Mutex", "Semaphore", "PriorityQueue"])
def test_so_it_is_for_every_kind(failing_locks, shm_name, kind):
    assert join(failing_locks, kind, shm_name, errno.ENOLCK, 1).startswith(f"OSError {errno.ENOLCK} ")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES], ids=errno.errorcode.get)
def test_a_byte_that_is_held_counts_as_held(failing_locks, shm_name, number):
    said = join(failing_locks, "MPMCRing", shm_name, number, 1)
    assert said.startswith("SegmentError")
    assert "4,095 participant numbers are held by live processes" in said
