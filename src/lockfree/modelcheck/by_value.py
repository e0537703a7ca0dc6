"""Structures that are passed and returned by value: what calls read and write without an announcement.

gcc and clang announce accesses of plain memory by calls of the thread sanitizer, but not these: `take(x)` reads the
structure to pass it, `x = make()` writes what the call returned, and a function whose result is returned in memory
writes it where its caller wants it (clang announces the last two). So two threads could do it at once unseen.

The compiler's output is read function by function, and a call of the runtime is put before

- loads of memory in the straight line before a call, if no announcement names their address;
- stores to memory in the straight line after a call (gcc);
- stores through the place for the result, in functions that return that place (gcc).

A load or a store that had been announced all the same is announced twice, which changes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

FUNCTION = re.compile(r"^\s*\.type\s+([\w.$]+),\s*@function")
LABEL = re.compile(r"^([\w.$]+):")
BLOCK = re.compile(r"^(?:\.L\d+|\.LBB\d+_\d+):")
"""Where jumps lead; other labels are for debuggers."""
END = re.compile(r"^\s*\.size\s+[\w.$]+,|^\.Lfunc_end\d+:")
CALL = re.compile(r"^callq?$")
ANNOUNCES = re.compile(r"^(?:__tsan_|lf_own_vptr_|lf_model_asm\b|__sanitizer_cov_)")
OF = re.compile(r"^(?:__tsan|lf_own)_(?:unaligned_)?(?:volatile_)?(?:read|write|vptr_\w+?)(\d+|_range|)(?:@PLT)?$")
ATOMIC_LOAD = re.compile(r"^__tsan_atomic(\d+)_load\b")
MOVE = re.compile(r"^mov(?:[sz]?([bwlq])|[sz]([bwl])[wlq])$")
WIDE = {"movss": 4, "movd": 4, "movsd": 8, "movhps": 8, "movlps": 8, "movhpd": 8, "movlpd": 8}
WIDE |= dict.fromkeys(("movaps", "movups", "movapd", "movupd", "movdqa", "movdqu"), 16)
REPEATED = re.compile(r"^rep;?\s*movs([bwlq])\b")
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
ADDRESS = re.compile(r"^([^()]*)(\(.*\))?$")
Call = Callable[[str, int, int, str, str], Iterable[str]]
"""Makes a call of the runtime: the operation, the size, a register, the address, how many."""
RANGE = 1 << 30
"""The size of an announcement that is as long as another register says."""


def _split(operands: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^(]*\))", operands) if part.strip()]


def _place(operand: str) -> tuple[str, int] | None:
    """What an address begins with, and how far behind it is: `8(%rbx)` is ("(%rbx)", 8)."""
    found = ADDRESS.match(operand)
    if found is None:
        return None
    before, registers = found[1], found[2] or ""
    symbol, offset = before, 0
    if number := re.search(r"(?:^|[+-])(?:0x[\da-f]+|\d+)$", before):
        symbol, offset = before[: number.start()], int(number[0], 0)
    return symbol + ("" if registers == "(%rip)" else registers), offset


def _is_shared(operand: str) -> bool:
    """Is it memory that others could see: not the own frame, no constant, no variable of the thread?"""
    if operand.startswith(("$", "%", "*")) or ":" in operand or re.search(r"\(%r[sb]p\b", operand):
        return False
    return not re.match(r"\.L|_ZGV|_ZT[VIS]|lf_model_asm_", operand) and "@" not in operand


@dataclass
class _Access:
    line: int
    place: str
    size: int
    many: bool = False
    """As many of them as %rcx says."""

    def announcement(self, *, write: bool, call: Call) -> list[str]:
        operation = "written" if write else "copied"
        if self.many:
            return list(call(operation, self.size, 0, self.place, "%rcx"))
        return list(call(operation, 1, 0, self.place, f"${self.size}"))


@dataclass
class _Function:
    stores_too: bool
    called: bool = False
    """The thread sanitizer knows it."""
    begins: bool = True
    place: set[str] = field(default_factory=lambda: {"%rdi"})
    """Registers that have the place for the result, if it is returned in memory."""
    to_place: list[_Access] = field(default_factory=list)
    returns_place: bool = False
    loads: list[_Access] = field(default_factory=list)
    announced: list[tuple[tuple[str, int] | None, int]] = field(default_factory=list)
    left_behind: int = 0
    """Bytes of the load that clang keeps after the call that makes it in the model: it is the next one of that size."""
    address: str = ""
    """What %rdi has, as an operand; empty: not known."""
    after_call: bool = False
    reads: list[_Access] = field(default_factory=list)
    writes: list[_Access] = field(default_factory=list)

    def new_line(self) -> None:
        self.loads, self.announced, self.address, self.after_call, self.left_behind = [], [], "", False, 0

    def instruction(self, number: int, text: str) -> None:
        if repeated := REPEATED.match(text):
            self._copies(number, SIZES[repeated[1]])
            return
        name, _, rest = text.replace("\t", " ").partition(" ")
        operands = _split(rest)
        if CALL.match(name):
            self._call(operands[0] if operands else "")
        elif name.startswith(("j", "ret")):
            self.new_line()
        else:
            self._moves(number, name, operands)

    def _copies(self, number: int, size: int) -> None:
        self.loads.append(_Access(number, "(%rsi)", size, many=True))
        to = _Access(number, "(%rdi)", size, many=True)
        self.to_place.append(to)
        if self.after_call:
            self.writes.append(to)

    def _call(self, to: str) -> None:
        if not ANNOUNCES.match(to):
            self.reads += self.loads
            self.new_line()
            self.place &= {"%rbx", "%r12", "%r13", "%r14", "%r15"}
            self.after_call = True
            return
        self.called = True
        if found := OF.match(to):
            size = RANGE if found[1] == "_range" else int(found[1] or 8)
            self.announced.append((_place(self.address) if self.address else None, size))
        elif not self.stores_too and (found := ATOMIC_LOAD.match(to)):
            self.left_behind = int(found[1]) // 8
        self.address, self.after_call = "", False
        self.place &= {"%rbx", "%r12", "%r13", "%r14", "%r15"}

    def _moves(self, number: int, name: str, operands: list[str]) -> None:
        if not operands:
            return
        last = operands[-1]
        self._follow_address(name, operands)
        if found := MOVE.match(name):
            size = SIZES[found[1] or found[2]]
        elif name in {"pushq", "push"}:
            size = 8
        else:
            size = WIDE.get(name, 0)
        if size and size == self.left_behind and _is_shared(operands[0]):
            self.left_behind = 0
        elif size and _is_shared(operands[0]) and not self._is_announced(operands[0]):
            self.loads.append(_Access(number, operands[0], size))
        elif size and len(operands) == 2 and _is_shared(last):
            store = _Access(number, last, size)
            if self.after_call:
                self.writes.append(store)
            if (based := re.search(r"\((%\w+)", last)) and based[1] in self.place:
                self.to_place.append(store)
        if name == "movq" and operands[0] in self.place and last == "%rax":
            self.returns_place = True
        if last.startswith("%") and not name.startswith(("cmp", "test", "push")):
            if name == "movq" and operands[0] in self.place:
                self.place.add(last)
            else:
                self.place.discard(_whole(last))

    def _follow_address(self, name: str, operands: list[str]) -> None:
        if operands[-1] not in {"%rdi", "%edi"}:
            return
        first = operands[0]
        if name in {"movl", "movq", "movabsq"} and first.startswith("$"):
            self.address = first[1:]
        elif name == "leaq":
            self.address = first
        elif name == "movq" and first.startswith("%"):
            self.address = f"({first})"
        else:
            self.address = ""

    def _is_announced(self, operand: str) -> bool:
        place = _place(operand)
        for number, (announced, size) in enumerate(self.announced):
            if announced is None:  # an address that was computed: it is that of one of the loads
                self.announced[number] = (place, size)
                return True
            if place is not None and place[0] == announced[0] and 0 <= place[1] - announced[1] < size:
                return True
        return False

    def unannounced(self) -> Iterator[tuple[_Access, bool]]:
        """What to announce, and whether it is a write."""
        for access in self.reads if self.called else ():
            yield access, False
        if not self.stores_too:
            return
        writes = {access.line: access for access in self.writes} if self.called else {}
        if self.returns_place:
            writes |= {access.line: access for access in self.to_place}
        for access in writes.values():
            yield access, True


def _whole(register: str) -> str:
    """The 64 bits of a register that may be named by its lower half."""
    return re.sub(r"^%e", "%r", register).removesuffix("d")


def announced(text: str, call: Call, *, stores_too: bool) -> str:
    """The compiler's output for x86-64 with these accesses announced. call: makes the lines of a call of the runtime;
    stores_too: of what calls return, too.
    """
    lines = text.split("\n")
    before: dict[int, list[str]] = {}
    functions: set[str] = set()
    function: _Function | None = None
    in_app = False
    for number, line in enumerate(lines):
        mark = line.strip()
        if mark in {"#APP", "#NO_APP"}:
            in_app = mark == "#APP"
            if function is not None:
                function.new_line()
        if function is None:
            if found := FUNCTION.match(line):
                functions.add(found[1])
            elif (label := LABEL.match(line)) and label[1] in functions:
                function = _Function(stores_too)
            continue
        if END.match(line):
            for access, write in function.unannounced():
                before.setdefault(access.line, []).extend(access.announcement(write=write, call=call))
            function = None
        elif LABEL.match(line):
            if BLOCK.match(line):
                function.new_line()
        elif not in_app and mark and not mark.startswith((".", "#")):
            function.instruction(number, mark.partition("#")[0].strip())
    return "\n".join(added for number, line in enumerate(lines) for added in (*before.get(number, ()), line))
