"""What killed clients did to a container that was emptied in the end: what is missing explains their open calls.

An open put whose record nobody got never happened, as far as anybody can tell. A record that was put and that
nobody got was taken by an open get. So nothing about the dead is left unknown but which of them took which, and a
history without open gets is decided far faster. If more is missing than the dead can account for, the history says
so by itself: the last EMPTY came while a record was certainly inside.
"""

from collections.abc import Callable, Iterator
from itertools import islice, permutations
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree.linearizability import History
from lockfree.stress.arena import PENDING, RECORD_BYTES, Arena
from lockfree.stress.recorder import GET, PUT

END = 1 << 61
"""A time after everything: when an explained call of the dead returns at the latest."""
MOST_WAYS = 24
FAILED, PAIR = 1, 2


class Aftermath:
    """The logs of a round with kills. `ways` gives the histories that may have been."""

    def __init__(self, arena: Arena) -> None:
        self._logs: list[tuple[Any, int, int]] = []  # records, how many returned, how many there are
        self.got: set[int] = set()
        put: dict[int, tuple[int, int]] = {}
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
                    put[record.arg] = (record.arg2, record.call)
                elif record.op == GET:
                    self.got.add(record.result)
        missing = [value for value in put if value not in self.got]
        missing.sort(key=lambda value: put[value][1])
        self._levels = {value: put[value][0] for value in missing}
        self.missing = missing
        self.open_gets = [
            (i, k)
            for i, (r, returned, count) in enumerate(self._logs)
            for k in range(returned, count)
            if r[k].op == GET
        ]

    def ways(self, *, loose: bool = False) -> Iterator[Callable[[], History]]:
        """Histories, at least one, lazily: each gives the missing records to open gets in another way.

        `loose`: without the refused puts, and batches of gets from levels as gets of their own.
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
                    copy[at].result, copy[at].arg2 = value, self._levels[value]
                    copy[at].flags = PAIR if any(copy[j].flags & PAIR for j in range(returned)) else 0
            total = returned + len(kept)
            if loose:
                whole, copy = copy, ffi.new("struct lf_history_op[]", total + 1)
                total = int(lib.lf_stress_without_full(whole, total, copy))
            if total:
                parts.append(ffi.buffer(copy, total * RECORD_BYTES))
        return History.from_buffer(*parts)
