"""What the compiler reads of an answer in C, whatever its file looks like: the text behind the preprocessor.

A word of the file can be made of two lines, of two halves or by a macro. And the stages of the judge compile an answer
with different macros of the compiler's own. So the words are looked at as the compiler gets them, and they must be the
same in each stage.
"""

import re
import resource
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from lockfree._compiler import compiler
from lockfree._include import get_include, get_model_runtime
from lockfree.modelcheck.build import client_flags
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import lower

STANDARD = "-std=gnu11"
"""In each stage. The model checker's clients have it, too."""
COMPILER = (10, 2 << 30, 64 << 20)
"""Seconds, bytes of memory and bytes of a file that the compiler gets. An answer of a thousand lines needs a tenth."""
ENDED = re.compile(
    r"(?:fatal|internal compiler) error: (?:Killed|CPU time limit|File size limit)|File too large|out of memory"
    r"|cannot allocate|virtual memory exhausted"
)
COMMENTS = re.compile(r"(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')|//[^\n]*|/\*.*?\*/", re.DOTALL)
LITERAL = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")
JOINED = re.compile(r"(?:\\|\?\?/)[ \t]*\n")
DIRECTIVE = re.compile(r"^\s*(?:#|%:|\?\?=)\s*(\w*)(.*)$", re.MULTILINE)
INCLUDED = re.compile(r"\s*(?:<\w[\w./]*>|\"\w+\.h\")\s*")
MARKER = re.compile(r"^# (\d+) \"((?:\\.|[^\"\\])*)\"([ \d]*)$")
ATTRIBUTE = re.compile(r"\b__attribute(?:__)?\s*\(\s*\(")
NAME = re.compile(r"\w+")
ATTRIBUTES = frozenset(
    (
        "aligned", "packed", "always_inline", "noinline", "unused", "used", "hot", "cold", "const", "pure", "flatten",
        "fallthrough", "warn_unused_result", "nonnull", "malloc", "returns_nonnull", "noreturn", "leaf", "nothrow",
        "may_alias", "gnu_inline", "artificial", "deprecated", "noclone",
    )
)  # fmt: skip
"""What an answer may say of its functions and variables. Others hide them from the judge, or name those of others."""
BUILTIN = re.compile(r"\b__builtin_(\w+)")
BUILTINS = re.compile(
    r"(?:expect|expect_with_probability|unreachable|trap|(?:clz|ctz|popcount|ffs|parity|clrsb|abs|labs|llabs)\w*"
    r"|bswap\d+|types_compatible_p|choose_expr|offsetof|prefetch|[us]?(?:add|sub|mul)l*_overflow(?:_p)?|assume_aligned"
    r"|va_\w+|inff?|nanf?|huge_valf?|ia32_pause|arm_yield)"
)
WORDS = tuple(
    (re.compile(pattern, re.MULTILINE), words)
    for pattern, words in (
        (r"\b(asm|__asm|__asm__)\b", "inline assembly; use <stdatomic.h>"),
        (r"^\s*#\s*pragma\s+(?!GCC (?:diagnostic|unroll|ivdep)\b|STDC\b|once\b|pack\b)(.*)$",
         "#pragma {}, which changes what the judge sees"),
        (r"(\[)\s*\[\s*(?!(?:maybe_unused|nodiscard|fallthrough|deprecated|noreturn)\s*\]\s*\])",
         "an attribute in brackets, which changes what the judge sees"),
        (r"\b(?!return\b|case\b|else\b)(\w+[\s*]+memory_order_(?:relaxed|consume|acquire|release|acq_rel|seq_cst))\b",
         "{}, a memory order that is no constant"),
        (r"\b((?:__VERIFIER|__tsan|__sanitizer|lf_model|lf_libc|lf_own)_\w*)", "{}, a name of the judge's tools"),
        (r"\b(__seg_[fg]s)\b", "{}, memory that no tool sees"),
        (r"\b(_mm\d*_(?!pause\b)\w+|_m_maskmovq|_x(?:begin|end|abort|test)\b|__rdtscp?\b|_Interlocked\w+)",
         "{}, an instruction of one kind of machine; use <stdatomic.h>"),
        (r"\b(_f?x(?:save|rstor)\w*|_rd\w+_(?:step|u\d+)|_(?:read|write)[fg]sbase_\w+|_movdir\w+|_directstore\w+)",
         "{}, an instruction of one kind of machine; use <stdatomic.h>"),
    )
)  # fmt: skip
"""What no answer says, and why not. The first group is what the words name."""
PARENTHESIS = re.compile(r"[()]")
ATOMIC = re.compile(r"\b__(?:c11_)?atomic_(?!is_lock_free|always_lock_free|init)(\w+)\s*\(")
ORDER = re.compile(r"[\s(]*(?:memory_order_(?:relaxed|consume|acquire|release|acq_rel|seq_cst)|[0-5])[\s)]*")
"""An order that is no variable, with the parentheses of a macro."""


class NotCompiled(Exception):
    """The compiler refused it; the text is what it said."""


