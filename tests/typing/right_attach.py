"""Attached containers need no annotation."""

from typing import Any, assert_type

import lockfree

ring = lockfree.MPMCRing.attach("jobs")
ring.put(b"x")
assert_type(ring, lockfree.MPMCRing[Any])
with lockfree.PriorityQueue.attach("queue") as queue:
    queue.put(b"x", 1)


def consume(given: lockfree.SPSCRing) -> object:
    return given.get()
