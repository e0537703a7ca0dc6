"""How much memory an object takes: what the kernel has allocated for its file, not the file's size."""

import multiprocessing
import os
import threading
import time
from contextlib import ExitStack, closing

import pytest
from patience import STUCK

import lockfree

PAGE = 4096
SMALL = [
    lockfree.Mutex,
    lockfree.SpinLock,
    lockfree.RLock,
    lockfree.Event,
    lockfree.AtomicU32,
    lockfree.AtomicU64,
    lockfree.AtomicI64,
    lockfree.AtomicF64,
    lockfree.AtomicFlag,
    lockfree.Semaphore,
]


def taken(name):
    return os.stat(f"/dev/shm/lockfree.{name}").st_blocks * 512


@pytest.mark.parametrize("kind", SMALL)
def test_a_small_object_takes_one_page(kind, shm_name):
    with closing(kind(name=shm_name)) as first, ExitStack() as others:
        assert taken(shm_name) == PAGE
        for _ in range(30):
            others.enter_context(closing(kind.attach(shm_name)))
        assert taken(shm_name) == PAGE
        others.enter_context(closing(kind.attach(shm_name)))  # the 32nd: the table goes on, on pages of its own
        assert PAGE < taken(shm_name) <= 3 * PAGE
        first.unlink()


def test_a_semaphore_takes_more_when_many_threads_use_it(shm_name):
    with closing(lockfree.Semaphore(40, name=shm_name)) as s:
        taking, ending = threading.Barrier(41), threading.Barrier(41)

        def take():
            s.acquire()
            taking.wait()
            ending.wait()
            s.release()

        threads = [threading.Thread(target=take) for _ in range(40)]
        for thread in threads:
            thread.start()
        taking.wait()
        assert s.value == 0
        assert 16 * PAGE < taken(shm_name) <= 18 * PAGE
        ending.wait()
        for thread in threads:
            thread.join()
        assert s.value == 40


def test_threads_that_come_and_go_take_no_more(shm_name):
    with closing(lockfree.Semaphore(2, name=shm_name)) as s:
        for _ in range(100):
            thread = threading.Thread(target=lambda: (s.acquire(), s.release()))
            thread.start()
            thread.join()
        assert s.value == 2
        assert taken(shm_name) == PAGE


def take_in_threads(s, there):
    for _ in range(40):
        threading.Thread(target=lambda: (s.acquire(), time.sleep(100)), daemon=True).start()
    while s.value > 0:
        time.sleep(0.001)
    there.set()
    time.sleep(100)


def test_permits_beyond_the_first_page_come_back_from_the_dead():
    fork = multiprocessing.get_context("fork")
    with closing(lockfree.Semaphore(40)) as s:
        for _ in range(3):
            there = fork.Event()
            child = fork.Process(target=take_in_threads, args=(s, there))
            child.start()
            assert there.wait(STUCK)
            child.kill()
            child.join()
            assert s.acquire(timeout=30, n=40)
            s.release(40)


def test_a_body_that_is_not_small_takes_what_it_needs(shm_name):
    with closing(lockfree.MPMCRing(1024, 8, name=shm_name)):
        assert 1024 * 8 + PAGE < taken(shm_name) <= 1024 * 80
