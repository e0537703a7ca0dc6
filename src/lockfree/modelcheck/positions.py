"""Where program addresses are in the source, and what the variables there are called: by binutils, names demangled."""

import re
import subprocess
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from lockfree.modelcheck.symbols import OFFERED, binary_tool

MAIN = re.compile(r"\blf_model_program\b")
FOREIGN = re.compile(r"^(/usr/(include|lib)/|/usr/local/include/|\?\?)")
"""Files whose inlined code is shown as the line that uses it."""
LAMBDA = re.compile(r"\{lambda\(\)#(\d+)\}")
STATIC = re.compile(r"^guard variable for ")


def _lines(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines()


def _short(function: str) -> str:
    """A C++ function as a reader calls it: without parameters and template arguments."""
    if "(" not in function and "<" not in function:
        return function
    if function.startswith("operator()"):
        return "a lambda"
    name, depth = "", 0
    for character in LAMBDA.sub(r"lambda \1", function):
        depth += (character in "<(") - (character in ">)")
        if not depth and character not in ">)":
            name += character
    return name.removesuffix(" const").rpartition(" ")[2] if "lambda" not in name else name


class Positions:
    """Looks up positions and variables of one built program."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._known: dict[int, tuple[str, int, str]] = {}
        self._foreign: set[int] = set()

    @cached_property
    def _symbols(self) -> tuple[list[int], list[tuple[int, int, str]]]:
        found = []
        for line in _lines([binary_tool("nm"), "-S", "-C", "--defined-only", self.program]):
            parts = line.split(maxsplit=3)
            if len(parts) == 4 and parts[2] in "bBdDvVu":
                name = STATIC.sub("the guard of ", parts[3]).removeprefix(OFFERED)
                found.append((int(parts[0], 16), int(parts[1], 16), name))
        found.sort()
        return [start for start, _, _ in found], found

    def symbol_at(self, address: int) -> str:
        """The variable there, or an empty text."""
        starts, symbols = self._symbols
        at = bisect_right(starts, address) - 1
        if at < 0 or address >= symbols[at][0] + symbols[at][1]:
            return ""
        start, _, name = symbols[at]
        return name if start == address else f"{name}+{address - start}"

    def look_up(self, pcs: set[int]) -> set[int]:
        """Finds the source positions of program positions, all with one call; returns them."""
        if not pcs:
            return pcs
        _ = self._symbols
        wanted = sorted(pcs - {0} - set(self._known))  # 0: what a thread does without being told, as dying
        if not wanted:
            return pcs
        command = [binary_tool("addr2line"), "-a", "-i", "-C", "-f", "-e", self.program]
        lines = _lines([*command, *(hex(pc - 1) for pc in wanted)])
        at = 0
        for pc in wanted:
            at += 1  # the address
            frames = []
            while at + 1 < len(lines) and not re.fullmatch(r"0x[0-9a-f]{8,}", lines[at]):
                frames.append((lines[at], lines[at + 1].partition(" (discriminator")[0]))
                at += 2
            frames = frames or [("?", "??:0")]
            function, position = next((frame for frame in frames if not FOREIGN.match(frame[1])), frames[0])
            if FOREIGN.match(position):
                self._foreign.add(pc)
            file, _, line_number = position.rpartition(":")
            number = int(line_number) if line_number.isdigit() else 0
            self._known[pc] = (file, number, MAIN.sub("main", _short(function)))
        return pcs

    def where(self, pc: int) -> tuple[str, int, str]:
        """The file, the line (0: not known) and the function."""
        self.look_up({pc})
        return self._known.get(pc, ("", 0, ""))

    def is_foreign(self, pc: int) -> bool:
        """Whether nothing of the program itself is there: a library's code, or a place that is not known."""
        self.look_up({pc})
        return pc in self._foreign

    def position(self, pc: int) -> str:
        """FILE:LINE FUNCTION, `?` where it is not known."""
        if pc == 0:
            return ""
        file, line, function = self.where(pc)
        return f"{Path(file).name}:{line} {function}" if line else "?"
