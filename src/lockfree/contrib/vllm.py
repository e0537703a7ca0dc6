"""A drop-in for vLLM's `MessageQueue`, for readers on the same machine, over `lockfree.BroadcastRing`.

    from lockfree.contrib.vllm import MessageQueue

One writer process makes the queue and sends `export_handle()`, a small value that pickles, to the readers. Each of them
calls `create_from_handle(handle, rank)`; then everybody calls `wait_until_ready()`. Every reader gets every object.

Waiting sleeps in the kernel. A reader that is killed holds the writer back no longer; when the last one is gone, the
writer is told. A writer that is killed is told to its readers. The segment has no name: readers find it among the files
of the writer's process, so nothing is left behind at any time. Objects may be of any size: what is longer than a chunk
goes through the ring in pieces.
"""

import importlib
import math
import os
import pickle
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from lockfree._errors import Closed, LockfreeError, shown
from lockfree._hands import me
from lockfree._native import lib
from lockfree._segment import check_int
from lockfree._waiting import remaining
from lockfree.broadcast_ring import MAX_READERS, BroadcastRing

__all__ = ["Handle", "MessageQueue", "ReaderDied", "WriterDied"]

DEFAULT_CHUNK = 10 * 2**20
DEFAULT_CHUNKS = 10
SLICE = 0.2
"""Seconds after which a waiting call looks at `cancel` and at the writer's life."""
LOOK = 0.005
"""Seconds after which a call of the writer looks whether the readers live, if it does not wait anyway."""
BEGINNING = 0.02
"""The same as SLICE for the writer that waits until the queue is ready."""
WHOLE, FIRST, MORE = b"lf whole", b"lf first", b"lf more\0"
"""What a message begins with. FIRST has the length of the whole frame behind it."""
HEAD = 8


class WriterDied(LockfreeError, RuntimeError):
    """The process that writes into this queue has died. What it had written before can still be read."""


class ReaderDied(LockfreeError, RuntimeError):
    """A reader has died before the queue was ready, or none is left: all have died, or have shut their side down."""


class Cancel(Protocol):
    """A `threading.Event`, or whatever else has `is_set`."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True)
class Handle:
    """What a reader needs to find the queue. It pickles, and may be loaded as often as you like."""

    file: tuple[int, int, int]
    """Descriptor in the writer's process, device, inode."""
    local_reader_ranks: list[int]
    max_chunk_bytes: int
    writer: tuple[int, int, int]
    """Participant number, when it joined, and pid."""


def _reopened(handle: Handle) -> int:
    """A descriptor of our own for the segment, which is a file of the writer's process without a name."""
    number, *file = handle.file
    directory = f"/proc/{handle.writer[2]}/fd"
    try:
        for entry in [str(number), *os.listdir(directory)]:  # the program may have closed it, and opened another file
            with suppress(FileNotFoundError):
                if _is_file(os.stat(path := f"{directory}/{entry}"), file):
                    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                    if _is_file(os.fstat(fd), file):
                        return fd
                    os.close(fd)
    except (FileNotFoundError, ProcessLookupError):
        raise WriterDied(f"the writer of this queue (process {handle.writer[2]}) has died") from None
    raise WriterDied(f"the writer of this queue (process {handle.writer[2]}) has died, or has closed it")


def _is_file(found: os.stat_result, file: list[int]) -> bool:
    return [found.st_dev, found.st_ino] == file


class _Group:
    """A group of processes, and the place of this one in it."""

    def __init__(self, pg: Any) -> None:
        self._pg = pg
        self._has_torch = not hasattr(pg, "broadcast_obj")
        if self._has_torch:
            self._distributed: Any = importlib.import_module("torch.distributed")
            self.rank, self.world_size = self._distributed.get_rank(pg), self._distributed.get_world_size(pg)
        else:
            self.rank, self.world_size = pg.rank, pg.world_size

    def broadcast(self, obj: Any, source: int) -> Any:
        """What the process with the rank `source` gives, in all of them."""
        if not self._has_torch:
            return self._pg.broadcast_obj(obj, source)
        box, ranks = [obj], self._distributed.get_process_group_ranks(self._pg)
        self._distributed.broadcast_object_list(box, src=ranks[source], group=self._pg)
        return box[0]


