"""Turns time-outs of Python into deadlines of the C core. The C types do the same (_native/common/arguments.h)."""

import math
import time
from typing import Final

from lockfree._errors import shown

FOREVER: Final = 2**64 - 1
NOW: Final = 0
LONGEST: Final = 9223372036
"""Seconds: the longest time-out that threading takes, 292 years."""


def _number(seconds: object) -> float | None:
    """Seconds as a number, None if they are none; one beyond doubles becomes an infinite one."""
    if hasattr(type(seconds), "__float__") or hasattr(type(seconds), "__index__"):
        try:
            return float(seconds)  # type: ignore[arg-type]
        except OverflowError:
            return -math.inf if isinstance(seconds, int) and seconds < 0 else math.inf
        except (TypeError, ValueError):
            pass
    return None


def _seconds(timeout: object, none: str) -> float:
    seconds = _number(timeout)
    if seconds is None:
        raise TypeError(f"timeout is {shown(timeout)}: it must be {none} or a number of seconds")
    return seconds


def span(name: str, given: object, least: float) -> int:
    """Nanoseconds of a time that is no time-out, `least` seconds at least. TypeError, ValueError or OverflowError."""
    seconds = _number(given)
    if seconds is None:
        raise TypeError(f"{name} is {shown(given)}: it must be a number of seconds")
    if math.isnan(seconds) or seconds < least:
        raise ValueError(f"{name} is {shown(given)}: it must be a number of seconds >= {least}")
    if seconds > LONGEST:
        raise OverflowError(f"{name} is {shown(given)}: it must be at most {LONGEST} seconds (292 years)")
    return int(seconds * 1e9)


def _nanoseconds(timeout: object, none: str, seconds: float) -> int:
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"timeout is {shown(timeout)}: it must be {none} or a number of seconds >= 0")
    if seconds > LONGEST:
        raise OverflowError(
            f"timeout is {shown(timeout)}: it must be at most {LONGEST} seconds (292 years), or {none} to wait for ever"
        )
    return math.ceil(seconds * 1e9)


def patience(block: object, timeout: object) -> int:
    """Nanoseconds that a call of a container may wait, as with `queue.Queue`: NOW without `block`, FOREVER without
    `timeout`. A time-out that has no effect, without `block`, must be a number, and may be below 0.
    """
    if not block:
        remaining(timeout)
        return NOW
    return FOREVER if timeout is None else _nanoseconds(timeout, "None", _seconds(timeout, "None"))


def remaining(timeout: object) -> int:
    """The same for calls without `block`, as with the `wait` of threading: a time-out below 0 has passed already, as a
    program finds that computes what is left until a deadline.
    """
    return FOREVER if timeout is None else _nanoseconds(timeout, "None", _at_least_0(_seconds(timeout, "None")))


def _at_least_0(seconds: float) -> float:
    return 0.0 if seconds < 0 else seconds


def _lock_patience(blocking: object, timeout: object, none: str) -> int:
    if timeout is None:
        return FOREVER if blocking else NOW
    seconds = _seconds(timeout, none)
    if none == "-1" and seconds == -1:
        return FOREVER if blocking else NOW
    wait = _nanoseconds(timeout, none, seconds if none == "-1" else _at_least_0(seconds))
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    return wait


def either(blocking: object, block: object) -> object:
    """`blocking` of an `acquire`, which `multiprocessing` calls `block`."""
    if block is None:
        return blocking
    if blocking is not True:
        raise TypeError("acquire() got multiple values for argument 'block'")
    return block


def lock_patience(blocking: object, timeout: object) -> int:
    """The same for locks, with the conventions of `threading.Lock.acquire`: -1 waits for ever."""
    return _lock_patience(blocking, timeout, "-1")


def semaphore_patience(blocking: object, timeout: object) -> int:
    """The same with the conventions of `threading.Semaphore.acquire`: None waits for ever, below 0 is no wait."""
    return _lock_patience(blocking, timeout, "None")


def deadline(block: object, timeout: object) -> int:
    """The `until` of a container's call that begins now."""
    return until(patience(block, timeout))


def until(wait: int) -> int:
    """Nanoseconds of the monotonic clock at which a wait that begins now gives up."""
    return wait if wait in {NOW, FOREVER} else time.monotonic_ns() + wait
