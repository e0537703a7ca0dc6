"""MPMCRing: a bounded FIFO for many producers and many consumers, lock-free and safe to kill."""

from typing import TYPE_CHECKING, Any, Literal, overload

from lockfree._coded import R
from lockfree._native import Native
from lockfree._ring import Ring

if TYPE_CHECKING:
    from lockfree._types import Array, Casting, Spin

__all__ = ["MPMCRing"]


class MPMCRing(Native[Literal["mpmc_ring"]], Ring[R], prefix="mpmc_ring"):
    """Bounded FIFO ring in shared memory for any number of producers and consumers, threads and processes alike.

    `capacity` records (1 to 2**31) of 0..`record_size` bytes each, or of one NumPy `dtype`. Anonymous, or found by
    others under `name`.

    Progress: every call that does not wait is lock-free in the strict sense. If any thread stops or dies, at whatever
    instruction, the others go on. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable FIFO. EMPTY is exact. FULL means that at one instant of the call the records inside, plus those
    in the hands of running operations, were at least `capacity`.

    Death: a slot that a killed process had in hand is free again at the next recovery, at the latest when somebody
    would wait for it; a record under `lease()` is delivered again; one that was taken by `get` is lost with its taker.

    Source: the two queues of indices are those of SCQ (Nikolaev, DISC 2019); the argument is in
    docs/primitives/mpmc_ring.md.
    """

    if TYPE_CHECKING:  # which records it has: type checkers ask the class itself

        @overload
        def __init__(
            self: "MPMCRing[bytes]", capacity: int, record_size: int, *, name: str | None = ..., spin: Spin = ...
        ) -> None: ...
        @overload
        def __init__(
            self: "MPMCRing[Array]",
            capacity: int,
            record_size: int | None = ...,
            *,
            dtype: Any,
            casting: Casting = ...,
            name: str | None = ...,
            spin: Spin = ...,
        ) -> None: ...
        def __init__(self, *_args: Any, **_named: Any) -> None: ...
