"""Stack slots and registers that nobody reads any more are cleared before each call.

A loop that waits is known by its state: the registers and the stack (c/model/events/turns.c). What the last turn left
in a place that the next one only overwrites would make a state look new that is not. clang without optimisation has a
stack slot for each temporary value, and gcc one of the registers that calls keep. So the places of each function are
followed through the compiler's output. Those whose next access is a store on every path are set to 0 where a call
begins.

A slot is what instructions name as OFFSET(%rbp). Where the address of a place is taken, that place and everything above
it is left alone: an object may reach that far. gcc also takes the address of a slot to say that the slot is read or
written, and for what a compare-and-exchange expects. That is no more than it says. Of gcc's slots only the latter are
cleared. A function with something that this does not know is left as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

BEGIN = re.compile(r"^([\w.$]+):")
TYPE = re.compile(r"^\s*\.type\s+([\w.$]+),\s*@function")
END = re.compile(r"^\s*\.size\s+([\w.$]+),|^\.Lfunc_end\d+:")
LABEL = re.compile(r"^(\.L[\w.$]+):")
BLOCK = ".LBB"
"""So begin the labels of blocks that are reached otherwise than from above."""
SLOT = re.compile(r"(-\d+)\(%rbp\)")
INDEXED = re.compile(r"(-\d+)\(%rbp,")
OTHER_USE = re.compile(r"(?<![(\w])%[re]?bp\b")
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
WIDE = {"movss": 4, "movsd": 8, "movaps": 16, "movups": 16, "movapd": 16, "movupd": 16, "movdqa": 16, "movdqu": 16}
PLAIN = re.compile(
    r"^(?:mov|add|sub|and|or|xor|cmp|test|imul|mul|idiv|div|shl|shr|sar|sal|inc|dec|neg|not|adc|sbb|push|cmov\w+?)([bwlq])$"
)
ON_CONDITION = re.compile(r"^cmov(?:n?[abgl]e?|n?[ceopsz]|p[eo])$")
"""As gcc writes it: the register says how wide it is."""
EXTENDS = re.compile(r"^mov[sz]([bwl])[wlq]$")
CALL = re.compile(r"^call[q]?$")
INSTRUMENTATION = re.compile(r"^__tsan_(?!atomic)")
COMES_BACK_TWICE = re.compile(r"^(?:_*(?:sig)?setjmp|vfork|getcontext)\b")
FARTHEST = 4096
"""Slots farther from the frame's top than this are left alone."""
KEPT = ("rbx", "r12", "r13", "r14", "r15")
"""Registers that calls keep. Each is one bit above those of the slots."""
KEPT_NAME = re.compile(r"%(?:[re]?b(?P<b>x)|b[lh]|r(?P<number>1[2-5])[dwb]?)\b")
WHOLE = re.compile(r"%(?:[re]bx|r1[2-5]d?)$")
OVERWRITES = re.compile(r"^(?:mov[lq]|lea[lq]|movabsq|mov[sz][bwl][lq])$")
PREFIXES = {"notrack", "bnd", "rep", "repz", "repe"}
HIDDEN = re.compile(r"cmpxchg(?:8|16)b|cpuid")
"""Instructions that use a register without a word of it."""
ADDRESS = re.compile(r"^(-\d+)\(%rbp\), *%r([sd]i)$")
MENTIONED = {"di": re.compile(r"%(?:[re]?di|dil)\b"), "si": re.compile(r"%(?:[re]?si|sil)\b")}
SAYS_WHERE = re.compile(r"^__tsan_(?:unaligned_)?(?:read|write)\d+(?:@PLT)?$")
EXPECTS = re.compile(r"^__tsan_atomic(\d+)_compare_exchange_(?:strong|weak)(?:@PLT)?$")


class _UnknownError(Exception):
    """The function has something that is not known here."""


@dataclass
class _Step:
    """One instruction: which bytes it reads and which it overwrites, as bits; where it may go besides the next one."""

    line: int
    reads: int = 0
    writes: int = 0
    targets: list[str] = field(default_factory=list)
    anywhere: bool = False
    """It may go to every label of the function."""
    falls_through: bool = True
    is_call: bool = False
    dead: int = 0


def _bits(offset: int, size: int) -> int:
    return ((1 << size) - 1) << (FARTHEST + offset)


def _register(which: int) -> int:
    return 1 << (FARTHEST + which)


ALL_KEPT = sum(map(_register, range(len(KEPT))))


def _kept_in(operands: str) -> int:
    """The registers that an operand names."""
    found = (int(name["number"]) - 11 if name["number"] else 0 for name in KEPT_NAME.finditer(operands))
    return sum({_register(which) for which in found})


