"""Objects whose large buffers travel through an Arena, and not through the queue that carries their pickle.

A message with such buffers is

    0x02, 7 bytes of 0 | how many | for each: its handle, its bytes with the top bit if it is read-only | pickle

and any other one is what `_pickles` makes. Each handle is a promise, which the reader of the message opens. A Cargo
that is not delivered gives its promises up.
"""

import copyreg
import pickle
import queue
import struct
import sys
from contextlib import suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

from lockfree import _pickles
from lockfree._errors import LockfreeError, shown
from lockfree._native import ffi
from lockfree._segment import check_int
from lockfree._waiting import FOREVER
from lockfree.arena import MOST_BYTES, Arena

LEAST: Final = 65536
"""Bytes, where nothing else is said. Shorter buffers are as fast through the queue."""
_MARK: Final = b"\x02" + bytes(7)
_HEAD: Final = struct.Struct("<8sQ")
_ENTRY: Final = struct.Struct("<16sQ")
_READ_ONLY: Final = 1 << 63


def _view(buffer: Any, kind: str, shape: tuple[int, ...]) -> memoryview:
    view = memoryview(buffer)
    return view if kind == "B" and len(shape) == 1 else view.cast("B").cast(kind, shape)  # type: ignore[call-overload]


def _reduce_view(view: memoryview) -> tuple[Any, ...]:
    return _view, (pickle.PickleBuffer(view), view.format, view.shape)


def _tensor(buffer: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    return sys.modules["torch"].frombuffer(buffer, dtype=dtype).reshape(shape)  # it holds the buffer, so the block


def _reduce_tensor(tensor: Any) -> Any:
    """A dense tensor of the processor's memory, by its numbers alone; any other one as torch does it."""
    torch = sys.modules["torch"]
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.requires_grad or tensor.is_conj() or tensor.is_neg() or tensor.numel() == 0:
        return tensor.__reduce_ex__(_pickles.PROTOCOL)
    numbers = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    return _tensor, (pickle.PickleBuffer(numbers), tensor.dtype, tuple(tensor.shape))


class Cargo:
    """An object on its way: the pieces of its message, and what was promised for it."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._handles: list[bytes] = []
        self._sizes: list[int] = []
        self.pieces: list[Any] = []

    def add(self, handle: bytes, size: int) -> None:
        self._handles.append(handle)
        self._sizes.append(size)

    def load(self, data: bytes) -> None:
        entries = [_ENTRY.pack(*entry) for entry in zip(self._handles, self._sizes, strict=True)]
        self.pieces = [b"".join([_HEAD.pack(_MARK, len(entries)), *entries, data])]

    @property
    def is_empty(self) -> bool:
        return not self._handles

    def delivered(self) -> None:
        self._handles = []

    def give_up(self) -> None:
        """Nobody will open what was promised."""
        handles, self._handles = self._handles, []
        for handle in handles:
            with suppress(LockfreeError, LookupError):  # the arena is closed, or the promise was reclaimed
                self._arena.drop(handle)

    def __del__(self) -> None:
        self.give_up()


class Carrier:
    """Packs and unpacks objects for a queue. `least`: bytes of a buffer that travels through the arena."""

    def __init__(self, arena: Arena, least: int | None) -> None:
        if not isinstance(arena, Arena):
            raise TypeError(f"arena is {shown(arena)}: it must be an Arena")
        self.arena = arena
        self.least = LEAST if least is None else check_int("arena_from", least, 1, MOST_BYTES)
        arena._find_homes()

    # ---- packing ----

    def pack(self, obj: Any, wait: int) -> Cargo:
        """The cargo of an object; queue.Full if in `wait` ns too little of the arena was free; what pickling raises."""
        cargo, chunks = Cargo(self.arena), _Chunks()

        def keep(buffer: pickle.PickleBuffer) -> bool:
            """False: it travels through the arena."""
            try:
                raw = buffer.raw()
            except BufferError:  # not contiguous
                return True
            if raw.nbytes < self.least:
                return True
            cargo.add(self._handle_of(raw, wait), raw.nbytes | (_READ_ONLY if raw.readonly else 0))
            return False

        pickler = pickle.Pickler(chunks, _pickles.PROTOCOL, buffer_callback=keep)
        extra = ForkingPickler._extra_reducers  # type: ignore[attr-defined]
        reducers = {**copyreg.dispatch_table, **extra, memoryview: _reduce_view}
        if "torch" in sys.modules:
            reducers[sys.modules["torch"].Tensor] = _reduce_tensor
        pickler.dispatch_table = reducers
        try:
            pickler.dump(obj)
        except BaseException:
            cargo.give_up()
            raise
        if cargo.is_empty:
            cargo.pieces = chunks.found
        else:
            cargo.load(b"".join(chunks.found))
        return cargo

    def _handle_of(self, raw: memoryview, wait: int) -> bytes:
        """The handle of a block that holds these bytes: the one in which they stand, or a new one with a copy."""
        home = self.arena._home_of(int(ffi.cast("uintptr_t", ffi.from_buffer(raw))), raw.nbytes)
        if home is not None:
            return home
        timeout = None if wait == FOREVER else wait * 1e-9
        block = self.arena.alloc(raw.nbytes, block=wait > 0, timeout=timeout)
        if block is None:
            raise queue.Full
        block.view[:] = raw
        return block.handle()

    # ---- unpacking ----

    def unpack(self, message: bytes | bytearray) -> Any:
        """The object. LookupError if a block is gone, because its promise was reclaimed."""
        if message[:1] != _MARK[:1]:
            return _pickles.loads(message)
        view = memoryview(message)
        mark, count = _HEAD.unpack_from(view) if len(view) >= _HEAD.size else (b"", 0)
        at = _HEAD.size + count * _ENTRY.size
        if mark != _MARK or at > len(view):
            text = f"a message of {len(message)} bytes begins as one with handles does, and is none"
            raise pickle.UnpicklingError(text)
        entries = list(_ENTRY.iter_unpack(view[_HEAD.size : at]))
        buffers: list[Any] = []
        try:
            for handle, size in entries:
                buffers.append(self._buffer(handle, size & ~_READ_ONLY, bool(size & _READ_ONLY)))
        except BaseException:
            for handle, _ in entries[len(buffers) + 1 :]:
                with suppress(LockfreeError, LookupError, ValueError):
                    self.arena.drop(handle)
            raise
        return pickle.loads(view[at:], buffers=buffers)  # noqa: S301  the queue's page says who may put

    def _buffer(self, handle: bytes, size: int, read_only: bool) -> memoryview:
        block = self.arena.open_block(handle)
        if size > block.size:
            raise pickle.UnpicklingError(f"a buffer of {size} bytes in a block of {block.size}")
        memory = block.view[:size]
        return memory.toreadonly() if read_only else memory


class _Chunks:
    """A file that keeps what is written."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.write = self.found.append
