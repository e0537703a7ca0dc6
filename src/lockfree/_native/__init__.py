"""The only module that imports the primitives' extensions.

`lib` keeps the GIL (its operations never block), `blocking` gives it up for the whole call (they may sleep or take
long), and both speak of the types of the one `ffi`. `Native` hands out the C types that the primitives' classes are
made of. With LOCKFREE_PURE_CFFI=1 in the environment it hands out empty ones; then the classes' own Python methods
appear, which do the same through cffi.
"""

import os
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, get_args

from lockfree._native._blocking import lib as blocking
from lockfree._native._core import ffi, lib

if TYPE_CHECKING:
    from contextvars import ContextVar

NULL: Final[Any] = ffi.NULL
PURE: Final = os.environ.get("LOCKFREE_PURE_CFFI") == "1"
Prefix = TypeVar("Prefix")
__all__ = ["NULL", "PURE", "Native", "base", "blocking", "bytes_of", "exporter", "ffi", "fill", "lib", "use_scopes"]

if lib.lf_py_install() != 0:
    raise ImportError("the C types of lockfree._native._core did not install")


def base(prefix: str) -> Any:
    """The C type with the methods of the primitive `prefix`, to stand first among the bases of its class."""
    if PURE:
        return type(prefix, (), {"__slots__": ()})
    made = globals()["_type"](prefix)

    def of_its_own(cls: type, /, **named: Any) -> None:
        super(made, cls).__init_subclass__(**named)
        if made in cls.__bases__:
            globals()["_own_methods"](made, cls)

    made.__init_subclass__ = classmethod(of_its_own)
    return made


def bytes_of(buffer: Any) -> bytes:
    """`bytes(buffer)`, and other threads run while they are many."""
    found: bytes = globals()["_bytes_of"](buffer)
    return found


def fill(buffer: Any, data: Any) -> None:
    """Copies contiguous bytes to where a contiguous buffer begins, and other threads run while they are many."""
    globals()["_fill"](buffer, data)


def use_scopes(variable: "ContextVar[Any]") -> None:
    """From now on waits in C look there for what is wanted of them."""
    if not PURE and not _in_use:
        globals()["_set_scopes"](variable)
        _in_use.append(variable)


_in_use: "list[ContextVar[Any]]" = []


def exporter(prefix: str) -> Any:
    """The C type of this prefix, also without C types: Python code cannot show memory of its own before 3.12."""
    return globals()["_type"](prefix)


if TYPE_CHECKING:

    class Native(Generic[Prefix]): ...  # adds nothing: what it does in C stands in the Python class beside it
else:

    class Native:
        """`class Mutex(Native[Literal["mutex"]], Lock)`: `base("mutex")`, in a form that type checkers know."""

        def __class_getitem__(cls, prefix: Any) -> Any:
            return base(get_args(prefix)[0])


for _prefix in ("lease", "memory", "section", "visit"):
    base(_prefix)  # makes the C types of what calls of several primitives hand out, before the first object
