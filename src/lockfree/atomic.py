"""Atomic variables, in a segment of their own or in any writable buffer."""

from typing import Any, ClassVar, Final, Generic, Literal, TypeVar, cast, overload

from lockfree._errors import SegmentError
from lockfree._native import NULL, Native, ffi, lib
from lockfree._records import refuse_objects, view_of
from lockfree._segment import Shared, check_int, check_name

__all__ = ["AtomicF64", "AtomicFlag", "AtomicI64", "AtomicU32", "AtomicU64", "atomic_view"]

Order = Literal["relaxed", "acquire", "release", "acq_rel", "seq_cst"]
LoadOrder = Literal["relaxed", "acquire", "seq_cst"]
StoreOrder = Literal["relaxed", "release", "seq_cst"]
Kind = Literal["u32", "u64", "i64", "f64", "flag"]
V = TypeVar("V")
_ZERO: Final[Any] = 0

_CODES: Final = {"relaxed": 0, "acquire": 2, "release": 3, "acq_rel": 4, "seq_cst": 5}


class _Orders(dict[object, int]):
    """The orders that an operation can have. Any other raises ValueError."""

    def __init__(self, operation: str, *orders: str) -> None:
        super().__init__((order, _CODES[order]) for order in orders)
        self.operation = operation

    def of(self, order: object) -> int:
        code = self.get(order) if isinstance(order, str) else None
        if code is None:
            raise ValueError(f"order is {order!r}: {self.operation} can have {', '.join(map(str, self))}")
        return code


_LOAD: Final = _Orders("a load", "relaxed", "acquire", "seq_cst")
_STORE: Final = _Orders("a store", "relaxed", "release", "seq_cst")
_BOTH: Final = _Orders("a read-modify-write", *_CODES)


class _Cell(Generic[V]):
    """The operations through cffi; the C types do the same (_native/atomic/cell.h). All of them are wait-free, but for
    `AtomicF64.fetch_add` and `fetch_sub`, which are lock-free.
    """

    _kind: ClassVar[str]
    _type: ClassVar[str]
    _number: ClassVar[int]
    _bytes: ClassVar[int]
    _low: ClassVar[int] = 0
    _high: ClassVar[int]

    def __init_subclass__(cls, kind: str | None = None, number: int = 0) -> None:
        if kind is None:
            return  # not one of the five types, or a user's class
        cls._kind, cls._number = kind, number
        cls._type = "u32" if kind == "flag" else kind
        cls._bytes = 4 if cls._type == "u32" else 8

    def _where(self) -> tuple[Any, Any]:
        """A pointer to the item, and an object that keeps its memory mapped. Raises Closed after close()."""
        raise NotImplementedError

    @classmethod
    def _exact(cls, name: str, value: Any) -> Any:
        """The value as the type holds it. ValueError if it is out of range."""
        return check_int(name, value, cls._low, cls._high)

    def _wrapped(self, value: Any) -> Any:
        """An integer modulo 2**bits, as C takes the operand of an addition."""
        number = check_int("value", value, -(2**4096), 2**4096)
        return (number - self._low) % (self._high - self._low + 1) + self._low

    def _out(self, value: Any) -> V:
        return cast("V", value)

    def _call(self, operation: str, *arguments: Any) -> Any:
        pointer, _keeper = self._where()
        return getattr(lib, f"lf_py_{self._type}_{operation}")(pointer, *arguments)

    def load(self, order: LoadOrder = "seq_cst") -> V:
        """The value. Orders: relaxed, acquire, seq_cst."""
        return self._out(self._call("load", _LOAD.of(order)))

    def store(self, value: V, order: StoreOrder = "seq_cst") -> None:
        """Writes the value. Orders: relaxed, release, seq_cst."""
        code = _STORE.of(order)
        self._call("store", self._exact("value", value), code)

    def exchange(self, value: V, order: Order = "seq_cst") -> V:
        """Writes the value; returns the one before it."""
        code = _BOTH.of(order)
        return self._out(self._call("exchange", self._exact("value", value), code))

    def compare_exchange(self, expected: V, desired: V, order: Order = "seq_cst") -> tuple[bool, V]:
        """Writes `desired` if the value is `expected`. Returns (whether it was, the value found). No spurious failures.

        Doubles are compared bit by bit: -0.0 is not 0.0, and a NaN equals itself.
        """
        code = _BOTH.of(order)
        wanted, new = self._exact("expected", expected), self._exact("desired", desired)
        observed = self._call("compare_exchange", wanted, new, code)
        return observed == wanted, self._out(observed)

    @property
    def value(self) -> V:
        """The value, loaded and stored with seq_cst."""
        return self.load()

    @value.setter
    def value(self, value: V) -> None:
        self.store(value)