def _until(timeout: float | None) -> float | None:
    """When a wait that begins now gives up. An infinite time-out is none, as in vLLM's class."""
    return None if timeout is None or timeout == math.inf else time.monotonic() + remaining(timeout) * 1e-9


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
        self._begin(BroadcastRing(size, readers), chunk)
        handle = self._ring._h
        number = me(handle)
        life = int(lib.lf_py_broadcast_alive_since(handle, number))
        _, device, inode = self._ring._identity()
        file = self._ring._file(handle), device, inode
        self.handle = Handle(file, ranks, chunk, (number, life, os.getpid()))
        self._is_writer, self._is_ready = True, False
        self._attached = 0  # readers that were seen before the queue was ready
        self._looked = 0.0

    def _begin(self, ring: BroadcastRing, chunk: int) -> None:
        ring.share_roles()
        self._ring, self._chunk = ring, chunk
        self._lock = threading.Lock()
        self._partial = bytearray()
        self._whole = 0
        self._is_shut = False

    def export_handle(self) -> Handle:
        """The value with which readers find this queue."""
        return self.handle

    @classmethod
    def create_from_handle(cls, handle: Handle, rank: int) -> Self:
        """A reader's side, in the process of the reader with this rank. WriterDied if there is no writer any more."""
        if rank not in handle.local_reader_ranks:
            known = ", ".join(map(str, handle.local_reader_ranks))
            raise NotImplementedError(f"rank {rank} is no local reader of this queue (those are {known})")
        self = cls.__new__(cls)
        self._begin(BroadcastRing._adopt(_reopened(handle), None), handle.max_chunk_bytes)
        self.handle, self._is_writer = handle, False
        self._ring.join(handle.local_reader_ranks.index(rank))
        return self

    @classmethod
    def create_from_process_group(  # noqa: PLR0917 - as above
        cls,
        pg: Any,
        max_chunk_bytes: int = DEFAULT_CHUNK,
        max_chunks: int = DEFAULT_CHUNKS,
        writer_rank: int = 0,
        external_writer_handle: Handle | None = None,
        blocking: bool = True,
    ) -> Self:
        """Each process of a group calls this. The one with `writer_rank` gets the writer's side, the others a reader's.

        `pg` is a group of torch.distributed, or an object with `rank`, `world_size` and `broadcast_obj(obj, src)`, such
        as vLLM's StatelessProcessGroup. With `external_writer_handle`, which the process with `writer_rank` has, all of
        them are readers of that queue. `blocking`: it returns when the queue is ready.
        """
        group = _Group(pg)
        rank = check_int("writer_rank", writer_rank, 0, group.world_size - 1)
        if group.rank != rank:
            self = cls.create_from_handle(group.broadcast(None, rank), group.rank)
        elif external_writer_handle is not None:
            group.broadcast(external_writer_handle, rank)
            self = cls.create_from_handle(external_writer_handle, rank)
        else:
            ranks = [reader for reader in range(group.world_size) if reader != rank]
            self = cls(len(ranks), len(ranks), ranks, max_chunk_bytes, max_chunks)
            group.broadcast(self.handle, rank)
        if blocking:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """The writer waits until all readers have attached. ReaderDied if one of them is gone again before that.

        A reader is ready at once. What the writer does before this call, waits in the same way.
        """
        if self._is_writer:
            with self._turn(None):
                self._until_ready(None)

    def _until_ready(self, until: float | None) -> None:
        while not self._is_ready:
            self._check_open(None)
            self._is_ready = self._ring.wait_for_readers(timeout=min(BEGINNING, self._slice(until)))
            if self._is_ready:
                return
            joined = int(lib.lf_py_broadcast_joined(self._ring._h))
            if gone := self._ranks(self._attached & ~joined):
                raise ReaderDied(f"readers {gone} had attached, and are gone before the queue was ready")
            self._attached |= joined
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"the queue is not ready: readers {self._ranks(~joined)} have not attached")

    def _ranks(self, mask: int) -> list[int]:
        return [rank for k, rank in enumerate(self.handle.local_reader_ranks) if mask >> k & 1]

    # ---- waiting ----

    def _check_open(self, cancel: Cancel | None) -> None:
        if self._is_shut or (cancel is not None and cancel.is_set()):
            raise RuntimeError("cancelled: the queue was shut down" if self._is_shut else "cancelled")

    def _check_writer(self) -> None:
        number, life, pid = self.handle.writer
        if int(lib.lf_py_broadcast_alive_since(self._ring._h, number)) != life:
            raise WriterDied(f"the writer of this queue (process {pid}) has died, or has closed it")

    def _check_readers(self) -> None:
        if (now := time.monotonic()) - self._looked >= LOOK:
            self._looked = now
            self._ring.recover_dead()
        if lib.lf_py_broadcast_joined(self._ring._opened()) == 0:
            raise ReaderDied("no reader is left: all have died, or have shut their side down")

    def _slice(self, until: float | None) -> float:
        return SLICE if until is None else min(SLICE, max(0.0, until - time.monotonic()))

    @contextmanager
    def _turn(self, until: float | None) -> Iterator[None]:
        """One call after the other. The end of the queue becomes RuntimeError."""
        while not self._lock.acquire(timeout=self._slice(until)):
            self._check_open(None)
            if until is not None and time.monotonic() >= until:
                raise TimeoutError("another thread is in a call of this side")
        try:
            yield
        except Closed:
            self._is_shut = True
            raise RuntimeError("cancelled: the queue was shut down") from None
        finally:
            self._lock.release()

    def _waiting(self, call: Any, until: float | None, cancel: Cancel | None) -> Any:
        """`call(seconds)` in slices until it does not time out. Its queue.Full and queue.Empty become TimeoutError."""
        while True:
            self._check_open(cancel)
            if self._is_writer:
                self._check_readers()
            try:
                return call(self._slice(until))
            except (queue.Full, queue.Empty) as refused:
                if until is not None and time.monotonic() >= until:
                    text = str(refused) if isinstance(refused, queue.Full) else "no message came"
                    raise TimeoutError(text) from None
                if isinstance(refused, queue.Empty):
                    self._check_writer()

    # ---- bytes ----

    @contextmanager
    def acquire_write(self, timeout: float | None = None) -> Iterator[memoryview]:
        """A place for `max_chunk_bytes` bytes; all readers see it when the block ends, nobody if it raises."""
        until = self._writing(timeout)
        with self._turn(until):
            self._until_ready(until)

            def reserve(seconds: float) -> memoryview:
                view = self._ring.reserve(self._chunk, True, seconds)
                if view is None:
                    self._ring._raise(lib.LF_FULL)
                return view

            view = self._waiting(reserve, until, None)
            try:
                yield view
            except BaseException:
                with suppress(Closed):  # shut down meanwhile
                    self._ring.cancel()
                raise
            self._ring.commit()

    @contextmanager
    def acquire_read(
        self, timeout: float | None = None, cancel: Cancel | bool | None = None, indefinite: bool = False
    ) -> Iterator[memoryview]:
        """The next chunk, in place; it is passed when the block ends, also if it raises. Arguments as of `dequeue`."""
        cancel, indefinite = _either(cancel, indefinite)
        until = _until(None if indefinite else timeout)
        with self._turn(until):
            view = self._peek(until, cancel)
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

    def _writing(self, timeout: float | None) -> float | None:
        if not self._is_writer:
            raise RuntimeError("this side of the queue reads: only its creator writes")
        return _until(timeout)

    def enqueue(self, obj: Any, timeout: float | None = None) -> None:
        """Sends an object to all readers. TimeoutError says which reader is late; then no reader gets the object.

        ReaderDied if no reader is left. If a reader dies and others live, they get the object.
        """
        until = self._writing(timeout)
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(obj, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
        lengths = b"".join(len(part).to_bytes(8, "little") for part in parts)
        parts = [memoryview(len(parts).to_bytes(8, "little") + lengths), *parts]
        total = sum(map(len, parts))
        with self._turn(until):
            self._until_ready(until)
            if total + HEAD <= self._chunk:
                self._send(WHOLE, parts, total, until)
                return
            self._send(FIRST, [memoryview(total.to_bytes(8, "little"))], 8, until)
            for part in parts:
                for at in range(0, len(part), self._chunk - HEAD):
                    piece = part[at : at + self._chunk - HEAD]
                    self._send(MORE, [piece], len(piece), until)

    def _send(self, kind: bytes, parts: list[memoryview], total: int, until: float | None) -> None:
        def write(seconds: float) -> None:
            with self._ring.write(HEAD + total, True, seconds) as view:
                view[:HEAD] = kind
                at = HEAD
                for part in parts:
                    view[at : at + len(part)] = part
                    at += len(part)

        self._waiting(write, until, None)

    def dequeue(
        self, timeout: float | None = None, cancel: Cancel | bool | None = None, indefinite: bool = False
    ) -> Any:
        """The next object. RuntimeError if `cancel.is_set()` or after shutdown(); WriterDied.

        With `indefinite` the time-out is ignored. A time-out in the middle of an object in pieces loses nothing: the
        next call goes on there. Newer classes of vLLM have no `cancel`: a bool in its place is `indefinite`.
        """
        cancel, indefinite = _either(cancel, indefinite)
        until = _until(None if indefinite else timeout)
        with self._turn(until):
            while True:
                view = self._peek(until, cancel)
                try:
                    kind = bytes(view[:HEAD])
                    if kind in {WHOLE, FIRST}:  # an object that the writer gave up has no end
                        self._partial, self._whole = bytearray(), 0
                    if kind == WHOLE:
                        return _loads(bytearray(view[HEAD:]))
                    if kind == FIRST:
                        self._whole = int.from_bytes(view[HEAD : 2 * HEAD], "little")
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
        self._ring.close()


def _either(cancel: Cancel | bool | None, indefinite: bool) -> tuple[Cancel | None, bool]:
    if isinstance(cancel, bool):
        return None, cancel or indefinite
    if cancel is not None and not callable(getattr(cancel, "is_set", None)):
        raise TypeError(f"cancel is {shown(cancel)}: it must be a threading.Event, or have is_set()")
    return cancel, indefinite


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
