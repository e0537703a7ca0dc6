"""What must stay as it is in the process that an answer in Python shares with the explorer.

An answer that gets past the screen could make `Thread.start` call the thread's function at once: no two threads would
ever run together, and every answer would be right. It could put the real one back before anybody looks. So the
explorer looks each time when the answer's code is entered from outside, before its first instruction.
"""

import sys
import threading
from collections.abc import Callable
from types import ModuleType

from lockfree._native.tracer import snapshot

ALWAYS = (
    "threading", "queue", "concurrent.futures.thread", "concurrent.futures._base", "lockfree.modelcheck.python",
    "collections", "contextlib", "copy", "dataclasses", "functools", "heapq", "json", "operator", "random",
)  # fmt: skip
"""Modules that are compared each time when the answer is entered: the checks, the explorer and the reports use them."""
OWN = ("threading", "lockfree", "__main__")
"""Modules whose private functions must stay as they are, too; others change some of their own."""
RENEWED = frozenset({"_counter"})
"""Names that the explorer sets again for each execution."""
_Names = dict[tuple[str, str], object]


def _library() -> _Names:
    """Everything that the modules hold, and their classes, too."""
    found: _Names = {}
    for name, module in list(sys.modules.items()):
        for attribute, value in list(vars(module).items()):
            found[name, attribute] = value
            if isinstance(value, type) and value.__module__ == name:
                found |= {(f"{name}.{attribute}", part): inner for part, inner in vars(value).items()}
    return found


class Watch:
    """Remembers the library as it is when this is made. check: the module of the kata's `check.py`.

    changed: is told what is not what it was, and ends the process.
    """

    def __init__(self, check: ModuleType, changed: Callable[[str], object]) -> None:
        self._library = _library()
        self._check = check
        self._tell = changed
        self._loaded = 0
        self._owners: list[tuple[type | ModuleType, set[str] | None]] = []
        self._held: list[dict[str, object]] = []
        self._snapshot = snapshot([])

    def changed(self) -> str:
        """The first of the library that is not what it was; empty if everything is."""
        now = _library()
        for (owner, attribute), value in self._library.items():
            if attribute in RENEWED or (attribute[:1] == "_" and not owner.startswith(OWN)):
                continue
            if now.get((owner, attribute)) is not value and (callable(value) or _is_hook(owner, attribute)):
                return f"{owner}.{attribute}"
        return ""

    def entered(self, first: bool) -> None:
        """The answer is entered from outside. first: of an execution; what there is now is what there must be."""
        if first and len(sys.modules) != self._loaded:
            self._remember()
            return
        while (at := self._snapshot.changed()) is not None:
            if not first and (name := self._which(at)):
                self._tell(name)
                return
            if first and isinstance(self._owners[at][0], ModuleType):  # a name can hold another class, or be gone
                self._remember()
                return
            self._held[at] = _holds(*self._owners[at])
            self._snapshot.renew(at)

    def _remember(self) -> None:
        self._loaded = len(sys.modules)
        modules = [self._check, *(m for name, m in list(sys.modules.items()) if name.startswith(ALWAYS))]
        self._owners = []
        for module in modules:
            there = {
                name: value for name, value in vars(module).items()
                if (callable(value) or _is_hook(module.__name__, name)) and name not in RENEWED
            }  # fmt: skip
            self._owners.append((module, set(there)))
            for value in there.values():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    self._owners.append((value, None))
        self._held = [_holds(*owner) for owner in self._owners]
        self._snapshot = snapshot(self._owners)

    def _which(self, at: int) -> str:
        """The name of what is not what it was; empty if the new object is equal, or if a name counts for nothing."""
        owner, was, now = self._owners[at][0], self._held[at], _holds(*self._owners[at])
        name = owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__qualname__}"
        if isinstance(owner, type) and list(was) != list(now):
            return f"{name}.{next((one for one in [*now, *was] if (one in now) != (one in was)), '__dict__')}"
        return next((f"{name}.{one}" for one, value in was.items() if one not in now or now[one] != value), "")


def _holds(owner: type | ModuleType, wanted: set[str] | None) -> dict[str, object]:
    """The names of a class or module that count, and what they are."""
    return {name: value for name, value in vars(owner).items() if wanted is None or name in wanted}


def _is_hook(owner: str, name: str) -> bool:
    """Whether this is one of the functions that `threading` calls if there is one."""
    return owner == threading.__name__ and name.endswith("_hook")
