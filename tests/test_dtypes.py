"""Records of a dtype: what is written down of it, what is refused, and that no value changes unseen."""

import base64
import datetime as dt
import hashlib
import json
import math
import zlib
from decimal import Decimal

import numpy as np
import pytest

import lockfree
from lockfree._dtypes import NOTE_BYTES, NumpyCodec, note_of

NOON = dt.datetime(2026, 1, 2, 12)  # noqa: DTZ001
POINT = np.dtype([("x", "f4"), ("y", "i4", (2,))])

DTYPES = [
    "u1", "?", "<f8", ">f8", "f2", "g", "c16", "S5", "U3", "V7", "M8[ns]", "M8[25s]", "m8[D]", "(2,3)i2", POINT,
    np.dtype((POINT, (2,))), np.dtype([("a", "u1"), ("b", "f8")], align=True),
    np.dtype({"names": ["late", "early"], "formats": ["u2", "u4"], "offsets": [4, 0], "itemsize": 32}),
    np.dtype({"names": ["whole", "half"], "formats": ["u4", "u2"], "offsets": [0, 0]}),
    np.dtype([("Größe:1", "f4"), ("\u2028", [("deep", "(2,)S3")])]),
    np.dtype([(f"channel_{i}", "f4") for i in range(12)]),
    np.dtype([(("The x", "x"), "i4"), ("y", [(("Größe", "z"), ">u2", (2,))])]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_note_names_the_dtype_exactly(dtype):
    codec = NumpyCodec(dtype)
    assert codec.note.isascii()
    again = NumpyCodec.from_note(codec.note.encode(), codec.size)
    assert again.dtype == np.dtype(dtype)
    assert again.note == codec.note


def test_a_dtype_of_200_fields(shm_name):
    dtype = np.dtype([(f"field_{i}", "f4") for i in range(200)])
    if NOTE_BYTES < 16384:
        pytest.skip("the note of this build is too short")
    with lockfree.MPMCRing(2, dtype=dtype, name=shm_name) as ring:
        ring.put(tuple(range(200)))
        with lockfree.MPMCRing.attach(shm_name) as other:
            assert other.dtype == dtype
            assert other.get()["field_199"] == 199
        ring.unlink()


@pytest.mark.parametrize("kind", [lockfree.MPMCRing, lockfree.LatestValue])
def test_a_dtype_whose_text_is_long_is_compressed(kind, shm_name):
    inner = [("position", "f8", (3,)), ("state", [("mode", "u1"), ("error", "S16")]), ("seen", "M8[ns]")]
    dtype = np.dtype([(f"channel_{i}", inner) for i in range(600)])
    text, note = note_of(np, dtype), NumpyCodec(dtype).note
    assert len(text) > 6 * NOTE_BYTES > 6 * len(note)
    arguments = (2,) if kind is lockfree.MPMCRing else ()
    with kind(*arguments, dtype=dtype, name=shm_name), kind.attach(shm_name) as other:
        assert other.dtype == dtype
        other.unlink()
    zeros = zlib.compress(bytes(1 << 21))
    for bad in (note[:-5], note[:9] + "~~" + note[11:], "z", "z" + base64.b85encode(zeros).decode(), note + "00000"):
        with pytest.raises(lockfree.SegmentError, match="the note, .*, names"):
            NumpyCodec.from_note(bad.encode(), dtype.itemsize)


def random_names(count, size):
    return [(hashlib.sha512(b"%d" % i).hexdigest()[:size], "f4") for i in range(count)]


def test_a_dtype_that_is_too_long_to_write_down():
    with pytest.raises(ValueError, match=rf"bytes to write down, \d+ compressed: at most {NOTE_BYTES - 1}"):
        lockfree.MPMCRing(2, dtype=np.dtype(random_names(NOTE_BYTES // 40, 128)))
    with pytest.raises(ValueError, match=r"of 50000 fields takes \d+ bytes to write down: at most 1048576"):
        lockfree.MPMCRing(2, dtype=np.dtype([(f"field_{i}", "i4") for i in range(50_000)]))


def test_a_dtype_of_many_fields_makes_no_long_message():
    many = [(f"field_{i}", "i4") for i in range(200)]
    with lockfree.MPMCRing(2, dtype=many) as ring, lockfree.LatestValue(dtype=many) as value:
        assert "of 200 fields qsize=0" in repr(ring)
        assert "of 200 fields version=0" in repr(value)
        calls = [
            lambda: ring.put(5),
            lambda: ring.put(np.zeros((), [(name, "i4") for name, _ in many[1:]])[()]),
            lambda: ring.put(np.zeros(3, many)),
            lambda: ring.put_many(np.zeros(3, "i4")),
            lambda: ring.get_into(np.zeros(3, "i4")),
            lambda: ring.commit(5),
            lambda: value.set(5),
            lambda: lockfree.MPMCRing(2, 7, dtype=many),
            lambda: lockfree.MPMCRing(2, dtype=[*many, ("last", "O")]),
            lambda: lockfree.MPMCRing(2, dtype=random_names(2000, 60)),
        ]
        ring.reserve()
        for call in calls:
            with pytest.raises((TypeError, ValueError)) as caught:
                call()
            assert len(str(caught.value)) < 400, str(caught.value)
        assert "field" in str(caught.value)
        assert "of 2000 fields takes" in str(caught.value)


GOOD = json.loads(NumpyCodec(POINT).note)
HOSTILE = [
    b"\xff\xfe", b"(", b"('<f8', (3,))", b"1", b"null", b"[]", b"{}", b'""', b'"<f8"junk', b'"O"', b'"|O8"', b'"<f4"', b'"f8,f8"',
    b'"<S99999999999"', b'"<M8[parsec]"', b"[" * 8000, b'{"base":' * 1000, b"-" * 400, b"9" * 5000, b"1e999", b"x" * 511, b"__import__('os')",
    b'{"base":"<f8","shape":[1000000000000]}', b'{"base":"<f8","shape":[-1]}', b'{"base":"<f8","shape":[true]}',
    b'{"base":"<f8","shape":1}', b'{"base":"|u1","shape":[2147483648,2147483648]}', b'{"base":["<f8"],"shape":[1]}',
    *(json.dumps({**GOOD, key: value}).encode() for key, value in [
        ("offsets", [0, -4]), ("offsets", [0]), ("offsets", [0, 2**40]), ("itemsize", 0), ("itemsize", 2**31), ("itemsize", "8"),
        ("names", ["x", "x"]), ("names", [1, 2]), ("names", ["x"]), ("names", None), ("formats", ["<f4"]), ("more", 1),
        ("titles", None), ("titles", [1, 2]), ("titles", ["x", "y"]), ("titles", ["X"]), ("titles", ["X", "X"]), ("titles", [["X"], "Y"]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("note", HOSTILE, ids=lambda note: repr(note[:40]))
def test_whatever_stands_in_the_note_is_a_segment_error(note):
    with pytest.raises(lockfree.SegmentError, match="the note, .*, names"):
        NumpyCodec.from_note(note, 8)


@pytest.mark.parametrize("size", [7, 9, 16, 0])
def test_a_note_of_another_record_size(size):
    with pytest.raises(lockfree.SegmentError, match=f"names a dtype of 8 bytes: found records of {size}"):
        NumpyCodec.from_note(b'"<f8"', size)


@pytest.mark.parametrize("casting", ["safe", "unsafe"])
@pytest.mark.parametrize("kind", ["MPMCRing", "SPSCRing", "PriorityQueue", "LatestValue"])
def test_casting_of_bytes_is_refused(kind, casting, shm_name):
    cls = getattr(lockfree, kind)
    arguments = {"MPMCRing": (2, 8), "SPSCRing": (2, 8), "PriorityQueue": (2, 8, 1), "LatestValue": (8,)}[kind]
    for make in (cls, lambda *given, **named: cls.open(shm_name, *given, **named)):
        with pytest.raises(
            ValueError, match=f"casting is '{casting}': it has no effect without `dtype`, which is None"
        ):
            make(*arguments, casting=casting)
    with cls(*arguments, name=shm_name) as made:
        with pytest.raises(ValueError, match=f"casting is '{casting}': .* since the records of {kind} '.*' are bytes"):
            cls.attach(shm_name, casting=casting)
        assert len(made.peers()) == 1
        made.unlink()
    with cls(*arguments, casting="same_value") as made:
        assert made.dtype is None


WITHOUT_A_WARNING = [("c8", 255), ("c16", np.uint8(1)), ("c8", np.int64(-5)), ("f2", 7), ("?", np.uint8(1))]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "value"), WITHOUT_A_WARNING, ids=str)
def test_numpy_warns_of_nothing(dtype, value):
    with lockfree.MPMCRing(2, dtype=dtype) as ring:
        ring.put(value)
        assert ring.get() == value


KEPT = [
    ("i4", 3), ("u8", 2**64 - 1), ("i8", -(2**63)), ("u1", 255), ("u1", 3.0), ("u1", True), ("?", True), ("?", 1), ("f8", 7), ("f8", 2**53),
    ("f4", 0.1), ("f4", math.nan), ("f4", -math.inf), ("f4", np.float64(0.1)), ("c8", 1.5), ("c8", 1 + 2j), ("S5", b"abc"), ("S5", "abc"),
    ("U3", "äöü"), ("U3", b"abc"), ("V4", b"abc"), ("M8[s]", np.datetime64("2026-01-01")), ("M8[us]", NOON),
    ("M8[D]", dt.date(2026, 1, 2)), ("m8[ms]", dt.timedelta(seconds=1)), ("m8[s]", 5), ("M8[s]", np.datetime64("NaT")),
    ("f4", np.uint8(255)), ("f2", np.int8(127)), ("f8", np.uint16(65535)), ("c16", np.int64(-(2**63))), ("c8", 255), ("f4", -(2**63)),
    ("f8", 2**70), ("m8[s]", -(2**63) + 1), ("m8[s]", np.uint64(2**63 - 1)), ("M8[D]", np.datetime64("2026-02")), ("m8[M]", np.timedelta64(2, "Y")),
    ("(2,)i2", [1, 2]), ("(2,)i2", (1.0, 2.0)), ("(2,)i2", np.array([1, 2], "i8")), ("(2,2)f4", [[1, 2], [3, 4]]), (POINT, (1, (2, 3))),
    (POINT, (1, np.array([2.0, 3.0]))), (np.dtype((POINT, (2,))), [(1, (2, 3)), (4, (5, 6))]),
    (POINT, np.array((1, (2, 3)), [("x", "f8"), ("y", "i8", (2,))])),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "value"), KEPT, ids=str)
def test_a_value_that_the_dtype_can_hold(dtype, value):
    expected = np.zeros(1, dtype)
    expected[0] = value if not isinstance(value, np.ndarray) or value.dtype.names is None else value[()]
    with lockfree.MPMCRing(2, dtype=dtype) as ring:
        ring.put(value)
        assert ring.put_many([value]) == 1
        for _ in range(2):
            assert np.asarray(ring.get(), ring.dtype.base).tobytes() == expected.tobytes()


LOST = [
    ("i4", 3.7), ("i4", math.nan), ("i4", math.inf), ("i4", 2**31), ("u1", 256), ("u1", -1), ("u8", -1), ("u8", 2**64), ("i8", 2**70),
    ("u1", 1e300), ("i4", 2.0**31), ("i4", 1j), ("i4", "3"), ("i4", b"3"), ("i4", None), ("i4", Decimal(3)), ("?", 2), ("?", 0.0), ("?", None),
    ("f8", None), ("f8", "1.5"), ("f8", 2**53 + 1), ("f8", 2**64 - 1), ("f4", 2**24 + 1), ("f4", 1e300), ("f2", 70000), ("f2", 70000.0),
    ("f8", 1j), ("f8", 10**400), ("c8", 1e300), ("c16", None), ("c16", "1"), ("S3", b"abcd"), ("S3", "ä"), ("S3", 5), ("S3", None),
    ("U2", "abc"), ("U2", 5), ("U2", b"\xff"), ("V2", b"abc"), ("V8", 5), ("M8[D]", np.datetime64("2026-01-01T05")), ("M8[s]", None),
    ("M8[s]", 5), ("M8[s]", "2026-01-01"), ("M8[D]", NOON), ("m8[D]", dt.timedelta(hours=1)),
    ("f2", -(2**31)), ("f2", np.int64(-(2**63))), ("f8", 2**70 + 1), ("f4", np.uint64(2**64 - 1)), ("c8", np.int64(2**63 - 1)), ("c8", 2**24 + 1),
    ("m8[s]", np.uint64(2**64 - 1)), ("m8[s]", -(2**63)), ("m8[s]", np.timedelta64(1, "M")), ("m8[D]", np.timedelta64(1, "Y")),
    ("i8", 2.0**63), ("u8", 2.0**64), ("i4", np.float32(2**31)), ("S3", b"a\0"), ("S3", "ab\0"), ("U3", "a\0"), ("(2,)S3", [b"a", b"b\0"]),
    ("m8[s]", 1.5), ("(2,)i2", [1, 2.5]), ("(2,)i2", [1, 70000]), ("(2,)f4", [1, None]), (POINT, (1, (2, 3.5))), (POINT, (None, (2, 3))),
    (np.dtype([("a", [("b", "u1")])]), ((300,),)),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "value"), LOST, ids=str)
def test_a_value_that_would_change_is_refused(dtype, value):
    with lockfree.MPMCRing(2, dtype=dtype) as ring:
        for call in (ring.put, ring.try_put, ring.put_nowait, lambda v: ring.put_many([v])):
            with pytest.raises((ValueError, TypeError), match="record"):
                call(value)
        assert ring.qsize() == 0


BROADCAST = [
    ("(2,)i2", 5), ("(2,)i2", [5]), ("(2,2)i2", [1, 2]), ("(2,)i2", [[1, 2]]), ("i2", [5]), ("i2", [1, 2]), (POINT, 5), (POINT, (1, 5)),
    (POINT, [1, (2, 3)]), (POINT, [(1, (2, 3))]), (POINT, (1, (2, 3), 4)), (POINT, (1,)), (POINT, (1, [[2, 3]])), (np.dtype((POINT, (2,))), (1, (2, 3))),
    (np.dtype((POINT, (2,))), [(1, (2, 3))]), (POINT, np.zeros(2, POINT)), (POINT, np.zeros((), [("x", "f4")])), ("(2,)f8", np.zeros(3)),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "value"), BROADCAST, ids=str)
def test_a_value_of_another_shape_is_refused(dtype, value):
    with lockfree.MPMCRing(2, dtype=dtype) as ring:
        for call in (ring.put, ring.try_put, lambda v: ring.put_many([v])):
            with pytest.raises((ValueError, TypeError), match="record"):
                call(value)
        assert ring.qsize() == 0


@pytest.mark.parametrize(
    ("dtype", "value", "got"), [("i4", 3.7, 3), ("f8", "1.5", 1.5), ("u1", np.int64(257), 1), ("S2", b"abc", b"ab")]
)
def test_casting_unsafe_takes_what_numpy_takes(dtype, value, got, shm_name):
    with lockfree.MPMCRing(2, dtype=dtype, casting="unsafe", name=shm_name) as ring:
        ring.put(value)
        assert ring.get() == got
        with lockfree.MPMCRing.attach(shm_name, casting="unsafe") as other:
            other.put(value)
        with lockfree.MPMCRing.attach(shm_name) as strict, pytest.raises((ValueError, TypeError), match="record is"):
            strict.put(value)
        assert ring.get() == got
        ring.unlink()


MASKED = {
    "one": ("i4", np.ma.masked, np.ma.array(5)),
    "an array": ("(3,)i4", np.ma.array([1, 2, 3], mask=[0, 1, 0]), np.ma.array([1, 2, 3])),
    "of another dtype": ("(3,)f8", np.ma.array([1, 2, 3], mask=[0, 1, 0]), np.ma.array([1, 2, 3])),
    "a field": (POINT, (np.ma.masked, (1, 2)), (np.ma.array(1.0), (1, 2))),
    "a record": (POINT, np.ma.array(np.zeros((), POINT), mask=[(False, [False, True])]), np.zeros((), POINT)),
}


@pytest.mark.parametrize(("dtype", "masked", "whole"), MASKED.values(), ids=MASKED)
def test_what_is_masked_has_no_value(dtype, masked, whole):
    with lockfree.MPMCRing(4, dtype=dtype) as ring, lockfree.LatestValue(dtype=dtype) as value:
        for call in (ring.put, value.set, lambda record: ring.put_many([record])):
            with pytest.raises(ValueError, match=r"masked values: fill them first"):
                call(masked)
        batch = np.ma.zeros(2, ring.dtype)
        batch.mask = True
        with pytest.raises(ValueError, match=r"records has . masked values"):
            ring.put_many(batch)
        ring.put(whole)
        assert ring.put_many([whole]) == 1
        value.set(whole)
        assert ring.qsize() == 2
    with lockfree.MPMCRing(4, dtype=dtype, casting="unsafe") as ring:
        ring.put(masked)  # as NumPy takes it


def test_castings_of_numpy():
    with lockfree.MPMCRing(2, dtype="f4", casting="same_kind") as ring:
        ring.put(1e300)
        assert ring.get() == math.inf
        with pytest.raises(TypeError, match="casting 'same_kind' to float32 refuses"):
            ring.put(1j)
        assert ring.put_many(np.ones(2)) == 2
    with lockfree.PriorityQueue(2, dtype="f4", casting="no") as q:
        with pytest.raises(TypeError, match="casting 'no' to float32 refuses"):
            q.put(1.0, 0)
        with pytest.raises(ValueError, match="casting 'no' to float32 refuses"):
            q.put_many(np.ones(2), 0)
    for wrong in ("loose", None, 7, []):
        with pytest.raises(ValueError, match="casting is .*: it must be one of same_value, no, equiv"):
            lockfree.SPSCRing(2, dtype="f4", casting=wrong)
        with pytest.raises(ValueError, match="casting is"):
            lockfree.SPSCRing.attach("none", casting=wrong)


OBJECTS = [np.array([None, None]), np.zeros(2, [("n", "u4"), ("O", "O")])["O"], np.zeros(2, [("n", "f8"), ("o", "O")])]


@pytest.mark.parametrize("array", OBJECTS, ids=lambda a: str(a.dtype))
@pytest.mark.parametrize("Ring", [lockfree.SPSCRing, lockfree.MPMCRing])
def test_arrays_of_objects_are_no_buffers(Ring, array):
    with Ring(4, 64) as ring:
        ring.put_many([b"A" * 64] * 2)
        for call in (ring.get_into, ring.put_many, ring.put, ring.try_put):
            with pytest.raises((TypeError, ValueError), match="Python objects|contiguous"):
                call(array)
        assert ring.qsize() == 2


def test_a_field_that_is_called_o_is_no_object():
    with lockfree.MPMCRing(4, 8) as ring:
        rows = np.ones(2, [("O", "u4"), ("P", "f4")])
        assert ring.put_many(rows) == 2
        ring.put(rows[0])
        assert ring.get_into(np.zeros(3, rows.dtype)) == 3


ODD_FORMATS = [
    "c8", "c16", "G", "f2", "g", ">i4", "S3", "U2", "M8[s]", "m8[ms]", "(2,)M8[D]", [("a", "c8"), ("b", "(2,)c16")], [("when", "M8[us]"), ("x", "f4")],
    [("a:b", "f4"), ("Z", "f4"), ("f", "f4")],
]  # fmt: skip
"""What no pointer is, and what memoryview has no format for, or cannot walk."""


@pytest.mark.parametrize("dtype", ODD_FORMATS, ids=str)
def test_arrays_of_every_dtype_are_put_and_filled(dtype):
    with lockfree.MPMCRing(4, dtype=dtype) as ring, lockfree.LatestValue(dtype=dtype) as latest:
        rows = np.zeros((3, *ring.dtype.shape), ring.dtype.base)
        rows.view("u1")[...] = 49
        assert ring.put_many(rows) == 3
        for record in rows:
            assert ring.get().tobytes() == record.tobytes()
        ring.put_many(rows)
        into = np.zeros_like(rows)
        assert ring.get_into(into) == 3
        assert into.tobytes() == rows.tobytes()
        latest.set(rows[0])
        assert latest.get_into(into[1:2]) > 0
        try:
            view = memoryview(rows)
        except ValueError:
            return  # NumPy has no format for it
        assert ring.put_many(view) == 3
        assert ring.get_into(memoryview(into)) == 3


@pytest.mark.parametrize("dtype", ["c8", "c16", [("a", "c8"), ("b", "f4")]], ids=str)
def test_complex_numbers_are_bytes(dtype):
    rows = np.ones((2, 2), dtype)
    with lockfree.MPMCRing(4, 64) as ring, lockfree.MessageRing(1024, 64) as messages:
        ring.put(rows)
        assert ring.get() == rows.tobytes()
        assert ring.put_many(rows) == 2
        assert ring.get_into(np.zeros((4, 16), rows.dtype)) == 2
        messages.put(rows)
        assert messages.get() == rows.tobytes()


def test_an_array_that_has_no_buffer_is_named():
    dates = np.zeros(2, "M8[s]")
    with lockfree.MPMCRing(4, 64) as ring, lockfree.MessageRing(1024, 64) as messages:
        for call, name in (
            (ring.put, "record"),
            (ring.try_put, "record"),
            (ring.get_into, "buffer"),
            (messages.put, "message"),
            (messages.try_put, "message"),
            (lambda found: ring.put_many([found]), r"records\[0\]"),
            (lambda found: messages.put_many([found]), r"messages\[0\]"),
            (lambda found: messages.put_many(iter([found])), r"messages\[0\]"),
            (ring.put_many, "records"),
            (messages.put_many, "messages"),
        ):
            with pytest.raises(TypeError, match=rf"^{name} is of type ndarray: it has no buffer \("):
                call(dates)
        assert ring.put_many(iter([dates.view("u1")])) == 1


def test_a_buffer_of_another_dtype_is_not_filled():
    with lockfree.MPMCRing(2, dtype="f8") as ring:
        ring.put(1.0)
        with pytest.raises(ValueError, match="buffer is int64: the ring has records of float64"):
            ring.get_into(np.zeros(2, "i8"))
        rows = np.zeros((2, 8), "u1")
        assert ring.get_into(rows) == 1
        assert rows[0].view("f8") == 1
