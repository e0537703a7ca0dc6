"""What the rings have in common: the family of calls around `put` and `get`, over bytes or dtype records."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from lockfree import _native
from lockfree._container import MAX_CAPACITY, Container, codec_of
from lockfree._errors import EMPTY, FULL, INTERRUPTED
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._records import writable_rows
from lockfree._segment import check_int, check_name
from lockfree._waiting import FOREVER, deadline

_COUNT_MAX = 2**62


def _not_bound(_argument: Any) -> Any:
    return NotImplemented


class Ring(Container):
    """Base of the rings: first in, first out."""

    _put_batch = _get_batch = _get_rows = staticmethod(_not_bound)

    def __init__(
        self,
        capacity: int,
        record_size: int | None = None,
        *,
        dtype: Any = None,
        casting: str = "same_value",
        name: str | None = None,
        _start: int = 0,
    ) -> None:
        capacity = check_int("capacity", capacity, 1, MAX_CAPACITY)
        codec = codec_of(record_size, dtype, casting)
        self._casting = casting
        name = check_name(name)
        handle = self._begin(name)
        create = getattr(blocking, f"lf_py_{self._prefix}_create")
        encoded = NULL if name is None else name.encode()
        status = create(handle, encoded, codec.note.encode(), capacity, codec.size, _start & (2**64 - 1))
        if status == lib.LF_INVALID:
            raise ValueError(f"capacity {capacity} x record_size {codec.size}: more bytes than a segment can have")
        self._created(handle, status)

    def _attached(self) -> None:
        super()._attached()
        self._bind()

    def _bind(self) -> None:
        """Puts bound builtins in the place of the two hottest methods, where records need no encoding."""
        binder = getattr(_native, f"bind_{self._prefix}", None)
        own = type(self).try_put is Ring.try_put and type(self).try_get is Ring.try_get
        if binder is not None and own and self._fast is bytes:
            bound = binder(int(ffi.cast("uintptr_t", self._h)), self._h)
            self.__dict__["try_put"], self.__dict__["try_get"] = bound[:2]
            self._put_batch, self._get_batch, self._get_rows = bound[2:]

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
        done = self._put_batch(records)
        if done is not NotImplemented:
            return int(done)
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
        records: list[Any] = []
        if block and wanted > 0:
            records.append(self.get(True, timeout))
            wanted -= 1
        batch = self._get_batch(wanted)
        if batch is not NotImplemented:
            return records + cast("list[Any]", batch)
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
        done = self._get_rows(buffer)
        if done is not NotImplemented:
            return int(done)
        memory, pitch, rows = writable_rows(buffer, self._codec)
        status = self._c_get_many(self._h, memory, pitch, NULL, rows)
        if status < 0:
            self._refused(status)
        return int(status)

    # ---- zero copy ----

    def commit(self, length: int | None = None) -> None:
        """Publishes the calling thread's reservation as a record of `length` bytes (None: all of it)."""
        index, size = self._written(length)
        status = self._c_commit(self._h, index, size)
        if status:
            self._refused(status)

    def peek(self, block: bool = False, timeout: float | None = None) -> Any:
        """A view of the oldest record where it stands, or None if the ring is empty; `release()` gives its slot back.

        One per thread at a time.
        """
        self._require_empty_hand()
        found = self._take(0, deadline(block, timeout))
        return None if found is None else self._hold(*found)

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


builtin_max = max


@contextmanager
def leased(ring: Ring, requeue: Any, until: int) -> Iterator[Any]:
    """The body of `lease()`: a record in hand that comes back to the ring unless the block ends normally."""
    found = ring._take(lib.LF_LEASE, until)
    if found is None:
        raise queue.Empty
    index, length = found
    handle = ring._h
    taker = lib.lf_py_participant(ffi.addressof(handle, "h"))
    end = requeue
    try:
        data = bytes(ffi.buffer(ring._c_payload(handle, index), length))
        yield ring._codec.decode(data)
        end = ring._c_release
    finally:
        if lib.lf_py_participant(ffi.addressof(handle, "h")) == taker:
            # else this is a child that was forked in the block: the parent has it
            end(handle, index)
