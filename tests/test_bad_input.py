"""The table of docs/bad-input.md: every row is a test here, and every test a row there."""

import ctypes
import math
import os
import queue
import re
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

import lockfree

PAGE = Path(__file__).parent.parent / "docs/bad-input.md"
SHM = Path("/dev/shm")
ROWS = {}


def row(test):
    ROWS[test.__name__.removeprefix("test_")] = test
    return test


@pytest.fixture
def ring():
    with lockfree.MPMCRing(2, 8) as made:
        yield made


def named_file(name, data):
    path = SHM / f"lockfree.{name}"
    path.write_bytes(data)
    return path


def segment_bytes(name):
    """A good segment's bytes, and its file, which the caller may damage."""
    ring = lockfree.MPMCRing(4, 8, name=name)
    path = SHM / f"lockfree.{name}"
    data = bytearray(path.read_bytes())
    ring.close()
    return path, data


def checksum(data):
    value = 0xCBF29CE484222325
    for (word,) in struct.iter_unpack("<Q", bytes(data[:88])):
        value = (value ^ word) * 0x100000001B3 & (2**64 - 1)
    return value


def resealed(data):
    data[88:96] = struct.pack("<Q", checksum(data))
    return data


# ---- constructors ----


@row
def test_capacity_zero():
    with pytest.raises(ValueError, match="capacity is 0: it must be between 1 and"):
        lockfree.MPMCRing(0, 8)


@row
def test_capacity_negative():
    with pytest.raises(ValueError, match="capacity is -1: it must be between 1 and"):
        lockfree.MPMCRing(-1, 8)


@row
def test_capacity_of_the_wrong_type():
    with pytest.raises(TypeError, match=r"capacity is 2.5: it must be an integer"):
        lockfree.MPMCRing(2.5, 8)


@row
def test_record_size_zero():
    with pytest.raises(ValueError, match="record_size is 0: it must be between 1 and"):
        lockfree.MPMCRing(1, 0)


@row
def test_record_size_negative():
    with pytest.raises(ValueError, match="record_size is -8: it must be between 1 and"):
        lockfree.MPMCRing(1, -8)


@row
def test_capacity_times_record_size_overflows():
    with pytest.raises(ValueError, match="capacity 2147483648 x record_size 2147483648: more bytes than"):
        lockfree.MPMCRing(2**31, 2**31)


@row
def test_more_than_the_memory_there_is():
    room = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # an object without a name is not in /dev/shm
    too_many = 4 * room // 2**21
    with pytest.raises(OSError):
        lockfree.MPMCRing(too_many, 2**21)


@row
def test_neither_record_size_nor_dtype():
    with pytest.raises(TypeError, match="record_size or dtype is needed"):
        lockfree.MPMCRing(1)


@row
def test_record_size_that_is_not_the_dtypes():
    with pytest.raises(ValueError, match="record_size is 4: dtype float64 has 8 bytes"):
        lockfree.MPMCRing(1, 4, dtype="f8")


@row
def test_dtype_with_objects():
    with pytest.raises(TypeError, match="Python objects"):
        lockfree.MPMCRing(1, dtype=object)


@row
def test_name_empty():
    with pytest.raises(ValueError, match="name is ''"):
        lockfree.MPMCRing(1, 8, name="")


@row
def test_name_with_a_slash():
    with pytest.raises(ValueError, match="name is 'a/b'"):
        lockfree.MPMCRing(1, 8, name="a/b")


@row
def test_name_too_long():
    with pytest.raises(ValueError, match="1 to 200 bytes"):
        lockfree.MPMCRing(1, 8, name="x" * 201)


@row
def test_name_of_the_wrong_type():
    with pytest.raises(TypeError, match="name is 7: it must be a string"):
        lockfree.MPMCRing(1, 8, name=7)


@row
def test_create_over_an_existing_name(shm_name):
    with lockfree.MPMCRing(1, 8, name=shm_name) as first:
        first.put(b"kept")
        with pytest.raises(FileExistsError):
            lockfree.MPMCRing(1, 8, name=shm_name)
        assert lockfree.MPMCRing.attach(shm_name).get() == b"kept"


