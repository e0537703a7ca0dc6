"""RLock: mutual exclusion that its holder may enter again."""

from typing import Literal, NoReturn

from lockfree._errors import raise_status
from lockfree._lock import Lock
from lockfree._native import Native, lib
from lockfree._segment import Shared
from lockfree._waiting import FOREVER

__all__ = ["RLock"]


class Calls(Lock, prefix="rlock"):
    """What the lock can do. The C type stands before it and does the same without cffi."""

    async def aacquire(self, timeout: float = -1) -> NoReturn:  # noqa: ARG002
        """TypeError: all tasks of an event loop are one thread, and each of them could take the lock again."""
        one = "the tasks of an event loop are one thread, which may take it again"
        raise TypeError(f"{self._title()}: {one}: use a Mutex")

    def _polled(self) -> NoReturn:
        """Of `fileno` and `arm`."""
        raise TypeError(f"{self._title()}: whether acquire() would wait depends on the thread: poll a Mutex")

    _would_not_wait = Shared._would_not_wait  # for the same reason `lockfree.wait` refuses it

    # What `threading.Condition` asks of its lock.

    def _is_owned(self) -> bool:
        return self._recursion_count() > 0

    def _recursion_count(self) -> int:
        """How often the calling thread has the lock."""
        handle = self._h
        depth = int(lib.lf_rlock_depth(handle))
        if depth < 0:
            raise_status(depth, self._title(), handle)
        return depth

    def _release_save(self) -> int:
        handle = self._h
        depth = int(lib.lf_rlock_release_all(handle))
        if depth < 0:
            self._refused(handle, depth, "release")
        return depth

    def _acquire_restore(self, depth: int) -> None:
        handle = self._h
        status = self._until_done(self._b_acquire, handle, FOREVER)
        if status in {lib.LF_OK, lib.LF_OWNER_DIED}:
            lib.lf_rlock_restore(handle, depth)
        self._taken(handle, status)


class RLock(Native[Literal["rlock"]], Calls):
    """Mutual exclusion between threads and processes, with the methods of `threading.RLock`. The holder is a thread. It
    may take the lock again, and the lock is free after as many releases.

    Progress: blocking, as `Mutex`.

    Death: when the holder dies, the next one gets the lock, and `acquire` raises `OwnerDied`. It has the lock once.

    Source: as `Mutex`; docs/primitives/rlock.md.
    """
