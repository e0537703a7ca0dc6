"""The exceptions of the package, and the one place where a C status becomes one."""

import errno
import os
import queue
import stat
import threading
from typing import Any, NoReturn

from lockfree import _native
from lockfree._names import class_of
from lockfree._native import ffi, lib

__all__ = [
    "Closed",
    "Dropped",
    "LockfreeError",
    "NotRecoverable",
    "OwnerDied",
    "PeerDied",
    "RoleTaken",
    "SegmentError",
    "ShutDown",
    "Superseded",
]


class LockfreeError(Exception):
    """Base of everything this package raises of its own."""


class SegmentError(LockfreeError):
    """A segment is not ours, too old or new, truncated, corrupted or of another kind: found and expected are named."""


class Closed(LockfreeError):
    """The object was closed here (`close`) or ended for everybody (`shutdown`)."""


class ShutDown(Closed, getattr(queue, "ShutDown", Exception)):  # type: ignore[misc]
    """The queue was ended for everybody (`shutdown`). It is a `queue.ShutDown`, too, from Python 3.13 on."""


class Dropped(LockfreeError):
    """A reader of a BroadcastRing with `slow="drop"` fell too far behind. It has to join again."""


class PeerDied(LockfreeError):
    """Nobody is left who could end the wait: the last producer (or consumer) has died, or has left. All that was inside
    has been taken.
    """


class RoleTaken(LockfreeError):
    """Somebody alive is the producer (or the consumer) of this single-producer single-consumer ring."""


class Superseded(LockfreeError):
    """Another participant has taken over all that this one held. Attach again to go on."""


class OwnerDied(LockfreeError):
    """The lock is held by the caller now; its last holder died with it. Repair what it guards, then `recover()`."""


class NotRecoverable(LockfreeError):
    """The lock was released after `OwnerDied` without `recover()`: what it guards is inconsistent for good."""


OK, FULL, EMPTY, TIMEDOUT, INTERRUPTED = lib.LF_OK, lib.LF_FULL, lib.LF_EMPTY, lib.LF_TIMEDOUT, lib.LF_INTERRUPTED
OWNER_DIED = lib.LF_OWNER_DIED

_PARTICIPANTS = lib.LF_PARTICIPANTS - 1
MESSAGES: dict[int, tuple[type[Exception], str]] = {
    lib.LF_FULL: (queue.Full, ""),
    lib.LF_EMPTY: (queue.Empty, ""),
    lib.LF_CLOSED: (Closed, "the object is closed"),
    lib.LF_OWNER_DIED: (OwnerDied, "the last holder died with the lock; it is yours now: repair, then recover()"),
    lib.LF_PY_WRITER_DIED: (OwnerDied, "the last writer died while it wrote: a writer must repair, then recover()"),
    lib.LF_NOT_OWNER: (RuntimeError, "release_role() of a role that this thread does not hold"),
    lib.LF_NOT_RECOVERABLE: (NotRecoverable, "released after OwnerDied without recover(): it is unusable for good"),
    lib.LF_DEADLOCK: (RuntimeError, "this thread holds the lock already and would wait for itself for ever"),
    lib.LF_BROKEN: (threading.BrokenBarrierError, "it is broken: reset() makes it new"),
    lib.LF_INVALID: (ValueError, "an argument is out of its bounds"),
    lib.LF_CORRUPT: (SegmentError, "shared memory holds what this library cannot have written"),
    lib.LF_NO_PARTICIPANT: (
        SegmentError,
        f"all {_PARTICIPANTS:,} participant numbers are held by live processes: peers() shows them; close() frees one",
    ),
    lib.LF_SUPERSEDED: (Superseded, "another participant has taken over all that this one held; attach again to go on"),
    lib.LF_BUSY: (RuntimeError, "this thread already has one in hand, or has none to give back"),
}


def shown(value: object) -> str:
    """A value as messages show it: its repr, at most 60 characters; its type if it has none."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  an int of 5,000 digits is ValueError, and a repr of a user's may be anything
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def brief(dtype: Any) -> str:
    """A NumPy dtype as messages show it: at most 120 characters, and of a longer one the number of its fields."""
    text = str(dtype)
    if len(text) <= 120:
        return text
    return f"{text[:117]}..." + (f" of {len(dtype.names)} fields" if dtype.names else "")


def shown_fields(names: tuple[str, ...]) -> str:
    """The names of a dtype's fields as messages show them."""
    return f"{len(names)} fields {shown(names)}"


SHUT_DOWN = "the object was shut down"
NEVER_MADE = "the object was never made: its __init__() did not run to its end"

_TYPES_OF_FILE = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}

_WAY_OUT = {
    errno.EEXIST: "; attach() and open() use the segment of this name, and `lockfree gc` removes it once nobody does",
    errno.ENOENT: "; no segment has this name, and `lockfree ls` shows those that exist",
    errno.EMFILE: "; each object takes a descriptor, so close() some, or raise the limit (`ulimit -n`, RLIMIT_NOFILE)",
    errno.ENOMEM: "; a limit of this process, of its control group or of the machine leaves no room",
    errno.EACCES: "; the file is for the user who made it (mode 0600): use the object once before you change the user",
    errno.EFBIG: "; this process may make no file as large (`ulimit -f`, RLIMIT_FSIZE)",
    errno.ENOSPC: "; the memory file system is full, and `lockfree gc` removes segments that nobody uses",
}

