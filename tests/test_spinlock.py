import lock_behaviour

import lockfree


class TestSpinLock(lock_behaviour.Behaviour):
    Lock = lockfree.SpinLock
