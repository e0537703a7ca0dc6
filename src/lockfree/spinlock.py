"""SpinLock: mutual exclusion for very short sections."""

from typing import Literal

from lockfree._lock import Lock
from lockfree._native import Native

__all__ = ["SpinLock"]


class SpinLock(Native[Literal["spinlock"]], Lock, prefix="spinlock"):
    """Mutual exclusion between threads and processes, for sections of a few instructions. The holder is a thread.

    Progress: blocking. It spins for about 10 us (not at all where there is one CPU), then sleeps in the kernel, so a
    holder that lost its CPU costs nobody theirs. For longer sections `Mutex` wastes less.

    Death: the holder's death hands the lock on, and `acquire` tells the next holder by `OwnerDied`.

    Source: docs/primitives/spinlock.md.
    """
