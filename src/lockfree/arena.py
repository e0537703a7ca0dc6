"""Arena: blocks of variable size in one shared segment, held by several processes; those of the dead come back."""

import math
import sys
import weakref
from collections import deque
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from lockfree._dtypes import as_dtype
from lockfree._errors import EMPTY, INTERRUPTED, brief, raise_status, shown
from lockfree._long import Wait
from lockfree._native import NULL, blocking, exporter, ffi, lib
from lockfree._segment import check_call, check_int, check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Chosen, Spin, chosen
from lockfree._unbroken import unbroken
from lockfree._waiting import NOW, patience, span, until

if TYPE_CHECKING:
    from types import TracebackType

    import numpy.typing as npt

__all__ = ["Arena", "Block"]

MOST_BYTES = 2**43
MOST_BLOCKS = 2**24
MOST_READERS = 2**31 - 1
MOST_ALIGN = 2**30
MANY_WORDS = 2**10
"""Of 64 pages each. To measure more takes long, and other threads run meanwhile."""
HANDLE = 16
"""Bytes of a handle."""
_WEAK_AT = 11 if sys.byteorder == "little" else 8
"""The byte of a handle whose top bit says that it is a weak one."""
_HUGE, _PREFAULT = 1, 2
_AGAIN = (lib.LF_BUSY, INTERRUPTED)
_Memory = exporter("arena_memory")
_numpy: list[Any] = []


def _import_numpy() -> Any:
    """NumPy, once it is whole: another thread may be importing it."""
    import numpy as np

    _numpy.append(np)
    return np