_OF_A_NEW_FILE = {
    errno.ENOENT: "; objects with a name need /dev/shm, which is not there",
    errno.EACCES: "; objects with a name need /dev/shm, and this user may not write there",
    errno.EROFS: "; objects with a name need /dev/shm, where nobody may write",
}


def _system_error(number: int, what: str, doing: str, way_out: str = "") -> OSError:
    """The OSError for an errno, which names a way out."""
    if number == errno.ENOENT and "/proc" in doing:
        way_out = "; it needs /proc, which is not mounted here"
    if doing.startswith("a new file in "):
        way_out = _OF_A_NEW_FILE.get(number, way_out)
    text = os.strerror(number) + (way_out or _WAY_OUT.get(number, ""))
    return OSError(number, text + (f" ({doing})" if doing else ""), what)


def refusal(error: OSError, what: str, doing: str) -> OSError:
    """An error of a system call as one that says what it was about, and names a way out."""
    return _system_error(error.errno or 0, what, doing)


def why_closed(handle: Any) -> str:
    """Why a handle, whose `closed` is not 0, cannot be used."""
    made = getattr(handle, "h", handle).closed != lib.LF_PY_NEVER_MADE
    return MESSAGES[lib.LF_CLOSED][1] if made else NEVER_MADE


def raise_death(status: int, what: str, pid: int) -> NoReturn:
    """As `raise_status` for a status that tells of a death, with the process that died."""
    kind, text = MESSAGES[status]
    raise kind(f"{what}: {text.replace(' died', f', process {pid}, died', 1)}")


def raise_status(status: int, what: str, handle: Any = None) -> NoReturn:
    """Raises the exception for a negative status; `what` names the object or argument it is about.

    `handle` is a struct lf_handle, or a struct that begins with one as `h`.
    """
    if status == lib.LF_CLOSED and handle is not None:
        raise Closed(f"{what}: {why_closed(handle) if getattr(handle, 'h', handle).closed else SHUT_DOWN}")
    if status == lib.LF_ROLE_TAKEN:
        raise RoleTaken(f"{what}: {_role(handle)}")
    handle = getattr(handle, "h", handle)
    if status == lib.LF_PEER_DIED and handle is not None:
        raise PeerDied(f"{what}: {_gone(what, handle)}")
    if status == lib.LF_SYSTEM and handle is not None:
        doing = ffi.string(handle.doing).decode() if handle.doing else ""
        way_out = ""
        if doing.startswith(("the name is taken by", "the name stands for")):
            way_out = f"; {doing}"
            doing = ""
        if doing == "the name is taken":  # the way out says as much
            doing = ""
        raise _system_error(handle.error, what, doing, way_out)
    if status == lib.LF_LOST and handle is not None:
        raise OSError(handle.error, ffi.string(handle.doing).decode(), what)
    if status == lib.LF_MISMATCH and handle is not None:
        field = ffi.string(handle.mismatch).decode()
        found, expected = handle.found, handle.expected
        if field == "type of the file":
            found, expected = _TYPES_OF_FILE.get(found, "?"), "a regular file"
        elif field == "kind":
            found, expected = _kind(found), _kind(expected)
        shown = "{:#x}" if field in {"magic", "checksum of the identity"} else "{}"
        made = "; another version of this package made it: use that one, or remove the file" if "ABI" in field else ""
        raise SegmentError(f"{what}: {field}: found {shown.format(found)}, expected {shown.format(expected)}{made}")
    kind, message = MESSAGES.get(status, (LockfreeError, f"status {status}"))
    raise kind(f"{what}: {message}" if message else what)


def _kind(number: int) -> str:
    """The class of a kind of segments; the number of one that is none."""
    name = lib.lf_py_kind_name(number)
    return str(number) if name == ffi.NULL else class_of(ffi.string(name).decode())


def _role(ring: Any) -> str:
    """Which role was refused, and who holds it."""
    holder = f"thread {ring.holder_thread} of process {ring.holder_pid}" if ring.holder_pid else "nobody any more"
    if not hasattr(ring, "refused"):
        return f"the writer is {holder}: one at a time"
    role = "consumer" if ring.refused else "producer"
    return f"the role of the {role} is taken by {holder}: one producer and one consumer at a time"


_OF_QUEUES = ("producer", "consumer"), "nothing is inside"
_SIDES = {
    "BroadcastRing": (("writer", "reader"), "nothing is inside"),
    "LatestValue": (("writer", "reader"), "no newer value was set"),
}
"""What the two sides are called, and what is missing when the first one is gone."""


def _gone(what: str, handle: Any) -> str:
    """The last one that could have ended a wait and went."""
    died, pid, kind = ffi.new("int *"), ffi.new("uint32_t *"), ffi.new("uint32_t *")
    pointer = handle if ffi.typeof(handle).kind == "pointer" else ffi.addressof(handle)
    role = handle.error & 3
    if lib.lf_py_gone(pointer, role, pid, died, kind) != OK:  # it was closed since
        raise Closed(f"{what}: {MESSAGES[lib.LF_CLOSED][1]}")
    sides, missing = _SIDES.get(_kind(kind[0]), _OF_QUEUES)
    side, missing = sides[role - 1], missing if role == 1 else "there is no room"
    if role != handle.error:
        missing = "nobody would read it"
    return f"the last {side}, process {pid[0]}, has {'died' if died[0] else 'left'}, and {missing}"


# C code raises what stands in the table by itself, and the rest through this function.
_native._set_errors(raise_status, MESSAGES, NEVER_MADE)  # type: ignore[attr-defined]
