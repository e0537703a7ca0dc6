"""Tickets of our own rings: the position in the queue at which a call put or took its record."""

from lockfree._native import lib
from lockfree.linearizability.methods import Item


def begin() -> bool:
    """From now on, the rings of this process keep the position of each thread's last record."""
    lib.lf_py_take_position()
    return True


def ticketed(items: list[Item]) -> list[Item]:
    """The operations of the call that this thread just made, with the ticket. Those of a batch have none."""
    position = int(lib.lf_py_take_position())
    if len(items) != 1 or position < 0:
        return items
    one = items[0]
    pair = isinstance(one.arg if one.op == "put" else one.result, list | tuple)  # it may look like a priority
    if pair or one.op not in ("put", "get") or one.result is None or one.result is False:
        return items
    return [one._replace(ticket=position)]
