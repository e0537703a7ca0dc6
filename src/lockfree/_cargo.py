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
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

from lockfree import _pickles
from lockfree._errors import LockfreeError, shown
from lockfree._native import ffi, fill
from lockfree._segment import check_int
from lockfree._unbroken import unbroken
from lockfree._waiting import FOREVER
from lockfree.arena import MOST_BYTES, Arena, Block

LEAST: Final = 65536
"""Bytes, where nothing else is said. Shorter buffers are as fast through the queue."""
_MARK: Final = _pickles.OF_AN_ARENA
_HEAD: Final = struct.Struct("<8sQ")
_ENTRY: Final = struct.Struct("<16sQ")
_READ_ONLY: Final = 1 << 63
_MOST_PICKLES: Final = 64
"""That a queue remembers."""


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
    """An object on its way: its pickle, and the blocks that travel beside it. They are promised by `put` alone, so that
    who gives it up before needs no code for that.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.blocks: list[Any] = []
        """The memory of each block."""
        self.sizes: list[int] = []
        self.pickle: list[Any] = []

    def give_up(self) -> None:
        """It will not be put: what keeps this object, such as an exception, does not keep its blocks."""
        self.blocks.clear()

    def put(self, put: Callable[..., Any], *arguments: Any) -> None:
        """`put(pieces, *arguments)`; from then on the promises are those of the message's receiver."""
        if not self.blocks:
            put(self.pickle, *arguments)
            return
        promised: list[bytes] = []
        try:
            for at in range(len(self.blocks)):  # a variable for the block would live as long as an exception from here
                promised.append(self._arena._promise(self.blocks[at]))  # noqa: PERF401  what is there is given up below
            entries = [_ENTRY.pack(*entry) for entry in zip(promised, self.sizes, strict=True)]
            unbroken[put, [b"".join([_HEAD.pack(_MARK, len(entries)), *entries]), *self.pickle], *arguments]
            promised = []  # no call before this: after a handler's exception they would be given up
        except BaseException:
            for handle in promised:
                with suppress(LockfreeError, LookupError):  # the arena is closed, or the promise was reclaimed
                    self._arena.drop(handle)
            raise


