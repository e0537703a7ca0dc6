import os
import signal

import lock_behaviour

import lockfree


class TestMutex(lock_behaviour.Behaviour):
    Lock = lockfree.Mutex


def test_a_forked_child_sees_the_death_of_the_parent_that_made_the_lock():
    """Nothing that it inherited keeps its parent's participant alive."""
    told, tell = os.pipe()
    parent = os.fork()
    if parent == 0:
        lock = lockfree.Mutex()
        buried, bury = os.pipe()
        if os.fork() == 0:
            os.close(bury)
            os.read(buried, 1)  # ends when the parent has
            try:
                lock.acquire(timeout=10)
                os.write(tell, b"lock")
            except lockfree.OwnerDied:
                os.write(tell, b"died")
            finally:
                os._exit(0)
        lock.acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(tell)
    os.waitpid(parent, 0)
    assert os.read(told, 10) == b"died"
    os.close(told)