def limit_compiler() -> None:
    """In a child, before it becomes the compiler."""
    seconds, memory, file = COMPILER
    lower(resource.RLIMIT_FSIZE, file, file)
    lower(resource.RLIMIT_CPU, seconds, seconds)
    lower(resource.RLIMIT_AS, memory, memory)


def compiled(command: Sequence[str], made: Path) -> Path:
    """What the compiler makes within its limits. Raises `NotCompiled`."""
    done = subprocess.run(
        [*command, "-o", str(made)],
        capture_output=True, text=True, errors="replace", check=False, preexec_fn=limit_compiler,
    )  # fmt: skip
    if done.returncode:
        raise NotCompiled(done.stderr if done.returncode > 0 else f"out of memory or time\n{done.stderr}")
    return made


def uncommented(text: str) -> str:
    """The text with its lines joined where they go on, and without comments. Those in strings stay."""
    joined = JOINED.sub("", text)
    return COMMENTS.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), joined)


def refused_directives(text: str) -> Iterator[str]:
    """Directives that no answer has a use for, as they stand in its text."""
    for found in DIRECTIVE.finditer(uncommented(text)):
        name, rest = found[1], found[2]
        if name in {"include", "include_next", "import", "embed"}:
            if name != "include" or ".." in rest or not INCLUDED.fullmatch(rest):
                yield f"{found[0].strip()}: a file of somebody else"
        elif name == "line" or name.isdigit():
            yield f"{found[0].strip()}: a place that is not this one"


def _flags(kata: Kata) -> list[list[str]]:
    """How the stages compile: what differs in the compiler's own macros, and which headers are there.

    The screen compiles without optimization, and a user may, too.
    """
    theirs = [f"-isystem{folder}" for folder in (get_include(), get_model_runtime())]
    kinds = [[STANDARD, "-O1"], [*client_flags(compiler()), *theirs], [STANDARD, "-O2", "-pthread"], [STANDARD, "-O0"]]
    return [[*kind, f"-I{kata.folder / 'include'}"] for kind in kinds]


def texts(kata: Kata, answer: Path, folder: Path) -> list[str]:
    """The answer's own text behind the preprocessor, as each kind of stage compiles it. Raises `NotCompiled`.

    folder: for files on the way.
    """
    command = [*compiler(), "-E", "-Wno-all", "-Werror=date-time", str(answer)]
    found = []
    for flags in _flags(kata):
        made = compiled([*command, *flags], folder / "answer.i")
        found.append(_own(made.read_text(encoding="utf-8", errors="replace"), kata, answer))
    return found


def _own(text: str, kata: Kata, answer: Path) -> str:
    """The lines that come from the answer's file, each where it is there. Raises `NotCompiled` for another file."""
    own: list[str] = []
    mine = False
    for line in text.splitlines():
        if marker := MARKER.match(line):
            number, file, flags = int(marker[1]), marker[2], marker[3].split()
            mine = file == str(answer)
            if mine:
                own += [""] * (number - 1 - len(own))
            elif not (file.startswith("<") or file.endswith("//") or "3" in flags or _is_given(kata, Path(file))):
                raise NotCompiled(f"error: {Path(file).name} is not the kata's: an answer is one file")
        elif mine:
            own.append(line)
    return "\n".join(own)


def _is_given(kata: Kata, file: Path) -> bool:
    """Whether this is a header of the kata, or a copy of it."""
    original = kata.folder / "include" / file.name
    return original.is_file() and file.is_file() and file.read_bytes() == original.read_bytes()


def faults(text: str) -> list[tuple[int, str]]:
    """What an answer must not say, with its line. text: one of `texts`."""
    plain = LITERAL.sub('""', text)
    return [(plain.count("\n", 0, at) + 1, words) for at, words in sorted(_found(plain))]


def _found(text: str) -> Iterator[tuple[int, str]]:
    for pattern, words in WORDS:
        yield from ((found.start(), words.format(found[1].strip())) for found in pattern.finditer(text))
    for found in BUILTIN.finditer(text):
        if not BUILTINS.fullmatch(found[1]):
            yield found.start(), f"{found[0]}, which leads out of the kata"
    for found in ATTRIBUTE.finditer(text):
        inside = text[found.end() : _closed(text, found.end())]
        for name in NAME.findall(re.sub(r"\([^()]*\)", "", inside)):
            if name.strip("_") not in ATTRIBUTES:
                yield found.start(), f"the attribute {name}, which changes what the judge sees"
    for found in ATOMIC.finditer(text):
        arguments = _arguments(text[found.end() : _closed(text, found.end())])
        orders = arguments[-2:] if found[1].startswith("compare_exchange") else arguments[-1:]
        if not all(ORDER.fullmatch(order) for order in orders):
            yield found.start(), "a memory order that is no constant; write it in the call"


def _closed(text: str, begin: int) -> int:
    """Where the parenthesis is closed that was opened before `begin`."""
    depth = 1
    for found in PARENTHESIS.finditer(text, begin):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return found.start()
    return len(text)


def _arguments(text: str) -> list[str]:
    found, depth = [""], 0
    for letter in text:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found
