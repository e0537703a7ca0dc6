"""What is inside of a broadcast ring's calls: whom a message is for, what a refusal raises, one put and one take."""

import queue
import threading
from collections.abc import Iterable
from typing import Any, Literal, NoReturn

from lockfree._awaited import AwaitedContainer
from lockfree._errors import EMPTY, FULL, OK, TIMEDOUT, Dropped, RoleTaken, raise_status, shown
from lockfree._hands import me
from lockfree._messages import Putting, Taking, as_bytes, packed
from lockfree._native import blocking, ffi, lib
from lockfree._segment import check_int
from lockfree._types import Chosen
from lockfree._waiting import until

Slow = Literal["wait", "raise", "drop", "overwrite"]
Readers = int | Iterable[int] | None
ALL = 2**64 - 1


class Inside(AwaitedContainer, Taking, Putting):
    """One put and one take through cffi, and what the calls say."""

    size_bytes = Chosen[int]()
    readers = Chosen[int]()
    slow = Chosen[Slow]()
    _bound = ", half of its size"
    _local: threading.local

    def _reader_pid(self, number: int) -> int:
        return int(lib.lf_py_broadcast_reader_pid(self._h, number))

    def _put(self, message: Any, wait: int, *to: int) -> bool:
        handle, data = self._h, as_bytes(message, self._what())
        self._may_put()
        status = lib.lf_broadcast_ring_try_put(handle, ffi.from_buffer(data), len(data), *to)
        if status == FULL and wait:
            words = handle, ffi.from_buffer(data), len(data), *to
            status = self._until_done(blocking.lf_broadcast_ring_put, *words, until(wait))
        if status == lib.LF_TOO_LONG:
            self._too_long(len(data))
        if status not in {OK, FULL}:
            self._raise(status)
        return bool(status == OK)

    def _pack(self, messages: Any) -> tuple[bytes, bytes] | None:
        return packed(self, messages)

    def _always_room(self) -> bool:
        return self.slow in {"drop", "overwrite"}  # put says what is wrong

    def _take(self, wait: int) -> bytes | None:
        handle, length = self._h, ffi.new("uint64_t *")
        number, limit = self._number(), until(wait)
        while True:
            place = lib.lf_broadcast_ring_peek(handle, number, length)
            if place == EMPTY and wait:
                place = self._until_done(blocking.lf_broadcast_ring_peek_wait, handle, number, length, limit)
            if place == EMPTY:
                return None
            if place < 0:
                self._raise(place)
            out = ffi.new("unsigned char[]", int(length[0]) or 1)
            status = lib.lf_broadcast_ring_take(handle, number, place, out, length[0])
            if status == OK:
                return bytes(ffi.buffer(out, length[0]))
            if status != lib.LF_BUSY:  # else it was overtaken
                self._raise(status)

    def _wait_readers(self, mask: int, wait: int) -> bool:
        status = self._until_done(blocking.lf_broadcast_ring_wait_readers, self._h, mask, until(wait))
        if status not in {OK, TIMEDOUT}:
            self._raise(status)
        return bool(status == OK)

    # ---- with and without the C type ----

    def _number(self) -> int:
        place = lib.lf_py_broadcast_place(self._h)
        if place < 0:
            self._raise(place)
        return int(place)

    def _mask(self, to: Readers, name: str = "to") -> int:
        if to is None:
            return ALL
        try:
            numbers: Iterable[int] = [to] if hasattr(type(to), "__index__") else iter(to)  # type: ignore[arg-type,list-item]
        except TypeError:
            raise TypeError(
                f"{name} is {shown(to)}: it must be the number of a reader, or an iterable of numbers"
            ) from None
        mask = 0
        for number in tuple(numbers):
            mask |= 1 << check_int(name, number, 0, self.readers - 1)
        return mask

    def _may_put(self) -> None:
        if not self._is_ready:
            self._require_open()
        held = getattr(self._local, "reserved", None)
        if held is not None and held[1] == me(self._h):
            raise RuntimeError(f"{self._title()}: this thread has a reservation: commit() or cancel() it first")

    def _in_hand(self, which: str, how: str) -> tuple[memoryview, int, bytearray]:
        self._require_open()
        held: tuple[memoryview, int, bytearray] | None = getattr(self._local, which, None)
        if held is None or held[1] != me(self._h):
            raise RuntimeError(f"{self._title()}: this thread has nothing in hand: call {how} first")
        return held

    def _raise(self, status: int) -> NoReturn:
        self._require_open()
        handle = self._h
        if status == FULL:
            number = handle.late
            pid = self._reader_pid(number)
            late = f"reader {number} (process {pid}) has not read {handle.behind} of {self.size_bytes} bytes"
            raise queue.Full(f"{self._title()}: {late}")
        if status == EMPTY:
            raise queue.Empty(self._title())
        if status == lib.LF_ROLE_TAKEN:
            holder = f"thread {handle.holder_thread} of process {handle.holder_pid}"
            raise RoleTaken(f"{self._title()}: the writer is {holder if handle.holder_pid else 'nobody any more'}")
        if status == lib.LF_NOT_OWNER:
            raise RuntimeError(f"{self._title()}: this thread is not a reader: call join() first")
        if status == lib.LF_DROPPED:
            raise Dropped(f"{self._title()}: this reader fell too far behind and was dropped; join() again")
        raise_status(status, self._title(), handle)
