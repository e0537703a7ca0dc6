"""A filter on the system calls of the process in which an answer in Python runs (seccomp, Linux).

The screen keeps answers from the modules that make such calls. This is the second wall: whatever gets past the screen
can start no process, signal none, write no file and open no socket. A refused call fails with EPERM, which is an
exception in Python. Threads, reading files and what is open already go on.
"""

import ctypes
import os
import platform
import struct

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
ALLOW = 0x7FFF0000
REFUSE = 0x00050001  # EPERM
UNKNOWN = 0x00050026  # ENOSYS: the caller takes an older call, whose arguments the filter can see
CLONE_THREAD = 0x10000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
LOAD, EQUAL, ANY_OF, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16

COMMON = {"pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat2": 437}
CALLS = {
    "x86_64": {
        "open": 2, "socket": 41, "connect": 42, "bind": 49, "clone": 56, "fork": 57, "vfork": 58, "execve": 59,
        "kill": 62, "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86,
        "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "ptrace": 101, "setpgid": 109, "setsid": 112,
        "settimeofday": 164, "mount": 165, "umount2": 166, "reboot": 169, "sethostname": 170, "tkill": 200,
        "clock_settime": 227, "tgkill": 234, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264,
        "linkat": 265, "symlinkat": 266, "fchmodat": 268, "unshare": 272, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "renameat2": 316, "memfd_create": 319, "bpf": 321, "execveat": 322, **COMMON,
    },
    "aarch64": {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "umount2": 39, "mount": 40,
        "truncate": 45, "ftruncate": 46, "fchmod": 52, "fchmodat": 53, "openat": 56, "unshare": 97,
        "clock_settime": 112, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "reboot": 142, "setpgid": 154,
        "setsid": 157, "sethostname": 161, "settimeofday": 170, "socket": 198, "bind": 200, "connect": 203,
        "clone": 220, "execve": 221, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
        "renameat2": 276, "memfd_create": 279, "bpf": 280, "execveat": 281, **COMMON,
    },
}  # fmt: skip
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OLDER = {"clone3", "openat2"}
FLAGS = {"open": 1, "openat": 2}
"""Calls that are refused for some flags only, and the argument that holds these."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _argument(number: int) -> bytes:
    return _instruction(LOAD, ARGUMENTS + 8 * number)


def program(machine: str, process: int) -> bytes:
    """The filter for a machine, for the process of this id."""
    calls = CALLS[machine]
    code = [
        _instruction(LOAD, ARCHITECTURE), _instruction(EQUAL, AUDIT[machine], 1), _instruction(RETURN, REFUSE),
        _instruction(LOAD, NUMBER),
    ]  # fmt: skip
    for name, number in calls.items():
        if name in FLAGS:
            then = [_argument(FLAGS[name]), _instruction(ANY_OF, WRITING, 0, 1), _instruction(RETURN, REFUSE)]
        elif name == "clone":
            then = [_argument(0), _instruction(ANY_OF, CLONE_THREAD, 1), _instruction(RETURN, REFUSE)]
        elif name == "tgkill":  # abort() of the process itself
            then = [_argument(0), _instruction(EQUAL, process, 1), _instruction(RETURN, REFUSE)]
        else:
            then = [_instruction(RETURN, UNKNOWN if name in OLDER else REFUSE)]
        if len(then) > 1:
            then.append(_instruction(RETURN, ALLOW))
        code += [_instruction(EQUAL, number, 0, len(then)), *then]
    return b"".join([*code, _instruction(RETURN, ALLOW)])


def forbid() -> bool:
    """Puts the filter on this process, for ever. False where the machine or its kernel has none."""
    machine = platform.machine()
    if machine not in CALLS:
        return False
    code = program(machine, os.getpid())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    made = _Program(len(code) // 8, code)
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(made), 0, 0) == 0)
