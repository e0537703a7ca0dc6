"""Records of a NumPy dtype: how values become records without a silent loss, and how a segment's note names the dtype.

The note is JSON: a type string such as "<f8", or {"base": …, "shape": […]}, or {"names": […], "formats": […],
"offsets": […], "itemsize": …}, with "titles": […] if the fields have any. One that is too long is z and the compressed
text, in the digits of base 85. Whatever else stands there is a SegmentError.
"""

import base64
import json
import re
import struct
import sys
import zlib
from typing import Any, Final

from lockfree._errors import SegmentError, brief, shown, shown_fields
from lockfree._native import bytes_of, lib
from lockfree._records import Codec, refuse_one_record, refuse_pointers, rows_of

NOTE_BYTES: Final = lib.LF_NOTE
_MANY_BYTES: Final = 65536
"""Of a record: to copy more lets other threads run."""
CASTINGS: Final = ("same_value", "no", "equiv", "safe", "same_kind", "unsafe")

_PLAIN = re.compile(r"[<>|=][bhilqfdgeFDGSUVmMcuiB?]\d{0,10}(\[\d{0,10}[a-zA-Zμ]{1,2}(/\d{1,10})?\])?")
_DEEPEST = 32
_CODES: Final = {
    "<f8": "<d", "<f4": "<f", "<i8": "<q", "<u8": "<Q", "<i4": "<i", "<u4": "<I", "<i2": "<h", "<u2": "<H",
    "|i1": "<b", "|u1": "<B",
}  # fmt: skip
"""The numbers that the struct module writes, much faster than an array of one."""


_OF_PARSERS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
)
"""What json and NumPy raise for notes that make no sense. Not more: an exception out of a signal handler passes."""


def as_dtype(np: Any, dtype: Any) -> Any:
    """`np.dtype(dtype)`; its TypeError or ValueError names the argument."""
    try:
        return np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"dtype is {shown(dtype)}: NumPy has no such type ({error})") from None


