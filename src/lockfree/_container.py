"""What the containers of records have in common: C functions, records in hand, state.

The methods here go through cffi. The C types stand before them and do the same (_native/common/container.h). Here, a
signal handler's exception may come between two steps, and what was taken is lost then; there it cannot.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NoReturn, SupportsIndex, cast

from lockfree import _hands
from lockfree._awaited import AwaitedContainer
from lockfree._coded import Coded, R
from lockfree._errors import EMPTY, FULL, OK, brief, raise_status
from lockfree._native import blocking, bytes_of, ffi, fill, lib
from lockfree._records import Codec, tell
from lockfree._segment import check_int
from lockfree._types import Chosen, chosen
from lockfree._waiting import patience, until

MAX_CAPACITY = 2**31
COUNT_MAX = 2**62


class Container(AwaitedContainer, Coded[R]):
    """Base of the containers. A subclass names its C functions by prefix: `lf_<prefix>_try_put` and so on."""

    _prefix: ClassVar[str]
    _c_try_put: ClassVar[Any]
    _c_put_many: ClassVar[Any]
    _c_get_many: ClassVar[Any]
    _c_reserve: ClassVar[Any]
    _c_commit: ClassVar[Any]
    _c_cancel: ClassVar[Any]
    _c_peek: ClassVar[Any]
    _c_release: ClassVar[Any]
    _c_give_back: ClassVar[Any]
    _c_payload: ClassVar[Any]
    _c_size: ClassVar[Any]
    _c_shutdown: ClassVar[Any]
    _b_put: ClassVar[Any]
    _b_reserve: ClassVar[Any]
    _b_peek: ClassVar[Any]

    _noun: ClassVar[str] = "ring"
    _in_place: ClassVar[bool] = False
    """A reservation takes no slot, and a peeked record stays inside."""
    _has_levels: ClassVar[bool] = False
    capacity = Chosen[int]()

    def __init_subclass__(cls, prefix: str | None = None) -> None:
        if prefix is None:
            return  # a family of containers, or a user's class
        cls._prefix = prefix
        cls._struct = f"struct lf_{prefix}"
        for name in ("try_put", "put_many", "get_many", "reserve", "commit", "cancel", "peek", "release"):
            setattr(cls, f"_c_{name}", getattr(lib, f"lf_{prefix}_{name}"))
        cls._c_give_back = getattr(lib, f"lf_{prefix}_give_back", getattr(lib, f"lf_{prefix}_requeue", None))
        cls._c_size = getattr(lib, f"lf_{prefix}_size")
        cls._c_shutdown = getattr(lib, f"lf_{prefix}_shutdown")
        cls._c_payload = getattr(lib, f"lf_py_{prefix}_payload")
        cls._close = getattr(lib, f"lf_{prefix}_close")
        cls._b_put = getattr(blocking, f"lf_{prefix}_put")
        cls._b_reserve = getattr(blocking, f"lf_{prefix}_reserve_wait")
        cls._b_peek = getattr(blocking, f"lf_{prefix}_peek_wait")
        cls._attach = getattr(blocking, f"lf_{prefix}_attach")
        cls._attach_fd = getattr(blocking, f"lf_{prefix}_attach_fd")

    def _attached(self) -> None:
        chosen(self, capacity=self._h.capacity)
        super()._attached()

    def _use(self, codec: Codec, _is_bytes: bool) -> None:
        self._fast = codec.fast
        self._hand = _hands.Hand()

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return super()._wanted(given) | {"capacity": given["capacity"]}

    # ---- slots ----

    def _reserve_slot(self, handle: Any, wait: int) -> int:
        """A slot, waiting `wait` ns for one, or a negative status."""
        slot = self._c_reserve(handle)
        if slot == FULL and wait:
            slot = self._until_done(self._b_reserve, handle, until(wait))
        return int(slot)

    def _take(self, handle: Any, wait: int, lease: int = 0) -> tuple[int, int, int]:
        """(slot, level, length) of the next record, waiting `wait` ns for it; the slot may be a negative status."""
        level, length = ffi.new("uint32_t *"), ffi.new("uint64_t *")
        arguments = (*(() if self._in_place else (lease,)), *((level,) if self._has_levels else ()), length)
        slot = self._c_peek(handle, *arguments)
        if slot == EMPTY and wait:
            slot = self._until_done(self._b_peek, handle, *arguments, until(wait))
        return int(slot), int(level[0]), int(length[0])

    def _copy_out(self, handle: Any, slot: int, length: int) -> bytes:
        return bytes_of(ffi.buffer(self._c_payload(handle, slot), length))

    def _give_back(self, handle: Any, slot: int, level: int) -> None:
        """A record that was taken and not delivered is inside again."""
        if not self._in_place:
            self._c_give_back(handle, slot, *((level,) if self._has_levels else ()))

    def _get_record(self, wait: int) -> tuple[int, R] | None:
        """(level, record), or None if there is none."""
        handle = self._h
        slot, level, length = self._take(handle, wait)
        if slot == EMPTY:
            return None
        if slot < 0:
            self._refused(slot, handle)
        try:
            record = self._codec.decode(self._copy_out(handle, slot, length))
        except BaseException:
            self._give_back(handle, slot, level)
            raise
        status = self._c_release(handle, slot)
        if status:
            self._refused(status, handle)
        return level, record

    def _put_record(self, record: Any, wait: int, *level: int) -> int:
        """OK or FULL."""
        if not self._is_ready:
            self._require_open()
        handle = self._h
        data = cast("bytes", record) if type(record) is self._fast else self._codec.encode(record)
        status = self._c_try_put(handle, data, len(data), *level)
        if status == FULL and wait:
            status = self._until_done(self._b_put, handle, data, len(data), *level, until(wait))
        if status not in {OK, FULL}:
            self._refused(status, handle, data)
        return int(status)

    def _publish(self, handle: Any, slot: int, data: bytes | bytearray, length: int, *level: int) -> int:
        """Publishes `length` bytes in a slot that the calling thread has reserved: a status."""
        if self._in_place:  # a put since then may have used the slot: what it published must not be written over
            own = self._c_reserve(handle)
            if own != slot:
                return int(lib.LF_BUSY if own >= 0 or own == FULL else own)
        fill(ffi.buffer(self._c_payload(handle, slot), length), memoryview(data)[:length])
        return int(self._c_commit(handle, slot, length, *level))

    def _rows(self, records: Any) -> tuple[Any, int, int, Any, int] | None:
        """Memory, pitch, the length of all records or their lengths, and count of a batch; None of an iterator."""
        if isinstance(records, (list, tuple)):
            memory, lengths, count = self._codec.pack(records)
            return memory, 0, 0, lengths, count
        rows = self._codec.rows(records)
        if rows is None:
            return None
        view, pitch, length, count = rows
        return ffi.from_buffer(view) if view.nbytes else ffi.NULL, pitch, length, ffi.NULL, count

    def _put_rows(self, handle: Any, rows: tuple[Any, int, int, Any, int], wait: int, *levels: Any) -> int:
        *batch, count = rows
        if wait and count:
            slot = self._reserve_slot(handle, wait)
            if slot < 0:
                self._refused(slot, handle)
            self._c_cancel(handle, slot)
        status = self._c_put_many(handle, *batch, *levels, count)
        if status < 0:
            self._refused(status, handle)
        return int(status)

    def _put_iterator(self, records: Iterator[Any], levels: Iterator[tuple[int, ...]], wait: int) -> int:
        """One item for each slot that was reserved before, so that the rest stays in the iterator."""
        done = 0
        while True:
            handle = self._h
            slot = self._reserve_slot(handle, wait if done == 0 else 0)
            if slot == FULL and (done or not wait):
                return done
            if slot == lib.LF_CLOSED and done:
                return done  # the next call says so
            if slot < 0:
                self._refused(slot, handle)
            taken: tuple[Any, ...] = ()
            try:
                level = next(levels)
                taken = (next(records),)
                data = self._codec.encoded(taken[0], done)
            except BaseException as error:
                self._c_cancel(handle, slot)
                if isinstance(error, StopIteration) and not taken:
                    return done
                if taken:
                    tell(error, taken[0], done)
                raise
            closed = handle.h.closed  # by the iterator
            status = lib.LF_CLOSED if closed else self._publish(handle, slot, data, len(data), *level)
            if status == lib.LF_BUSY:  # the iterator has put into this ring itself
                status = self._c_try_put(handle, data, len(data), *level)
            if status:
                try:
                    self._refused(status, handle)
                except BaseException as error:
                    tell(error, taken[0], done)
                    raise
            done += 1

    # ---- in private memory ----

    def reserve(self, block: bool = False, timeout: float | None = None) -> Any:
        """A writable view (memoryview, or array of the dtype) for a record, or None if all slots are used.

        `commit()` publishes what stands in it then; `cancel()` gives it back. The view is private memory: after that it
        ends (a memoryview) or changes nothing any more (an array).
        """
        _hands.open_hand(self, "reserved")
        wait = patience(block, timeout)
        handle = self._h
        memory = _hands.Lent(self.record_size)
        view = self._codec.view(memory)
        slot = self._reserve_slot(handle, wait)
        if slot == FULL:
            return None
        if slot < 0:
            self._refused(slot, handle)
        memory.lend("reserved", handle, slot)
        _hands.keep(self, "reserved", memory, view)
        return view

    def cancel(self, view: Any = None) -> None:
        """Gives a reservation back unused: that of `view`, or the calling thread's last one."""
        self._give_slot_back("reserved", self._c_cancel, view)

    def release(self, view: Any = None) -> None:
        """Gives back the slot of a peeked record: that of `view`, or the calling thread's last one."""
        self._give_slot_back("peeked", self._c_release, view)

    def _give_slot_back(self, which: _hands.Which, give: Any, view: Any) -> None:
        found, handle = _hands.find(self, which, view), self._h
        if found is None:
            return  # the garbage collector has done it
        status = give(handle, _hands.take(self, which, found[0]))
        _hands.done(self, which, *found)
        if status:
            self._refused(status, handle)

    def _wrong_length(self, length: int) -> NoReturn:
        raise ValueError(f"length is {length}: a record of dtype {brief(self.dtype)} has {self.record_size} bytes")

    def _level(self, priority: SupportsIndex) -> int:
        raise NotImplementedError

    def _commit(self, length: int | None, view: Any, *priority: SupportsIndex) -> None:
        _hands.find(self, "reserved", view)
        _hands.refuse_view("length", length, "commit")
        level = [self._level(given) for given in priority]
        size = self.record_size if length is None else check_int("length", length, 0, self.record_size)
        if size != self.record_size and self._fast is not bytes:
            self._wrong_length(size)
        found, handle = _hands.find(self, "reserved", view), self._h  # the conversions may have run Python code
        assert found is not None
        memory, seen = found
        status = self._publish(handle, _hands.take(self, "reserved", memory), memory, size, *level)
        _hands.done(self, "reserved", memory, seen)
        if status:
            self._refused(status, handle)

    def _peek(self, block: bool, timeout: float | None) -> tuple[int, Any] | None:
        _hands.open_hand(self, "peeked")
        wait = patience(block, timeout)
        handle = self._h
        slot, level, length = self._take(handle, wait)
        if slot == EMPTY:
            return None
        if slot < 0:
            self._refused(slot, handle)
        memory = None
        try:
            data = self._copy_out(handle, slot, length)
            memory = _hands.Lent(data if self._fast is bytes else data.ljust(self.record_size, b"\0"))
            view = self._codec.view(memory)
            memory.lend("peeked", handle, slot)
            _hands.keep(self, "peeked", memory, view)
            if not self._in_place:
                _hands.loosen(self, "peeked")
        except BaseException:
            if memory is not None:
                memory.end()  # it goes back here, and not with its views
            self._give_back(handle, slot, level)
            raise
        return level, view

    # ---- state ----

    def qsize(self) -> int:
        """How many records are inside: exact while nobody else is running."""
        handle = self._h
        if handle.h.closed:
            self._require_open()
        return int(self._c_size(handle))

    def empty(self) -> bool:
        """`qsize() == 0`."""
        return self.qsize() == 0

    def full(self) -> bool:
        """`qsize() >= capacity`."""
        return self.qsize() >= self.capacity

    def __len__(self) -> int:
        """`qsize()`."""
        return self.qsize()

    def __bool__(self) -> bool:
        return True

    def shutdown(self, immediate: bool = False) -> None:
        """Ends the object for every process: nothing can be put any more, and `get` raises `Closed` once it is empty.

        With `immediate` at once, whatever is inside. Sleepers wake up. It cannot be undone.
        """
        handle = self._h
        if handle.h.closed:
            self._require_open()
        self._c_shutdown(handle, bool(immediate))

    def close(self) -> None:
        hand = getattr(self, "_hand", None)
        if hand is not None and not self.closed:
            for which in ("reserved", "peeked"):
                _hands.drop(self, which)
        super().close()

    close.__doc__ = Coded.close.__doc__

    def _describe(self) -> str:
        what = f"dtype={brief(self.dtype)}" if self.dtype is not None else f"record_size={self.record_size}"
        return f" capacity={self.capacity} {what} qsize={self.qsize()}"

    def _refused(self, status: int, handle: Any, record: bytes | None = None) -> NoReturn:
        self._require_open()
        if record is not None and len(record) > self.record_size:
            raise ValueError(f"record has {len(record)} bytes: the {self._noun} takes at most {self.record_size}")
        raise_status(status, self._title(), handle)


def walk(records: Any) -> Iterator[Any]:
    """An iterator over records that are no sequence, or TypeError."""
    try:
        return iter(cast("Iterable[Any]", records))
    except TypeError:
        kind = type(records).__name__
        raise TypeError(f"records is of type {kind}: it must be a sequence of records or a 2-D buffer") from None
