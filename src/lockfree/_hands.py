"""Records in hand, for the methods that go through cffi; the C types do the same (_native/common/hands.h, loans.h).

A loan belongs to the hand of a thread, or to its views. One that belongs to its views ends with the last of them: the
garbage collector cancels a reservation and releases a peeked record, in whatever thread it runs.
"""

import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from lockfree._errors import brief
from lockfree._native import ffi, lib

if TYPE_CHECKING:
    from lockfree._container import Container

Which = Literal["reserved", "peeked"]
NONE = -1


class Lent(bytearray):
    """Memory of a record that is in hand."""

    __slots__ = ("__weakref__", "handle", "owner", "participant", "slot", "which")

    owner: "Container[Any] | None"
    """The object, if the loan belongs to its views; None: to a hand."""

    def __init__(self, source: "int | bytes") -> None:
        super().__init__(source)
        self.slot, self.owner = NONE, None
        self.handle: Any = None

    def lend(self, which: Which, handle: Any, slot: int) -> None:
        self.which, self.handle, self.participant = which, handle, me(handle)
        self.slot = slot

    def end(self) -> int:
        """Its slot, which the caller must give back or publish; NONE if somebody was faster."""
        slot, self.slot = self.slot, NONE
        return slot

    def __del__(self) -> None:
        owner, slot = getattr(self, "owner", None), self.end() if hasattr(self, "slot") else NONE
        if owner is None or slot == NONE:
            return
        with suppress(Exception):
            handle = ffi.addressof(self.handle, "h")
            if not handle.closed and lib.lf_py_is_me(handle, self.participant):
                give = owner._c_cancel if self.which == "reserved" else owner._c_release
                give(self.handle, slot)


class Held:
    """What a thread took last, kept by its hand."""

    def __init__(self, memory: Lent, view: Any) -> None:
        self.memory, self.view = memory, view

    def found(self) -> "tuple[Lent | None, Any]":
        return self.memory, self.view


class Loose(Held):
    """What a thread took last, if that belongs to its views."""

    def __init__(self, memory: Lent, view: Any) -> None:
        self.of_memory = weakref.ref(memory)
        self.of_view = weakref.ref(view) if isinstance(view, memoryview) else None

    def found(self) -> "tuple[Lent | None, Any]":
        return self.of_memory(), self.of_view and self.of_view()


class Hand(threading.local):
    """What the calling thread took last."""

    reserved: Held | None = None
    peeked: Held | None = None


_NOTHING = {
    "reserved": "this thread has nothing in hand: call reserve() first",
    "peeked": "this thread has nothing in hand: call peek() first",
}
_ALREADY = {
    "reserved": "this thread has a reservation already: commit() or cancel() it first",
    "peeked": "this thread has a record in hand already: release() it first",
}
_NOT_IN_HAND = {
    "reserved": "this view is of no reservation that is in hand",
    "peeked": "this view is of no peeked record that is in hand",
}


def open_hand(container: "Container[Any]", which: Which) -> None:
    """Before another one is taken: what the hand keeps belongs to its views then; in place it must keep nothing."""
    container._require_open()
    held: Held | None = getattr(container._hand, which)
    if held is None or isinstance(held, Loose) or held.memory.slot == NONE:
        return
    if not container._in_place:
        loosen(container, which)
    elif held.memory.participant == me(container._h):  # else it was the parent's
        raise RuntimeError(f"{container._title()}: {_ALREADY[which]}")


def keep(container: "Container[Any]", which: Which, memory: Lent, view: Any) -> None:
    """The calling thread has just taken what `memory` shows."""
    held: Held | None = getattr(container._hand, which)
    if held is not None and not isinstance(held, Loose):
        held.memory.owner = container  # a signal handler of this thread has taken it meanwhile
    setattr(container._hand, which, Held(memory, view))


def loosen(container: "Container[Any]", which: Which) -> None:
    """What the hand keeps belongs to its views from now on."""
    held: Held = getattr(container._hand, which)
    loose = Loose(held.memory, held.view)
    held.memory.owner = container
    setattr(container._hand, which, loose)


def find(container: "Container[Any]", which: Which, view: Any) -> tuple[Lent, Any] | None:
    """Memory and view of the loan of `view`, or of the thread's last one. None: the garbage collector has ended it."""
    container._require_open()
    handle, held = container._h, getattr(container._hand, which)
    memory: Lent | None = None
    seen = view
    if view is not None:
        memory = memory_of(view)
    elif held is not None:
        memory, seen = held.found()
        if memory is None:
            setattr(container._hand, which, None)
            if which == "peeked":
                return None
    if memory is not None and memory.slot != NONE and memory.handle is handle and memory.which == which:
        if memory.participant == me(handle):
            return memory, seen
        setattr(container._hand, which, None)  # the parent's
        end_view(seen)
    raise RuntimeError(f"{container._title()}: {(_NOTHING if view is None else _NOT_IN_HAND)[which]}")


def take(container: "Container[Any]", which: Which, memory: Lent) -> int:
    """Ends a loan that was found: its slot, which leaves the hand now."""
    slot = memory.end()
    if slot == NONE:
        raise RuntimeError(f"{container._title()}: {_NOT_IN_HAND[which]}")
    return slot


def done(container: "Container[Any]", which: Which, memory: Lent, view: Any) -> None:
    """After the loan has ended."""
    memory.owner = None
    end_view(view)
    held: Held | None = getattr(container._hand, which)
    if held is not None and held.found()[0] is memory:
        setattr(container._hand, which, None)


def drop(container: "Container[Any]", which: Which) -> None:
    """Empties the calling thread's hand without touching the slot: the view ends."""
    held: Held | None = getattr(container._hand, which)
    setattr(container._hand, which, None)
    if held is not None:
        memory, view = held.found()
        if memory is not None and not isinstance(held, Loose):
            memory.end()
        end_view(view)


def memory_of(view: Any) -> Lent:
    """The memory that a view shows: of a memoryview, an array, or what was made of one."""
    at = view
    for _ in range(16):
        if isinstance(at, Lent):
            return at
        try:
            at = at.obj if isinstance(at, memoryview) else at.base
        except ValueError:
            text = "view is a memoryview that was released: its record is not in hand any more"
            raise ValueError(text) from None
        except AttributeError:
            break
    raise TypeError(f"view is {brief(view)}: it must be what reserve() or peek() gave")


def refuse_view(name: str, given: Any, method: str) -> None:
    """TypeError if a view stands in the place of the argument `name`."""
    if isinstance(given, memoryview) or (hasattr(given, "base") and not hasattr(given, "__index__")):
        raise TypeError(f"{name} is {brief(given)}: a view is passed as {method}(view=...)")


def end_view(view: Any) -> None:
    if isinstance(view, memoryview):
        with suppress(BufferError):
            view.release()  # refused if somebody made an array of it, which keeps the memory


def me(handle: Any) -> int:
    """The participant that this process is; another one in a forked child."""
    return int(lib.lf_py_participant(ffi.addressof(handle, "h")))