class NumpyCodec(Codec):
    class _Never:
        """No record is of this type, so every one is encoded."""

    fast = _Never

    def __init__(self, dtype: Any, casting: str = "same_value") -> None:
        import numpy as np

        self._np = np
        self.dtype = as_dtype(np, dtype)
        if self.dtype.hasobject:
            raise TypeError(f"dtype is {brief(self.dtype)}: it has Python objects, which cannot live in shared memory")
        if self.dtype.itemsize == 0:
            raise ValueError(f"dtype is {brief(self.dtype)}: it has no bytes")
        self.size = self.dtype.itemsize
        self._base, self._shape = self.dtype.base, self.dtype.shape
        self.cast(casting)
        self._scalar = float if self._base.kind == "f" else int
        self.note = note_of(np, self.dtype)
        if len(self.note) >= NOTE_BYTES:
            self.note = _compressed(self.note, self.dtype)

    @classmethod
    def from_note(cls, note: bytes, size: int, casting: str = "same_value") -> "NumpyCodec":
        """The codec of a segment whose records have `size` bytes; SegmentError if the note does not name one."""
        import numpy as np

        text = ascii(note[:40])[1:]
        try:
            dtype = dtype_of(np, json.loads(_text_of(note)), _DEEPEST)
            codec = cls(dtype, casting)
        except _OF_PARSERS as error:
            raise SegmentError(f"the note, {text}, names no dtype of records: {error}") from None
        if codec.size != size:
            raise SegmentError(f"the note, {text}, names a dtype of {codec.size} bytes: found records of {size}")
        return codec

    def cast(self, casting: str) -> None:
        """By which rule values become records."""
        self.casting = check_casting(casting)
        code = _CODES.get(self._base.str) if self._shape == () and casting == "same_value" else None
        self._packer = None if code is None else struct.Struct(code)

    # ---- values become records ----

    def encode(self, record: Any, what: str = "record") -> bytes:
        np, base = self._np, self._base
        if self._packer is not None and type(record) is self._scalar:
            try:
                return self._packer.pack(record)
            except (struct.error, OverflowError):
                pass  # it does not fit: the long way says so
        if isinstance(record, (np.ndarray, np.generic)) and record.dtype == base:
            self._refuse_masked(record, what)
            if record.shape != self._shape:
                raise self._shape_error(what, record.shape, self._shape)
            return self._bytes_of(record)
        out = np.zeros(self._shape, base)
        self._fill(out, record, what)
        return self._bytes_of(out)

    def _bytes_of(self, array: Any) -> bytes:
        """`tobytes`, and other threads run while they are many."""
        if array.nbytes <= _MANY_BYTES:
            return bytes(array.tobytes())
        return bytes_of(self._np.ascontiguousarray(array).reshape(-1).view("u1"))

    def _fill(self, out: Any, value: Any, what: str) -> None:
        """Writes a value into `out`, an array of its shape; TypeError or ValueError if something would be lost."""
        np = self._np
        self._refuse_masked(value, what)
        if out.dtype.names is None:
            self._fill_plain(out, value, what)
        elif isinstance(value, (np.ndarray, np.generic)) and value.dtype.names is not None:
            if value.shape != out.shape:
                raise self._shape_error(what, value.shape, out.shape)
            if value.dtype == out.dtype:
                out[...] = value
            elif value.dtype.names == out.dtype.names:
                for name in out.dtype.names:
                    self._fill(out[name], value[name], f"{what}[{name!r}]")
            else:
                found, wanted = shown_fields(value.dtype.names), shown_fields(out.dtype.names)
                raise TypeError(f"{what} has the {found}: dtype has {wanted}")
        elif out.shape:
            if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != out.shape[0]:
                raise self._shape_error(what, getattr(value, "shape", type(value).__name__), out.shape)
            for position, item in enumerate(value):
                self._fill(out[position : position + 1].reshape(out.shape[1:]), item, f"{what}[{position}]")
        else:
            names = out.dtype.names
            if not isinstance(value, tuple) or len(value) != len(names):
                raise TypeError(f"{what} is {shown(value)}: it must be a tuple of the {shown_fields(names)}")
            for name, item in zip(names, value, strict=True):
                self._fill(out[name], item, f"{what}[{name!r}]")

    def _fill_plain(self, out: Any, value: Any, what: str) -> None:
        np, target = self._np, out.dtype
        if self.casting == "unsafe":
            array = self._array(value, what, target)
        elif self.casting == "same_value":
            array = self._same_value(value, target, what)
        else:
            array = self._array(value, what)
            if not np.can_cast(array.dtype, target, self.casting):
                rule = f"casting {self.casting!r} to {brief(target)} refuses"
                raise TypeError(f"{what} is {shown(value)} of {brief(array.dtype)}: {rule}")
            with np.errstate(all="ignore"):
                array = array.astype(target)
        if array.shape != out.shape:
            raise self._shape_error(what, array.shape, out.shape)
        out[...] = array

    def _same_value(self, value: Any, target: Any, what: str) -> Any:
        """`value` as an array of `target`, if no value changes; a float may be rounded to the target's precision."""
        np = self._np
        lossy = TypeError if target.kind in "SUV" else ValueError
        given = self._array(value, what)
        if given.dtype == target and target.kind not in "SU":
            return given
        if given.dtype.kind == "O":
            given = self._from_objects(value, target, what)
            if given.dtype == target:
                return given
        source = given.dtype.kind
        if source not in _TAKES.get(target.kind, ""):
            raise TypeError(f"{what} is {shown(value)} of {brief(given.dtype)}: dtype {brief(target)} does not take it")
        if target.kind == "V":
            size = given.dtype.itemsize
            if size > target.itemsize:
                raise ValueError(f"{what} has {size} bytes: dtype {brief(target)} takes at most {target.itemsize}")
            return given.astype(target)
        try:
            with np.errstate(all="ignore"):
                array = given.astype(target, casting="unsafe")
                kept = _kept(np, given, array)
        except (UnicodeError, OverflowError) as error:
            raise lossy(f"{what} is {shown(value)}: dtype {brief(target)} cannot hold it ({error})") from None
        if not np.all(kept) or (target.kind in "SU" and _ends_with_zero(value)):
            raise ValueError(f"{what} is {shown(value)}: dtype {brief(target)} cannot hold it without a loss")
        return array

    def _refuse_masked(self, value: Any, what: str) -> None:
        """What is masked has no value; NumPy would store what stands below the mask."""
        masks = sys.modules.get("numpy.ma")  # if nobody has loaded it, nothing is masked
        if masks is None or self.casting == "unsafe" or not isinstance(value, masks.MaskedArray):
            return
        mask = self._np.ascontiguousarray(masks.getmask(value)).view("?")
        if mask.any():
            raise ValueError(f"{what} has {int(mask.sum())} masked values: fill them first, as with value.filled(0)")

    def _array(self, value: Any, what: str, dtype: Any = None) -> Any:
        """`np.asarray`, with an error that names the value."""
        if not isinstance(value, (self._np.ndarray, self._np.generic)) and (memory := _buffer(value)) is not None:
            refuse_pointers(what, memory)
        try:
            return self._np.asarray(value, dtype=dtype)
        except (ArithmeticError, NotImplementedError, TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, (TypeError, NotImplementedError)) else ValueError
            raise kind(f"{what} is {shown(value)}: dtype {brief(self.dtype)} does not take it ({error})") from None

    def _from_objects(self, value: Any, target: Any, what: str) -> Any:
        """What NumPy has no type for by itself: dates for a datetime dtype. None and the rest are refused."""
        np = self._np
        import datetime as dt

        kinds = {"M": dt.date, "m": dt.timedelta}.get(target.kind)
        if kinds is not None and isinstance(value, kinds) and not getattr(value, "tzinfo", None):
            exact = "us" if isinstance(value, (dt.datetime, dt.timedelta)) else "D"
            return np.asarray(value, dtype=f"{target.kind}8[{exact}]")
        if isinstance(value, int) and target.kind in "fc" and (number := _as_float(value)) is not None:
            return np.asarray(number)
        if isinstance(value, int) and target.kind in "biufc":
            raise ValueError(f"{what} is {shown(value)}: dtype {brief(target)} cannot hold it without a loss")
        raise TypeError(f"{what} is {shown(value)}: dtype {brief(target)} does not take it")

    def _shape_error(self, what: str, found: object, wanted: object) -> ValueError:
        return ValueError(f"{what} has shape {found}: dtype {brief(self.dtype)} takes {wanted}")

    # ---- records become values ----

    def decode(self, data: bytes) -> Any:
        if self._shape:
            return self._np.frombuffer(bytearray(data), dtype=self._base).reshape(self._shape)
        return self._np.frombuffer(data, dtype=self._base)[0]

    def view(self, memory: Any) -> Any:
        return self._np.frombuffer(memory, dtype=self._base).reshape(self._shape)

    def batch(self, memory: Any) -> Any:
        if not len(memory):
            return self._np.empty((0, *self._shape), self._base)
        return self._np.frombuffer(memory, dtype=self._base).reshape((-1, *self._shape))

    def ranks(self, memory: Any) -> Any:
        return self._np.frombuffer(memory, dtype="<u4") if len(memory) else self._np.empty(0, "<u4")

    # ---- batches ----

    def rows(self, records: Any) -> tuple[Any, int, int, Any] | None:
        np = self._np
        refuse_one_record(records)
        if not isinstance(records, np.ndarray):
            rows = _buffer(records)
            if rows is not None:
                refuse_pointers("records", rows)
            if rows is None or (rows.ndim <= 1 and rows.format.lstrip("@") in _WALKED):
                return None
            records = self._array(rows, "records")
        array = records
        self._refuse_masked(array, "records")
        if array.dtype != self._base and self.casting != "same_value":
            if not np.can_cast(array.dtype, self._base, self.casting):
                rule = f"casting {self.casting!r} to {brief(self._base)} refuses"
                raise ValueError(f"records is {brief(array.dtype)}: {rule}")
            array = array.astype(self._base)
        if array.dtype != self._base or array.shape[1:] != self._shape or array.ndim != 1 + len(self._shape):
            wanted = f"{brief(self._base)} of shape ({', '.join(map(str, ('n', *self._shape)))})"
            raise ValueError(f"records is {brief(array.dtype)} of shape {array.shape}: it must be {wanted}")
        count = len(array)
        memory = memoryview(np.ascontiguousarray(array).view("u1").reshape(-1) if count else b"")
        return rows_of(memory, self.size, self.noun, count)

    def to_fill(self, buffer: Any) -> Any:
        if not isinstance(buffer, self._np.ndarray):
            return buffer
        if buffer.dtype != self._base:
            if buffer.dtype.itemsize != 1:
                raise ValueError(f"buffer is {brief(buffer.dtype)}: the {self.noun} has records of {brief(self._base)}")
        elif buffer.ndim and buffer.flags.c_contiguous and _buffer(buffer) is None:
            return buffer.view("u1")  # dates, and some names of fields, have no format in buffers
        return buffer


