"""A drop-in for vLLM's `MessageQueue`, for readers on the same machine, over `lockfree.BroadcastRing`.

    from lockfree.contrib.vllm import MessageQueue

One writer process makes the queue and sends `export_handle()`, a small value that pickles, to the readers. Each of them
calls `create_from_handle(handle, rank)`; then everybody calls `wait_until_ready()`. Every reader gets every object.

Waiting sleeps in the kernel. A reader that is killed holds the writer back no longer. A writer that is killed is told
to its readers. The segment has a name only until all readers have attached, so nothing is left behind. Objects may be
of any size: what is longer than a chunk goes through the ring in pieces.
"""

import os
import pickle
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from lockfree._container import me
from lockfree._errors import Closed, LockfreeError
from lockfree._native import lib
from lockfree._segment import check_int
from lockfree.broadcast_ring import MAX_READERS, BroadcastRing

__all__ = ["Handle", "MessageQueue", "WriterDied"]

DEFAULT_CHUNK = 10 * 2**20
DEFAULT_CHUNKS = 10
SLICE = 0.2
"""Seconds after which a waiting call looks at `cancel` and at the writer's life."""
WHOLE, FIRST, MORE = 0, 1, 2
HEAD = 8  # kind, and for FIRST the length of the whole frame


class WriterDied(LockfreeError, RuntimeError):
    """The process that writes into this queue has died. What it had written before can still be read."""


