"""PriorityQueue: a bounded queue with levels of urgency, lock-free, linearizable and safe to kill."""

import queue
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lockfree import _native
from lockfree._container import Container, codec_of
from lockfree._errors import EMPTY, FULL, INTERRUPTED
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._records import writable_rows
from lockfree._segment import check_int, check_name
from lockfree._waiting import FOREVER, deadline

__all__ = ["PriorityQueue"]

MAX_CAPACITY = 2**30
MAX_LEVELS = 128
_COUNT_MAX = 2**62
_LEASE = lib.LF_LEASE


class PriorityQueue(Container, prefix="priority_queue"):
    """Bounded priority queue in shared memory for any number of producers and consumers, threads and processes alike.

    `capacity` records (1 to 2**30) of 0..`record_size` bytes each, or of one NumPy `dtype`, with a priority of
    0 (first) to `levels` - 1 (1 to 128 levels). Every level may hold all of the capacity. Anonymous, or found by others
    under `name`.

    Progress: every call that does not wait is lock-free in the strict sense: whoever stops or dies, at whatever
    instruction, the others go on. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable: strict minimum, FIFO within a level, exact EMPTY. FULL means that at one instant of the call
    the records inside, plus those in the hands of running operations, were at least `capacity`.

    Death: a slot that a killed process had in hand is free again at the next recovery, at the latest when somebody
    would wait for it; a record under `lease()` is delivered again; one that was taken by `get` is lost with its taker.

    The construction and the argument for it are in docs/primitives/priority_queue.md.
    """

    _noun = "queue"
    levels: int

    def __init__(
        self,
        capacity: int,
        record_size: int | None = None,
        levels: int = 16,
        *,
        dtype: Any = None,
        casting: str = "same_value",
        name: str | None = None,
        _start: int = 0,
    ) -> None:
        capacity = check_int("capacity", capacity, 1, MAX_CAPACITY)
        levels = check_int("levels", levels, 1, MAX_LEVELS)
        codec = codec_of(record_size, dtype, casting)
        self._casting = casting
        name = check_name(name)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        start = _start & (2**64 - 1)
        note = codec.note.encode()
        status = blocking.lf_py_priority_queue_create(handle, encoded, note, capacity, codec.size, levels, start)
        if status == lib.LF_INVALID:
            raise ValueError(f"capacity {capacity} x record_size {codec.size}: more bytes than a segment can have")
        self._created(handle, status)

    def _attached(self) -> None:
        super()._attached()
        self.levels = self._h.levels.count
        own = type(self).try_put is PriorityQueue.try_put and type(self).try_get is PriorityQueue.try_get
        if own and self._fast is bytes:
            bound = _native.bind_priority_queue(int(ffi.cast("uintptr_t", self._h)), self._h)  # type: ignore[attr-defined]
            self.__dict__["try_put"], self.__dict__["try_get"] = bound

    # ---- one record, copied ----

    def try_put(self, record: Any, priority: int) -> bool:
        """Puts a record; False if the queue is full. ValueError if it is longer than `record_size`."""
        level = self._level(priority)
        if type(record) is not self._fast:
            record = self._codec.encode(record)
        status = self._c_try_put(self._h, record, len(record), level)
        if not status:
            return True
        if status == FULL:
            return False
        self._refused(status, record)

    def try_get(self) -> tuple[int, Any] | None:
        """(priority, record) of the most urgent record, or None if the queue is empty."""
        level = ffi.new("uint32_t *")
        status = self._c_try_get(self._h, self._scratch.memory, level)
        if status == EMPTY:
            return None
        if status < 0:
            self._refused(status)
        return level[0], self._codec.decode(self._scratch.bytes[:status])

    def put(self, record: Any, priority: int, block: bool = True, timeout: float | None = None) -> None:
        """Puts a record, waiting at most `timeout` seconds (None: for ever) while the queue is full: `queue.Full`."""
        until = deadline(block, timeout) if not block or timeout is not None else FOREVER
        if self.try_put(record, priority):
            return
        if type(record) is not self._fast:
            record = self._codec.encode(record)
        level = self._level(priority)
        status = FULL
        if until:
            status = INTERRUPTED
            while status == INTERRUPTED:  # between two calls Python serves its signals
                status = self._b_put(self._h, record, len(record), level, until)
        if status:
            self._refused(status, record)

    def get(self, block: bool = True, timeout: float | None = None) -> tuple[int, Any]:
        """(priority, record) of the most urgent record, waiting at most `timeout` seconds (None: for ever) for one:
        `queue.Empty`.
        """
        until = deadline(block, timeout) if not block or timeout is not None else FOREVER
        found = self.try_get()
        if found is not None:
            return found
        level = ffi.new("uint32_t *")
        scratch = self._scratch
        status = EMPTY
        if until:
            status = INTERRUPTED
            while status == INTERRUPTED:
                status = self._b_get(self._h, scratch.memory, level, until)
        if status < 0:
            self._refused(status)
        return level[0], self._codec.decode(scratch.bytes[:status])

    def put_nowait(self, record: Any, priority: int) -> None:
        """`put` that raises `queue.Full` instead of waiting."""
        if not self.try_put(record, priority):
            raise queue.Full

    def get_nowait(self) -> tuple[int, Any]:
        """`get` that raises `queue.Empty` instead of waiting."""
        found = self.try_get()
        if found is None:
            raise queue.Empty
        return found

    # ---- batches ----

    def put_many(self, records: Any, priorities: int | Iterable[int]) -> int:
        """Puts records until the queue is full, in one C call; how many went in. Never waits.

        `records` is a sequence of records, a 2-D buffer with one record per row, or an array of the queue's dtype;
        `priorities` one number for all of them or one for each. The records become visible no later than the end of the
        call and keep their order within a level. If an argument is wrong, nothing goes in.
        """
        rows = self._codec.rows(records)
        if rows is None:
            packed, lengths, count = self._codec.pack(records)
            pitch = length = 0
            memory: Any = packed
        else:
            view, pitch, length, count = rows
            memory, lengths = ffi.from_buffer(view) if view.nbytes else NULL, NULL
        levels = self._levels(priorities, count)
        status = self._c_put_many(self._h, memory, pitch, length, lengths, levels, count)
        if status < 0:
            self._refused(status)
        return int(status)

    def get_many(self, max: int, block: bool = False, timeout: float | None = None) -> list[tuple[int, Any]]:  # noqa: A002
        """Up to `max` pairs (priority, record), most urgent first, in one C call; [] if the queue is empty.

        With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.
        """
        wanted = check_int("max", max, 0, _COUNT_MAX)
        found = []
        if block and wanted > 0:
            found.append(self.get(True, timeout))
            wanted -= 1
        size = self.qsize()
        count = min(wanted, size if size or found else 1)
        pitch = self.record_size
        memory, lengths = ffi.new("char[]", count * pitch + 1), ffi.new("uint32_t[]", count)
        levels = ffi.new("uint32_t[]", count + 1)
        status = self._c_get_many(self._h, memory, pitch, lengths, levels, count)
        if status < 0:
            self._refused(status)
        data, decode = ffi.buffer(memory), self._codec.decode
        found += [(levels[i], decode(data[i * pitch : i * pitch + lengths[i]])) for i in range(status)]
        return found

    def get_into(self, buffer: Any, priorities: Any = None) -> int:
        """Fills the rows of a writable buffer with records, most urgent first, in one C call; how many there were.

        A row must have at least `record_size` bytes; a shorter record is padded with zeros. `priorities`, if given, is
        a writable buffer of unsigned 32-bit integers, at least one per row, that receives the records' priorities.
        """
        memory, pitch, rows = writable_rows(buffer, self._codec)
        levels = ffi.new("uint32_t[]", rows + 1) if priorities is None else _writable_levels(priorities, rows)
        status = self._c_get_many(self._h, memory, pitch, NULL, levels, rows)
        if status < 0:
            self._refused(status)
        return int(status)

    # ---- zero copy ----

    def commit(self, priority: int, length: int | None = None) -> None:
        """Publishes the calling thread's reservation as a record of `length` bytes (None: all of it)."""
        self._in_hand("reserved", "reserve()")
        level = self._level(priority)
        index, size = self._written(length)
        status = self._c_commit(self._h, index, size, level)
        if status:
            self._refused(status)

    def peek(self, block: bool = False, timeout: float | None = None) -> tuple[int, Any] | None:
        """(priority, view) of the most urgent record where it stands, or None if the queue is empty.

        The record is out of the queue; `release()` gives its slot back. One per thread at a time.
        """
        self._require_empty_hand()
        found = self._take(0, deadline(block, timeout))
        if found is None:
            return None
        index, level, length = found
        return level, self._hold(index, length)

    @contextmanager
    def lease(self, block: bool = True, timeout: float | None = None) -> Iterator[tuple[int, Any]]:
        """`with q.lease() as (priority, record):` takes a record that is acknowledged when the block ends normally.

        If the block raises, or its process dies, the record goes to the tail of its level again, exactly once.
        Raises `queue.Empty` like `get`.
        """
        found = self._take(_LEASE, deadline(block, timeout))
        if found is None:
            raise queue.Empty
        index, level, length = found
        handle = self._h
        taker = lib.lf_py_participant(ffi.addressof(handle, "h"))
        done = False
        try:
            data = bytes(ffi.buffer(self._c_payload(handle, index), length))
            yield level, self._codec.decode(data)
            done = True
        finally:
            if lib.lf_py_participant(ffi.addressof(handle, "h")) != taker:
                pass  # a child that was forked in the block: the parent has the record
            elif done:
                self._c_release(handle, index)
            else:
                lib.lf_priority_queue_requeue(handle, index, level)

    def _take(self, lease: int, until: int) -> tuple[int, int, int] | None:
        level, length = ffi.new("uint32_t *"), ffi.new("uint64_t *")
        index = self._c_peek(self._h, lease, level, length)
        if index == EMPTY and until:
            index = INTERRUPTED
            while index == INTERRUPTED:
                index = self._b_peek(self._h, lease, level, length, until)
        if index == EMPTY:
            return None
        if index < 0:
            self._refused(index)
        return int(index), int(level[0]), int(length[0])

    # ---- arguments ----

    def _level(self, priority: int) -> int:
        if type(priority) is int and 0 <= priority < self.levels:
            return priority
        return check_int("priority", priority, 0, self.levels - 1)

    def _levels(self, priorities: Any, count: int) -> Any:
        """The priorities of a batch as uint32[]."""
        if hasattr(priorities, "__index__") and not hasattr(priorities, "__len__"):
            return ffi.new("uint32_t[]", [self._level(priorities)] * count)
        given = priorities.tolist() if hasattr(priorities, "tolist") else list(priorities)
        if len(given) != count:
            raise ValueError(f"priorities has {len(given)} entries for {count} records")
        top = self.levels - 1
        levels = [
            p if type(p) is int and 0 <= p <= top else check_int(f"priorities[{i}]", p, 0, top)
            for i, p in enumerate(given)
        ]
        return ffi.new("uint32_t[]", levels)

    def _describe(self) -> str:
        return super()._describe().replace(" qsize=", f" levels={self.levels} qsize=")


def _writable_levels(priorities: Any, rows: int) -> Any:
    view = memoryview(priorities)
    if view.readonly or not view.c_contiguous or view.itemsize != 4 or view.format not in {"I", "=I", "<I"}:
        raise ValueError("priorities is not a writable contiguous buffer of unsigned 32-bit integers")
    if view.nbytes < 4 * rows:
        raise ValueError(f"priorities has {view.nbytes // 4} entries: the buffer has {rows} rows")
    return ffi.from_buffer("uint32_t[]", view, require_writable=True)
