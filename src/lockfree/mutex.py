"""Mutex: mutual exclusion between threads of any processes, asleep while it waits."""

from typing import Literal

from lockfree._lock import Lock
from lockfree._native import Native

__all__ = ["Mutex"]


class Mutex(Native[Literal["mutex"]], Lock, prefix="mutex"):
    """Mutual exclusion between threads and processes. The holder is a thread; it alone can release.

    Progress: blocking. It spins for about 1 us, then sleeps in the kernel. There is no queue: a newcomer may overtake
    sleepers. That keeps the lock fast when there are more threads than cores.

    Death: when the holder dies, the next one gets the lock, and `acquire` raises `OwnerDied`.

    Source: mutex3 of Drepper, "Futexes are tricky", 2011; the semantics of death are those of POSIX robust mutexes.
    """
