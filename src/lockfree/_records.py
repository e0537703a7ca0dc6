"""What a record is: bytes of bounded length, or one item of a NumPy dtype (_dtypes.py)."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from lockfree._native import bytes_of, ffi

POINTERS = re.compile(r"[OP&Xz]|Z(?![fdg])")
"""In a buffer's format: Python objects and C pointers, which mean nothing outside of their process. Z is the pointer of
ctypes to wide characters; Zf, Zd and Zg are NumPy's complex numbers.
"""


def has_pointers(format_: str, wanted: re.Pattern[str] = POINTERS) -> bool:
    """Whether a format has one of them. Names of fields stand between colons."""
    return wanted.search(re.sub(r":[^:]*:", ":", format_)) is not None


class Codec:
    """Turns records into bytes and back. `fast` is the type that needs no encoding at all."""

    size: int
    fast: type
    note: str  # names the codec to those who attach; "" is bytes
    noun = "ring"  # what the container is called in messages

    def encode(self, record: Any, what: str = "record") -> bytes:
        """A record as bytes; `what` names it in errors."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        raise NotImplementedError

    def view(self, memory: Any) -> Any:
        """`memory` (a writable buffer of one record) as the user sees it."""
        raise NotImplementedError

    def batch(self, memory: Any) -> Any:
        """`memory` (a writable buffer of whole records, one after the other) as an array of records."""
        raise TypeError(f"as_array is True: the {self.noun} has no dtype ({len(memory)} bytes)")

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        """(buffer, pitch, length, count) of a C-contiguous buffer with one record per row, or None: a sequence."""
        raise NotImplementedError

    def ranks(self, memory: Any) -> Any:
        """`memory` (a writable buffer of 32-bit priorities) as an array."""
        raise NotImplementedError

    def rows_to_fill(self, buffer: Any) -> tuple[memoryview, int, int]:
        """(view, pitch, rows) of a buffer that takes a record in each row."""
        view, pitch, rows = rows_to_fill(buffer, self)
        return view, pitch, rows

    @staticmethod
    def ranks_to_fill(priorities: Any, rows: int) -> memoryview:
        """A buffer that takes a priority for each of `rows` rows."""
        return writable_ranks(priorities, rows)

    def place_to_fill(self, buffer: Any) -> memoryview:
        """A buffer that takes one record."""
        view = writable("buffer", self.to_fill(buffer))
        if view.nbytes < self.size:
            raise ValueError(f"buffer has {view.nbytes} bytes: it must have at least {self.size}")
        return view

    def to_fill(self, buffer: Any) -> Any:
        """What has the memory of a buffer that is to be filled with records; refuses one that cannot be."""
        return buffer

    def pack(self, records: Iterable[Any]) -> tuple[bytes, Any, int]:
        """A sequence of records as (packed bytes, their lengths as uint32[], how many)."""
        encoded = [self.encoded(record, position) for position, record in enumerate(tuple(records))]
        return b"".join(encoded), ffi.new("uint32_t[]", [len(r) for r in encoded]), len(encoded)

    def encoded(self, record: Any, position: int) -> bytes:
        """`encode` of records[position], with the check of its length."""
        data = cast("bytes", record) if type(record) is self.fast else self.encode(record, f"records[{position}]")
        if len(data) > self.size:
            raise ValueError(f"records[{position}] has {len(data)} bytes: the {self.noun} takes at most {self.size}")
        return data


class BytesCodec(Codec):
    fast = bytes
    note = ""

    def __init__(self, size: int) -> None:
        self.size = size

    def encode(self, record: Any, what: str = "record") -> bytes:
        view = bytes_like(what, record)
        refuse_pointers(what, view)
        return bytes_of(view)

    def decode(self, data: bytes) -> Any:
        return data

    def view(self, memory: Any) -> Any:
        return memoryview(memory)

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        if isinstance(records, (list, tuple)):
            return None
        refuse_one_record(records)
        view = buffer_of("records", records)
        return None if view is None else rows_of(view, self.size, self.noun)


def refuse_pointers(what: str, view: memoryview) -> None:
    """TypeError for a buffer of Python objects or pointers."""
    if has_pointers(view.format):
        raise TypeError(f"{what} is a buffer of format {view.format!r}: it holds Python objects or pointers, not data")


def bytes_like(what: str, value: Any) -> memoryview:
    """`memoryview(value)` of a record or a message, or TypeError that names it."""
    try:
        return memoryview(value)
    except TypeError:
        way_out = "; encode the text first" if isinstance(value, str) else ""
        raise TypeError(f"{what} is of type {type(value).__name__}: it must be bytes-like{way_out}") from None
    except (ValueError, BufferError) as error:
        raise _no_buffer(what, value, error) from None


def buffer_of(what: str, value: Any) -> memoryview | None:
    """`memoryview(value)`, or None for what is no buffer. TypeError for one that cannot be had, as of dates."""
    try:
        return memoryview(value)
    except TypeError:
        return None
    except (ValueError, BufferError) as error:
        raise _no_buffer(what, value, error) from None


