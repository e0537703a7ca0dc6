"""What the rings have in common: the family of calls around `put` and `get`, over bytes or dtype records."""

import queue
from collections.abc import Iterable
from contextlib import AbstractContextManager
from itertools import repeat
from typing import Any, Literal, cast, overload

from lockfree._coded import R, codec_of
from lockfree._container import COUNT_MAX, MAX_CAPACITY, Container, walk
from lockfree._errors import FULL
from lockfree._lease import PureLease
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._records import writable_rows
from lockfree._segment import check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Array, ArrayLike, Buffer, Casting, Spin
from lockfree._waiting import NOW, patience


class Ring(Container[R]):
    """Base of the rings: first in, first out."""

    @overload
    def __init__(
        self: "Ring[bytes]",
        capacity: int,
        record_size: int,
        *,
        name: str | None = ...,
        spin: Spin = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: "Ring[Array]",
        capacity: int,
        record_size: int | None = ...,
        *,
        dtype: Any,
        casting: Casting = ...,
        name: str | None = ...,
        spin: Spin = ...,
    ) -> None: ...
    def __init__(
        self,
        capacity: int,
        record_size: int | None = None,
        *,
        dtype: Any = None,
        casting: Casting = "same_value",
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        capacity = check_int("capacity", capacity, 1, MAX_CAPACITY)
        codec = codec_of(record_size, dtype, casting)
        self._casting = casting
        name = check_name(name)
        check_spin(spin)
        handle = self._begin(name)
        create = getattr(blocking, f"lf_py_{self._prefix}_create")
        encoded = NULL if name is None else name.encode()
        status = create(handle, encoded, codec.note.encode(), capacity, codec.size, self._start)
        if status == lib.LF_INVALID:
            raise ValueError(f"capacity {capacity} x record_size {codec.size}: more bytes than a segment can have")
        self._created(handle, status, spin)

    # ---- one record, copied ----

    @overload
    def try_put(self: "Ring[bytes]", record: Buffer, /) -> bool: ...
    @overload
    def try_put(self: "Ring[Array]", record: ArrayLike, /) -> bool: ...
    def try_put(self, record: Any, /) -> bool:
        """Appends a record; False if the ring is full. ValueError if it is longer than `record_size`."""
        return bool(self._put_record(record, NOW) != FULL)

    def try_get(self) -> R | None:
        """The oldest record, or None if the ring is empty."""
        found = self._get_record(NOW)
        return None if found is None else found[1]

    @overload
    def put(self: "Ring[bytes]", record: Buffer, block: bool = ..., timeout: float | None = ...) -> None: ...
    @overload
    def put(self: "Ring[Array]", record: ArrayLike, block: bool = ..., timeout: float | None = ...) -> None: ...
    def put(self, record: Any, block: bool = True, timeout: float | None = None) -> None:
        """Appends a record, waiting at most `timeout` seconds (None: for ever) while the ring is full: `queue.Full`."""
        if self._put_record(record, patience(block, timeout)) == FULL:
            raise queue.Full(self._title())

    def get(self, block: bool = True, timeout: float | None = None) -> R:
        """The oldest record, waiting at most `timeout` seconds (None: for ever) for it: `queue.Empty`."""
        found = self._get_record(patience(block, timeout))
        if found is None:
            raise queue.Empty(self._title())
        return found[1]

    @overload
    def put_nowait(self: "Ring[bytes]", record: Buffer) -> None: ...
    @overload
    def put_nowait(self: "Ring[Array]", record: ArrayLike) -> None: ...
    def put_nowait(self, record: Any) -> None:
        """`put` that raises `queue.Full` instead of waiting."""
        if self._put_record(record, NOW) == FULL:
            raise queue.Full(self._title())

    def get_nowait(self) -> R:
        """`get` that raises `queue.Empty` instead of waiting."""
        return self.get(block=False)

    @overload
    async def aput(self: "Ring[bytes]", record: Buffer, *, timeout: float | None = ...) -> None: ...
    @overload
    async def aput(self: "Ring[Array]", record: ArrayLike, *, timeout: float | None = ...) -> None: ...
    async def aput(self, record: Any, *, timeout: float | None = None) -> None:
        """`await ring.aput(record)`: as `put`, and other tasks of the event loop go on meanwhile.

        Raises what `put` raises; queue.Full after `timeout` seconds (None: never). A task that is cancelled here has
        put nothing.
        """
        container: Any = self
        await self._aput(lambda: container.put(record, block=False), timeout)

    # ---- batches ----

    @overload
    def put_many(
        self: "Ring[bytes]", records: Iterable[Buffer] | Array, block: bool = ..., timeout: float | None = ...
    ) -> int: ...
    @overload
    def put_many(
        self: "Ring[Array]", records: Iterable[ArrayLike], block: bool = ..., timeout: float | None = ...
    ) -> int: ...
    def put_many(self, records: Any, block: bool = False, timeout: float | None = None) -> int:
        """Appends records until the ring is full; how many went in.

        `records` is a sequence of records, a 2-D buffer with one record per row, an array of the ring's dtype, or an
        iterator, of which what does not fit is not taken. One of a sequence that is too long is ValueError and nothing
        goes in. With `block` it waits for room for the first one at most `timeout` seconds, then raises `queue.Full`.
        """
        wait, handle = patience(block, timeout), self._h
        self._require_open()
        rows = self._rows(records)
        if rows is not None:
            return self._put_rows(handle, rows, wait)
        done = self._put_iterator(walk(records), repeat(()), wait)
        if wait and not done and self.full():
            raise queue.Full(self._title())
        return done

    @overload
    def get_many(
        self, max: int, block: bool = ..., timeout: float | None = ..., as_array: Literal[False] = ...
    ) -> list[R]: ...
    @overload
    def get_many(
        self: "Ring[Array]", max: int, block: bool = ..., timeout: float | None = ..., *, as_array: Literal[True]
    ) -> Array: ...
    def get_many(
        self,
        max: int,  # noqa: A002
        block: bool = False,
        timeout: float | None = None,
        as_array: bool = False,
    ) -> Any:
        """Up to `max` records as a list, oldest first; [] if the ring is empty.

        With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.
        `as_array`: one array with a record of the dtype per row.
        """
        wanted, wait = check_int("max", max, 0, COUNT_MAX), patience(block, timeout)
        if as_array and self._fast is bytes:
            self._codec.batch(b"")  # says that there is no dtype
        handle = self._h
        self._require_open()
        records: list[R] = []
        if wait and wanted > 0:
            records.append(self.get(True, timeout))
            wanted -= 1
        pitch = self.record_size
        count = min(wanted, builtin_max(self.qsize(), 0 if records else 1))
        memory, lengths = ffi.new("char[]", builtin_max(count * pitch, 1)), ffi.new("uint32_t[]", count)
        status = self._c_get_many(handle, memory, pitch, lengths, count)
        if status < 0:
            if not records:
                self._refused(status, handle)
            status = 0  # the record that was waited for is the answer; the next call finds the error
        data, decode = ffi.buffer(memory), self._codec.decode
        if as_array:
            first = b"".join(cast("Any", record).tobytes() for record in records)
            return self._codec.batch(bytearray(first + data[: status * pitch]))
        records += [decode(data[i * pitch : i * pitch + lengths[i]]) for i in range(status)]
        return records

    def get_into(self, buffer: Buffer) -> int:
        """Fills the rows of a writable buffer with records, oldest first; how many there were.

        A row must have at least `record_size` bytes; a shorter record is padded with zeros.
        """
        handle = self._h
        self._require_open()
        memory, pitch, rows = writable_rows(buffer, self._codec)
        status = self._c_get_many(handle, memory, pitch, NULL, rows)
        if status < 0:
            self._refused(status, handle)
        return int(status)

    # ---- one record at a time, in private memory ----

    @overload
    def reserve(self: "Ring[bytes]", block: bool = ..., timeout: float | None = ...) -> memoryview | None: ...
    @overload
    def reserve(self: "Ring[Array]", block: bool = ..., timeout: float | None = ...) -> Array | None: ...
    def reserve(self, block: bool = False, timeout: float | None = None) -> Any:
        """A writable view (memoryview, or array of the dtype) for a record, or None if all slots are used.

        `commit()` publishes what stands in it then; `cancel()` gives it back. The view is private memory: after that it
        ends (a memoryview) or changes nothing any more (an array).
        """
        return super().reserve(block, timeout)

    def commit(self, length: int | None = None, view: Buffer | None = None) -> None:
        """Publishes a reservation as a record of `length` bytes (None: all of it): that of `view`, or the calling
        thread's last one.
        """
        self._commit(length, view)

    @overload
    def peek(self: "Ring[bytes]", block: bool = ..., timeout: float | None = ...) -> memoryview | None: ...
    @overload
    def peek(self: "Ring[Array]", block: bool = ..., timeout: float | None = ...) -> Array | None: ...
    def peek(self, block: bool = False, timeout: float | None = None) -> Any:
        """A view of the oldest record, or None if the ring is empty; `release()` gives its slot back and ends it."""
        found = self._peek(block, timeout)
        return None if found is None else found[1]

    def lease(self, block: bool = True, timeout: float | None = None) -> AbstractContextManager[R]:
        """`with ring.lease() as record:` takes a record that is only acknowledged when the block ends normally.

        If the block raises, or its process dies, the record is inside again, exactly once. Raises `queue.Empty` like
        `get`.
        """
        return PureLease(self, patience(block, timeout))


builtin_max = max
