"""Calls in the log, and records in hand: from the first of two calls to the last."""

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
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


class Held:
    """A record in hand: the call that began it, and the memory that its view shows."""

    def __init__(self, call: Call, view: Any) -> None:
        self.call, self.thread = call, threading.get_ident()
        self.view: Any = view  # None: it belongs to who sees it
        self.memory: Any = None

    def belongs_to_its_views(self, ended: Callable[[], None]) -> None:
        """From now on. `ended()`: nobody sees it any more."""
        memory = memory_of(self.view)
        with suppress(TypeError):  # memory of a kind that does not end by itself
            self.memory, self.view = weakref.ref(memory, lambda _: ended()), None

    def shows(self, memory: Any) -> bool:
        return memory is (memory_of(self.view) if self.memory is None else self.memory())


class Hands:
    """What was reserved, or peeked, and is in hand; and what each thread took last."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.last: dict[int, Held] = {}


def memory_of(view: Any) -> Any:
    """What a view, or whatever was made of one, shows in the end."""
    while True:
        below = getattr(view, "obj" if isinstance(view, memoryview) else "base", None)
        if below is None:
            return view
        view = below


class Hand:
    """Records that are written or read in place: from the first of two calls to the last."""

    def __init__(self, proxy: "Proxy", name: str) -> None:
        self.proxy, self.name, self.obj = proxy, name, proxy._obj

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.name)(*args, **kwargs)

    def _begin(self, op: str, value: Any = None) -> Call:
        # another client, because its thread may call others in between
        return Call(self.proxy.recorder.new_log(), [Item(op, value)])

    def _take(self, which: str, view: Any) -> Held | None:
        """What is no more in hand: the record of `view`, or what the calling thread took last."""
        hands = self.proxy._hands(which)
        memory = None if view is None else memory_of(view)
        last = hands.last.get(threading.get_ident())
        for one in list(hands.held):
            if one is last if memory is None else one.shows(memory):
                with suppress(ValueError):  # the garbage collector was faster
                    hands.held.remove(one)
                    return one
        return None

    def _keep(self, which: str, call: Call, view: Any) -> Held:
        hands, one = self.proxy._hands(which), Held(call, view)
        hands.held.append(one)
        hands.last[one.thread] = one
        return one

    def _let_go(self, which: str, one: Held, items: Callable[[], list[Item]]) -> None:
        held = self.proxy._hands(which).held

        def ended() -> None:
            with suppress(ValueError):  # it was given back by a call
                held.remove(one)
                one.call.returned(items(), time.monotonic_ns())

        one.belongs_to_its_views(ended)

    @property
    def _has_several(self) -> bool:
        return not getattr(self.obj, "_in_place", True)

    def _with_ticket(self, item: Item) -> list[Item]:
        return ticketed([item]) if self.proxy._explained.tickets else [item]

    def reserve(self, *args: Any, **kwargs: Any) -> Any:
        if self._has_several:
            for earlier in list(self.proxy._hands("reserve").held):
                if earlier.thread == threading.get_ident() and earlier.view is not None:
                    self._let_go("reserve", earlier, list)
        call = self._begin("put")
        view = self.obj.reserve(*args, **kwargs)
        if view is None:  # FULL, of whatever there was to put
            call.returned([Item("put", {"reserved": id(call)}, False)], time.monotonic_ns())
        else:
            self._keep("reserve", call, view)
        return view

    def commit(self, *args: Any, **kwargs: Any) -> Any:
        names = ("priority", "length", "view") if type(self.obj).__name__ == "PriorityQueue" else ("length", "view")
        given = dict(zip(names, args, strict=False)) | kwargs
        held = self._take("reserve", given.get("view"))
        if held is None:
            return self.obj.commit(*args, **kwargs)
        call, priority, length = held.call, given.get("priority"), given.get("length")
        view = held.view if held.memory is None else given.get("view", held.memory())
        value = self.proxy._explained.plain(view if length is None else view[:length])
        value = value if priority is None else [priority, value]
        call.entries[call.at] = ((Item("put", value),), call.started, None)
        del view
        result = self.obj.commit(*args, **kwargs)
        ended = time.monotonic_ns()
        call.returned(self._with_ticket(Item("put", value, True)), ended)
        return result

    def cancel(self, *args: Any, **kwargs: Any) -> Any:
        held = self._take("reserve", kwargs.get("view", args[0] if args else None))
        result = self.obj.cancel(*args, **kwargs)
        if held is not None:
            held.call.returned([], time.monotonic_ns())
        return result

    def peek(self, *args: Any, **kwargs: Any) -> Any:
        call = self._begin("get")
        found = self.obj.peek(*args, **kwargs)
        value = self.proxy._explained.answer(found) if found is not None else None
        ended = time.monotonic_ns()
        call.returned(self._with_ticket(Item("get", None, value)), ended)
        if found is not None:
            view = found[1] if isinstance(found, tuple) else found
            held = self._keep("peek", call, view)
            if self._has_several:
                self._let_go("peek", held, lambda: list(call.entries[call.at][0]))
        return found

    def release(self, *args: Any, **kwargs: Any) -> Any:
        held = self._take("peek", kwargs.get("view", args[0] if args else None))
        result = self.obj.release(*args, **kwargs)
        if held is not None:  # the record was in hand until now
            held.call.returned(list(held.call.entries[held.call.at][0]), time.monotonic_ns())
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
