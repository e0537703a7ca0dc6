"""LatestValue: the newest value of something, which one writer sets and any number of readers read."""

from typing import TYPE_CHECKING, Any, Literal, NoReturn, overload

from lockfree._awaited import AwaitedLatestValue
from lockfree._coded import Coded, R, codec_of
from lockfree._errors import EMPTY, INTERRUPTED, OK, TIMEDOUT, brief, raise_status
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Array, ArrayLike, Buffer, Casting, Chosen, Spin, chosen
from lockfree._waiting import remaining, until

__all__ = ["LatestValue"]

COPIES = (2, 64)
NEWEST = 2**63 - 1


class Calls(AwaitedLatestValue, Coded[R]):
    """What it can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_latest_value"
    _attach = blocking.lf_latest_value_attach
    _attach_fd = blocking.lf_latest_value_attach_fd
    _close = lib.lf_latest_value_close
    _noun = "value"
    copies = Chosen[int]()

    @overload
    def __init__(
        self: "Calls[bytes]",
        record_size: int,
        *,
        copies: int = ...,
        name: str | None = ...,
        spin: Spin = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: "Calls[Array]",
        record_size: int | None = ...,
        *,
        dtype: Any,
        copies: int = ...,
        casting: Casting = ...,
        name: str | None = ...,
        spin: Spin = ...,
    ) -> None: ...
    def __init__(
        self,
        record_size: int | None = None,
        *,
        dtype: Any = None,
        copies: int = 4,
        casting: Casting = "same_value",
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        codec = codec_of(record_size, dtype, casting)
        copies = check_int("copies", copies, *COPIES)
        self._casting = casting
        name = check_name(name)
        check_spin(spin)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        status = blocking.lf_py_latest_value_create(handle, encoded, codec.note.encode(), codec.size, copies)
        self._created(handle, status, spin)

    def _attached(self) -> None:
        chosen(self, copies=self._h.n_copies)
        super()._attached()

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return super()._wanted(given) | {"copies": given["copies"]}

    # ---- the writer ----

    @overload
    def set(self: "Calls[bytes]", value: Buffer, /) -> int: ...
    @overload
    def set(self: "Calls[Array]", value: ArrayLike, /) -> int: ...
    def set(self, value: Any, /) -> int:
        """Sets the value, and wakes everybody who waits for a newer one; its version: 1, 2, 3, ...

        Never waits for a reader. Raises RoleTaken if another thread is the writer; ValueError if it is longer than
        `record_size`.
        """
        if not self._is_ready:
            self._require_open()
        handle = self._h
        data = self._codec.encode(value)
        if len(data) > self.record_size and not handle.h.closed:
            raise ValueError(f"record has {len(data)} bytes: the value takes at most {self.record_size}")
        return self._checked(handle, lib.lf_latest_value_set(handle, data, len(data)))

    def release_role(self) -> None:
        """Gives back the calling thread's role of the writer, for another thread or process to take.

        RuntimeError if the thread has not got it.
        """
        handle = self._h
        self._checked(handle, lib.lf_latest_value_release_role(handle))

    # ---- readers ----

    def _copy(self, handle: Any, memory: Any) -> tuple[int, int]:
        """(version, length) of what was copied; (0, 0): nothing was ever set."""
        version = ffi.new("uint64_t *")
        length = INTERRUPTED
        while length == INTERRUPTED:  # the writer has overtaken each try
            length = lib.lf_latest_value_get(handle, memory, version)
        if length == EMPTY:
            return 0, 0
        self._checked(handle, length)
        return int(version[0]) & NEWEST, int(length)

    def get(self) -> R | None:
        """The newest value; None if nothing was ever set."""
        return self.get_versioned()[1]

    def get_versioned(self) -> tuple[int, R | None]:
        """(version, value) of the newest value; (0, None) if nothing was ever set."""
        handle = self._h
        memory = ffi.new("char[]", max(self.record_size, 1))
        version, length = self._copy(handle, memory)
        if version == 0:
            return 0, None
        data = bytes(ffi.buffer(memory, length))
        if self.dtype is not None:
            data = data.ljust(self.record_size, b"\0")
        return version, self._codec.decode(data)

    def get_into(self, buffer: Buffer, /) -> int:
        """Copies the newest value into a writable buffer; its version, or 0 if nothing was ever set.

        The buffer has at least `record_size` bytes; a shorter value is padded with zeros up to there. If the call
        raises, parts of a value may stand in it.
        """
        handle = self._opened()
        view = self._codec.place_to_fill(buffer)
        memory = ffi.from_buffer(view)
        version, length = self._copy(handle, memory)
        if version:
            ffi.memmove(memory + length, bytes(self.record_size - length), self.record_size - length)
        return version

    @property
    def version(self) -> int:
        """How many values were set so far: the version of the newest one."""
        handle = self._h
        return self._checked(handle, lib.lf_latest_value_version(handle))

    def wait(self, newer_than: int | None = None, timeout: float | None = None) -> bool:
        """Waits until the newest version is above `newer_than` (None: what it is now), at most `timeout` seconds
        (None: for ever).

        True if it is. False if it was not at the last look, which comes after the time-out.
        """
        seen = None if newer_than is None else check_int("newer_than", newer_than, 0, NEWEST)
        handle, limit = self._h, until(remaining(timeout))
        seen = self.version if seen is None else seen
        status = self._until_done(blocking.lf_latest_value_wait, handle, seen, limit)
        if status != TIMEDOUT:
            self._checked(handle, status)
        return bool(status == OK)

    def _checked(self, handle: Any, status: int) -> int:
        if status < OK:
            self._failed(handle, status)
        return int(status)

    def _failed(self, handle: Any, status: int) -> NoReturn:
        raise_status(status, self._title(), handle)

    def _describe(self) -> str:
        what = f"dtype={brief(self.dtype)}" if self.dtype is not None else f"record_size={self.record_size}"
        return f" {what} version={self.version}"


class LatestValue(Native[Literal["latest_value"]], Calls[R]):
    """The newest value of something, in shared memory: one writer sets it, any number of readers read it.

    A value is bytes, 0 to `record_size` of them, or one item of a NumPy `dtype`. `copies` (2 to 64) stand in memory: a
    reader begins again only if copies - 1 values were set while it copied one. The first thread that sets is the
    writer. Another one that tries gets `RoleTaken`, unless the writer has called `release_role`, has closed the object,
    has ended (a thread of this process) or its process has died.

    Progress: `set` is wait-free, however many read and wait. `get` is lock-free, `version` wait-free; `wait` spins for
    about 10 us, then sleeps in the kernel.

    Order: a linearizable register. Values in between may never be seen.

    Death: a writer that is killed in a `set` leaves the value before it, and the role is free.

    Source: sequence locks with several copies; fences after Boehm, MSPC 2012; docs/primitives/latest_value.md.
    """

    if TYPE_CHECKING:  # which values it has: type checkers ask the class itself

        @overload
        def __init__(
            self: "LatestValue[bytes]",
            record_size: int,
            *,
            copies: int = ...,
            name: str | None = ...,
            spin: Spin = ...,
        ) -> None: ...
        @overload
        def __init__(
            self: "LatestValue[Array]",
            record_size: int | None = ...,
            *,
            dtype: Any,
            copies: int = ...,
            casting: Casting = ...,
            name: str | None = ...,
            spin: Spin = ...,
        ) -> None: ...
        def __init__(self, *_args: Any, **_named: Any) -> None: ...