_TAKES: Final = {"b": "biu", "i": "biuf", "u": "biuf", "f": "biuf", "c": "biufc", "S": "SU", "U": "SU", "V": "SV",
                 "M": "M", "m": "miu"}  # fmt: skip
"""The kinds of values that each kind of dtype can take, if the value fits."""


_WALKED: Final = frozenset("?cbBhHiIlLqQnNfd")
"""The formats of memoryviews whose items Python can walk."""


def _kept(np: Any, given: Any, array: Any) -> Any:
    """Where `array`, which was made of `given`, has the same values; a float may be rounded."""
    source, target = given.dtype.kind, array.dtype.kind
    if source in "fc" and target in "fc":
        kept = np.isfinite(array) | ~np.isfinite(given)
        return kept & ((array.imag != 0) | (given.imag == 0) if target == "c" else given.imag == 0)
    if source == "f" and target in "iu":
        return _within(np, given, np.iinfo(array.dtype)) & (array.astype(given.dtype) == given)
    if source in "iu":
        bounds = np.iinfo(given.dtype)
        if target in "iu":
            info = np.iinfo(array.dtype)
            return (given >= info.min) & (given <= info.max)
        if target in "fc":
            real = array.real
            return _within(np, real, bounds) & (real.astype(given.dtype) == given)
        if target == "m":  # the lowest integer says that there is no time
            return (given > -(2**63)) & (given < 2**63)
    if source in "mM":
        same_kind = np.can_cast(given.dtype, array.dtype, "same_kind")  # a month has no number of days
        return same_kind & ((array.astype(given.dtype) == given) | (np.isnat(array) & np.isnat(given)))
    return array.astype(given.dtype) == given


