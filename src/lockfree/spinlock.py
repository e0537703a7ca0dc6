"""SpinLock: mutual exclusion for very short sections."""

from typing import Literal

from lockfree._lock import Lock
from lockfree._native import Native

__all__ = ["SpinLock"]


class SpinLock(Native[Literal["spinlock"]], Lock, prefix="spinlock"):
    """Mutual exclusion between threads and processes, for sections of a few instructions. The holder is a thread.

    Progress: blocking. It spins for about 10 us (with one CPU, it does not spin), then sleeps in the kernel. So waiters
    do not use up the CPU that a preempted holder needs. For longer sections `Mutex` wastes less time.

    Death: when the holder dies, the next one gets the lock, and `acquire` raises `OwnerDied`.

    Source: docs/primitives/spinlock.md.
    """
