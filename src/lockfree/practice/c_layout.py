"""The map of an answer's structures onto cache lines, read from what the compiler says for debuggers (DWARF)."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_orders import blanked
from lockfree.practice.catalog import Kata

LINE = 64
ENTRY = re.compile(r"\s*<(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)")
ATTRIBUTE = re.compile(r"\s*<[0-9a-f]+>\s+DW_AT_(\w+)\s*: (.*)")
VALUE = re.compile(r"^(\([^)]*\):?\s*)+")
"""What stands before a value: `(string) id`, `(strp) (offset: 0x1b): head`, `(data1) 8`."""
STRUCT = re.compile(r"\b(?:struct|union)\s+(\w+)\s*\{|\}\s*(\w+)\s*;")


@dataclass
class Entry:
    """One entry of DWARF with its attributes and the entries within it."""

    at: int
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list["Entry"] = field(default_factory=list)

    def number(self, name: str, otherwise: int = 0) -> int:
        try:
            return int(VALUE.sub("", self.attributes[name]).split()[0].strip("<>,"), 0)
        except (KeyError, ValueError):
            return otherwise

    @property
    def name(self) -> str:
        return VALUE.sub("", self.attributes.get("name", "")).strip()


@dataclass(frozen=True)
class Member:
    """A member of a structure. size: bytes, 0 of an array without a length. atomic: as a whole, or a part of it."""

    name: str
    offset: int
    size: int
    atomic: bool


@dataclass(frozen=True)
class Structure:
    """A structure with its members by their offsets."""

    name: str
    size: int
    members: tuple[Member, ...]

    def lines(self) -> list[str]:
        """The map: one text a cache line; an atomic member has a star."""
        found: dict[int, list[str]] = {}
        for member in self.members:
            star = "*" if member.atomic else ""
            size = f"{member.size}" if member.size else "…"
            found.setdefault(member.offset // LINE, []).append(f"{member.name}{star} ({size})")
            last = (member.offset + max(member.size, 1) - 1) // LINE
            if last > member.offset // LINE and member.size:
                found.setdefault(last, []).append(f"end of {member.name}")
        return [f"{self.name} line {number}: {', '.join(names)}" for number, names in sorted(found.items())]

    def crowded(self) -> list[str]:
        """Lines with more than one atomic member: a write of one takes the others from all their readers."""
        found: dict[int, list[str]] = {}
        for member in self.members:
            if member.atomic and member.size:
                found.setdefault(member.offset // LINE, []).append(member.name)
        return [f"{self.name} line {n}: {', '.join(names)} share it" for n, names in sorted(found.items()) if names[1:]]


def _entries(text: str) -> list[Entry]:
    top: list[Entry] = []
    path: list[Entry] = []
    for line in text.splitlines():
        if found := ENTRY.match(line):
            depth, entry = int(found[1]), Entry(int(found[2], 16), found[3])
            del path[depth:]
            (path[-1].inside if path else top).append(entry)
            path.append(entry)
        elif path and (found := ATTRIBUTE.match(line)):
            path[-1].attributes[found[1]] = found[2].strip()
    return top


def _all(entries: list[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        yield from _all(entry.inside)


class _Types:
    """What the entries say of types."""

    def __init__(self, entries: list[Entry]) -> None:
        self.by_place = {entry.at: entry for entry in _all(entries)}

    def of(self, entry: Entry) -> Entry | None:
        return self.by_place.get(entry.number("type", -1))

    def size(self, entry: Entry | None) -> int:
        if entry is None:
            return 0
        if "byte_size" in entry.attributes:
            return entry.number("byte_size")
        if entry.tag == "array_type":
            count = 1
            for part in entry.inside:
                count *= part.number("upper_bound", -1) + 1
            return count * self.size(self.of(entry))
        return self.size(self.of(entry))

    def atomic(self, entry: Entry | None) -> bool:
        if entry is None:
            return False
        if entry.tag in {"structure_type", "union_type"}:
            return any(self.atomic(self.of(part)) for part in entry.inside)
        return entry.tag == "atomic_type" or (entry.tag != "pointer_type" and self.atomic(self.of(entry)))

    def members(self, entry: Entry) -> tuple[Member, ...]:
        return tuple(
            Member(
                part.name or "(unnamed)", part.number("data_member_location"), self.size(self.of(part)),
                self.atomic(self.of(part)),
            )
            for part in entry.inside
            if part.tag == "member"
        )  # fmt: skip


def structures(kata: Kata, answer: Path) -> list[Structure]:
    """All structures that the answer or the kata's headers define. Empty if the compiler or readelf says nothing."""
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        made = str(Path(scratch) / "answer.o")
        include = f"-I{kata.folder / 'include'}"
        command = [*compiler(), "-std=c11", "-O0", "-gdwarf-5", "-fno-eliminate-unused-debug-types", "-c", include]
        if subprocess.run([*command, str(answer), "-o", made], capture_output=True, check=False).returncode:
            return []
        try:
            read = subprocess.run(
                ["readelf", "--debug-dump=info", "--wide", made], capture_output=True, text=True, errors="replace",
                check=False,
            )  # fmt: skip
        except FileNotFoundError:
            return []
    texts = [answer, *sorted((kata.folder / "include").glob("*.h"))]
    plain = "\n".join(blanked(path.read_text(encoding="utf-8", errors="replace")) for path in texts)
    named = {name for found in STRUCT.finditer(plain) for name in found.groups() if name}
    entries = _entries(read.stdout)
    types = _Types(entries)
    found: dict[str, Structure] = {}
    for entry in _all(entries):
        kind = types.of(entry) if entry.tag == "typedef" else entry
        if kind is None or kind.tag != "structure_type" or entry.name not in named or not kind.inside:
            continue
        found.setdefault(entry.name, Structure(entry.name, kind.number("byte_size"), types.members(kind)))
    return list(found.values())
