"""Which branches of a program the explored executions have reached."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lockfree.modelcheck.edges import ACCESS, CALLS, LEAVES, Instruction, edges_of
from lockfree.modelcheck.edges import MARK as EDGE
from lockfree.modelcheck.symbols import binary_tool
from lockfree.modelcheck.trace import Trace

MARK = "__sanitizer_cov_trace_pc"
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)(?:\s+(?:\S+,)?([0-9a-f]+)\s+<([^>]+)>\s*$)?")


@dataclass(frozen=True)
class OneWay:
    """An edge of a conditional jump that no execution took, and past which an access is that orders others.

    edge: `FUNCTION+OFFSET`. jump, skipped: `FILE:LINE`. other_taken: by threads, not in setup or final alone.
    """

    edge: str
    jump: str
    skipped: str
    other_taken: bool


@dataclass(frozen=True)
class Coverage:
    """Of the branches that the compiler left: how many were reached, how many there are, and where the others are.

    untouched: the accesses to memory in these others, behind their branches. A branch is `FUNCTION+OFFSET`: one line
    has two if its function is inlined twice. Other places: `FILE:LINE`. one_way: edges that no execution took.
    """

    reached: int
    branches: int
    missed: list[str]
    untouched: list[tuple[str, str]]
    one_way: list[OneWay]

    def __str__(self) -> str:
        text = f"{self.reached} of {self.branches} branches reached"
        return text + (f"; never: {', '.join(self.missed)}" if self.missed else "")


@dataclass
class _Branch:
    """name: its function, and how far behind its beginning. accesses: the places behind the calls for them."""

    name: str
    accesses: list[int]


@dataclass(frozen=True)
class _Function:
    name: str
    code: list[Instruction]

    def named(self, address: int) -> str:
        return f"{self.name}+{address - self.code[0].address:#x}"


def _functions(program: str | os.PathLike[str]) -> Iterator[_Function]:
    command = [binary_tool("objdump"), "-d", "--no-show-raw-insn", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    function = _Function("", [])
    for line in done.stdout.splitlines():
        if heading := FUNCTION.match(line):
            if function.code:
                yield function
            function = _Function(heading[2], [])
        elif found := INSTRUCTION.match(line):
            target = int(found[3], 16) if found[3] else -1
            function.code.append(Instruction(int(found[1], 16), found[2], target, found[4] or ""))
    if function.code:
        yield function


def _branches(functions: Iterable[_Function]) -> dict[int, _Branch]:
    """By the places behind the calls that mark their beginnings."""
    found: dict[int, _Branch] = {}
    for function in functions:
        branch: _Branch | None = None
        marked = announced = False
        for one in function.code:
            if marked:
                branch = found.setdefault(one.address, _Branch(function.named(one.address), []))
            if announced and branch is not None:
                branch.accesses.append(one.address)
            marked = one.operation in CALLS and one.name == MARK
            announced = one.operation in CALLS and ACCESS.fullmatch(one.name) is not None
            if one.operation in LEAVES:
                branch = None
    return found


def coverage_of(
    program: str | os.PathLike[str],
    reached: set[int],
    edges: AbstractSet[int] = frozenset(),
    together: AbstractSet[int] = frozenset(),
) -> Coverage:
    """What a search that reached these places, and took these edges (of them `together` in threads), has seen."""
    functions = list(_functions(program))
    branches = _branches(functions)
    missed = {place: branch for place, branch in branches.items() if place not in reached}
    left = [
        (function, edge) for function in functions if any(one.name == EDGE for one in function.code)
        for edge in edges_of(function.code) if edge.skips and edge.begin not in edges
    ]  # fmt: skip
    trace = Trace(str(program))
    trace.look_up({place for begin, branch in missed.items() for place in (begin, *branch.accesses)})
    trace.look_up({place for _, edge in left for place in (edge.jump, edge.skips)})

    def at(pc: int) -> str:
        return trace.position(pc).partition(" ")[0]

    untouched = {(branch.name, at(access)) for branch in missed.values() for access in branch.accesses}
    never_left = [
        OneWay(function.named(edge.begin), at(edge.jump), at(edge.skips), edge.other in together)
        for function, edge in left
    ]
    return Coverage(
        len(branches) - len(missed), len(branches), sorted(set(map(at, missed)), key=_in_order), sorted(untouched),
        never_left,
    )  # fmt: skip


def _in_order(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line) if line.isdigit() else 0