class Block:
    """Memory of an Arena that this process holds: `view` and `array` show it without a copy.

    `release()`, the end of a `with` block, or the garbage collector gives it back, in any thread. In each case it is
    given back when no view and no array of it is left. So views and arrays stay valid as long as they live, and
    nobody else gets the memory before.

    A forked child sees the memory of its parent's blocks, but does not hold them.
    """

    __slots__ = ("__weakref__", "_arena", "_left", "_memory", "_size")

    def __new__(cls) -> Self:
        raise TypeError("Block() is made by Arena.alloc and Arena.open_block")

    _arena: "Arena"
    _memory: Any
    _size: int
    _left: Any
    """After release(): a weak reference to the memory, which its views keep."""

    @property
    def size(self) -> int:
        """Bytes that were asked for."""
        return self._size

    @property
    def address(self) -> int:
        """Where the block begins in this process's memory, for `cudaHostRegister` and C code. Others have their own."""
        return int(self._seen().address)

    @property
    def released(self) -> bool:
        """Whether this object gave its reference away. The memory is held as long as views of it are left."""
        return self._memory is None

    def _seen(self) -> Any:
        memory = self._memory
        if memory is None:
            raise ValueError("the block was released: nothing of it can be seen any more")
        return memory

    @property
    def view(self) -> memoryview:
        """The block as a writable memoryview of bytes."""
        return memoryview(self._seen())

    def __buffer__(self, _flags: int, /) -> memoryview:
        return memoryview(self._seen())

    def array(self, dtype: "npt.DTypeLike" = "uint8", shape: "int | tuple[int, ...] | None" = None,
              order: Any = "C", offset: int = 0) -> "npt.NDArray[Any]":  # fmt: skip
        """The block as a NumPy array, from byte `offset` on; without `shape` as many items as there is room for.

        ValueError if the shape needs more bytes than there are; TypeError for a dtype that holds Python objects.
        """
        np = _numpy[0] if _numpy else _import_numpy()
        kind = as_dtype(np, dtype)
        if kind.hasobject:
            raise TypeError(f"dtype is {kind}: it holds Python objects, which other processes cannot use")
        if order not in {"C", "F"}:
            raise ValueError(f'order is {shown(order)}: it must be "C" or "F"')
        memory, size = self._seen(), self._size
        if shape is None and offset == 0 and kind.itemsize and size % kind.itemsize == 0:
            whole: npt.NDArray[Any] = np.frombuffer(memory, kind)
            return whole
        offset = check_int("offset", offset, 0, size)
        room = size - offset
        if shape is None:
            shape = room // kind.itemsize if kind.itemsize else 0
        sides = [check_int("shape", side, 0, MOST_BYTES) for side in (shape if isinstance(shape, tuple) else (shape,))]
        needs = math.prod(sides) * kind.itemsize
        if needs > room:
            what = f"shape is {shown(shape)} of {brief(kind)}"
            raise ValueError(f"{what}, which takes {needs} bytes: the block has {room}")
        array: npt.NDArray[Any] = np.ndarray(shape, kind, memory, offset, order=order)
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "npt.NDArray[Any]":
        array = self.array()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        if copy is False:
            way_out = "the bytes of a block become that by a copy only; use array(dtype)"
            raise ValueError(f"dtype is {brief(dtype)}: {way_out}")
        return array.astype(dtype)

    def __dlpack__(self, **wanted: Any) -> Any:
        """The bytes of the block as a DLPack capsule: `torch.from_dlpack(block)` makes a tensor without a copy."""
        return self.array().__dlpack__(**wanted)

    def __dlpack_device__(self) -> tuple[int, int]:
        """(1, 0): memory of the CPU."""
        return 1, 0

    def __len__(self) -> int:
        """Its size in bytes."""
        return self._size

    def handle(self, readers: int = 1) -> bytes:
        """16 bytes by which `readers` processes may open the block, each once; send them through a ring or a queue.

        Each is a promise: until it is opened or dropped, the block stays, also when this process ends. 0: a weak
        handle, which opens the block as often as one likes while somebody else holds it.
        ValueError for a block that was released, or is a parent's, seen in its forked child.
        """
        count = 1 if readers == 1 else check_int("readers", readers, 0, MOST_READERS)
        return self._arena._promise(self._seen(), count)

    def release(self) -> bool:
        """Gives the block back once no view and no array of it is left; whether that is now. Idempotent."""
        memory = self._memory
        if memory is not None:
            self._left = weakref.ref(memory)  # before the other: a release in another thread may end in between
            self._memory = None
            del memory
        return self._left() is None

    def release_when(self, predicate: Callable[[], object]) -> None:
        """`release()` as soon as `predicate()` is true, such as `event.query` of a CUDA event that guards a copy.

        It is asked by `arena.poll()` and by each `alloc` of this process. What it raises comes out there; the block
        stays. Keep the arena open until `arena.pending` is 0.
        """
        self._arena._later.append((check_call("predicate", predicate), self._seen()))
        self.release()

    def __enter__(self) -> Self:
        """The block; the end of the `with` releases it."""
        self._seen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        """`release()`."""
        self.release()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Block does not pickle, since nobody could say how often it is unpickled: send its handle()")

    def __repr__(self) -> str:
        state = " released" if self.released else f" address=0x{self.address:x}"
        return f"<lockfree.Block size={self._size}{state}>"