# ---- records and arguments ----


@row
def test_record_too_long(ring):
    with pytest.raises(ValueError, match="record has 9 bytes: the ring takes at most 8"):
        ring.put(b"123456789")
    with pytest.raises(ValueError, match="record has 9 bytes"):
        ring.try_put(b"123456789")
    assert ring.qsize() == 0


@row
def test_one_record_of_a_batch_too_long(ring):
    with pytest.raises(ValueError, match=r"records\[1\] has 9 bytes"):
        ring.put_many([b"1", b"123456789"])
    assert ring.qsize() == 0


@row
def test_record_of_the_wrong_type(ring):
    for record in ("text", 7, None):
        with pytest.raises(TypeError):
            ring.try_put(record)
        with pytest.raises(TypeError):
            ring.put(record)
    assert ring.qsize() == 0


@row
def test_record_of_the_wrong_shape():
    with lockfree.MPMCRing(2, dtype="(3,)f4") as ring:
        with pytest.raises(ValueError, match="shape"):
            ring.put([1.0, 2.0])
        assert ring.qsize() == 0


@row
def test_timeout_nan(ring):
    ring.put(b"x")
    with pytest.raises(ValueError, match="timeout is nan"):
        ring.get(timeout=math.nan)
    assert ring.qsize() == 1


@row
def test_timeout_negative(ring):
    ring.put(b"x")
    with pytest.raises(ValueError, match=r"timeout is -0.5"):
        ring.get(timeout=-0.5)
    assert ring.qsize() == 1


@row
def test_timeout_of_the_wrong_type(ring):
    with pytest.raises(TypeError, match="timeout is 'soon'"):
        ring.get(timeout="soon")


@row
def test_timeout_of_more_than_two_centuries(ring):
    """As in threading: the way to wait for ever is None, and the error says so."""
    ring.put(b"x")
    with pytest.raises(OverflowError, match=r"timeout is inf: .* or None to wait for ever"):
        ring.get(timeout=math.inf)
    assert ring.qsize() == 1


@row
def test_get_many_negative(ring):
    with pytest.raises(ValueError, match="max is -1"):
        ring.get_many(-1)


@row
def test_get_into_a_read_only_buffer(ring):
    with pytest.raises(ValueError, match="read-only"):
        ring.get_into(bytes(16))


@row
def test_get_into_rows_that_are_too_short(ring):
    with pytest.raises(ValueError, match="rows of 4 bytes: a record needs 8"):
        ring.get_into(memoryview(bytearray(16)).cast("B", (4, 4)))


@row
def test_put_many_of_one_bytes_object(ring):
    with pytest.raises(TypeError, match="records is one bytes"):
        ring.put_many(b"abc")


@row
def test_commit_without_reserve(ring):
    with pytest.raises(RuntimeError, match=r"reserve\(\) first"):
        ring.commit(1)


@row
def test_commit_longer_than_the_slot(ring):
    ring.reserve()
    with pytest.raises(ValueError, match="length is 9: it must be between 0 and 8"):
        ring.commit(9)
    ring.commit(8)
    assert len(ring.get()) == 8


@row
def test_release_without_peek(ring):
    with pytest.raises(RuntimeError, match=r"peek\(\) first"):
        ring.release()


# ---- segments ----


@row
def test_attach_to_nothing(shm_name):
    with pytest.raises(FileNotFoundError):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_another_kind(shm_name):
    with (
        lockfree.AtomicU64(name=shm_name),
        pytest.raises(lockfree.SegmentError, match="kind: found Atomic, expected MPMCRing"),
    ):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_another_type_of_atomic(shm_name):
    with (
        lockfree.AtomicU64(name=shm_name),
        pytest.raises(lockfree.SegmentError, match="found AtomicU64, expected AtomicF64"),
    ):
        lockfree.AtomicF64.attach(shm_name)


