"""Calls in the log, and records in hand: from the first of two calls to the last."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lockfree.linearizability.methods import Item, Rule, UnknownCall
from lockfree.linearizability.recorder import Entry
from lockfree.linearizability.tickets import ticketed

if TYPE_CHECKING:
    from lockfree.linearizability.proxy import Proxy

IN_HAND = {"reserve", "commit", "cancel", "peek", "release", "lease", "read", "get_into"}


class Call:
    """One call in the log: open until it returns."""

    __slots__ = ("at", "entries", "items", "started")

    def __init__(self, entries: list[Entry], items: list[Item]) -> None:
        self.entries, self.at = entries, len(entries)
        self.items = items
        self.started = time.monotonic_ns()
        entries.append((tuple(items), self.started, None))  # stays like this if the call never returns

    def returned(self, items: list[Item], ended: int) -> None:
        self.entries[self.at] = (tuple(items), self.started, ended)


class Hand:
    """Records that are written or read in place: from the first of two calls to the last."""

    def __init__(self, proxy: "Proxy", name: str) -> None:
        self.proxy, self.name, self.obj = proxy, name, proxy._obj

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.name)(*args, **kwargs)

    def _begin(self, op: str, value: Any = None) -> Call:
        # another client, because its thread may call others in between
        return Call(self.proxy.recorder.new_log(), [Item(op, value)])

    @property
    def _open(self) -> dict[str, Any]:
        return self.proxy._hands()

    def _with_ticket(self, item: Item) -> list[Item]:
        return ticketed([item]) if self.proxy._explained.tickets else [item]

    def reserve(self, *args: Any, **kwargs: Any) -> Any:
        call = self._begin("put")
        view = self.obj.reserve(*args, **kwargs)
        if view is None:  # FULL, of whatever there was to put
            call.returned([Item("put", {"reserved": id(call)}, False)], time.monotonic_ns())
        else:
            self._open["reserve"] = (call, view)
        return view

    def commit(self, *args: Any, **kwargs: Any) -> Any:
        call, view = self._open.pop("reserve", (None, None))
        if call is None:
            return self.obj.commit(*args, **kwargs)
        explained = self.proxy._explained
        priority = args[0] if type(self.obj).__name__ == "PriorityQueue" and args else kwargs.get("priority")
        length = args[-1] if len(args) > (priority is not None) else kwargs.get("length")
        value = explained.plain(view if length is None else view[:length])
        value = value if priority is None else [priority, value]
        call.entries[call.at] = ((Item("put", value),), call.started, None)
        result = self.obj.commit(*args, **kwargs)
        ended = time.monotonic_ns()
        call.returned(self._with_ticket(Item("put", value, True)), ended)
        return result

    def cancel(self) -> Any:
        call, _ = self._open.pop("reserve", (None, None))
        result = self.obj.cancel()
        if call is not None:
            call.returned([], time.monotonic_ns())
        return result

    def peek(self, *args: Any, **kwargs: Any) -> Any:
        call = self._begin("get")
        found = self.obj.peek(*args, **kwargs)
        value = self.proxy._explained.answer(found) if found is not None else None
        ended = time.monotonic_ns()
        call.returned(self._with_ticket(Item("get", None, value)), ended)
        if found is not None:
            self._open["peek"] = call
        return found

    def release(self, *args: Any, **kwargs: Any) -> Any:
        call = self._open.pop("peek", None)
        result = self.obj.release(*args, **kwargs)
        if call is not None:  # the record was in hand until now
            call.returned(list(call.entries[call.at][0]), time.monotonic_ns())
        return result

    def lease(self, *args: Any, **kwargs: Any) -> "Lease":
        if getattr(self.obj, "fronts", False):
            raise UnknownCall("lease() of a queue with fronts: a record that goes back does not say to which line")
        return Lease(self, self.obj.lease(*args, **kwargs), gives_back=True)

    def read(self, *args: Any, **kwargs: Any) -> "Lease":
        return Lease(self, self.obj.read(*args, **kwargs), gives_back=False)

    def get_into(self, *_: Any, **__: Any) -> Any:
        raise UnknownCall("get_into() fills memory that the next call may overwrite: record get_many() instead")


class Lease:
    """A record in hand during a `with` block. Of a lease, it goes back if the block fails."""

    def __init__(self, hand: Hand, manager: Any, *, gives_back: bool) -> None:
        self.hand, self.manager, self.gives_back = hand, manager, gives_back
        self.call: Call | None = None

    def __enter__(self) -> Any:
        call = self.hand._begin("get")
        try:
            record = self.manager.__enter__()
        except BaseException as error:
            items = self.hand.proxy._explained.failed(Rule("get"), call.items, error)
            if items is not None:
                call.returned(items, time.monotonic_ns())
            raise
        value = self.hand.proxy._explained.answer(record)
        ended = time.monotonic_ns()
        call.returned(self.hand._with_ticket(Item("get", None, value)), ended)
        self.call = call
        return record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self.call is not None
        items = list(self.call.entries[self.call.at][0])
        back = self.hand._begin("put", items[0].result) if kind is not None and self.gives_back else None
        try:
            return bool(self.manager.__exit__(kind, error, trace))
        finally:
            ended = time.monotonic_ns()
            self.call.returned(items, ended)
            if back is not None:
                back.returned([back.items[0]._replace(result=True)], ended)