def _no_buffer(what: str, value: Any, error: Exception) -> TypeError:
    return TypeError(f"{what} is of type {type(value).__name__}: it has no buffer ({error})")


def view_of(what: str, value: Any) -> memoryview:
    """`memoryview(value)`, or TypeError that names the argument and what it is."""
    try:
        return memoryview(value)
    except (TypeError, ValueError, BufferError) as error:
        raise _no_buffer(what, value, error) from None


def writable(what: str, value: Any) -> memoryview:
    """`memoryview(value)` of data that can be written in one piece, or TypeError or ValueError that names it."""
    view = view_of(what, value)
    refuse_pointers(what, view)
    if view.readonly:
        raise ValueError(f"{what} is read-only")
    if not view.c_contiguous:
        raise ValueError(f"{what} is not C-contiguous")
    return view


def tell(error: BaseException, record: Any, done: int) -> None:
    """For an exception that ends a put_many of an iterator: what was taken out of it and did not go in."""
    with suppress(Exception):  # an exception of a kind without attributes
        error.put, error.record = done, record  # type: ignore[attr-defined]
        error.add_note(f"put_many() had put {done} records; the next one is the attribute `record` of this exception")


_OBJECTS = re.compile("O")


def refuse_objects(what: str, view: memoryview) -> None:
    """TypeError for a buffer of Python objects, which a write would destroy."""
    if has_pointers(view.format, _OBJECTS):
        raise TypeError(f"{what} is a buffer of format {view.format!r}: it holds Python objects, not data")


def is_one_record(records: Any, *, arrays: bool = False) -> bool:
    """Whether it is text, or bytes-like: no sequence of records, though Python can walk it.

    An array of NumPy of unsigned bytes is one only with `arrays`: a ring of such a dtype has a record in each of them.
    """
    if isinstance(records, (bytes, bytearray, str)):
        return True
    try:
        view = memoryview(records)
    except (TypeError, ValueError, BufferError):
        return False
    if view.ndim > 1 or view.itemsize != 1:
        return False
    return type(records).__name__ != "ndarray" or (arrays and view.format in {"B", "c"})


def refuse_one_record(records: Any) -> None:
    """TypeError for what is one record, bytes-like or text, where a sequence of them belongs."""
    if is_one_record(records):
        kind = type(records).__name__
        raise TypeError(f"records is one {kind}: it must be a sequence of records or a 2-D buffer")


def rows_of(view: memoryview, size: int, noun: str, count: int | None = None) -> tuple[Any, int, int, Any]:
    refuse_pointers("records", view)
    if not view.c_contiguous:
        raise ValueError("records is a buffer that is not C-contiguous")
    if count is None:
        if view.ndim == 0:
            raise ValueError("records is a buffer without dimensions: it must have one record per row")
        if view.ndim == 1 and view.itemsize == 1:
            raise TypeError("records is a buffer of single bytes: it must be a sequence of records or a 2-D buffer")
        count = view.shape[0] if view.shape else 0
    if count == 0:
        return view, 0, 0, 0
    pitch = view.nbytes // count
    if pitch > size:
        raise ValueError(f"records has rows of {pitch} bytes: the {noun} takes at most {size}")
    return view, pitch, pitch, count


def rows_to_fill(buffer: Any, codec: Codec) -> tuple[memoryview, int, int]:
    """(view, pitch, rows) of a writable C-contiguous buffer whose rows take a record each."""
    view, size = writable("buffer", codec.to_fill(buffer)), codec.size
    if view.ndim == 1 and view.itemsize == 1 and size != 1:
        rows, rest = divmod(view.nbytes, size)  # flat bytes: one record after the other
        if rest:
            raise ValueError(f"buffer has {view.nbytes} bytes: it must be a multiple of the record size {size}")
        pitch = size
    else:
        rows = view.shape[0] if view.shape else 0
        pitch = view.nbytes // rows if rows else size
    if pitch < size:
        raise ValueError(f"buffer has rows of {pitch} bytes: a record needs {size}")
    return view, pitch, rows


def writable_rows(buffer: Any, codec: Codec) -> tuple[Any, int, int]:
    """The same with a cdata for the view."""
    view, pitch, rows = rows_to_fill(buffer, codec)
    return (ffi.from_buffer(view, require_writable=True) if view.nbytes else ffi.NULL), pitch, rows


def writable_ranks(priorities: Any, rows: int) -> memoryview:
    """A writable contiguous buffer of unsigned 32-bit integers, at least one per row."""
    view = view_of("priorities", priorities)
    if view.readonly or not view.c_contiguous or view.itemsize != 4 or view.format not in {"I", "=I", "<I"}:
        raise ValueError("priorities is not a writable contiguous buffer of unsigned 32-bit integers")
    if view.nbytes < 4 * rows:
        raise ValueError(f"priorities has {view.nbytes // 4} entries: the buffer has {rows} rows")
    return view
