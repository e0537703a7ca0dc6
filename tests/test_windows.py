"""Large records in hand are seen in place, through a second mapping: no view leads into the ring after that."""

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import lockfree
from lockfree._native import PURE

pytestmark = pytest.mark.skipif(PURE, reason="the methods in Python copy records of every size")

SIZES = [16385, 100_000, 1 << 20]  # neither of the first two ends with a page: neighbours share one


def ring_of(kind, size, capacity=2):
    return kind(capacity, size, 1) if kind is lockfree.PriorityQueue else kind(capacity, size)


def commit(ring):
    ring.commit(*(0,) * isinstance(ring, lockfree.PriorityQueue))


def record(found):
    return found[1] if isinstance(found, tuple) else found


def put(ring, byte):
    view = ring.reserve(block=True, timeout=5)
    view[:] = byte * ring.record_size
    commit(ring)


def windows():
    """How many mappings of anonymous segments this process has: the segments, participants' pages, and windows."""
    return sum("/memfd:lockfree" in line for line in Path("/proc/self/maps").read_text().splitlines())


WAYS = {
    "ndarray": lambda view: np.frombuffer(view, "u1"),
    "memoryview": lambda view: memoryview(view)[5:],
    "ctypes": lambda view: (ctypes.c_char * len(view)).from_buffer(view),
    "the exporter": lambda view: np.frombuffer(view.obj, "u1"),
}


@pytest.fixture(params=[lockfree.MPMCRing, lockfree.PriorityQueue], ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
def test_what_was_made_of_a_view_never_leads_into_the_ring(kind, size, way):
    with ring_of(kind, size) as ring:
        put(ring, b"n")  # a neighbour, which shares a page
        view = ring.reserve()
        view[:] = b"a" * size
        kept = memoryview(WAYS[way](view)).cast("B")
        commit(ring)
        with pytest.raises(ValueError, match="released"):
            view[0]
        kept[:] = b"x" * len(kept)
        assert record(ring.get()) == b"n" * size
        peeked = record(ring.peek())
        assert peeked == b"a" * size  # what was written after the commit is not in it
        kept_too = memoryview(WAYS[way](peeked)).cast("B")
        ring.release()
        for byte in (b"b", b"c", b"d"):  # all slots are used again
            put(ring, byte)
            assert record(ring.get()) == byte * size
        assert bytes(kept_too) == b"a" * len(kept_too)
        assert bytes(kept) == b"x" * len(kept)
        view = ring.reserve()
        kept_last = np.frombuffer(view, "u1")
        ring.cancel()
        kept_last[:] = 7
        put(ring, b"e")
        assert record(ring.get()) == b"e" * size


def test_the_mapping_is_used_again_only_if_nobody_sees_it(kind):
    with ring_of(kind, 1 << 16) as ring:
        put(ring, b"a")
        ring.get()
        put(ring, b"b")
        ring.get()
        before = windows()
        for _ in range(200):
            put(ring, b"c")
            peeked = record(ring.peek())
            assert peeked == b"c" * (1 << 16)
            ring.release()
        assert windows() <= before + 2
        exporter = ring.reserve().obj
        ring.cancel()
        put(ring, b"d")
        late = memoryview(exporter)  # made after the slot was used again
        late[:] = b"e" * len(late)
        assert record(ring.get()) == b"d" * (1 << 16)


def test_close_in_another_thread(kind, shm_name):
    size = 100_000
    ring = kind(1, size, 1, name=shm_name) if kind is lockfree.PriorityQueue else kind(1, size, name=shm_name)
    other = kind.attach(shm_name)
    view = ring.reserve()
    view[:] = b"a" * size
    kept = np.frombuffer(view, "u1")
    closer = threading.Thread(target=ring.close)
    closer.start()
    closer.join()
    view[:] = b"b" * size  # the view of this thread is still one: of memory of its own
    put(other, b"c")  # the only slot: it was given back
    kept[:] = 0
    assert record(other.get()) == b"c" * size
    other.unlink()
    other.close()


def test_the_end_of_the_object_ends_its_windows(kind, shm_name):
    size = 100_000
    ring = kind(1, size, 1, name=shm_name) if kind is lockfree.PriorityQueue else kind(1, size, name=shm_name)
    other = kind.attach(shm_name)
    kept = np.frombuffer(ring.reserve(), "u1")
    del ring
    put(other, b"c")
    kept[:] = 0
    assert record(other.get()) == b"c" * size
    other.unlink()
    other.close()


@pytest.mark.parametrize("fork", [os.fork, ctypes.CDLL(None).fork], ids=["os.fork", "fork of the C library"])
def test_a_forked_child_has_a_copy_of_what_is_in_hand(kind, fork):
    size = 100_000
    with ring_of(kind, size) as ring:
        put(ring, b"p")
        peeked, view = record(ring.peek()), ring.reserve()
        view[:] = b"r" * size
        to_child, from_parent = os.pipe()[::-1]
        child = fork()
        if child == 0:
            wrong = 1
            with contextlib.suppress(BaseException):
                view[:10] = b"0123456789"
                os.read(from_parent, 1)  # the parent has used both slots again
                wrong = int(peeked != b"p" * size or view != b"0123456789" + b"r" * (size - 10))
            os._exit(wrong)
        ring.release()
        commit(ring)
        assert record(ring.get()) == b"r" * size
        for byte in (b"1", b"2"):
            put(ring, byte)
        os.write(to_child, b"x")
        assert os.waitpid(child, 0)[1] == 0
        assert [record(ring.get()) for _ in range(2)] == [b"1" * size, b"2" * size]
        os.close(to_child)
        os.close(from_parent)


def test_there_are_not_too_many():
    before = windows()
    rings = [lockfree.MPMCRing(64, 20_000) for _ in range(20)]
    whole = windows()
    for ring in rings:
        for n in range(64):
            put(ring, b"%c" % n)
    assert 500 < windows() - whole <= 1024  # the rest is copied
    for ring in rings:
        assert [got[:1] for got in ring.get_many(64)] == [b"%c" % n for n in range(64)]
        ring.close()
    del rings, ring
    assert windows() == before


REFUSED = """
import resource, lockfree
from pathlib import Path
ring = lockfree.MPMCRing(2, 32768)
warm = [bytearray(32768) for _ in range(64)]
del warm
used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
maps = len(Path("/proc/self/maps").read_text().splitlines())
resource.setrlimit(resource.RLIMIT_AS, (used, used))
for n in range(6):
    view = ring.reserve()
    view[:] = bytes([n]) * 32768
    ring.commit()
    peeked = ring.peek()
    assert peeked[0] == peeked[32767] == n
    ring.release()
segments = sum("/memfd:lockfree" in line for line in Path("/proc/self/maps").read_text().splitlines())
assert segments <= 2, segments
print("copied")
"""


def test_copies_where_the_system_refuses_a_second_mapping():
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("copied\n", 0), done.stderr
