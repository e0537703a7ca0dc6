import locks
from frame import natives

import lockfree

NATIVE = {
    "lock_alone": ("C: lock and unlock alone", "ns"),
    "lock_2": ("C: a lock, 2 threads", "M/s"),
    "lock_4": ("C: a lock, 4 threads", "M/s"),
}


def columns():
    return locks.columns(lockfree.Mutex, "mutex") + [
        natives.column("locks", work, *what, natives.LOCKS) for work, what in NATIVE.items()
    ]
