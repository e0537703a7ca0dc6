"""The only module that imports the primitives' extensions.

`lib` keeps the GIL (its operations never block), `blocking` gives it up for the whole call (they may sleep or take
long), and both speak of the types of the one `ffi`. `base` hands out the C types that the primitives' classes are made
of; with LOCKFREE_PURE_CFFI=1 in the environment it hands out empty ones, and the classes' own Python methods, which do
the same through cffi, come to light.
"""

import os
from typing import Any, Final

from lockfree._native._blocking import lib as blocking
from lockfree._native._core import ffi, lib

NULL: Final[Any] = ffi.NULL
PURE: Final = os.environ.get("LOCKFREE_PURE_CFFI") == "1"
__all__ = ["NULL", "PURE", "base", "blocking", "ffi", "lib"]

if lib.lf_py_install() != 0:
    raise ImportError("the C types of lockfree._native._core did not install")


def base(prefix: str) -> Any:
    """The C type with the methods of the primitive `prefix`, to stand first among the bases of its class."""
    if PURE:
        return type(prefix, (), {"__slots__": ()})
    return globals()["_type"](prefix)
