"""Which way each conditional jump of a client went, as coverage needs it.

That all blocks were reached does not say that. `if (count < 40) fence();` has no block for the other way: the jump
past the fence leads to code that both ways share. So a call of the runtime is put on each edge of each conditional
jump in the compiler's output (x86-64). It keeps all registers and flags (c/model/base/reached.c).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MARK = "lf_model_edge"
JUMP = re.compile(r"^\t(j(?!mp)[a-z]+)\t(\.L[\w.$]+)\s*$")
END = re.compile(r"^\t\.(?:cfi_endproc|size)\b")
ACCESS = re.compile(
    r"__tsan_(?:unaligned_)?(?:volatile_)?(?:read|write)(?:\d+|_range)"
    r"|__tsan_atomic\w+|(?:lf_libc_)?mem(?:cpy|move|set)|lf_model_(?:written|copied)\w*"
)
"""What the compiler puts before an access to memory that others may see, or in its place."""
ORDERS = re.compile(r"__tsan_atomic\w+")
"""Accesses and fences that order others."""
CALLS = frozenset({"call", "callq", "bl"})
LEAVES = frozenset({"jmp", "jmpq", "ret", "retq", "b", "br", "ud2"})
"""Instructions after which the next one is not reached from above."""


def marked(text: str) -> str:
    """The compiler's output with a mark on each edge of each conditional jump."""
    lines: list[str] = []
    waiting: list[tuple[str, str]] = []
    count = 0
    in_app = False
    for line in text.split("\n"):
        if line.strip() in {"#APP", "#NO_APP"}:
            in_app = line.strip() == "#APP"
        jump = None if in_app else JUMP.match(line)
        if jump:
            count += 1
            waiting.append((f".Llf_edge{count}", jump[2]))
            lines += [f"\t{jump[1]}\t{waiting[-1][0]}", f"\tcall\t{MARK}"]
            continue
        if END.match(line):
            for label, target in waiting:
                lines += [f"{label}:", f"\tcall\t{MARK}", f"\tjmp\t{target}"]
            waiting.clear()
        lines.append(line)
    if waiting:
        raise ValueError("a function without an end")
    return "\n".join(lines)


@dataclass(frozen=True)
class Instruction:
    """target: where it jumps or what it calls; name: of that function."""

    address: int
    operation: str
    target: int
    name: str


@dataclass(frozen=True)
class Edge:
    """One way of a conditional jump. begin: the place that the mark notes; jump: where the jump is.

    skips: the place of an access or fence that orders others, which only the other way comes to, although accesses
    follow on this one. 0: there is none.
    """

    begin: int
    other: int
    jump: int
    skips: int


def edges_of(function: list[Instruction]) -> Iterator[Edge]:
    """The edges of a function's conditional jumps."""
    at = {one.address: number for number, one in enumerate(function)}
    following = [list(_following(function, at, number)) for number in range(len(function))]
    everything: set[int] | None = None
    for number, one in enumerate(function):
        if not (one.operation.startswith("j") and one.operation not in LEAVES):
            continue
        ways = [number + 1, at.get(one.target, -1)]
        if not all(0 < way < len(function) - 1 and function[way].name == MARK for way in ways):
            continue
        everything = everything if everything is not None else _reach(following, 0, -1)
        for way, other in (ways, ways[::-1]):
            alone = everything - _reach(following, 0, other)
            skipped = [at for at in sorted(alone) if ORDERS.fullmatch(function[at].name)]
            touches = any(ACCESS.fullmatch(function[at].name) for at in _reach(following, way, -1))
            skips = function[skipped[0] + 1].address if skipped and touches else 0
            yield Edge(function[way + 1].address, function[other + 1].address, one.address + 1, skips)


def _following(function: list[Instruction], at: dict[int, int], number: int) -> Iterator[int]:
    one = function[number]
    if one.operation not in LEAVES and number + 1 < len(function):
        yield number + 1
    if one.operation not in CALLS and one.target in at:
        yield at[one.target]


def _reach(following: list[list[int]], begin: int, without: int) -> set[int]:
    """The instructions that can be reached, without coming to one of them."""
    found, rest = set(), [begin]
    while rest:
        number = rest.pop()
        if number not in found and number != without:
            found.add(number)
            rest += following[number]
    return found