@row
def test_attach_to_a_queue_as_a_message_ring(shm_name):
    with (
        lockfree.Queue(3, name=shm_name) as q,
        pytest.raises(lockfree.SegmentError, match="class: found Queue, expected MessageRing"),
    ):
        lockfree.MessageRing.attach(shm_name)
    q.unlink()


@row
def test_attach_to_a_message_ring_as_a_queue(shm_name):
    with (
        lockfree.MessageRing(4096, name=shm_name),
        pytest.raises(lockfree.SegmentError, match="class: found MessageRing, expected Queue"),
    ):
        lockfree.Queue.attach(shm_name)


@row
def test_attach_to_an_empty_file(shm_name):
    named_file(shm_name, b"")
    with pytest.raises(lockfree.SegmentError, match="size in bytes .at least a header.: found 0"):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_a_foreign_file(shm_name):
    named_file(shm_name, b"somebody else's data" * 1000)
    with pytest.raises(lockfree.SegmentError, match="magic: found 0x.*, expected 0x656572666b636f6c"):
        lockfree.MPMCRing.attach(shm_name)


def attach_to_version(shm_name, difference):
    path, data = segment_bytes(shm_name)
    (ours,) = struct.unpack("<I", data[8:12])
    data[8:12] = struct.pack("<I", ours + difference)
    path.write_bytes(resealed(data))
    with pytest.raises(
        lockfree.SegmentError, match=f"ABI version: found {ours + difference}, expected {ours}; another version"
    ):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_a_newer_version(shm_name):
    attach_to_version(shm_name, +1)


@row
def test_attach_to_an_older_version(shm_name):
    attach_to_version(shm_name, -1)


@row
def test_attach_to_a_corrupted_header(shm_name):
    path, data = segment_bytes(shm_name)
    data[24] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(lockfree.SegmentError, match="checksum of the identity: found 0x.*, expected 0x"):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_a_truncated_segment(shm_name):
    path, data = segment_bytes(shm_name)
    path.write_bytes(data[:-64])
    with pytest.raises(lockfree.SegmentError, match=f"size in bytes: found {len(data) - 64}, expected {len(data)}"):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_attach_to_an_impossible_geometry(shm_name):
    path, data = segment_bytes(shm_name)
    data[24:32] = struct.pack("<Q", 1000)  # a larger capacity than the file has room for
    path.write_bytes(resealed(data))
    with pytest.raises(lockfree.SegmentError, match="size in bytes for the geometry: found"):
        lockfree.MPMCRing.attach(shm_name)


@row
def test_damaged_contents_are_an_error_or_an_answer_never_a_crash(shm_name):
    path, data = segment_bytes(shm_name)
    with lockfree.MPMCRing.attach(shm_name) as ring, path.open("r+b") as file:
        file.seek(data.__len__() - 4 * 64 - 256)
        file.write(b"\xa5" * 256)  # over cells and slots
        for _ in range(20):
            try:
                ring.try_put(b"x")
                ring.try_get()
            except lockfree.SegmentError:
                pass


# ---- life ----


@row
def test_use_after_close(ring):
    ring.close()
    ring.close()
    for use in (
        lambda: ring.put(b"x"),
        ring.get,
        lambda: ring.try_put(b"x"),
        ring.try_get,
        lambda: ring.put_many([b"x"]),
        lambda: ring.get_many(1),
        lambda: ring.get_into(bytearray(8)),
        ring.reserve,
        ring.peek,
        ring.qsize,
        ring.shutdown,
        ring.__enter__,
    ):
        with pytest.raises(lockfree.Closed):
            use()
    assert "closed" in repr(ring)


@row
def test_use_of_a_bound_call_after_close(ring):
    put, get = ring.try_put, ring.try_get
    ring.close()
    with pytest.raises(lockfree.Closed):
        put(b"x")
    with pytest.raises(lockfree.Closed):
        get()