def _within(np: Any, floats: Any, bounds: Any) -> Any:
    """Where floats have an integer of this type: the cast of others is undefined. Both bounds are exact as floats."""
    return np.isfinite(floats) & (floats >= float(bounds.min)) & (floats < float(bounds.max + 1))


def _ends_with_zero(value: Any) -> bool:
    """Whether a text ends with a zero character, which NumPy takes for the end of a shorter one."""
    if isinstance(value, (list, tuple)):
        return any(map(_ends_with_zero, value))
    return value[-1:] in ("\0", b"\0") if isinstance(value, (str, bytes)) else False


def _as_float(value: int) -> float | None:
    """An integer beyond 64 bits as a float; None if it is not the same."""
    try:
        return number if (number := float(value)) == value else None
    except OverflowError:
        return None


def _buffer(value: Any) -> memoryview | None:
    try:
        return memoryview(value)
    except (TypeError, ValueError, BufferError):
        return None


def check_casting(casting: Any) -> str:
    if casting not in CASTINGS:
        raise ValueError(f"casting is {casting!r}: it must be one of {', '.join(CASTINGS)}")
    return str(casting)


# ---- the note ----

_LONGEST: Final = 1 << 20
"""Bytes of the text of a note before it is compressed."""


def _compressed(text: str, dtype: Any) -> str:
    takes = f"dtype {brief(dtype)} takes {len(text)} bytes to write down"
    if len(text) > _LONGEST:
        raise ValueError(f"{takes}: at most {_LONGEST}")
    note = "z" + base64.b85encode(zlib.compress(text.encode(), 9)).decode()
    if len(note) >= NOTE_BYTES:
        raise ValueError(f"{takes}, {len(note)} compressed: at most {NOTE_BYTES - 1}")
    return note


