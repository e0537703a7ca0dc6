"""Puts the scheduler's primitives where a program finds the real ones, and takes them away again.

A module may have taken `from threading import Lock` long before. So every module's global names are looked through
for the real functions, and for locks that were made when a module was loaded.
"""

import _thread
import asyncio
import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from lockfree.modelcheck.python import locks
from lockfree.modelcheck.python.accesses import in_library
from lockfree.modelcheck.python.loop import Loop

_IMPORT = ("importlib", "_frozen_importlib")
_LOCKS: tuple[type, ...] = (type(_thread.allocate_lock()), type(_thread.RLock()))


def _replacements() -> dict[int, tuple[object, object]]:
    """By the identity of each real function: it and what replaces it."""
    pairs: list[tuple[object, object]] = [
        (_thread.allocate_lock, locks.allocate_lock),
        (threading.RLock, locks.reentrant_lock),
        (_thread.RLock, locks.reentrant_lock),
        (_thread.start_new_thread, locks.start_new_thread),
        (time.monotonic, locks.monotonic),
        (time.perf_counter, locks.monotonic),
        (time.monotonic_ns, locks.monotonic_ns),
        (time.perf_counter_ns, locks.monotonic_ns),
        (time.time, locks.wall),
        (time.time_ns, locks.wall_ns),
        (time.sleep, locks.sleep),
        (asyncio.new_event_loop, Loop),
        (queue.SimpleQueue, locks.SimpleQueue),
    ]
    for name, replacement in (
        ("allocate", locks.allocate_lock),
        ("start_new", locks.start_new_thread),
        ("_set_sentinel", locks.Sentinel),
        ("_ThreadHandle", locks.Handle),
        ("start_joinable_thread", locks.start_joinable_thread),
        ("lock", locks.allocate_lock),  # what `threading.Lock` is from Python 3.13 on
    ):
        if hasattr(_thread, name):
            pairs.append((getattr(_thread, name), replacement))
    return {id(real): (real, replacement) for real, replacement in pairs}


def _in_module(real: Any, replacement: Any) -> Callable[..., Any]:
    """What stands in the module `_thread` itself: the import system goes on with the real one."""

    def called(*args: Any, **kwargs: Any) -> Any:
        by = sys._getframe(1).f_globals.get("__name__", "")
        return (real if by.startswith(_IMPORT) else replacement)(*args, **kwargs)

    return called


def _untouched(module: ModuleType) -> bool:
    name = module.__name__
    return name.startswith(("lockfree.modelcheck", *_IMPORT, "_pytest", "pytest", "pluggy"))


def is_library(module: ModuleType) -> bool:
    """Whether the locks of a module are no concern of the program."""
    return in_library(getattr(module, "__file__", None) or "")


def _hook(arguments: Any) -> None:
    """`threading.excepthook`: what a thread raises is the finding."""
    if arguments.exc_type is SystemExit:
        return
    found = locks.current()
    if found is not None:
        found[0].raised(arguments.exc_value)


@contextlib.contextmanager
def installed() -> Iterator[Callable[[], None]]:
    """The modules see the scheduler's primitives meanwhile. Yields what makes the locks of modules free again."""
    replaced: list[tuple[dict[str, Any], str, object]] = []
    by_identity = _replacements()
    made: dict[int, locks.Lock | locks.RLock] = {}

    def fresh() -> None:
        for lock in made.values():
            lock._at_fork_reinit()

    def put(namespace: dict[str, Any], name: str, value: object) -> None:
        replaced.append((namespace, name, namespace[name]))
        namespace[name] = value

    for module in list(sys.modules.values()):
        namespace = getattr(module, "__dict__", None)
        if type(namespace) is not dict or not isinstance(module, ModuleType) or _untouched(module):
            continue
        for name, value in list(namespace.items()):
            if isinstance(value, _LOCKS):
                kind = locks.Lock if isinstance(value, _LOCKS[0]) else locks.RLock
                put(namespace, name, made.setdefault(id(value), kind(hidden=is_library(module))))
            elif (pair := by_identity.get(id(value))) is not None:
                put(namespace, name, _in_module(*pair) if module is _thread else pair[1])
    for name, value in (("_CRLock", None), ("excepthook", _hook)):
        if name in vars(threading):
            put(vars(threading), name, value)
    try:
        yield fresh
    finally:
        for namespace, name, value in reversed(replaced):
            namespace[name] = value
