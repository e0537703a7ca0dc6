"""Containers whose waits can end with the last of those who could end them."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, get_args

from lockfree._errors import shown
from lockfree._long import AS_THE_OBJECT, RAISES, WAITS
from lockfree._native import ffi, lib
from lockfree._spin import Waiter
from lockfree._types import PeerDeath

if TYPE_CHECKING:
    from lockfree._long import OnSlow


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