def _text_of(note: bytes) -> str:
    """The JSON of a note; ValueError if it is none."""
    if not note.startswith(b"z"):
        return note.decode("ascii")
    expanding = zlib.decompressobj()
    try:
        text = expanding.decompress(base64.b85decode(note[1:]), _LONGEST)
    except zlib.error as error:
        raise ValueError(f"it is damaged ({error})") from None
    if not expanding.eof or expanding.unused_data:
        raise ValueError(f"it is damaged, or has more than {_LONGEST} bytes")
    return text.decode("ascii")


def note_of(np: Any, dtype: Any) -> str:
    """The dtype as text; TypeError if it cannot be told to another process."""
    note = json.dumps(_spec_of(dtype), separators=(",", ":"))
    try:
        same = dtype_of(np, json.loads(note), _DEEPEST) == dtype
    except (TypeError, ValueError):
        same = False
    if not same:
        raise TypeError(f"dtype is {brief(dtype)}: it cannot be written down for other processes")
    return note


def _spec_of(dtype: Any) -> Any:
    if dtype.subdtype is not None:
        return {"base": _spec_of(dtype.base), "shape": list(dtype.shape)}
    if dtype.names is not None:
        fields = [dtype.fields[name] for name in dtype.names]
        spec = {
            "names": list(dtype.names),
            "formats": [_spec_of(field[0]) for field in fields],
            "offsets": [field[1] for field in fields],
            "itemsize": dtype.itemsize,
        }
        titles = [field[2] if len(field) > 2 else None for field in fields]
        return {**spec, "titles": titles} if any(title is not None for title in titles) else spec
    return dtype.str


def dtype_of(np: Any, spec: Any, depth: int) -> Any:
    """The dtype of a specification; ValueError or TypeError if it is not one of ours."""
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(spec, str):
        if not _PLAIN.fullmatch(spec):
            raise ValueError(f"{spec[:20]!r} is not a type")
        return np.dtype(spec)
    if not isinstance(spec, dict):
        raise TypeError("it is neither a type nor an object")
    if spec.keys() == {"base", "shape"}:
        shape = tuple(_whole(spec["shape"], 1, 32))
        return np.dtype((dtype_of(np, spec["base"], depth - 1), shape))
    if spec.keys() - {"titles"} != {"names", "formats", "offsets", "itemsize"}:
        raise ValueError("it has other keys than a dtype")
    names, formats, (itemsize,) = spec["names"], spec["formats"], _whole([spec["itemsize"]], 0, 1)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not isinstance(formats, list):
        raise TypeError("its names or formats are not lists")
    formats = [dtype_of(np, item, depth - 1) for item in formats]
    made = {"names": names, "formats": formats, "itemsize": itemsize}
    made["offsets"] = _whole(spec["offsets"], 0, len(formats))
    if "titles" in spec:
        titles = made["titles"] = spec["titles"]
        if not isinstance(titles, list) or not all(title is None or isinstance(title, str) for title in titles):
            raise TypeError("its titles are no list of texts")
    return np.dtype(made)


def _whole(numbers: Any, least: int, most: int) -> list[int]:
    """A list of at most `most` whole numbers of at least `least`."""
    good = isinstance(numbers, list) and len(numbers) <= most
    if not good or any(type(n) is not int or not least <= n <= 2**31 for n in numbers):
        raise ValueError("it has a shape, an offset or a size that no dtype has")
    return list(numbers)
