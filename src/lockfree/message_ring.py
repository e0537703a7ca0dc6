"""MessageRing: a FIFO of messages of variable length, for many producers and consumers."""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, NoReturn

from lockfree._awaited import AwaitedContainer
from lockfree._errors import EMPTY, FULL, OK, TIMEDOUT, SegmentError, raise_status
from lockfree._hands import end_view, me
from lockfree._messages import Putting, Taking, as_bytes, packed
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Buffer, Chosen, Spin, chosen
from lockfree._waiting import patience, remaining, until

__all__ = ["MessageRing"]

BLOCK = 256
LARGE_BLOCK = 4096
BLOCKS = 1024
HEAD = 16
"""Bytes of a block that are the ring's own."""
SHORT = 4096


def _fitting(size: int) -> int:
    """Bytes of a block if nobody has chosen them: about 1,024 blocks, each for 256 bytes to 4 KiB."""
    payload = 1 << (size // BLOCKS).bit_length() >> 1
    return min(max(BLOCK, min(payload, LARGE_BLOCK) + HEAD), size // 16 * 16)


def _geometry(size_bytes: int, block_bytes: int | None) -> tuple[int, int]:
    """(blocks, bytes of a block) of a ring that the constructor is asked for."""
    size = check_int("size_bytes", size_bytes, 64, 2**40)
    block = _fitting(size) if block_bytes is None else check_int("block_bytes", block_bytes, 32, 2**30)
    block = (block + 15) // 16 * 16
    blocks = -(-size // block)
    if blocks > 2**31:
        raise ValueError(f"block_bytes is {block}: {size} bytes would be {blocks} blocks, and there are at most 2**31")
    return blocks, block


def _bound(max_messages: int | None) -> int | None:
    return None if max_messages is None else check_int("max_messages", max_messages, 1, 2**31)


class Calls(AwaitedContainer, Taking, Putting):
    """What a message ring can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_message_ring"
    _attach = blocking.lf_message_ring_attach
    _attach_fd = blocking.lf_message_ring_attach_fd
    _close = lib.lf_message_ring_close
    _c_put_many = lib.lf_message_ring_put_many
    _c_reserve = lib.lf_message_ring_reserve
    _b_reserve = blocking.lf_message_ring_reserve_wait

    size_bytes = Chosen[int]()
    block_bytes = Chosen[int]()
    max_messages = Chosen[int | None]()

    def __init__(
        self,
        size_bytes: int,
        block_bytes: int | None = None,
        max_messages: int | None = None,
        *,
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        check_spin(spin)
        blocks, block = _geometry(size_bytes, block_bytes)
        most = _bound(max_messages) or 0
        name = check_name(name)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        note = self._contents.encode()
        status = blocking.lf_py_message_ring_create(handle, encoded, note, blocks, block, most, self._start)
        self._created(handle, status, spin)

    _contents: ClassVar[str] = ""
    """The note of the segment: the class whose messages are inside, if it is not this one."""

    def _check(self, handle: Any) -> None:  # noqa: ARG002
        found = self._note()[:40].decode("ascii", "backslashreplace")
        if found != self._contents:
            found, expected = found or "MessageRing", self._contents or "MessageRing"
            raise SegmentError(f"{self._title()}: class: found {found}, expected {expected}")

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        blocks, block = _geometry(given["size_bytes"], given["block_bytes"])
        return {"size_bytes": blocks * block, "block_bytes": block, "max_messages": _bound(given["max_messages"])}

    def _attached(self) -> None:
        handle = self._h
        self._blocks, block = int(lib.lf_py_message_ring_blocks(handle)), handle.block_bytes
        chosen(self, size_bytes=self._blocks * block, block_bytes=block, max_message=handle.max_message)
        chosen(self, max_messages=int(lib.lf_py_message_ring_most(handle)) or None)
        self._local = threading.local()
        self._use()

    def _use(self) -> None: ...

    # ---- put ----

    def put(self, message: Buffer, block: bool = True, timeout: float | None = None) -> None:
        """Puts a bytes-like message, waiting at most `timeout` seconds (None: for ever) for room.

        Raises queue.Full; ValueError if the message is longer than `max_message`; Closed after shutdown.
        """
        if not self._put(message, patience(block, timeout)):
            raise queue.Full(self._title())

    async def aput(self, message: Buffer, *, timeout: float | None = None) -> None:
        """`await ring.aput(message)`: as `put`, and other tasks of the event loop go on meanwhile.

        Raises what `put` raises; queue.Full after `timeout` seconds (None: never). A task that is cancelled here has
        put nothing.
        """
        await self._aput(lambda: self.put(message, block=False), timeout)

    _put_message = put  # a subclass may put something else

    def put_nowait(self, message: Buffer) -> None:
        """`put(message, block=False)`."""
        self.put(message, False)

    def try_put(self, message: Buffer, /) -> bool:
        """`put` that never waits; False if there is no room."""
        return self._put(message, 0)

    def put_many(self, messages: Iterable[Buffer], block: bool = False, timeout: float | None = None) -> int:
        """Puts messages until one has no room; how many went in. With `block` the first one waits.

        `messages` is a sequence, of which none goes in if one is too long; a 2-D buffer with a message per row; or an
        iterator, of which what does not fit is not taken. An item that is longer than the one before and has no room is
        `record` of the queue.Full that is raised, and `put` says how many went in. They keep their order; messages of
        others may come between them.
        """
        return self._put_many(messages, patience(block, timeout))

    # ---- get ----

    def get(self, block: bool = True, timeout: float | None = None) -> bytes:
        """The oldest message, as bytes; waits at most `timeout` seconds (None: for ever) for one.

        Raises queue.Empty; Closed after shutdown, when nothing is left.
        """
        message = self._take(patience(block, timeout))
        if message is None:
            raise queue.Empty(self._title())
        return message

    def try_get(self) -> bytes | None:
        """`get` that never waits; None if nothing is inside."""
        return self._take(0)

    @contextmanager
    def read(self, block: bool = True, timeout: float | None = None) -> Iterator[memoryview]:
        """`with ring.read() as view`: takes the oldest message; it is seen in place if it fits into one block.

        Its blocks are free when the block ends, also if that raises. What was made of the view (an array) may be kept:
        it has memory of its own then. queue.Empty as for `get`.
        """
        view = self.peek(block, timeout)
        if view is None:
            raise queue.Empty(self._title())
        try:
            yield view
        finally:
            self.release()

    def peek(self, block: bool = False, timeout: float | None = None) -> memoryview | None:
        """Takes the oldest message; a view of it, or None. Then release(). If the process dies, the message is lost."""
        self._require_open()
        wait = patience(block, timeout)
        held = getattr(self._local, "peeked", None)
        if held is not None and held[1] == me(self._h):
            raise RuntimeError(f"{self._title()}: this thread has a message in hand already: release() it first")
        handle, length = self._h, ffi.new("uint64_t *")
        first = self._find(handle, wait, length)
        if first is None:
            return None
        try:
            memory = bytearray(length[0])
        except BaseException:
            lib.lf_message_ring_put_back(handle, first)
            raise
        status = lib.lf_message_ring_read(handle, first, ffi.from_buffer(memory), length[0])
        if status != OK:
            raise_status(status, self._title(), handle)
        view = memoryview(memory)
        self._local.peeked = (view, me(handle), first)
        return view

    def release(self) -> None:
        """Frees the message that peek() gave. Its view ends."""
        self._require_open()
        handle, held = self._h, getattr(self._local, "peeked", None)
        if held is None or held[1] != me(handle):
            raise RuntimeError(f"{self._title()}: this thread has nothing in hand: call peek() first")
        self._local.peeked = None
        end_view(held[0])
        status = lib.lf_message_ring_release(handle, held[2])
        if status != OK:
            raise_status(status, self._title(), handle)

    # ---- tasks ----

    def task_done(self) -> None:
        """Says that one message that was taken is dealt with. ValueError if every message that was put is."""
        handle = self._h
        status = lib.lf_message_ring_task_done(handle)
        if status == lib.LF_OVERFLOW:
            raise ValueError("task_done() called too many times: every task is done")
        if status != OK:
            raise_status(status, self._title(), handle)

    def join(self, timeout: float | None = None) -> bool:
        """Waits until `task_done` was called for every message that was put, at most `timeout` seconds (None: for
        ever). False after the time-out.
        """
        handle, limit = self._h, until(remaining(timeout))
        status = self._until_done(blocking.lf_message_ring_join, handle, limit)
        if status not in {OK, TIMEDOUT}:
            raise_status(status, self._title(), handle)
        return bool(status == OK)

    def unfinished(self) -> int:
        """How many messages were put and are not dealt with: exact while nobody else is running."""
        return int(lib.lf_message_ring_unfinished(self._opened()))

    # ---- state and end ----

    def qsize(self) -> int:
        """How many messages are inside, 0 after an immediate shutdown: exact while nobody else is running."""
        return int(lib.lf_message_ring_size(self._opened()))

    def free(self) -> int:
        """Bytes that are free, with what each block needs beside its payload: exact while nobody else is running."""
        blocks = int(lib.lf_py_message_ring_free(self._opened()))
        if blocks < 0:
            self._opened()
        return blocks * self.block_bytes

    def empty(self) -> bool:
        """`qsize() == 0`."""
        return self.qsize() == 0

    def __len__(self) -> int:
        """`qsize()`."""
        return self.qsize()

    def __bool__(self) -> bool:
        return True

    def shutdown(self, immediate: bool = False) -> None:
        """Ends the ring for every process: nothing can be put any more, and `get` raises `Closed` once it is empty.

        With `immediate` at once, whatever is inside. Sleepers wake up. It cannot be undone.
        """
        lib.lf_message_ring_shutdown(self._opened(), bool(immediate))

    def close(self) -> None:
        if not self.closed and hasattr(self, "_local"):
            held = getattr(self._local, "peeked", None)
            if held is not None:
                self._local.peeked = None
                end_view(held[0])
        super().close()

    close.__doc__ = Taking.close.__doc__

    # ---- through cffi ----

    def _put(self, message: Any, wait: int, *_: int) -> bool:
        handle, data = self._h, as_bytes(message, self._what())
        status = lib.lf_message_ring_try_put(handle, ffi.from_buffer(data), len(data))
        if status == FULL and wait:
            words = handle, ffi.from_buffer(data), len(data)
            status = self._until_done(blocking.lf_message_ring_put, *words, until(wait))
        if status == lib.LF_TOO_LONG:
            self._too_long(len(data))
        if status not in {OK, FULL}:
            raise_status(status, self._title(), handle)
        return bool(status == OK)

    def _put_pieces(self, pieces: list[Any], block: bool, timeout: float | None) -> None:
        self._put_message(b"".join(pieces), block, timeout)

    def _put_plain(self, _obj: Any, _block: bool, _timeout: float | None) -> bool:
        """Puts the pickle of an object of plain types; False if it is none, as here always."""
        return False

    def _get_object(self, block: bool = True, timeout: float | None = None) -> Any:
        from lockfree import _pickles

        try:
            return self._get_converted(_pickles.guarded(_pickles.loads), _pickles.Within, block, timeout)
        except _pickles.Within as within:
            error = within.error
        try:
            raise error
        finally:
            del error

    def _get_converted(
        self, convert: Callable[[Any], Any], gone: Any, block: bool = True, timeout: float | None = None
    ) -> Any:
        """`convert(message)` for the next message. If that raises, and not `gone`, it is inside again, at the tail.

        A long message is a bytearray, so that views of it are writable.
        """
        handle, length = self._h, ffi.new("uint64_t *")
        first = self._find(handle, patience(block, timeout), length)
        if first is None:
            raise queue.Empty(self._title())
        taker, settle = os.getpid(), lib.lf_message_ring_put_back
        try:
            message = bytearray(length[0])
            status = lib.lf_message_ring_read(handle, first, ffi.from_buffer(message), length[0])
            if status == OK:
                found = convert(bytes(message) if len(message) <= SHORT else message)
            settle = lib.lf_message_ring_release
            if status == OK:
                return found
        except gone:
            settle = lib.lf_message_ring_release
            raise
        finally:
            if taker == os.getpid():  # in a child it is the parent's, which has not come out yet
                settle(handle, first)
        raise_status(status, self._title(), handle)

    def _pack(self, messages: Any) -> tuple[bytes, bytes] | None:
        return packed(self, messages)

    def _unreserve(self, handle: Any, place: int) -> None:
        lib.lf_message_ring_cancel(handle, place)

    def _raise(self, status: int) -> NoReturn:
        raise_status(status, self._title(), self._opened())

    def _find(self, handle: Any, wait: int, length: Any) -> int | None:
        first = lib.lf_message_ring_peek(handle, 0, length)
        if first == EMPTY and wait:
            first = self._until_done(blocking.lf_message_ring_peek_wait, handle, 0, length, until(wait))
        if first == EMPTY:
            return None
        if first < 0:
            raise_status(first, self._title(), handle)
        return int(first)

    def _take(self, wait: int) -> bytes | None:
        handle, length = self._h, ffi.new("uint64_t *")
        first = self._find(handle, wait, length)
        if first is None:
            return None
        try:
            out = ffi.new("unsigned char[]", int(length[0]) or 1)
        except BaseException:
            lib.lf_message_ring_put_back(handle, first)
            raise
        status = lib.lf_message_ring_take(handle, first, out, length[0])
        if status < 0:
            raise_status(status, self._title(), handle)
        return bytes(ffi.buffer(out, length[0]))

    def _describe(self) -> str:
        return f" size_bytes={self.size_bytes} block_bytes={self.block_bytes} qsize={self.qsize()}"


class MessageRing(Native[Literal["message_ring"]], Calls):
    """FIFO of messages of variable length, for any number of producers and consumers, within one budget of bytes.

    `size_bytes` (64 to 2**40) is shared by all messages, in blocks of `block_bytes` (a multiple of 16; None: 256 to
    4,112, for about 1,024 blocks). A message takes as many blocks as it needs, at least one; 16 bytes of each are the
    ring's own. One message may have up to `max_message` bytes, all blocks together. At most `max_messages` (1 to 2**31;
    None: no bound) are inside.

    Progress: every call that does not wait is lock-free in the strict sense. If any thread stops or dies, at whatever
    instruction, the others go on. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable FIFO. EMPTY is exact. FULL means that at one instant of the call fewer blocks were free than the
    message needs; blocks in the hands of running operations are not free. Or `max_messages` were inside.

    Death: what a killed process was writing or had taken is free again at the next recovery, at the latest when
    somebody would wait for room. A message whose put was cut off arrives whole or not at all.

    Source: the two queues of indices are those of SCQ (Nikolaev, DISC 2019); docs/primitives/message_ring.md.
    """
