"""Space: many small objects in one segment."""

import weakref
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, overload

from lockfree._errors import INTERRUPTED, OK, Closed, SegmentError, raise_status, shown
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import Shared, check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Chosen, chosen
from lockfree.atomic import AtomicF64, AtomicFlag, AtomicI64, AtomicU32, AtomicU64
from lockfree.condition import Condition
from lockfree.event import Event
from lockfree.event_count import EventCount
from lockfree.mutex import Mutex
from lockfree.rlock import RLock
from lockfree.rwlock import RWLock
from lockfree.semaphore import MAX_VALUE, Semaphore
from lockfree.spinlock import SpinLock

if TYPE_CHECKING:
    from lockfree._types import Spin

__all__ = ["Space"]

S = TypeVar("S", bound=Shared)
LINE, LEAST, MOST = 128, 256, lib.LF_SPACE_MAX_BYTES
THREADS, MOST_THREADS = lib.LF_SPACE_THREADS, lib.LF_SPACE_MAX_THREADS
AtomicName = Literal["u32", "u64", "i64", "f64", "flag"]
ATOMICS: dict[str, Any] = dict(
    zip(get_args(AtomicName), (AtomicU32, AtomicU64, AtomicI64, AtomicF64, AtomicFlag), strict=True)
)
KINDS: dict[type[Shared], int] = {
    Mutex: lib.LF_KIND_MUTEX,
    SpinLock: lib.LF_KIND_SPINLOCK,
    RLock: lib.LF_KIND_RLOCK,
    RWLock: lib.LF_KIND_RWLOCK,
    Condition: lib.LF_KIND_CONDITION,
    Semaphore: lib.LF_KIND_SEMAPHORE,
    Event: lib.LF_KIND_EVENT,
    EventCount: lib.LF_KIND_EVENT_COUNT,
    **dict.fromkeys(ATOMICS.values(), lib.LF_KIND_ATOMIC),
}


