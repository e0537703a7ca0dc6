"""The public names of the package, read from the `__all__` of its modules."""

import re
from functools import cache
from pathlib import Path
from types import FunctionType

PACKAGE = Path(__file__).parent
_ALL = re.compile(r"^__all__ = \[(.*?)\]", re.MULTILINE | re.DOTALL)


@cache
def homes() -> dict[str, str]:
    """The module of every public name. Modules are read, not run."""
    found = {}
    for path in sorted(PACKAGE.glob("*.py")):
        listed = _ALL.search(path.read_text(encoding="utf-8")) if path.stem not in {"__init__", "__main__"} else None
        if listed is not None:
            found.update(dict.fromkeys(re.findall(r'"(\w+)"', listed[1]), path.stem))
    return found


def class_of(primitive: str, note: bytes = b"") -> str:
    """The class of a primitive, by the name of its module; Atomic for all of that family.

    `note` is that of the segment. It names the class if that stands on another primitive.
    """
    if (named := note.decode("ascii", "replace")) in homes():
        return named
    classes = [name for name, home in homes().items() if home == primitive]
    return classes[0] if len(classes) == 1 else primitive.title()


def name_methods(cls: type) -> None:
    """Gives a public class what it inherits from private ones of the package, under its own name.

    So an error speaks of `MPMCRing.peers()`, and not of a class that nobody knows who uses it.
    """
    for name in dir(cls):
        if name.startswith("_") and name != "__init__":
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if owner is cls or owner.__name__ in homes() or not owner.__module__.startswith("lockfree."):
            continue
        found = vars(owner)[name]
        function = found.__func__ if isinstance(found, classmethod) else found
        if isinstance(function, FunctionType):
            own = _renamed(function, cls, name)
            setattr(cls, name, classmethod(own) if isinstance(found, classmethod) else own)


def _renamed(function: FunctionType, cls: type, name: str) -> FunctionType:
    own = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    own.__kwdefaults__, own.__doc__, own.__module__ = function.__kwdefaults__, function.__doc__, cls.__module__
    annotations = "__annotate__" if hasattr(function, "__annotate__") else "__annotations__"  # not evaluated: 3.14
    setattr(own, annotations, getattr(function, annotations))
    own.__dict__.update(function.__dict__)
    own.__qualname__ = f"{cls.__name__}.{name}"
    return own


def stub() -> str:
    """The text of `__init__.pyi`."""
    names = homes()
    modules = sorted(set(names.values()))
    lines = ["# Written by `python -m lockfree._names`: the public names, as type checkers see them."]
    lines.append("# ruff: noqa: I001")
    for module in modules:
        own = sorted(name for name, home in names.items() if home == module)
        lines.append(f"from lockfree.{module} import (")
        lines += [f"    {name} as {name}," for name in own]
        lines.append(")")
    listed = "".join(f'    "{name}",\n' for name in sorted([*names, "__version__"]))
    return "\n".join([*lines, "", "__version__: str", "", f"__all__ = [\n{listed}]"]) + "\n"


if __name__ == "__main__":
    (PACKAGE / "__init__.pyi").write_text(stub(), encoding="utf-8")