class Carrier:
    """Packs and unpacks objects for a queue. `least`: bytes of a buffer that travels through the arena."""

    def __init__(self, arena: Arena, least: int | None) -> None:
        if not isinstance(arena, Arena):
            raise TypeError(f"arena is {shown(arena)}: it must be an Arena")
        self.arena = arena
        self.least = LEAST if least is None else check_int("arena_from", least, 1, MOST_BYTES)
        self._pickles: dict[tuple[Any, ...], list[Any]] = {}
        """Of arrays that were put, by all that their pickles say: the numbers are not in them."""
        arena._find_homes()

    # ---- packing ----

    def pack(self, obj: Any, wait: int) -> Cargo:
        """The cargo of an object; queue.Full if in `wait` ns too little of the arena was free; what pickling raises."""
        key = self._key_of(obj)
        if key is None:
            return self._pickled(obj, wait)
        known = self._pickles.get(key)
        if known is None:
            cargo = self._pickled(obj, wait)
            if len(self._pickles) >= _MOST_PICKLES:
                self._pickles.clear()
            self._pickles[key] = cargo.pickle
            return cargo
        cargo = Cargo(self.arena)
        self._load(cargo, pickle.PickleBuffer(obj).raw(), wait)
        cargo.pickle = known
        return cargo

    def _key_of(self, obj: Any) -> tuple[Any, ...] | None:
        """All that the pickle of an array says; None if it is no array of plain numbers, or too short for the arena."""
        numpy = sys.modules.get("numpy")
        kind = getattr(numpy, "ndarray", None)
        if type(obj) is not kind or obj.nbytes < self.least or obj.dtype.kind not in "biufc":
            return None
        if kind in copyreg.dispatch_table or kind in ForkingPickler._extra_reducers:  # type: ignore[attr-defined]
            return None
        flags = obj.flags
        if obj.dtype.isbuiltin != 1 or not (flags.c_contiguous or flags.f_contiguous):
            return None
        return obj.dtype, obj.shape, flags.c_contiguous, flags.writeable

    def _load(self, cargo: Cargo, raw: memoryview, wait: int) -> None:
        cargo.blocks.append(self._block_of(raw, wait))
        cargo.sizes.append(raw.nbytes | (_READ_ONLY if raw.readonly else 0))

    def _pickled(self, obj: Any, wait: int) -> Cargo:
        cargo, chunks = Cargo(self.arena), _Chunks()

        def keep(buffer: pickle.PickleBuffer) -> bool:
            """False: it travels through the arena."""
            try:
                raw = buffer.raw()
            except BufferError:  # not contiguous
                return True
            if raw.nbytes < self.least:
                return True
            self._load(cargo, raw, wait)
            return False

        pickler = pickle.Pickler(chunks, _pickles.PROTOCOL, buffer_callback=keep)
        extra = ForkingPickler._extra_reducers  # type: ignore[attr-defined]
        reducers = {**copyreg.dispatch_table, **extra, memoryview: _reduce_view}
        tensor = getattr(sys.modules.get("torch"), "Tensor", None)  # None, too, while it is still being imported
        if tensor is not None:
            reducers[tensor] = _reduce_tensor
        pickler.dispatch_table = reducers
        try:
            pickler.dump(obj)
        except BaseException:
            cargo.give_up()
            raise
        cargo.pickle = chunks.found
        return cargo

    def _block_of(self, raw: memoryview, wait: int) -> Any:
        """The memory of a block that holds these bytes: of the one in which they stand, or of a new one with a copy."""
        home = self.arena._home_of(int(ffi.cast("uintptr_t", ffi.from_buffer(raw))), raw.nbytes)
        if home is not None:
            return home
        if raw.nbytes > self.arena.size_bytes:
            most = f"the queue's {self.arena._title()} takes at most {self.arena.size_bytes}"
            way_out = "Make an Arena with more `size_bytes`, or put it in parts"
            raise ValueError(f"obj has a buffer of {raw.nbytes} bytes: {most}. {way_out}")
        timeout = None if wait == FOREVER else wait * 1e-9
        block = self.arena.alloc(raw.nbytes, block=wait > 0, timeout=timeout)
        if block is None:
            raise queue.Full
        fill(block.view, raw)
        return block._seen()

    # ---- unpacking ----

    def unpack(self, message: bytes | bytearray) -> Any:
        """The object of a message. Within says that nothing of the message stays promised or held: after LookupError,
        since a block is gone, whose promise was reclaimed, and after what the pickle's own code raises. After any other
        exception the message can be unpacked another time.
        """
        view, opened = memoryview(message), list[Block]()
        try:
            entries, at = _entries(view)
        except pickle.UnpicklingError as error:
            raise _pickles.Within(error) from None
        if not entries:
            return _loads(message)
        loads = None
        try:
            for handle, _ in entries:
                opened.append(self.arena.open_block(handle))
            buffers = [_buffer(block, size) for block, (_, size) in zip(opened, entries, strict=True)]
            loads, data = partial(pickle.loads, buffers=buffers), view[at:]
            return unbroken[loads, data]  # no call after this
        except BaseException as error:
            consumes = (LookupError, pickle.UnpicklingError) if loads is None else Exception
            stays = isinstance(error, MemoryError) or not isinstance(error, consumes) or _pickles.is_of_a_handler(error)
            buffers, loads = [], None  # what keeps the exception does not keep the blocks
            if stays:
                for block, (handle, _) in zip(opened, entries, strict=False):
                    self.arena._promise_again(block._seen(), handle)
                opened.clear()
                raise
            for handle, _ in entries[len(opened) :]:
                with suppress(LockfreeError, LookupError, ValueError):
                    self.arena.drop(handle)
            opened.clear()
            raise _pickles.Within(error) from None


_loads: Final = _pickles.guarded(_pickles.loads)


def _entries(message: memoryview) -> tuple[list[tuple[bytes, int]], int]:
    """The handles in a message with their sizes, and where its pickle begins."""
    if message[:1] != _MARK[:1]:
        return [], 0
    mark, count = _HEAD.unpack_from(message) if len(message) >= _HEAD.size else (b"", 0)
    at = _HEAD.size + count * _ENTRY.size
    if mark != _MARK or count == 0 or at > len(message):
        text = f"a message of {len(message)} bytes begins as one with handles does, and is none"
        raise pickle.UnpicklingError(text)
    return list(_ENTRY.iter_unpack(message[_HEAD.size : at])), at


def _buffer(block: "Block", size: int) -> memoryview:
    length = size & ~_READ_ONLY
    if length > block.size:
        raise pickle.UnpicklingError(f"a buffer of {length} bytes in a block of {block.size}")
    memory = block.view[:length]
    return memory.toreadonly() if size & _READ_ONLY else memory


class _Chunks:
    """A file that keeps what is written."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.write = self.found.append
