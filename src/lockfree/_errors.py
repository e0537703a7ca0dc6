"""The exceptions of the package, and the one place where a C status becomes one."""

import os
import queue
from typing import Any, NoReturn

from lockfree._native import ffi, lib


class LockfreeError(Exception):
    """Base of everything this package raises of its own."""


class SegmentError(LockfreeError):
    """A segment is not ours, too old or new, truncated, corrupted or of another kind: found and expected are named."""


class Closed(LockfreeError):
    """The object was closed here (`close`) or ended for everybody (`shutdown`)."""


class RoleTaken(LockfreeError):
    """Somebody alive is the producer (or the consumer) of this single-producer single-consumer ring."""


class OwnerDied(LockfreeError):
    """The lock is held by the caller now; its last holder died with it. Repair what it guards, then `recover()`."""


class NotRecoverable(LockfreeError):
    """The lock was released after `OwnerDied` without `recover()`: what it guards is inconsistent for good."""


class Status:
    """`enum lf_status` of base.h."""

    OK = 0
    FULL = -1
    EMPTY = -2
    TIMEDOUT = -3
    INTERRUPTED = -4
    CLOSED = -5
    ROLE_TAKEN = -6
    OWNER_DIED = -7
    NOT_OWNER = -8
    NOT_RECOVERABLE = -9
    DEADLOCK = -10
    TOO_LONG = -11
    OVERFLOW = -12
    INVALID = -13
    CORRUPT = -14
    NO_PARTICIPANT = -15
    MISMATCH = -16
    SYSTEM = -17
    BUSY = -18


OK, FULL, EMPTY, TIMEDOUT, INTERRUPTED, INVALID = 0, -1, -2, -3, -4, -13

_MESSAGES: dict[int, tuple[type[Exception], str]] = {
    Status.FULL: (queue.Full, ""),
    Status.EMPTY: (queue.Empty, ""),
    Status.CLOSED: (Closed, "the object is closed"),
    Status.ROLE_TAKEN: (RoleTaken, "the role is held by somebody alive: one producer and one consumer at a time"),
    Status.OWNER_DIED: (OwnerDied, "the last holder died with the lock; it is yours now: repair, then recover()"),
    Status.NOT_OWNER: (RuntimeError, "released by a thread that does not hold it"),
    Status.NOT_RECOVERABLE: (NotRecoverable, "released after OwnerDied without recover()"),
    Status.DEADLOCK: (RuntimeError, "this thread holds the lock already and would wait for itself for ever"),
    Status.INVALID: (ValueError, "an argument is out of its bounds"),
    Status.CORRUPT: (SegmentError, "shared memory holds what this library cannot have written"),
    Status.NO_PARTICIPANT: (SegmentError, "all 255 participant numbers are held by live processes"),
    Status.BUSY: (RuntimeError, "this thread already has one in hand, or has none to give back"),
}


def raise_status(status: int, what: str, handle: Any = None) -> NoReturn:
    """Raises the exception for a negative status; `what` names the object or argument it is about."""
    if status == Status.SYSTEM and handle is not None:
        raise OSError(handle.error, os.strerror(handle.error), what)
    if status == Status.MISMATCH and handle is not None:
        field = ffi.string(handle.mismatch).decode()
        found, expected = handle.found, handle.expected
        shown = "{:#x}" if field in {"magic", "checksum of the identity"} else "{}"
        raise SegmentError(
            f"{what}: {field}: found {shown.format(found)}, expected {shown.format(expected)}",
        )
    kind, message = _MESSAGES.get(status, (LockfreeError, f"status {status}"))
    raise kind(f"{what}: {message}" if message else what)


# The C side of the bound calls raises through this function.
if lib.lf_py_fast_install() != 0:
    raise ImportError("the bound calls of lockfree._native._core did not install")
