"""SpinLock: mutual exclusion for very short sections."""

from typing import TYPE_CHECKING

from lockfree import _native
from lockfree._lock import Lock

__all__ = ["SpinLock"]


if TYPE_CHECKING:

    class _Native: ...
else:
    _Native = _native.base("spinlock")


class SpinLock(_Native, Lock, prefix="spinlock"):
    """Mutual exclusion between threads and processes, for sections of a few instructions. The holder is a thread.

    Progress: blocking. It spins for about 10 us (not at all where there is one CPU), then sleeps in the kernel, so a
    holder that lost its CPU costs nobody theirs. For longer sections `Mutex` wastes less.

    Death: the holder's death hands the lock on, and `acquire` tells the next holder by `OwnerDied`.

    Source: docs/primitives/spinlock.md.
    """