class _Arithmetic(_Cell[V]):
    def fetch_add(self, value: V, order: Order = "seq_cst") -> V:
        """Adds; returns the value before. Integers wrap as in C."""
        code = _BOTH.of(order)
        return self._out(self._call("fetch_add", self._wrapped(value), code))

    def fetch_sub(self, value: V, order: Order = "seq_cst") -> V:
        """Subtracts; returns the value before. Integers wrap as in C."""
        code = _BOTH.of(order)
        return self._out(self._call("fetch_sub", self._wrapped(value), code))


class _Integer(_Arithmetic[int]):
    def fetch_and(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise and; returns the value before."""
        code = _BOTH.of(order)
        return int(self._call("fetch_and", self._wrapped(value), code))

    def fetch_or(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise or; returns the value before."""
        code = _BOTH.of(order)
        return int(self._call("fetch_or", self._wrapped(value), code))

    def fetch_xor(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise exclusive or; returns the value before."""
        code = _BOTH.of(order)
        return int(self._call("fetch_xor", self._wrapped(value), code))


class _U32(_Integer, kind="u32", number=1):
    _high = 2**32 - 1


class _U64(_Integer, kind="u64", number=2):
    _high = 2**64 - 1


class _I64(_Integer, kind="i64", number=3):
    _low, _high = -(2**63), 2**63 - 1


class _F64(_Arithmetic[float], kind="f64", number=4):
    @classmethod
    def _exact(cls, name: str, value: Any) -> Any:
        if not hasattr(type(value), "__float__") and not hasattr(type(value), "__index__"):
            raise TypeError(f"{name} is {value!r}: it must be a number")
        return float(value)

    def _wrapped(self, value: Any) -> Any:
        return self._exact("value", value)

    def fetch_sub(self, value: float, order: Order = "seq_cst") -> float:
        """Subtracts; returns the value before. Integers wrap as in C."""
        return self.fetch_add(-self._exact("value", value), order)

    def compare_exchange(self, expected: float, desired: float, order: Order = "seq_cst") -> tuple[bool, float]:
        """Writes `desired` if the value is `expected`. Returns (whether it was, the value found). No spurious failures.

        Doubles are compared bit by bit: -0.0 is not 0.0, and a NaN equals itself.
        """
        code = _BOTH.of(order)
        seen = ffi.new("double *", self._exact("expected", expected))
        ok = self._call("compare_exchange", seen, self._exact("desired", desired), code)
        return bool(ok), float(seen[0])


class _Flag(_Cell[bool], kind="flag", number=5):
    _high = 1

    def _out(self, value: Any) -> bool:
        return bool(value)

    def test_and_set(self, order: Order = "seq_cst") -> bool:
        """Sets the flag; returns whether it was set before (C11 `atomic_flag_test_and_set`)."""
        return self.exchange(True, order)

    def clear(self, order: StoreOrder = "seq_cst") -> None:
        """Clears the flag (C11 `atomic_flag_clear`)."""
        self.store(False, order)

    def __bool__(self) -> bool:
        return self.load()


class _Shared(_Cell[V], Shared):
    """An atomic variable in a segment of its own."""

    _struct = "struct lf_atomic_cell"
    _attach = lib.lf_atomic_cell_attach
    _attach_fd = lib.lf_atomic_cell_attach_fd
    _close = lib.lf_atomic_cell_close

    def __init__(self, value: V = _ZERO, *, name: str | None = None) -> None:
        name, bits = check_name(name), self._bits(value)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        self._created(handle, lib.lf_py_atomic_cell_create(handle, encoded, self._number, bits))

    @classmethod
    def _bits(cls, value: Any) -> int:
        """The value as it stands in memory."""
        bits = ffi.new("uint64_t *")
        ffi.cast(_POINTER[cls._number], bits)[0] = cls._exact("value", value)
        return int(bits[0])

    def _check(self, handle: Any) -> None:
        if handle.type != self._number:
            found, expected = _NAMES.get(handle.type), _NAMES[self._number]
            raise SegmentError(f"{self._title()}: type of the atomic: found {found}, expected {expected}")

    def _where(self) -> tuple[Any, Any]:
        handle = self._joined()
        return ffi.cast(_POINTER[self._number], handle.value), handle

    def _describe(self) -> str:
        return f" value={self.load()}"


_POINTER: Final = {1: "uint32_t *", 2: "uint64_t *", 3: "int64_t *", 4: "double *", 5: "uint32_t *"}
_NAMES: Final = {1: "AtomicU32", 2: "AtomicU64", 3: "AtomicI64", 4: "AtomicF64", 5: "AtomicFlag"}


class AtomicU32(Native[Literal["atomic_u32"]], _U32, _Shared[int]):
    """An unsigned 32-bit atomic integer, 0 to 2**32 - 1."""


class AtomicU64(Native[Literal["atomic_u64"]], _U64, _Shared[int]):
    """An unsigned 64-bit atomic integer, 0 to 2**64 - 1."""


class AtomicI64(Native[Literal["atomic_i64"]], _I64, _Shared[int]):
    """A signed 64-bit atomic integer, -2**63 to 2**63 - 1."""


class AtomicF64(Native[Literal["atomic_f64"]], _F64, _Shared[float]):
    """An atomic double. `fetch_add` and `fetch_sub` are lock-free, not wait-free."""


class AtomicFlag(Native[Literal["atomic_flag"]], _Flag, _Shared[bool]):
    """An atomic boolean."""


class _View(_Cell[V]):
    """An atomic in a buffer of the user's. It keeps the buffer alive, and owns nothing."""

    def __init__(self, buffer: Any, offset: int) -> None:
        memory, size = view_of("buffer", buffer), self._bytes
        refuse_objects("buffer", memory)
        if memory.readonly:
            raise ValueError("buffer is read-only")
        if not memory.c_contiguous:
            raise ValueError("buffer is not contiguous")
        if memory.nbytes < size:
            raise ValueError(f"buffer has {memory.nbytes} bytes: {self._kind} needs {size}")
        offset = check_int("offset", offset, 0, memory.nbytes - size)
        address = int(ffi.cast("uintptr_t", ffi.from_buffer(memory))) + offset
        if address % size:
            raise ValueError(f"offset is {offset}: the address {address:#x} is not aligned to {size} bytes")
        self._lay(buffer, offset)

    def _lay(self, buffer: Any, offset: int) -> None:
        held = ffi.from_buffer(buffer, require_writable=True)
        self._item = ffi.cast(_POINTER[self._number], ffi.cast("char *", held) + offset), held

    def _where(self) -> tuple[Any, Any]:
        return self._item

    def __repr__(self) -> str:
        return f"<lockfree.{type(self).__name__} value={self.load()}>"


class U32View(Native[Literal["view_u32"]], _U32, _View[int]):
    """`atomic_view(buffer, offset, "u32")`: an unsigned 32-bit atomic integer in a buffer."""


class U64View(Native[Literal["view_u64"]], _U64, _View[int]):
    """`atomic_view(buffer, offset, "u64")`: an unsigned 64-bit atomic integer in a buffer."""


class I64View(Native[Literal["view_i64"]], _I64, _View[int]):
    """`atomic_view(buffer, offset, "i64")`: a signed 64-bit atomic integer in a buffer."""


class F64View(Native[Literal["view_f64"]], _F64, _View[float]):
    """`atomic_view(buffer, offset, "f64")`: an atomic double in a buffer."""


class FlagView(Native[Literal["view_flag"]], _Flag, _View[bool]):
    """`atomic_view(buffer, offset, "flag")`: an atomic boolean of 4 bytes in a buffer."""


AtomicView = U32View | U64View | I64View | F64View | FlagView
_VIEWS: Final[dict[str, type[AtomicView]]] = {
    "u32": U32View, "u64": U64View, "i64": I64View, "f64": F64View, "flag": FlagView,
}  # fmt: skip


@overload
def atomic_view(buffer: Any, offset: int = 0, kind: Literal["u64"] = "u64") -> U64View: ...
@overload
def atomic_view(buffer: Any, offset: int, kind: Literal["u32"]) -> U32View: ...
@overload
def atomic_view(buffer: Any, offset: int = 0, *, kind: Literal["u32"]) -> U32View: ...
@overload
def atomic_view(buffer: Any, offset: int, kind: Literal["i64"]) -> I64View: ...
@overload
def atomic_view(buffer: Any, offset: int = 0, *, kind: Literal["i64"]) -> I64View: ...
@overload
def atomic_view(buffer: Any, offset: int, kind: Literal["f64"]) -> F64View: ...
@overload
def atomic_view(buffer: Any, offset: int = 0, *, kind: Literal["f64"]) -> F64View: ...
@overload
def atomic_view(buffer: Any, offset: int, kind: Literal["flag"]) -> FlagView: ...
@overload
def atomic_view(buffer: Any, offset: int = 0, *, kind: Literal["flag"]) -> FlagView: ...
@overload
def atomic_view(buffer: Any, offset: int, kind: Kind) -> AtomicView: ...
@overload
def atomic_view(buffer: Any, offset: int = 0, *, kind: Kind) -> AtomicView: ...
def atomic_view(buffer: Any, offset: int = 0, kind: Kind = "u64") -> AtomicView:
    """Atomic operations on the item at byte `offset` of any writable buffer (shared memory, mmap, NumPy array).

    `kind` is u32, u64, i64, f64 or flag (4 bytes, 0 or 1). ValueError if the buffer is read-only, too short there, or
    the item is not aligned to its size; TypeError if the buffer holds Python objects.
    """
    view = _VIEWS.get(kind) if isinstance(kind, str) else None
    if view is None:
        raise ValueError(f"kind is {kind!r}: it must be one of {', '.join(_VIEWS)}")
    return view(buffer, offset)
