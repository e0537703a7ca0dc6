"""Tickets of our own rings: the positions in the queue at which a call put or took its records."""

import threading
from collections.abc import Sequence

from lockfree._native import blocking, ffi, lib
from lockfree.linearizability.methods import Item

MOST = 256
"""Positions that a thread keeps; a longer batch has no tickets."""
_local = threading.local()


def take_positions() -> Sequence[int]:
    """Those since this thread asked before, in their order; at most `MOST`."""
    try:
        room = _local.room
    except AttributeError:
        room = _local.room = ffi.new("int64_t[]", 2 * MOST)
    count = lib.lf_py_take_positions(room, MOST)
    count += blocking.lf_py_take_later_positions(room + count, MOST)  # what had to wait comes after what had not
    return list(room[0:count]) if count else ()


def begin() -> bool:
    """From now on, the rings of this process keep the positions of each thread's last records."""
    take_positions()
    return True


def _moved(item: Item) -> bool:
    """Did it put or take a record, one that has no priority?"""
    value = item.arg if item.op == "put" else item.result
    found = item.result is not None and item.result is not False
    return found and item.op in ("put", "get") and not isinstance(value, list | tuple)


def ticketed(items: list[Item]) -> list[Item]:
    """The operations of the call that this thread just made, with the tickets."""
    positions = take_positions()
    moved = [at for at, item in enumerate(items) if _moved(item)]
    if not 0 < len(moved) <= min(len(positions), MOST):
        return items
    tickets = dict(zip(moved, positions[-len(moved) :], strict=True))
    return [item._replace(ticket=tickets[at]) if at in tickets else item for at, item in enumerate(items)]
