"""What a child process says, line by line, as long as it gets on."""

import os
import select
import time
from collections.abc import Callable, Iterator


class Silent(Exception):
    """The child makes no progress, or says what is no line; the text says which."""


MOST_SAID = 1 << 24
"""Bytes without an end of a line after which nobody listens any more."""


def lines(
    descriptor: int, used: Callable[[], float], rests: Callable[[], bool], silent: float, what: str
) -> Iterator[bytes]:
    """The lines that come from a pipe, which this closes. Raises `Silent`.

    used: seconds of processor time that the child has used. rests: whether no thread of it runs or wants to.
    silent: so many seconds of processor time may pass between two lines, and twice as many while it rests.
    what: the place in which a child is that uses the processor and says nothing.
    """
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        rest, moved, spent, before = b"", time.monotonic(), 0.0, -1.0
        while True:
            if select.select([pipe], [], [], 0.5)[0]:
                more = pipe.read(1 << 16)
                if not more:
                    return
                *whole, rest = (rest + more).split(b"\n")
                yield from whole
                if whole:
                    spent = used()
                if len(rest) > MOST_SAID:
                    raise Silent(f"it writes {MOST_SAID:,} bytes without an end of a line where reports are expected")
            if (now := used()) > before:
                before, moved = now, time.monotonic()
            if now - spent > silent:
                raise Silent(f"no progress: {silent:g} s of CPU time {what}, and no step of the scheduler")
            late = time.monotonic() - moved > 2 * silent
            if late and rests() and not select.select([pipe], [], [], 0)[0]:  # else it has just ended
                raise Silent(f"no progress: it waits for something, and nothing happens for {2 * silent:g} s")
