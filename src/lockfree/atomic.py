"""Atomic variables: in shared memory of their own, or laid over any writable buffer."""

from typing import Any, ClassVar, Final, Literal, cast

from lockfree import _native
from lockfree._errors import Closed
from lockfree._native import NULL, ffi, lib
from lockfree._segment import Holder, Shared, check_int, check_name

__all__ = ["AtomicF64", "AtomicFlag", "AtomicI64", "AtomicU32", "AtomicU64", "atomic_view"]

Order = Literal["relaxed", "acquire", "release", "acq_rel", "seq_cst"]

_LOAD: Final = {"relaxed": 0, "acquire": 2, "seq_cst": 5}
_STORE: Final = {"relaxed": 0, "release": 3, "seq_cst": 5}
_BOTH: Final = {"relaxed": 0, "acquire": 2, "release": 3, "acq_rel": 4, "seq_cst": 5}


class _Orders(dict[str, int]):
    """Orders an operation can have; any other is ValueError."""

    def __init__(self, operation: str, orders: dict[str, int]) -> None:
        super().__init__(orders)
        self.operation = operation

    def __missing__(self, order: object) -> int:
        raise ValueError(f"order is {order!r}: {self.operation} can have {', '.join(self)}")


LOAD: Final = _Orders("a load", _LOAD)
STORE: Final = _Orders("a store", _STORE)
BOTH: Final = _Orders("a read-modify-write", _BOTH)


def _unbound(*_args: Any) -> Any:
    """Stands where no builtin is bound, and says so in the way that leads to the general path."""
    raise TypeError


