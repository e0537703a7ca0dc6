"""Lock-free primitives that live in shared memory: the same object works between threads and between processes."""

from lockfree._errors import (
    Closed,
    LockfreeError,
    NotRecoverable,
    OwnerDied,
    RoleTaken,
    SegmentError,
)
from lockfree._include import get_include
from lockfree.atomic import AtomicF64, AtomicFlag, AtomicI64, AtomicU32, AtomicU64, atomic_view
from lockfree.mpmc_ring import MPMCRing
from lockfree.mutex import Mutex
from lockfree.priority_queue import PriorityQueue
from lockfree.semaphore import Semaphore
from lockfree.spinlock import SpinLock
from lockfree.spsc_ring import SPSCRing

__version__ = "0.1.0"

__all__ = [
    "AtomicF64",
    "AtomicFlag",
    "AtomicI64",
    "AtomicU32",
    "AtomicU64",
    "Closed",
    "LockfreeError",
    "MPMCRing",
    "Mutex",
    "NotRecoverable",
    "OwnerDied",
    "PriorityQueue",
    "RoleTaken",
    "SPSCRing",
    "SegmentError",
    "Semaphore",
    "SpinLock",
    "__version__",
    "atomic_view",
    "get_include",
]
