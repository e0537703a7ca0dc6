"""BroadcastRing: one writer, many readers, each of which gets every message."""

import operator
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

from lockfree._broadcast import Inside, Readers, Slow
from lockfree._errors import EMPTY, FULL, OK, RoleTaken, shown
from lockfree._hands import end_view, me
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import check_int, check_name
from lockfree._spin import check_spin
from lockfree._types import Buffer, Spin, chosen
from lockfree._waiting import patience, until

__all__ = ["BroadcastRing"]

SLOW: tuple[Slow, ...] = ("wait", "raise", "drop", "overwrite")
MAX_READERS = 64
ANY = 2**32 - 1


def _rounded(size_bytes: int) -> int:
    return (check_int("size_bytes", size_bytes, 64, 2**40) + 63) // 64 * 64


class Calls(Inside):
    """What a broadcast ring can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_broadcast_ring"
    _attach = blocking.lf_broadcast_ring_attach
    _attach_fd = blocking.lf_broadcast_ring_attach_fd
    _close = lib.lf_broadcast_ring_close
    _c_put_many = lib.lf_broadcast_ring_put_many
    _c_reserve = lib.lf_broadcast_ring_reserve
    _b_reserve = blocking.lf_broadcast_ring_reserve_wait

    def __init__(
        self,
        size_bytes: int,
        readers: int,
        *,
        slow: Slow = "wait",
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        check_spin(spin)
        size = _rounded(size_bytes)
        count = check_int("readers", readers, 1, MAX_READERS)
        if slow not in SLOW:
            raise ValueError(f"slow is {shown(slow)}: it must be one of {', '.join(map(repr, SLOW))}")
        check_spin(spin)
        name = check_name(name)
        handle = self._begin(name)
        encoded = NULL if name is None else name.encode()
        start = self._start // 16 * 16
        status = blocking.lf_broadcast_ring_create(handle, encoded, size, count, SLOW.index(slow), start)
        self._created(handle, status, spin)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {"size_bytes": _rounded(given["size_bytes"]), "readers": given["readers"], "slow": given["slow"]}

    def _attached(self) -> None:
        h = self._h
        chosen(self, size_bytes=h.size, readers=h.n_readers, slow=SLOW[h.slow], max_message=h.max_message)
        self._local = threading.local()
        self._use()

    def _use(self) -> None: ...

    # ---- the writer ----

    def put(self, message: Buffer, block: bool = True, timeout: float | None = None, to: Readers = None) -> None:
        """Puts a bytes-like message for every reader, or for the readers `to`: a number or an iterable of them.

        With `slow="wait"` it waits at most `timeout` seconds (None: for ever) while a reader that has joined has so
        much to read that there is no room. Raises queue.Full, which says who is late; RoleTaken if another thread is
        the writer; ValueError if the message is longer than `max_message`; Closed after shutdown.
        """
        wait = patience(block, timeout)
        if not self._put(message, wait, self._mask(to)):
            self._raise(FULL)

    async def aput(self, message: Buffer, to: Readers = None, *, timeout: float | None = None) -> None:
        """`await ring.aput(message)`: as `put`, and other tasks of the event loop go on meanwhile.

        Raises what `put` raises; queue.Full after `timeout` seconds (None: never). A task that is cancelled here has
        put nothing.
        """
        await self._aput(lambda: self.put(message, False, None, to), timeout)

    def put_nowait(self, message: Buffer, to: Readers = None) -> None:
        """`put(message, block=False, to=to)`."""
        self.put(message, False, None, to)

    def try_put(self, message: Buffer, to: Readers = None) -> bool:
        """`put` that never waits; False if there is no room."""
        return self._put(message, 0, self._mask(to))

    def put_many(
        self,
        messages: Iterable[Buffer],
        block: bool = False,
        timeout: float | None = None,
        to: Readers = None,
    ) -> int:
        """Puts messages until there is no room; how many went in. With `block` the first one waits.

        `messages` is a sequence, of which none goes in if one is too long; a 2-D buffer with a message per row; or an
        iterator, of which what does not fit is not taken. An item that is longer than the one before and has no room is
        `record` of the queue.Full that is raised, and `put` says how many went in. Readers see them by and by.
        """
        return self._put_many(messages, patience(block, timeout), self._mask(to))

    @contextmanager
    def write(
        self, length: int, block: bool = True, timeout: float | None = None, to: Readers = None
    ) -> Iterator[memoryview]:
        """`with ring.write(n) as view`: a place for a message of `n` bytes; it is put when the block ends normally.

        Nothing is visible before, and nothing stays if the block raises. queue.Full as for `put`.
        """
        view = self.reserve(length, block, timeout)
        if view is None:
            self._raise(FULL)
        try:
            yield view
        except BaseException:
            self.cancel()
            raise
        self.commit(None, to)

    def reserve(self, length: int, block: bool = False, timeout: float | None = None) -> memoryview | None:
        """A view to write a message of `length` bytes into, or None if there is no room. Then commit() or cancel()."""
        self._require_open()
        wait = patience(block, timeout)
        size = check_int("length", length, 0, self.max_message)
        handle = self._h
        held = getattr(self._local, "reserved", None)
        if held is not None and held[1] == me(handle):
            raise RuntimeError(f"{self._title()}: this thread has a reservation already: commit() or cancel() it first")
        if self.slow in {"wait", "raise"}:
            place = lib.lf_broadcast_ring_reserve(handle, size)
            if place == FULL and wait:
                place = self._until_done(blocking.lf_broadcast_ring_reserve_wait, handle, size, until(wait))
            if place == FULL:
                return None
            if place < 0:
                self._raise(place)
        memory = bytearray(size)
        view = memoryview(memory)
        self._local.reserved = (view, me(handle), memory)
        return view

    def commit(self, length: int | None = None, to: Readers = None) -> None:
        """Puts the first `length` bytes (None: all) of what was written after reserve()."""
        mask = self._mask(to)
        view, _, memory = self._in_hand("reserved", "reserve()")
        size = len(memory) if length is None else check_int("length", length, 0, len(memory))
        self._local.reserved = None
        end_view(view)
        if not self._put(bytes(memory[:size]), 0, mask):
            self._raise(FULL)

    def cancel(self) -> None:
        """Gives the reservation back. Nothing was visible."""
        view, _, _ = self._in_hand("reserved", "reserve()")
        self._local.reserved = None
        end_view(view)

    def release_role(self) -> None:
        """Gives the calling thread's role of the writer back: another thread may put then."""
        handle = self._h
        status = lib.lf_broadcast_ring_release_role(handle)
        if status == lib.LF_NOT_OWNER:
            raise RuntimeError(f"{self._title()}: this thread is not the writer")
        if status != OK:
            self._raise(status)

    @property
    def writer(self) -> int | None:
        """The pid of the writer; None if there is none."""
        return lib.lf_py_broadcast_writer_pid(self._joined()) or None

    def share_roles(self) -> None:
        """From now on the role of the writer and the reader's number belong to this object, not to one of its threads.

        Any thread may use them then; the caller sees to it that one thread at a time writes, and one reads. Call it
        before the first `put` and `join`.
        """
        self._require_open()
        self._h.any_thread = 1

    # ---- readers ----

    def join(self, reader: int | None = None) -> int:
        """Makes the calling thread reader number `reader` (None: any that is free); its number.

        It gets every message that is put from now on. A thread that has this number joins again: it skips what it
        has not read. Raises RoleTaken if the number is another thread's, or if all are.
        """
        number = ANY if reader is None else check_int("reader", reader, 0, self.readers - 1)
        self._require_open()
        own = lib.lf_py_broadcast_place(self._h)
        if own >= 0 and number == ANY:
            number = own
        if own >= 0 and number != own:
            raise RuntimeError(f"{self._title()}: this thread is reader {own} already: leave() first")
        status = int(blocking.lf_broadcast_ring_join(self._h, number))
        if status == lib.LF_ROLE_TAKEN:
            self._number_taken(number)
        if status < 0:
            self._raise(status)
        return status

    def _number_taken(self, number: int) -> NoReturn:
        if number == ANY:
            raise RoleTaken(f"{self._title()}: all {self.readers} readers' numbers are taken")
        holder = self._reader_pid(number)
        raise RoleTaken(f"{self._title()}: reader {number} is a thread of process {holder}")

    _depends_on_thread = True

    def _would_not_wait(self) -> bool:
        handle = self._h
        if super()._would_not_wait():
            return True
        place = int(lib.lf_py_broadcast_place(handle))
        return place >= 0 and lib.lf_broadcast_ring_peek(handle, place, ffi.new("uint64_t *")) != EMPTY

    def leave(self) -> None:
        """Gives the calling thread's number back. It holds the writer back no longer."""
        handle, number = self._h, self._number()
        status = lib.lf_broadcast_ring_leave(handle, number)
        if status != OK:
            self._raise(status)

    @property
    def reader(self) -> int | None:
        """The calling thread's number among the readers; None if it has not joined."""
        self._require_open()
        place = lib.lf_py_broadcast_place(self._h)
        return int(place) if place >= 0 else None

    @property
    def missed(self) -> int:
        """Messages that the calling thread has missed since it joined (`slow="overwrite"`), for any reader."""
        return int(lib.lf_py_broadcast_missed(self._h, self._number()))

    @property
    def joined(self) -> tuple[int, ...]:
        """The numbers of the readers that have joined."""
        mask = lib.lf_py_broadcast_joined(self._joined())
        return tuple(k for k in range(self.readers) if mask >> k & 1)

    def late(self) -> list[tuple[int, int, int]]:
        """(reader, pid, bytes that it has not read) of every reader that has joined, the furthest behind first."""
        handle, rows = self._joined(), []
        for k in range(self.readers):
            behind = lib.lf_py_broadcast_behind(handle, k)
            if behind >= 0:
                rows.append((k, int(lib.lf_py_broadcast_reader_pid(handle, k)), int(behind)))
        return sorted(rows, key=operator.itemgetter(2), reverse=True)

    def wait_for_readers(self, readers: Readers = None, timeout: float | None = None) -> bool:
        """Waits until all `readers` (None: as many as the ring takes) have joined; False if the time-out came first.

        Raises Closed after shutdown, since nothing more is put for them.
        """
        wait = patience(True, timeout)
        mask = 2**self.readers - 1 if readers is None else self._mask(readers, "readers")
        return self._wait_readers(mask, wait)

    def get(self, block: bool = True, timeout: float | None = None) -> bytes:
        """The next message for the calling thread, as bytes; waits at most `timeout` seconds (None: for ever).

        Raises queue.Empty; Closed after shutdown, once all is read; Dropped if it fell too far behind (`slow="drop"`);
        RuntimeError if it has not joined.
        """
        message = self._take(patience(block, timeout))
        if message is None:
            raise queue.Empty(self._title())
        return message

    def try_get(self) -> bytes | None:
        """`get` that never waits; None if there is no message."""
        return self._take(0)

    @contextmanager
    def read(self, block: bool = True, timeout: float | None = None) -> Iterator[memoryview]:
        """`with ring.read() as view`: the next message in place, without a copy; it is passed when the block ends.

        Also when the block raises. What was made of the view (an array) may be kept: it shows memory of its own then.
        With `slow="drop"` and `"overwrite"` the view shows a copy. queue.Empty as for `get`.
        """
        view = self.peek(block, timeout)
        if view is None:
            raise queue.Empty(self._title())
        try:
            yield view
        finally:
            self.release()

    def peek(self, block: bool = False, timeout: float | None = None) -> memoryview | None:
        """A view of the next message, or None. Then release(). The writer waits for a reader that does not release."""
        self._require_open()
        wait = patience(block, timeout)
        held = getattr(self._local, "peeked", None)
        if held is not None and held[1] == me(self._h):
            raise RuntimeError(f"{self._title()}: this thread has a message in hand already: release() it first")
        message = self._take(wait)
        if message is None:
            return None
        memory = bytearray(message)
        view = memoryview(memory)
        self._local.peeked = (view, me(self._h), memory)
        return view

    def release(self) -> None:
        """Goes past the message that peek() gave. Its view ends."""
        view, _, _ = self._in_hand("peeked", "peek()")
        self._local.peeked = None
        end_view(view)

    # ---- the end ----

    def shutdown(self, immediate: bool = False) -> None:
        """Ends the ring for every process: `put` raises `Closed`, and `get` does once a reader has read what is inside.

        With `immediate` at once. Sleepers wake up. It cannot be undone.
        """
        lib.lf_broadcast_ring_shutdown(self._opened(), bool(immediate))

    def close(self) -> None:
        if not self.closed and hasattr(self, "_local"):
            for which in ("reserved", "peeked"):
                held = getattr(self._local, which, None)
                if held is not None:
                    setattr(self._local, which, None)
                    end_view(held[0])
        super().close()

    close.__doc__ = Inside.close.__doc__

    def _describe(self) -> str:
        return f" size_bytes={self.size_bytes} readers={len(self.joined)}/{self.readers} slow={self.slow!r}"


class BroadcastRing(Native[Literal["broadcast_ring"]], Calls):
    """Messages of variable length from one writer to up to `readers` (1 to 64) readers: each gets every one, in order.

    `size_bytes` (64 to 2**40, rounded up to a multiple of 64) is shared by all messages; one has at most `max_message`
    bytes, half of it less 16. A message takes its length and 16 bytes, in multiples of 16; 16 bytes stay free. The
    first thread that puts is the writer. A thread becomes a reader with `join()`, and gets what is put from then on.

    `slow` says what happens to a reader that does not keep up. "wait": `put` waits for it. "raise": `put` raises
    queue.Full at once. "overwrite": `put` never waits, and the reader misses the oldest messages (`missed` counts
    them). "drop": `put` never waits, and the reader gets `Dropped`.

    Progress: `try_put`, and `try_get` of a message that is there, are wait-free, and have no locked instruction while
    nobody sleeps. Waiting calls spin for about 10 us, then sleep in the kernel.

    Death: a half-written message is never seen. A dead reader holds the writer back no longer, and its number is free.
    The role of a dead writer is free.

    Source: docs/primitives/broadcast_ring.md.
    """