class Cancel(Protocol):
    """A `threading.Event`, or whatever else has `is_set`."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True)
class Handle:
    """What a reader needs to find the queue. It pickles, and may be loaded as often as you like."""

    name: str
    local_reader_ranks: list[int]
    max_chunk_bytes: int
    writer: tuple[int, int, int]
    """Participant number, when it joined, and pid."""


def _until(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


class MessageQueue:
    """`MessageQueue(n_reader, n_local_reader, ...)` makes the writer's side; `create_from_handle` a reader's.

    `n_local_reader` must be `n_reader`: readers on other machines are refused. `local_reader_ranks` are the ranks of
    the readers (default: 0, 1, ...). `max_chunk_bytes` is what `acquire_write` gives; `max_chunks` of them fit into the
    ring. `connect_ip` is for readers on other machines, and must be None.

    Any thread may call; calls of one side go one after the other. `enqueue` and `dequeue` raise `TimeoutError` when
    `timeout` seconds have passed (None: no limit), RuntimeError after `shutdown()`.
    """

    def __init__(  # noqa: PLR0917 - the signature of the class that it takes the place of
        self,
        n_reader: int,
        n_local_reader: int,
        local_reader_ranks: list[int] | None = None,
        max_chunk_bytes: int = DEFAULT_CHUNK,
        max_chunks: int = DEFAULT_CHUNKS,
        connect_ip: str | None = None,
    ) -> None:
        readers = check_int("n_reader", n_reader, 1, MAX_READERS)
        local = check_int("n_local_reader", n_local_reader, 0, readers)
        if local != readers:
            away = f"{readers - local} of {readers} readers are on other machines"
            raise NotImplementedError(f"{away}: this queue is in shared memory and reaches local readers only")
        if connect_ip is not None:
            raise NotImplementedError(f"connect_ip is {connect_ip!r}: this queue reaches local readers only")
        chunk = check_int("max_chunk_bytes", max_chunk_bytes, 64, 2**30)
        chunks = check_int("max_chunks", max_chunks, 1, 2**20)
        ranks = list(range(readers)) if local_reader_ranks is None else list(local_reader_ranks)
        if len(ranks) != readers or len(set(ranks)) != readers:
            raise ValueError(f"local_reader_ranks is {ranks}: it must name {readers} different ranks")
        size = max(chunks, 2) * (chunk + 64) + 64
        name = f"vllm-{os.getpid()}-{uuid.uuid4().hex[:16]}"
        self._begin(BroadcastRing(size, readers, name=name), chunk)
        self._named = True
        number = me(self._ring._h)
        life = int(lib.lf_py_broadcast_alive_since(self._ring._h, number))
        self.handle = Handle(name, ranks, chunk, (number, life, os.getpid()))
        self._is_writer = True

    def _begin(self, ring: BroadcastRing, chunk: int) -> None:
        ring.share_roles()
        self._ring, self._chunk = ring, chunk
        self._lock = threading.Lock()
        self._partial = bytearray()
        self._whole = 0
        self._is_shut = self._named = False

    def export_handle(self) -> Handle:
        """The value with which readers find this queue."""
        return self.handle

    @classmethod
    def create_from_handle(cls, handle: Handle, rank: int) -> Self:
        """A reader's side, in the process of the reader with this rank."""
        if rank not in handle.local_reader_ranks:
            known = ", ".join(map(str, handle.local_reader_ranks))
            raise NotImplementedError(f"rank {rank} is no local reader of this queue (those are {known})")
        self = cls.__new__(cls)
        self._begin(BroadcastRing.attach(handle.name), handle.max_chunk_bytes)
        self.handle, self._is_writer = handle, False
        self._ring.join(handle.local_reader_ranks.index(rank))
        return self

    def wait_until_ready(self) -> None:
        """The writer waits until all readers have attached; then the queue's name is removed. A reader is ready."""
        if not self._is_writer:
            return
        while not self._ring.wait_for_readers(timeout=SLICE):
            self._check_open(None)
        self._unlink()

    def _unlink(self) -> None:
        if self._named:
            self._named = False
            with suppress(FileNotFoundError):
                self._ring.unlink()

    # ---- waiting ----

    def _check_open(self, cancel: Cancel | None) -> None:
        if self._is_shut or (cancel is not None and cancel.is_set()):
            raise RuntimeError("cancelled: the queue was shut down" if self._is_shut else "cancelled")

    def _check_writer(self) -> None:
        number, life, pid = self.handle.writer
        if int(lib.lf_py_broadcast_alive_since(self._ring._h, number)) != life:
            raise WriterDied(f"the writer of this queue (process {pid}) has died, or has closed it")

    def _slice(self, until: float | None) -> float:
        return SLICE if until is None else min(SLICE, max(0.0, until - time.monotonic()))

    def _waiting(self, call: Any, until: float | None, cancel: Cancel | None) -> Any:
        """`call(seconds)` in slices until it does not time out. Its queue.Full and queue.Empty become TimeoutError."""
        try:
            while True:
                self._check_open(cancel)
                try:
                    return call(self._slice(until))
                except (queue.Full, queue.Empty) as refused:
                    if until is not None and time.monotonic() >= until:
                        text = str(refused) if isinstance(refused, queue.Full) else "no message came"
                        raise TimeoutError(text) from None
                    if isinstance(refused, queue.Empty):
                        self._check_writer()
        except Closed:
            self._is_shut = True
            raise RuntimeError("cancelled: the queue was shut down") from None

    # ---- bytes ----

    @contextmanager
    def acquire_write(self, timeout: float | None = None) -> Iterator[memoryview]:
        """A place for `max_chunk_bytes` bytes; all readers see it when the block ends, nobody if it raises."""
        if not self._is_writer:
            raise RuntimeError("this side of the queue reads: only its creator writes")
        with self._lock:
            until = _until(timeout)

            def reserve(seconds: float) -> memoryview:
                view = self._ring.reserve(self._chunk, True, seconds)
                if view is None:
                    self._ring._raise(lib.LF_FULL)
                return view

            view = self._waiting(reserve, until, None)
            try:
                yield view
            except BaseException:
                self._ring.cancel()
                raise
            self._ring.commit()

    @contextmanager
    def acquire_read(
        self, timeout: float | None = None, cancel: Cancel | None = None, indefinite: bool = False
    ) -> Iterator[memoryview]:
        """The next chunk, in place; it is passed when the block ends, also if it raises."""
        with self._lock:
            view = self._peek(_until(None if indefinite else timeout), cancel)
            try:
                yield view
            finally:
                with suppress(Closed):  # shut down meanwhile
                    self._ring.release()

    def _peek(self, until: float | None, cancel: Cancel | None) -> memoryview:
        if self._is_writer:
            raise RuntimeError("this side of the queue writes: readers are made with create_from_handle()")

        def peek(seconds: float) -> memoryview:
            view = self._ring.peek(True, seconds)
            if view is None:
                raise queue.Empty
            return view

        view: memoryview = self._waiting(peek, until, cancel)
        return view

    # ---- objects ----

    def enqueue(self, obj: Any, timeout: float | None = None) -> None:
        """Sends an object to all readers. TimeoutError says which reader is late."""
        if not self._is_writer:
            raise RuntimeError("this side of the queue reads: only its creator writes")
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(obj, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
        lengths = b"".join(len(part).to_bytes(8, "little") for part in parts)
        parts = [memoryview(len(parts).to_bytes(8, "little") + lengths), *parts]
        total, until = sum(map(len, parts)), _until(timeout)
        with self._lock:
            if total + HEAD <= self._chunk:
                self._send(WHOLE, parts, total, until)
                return
            self._send(FIRST, [memoryview(total.to_bytes(8, "little"))], 8, until)
            for part in parts:
                for at in range(0, len(part), self._chunk - HEAD):
                    piece = part[at : at + self._chunk - HEAD]
                    self._send(MORE, [piece], len(piece), None)  # begun: it must not end in the middle

    def _send(self, kind: int, parts: list[memoryview], total: int, until: float | None) -> None:
        def write(seconds: float) -> None:
            with self._ring.write(HEAD + total, True, seconds) as view:
                view[:HEAD] = kind.to_bytes(HEAD, "little")
                at = HEAD
                for part in parts:
                    view[at : at + len(part)] = part
                    at += len(part)

        self._waiting(write, until, None)

    def dequeue(self, timeout: float | None = None, cancel: Cancel | None = None, indefinite: bool = False) -> Any:
        """The next object. RuntimeError if `cancel.is_set()` or after shutdown(); WriterDied.

        With `indefinite` the time-out is ignored. A time-out in the middle of an object in pieces loses nothing: the
        next call goes on there.
        """
        until = _until(None if indefinite else timeout)
        with self._lock:
            while True:
                view = self._peek(until, cancel)
                try:
                    kind = view[0] if len(view) >= HEAD else -1
                    if kind == WHOLE:
                        return _loads(bytearray(view[HEAD:]))
                    if kind == FIRST:  # what came before it was cut off
                        self._partial, self._whole = bytearray(), int.from_bytes(view[HEAD : HEAD + 8], "little")
                    elif kind == MORE and self._whole:
                        self._partial += view[HEAD:]
                    elif kind != MORE:
                        raise RuntimeError("this chunk was written by acquire_write(): read it with acquire_read()")
                finally:
                    self._ring.release()
                if self._whole and len(self._partial) >= self._whole:
                    whole, self._partial, self._whole = self._partial, bytearray(), 0
                    return _loads(whole)

    def broadcast_object(self, obj: Any = None) -> Any:
        """The writer sends `obj` and returns it; a reader returns the object that it gets."""
        if not self._is_writer:
            return self.dequeue()
        self.enqueue(obj)
        return obj

    def shutdown(self) -> None:
        """Ends this side, from any thread: calls that wait here raise RuntimeError. The writer ends it for all.

        Readers get what was sent before.
        """
        self._is_shut = True
        if self._ring.closed:
            return
        if self._is_writer:
            with suppress(Closed):
                self._ring.shutdown()
            with suppress(Closed):
                self._unlink()
        self._ring.close()


def _loads(frame: bytearray) -> Any:
    """The object in a frame: count, lengths, the pickle, its buffers. The buffers are the object's own memory."""
    view = memoryview(frame)
    count = int.from_bytes(view[:8], "little")
    at, parts = 8 + 8 * count, []
    for i in range(count):
        length = int.from_bytes(view[8 + 8 * i : 16 + 8 * i], "little")
        parts.append(view[at : at + length])
        at += length
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - as vLLM's: the writer is trusted
