"""The only module that imports the primitives' extensions.

`lib` keeps the GIL (its operations never block), `blocking` gives it up for the whole call (they may sleep or take
long), and both speak of the types of the one `ffi`.
"""

from typing import Any, Final

from lockfree._native._blocking import lib as blocking
from lockfree._native._core import ffi, lib

NULL: Final[Any] = ffi.NULL
__all__ = ["NULL", "blocking", "ffi", "lib"]
