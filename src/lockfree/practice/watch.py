"""What must stay as it is in the process that an answer in Python shares with the explorer.

An answer that gets past the screen could make `Thread.start` call the thread's function at once: no two threads would
ever run together, and every answer would be right. It could put the real one back before anybody looks. So the
explorer looks each time when the answer's code is entered from outside, before its first instruction.
"""

import sys
import threading
from collections.abc import Callable
from operator import itemgetter
from types import MappingProxyType, ModuleType

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
_View = MappingProxyType[str, object]


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
        self._classes: list[tuple[type, _View, tuple[object, ...]]] = []
        self._modules: list[tuple[ModuleType, tuple[str, ...], Callable[[dict[str, object]], object], object]] = []

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
        if first:
            self._renew()
            return
        for _, view, values in self._classes:
            if tuple(view.values()) != values:
                self._tell(self._which())
        for module, _, chosen, were in self._modules:
            if chosen(vars(module)) != were:
                self._tell(self._which())

    def _renew(self) -> None:
        """As `_remember`. It takes a seventh of the time, since most of what there is was there before."""
        if len(sys.modules) != self._loaded:
            self._remember()
            return
        for at, (kind, view, values) in enumerate(self._classes):
            if (now := tuple(view.values())) != values:
                self._classes[at] = kind, view, now
        for module, _, chosen, were in self._modules:
            if chosen(vars(module)) != were:  # a name can hold another class, or be gone
                self._remember()
                return

    def _remember(self) -> None:
        self._loaded = len(sys.modules)
        modules = [self._check, *(m for name, m in list(sys.modules.items()) if name.startswith(ALWAYS))]
        self._classes, self._modules = [], []
        for module in modules:
            there = {
                name: value for name, value in vars(module).items()
                if (callable(value) or _is_hook(module.__name__, name)) and name not in RENEWED
            }  # fmt: skip
            if len(there) > 1:
                chosen = itemgetter(*there)
                self._modules.append((module, tuple(there), chosen, chosen(vars(module))))
            for value in there.values():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    self._classes.append((value, vars(value), tuple(vars(value).values())))

    def _which(self) -> str:
        """The name of what is not what it was."""
        for kind, view, values in self._classes:
            for name, was in zip(view, values, strict=False):
                if view[name] is not was:
                    return f"{kind.__module__}.{kind.__qualname__}.{name}"
        for module, names, _, were in self._modules:
            for name, before in zip(names, were if isinstance(were, tuple) else (), strict=True):
                if vars(module).get(name) is not before:
                    return f"{module.__name__}.{name}"
        return "a class of the library"


def _is_hook(owner: str, name: str) -> bool:
    """Whether this is one of the functions that `threading` calls if there is one."""
    return owner == threading.__name__ and name.endswith("_hook")
