"""What an answer may use. An answer that could reach the judge instead of what the kata asks is not run at all.

C: the object file's symbols are the truth, whatever the source looks like. Python: the syntax tree is; names that lead
out of the kata (`os`, `sys`, `__globals__`, `eval`) are refused wherever they stand.
"""

import ast
import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_orders import calls, has_conditional_order
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import lower
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
C_PREFIXES = ("__atomic_", "atomic_", "__sync_", "__tsan_", "membarrier")
C_LOCKS = (
    *("pthread_mutex", "pthread_cond", "pthread_rwlock", "pthread_spin", "pthread_barrier", "pthread_once"),
    *("pthread_self", "pthread_equal", "mtx_", "cnd_", "call_once", "thrd_yield", "thrd_current", "thrd_equal"),
)
"""No answer starts, ends or signals threads: `pthread_exit` would end the judge's client without its assertions."""
C_SECTIONS = (".init_array", ".fini_array", ".ctors", ".dtors", ".preinit_array", ".init", ".fini")
C_FLAGS = ("-std=c11", "-Wall", "-Wextra", "-O1", "-fno-jump-tables", "-c")
BY_ADDRESS = re.compile(r"\s(?:call|jmp)q?\s+\*|\s(?:blr|br)\s+x")
"""An instruction that goes where a value says: a function pointer. The screen does not see what that calls."""
FRAMES = re.compile(r"\b__builtin_(?:frame_address|(?:extract_)?return|eh_return|apply|longjmp|setjmp)\w*")
MOST = 1 << 20
"""Bytes of an answer."""
ASSEMBLY = re.compile(r"\b(asm|__asm|__asm__)\b")
COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
PYTHON_COMMENTS = re.compile(r"#[^\n]*")
STRINGS = re.compile(r"\"(?:\\.|[^\"\\\n])*\"")
VARIABLE = re.compile(r"\bmemory_order\s+\w+\s*[=;,)]")
INCLUDE = re.compile(r"\s*#\s*include(_next)?\b\s*(.*)")
COMPILER = (10, 2 << 30)
"""Seconds and bytes that the compiler gets for an answer; one of a thousand lines needs a tenth of that."""
ENDED = re.compile(r"fatal error: (Killed|CPU time limit)|out of memory|cannot allocate|virtual memory exhausted")
INCLUDED = re.compile(r"<\w[\w./]*>\s*|\"\w+\.h\"\s*")


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


def _limit_compiler() -> None:
    seconds, memory = COMPILER
    lower(resource.RLIMIT_CPU, seconds, seconds)
    lower(resource.RLIMIT_AS, memory, memory)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout


def _c(kata: Kata, answer: Path) -> list[Fault]:
    text = COMMENTS.sub(" ", answer.read_text(encoding="utf-8", errors="replace"))
    if ASSEMBLY.search(STRINGS.sub(" ", text)):
        return [Fault(f"{answer.name}: inline assembly; use <stdatomic.h>")]
    if found := FRAMES.search(text):
        return [Fault(f"{answer.name}: {found[0]}, which leads out of the kata")]
    if VARIABLE.search(text) or any(map(has_conditional_order, calls(text))):
        return [Fault(f"{answer.name}: a memory order that is no constant; write it in the call")]
    for line in text.splitlines():
        include = INCLUDE.match(line)
        if include and (include[1] or ".." in line or not INCLUDED.fullmatch(include[2])):
            return [Fault(f"{answer.name}: {line.strip()}: a file of somebody else")]
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        made = Path(scratch) / "answer.o"
        command = [*compiler(), *C_FLAGS, f"-I{kata.folder / 'include'}", str(answer), "-o", str(made)]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False,
            preexec_fn=_limit_compiler,
        )  # fmt: skip
        if done.returncode:
            said = relative(done.stderr, kata, answer)
            if done.returncode < 0 or ENDED.search(said):
                seconds, memory = COMPILER
                return [Fault(f"{answer.name}: the compiler needs more than {seconds} s or {memory >> 30} GB for it")]
            first = next((line for line in said.splitlines() if "error" in line), "it does not compile")
            return [Fault(first, forbidden=False, more=said)]
        return _symbols(kata, answer, made)


def relative(text: str, kata: Kata, answer: Path) -> str:
    """What a compiler or a program said, with the files named as the learner knows them."""
    for folder in (answer.parent, kata.folder / "include", kata.folder):
        for path in (folder, folder.resolve()):
            text = text.replace(f"{path}/", "")
    return text


def _symbols(kata: Kata, answer: Path, made: Path) -> list[Fault]:
    found = []
    defined = set()
    prefixes = C_PREFIXES + C_LOCKS if kata.locks else C_PREFIXES
    for line in _run("nm", "-P", str(made)).splitlines():
        name, kind = line.split()[:2]
        if kind in "Uwv":
            if name not in C_ALLOWED and name not in kata.allowed and not name.startswith(prefixes):
                found.append(Fault(f"{answer.name}: uses {name}, which this kata does not allow"))
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
    if any(f" {section} " in sections or f" {section}." in sections for section in C_SECTIONS):
        found.append(Fault(f"{answer.name}: code that runs before main"))
    if BY_ADDRESS.search(_run("objdump", "-d", "--no-show-raw-insn", str(made))):
        found.append(Fault(f"{answer.name}: calls a function by its address; call it by its name"))
    if re.search(r"\sO\s+\.text", _run("objdump", "-t", str(made))):
        found.append(Fault(f"{answer.name}: data in the section of the code"))
    return found


def is_starter(kata: Kata, answer: Path) -> bool:
    """Whether the answer is the starter, apart from comments and white space. OSError if it cannot be read."""
    comments = PYTHON_COMMENTS if kata.language == "python" else COMMENTS
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (answer, kata.starter)]
    mine, given = ("".join(comments.sub(" ", text).split()) for text in texts)
    return mine == given
