"""PriorityQueue: a bounded queue with levels of urgency, lock-free, linearizable and safe to kill."""

import queue
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, cast, overload

from lockfree import _hands
from lockfree._coded import R, codec_of
from lockfree._container import COUNT_MAX, Container, walk
from lockfree._errors import FULL
from lockfree._lease import PureLease
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._records import writable_ranks, writable_rows
from lockfree._segment import check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Array, ArrayLike, Buffer, Casting, Chosen, Spin, chosen
from lockfree._waiting import NOW, patience, until

__all__ = ["PriorityQueue"]

MAX_CAPACITY = 2**30
MAX_LEVELS = 128


class _Calls(Container[R]):
    """What a priority queue can do. The C type stands before it and does the same without cffi."""

    _noun = "queue"
    _has_levels = True
    levels = Chosen[int]()
    fronts = Chosen[bool]()

    @overload
    def __init__(
        self: "_Calls[bytes]",
        capacity: int,
        record_size: int,
        levels: int = ...,
        *,
        name: str | None = ...,
        spin: Spin = ...,
        fronts: bool = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: "_Calls[Array]",
        capacity: int,
        record_size: int | None = ...,
        levels: int = ...,
        *,
        dtype: Any,
        casting: Casting = ...,
        name: str | None = ...,
        spin: Spin = ...,
        fronts: bool = ...,
    ) -> None: ...
    def __init__(
        self,
        capacity: int,
        record_size: int | None = None,
        levels: int = 16,
        *,
        dtype: Any = None,
        casting: Casting = "same_value",
        name: str | None = None,
        spin: Spin = "adaptive",
        fronts: bool = False,
    ) -> None:
        capacity = check_int("capacity", capacity, 1, MAX_CAPACITY)
        levels = check_int("levels", levels, 1, MAX_LEVELS - bool(fronts))
        codec = codec_of(record_size, dtype, casting)
        self._casting = casting
        name = check_name(name)
        check_spin(spin)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        note = codec.note.encode()
        lines = levels | lib.LF_FRONTS if fronts else levels
        status = blocking.lf_py_priority_queue_create(handle, encoded, note, capacity, codec.size, lines, self._start)
        if status == lib.LF_INVALID:
            raise ValueError(f"capacity {capacity} x record_size {codec.size}: more bytes than a segment can have")
        self._created(handle, status, spin)

    def _attached(self) -> None:
        super()._attached()
        chosen(self, levels=self._h.n_levels, fronts=bool(self._h.fronts))

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return super()._wanted(given) | {"levels": given["levels"], "fronts": bool(given["fronts"])}

    # ---- one record, copied ----

    @overload
    def try_put(self: "_Calls[bytes]", record: Buffer, priority: SupportsIndex) -> bool: ...
    @overload
    def try_put(self: "_Calls[Array]", record: ArrayLike, priority: SupportsIndex) -> bool: ...
    def try_put(self, record: Any, priority: SupportsIndex) -> bool:
        """Puts a record; False if the queue is full. ValueError if it is longer than `record_size`."""
        return bool(self._put_record(record, NOW, self._level(priority)) != FULL)

    def try_get(self) -> tuple[int, R] | None:
        """(priority, record) of the most urgent record, or None if the queue is empty."""
        return self._get_record(NOW)

    @overload
    def put(
        self: "_Calls[bytes]",
        record: Buffer,
        priority: SupportsIndex,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> None: ...
    @overload
    def put(
        self: "_Calls[Array]",
        record: ArrayLike,
        priority: SupportsIndex,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> None: ...
    def put(self, record: Any, priority: SupportsIndex, block: bool = True, timeout: float | None = None) -> None:
        """Puts a record, waiting at most `timeout` seconds (None: for ever) while the queue is full: `queue.Full`."""
        wait = patience(block, timeout)
        if self._put_record(record, wait, self._level(priority)) == FULL:
            raise queue.Full(self._title())

    @overload
    async def aput(
        self: "_Calls[bytes]", record: Buffer, priority: SupportsIndex, *, timeout: float | None = ...
    ) -> None: ...
    @overload
    async def aput(
        self: "_Calls[Array]", record: ArrayLike, priority: SupportsIndex, *, timeout: float | None = ...
    ) -> None: ...
    async def aput(self, record: Any, priority: SupportsIndex, *, timeout: float | None = None) -> None:
        """`await levels.aput(record, priority)`: as `put`, and other tasks of the event loop go on meanwhile.

        Raises what `put` raises; queue.Full after `timeout` seconds (None: never). A task that is cancelled here has
        put nothing.
        """
        container: Any = self
        await self._aput(lambda: container.put(record, priority, block=False), timeout)

    @overload
    def put_ticket(
        self: "_Calls[bytes]",
        record: Buffer,
        priority: SupportsIndex,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    @overload
    def put_ticket(
        self: "_Calls[Array]",
        record: ArrayLike,
        priority: SupportsIndex,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    def put_ticket(self, record: Any, priority: SupportsIndex, block: bool = True, timeout: float | None = None) -> int:
        """As `put`; the ticket, an int below 2**64, by which any process can take the record out: `cancel(ticket)`."""
        return self._put_for_ticket("put_ticket", record, self._level(priority), patience(block, timeout))

    @overload
    def requeue(
        self: "_Calls[bytes]",
        record: Buffer,
        priority: SupportsIndex,
        front: bool = ...,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    @overload
    def requeue(
        self: "_Calls[Array]",
        record: ArrayLike,
        priority: SupportsIndex,
        front: bool = ...,
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    def requeue(
        self,
        record: Any,
        priority: SupportsIndex,
        front: bool = True,
        block: bool = True,
        timeout: float | None = None,
    ) -> int:
        """Puts a record whose work was preempted to the front of its level: it comes before all that `put` put there,
        and behind those that were requeued before it. Else as `put_ticket`: its ticket, or `queue.Full`.

        `front=False`: to the tail, as `put_ticket`. ValueError for a queue that was made without `fronts=True`.
        """
        level, wait = self._level(priority), patience(block, timeout)
        if front and not self.fronts:
            raise ValueError(f"{self._title()}: requeue() to the front needs a queue that was made with fronts=True")
        return self._put_for_ticket("put_front" if front else "put_ticket", record, level, wait)

    def _put_for_ticket(self, how: str, record: Any, level: int, wait: int) -> int:
        handle = self._h
        data, ticket = self._codec.encode(record), ffi.new("uint64_t *")
        words = handle, data, len(data), level
        status = getattr(lib, f"lf_priority_queue_{how}")(*words, NOW, ticket)
        if status == FULL and wait:
            call = getattr(blocking, f"lf_priority_queue_{how}")
            status = self._until_done(call, *words, until(wait), ticket)
        if status == FULL:
            raise queue.Full(self._title())
        if status:
            self._refused(status, handle, data)
        return int(ticket[0])

    @overload  # type: ignore[override]
    def cancel(self, *, view: Buffer | None = ...) -> None: ...
    @overload
    def cancel(self, ticket: SupportsIndex) -> bool: ...
    def cancel(self, ticket: SupportsIndex | None = None, view: Buffer | None = None) -> bool | None:
        """Without a ticket: gives a reservation back unused, that of `view` or the calling thread's last one.

        With one (`put_ticket`): takes the record out of the queue, wherever it stands, and nobody gets it. True, once;
        False if somebody has it, or had. Lock-free, O(1). ValueError for a number that is no ticket.
        """
        if ticket is None:
            return super().cancel(view)
        _hands.refuse_view("ticket", ticket, "cancel")
        if view is not None:
            raise TypeError(f"{self._title()}: cancel() takes a ticket or a view, not both")
        return self._withdraw(ticket)

    def _withdraw(self, ticket: SupportsIndex) -> bool:
        number = check_int("ticket", ticket, 0, 2**64 - 1)
        status = self._take_back(number)
        if status == lib.LF_INVALID:
            raise ValueError(f"{self._title()}: ticket is {number}: put_ticket() of this queue has not given it")
        if status not in {0, 1}:
            self._refused(status, self._h)
        return bool(status)

    def _take_back(self, ticket: int) -> int:
        return int(lib.lf_priority_queue_withdraw(self._h, ticket))

    def get(self, block: bool = True, timeout: float | None = None) -> tuple[int, R]:
        """(priority, record) of the most urgent record, waiting at most `timeout` seconds (None: for ever) for one:
        `queue.Empty`.
        """
        found = self._get_record(patience(block, timeout))
        if found is None:
            raise queue.Empty(self._title())
        return found

    @overload
    def put_nowait(self: "_Calls[bytes]", record: Buffer, priority: SupportsIndex) -> None: ...
    @overload
    def put_nowait(self: "_Calls[Array]", record: ArrayLike, priority: SupportsIndex) -> None: ...
    def put_nowait(self, record: Any, priority: SupportsIndex) -> None:
        """`put` that raises `queue.Full` instead of waiting."""
        if self._put_record(record, NOW, self._level(priority)) == FULL:
            raise queue.Full(self._title())

    def get_nowait(self) -> tuple[int, R]:
        """`get` that raises `queue.Empty` instead of waiting."""
        return self.get(block=False)

    # ---- batches ----

    @overload
    def put_many(
        self: "_Calls[bytes]",
        records: Iterable[Buffer] | Array,
        priorities: SupportsIndex | Iterable[SupportsIndex],
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    @overload
    def put_many(
        self: "_Calls[Array]",
        records: Iterable[ArrayLike],
        priorities: SupportsIndex | Iterable[SupportsIndex],
        block: bool = ...,
        timeout: float | None = ...,
    ) -> int: ...
    def put_many(self, records: Any, priorities: Any, block: bool = False, timeout: float | None = None) -> int:
        """Puts records until the queue is full; how many went in.

        `records` is a sequence of records, a 2-D buffer with one record per row, an array of the queue's dtype, or an
        iterator, of which what does not fit is not taken. `priorities` is one number for all of them or one for each;
        an iterator of records ends with them. The records become visible no later than the end of the call and keep
        their order within a level. If an argument of a sequence is wrong, nothing goes in. With `block` it waits for
        room for the first one at most `timeout` seconds, then raises `queue.Full`.
        """
        wait, handle = patience(block, timeout), self._h
        self._require_open()
        rows = self._rows(records)
        if rows is not None:
            return self._put_rows(handle, rows, wait, self._levels(priorities, rows[-1]))
        done = self._put_iterator(walk(records), self._each_level(priorities), wait)
        if wait and not done and self.full():
            raise queue.Full(self._title())
        return done

    @overload
    def get_many(
        self, max: int, block: bool = ..., timeout: float | None = ..., as_array: Literal[False] = ...
    ) -> list[tuple[int, R]]: ...
    @overload
    def get_many(
        self: "_Calls[Array]", max: int, block: bool = ..., timeout: float | None = ..., *, as_array: Literal[True]
    ) -> tuple[Array, Array]: ...
    def get_many(
        self,
        max: int,  # noqa: A002
        block: bool = False,
        timeout: float | None = None,
        as_array: bool = False,
    ) -> Any:
        """Up to `max` pairs (priority, record) as a list, most urgent first; [] if the queue is empty.

        With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.
        `as_array`: two arrays, the priorities and the records of the dtype.
        """
        wanted, wait = check_int("max", max, 0, COUNT_MAX), patience(block, timeout)
        if as_array and self._fast is bytes:
            self._codec.batch(b"")  # says that there is no dtype
        handle = self._h
        self._require_open()
        found: list[tuple[int, R]] = []
        if wait and wanted > 0:
            found.append(self.get(True, timeout))
            wanted -= 1
        size = self.qsize()
        count = min(wanted, size if size or found else 1)
        pitch = self.record_size
        memory, lengths = ffi.new("char[]", count * pitch + 1), ffi.new("uint32_t[]", count)
        levels = ffi.new("uint32_t[]", count + 1)
        status = self._c_get_many(handle, memory, pitch, lengths, levels, count)
        if status < 0:
            if not found:
                self._refused(status, handle)
            status = 0  # the record that was waited for is the answer; the next call finds the error
        data, decode = ffi.buffer(memory), self._codec.decode
        if as_array:
            first = b"".join(cast("Any", record).tobytes() for _, record in found)
            ranks = [level for level, _ in found] + [levels[i] for i in range(status)]
            packed = b"".join(level.to_bytes(4, "little") for level in ranks)
            return self._codec.ranks(bytearray(packed)), self._codec.batch(bytearray(first + data[: status * pitch]))
        found += [(levels[i], decode(data[i * pitch : i * pitch + lengths[i]])) for i in range(status)]
        return found

    def get_into(self, buffer: Buffer, priorities: Buffer | None = None) -> int:
        """Fills the rows of a writable buffer with records, most urgent first; how many there were.

        A row must have at least `record_size` bytes; a shorter record is padded with zeros. `priorities`, if given, is
        a writable buffer of unsigned 32-bit integers, at least one per row, that receives the records' priorities.
        """
        handle = self._h
        self._require_open()
        memory, pitch, rows = writable_rows(buffer, self._codec)
        if priorities is None:
            levels = ffi.new("uint32_t[]", rows + 1)
        else:
            levels = ffi.from_buffer("uint32_t[]", writable_ranks(priorities, rows), require_writable=True)
        status = self._c_get_many(handle, memory, pitch, NULL, levels, rows)
        if status < 0:
            self._refused(status, handle)
        return int(status)

    # ---- one record at a time, in private memory ----

    @overload
    def reserve(self: "_Calls[bytes]", block: bool = ..., timeout: float | None = ...) -> memoryview | None: ...
    @overload
    def reserve(self: "_Calls[Array]", block: bool = ..., timeout: float | None = ...) -> Array | None: ...
    def reserve(self, block: bool = False, timeout: float | None = None) -> Any:
        """A writable view (memoryview, or array of the dtype) for a record, or None if all slots are used.

        `commit()` publishes what stands in it then; `cancel()` gives it back. The view is private memory: after that it
        ends (a memoryview) or changes nothing any more (an array).
        """
        return super().reserve(block, timeout)

    def commit(self, priority: SupportsIndex, length: int | None = None, view: Buffer | None = None) -> None:
        """Publishes a reservation as a record of `length` bytes (None: all of it): that of `view`, or the calling
        thread's last one.
        """
        self._commit(length, view, priority)

    @overload
    def peek(
        self: "_Calls[bytes]", block: bool = ..., timeout: float | None = ...
    ) -> tuple[int, memoryview] | None: ...
    @overload
    def peek(self: "_Calls[Array]", block: bool = ..., timeout: float | None = ...) -> tuple[int, Array] | None: ...
    def peek(self, block: bool = False, timeout: float | None = None) -> Any:
        """(priority, view) of the most urgent record, which is out of the queue, or None if the queue is empty;
        `release()` gives its slot back and ends the view.
        """
        return self._peek(block, timeout)

    def lease(self, block: bool = True, timeout: float | None = None) -> AbstractContextManager[tuple[int, R]]:
        """`with q.lease() as (priority, record):` takes a record that is acknowledged when the block ends normally.

        If the block raises, or its process dies, the record goes to the tail of its level again, exactly once.
        Raises `queue.Empty` like `get`.
        """
        return PureLease(self, patience(block, timeout))

    # ---- arguments ----

    def _level(self, priority: SupportsIndex, name: str = "priority") -> int:
        if type(priority) is int and 0 <= priority < self.levels:
            return priority
        return check_int(name, priority, 0, self.levels - 1)

    def _levels(self, priorities: Any, count: int) -> Any:
        """The priorities of a batch as uint32[]."""
        if _is_one_number(priorities):
            return ffi.new("uint32_t[]", [self._level(priorities)] * count)
        given = tuple(_iterable(priorities))
        if len(given) != count:
            raise ValueError(f"priorities has {len(given)} entries for {count} records")
        return ffi.new("uint32_t[]", [self._level(p, f"priorities[{i}]") for i, p in enumerate(given)])

    def _each_level(self, priorities: Any) -> Iterator[tuple[int, ...]]:
        """The priorities of an iterator of records."""
        if _is_one_number(priorities):
            return repeat((self._level(priorities),))
        return ((self._level(p, f"priorities[{i}]"),) for i, p in enumerate(_iterable(priorities)))

    def _describe(self) -> str:
        return super()._describe().replace(" qsize=", f" levels={self.levels} qsize=")


def _iterable(priorities: Any) -> Iterator[Any]:
    try:
        return iter(priorities)
    except TypeError:
        kind = type(priorities).__name__
        raise TypeError(f"priorities is of type {kind}: it must be an integer or an iterable of integers") from None


def _is_one_number(priorities: object) -> bool:
    return hasattr(priorities, "__index__") and not hasattr(priorities, "__len__")


class PriorityQueue(Native[Literal["priority_queue"]], _Calls[R], prefix="priority_queue"):
    """Bounded priority queue in shared memory for any number of producers and consumers, threads and processes alike.

    `capacity` records (1 to 2**30) of 0..`record_size` bytes each, or of one NumPy `dtype`, with a priority of
    0 (first) to `levels` - 1 (1 to 128 levels). Every level may hold all of the capacity. Anonymous, or found by others
    under `name`. With `fronts`, `requeue` can put a record to the front of its level (1 to 127 levels; it doubles the
    memory of the levels).

    Progress: every call that does not wait is lock-free in the strict sense. If any thread stops or dies, at whatever
    instruction, the others go on. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable, strict minimum, FIFO within a level, exact EMPTY. FULL means that at one instant of the call
    the records inside, plus those in the hands of running operations, were at least `capacity`.

    Death: a slot that a killed process had in hand is free again at the next recovery, at the latest when somebody
    would wait for it; a record under `lease()` is delivered again; one that was taken by `get` is lost with its taker.

    The construction and the argument for it are in docs/primitives/priority_queue.md.
    """

    if TYPE_CHECKING:  # which records it has: type checkers ask the class itself

        @overload
        def __init__(
            self: "PriorityQueue[bytes]",
            capacity: int,
            record_size: int,
            levels: int = ...,
            *,
            name: str | None = ...,
            spin: Spin = ...,
            fronts: bool = ...,
        ) -> None: ...
        @overload
        def __init__(
            self: "PriorityQueue[Array]",
            capacity: int,
            record_size: int | None = ...,
            levels: int = ...,
            *,
            dtype: Any,
            casting: Casting = ...,
            name: str | None = ...,
            spin: Spin = ...,
            fronts: bool = ...,
        ) -> None: ...
        def __init__(self, *_args: Any, **_named: Any) -> None: ...
