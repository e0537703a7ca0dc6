"""What an answer may use. An answer that could reach the judge instead of what the kata asks is not run at all.

C: the object file's symbols are the truth, whatever the source looks like. Python: the syntax tree is; names that lead
out of the kata (`os`, `sys`, `__globals__`, `eval`) are refused wherever they stand.
"""

import ast
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_text import (
    COMPILER,
    ENDED,
    STANDARD,
    NotCompiled,
    compiled,
    faults,
    refused_directives,
    texts,
    uncommented,
)
from lockfree.practice.catalog import Kata
from lockfree.practice.python_names import PYTHON_MODULES, refused

C_ALLOWED = frozenset(
    {
        "malloc",
        "calloc",
        "realloc",
        "free",
        "aligned_alloc",
        "posix_memalign",
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "strlen",
        "strcmp",
        "strncmp",
        "__assert_fail",
        "abort",
        "sched_yield",
        "sysconf",
        "__stack_chk_fail",
        "__memcpy_chk",
        "__memset_chk",
        "_GLOBAL_OFFSET_TABLE_",
    }
)
C_PREFIXES = ("__atomic_", "atomic_", "__sync_", "membarrier")
C_LOCKS = (
    *("pthread_mutex", "pthread_cond", "pthread_rwlock", "pthread_spin", "pthread_barrier", "pthread_once"),
    *("pthread_self", "pthread_equal", "mtx_", "cnd_", "call_once", "thrd_yield", "thrd_current", "thrd_equal"),
)
"""No answer starts, ends or signals threads: `pthread_exit` would end the judge's client without its assertions."""
C_SECTIONS = (".init_array", ".fini_array", ".ctors", ".dtors", ".preinit_array", ".init", ".fini")
C_FLAGS = (STANDARD, "-Wall", "-Wextra", "-O0", "-fno-jump-tables", "-c")
"""Without optimization: a use that another stage's compiler takes out, or leaves in, is there."""
BY_ADDRESS = re.compile(r"\s(?:call|jmp)q?\s+\*|\s(?:blr|br)\s+x")
"""An instruction that goes where a value says: a function pointer. The screen does not see what that calls."""
MOST = 1 << 20
"""Bytes of an answer."""
MOST_DATA = 16 << 20
"""Bytes of an answer's static data. No kata needs any."""
PYTHON_COMMENTS = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Fault:
    """Why an answer is not run: one line with the place. forbidden: it uses what it must not; else it is unfinished.
    more: what a compiler said besides.
    """

    text: str
    forbidden: bool = True
    more: str = ""

    def __str__(self) -> str:
        return self.text


def screen(kata: Kata, answer: Path) -> list[Fault]:
    """What is wrong with an answer before it runs. Empty: it may run. OSError if it cannot be read."""
    if answer.exists() and not answer.is_file():  # a pipe, a device: to read it would not end
        return [Fault(f"{answer.name}: this is no file")]
    if answer.stat().st_size > MOST:
        return [Fault(f"{answer.name}: larger than {MOST:,} bytes")]
    return _python(kata, answer) if kata.language == "python" else _c(kata, answer)


