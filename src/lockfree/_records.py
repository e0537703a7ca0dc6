"""What a record is: bytes of bounded length, or one item of a NumPy dtype, and how a segment's note names it."""

from collections.abc import Iterable
from typing import Any, cast

from lockfree._native import ffi

NOTE_BYTES = 512


class Codec:
    """Turns records into bytes and back. `fast` is the type that needs no encoding at all."""

    size: int
    fast: type
    note: str
    noun = "ring"  # what the container is called in messages

    def encode(self, record: Any) -> bytes:
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        raise NotImplementedError

    def view(self, memory: Any) -> Any:
        """A writable view of `memory` (a writable memoryview of one record), as the user sees it."""
        raise NotImplementedError

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        """(buffer, pitch, length, count) of a C-contiguous buffer with one record per row, or None: a sequence."""
        raise NotImplementedError

    def pack(self, records: Iterable[Any]) -> tuple[bytes, Any, int]:
        """A sequence of records as (packed bytes, their lengths as uint32[], how many)."""
        encoded: list[bytes] = [cast("bytes", r) if type(r) is self.fast else self.encode(r) for r in records]
        for position, record in enumerate(encoded):
            if len(record) > self.size:
                raise ValueError(
                    f"records[{position}] has {len(record)} bytes: the {self.noun} takes at most {self.size}"
                )
        return b"".join(encoded), ffi.new("uint32_t[]", [len(r) for r in encoded]), len(encoded)


class BytesCodec(Codec):
    fast = bytes
    note = ""

    def __init__(self, size: int) -> None:
        self.size = size

    def encode(self, record: Any) -> bytes:
        if isinstance(record, str):
            raise TypeError(f"record is {record[:40]!r}: it must be bytes-like; encode the text first")
        try:
            return bytes(memoryview(record))
        except TypeError:
            raise TypeError(f"record is of type {type(record).__name__}: it must be bytes-like") from None

    def decode(self, data: bytes) -> Any:
        return data

    def view(self, memory: Any) -> Any:
        return memory

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        if isinstance(records, (bytes, bytearray, str)):
            kind = type(records).__name__
            raise TypeError(f"records is one {kind}: it must be a sequence of records or a 2-D buffer")
        if isinstance(records, (list, tuple)):
            return None
        try:
            view = memoryview(records)
        except TypeError:
            return None
        return _rows_of(view, self.size, self.noun)


class NumpyCodec(Codec):
    class _Never:
        """No record is of this type, so every one is encoded."""

    fast = _Never

    def __init__(self, dtype: Any) -> None:
        import numpy as np

        self._np = np
        self.dtype = np.dtype(dtype)
        if self.dtype.hasobject:
            raise TypeError(f"dtype is {self.dtype}: it has Python objects, which cannot live in shared memory")
        if self.dtype.itemsize == 0:
            raise ValueError(f"dtype is {self.dtype}: it has no bytes")
        self.size = self.dtype.itemsize
        self._base, self._shape = self.dtype.base, self.dtype.shape
        self.note = repr((np.lib.format.dtype_to_descr(self._base), self._shape))
        if len(self.note.encode()) >= NOTE_BYTES:
            raise ValueError(f"dtype {self.dtype} takes {len(self.note)} bytes to write down: at most {NOTE_BYTES - 1}")

    @classmethod
    def from_note(cls, note: str) -> "NumpyCodec":
        import ast

        import numpy as np

        base, shape = ast.literal_eval(note)
        return cls(np.dtype((np.lib.format.descr_to_dtype(base), shape)))

    def encode(self, record: Any) -> bytes:
        array = self._np.asarray(record, dtype=self._base)
        if array.shape != self._shape:
            raise ValueError(f"record has shape {array.shape}: dtype {self.dtype} takes {self._shape}")
        return bytes(array.tobytes())

    def decode(self, data: bytes) -> Any:
        if self._shape:
            return self._np.frombuffer(bytearray(data), dtype=self._base).reshape(self._shape)
        return self._np.frombuffer(data, dtype=self._base)[0]

    def view(self, memory: Any) -> Any:
        return self._np.frombuffer(memory, dtype=self._base).reshape(self._shape)

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        if not isinstance(records, self._np.ndarray):
            return None
        array = records
        if array.dtype != self._base or array.shape[1:] != self._shape or array.ndim != 1 + len(self._shape):
            wanted = f"{self._base} of shape (n, *{self._shape})"
            raise ValueError(f"records is {array.dtype} of shape {array.shape}: it must be {wanted}")
        return _rows_of(self._np.ascontiguousarray(array).data.cast("B"), self.size, self.noun, count=len(array))


def _rows_of(view: memoryview, size: int, noun: str, count: int | None = None) -> tuple[Any, int, int, Any]:
    if not view.c_contiguous:
        raise ValueError("records is a buffer that is not C-contiguous")
    if count is None:
        if view.ndim == 0:
            raise ValueError("records is a buffer without dimensions: it must have one record per row")
        count = view.shape[0] if view.shape else 0
    if count == 0:
        return view, 0, 0, 0
    pitch = view.nbytes // count
    if pitch > size:
        raise ValueError(f"records has rows of {pitch} bytes: the {noun} takes at most {size}")
    return view, pitch, pitch, count


def writable_rows(buffer: Any, size: int) -> tuple[Any, int, int]:
    """(cdata, pitch, rows) of a writable C-contiguous buffer whose rows take a record of `size` bytes each."""
    view = memoryview(buffer)
    if view.readonly:
        raise ValueError("buffer is read-only")
    if not view.c_contiguous:
        raise ValueError("buffer is not C-contiguous")
    if view.ndim == 1 and view.itemsize == 1 and size != 1:
        rows, rest = divmod(view.nbytes, max(size, 1))  # flat bytes: one record after the other
        if rest:
            raise ValueError(f"buffer has {view.nbytes} bytes: it must be a multiple of the record size {size}")
        pitch = max(size, 1)
    else:
        rows = view.shape[0] if view.shape else 0
        pitch = view.nbytes // rows if rows else size
    if pitch < size:
        raise ValueError(f"buffer has rows of {pitch} bytes: a record needs {size}")
    return (ffi.from_buffer(view, require_writable=True) if view.nbytes else ffi.NULL), pitch, rows
