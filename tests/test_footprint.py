"""How much memory an object takes: what the kernel has allocated for its file, not the file's size."""

import os
from contextlib import ExitStack, closing

import pytest

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


def test_a_body_that_is_not_small_takes_what_it_needs(shm_name):
    with closing(lockfree.MPMCRing(1024, 8, name=shm_name)):
        assert 1024 * 8 + PAGE < taken(shm_name) < 1024 * 64