def _size(name: str) -> int:
    """The bytes that an instruction reads or writes in memory, 0: not known."""
    if ON_CONDITION.match(name):
        return 8
    if name in WIDE:
        return WIDE[name]
    if found := EXTENDS.match(name) or PLAIN.match(name):
        return SIZES[found[1]]
    return 1 if name.startswith("set") else 0


class _Function:
    """One function of the compiler's output."""

    def __init__(self, *, registers: bool) -> None:
        self.registers = registers
        """Registers are followed, too."""
        self.addresses: dict[str, int] = {}
        """Of slots, in registers that the next call looks at."""
        self.expected = 0
        """Slots for what a compare-and-exchange expects. Of gcc's slots, only these are cleared."""
        self.saved = 0
        """The registers that it puts on the stack. One that throws is to leave the others as they were."""
        self.pushed = 0
        self.steps: list[_Step] = []
        self.labels: dict[str, int] = {}
        self.named = 0
        """The bytes that some instruction names."""
        self.taken = 0
        """The lowest address that is taken; 0: none."""
        self.has_pads = False
        """An exception may go on at one of its labels."""
        self.in_app = False
        self.framed = False
        """%rbp is the frame pointer."""

    def add(self, number: int, line: str) -> None:
        mark = line.strip()
        if mark in {"#APP", "#NO_APP"}:
            self.in_app = mark == "#APP"
            self._take_addresses()
            self.steps.append(_Step(number, reads=ALL_KEPT, anywhere=True))
            return
        if label := LABEL.match(line):
            if not label[1].startswith((".LVL", ".LBB", ".LBE", ".LBI")):
                self._take_addresses()
            self.labels[label[1]] = len(self.steps)
            return
        text = line.partition("#")[0].strip()
        if mark.startswith((".cfi_lsda", ".cfi_personality")):
            self.has_pads = True
        if "syntax" in mark and mark.startswith(".intel"):
            raise _UnknownError
        if not text or text.startswith("."):
            return
        if self.in_app:
            self._take(text)
            return
        self.steps.append(self._step(number, text))

    def _take(self, text: str) -> None:
        """What this names is out of sight."""
        if OTHER_USE.search(text):
            raise _UnknownError
        for offset in re.findall(r"(-\d+)\(%rbp\b", text):
            self.taken = min(self.taken, int(offset))

    def _step(self, number: int, text: str) -> _Step:
        name, _, operands = text.partition("\t")
        if "\t" not in text:
            name, _, operands = text.partition(" ")
        operands = operands.strip()
        if name in PREFIXES:
            name, _, operands = operands.replace("\t", " ").partition(" ")
            operands = operands.strip()
        step = _Step(number)
        if self.registers:
            self._note_registers(step, name, operands)
            if self._is_address(step, name, operands):
                return step
        if name.startswith("ret") or name == "ud2":
            step.falls_through = False
        elif name.startswith("j"):
            step.falls_through = not name.startswith("jmp")
            step.targets = re.findall(r"\.L[\w.$]+", operands) if "*" not in operands else []
            step.anywhere = not step.targets
        elif CALL.match(name):
            if COMES_BACK_TWICE.match(operands):
                raise _UnknownError
            step.is_call = not INSTRUMENTATION.match(operands)
        self._note_slots(step, name, operands)
        return step

    def _note_registers(self, step: _Step, name: str, operands: str) -> None:
        source, _, target = operands.rpartition(",")
        source, target = source.strip(), target.strip()
        named = _kept_in(operands)
        leaves = name.startswith("ret") or (name.startswith("j") and not operands.startswith(".L"))
        if leaves or HIDDEN.search(f"{name} {operands}"):
            step.reads |= ALL_KEPT
        elif name == "pushq":
            self.pushed += self.framed
            self.saved |= named if WHOLE.match(operands) else 0
            step.reads |= named
        elif not WHOLE.match(target):
            step.reads |= named
        elif name == "popq" or (name in {"xorl", "xorq"} and source == target):
            step.writes |= named
        elif OVERWRITES.match(name):
            step.writes |= _kept_in(target)
            step.reads |= _kept_in(source)
        else:
            step.reads |= named

    def _is_address(self, step: _Step, name: str, operands: str) -> bool:
        """Is this the address of a slot for the next call, or the call that looks at one?"""
        if name == "leaq" and (found := ADDRESS.match(operands)):
            if found[2] in self.addresses:
                self._take_addresses()
            self.addresses[found[2]] = int(found[1])
            return True
        if CALL.match(name):
            if SAYS_WHERE.match(operands):
                self.addresses.pop("di", None)
            elif (expects := EXPECTS.match(operands)) and "si" in self.addresses:
                bits = _bits(max(self.addresses.pop("si"), -FARTHEST), int(expects[1]) // 8)
                self.named |= bits
                self.expected |= bits
                step.reads |= bits
            self._take_addresses()
        elif name.startswith(("j", "ret")) or any(MENTIONED[which].search(operands) for which in self.addresses):
            self._take_addresses()
        return False

    def _take_addresses(self) -> None:
        """What the registers point to is out of sight."""
        self.taken = min([self.taken, *self.addresses.values()])
        self.addresses.clear()

    def _note_slots(self, step: _Step, name: str, operands: str) -> None:
        if "%rbp" not in operands:
            return
        if _is_prologue(name, operands):
            self.framed |= name == "movq"
            return
        slots = [int(offset) for offset in SLOT.findall(operands)]
        jumps = CALL.match(name) or name.startswith("j")
        size = 8 if jumps else _size(name)
        if INDEXED.search(operands) or (slots and size == 0) or OTHER_USE.search(operands):
            self._take(operands)
            return
        for offset in slots:
            if offset < -FARTHEST:
                continue
            bits = _bits(offset, size)
            self.named |= bits
            stores = (name.startswith(("mov", "set")) and not EXTENDS.match(name)) and operands.endswith("(%rbp)")
            if stores:
                step.writes |= bits
            else:
                step.reads |= bits

    def _follow(self) -> None:
        """Finds for each call the bytes that nobody reads after it."""
        steps, labels = self.steps, self.labels
        blocks = [at for label, at in labels.items() if self.registers or label.startswith(BLOCK)]
        taken = min(self.taken, -8 * self.pushed)  # what was pushed is read by those that catch
        slots = self.expected if self.registers else self.named
        candidates = slots & ((1 << max(0, FARTHEST + taken)) - 1) | self.saved
        beyond = self.named | ALL_KEPT if self.registers else 0
        """What may be read outside of what is seen of the function."""
        live = [0] * len(steps) + [beyond]
        changed = True
        while changed:
            changed = False
            everywhere = 0
            for at in blocks:
                everywhere |= live[at]
            for at in range(len(steps) - 1, -1, -1):
                step = steps[at]
                after = live[at + 1] if step.falls_through else 0
                for target in step.targets:
                    after |= live[labels[target]] if target in labels else beyond
                if step.anywhere or (step.is_call and self.has_pads):
                    after |= everywhere
                before = (after & ~step.writes) | step.reads
                if step.is_call:
                    step.dead = candidates & ~(after | step.reads)
                changed |= before != live[at]
                live[at] = before

    def cleared(self) -> dict[int, list[str]]:
        """What to put before which line."""
        if not self.framed:
            return {}
        self._follow()
        return {step.line: list(_clears(step.dead)) for step in self.steps if step.is_call and step.dead}


def _is_prologue(name: str, operands: str) -> bool:
    """Does the instruction make the frame, or take it down?"""
    return (name, operands.replace(" ", "")) in {("pushq", "%rbp"), ("popq", "%rbp"), ("movq", "%rsp,%rbp")}


def _clears(dead: int) -> Iterator[str]:
    for which, name in enumerate(KEPT):
        if dead & _register(which):
            yield f"\tmovq\t$0, %{name}"
    dead &= _register(0) - 1
    at = 0
    while dead >> at:
        at += ((dead >> at) & -(dead >> at)).bit_length() - 1
        size = next(size for size in (8, 4, 2, 1) if (dead >> at) & ((1 << size) - 1) == (1 << size) - 1)
        suffix = next(letter for letter, bytes_ in SIZES.items() if bytes_ == size)
        yield f"\tmov{suffix}\t$0, {at - FARTHEST}(%rbp)"
        at += size


def cleared(text: str, *, registers: bool = False) -> str:
    """The compiler's output for x86-64 with slots that nobody reads any more set to 0 before calls.

    registers: also registers, and slots whose address is taken for the instrumentation, as in gcc's output.
    """
    lines = text.split("\n")
    before: dict[int, list[str]] = {}
    functions: set[str] = set()
    function: _Function | None = None
    for number, line in enumerate(lines):
        if function is None:
            if found := TYPE.match(line):
                functions.add(found[1])
            elif (begun := BEGIN.match(line)) and begun[1] in functions:
                function = _Function(registers=registers)
        elif END.match(line):
            before |= function.cleared()
            function = None
        else:
            try:
                function.add(number, line)
            except _UnknownError:
                function = None
    return "\n".join(added for number, line in enumerate(lines) for added in (*before.get(number, ()), line))
