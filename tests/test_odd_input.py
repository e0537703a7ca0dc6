"""Odd values, odd files and odd ends: the message names the argument, the value and the bound, and nothing is lost."""

import asyncio
import contextlib
import ctypes
import math
import os
import queue
import re
import socket
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lockfree


@pytest.fixture
def ring():
    with lockfree.MPMCRing(2, 8) as made:
        yield made


# ---- odd values: the message names the argument and the value, and is ours ----

ODD_TIMEOUTS = [
    np.timedelta64(1, "s"),
    np.array([0.01]),
    np.array(["x"]),
    Decimal("sNaN"),
    1j,
    [],
]


@pytest.mark.parametrize("timeout", ODD_TIMEOUTS, ids=lambda value: type(value).__name__)
def test_timeout_that_is_no_number(ring, timeout):
    for call in (ring.get, lockfree.Mutex().acquire, lockfree.Semaphore(1).acquire):
        with pytest.raises(TypeError, match=r"^timeout is .*: it must be (None|-1) or a number of seconds$"):
            call(timeout=timeout)
    with pytest.raises(queue.Empty):
        ring.get(timeout=np.array(0.001))


@pytest.mark.parametrize("timeout", [10**6000, Fraction(10**400), 10**500], ids=["6000", "fraction", "500"])
def test_timeout_beyond_doubles(ring, timeout):
    with pytest.raises(OverflowError, match=r"^timeout is .{1,60}: it must be at most 9223372036 seconds"):
        ring.get(timeout=timeout)


def condition_wait(condition):
    with condition:
        return condition.wait(-0.5)


@pytest.mark.parametrize(
    ("make", "call", "answer"),
    [
        (lockfree.Event, lambda o: o.wait(-1), False),
        (lockfree.Condition, condition_wait, False),
        (lambda: lockfree.Semaphore(0), lambda o: o.acquire(timeout=-0.5), False),
        (lambda: lockfree.Barrier(2), lambda o: o.wait(-1), threading.BrokenBarrierError),
        (lambda: lockfree.LatestValue(8), lambda o: o.wait(timeout=-1), False),
        (lockfree.EventCount, lambda o: o.wait_until(lambda: False, -1), False),
        (lockfree.RWLock, lambda o: o.acquire_read() and o.acquire_write(timeout=-1), False),
        (lockfree.JoinableQueue, lambda o: (o.put(1), o.join(-math.inf))[1], False),
        (lockfree.Event, lambda o: asyncio.run(o.await_(timeout=-1)), False),
        (lockfree.Event, lambda o: lockfree.wait([o], -1), []),
        (lockfree.Event, lambda o: o.wait(math.nan), ValueError),
        (lockfree.Mutex, lambda o: o.acquire(timeout=-0.5), ValueError),
        (lockfree.Queue, lambda o: o.get(timeout=-1), ValueError),
        (lockfree.Queue, lambda o: asyncio.run(o.aget(timeout=-1)), ValueError),
    ],
)
def test_a_time_out_below_0_is_what_it_is_in_the_standard_library(make, call, answer):
    """It has passed for threading's `wait` and Semaphore; Lock and queue.Queue refuse it."""
    with contextlib.closing(make()) as shared:
        if isinstance(answer, type):
            with pytest.raises(answer):
                call(shared)
        else:
            assert call(shared) == answer


def test_an_integer_that_has_no_text():
    with pytest.raises(ValueError, match=r"^capacity is a value of type int: it must be between 1 and"):
        lockfree.MPMCRing(10**6000, 8)
    with pytest.raises(ValueError, match=r"^n is a value of type int: it must be between"):
        lockfree.Semaphore(1).acquire(n=10**6000)


class HasText(ctypes.Structure):
    _fields_ = (("text", ctypes.c_char_p),)


class HasWideText(ctypes.Structure):
    """Its format, without the names of its fields, looks like NumPy's of a complex number."""

    _fields_ = (("Z", ctypes.c_wchar_p), ("f", ctypes.c_float))


ODD_BUFFERS = [
    (ctypes.py_object * 4)(),
    (ctypes.c_char_p * 3)(),
    (HasText * 2)(),
    (HasWideText * 2)(),
    (ctypes.c_wchar_p * 3)(),
    memoryview(np.empty((2, 2), object)),
]


