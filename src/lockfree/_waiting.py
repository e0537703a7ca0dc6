"""Time-outs of the Python face become deadlines of the C core."""

import math
import time

FOREVER = 2**64 - 1
NOW = 0


def deadline(block: bool, timeout: float | None) -> int:
    """Nanoseconds of the monotonic clock at which to give up; NOW tries once, FOREVER never gives up.

    `timeout` counts in seconds, None waits for ever; a negative one or NaN is ValueError, as in `queue.Queue`.
    """
    if not block:
        return NOW
    if timeout is None:
        return FOREVER
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        timeout = _as_seconds(timeout)
    if math.isnan(timeout) or timeout < 0:
        raise ValueError(f"timeout is {timeout!r}: it must be None or a number of seconds >= 0")
    if timeout == 0:
        return NOW
    if timeout > 1e9:
        return FOREVER
    return time.monotonic_ns() + max(1, int(timeout * 1e9))


def _as_seconds(timeout: object) -> float:
    try:
        return float(timeout)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"timeout is {timeout!r}: it must be None or a number of seconds") from None


def lock_deadline(blocking: bool, timeout: float) -> int:
    """The same for locks, with the conventions of `threading.Lock.acquire`: -1 waits for ever."""
    if timeout == -1:
        return FOREVER if blocking else NOW
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    return deadline(True, timeout)
