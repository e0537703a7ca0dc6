"""Whose functions a client calls: its own, or those that the runtime has instead of the C library's.

The runtime offers `lf_libc_NAME` for a function NAME of the C library. A client's object that calls NAME is led there,
unless one of the client's files defines NAME itself. Calls made up by the compiler are led there, too; those of the C
library among itself are not. A NAME that the client defines gets another name, or the C library would call it: its own
`printf` calls `malloc`, and the runtime prints.
"""

import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

OFFERED = "lf_libc_"
OWN = "lf_own_"
PROGRAM = "lf_model_program"
"""What main is called in a built client: the runtime has its own."""
LIBATOMIC = "__atomic_"
"""So begin the functions of libatomic, whose steps the model would not see. gcc 16 links it without being asked to."""
SYMTAB, UNDEFINED, LOCAL = 2, 0, 0
"""Of ELF: a section that has a table of symbols; the section of a name without a definition; a name for nobody else."""
SECTION = "IIQQQQIIQQ"
SYMBOL = "IBBHQQ"

Run = Callable[[Sequence[str]], str]
"""Runs a command; returns what it wrote to its standard output."""


def binary_tool(name: str) -> str:
    """The tool of that name from GNU binutils or LLVM. Raises `FileNotFoundError` if there is none."""
    for candidate in (name, f"llvm-{name}"):
        if found := shutil.which(candidate):
            return found
    raise FileNotFoundError(f"{name} not found: install binutils (or llvm)")


def symbols(path: Path) -> tuple[set[str], set[str]]:
    """The names that an object file defines for others, and those that it does not define.

    Read here and not by `nm`, which takes as long as the compiler. Raises `ValueError` if it is no 64-bit ELF.
    """
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        raise ValueError(f"{path} is no 64-bit ELF object: which compiler made it?")
    order = "<" if data[5] == 1 else ">"
    (start,) = struct.unpack_from(f"{order}Q", data, 40)
    size, count = struct.unpack_from(f"{order}HH", data, 58)
    count = count or struct.unpack_from(f"{order}{SECTION}", data, start)[5]  # of very many: there
    sections = [struct.unpack_from(f"{order}{SECTION}", data, start + number * size) for number in range(count)]
    defined: set[str] = set()
    missing: set[str] = set()
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != SYMTAB:
            continue
        names = data[sections[link][4] : sections[link][4] + sections[link][5]]
        for name, info, _, section, _, _ in struct.iter_unpack(f"{order}{SYMBOL}", data[offset : offset + length]):
            if info >> 4 != LOCAL:
                text = names[name : names.index(b"\0", name)].decode(errors="surrogateescape")
                (missing if section == UNDEFINED else defined).add(text)
    return defined, missing


def lead(sources: Sequence[Path], objects: Sequence[Path], runtime: Path, run: Run) -> None:
    """Leads the calls of a client's objects to the runtime's functions, and gives main its other name.

    Raises `ValueError` if a name says what the runtime cannot do.
    """
    of_runtime = symbols(runtime)[0]
    offered = {name.removeprefix(OFFERED) for name in of_runtime if name.startswith(OFFERED)}
    tables = [symbols(path) for path in objects]
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