class Arena(Waiter):
    """Memory of `size_bytes` that processes share, in blocks of any size.

    `alloc` gives a `Block`: writable, aligned, without a copy between processes. `block.handle()` makes 16 bytes that
    travel through any ring, and `open_block` opens them in another process. A block is free again when the last one who
    holds it lets go or dies, and nobody is promised it any more.

    It does not matter where the free pages are. If no run of pages is long enough, a block takes several runs, at
    most 1,024. So the largest block is as large as all that is free. Blocks below a page come from slabs of 19 size
    classes. A page takes memory when a block uses it first. If the memory file system or the container is full,
    `alloc` raises MemoryError or OSError, and nothing crashes.

    size_bytes: 1 to 2**43, rounded up to pages. `max_blocks` at a time: None: one for four pages, at least 1,024.
    `huge_pages` asks the kernel for them; `prefault` takes all memory at once, in every process that attaches.

    Progress: blocking, with a short critical section under a robust lock. A process that is stopped in it stops the
    others; one that dies in it does not.

    Death: what a process held when it died is free again by itself, at the latest when somebody would wait for it.
    Promises stay: see `drop` and `reclaim_promises`.

    Source: docs/primitives/arena.md.
    """

    _struct = "struct lf_arena"
    _attach = blocking.lf_arena_attach
    _attach_fd = blocking.lf_arena_attach_fd
    _close = lib.lf_arena_close

    size_bytes = Chosen[int]()
    page_bytes = Chosen[int]()
    max_blocks = Chosen[int]()
    prefault = Chosen[bool]()
    wants_huge_pages = Chosen[bool]()
    _argument_of = MappingProxyType({"wants_huge_pages": "huge_pages"})

    def __init__(
        self,
        size_bytes: int,
        *,
        name: str | None = None,
        max_blocks: int | None = None,
        huge_pages: bool = False,
        prefault: bool = False,
        spin: Spin = "adaptive",
    ) -> None:
        check_spin(spin)
        size = check_int("size_bytes", size_bytes, 1, MOST_BYTES)
        blocks = 0 if max_blocks is None else check_int("max_blocks", max_blocks, 1, MOST_BLOCKS)
        name = check_name(name)
        flags = (_HUGE if huge_pages else 0) | (_PREFAULT if prefault else 0)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        self._created(handle, blocking.lf_arena_create(handle, encoded, size, blocks, flags), spin)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        page = _page_bytes()
        wanted = {"size_bytes": -(-check_int("size_bytes", given["size_bytes"], 1, MOST_BYTES) // page) * page}
        if given["max_blocks"] is not None:
            wanted["max_blocks"] = given["max_blocks"]
        return wanted | {"prefault": bool(given["prefault"]), "wants_huge_pages": bool(given["huge_pages"])}

    def _attached(self) -> None:
        handle = self._h
        page, pages, flags = int(handle.page_bytes), int(handle.n_pages), int(lib.lf_py_arena_flags(handle))
        chosen(self, page_bytes=page, size_bytes=pages * page, max_blocks=int(handle.n_blocks))
        chosen(self, prefault=bool(flags & _PREFAULT), wants_huge_pages=bool(flags & _HUGE))
        self._later: deque[tuple[Callable[[], object], Any]] = deque()
        self._open = handle, int(ffi.cast("uintptr_t", handle))

    _open: tuple[Any, int]
    """The handle and the address of its struct, which belong together."""

    def close(self) -> None:
        """Ends this process's use of the arena; idempotent. Its blocks stay as long as anything is left of them, and
        come back with the last of it. Threads of this process that sleep in `alloc` get `Closed`, others go on.
        """
        super().close()
        closed = self._h
        self._open = closed, int(ffi.cast("uintptr_t", closed))

    @property
    def huge_pages(self) -> bool:
        """Whether `wants_huge_pages` holds, which the creator decides, and the kernel was willing in this process."""
        return bool(self._opened().huge)

    # ---- taking ----

    def alloc(self, size: int, *, align: int = 64, block: bool = False, timeout: float | None = None) -> Block | None:
        """A block of `size` bytes, 1 to `size_bytes`; None if at some instant too little was free.

        Its address is a multiple of `align`, a power of two from 64 to 2**30. What stands in it is what its last holder
        left. With `block` it waits until there is room, at most `timeout` seconds (None: for ever).
        MemoryError or OSError if the machine, the container or the memory file system has no memory for its pages;
        Closed after `shutdown()`.
        """
        if type(size) is not int or not 0 < size <= self.size_bytes:
            size = check_int("size", size, 1, self.size_bytes)
        if align != 64:
            align = check_int("align", align, 64, MOST_ALIGN)
            if align & (align - 1):
                raise ValueError(f"align is {align}: it must be a power of two")
        wait = patience(block, timeout) if block or timeout is not None else NOW
        if self._later:
            self.poll()
        handle, at = self._open
        memory = _Memory.alloc(handle, at, size, align, NOW)
        if memory == EMPTY and wait:
            memory = self._alloc_until(handle, at, size, align, until(wait))
        while memory in _AGAIN:  # between two calls Python serves its signals
            memory = _Memory.alloc(handle, at, size, align, NOW)
        if type(memory) is not int:
            return self._made(memory, size)
        if memory == EMPTY:
            return None
        self._refused(memory, handle)

    def _alloc_until(self, handle: Any, at: int, size: int, align: int, limit: int) -> Any:
        wait, memory = Wait(self), INTERRUPTED
        while memory in _AGAIN:
            memory = _Memory.alloc(handle, at, size, align, limit)
            if memory in _AGAIN:
                if self._later:
                    self.poll()
                wait.between()
        return memory

    _homes: "dict[int, tuple[weakref.ref[Any], ...]] | None" = None
    """Blocks of this process by their addresses, where a queue wants to know them. Nothing leaves by a callback: that
    is Python code, and a destructor that runs some takes a signal handler's exception away."""
    _homes_room = 64

    def _find_homes(self) -> None:
        """From now on `_home_of` knows new blocks."""
        if self._homes is None:
            self._homes = {}

    def _home_of(self, address: int, size: int) -> Any:
        """The memory of the block that begins there, if this process holds it; else None."""
        homes = self._homes
        for home in homes.get(address, ()) if homes else ():
            memory = home()
            if memory is not None and size <= len(memory) and memory.is_mine:
                return memory
        return None

    def _settle(self, homes: "dict[int, tuple[weakref.ref[Any], ...]]", memory: Any) -> None:
        address = memory.address
        homes[address] = (*_living(homes.get(address, ())), weakref.ref(memory))
        if len(homes) > self._homes_room:
            alive = {address: _living(refs) for address, refs in list(homes.items())}
            self._homes = {address: refs for address, refs in alive.items() if refs}
            self._homes_room = 2 * len(self._homes) + 64

    def _promise(self, memory: Any, readers: int = 1) -> bytes:
        """A handle of the block for so many readers."""
        while True:
            made: Any = unbroken[memory.promise, readers]
            # No call before this: a promise that nobody knows would keep the block for ever. And no jump back, where
            # Python serves signals: that of `while made in _AGAIN` is there after the last turn, too, since 3.14.
            if made.__class__ is bytes:
                return made
            if made not in _AGAIN:
                break
        if made == lib.LF_NOT_OWNER:
            raise ValueError(f"{self._title()}: this process does not hold the block: it is its parent's")
        if made == lib.LF_OVERFLOW:
            raise ValueError(f"readers is {readers}: at most {MOST_READERS} promises of a block can be open")
        self._refused(made, self._h)

    def _made(self, memory: Any, size: int) -> Block:
        made: Block = object.__new__(Block)
        made._arena, made._memory, made._size = self, memory, size
        if self._homes is not None:
            self._settle(self._homes, memory)
        return made

    def open_block(self, handle: "bytes | bytearray | memoryview") -> Block:
        """The block of a handle that `Block.handle` made, here or in another process. It uses one promise up.

        LookupError if the block is gone, or if as many as were promised have opened it; ValueError if the handle is of
        another arena; MemoryError if `2 * max_blocks` holds exist. What else it raises, such as the exception of a
        signal handler, leaves the promise as it was.
        """
        if "_open" not in self.__dict__:
            self._require_open()
        data, (own, at) = _handle(handle), self._open
        while True:
            memory: Any = unbroken[_Memory.open, own, at, data]
            if memory.__class__ is not int:  # no jump back before the `try`: see _promise
                break
            if memory not in _AGAIN:
                self._refused(memory, own)
        try:
            return self._made(memory, len(memory))
        except BaseException:
            self._promise_again(memory, data)
            raise

    def _promise_again(self, memory: Any, handle: bytes) -> None:
        """Of a block that was opened, and that nobody gets."""
        count = 0 if handle[_WEAK_AT] & 0x80 else 1
        while memory.promise(count) in _AGAIN:
            pass

    # ---- promises ----

    def drop(self, handle: "bytes | bytearray | memoryview", readers: int = 1) -> int:
        """Gives up to `readers` promises of a block up, which nobody will open; how many. LookupError if it is gone."""
        count = check_int("readers", readers, 1, MOST_READERS)
        found = self._call("lf_py_arena_drop", self._h, _handle(handle), count)
        if found < 0:
            self._refused(found, self._h)
        return found

    def reclaim_promises(self, older_than: float) -> int:
        """Gives up all promises of blocks whose last promise is more than `older_than` seconds old; how many.

        For handles that were lost with a queue, or with a process that had taken them and died before it opened them.
        Nobody can tell these from handles that are still on their way: choose a time after which none is. To a second.
        """
        age = span("older_than", older_than, 0)
        found = self._call("lf_py_arena_reclaim", self._h, age, ffi.new("uint32_t *"))
        if found < 0:
            self._refused(found, self._h)
        return found

    # ---- later ----

    @property
    def pending(self) -> int:
        """Blocks of this process that `release_when` has not released yet."""
        return len(self.__dict__.get("_later", ()))

    def poll(self) -> int:
        """Asks the predicates of `release_when`, releases what is ready, and says how many are left."""
        later = self.__dict__.get("_later", ())
        for _ in range(len(later)):
            try:
                entry = unbroken[(later.popleft,)]  # if a signal took it away, its block would go, too
            except IndexError:  # another thread is at it
                break
            done: object = False
            try:
                done = entry[0]()
            finally:
                if not done:
                    later.append(entry)
        return len(later)

    # ---- looking ----

    @property
    def available(self) -> int:
        """Bytes in pages that no block and no slab has: exact while nobody else runs. O(1)."""
        return int(lib.lf_py_arena_available(self._opened()))

    def stats(self) -> dict[str, int]:
        """What `stats()` of every object says, and of the arena, in bytes: size, free (in whole pages), largest (the
        largest block that `alloc` would give), longest_run (the longest in neighbouring pages), populated (pages that
        have memory). free_runs: how many runs the free pages make; scattered_ppm: millionths of the free bytes that are
        not in the longest run. blocks, holds, promises: how many exist; allocs: how many there were.
        """
        counted = super().stats()
        handle = self._opened()
        words, raw = ffi.new("uint64_t[]", (int(handle.n_pages) + 63) // 64), ffi.new("struct lf_arena_stats *")
        if len(words) < MANY_WORDS:
            status = self._call("lf_py_arena_stats", handle, words, raw)
        else:
            status = INTERRUPTED
            while status in _AGAIN:
                status = int(blocking.lf_py_arena_stats(handle, words, raw))
        if status:
            self._refused(status, handle)
        page, free = self.page_bytes, int(raw.free_pages)
        return counted | {
            "size": self.size_bytes,
            "free": free * page,
            "largest": int(raw.largest) * page,
            "longest_run": int(raw.longest_run) * page,
            "free_runs": int(raw.runs),
            "scattered_ppm": (free - int(raw.longest_run)) * 10**6 // free if free else 0,
            "populated": int(raw.populated) * page,
            "blocks": int(raw.blocks),
            "holds": int(raw.holds),
            "promises": int(raw.promises),
            "allocs": int(raw.allocs),
        }

    def shutdown(self) -> None:
        """Ends `alloc` for every process: it raises Closed, also where somebody waits. Blocks can be opened still."""
        lib.lf_arena_shutdown(self._opened(), 0)

    # ---- what they share ----

    def _call(self, name: str, *arguments: Any) -> int:
        """Calls a function that needs the arena's lock: at once, or without the GIL if somebody has it."""
        status = int(getattr(lib, name)(*arguments))
        while status in _AGAIN:
            status = int(getattr(blocking, name)(*arguments))
        return status

    def _refused(self, status: int, handle: Any) -> NoReturn:
        self._require_open()
        if status == EMPTY:
            raise LookupError(f"{self._title()}: the block of this handle is gone: nobody holds it any more")
        if status == lib.LF_OVERFLOW:
            raise LookupError(f"{self._title()}: as many readers as were promised have opened the block of this handle")
        if status == lib.LF_INVALID:
            raise ValueError(f"{self._title()}: the handle is of another arena")
        if status == lib.LF_FULL:
            raise MemoryError(f"{self._title()}: all {2 * self.max_blocks} holds are in use")
        raise_status(status, self._title(), handle)

    def _describe(self) -> str:
        return f" size_bytes={self.size_bytes} available={self.available}"


def _page_bytes() -> int:
    import mmap

    return max(4096, mmap.PAGESIZE)


def _living(homes: "tuple[weakref.ref[Any], ...]") -> "tuple[weakref.ref[Any], ...]":
    return tuple(home for home in homes if home() is not None)


def _handle(handle: object) -> bytes:
    if type(handle) is bytes and len(handle) == HANDLE:
        return handle
    if not isinstance(handle, (bytes, bytearray, memoryview)):
        raise TypeError(f"handle is {shown(handle)}: it must be the bytes that Block.handle() made")
    data = bytes(handle)
    if len(data) != HANDLE:
        raise ValueError(f"handle has {len(data)} bytes: it must have {HANDLE}")
    return data
