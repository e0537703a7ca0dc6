"""Which processes use an object, what they hold and wait for, what was counted; read through its own mapping."""

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, get_args

from lockfree._errors import OK, raise_status, shown
from lockfree._long import AS_THE_OBJECT, RAISES, WAITS
from lockfree._native import ffi, lib
from lockfree._spin import Waiter
from lockfree._types import PeerDeath

if TYPE_CHECKING:
    from lockfree._long import OnSlow

Role = Literal["producer", "consumer"]
PRODUCES, CONSUMES = 1, 2


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
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
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


class Conveyor(Waiter):
    """A container with producers and consumers, whose waits can end with the last of them."""

    _peer_death: PeerDeath = "wait"

    @property
    def peer_death(self) -> PeerDeath:
        """What a wait of this process does when nobody is left who could end it: "wait" for somebody new, as at first,
        or "raise" `PeerDied`.

        A `get` raises it when the last producer is gone and nothing is inside any more; a `put` when the last consumer
        is gone and there is no room. In a BroadcastRing there is always room then, so each put raises it. A producer is
        who has called `put`, a consumer who has called `get`. It is gone when its process has died, or has closed the
        object. Before there ever was one, a wait is a wait.
        """
        return self._peer_death

    @peer_death.setter
    def peer_death(self, mode: PeerDeath) -> None:
        check_mode(mode)
        self._require_open()
        handle = self._h  # kept here, also if another thread closes the object meanwhile
        lib.lf_tell_deaths(ffi.addressof(handle, "h"), mode == "raise")
        self._peer_death = mode

    def waiting(
        self, *, peer_death: PeerDeath | None = None, on_slow: "OnSlow | None" = None, slow_after: float = 1.0
    ) -> AbstractContextManager[Self]:
        """`with ring.waiting(peer_death="raise", on_slow=late, slow_after=2):` as `peer_death` and `watch`, for the
        calls in the block alone.

        It holds for the calling thread, or the calling task of asyncio, and comes before what the object says. None:
        as the object says. Also for calls that begin a block of their own, such as `with ring.lease()`.
        """
        return self._scope(told_by(peer_death), on_slow, slow_after)

    def _raises_here(self) -> bool:
        """Whether a wait that begins here and now ends when nobody is left who could end it."""
        told, _ = self._wanted_here()
        return told == RAISES or (told == AS_THE_OBJECT and self._peer_death == "raise")

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments = super().__reduce__()
        return (rebuild, arguments) if self._peer_death == "wait" else (_conveying, (rebuild, arguments))


def told_by(peer_death: PeerDeath | None) -> int:
    """What a Scope says of `peer_death`; ValueError for another word."""
    if peer_death is None:
        return AS_THE_OBJECT
    check_mode(peer_death)
    return RAISES if peer_death == "raise" else WAITS


def check_mode(mode: PeerDeath) -> None:
    if mode not in get_args(PeerDeath):
        raise ValueError(f'peer_death is {shown(mode)}: it must be "wait" or "raise"')


def _conveying(rebuild: Any, arguments: tuple[Any, ...]) -> Any:
    self = rebuild(*arguments)
    self.peer_death = "raise"
    return self
