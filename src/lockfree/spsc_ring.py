"""SPSCRing: a bounded FIFO for one producer and one consumer, wait-free and safe to kill."""

from typing import TYPE_CHECKING, Any, Literal, overload

from lockfree._coded import R
from lockfree._hands import Which, drop
from lockfree._native import Native, lib
from lockfree._ring import Ring

if TYPE_CHECKING:
    from lockfree._types import Array, Casting, Spin

__all__ = ["SPSCRing"]

_ROLES: dict[str, tuple[int, Which]] = {"producer": (0, "reserved"), "consumer": (1, "peeked")}


class _Calls(Ring[R]):
    """What it can do beyond other rings. The C type stands before it and does the same without cffi."""

    _in_place = True

    def release_role(self, role: Literal["producer", "consumer"], /) -> None:
        """Gives back the calling thread's role, "producer" or "consumer", for another thread or process to take.

        A reservation or a peek that the thread still has in hand is forgotten: the record of a peek stays inside.
        RuntimeError if the thread has not got the role.
        """
        if role not in _ROLES:
            raise ValueError(f'role is {role!r}: it must be "producer" or "consumer"')
        number, hand = _ROLES[role]
        handle = self._h
        status = lib.lf_py_spsc_ring_release_role(handle, number)
        if status:
            self._refused(status, handle)
        drop(self, hand)


class SPSCRing(Native[Literal["spsc_ring"]], _Calls[R], prefix="spsc_ring"):
    """Bounded FIFO ring in shared memory for one producer and one consumer, in threads or processes.

    `capacity` records (1 to 2**31) of 0..`record_size` bytes each, or of one NumPy `dtype`. Anonymous, or found by
    others under `name`.

    Roles: the first thread that puts is the producer, the first that gets the consumer; one thread may be both. Another
    one that tries gets `RoleTaken`, unless the holder has called `release_role`, has closed the ring, has ended (a
    thread of this process) or its process has died.

    Progress: every call that does not wait is wait-free. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable FIFO. EMPTY and FULL are exact.

    Death: the role is free again. A record that was half written is never seen. A record stays inside if its
    `get` was cut off, or if the dead process only peeked at it.

    Source: a flag inside the slot, after FastForward (Giacomoni, Moseley, Vachharajani, PPoPP 2008).
    """

    if TYPE_CHECKING:  # which records it has: type checkers ask the class itself

        @overload
        def __init__(
            self: "SPSCRing[bytes]", capacity: int, record_size: int, *, name: str | None = ..., spin: Spin = ...
        ) -> None: ...
        @overload
        def __init__(
            self: "SPSCRing[Array]",
            capacity: int,
            record_size: int | None = ...,
            *,
            dtype: Any,
            casting: Casting = ...,
            name: str | None = ...,
            spin: Spin = ...,
        ) -> None: ...
        def __init__(self, *_args: Any, **_named: Any) -> None: ...