@pytest.mark.parametrize("buffer", ODD_BUFFERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("record", [{"record_size": 8}, {"dtype": "f8"}], ids=["bytes", "dtype"])
def test_buffers_of_objects_and_pointers(buffer, record):
    with lockfree.MPMCRing(4, **record) as made:
        for call, name in ((made.put, "record"), (made.put_many, "records"), (made.get_into, "buffer")):
            with pytest.raises(
                TypeError, match=f"^{name} is a buffer of format .*: it holds Python objects or pointers"
            ):
                call(buffer)
        assert made.empty()


def test_buffers_of_wrong_shapes():
    with lockfree.MPMCRing(4, dtype="f8") as made:
        with pytest.raises(
            ValueError, match=r"^records is float64 of shape \(2, 2\): it must be float64 of shape \(n\)$"
        ):
            made.put_many(memoryview(np.ones((2, 2))))
        with pytest.raises(ValueError, match=r"^record is \[\[1\], \[1, 2\]\]: dtype float64 does not take it"):
            made.put([[1], [1, 2]])
        with pytest.raises(TypeError, match="^buffer is of type int: it has no buffer"):
            made.get_into(5)
        assert made.put_many((ctypes.c_double * 2)(1, 2)) == 2
        assert made.get_many(2) == [1, 2]


# ---- what stands at the path of a segment ----


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


NO_SEGMENTS = {
    "a directory": lambda path: path.mkdir(),
    "a symbolic link": lambda path: path.symlink_to("/nowhere"),
    "a socket": a_socket,
    "a named pipe": lambda path: os.mkfifo(path),
    "a file that is no segment": lambda path: path.write_text("notes of mine"),
}


@pytest.mark.parametrize("what", NO_SEGMENTS)
def test_no_segment_at_the_path(what, shm_name):
    path = Path("/dev/shm") / f"lockfree.{shm_name}"  # noqa: S108
    NO_SEGMENTS[what](path)
    try:
        found = what if "file" not in what else "size in bytes"
        with pytest.raises(lockfree.SegmentError, match=f"^MPMCRing '{shm_name}': .*{found}"):
            lockfree.MPMCRing.attach(shm_name)
        with pytest.raises(FileExistsError) as caught:
            lockfree.MPMCRing(4, 8, name=shm_name)
        assert "the name is taken by a" in str(caught.value)
        assert "attach()" not in str(caught.value)
        assert path.is_symlink() or path.exists()
    finally:
        path.rmdir() if path.is_dir() else path.unlink()


# ---- put_many of an iterator that ends the object ----


@pytest.mark.parametrize("end", ["shutdown", "close"])
@pytest.mark.parametrize("kind", [lockfree.SPSCRing, lockfree.MPMCRing, lockfree.PriorityQueue])
def test_no_item_is_lost_when_the_iterator_ends_the_object(kind, end):
    made = kind(8, 8)

    def items():
        yield b"1"
        yield b"2"
        getattr(made, end)()
        yield b"3"
        yield b"4"

    records, left, notes = items(), [], ["`record`"]
    try:
        put = made.put_many(records, 0) if kind is lockfree.PriorityQueue else made.put_many(records)
    except lockfree.Closed as closed:
        put, left = closed.put, [closed.record]
        notes = closed.__notes__
    assert "`record`" in notes[0]
    assert [b"1", b"2", b"3"][:put] + left + list(records) == [b"1", b"2", b"3", b"4"]


def test_an_item_that_is_refused_is_in_the_exception():
    with lockfree.MPMCRing(8, 2) as made:
        records = iter([b"1", b"22", b"333", b"4"])
        with pytest.raises(ValueError, match=r"records\[2\] has 3 bytes") as caught:
            made.put_many(records)
        assert (caught.value.put, caught.value.record) == (2, b"333")
        assert (made.get_many(8), list(records)) == ([b"1", b"22"], [b"4"])


# ---- what ended, and who died ----


def test_closed_tells_close_from_shutdown():
    made = lockfree.MPMCRing(4, 8)
    made.shutdown()
    for call in (made.get, made.reserve):
        with pytest.raises(lockfree.Closed, match="^MPMCRing: the object was shut down$"):
            call()
    made.close()
    for call in (made.get, made.reserve):
        with pytest.raises(lockfree.Closed, match="^MPMCRing: the object is closed$"):
            call()


# ---- objects whose __init__() did not run: a subclass that forgot to call it ----

PUBLIC = [kind for name in lockfree.__all__ if isinstance(kind := getattr(lockfree, name), type)]
KINDS = [kind for kind in PUBLIC if not issubclass(kind, BaseException) and kind is not lockfree.Block]
GIVEN = {
    "fetch_add": (1,), "fetch_sub": (1,), "fetch_and": (1,), "fetch_or": (1,), "fetch_xor": (1,), "store": (1,),
    "exchange": (1,), "compare_exchange": (0, 1), "put": (b"x",), "put_nowait": (b"x",), "try_put": (b"x",),
    "put_many": ([b"x"],), "aput": (b"x",), "get_into": (bytearray(64),), "set": (b"x",), "watch": (None,),
    "open_block": (bytes(16),), "drop": (bytes(16),), "reclaim_promises": (1,),
}  # fmt: skip
HARMLESS = ("pending", "poll", "close", "closed", "name", "spin", "peer_death", "join_thread", "cancel_join_thread")


def called(found, *arguments):
    """Calls a method, also to the end of what it hands out to be awaited or entered."""
    answer = found(*arguments)
    if asyncio.iscoroutine(answer):
        asyncio.run(answer)
    elif hasattr(answer, "__enter__"):
        answer.__enter__()


def outcome_of(call):
    try:
        call()
    except Exception as error:
        return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_object_whose_init_did_not_run_says_so(kind):
    made = kind.__new__(kind)
    name = kind.__name__
    assert "never made" in repr(made)
    assert made.closed
    made.close()
    closed = 0
    for attribute in dir(made):
        if attribute.startswith("_") or attribute in (*HARMLESS, "attach", "open", "unlink"):
            continue
        error = outcome_of(lambda name=attribute: called(getattr(made, name), *GIVEN.get(name, ())))
        closed += isinstance(error, lockfree.Closed)
        if isinstance(error, lockfree.Closed):
            assert str(error).startswith(f"{name}: the object was never made: its __init__() did not run")
        elif isinstance(error, AttributeError):
            assert re.fullmatch(rf"{name} has no \w+ before its __init__\(\) ran", str(error))
        else:  # it says what it cannot do with these arguments
            assert isinstance(error, TypeError) or attribute == "wait_for"
            assert "takes" in str(error) or "missing" in str(error) or name in str(error) or error is None
    assert closed
    for call in (made.__enter__, made.__reduce__):
        with pytest.raises(lockfree.Closed, match="was never made"):
            call()


def test_a_constructor_that_failed_leaves_an_object_that_says_so(shm_name):
    with lockfree.Mutex(name=shm_name) as first:
        made = lockfree.Mutex.__new__(lockfree.Mutex)
        with pytest.raises(FileExistsError):
            made.__init__(name=shm_name)
        with pytest.raises(lockfree.Closed, match=f"^Mutex '{shm_name}': the object was never made"):
            made.acquire()
        made.close()
        with pytest.raises(lockfree.Closed, match="was never made"):
            made.acquire()
        first.unlink()


def test_a_block_is_made_by_its_arena_alone():
    for make in (lockfree.Block, lambda: lockfree.Block.__new__(lockfree.Block)):
        with pytest.raises(TypeError, match="is made by Arena.alloc and Arena.open_block"):
            make()


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.SpinLock])
@pytest.mark.parametrize("recovered", [False, True])
def test_the_messages_name_the_process_that_died(kind, recovered):
    lock = kind()
    if (child := os.fork()) == 0:
        lock.acquire()
        os._exit(0)
    os.waitpid(child, 0)
    if recovered:
        lock.recover_dead()
    with pytest.raises(
        RuntimeError, match=f"release.. by a thread that does not hold it: process {child} died with it"
    ):
        lock.release()
    with pytest.raises(lockfree.OwnerDied, match=f"{kind.__name__}: the last holder, process {child}, died with"):
        lock.acquire()
    lock.recover()
    lock.release()
    with pytest.raises(RuntimeError, match="nobody holds it"):
        lock.release()
