"""What the containers of records have in common: C functions, records in hand, state."""

import threading
from contextlib import suppress
from typing import Any, ClassVar, NoReturn, Self

from lockfree._dtypes import NumpyCodec, check_casting
from lockfree._errors import FULL, INTERRUPTED, raise_status
from lockfree._native import blocking, ffi, lib
from lockfree._records import BytesCodec, Codec
from lockfree._segment import Holder, Shared, check_int
from lockfree._waiting import deadline

MAX_CAPACITY = 2**31
MAX_RECORD = 2**31


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
        self.owner = 0


class Container(Shared):
    """Base of the containers. A subclass names its C functions by prefix: `lf_<prefix>_try_put` and so on."""

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

    _noun: ClassVar[str] = "ring"
    _casting = "same_value"
    capacity: int
    record_size: int

    def __init_subclass__(cls, prefix: str | None = None) -> None:
        if prefix is None:
            return  # a family of containers, not one of them
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

    def _attached(self) -> None:
        self.capacity = self._h.capacity
        self.record_size = self._h.record_size
        note = self._note()
        self._codec: Codec = (
            NumpyCodec.from_note(note, self.record_size, self._casting) if note else BytesCodec(self.record_size)
        )
        self._codec.noun = self._noun
        self._fast = self._codec.fast
        self._scratch = _Scratch(self.record_size)
        self._hand = _Hand()

    @classmethod
    def attach(cls, name: str, *, casting: str = "same_value") -> Self:
        """The object that another program created with `name=`; `casting` as in the constructor.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        check_casting(casting)
        self = super().attach(name)
        self.__setstate__(casting)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (*super().__reduce__(), self._casting)

    def __setstate__(self, casting: str) -> None:
        self._casting = casting
        if isinstance(self._codec, NumpyCodec):
            self._codec.casting = casting

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the records, or None if they are bytes."""
        return getattr(self._codec, "dtype", None)

    # ---- zero copy ----

    def reserve(self, block: bool = False, timeout: float | None = None) -> Any:
        """A writable view of a free slot in shared memory (memoryview, or array of the dtype), or None if all are used.

        The record becomes visible at `commit`, or never after `cancel`. One reservation per thread at a time.
        """
        if self._held("reserved") is not None:
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
        self._hand.owner = self._h.h.participant
        return view

    def cancel(self) -> None:
        """Gives the calling thread's reservation back unused."""
        index, view = self._in_hand("reserved", "reserve()")
        self._hand.reserved = None
        end_view(view)
        status = self._c_cancel(self._h, index)
        if status:
            self._refused(status)

    def release(self) -> None:
        """Gives back the slot of the record that the calling thread peeked at."""
        index, view = self._in_hand("peeked", "peek()")
        self._hand.peeked = None
        end_view(view)
        status = self._c_release(self._h, index)
        if status:
            self._refused(status)

    def _written(self, length: int | None) -> tuple[int, int]:
        """The end of the calling thread's reservation: its slot and how many bytes its record has."""
        index, view = self._in_hand("reserved", "reserve()")
        size = self.record_size if length is None else check_int("length", length, 0, self.record_size)
        if length is not None and self._fast is not bytes and size != self.record_size:
            raise ValueError(f"length is {size}: a record of dtype {self.dtype} has {self.record_size} bytes")
        self._hand.reserved = None
        end_view(view)
        return index, size

    def _require_empty_hand(self) -> None:
        if self._held("peeked") is not None:
            raise RuntimeError("this thread has a record in hand already: release() it first")

    def _hold(self, index: int, length: int) -> Any:
        view = self._view(index, length)
        self._hand.peeked = (index, view)
        self._hand.owner = self._h.h.participant
        return view

    def _view(self, index: int, length: int) -> Any:
        # The buffer keeps the handle, and with it the mapping, for as long as anybody has a view.
        payload = ffi.gc(ffi.cast(f"char(*)[{length}]", self._c_payload(self._h, index)), Holder(self._h))
        whole = ffi.buffer(payload)
        return self._codec.view(memoryview(whole))

    def _in_hand(self, which: str, how: str) -> tuple[int, Any]:
        self._require_open()
        held = self._held(which)
        if held is None:
            raise RuntimeError(f"this thread has nothing in hand: call {how} first")
        return held

    def _held(self, which: str) -> tuple[int, Any] | None:
        hand = self._hand
        if hand.owner != lib.lf_py_participant(ffi.addressof(self._h, "h")):
            hand.reserved = hand.peeked = None  # a forked child: what the parent has in hand is the parent's
        held: tuple[int, Any] | None = getattr(hand, which)
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

    def shutdown(self, immediate: bool = False) -> None:
        """Ends the object for every process: puts raise `Closed` from here on, gets once nothing is inside any more.

        What is inside can still be taken, so consumers need no sentinel. With `immediate`, gets raise `Closed` at once,
        too, and what is inside is lost. It cannot be undone.
        """
        self._require_open()
        self._c_shutdown(self._h, bool(immediate))

    def close(self) -> None:
        if not self.closed:
            for which in ("reserved", "peeked"):
                held = getattr(self._hand, which)
                if held is not None:
                    setattr(self._hand, which, None)
                    end_view(held[1])
        for bound in ("try_put", "try_get", "_put_batch", "_get_batch", "_get_rows"):
            self.__dict__.pop(bound, None)
        super().close()

    def _describe(self) -> str:
        what = f"dtype={self.dtype}" if self.dtype is not None else f"record_size={self.record_size}"
        return f" capacity={self.capacity} {what} qsize={self.qsize()}"

    def _refused(self, status: int, record: bytes | None = None) -> NoReturn:
        self._require_open()
        if record is not None and len(record) > self.record_size:
            raise ValueError(f"record has {len(record)} bytes: the {self._noun} takes at most {self.record_size}")
        raise_status(status, repr(self), self._h.h)


def end_view(view: Any) -> None:
    if isinstance(view, memoryview):
        with suppress(BufferError):
            view.release()  # refused if somebody made an array of it: then not to write is their promise


def codec_of(record_size: int | None, dtype: Any, casting: str) -> Codec:
    check_casting(casting)
    if dtype is not None:
        codec = NumpyCodec(dtype, casting)
        if record_size is not None and record_size != codec.size:
            raise ValueError(f"record_size is {record_size}: dtype {codec.dtype} has {codec.size} bytes")
        return codec
    if record_size is None:
        raise TypeError("record_size or dtype is needed")
    return BytesCodec(check_int("record_size", record_size, 1, MAX_RECORD))
