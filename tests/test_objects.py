"""Python objects around the handles: half made, in cycles, at the end of the program, in forked children."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest
from patience import STUCK

import lockfree
from lockfree._native import PURE

KINDS = [lockfree.Mutex, lockfree.SpinLock, lockfree.Semaphore, lockfree.Event, lockfree.AtomicU64, lockfree.AtomicFlag]


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_one_whose_constructor_failed_is_closed(kind):
    kept = []

    class Keeping(kind):
        def __init__(self, *args, **named):
            kept.append(self)
            super().__init__(*args, **named)

    with contextlib.closing(kind(name=f"test-{os.getpid()}-once")) as first:
        with pytest.raises(FileExistsError):
            Keeping(name=first.name)
        first.unlink()
    (failed,) = kept
    assert failed.closed
    assert "never made" in repr(failed)
    failed.close()
    call = next(getattr(failed, name) for name in ("load", "try_acquire", "is_set") if hasattr(failed, name))
    with pytest.raises(lockfree.Closed):
        call()


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_init_is_refused(kind):
    with contextlib.closing(kind()) as made:
        fd = made._h.h.fd
        with pytest.raises(RuntimeError, match="second time"):
            made.__init__()
        assert made._h.h.fd == fd
        assert not made.closed


@pytest.mark.parametrize("kind", KINDS)
def test_a_cycle_is_collected_and_detached(kind):
    made = kind()
    made.me = made
    ref, fd = weakref.ref(made), made._h.h.fd
    assert is_open(fd)
    del made
    gc.collect()
    assert ref() is None
    assert not is_open(fd)


def test_a_view_in_a_cycle_gives_its_buffer_back():
    buffer = bytearray(8)
    view = lockfree.atomic_view(buffer)
    view.me = view
    with pytest.raises(BufferError):
        buffer.append(1)
    del view
    gc.collect()
    buffer.append(1)


@pytest.mark.skipif(PURE, reason="CPython does not survive it: the memoryview is cleared while cffi exports it")
def test_a_view_of_a_memoryview_in_a_cycle():
    class Holder:
        pass

    holder = Holder()
    holder.memory = memoryview(bytearray(8))
    holder.view = lockfree.atomic_view(holder.memory)
    holder.me = holder
    del holder
    gc.collect()


def test_threads_that_sleep_do_not_disturb_the_end_of_the_program():
    code = """
import threading, time, lockfree
mutex, permits, spin = lockfree.Mutex(), lockfree.Semaphore(0), lockfree.SpinLock()
mutex.acquire(); spin.acquire()
for lock in (mutex, permits, spin):
    threading.Thread(target=lock.acquire, daemon=True).start()
time.sleep(0.05)
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=STUCK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_close_in_a_child_counts_the_childs_calls_alone(shm_name):
    """A thread of the parent's sleeps in the object; in the child that thread does not exist, and close() detaches."""
    lock = lockfree.Mutex(name=shm_name)
    other = lockfree.Mutex.attach(shm_name)
    lock.acquire()
    sleeper = threading.Thread(target=lambda: lock.acquire(timeout=30) and lock.release())
    sleeper.start()
    time.sleep(0.05)
    child = os.fork()
    if child == 0:
        lock.try_acquire()
        lock.close()
        os._exit(0 if lock._h.h.fd == -1 and other.locked() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lock.release()
    sleeper.join(30)
    assert not lock.locked()
    lock.unlink()
    lock.close()
    other.close()


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.SpinLock])
def test_close_takes_no_lock_along_that_nobody_was_told_of(kind, shm_name):
    """acquire() either returns or raises Closed. In the second case the others find the lock free, and no death."""
    other = kind(name=shm_name)
    for n in range(60):
        lock, results = kind.attach(shm_name), []
        other.acquire()

        def wait(lock=lock, results=results):
            try:
                results.append(lock.acquire())
            except lockfree.Closed:
                results.append("closed")

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.001)
        steps = [other.release, lock.close]
        for step in steps if n % 2 else reversed(steps):
            step()
        thread.join(30)
        if results == ["closed"]:
            assert other.acquire(timeout=30)
        else:
            with contextlib.suppress(lockfree.OwnerDied):
                other.acquire(timeout=30)
            other.recover()
        other.release()
    other.unlink()
    other.close()
