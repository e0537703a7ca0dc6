"""Inline assembly and fence intrinsics: what reaches memory in a way that the instrumentation does not see.

The compiler's output is read instruction by instruction. Inside inline assembly, what reads or writes memory is
replaced by a call of the runtime, which makes the access in the model (c/model/front/assembly.c); fences and spin
hints are replaced wherever they stand, since intrinsics make them, too, and so do stores past the cache. What this does
not know becomes a call that says so when a thread comes to it. Instructions that only use registers stay, and so do
those that it does not know of the own stack frame, and the fences that lock nothing there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

VOLATILE_CALL = re.compile(r"^\s*callq?\s+__tsan_volatile_(read|write)\d+\b", re.MULTILINE)
SPECIAL = re.compile(
    r"^\s*#APP|^\s*(?:lock|mfence|lfence|sfence|pause|rep\s*;?\s*nop|rdtscp?|rdrand|rdseed|"
    r"v?movnt\w+|v?maskmov\w+|vp(?:gather|scatter|maskmov)\w+|xbegin|xend|xtest)\b",
    re.MULTILINE,
)
UNSEEN = re.compile(r"rdtsc|rdrand|rdseed|v?movnt|v?maskmov|vpgather|vpscatter|vpmaskmov|xbegin|xend|xtest")
"""What intrinsics make, too, and no instrumentation announces."""
OPERATIONS = (
    *("refused", "fence", "lfence", "sfence", "pause", "load", "load_signed", "store", "xchg", "xadd", "cmpxchg"),
    *("cmpxchg16b", "cmpxchg8b", "add", "sub", "and", "or", "xor", "inc", "dec", "neg", "not", "bts", "btr", "btc"),
    *("cmp", "test", "bt", "compare", "copied", "written"),
)
"""As `enum operation` of assembly.c has them."""
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
UNARY = {"inc", "dec", "neg", "not"}
BINARY = {"add", "sub", "and", "or", "xor", "bts", "btr", "btc", "xadd", "cmpxchg"}
READERS = {"cmp", "test", "bt"}
HARMLESS = re.compile(
    r"^(?:nop\w*|lea\w*|prefetch\w*|cl(?:flush\w*|wb)|push\w*|pop\w*|ret\w*|cpuid|endbr64|j\w+|set\w+|ud2|hlt)$"
)
UNKNOWN = re.compile(
    r"^(?:call\w*|syscall|sysenter|int\d*|rdtscp?|rdrand\w*|rdseed\w*|rep\w*|movs[bwlq]|stos\w*|x(?:begin|end))$"
)
REGISTERS = {
    **{name: (f"e{name}", f"r{name}", f"{name[0]}l") for name in ("ax", "bx", "cx", "dx")},
    **{name: (f"e{name}", f"r{name}", f"{name}l") for name in ("si", "di", "bp", "sp")},
}
ORDER = ["ax", "bx", "cx", "dx", "si", "di", "bp", "sp"]


def _registers() -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for number, name in enumerate(ORDER):
        wide, widest, narrow = REGISTERS[name]
        found |= {narrow: (number, 1), name: (number, 2), wide: (number, 4), widest: (number, 8)}
    for number in range(8, 16):
        found |= {f"r{number}{suffix}": (number, size) for suffix, size in (("b", 1), ("w", 2), ("d", 4), ("", 8))}
    return found


NUMBERED = _registers()
ENDS_BLOCK = re.compile(r"^\s*(?:call|j|ret)")
BYTES = re.compile(r"^\.(?:byte|word|long|quad|int|short|incbin)\b")


@dataclass(frozen=True)
class Instruction:
    prefixes: tuple[str, ...]
    name: str
    operands: tuple[str, ...]
    text: str

    @property
    def memory(self) -> str:
        """The operand that is memory, or an empty text."""
        return next((operand for operand in self.operands if operand[0] not in "$%" or ":" in operand), "")

    @property
    def in_own_frame(self) -> bool:
        return re.search(r"\(%r[sb]p\b", self.memory) is not None

    @property
    def changes_nothing(self) -> bool:
        """Is it a locked instruction that is there for its fence: `lock; addl $0,(%rsp)`?"""
        adds = re.fullmatch(r"(?:add|sub|or)[bwlq]?", self.name) is not None
        return adds and "lock" in self.prefixes and self.operands[0] == "$0"


def _operands(text: str) -> tuple[str, ...]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return tuple(part for part in [*parts, text[start:].strip()] if part)


def _signed(immediate: str, size: int) -> str:
    """An immediate as one of 64 bits: the upper half of the values of 4 bytes are below zero."""
    try:
        value = int(immediate[1:], 0)
    except ValueError:
        return immediate
    return f"${value - (1 << 8 * size) if size and value >= 1 << (8 * size - 1) else value}"


def _statements(line: str) -> Iterator[str]:
    """The statements of a line of assembly, labels and directives as they are."""
    text = line.partition("#")[0] if '"' not in line else line
    if text.strip().startswith("."):
        yield text.strip()
        return
    for part in text.split(";"):
        rest = part.strip()
        while label := re.match(r"[\w.$]+:\s*", rest):
            yield label[0].strip()
            rest = rest[label.end() :]
        if rest:
            yield rest


def _parse(statement: str) -> Instruction:
    words = statement.split(None, 1)
    prefixes = []
    while words and words[0].lower() in {"lock", "rep", "repz", "repe", "repne", "repnz"}:
        prefixes.append(words[0].lower())
        words = words[1].split(None, 1) if len(words) > 1 else []
    name = words[0].lower() if words else ""
    return Instruction(tuple(prefixes), name, _operands(words[1]) if len(words) > 1 else (), statement)


LOCKED, RELAXED = 1 << 25, 1 << 26


def _nothing(_statement: str) -> Iterator[str]:
    yield from ()


def _flagged(line: str, flag: int) -> str:
    return line.replace("movq $", f"movq ${flag}+", 1) if "lf_model_asm_what" in line else line


class Translator:
    """Translates the compiler's output of one file."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def call(
        self, operation: str, size: int = 0, register: int = 0, memory: str = "", immediate: str = ""
    ) -> Iterator[str]:
        what = OPERATIONS.index(operation) | size << 8 | register << 16 | (1 << 24 if immediate else 0)
        if memory:
            yield "movq %rax, lf_model_asm_scratch(%rip)"
            yield f"leaq {memory}, %rax"
            yield "movq %rax, lf_model_asm_address(%rip)"
            yield "movq lf_model_asm_scratch(%rip), %rax"
        if immediate:
            yield f"movq {immediate}, lf_model_asm_immediate(%rip)"
        yield f"movq ${what}, lf_model_asm_what(%rip)"
        yield "call lf_model_asm"

    def refused(self, statement: str) -> Iterator[str]:
        """A call that names the statement, and the statement itself for where only one thread runs."""
        shown = " ".join(statement.replace("\\", " ").replace('"', "'").split())
        self.texts.append(shown)
        yield from self.call("refused", immediate=f"$.Llf_model_text{len(self.texts)}")
        yield statement

    def access(self, instruction: Instruction, *, refuses: bool = True) -> Iterator[str]:
        """An instruction that reaches memory; what it does not know is refused, or nothing."""
        name, operands, memory = instruction.name, instruction.operands, instruction.memory
        unknown = self.refused if refuses else _nothing
        if "%" in memory.partition("(")[0]:  # through a segment register
            yield from unknown(instruction.text)
            return
        if moved := re.fullmatch(r"mov([sz])([bwl])([wlq])", name):
            register = NUMBERED.get(operands[-1].removeprefix("%"))
            if register and memory == operands[0]:
                operation = "load_signed" if moved[1] == "s" else "load"
                yield from self.call(operation, SIZES[moved[2]] | SIZES[moved[3]] << 4, register[0], memory)
                return
        if name in {"cmpxchg16b", "cmpxchg8b"}:
            for line in self.call(name, 8 if name == "cmpxchg16b" else 4, memory=memory):
                yield _flagged(line, LOCKED) if "lock" in instruction.prefixes else line
            return
        if name == "movabs":
            name = "mov"
        known = {"mov", "xchg", *UNARY, *BINARY, *READERS}
        base, size = (name, 0) if name in known else (name[:-1], SIZES.get(name[-1], 0))
        others = [operand for operand in operands if operand != memory]
        register, immediate = None, ""
        if others and others[0].startswith("%"):
            register = NUMBERED.get(others[0].removeprefix("%"))
            size = size or (register[1] if register else 0)
        elif others:
            immediate = _signed(others[0], size)
        wrong = base not in known or not size or len(others) != (base not in UNARY) or len(operands) > 2
        if wrong or (others and register is None and not immediate):
            yield from unknown(instruction.text)
            return
        operation = base
        if base == "mov":
            operation = "load" if memory == operands[0] else "store"
        elif base in READERS and memory == operands[-1] and base == "cmp":
            operation = "cmp"
        elif base == "cmp":
            operation = "compare"  # the register with the memory
        elif memory != operands[-1] and base not in {"xchg", "test"}:  # add MEMORY, REGISTER
            yield from unknown(instruction.text)
            return
        locked = "lock" in instruction.prefixes or base == "xchg"
        code = self.call(operation, size | (size << 4), register[0] if register else 0, memory, immediate)
        for line in code:
            yield _flagged(line, LOCKED) if locked else line

    def inside(self, instruction: Instruction) -> Iterator[str]:
        """An instruction of inline assembly."""
        if UNKNOWN.match(instruction.name) and not (
            instruction.name.startswith("movs") and len(instruction.operands) == 2
        ):
            yield from self.refused(instruction.text)
        elif not instruction.memory or HARMLESS.match(instruction.name):
            yield instruction.text
        elif instruction.in_own_frame and instruction.changes_nothing:
            yield from self.call("fence")
            yield instruction.text
        elif instruction.in_own_frame:  # which others may know the address of
            code = list(self.access(instruction, refuses=False))
            yield from code or [instruction.text]
        else:
            yield from self.access(instruction)

    def anywhere(self, instruction: Instruction) -> Iterator[str] | None:
        """An instruction that intrinsics make, too, or None."""
        name = instruction.name
        if name in {"mfence", "lfence", "sfence"}:
            return self.call("fence" if name == "mfence" else name)
        if name == "pause" or (name == "nop" and instruction.prefixes == ("rep",)):
            return self.call("pause")
        if UNSEEN.match(name):
            return self.refused(instruction.text)
        if "lock" in instruction.prefixes:
            return self.inside(instruction)
        return None

    def volatile_access(self, line: str, kind: str) -> list[str] | None:
        """The access that the compiler has announced, as a relaxed atomic one; None: it is not in this line."""
        if re.match(r"\s*[.#]|\s*$|.*:\s*$", line):
            return None
        instruction = _parse(line.partition("#")[0].strip())
        memory = instruction.memory
        if not memory or instruction.in_own_frame or HARMLESS.match(instruction.name):
            return None
        if (memory == instruction.operands[0]) != (kind == "read") and not instruction.name.startswith("cmp"):
            return None
        return [_flagged(code, RELAXED) for code in self.access(instruction)]

    def lines(self, text: str) -> Iterator[str]:
        in_app = intel = aside = False
        before = ""  # a prefix that stands alone
        volatile = ""  # what comes next is a read or a write of a volatile object
        for line in text.split("\n"):
            mark = line.strip()
            if mark in {"#APP", "#NO_APP"}:
                in_app = mark == "#APP"
                yield line
                continue
            if called := VOLATILE_CALL.match(line):
                volatile = called[1]
                continue
            if not in_app and not SPECIAL.match(line):
                code = self.volatile_access(line, volatile) if volatile else None
                if code or ENDS_BLOCK.match(line):
                    volatile = ""
                yield from code or [line]
                continue
            if mark.startswith("#"):  # where the block stands in the source
                yield line
                continue
            for found in _statements(line):
                statement = f"{before} {found}".strip()
                before = ""
                if found in {"lock", "rep"}:
                    before = found
                    continue
                intel = found.startswith(".intel_syntax") or (intel and not found.startswith(".att_syntax"))
                if found.startswith(".") or found.endswith(":"):
                    aside = found.startswith((".pushsection", ".section")) or (
                        aside and not found.startswith((".pop", ".prev"))
                    )
                    if in_app and not aside and BYTES.match(found):
                        yield from list(self.refused(found))[:-1]
                    yield found
                    continue
                instruction = _parse(statement)
                if intel:
                    yield from [".att_syntax prefix", *list(self.refused(statement))[:-1], ".intel_syntax noprefix"]
                    yield statement
                    continue
                yield from self.anywhere(instruction) or (self.inside(instruction) if in_app else [statement])
        yield from self.kept_texts()

    def kept_texts(self) -> Iterator[str]:
        """What was refused, behind everything else: clang's assembler gives the line that comes next to data, too."""
        if self.texts:
            yield ".section .rodata"
        for number, shown in enumerate(self.texts, 1):
            yield f'.Llf_model_text{number}: .string "{shown}"'


def needs_translation(text: str) -> bool:
    """Does the compiler's output have inline assembly, fences, or volatile accesses that are told from plain ones?"""
    return SPECIAL.search(text) is not None or VOLATILE_CALL.search(text) is not None


def translated(text: str) -> str:
    """The compiler's output for x86-64 with what reaches memory behind its back made visible."""
    return "\n".join(Translator().lines(text))
