"""Mapping, naming, lifetime and hand-over of the segments in which every object lives.

A handle (a cffi struct that begins with `struct lf_handle`) is one attachment of this process: the mapping, the file
and the participant number. The C type below an object's class owns it: `close()` ends it, and it is detached as soon
as no call is inside (_native/common/object.h). The Python methods here do the same without C types
(LOCKFREE_PURE_CFFI=1): each takes `self._h` once, `close()` puts another handle there, and the last reference to the
old one detaches it. So memory is never unmapped under anybody.
"""

import errno
import fcntl
import operator
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Self, TypeVar

from lockfree._errors import OK, Closed, SegmentError, raise_status, refusal, shown, why_closed
from lockfree._handover import Passage, in_space, rebuild
from lockfree._native import NULL, blocking, ffi, lib
from lockfree._survey import Peer, Survey
from lockfree._types import IfDead

C = TypeVar("C")


def check_call(name: str, call: C, or_none: str = "") -> C:
    """`call` if it can be called, or TypeError naming it; `or_none` is ", or None" where None is allowed."""
    if callable(call) or (or_none and call is None):
        return call
    raise TypeError(f"{name} is {shown(call)}: it must be callable{or_none}")


def check_int(name: str, value: object, low: int | None, high: int) -> int:
    """`value` as an int within [low, high], or TypeError or ValueError naming it and the bound."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {shown(value)}: it must be an integer") from None
    if low is None and number > high:
        raise ValueError(f"{name} is {shown(number)}: it must be at most {high}, or 0 for no bound")
    if low is not None and not low <= number <= high:
        raise ValueError(f"{name} is {shown(number)}: it must be between {low} and {high}")
    return number


def check_name(name: str | None) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}: it must be a string")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError(f"name is {name!r}: it must be text that UTF-8 can encode") from None
    if not name or "/" in name or "\0" in name or size > 200:
        raise ValueError(f"name is {name!r}: it must have 1 to 200 bytes and neither '/' nor NUL")
    return name


class Visit:
    """What keeps an object attached that Python code is in: its handle. The C type does the same (visits.h)."""

    def __init__(self, handle: Any) -> None:
        self.handle, self.watched = handle, NULL

    def watch(self, side: int, address: int, _owner: Any) -> None:
        """Announces a wait until the visit ends. The address is that of a struct lf_watch."""
        watch = ffi.cast("struct lf_watch *", address)
        if lib.lf_py_watch(ffi.addressof(self.handle, "h"), side, watch) == OK:
            self.watched = watch

    def leave(self) -> None:
        """Ends the visit; idempotent."""
        watched, self.watched = self.watched, NULL
        if watched:
            lib.lf_watch_end(watched)
            if watched.due:
                lib.lf_watch_pass_on(watched)
        self.handle = None  # the last reference detaches the segment, in which the watch stood

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class NeverMade:
    """The handle of an object whose __init__() has not begun: a closed one."""

    def __get__(self, _instance: object, owner: "type[Shared]") -> Any:
        handle = ffi.new(owner._struct + " *")
        handle.h.closed = lib.LF_PY_NEVER_MADE
        return handle


class Shared:
    """An object in shared memory: the part of its behaviour that all primitives have in common.

    Anonymous objects live as long as a process uses them; named ones until `unlink()` (or `lockfree gc`).
    They travel by fork, by pickling to spawn and forkserver children and through `multiprocessing` connections,
    and by name to unrelated programs.
    """

    _struct: ClassVar[str]  # the C struct, e.g. "struct lf_mpmc_ring"
    _argument_of: ClassVar[Mapping[str, str]] = MappingProxyType({})  # of an attribute with another name: see _wanted
    _attach: ClassVar[Any]  # C function (struct *, name) -> status
    _attach_fd: ClassVar[Any]  # C function (struct *, fd) -> status
    _close: ClassVar[Any]  # C function (struct *): wakes this handle's sleepers

    _h: Any = NeverMade()
    _start: int = 0  # where counters begin: see starting_at
    name: str | None = None
    _home: "Shared | None" = None  # the space in which the object is

    def _begin(self, name: str | None) -> Any:
        """The beginning of every constructor: a new handle, which belongs to the object from now on."""
        Passage.introduce()
        handle = ffi.new(self._struct + " *")
        handle.h.closed = lib.LF_PY_NEVER_MADE
        self._h = self._own(handle, int(ffi.cast("uintptr_t", handle)), name)
        self.name = name
        return self._h

    def _created(self, handle: Any, status: int) -> None:
        """The end of every constructor: `status` is what the C side said of creating or attaching `handle`."""
        if status != OK:
            handle.h.closed = lib.LF_PY_NEVER_MADE
            raise_status(status, self._title(), handle)
        self._check(handle)
        self._ready()
        self._attached()

    def _check(self, handle: Any) -> None:
        """Hook: SegmentError if the attached object is not of this very type."""

    def _own(self, handle: Any, _address: int, _name: str | None) -> Any:
        if "_h" in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}.__init__() was called a second time")
        if self._home is None:
            return ffi.gc(handle, lib.lf_py_detach)
        mapped = self._home._h  # as long as this handle
        return ffi.gc(handle, lambda ended: (lib.lf_py_detach(ended), mapped)[0])

    def _live_in(self, _space: "Shared") -> None: ...

    _is_ready = False

    def _ready(self) -> None:
        """From here on, operations may use the handle."""
        self._is_ready = True

    def _title(self) -> str:
        """The object, as an error names it."""
        return f"{type(self).__name__} {self.name!r}" if self.name is not None else type(self).__name__

    def _attached(self) -> None:
        """Hook: reads what the object needs to know from its handle."""

    @classmethod
    def attach(cls, name: str) -> Self:
        """The object that another program created with `name=`.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        return cls._attach_to(name)

    @classmethod
    def _attach_to(cls, name: str) -> Self:
        checked = check_name(name)
        if checked is None:
            raise TypeError("name is None: it must be a string")
        self = cls.__new__(cls)
        handle = self._begin(checked)
        self._created(handle, cls._attach(handle, checked.encode()))
        return self

    @classmethod
    def open(cls, name: str, *arguments: Any, if_dead: IfDead = "keep", **named: Any) -> Self:
        """The object called `name`: attached if there is one, else created by `cls(*arguments, name=name, **named)`.

        So a service that was killed starts again under its name. What dead processes held is given back before this
        returns. `if_dead` says what becomes of an object that no live process uses any more: "keep" takes it over with
        all that is inside, "replace" removes it and makes a new one.

        Raises SegmentError if there is one with another geometry (such as `capacity`); the message names both.
        """
        from lockfree._opening import open_or_create

        return open_or_create(cls, name, arguments, if_dead, named)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Hook of `open`: what the constructor's arguments `given` say of attributes that the segment fixes."""
        return {}

    @classmethod
    def _adopt(cls, fd: int, name: str | None) -> Self:
        self = cls.__new__(cls)
        handle = self._begin(name)
        self._created(handle, cls._attach_fd(handle, fd))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        self._require_open()
        if self._home is not None:
            return in_space, (self._home, type(self), self._home._place_of(self))
        return rebuild, (type(self), Passage(self))

    def _place_of(self, shared: "Shared") -> int:
        """Of a space: where an object in it is."""
        raise NotImplementedError

    def _identity(self) -> tuple[str | None, int, int]:
        """(name, device, inode)."""
        handle = self._h
        if handle.h.closed:
            self._require_open()
        return self.name, int(handle.h.device), int(handle.h.inode)

    def _duplicate(self) -> int:
        """A descriptor of the caller's own that leads to the segment."""
        handle = self._h  # open as long as this refers to it
        fd = self._file(handle)
        try:
            return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
        except OSError as error:
            raise refusal(error, self._title(), "copying the descriptor") from None

    def _enter(self) -> "Visit":
        """Until the visit ends the handle stays attached, also after close."""
        return Visit(self._opened())

    def _would_not_wait(self) -> bool:
        """Whether what `lockfree.wait` waits for is there."""
        raise NotImplementedError

    def _file(self, handle: Any) -> int:
        """A descriptor that leads to the segment: the object's own, found again if the program has closed it."""
        if handle.h.closed:
            self._require_open()
        fd = int(lib.lf_segment_file(ffi.addressof(handle, "h")))
        if fd < 0:
            raise OSError(errno.EBADF, "the program closed this object's file descriptor", self._title())
        return fd

    @property
    def closed(self) -> bool:
        """Whether close() was called here."""
        return bool(self._h.h.closed)

    def _require_open(self) -> None:
        if self.closed:
            raise Closed(f"{self._title()}: {why_closed(self._h)}")

    def _joined(self) -> Any:
        """The handle; an exception if it is closed, or if this is a forked child that cannot join."""
        handle = self._h
        status = int(lib.lf_enter(ffi.addressof(handle, "h")))
        if status != OK:
            raise_status(status, self._title(), handle)
        return handle

    def _opened(self) -> Any:
        """The handle, if the object is open. Without a C type it stays mapped as long as the caller refers to it."""
        handle = self._h
        if handle.h.closed:
            raise Closed(f"{self._title()}: {why_closed(handle)}")
        return handle

    def close(self) -> None:
        """Ends this process's use of the object; idempotent. Threads of this process that sleep in it get `Closed`,
        other processes go on. What this process still had in hand is given back.
        """
        handle = self._h
        if handle.h.closed or not self._is_ready:  # a space closes also what is only half made
            return
        type(self)._close(handle)
        closed = ffi.new(self._struct + " *")
        lib.lf_py_closed(closed)
        self._h = closed  # the last reference to `handle` detaches it: now, or when the last call or view ends

    def unlink(self) -> None:
        """Removes the name of a named object; those who are attached keep it. FileNotFoundError if it is gone."""
        if self.name is None:
            raise ValueError("unlink: the object is anonymous and has no name to remove")
        handle = self._h  # kept here: what addressof() gives does not keep it
        status = lib.lf_segment_unlink(ffi.addressof(handle, "h"), self.name.encode())
        if status != OK:
            raise_status(status, self.name, handle)

    def __enter__(self) -> Self:
        """The object; the block's end closes it."""
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """`close()`."""
        self.close()

    def __repr__(self) -> str:
        where = f" name={self.name!r}" if self.name else ""
        return f"<lockfree.{type(self).__name__}{where}{self._look_of_it()}>"

    def _look_of_it(self) -> str:
        """What a repr says of it; a repr raises nothing."""
        try:
            return self._unusable() if self.closed else self._describe()
        except Closed:
            return " closed"  # by another thread, since we looked
        except (OSError, SegmentError) as error:
            return f" unusable: {error}"

    def _unusable(self) -> str:
        return " never made" if self._h.h.closed == lib.LF_PY_NEVER_MADE else " closed"

    def _describe(self) -> str:
        return ""

    def recover_dead(self) -> int:
        """Looks for participants that died and gives back what they held; how many there were.

        It also happens by itself, at the latest when somebody would wait for what a dead one holds.
        """
        handle = self._joined()
        found = int(blocking.lf_reap(ffi.addressof(handle, "h")))
        if found < 0:
            raise_status(found, self._title(), handle)
        return found

    def peers(self) -> list[Peer]:
        """The participants: which processes use this object now, since when, what they hold, and whether they wait.

        The look takes the kernel some microseconds for each, and disturbs nobody. It works for objects without a name,
        too. What it says of others may have changed when it returns.
        """
        return self._survey().peers()

    def stats(self) -> dict[str, int]:
        """What was counted since the object was made, over all processes, also those that are gone.

        sleeps, wakes: waits in the kernel, and how many of them somebody ended. refusals: looks that found it full,
        empty or taken, those of waiting calls too; some may be missing. recoveries: participants that died.
        Containers: puts, gets, inside, room. Where nothing is refused and nobody sleeps, counting costs nothing: puts
        and gets are positions.
        """
        return self._survey().stats()

    def _survey(self) -> Survey:
        self._require_open()
        if self._home is not None:
            return self._home._survey()
        return Survey(self._struct.removeprefix("struct lf_").removesuffix("_cell"), self._duplicate(), self._title())

    def _note(self) -> bytes:
        return note_of(self._h.h)


def note_of(handle: Any) -> bytes:
    """The note of the segment that a struct lf_handle has mapped."""
    segment = handle.segment
    return bytes(ffi.buffer(segment.note, min(segment.identity.note_bytes, lib.LF_NOTE)))


S = TypeVar("S", bound="Shared")


def starting_at(start: int, cls: type[S], *arguments: Any, **named: Any) -> S:
    """`cls(*arguments, **named)` with its counters at `start`: for tests that begin near the wraps."""
    self = cls.__new__(cls)
    self._start = start & (2**64 - 1)
    self.__init__(*arguments, **named)  # type: ignore[misc]
    return self