@row
def test_a_view_outlives_close(ring):
    ring.put(b"12345678")
    view = ring.peek()
    copy = memoryview(view)
    ring.close()
    assert copy.nbytes == 8
    assert copy.tobytes() == b"12345678"


@row
def test_unlink_of_an_anonymous_object(ring):
    with pytest.raises(ValueError, match="anonymous"):
        ring.unlink()


@row
def test_unlink_twice(shm_name):
    with lockfree.MPMCRing(1, 8, name=shm_name) as ring:
        ring.unlink()
        with pytest.raises(FileNotFoundError):
            ring.unlink()


@row
def test_close_while_another_thread_waits(ring):
    outcome = queue.SimpleQueue()

    def wait():
        try:
            outcome.put(ring.get())
        except lockfree.Closed as error:
            outcome.put(error)

    thread = threading.Thread(target=wait)
    thread.start()
    threading.Event().wait(0.05)
    ring.close()
    assert isinstance(outcome.get(timeout=30), lockfree.Closed)
    thread.join()


@row
def test_fork_while_another_thread_waits(ring):
    thread = threading.Thread(target=ring.get)
    thread.start()
    threading.Event().wait(0.05)
    child = os.fork()
    if child == 0:
        try:
            ring.put(b"child")  # the waiting thread does not exist here, and its wake is not lost there
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join(30)
    assert not thread.is_alive()
    assert ring.try_put(b"parent")


# ---- atomics ----


@row
def test_atomic_order_it_cannot_have():
    with lockfree.AtomicU64() as atomic:
        for use in (
            lambda: atomic.load("release"),
            lambda: atomic.load("acq_rel"),
            lambda: atomic.store(1, "acquire"),
            lambda: atomic.fetch_add(1, "consume"),
        ):
            with pytest.raises(ValueError, match="order is"):
                use()
        assert atomic.value == 0


@row
def test_atomic_value_out_of_range():
    with lockfree.AtomicU32(7) as atomic:
        for value in (-1, 2**32):
            with pytest.raises(ValueError, match=f"value is {value}: it must be between 0 and 4294967295"):
                atomic.store(value)
        assert atomic.value == 7


@row
def test_atomic_view_misaligned():
    with pytest.raises(ValueError, match="not aligned to 8 bytes"):
        lockfree.atomic_view(bytearray(64), 1)


@row
def test_atomic_view_beyond_the_end():
    with pytest.raises(ValueError, match="offset is 57: it must be between 0 and 56"):
        lockfree.atomic_view(bytearray(64), 57)


@row
def test_atomic_view_of_a_buffer_that_is_too_short():
    with pytest.raises(ValueError, match="buffer has 4 bytes: u64 needs 8"):
        lockfree.atomic_view(bytearray(4))


@row
def test_atomic_view_of_a_read_only_buffer():
    with pytest.raises(ValueError, match="read-only"):
        lockfree.atomic_view(bytes(8))


@row
def test_atomic_view_of_python_objects():
    objects = np.array([[object()], [None]])
    records = np.zeros(2, [("COUNT", "u8"), ("what", "O")])
    for buffer in (objects, memoryview(objects), records, (ctypes.py_object * 2)()):
        with pytest.raises(TypeError, match="it holds Python objects"):
            lockfree.atomic_view(buffer)
    fields = {"_fields_": [("O", ctypes.c_uint64), ("pointer", ctypes.c_void_p)]}
    assert (
        lockfree.atomic_view(type("Fields", (ctypes.Structure,), fields)()).fetch_add(1) == 0
    )  # the name says nothing


@pytest.mark.parametrize(("offset", "error"), [(8, ValueError), (-8, ValueError), (1, ValueError), (0.0, TypeError)])
def test_the_class_of_a_view_checks_as_atomic_view_does(offset, error):
    view = type(lockfree.atomic_view(bytearray(8)))
    with pytest.raises(error, match=f"offset is {offset}"):
        view(bytearray(8), offset)


def test_the_page_has_every_row_and_no_other():
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(ROWS)
