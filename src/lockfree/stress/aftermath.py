"""What killed clients did to a container. The container is emptied at the end, so the missing records are known.

If nobody got the record of an open put, that put never happened, as far as anybody can tell. If nobody got a record
whose put returned, an open get took it. So only one thing about the dead is unknown: which of them took which record. A
history without open gets is decided much faster. If more records are missing than open gets can explain, the history
shows it by itself: its last EMPTY came while a record was certainly inside.

A put that was cut off may have had a slot in hand, and has it until it is recovered. Where FULL counts that slot, the
FULL answers of this time say nothing, and are left out. It has ended when, after the death, all slots were certainly
filled with records.
"""

from collections.abc import Callable, Iterator
from itertools import islice, permutations
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree.linearizability import History
from lockfree.stress.arena import PENDING, RECORD_BYTES, Arena
from lockfree.stress.recorder import GET, PUT

END = 1 << 61
"""A time after everything else. The explained calls of the dead return then."""
MOST_WAYS = 24
FAILED, PAIR, TICKET = 1, 2, 4


class Aftermath:
    """The logs of a round with kills. `ways` gives the histories that are possible.

    `capacity`: of a container whose FULL counts what the dead had in hand; 0: of one whose FULL does not.
    """

    def __init__(self, arena: Arena, capacity: int = 0) -> None:
        self._logs: list[tuple[Any, int, int]] = []  # records, how many returned, how many there are
        self.got: set[int] = set()
        put: dict[int, tuple[int, int, int]] = {}
        taken: dict[int, int] = {}
        arrived: dict[int, int] = {}
        for i in range(arena.clients):
            log = arena.log(i)
            lib.lf_stress_mend(log)
            records = ffi.cast("struct lf_history_op *", log.records)
            count = returned = int(log.count)
            while returned and records[returned - 1].ret == PENDING:
                returned -= 1
            self._logs.append((records, returned, count))
            for k in range(returned):
                record = records[k]
                if record.flags & FAILED:
                    continue
                if record.op == PUT:
                    put[record.arg] = (record.arg2, record.call, record.flags & TICKET)
                    arrived[record.arg] = record.ret
                elif record.op == GET:
                    self.got.add(record.result)
                    taken[record.result] = record.call
        missing = [value for value in put if value not in self.got]
        missing.sort(key=lambda value: put[value][1])
        self._seconds = {value: (put[value][0], put[value][2]) for value in missing}
        """The level or the ticket of its put, and whether it is a ticket: a get has the same."""
        self.missing = missing
        self.open_gets = [
            (i, k)
            for i, (r, returned, count) in enumerate(self._logs)
            for k in range(returned, count)
            if r[k].op == GET
        ]
        inside = [(time, 1) for value, time in arrived.items() if value in taken]  # certainly, until its get begins
        inside += [(time, -1) for value, time in taken.items() if value in arrived]
        cut_off = [
            (r[k].call, arena.log(i).killed or END)
            for i, (r, returned, count) in enumerate(self._logs)
            for k in range(returned, count)
            if capacity and r[k].op == PUT and r[k].arg not in self.got
        ]
        self._unsure = [(call, _when_filled(inside, capacity, death)) for call, death in cut_off]

    def ways(self, *, loose: bool = False) -> Iterator[Callable[[], History]]:
        """Yields functions that make a history each, at least one. Each deals the missing records out differently.

        `loose`: the refused puts are left out, and a batch of gets from several levels counts as single gets.
        """
        for takers in islice(permutations(self.open_gets, min(len(self.missing), len(self.open_gets))), MOST_WAYS):
            taken = dict(zip(takers, self.missing, strict=False))
            yield lambda taken=taken: self._history(taken, loose)  # type: ignore[misc]

    def _history(self, taken: dict[tuple[int, int], int], loose: bool) -> History:
        parts = []
        for i, (records, returned, count) in enumerate(self._logs):
            kept = [k for k in range(returned, count) if (i, k) in taken or records[k].arg in self.got]
            kept = [k for k in kept if records[k].op == PUT or (i, k) in taken]
            copy = ffi.new("struct lf_history_op[]", returned + len(kept) + 1)
            ffi.memmove(copy, records, returned * RECORD_BYTES)
            for at, k in enumerate(kept, returned):
                copy[at] = records[k]
                copy[at].ret = END
                if (i, k) in taken:
                    value = taken[i, k]
                    copy[at].result = value
                    copy[at].arg2, ticket = self._seconds[value]
                    copy[at].flags = ticket | (PAIR if any(copy[j].flags & PAIR for j in range(returned)) else 0)
            total = returned + len(kept)
            if self._unsure:
                sure = [copy[k] for k in range(total) if not self._says_nothing(copy[k])]
                copy, total = ffi.new("struct lf_history_op[]", [*sure, copy[total]]), len(sure)
            if loose:
                whole, copy = copy, ffi.new("struct lf_history_op[]", total + 1)
                total = int(lib.lf_stress_without_full(whole, total, copy))
            if total:
                parts.append(ffi.buffer(copy, total * RECORD_BYTES))
        return History.from_buffer(*parts)

    def _says_nothing(self, record: Any) -> bool:
        """Whether it is a FULL answer while a dead client may have had a slot in hand."""
        if record.op != PUT or not record.flags & FAILED:
            return False
        return any(record.call < end and record.ret > begin for begin, end in self._unsure)


def _when_filled(inside: list[tuple[int, int]], capacity: int, after: int) -> int:
    """The first time after `after` when `capacity` records were certainly inside; END if there is none."""
    count = 0
    for time, change in sorted(inside):
        count += change
        if count >= capacity and time > after:
            return time
    return END
