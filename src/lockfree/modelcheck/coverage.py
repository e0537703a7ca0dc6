"""Which branches of a program the explored executions have reached."""

import os
import re
import subprocess
from dataclasses import dataclass

from lockfree.modelcheck.symbols import binary_tool
from lockfree.modelcheck.trace import Trace

MARK = "__sanitizer_cov_trace_pc"
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)(?:.*<([^>+]+)>\s*$)?")
CALLS = frozenset({"call", "callq", "bl"})
LEAVES = frozenset({"jmp", "jmpq", "ret", "retq", "b", "br"})
"""Instructions after which others follow that do not belong to the branch."""
ACCESS = re.compile(
    r"__tsan_(?:unaligned_)?(?:volatile_)?(?:read|write)(?:\d+|_range)"
    r"|__tsan_atomic\w+|(?:lf_libc_)?mem(?:cpy|move|set)|lf_model_(?:written|copied)\w*"
)
"""What the compiler puts before an access to memory that others may see, or in its place."""


@dataclass(frozen=True)
class Coverage:
    """Of the branches that the compiler left: how many were reached, how many there are, and where the others are.

    untouched: the accesses to memory in these others, behind their branches. A branch is `FUNCTION+OFFSET`: one line
    has two if its function is inlined twice. Other places: `FILE:LINE`.
    """

    reached: int
    branches: int
    missed: list[str]
    untouched: list[tuple[str, str]]

    def __str__(self) -> str:
        text = f"{self.reached} of {self.branches} branches reached"
        return text + (f"; never: {', '.join(self.missed)}" if self.missed else "")


@dataclass
class _Branch:
    """name: its function, and how far behind its beginning. accesses: the places behind the calls for them."""

    name: str
    accesses: list[int]


def _branches(program: str | os.PathLike[str]) -> dict[int, _Branch]:
    """By the places behind the calls that mark their beginnings."""
    command = [binary_tool("objdump"), "-d", "--no-show-raw-insn", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[int, _Branch] = {}
    branch: _Branch | None = None
    marked = announced = False
    function, begin = "", 0
    for line in done.stdout.splitlines():
        if heading := FUNCTION.match(line):
            branch, marked, announced = None, False, False
            function, begin = heading[2], int(heading[1], 16)
        instruction = INSTRUCTION.match(line)
        if instruction is None:
            continue
        address, name, target = int(instruction[1], 16), instruction[2], instruction[3] or ""
        if marked:
            branch = found.setdefault(address, _Branch(f"{function}+{address - begin:#x}", []))
        if announced and branch is not None:
            branch.accesses.append(address)
        marked = name in CALLS and target == MARK
        announced = name in CALLS and ACCESS.fullmatch(target) is not None
        if name in LEAVES:
            branch = None
    return found


def coverage_of(program: str | os.PathLike[str], reached: set[int]) -> Coverage:
    """What a search that reached these places has seen of the program."""
    branches = _branches(program)
    missed = {place: branch for place, branch in branches.items() if place not in reached}
    trace = Trace(str(program))
    trace.look_up({place for begin, branch in missed.items() for place in (begin, *branch.accesses)})

    def at(pc: int) -> str:
        return trace.position(pc).partition(" ")[0]

    untouched = {(branch.name, at(access)) for branch in missed.values() for access in branch.accesses}
    return Coverage(
        len(branches) - len(missed), len(branches), sorted(set(map(at, missed)), key=_in_order), sorted(untouched)
    )


def _in_order(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line) if line.isdigit() else 0
