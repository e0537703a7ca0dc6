"""The public names of the package, read from the `__all__` of its modules."""

import re
from functools import cache
from pathlib import Path

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
