"""What the rings have in common: the family of calls around `put` and `get`, over bytes or dtype records."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, NoReturn

from lockfree import _native
from lockfree._errors import EMPTY, FULL, INTERRUPTED, INVALID, raise_status
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._records import BytesCodec, Codec, NumpyCodec, writable_rows
from lockfree._segment import Holder, Shared, check_int, check_name
from lockfree._waiting import FOREVER, deadline

MAX_CAPACITY = 2**31
MAX_RECORD = 2**31
_COUNT_MAX = 2**62


class _Scratch(threading.local):
    """Room for one record per thread, where the C side copies it out."""

    def __init__(self, size: int) -> None:
        self.memory = ffi.new("char[]", max(size, 1))
        self.bytes = ffi.buffer(self.memory)


class _Hand(threading.local):
    """What the calling thread has reserved or peeked and not yet given back."""

    def __init__(self) -> None:
        self.reserved: tuple[int, Any] | None = None
        self.peeked: tuple[int, Any] | None = None


class Ring(Shared):
    """Base of the rings. A subclass names its C functions by prefix: `lf_<prefix>_try_put` and so on."""

    _prefix: ClassVar[str]
    _c_try_put: ClassVar[Any]
    _c_try_get: ClassVar[Any]
    _c_put_many: ClassVar[Any]
    _c_get_many: ClassVar[Any]
    _c_reserve: ClassVar[Any]
    _c_commit: ClassVar[Any]
    _c_cancel: ClassVar[Any]
    _c_peek: ClassVar[Any]
    _c_release: ClassVar[Any]
    _c_payload: ClassVar[Any]
    _c_size: ClassVar[Any]
    _c_shutdown: ClassVar[Any]
    _b_put: ClassVar[Any]
    _b_get: ClassVar[Any]
    _b_reserve: ClassVar[Any]
    _b_peek: ClassVar[Any]

    capacity: int
    record_size: int

    def __init_subclass__(cls, prefix: str) -> None:
        cls._prefix = prefix
        cls._struct = f"struct lf_{prefix}"
        for name in ("try_put", "try_get", "put_many", "get_many", "reserve", "commit", "cancel", "peek", "release"):
            setattr(cls, f"_c_{name}", getattr(lib, f"lf_{prefix}_{name}"))
        cls._c_size = getattr(lib, f"lf_{prefix}_size")
        cls._c_shutdown = getattr(lib, f"lf_{prefix}_shutdown")
        cls._c_payload = getattr(lib, f"lf_py_{prefix}_payload")
        cls._close = getattr(lib, f"lf_{prefix}_close")
        cls._b_put = getattr(blocking, f"lf_{prefix}_put")
        cls._b_get = getattr(blocking, f"lf_{prefix}_get")
        cls._b_reserve = getattr(blocking, f"lf_{prefix}_reserve_wait")
        cls._b_peek = getattr(blocking, f"lf_{prefix}_peek_wait")
        cls._attach = getattr(blocking, f"lf_{prefix}_attach")
        cls._attach_fd = getattr(blocking, f"lf_{prefix}_attach_fd")

    def __init__(
        self,
        capacity: int,
        record_size: int | None = None,
        *,
        dtype: Any = None,
        name: str | None = None,
        _start: int = 0,
    ) -> None:
        capacity = check_int("capacity", capacity, 1, MAX_CAPACITY)
        codec = _codec(record_size, dtype)
        name = check_name(name)
        handle = self._new_handle()
        create = getattr(blocking, f"lf_py_{self._prefix}_create")
        encoded = NULL if name is None else name.encode()
        status = create(handle, encoded, codec.note.encode(), capacity, codec.size, _start & (2**64 - 1))
        if status == INVALID:
            raise ValueError(f"capacity {capacity} x record_size {codec.size}: more bytes than a segment can have")
        self._created(handle, status, name)

    def _attached(self) -> None:
        self.capacity = self._h.capacity
        self.record_size = self._h.record_size
        note = self._note()
        self._codec: Codec = NumpyCodec.from_note(note) if note else BytesCodec(self.record_size)
        self._fast = self._codec.fast
        self._scratch = _Scratch(self.record_size)
        self._hand = _Hand()
        self._bind()

    def _bind(self) -> None:
        """Puts bound builtins in the place of the two hottest methods, where records need no encoding."""
        binder = getattr(_native, f"bind_{self._prefix}", None)
        own = type(self).try_put is Ring.try_put and type(self).try_get is Ring.try_get
        if binder is not None and own and self._fast is bytes:
            bound = binder(int(ffi.cast("uintptr_t", self._h)), self._h)
            self.__dict__["try_put"], self.__dict__["try_get"] = bound

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the records, or None if they are bytes."""
        return getattr(self._codec, "dtype", None)

    # ---- one record, copied ----

    def try_put(self, record: Any) -> bool:
        """Appends a record; False if the ring is full. ValueError if it is longer than `record_size`."""
        if type(record) is not self._fast:
            record = self._codec.encode(record)
        status = self._c_try_put(self._h, record, len(record))
        if not status:
            return True
        if status == FULL:
            return False
        self._refused(status, record)

    def try_get(self) -> Any:
        """The oldest record, or None if the ring is empty."""
        scratch = self._scratch
        status = self._c_try_get(self._h, scratch.memory)
        if status >= 0:
            data = scratch.bytes[:status]
            return data if self._fast is bytes else self._codec.decode(data)
        if status == EMPTY:
            return None
        self._refused(status)

    def put(self, record: Any, block: bool = True, timeout: float | None = None) -> None:
        """Appends a record, waiting at most `timeout` seconds (None: for ever) while the ring is full: `queue.Full`."""
        until = deadline(block, timeout) if not block or timeout is not None else FOREVER
        if self.try_put(record):
            return
        if type(record) is not self._fast:
            record = self._codec.encode(record)
        status = FULL
        if until:
            status = INTERRUPTED
            while status == INTERRUPTED:  # between two calls Python serves its signals
                status = self._b_put(self._h, record, len(record), until)
        if status:
            self._refused(status, record)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The oldest record, waiting at most `timeout` seconds (None: for ever) for it: `queue.Empty`."""
        until = deadline(block, timeout) if not block or timeout is not None else FOREVER
        record = self.try_get()
        if record is not None:
            return record
        scratch = self._scratch
        status = EMPTY
        if until:
            status = INTERRUPTED
            while status == INTERRUPTED:
                status = self._b_get(self._h, scratch.memory, until)
        if status < 0:
            self._refused(status)
        data = scratch.bytes[:status]
        return data if self._fast is bytes else self._codec.decode(data)

    def put_nowait(self, record: Any) -> None:
        """`put` that raises `queue.Full` instead of waiting."""
        if not self.try_put(record):
            raise queue.Full

    def get_nowait(self) -> Any:
        """`get` that raises `queue.Empty` instead of waiting."""
        record = self.try_get()
        if record is None:
            raise queue.Empty
        return record

    # ---- batches ----

    def put_many(self, records: Any) -> int:
        """Appends records until the ring is full, in one C call; how many went in. Never waits.

        `records` is a sequence of records, a 2-D buffer with one record per row, or an array of the ring's dtype. One
        that is too long is ValueError and nothing goes in.
        """
        rows = self._codec.rows(records)
        if rows is None:
            packed, lengths, count = self._codec.pack(records)
            status = self._c_put_many(self._h, packed, 0, 0, lengths, count)
        else:
            view, pitch, length, count = rows
            memory = ffi.from_buffer(view) if view.nbytes else NULL
            status = self._c_put_many(self._h, memory, pitch, length, NULL, count)
        if status < 0:
            self._refused(status)
        return int(status)

    def get_many(self, max: int, block: bool = False, timeout: float | None = None) -> list[Any]:  # noqa: A002
        """Up to `max` records, oldest first, in one C call; [] if the ring is empty.

        With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.
        """
        wanted = check_int("max", max, 0, _COUNT_MAX)
        records = []
        if block and wanted > 0:
            records.append(self.get(True, timeout))
            wanted -= 1
        count = min(wanted, builtin_max(self.qsize(), 0 if records else 1))
        pitch = self.record_size
        memory, lengths = ffi.new("char[]", builtin_max(count * pitch, 1)), ffi.new("uint32_t[]", count)
        status = self._c_get_many(self._h, memory, pitch, lengths, count)
        if status < 0:
            self._refused(status)
        data, decode = ffi.buffer(memory), self._codec.decode
        records += [decode(data[i * pitch : i * pitch + lengths[i]]) for i in range(status)]
        return records

    def get_into(self, buffer: Any) -> int:
        """Fills the rows of a writable buffer with records, oldest first, in one C call; how many there were.

        A row must have at least `record_size` bytes; a shorter record is padded with zeros.
        """
        memory, pitch, rows = writable_rows(buffer, self.record_size)
        status = self._c_get_many(self._h, memory, pitch, NULL, rows)
        if status < 0:
            self._refused(status)
        return int(status)

    # ---- zero copy ----

    def reserve(self, block: bool = False, timeout: float | None = None) -> Any:
        """A writable view of a free slot inside the ring (memoryview, or array of the dtype), or None if it is full.

        The record becomes visible at `commit`, or never after `cancel`. One reservation per thread at a time.
        """
        if self._hand.reserved is not None:
            raise RuntimeError("this thread has a reservation already: commit() or cancel() it first")
        until = deadline(block, timeout)
        index = self._c_reserve(self._h)
        if index == FULL and until:
            index = INTERRUPTED
            while index == INTERRUPTED:
                index = self._b_reserve(self._h, until)
        if index == FULL:
            return None
        if index < 0:
            self._refused(index)
        view = self._view(index, self.record_size)
        self._hand.reserved = (index, view)
        return view

    def commit(self, length: int | None = None) -> None:
        """Publishes the calling thread's reservation as a record of `length` bytes (None: all of it)."""
        index, view = self._in_hand("reserved", "reserve()")
        size = self.record_size if length is None else check_int("length", length, 0, self.record_size)
        if length is not None and self._fast is not bytes and size != self.record_size:
            raise ValueError(f"length is {size}: a record of dtype {self.dtype} has {self.record_size} bytes")
        self._hand.reserved = None
        _end_view(view)
        status = self._c_commit(self._h, index, size)
        if status:
            self._refused(status)

    def cancel(self) -> None:
        """Gives the calling thread's reservation back unused."""
        index, view = self._in_hand("reserved", "reserve()")
        self._hand.reserved = None
        _end_view(view)
        status = self._c_cancel(self._h, index)
        if status:
            self._refused(status)

    def peek(self, block: bool = False, timeout: float | None = None) -> Any:
        """A view of the oldest record where it stands, or None if the ring is empty; `release()` gives its slot back.

        One per thread at a time.
        """
        if self._hand.peeked is not None:
            raise RuntimeError("this thread has a record in hand already: release() it first")
        found = self._take(0, deadline(block, timeout))
        if found is None:
            return None
        index, length = found
        view = self._view(index, length)
        self._hand.peeked = (index, view)
        return view

    def release(self) -> None:
        """Gives back the slot of the record that the calling thread peeked at."""
        index, view = self._in_hand("peeked", "peek()")
        self._hand.peeked = None
        _end_view(view)
        status = self._c_release(self._h, index)
        if status:
            self._refused(status)

    def _take(self, lease: int, until: int) -> tuple[int, int] | None:
        length = ffi.new("uint64_t *")
        index = self._c_peek(self._h, lease, length)
        if index == EMPTY and until:
            index = INTERRUPTED
            while index == INTERRUPTED:
                index = self._b_peek(self._h, lease, length, until)
        if index == EMPTY:
            return None
        if index < 0:
            self._refused(index)
        return int(index), int(length[0])

    def _view(self, index: int, length: int) -> Any:
        # The buffer keeps the handle, and with it the mapping, for as long as anybody has a view.
        payload = ffi.gc(ffi.cast(f"char(*)[{length}]", self._c_payload(self._h, index)), Holder(self._h))
        whole = ffi.buffer(payload)
        return self._codec.view(memoryview(whole))

    def _in_hand(self, which: str, how: str) -> tuple[int, Any]:
        self._require_open()
        held: tuple[int, Any] | None = getattr(self._hand, which)
        if held is None:
            raise RuntimeError(f"this thread has nothing in hand: call {how} first")
        return held

    # ---- state ----

    def qsize(self) -> int:
        """How many records are inside: exact while nobody else is running."""
        self._require_open()
        return int(self._c_size(self._h))

    def empty(self) -> bool:
        """`qsize() == 0`."""
        return self.qsize() == 0

    def full(self) -> bool:
        """`qsize() >= capacity`."""
        return self.qsize() >= self.capacity

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> bool:
        return True

    def shutdown(self) -> None:
        """Ends the object for every process: sleepers and later calls get `Closed`. It cannot be undone."""
        self._require_open()
        self._c_shutdown(self._h)

    def close(self) -> None:
        if not self.closed:
            for which in ("reserved", "peeked"):
                held = getattr(self._hand, which)
                if held is not None:
                    setattr(self._hand, which, None)
                    _end_view(held[1])
        self.__dict__.pop("try_put", None)
        self.__dict__.pop("try_get", None)
        super().close()

    def _describe(self) -> str:
        what = f"dtype={self.dtype}" if self.dtype is not None else f"record_size={self.record_size}"
        return f" capacity={self.capacity} {what} qsize={self.qsize()}"

    def _refused(self, status: int, record: bytes | None = None) -> NoReturn:
        self._require_open()
        if record is not None and len(record) > self.record_size:
            raise ValueError(f"record has {len(record)} bytes: the ring takes at most {self.record_size}")
        raise_status(status, repr(self), self._h.h)


builtin_max = max


def _end_view(view: Any) -> None:
    if isinstance(view, memoryview):
        with suppress(BufferError):
            view.release()  # refused if somebody made an array of it: then not to write is their promise


def _codec(record_size: int | None, dtype: Any) -> Codec:
    if dtype is not None:
        codec = NumpyCodec(dtype)
        if record_size is not None and record_size != codec.size:
            raise ValueError(f"record_size is {record_size}: dtype {codec.dtype} has {codec.size} bytes")
        return codec
    if record_size is None:
        raise TypeError("record_size or dtype is needed")
    return BytesCodec(check_int("record_size", record_size, 1, MAX_RECORD))


@contextmanager
def leased(ring: Ring, requeue: Any, until: int) -> Iterator[Any]:
    """The body of `lease()`: a record in hand that comes back to the ring unless the block ends normally."""
    found = ring._take(0x100, until)
    if found is None:
        raise queue.Empty
    index, length = found
    handle = ring._h
    try:
        data = bytes(ffi.buffer(ring._c_payload(handle, index), length))
        yield ring._codec.decode(data)
    except BaseException:
        requeue(handle, index)
        raise
    ring._c_release(handle, index)
