"""SPSCRing: a bounded FIFO for one producer and one consumer, wait-free and safe to kill."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lockfree._container import end_view
from lockfree._errors import EMPTY, INTERRUPTED
from lockfree._native import ffi, lib
from lockfree._ring import Ring
from lockfree._waiting import deadline

__all__ = ["SPSCRing"]

_ROLES = {"producer": (0, "reserved"), "consumer": (1, "peeked")}


class SPSCRing(Ring, prefix="spsc_ring"):
    """Bounded FIFO ring in shared memory for one producer and one consumer, in threads or processes.

    `capacity` records (1 to 2**31) of 0..`record_size` bytes each, or of one NumPy `dtype`. Anonymous, or found by
    others under `name`.

    Roles: the first thread that puts is the producer, the first that gets the consumer; one thread may be both. Another
    one that tries gets `RoleTaken`, unless the holder has called `release_role`, has closed the ring, has ended (a
    thread of this process) or its process has died.

    Progress: every call that does not wait is wait-free. Waiting calls spin for about 10 us, then sleep in the kernel.

    Order: linearizable FIFO. EMPTY and FULL are exact.

    Death: the role is free again. A record that was half written is never seen; one whose get was cut off, or that the
    dead one only peeked at, is still inside.

    Source: a flag inside the slot, after FastForward (Giacomoni, Moseley, Vachharajani, PPoPP 2008).
    """

    def release_role(self, role: str) -> None:
        """Gives back the calling thread's role, "producer" or "consumer", for another thread or process to take.

        A reservation or a peek that the thread still has in hand is forgotten: the record of a peek stays inside.
        RuntimeError if the thread has not got the role.
        """
        if role not in _ROLES:
            raise ValueError(f'role is {role!r}: it must be "producer" or "consumer"')
        number, hand = _ROLES[role]
        status = lib.lf_py_spsc_ring_release_role(self._h, number)
        if status:
            self._refused(status)
        held = getattr(self._hand, hand)
        if held is not None:
            setattr(self._hand, hand, None)
            end_view(held[1])

    def peek(self, block: bool = False, timeout: float | None = None) -> Any:
        """A view of the oldest record where it stands, or None if the ring is empty. It stays inside until `release()`.

        One per thread at a time.
        """
        return super().peek(block, timeout)

    def release(self) -> None:
        """Takes out the record that the calling thread peeked at. RuntimeError if it has got that record since."""
        super().release()

    @contextmanager
    def lease(self, block: bool = True, timeout: float | None = None) -> Iterator[Any]:
        """`with ring.lease() as record:` takes a record out only when the block ends normally.

        If the block raises, or its process dies, the record is still the next one. Raises `queue.Empty` like `get`.
        """
        found = self._take(0, deadline(block, timeout))
        if found is None:
            raise queue.Empty
        ticket, length = found
        taker = lib.lf_py_participant(self._pointer())
        yield self._codec.decode(bytes(ffi.buffer(self._c_payload(self._h, ticket), length)))
        if not self.closed and lib.lf_py_participant(self._pointer()) != taker:
            return  # a child that was forked in the block: the parent has the record
        status = self._c_release(self._h, ticket)
        if status:
            self._refused(status)

    def _take(self, _lease: int, until: int) -> tuple[int, int] | None:
        length = ffi.new("uint64_t *")
        ticket = self._c_peek(self._h, length)
        if ticket == EMPTY and until:
            ticket = INTERRUPTED
            while ticket == INTERRUPTED:
                ticket = self._b_peek(self._h, length, until)
        if ticket == EMPTY:
            return None
        if ticket < 0:
            self._refused(ticket)
        return int(ticket), int(length[0])
