import locks

import lockfree


def columns():
    return locks.columns(lockfree.SpinLock, "spinlock")