class _Function:
    """A C function of the type of the class that it is asked of; looked up once, when first used: that is what keeps
    the import of this module short.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, _cell: object, kind: "type[_Cell]") -> Any:
        function = getattr(lib, f"lf_py_{kind._type}_{self.name}")
        setattr(kind, f"_c_{self.name}", function)
        return function


class _Cell:
    """The operations, over a pointer that keeps the memory behind it alive. All of them are wait-free, but for
    `AtomicF64.fetch_add` and `fetch_sub`, which are lock-free.
    """

    _type: ClassVar[str]
    _number: ClassVar[int]
    _bytes: ClassVar[int] = 8
    _low: ClassVar[int]
    _high: ClassVar[int]
    _c_load = _Function("load")
    _c_store = _Function("store")
    _c_exchange = _Function("exchange")
    _c_compare_exchange = _Function("compare_exchange")
    _c_fetch_add = _Function("fetch_add")
    _c_fetch_sub = _Function("fetch_sub")
    _c_fetch_and = _Function("fetch_and")
    _c_fetch_or = _Function("fetch_or")
    _c_fetch_xor = _Function("fetch_xor")

    _p: Any  # None once closed
    _load = _store = _add = _exchange_if = staticmethod(_unbound)

    def _bind(self, owner: Any) -> None:
        """The commonest calls with seq_cst become builtins bound to the cell."""
        binder = getattr(_native, f"bind_{self._type}", None)
        if binder is not None:
            bound = binder(int(ffi.cast("uintptr_t", self._p)), owner)
            self._load, self._store, self._add, self._exchange_if = bound

    def _unbind(self) -> None:
        self._p = None
        self._load = self._store = self._add = self._exchange_if = _unbound

    def __init_subclass__(cls, type: str | None = None, number: int = 0) -> None:  # noqa: A002
        if type is None:
            return
        cls._type, cls._number = type, number

    def _operand(self, name: str, value: Any) -> Any:
        """What the type takes, exactly; ValueError outside its range."""
        return check_int(name, value, self._low, self._high)

    def _wrapped(self, value: Any) -> Any:
        """An integer modulo 2**bits, as C takes the operand of an addition."""
        if self._p is None:
            raise Closed(f"{self!r}")
        number = check_int("value", value, -(2**127), 2**127)
        return (number - self._low) % (self._high - self._low + 1) + self._low

    def _checked(self, name: str, value: Any) -> Any:
        if self._p is None:
            raise Closed(f"{self!r}")
        return self._operand(name, value)

    def load(self, order: Order = "seq_cst") -> Any:
        """The value. Orders: relaxed, acquire, seq_cst."""
        if order == "seq_cst":
            try:
                return self._load()
            except TypeError:
                pass
        try:
            return self._c_load(self._p, LOAD[order])
        except TypeError:
            self._explain(order)
            raise

    def store(self, value: Any, order: Order = "seq_cst") -> None:
        """Writes the value. Orders: relaxed, release, seq_cst."""
        if order == "seq_cst":
            try:
                self._store(value)
            except (TypeError, OverflowError):
                pass
            else:
                return
        try:
            self._c_store(self._p, value, STORE[order])
        except (TypeError, OverflowError):
            self._explain(order)
            self._c_store(self._p, self._checked("value", value), STORE[order])

    def exchange(self, value: Any, order: Order = "seq_cst") -> Any:
        """Writes the value; the one before it."""
        try:
            return self._c_exchange(self._p, value, BOTH[order])
        except (TypeError, OverflowError):
            self._explain(order)
            return self._c_exchange(self._p, self._checked("value", value), BOTH[order])

    def compare_exchange(self, expected: Any, desired: Any, order: Order = "seq_cst") -> tuple[bool, Any]:
        """Writes `desired` if the value is `expected`: (whether it was, the value observed). Never fails spuriously."""
        if order == "seq_cst":
            try:
                return cast("tuple[bool, Any]", self._exchange_if(expected, desired))
            except (TypeError, OverflowError):
                pass
        try:
            observed = self._c_compare_exchange(self._p, expected, desired, BOTH[order])
        except (TypeError, OverflowError):
            self._explain(order)
            expected = self._checked("expected", expected)
            observed = self._c_compare_exchange(self._p, expected, self._checked("desired", desired), BOTH[order])
        return observed == expected, observed

    def fetch_add(self, value: Any, order: Order = "seq_cst") -> Any:
        """Adds; the value before. Integers wrap as in C."""
        if order == "seq_cst":
            try:
                return self._add(value)
            except (TypeError, OverflowError):
                pass
        try:
            return self._c_fetch_add(self._p, value, BOTH[order])
        except (TypeError, OverflowError):
            self._explain(order)
            return self._c_fetch_add(self._p, self._wrapped(value), BOTH[order])

    def fetch_sub(self, value: Any, order: Order = "seq_cst") -> Any:
        """Subtracts; the value before. Integers wrap as in C."""
        try:
            return self._c_fetch_sub(self._p, value, BOTH[order])
        except (TypeError, OverflowError):
            self._explain(order)
            return self._c_fetch_sub(self._p, self._wrapped(value), BOTH[order])

    def _explain(self, order: object) -> None:
        if self._p is None:
            raise Closed(f"{self!r}")
        if not isinstance(order, str):
            raise ValueError(f"order is {order!r}: it must be one of {', '.join(BOTH)}")  # noqa: TRY004

    @property
    def value(self) -> Any:
        """The value, loaded and stored with seq_cst."""
        return self.load()

    @value.setter
    def value(self, value: Any) -> None:
        self.store(value)


class _Integer(_Cell):
    def fetch_and(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise and; the value before."""
        return self._bitwise(self._c_fetch_and, value, order)

    def fetch_or(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise or; the value before."""
        return self._bitwise(self._c_fetch_or, value, order)

    def fetch_xor(self, value: int, order: Order = "seq_cst") -> int:
        """Bitwise exclusive or; the value before."""
        return self._bitwise(self._c_fetch_xor, value, order)

    def _bitwise(self, operation: Any, value: int, order: Order) -> int:
        try:
            return int(operation(self._p, value, BOTH[order]))
        except (TypeError, OverflowError):
            self._explain(order)
            return int(operation(self._p, self._wrapped(value), BOTH[order]))


class _U32(_Integer, type="u32", number=1):
    _bytes = 4
    _low, _high = 0, 2**32 - 1


class _U64(_Integer, type="u64", number=2):
    _low, _high = 0, 2**64 - 1


class _I64(_Integer, type="i64", number=3):
    _low, _high = -(2**63), 2**63 - 1


class _F64(_Cell, type="f64", number=4):
    def _operand(self, name: str, value: Any) -> Any:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{name} is {value!r}: it must be a number") from None

    def _wrapped(self, value: Any) -> Any:
        return self._checked("value", value)

    def fetch_sub(self, value: float, order: Order = "seq_cst") -> float:
        """Subtracts; the value before."""
        return float(self.fetch_add(-self._checked("value", value), order))

    def compare_exchange(self, expected: float, desired: float, order: Order = "seq_cst") -> tuple[bool, float]:
        """As for integers, comparing bit patterns: -0.0 is not 0.0, and a NaN equals itself."""
        self._explain(order)
        seen = ffi.new("double *", self._checked("expected", expected))
        ok = self._c_compare_exchange(self._p, seen, self._checked("desired", desired), BOTH[order])
        return bool(ok), float(seen[0])


class _Flag(_Cell, type="u32", number=5):
    _bytes = 4
    _low, _high = 0, 1

    def _operand(self, name: str, value: Any) -> Any:
        return check_int(name, value, 0, 1)

    def load(self, order: Order = "seq_cst") -> bool:
        """Whether the flag is set."""
        return bool(super().load(order))

    def store(self, value: bool, order: Order = "seq_cst") -> None:
        """Sets or clears the flag."""
        super().store(self._checked("value", value), order)

    def exchange(self, value: bool, order: Order = "seq_cst") -> bool:
        """Sets or clears the flag; whether it was set before."""
        return bool(super().exchange(self._checked("value", value), order))

    def compare_exchange(self, expected: bool, desired: bool, order: Order = "seq_cst") -> tuple[bool, bool]:
        """Writes `desired` if the flag is `expected`: (whether it was, the flag observed)."""
        expected, desired = self._checked("expected", expected), self._checked("desired", desired)
        ok, observed = super().compare_exchange(expected, desired, order)
        return ok, bool(observed)

    def test_and_set(self, order: Order = "seq_cst") -> bool:
        """Sets the flag; whether it was set before (C11 `atomic_flag_test_and_set`)."""
        return self.exchange(True, order)

    def clear(self, order: Order = "seq_cst") -> None:
        """Clears the flag (C11 `atomic_flag_clear`)."""
        self.store(False, order)

    def fetch_add(self, value: Any, order: Order = "seq_cst") -> Any:  # noqa: ARG002
        raise TypeError("a flag has no arithmetic: use AtomicU32")

    fetch_sub = fetch_add

    def __bool__(self) -> bool:
        return self.load()


class _Shared(_Cell, Shared):
    """An atomic variable in a segment of its own."""

    _struct = "struct lf_atomic_cell"
    _attach = lib.lf_atomic_cell_attach
    _attach_fd = lib.lf_atomic_cell_attach_fd
    _close = lib.lf_atomic_cell_close
    _number: ClassVar[int]
    _p: Any

    def __init__(self, value: Any = 0, *, name: str | None = None) -> None:
        name = check_name(name)
        self._p = ()
        initial = self._operand("value", value)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        bits = ffi.new("uint64_t *")
        ffi.cast(self._pointer_type(), bits)[0] = initial
        status = lib.lf_py_atomic_cell_create(handle, encoded, self._number, bits[0])
        self._created(handle, status)

    def _pointer_type(self) -> str:
        return _POINTER[self._number]

    def _attached(self) -> None:
        from lockfree._errors import SegmentError

        if self._h.type != self._number:
            found, expected = _NAMES.get(self._h.type), _NAMES[self._number]
            raise SegmentError(f"{self.name!r}: type of the atomic: found {found}, expected {expected}")
        self._p = ffi.gc(ffi.cast(self._pointer_type(), self._h.value), Holder(self._h))
        self._bind(self._h)

    def close(self) -> None:
        self._unbind()
        super().close()

    def _describe(self) -> str:
        return f" value={getattr(self, 'value', None)}"


_POINTER: Final = {1: "uint32_t *", 2: "uint64_t *", 3: "int64_t *", 4: "double *", 5: "uint32_t *"}
_NAMES: Final = {1: "AtomicU32", 2: "AtomicU64", 3: "AtomicI64", 4: "AtomicF64", 5: "AtomicFlag"}


class AtomicU32(_U32, _Shared):
    """An unsigned 32-bit atomic integer, 0 to 2**32 - 1."""


class AtomicU64(_U64, _Shared):
    """An unsigned 64-bit atomic integer, 0 to 2**64 - 1."""


class AtomicI64(_I64, _Shared):
    """A signed 64-bit atomic integer, -2**63 to 2**63 - 1."""


class AtomicF64(_F64, _Shared):
    """An atomic double. `fetch_add` and `fetch_sub` are lock-free, not wait-free."""


class AtomicFlag(_Flag, _Shared):
    """An atomic boolean."""


class _View(_Cell):
    """An atomic laid over the user's buffer; it holds the buffer, and owns nothing."""

    _p: Any

    def __init__(self, pointer: Any, owner: Any) -> None:
        self._p = pointer
        self._owner = owner
        self._bind(owner)

    def __repr__(self) -> str:
        return f"<lockfree.{type(self).__name__} value={getattr(self, 'value', None)}>"


class U32View(_View, _U32): ...


class U64View(_View, _U64): ...


class I64View(_View, _I64): ...


class F64View(_View, _F64): ...


class FlagView(_View, _Flag): ...


AtomicView = U32View | U64View | I64View | F64View | FlagView
_VIEWS: Final[dict[str, type[AtomicView]]] = {
    "u32": U32View, "u64": U64View, "i64": I64View, "f64": F64View, "flag": FlagView,
}  # fmt: skip


def atomic_view(buffer: Any, offset: int = 0, kind: str = "u64") -> Any:
    """Atomic operations on the item at byte `offset` of any writable buffer (shared memory, mmap, NumPy array).

    `kind` is u32, u64, i64, f64 or flag (4 bytes, 0 or 1). ValueError if the buffer is read-only, too short there, or
    the item is not aligned to its size.
    """
    view = _VIEWS.get(kind)
    if view is None:
        raise ValueError(f"kind is {kind!r}: it must be one of {', '.join(_VIEWS)}")
    memory = memoryview(buffer)
    if memory.readonly:
        raise ValueError("buffer is read-only")
    if not memory.c_contiguous:
        raise ValueError("buffer is not contiguous")
    size = view._bytes
    if memory.nbytes < size:
        raise ValueError(f"buffer has {memory.nbytes} bytes: {kind} needs {size}")
    offset = check_int("offset", offset, 0, memory.nbytes - size)
    held = ffi.from_buffer(memory, require_writable=True)
    address = int(ffi.cast("uintptr_t", held)) + offset
    if address % size:
        raise ValueError(f"offset is {offset}: the address {address:#x} is not aligned to {size} bytes")
    return view(ffi.cast(_POINTER[view._number], address), held)
