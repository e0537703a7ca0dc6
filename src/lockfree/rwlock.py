"""RWLock: many readers or one writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from lockfree._awaited import AwaitedRWLock
from lockfree._errors import OK, OWNER_DIED, TIMEDOUT, raise_death, raise_status
from lockfree._native import NULL, Native, blocking, lib
from lockfree._segment import check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Spin
from lockfree._waiting import semaphore_patience, until

__all__ = ["RWLock"]


class Calls(AwaitedRWLock, Waiter):
    """What a reader-writer lock can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_rwlock"
    _attach = blocking.lf_rwlock_attach
    _attach_fd = blocking.lf_rwlock_attach_fd
    _close = lib.lf_rwlock_close

    def __init__(self, *, name: str | None = None, spin: Spin = "adaptive") -> None:
        check_spin(spin)
        name = check_name(name)
        handle = self._begin(name)
        self._created(handle, blocking.lf_rwlock_create(handle, NULL if name is None else name.encode()), spin)

    def acquire_read(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Begins to read, waiting at most `timeout` seconds (None: for ever). False: a writer has the lock or waits.

        Raises `OwnerDied`, without the lock, if a writer died and no other one has repaired it yet.
        """
        return self._take(_read, blocking, timeout)

    def acquire_write(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Begins to write, waiting at most `timeout` seconds (None: for ever). False: somebody else has the lock.

        Raises `OwnerDied` *with the lock held* if the last writer died while it wrote: repair, then `recover()`.
        """
        return self._take(_write, blocking, timeout)

    def _take(self, call: Any, blocks: bool, timeout: float | None) -> bool:
        handle, wait = self._h, semaphore_patience(blocks, timeout)
        try:
            status = self._until_done(call, handle, until(wait))
        except BaseException:
            lib.lf_rwlock_give_up(handle)
            raise
        if status == TIMEDOUT:
            return False
        self._checked(handle, lib.LF_PY_WRITER_DIED if status == OWNER_DIED and call is _read else status)
        return True

    def release_read(self) -> None:
        """Ends a read. RuntimeError if no thread of this participant reads."""
        handle = self._h
        self._given(handle, lib.lf_rwlock_end_read(handle), "release_read() where no thread of this participant reads")

    def release_write(self) -> None:
        """Ends the write. RuntimeError if the calling thread does not write."""
        handle = self._h
        self._given(handle, lib.lf_rwlock_end_write(handle), "release_write() by a thread that does not write")

    def recover(self) -> None:
        """Says, after `OwnerDied`, that what the lock guards is in order again."""
        handle = self._h
        self._given(handle, lib.lf_rwlock_recover(handle), "recover() by a thread that does not write")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """`acquire_read()` and `release_read()` around the block."""
        self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """`acquire_write()` and `release_write()` around the block.

        After an `OwnerDied` the block has not run, and the lock is held: repair, `recover()`, `release_write()`.
        """
        self.acquire_write()
        try:
            yield
        finally:
            self.release_write()

    def _given(self, handle: Any, status: int, refusal: str) -> None:
        if status == lib.LF_NOT_OWNER:
            raise RuntimeError(f"{self._title()}: {refusal}")
        self._checked(handle, status)

    @property
    def readers(self) -> int:
        """How many read."""
        handle = self._h
        return self._checked(handle, lib.lf_rwlock_readers(handle))

    @property
    def writer(self) -> bool:
        """Whether somebody writes, or waits for readers to leave."""
        handle = self._h
        return self._checked(handle, lib.lf_rwlock_locked(handle)) == 1

    def _checked(self, handle: Any, status: int) -> int:
        if status in {OWNER_DIED, lib.LF_PY_WRITER_DIED} and (pid := lib.lf_py_rwlock_died(handle)):
            raise_death(status, self._title(), pid)
        if status < OK:
            raise_status(status, self._title(), handle)
        return int(status)

    def _describe(self) -> str:
        return f" readers={self.readers}" + (" writer" if self.writer else "")


_read, _write = blocking.lf_rwlock_read, blocking.lf_rwlock_write


class RWLock(Native[Literal["rwlock"]], Calls):
    """Many readers or one writer, threads of any processes: `with lock.reading()`, `with lock.writing()`.

    A writer that waits holds new readers off, so readers do not starve writers. It is not reentrant.

    Progress: blocking. `release_read` is lock-free.

    Death: a dead reader is forgotten. If a writer dies while it writes, the next writer gets the lock and
    `OwnerDied`. Readers get `OwnerDied` and not the lock, until a writer has called `recover()`.

    Source: docs/primitives/rwlock.md.
    """
