"""Ring all-reduce over SPSC rings: every process ends with the sum of all arrays.

Each of n processes cuts its array into n parts. In n - 1 steps each part travels once around the ring and is summed up
on the way (reduce-scatter). In n - 1 more steps the sums travel around (all-gather). So a process sends and receives
2 (n - 1) / n of the array, however many processes there are: no link carries more (Patarasuk and Yuan, 2009).

A part goes in chunks. A process puts chunks as long as there is room, then takes one, and so on. If all of them put a
whole part first, the rings would be full, and each would wait for the next for ever.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

import lockfree

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 64 * 1024
"""Bytes of a record: large enough that a put costs little beside the copy, small enough to stay in the cache."""


def make_rings(processes: int, *, chunk: int = CHUNK, capacity: int = 16) -> list[lockfree.SPSCRing[bytes]]:
    """One ring from each process to the next: number i leads from i to i + 1."""
    return [lockfree.SPSCRing(capacity, chunk) for _ in range(processes)]


class Reducer:
    """One process's place in the ring."""

    def __init__(self, rank: int, rings: list[lockfree.SPSCRing[bytes]]) -> None:
        self.rank, self.world = rank, len(rings)
        self.next, self.before = rings[rank], rings[rank - 1]
        self.chunk = self.next.record_size

    def all_reduce(self, array: NDArray[np.generic]) -> None:
        """Adds up the arrays of all processes, in place. All must have the same shape and dtype, and be contiguous."""
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError("the array is not contiguous, or read-only")
        if array.dtype.kind not in "iufc":
            raise TypeError(f"the array is of dtype {array.dtype}: its elements must be numbers")
        flat = array.reshape(-1)
        bounds = [len(flat) * i // self.world for i in range(self.world + 1)]
        parts = [flat[a:b] for a, b in pairwise(bounds)]
        for add in (True, False):
            first = self.rank if add else self.rank + 1  # the part that this process sends first
            for step in range(self.world - 1):
                self._exchange(parts[(first - step) % self.world], parts[(first - step - 1) % self.world], add=add)

    def _exchange(self, out: NDArray[np.generic], into: NDArray[np.generic], *, add: bool) -> None:
        """Sends `out` to the next process, and receives `into` from the one before, in chunks."""
        size = self.chunk // out.itemsize
        sent = received = 0
        while sent < len(out) or received < len(into):
            chunk, piece = out[sent : sent + size], into[received : received + size]
            if len(chunk) and self._sends(chunk, wait=not len(piece)):
                sent += size
            else:
                self._take(piece, add=add)
                received += size

    def _sends(self, chunk: NDArray[np.generic], *, wait: bool) -> bool:
        data = chunk.view(np.uint8)  # whatever the dtype is: complex numbers have no format that a view can cast
        if not wait:
            return self.next.try_put(data)
        self.next.put(data)
        return True

    def _take(self, piece: NDArray[np.generic], *, add: bool) -> None:
        came = np.frombuffer(self.before.peek(block=True), piece.dtype)  # a large record is not copied out
        if add:
            piece += came
        else:
            piece[:] = came
        self.before.release()