class Calls(Shared):
    """What a space can do. The C type stands before it: it counts who is inside."""

    _struct = "struct lf_space"
    _attach = blocking.lf_space_attach
    _attach_fd = blocking.lf_space_attach_fd
    _close = lib.lf_space_close
    _ends = False
    size_bytes = Chosen[int]()
    threads = Chosen[int]()

    def __init__(self, size_bytes: int, *, threads: int = THREADS, name: str | None = None) -> None:
        size = _whole(check_int("size_bytes", size_bytes, LEAST, MOST))
        count = check_int("threads", threads, 1, MOST_THREADS)
        name = check_name(name)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        self._created(handle, blocking.lf_space_create_for(handle, encoded, size, count))

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        size = _whole(check_int("size_bytes", given["size_bytes"], LEAST, MOST))
        return {"size_bytes": size, "threads": given["threads"]}

    def _attached(self) -> None:
        chosen(self, size_bytes=self._h.size, threads=self._h.threads)
        # by address; the next object there takes the place of one that is gone. A WeakSet would run Python code when an
        # object ends, and what a signal handler raises in there is lost
        self._objects: dict[int, weakref.ref[Shared]] = {}

    # ---- objects ----

    def mutex(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> Mutex:
        """The `Mutex` with this name in the space, added if there is none; None: a new one without a name."""
        return self._object(Mutex, name, spin)

    def spinlock(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> SpinLock:
        """The same for a `SpinLock`."""
        return self._object(SpinLock, name, spin)

    def rlock(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> RLock:
        """The same for an `RLock`."""
        return self._object(RLock, name, spin)

    def rwlock(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> RWLock:
        """The same for an `RWLock`."""
        return self._object(RWLock, name, spin)

    def condition(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> Condition:
        """The same for a `Condition` with a lock of its own."""
        return self._object(Condition, name, spin)

    def event(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> Event:
        """The same for an `Event`."""
        return self._object(Event, name, spin)

    def event_count(self, name: str | None = None, *, spin: "Spin" = "adaptive") -> EventCount:
        """The same for an `EventCount`."""
        return self._object(EventCount, name, spin)

    def semaphore(
        self, value: int = 1, max_value: int | None = None, *, name: str | None = None, spin: "Spin" = "adaptive"
    ) -> Semaphore:
        """The same for a `Semaphore`. SegmentError if there is one with this name that began with other numbers."""
        largest = MAX_VALUE if max_value is None else check_int("max_value", max_value, 1, MAX_VALUE)
        return self._object(Semaphore, name, spin, (check_int("value", value, 0, largest), largest))

    @overload
    def atomic(self, kind: Literal["u32"], value: int = ..., *, name: str | None = ...) -> AtomicU32: ...
    @overload
    def atomic(self, kind: Literal["u64"], value: int = ..., *, name: str | None = ...) -> AtomicU64: ...
    @overload
    def atomic(self, kind: Literal["i64"], value: int = ..., *, name: str | None = ...) -> AtomicI64: ...
    @overload
    def atomic(self, kind: Literal["f64"], value: float = ..., *, name: str | None = ...) -> AtomicF64: ...
    @overload
    def atomic(self, kind: Literal["flag"], value: bool = ..., *, name: str | None = ...) -> AtomicFlag: ...
    def atomic(self, kind: AtomicName, value: Any = 0, *, name: str | None = None) -> Any:
        """The same for an atomic variable. `value` is what a new one begins with."""
        if kind not in ATOMICS:
            raise ValueError(f"kind is {shown(kind)}: it must be one of {', '.join(map(repr, ATOMICS))}")
        cls = ATOMICS[kind]
        return self._object(cls, name, None, (cls._number,), cls._bits(value))

    def _object(
        self, cls: type[S], name: str | None, spin: "Spin | None", geometry: tuple[int, ...] = (), initial: int = 0
    ) -> S:
        encoded = NULL if name is None else _name(name)
        if spin is not None or cls not in ATOMICS.values():  # an atomic has none
            check_spin(spin)
        numbers = ffi.new("uint64_t[6]", geometry)

        def place(handle: Any, pointer: Any) -> int:
            status = INTERRUPTED
            while status == INTERRUPTED:  # between two calls Python serves its signals
                status = blocking.lf_space_object(handle, pointer, KINDS[cls], encoded, numbers, initial)
            if status == lib.LF_FULL:
                needs, left = lib.lf_space_needs(handle, KINDS[cls]), lib.lf_space_left(handle)
                if left < 0:  # closed meanwhile
                    return int(left)
                raise MemoryError(
                    f"{self._title()}: {cls.__name__} takes {needs} bytes: {left} of {self.size_bytes} are left"
                )
            if status == lib.LF_MISMATCH:
                field = ffi.string(pointer.mismatch).decode()
                told = _difference(cls, field.startswith("kind"), pointer.found, pointer.expected, geometry)
                raise SegmentError(f"{self._title()}: the object named {shown(name)} is another one: {told}")
            return int(status)

        return self._made(cls, spin, place)

    def _object_at(self, cls: type[S], at: int) -> S:
        """The object that another process has in the same space."""

        def place(handle: Any, pointer: Any) -> int:
            status = int(blocking.lf_space_at(handle, pointer, KINDS[cls], at))
            if status == lib.LF_INVALID:
                raise SegmentError(f"{self._title()}: no {cls.__name__} begins at {at} of its {self.size_bytes} bytes")
            return status

        return self._made(cls, None, place)

    def _made(self, cls: type[S], spin: "Spin | None", place: Any) -> S:
        with self._enter():
            made = cls.__new__(cls)
            made._home = self
            made._live_in(self)
            handle = made._begin(None)
            self._objects[id(made)] = weakref.ref(made)
            try:
                status = place(self._h, ffi.addressof(handle, "h"))
            except BaseException:
                handle.h.closed = lib.LF_PY_NEVER_MADE
                raise
            if status != OK:
                handle.h.closed = lib.LF_PY_NEVER_MADE
                raise_status(status, self._title(), self._h)
            made._created(handle, OK, *(() if spin is None else (spin,)))
            if self._ends:  # its close has not seen a whole object
                made.close()
                raise Closed(f"{self._title()}: the object is closed")
            return made

    def _place_of(self, shared: Shared) -> int:
        self._require_open()
        handle = shared._h  # kept here, also if another thread closes the object meanwhile
        return int(lib.lf_space_place(self._h, ffi.addressof(handle, "h")))

    # ---- state ----

    @property
    def left(self) -> int:
        """Bytes that no object takes yet."""
        with self._enter():
            left = int(lib.lf_space_left(self._h))
            if left < 0:
                raise_status(left, self._title(), self._h)
            return left

    def _describe(self) -> str:
        return f" size_bytes={self.size_bytes} left={self.left}"


class Space(Native[Literal["space"]], Calls):
    """Many small objects in one segment: one file, one descriptor, one participant, one look for the dead.

    `size_bytes` (256 to 2**32, rounded up to whole lines of 128) is the room for all of them. A lock, an atomic or an
    event takes 256 to 384 bytes, an `RWLock` 17 KiB. `threads` threads at most (1 to 1024) wait for one `Condition`, or
    hold permits of one `Semaphore`, at a time; one more gets RuntimeError. For 64 of them a condition takes 4.4 KiB
    and a semaphore 5.9, for 16 of them 1.4 and 1.9. Objects are added and never taken away. `mutex("cache")` and
    its like give the object with that name (1 to 64 bytes), in every process the same one, and add it if there is
    none. MemoryError if the space is full; SegmentError if the name is another object's.

    A space travels as every object does; so do the objects in it, each with its space. `close()` of one of them ends
    that handle and gives nothing back; `close()` of the space ends all that this process has of it, and gives back what
    it held.

    Progress: adding and finding take a lock. The objects' calls keep their guarantees.

    Death: of a process that dies with several objects in hand, all are given back, by a thread that waits for one.

    Source: docs/primitives/space.md.
    """

    def close(self) -> None:
        """Ends this process's use of the space and of all objects in it; idempotent. Threads that sleep in them get
        `Closed`, other processes go on. What this process still held is given back.
        """
        self._ends = True
        for made in _living(getattr(self, "_objects", {})):
            made.close()
        super().close()


def _whole(size: int) -> int:
    return -(-size // LINE) * LINE


def _difference(cls: type[Shared], is_kind: bool, found: int, expected: int, geometry: tuple[int, ...]) -> str:
    """How the object that has a name differs from what was asked for, in words of Python."""
    if is_kind:
        names = {number: "Atomic" if kind in ATOMICS.values() else kind.__name__ for kind, number in KINDS.items()}
        return f"kind: found {names.get(found, found)}, expected {names[expected]}"
    if cls is Semaphore:
        field = "max_value" if expected != geometry[0] else "value" if expected != geometry[1] else "value or max_value"
        return f"{field}: found {found}, expected {expected}"
    types = {kind._number: kind.__name__ for kind in ATOMICS.values()}
    return f"type of the atomic: found {types.get(found, found)}, expected {types.get(expected, expected)}"


def _name(name: Any) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"name is {shown(name)}: it must be a string, or None")
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"name is {shown(name)}: it must be text that UTF-8 can encode") from None
    if not 1 <= len(encoded) <= lib.LF_SPACE_NAME or b"\0" in encoded:
        raise ValueError(f"name is {shown(name)}: it must have 1 to {lib.LF_SPACE_NAME} bytes and no NUL")
    return encoded


def _living(objects: "dict[int, weakref.ref[Shared]]") -> list[Shared]:
    while True:
        try:
            return [made for there in list(objects.values()) if (made := there()) is not None]
        except RuntimeError:  # another thread adds one
            continue
