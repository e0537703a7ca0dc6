"""Lock-free primitives that live in shared memory: the same object works between threads and between processes."""

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_HOME = {
    "AtomicF64": "atomic",
    "AtomicFlag": "atomic",
    "AtomicI64": "atomic",
    "AtomicU32": "atomic",
    "AtomicU64": "atomic",
    "Closed": "_errors",
    "LockfreeError": "_errors",
    "MPMCRing": "mpmc_ring",
    "Mutex": "mutex",
    "NotRecoverable": "_errors",
    "OwnerDied": "_errors",
    "PriorityQueue": "priority_queue",
    "RoleTaken": "_errors",
    "SPSCRing": "spsc_ring",
    "SegmentError": "_errors",
    "Semaphore": "semaphore",
    "SpinLock": "spinlock",
    "atomic_view": "atomic",
    "get_include": "_include",
}
"""The module of every public name: loaded when the name is first used, which keeps `import lockfree` short."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'lockfree' has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f"lockfree.{_HOME[name]}"), name)
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
