"""What an answer in Python meets behind the screen, in its own process: the third wall, beside the filter on calls.

Parts of the standard library reach attributes by names that they are given, or run a text with them inside. The screen
cannot see such names. Here these parts look at them; and what no answer has a use for ends the process.
"""

import copy
import dataclasses
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

REFUSED = 88
"""The status of a process that a wall has ended. It decides, whatever was said before: an answer may have said it."""
ENDS = (
    "ctypes.", "gc.get_objects", "gc.get_referrers", "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn",
    "os.system", "os.kill", "os.putenv", "pickle.", "mmap.", "sys.setprofile", "sys.addaudithook",
    "signal.", "shutil.", "fcntl.", "pty.", "cpython.",
)  # fmt: skip
"""Events of the interpreter that end the process, whatever code causes them."""
ENDS_HERE = frozenset({"exec", "compile", "open", "object.__getattr__", "sys._current_frames"})
"""Those that end it if the answer's own code causes them, or a text."""


Ended = Callable[[str], object]
"""Is told why the process has to end, and ends it."""


def guard(answer: str, ended: Ended) -> None:
    """Puts the wall up, for ever. answer: the file."""
    _guard_copies(ended)
    _guard_dataclasses(ended)
    _guard_wrappers(ended)
    looking = False

    def hook(event: str, _args: tuple[Any, ...]) -> None:
        nonlocal looking
        if event.startswith(ENDS):
            ended(f"it causes {event}, which leads out of the kata")
        if event in ENDS_HERE and not looking:
            looking = True
            by = sys._getframe(1).f_code.co_filename
            looking = False
            if by in {answer, "<string>"}:
                ended(f"it causes {event}, which leads out of the kata")

    sys.addaudithook(hook)


def _guard_copies(ended: Ended) -> None:
    """A copy is one of the same class: what an object says of itself must not make changes elsewhere."""
    real = copy._reconstruct  # type: ignore[attr-defined]

    def reconstruct(x: Any, memo: Any, func: Any, args: Any, *more: Any, **named: Any) -> Any:
        def make(*given: Any) -> Any:
            made = func(*given)
            if type(made) is not type(x):
                ended(f"its copy of a {type(x).__name__} is a {type(made).__name__}, which is not its own")
            return made

        return real(x, memo, make, args, *more, **named)

    copy._reconstruct = reconstruct  # type: ignore[attr-defined]


def _guard_dataclasses(ended: Ended) -> None:
    """The names of fields become text that runs, and attributes that are read."""
    process = dataclasses._process_class  # type: ignore[attr-defined]

    def look_at(names: Iterable[object]) -> None:
        for name in names:
            if type(name) is not str or not name.isidentifier() or name.startswith("__"):
                ended(f"{name!r} is no field of a dataclass")

    def checked(cls: type, *args: Any, **named: Any) -> Any:
        look_at(inspect.get_annotations(cls))
        return process(cls, *args, **named)

    def of_own_fields(real: Callable[..., Any]) -> Callable[..., Any]:
        def function(obj: Any, /, *args: Any, **named: Any) -> Any:
            if isinstance(obj, type | types.ModuleType):
                ended(f"{real.__name__} of {obj!r}, which leads out of the kata")
            fields = getattr(type(obj), "__dataclass_fields__", {})
            look_at([*fields, *(field.name for field in fields.values())])
            return real(obj, *args, **named)

        return function

    dataclasses._process_class = checked  # type: ignore[attr-defined]
    for function in (dataclasses.replace, dataclasses.asdict, dataclasses.astuple):
        setattr(dataclasses, function.__name__, of_own_fields(function))


def _guard_wrappers(ended: Ended) -> None:
    """`functools.wraps(f)(x)` copies the attributes of `f` into `x`, which must be a function."""
    real = functools.update_wrapper

    def update(wrapper: Any, wrapped: Any, *args: Any, **named: Any) -> Any:
        if not callable(wrapper):
            ended(f"wraps() of a {type(wrapper).__name__}, which is no function")
        return real(wrapper, wrapped, *args, **named)

    functools.update_wrapper = update
