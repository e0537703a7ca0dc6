# Written by `python -m lockfree._names`: the public names, as type checkers see them.
# ruff: noqa: I001
from lockfree._errors import (
    Closed as Closed,
    Dropped as Dropped,
    LockfreeError as LockfreeError,
    NotRecoverable as NotRecoverable,
    OwnerDied as OwnerDied,
    PeerDied as PeerDied,
    RoleTaken as RoleTaken,
    SegmentError as SegmentError,
    ShutDown as ShutDown,
    Superseded as Superseded,
)
from lockfree._include import (
    get_include as get_include,
)
from lockfree._several import (
    wait as wait,
)
from lockfree.arena import (
    Arena as Arena,
    Block as Block,
)
from lockfree.atomic import (
    AtomicF64 as AtomicF64,
    AtomicFlag as AtomicFlag,
    AtomicI64 as AtomicI64,
    AtomicU32 as AtomicU32,
    AtomicU64 as AtomicU64,
    atomic_view as atomic_view,
)
from lockfree.barrier import (
    Barrier as Barrier,
)
from lockfree.block_pool import (
    BlockPool as BlockPool,
)
from lockfree.broadcast_ring import (
    BroadcastRing as BroadcastRing,
)
from lockfree.condition import (
    Condition as Condition,
)
from lockfree.event import (
    Event as Event,
)
from lockfree.event_count import (
    EventCount as EventCount,
)
from lockfree.latest_value import (
    LatestValue as LatestValue,
)
from lockfree.message_ring import (
    MessageRing as MessageRing,
)
from lockfree.mpmc_ring import (
    MPMCRing as MPMCRing,
)
from lockfree.mutex import (
    Mutex as Mutex,
)
from lockfree.priority_queue import (
    PriorityQueue as PriorityQueue,
)
from lockfree.queue import (
    JoinableQueue as JoinableQueue,
    Queue as Queue,
    SimpleQueue as SimpleQueue,
)
from lockfree.rlock import (
    RLock as RLock,
)
from lockfree.rwlock import (
    RWLock as RWLock,
)
from lockfree.semaphore import (
    Semaphore as Semaphore,
)
from lockfree.space import (
    Space as Space,
)
from lockfree.spinlock import (
    SpinLock as SpinLock,
)
from lockfree.spsc_ring import (
    SPSCRing as SPSCRing,
)

__version__: str

__all__ = [
    "Arena",
    "AtomicF64",
    "AtomicFlag",
    "AtomicI64",
    "AtomicU32",
    "AtomicU64",
    "Barrier",
    "Block",
    "BlockPool",
    "BroadcastRing",
    "Closed",
    "Condition",
    "Dropped",
    "Event",
    "EventCount",
    "JoinableQueue",
    "LatestValue",
    "LockfreeError",
    "MPMCRing",
    "MessageRing",
    "Mutex",
    "NotRecoverable",
    "OwnerDied",
    "PeerDied",
    "PriorityQueue",
    "Queue",
    "RLock",
    "RWLock",
    "RoleTaken",
    "SPSCRing",
    "SegmentError",
    "Semaphore",
    "ShutDown",
    "SimpleQueue",
    "Space",
    "SpinLock",
    "Superseded",
    "__version__",
    "atomic_view",
    "get_include",
    "wait",
]
