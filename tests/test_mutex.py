import lock_behaviour

import lockfree


class TestMutex(lock_behaviour.Behaviour):
    Lock = lockfree.Mutex
