"""Which processes use an object, what they hold and wait for, what was counted; read through its own mapping."""

import time
from typing import Literal, NamedTuple, get_args

from lockfree._errors import OK, raise_status
from lockfree._native import ffi, lib

Role = Literal["producer", "consumer"]


class Peer(NamedTuple):
    """A participant. `since` and `last_seen` are times as `time.time()` gives them."""

    number: int
    pid: int
    alive: bool
    """As the kernel says. A dead one is listed until what it held has been given back."""
    threads: int | None
    """Of its process; None if that cannot be read."""
    since: float
    last_seen: float
    """When it last began to wait, or was woken; `since` if it never slept. A process that never waits is not seen."""
    waiting: int
    """Its threads that sleep in a call of this object now."""
    roles: tuple[Role, ...]
    """What it has called of a container: put, get."""
    holds: int
    """Locks, permits, slots and records in hand, blocks, roles: whatever this object hands out."""


def threads_of(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("Threads:")), None)
    except OSError:
        return None


class Survey:
    """One look at a segment. Takes the descriptor over. SegmentError if it is no object of this primitive."""

    def __init__(self, primitive: str, fd: int, title: str) -> None:
        self._raw = ffi.new("struct lf_py_survey *")
        status = getattr(lib, f"lf_py_{primitive}_survey")(fd, self._raw)
        if status != OK:
            raise_status(status, title, self._raw)

    def peers(self) -> list[Peer]:
        raw = self._raw
        offset = time.time() - raw.now / 1e9
        found = []
        for i in range(raw.count):
            one = raw.peers[i]
            roles: list[Role] = [role for bit, role in enumerate(get_args(Role)) if one.roles >> bit & 1]
            alive = bool(one.alive)
            found.append(
                Peer(
                    one.number,
                    one.pid,
                    alive,
                    threads_of(one.pid) if alive else None,
                    offset + one.joined / 1e9,
                    offset + one.seen / 1e9,
                    one.sleepers,
                    tuple(roles),
                    raw.holds[one.number],
                )
            )
        return found

    def stats(self) -> dict[str, int]:
        raw = self._raw
        names = ("puts", "gets", "inside", "room", "refusals", "sleeps", "wakes", "recoveries")
        return {name: count for name in names if (count := int(getattr(raw, name))) >= 0}

    @property
    def ending(self) -> int:
        """0: open; 1: shut down, and being drained; 2: ended."""
        return int(self._raw.ending)