def _python(kata: Kata, answer: Path) -> list[Fault]:
    source = answer.read_text(encoding="utf-8", errors="replace")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [Fault(f"{answer.name}: {type(error).__name__}: {error}", forbidden=False)]
    allowed = PYTHON_MODULES | frozenset(kata.allowed)
    found = [Fault(f"{answer.name}:{line}: {text}") for line, text in refused(tree, allowed)]
    if found:
        return found
    classes = {
        node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    missing = [name for name in kata.interface if name not in classes]
    return [Fault(f"{answer.name}: {', '.join(missing)} must be there, and is not", forbidden=False)] if missing else []


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout


def _c(kata: Kata, answer: Path) -> list[Fault]:
    text = answer.read_text(encoding="utf-8", errors="replace")
    for words in refused_directives(text):
        return [Fault(f"{answer.name}: {words}")]
    command = [*compiler(), *C_FLAGS, f"-I{kata.folder / 'include'}", str(answer)]
    try:
        with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
            own = texts(kata, answer, Path(scratch))
            if found := [Fault(f"{answer.name}:{line}: {words}") for line, words in faults(own[0])]:
                return found
            if len(set(own)) > 1:
                return [Fault(f"{answer.name}: its text is not the same for all stages: it looks how it is compiled")]
            return _symbols(kata, answer, compiled(command, Path(scratch) / "answer.o"), own[0])
    except NotCompiled as error:
        said = relative(str(error), kata, answer)
        if ENDED.search(said):
            seconds, memory, _ = COMPILER
            return [Fault(f"{answer.name}: the compiler needs more than {seconds} s or {memory >> 30} GB for it")]
        first = next((line for line in said.splitlines() if "error" in line), "it does not compile")
        return [Fault(first, forbidden=False, more=said)]


def relative(text: str, kata: Kata, answer: Path) -> str:
    """What a compiler or a program said, with the files named as the learner knows them."""
    for folder in (answer.parent, kata.folder / "include", kata.folder):
        for path in (folder, folder.resolve()):
            text = text.replace(f"{path}/", "")
    return text


def _symbols(kata: Kata, answer: Path, made: Path, text: str) -> list[Fault]:
    found = []
    defined = set()
    prefixes = C_PREFIXES + C_LOCKS if kata.locks else C_PREFIXES
    for line in _run("nm", "-P", str(made)).splitlines():
        name, kind = line.split()[:2]
        if kind in "Uwv":
            if name not in C_ALLOWED and name not in kata.allowed and not name.startswith(prefixes):
                own = re.search(rf"\binline\b[^;{{}}]*\b{re.escape(name)}\s*\([^;{{}}]*\{{", text) is not None
                why = "inline and not static: make it static inline" if own else "which this kata does not allow"
                found.append(Fault(f"{answer.name}: uses {name}, {why}"))
        elif kind == "i":
            found.append(Fault(f"{answer.name}: {name} is chosen by code that runs before main"))
        elif kind.isupper():
            defined.add(name)
    others = sorted(defined - set(kata.interface))
    if others:
        found.append(Fault(f"{answer.name}: {', '.join(others)}: besides the interface everything must be static"))
    missing = sorted(set(kata.interface) - defined)
    if missing:
        found.append(Fault(f"{answer.name}: {', '.join(missing)} must be there, and is not", forbidden=False))
    sections = _run("objdump", "-h", str(made))
    if (data := _data(sections)) > MOST_DATA:
        found.append(Fault(f"{answer.name}: {data:,} bytes of static data, of which {MOST_DATA:,} are allowed"))
    if any(f" {section} " in sections or f" {section}." in sections for section in C_SECTIONS):
        found.append(Fault(f"{answer.name}: code that runs before main"))
    if BY_ADDRESS.search(_run("objdump", "-d", "--no-show-raw-insn", str(made))):
        found.append(Fault(f"{answer.name}: calls a function by its address; call it by its name"))
    if re.search(r"\sO\s+\.text", _run("objdump", "-t", str(made))):
        found.append(Fault(f"{answer.name}: data in the section of the code"))
    return found


def _data(sections: str) -> int:
    """Bytes of the sections that hold static data, from what objdump says of an object file."""
    found = re.findall(r"^ *\d+ \.(?:t?bss|t?data|rodata)\S* +([0-9a-f]+) ", sections, re.MULTILINE)
    return sum(int(size, 16) for size in found)


def is_starter(kata: Kata, answer: Path) -> bool:
    """Whether the answer is the starter, apart from comments and white space. OSError if it cannot be read."""
    plain = uncommented if kata.language == "c" else lambda text: PYTHON_COMMENTS.sub(" ", text)
    there = [path.read_text(encoding="utf-8", errors="replace") for path in (answer, kata.starter)]
    mine, given = ("".join(plain(text).split()) for text in there)
    return mine == given
