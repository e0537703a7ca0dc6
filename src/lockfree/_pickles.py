"""Objects as the bytes of one message: pickles of protocol 5, whose large buffers travel beside them, not in them.

A message is a pickle, or a pickle and its buffers:

    0x01, 7 bytes of 0 | count, length of the pickle | length of each buffer, its top bit if it is read-only | pickle
    | buffers, each at a multiple of 16 bytes

The first byte of a pickle is 0x80.
"""

import copyreg
import pickle
import struct
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

from lockfree._unbroken import unbroken

PROTOCOL: Final = 5
LARGE: Final = 16384
"""Bytes. A buffer that is not shorter travels beside the pickle."""
BESIDE: Final = b"\x01" + bytes(7)
OF_AN_ARENA: Final = b"\x02" + bytes(7)
"""As a message of _cargo.py begins."""
PLAIN: Final = frozenset({int, str, bytes, float, bool, type(None)})
"""Nobody can register another way to pickle these."""
_HEAD: Final = struct.Struct("<8sQQ")
_READ_ONLY: Final = 1 << 63

_VARIADIC: Final = 0x04 | 0x08
"""The flags of code that has *arguments or **arguments."""

_idle = threading.local()


class NeedsArena(RuntimeError):
    """The object's buffers are in an Arena, which this handle of the queue was made without."""


class Within(Exception):
    """`error` was raised while a message became an object, and the message is gone."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


STAYS: Final = (MemoryError, NeedsArena)
"""What leaves a message in the queue, so that it can become an object another time. Exceptions that are no Exception do
so, too, and those of signal handlers.
"""


def is_of_a_handler(error: BaseException) -> bool:
    """Whether a signal handler raised it, and not what the handler interrupted: it has that frame as an argument."""
    trace, before = error.__traceback__, None
    while trace is not None:
        frame = trace.tb_frame
        interrupted = {id(frame.f_back), id(before)} - {id(None)}
        code = frame.f_code
        count = code.co_argcount + code.co_kwonlyargcount + (code.co_flags & _VARIADIC).bit_count()
        values = [frame.f_locals.get(name) for name in code.co_varnames[:count]]
        values += [each for value in values if type(value) is tuple for each in value]
        if any(id(value) in interrupted for value in values):
            return True
        trace, before = trace.tb_next, frame
    return False


def guarded(loads: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`loads`, and an error after which the message is gone comes out as Within."""

    def convert(message: Any) -> Any:
        try:
            return unbroken[loads, message]
        except STAYS:
            raise
        except Exception as error:
            if is_of_a_handler(error):
                raise
            raise Within(error) from None

    return convert


class _Pickler:
    """A pickler that is used again, with the reducers that multiprocessing knows. Not for two dumps at a time."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.buffers: list[memoryview] = []
        self.write = self.chunks.append
        self.pickler = pickle.Pickler(self, PROTOCOL, buffer_callback=self._keep)
        self.own: dict[Any, Any] = {}
        self.extra: dict[Any, Any] = {}

    def _keep(self, buffer: pickle.PickleBuffer) -> bool:
        """False: it travels beside the pickle."""
        try:
            raw = buffer.raw()
        except BufferError:  # not contiguous
            return True
        if raw.nbytes < LARGE:
            return True
        self.buffers.append(raw)
        return False

    def dump(self, obj: Any) -> list[Any]:
        """The pieces of the message."""
        own, extra = copyreg.dispatch_table, ForkingPickler._extra_reducers  # type: ignore[attr-defined]
        if own != self.own or extra != self.extra:  # also one that was registered in the place of another
            self.own, self.extra = own.copy(), extra.copy()
            self.pickler.dispatch_table = self.own | self.extra
        self.pickler.dump(obj)
        self.pickler.clear_memo()
        pieces = [*self.chunks] if not self.buffers else _beside(b"".join(self.chunks), self.buffers)
        self.chunks.clear()
        self.buffers.clear()
        return pieces


def _beside(data: bytes, buffers: list[memoryview]) -> list[Any]:
    lengths = [raw.nbytes | (_READ_ONLY if raw.readonly else 0) for raw in buffers]
    pieces: list[Any] = [_HEAD.pack(BESIDE, len(buffers), len(data)), struct.pack(f"<{len(buffers)}Q", *lengths), data]
    at = sum(map(len, pieces))
    for raw in buffers:
        pieces += [bytes(-at % 16), raw]
        at += -at % 16 + raw.nbytes
    return pieces


def dumps(obj: Any) -> list[Any]:
    """An object as the pieces of one message. What its pickling raises is raised here."""
    if type(obj) in PLAIN:
        return [pickle.dumps(obj, PROTOCOL)]
    pickler = getattr(_idle, "pickler", None)
    _idle.pickler = None  # its own reducers may pickle, too; and after an error it is not used again
    if pickler is None:
        pickler = _Pickler()
    pieces: list[Any] = pickler.dump(obj)
    _idle.pickler = pickler
    return pieces


def loads(message: bytes | bytearray) -> Any:
    """The object. Buffers of a bytearray are views of it."""
    if message[:8] == OF_AN_ARENA:
        raise NeedsArena("the object's buffers are in an Arena: this handle of the queue was made without `arena`")
    if message[:1] != b"\x01":
        return unbroken[pickle.loads, message]
    parts = _parts(memoryview(message))
    if parts is None:
        raise pickle.UnpicklingError(
            f"a message of {len(message)} bytes begins as a pickle with buffers does, and is none"
        )
    data, buffers = parts
    return unbroken[partial(pickle.loads, buffers=buffers), data]


def _parts(view: memoryview) -> tuple[memoryview, list[memoryview]] | None:
    """The pickle and its buffers; None if the lengths are not those of the message."""
    if len(view) < _HEAD.size:
        return None
    mark, count, length = _HEAD.unpack_from(view)
    at = _HEAD.size + 8 * count
    if mark != BESIDE or at + length > len(view):
        return None
    sizes = struct.unpack_from(f"<{count}Q", view, _HEAD.size)
    data = view[at : at + length]
    at += length
    buffers = []
    for size in sizes:
        at += -at % 16
        raw = view[at : at + (size & ~_READ_ONLY)]
        at += size & ~_READ_ONLY
        buffers.append(raw.toreadonly() if size & _READ_ONLY else raw)
    return (data, buffers) if at == len(view) else None
