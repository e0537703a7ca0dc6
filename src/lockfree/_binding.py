"""The commonest calls of locks and semaphore as builtins bound to the object, for a third of a method's price."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lockfree import _native
from lockfree._native import ffi
from lockfree._segment import Shared

BOUND = ("acquire", "try_acquire", "release")


def bind(shared: Shared, base: type[Shared], prefix: str, *slowly: Callable[..., Any]) -> None:
    """Lets builtins stand before those methods of `base` that no subclass has overridden.

    `slowly`: the same calls as functions of the handle, for whatever is more than one attempt that succeeds.
    """
    handle = shared._h
    owner = (handle, *(partial(call, handle) for call in slowly))
    builtins = getattr(_native, f"bind_{prefix}")(int(ffi.cast("uintptr_t", handle)), owner)
    for name, builtin in zip(BOUND, builtins, strict=True):
        if getattr(type(shared), name) is getattr(base, name):
            shared.__dict__[name] = builtin


def unbind(shared: Shared) -> None:
    """Drops them, and with them their hold on the handle."""
    for name in BOUND:
        shared.__dict__.pop(name, None)
