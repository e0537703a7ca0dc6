"""The shared memory of one round: a control page, then a log for each client. It outlives any process that uses it."""

import mmap
import os
from collections.abc import Iterator, Sequence
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree.linearizability import History

PAGE = mmap.PAGESIZE
RECORD_BYTES = ffi.sizeof("struct lf_history_op")
PENDING = (1 << 64) - 1
NOBODY = 1 << 15
"""The first number for clients that stand for calls that nobody made."""
RELEASE = 11
LOG_HEADER = ffi.offsetof("struct lf_stress_log", "records")


class Arena:
    """`clients` logs of `capacity` records each, in memory that is allocated at once and freed with its last user.

    `notes` is a file into which every process writes what goes wrong: tracebacks, and stacks when asked for them.
    """

    def __init__(self, clients: int, capacity: int) -> None:
        self._open(os.memfd_create("lockfree-stress"), os.memfd_create("lockfree-stress-notes"), clients, capacity)
        os.posix_fallocate(self.fd, 0, PAGE + clients * self.stride)
        self._map()
        for i in range(clients):
            self.log(i).capacity = capacity

    def _open(self, fd: int, notes: int, clients: int, capacity: int) -> None:
        self.fd, self.notes, self.clients, self.capacity = fd, notes, clients, capacity
        self.stride = -(-(LOG_HEADER + capacity * RECORD_BYTES) // PAGE) * PAGE

    def _map(self) -> None:
        self._memory = mmap.mmap(self.fd, PAGE + self.clients * self.stride)
        self._view = memoryview(self._memory)
        self._base = ffi.from_buffer(self._view)
        self.control = ffi.cast("struct lf_stress_control *", self._base)

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing import reduction

        return _rebuild, (reduction.DupFd(self.fd), reduction.DupFd(self.notes), self.clients, self.capacity)

    def log(self, client: int) -> Any:
        return ffi.cast("struct lf_stress_log *", self._base + PAGE + client * self.stride)

    def populate(self, client: int) -> mmap.mmap:
        """A mapping of one log with all its pages present, so that no page fault falls into a measured call."""
        flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
        return mmap.mmap(self.fd, self.stride, flags=flags, offset=PAGE + client * self.stride)

    def begin(self, seconds: float) -> None:
        self.control.deadline = lib.lf_stress_now() + int(seconds * 1e9)

    def stop(self) -> None:
        self.control.stop = 1

    def recorded(self) -> int:
        return sum(int(self.log(i).count) for i in range(self.clients))

    def records(self) -> Iterator[memoryview]:
        """The records of each client, including calls that never returned."""
        for i in range(self.clients):
            log = self.log(i)
            lib.lf_stress_mend(log)
            first = PAGE + i * self.stride + LOG_HEADER
            yield self._view[first : first + int(log.count) * RECORD_BYTES]

    def history(self, releases: Sequence[tuple[int, int]] = ()) -> History:
        """What was recorded. `releases`: (permits, time) of releases that nobody called and that may have happened."""
        kept: list[Any] = [r for r in self.records() if len(r)]
        if releases:
            extra = ffi.new("struct lf_history_op[]", len(releases))
            for i, (permits, call) in enumerate(releases):
                values = {"call": call, "ret": PENDING, "arg": permits, "client": NOBODY + i, "op": RELEASE}
                extra[i] = values
            kept.append(ffi.buffer(extra))
        return History.from_buffer(*kept)

    def history_without_full(self) -> History:
        """The same without the puts that were refused."""
        kept = []
        for records in self.records():
            count = len(records) // RECORD_BYTES
            copy = ffi.new("struct lf_history_op[]", max(count, 1))
            count = lib.lf_stress_without_full(
                ffi.cast("struct lf_history_op *", ffi.from_buffer(records)), count, copy
            )
            if count:
                kept.append(ffi.buffer(copy, count * RECORD_BYTES))
        return History.from_buffer(*kept)

    def read_notes(self) -> str:
        return os.pread(self.notes, 1 << 20, 0).decode(errors="replace")

    def written_notes(self) -> int:
        """The size of the notes in bytes."""
        return os.fstat(self.notes).st_size

    def close(self) -> None:
        """Unmaps the memory in this process. No log may be in use."""
        del self.control
        ffi.release(self._base)
        self._view.release()
        self._memory.close()
        os.close(self.fd)
        os.close(self.notes)


def _rebuild(fd: Any, notes: Any, clients: int, capacity: int) -> Arena:
    self = Arena.__new__(Arena)
    self._open(fd.detach(), notes.detach(), clients, capacity)
    self._map()
    return self
