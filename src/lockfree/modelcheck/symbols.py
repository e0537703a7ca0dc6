"""Whose functions a client calls: its own, or those that the runtime has instead of the C library's.

The runtime offers `lf_libc_NAME` for a function NAME of the C library. A client's object that calls NAME is led there,
unless one of the client's files defines NAME itself. Calls made up by the compiler are led there, too; those of the C
library among itself are not. A NAME that the client defines gets another name, or the C library would call it: its own
`printf` calls `malloc`, and the runtime prints.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

OFFERED = "lf_libc_"
OWN = "lf_own_"
PROGRAM = "lf_model_program"
"""What main is called in a built client: the runtime has its own."""
LIBATOMIC = "__atomic_"
"""So begin the functions of libatomic, whose steps the model would not see. gcc 16 links it without being asked to."""
ENTRY = re.compile(r"^(\S+) ([A-Za-z])\b", re.MULTILINE)

Run = Callable[[Sequence[str]], str]
"""Runs a command; returns what it wrote to its standard output."""


def binary_tool(name: str) -> str:
    """The tool of that name from GNU binutils or LLVM. Raises `FileNotFoundError` if there is none."""
    for candidate in (name, f"llvm-{name}"):
        if found := shutil.which(candidate):
            return found
    raise FileNotFoundError(f"{name} not found: install binutils (or llvm)")


def symbols(path: Path, run: Run) -> tuple[set[str], set[str]]:
    """The names that an object file defines for others, and those that it does not define."""
    defined: set[str] = set()
    missing: set[str] = set()
    for name, kind in ENTRY.findall(run([binary_tool("nm"), "-P", "-g", str(path)])):
        (missing if kind in "Uwv" else defined).add(name)
    return defined, missing


def lead(sources: Sequence[Path], objects: Sequence[Path], runtime: Path, run: Run) -> None:
    """Leads the calls of a client's objects to the runtime's functions, and gives main its other name.

    Raises `ValueError` if a name says what the runtime cannot do.
    """
    of_runtime = symbols(runtime, run)[0]
    offered = {name.removeprefix(OFFERED) for name in of_runtime if name.startswith(OFFERED)}
    tables = [symbols(path, run) for path in objects]
    own = {name for defined, _ in tables for name in defined}
    for source, (_, missing) in zip(sources, tables, strict=True):
        if unknown := sorted(name for name in missing - own - of_runtime if name.startswith(LIBATOMIC)):
            wide = "an atomic object that needs a lock (libatomic), of another size than 1, 2, 4, 8 or 16 bytes"
            raise ValueError(f"{source} has {wide}: it calls {', '.join(unknown)}")
    for path, (defined, missing) in zip(objects, tables, strict=True):
        names = {name: OFFERED + name for name in missing & offered - own} | {"main": PROGRAM}
        names |= {name: OWN + name for name in (defined | missing) & offered & own}
        mapping = path.with_suffix(".names")
        mapping.write_text("".join(f"{old} {new}\n" for old, new in names.items()))
        run([binary_tool("objcopy"), f"--redefine-syms={mapping}", str(path)])
